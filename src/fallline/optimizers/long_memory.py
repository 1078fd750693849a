"""Adam with a memory of about ten thousand gradients: ADOPT and AdEMAMix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from fallline.arrays import Quantity
from fallline.hyperparameters import hyperparameter
from fallline.optimizers.adam import AdamState
from fallline.optimizers.base import LearningRate, Optimizer, decay, epsilon, learning_rate


@dataclass(frozen=True)
class ADOPT(Optimizer[AdamState]):
    r"""Adam that divides a slope by the size of those before it, and averages the quotients.

    m ← β₁ m + (1 − β₁) g / max(√v, ε); x ← x − η m; then v ← β₂ v + (1 − β₂) g². v starts at the square of a
    slope at the start; here the first step's own serves for both, where the paper draws another.

    Taniguchi et al. (2024), ADOPT: modified Adam can converge with any β₂ with the optimal rate.

    Libraries differ: optax spends the first step on v alone and moves nothing in it. As a coordinate whose first
    slope is near 0 makes huge quotients, it holds them between −c and c with c = (t − 1)^p, which the authors
    advise too.

    Attributes:
        learning_rate: η.
        beta1: β₁.
        beta2: β₂.
        epsilon: ε.
        clip_power: p, in the convention "optax".

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, ADOPT(0.5, beta1=0.5), max_steps=1).final.x
    array([0.75])
    """

    name: ClassVar[str] = "adopt"
    conventions = {
        "paper": "the first step moves; quotients of any size",
        "optax": "the first step moves nothing; quotients are clipped, at first to 1, later less and less",
    }

    learning_rate: LearningRate = learning_rate(0.001)
    beta1: float = decay(0.9, "mean", r"\beta_1")
    beta2: float = decay(0.9999, "mean square", r"\beta_2")
    epsilon: float = epsilon(1e-6)
    clip_power: float = hyperparameter(0.25, about="how fast the bound of the quotients grows", symbol="p", at_least=0)

    def init(self, x: Quantity) -> AdamState:
        return AdamState(m=0 * x, v=0 * x)

    def update(
        self, gradient: Quantity, state: AdamState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, AdamState]:
        v = np.where(step == 1, gradient**2, state.v)
        quotient = gradient / np.maximum(np.sqrt(v), self.epsilon)
        if self.convention == "optax":
            # 0 in the first step.
            bound = (step - 1) ** self.clip_power
            quotient = np.minimum(np.maximum(quotient, -bound), bound)
        m = self.beta1 * state.m + (1 - self.beta1) * quotient
        return rate * m, AdamState(m, self.beta2 * v + (1 - self.beta2) * gradient**2)


class AdEMAMixState(NamedTuple):
    """The point; the fast and the slow running mean of the gradient, and that of its square."""

    x: Quantity
    m: Quantity
    slow: Quantity
    v: Quantity


@dataclass(frozen=True)
class AdEMAMix(Optimizer[AdEMAMixState]):
    r"""Adam with a second, much slower mean of the gradient: x ← x − η ((m̂ + α s) / (√v̂ + ε) + λ x).

    s ← β₃ s + (1 − β₃) g is not corrected for starting at zero; m̂ and v̂ are Adam's.

    Pagliardini, Ablin and Grangier (2024), The AdEMAMix optimizer: better, faster, older. A large s would
    upset the first steps, so the paper lets α and β₃ grow over T steps, with s = min(t / T, 1) to α s and to
    exp(ln β₁ ln β₃ / ((1 − s) ln β₃ + s ln β₁)); it sets T to the number of all steps. Here T is `warm_up`, and 0,
    no growth, by default, as in optax, which takes schedules for α and β₃.

    Attributes:
        learning_rate: η.
        beta1: β₁.
        beta2: β₂.
        beta3: β₃.
        alpha: α.
        epsilon: ε.
        weight_decay: λ.
        warm_up: T.

    >>> import fallline
    >>> rule = AdEMAMix(0.25, beta3=0.5, alpha=2.0, epsilon=0.0)
    >>> fallline.minimize("x**2", 1.0, rule, max_steps=1).final.x
    array([0.5])
    """

    name: ClassVar[str] = "ademamix"
    conventions = {
        "paper": "alpha and beta3 may grow over the first steps",
        "optax": "as the paper",
    }

    learning_rate: LearningRate = learning_rate(0.001)
    beta1: float = decay(0.9, "fast mean", r"\beta_1")
    beta2: float = decay(0.999, "mean square", r"\beta_2")
    beta3: float = decay(0.9999, "slow mean", r"\beta_3")
    alpha: float = hyperparameter(5.0, about="weight of the slow mean", symbol=r"\alpha", at_least=0)
    epsilon: float = epsilon(1e-8)
    weight_decay: float = hyperparameter(0.0, about="how much x shrinks each step", symbol=r"\lambda", at_least=0)
    warm_up: int = hyperparameter(
        0, about="steps in which alpha and beta3 grow to their values", at_least=0, whole=True
    )

    def init(self, x: Quantity) -> AdEMAMixState:
        return AdEMAMixState(x=x, m=0 * x, slow=0 * x, v=0 * x)

    def update(
        self, gradient: Quantity, state: AdEMAMixState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, AdEMAMixState]:
        alpha, beta3 = self.alpha, self.beta3
        if self.warm_up > 0:
            share = np.minimum(step / self.warm_up, 1.0)
            low, high = np.log(self.beta1), np.log(self.beta3)
            alpha = share * self.alpha
            beta3 = np.minimum(np.exp(low * high / ((1 - share) * high + share * low)), self.beta3)
        m = self.beta1 * state.m + (1 - self.beta1) * gradient
        slow = beta3 * state.slow + (1 - beta3) * gradient
        v = self.beta2 * state.v + (1 - self.beta2) * gradient**2
        mean = m / (1 - self.beta1**step) + alpha * slow
        size = np.sqrt(v / (1 - self.beta2**step)) + self.epsilon
        change = rate * (mean / size + self.weight_decay * state.x)
        return change, AdEMAMixState(state.x - change, m, slow, v)
