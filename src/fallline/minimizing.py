"""minimize(), one run of one rule; and rerun(), which repeats a run from its recipe."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fallline.arguments import Rule, Start, length_of, prepared, rule_of, stop_of
from fallline.arrays import FloatArray
from fallline.encoding import decode, encode
from fallline.engines import Checkpoint, Engine, OnDevice, Part, Problem, engine_on, execute
from fallline.errors import FalllineError, check_whole, shortened
from fallline.gradients import Perturbation
from fallline.objectives import Objective
from fallline.optimizers import Optimizer
from fallline.optimizers.recipes import rebuilt
from fallline.progress import progress_bar
from fallline.results.trajectory import OptimizerState, Point, Record, Trajectory, objective_from_recipe
from fallline.slips import in_our_words
from fallline.stopping import CONDITIONS, StoppingCondition, conditions


@in_our_words
def minimize(
    objective: Any,
    x0: Start,
    optimizer: Rule,
    *,
    max_steps: int = 1000,
    stop: StoppingCondition | None = None,
    target: float | None = None,
    gradient: Any = "auto",
    engine: Engine = "auto",
    device: str | None = None,
    record: str | int | Record = "all",
    seed: int = 0,
    callback: Callable[[Point], object] | None = None,
    progress: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: Trajectory | None = None,
) -> Trajectory:
    """Minimise an objective from one start by one update rule, and record the trajectory.

    Arguments:
        objective: a formula text, a SymPy expression, a function `f(x)` or `f(x, y, ...)`, or a loss.
        x0: the start: one number, n numbers in the order of the objective's names, or a mapping by name.
        optimizer: an update rule such as `Adam(0.1)`, or the name of one: "adam", "adam@tutorial".
        max_steps: the number of updates after which the run ends.
        stop: the stopping condition; by default a step that is nothing beside x (`StepSize()`). A point, value or
            gradient that is not finite always ends the run. A run is said to have converged only if the slope at its
            last point bears that out, and the curvature, where it is cheap to find; see `fallline.engines.rest`.
        target: a value at which the run ends too: `Target(target) | stop`.
        gradient: "auto", "symbolic", "exact", "autodiff", a `Perturbation`, or a function that returns the gradient.
        engine: "reference" (NumPy, step by step), "compiled" (machine code, for formulas, with most rules), "jax" (XLA,
            also on GPUs and TPUs, for formulas, functions that JAX follows and models, with most rules), "auto" for
            the one that suits the work, or a `Cluster`, for a loss on a Dask array or on files.
        device: where the engine "jax" runs: "cpu", "gpu", "gpu:1", "tpu"; if not given, on JAX's default device.
        record: "all", "ends", a whole number k (every k-th step), or a `Record`.
        seed: the seed of the order in which mini-batches take the data.
        callback: called with each new Point; what it returns is ignored, and `raise StopIteration` in it ends the run.
        progress: show a progress bar, on a terminal.
        checkpoint: the path of a file in which the run is saved as it proceeds. The same call continues from it,
            however the earlier one ended, with bit-identical results; it returns at once if that run was finished. The
            file is refused if it is another call's: functions of the user's are compared by their code and the data
            they read. State that such functions keep from call to call is not saved.
        resume: an earlier trajectory whose final state the rule starts with, at x0. Steps are counted on from that
            run, for bias corrections and schedules; mini-batches start again from the first. Only runs by the
            reference engine have that state.

    Returns:
        The trajectory. After Ctrl-C it holds the run so far.

    Raises:
        FalllineError: naming the argument that is wrong, its value and what is allowed.
        Exception: what a function, a rule or a callback of the user's raises, with notes of the point and the step.
            Where plain Python raises but NumPy would return inf or NaN (`math.exp(1000)`, `math.log(-1)`, `1 / 0`),
            this holds for points of the run only: line searches and pictures may evaluate points outside the domain.

    >>> from fallline import GradientDescent, minimize
    >>> run = minimize("(x - 10)**2", 30, GradientDescent(0.25))
    >>> run.final.x
    array([10.])
    >>> run.stop.reason
    'small step'

    >>> halfway = minimize("x**2", 1.0, "adam", max_steps=50)
    >>> rest = minimize("x**2", halfway.final.x, "adam", max_steps=50, resume=halfway)
    >>> rest.final.x == minimize("x**2", 1.0, "adam", max_steps=100).final.x
    array([ True])
    """
    objective, starts = prepared(objective, [x0], gradient)
    rule = rule_of(optimizer)
    if callback is not None and not callable(callback):
        raise FalllineError("callback", callback, "it must be a function of a Point")
    settings = RunSettings(
        max_steps,
        stop_of(stop, target),
        engine_on(engine, device),
        Record.of(record),
        seed,
        gradient,
        vector=length_of(x0) is not None,
    )
    state = None if resume is None else _state_after(resume)
    saved = None
    if checkpoint is not None:
        saved = checkpoint_of(checkpoint, objective, starts, [rule], settings, state).part(0)
    return run_from(objective, starts, rule, settings, callback, progress, saved, state)[0]


def _state_after(run: Any) -> OptimizerState:
    """The rule's state at the end of a run."""
    if not isinstance(run, Trajectory):
        raise FalllineError("resume", run, "it must be a trajectory")
    if run.optimizer_state is None:
        raise FalllineError(
            "resume",
            problem=f"is a trajectory of {run.title} by the {run.engine} engine, which does not hold the state of its "
            "rule",
            allowed="only a single run with engine='reference', not loaded from a file, does",
        )
    return run.optimizer_state


