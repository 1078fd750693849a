"""Several runs on one objective, with labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fallline.results.archive import Archived, Contents
from fallline.results.labelled import joined_runs, labelled_frame, parted_runs, place_of
from fallline.results.shown import Filmed
from fallline.results.trajectory import Trajectory

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Archived, Filmed, Sequence[Trajectory]):
    """Several runs on one objective: a sequence of trajectories with labels.

    `race[0]` and `race["adam"]` are trajectories, by number and by label; `race[:3]` is a comparison of these runs.

    Attributes:
        labels: what to call each run in a legend.
        trajectories: the runs.

    >>> import fallline
    >>> race = fallline.compare("x**2", 1.0, ["adam", "momentum"], max_steps=50)
    >>> race["momentum, learning_rate 0.01"] == race[1], race[1:].labels
    (True, ('momentum, learning_rate 0.01',))
    """

    file_format: ClassVar[str] = "fallline comparison 1"
    file_called: ClassVar[str] = "a comparison"

    labels: tuple[str, ...]
    trajectories: tuple[Trajectory, ...]

    def __len__(self) -> int:
        return len(self.trajectories)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Comparison(self.labels[index], self.trajectories[index])
        return self.trajectories[place_of(index, self.labels) if isinstance(index, str) else index]

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
        return labelled_frame(self.labels, self)

    def contents(self) -> Contents:
        """What the file of a comparison holds."""
        return joined_runs(self.labels, self)

    @classmethod
    def restored(cls, header: dict[str, Any], arrays: dict[str, Any]) -> Comparison:
        """The comparison from what its file holds."""
        return cls(*parted_runs(header, arrays))
