"""Adam and its family: a running mean of the gradient over a running measure of its size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from fallline.arrays import Quantity
from fallline.hyperparameters import hyperparameter
from fallline.optimizers.base import SMALLEST, LearningRate, Optimizer, decay, epsilon, learning_rate


class AdamState(NamedTuple):
    """The running means of the gradient and of its square, or of what the rule uses in place of the square."""

    m: Quantity
    v: Quantity


@dataclass(frozen=True)
class Adam(Optimizer[AdamState]):
    r"""Momentum divided by the gradient's recent size, both corrected for starting at zero.

    m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; x ← x − η m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵗ) and
    v̂ = v / (1 − β₂ᵗ).

    Kingma and Ba (2015), Adam: a method for stochastic optimization.

    Libraries differ: keras adds epsilon to √v, before the correction of v, which makes it about 30 times as
    large at the first step: x ← x − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε). The convention "tutorial" adds
    epsilon to the ratio, x ← x − (η / √v̂ + ε) m̂, and takes 0.9 as the default of beta2.

    Attributes:
        learning_rate: η; the α of the paper.
        beta1: β₁.
        beta2: β₂.
        epsilon: ε; 1e-7 in keras.

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, Adam(0.5, epsilon=0.0), max_steps=1).x.ravel()
    array([1. , 0.5])
    """

    name: ClassVar[str] = "adam"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "epsilon is added to the root of the corrected v",
        "torch": "as the paper",
        "keras": "epsilon is added to the root of v before its correction",
        "optax": "as the paper",
        "tutorial": "epsilon is added to the ratio of the rate and the root",
    }

    learning_rate: LearningRate = learning_rate(0.001)
    beta1: float = decay(0.9, "mean", r"\beta_1")
    beta2: float = decay(0.999, "mean square", r"\beta_2", tutorial=0.9)
    epsilon: float = epsilon(1e-8, keras=1e-7)

    def init(self, x: Quantity) -> AdamState:
        return AdamState(m=0 * x, v=0 * x)

    def update(
        self, gradient: Quantity, state: AdamState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, AdamState]:
        m = self.beta1 * state.m + (1 - self.beta1) * gradient
        v = self.beta2 * state.v + (1 - self.beta2) * gradient**2
        m_hat = m / (1 - self.beta1**step)
        v_hat = v / (1 - self.beta2**step)
        if self.convention == "tutorial":
            change = (rate / np.sqrt(np.maximum(v_hat, SMALLEST)) + self.epsilon) * m_hat
        elif self.convention == "keras":
            change = rate * np.sqrt(1 - self.beta2**step) * m_hat / (np.sqrt(v) + self.epsilon)
        else:
            change = rate * m_hat / (np.sqrt(v_hat) + self.epsilon)
        return change, AdamState(m, v)


class AdamWState(NamedTuple):
    """Adam's running means, and the point."""

    x: Quantity
    m: Quantity
    v: Quantity


@dataclass(frozen=True)
class AdamW(Optimizer[AdamWState]):
    r"""Adam with decoupled weight decay: x ← x − η m̂ / (√v̂ + ε) − λ x, with the m̂ and v̂ of Adam.

    Loshchilov and Hutter (2019), Decoupled weight decay regularization. Their decay is not multiplied by the
    rate, only by the multiplier of their schedule, which is 1 here.

    Libraries differ: torch, keras and optax multiply the decay by the rate, x ← x − … − η λ x, so the paper's
    λ is their η λ. In keras epsilon is added as in its Adam. Their defaults of λ differ by a factor of 100.

    Attributes:
        learning_rate: η.
        beta1: β₁.
        beta2: β₂.
        epsilon: ε; 1e-7 in keras.
        weight_decay: λ; 0.01 in torch, 0.004 in keras, 0.0001 in optax. The paper names no default; 1e-5 is
            what torch's comes to.

    >>> import fallline
    >>> rule = AdamW(0.5, epsilon=0.0, weight_decay=0.125)
    >>> fallline.minimize("x**2", 1.0, rule, max_steps=1).final.x
    array([0.375])
    """

    name: ClassVar[str] = "adamw"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "the decay is not multiplied by the rate",
        "torch": "the decay is multiplied by the rate",
        "keras": "the decay is multiplied by the rate; epsilon as in the Adam of keras",
        "optax": "the decay is multiplied by the rate",
    }

    learning_rate: LearningRate = learning_rate(0.001)
    beta1: float = decay(0.9, "mean", r"\beta_1")
    beta2: float = decay(0.999, "mean square", r"\beta_2")
    epsilon: float = epsilon(1e-8, keras=1e-7)
    weight_decay: float = hyperparameter(
        1e-5,
        about="how much x shrinks each step",
        symbol=r"\lambda",
        at_least=0,
        defaults={"torch": 0.01, "keras": 0.004, "optax": 1e-4},
    )

    def init(self, x: Quantity) -> AdamWState:
        return AdamWState(x=x, m=0 * x, v=0 * x)

    def update(
        self, gradient: Quantity, state: AdamWState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, AdamWState]:
        m = self.beta1 * state.m + (1 - self.beta1) * gradient
        v = self.beta2 * state.v + (1 - self.beta2) * gradient**2
        m_hat = m / (1 - self.beta1**step)
        v_hat = v / (1 - self.beta2**step)
        if self.convention == "keras":
            change = rate * np.sqrt(1 - self.beta2**step) * m_hat / (np.sqrt(v) + self.epsilon)
        else:
            change = rate * m_hat / (np.sqrt(v_hat) + self.epsilon)
        decay = self.weight_decay if self.convention == "paper" else rate * self.weight_decay
        change = change + decay * state.x
        return change, AdamWState(state.x - change, m, v)


