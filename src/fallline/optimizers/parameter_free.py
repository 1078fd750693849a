"""Parameter-free rules: they find the learning rate from the distance travelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from fallline.arrays import Quantity
from fallline.hyperparameters import hyperparameter
from fallline.optimizers.base import SMALLEST, LearningRate, Optimizer, decay, epsilon, learning_rate


class DoGState(NamedTuple):
    """The point and the start, the largest distance between them so far, and the sum of the squared gradients."""

    x: Quantity
    start: Quantity
    distance: Quantity
    total: Quantity


@dataclass(frozen=True)
class DoG(Optimizer[DoGState]):
    r"""Distance over gradients: x ← x − η r g / √G, r the largest distance from the start so far, G ← G + ‖g‖².

    r begins at r₀ (1 + ‖x₀‖). Ivgi, Hinder and Carmon (2023), DoG is SGD's best friend: a parameter-free dynamic
    step size schedule. Its authors recommend averaging the points of the run, which this rule does not do.

    Libraries differ: optax, like the authors' own package `dog-optimizer`, adds an epsilon to G.

    Attributes:
        learning_rate: η; the c of the paper, who advise to leave it at 1.
        initial: r₀; `reps_rel` in `dog-optimizer`. 1e-4 for a model with batch normalisation.
        epsilon: ε; 1e-8 in optax.

    >>> import fallline
    >>> fallline.minimize("x**2/2", 3.0, DoG(initial=0.25), max_steps=1).final.x
    array([2.])
    """

    name: ClassVar[str] = "dog"
    conventions = {
        "paper": "no epsilon",
        "optax": "an epsilon is added to the sum of squares",
    }
    elementwise: ClassVar[bool] = False

    learning_rate: LearningRate = learning_rate(1.0)
    initial: float = hyperparameter(1e-6, about="the first distance, as a part of 1 + ‖x₀‖", symbol="r_0", above=0)
    epsilon: float = epsilon(0.0, optax=1e-8)

    def init(self, x: Quantity) -> DoGState:
        size = np.linalg.norm(x, axis=-1, keepdims=True)
        return DoGState(x=x, start=x, distance=self.initial * (1 + size), total=0 * size)

    def update(self, gradient: Quantity, state: DoGState, rate: Quantity, step: Quantity) -> tuple[Quantity, DoGState]:
        away = np.linalg.norm(state.x - state.start, axis=-1, keepdims=True)
        distance = np.maximum(state.distance, away)
        total = state.total + np.sum(gradient**2, axis=-1, keepdims=True)
        change = rate * distance / np.sqrt(np.maximum(total + self.epsilon, SMALLEST)) * gradient
        return change, DoGState(state.x - change, state.start, distance, total)


class ProdigyState(NamedTuple):
    """The point and the start, Adam's running means, the two sums for the distance estimate, and the estimate."""

    x: Quantity
    start: Quantity
    m: Quantity
    v: Quantity
    r: Quantity
    s: Quantity
    d: Quantity


@dataclass(frozen=True)
class Prodigy(Optimizer[ProdigyState]):
    r"""Adam that finds its rate d, an estimate of how far the solution is: x ← x − η d (m / (√v + d ε) + λ x).

    m ← β₁ m + (1 − β₁) d g; v ← β₂ v + (1 − β₂) d² g²; and after both, with x₀ the start,
    r ← √β₂ r + η d² g·(x₀ − x); s ← √β₂ s + η d² g; d ← max(d, c r / ‖s‖₁), for the next step.

    Mishchenko and Defazio (2024), Prodigy: an expeditiously adaptive parameter-free learner. (In the paper
    r and s have a factor 1 − √β₂, which cancels, and there is neither c nor λ.)

    Libraries differ: the authors' own package `prodigyopt` and optax multiply epsilon by the new d. Optax multiplies
    η by √(1 − β₂ᵗ) / (1 − β₁ᵗ) throughout, as does the package with `use_bias_correction=True`. A first gradient
    of exactly 0 gives NaN in optax; here, and in the package, x stays.

    Attributes:
        learning_rate: η; the γ of the paper. To be left at 1.
        beta1: β₁.
        beta2: β₂.
        epsilon: ε.
        initial: what d starts at; `d0` in `prodigyopt`, `estim_lr0` in optax.
        coefficient: c; `d_coef` in `prodigyopt`, `estim_lr_coef` in optax.
        weight_decay: λ.
        safeguard_warmup: leaves η out of s, so that a small rate at the start does not count.

    >>> import fallline
    >>> rule = Prodigy(beta1=0.5, beta2=0.75, epsilon=0.0, initial=0.25)
    >>> fallline.minimize("x**2", 1.0, rule, max_steps=1).final.x
    array([0.75])
    """

    name: ClassVar[str] = "prodigy"
    conventions = {
        "paper": "epsilon is multiplied by the d of this step; nothing is corrected",
        "authors": "epsilon is multiplied by the d of the next step",
        "optax": "epsilon is multiplied by the d of the next step; the rate is corrected as in Adam",
    }
    elementwise: ClassVar[bool] = False

    learning_rate: LearningRate = learning_rate(1.0)
    beta1: float = decay(0.9, "mean", r"\beta_1")
    beta2: float = decay(0.999, "mean square", r"\beta_2")
    epsilon: float = epsilon(1e-8)
    initial: float = hyperparameter(1e-6, about="where d starts", symbol="d_0", above=0)
    coefficient: float = hyperparameter(1.0, about="multiplies the estimate of d", symbol="c", above=0)
    weight_decay: float = hyperparameter(0.0, about="how much x shrinks each step", symbol=r"\lambda", at_least=0)
    safeguard_warmup: bool = False

    def init(self, x: Quantity) -> ProdigyState:
        return ProdigyState(x=x, start=x, m=0 * x, v=0 * x, r=0 * x, s=0 * x, d=0 * x + self.initial)

    def update(
        self, gradient: Quantity, state: ProdigyState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, ProdigyState]:
        d = state.d
        scaled = rate * d
        if self.convention == "optax":
            scaled = scaled * np.sqrt(1 - self.beta2**step) / (1 - self.beta1**step)
        m = self.beta1 * state.m + (1 - self.beta1) * d * gradient
        v = self.beta2 * state.v + (1 - self.beta2) * d**2 * gradient**2
        along = np.sum(gradient * (state.start - state.x), axis=-1, keepdims=True)
        r = np.sqrt(self.beta2) * state.r + d * scaled * along
        s = np.sqrt(self.beta2) * state.s + d * (d if self.safeguard_warmup else scaled) * gradient
        size = np.sum(np.abs(s), axis=-1, keepdims=True)
        next_d = np.maximum(d, self.coefficient * r / np.maximum(size, SMALLEST))
        unit = d if self.convention == "paper" else next_d
        change = scaled * (m / (np.sqrt(v) + unit * self.epsilon) + self.weight_decay * state.x)
        return change, ProdigyState(state.x - change, state.start, m, v, r, s, next_d)