@in_our_words
def rerun(
    recipe: Mapping[str, Any], *, objective: Any = None, optimizer: Rule | None = None, gradient: Any = None
) -> Trajectory:
    """Run a trajectory's recipe again.

    Arguments:
        recipe: `trajectory.recipe`.
        objective: the objective, if the recipe cannot rebuild it (a Python function, large data).
        optimizer: the rule, if it is a user's own.
        gradient: the function that returns the gradient, if the run had one.

    Raises:
        FalllineError: when the recipe is incomplete, or cannot rebuild an argument that is not given.

    >>> from fallline import Adam, minimize
    >>> run = minimize("x**2", 1.0, Adam(0.1))
    >>> rerun(run.recipe) == run
    True
    """
    if not isinstance(recipe, Mapping):
        raise FalllineError("recipe", recipe, "give trajectory.recipe")
    missing = [key for key in RECIPE if key not in recipe]
    if missing:
        raise FalllineError(
            "recipe", problem=f"lacks {', '.join(missing)}", allowed="give the recipe of a trajectory, whole"
        )
    if recipe.get("resumed"):
        raise FalllineError(
            "recipe",
            problem="is of a run that went on with the state of another, which it does not hold",
            allowed="call minimize with resume= again",
        )
    objective = objective_from_recipe(recipe["objective"]) if objective is None else objective
    if objective is None:
        raise FalllineError(
            "objective", problem="is None, and the recipe cannot rebuild a Python function", allowed="give objective="
        )
    gradient = decode(recipe["gradient"], {"Perturbation": Perturbation}) if gradient is None else gradient
    if gradient is None:
        raise FalllineError(
            "gradient", problem="is None, and the recipe cannot rebuild a Python function", allowed="give gradient="
        )
    return minimize(
        objective,
        recipe["x0"],
        rebuilt(recipe["optimizer"]) if optimizer is None else optimizer,
        max_steps=recipe["max_steps"],
        stop=decode(recipe["stop"], CONDITIONS),
        gradient=gradient,
        engine=recipe["engine"],
        record=decode(recipe["record"], {"Record": Record}),
        seed=recipe["seed"],
    )


RECIPE = ("objective", "x0", "optimizer", "max_steps", "stop", "gradient", "engine", "record", "seed")