class AdaMaxState(NamedTuple):
    """The running mean of the gradient and its decaying largest size."""

    m: Quantity
    u: Quantity


@dataclass(frozen=True)
class AdaMax(Optimizer[AdaMaxState]):
    r"""Adam with the largest recent slope in the place of the root mean square: x ← x − η m̂ / u.

    m ← β₁ m + (1 − β₁) g; u ← max(β₂ u, |g|); m̂ = m / (1 − β₁ᵗ).

    Kingma and Ba (2015), Adam: a method for stochastic optimization, section 7.1. The paper has no epsilon;
    a coordinate that never had a slope stays where it is.

    Libraries differ: torch and optax add epsilon to |g| in the maximum, keras to u in the quotient.

    Attributes:
        learning_rate: η; 0.001 in keras.
        beta1: β₁.
        beta2: β₂.
        epsilon: ε; 1e-8 in torch and optax, 1e-7 in keras.

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, AdaMax(0.5), max_steps=1).final.x
    array([0.5])
    """

    name: ClassVar[str] = "adamax"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "no epsilon",
        "torch": "epsilon is added to the slope's size in the maximum",
        "keras": "epsilon is added to the maximum",
        "optax": "epsilon is added to the slope's size in the maximum",
    }

    learning_rate: LearningRate = learning_rate(0.002, {"keras": 0.001})
    beta1: float = decay(0.9, "mean", r"\beta_1")
    beta2: float = decay(0.999, "largest size", r"\beta_2")
    epsilon: float = epsilon(0.0, torch=1e-8, keras=1e-7, optax=1e-8)

    def init(self, x: Quantity) -> AdaMaxState:
        return AdaMaxState(m=0 * x, u=0 * x)

    def update(
        self, gradient: Quantity, state: AdaMaxState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, AdaMaxState]:
        m = self.beta1 * state.m + (1 - self.beta1) * gradient
        m_hat = m / (1 - self.beta1**step)
        if self.convention == "keras":
            u = np.maximum(self.beta2 * state.u, np.abs(gradient))
            change = rate * m_hat / np.maximum(u + self.epsilon, SMALLEST)
        else:
            u = np.maximum(self.beta2 * state.u, np.abs(gradient) + self.epsilon)
            change = rate * m_hat / np.maximum(u, SMALLEST)
        return change, AdaMaxState(m, u)


class AMSGradState(NamedTuple):
    """Adam's running means, and the largest mean square so far."""

    m: Quantity
    v: Quantity
    largest: Quantity


