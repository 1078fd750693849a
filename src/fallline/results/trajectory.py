"""The result of one run: everything that it recorded."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, shortened
from fallline.norms import norm
from fallline.objectives import Cost, Objective, as_objective
from fallline.optimizers import Optimizer
from fallline.results.archive import Archived, Contents
from fallline.results.schema import (
    BOOLEAN,
    COUNT,
    DIFFERENT,
    NUMBER,
    OBJECT,
    TEXT,
    Entry,
    check_arrays,
    check_header,
    list_of,
)
from fallline.results.shown import Diagnosed, Explained, Explored, Filmed, Repeatable
from fallline.stopping import Stop
from fallline.tables import data_frame, vector_text

if TYPE_CHECKING:
    import pandas as pd

# The contents of a run's file except its states: see `check_header` and `check_arrays`.
HEADER: Mapping[str, Entry] = {
    **dict.fromkeys(("title", "optimizer", "gradient_kind", "engine"), TEXT),
    **dict.fromkeys(("seed", "best_step"), COUNT),
    **dict.fromkeys(("stop", "recipe"), OBJECT),
    "names": DIFFERENT,
    "evaluations": list_of("two counts", COUNT.allows, 2),
    "seconds": NUMBER,
}
STOP = {"reason": TEXT, "message": TEXT, "converged": BOOLEAN}
COLUMNS = {"steps": "i8 rows", "x": "f8 rows n", "value": "f8 rows", "gradient": "f8 rows n", "rate": "f8 rows"}
BEST = {"best_x": "f8 n", "best_value": "f8", "best_gradient": "f8 n"}
STATE = "state."


@dataclass(frozen=True)
class Record:
    """What a run records.

    Attributes:
        every: record every `every`-th step, and the first and the last; None: only those two.
        state: whether to record the optimizer's state as well.
        at: additional steps to record, ascending.

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, "adam", max_steps=100, record=Record(every=None, at=(1, 10))).steps
    array([  0,   1,  10, 100])
    """

    every: int | None = 1
    state: bool = False
    at: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        at = self.at if isinstance(self.at, Sequence) and not isinstance(self.at, str) else [None]
        if not all(isinstance(step, int | np.integer) and step >= 1 for step in at) or sorted(set(at)) != list(at):
            raise FalllineError("at", self.at, "it must be steps, whole numbers at least 1, ascending")
        object.__setattr__(self, "at", tuple(int(step) for step in at))
        whole = isinstance(self.every, int | np.integer) and not isinstance(self.every, bool)
        if self.every is not None and not (whole and self.every >= 1):
            raise FalllineError(
                "record",
                self.every,
                "it must be 'all', 'ends', a whole number k at least 1 (every k-th step), or a Record",
            )

    @classmethod
    def of(cls, record: str | int | Record) -> Record:
        """Read the `record=` of `minimize`: "all", "ends", a whole number k, or a Record."""
        if isinstance(record, Record):
            return record
        if isinstance(record, str) and record in ("all", "ends"):
            return cls(every=1 if record == "all" else None)
        return cls(every=record)  # type: ignore[arg-type]


class Point(NamedTuple):
    """One point of a run: the step that reached it, its coordinates, value and gradient."""

    step: int
    x: FloatArray
    value: float
    gradient: FloatArray

    @property
    def gradient_norm(self) -> float:
        """The Euclidean norm of the gradient."""
        return float(norm(self.gradient))

    def __repr__(self) -> str:
        x, gradient = vector_text(self.x), vector_text(self.gradient)
        return f"Point(step={self.step}, x={x}, value={self.value:.8g}, gradient={gradient})"


class OptimizerState(NamedTuple):
    """The state of a rule at the end of a run, from which another run can continue.

    Attributes:
        step: the number of steps made, on which bias corrections and schedules depend.
        state: the rule's state after them.
        memory: the state of a schedule that depends on the values.
    """

    step: int
    state: Any
    memory: Any


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory(Archived, Filmed, Diagnosed, Explained, Explored, Repeatable):
    """What one run recorded. Row i of every array belongs to step `steps[i]`; row 0 is the start.

    Attributes:
        title: what was minimised.
        optimizer: the rule in a few words.
        names: the coordinates' names, n of them.
        steps: the recorded steps, shape (rows,).
        x: the points, shape (rows, n).
        value: the objective's value there, shape (rows,).
        gradient: the gradient given to the rule in the next step, shape (rows, n): at the look-ahead point for a rule
            that looks ahead, and of the next mini-batch for a loss with batches.
        rate: the learning rate of the step from each row, shape (rows,); NaN in the last.
        best: the point with the lowest value of all that were evaluated, recorded or not.
        stop: why the run ended.
        evaluations: how often the value and the gradient were evaluated.
        seconds: how long the run took.
        seed: the seed of everything random in it.
        gradient_kind: how the gradient was computed: "symbolic", "exact", "given", "central differences", ...
        engine: the engine that executed it.
        recipe: the settings to repeat it, as JSON types.
        states: the optimizer's state at each row by the names of its parts, where it was recorded.
        objective: what was minimised; None in a loaded trajectory if only the user can rebuild it.
        rule: the update rule; None in a loaded trajectory if it is of a user's own class.
        optimizer_state: the rule's state at the end, for `minimize(..., resume=run)`; None in a loaded trajectory, in
            one of a batch of runs, and in a compiled one.

    Two trajectories are equal when everything that is saved, except the seconds, is equal, NaN included.

    It has the attributes of SciPy's results: `success`, `message`, `fun`, `nit`, `nfev`, `njev`; but `x` has all
    points, of which `final.x` is the last. `run[3]` is a point, `run[10:20]` the trajectory of these rows, and
    `np.asarray(run)` the array of the points.

    >>> import fallline
    >>> run = fallline.minimize("x**2 + y**2", [1.0, 2.0], fallline.GradientDescent(0.25), max_steps=30)
    >>> run.success, run.nit, run.fun < 1e-15
    (True, 30, True)
    >>> len(run[10:20]), run[10:20].start.step, np.asarray(run).shape
    (10, 10, (31, 2))
    """

    file_format: ClassVar[str] = "fallline trajectory 1"
    file_called: ClassVar[str] = "a trajectory"

    title: str
    optimizer: str
    names: tuple[str, ...]
    steps: npt.NDArray[np.int64]
    x: FloatArray
    value: FloatArray
    gradient: FloatArray
    rate: FloatArray
    best: Point
    stop: Stop
    evaluations: Cost
    seconds: float
    seed: int
    gradient_kind: str
    engine: str
    recipe: Mapping[str, Any] = field(default_factory=dict)
    states: Mapping[str, FloatArray] = field(default_factory=dict)
    objective: Objective | None = None
    rule: Optimizer[Any] | None = None
    optimizer_state: OptimizerState | None = None

    def __len__(self) -> int:
        return len(self.steps)

    @overload
    def __getitem__(self, row: int) -> Point: ...

    @overload
    def __getitem__(self, row: slice) -> Trajectory: ...

    def __getitem__(self, row: int | slice) -> Point | Trajectory:
        if isinstance(row, slice):
            return self._rows(row)
        return Point(int(self.steps[row]), self.x[row].copy(), float(self.value[row]), self.gradient[row].copy())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> FloatArray:
        return np.array(self.x, dtype, copy=copy)

    def _rows(self, rows: slice) -> Trajectory:
        """The trajectory of some rows. Attributes of the whole run stay, such as why it ended and its recipe."""
        steps = self.steps[rows]
        if not len(steps) or (rows.step or 1) < 0:
            raise FalllineError(
                problem=f"rows {rows.start}:{rows.stop}:{rows.step} of {len(self)} are none, or backwards"
            )
        part = dataclasses.replace(
            self,
            **{name: getattr(self, name)[rows] for name in COLUMNS},
            states={name: array[rows] for name, array in self.states.items()},
        )
        if steps[0] <= self.best.step <= steps[-1]:
            return part
        return dataclasses.replace(part, best=part[int(np.argmin(np.where(np.isnan(part.value), np.inf, part.value)))])

    @property
    def start(self) -> Point:
        """The point the run started from."""
        return self[0]

    @property
    def final(self) -> Point:
        """The point the run ended at; not necessarily the best."""
        return self[-1]

    @property
    def gradient_norm(self) -> FloatArray:
        """The Euclidean norm of each row's gradient, shape (rows,)."""
        return norm(self.gradient)

    @property
    def step_count(self) -> int:
        """The number of updates."""
        return self.final.step

    @property
    def success(self) -> bool:
        """Whether the reason for which the run ended indicates a minimum, as in SciPy's results."""
        return self.stop.converged

    @property
    def message(self) -> str:
        """Why the run ended, in one line."""
        return self.stop.message

    @property
    def fun(self) -> float:
        """The value at the final point."""
        return self.final.value

    @property
    def nit(self) -> int:
        """The number of updates: `step_count`."""
        return self.step_count

    @property
    def nfev(self) -> int:
        """How often the value was evaluated."""
        return self.evaluations.value

    @property
    def njev(self) -> int:
        """How often the gradient was evaluated."""
        return self.evaluations.gradient

    def convergence(self, target: float | None = None) -> Any:
        """How fast the run converged and what its rule could do at best: see `fallline.diagnosis.convergence`.

        >>> import fallline
        >>> run = fallline.minimize("x**2 + 10*y**2", [1.0, 1.0], fallline.GradientDescent(0.05), max_steps=100)
        >>> round(run.convergence().factor, 6)
        0.9
        """
        return import_module("fallline.diagnosis.convergence").convergence(self, target)

    def to_frame(self) -> pd.DataFrame:
        """A pandas data frame of the rows: step, each coordinate and its slope, value, gradient norm, rate.

        Raises:
            FalllineError: when pandas is not installed, or a coordinate has the name of another column.
        """
        run = {"step": self.steps, "value": self.value, "gradient_norm": self.gradient_norm, "rate": self.rate}
        taken = run.keys() & set(self.names)
        if taken:
            raise FalllineError(
                "names",
                problem=f"has {min(taken)!r}, which to_frame calls a column of its own",
                allowed="rename the coordinate",
            )
        columns: dict[str, Any] = {"step": run.pop("step")}
        columns |= {name: self.x[:, i] for i, name in enumerate(self.names)}
        columns |= {f"d/d{name}": self.gradient[:, i] for i, name in enumerate(self.names)}
        return data_frame(columns | run)

    def contents(self) -> Contents:
        """The contents of the run's file."""
        header = {
            "title": self.title,
            "optimizer": self.optimizer,
            "names": list(self.names),
            "stop": dataclasses.asdict(self.stop),
            "evaluations": list(self.evaluations),
            "seconds": self.seconds,
            "seed": self.seed,
            "gradient_kind": self.gradient_kind,
            "engine": self.engine,
            "recipe": dict(self.recipe),
            "best_step": self.best.step,
        }
        arrays = {name: getattr(self, name) for name in COLUMNS} | {
            "best_x": self.best.x,
            "best_value": np.asarray(self.best.value),
            "best_gradient": self.best.gradient,
            **{f"{STATE}{name}": array for name, array in self.states.items()},
        }
        return Contents(header, arrays)

    @classmethod
    def restored(cls, header: dict[str, Any], arrays: dict[str, Any], objective: Objective | None = None) -> Trajectory:
        """The run from the contents of its file; the objective is rebuilt from the recipe unless it is given."""
        check_header(header, HEADER)
        check_header(header["stop"], STOP)
        states = {name: array for name, array in arrays.items() if name.startswith(STATE)}
        columns = COLUMNS | BEST | dict.fromkeys(states, "* rows ...")
        check_arrays(arrays, columns, n=len(header["names"]))
        steps = arrays["steps"]
        if not (steps[0] >= 0 and (np.diff(steps) > 0).all()):
            raise FalllineError("steps", steps.tolist(), "it must be steps, at least 0, ascending")
        kept = {name: header[name] for name in ("title", "optimizer", "seconds", "seed", "gradient_kind", "engine")}
        best = header["best_step"], arrays["best_x"], float(arrays["best_value"]), arrays["best_gradient"]
        objective = objective or objective_from_recipe(header["recipe"].get("objective"))
        if objective is not None and objective.dimension != len(header["names"]):
            raise FalllineError(
                "names", header["names"], f"it must be {objective.dimension} names, as the objective has coordinates"
            )
        return cls(
            **kept,
            **{name: arrays[name] for name in COLUMNS},
            names=tuple(header["names"]),
            best=Point(*best),
            stop=Stop(**header["stop"]),
            evaluations=Cost(*header["evaluations"]),
            recipe=header["recipe"],
            states={name.removeprefix(STATE): array for name, array in states.items()},
            objective=objective,
            rule=_rule_from_recipe(header["recipe"].get("optimizer")),
        )


def _rule_from_recipe(recipe: Any) -> Optimizer[Any] | None:
    """The rule of a recipe; None for one that only the user can rebuild."""
    from fallline.optimizers.recipes import rebuilt

    try:
        rule = rebuilt(recipe)
    except FalllineError:
        return None
    return rule if isinstance(rule, Optimizer) else None


def objective_from_recipe(recipe: Mapping[str, Any] | None) -> Objective | None:
    """Build the objective that an `Objective.recipe` describes; None for one that only the user can rebuild."""
    if recipe is None:
        return None
    if not isinstance(recipe, Mapping):
        raise FalllineError(
            "recipe", problem=f"has the objective {shortened(recipe)}", allowed="give the recipe of a trajectory, whole"
        )
    if "formula" in recipe:
        return as_objective(recipe["formula"])
    from fallline.models import loss_from_recipe

    return loss_from_recipe(recipe)
