"""How often the runs of a batch have evaluated value and gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.objectives.base import Cost


class Counts:
    """The evaluations of each run: those that all runs share, and those of its own line searches.

    Arguments:
        runs: how many runs there are.
        searches: whether there are line searches.

    Attributes:
        searched: each run's evaluations of value and gradient in line searches, shape (runs, 2). The searches add to
            it in place.
    """

    def __init__(self, runs: int, *, searches: bool) -> None:
        self._searches = searches
        self._values = self._gradients = 0
        self.searched = np.zeros((runs, 2), np.int64)
        self._searched_before = self.searched

    def add(self, cost: Cost, times: int = 1) -> None:
        """Count evaluations at the points that the active runs have reached."""
        self._values += times * cost.value
        self._gradients += times * cost.gradient
        if self._searches:
            self._searched_before = self.searched.copy()

    @property
    def alike(self) -> int:
        """The number of evaluations that all runs share."""
        return self._values + self._gradients

    def of_each(self, active: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Evaluations of value and gradient, added, of each active run."""
        if self._searches:
            return np.asarray(self.alike + self.searched[active].sum(axis=-1))
        each = np.empty(len(active), np.int64)
        each.fill(self.alike)
        return each

    def of(self, run: int) -> Cost:
        """The evaluations of one run."""
        values, gradients = self.searched[run].tolist()
        return Cost(self._values + values, self._gradients + gradients)

    @property
    def contents(self) -> tuple[Any, ...]:
        """All counts as they were when the points were reached, for a checkpoint."""
        return self._values, self._gradients, self._searched_before

    def go_on_from(self, saved: Any) -> None:
        """Restore what `contents` returned."""
        self._values, self._gradients, self.searched[:] = saved
        self._searched_before = self.searched.copy()