@dataclass(frozen=True)
class AMSGrad(Optimizer[AMSGradState]):
    r"""Adam that never forgets its largest mean square, so that no coordinate's rate grows again.

    m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; w ← max(w, v); x ← x − η m / √w.

    Reddi, Kale and Kumar (2018), On the convergence of Adam and beyond. The paper corrects nothing for
    starting at zero and has no epsilon; a coordinate that never had a slope stays where it is. Its analysis
    lets η fall as 1 / √t, which here is a schedule.

    Libraries differ in what the maximum is taken of: torch and keras keep the largest raw v and correct it
    afterwards by the present step, optax keeps the largest corrected v̂. As v̂ is largest in the first steps,
    optax may stay small for good where the others recover.

    Attributes:
        learning_rate: η.
        beta1: β₁.
        beta2: β₂.
        epsilon: ε; 1e-8 in torch and optax, 1e-7 in keras.

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, AMSGrad(0.5, beta1=0.0, beta2=0.75), max_steps=1).final.x
    array([0.])
    """

    name: ClassVar[str] = "amsgrad"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "the largest raw v; no corrections, no epsilon",
        "torch": "the largest raw v, corrected afterwards; m corrected",
        "keras": "the largest raw v, corrected afterwards, epsilon added before that; m corrected",
        "optax": "the largest corrected v; m corrected",
    }

    learning_rate: LearningRate = learning_rate(0.001)
    beta1: float = decay(0.9, "mean", r"\beta_1")
    beta2: float = decay(0.999, "mean square", r"\beta_2")
    epsilon: float = epsilon(0.0, torch=1e-8, keras=1e-7, optax=1e-8)

    def init(self, x: Quantity) -> AMSGradState:
        return AMSGradState(m=0 * x, v=0 * x, largest=0 * x)

    def update(
        self, gradient: Quantity, state: AMSGradState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, AMSGradState]:
        m = self.beta1 * state.m + (1 - self.beta1) * gradient
        v = self.beta2 * state.v + (1 - self.beta2) * gradient**2
        m_hat = m if self.convention == "paper" else m / (1 - self.beta1**step)
        if self.convention == "optax":
            largest = np.maximum(v / (1 - self.beta2**step), state.largest)
            size = np.sqrt(np.maximum(largest, SMALLEST)) + self.epsilon
        else:
            largest = np.maximum(v, state.largest)
            if self.convention == "torch":
                size = np.sqrt(np.maximum(largest / (1 - self.beta2**step), SMALLEST)) + self.epsilon
            elif self.convention == "keras":
                size = np.sqrt(np.maximum(largest, SMALLEST)) + self.epsilon
                size = size / np.sqrt(1 - self.beta2**step)
            else:
                size = np.sqrt(np.maximum(largest, SMALLEST)) + self.epsilon
        return rate * m_hat / size, AMSGradState(m, v, largest)


class NAdamState(NamedTuple):
    """Adam's running means, and the product of the momentum schedule so far."""

    m: Quantity
    v: Quantity
    product: Quantity


@dataclass(frozen=True)
class NAdam(Optimizer[NAdamState]):
    r"""Adam with Nesterov's momentum: the present gradient counts once more in the mean.

    With μₜ = β₁ (1 − ½ · 0.96^(ψ t)): m ← μₜ m + (1 − μₜ) g; v ← β₂ v + (1 − β₂) g²;
    m̂ = μₜ₊₁ m / (1 − μ₁ ⋯ μₜ₊₁) + (1 − μₜ) g / (1 − μ₁ ⋯ μₜ); v̂ = β₂ v / (1 − β₂ᵗ);
    x ← x − η m̂ / (√v̂ + ε).

    Dozat (2016), Incorporating Nesterov momentum into Adam.

    Libraries differ, each its own way: all three leave out the β₂ in v̂, and torch and keras let m decay by
    the constant β₁ though they correct it by the schedule. The ψ of keras is 1, where the paper and torch
    have 0.004: in keras the schedule is over after some hundred steps. optax has none at all, μₜ = β₁.

    Attributes:
        learning_rate: η.
        beta1: β₁, towards which the momentum grows; 0.9 in the libraries.
        beta2: β₂; the ν of the paper.
        epsilon: ε.
        momentum_decay: ψ, how fast the momentum grows; not used by optax.

    >>> import fallline
    >>> rule = NAdam(0.5, beta1=0.5, epsilon=0.0, convention="optax")
    >>> fallline.minimize("x**2", 1.0, rule, max_steps=1).final.x
    array([0.33333333])
    """

    name: ClassVar[str] = "nadam"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "the mean decays by the momentum schedule; v is multiplied by beta2 once more",
        "torch": "the mean decays by beta1, though it is corrected by the schedule",
        "keras": "as torch, with a momentum schedule 250 times as fast",
        "optax": "no momentum schedule",
    }

    learning_rate: LearningRate = learning_rate(0.002, {"keras": 0.001})
    beta1: float = decay(0.99, "mean", r"\beta_1", torch=0.9, keras=0.9, optax=0.9)
    beta2: float = decay(0.999, "mean square", r"\beta_2")
    epsilon: float = epsilon(1e-8, keras=1e-7)
    momentum_decay: float = hyperparameter(
        0.004, about="how fast the momentum grows", symbol=r"\psi", at_least=0, defaults={"keras": 1.0}
    )

    def init(self, x: Quantity) -> NAdamState:
        return NAdamState(m=0 * x, v=0 * x, product=0 * x + 1)

    def update(
        self, gradient: Quantity, state: NAdamState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, NAdamState]:
        if self.convention == "optax":
            mu = self.beta1
            mu_next = self.beta1
        else:
            mu = self.beta1 * (1 - 0.5 * 0.96 ** (self.momentum_decay * step))
            mu_next = self.beta1 * (1 - 0.5 * 0.96 ** (self.momentum_decay * (step + 1)))
        product = state.product * mu
        kept = mu if self.convention == "paper" else self.beta1
        m = kept * state.m + (1 - kept) * gradient
        v = self.beta2 * state.v + (1 - self.beta2) * gradient**2
        m_hat = mu_next * m / (1 - product * mu_next) + (1 - mu) * gradient / (1 - product)
        v_hat = v / (1 - self.beta2**step)
        if self.convention == "paper":
            v_hat = self.beta2 * v_hat
        return rate * m_hat / (np.sqrt(v_hat) + self.epsilon), NAdamState(m, v, product)


