"""Rules for large batches: the length of a step is proportional to the norm of x. All of x counts as one layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from fallline.arrays import Quantity
from fallline.hyperparameters import hyperparameter
from fallline.optimizers.base import SMALLEST, LearningRate, Optimizer, decay, epsilon, learning_rate


class LARSState(NamedTuple):
    """The point and the running sum of decayed steps."""

    x: Quantity
    velocity: Quantity


@dataclass(frozen=True)
class LARS(Optimizer[LARSState]):
    r"""Momentum with steps as long as a fixed part of x, however long the gradient: v ← μ v + η r (g + λ x); x ← x − v.

    The trust ratio r is τ ‖x‖ / (‖g‖ + λ ‖x‖). You, Gitman and Ginsburg (2017), Large batch training of
    convolutional networks. The paper lets η fall as (1 − t / T)², which here is a schedule, and names no default.
    By its formula a start at exactly 0 stays there.

    Libraries differ: optax divides by the length of the sum, r = τ ‖x‖ / ‖g + λ x‖, and takes r = 1, without τ,
    where x or that sum is 0.

    Attributes:
        learning_rate: η; the γ of the paper.
        momentum: μ; the m of the paper.
        weight_decay: λ; the β of the paper. 0 in optax.
        trust: τ; the η of the paper, `trust_coefficient` in optax.
        epsilon: added to what ‖x‖ is divided by; the paper does not have it.

    >>> import fallline
    >>> rule = LARS(1.0, trust=0.1, weight_decay=0.0)
    >>> fallline.minimize("x**2 + y**2", [3.0, 4.0], rule, max_steps=1).final.x
    array([2.7, 3.6])
    """

    name: ClassVar[str] = "lars"
    conventions = {
        "paper": "x's length is divided by the sum of those of the gradient and of the decay",
        "optax": "x's length is divided by that of the sum; a ratio of 1 where either is 0",
    }
    elementwise: ClassVar[bool] = False

    learning_rate: LearningRate = learning_rate(1.0)
    momentum: float = hyperparameter(0.9, about="how much of the last step is kept", symbol=r"\mu", at_least=0, below=1)
    weight_decay: float = hyperparameter(
        5e-4, about="how much of x joins the gradient", symbol=r"\lambda", at_least=0, defaults={"optax": 0.0}
    )
    trust: float = hyperparameter(0.001, about="length of a step, as a part of that of x", symbol=r"\tau", above=0)
    epsilon: float = epsilon(0.0)

    def init(self, x: Quantity) -> LARSState:
        return LARSState(x=x, velocity=0 * x)

    def update(
        self, gradient: Quantity, state: LARSState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, LARSState]:
        size = np.linalg.norm(state.x, axis=-1, keepdims=True)
        decayed = gradient + self.weight_decay * state.x
        if self.convention == "optax":
            length = np.linalg.norm(decayed, axis=-1, keepdims=True)
        else:
            length = np.linalg.norm(gradient, axis=-1, keepdims=True) + self.weight_decay * size
        scaled = self.trust * size * (decayed / np.maximum(length + self.epsilon, SMALLEST))
        if self.convention == "optax":
            scaled = np.where(np.minimum(size, length) > 0, scaled, decayed)
        velocity = self.momentum * state.velocity + rate * scaled
        return velocity, LARSState(state.x - velocity, velocity)


class LAMBState(NamedTuple):
    """The point, and Adam's running means."""

    x: Quantity
    m: Quantity
    v: Quantity


@dataclass(frozen=True)
class LAMB(Optimizer[LAMBState]):
    r"""Adam's direction with steps as long as a fixed part of x: x ← x − η ‖x‖ / ‖u‖ · u, u = m̂ / (√v̂ + ε) + λ x.

    m̂ and v̂ are Adam's. You et al. (2020), Large batch optimization for deep learning: training BERT in 76
    minutes. The paper lets a function φ bound ‖x‖; here, as in its experiments' code and the libraries, φ(‖x‖) is
    ‖x‖. By its formula a start at exactly 0 stays there.

    Libraries differ: where x or u is 0, they take 1 in place of ‖x‖ / ‖u‖. Keras decays x before all else,
    x ← x − η λ x, and keeps the decay out of u.

    Attributes:
        learning_rate: η. The paper names no default; 0.001 is that of keras.
        beta1: β₁.
        beta2: β₂.
        epsilon: ε; 1e-7 in keras.
        weight_decay: λ; 0.01 in the paper's experiments, 0 in the libraries.

    >>> import fallline
    >>> rule = LAMB(0.25, epsilon=0.0, weight_decay=0.0)
    >>> fallline.minimize("x**2", 2.0, rule, max_steps=1).final.x
    array([1.5])
    """

    name: ClassVar[str] = "lamb"
    conventions = {
        "paper": "the decay is part of the direction; from 0 there is no way",
        "keras": "x decays first, apart from the direction; a ratio of 1 where a length is 0",
        "optax": "as the paper, with a ratio of 1 where a length is 0",
    }
    elementwise: ClassVar[bool] = False

    learning_rate: LearningRate = learning_rate(0.001)
    beta1: float = decay(0.9, "mean", r"\beta_1")
    beta2: float = decay(0.999, "mean square", r"\beta_2")
    epsilon: float = epsilon(1e-6, keras=1e-7)
    weight_decay: float = hyperparameter(
        0.01,
        about="how much x shrinks each step",
        symbol=r"\lambda",
        at_least=0,
        defaults={"keras": 0.0, "optax": 0.0},
    )

    def init(self, x: Quantity) -> LAMBState:
        return LAMBState(x=x, m=0 * x, v=0 * x)

    def update(
        self, gradient: Quantity, state: LAMBState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, LAMBState]:
        m = self.beta1 * state.m + (1 - self.beta1) * gradient
        v = self.beta2 * state.v + (1 - self.beta2) * gradient**2
        adam = m / (1 - self.beta1**step) / (np.sqrt(v / (1 - self.beta2**step)) + self.epsilon)
        if self.convention == "keras":
            decayed = rate * self.weight_decay * state.x
            direction = adam
        else:
            decayed = 0 * state.x
            direction = adam + self.weight_decay * state.x
        size = np.linalg.norm(state.x - decayed, axis=-1, keepdims=True)
        length = np.linalg.norm(direction, axis=-1, keepdims=True)
        scaled = size * (direction / np.maximum(length, SMALLEST))
        if self.convention != "paper":
            scaled = np.where(np.minimum(size, length) > 0, scaled, direction)
        change = decayed + rate * scaled
        return change, LAMBState(state.x - change, m, v)
