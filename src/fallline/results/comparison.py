"""The result of `compare`: several runs on one objective, with labels."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.errors import check_whole
from fallline.results.archive import Archived, Contents
from fallline.results.ends import Ends
from fallline.results.labelled import joined_runs, labelled_frame, numbered, parted_runs, place_of
from fallline.results.shown import Diagnosed, Explored, Filmed, Repeatable
from fallline.results.trajectory import Trajectory

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Archived, Filmed, Diagnosed, Explored, Repeatable, Sequence[Trajectory]):
    """Several runs on one objective: a sequence of trajectories with labels.

    `race[0]` and `race["adam"]` are trajectories, by number and by label; `race[:3]` is a comparison of these runs. How
    the runs ended is there as columns of k rows. For large batches of which only the ends were recorded, a trajectory
    is computed when it is accessed: the run is repeated, with bitwise the same result.

    Attributes:
        labels: the label of each run.
        trajectories: the runs.
        known_ends: how they ended, if that is known without the trajectories.
        rules: the label of each run's rule, the same for all its starts and seeds; by default the run's own label.

    >>> import fallline
    >>> race = fallline.compare("x**2", 1.0, ["adam", "momentum"], max_steps=50)
    >>> race["momentum, learning_rate 0.01"] == race[1], race[1:].labels
    (True, ('momentum, learning_rate 0.01',))
    """

    file_format: ClassVar[str] = "fallline comparison 1"
    file_called: ClassVar[str] = "a comparison"

    labels: Sequence[str]
    trajectories: Sequence[Trajectory]
    known_ends: Ends | None = None
    rules: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.rules:
            object.__setattr__(self, "rules", self.labels)

    def __len__(self) -> int:
        return len(self.trajectories)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Comparison(self.labels[index], self.trajectories[index], rules=self.rules[index])
        return self.trajectories[place_of(index, self.labels) if isinstance(index, str) else index]

    def __iter__(self) -> Iterator[Trajectory]:
        return iter(self.trajectories)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Comparison):
            return NotImplemented
        mine, theirs = (self.labels, self.rules), (other.labels, other.rules)
        return mine == theirs and self.trajectories == other.trajectories

    __hash__ = None  # type: ignore[assignment]

    @functools.cached_property
    def ends(self) -> Ends:
        """How the runs ended, as columns."""
        return Ends.of(self.trajectories) if self.known_ends is None else self.known_ends

    @property
    def x(self) -> FloatArray:
        """Where each run ended, shape (k, n)."""
        return self.ends.x

    @property
    def value(self) -> FloatArray:
        """The objective at `x`, shape (k,)."""
        return self.ends.value

    @property
    def lowest(self) -> FloatArray:
        """The lowest value that each run has seen, shape (k,)."""
        return self.ends.lowest

    @property
    def steps(self) -> npt.NDArray[np.int64]:
        """The number of updates of each run, shape (k,)."""
        return self.ends.steps

    @property
    def reasons(self) -> npt.NDArray[np.str_]:
        """Why each run ended, as `Stop.reason` names it, shape (k,)."""
        return np.array(self.ends.reasons)[self.ends.stop]

    @property
    def best(self) -> Trajectory:
        """The run that saw the lowest value; a run that saw only NaN comes last."""
        return self.ranked(1)[0]

    def ranked(self, count: int = 10) -> list[Trajectory]:
        """The best runs: those that saw the lowest values; in a tie, in their original order.

        Raises:
            FalllineError: when `count` is negative or not a whole number.
        """
        check_whole("count", count, least=0)
        lowest = np.where(np.isnan(self.lowest), np.inf, self.lowest)
        return [self.trajectories[place] for place in np.argsort(lowest, kind="stable")[:count].tolist()]

    def differ(self, a: int | str = 0, b: int | str = 1) -> Any:
        """Where two of the runs, by number or label, first part, and by what: see `fallline.differ`.

        Raises:
            FalllineError: when there is no such run.

        >>> import fallline
        >>> race = fallline.compare("x**2", 1.0, ["momentum@paper", "momentum@optax"], max_steps=20)
        >>> race.differ().by
        'rounding'
        """
        one, other = numbered(a, self.labels, "a"), numbered(b, self.labels, "b")
        labels = self.labels[one], self.labels[other]
        runs = self[one], self[other]
        # What are the rules' own labels is shortened.
        given = labels if labels != tuple(run.optimizer for run in runs) else None
        return import_module("fallline.diagnosis.parting").differ(*runs, given)

    def to_frame(self) -> pd.DataFrame:
        """A pandas data frame with all rows of all runs, after columns of the label, the rule's label and the seed.

        Raises:
            FalllineError: when pandas is not installed, or a coordinate has the name of another column.
        """
        return labelled_frame(self.labels, self.rules, self)

    def contents(self) -> Contents:
        """The contents of the comparison's file."""
        return joined_runs(self.labels, self.rules, self)

    @classmethod
    def restored(cls, header: dict[str, Any], arrays: dict[str, Any]) -> Comparison:
        """The comparison from the contents of its file."""
        labels, rules, runs = parted_runs(header, arrays)
        return cls(labels, runs, rules=rules)