@dataclass(frozen=True)
class RunSettings:
    """The settings that all runs of a call share, besides objective and rule.

    Attributes:
        max_steps, stop, engine, seed, gradient: as in `minimize`.
        record: what is recorded of a run.
        vector: whether a start is a vector, even if it has only one coordinate.
    """

    max_steps: int
    stop: StoppingCondition | None
    engine: Engine
    record: Record
    seed: int
    gradient: Any
    vector: bool

    def __post_init__(self) -> None:
        for name, least in (("max_steps", 1), ("seed", 0)):
            check_whole(name, getattr(self, name), least)

    def problem(self, objective: Objective, starts: FloatArray, rule: Optimizer[Any], **others: Any) -> Problem:
        """The runs of one rule from each of the starts, as a problem for an engine."""
        return Problem(
            objective=objective,
            starts=starts,
            optimizer=rule,
            max_steps=int(self.max_steps),
            conditions=conditions(self.stop),
            record=self.record,
            seed=int(self.seed),
            **others,
        )

    def with_recipes(
        self,
        runs: Sequence[Trajectory],
        objective: Objective,
        starts: FloatArray,
        rule: Optimizer[Any],
        resumed: bool = False,
    ) -> list[Trajectory]:
        """The runs of one rule from each of the starts, each with the recipe that repeats it."""
        recipe = {
            "objective": objective.recipe(),
            "optimizer": encode(rule),
            "max_steps": int(self.max_steps),
            "stop": encode(self.stop),
            "gradient": encode(self.gradient) if isinstance(self.gradient, str | Perturbation) else None,
            "engine": _repeatable(self.engine),
            "record": encode(self.record),
            "seed": int(self.seed),
        }
        if resumed:
            recipe["resumed"] = True
        # A function of one number differs from a function of a vector of length 1.
        places = starts.tolist() if self.vector or starts.shape[1] > 1 else starts[:, 0].tolist()
        return [
            dataclasses.replace(run, recipe={**recipe, "x0": place}) for run, place in zip(runs, places, strict=True)
        ]


def _repeatable(engine: Engine) -> str:
    """The engine in a recipe: the same workers or device may not exist where the run is repeated."""
    if isinstance(engine, OnDevice):
        return "jax"
    # One machine gives the same results as workers.
    return engine if isinstance(engine, str) else "auto"


def run_from(
    objective: Objective,
    starts: FloatArray,
    rule: Optimizer[Any],
    settings: RunSettings,
    callback: Callable[[Point], object] | None = None,
    progress: bool = False,
    checkpoint: Part | None = None,
    resumed: OptimizerState | None = None,
) -> list[Trajectory]:
    """Run one rule from each of the starts."""
    with progress_bar(settings.max_steps, rule.label if progress else "", shown=progress) as report:
        problem = settings.problem(
            objective, starts, rule, callback=callback, report=report, checkpoint=checkpoint, resumed=resumed
        )
        runs = execute(problem, settings.engine)
        return settings.with_recipes(runs, objective, starts, rule, resumed=resumed is not None)


def checkpoint_of(
    path: str | os.PathLike[str],
    objective: Objective,
    starts: FloatArray,
    rules: Sequence[Optimizer[Any]],
    settings: RunSettings,
    resumed: OptimizerState | None = None,
    seeds: Sequence[int] | None = None,
) -> Checkpoint:
    """The checkpoint of a call that runs each of the rules from all starts, with each of the seeds if there are any."""
    stop, gradient = conditions(settings.stop), settings.gradient
    seed = int(settings.seed)
    identity: dict[str, tuple[str | int, Any]] = {
        "objective": (objective.title, objective.recipe() or objective),
        "gradient": (objective.gradient_kind or "none", None if isinstance(gradient, str) else gradient),
        "x0": (shortened(starts.tolist()), starts),
        "optimizer": (" and ".join(rule.label for rule in rules), list(rules)),
        "max_steps": (int(settings.max_steps),) * 2,
        "stop": (" | ".join(map(str, stop)), stop),
        "record": (str(settings.record), settings.record),
        "seed": (seed, seed) if seeds is None else (shortened(seeds), seeds),
        "resume": ("None" if resumed is None else "a trajectory", resumed),
    }
    return Checkpoint(path, identity, len(rules) * (1 if seeds is None else len(seeds)))
