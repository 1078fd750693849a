"""Stretches: many steps of a single run at once, whose conditions are checked together; on floats where possible."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from fallline.arrays import FloatArray
from fallline.engines.evaluation import Evaluation
from fallline.engines.interruption import AtOnce
from fallline.engines.on_floats import OnFloats, on_floats
from fallline.engines.problem import Problem, is_formula, is_ours
from fallline.engines.rates import rate_of
from fallline.line_search import LineSearch
from fallline.objectives.base import Cost
from fallline.optimizers import Optimizer
from fallline.schedules import watches_values
from fallline.stopping import Progress

# The steps in the first stretch, on floats and on arrays, which take longer, and in the longest. Stretches grow, so
# that the steps made beyond the end of a run cost little beside the call.
_FIRST, _FIRST_ON_ARRAYS, _LONGEST, _GROWTH = 128, 8, 256, 4
# With more coordinates than the first, a step takes longer than the check; than the second, floats are slower.
_FEW_COORDINATES, _FEW_FLOATS = 32, 8


# A step: its rate, what it subtracted, the x, state, value and gradient that it reached, and the evaluations there. On
# arrays or on floats; a plain tuple, because to make one with names takes half as long as the step itself.
Made: TypeAlias = tuple[Any, Any, Any, Any, Any, Any, Cost]


class Points(NamedTuple):
    """Points of a run, one per row, each with the change that led to it; `step` is the step of the first."""

    step: int
    x: FloatArray
    value: FloatArray
    gradient: FloatArray
    change: FloatArray


class Stretch(NamedTuple):
    """The steps of a stretch.

    Attributes:
        points: the points, the starting point first; its change is infinite if there was no step before it.
        rates: the rate of each step.
        states: the rule's state after each step.
        state_of: converts a state to the rule's form.
        cost: the evaluations at each point.
    """

    points: Points
    rates: FloatArray
    states: Sequence[Any]
    state_of: Callable[[Any], Any]
    cost: Cost

    @classmethod
    def of(cls, at: Progress, made: list[Made], state_of: Callable[[Any], Any]) -> Stretch:
        """The stretch of the steps made from `at`."""
        before = np.full(at.x.shape, np.inf) if at.change is None else at.change
        rates, changes, xs, states, values, gradients, costs = zip(*made, strict=True)
        points = Points(
            at.step,
            _rows(at.x, xs),
            np.concatenate([at.value, np.array(values).reshape(-1)]),
            _rows(at.gradient, gradients),
            _rows(before, changes),
        )
        return cls(points, np.array(rates).reshape(-1), states, state_of, costs[0])

    def after(self, count: int) -> Points:
        """The point after `count` steps."""
        i, all_of = slice(count, count + 1), self.points
        return Points(all_of.step + count, all_of.x[i], all_of.value[i], all_of.gradient[i], all_of.change[i])

    def state_after(self, count: int) -> Any:
        """The rule's state after `count` steps, at least 1."""
        return self.state_of(self.states[count - 1])

    def progress(self, at: Progress, evaluations: int, seconds: float) -> Progress:
        """All points but the first as a batch for the conditions, as if each point were a run of its own."""
        count, points = len(self.states), self.points
        return Progress(
            step=points.step + count,
            x=points.x[1:],
            value=points.value[1:],
            gradient=points.gradient[1:],
            change=points.change[1:],
            previous_value=points.value[:-1],
            first_value=at.first_value,
            evaluations=evaluations + sum(self.cost) * np.arange(1, count + 1),
            seconds=seconds,
            previous_change=points.change[:-1],
        )


def _rows(first: FloatArray, others: Sequence[Any]) -> FloatArray:
    """The first row, shape (1, n), and the others, as arrays of this shape or as n floats each."""
    if isinstance(others[0], np.ndarray):
        return np.concatenate([first, *others])
    # Faster than an array of tuples.
    numbers = itertools.chain(first.tolist()[0], *others)
    return np.fromiter(numbers, float, first.shape[1] * (1 + len(others))).reshape(-1, first.shape[1])


