"""The learning rates of a batch: given as a number, by a schedule, or found by a line search."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.engines.counts import Counts
from fallline.engines.problem import Problem, is_ours
from fallline.engines.searching import Searching
from fallline.line_search import LineSearch
from fallline.optimizers import Optimizer
from fallline.schedules import watches_values
from fallline.stopping import Progress


class Rates:
    """Finds the learning rate of each step.

    Arguments:
        problem: the runs.
        first: the number of steps made before.
        counts: where the evaluations of line searches are counted.

    Attributes:
        searching: the line searches of the runs; None if the rate is not searched for.
    """

    def __init__(self, problem: Problem, first: int, counts: Counts) -> None:
        rate = problem.optimizer.learning_rate
        self._watches = watches_values(rate)
        searches = isinstance(rate, LineSearch)
        self.searching = Searching(problem, first, counts.searched) if searches else None

    def of(
        self, optimizer: Optimizer[Any], progress: Progress, state: Any, memory: Any, active: npt.NDArray[np.int64]
    ) -> Any:
        """The rate of the step that leaves these points: a number, or one for each active run, shape (k, 1)."""
        if self.searching is not None:
            return self.searching.rates(optimizer, progress, state, active)
        if self._watches:
            schedule: Any = optimizer.learning_rate
            return schedule.rate_after(memory, progress.step + 1)
        return rate_of(optimizer, progress.step + 1)

    def remembered(self, optimizer: Optimizer[Any], memory: Any, value: FloatArray) -> Any:
        """The memory of a schedule that watches values after these values, shape (k,); None for any other rate."""
        if not self._watches:
            return memory
        schedule: Any = optimizer.learning_rate
        return schedule.watched(memory, value[:, None])


def rate_of(optimizer: Optimizer[Any], step: int) -> Any:
    """The learning rate of a step that depends on its number only."""
    try:
        return optimizer.rate(step)
    except OverflowError:
        if not is_ours(optimizer):
            raise
        # An ever-growing schedule in plain Python numbers.
        return np.inf
