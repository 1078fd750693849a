"""Stretches: many steps of a single run in one go, looked at together; on floats, if they can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from fallline.arrays import FloatArray
from fallline.engines.evaluation import Evaluation
from fallline.engines.interruption import AtOnce
from fallline.engines.on_floats import NotOnFloats, OnFloats
from fallline.engines.problem import Problem, is_formula, is_ours
from fallline.engines.rates import rate_of
from fallline.line_search import LineSearch
from fallline.objectives.base import Cost
from fallline.optimizers import Optimizer
from fallline.schedules import watches_values
from fallline.stopping import Progress

# A single run makes so many steps, in a stretch, before it is asked whether it should have ended on the way; it begins
# with few, so that it makes about as many in vain as it makes.
_FIRST, _LONGEST = 8, 64
# With more coordinates than these a step takes longer than to ask; and with more than those, longer on floats.
_FEW_COORDINATES, _FEW_FLOATS = 32, 8


class Made(NamedTuple):
    """A step of a stretch: the rate that it took, what it subtracted, and where it led to. On arrays or on floats."""

    rate: Any
    change: Any
    x: Any
    state: Any
    value: Any
    gradient: Any
    cost: Cost


class Points(NamedTuple):
    """Points of a run, one a row, with each the change that led there; `step` is that of the first."""

    step: int
    x: FloatArray
    value: FloatArray
    gradient: FloatArray
    change: FloatArray


class Stretch(NamedTuple):
    """The steps of a stretch.

    Attributes:
        points: first that where it began, whose change may be infinite: there was none.
        made: the steps.
        state_of: a state as the rule has it.
    """

    points: Points
    made: list[Made]
    state_of: Callable[[Any], Any]

    @classmethod
    def of(cls, at: Progress, made: list[Made], state_of: Callable[[Any], Any]) -> Stretch:
        """That of the steps made from there."""
        n = at.x.shape[1]
        before = np.full((1, n), np.inf) if at.change is None else at.change
        points = Points(
            at.step,
            np.concatenate([at.x, np.array([step.x for step in made]).reshape(-1, n)]),
            np.concatenate([at.value, np.array([step.value for step in made]).reshape(-1)]),
            np.concatenate([at.gradient, np.array([step.gradient for step in made]).reshape(-1, n)]),
            np.concatenate([before, np.array([step.change for step in made]).reshape(-1, n)]),
        )
        return cls(points, made, state_of)

    @property
    def cost(self) -> Cost:
        """What each look at a point cost."""
        return self.made[0].cost

    def after(self, count: int) -> Points:
        """The point after so many of its steps alone."""
        i, all_of = slice(count, count + 1), self.points
        return Points(all_of.step + count, all_of.x[i], all_of.value[i], all_of.gradient[i], all_of.change[i])

    def state_after(self, count: int) -> Any:
        """The rule's state there; `count` is 1 at least."""
        return self.state_of(self.made[count - 1].state)

    def rates(self, steps: list[int]) -> FloatArray:
        """The rates that these of its steps took, counted from 0."""
        return np.array([self.made[i].rate for i in steps]).reshape(-1)

    def progress(self, at: Progress, evaluations: int, seconds: float) -> Progress:
        """All of its points but the first as the conditions look at them: as if each were another run's."""
        count, points = len(self.made), self.points
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


def goes_unseen(problem: Problem) -> bool:
    """Whether nobody sees that a run went on beyond its end: rule, formula and conditions are known to be pure."""
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
        problem: one for which `goes_unseen`.
        evaluation: what looks at its points.
        last: the step after which it ends.
    """

    def __init__(self, problem: Problem, evaluation: Evaluation, last: int) -> None:
        assert is_formula(problem.objective)
        self._objective, self._report = problem.objective, problem.report
        self._evaluation, self._last = evaluation, last
        self._length = _FIRST
        self._on_floats: OnFloats | Literal[False] | None = None

    def made_from(
        self, at: Progress, optimizer: Optimizer[Any], state: Any, at_once: AtOnce
    ) -> tuple[Stretch | None, BaseException | None]:
        """The steps from there, if there are any, and what broke them off: Ctrl-C, or a number too large for Python."""
        steps = range(at.step + 1, min(at.step + self._length, self._last) + 1)
        if self._on_floats is None and self._length == _LONGEST:
            self._on_floats = self._as_floats(at, optimizer, state)
        made: list[Made] = []
        state_of: Callable[[Any], Any] = _itself
        stopped: BaseException | None = None
        try:
            with at_once:
                if self._on_floats:
                    state_of = self._on_floats.state
                    self._make_on_floats(self._on_floats, at, optimizer, state, steps, made)
                if not made:
                    state_of = _itself
                    self._make_on_arrays(at, optimizer, state, steps, made)
        except BaseException as raised:  # for who walks over the stretch, unless the run ends on the way
            stopped = raised
        self._length = min(2 * self._length, _LONGEST)
        return (Stretch.of(at, made, state_of) if made else None), stopped

    def _make_on_arrays(
        self, at: Progress, optimizer: Optimizer[Any], state: Any, steps: range, made: list[Made]
    ) -> None:
        """Add the steps made from there, before they are looked at."""
        x, gradient = at.x, at.gradient
        for step in steps:
            rate = rate_of(optimizer, step)
            change, state = optimizer.update(gradient, state, rate, step)
            x = x - change
            value, gradient, _, cost = self._evaluation.at(x, optimizer, state, step, None)
            made.append(Made(rate, change, x, state, value, gradient, cost))

    def _as_floats(self, at: Progress, optimizer: Optimizer[Any], state: Any) -> OnFloats | Literal[False]:
        """The rule on floats, if it can be."""
        if self._objective.dimension > _FEW_FLOATS or np.ndim(rate_of(optimizer, at.step + 1)):
            return False
        try:
            return OnFloats(optimizer, at.x, state)
        except NotOnFloats:
            return False

    def _make_on_floats(
        self, rule: OnFloats, at: Progress, optimizer: Optimizer[Any], state: Any, steps: range, made: list[Made]
    ) -> None:
        """The same on floats, up to where only arrays have an answer."""
        x, gradient = at.x.tolist()[0], at.gradient.tolist()[0]
        leaves = rule.leaves(state)
        cost = self._evaluation.cost_ahead if rule.looks_ahead else self._evaluation.cost_of_both
        try:
            for step in steps:
                self._report(step)
                rate = float(rate_of(optimizer, step))
                change, x, place, leaves = rule.step(x, gradient, leaves, rate, step)
                value, gradient = self._objective.on_floats(x, place)
                made.append(Made(rate, change, x, leaves, value, gradient, cost))
        except ArithmeticError:
            return


def _itself(state: Any) -> Any:
    return state
