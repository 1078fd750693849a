"""Rules that use the sign of each partial derivative and not its size. The sign of 0 is 0: no step is made there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from fallline.arrays import Quantity
from fallline.hyperparameters import hyperparameter
from fallline.optimizers.base import LearningRate, Optimizer, learning_rate


@dataclass(frozen=True)
class SignDescent(Optimizer[None]):
    r"""A step of fixed length against the sign of each slope: x ← x − η sign(g). Where the slope is 0, x stays.

    Riedmiller and Braun (1993), A direct adaptive method for faster backpropagation learning, treat the sign
    alone as the direction; this is their rule with a constant step. Bernstein, Wang, Azizzadenesheli and
    Anandkumar (2018), signSGD: compressed optimisation for non-convex problems, study it by itself.

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, SignDescent(0.5), max_steps=2).x.ravel()
    array([1. , 0.5, 0. ])
    """

    name: ClassVar[str] = "sign_descent"
    called: ClassVar[str] = "sign descent"
    conventions = {"paper": "one step against the signs", "optax": "as the paper"}

    learning_rate: LearningRate = learning_rate(0.01)

    def init(self, x: Quantity) -> None:
        return None

    def update(self, gradient: Quantity, state: None, rate: Quantity, step: Quantity) -> tuple[Quantity, None]:
        return rate * np.sign(gradient), state


class SignumState(NamedTuple):
    """The running mean of the gradients."""

    m: Quantity


@dataclass(frozen=True)
class Signum(Optimizer[SignumState]):
    r"""A step against the signs of the gradient's running mean: m ← β m + (1 − β) g; x ← x − η sign(m).

    Bernstein, Wang, Azizzadenesheli and Anandkumar (2018), signSGD: compressed optimisation for non-convex
    problems, Algorithm 2.

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, Signum(0.5, beta=0.5), max_steps=3).x.ravel()
    array([ 1. ,  0.5,  0. , -0.5])
    """

    name: ClassVar[str] = "signum"
    conventions = {"paper": "one step against the signs of the mean", "optax": "as the paper"}

    learning_rate: LearningRate = learning_rate(0.001)
    beta: float = hyperparameter(0.9, about="decay of the mean", symbol=r"\beta", at_least=0, below=1)

    def init(self, x: Quantity) -> SignumState:
        return SignumState(m=0 * x)

    def update(
        self, gradient: Quantity, state: SignumState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, SignumState]:
        m = (1 - self.beta) * gradient + self.beta * state.m
        return rate * np.sign(m), SignumState(m)


class RpropState(NamedTuple):
    """The length of each coordinate's step, and the sign of its last slope."""

    size: Quantity
    direction: Quantity


