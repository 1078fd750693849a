"""The data of the grid of epochs: one small picture per epoch of a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fallline.errors import FalllineError, check_whole
from fallline.pictures import paths
from fallline.pictures.curve import Descent, descent_data
from fallline.pictures.paths import Interval
from fallline.results.trajectory import Trajectory
from fallline.tables import Printed


@dataclass(frozen=True, eq=False, repr=False)
class Epochs(Printed):
    """A run in one coordinate, epoch by epoch; without data each step is an epoch.

    Attributes:
        descent: the curve and all points.
        epochs: the number of each small plot, counted from 1.
        counts: how many of the points each shows.
        columns: how many small plots stand side by side.
    """

    descent: Descent
    epochs: tuple[int, ...]
    counts: tuple[int, ...]
    columns: int

    @property
    def rows(self) -> int:
        """How many small plots stand one above the other."""
        return -(-len(self.epochs) // self.columns)


def epochs_data(run: Trajectory, *, rows: int = 4, columns: int = 3, bounds: Interval | None = None) -> Epochs:
    """The data of the grid of epochs.

    Arguments:
        run: a trajectory in one coordinate.
        rows, columns: the shape of the grid; the run's first rows × columns epochs are shown.
        bounds: the interval of the curve; None: chosen to show these epochs.

    Raises:
        FalllineError: when an argument is wrong.
    """
    check_whole("rows", rows, least=1)
    check_whole("columns", columns, least=1)
    if not isinstance(run, Trajectory):
        raise FalllineError(
            "run", problem=f"is a {type(run).__name__}", allowed="the grid of epochs shows one trajectory"
        )
    shown = paths.first_epochs(run, rows * columns)
    descent = descent_data(shown, bounds=bounds)
    path = descent.paths[0]
    epochs = tuple(range(1, 1 + max(1, int(np.ceil(path.times[-1])))))
    return Epochs(descent, epochs, tuple(path.shown_until(epoch) for epoch in epochs), columns)
