"""Schedule-free rules: long steps at a constant rate, whose result is the mean of the points reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from fallline.arrays import Quantity
from fallline.hyperparameters import hyperparameter
from fallline.optimizers.base import SMALLEST, LearningRate, Optimizer, decay, epsilon, learning_rate


class ScheduleFreeState(NamedTuple):
    """The mean x and the point z that the steps move; the largest rate so far and the weights' sum."""

    x: Quantity
    z: Quantity
    largest: Quantity
    total: Quantity


@dataclass(frozen=True)
class ScheduleFreeSGD(Optimizer[ScheduleFreeState]):
    r"""Gradient descent on z whose result x is the mean of all z: z ← z − η (g + λ y); x ← x + c (z − x).

    The gradient is taken between the two, at y = (1 − β) z + β x, and c = 1 / (t + 1). x is what the run records
    and what is to be evaluated.

    Defazio et al. (2024), The road less scheduled. β is at the place of a momentum: with β = 0 this is Polyak's
    averaging, with β = 1 primal averaging. Good rates are 10 to 50 times those of plain gradient descent.

    Libraries differ: the start does not count in the mean of optax and of the authors' own package
    `schedulefree`, c = 1 / t; and where the rate changes, each z weighs as much as the largest rate so far to the
    power p. Both keep y in the parameters and compute x on demand. Under a schedule optax weighs a point by the rate
    of the step after it; here, as in `schedulefree`, by its own.

    Attributes:
        learning_rate: η; the γ of the paper.
        beta: β; `momentum` in `schedulefree`, `b1` in optax.
        weight_decay: λ; the paper has it in its experiments alone.
        rate_power: p, in the convention "optax"; `weight_lr_power` there.

    >>> import fallline
    >>> rule = ScheduleFreeSGD(0.5, beta=0.5)
    >>> fallline.minimize("x**2/2", 1.0, rule, max_steps=2).x.ravel()
    array([1.    , 0.75  , 0.5625])
    """

    name: ClassVar[str] = "schedule_free_sgd"
    called: ClassVar[str] = "schedule-free SGD"
    conventions = {
        "paper": "the mean of all z, the start included",
        "optax": "the mean of all z after the start, weighted by the rate",
    }

    learning_rate: LearningRate = learning_rate(1.0)
    beta: float = hyperparameter(
        0.9, about="how near to the mean the gradient is taken", symbol=r"\beta", at_least=0, at_most=1
    )
    weight_decay: float = hyperparameter(0.0, about="how much of y joins the gradient", symbol=r"\lambda", at_least=0)
    rate_power: float = hyperparameter(
        2.0, about="power of the rate that weighs a point in the mean", symbol="p", at_least=0
    )

    def init(self, x: Quantity) -> ScheduleFreeState:
        return ScheduleFreeState(x=x, z=x, largest=0 * x, total=0 * x)

    def lookahead(self, x: Quantity, state: ScheduleFreeState) -> Quantity:
        return (1 - self.beta) * state.z + self.beta * x

    def update(
        self, gradient: Quantity, state: ScheduleFreeState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, ScheduleFreeState]:
        y = (1 - self.beta) * state.z + self.beta * state.x
        z = state.z - rate * (gradient + self.weight_decay * y)
        if self.convention == "optax":
            largest = np.maximum(state.largest, rate)
            # An exponent in the shape of x: NumPy has other routines, with other last digits, for a lone number.
            weight = largest ** (self.rate_power + 0 * largest)
            total = state.total + weight
            share = weight / np.maximum(total, SMALLEST)
        else:
            largest, total = state.largest, state.total
            share = 1 / (1 + step)
        change = share * (state.x - z)
        return change, ScheduleFreeState(state.x - change, z, largest, total)


class ScheduleFreeAdamWState(NamedTuple):
    """The mean x, the mean square, the point z that the steps move; the largest rate and the weights' sum."""

    x: Quantity
    v: Quantity
    z: Quantity
    largest: Quantity
    total: Quantity


