"""Momentum rules, which continue in the direction of earlier steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from fallline.arrays import Quantity
from fallline.errors import FalllineError
from fallline.hyperparameters import hyperparameter
from fallline.optimizers.base import LearningRate, Optimizer, learning_rate


class MomentumState(NamedTuple):
    """The running sum of decayed steps, or of decayed gradients where the rate is outside."""

    velocity: Quantity


@dataclass(frozen=True)
class Momentum(Optimizer[MomentumState]):
    r"""The heavy ball: v ← γ v + η g; x ← x − v, the rate inside the buffer.

    Polyak (1964), Some methods of speeding up the convergence of iteration methods.

    Libraries differ in where the rate is, which shows as soon as it changes. Keras has it inside, as the paper.
    Torch and optax have it outside: v ← γ v + g; x ← x − η v. Torch also dampens, v ← γ v + (1 − τ) g, but not in
    the first step, v ← g. The convention "averaged" makes v a running mean: v ← γ v + (1 − γ) g; x ← x − η v, so
    that its rate must be 1 / (1 − γ) times as large for the same steps. No library has a default for γ other than
    no momentum at all; 0.9 is used in every convention.

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, Momentum(0.25, momentum=0.5), max_steps=2).x.ravel()
    array([1. , 0.5, 0. ])
    """

    name: ClassVar[str] = "momentum"
    called: ClassVar[str] = "momentum"
    conventions = {
        "paper": "the rate is inside the buffer",
        "torch": "the rate is outside the buffer; dampening from the second step on",
        "keras": "as the paper",
        "optax": "the rate is outside the buffer",
        "averaged": "the buffer is a running mean of the gradient, the rate outside",
    }

    learning_rate: LearningRate = learning_rate(0.01, {"torch": 0.001})
    momentum: float = hyperparameter(
        0.9, about="how much of the last step is kept", symbol=r"\gamma", at_least=0, below=1
    )
    dampening: float = hyperparameter(
        0.0,
        about="how much of the gradient is kept out of the buffer, in the convention torch",
        symbol=r"\tau",
        at_least=0,
        at_most=1,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.convention != "torch" and np.any(self.dampening):
            raise FalllineError("dampening", self.dampening, "it must be 0 unless convention is 'torch'", of="Momentum")

    def init(self, x: Quantity) -> MomentumState:
        return MomentumState(velocity=0 * x)

    def update(
        self, gradient: Quantity, state: MomentumState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, MomentumState]:
        if self.convention == "torch":
            dampened = self.momentum * state.velocity + (1 - self.dampening) * gradient
            velocity = np.where(step == 1, gradient, dampened)
            change = rate * velocity
        elif self.convention == "optax":
            velocity = self.momentum * state.velocity + gradient
            change = rate * velocity
        elif self.convention == "averaged":
            velocity = self.momentum * state.velocity + (1 - self.momentum) * gradient
            change = rate * velocity
        else:
            velocity = self.momentum * state.velocity + rate * gradient
            change = velocity
        return change, MomentumState(velocity)


@dataclass(frozen=True)
class Nesterov(Optimizer[MomentumState]):
    r"""Momentum with the gradient taken where the velocity is about to lead: v ← γ v + η ∇f(x − γ v); x ← x − v.

    Nesterov (1983), A method for solving the convex programming problem with convergence rate O(1/k²); in
    this form Sutskever, Martens, Dahl and Hinton (2013), On the importance of initialization and momentum
    in deep learning.

    Libraries take the gradient at x and put the look-ahead into the step, so that their x is the paper's x − γ v:
    keras v ← γ v + η g; x ← x − (γ v + η g); torch and optax, with the rate outside, v ← γ v + g;
    x ← x − η (g + γ v). At a constant rate all three walk the same points.

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, Nesterov(0.25, momentum=0.5), max_steps=2).x.ravel()
    array([1.   , 0.5  , 0.125])
    """

    name: ClassVar[str] = "nesterov"
    conventions = {
        "paper": "the gradient is taken at the look-ahead point",
        "torch": "the gradient is taken at x, the look-ahead is in the step; the rate is outside the buffer",
        "keras": "the gradient is taken at x, the look-ahead is in the step; the rate is inside the buffer",
        "optax": "as torch",
    }

    learning_rate: LearningRate = learning_rate(0.01, {"torch": 0.001})
    momentum: float = hyperparameter(
        0.9, about="how much of the last step is kept", symbol=r"\gamma", at_least=0, below=1
    )

    def init(self, x: Quantity) -> MomentumState:
        return MomentumState(velocity=0 * x)

    def lookahead(self, x: Quantity, state: MomentumState) -> Quantity:
        return x - self.momentum * state.velocity if self.convention == "paper" else x

    def update(
        self, gradient: Quantity, state: MomentumState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, MomentumState]:
        if self.convention == "paper":
            velocity = self.momentum * state.velocity + rate * gradient
            change = velocity
        elif self.convention == "keras":
            velocity = self.momentum * state.velocity + rate * gradient
            change = self.momentum * velocity + rate * gradient
        else:
            velocity = self.momentum * state.velocity + gradient
            change = rate * (gradient + self.momentum * velocity)
        return change, MomentumState(velocity)


class MeanState(NamedTuple):
    """The running mean of the gradients."""

    mean: Quantity


@dataclass(frozen=True)
class QuasiHyperbolicMomentum(Optimizer[MeanState]):
    r"""A step between the gradient and its running mean: m ← β m + (1 − β) g; x ← x − η ((1 − ν) g + ν m).

    Ma and Yarats (2019), Quasi-hyperbolic momentum and Adam for deep learning, who recommend ν = 0.7 and
    β = 0.999, and a rate of 1 where momentum of 0.9 took 0.1. It holds gradient descent (ν = 0), averaged
    momentum (ν = 1) and Nesterov's (ν = β).

    >>> import fallline
    >>> rule = QuasiHyperbolicMomentum(0.5, discount=0.5, momentum=0.5)
    >>> fallline.minimize("x**2", 1.0, rule, max_steps=1).x.ravel()
    array([1.  , 0.25])
    """

    name: ClassVar[str] = "qhm"
    called: ClassVar[str] = "quasi-hyperbolic momentum"

    learning_rate: LearningRate = learning_rate(1.0)
    momentum: float = hyperparameter(0.999, about="decay of the mean", symbol=r"\beta", at_least=0, below=1)
    discount: float = hyperparameter(
        0.7, about="weight of the mean against the gradient", symbol=r"\nu", at_least=0, at_most=1
    )

    def init(self, x: Quantity) -> MeanState:
        return MeanState(mean=0 * x)

    def update(
        self, gradient: Quantity, state: MeanState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, MeanState]:
        mean = self.momentum * state.mean + (1 - self.momentum) * gradient
        change = rate * ((1 - self.discount) * gradient + self.discount * mean)
        return change, MeanState(mean)


class WindowedMomentumState(NamedTuple):
    """The last steps, the oldest first."""

    history: tuple[Quantity, ...]


@dataclass(frozen=True)
class WindowedMomentum(Optimizer[WindowedMomentumState]):
    r"""Momentum with a short memory: the step is η g plus the last `window` steps η g, each decayed once an iteration.

    s_t = η g_t + Σ_{k=1..window} γᵏ η g_{t−k}; x ← x − s_t. As the window grows this becomes `Momentum`.

    The convention "tutorial" lets the newest step into the window before the sum is taken, so that it counts twice:
    s_t = η g_t + Σ_{k=1..window} γᵏ η g_{t−k+1}.

    >>> import fallline
    >>> fallline.minimize("x", 0.0, WindowedMomentum(1.0, momentum=0.5, window=1), max_steps=3).x.ravel()
    array([ 0. , -1. , -2.5, -4. ])
    """

    name: ClassVar[str] = "windowed_momentum"
    called: ClassVar[str] = "windowed momentum"
    conventions = {
        "paper": "the window holds the steps before this one",
        "tutorial": "the window holds this step too, so it counts twice",
    }

    learning_rate: LearningRate = learning_rate(0.01)
    momentum: float = hyperparameter(
        0.8, about="decay of a step in the window, each iteration", symbol=r"\gamma", at_least=0, below=1
    )
    window: int = hyperparameter(10, about="how many steps are remembered", at_least=1, whole=True)

    def init(self, x: Quantity) -> WindowedMomentumState:
        return WindowedMomentumState(history=(0 * x,) * self.window)

    def update(
        self, gradient: Quantity, state: WindowedMomentumState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, WindowedMomentumState]:
        newest = rate * gradient
        history = state.history[1:] + (newest,)  # noqa: RUF005 - Numba compiles no starred tuple
        remembered = 0 * newest
        for past in history if self.convention == "tutorial" else state.history:
            remembered = self.momentum * (remembered + past)
        return newest + remembered, WindowedMomentumState(history)
