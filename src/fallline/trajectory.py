"""What a run recorded: the hand-over between running and showing."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, shortened
from fallline.files import whole_file
from fallline.objectives import Cost, Objective, as_objective
from fallline.shown import Shown
from fallline.stopping import Stop, norm

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "fallline trajectory 1"


@dataclass(frozen=True)
class Record:
    """What of a run is kept.

    Attributes:
        every: keep each `every`-th step, beside the first and the last; None keeps those two only.
        state: keep the optimizer's state as well.
        at: more steps to keep, ascending.

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
            raise FalllineError(f"at is {shortened(self.at)}; it must be steps, whole numbers at least 1, ascending")
        object.__setattr__(self, "at", tuple(int(step) for step in at))
        whole = isinstance(self.every, int | np.integer) and not isinstance(self.every, bool)
        if self.every is not None and not (whole and self.every >= 1):
            raise FalllineError(
                f"record is {shortened(self.every)}; it must be 'all', 'ends', a whole number k at least 1 "
                "(every k-th step), or a Record"
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
    """One point of a run: the step that reached it, its place, value and gradient."""

    step: int
    x: FloatArray
    value: float
    gradient: FloatArray

    @property
    def gradient_norm(self) -> float:
        """The Euclidean length of the gradient."""
        return float(norm(self.gradient))


class OptimizerState(NamedTuple):
    """What a rule knows at the end of a run, with which another run can go on.

    Attributes:
        step: the steps it has made, by which its bias corrections and schedules go.
        state: its state after them.
        memory: what a schedule that watches the values remembers.
    """

    step: int
    state: Any
    memory: Any


@dataclass(frozen=True, eq=False)
class Trajectory(Shown):
    """What one run recorded. Row i of every array belongs to step `steps[i]`; row 0 is the start.

    Attributes:
        title: what was minimised.
        optimizer: the rule in a few words.
        names: the coordinates' names, n of them.
        steps: the recorded steps, shape (rows,).
        x: the points, shape (rows, n).
        value: the objective's value there, shape (rows,).
        gradient: the gradient the rule was given from there, shape (rows, n): taken at the look-ahead point by
            a rule that looks ahead, and of the coming mini-batch by a loss with batches.
        rate: the learning rate of the step that leaves the row, shape (rows,); NaN in the last.
        best: the point with the lowest value of all that were evaluated, recorded or not.
        stop: why the run ended.
        evaluations: how often the value and the gradient were evaluated.
        seconds: how long the run took.
        seed: the seed of everything random in it.
        gradient_kind: how the gradient was found: "symbolic", "exact", "given", "central differences", ...
        engine: who executed it.
        recipe: the settings that run it again, as JSON would hold them.
        states: the optimizer's state at each row by the names of its parts, where it was recorded.
        objective: what was minimised; None in a loaded trajectory if only the user can rebuild it.
        optimizer_state: what the rule knew at the end, for `minimize(..., resume=run)`; None in a loaded trajectory, in
            one of a batch of runs, and in a compiled one.

    Two trajectories are equal when everything that is saved is equal, NaN included.
    """

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
    objective: Objective | None = field(default=None, repr=False)
    optimizer_state: OptimizerState | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, row: int) -> Point:
        return Point(int(self.steps[row]), self.x[row].copy(), float(self.value[row]), self.gradient[row].copy())

    @property
    def start(self) -> Point:
        """The point the run started from."""
        return self[0]

    @property
    def final(self) -> Point:
        """The point the run ended at; not always the best it saw."""
        return self[-1]

    @property
    def gradient_norm(self) -> FloatArray:
        """The Euclidean length of each row's gradient, shape (rows,)."""
        return norm(self.gradient)

    @property
    def step_count(self) -> int:
        """The number of updates that were made."""
        return self.final.step

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trajectory):
            return NotImplemented
        mine, theirs = self._arrays(), other._arrays()
        return (
            self._header() == other._header()
            and mine.keys() == theirs.keys()
            and all(np.array_equal(mine[name], theirs[name], equal_nan=True) for name in mine)
        )

    __hash__ = None  # type: ignore[assignment]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the whole trajectory to one file (NumPy's .npz, whatever the ending of its name).

        Raises:
            FalllineError: when the file cannot be written; nothing is left behind then.
        """
        header = np.array(json.dumps({"format": FORMAT, **self._header()}))
        with whole_file(path) as draft, draft.open("wb") as file:
            np.savez_compressed(file, header=header, **self._arrays())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Trajectory:
        """Read a trajectory that `save` wrote. It is equal to the one that was saved.

        Raises:
            FalllineError: when there is no such file, or it is damaged or something else.

        >>> import fallline, tempfile
        >>> run = fallline.minimize("x**2", 3.0, fallline.GradientDescent(0.1))
        >>> path = tempfile.mkdtemp() + "/run.npz"
        >>> run.save(path)
        >>> Trajectory.load(path) == run
        True
        """
        if not isinstance(path, str | os.PathLike) or not os.path.exists(path):
            raise FalllineError(f"path is {str(path)!r}; there is no such file")
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
                header = json.loads(str(archive["header"]))
                if header.pop("format") != FORMAT:
                    raise ValueError("another format")
                arrays = {name: archive[name] for name in archive.files if name != "header"}
            best = Point(
                header.pop("best_step"),
                arrays.pop("best_x"),
                float(arrays.pop("best_value")),
                arrays.pop("best_gradient"),
            )
            rows = len(arrays["steps"])
            if rows == 0 or any(len(column) != rows for column in arrays.values()):
                raise ValueError("columns of different lengths")
            columns = {name: arrays.pop(name) for name in ("steps", "x", "value", "gradient", "rate")}
            return cls(
                **columns,
                best=best,
                names=tuple(header.pop("names")),
                stop=Stop(**header.pop("stop")),
                evaluations=Cost(*header.pop("evaluations")),
                states={name.removeprefix("state."): array for name, array in arrays.items()},
                objective=objective_from_recipe(header["recipe"].get("objective")),
                **header,
            )
        except Exception as error:  # a file that is not ours may fail anywhere in zip, NumPy or JSON
            reason = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
            raise FalllineError(
                f"path is {str(path)!r}; it is damaged, or not a trajectory saved by Fallline{reason}"
            ) from error

    def to_frame(self) -> pd.DataFrame:
        """The rows as a pandas data frame: step, each coordinate and its slope, value, gradient norm, rate.

        Raises:
            FalllineError: when pandas is not installed, or a coordinate is called as another column is.
        """
        try:
            import pandas as pd
        except ImportError:
            raise FalllineError('to_frame needs pandas: pip install "fallline[frames]"') from None
        run = {"step": self.steps, "value": self.value, "gradient_norm": self.gradient_norm, "rate": self.rate}
        taken = run.keys() & set(self.names)
        if taken:
            raise FalllineError(
                f"names has {min(taken)!r}, which to_frame calls a column of its own; rename the coordinate"
            )
        columns: dict[str, Any] = {"step": run.pop("step")}
        columns |= {name: self.x[:, i] for i, name in enumerate(self.names)}
        columns |= {f"d/d{name}": self.gradient[:, i] for i, name in enumerate(self.names)}
        return pd.DataFrame(columns | run)

    def _header(self) -> dict[str, Any]:
        # JSON has no tuples, and a header must compare equal to the one read back.
        header = {
            "title": self.title,
            "optimizer": self.optimizer,
            "names": self.names,
            "stop": dataclasses.asdict(self.stop),
            "evaluations": self.evaluations,
            "seconds": self.seconds,
            "seed": self.seed,
            "gradient_kind": self.gradient_kind,
            "engine": self.engine,
            "recipe": dict(self.recipe),
            "best_step": self.best.step,
        }
        return json.loads(json.dumps(header))  # type: ignore[no-any-return]

    def _arrays(self) -> dict[str, Any]:
        return {
            "steps": self.steps,
            "x": self.x,
            "value": self.value,
            "gradient": self.gradient,
            "rate": self.rate,
            "best_x": self.best.x,
            "best_value": np.asarray(self.best.value),
            "best_gradient": self.best.gradient,
            **{f"state.{name}": array for name, array in self.states.items()},
        }


def objective_from_recipe(recipe: Mapping[str, Any] | None) -> Objective | None:
    """Build the objective that `Objective.recipe` described; None for one that only the user can rebuild."""
    if recipe is None:
        return None
    if not isinstance(recipe, Mapping):
        raise FalllineError(f"recipe has the objective {shortened(recipe)}; give the recipe of a trajectory, whole")
    if "formula" in recipe:
        return as_objective(recipe["formula"])
    from fallline.models import loss_from_recipe

    return loss_from_recipe(recipe)