@dataclass(frozen=True)
class ScheduleFreeAdamW(Optimizer[ScheduleFreeAdamWState]):
    r"""AdamW without momentum on z, whose result x is the mean of all z: x ← x + c (z − x).

    With g taken at y = (1 − β₁) z + β₁ x and v ← β₂ v + (1 − β₂) g²: z ← z − η_t (g / (√v + ε) + λ y), where
    η_t = η √(1 − β₂ᵗ) and c = η_t² / Σ η_i². x is what the run records and what is to be evaluated.

    Defazio et al. (2024), The road less scheduled; in the authors' own package `schedulefree` this is
    `AdamWScheduleFreePaper`.

    Libraries differ: optax, and the main class of that package, correct v and not the rate, so that ε counts for
    more and the first z weigh as much as the later; each z weighs as much as the largest rate so far to the power p.
    Keras has c = 1 / t for any rate, and applies the decay to y after the step to it, which moves x and not
    z: x ← (1 − c) (x − η λ y / β₁) + c z. All keep y in the parameters. Under a schedule optax weighs a point by the
    rate of the step after it; here, as in `schedulefree`, by its own.

    Attributes:
        learning_rate: η; the γ of the paper.
        beta1: β₁, how near to the mean the gradient is taken.
        beta2: β₂.
        epsilon: ε.
        weight_decay: λ.
        rate_power: p, in the convention "optax"; `weight_lr_power` there.

    >>> import fallline
    >>> rule = ScheduleFreeAdamW(0.5, epsilon=0.0)
    >>> fallline.minimize("x**2", 1.0, rule, max_steps=1).final.x
    array([0.5])
    """

    name: ClassVar[str] = "schedule_free_adamw"
    called: ClassVar[str] = "schedule-free AdamW"
    conventions = {
        "paper": "the rate is corrected for the start of v; z weighs as the square of its rate",
        "keras": "v is corrected; all z weigh the same; the decay moves x, not z",
        "optax": "v is corrected; z weighs as a power of the largest rate",
    }

    learning_rate: LearningRate = learning_rate(0.0025)
    beta1: float = hyperparameter(
        0.9, about="how near to the mean the gradient is taken", symbol=r"\beta_1", at_least=0, at_most=1
    )
    beta2: float = decay(0.999, "mean square", r"\beta_2")
    epsilon: float = epsilon(1e-8)
    weight_decay: float = hyperparameter(0.0, about="how much y shrinks each step", symbol=r"\lambda", at_least=0)
    rate_power: float = hyperparameter(
        2.0, about="power of the rate that weighs a point in the mean", symbol="p", at_least=0
    )

    def init(self, x: Quantity) -> ScheduleFreeAdamWState:
        return ScheduleFreeAdamWState(x=x, v=0 * x, z=x, largest=0 * x, total=0 * x)

    def lookahead(self, x: Quantity, state: ScheduleFreeAdamWState) -> Quantity:
        return (1 - self.beta1) * state.z + self.beta1 * x

    def update(
        self, gradient: Quantity, state: ScheduleFreeAdamWState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, ScheduleFreeAdamWState]:
        y = (1 - self.beta1) * state.z + self.beta1 * state.x
        v = self.beta2 * state.v + (1 - self.beta2) * gradient**2
        correction = 1 - self.beta2**step
        largest, total = state.largest, state.total
        if self.convention == "keras":
            z = state.z - rate * gradient / (np.sqrt(v / correction) + self.epsilon)
            shortened = state.x - rate * self.weight_decay * y / self.beta1
            change = state.x - shortened + (shortened - z) / step
        else:
            if self.convention == "optax":
                z = state.z - rate * (gradient / (np.sqrt(v / correction) + self.epsilon) + self.weight_decay * y)
                largest = np.maximum(largest, rate)
                # An exponent in the shape of x: NumPy has other routines, with other last digits, for a lone number.
                weight = largest ** (self.rate_power + 0 * largest)
            else:
                corrected = rate * np.sqrt(correction)
                z = state.z - corrected * (gradient / (np.sqrt(v) + self.epsilon) + self.weight_decay * y)
                weight = corrected**2
            total = total + weight
            change = weight / np.maximum(total, SMALLEST) * (state.x - z)
        return change, ScheduleFreeAdamWState(state.x - change, v, z, largest, total)
