"""Adaptive rules: a learning rate per coordinate, from its past gradients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from fallline.arrays import Quantity
from fallline.hyperparameters import hyperparameter
from fallline.optimizers.base import SMALLEST, LearningRate, Optimizer, decay, epsilon, learning_rate


class AdaGradState(NamedTuple):
    """The sum of the squared gradients."""

    total: Quantity


@dataclass(frozen=True)
class AdaGrad(Optimizer[AdaGradState]):
    r"""Each coordinate's rate shrinks with the slopes it has seen: G ← G + g²; x ← x − η g / (√G + ε).

    Duchi, Hazan and Singer (2011), Adaptive subgradient methods for online learning and stochastic
    optimization.

    Libraries differ: keras and optax start the sum at 0.1, torch and the paper at 0, and they put epsilon
    under the root: x ← x − η g / √(G + ε). The convention "tutorial" adds epsilon to the ratio:
    x ← x − (η / √G + ε) g. The `lr_decay` of torch is the schedule `InverseTime`.

    Attributes:
        learning_rate: η.
        epsilon: ε; 1e-10 in torch, 1e-7 in keras and optax.
        initial: what the sum starts at.

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, AdaGrad(0.5, epsilon=0.0), max_steps=1).x.ravel()
    array([1. , 0.5])
    """

    name: ClassVar[str] = "adagrad"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "epsilon is added to the root; the sum starts at 0",
        "torch": "as the paper",
        "keras": "epsilon inside the root; the sum starts at 0.1",
        "optax": "epsilon inside the root; the sum starts at 0.1",
        "tutorial": "epsilon is added to the ratio of the rate and the root",
    }

    learning_rate: LearningRate = learning_rate(0.01, {"keras": 0.001})
    epsilon: float = epsilon(1e-8, torch=1e-10, keras=1e-7, optax=1e-7)
    initial: float = hyperparameter(
        0.0, about="where the sum starts", symbol="G_0", at_least=0, defaults={"keras": 0.1, "optax": 0.1}
    )

    def init(self, x: Quantity) -> AdaGradState:
        return AdaGradState(total=0 * x + self.initial)

    def update(
        self, gradient: Quantity, state: AdaGradState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, AdaGradState]:
        total = state.total + gradient**2
        if self.convention == "tutorial":
            change = (rate / np.sqrt(np.maximum(total, SMALLEST)) + self.epsilon) * gradient
        elif self.convention in ("keras", "optax"):
            change = rate * gradient / np.sqrt(np.maximum(total + self.epsilon, SMALLEST))
        else:
            change = rate * gradient / (np.sqrt(total) + self.epsilon)
        return change, AdaGradState(total)


class RMSPropState(NamedTuple):
    """The running means of the squared gradients and of the gradients, and the running sum of steps."""

    mean_square: Quantity
    mean: Quantity
    velocity: Quantity


@dataclass(frozen=True)
class RMSProp(Optimizer[RMSPropState]):
    r"""The slope divided by its recent size: v ← β v + (1 − β) g²; x ← x − η g / (√v + ε).

    Tieleman and Hinton (2012), Lecture 6.5: divide the gradient by a running average of its recent
    magnitude. If centred, the square of the mean gradient is subtracted from v, and with momentum the steps add up:
    Graves (2013), Generating sequences with recurrent neural networks. Rounding may make the centred v slightly
    negative; it is then taken as 0, where the libraries return NaN.

    Libraries differ: keras and optax put epsilon under the root, η g / √(v + ε); with momentum, torch
    multiplies by the rate after the steps are added up, the others before, which differs under a schedule.
    The convention "tutorial" adds epsilon to the ratio: (η / √v + ε) g. The convention "tf1" is TensorFlow 1's
    `tf.train.RMSPropOptimizer`, with which many published results were made: epsilon under the root, and v starts at 1,
    so that the first steps are shorter.

    Attributes:
        learning_rate: η; 0.01 in torch.
        beta: β, the decay of the means; `alpha` in torch, 0.99, `rho` in keras, `decay` in optax and tf1.
        epsilon: ε; 1e-7 in keras, 1e-10 in tf1.
        momentum: how much of the last step is kept.
        centered: whether v is the variance of the gradient rather than its mean square.

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, RMSProp(0.5, beta=0.75, epsilon=0.0), max_steps=1).x.ravel()
    array([1., 0.])
    """

    name: ClassVar[str] = "rmsprop"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "epsilon is added to the root; the rate inside the momentum",
        "torch": "as the paper, but the rate outside the momentum",
        "keras": "epsilon inside the root",
        "optax": "epsilon inside the root",
        "tf1": "epsilon inside the root; the mean square starts at 1",
        "tutorial": "epsilon is added to the ratio of the rate and the root",
    }

    learning_rate: LearningRate = learning_rate(0.001, {"torch": 0.01})
    beta: float = decay(0.9, "mean square", r"\beta", torch=0.99)
    epsilon: float = epsilon(1e-8, keras=1e-7, tf1=1e-10)
    momentum: float = hyperparameter(0.0, about="how much of the last step is kept", symbol=r"\mu", at_least=0, below=1)
    centered: bool = False

    def init(self, x: Quantity) -> RMSPropState:
        mean_square = 0 * x + 1 if self.convention == "tf1" else 0 * x
        return RMSPropState(mean_square, mean=0 * x, velocity=0 * x)

    def update(
        self, gradient: Quantity, state: RMSPropState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, RMSPropState]:
        mean_square = self.beta * state.mean_square + (1 - self.beta) * gradient**2
        if self.centered:
            mean = self.beta * state.mean + (1 - self.beta) * gradient
            spread = np.maximum(mean_square - mean**2, 0)
        else:
            mean = state.mean
            spread = mean_square
        if self.convention == "torch":
            velocity = self.momentum * state.velocity + gradient / (np.sqrt(spread) + self.epsilon)
            return rate * velocity, RMSPropState(mean_square, mean, velocity)
        if self.convention == "tutorial":
            part = (rate / np.sqrt(np.maximum(spread, SMALLEST)) + self.epsilon) * gradient
        elif self.convention == "paper":
            part = rate * gradient / (np.sqrt(spread) + self.epsilon)
        else:
            part = rate * gradient / np.sqrt(np.maximum(spread + self.epsilon, SMALLEST))
        velocity = self.momentum * state.velocity + part
        return velocity, RMSPropState(mean_square, mean, velocity)


class AdadeltaState(NamedTuple):
    """The running means of the squared gradients and of the squared changes."""

    mean_square: Quantity
    mean_square_change: Quantity


@dataclass(frozen=True)
class Adadelta(Optimizer[AdadeltaState]):
    r"""The gradient scaled by the size of recent changes: Δ = √(D + ε) / √(v + ε) · g; x ← x − η Δ.

    v ← ρ v + (1 − ρ) g² before Δ is computed, D ← ρ D + (1 − ρ) Δ² after it.

    Zeiler (2012), ADADELTA: an adaptive learning rate method. The paper has no rate: η = 1.

    Libraries differ only in their defaults, most importantly the rate of keras, 0.001. Without a rate,
    `optax.adadelta()` does not change the sign of the step, so it ascends.

    Attributes:
        learning_rate: η.
        rho: ρ, the decay of both means; 0.9 in torch and optax.
        epsilon: ε; 1e-7 in keras.

    >>> import fallline
    >>> fallline.minimize("x**2/2", 1.0, Adadelta(rho=0.0, epsilon=3.0), max_steps=1).final.x
    array([0.1339746])
    """

    name: ClassVar[str] = "adadelta"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "no rate: it is 1",
        "torch": "as the paper",
        "keras": "as the paper, with a rate of 0.001",
        "optax": "as the paper, at a rate of 1; without a rate optax climbs",
    }

    learning_rate: LearningRate = learning_rate(1.0, {"keras": 0.001})
    rho: float = decay(0.95, "mean squares", r"\rho", torch=0.9, optax=0.9)
    epsilon: float = epsilon(1e-6, keras=1e-7)

    def init(self, x: Quantity) -> AdadeltaState:
        return AdadeltaState(mean_square=0 * x, mean_square_change=0 * x)

    def update(
        self, gradient: Quantity, state: AdadeltaState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, AdadeltaState]:
        mean_square = self.rho * state.mean_square + (1 - self.rho) * gradient**2
        size = np.sqrt(np.maximum(mean_square + self.epsilon, SMALLEST))
        change = np.sqrt(state.mean_square_change + self.epsilon) / size * gradient
        mean_square_change = self.rho * state.mean_square_change + (1 - self.rho) * change**2
        return rate * change, AdadeltaState(mean_square, mean_square_change)


class FTRLState(NamedTuple):
    """The point, the sum of the squared gradients and the sum of the gradients less what was paid back."""

    x: Quantity
    n: Quantity
    z: Quantity


@dataclass(frozen=True)
class FTRL(Optimizer[FTRLState]):
    r"""Follow the regularised leader: the point that all gradients so far ask for, exactly 0 where |z| ≤ λ₁.

    σ = ((n + g²)ᵖ − nᵖ) / η; z ← z + g − σ x; n ← n + g²; x ← (clip(z, −λ₁, λ₁) − z) / ((β + nᵖ) / η + λ₂),
    with p = ½.

    McMahan et al. (2013), Ad click prediction: a view from the trenches. The rule regularises towards 0: its
    first step forgets most of a start elsewhere, even where the slope is 0.

    Libraries differ: keras starts n at 0.1 and takes β = 0 by default, and its l2 counts twice: 2 λ₂ stands
    in the place of λ₂.

    Attributes:
        learning_rate: η; the α of the paper. Its best value depends on the problem.
        beta: β; "1 is usually good enough", says the paper.
        l1: λ₁.
        l2: λ₂.
        shrinkage: adds 2 · shrinkage · x to the gradient in z, but not in n; keras knows it as
            `l2_shrinkage_regularization_strength`, the paper does not have it.
        power: p; minus the `learning_rate_power` of keras.
        initial: what n starts at.

    >>> import fallline
    >>> fallline.minimize("(x - 3)**2/2", 0.0, FTRL(1.0, l1=1.0), max_steps=1).final.x
    array([0.5])
    """

    name: ClassVar[str] = "ftrl"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "n starts at 0, beta is 1",
        "keras": "n starts at 0.1, beta is 0, l2 counts twice",
    }

    learning_rate: LearningRate = learning_rate(0.1, {"keras": 0.001})
    beta: float = hyperparameter(
        1.0, about="damps the first steps", symbol=r"\beta", at_least=0, defaults={"keras": 0.0}
    )
    l1: float = hyperparameter(0.0, about="weight of |x|: makes zeros", symbol=r"\lambda_1", at_least=0)
    l2: float = hyperparameter(0.0, about="weight of x²", symbol=r"\lambda_2", at_least=0)
    shrinkage: float = hyperparameter(0.0, about="weight of x² in the gradient", symbol=r"\lambda_s", at_least=0)
    power: float = hyperparameter(
        0.5, about="power of the summed squares that divides the rate", symbol="p", at_least=0
    )
    initial: float = hyperparameter(
        0.0, about="where the sum of squares starts", symbol="n_0", at_least=0, defaults={"keras": 0.1}
    )

    def init(self, x: Quantity) -> FTRLState:
        return FTRLState(x=x, n=0 * x + self.initial, z=0 * x)

    def update(
        self, gradient: Quantity, state: FTRLState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, FTRLState]:
        n = state.n + gradient**2
        # The exponent has the shape of n, because NumPy computes scalar powers differently in the last digits.
        power = self.power + 0 * n
        sigma = (n**power - state.n**power) / rate
        z = state.z + gradient + 2 * self.shrinkage * state.x - sigma * state.x
        l2 = 2 * self.l2 if self.convention == "keras" else self.l2
        stiffness = np.maximum((self.beta + n**power) / rate + l2, SMALLEST)
        change = state.x - (np.minimum(np.maximum(z, -self.l1), self.l1) - z) / stiffness
        return change, FTRLState(state.x - change, n, z)


class MADGRADState(NamedTuple):
    """The point and the start, and the weighted sums of the gradients and of their squares."""

    x: Quantity
    start: Quantity
    s: Quantity
    v: Quantity


@dataclass(frozen=True)
class MADGRAD(Optimizer[MADGRADState]):
    r"""Dual averaging with a cube root and momentum: z = x₀ − s / (∛v + ε); x ← μ x + (1 − μ) z.

    With λ = η √t: s ← s + λ g; v ← v + λ g².

    Defazio and Jelassi (2021), Adaptivity without compromise: a momentumized, adaptive, dual averaged
    gradient method for stochastic optimization.

    Libraries differ: optax, like the authors' own package `madgrad`, adds epsilon to the rate too:
    λ = (η + ε) √t.

    Attributes:
        learning_rate: η; the γ of the paper.
        momentum: μ; the paper writes c for 1 − μ.
        epsilon: ε.

    >>> import fallline
    >>> fallline.minimize("x**2/2", 8.0, MADGRAD(1.0, momentum=0.5, epsilon=0.0), max_steps=1).final.x
    array([7.])
    """

    name: ClassVar[str] = "madgrad"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "the rate as it is",
        "optax": "epsilon is added to the rate too",
    }

    learning_rate: LearningRate = learning_rate(0.01)
    momentum: float = hyperparameter(
        0.9, about="how much of the last point is kept", symbol=r"\mu", at_least=0, below=1
    )
    epsilon: float = epsilon(1e-6)

    def init(self, x: Quantity) -> MADGRADState:
        return MADGRADState(x=x, start=x, s=0 * x, v=0 * x)

    def update(
        self, gradient: Quantity, state: MADGRADState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, MADGRADState]:
        weight = (rate + self.epsilon if self.convention == "optax" else rate) * np.sqrt(step)
        s = state.s + weight * gradient
        v = state.v + weight * gradient**2
        z = state.start - s / np.maximum(np.cbrt(v) + self.epsilon, SMALLEST)
        change = (1 - self.momentum) * (state.x - z)
        return change, MADGRADState(state.x - change, state.start, s, v)