def goes_unseen(problem: Problem) -> bool:
    """Whether steps beyond the end of a run have no side effects: rule, formula and conditions are known to be pure."""
    rate = problem.optimizer.learning_rate
    return (
        is_formula(problem.objective)
        and problem.objective.dimension <= _FEW_COORDINATES
        and is_ours(problem.optimizer)
        and all(is_ours(condition) and not condition.needs_step for condition in problem.conditions)
        and problem.callback is None
        and not problem.record.state
        and not isinstance(rate, LineSearch)
        and not watches_values(rate)
    )


class Stretches:
    """Makes the stretches of a single run.

    Arguments:
        problem: one for which `goes_unseen` is true.
        evaluation: evaluates its points.
        last: the step after which the run ends.
    """

    def __init__(self, problem: Problem, evaluation: Evaluation, last: int) -> None:
        assert is_formula(problem.objective)
        self._objective, self._report = problem.objective, problem.report
        self._evaluation, self._last = evaluation, last
        self._on_floats: OnFloats | None = None
        if problem.objective.dimension <= _FEW_FLOATS:
            with contextlib.suppress(TypeError):  # a setting is an array, which differs from run to run
                self._on_floats = on_floats(problem.optimizer, problem.objective.dimension)
        self._length = _FIRST if self._on_floats else _FIRST_ON_ARRAYS

    def made_from(
        self, at: Progress, optimizer: Optimizer[Any], state: Any, at_once: AtOnce
    ) -> tuple[Stretch | None, BaseException | None]:
        """The steps from a point, if any, and the exception that ended them: Ctrl-C, or a Python OverflowError."""
        steps = range(at.step + 1, min(at.step + self._length, self._last) + 1)
        made: list[Made] = []
        state_of: Callable[[Any], Any] = _itself
        stopped: BaseException | None = None
        try:
            with at_once:
                if self._on_floats and self._on_floats.takes(state):
                    state_of = self._on_floats.state
                    self._make_on_floats(self._on_floats, at, optimizer, state, steps, made)
                if not made:
                    state_of = _itself
                    self._make_on_arrays(at, optimizer, state, steps, made)
        except BaseException as raised:  # raised again by the caller, unless the run ends before
            stopped = raised
        self._length = min(_GROWTH * self._length, _LONGEST)
        return (Stretch.of(at, made, state_of) if made else None), stopped

    def _make_on_arrays(
        self, at: Progress, optimizer: Optimizer[Any], state: Any, steps: range, made: list[Made]
    ) -> None:
        """Append the steps made from a point, before the conditions are checked."""
        x, gradient = at.x, at.gradient
        for step in steps:
            rate = rate_of(optimizer, step)
            change, state = optimizer.update(gradient, state, rate, step)
            x = x - change
            value, gradient, _, cost = self._evaluation.at(x, optimizer, state, step, None)
            made.append((rate, change, x, state, value, gradient, cost))

    def _make_on_floats(
        self, rule: OnFloats, at: Progress, optimizer: Optimizer[Any], state: Any, steps: range, made: list[Made]
    ) -> None:
        """The same on floats, up to a step that only arrays can compute."""
        x, gradient = at.x.tolist()[0], at.gradient.tolist()[0]
        leaves = rule.leaves(state)
        cost = self._evaluation.cost_ahead if rule.looks_ahead else self._evaluation.cost_of_both
        rate: Any = optimizer.learning_rate
        scheduled = not isinstance(rate, float)
        # Looked up once, because each look-up takes as long as a sum.
        report, make_step, look = self._report, rule.step, self._objective.on_floats
        try:
            for step in steps:
                report(step)
                if scheduled:
                    rate = float(rate_of(optimizer, step))
                change, x, place, leaves = make_step(x, gradient, leaves, rate, step)
                value, gradient = look(x, place)
                made.append((rate, change, x, leaves, value, gradient, cost))
        except ArithmeticError:
            return


def _itself(state: Any) -> Any:
    return state