@dataclass(frozen=True)
class RAdam(Optimizer[AdamState]):
    r"""Adam that waits until it knows the size of the slopes: momentum at first, then rectified Adam.

    With ρ∞ = 2 / (1 − β₂) − 1 and ρ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ): while ρ ≤ 4, x ← x − η m̂; after that
    x ← x − η r m̂ / √v̂ with r² = (ρ − 4) (ρ − 2) ρ∞ / ((ρ∞ − 4) (ρ∞ − 2) ρ). m̂ and v̂ are Adam's.

    Liu et al. (2020), On the variance of the adaptive learning rate and beyond. The paper has no epsilon.

    Libraries differ: they wait until ρ > 5 (torch) or ρ ≥ 5 (optax), and add epsilon to √v before its
    correction (torch) or after it (optax).

    Attributes:
        learning_rate: η.
        beta1: β₁.
        beta2: β₂.
        epsilon: ε; 1e-8 in torch and optax.
        threshold: what ρ must pass; 5 in torch and optax. Below 4 there is no r.

    >>> import fallline
    >>> fallline.minimize("x**2/2", 1.0, RAdam(0.5), max_steps=1).final.x
    array([0.5])
    """

    name: ClassVar[str] = "radam"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "adapts once rho > 4; no epsilon",
        "torch": "adapts once rho > 5; epsilon is added to the root of v before its correction",
        "optax": "adapts once rho >= 5; epsilon is added to the root of the corrected v",
    }

    learning_rate: LearningRate = learning_rate(0.001)
    beta1: float = decay(0.9, "mean", r"\beta_1")
    beta2: float = decay(0.999, "mean square", r"\beta_2")
    epsilon: float = epsilon(0.0, torch=1e-8, optax=1e-8)
    threshold: float = hyperparameter(
        4.0,
        about="effective number of slopes before it adapts",
        symbol=r"\rho_0",
        at_least=4,
        defaults={"torch": 5.0, "optax": 5.0},
    )

    def init(self, x: Quantity) -> AdamState:
        return AdamState(m=0 * x, v=0 * x)

    def update(
        self, gradient: Quantity, state: AdamState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, AdamState]:
        m = self.beta1 * state.m + (1 - self.beta1) * gradient
        v = self.beta2 * state.v + (1 - self.beta2) * gradient**2
        m_hat = m / (1 - self.beta1**step)
        correction = 1 - self.beta2**step
        rho_end = 2 / (1 - self.beta2) - 1
        rho = rho_end - 2 * step * self.beta2**step / correction
        # Both branches are computed, so the unused one must not divide 0 by 0 or take the root of a negative number.
        top = np.maximum((rho - 4) * (rho - 2) * rho_end, SMALLEST)
        r = np.sqrt(top / np.maximum((rho_end - 4) * (rho_end - 2) * rho, SMALLEST))
        if self.convention == "torch":
            adapted = r * m_hat * np.sqrt(correction) / np.maximum(np.sqrt(v) + self.epsilon, SMALLEST)
        else:
            adapted = r * m_hat / (np.sqrt(np.maximum(v / correction, SMALLEST)) + self.epsilon)
        enough = rho >= self.threshold if self.convention == "optax" else rho > self.threshold
        return rate * np.where(enough, adapted, m_hat), AdamState(m, v)