@dataclass(frozen=True)
class Rprop(Optimizer[RpropState]):
    r"""Each coordinate's step grows while its slope keeps its sign, and shrinks when the sign changes.

    Δ ← min(η₊ Δ, Δ_max) where the sign is the last one, max(η₋ Δ, Δ_min) where it is the other one, Δ where
    either slope is 0; x ← x − Δ sign(g). The learning rate is the first Δ; a schedule's later rates are not used.

    Riedmiller and Braun (1993), A direct adaptive method for faster backpropagation learning: the RPROP
    algorithm, without their step back; named Rprop− by Igel and Hüsken (2003), Empirical evaluation of the
    improved Rprop learning algorithms. Their iRprop−, the convention "irprop", sets the slope to 0 where
    its sign has changed, so that x stays for one step.

    What torch and optax call Rprop is iRprop−. They differ in when Δ is clipped to its bounds, which matters if the
    first Δ is outside of them: torch clips it at every step, optax at steps that change it, each to both bounds.
    Optax (0.2.8) also moves x one step late: by the Δ sign(g) of the step before, and not at all in the first.

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, Rprop(0.5), max_steps=3).x.ravel()
    array([ 1. ,  0.5, -0.1,  0.2])
    """

    name: ClassVar[str] = "rprop"
    conventions = {
        "paper": "Rprop−: where the sign has changed, the shorter step is taken",
        "irprop": "iRprop−: where the sign has changed, x waits for one step",
        "torch": "iRprop−, the step held between its bounds every time",
        "optax": "iRprop−, the step held between its bounds when it changes; x moves one step late",
    }

    learning_rate: LearningRate = learning_rate(0.1, {"torch": 0.01})
    shrink: float = hyperparameter(
        0.5, about="factor of the step where the sign has changed", symbol=r"\eta_-", above=0, below=1
    )
    grow: float = hyperparameter(1.2, about="factor of the step where it has not", symbol=r"\eta_+", above=1)
    smallest: float = hyperparameter(1e-6, about="the shortest step", symbol=r"\Delta_{\min}", at_least=0)
    largest: float = hyperparameter(50.0, about="the longest step", symbol=r"\Delta_{\max}", above=0)

    def init(self, x: Quantity) -> RpropState:
        return RpropState(size=0 * x + self.rate(1), direction=0 * x)

    def update(
        self, gradient: Quantity, state: RpropState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, RpropState]:
        direction = np.sign(gradient)
        agreement = direction * state.direction
        if self.convention == "torch" or self.convention == "optax":
            grown = np.maximum(np.minimum(self.grow * state.size, self.largest), self.smallest)
            shrunk = np.maximum(np.minimum(self.shrink * state.size, self.largest), self.smallest)
        else:
            grown = np.minimum(self.grow * state.size, self.largest)
            shrunk = np.maximum(self.shrink * state.size, self.smallest)
        kept = state.size
        if self.convention == "torch":
            kept = np.maximum(np.minimum(state.size, self.largest), self.smallest)
        size = np.where(agreement > 0, grown, np.where(agreement < 0, shrunk, kept))
        if self.convention != "paper":
            direction = np.where(agreement < 0, 0 * direction, direction)
        change = size * direction
        if self.convention == "optax":
            change = np.where(agreement < 0, 0 * direction, state.size * state.direction)
        return change, RpropState(size, direction)


class LionState(NamedTuple):
    """The point and the running mean of the gradients."""

    x: Quantity
    m: Quantity


@dataclass(frozen=True)
class Lion(Optimizer[LionState]):
    r"""A step against the signs of gradient and running mean together, with decoupled weight decay.

    c = β₁ m + (1 − β₁) g; x ← x − η (sign(c) + λ x); m ← β₂ m + (1 − β₂) g.

    Chen, Liang, Huang, Real, Wang, Liu, Pham, Dong, Luong, Hsieh, Lu and Le (2023), Symbolic discovery of
    optimization algorithms. The rate is that of the authors' code. Optax decays the weights by default.

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, Lion(0.25, decay=1.0), max_steps=1).x.ravel()
    array([1. , 0.5])
    """

    name: ClassVar[str] = "lion"
    conventions = {
        "paper": "no weight decay unless asked for",
        "keras": "as the paper",
        "optax": "as the paper, with weight decay by default",
    }

    learning_rate: LearningRate = learning_rate(1e-4, {"keras": 1e-3})
    beta1: float = hyperparameter(
        0.9, about="weight of the mean against the gradient", symbol=r"\beta_1", at_least=0, below=1
    )
    beta2: float = hyperparameter(0.99, about="decay of the mean", symbol=r"\beta_2", at_least=0, below=1)
    decay: float = hyperparameter(0.0, about="weight decay", symbol=r"\lambda", at_least=0, defaults={"optax": 1e-3})

    def init(self, x: Quantity) -> LionState:
        return LionState(x=x, m=0 * x)

    def update(
        self, gradient: Quantity, state: LionState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, LionState]:
        direction = np.sign(self.beta1 * state.m + (1 - self.beta1) * gradient)
        change = rate * (direction + self.decay * state.x)
        m = self.beta2 * state.m + (1 - self.beta2) * gradient
        return change, LionState(state.x - change, m)
