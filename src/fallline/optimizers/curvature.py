"""Rules that estimate the curvature from changes of the gradient: Barzilai-Borwein, conjugate gradients, L-BFGS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from fallline.arrays import Quantity
from fallline.errors import FalllineError, nearest
from fallline.hyperparameters import hyperparameter
from fallline.line_search import StrongWolfe
from fallline.optimizers.base import LearningRate, Optimizer, learning_rate
from fallline.optimizers.pairs import learned, times_inverse_hessian


class BarzilaiBorweinState(NamedTuple):
    """The last step and the gradient before it."""

    change: Quantity
    gradient: Quantity


@dataclass(frozen=True)
class BarzilaiBorwein(Optimizer[BarzilaiBorweinState]):
    r"""Steepest descent with a rate from the curvature along the last step: η = s·s / s·y; x ← x − η g.

    s is the last step and y the change of the gradient over it. Barzilai and Borwein (1988), Two-point step size
    gradient methods. The first step, and one over which the slope did not rise, takes the given rate. With `short`
    the rate is their other one, s·y / y·y, which is never longer.

    >>> import fallline
    >>> fallline.minimize("3*x**2", 1.0, BarzilaiBorwein(0.1), max_steps=2).x.ravel()
    array([1. , 0.4, 0. ])
    """

    name: ClassVar[str] = "barzilai_borwein"
    called: ClassVar[str] = "Barzilai–Borwein"
    elementwise: ClassVar[bool] = False
    learns_from_step: ClassVar[bool] = True

    learning_rate: LearningRate = learning_rate(0.01)
    short: bool = False

    def init(self, x: Quantity) -> BarzilaiBorweinState:
        return BarzilaiBorweinState(change=0 * x, gradient=0 * x)

    def update(
        self, gradient: Quantity, state: BarzilaiBorweinState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, BarzilaiBorweinState]:
        s, y = -state.change, gradient - state.gradient
        sy = np.sum(s * y, axis=-1, keepdims=True)
        if self.short:
            upper, lower = sy, np.sum(y * y, axis=-1, keepdims=True)
        else:
            upper, lower = np.sum(s * s, axis=-1, keepdims=True), sy
        change = np.where(sy > 0, upper / np.where(sy > 0, lower, 1.0), rate) * gradient
        return change, BarzilaiBorweinState(change, gradient)


class ConjugateGradientState(NamedTuple):
    """The last direction and the gradient it was made from."""

    direction: Quantity
    gradient: Quantity


@dataclass(frozen=True)
class ConjugateGradient(Optimizer[ConjugateGradientState]):
    r"""Directions that do not undo one another: p ← g + β p; x ← x − η p, the rate from a line search.

    Hestenes and Stiefel (1952), Methods of conjugate gradients for solving linear systems; for any function Fletcher
    and Reeves (1964), Function minimization by conjugate gradients.

    With y the change of the gradient over the last step and g₀, p₀ those before it, β is

    - "fletcher_reeves": g·g / g₀·g₀ (Fletcher and Reeves, 1964, Function minimization by conjugate gradients),
    - "polak_ribiere": max(0, g·y / g₀·g₀) (Polak and Ribière, 1969, Note sur la convergence de méthodes de directions
      conjuguées; the maximum after Gilbert and Nocedal, 1992),
    - "hager_zhang": (y − 2 d y·y / d·y)·g / d·y with d = −p₀, and at least −1 / (‖d‖ min(0.01, ‖g₀‖)) (Hager and Zhang,
      2005, A new conjugate gradient method with guaranteed descent and an efficient line search).

    A direction along which the objective does not fall is replaced by the gradient.

    >>> import fallline
    >>> run = fallline.minimize("x**2 + 10*y**2", [1.0, 1.0], ConjugateGradient(fallline.ExactQuadratic()), max_steps=2)
    >>> abs(run.final.x).max() < 1e-15
    np.True_
    """

    name: ClassVar[str] = "conjugate_gradient"
    called: ClassVar[str] = "conjugate gradient"
    told: ClassVar[tuple[str, ...]] = ()
    elementwise: ClassVar[bool] = False
    FORMULAS: ClassVar[tuple[str, ...]] = ("fletcher_reeves", "polak_ribiere", "hager_zhang")

    learning_rate: LearningRate = learning_rate(StrongWolfe(curvature=0.1))
    formula: str = "polak_ribiere"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.formula not in self.FORMULAS:
            raise FalllineError(
                "formula", self.formula, nearest(str(self.formula), self.FORMULAS), of="ConjugateGradient"
            )

    def init(self, x: Quantity) -> ConjugateGradientState:
        return ConjugateGradientState(direction=0 * x, gradient=0 * x)

    def update(
        self, gradient: Quantity, state: ConjugateGradientState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, ConjugateGradientState]:
        g, g_0, d = gradient, state.gradient, -state.direction
        y = g - g_0
        squared = np.sum(g_0 * g_0, axis=-1, keepdims=True)
        dy = np.sum(d * y, axis=-1, keepdims=True)
        known = dy != 0 if self.formula == "hager_zhang" else squared > 0
        if self.formula == "fletcher_reeves":
            beta = np.sum(g * g, axis=-1, keepdims=True) / np.where(known, squared, 1.0)
        elif self.formula == "polak_ribiere":
            beta = np.maximum(0.0, np.sum(g * y, axis=-1, keepdims=True) / np.where(known, squared, 1.0))
        else:
            divisor = np.where(known, dy, 1.0)
            bent = y - 2 * d * np.sum(y * y, axis=-1, keepdims=True) / divisor
            length = np.sqrt(np.sum(d * d, axis=-1, keepdims=True)) * np.minimum(0.01, np.sqrt(squared))
            lowest = -1 / np.where(known, length, 1.0)
            beta = np.maximum(np.sum(bent * g, axis=-1, keepdims=True) / divisor, lowest)
        direction = g + np.where(known, beta, 0.0) * state.direction
        falls = np.sum(direction * g, axis=-1, keepdims=True) > 0
        direction = np.where(falls, direction, g)
        return rate * direction, ConjugateGradientState(direction, gradient)


class LBFGSState(NamedTuple):
    """The last steps and changes of the gradient, oldest first, and what the next pair is made from."""

    steps: tuple[Quantity, ...]
    bends: tuple[Quantity, ...]
    change: Quantity
    gradient: Quantity
    scale: Quantity


@dataclass(frozen=True)
class LBFGS(Optimizer[LBFGSState]):
    r"""Quasi-Newton directions, with the inverse Hessian H estimated from the last steps: x ← x − η H g.

    The rate η comes from a line search.

    Liu and Nocedal (1989), On the limited memory BFGS method for large scale optimization; the two-loop recursion of
    Nocedal and Wright (2006), algorithm 7.4. A pair of step s and change of gradient y is left out unless s·y > 0.
    torch makes its first step shorter, by min(1, 1 / ‖g‖₁), wants s·y > 1e-10, and uses the rate 1 without a search.

    >>> import fallline
    >>> run = fallline.minimize("(1 - x)**2 + 100*(y - x**2)**2", [-1.2, 1.0], LBFGS())
    >>> run.final.x, run.step_count < 50
    (array([1., 1.]), True)
    """

    name: ClassVar[str] = "lbfgs"
    called: ClassVar[str] = "L-BFGS"
    told: ClassVar[tuple[str, ...]] = ()
    elementwise: ClassVar[bool] = False
    learns_from_step: ClassVar[bool] = True
    conventions = {
        "paper": "line search; the first direction is the gradient",
        "torch": "no line search; the first step is shortened",
    }
    notation = {"newton": "H_{t} g_{t}"}

    learning_rate: LearningRate = learning_rate(StrongWolfe(), defaults={"torch": 1.0})
    memory: int = hyperparameter(
        10, about="how many steps are remembered", at_least=1, whole=True, defaults={"torch": 100}
    )

    def init(self, x: Quantity) -> LBFGSState:
        none = (0 * x,) * self.memory
        return LBFGSState(none, none, change=0 * x, gradient=0 * x, scale=1 + 0 * x)

    def update(
        self, gradient: Quantity, state: LBFGSState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, LBFGSState]:
        s, y = -state.change, gradient - state.gradient
        pairs, curved, rate_along = learned(state, s, y, 1e-10 if self.convention == "torch" else 0.0)
        scale = np.where(curved, rate_along, state.scale)
        newton = times_inverse_hessian(gradient, pairs, scale)
        direction = newton
        if self.convention == "torch":
            total = np.sum(abs(gradient), axis=-1, keepdims=True)
            shorter = 1 / np.maximum(total, 1.0)
            direction = np.where(step == 1, shorter, 1.0) * newton
        change = rate * direction
        return change, LBFGSState(*pairs, change, gradient, scale)
