"""The line searches of a batch: run by run, each along its own direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray, FloatArray
from fallline.engines.per_run import entries
from fallline.engines.problem import Problem
from fallline.errors import FalllineError, Verbatim
from fallline.line_search import Line
from fallline.objectives.base import Cost, Objective
from fallline.optimizers import Optimizer
from fallline.stopping import Progress


class Searching:
    """Finds the learning rates of a problem's runs by line searches.

    Arguments:
        problem: the runs.
        first: the number of steps made before.
        counts: where each run's evaluations of value and gradient are counted, shape (k, 2).
    """

    def __init__(self, problem: Problem, first: int, counts: npt.NDArray[np.int64]) -> None:
        self._objective, self._seed = problem.objective, problem.seed
        self._first, self._counts = first, counts
        # Read once, because the property is computed at each access.
        self._cost_of_both = problem.objective.cost_of_both
        self._directions = problem.starts

    def rates(
        self, optimizer: Optimizer[Any], progress: Progress, state: Any, active: npt.NDArray[np.int64]
    ) -> FloatArray:
        """The rate of each active run, shape (k, 1); 0 where no rate lowers the value."""
        objective = self._objective.at_step(progress.step + 1 - self._first, self._seed)
        # Rules are pure, so an update with rate 1 shows the direction without side effects.
        directions = optimizer.update(progress.gradient.copy(), state, 1.0, progress.step + 1)[0]
        self._directions = directions
        values = progress.value
        if self._objective.stochastic:
            values = objective.value(progress.x)
            self._counts[active] += Cost(value=1, gradient=0)
        longest = np.full(len(active), optimizer.longest_rate)
        lines = zip(active.tolist(), progress.x, directions, values, progress.gradient, longest, strict=True)
        searches: Any = optimizer.learning_rate
        rates = [
            entries(searches, i).rate(Line(*self._counted(objective, run), *line))
            for i, (run, *line) in enumerate(lines)
        ]
        return np.minimum(rates, optimizer.longest_rate)[:, None]

    def keep(self, staying: BoolArray) -> None:
        """Keep the directions of these runs only; the others do not make the step."""
        self._directions = self._directions[staying]

    def check(self, optimizer: Optimizer[Any], made: Any, progress: Progress, rate: FloatArray) -> None:
        """Refuse a rule whose step is not the rate times a direction: then the search looked along the wrong line."""
        straight = np.allclose(made[0], rate * self._directions, rtol=1e-9, atol=0)
        if progress.step == self._first:
            # Some rules depend on the first step only in the second: check that half the rate gives half the step.
            whole, half = (
                optimizer.update(progress.gradient.copy(), made[1], share, progress.step + 2)[0] for share in (1.0, 0.5)
            )
            straight = straight and np.allclose(half, whole / 2, rtol=1e-9, atol=0)
        if not straight:
            raise FalllineError(
                "learning_rate",
                Verbatim(optimizer.learning_rate),
                f"a step of {type(optimizer).__name__} is not the rate times a direction, so there is no line to "
                "search: give a number or a schedule",
            )

    def _counted(self, objective: Objective, run: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """Functions for the value, and for value and gradient, at one point, counted as evaluations of one run."""

        def value_at(point: FloatArray) -> float:
            self._counts[run] += Cost(value=1, gradient=0)
            return float(objective.value(point[None, :])[0])

        def both_at(point: FloatArray) -> tuple[float, FloatArray]:
            self._counts[run] += self._cost_of_both
            values, gradients = objective.value_and_gradient(point[None, :])
            return float(values[0]), gradients[0]

        return value_at, both_at