class AdaBeliefState(NamedTuple):
    """The running means of the gradient and of its squared distance from that mean."""

    m: Quantity
    s: Quantity


@dataclass(frozen=True)
class AdaBelief(Optimizer[AdaBeliefState]):
    r"""Adam that divides by how far the gradient is from its running mean: small steps where it deviates.

    m ← β₁ m + (1 − β₁) g; s ← β₂ s + (1 − β₂) (g − m)² + ε; x ← x − η m̂ / (√ŝ + ε) with m̂ = m / (1 − β₁ᵗ) and
    ŝ = s / (1 − β₂ᵗ).

    Zhuang et al. (2020), AdaBelief optimizer: adapting stepsizes by the belief in observed gradients.

    Libraries differ: optax has two epsilons, `eps` beside the root and `eps_root` under it, both 1e-16; the
    paper has one, 1e-8. The authors' own package `adabelief-pytorch` has one, 1e-16, and by default rectifies
    as RAdam does; with `rectify=False` it is this rule.

    Attributes:
        learning_rate: η.
        beta1: β₁.
        beta2: β₂.
        epsilon: ε, in both places; 1e-16 in optax.

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, AdaBelief(0.5, beta1=0.5, epsilon=0.0), max_steps=1).final.x
    array([0.])
    """

    name: ClassVar[str] = "adabelief"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "epsilon of 1e-8 beside and under the root",
        "optax": "as the paper, with an epsilon of 1e-16",
    }

    learning_rate: LearningRate = learning_rate(0.001)
    beta1: float = decay(0.9, "mean", r"\beta_1")
    beta2: float = decay(0.999, "mean squared surprise", r"\beta_2")
    epsilon: float = epsilon(1e-8, optax=1e-16)

    def init(self, x: Quantity) -> AdaBeliefState:
        return AdaBeliefState(m=0 * x, s=0 * x)

    def update(
        self, gradient: Quantity, state: AdaBeliefState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, AdaBeliefState]:
        m = self.beta1 * state.m + (1 - self.beta1) * gradient
        s = self.beta2 * state.s + (1 - self.beta2) * (gradient - m) ** 2 + self.epsilon
        m_hat = m / (1 - self.beta1**step)
        s_hat = s / (1 - self.beta2**step)
        change = rate * m_hat / np.maximum(np.sqrt(s_hat) + self.epsilon, SMALLEST)
        return change, AdaBeliefState(m, s)


@dataclass(frozen=True)
class Yogi(Optimizer[AdamState]):
    r"""Adam whose v moves by a fixed share of g² towards it, so that v cannot shrink fast.

    m ← β₁ m + (1 − β₁) g; v ← v − (1 − β₂) sign(v − g²) g²; x ← x − η m / (√v + ε).

    Zaheer, Reddi, Sachan, Kale and Kumar (2018), Adaptive methods for nonconvex optimization. The paper
    starts v at a mean of squared gradients at the first point; here it starts at `initial`.

    Libraries differ: optax corrects m and v for starting at zero, although it starts both at 1e-6: there a
    coordinate without any slope moves.

    Attributes:
        learning_rate: η.
        beta1: β₁.
        beta2: β₂.
        epsilon: ε.
        initial: what v starts at, in optax m too.

    >>> import fallline
    >>> rule = Yogi(0.5, beta1=0.0, beta2=0.75, epsilon=0.0, initial=0.0)
    >>> fallline.minimize("x**2", 1.0, rule, max_steps=1).final.x
    array([0.])
    """

    name: ClassVar[str] = "yogi"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "no corrections; m starts at 0",
        "optax": "m and v corrected; m starts at 1e-6, as v does",
    }

    learning_rate: LearningRate = learning_rate(0.01)
    beta1: float = decay(0.9, "mean", r"\beta_1")
    beta2: float = decay(0.999, "mean square", r"\beta_2")
    epsilon: float = epsilon(1e-3)
    initial: float = hyperparameter(1e-6, about="where v starts", symbol="v_0", at_least=0)

    def init(self, x: Quantity) -> AdamState:
        start = 0 * x + self.initial
        return AdamState(m=start if self.convention == "optax" else 0 * x, v=start)

    def update(
        self, gradient: Quantity, state: AdamState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, AdamState]:
        m = self.beta1 * state.m + (1 - self.beta1) * gradient
        v = state.v - (1 - self.beta2) * np.sign(state.v - gradient**2) * gradient**2
        if self.convention == "optax":
            m_hat = m / (1 - self.beta1**step)
            change = rate * m_hat / (np.sqrt(v / (1 - self.beta2**step)) + self.epsilon)
        else:
            change = rate * m / (np.sqrt(v) + self.epsilon)
        return change, AdamState(m, v)


