"""Several runs on one objective, with labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fallline.results.shown import Shown
from fallline.results.trajectory import Trajectory

if TYPE_CHECKING:
    import pandas as pd


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
