"""Evaluates points for the reference engine: the value, and the gradient that the rule needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from fallline.arrays import FloatArray
from fallline.engines.problem import Problem
from fallline.errors import FalllineError, Verbatim
from fallline.line_search import LineSearch
from fallline.objectives.base import Cost, Objective
from fallline.optimizers import Optimizer
from fallline.schedules import watches_values

# The result of an evaluation: values, gradients, whether the values are those of an earlier point, and the cost.
Seen: TypeAlias = tuple[FloatArray, FloatArray, bool, Cost]


class Evaluation:
    """Evaluates the points of a problem's runs.

    Arguments:
        problem: the runs.
        first: the number of steps made before.
        is_recorded: whether the points after a step are recorded.

    Attributes:
        step: the step whose points were evaluated last.
        cost_ahead: the cost of one evaluation where the rule takes its gradient at another point than x.
    """

    def __init__(self, problem: Problem, first: int, is_recorded: Callable[[int], bool]) -> None:
        self._problem, self._objective = problem, problem.objective
        self._first, self._is_recorded = first, is_recorded
        self.step = first
        self._needs_value = (
            watches_values(problem.optimizer.learning_rate)
            or problem.callback is not None
            or any(condition.needs_value for condition in problem.conditions)
        )
        # Read once, because these properties are computed at each access.
        self.cost_of_both = problem.objective.cost_of_both
        self.cost_of_gradient = problem.objective.cost_of_gradient
        self.cost_ahead = Cost(self.cost_of_gradient.value + 1, self.cost_of_gradient.gradient)

    def at(
        self, x: FloatArray, optimizer: Optimizer[Any], state: Any, step: int, previous_value: FloatArray | None
    ) -> Seen:
        """Evaluate the points after a step; `previous_value` may be returned where the value is not needed."""
        self.step = step
        self._problem.report(step)
        objective = self._objective
        place = optimizer.lookahead(x, state)
        if place is not x and isinstance(optimizer.learning_rate, LineSearch):
            raise FalllineError(
                "learning_rate",
                Verbatim(optimizer.learning_rate),
                f"a line search needs the gradient at x, and {type(optimizer).__name__} takes it elsewhere: give "
                "a number or a schedule",
            )
        if place is x and not objective.stochastic:
            value, gradient = objective.value_and_gradient(x)
            return value, gradient, False, self.cost_of_both
        gradient = objective.at_step(step - self._first + 1, self._problem.seed).gradient(place)
        if previous_value is not None and not self.looks_at_value(step):
            return previous_value, gradient, True, self.cost_of_gradient
        return self.watched(step).value(x), gradient, False, self.cost_ahead

    def looks_at_value(self, step: int) -> bool:
        """Whether the value after a step is needed: over all data it costs more than a mini-batch's gradient."""
        return not self._objective.stochastic or self._needs_value or self._is_recorded(step)

    def watched(self, step: int) -> Objective:
        """The objective whose value is recorded at a step: over all rows, or over the step's mini-batch."""
        if self._objective.epoch_value == "full":
            return self._objective
        return self._objective.at_step(step - self._first + 1, self._problem.seed)
