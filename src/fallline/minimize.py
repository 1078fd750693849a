"""The one front door: minimize(), and compare() which stands on it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fallline.arrays import FloatArray
from fallline.engines import Checkpoint, Cluster, Engine, Part, Problem, execute
from fallline.errors import FalllineError, check_whole, shortened
from fallline.gradients import Perturbation, with_gradient
from fallline.hyperparameters import hyperparameters
from fallline.line_search import LINE_SEARCHES
from fallline.objectives import Objective, as_objective
from fallline.objectives.points import one_point
from fallline.optimizers import OPTIMIZERS, WRAPPERS, Optimizer, optimizer_from_name
from fallline.penalties import STRUCTURES
from fallline.progress import progress_bar
from fallline.recipe import decode, encode
from fallline.schedules import SCHEDULES
from fallline.shown import Shown
from fallline.stopping import CONDITIONS, StoppingCondition, conditions
from fallline.trajectory import OptimizerState, Point, Record, Trajectory, objective_from_recipe

if TYPE_CHECKING:
    import pandas as pd

Start: TypeAlias = "float | Sequence[float] | FloatArray | Mapping[str, float]"
Rule: TypeAlias = "Optimizer[Any] | str"


def minimize(
    objective: Any,
    x0: Start,
    optimizer: Rule,
    *,
    max_steps: int = 1000,
    stop: StoppingCondition | None = None,
    gradient: Any = "auto",
    engine: Engine = "auto",
    record: str | int | Record = "all",
    seed: int = 0,
    callback: Callable[[Point], object] | None = None,
    progress: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: Trajectory | None = None,
) -> Trajectory:
    """Minimise an objective from one start by one update rule, and record how it went.

    Arguments:
        objective: a formula text, a SymPy expression, a function `f(x)` or `f(x, y, ...)`, or a loss.
        x0: the start: one number, n numbers in the order of the objective's names, or a mapping by name.
        optimizer: an update rule such as `Adam(0.1)`, or the name of one: "adam", "adam@tutorial".
        max_steps: the number of updates after which the run ends.
        stop: what else ends it; by default a step in which no coordinate moves by 1e-12 or more. A number
            that is not finite always ends it.
        gradient: "auto", "symbolic", "exact", "autodiff", a `Perturbation`, or a function that returns the gradient.
        engine: "reference" (NumPy, step by step), "compiled" (machine code, for formulas, with most rules), "auto"
            for the one that suits the work, or a `Cluster`, for a loss on a Dask array or on files.
        record: "all", "ends", a whole number k (every k-th step), or a `Record`.
        seed: the seed of the order in which mini-batches take the data.
        callback: called with each new Point; what it returns is ignored, and `raise StopIteration` in it ends the run.
        progress: show a progress bar, on a terminal.
        checkpoint: the path of a file that the run is saved in as it goes. The same call goes on from there, however
            the one before ended, and ends with the same bits as an undisturbed run; it returns at once if that was
            finished. The file is refused if it is another call's: what counts of the user's own functions is their
            code and the data they read; what the functions themselves keep from call to call is not saved.
        resume: an earlier trajectory, with whose state the rule goes on at x0: it remembers what it knew at the end of
            that run, and goes on counting its steps, by which its bias corrections and schedules go. Batches begin
            anew. Only a run by the reference engine has that state.

    Returns:
        The trajectory. After Ctrl-C it holds the run so far.

    Raises:
        FalllineError: naming the argument that is wrong, its value and what is allowed.
        Exception: what a function, a rule or a callback of the user's raises, with notes of the point and the step.
            Where plain Python raises but NumPy would give inf or NaN (`math.exp(1000)`, `math.log(-1)`, `1 / 0`), only
            a point that the run itself comes to counts: a line search and a picture may look beyond the domain.

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
    objective = _prepared(objective, x0, gradient)
    rule = rule_of(optimizer)
    if callback is not None and not callable(callback):
        raise FalllineError(f"callback is {shortened(callback)}; it must be a function of a Point")
    settings = _Settings(max_steps, stop, engine, record, seed)
    state = None if resume is None else _state_after(resume)
    saved = None
    if checkpoint is not None:
        saved = _checkpoint(checkpoint, objective, [x0], [rule], settings, gradient, state).part(0)
    return _run(objective, [x0], rule, settings, gradient, callback, progress, saved, state)[0]