class AdanState(NamedTuple):
    """The point; the running means of the gradient, its change and their squared sum; the last gradient."""

    x: Quantity
    m: Quantity
    v: Quantity
    n: Quantity
    last: Quantity


@dataclass(frozen=True)
class Adan(Optimizer[AdanState]):
    r"""Adam with Nesterov's momentum made of the gradient's change d = g − g₋₁.

    m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) d; n ← β₃ n + (1 − β₃) (g + β₂ d)²;
    x ← (x − η (m + β₂ v) / (√n + ε)) / (1 + η λ). At the first step m = g, v = 0 and n = g².

    Xie et al. (2024), Adan: adaptive Nesterov momentum algorithm for faster optimizing deep models. The paper
    writes each β as what is here 1 − β.

    Libraries differ: optax weighs the change, in n and in the step, by 1 − β₂ where the paper has, in these
    letters, β₂: 0.08 in place of 0.92 by default. It starts the means at 0 and corrects them, has a second
    epsilon under the root, and decays x by x ← x − … − η λ x.

    Attributes:
        learning_rate: η.
        beta1: β₁.
        beta2: β₂.
        beta3: β₃.
        epsilon: ε.
        epsilon_root: a second epsilon, added to n̂ under the root; only optax has it.
        weight_decay: λ.

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, Adan(0.5, epsilon=0.0), max_steps=1).final.x
    array([0.5])
    """

    name: ClassVar[str] = "adan"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "the means start at the first gradient; the change weighs beta2",
        "optax": "the means start at 0 and are corrected; the change weighs 1 - beta2",
    }

    learning_rate: LearningRate = learning_rate(0.001)
    beta1: float = decay(0.98, "mean", r"\beta_1")
    beta2: float = decay(0.92, "mean change of the gradient", r"\beta_2")
    beta3: float = decay(0.99, "mean square", r"\beta_3")
    epsilon: float = epsilon(1e-8)
    epsilon_root: float = hyperparameter(
        0.0,
        about="keeps the root away from 0",
        symbol=r"\epsilon_r",
        at_least=0,
        defaults={"optax": 1e-8},
    )
    weight_decay: float = hyperparameter(0.0, about="how much x shrinks each step", symbol=r"\lambda", at_least=0)

    def init(self, x: Quantity) -> AdanState:
        return AdanState(x=x, m=0 * x, v=0 * x, n=0 * x, last=0 * x)

    def update(
        self, gradient: Quantity, state: AdanState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, AdanState]:
        difference = np.where(step == 1, 0 * gradient, gradient - state.last)
        weight = 1 - self.beta2 if self.convention == "optax" else self.beta2
        ahead = gradient + weight * difference
        m = self.beta1 * state.m + (1 - self.beta1) * gradient
        v = self.beta2 * state.v + (1 - self.beta2) * difference
        n = self.beta3 * state.n + (1 - self.beta3) * ahead**2
        if self.convention == "optax":
            mean = m / (1 - self.beta1**step) + weight * (v / (1 - self.beta2**step))
            size = np.sqrt(n / (1 - self.beta3**step) + self.epsilon_root) + self.epsilon
            change = rate * mean / size + rate * self.weight_decay * state.x
        else:
            m = np.where(step == 1, gradient, m)
            n = np.where(step == 1, gradient**2, n)
            part = rate * (m + weight * v) / (np.sqrt(n + self.epsilon_root) + self.epsilon)
            shrunk = rate * self.weight_decay
            change = (part + shrunk * state.x) / (1 + shrunk)
        return change, AdanState(state.x - change, m, v, n, gradient)


