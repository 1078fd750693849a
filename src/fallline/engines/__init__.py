"""Runs a problem on an engine, and chooses the engine by the estimated time."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeGuard, TypeVar

import numpy as np

from fallline.engines import reference
from fallline.engines.checkpoint import Checkpoint, Part
from fallline.engines.ends import reference_ends
from fallline.engines.mistakes import note_step
from fallline.engines.per_run import is_per_run, per_run_settings
from fallline.engines.problem import Problem, Unable, is_ours
from fallline.engines.rest import ELSEWHERE, NO_GRADIENT, judged, judged_ends
from fallline.errors import FalllineError, Setting, nearest
from fallline.results.ends import Ends
from fallline.results.trajectory import Trajectory
from fallline.stopping import NotFinite

if TYPE_CHECKING:
    from fallline.engines.workers import Cluster, WorkersLost

__all__ = [
    "ELSEWHERE",
    "ENGINES",
    "Checkpoint",
    "Cluster",
    "Ends",
    "Engine",
    "OnDevice",
    "Part",
    "Problem",
    "WorkersLost",
    "compiles",
    "ends",
    "engine_on",
    "execute",
    "is_cluster",
]

COMPILED, JAX = "compiled", "jax"
ENGINES = ("auto", reference.NAME, COMPILED, JAX)
Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class OnDevice:
    """The engine "jax" on one of JAX's devices.

    Attributes:
        device: its name, such as "cpu", "gpu" or "gpu:1".
    """

    device: str


Engine: TypeAlias = "str | Cluster | OnDevice"


def engine_on(engine: Engine, device: str | None) -> Engine:
    """The engine of the arguments `engine` and `device` of a public call.

    Raises:
        FalllineError: when there is no such device, or the engine has none.
    """
    if device is None:
        return engine
    if engine != JAX:
        raise FalllineError(
            "device", device, ("use ", Setting("engine", JAX)), problem="which only the engine of JAX has"
        )
    from fallline.engines import xla

    xla.device_named(device)
    return OnDevice(device)


# Estimated times, in units of one step of a single run on floats by the reference engine. The choice depends on the
# work only, not on whether the code is in the cache, so that a repeated run is computed by the same engine.
_COMPILING, _AND_FOR_EACH_COORDINATE = 15_000, 500
# A step of the reference engine on arrays; each further coordinate on floats, and on arrays; each further coordinate of
# each further run.
_ON_ARRAYS, _COORDINATE_ON_FLOATS, _COORDINATE_ON_ARRAYS, _COORDINATE_OF_A_RUN = 5, 1 / 25, 1 / 4, 1 / 100
# The fewest runs of a function that go side by side. For them, a step of the reference engine, and of each further run.
_FEWEST_LANES, _OF_FUNCTIONS, _OF_A_FUNCTION = 32, 9, 1 / 20
# Per step, for each hyperparameter other than the rate that differs between runs: powers are computed run by run.
_SETTING_OF_A_RUN = 1 / 3


def __getattr__(name: str) -> Any:
    # Dask's part of the engines is imported when it is first asked for.
    if name in ("Cluster", "WorkersLost"):
        from fallline.engines import workers

        return getattr(workers, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)


def is_cluster(engine: Engine) -> TypeGuard[Cluster]:
    """Whether the engine is a cluster, not the name of an engine of this process."""
    if isinstance(engine, str | OnDevice):
        return False
    from fallline.engines.workers import Cluster

    return isinstance(engine, Cluster)


def execute(problem: Problem, engine: Engine) -> list[Trajectory]:
    """Run the problem on an engine and return the trajectories in order.

    Arguments:
        engine: "reference", "compiled", "jax", "auto" for the one that suits the work best, a `Cluster`, or a device.

    Raises:
        FalllineError: when there is no such engine, or one is asked for what it cannot do.
        Exception: what a function, a rule or a callback of the user's raises at a point of a run.
    """
    if is_cluster(engine):
        from fallline.engines import cluster

        return judged(problem, cluster.run(problem, engine))
    made: list[Trajectory] = _by(engine, problem, _TRAJECTORIES)
    runs = judged(problem, made)
    for run in runs:
        if run.stop.reason in (NotFinite.reason, NO_GRADIENT):
            try:
                with np.errstate(all="ignore"):
                    problem.objective.raise_errors_at(run.final.x)
            except Exception as error:
                note_step(error, run.step_count, run.optimizer)
                raise
    return runs


def ends(problem: Problem, engine: Engine, *, judge: bool = True) -> Ends:
    """Run the problem and return only where its runs ended, so that millions of runs fit into memory.

    Arguments:
        problem: the runs; only the steps `at` of its record are used, and its callback is not called.
        engine: as in `execute`.
        judge: whether the slope is looked at where they ended; if not, `converged` is what the conditions claim.

    Raises:
        FalllineError: as `execute`.

    >>> import numpy as np
    >>> from fallline import GradientDescent
    >>> from fallline.objectives import as_objective
    >>> from fallline.stopping import conditions
    >>> from fallline.results.trajectory import Record
    >>> problem = Problem(
    ...     objective=as_objective("x**4 - 2*x**2"), starts=np.array([[-2.0], [0.0], [0.5]]),
    ...     optimizer=GradientDescent(0.05), max_steps=500, conditions=conditions(None),
    ...     record=Record(), seed=0, callback=None, report=lambda made: None,
    ... )
    >>> found = ends(problem, "auto")
    >>> found.x.round(6).ravel(), found.converged
    (array([-1.,  0.,  1.]), array([ True, False,  True]))
    """
    if is_cluster(engine):
        from fallline.engines import cluster

        # Chosen by the whole work, so that the results are the same as on one machine.
        made = _ends_compiled_if_possible if _worth_compiling(problem, _ENDS) else reference_ends
        found = cluster.ends(problem, engine, made)
    else:
        found = _by(engine, problem, _ENDS)
    return judged_ends(problem, found, slope=judge)


def compiles(problem: Problem, engine: Engine) -> bool:
    """Whether `ends` compiles the problem, if that can be done."""
    return engine == COMPILED or (engine == "auto" and _worth_compiling(problem, _ENDS))


# The compiled engine is imported when a problem is worth it.
def _run_compiled(problem: Problem) -> list[Trajectory]:
    from fallline.engines import compiled

    return compiled.run(problem)


def _ends_compiled(problem: Problem) -> Ends:
    from fallline.engines import compiled

    return compiled.ends(problem)


# So is that on XLA.
def _run_by_xla(problem: Problem, device: str | None) -> list[Trajectory]:
    from fallline.engines import xla

    return xla.run(problem, device)


def _ends_by_xla(problem: Problem, device: str | None) -> Ends:
    from fallline.engines import xla

    return xla.ends(problem, device)


@dataclass(frozen=True)
class _Way(Generic[Outcome]):
    """How the engines execute a problem: as trajectories, or only to where the runs end.

    Attributes:
        reference, compiled, xla: the function of each engine; the last takes the device, too.
        a_run: the cost per run besides its steps, by the reference and by the compiled engine.
    """

    reference: Callable[[Problem], Outcome]
    compiled: Callable[[Problem], Outcome]
    xla: Callable[[Problem, str | None], Outcome]
    a_run: tuple[int, int]


_TRAJECTORIES = _Way(reference.run, _run_compiled, _run_by_xla, (7, 16))
_ENDS = _Way(reference_ends, _ends_compiled, _ends_by_xla, (12, 0))


def _ends_compiled_if_possible(problem: Problem) -> Ends:
    return _if_possible(problem, _ENDS, _ends_compiled)


def _by(engine: Engine, problem: Problem, way: _Way[Outcome]) -> Outcome:
    device = engine.device if isinstance(engine, OnDevice) else None
    name = JAX if isinstance(engine, OnDevice) else engine
    if name not in ENGINES:
        raise FalllineError("engine", engine, nearest(str(engine), ENGINES))
    if name == "auto":
        if _worth_lanes(problem):
            return _if_possible(problem, way, lambda given: way.xla(given, "cpu"))
        if _worth_compiling(problem, way):
            return _if_possible(problem, way, way.compiled)
    if name in ("auto", reference.NAME):
        return way.reference(problem)
    try:
        given = _to_try(problem)
        return way.compiled(given) if name == COMPILED else way.xla(given, device)
    except Unable as reason:
        raise FalllineError(
            "engine", problem=f'is "{name}", which cannot run this: {reason}', allowed='use "auto"'
        ) from None


def _if_possible(problem: Problem, way: _Way[Outcome], execute: Callable[[Problem], Outcome]) -> Outcome:
    """What `execute` makes of the problem, or else the reference engine."""
    try:
        return execute(_to_try(problem))
    except Unable:
        return way.reference(problem)


def _to_try(problem: Problem) -> Problem:
    """The problem with copies of the user's own parts: what they count in the attempt, the runs do not begin with.

    Raises:
        Unable: when a part cannot be copied.
    """
    theirs = problem.optimizer, problem.conditions
    if all(map(is_ours, (problem.optimizer, *problem.conditions))):
        return problem
    try:
        optimizer, conditions = copy.deepcopy(theirs)
    except Exception as error:  # whatever the user's rule or condition holds
        raise Unable(f"a part of the rule or of a condition cannot be copied ({error})") from error
    return dataclasses.replace(problem, optimizer=optimizer, conditions=conditions)


def _worth_compiling(problem: Problem, way: _Way[Any]) -> bool:
    """Whether the compiled engine would be faster if every run made all its steps."""
    runs, n, rule = len(problem.starts), problem.objective.dimension, problem.optimizer
    if runs == 1 and is_ours(rule) and rule.elementwise:
        step = 1 + _COORDINATE_ON_FLOATS * n
    else:
        own = sum(1 for _ in per_run_settings(rule)) - is_per_run(rule.learning_rate)
        step = _ON_ARRAYS + (_COORDINATE_ON_ARRAYS + _COORDINATE_OF_A_RUN * runs) * n + _SETTING_OF_A_RUN * runs * own
    by_reference, by_compiled = way.a_run
    saved = problem.max_steps * step + (by_reference - by_compiled) * runs
    if saved < _COMPILING + _AND_FOR_EACH_COORDINATE * n:
        return False
    from fallline.machine_code import machine

    return machine.available()


def _worth_lanes(problem: Problem) -> bool:
    """Whether the runs of a function that JAX follows would be faster side by side, if all made all their steps."""
    runs, kind = len(problem.starts), problem.objective.gradient_kind or ""
    step = _OF_FUNCTIONS + _OF_A_FUNCTION * runs
    return kind.startswith("autodiff") and runs >= _FEWEST_LANES and problem.max_steps * step >= _COMPILING