def _state_after(run: Any) -> OptimizerState:
    """What the rule knew at the end of a run."""
    if not isinstance(run, Trajectory):
        raise FalllineError(f"resume is {shortened(run)}; it must be a trajectory")
    if run.optimizer_state is None:
        raise FalllineError(
            f"resume is a trajectory of {run.title} by the {run.engine} engine, which does not hold the state of its "
            "rule; only a single run with engine='reference', not loaded from a file, does"
        )
    return run.optimizer_state


def compare(
    objective: Any,
    x0: Any,
    optimizers: Rule | Sequence[Rule] | Mapping[str, Rule],
    *,
    max_steps: int = 1000,
    stop: StoppingCondition | None = None,
    gradient: Any = "auto",
    engine: Engine = "auto",
    record: str | int | Record = "all",
    seed: int = 0,
    progress: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Comparison:
    """Run several optimizers, or several starts, or each optimizer from each start, on one objective.

    Arguments:
        x0: one start as `minimize` takes it, or a list of starts, one a row.
        optimizers: one rule, several, or a mapping of labels to rules.

    The other arguments are those of `minimize`.

    Returns:
        The trajectories with their labels, optimizer by optimizer.

    Raises:
        FalllineError: naming the argument that is wrong, its value and what is allowed.

    >>> from fallline import Adam, GradientDescent, compare
    >>> runs = compare("x**2", 1.0, {"plain": GradientDescent(0.1), "adam": Adam(0.1)}, max_steps=50)
    >>> runs.labels
    ('plain', 'adam')
    >>> compare("x**2", [[1.0], [2.0]], GradientDescent(0.5), max_steps=1)[1].final.x
    array([0.])
    """
    starts = starts_of(x0)
    objective = _prepared(objective, starts[0], gradient)
    if isinstance(optimizers, str) or not isinstance(optimizers, Iterable):
        optimizers = [optimizers]
    named = optimizers if isinstance(optimizers, Mapping) else None
    rules = [rule_of(rule) for rule in (named.values() if named is not None else optimizers)]
    if not rules:
        raise FalllineError("optimizers is empty; give at least one")
    names = list(named) if named is not None else [rule.label for rule in rules]
    settings = _Settings(max_steps, stop, engine, record, seed)
    saved = None if checkpoint is None else _checkpoint(checkpoint, objective, starts, rules, settings, gradient)
    done: list[tuple[str, Trajectory]] = []
    try:
        for number, (name, rule) in enumerate(zip(names, rules, strict=True)):
            part = None if saved is None else saved.part(number)
            runs = _run(objective, starts, rule, settings, gradient, None, progress, part)
            done += [(name if len(runs) == 1 else f"{name} from {_place(run)}", run) for run in runs]
            if any(run.stop.reason == "interrupted" for run in runs):
                break
    except KeyboardInterrupt:
        # Ctrl-C between two rules, or before the first step of one.
        if not done:
            raise
    labels, trajectories = zip(*done, strict=True)
    return Comparison(labels, trajectories)


def rerun(
    recipe: Mapping[str, Any], *, objective: Any = None, optimizer: Rule | None = None, gradient: Any = None
) -> Trajectory:
    """Run a trajectory's recipe again.

    Arguments:
        recipe: `trajectory.recipe`.
        objective: what to minimise, where the recipe cannot rebuild it (a Python function, large data).
        optimizer: the rule, where the recipe holds one of the user's own.
        gradient: the function that returns the gradient, where the run had one.

    Raises:
        FalllineError: when the recipe is not whole, or cannot rebuild what is not given.

    >>> from fallline import Adam, minimize
    >>> run = minimize("x**2", 1.0, Adam(0.1))
    >>> (rerun(run.recipe).x == run.x).all()
    np.True_
    """
    if not isinstance(recipe, Mapping):
        raise FalllineError(f"recipe is {shortened(recipe)}; give trajectory.recipe")
    missing = [key for key in RECIPE if key not in recipe]
    if missing:
        raise FalllineError(f"recipe lacks {', '.join(missing)}; give the recipe of a trajectory, whole")
    if recipe.get("resumed"):
        raise FalllineError(
            "recipe is of a run that went on with the state of another, which it does not hold; call minimize with "
            "resume= again"
        )
    objective = objective_from_recipe(recipe["objective"]) if objective is None else objective
    if objective is None:
        raise FalllineError("objective is None, and the recipe cannot rebuild a Python function; give objective=")
    gradient = decode(recipe["gradient"], {"Perturbation": Perturbation}) if gradient is None else gradient
    if gradient is None:
        raise FalllineError("gradient is None, and the recipe cannot rebuild a Python function; give gradient=")
    registries = (OPTIMIZERS, WRAPPERS, SCHEDULES, LINE_SEARCHES, STRUCTURES)
    known = {kind.__name__: kind for registry in registries for kind in registry.values()}
    return minimize(
        objective,
        recipe["x0"],
        decode(recipe["optimizer"], known) if optimizer is None else optimizer,
        max_steps=recipe["max_steps"],
        stop=decode(recipe["stop"], CONDITIONS),
        gradient=gradient,
        engine=recipe["engine"],
        record=decode(recipe["record"], {"Record": Record}),
        seed=recipe["seed"],
    )


RECIPE = ("objective", "x0", "optimizer", "max_steps", "stop", "gradient", "engine", "record", "seed")


@dataclass(frozen=True)
class Comparison(Shown, Sequence[Trajectory]):
    """Several runs on one objective: a sequence of trajectories with labels.

    Attributes:
        labels: what to call each run in a legend.
        trajectories: the runs.
    """

    labels: tuple[str, ...]
    trajectories: tuple[Trajectory, ...]

    def __len__(self) -> int:
        return len(self.trajectories)

    def __getitem__(self, index: Any) -> Any:
        return self.trajectories[index]

    def __iter__(self) -> Iterator[Trajectory]:
        return iter(self.trajectories)

    @property
    def best(self) -> Trajectory:
        """The run that saw the lowest value; one that saw no number at all comes last."""
        values = [run.best.value for run in self.trajectories]
        return self.trajectories[int(np.argmin(np.where(np.isnan(values), np.inf, values)))]

    def to_frame(self) -> pd.DataFrame:
        """All rows of all runs as one pandas data frame, the label in the first column.

        Raises:
            FalllineError: when pandas is not installed.
        """
        frames = [run.to_frame() for run in self.trajectories]
        import pandas as pd

        for label, frame in zip(self.labels, frames, strict=True):
            frame.insert(0, "label", label)
        return pd.concat(frames, ignore_index=True)


@dataclass(frozen=True)
class _Settings:
    """The settings of a run that need no objective to be checked."""

    max_steps: int
    stop: StoppingCondition | None
    engine: Engine
    record: str | int | Record
    seed: int

    def __post_init__(self) -> None:
        for name, least in (("max_steps", 1), ("seed", 0)):
            check_whole(name, getattr(self, name), least)


def _run(
    objective: Objective,
    starts: Sequence[Any],
    rule: Optimizer[Any],
    settings: _Settings,
    gradient: Any,
    callback: Callable[[Point], object] | None,
    progress: bool,
    checkpoint: Part | None,
    resumed: OptimizerState | None = None,
) -> list[Trajectory]:
    record = Record.of(settings.record)
    places = _places(objective, starts)
    with progress_bar(settings.max_steps, rule.label, shown=progress) as report:
        problem = Problem(
            objective=objective,
            starts=places,
            optimizer=rule,
            max_steps=int(settings.max_steps),
            conditions=conditions(settings.stop),
            record=record,
            seed=int(settings.seed),
            callback=callback,
            report=report,
            checkpoint=checkpoint,
            resumed=resumed,
        )
        trajectories = execute(problem, settings.engine)
    recipe = {
        "objective": objective.recipe(),
        "optimizer": encode(rule),
        "max_steps": int(settings.max_steps),
        "stop": encode(settings.stop),
        "gradient": encode(gradient) if isinstance(gradient, str | Perturbation) else None,
        # Elsewhere there may be no such workers, and one machine gives the same results.
        "engine": "auto" if isinstance(settings.engine, Cluster) else settings.engine,
        "record": encode(record),
        "seed": int(settings.seed),
    }
    if resumed is not None:
        recipe["resumed"] = True
    return [
        # A function f(x) of one number is not one of a vector that holds one number.
        dataclasses.replace(
            run, recipe={**recipe, "x0": place.tolist() if _length(start) or len(place) > 1 else place.item()}
        )
        for run, place, start in zip(trajectories, places, starts, strict=True)
    ]


def _checkpoint(
    path: str | os.PathLike[str],
    objective: Objective,
    starts: Sequence[Any],
    rules: Sequence[Optimizer[Any]],
    settings: _Settings,
    gradient: Any,
    resumed: OptimizerState | None = None,
) -> Checkpoint:
    """The checkpoint of a call that runs each of the rules from all starts."""
    places, stop, record = _places(objective, starts), conditions(settings.stop), Record.of(settings.record)
    identity: dict[str, tuple[str | int, Any]] = {
        "objective": (objective.title, objective.recipe() or objective),
        "gradient": (objective.gradient_kind or "none", None if isinstance(gradient, str) else gradient),
        "x0": (shortened(places.tolist()), places),
        "optimizer": (" and ".join(rule.label for rule in rules), list(rules)),
        "max_steps": (int(settings.max_steps),) * 2,
        "stop": (" | ".join(map(str, stop)), stop),
        "record": (str(record), record),
        "seed": (int(settings.seed),) * 2,
        "resume": ("None" if resumed is None else "a trajectory", resumed),
    }
    return Checkpoint(path, identity, len(rules))


def _places(objective: Objective, starts: Sequence[Any]) -> FloatArray:
    return np.array([one_point(objective, start, "x0") for start in starts])


def _prepared(objective: Any, start: Any, gradient: Any) -> Objective:
    """The objective with its gradient; the start tells how long the vector of a function f(x) is."""
    prepared = as_objective(objective, _length(start))
    return with_gradient(prepared, gradient, one_point(prepared, start, "x0"))


def _length(start: Any) -> int | None:
    """How many numbers a start given by place holds; None for a single number, or for numbers given by name."""
    if isinstance(start, Mapping):
        return None
    try:
        return len(start)
    except TypeError:
        return None


def starts_of(x0: Any) -> list[Any]:
    """The starts in what `compare` was given: its rows, or the one start that it is."""
    rows = list(x0) if isinstance(x0, Sequence | np.ndarray) and not isinstance(x0, str) and _length(x0) else []
    return rows if rows and (isinstance(rows[0], Mapping) or _length(rows[0]) is not None) else [x0]


def _place(run: Trajectory) -> str:
    return f"({', '.join(f'{number:g}' for number in run.start.x)})"


def rule_of(optimizer: Any) -> Optimizer[Any]:
    """The rule that a user gave, or named.

    Raises:
        FalllineError: when it is none, or its hyperparameters are arrays.
    """
    if isinstance(optimizer, str):
        return optimizer_from_name(optimizer)
    if isinstance(optimizer, Optimizer):
        for name in _arrays_in(optimizer):
            raise FalllineError(
                f"optimizer is {shortened(optimizer)}, with an array for {name}; it must have one number for each "
                "hyperparameter (compare takes several optimizers)"
            )
        return optimizer
    hint = f"; write {optimizer.__name__}()" if isinstance(optimizer, type) else ""
    raise FalllineError(
        f"optimizer is {shortened(optimizer)}; it must be an update rule such as Adam(0.1), or a name{hint}"
    )


def _arrays_in(settings: Any) -> Iterator[str]:
    """The names of the hyperparameters, in a rule or a part of it, that are arrays."""
    known = hyperparameters(settings)
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            yield from _arrays_in(value)
        # Several numbers may also be one setting, as milestones are.
        elif field.name in known and np.ndim(value) and not isinstance(known[field.name].default, tuple):
            yield field.name