@dataclass(frozen=True)
class AdaBound(Optimizer[AdamState]):
    r"""Adam whose rates are held between bounds that close in on one number: it ends as momentum.

    m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; x ← x − clip(η / √v, low, high) / √t · m with
    low = η∞ (1 − 1 / (γ t + 1)) and high = η∞ (1 + 1 / (γ t)).

    Luo, Xiong, Liu and Sun (2019), Adaptive gradient methods with dynamic bound of learning rate. The paper
    has γ = 1 − β₂ and no epsilon.

    The authors' own package `adabound` departs from their paper: it corrects m and v as Adam does, adds
    epsilon to √v and does not divide by √t. (Its η∞ follows a schedule of the rate; here it stays.)

    Attributes:
        learning_rate: η.
        beta1: β₁.
        beta2: β₂.
        epsilon: ε; 1e-8 in the package.
        final_rate: η∞.
        gamma: γ, how fast the bounds close in.

    >>> import fallline
    >>> rule = AdaBound(8.0, beta1=0.5, beta2=0.75, final_rate=0.25, gamma=0.5)
    >>> fallline.minimize("x**2", 1.0, rule, max_steps=1).final.x
    array([0.25])
    """

    name: ClassVar[str] = "adabound"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "the rates are divided by the root of t; no corrections, no epsilon",
        "authors": "m and v corrected, no root of t, as in the authors' package",
    }

    learning_rate: LearningRate = learning_rate(0.001)
    beta1: float = decay(0.9, "mean", r"\beta_1")
    beta2: float = decay(0.999, "mean square", r"\beta_2")
    epsilon: float = epsilon(0.0, authors=1e-8)
    final_rate: float = hyperparameter(
        0.1, about="the rate that the bounds close in on", symbol=r"\eta_\infty", above=0
    )
    gamma: float = hyperparameter(1e-3, about="how fast the bounds close in", symbol=r"\gamma", above=0, below=1)

    def init(self, x: Quantity) -> AdamState:
        return AdamState(m=0 * x, v=0 * x)

    def update(
        self, gradient: Quantity, state: AdamState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, AdamState]:
        m = self.beta1 * state.m + (1 - self.beta1) * gradient
        v = self.beta2 * state.v + (1 - self.beta2) * gradient**2
        size = np.sqrt(np.maximum(v, SMALLEST)) + self.epsilon
        low = self.final_rate * (1 - 1 / (self.gamma * step + 1))
        high = self.final_rate * (1 + 1 / (self.gamma * step))
        if self.convention == "authors":
            corrected = rate * np.sqrt(1 - self.beta2**step) / (1 - self.beta1**step)
            bounded = np.minimum(np.maximum(corrected / size, low), high)
        else:
            bounded = np.minimum(np.maximum(rate / size, low), high) / np.sqrt(step)
        return bounded * m, AdamState(m, v)


@dataclass(frozen=True)
class LaProp(Optimizer[AdamState]):
    r"""Adam in the other order: the gradient is divided by its root mean square first, then averaged.

    v ← β₂ v + (1 − β₂) g²; m ← β₁ m + (1 − β₁) g / (√(v / (1 − β₂ᵗ)) + ε); x ← x − η m / (1 − β₁ᵗ).

    Ziyin, Wang and Ueda (2020), LaProp: separating momentum and adaptivity in Adam.

    Attributes:
        learning_rate: η.
        beta1: β₁; the μ of the paper.
        beta2: β₂; the ν of the paper.
        epsilon: ε.

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, LaProp(0.5, epsilon=0.0), max_steps=1).final.x
    array([0.5])
    """

    name: ClassVar[str] = "laprop"

    learning_rate: LearningRate = learning_rate(4e-4)
    beta1: float = decay(0.9, "mean", r"\beta_1")
    beta2: float = decay(0.999, "mean square", r"\beta_2")
    epsilon: float = epsilon(1e-15)

    def init(self, x: Quantity) -> AdamState:
        return AdamState(m=0 * x, v=0 * x)

    def update(
        self, gradient: Quantity, state: AdamState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, AdamState]:
        v = self.beta2 * state.v + (1 - self.beta2) * gradient**2
        size = np.sqrt(v / (1 - self.beta2**step)) + self.epsilon
        m = self.beta1 * state.m + (1 - self.beta1) * gradient / size
        return rate * m / (1 - self.beta1**step), AdamState(m, v)
