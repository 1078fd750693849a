"""Projected and proximal rules: for constraints, and for penalties without a gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np

from fallline.arrays import FloatArray, Quantity
from fallline.errors import FalllineError
from fallline.optimizers.base import LearningRate, Optimizer, learning_rate
from fallline.optimizers.wrappers import PlacedState, Wrapper
from fallline.penalties import L1, Box, ConvexSet, Penalty
from fallline.state import with_x


@dataclass(frozen=True)
class Projected(Wrapper[PlacedState]):
    r"""Any rule, with every step projected onto a set: x ← P(x − Δ), Δ the rule's change.

    Goldstein (1964), Convex programming in Hilbert space; Levitin and Polyak (1966), Constrained minimization methods.
    The first step projects a start outside the set onto it. By default the set is where no coordinate is negative.

    >>> import fallline
    >>> rule = Projected(fallline.GradientDescent(0.4), fallline.Box(2.0, 5.0))
    >>> fallline.minimize("x**2", 3.0, rule).final.x
    array([2.])
    """

    name: ClassVar[str] = "projected"
    called: ClassVar[str] = "projected"
    told: ClassVar[tuple[str, ...]] = ("onto",)
    changes_step: ClassVar[bool] = True
    elementwise: ClassVar[bool] = False

    onto: ConvexSet = field(default=Box(0.0, np.inf))

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.onto, ConvexSet):
            raise FalllineError("onto", self.onto, "it must be a Box, a Ball or a Simplex", of="Projected")

    def init(self, x: Quantity) -> PlacedState:
        return PlacedState(self.rule.init(x), x)

    def update(
        self, gradient: Quantity, state: PlacedState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, PlacedState]:
        change, inner = self.rule.update(gradient, state.inner, rate, step)
        change = state.x - self.onto.projected(state.x - change)
        x = state.x - change
        return change, PlacedState(with_x(inner, x), x)

    def unbalanced(self, x: FloatArray, gradient: FloatArray, near: FloatArray) -> FloatArray:
        return change_per_rate(x, gradient, near, lambda moved, _: self.onto.projected(moved))

    def projected_gradient(self, x: Quantity, gradient: Quantity) -> Quantity:
        return x - self.onto.projected(x - gradient)


def change_per_rate(
    x: FloatArray, gradient: FloatArray, near: FloatArray, back: Callable[[FloatArray, FloatArray], FloatArray]
) -> FloatArray:
    """The change per rate of a step so short that it stays near x; `back` is what a step and its rate come to."""
    steepest = np.abs(gradient).max(axis=-1, keepdims=True)
    rate = near / np.where(steepest > 0, steepest, 1.0)
    change = x - back(x - rate * gradient, rate)
    # The difference of two points is rounded as they are.
    return np.where(np.abs(change) <= 4 * np.finfo(float).eps * np.abs(x), 0.0, change / rate)


def check_penalty(rule: Any) -> None:
    """Refuse a penalty that is not a `Penalty`."""
    if not isinstance(rule.penalty, Penalty):
        raise FalllineError("penalty", rule.penalty, "it must be an L1, an L2 or an ElasticNet", of=type(rule).__name__)


class ProximalState(NamedTuple):
    """The point."""

    x: Quantity


@dataclass(frozen=True)
class ProximalDescent(Optimizer[ProximalState]):
    r"""Gradient descent on f + h where only f has a gradient: x ← prox(x − η g), prox the proximal step of η h.

    Lions and Mercier (1979), Splitting algorithms for the sum of two nonlinear operators; for the l1 penalty this is
    ISTA, Daubechies, Defrise and De Mol (2004). The objective that the run records is f alone.

    >>> import fallline
    >>> rule = ProximalDescent(0.5, penalty=fallline.L1(2.0))
    >>> fallline.minimize("(x - 3)**2", 0.0, rule).final.x
    array([2.])
    """

    name: ClassVar[str] = "proximal"
    called: ClassVar[str] = "proximal gradient descent"
    # A penalty may couple the coordinates.
    elementwise: ClassVar[bool] = False

    learning_rate: LearningRate = learning_rate(0.01)
    penalty: Penalty = field(default=L1(0.0))

    def __post_init__(self) -> None:
        super().__post_init__()
        check_penalty(self)

    def unbalanced(self, x: FloatArray, gradient: FloatArray, near: FloatArray) -> FloatArray:
        return change_per_rate(x, gradient, near, self.penalty.proximal)

    def init(self, x: Quantity) -> ProximalState:
        return ProximalState(x)

    def update(
        self, gradient: Quantity, state: ProximalState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, ProximalState]:
        change = state.x - self.penalty.proximal(state.x - rate * gradient, rate)
        return change, ProximalState(state.x - change)


class FISTAState(NamedTuple):
    """The point, the one before it, and the number t, now and next, that grows with every step."""

    x: Quantity
    previous: Quantity
    number: Quantity
    next_number: Quantity


@dataclass(frozen=True)
class FISTA(Optimizer[FISTAState]):
    r"""Accelerated proximal descent: y = x + ((t₀ − 1) / t)(x − x₀); x ← prox(y − η ∇f(y)).

    t grows as t ← (1 + √(1 + 4t²)) / 2. Beck and Teboulle (2009), A fast iterative shrinkage-thresholding algorithm.
    With `restart`, t is reset to 1 whenever a step reverses the direction (the gradient scheme of O'Donoghue
    and Candès, 2015, Adaptive restart for accelerated gradient schemes). The objective that the run records is f alone.

    >>> import fallline
    >>> rule = FISTA(0.5, penalty=fallline.L1(2.0))
    >>> fallline.minimize("(x - 3)**2", 0.0, rule).final.x
    array([2.])
    """

    name: ClassVar[str] = "fista"
    elementwise: ClassVar[bool] = False

    learning_rate: LearningRate = learning_rate(0.01)
    penalty: Penalty = field(default=L1(0.0))
    restart: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_penalty(self)

    def unbalanced(self, x: FloatArray, gradient: FloatArray, near: FloatArray) -> FloatArray:
        return change_per_rate(x, gradient, near, self.penalty.proximal)

    def init(self, x: Quantity) -> FISTAState:
        return FISTAState(x, previous=x, number=1 + 0 * x, next_number=1 + 0 * x)

    def lookahead(self, x: Quantity, state: FISTAState) -> Quantity:
        return x + (state.number - 1) / state.next_number * (x - state.previous)

    def update(
        self, gradient: Quantity, state: FISTAState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, FISTAState]:
        y = self.lookahead(state.x, state)
        change = state.x - self.penalty.proximal(y - rate * gradient, rate)
        x = state.x - change
        t = state.next_number
        if self.restart:
            against = np.sum((y - x) * (x - state.x), axis=-1, keepdims=True) > 0
            t = np.where(against, 1.0, t)
        return change, FISTAState(x, state.x, t, (1 + np.sqrt(1 + 4 * t**2)) / 2)
