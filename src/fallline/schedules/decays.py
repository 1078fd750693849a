"""Schedules that fall from their first rate, by steps or smoothly."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from fallline.arrays import Quantity
from fallline.errors import FalllineError, Verbatim
from fallline.hyperparameters import hyperparameter
from fallline.schedules.base import Schedule


@dataclass(frozen=True)
class StepDecay(Schedule):
    r"""The rate is multiplied by `factor` after every `every` steps: η₀ · factor^⌊(t − 1) / every⌋.

    The convention "tutorial" drops it once more, right after the first step, like a loop that counts
    from 0 and tests `i % every == 0` after the update: η₀ · factor^⌈(t − 1) / every⌉.

    Attributes:
        initial: the rate of the first step.
        factor: what the rate is multiplied by.
        every: the number of steps between two drops.
        convention: "paper" or "tutorial".

    >>> schedule = StepDecay(1.0, factor=0.5, every=10)
    >>> [schedule.rate(step) for step in (1, 10, 11, 21)]
    [1.0, 1.0, 0.5, 0.25]
    """

    name: ClassVar[str] = "step"
    called: ClassVar[str] = "step decay"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "first drop after `every` steps",
        "tutorial": "first drop after the first step",
    }

    initial: float = hyperparameter(about="rate of the first step", symbol=r"\eta_0", above=0)
    factor: float = hyperparameter(0.1, about="what the rate is multiplied by", symbol=r"\gamma", above=0)
    every: int = hyperparameter(30, about="steps between two drops", symbol="n", at_least=1, whole=True)
    convention: str = field(default="paper", kw_only=True)

    def rate(self, step: Quantity) -> Quantity:
        passed = step - 1 if self.convention == "paper" else step + self.every - 2
        return self.initial * self.factor ** (passed // self.every)


def _check_milestones(schedule: Any) -> None:
    """Check the settings of a schedule with milestones, of which one number is one milestone."""
    if np.ndim(schedule.milestones) == 0:
        object.__setattr__(schedule, "milestones", (schedule.milestones,))
    Schedule.__post_init__(schedule)
    milestones = tuple(int(milestone) for milestone in schedule.milestones)
    object.__setattr__(schedule, "milestones", milestones)
    if any(later <= earlier for earlier, later in itertools.pairwise(milestones)):
        raise FalllineError(
            "milestones", Verbatim(milestones), "each must be above the one before", of=type(schedule).__name__
        )


@dataclass(frozen=True)
class MultiStep(Schedule):
    r"""The rate is multiplied by `factor` after each of the milestones: η₀ · factor^(milestones before t).

    Attributes:
        initial: the rate of the first step.
        factor: what the rate is multiplied by.
        milestones: after how many steps it drops, in rising order.

    >>> schedule = MultiStep(1.0, factor=0.5, milestones=(10, 15))
    >>> [float(schedule.rate(step)) for step in (10, 11, 15, 16)]
    [1.0, 0.5, 0.5, 0.25]
    """

    name: ClassVar[str] = "multi_step"
    called: ClassVar[str] = "multi-step"

    initial: float = hyperparameter(about="rate of the first step", symbol=r"\eta_0", above=0)
    factor: float = hyperparameter(0.1, about="what the rate is multiplied by", symbol=r"\gamma", above=0)
    milestones: tuple[int, ...] = hyperparameter(
        (30, 80), about="steps after which the rate drops", symbol="m", at_least=1, whole=True
    )

    def __post_init__(self) -> None:
        _check_milestones(self)

    def rate(self, step: Quantity) -> Quantity:
        passed = sum(np.where(step > milestone, 1, 0) for milestone in self.milestones)
        return self.initial * self.factor**passed


@dataclass(frozen=True)
class PiecewiseConstant(Schedule):
    r"""A rate for each stretch between milestones: η₀, then η₀ times each of the parts in turn.

    The milestones are the steps after which the rate changes, as in optax. Keras's `PiecewiseConstantDecay` counts
    steps from 0 and changes the rate above its boundaries, so one step later: the convention "keras".

    Attributes:
        initial: the rate of the first step.
        milestones: after how many steps the rate changes, in rising order; `boundaries` in keras.
        parts: the rates from there on, as parts of the first.
        convention: "paper" or "keras".

    >>> schedule = PiecewiseConstant(1.0, milestones=(10, 15), parts=(0.5, 2.0))
    >>> [float(schedule.rate(step)) for step in (10, 11, 15, 16)]
    [1.0, 0.5, 0.5, 2.0]
    """

    name: ClassVar[str] = "piecewise_constant"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "another rate after each milestone",
        "keras": "another rate after the step behind each milestone",
    }

    initial: float = hyperparameter(about="rate of the first step", symbol=r"\eta_0", above=0)
    milestones: tuple[int, ...] = hyperparameter(
        (30, 80), about="steps after which the rate changes", symbol="m", at_least=0, whole=True
    )
    parts: tuple[float, ...] = hyperparameter(
        (0.1, 0.01), about="later rates, as parts of the first", symbol="p", above=0
    )
    convention: str = field(default="paper", kw_only=True)

    def __post_init__(self) -> None:
        _check_milestones(self)
        object.__setattr__(self, "parts", tuple(float(part) for part in np.atleast_1d(self.parts)))
        if len(self.parts) != len(self.milestones):
            raise FalllineError(
                "parts",
                self.parts,
                f"it must be {len(self.milestones)}, one for each milestone",
                of=type(self).__name__,
            )

    def rate(self, step: Quantity) -> Quantity:
        rate: Quantity = self.initial
        for milestone, part in zip(self.milestones, self.parts, strict=True):
            rate = np.where(step > milestone + (self.convention == "keras"), self.initial * part, rate)
        return rate


@dataclass(frozen=True)
class Exponential(Schedule):
    r"""The rate is multiplied by `decay` after every step: η₀ · decay^(t − 1).

    Attributes:
        initial: the rate of the first step.
        decay: what the rate is multiplied by.

    >>> Exponential(1.0, decay=0.5).rate(4)
    0.125
    """

    name: ClassVar[str] = "exponential"

    initial: float = hyperparameter(about="rate of the first step", symbol=r"\eta_0", above=0)
    decay: float = hyperparameter(0.99, about="what the rate is multiplied by", symbol=r"\gamma", above=0)

    def rate(self, step: Quantity) -> Quantity:
        return self.initial * self.decay ** (step - 1)


@dataclass(frozen=True)
class Polynomial(Schedule):
    r"""The rate falls as a power to its last value and stays there: η₀ (φ + (1 − φ) (1 − (t − 1) / steps)^power).

    Linear with a power of 1. Chen, Papandreou, Kokkinos, Murphy and Yuille (2018), DeepLab, made it usual
    ("poly").

    Attributes:
        initial: the rate of the first step.
        steps: after how many steps the last rate is reached.
        power: the exponent.
        final: φ, the last rate as a part of the first. With 0 nothing moves from there on.

    >>> schedule = Polynomial(1.0, steps=4, power=2)
    >>> [float(schedule.rate(step)) for step in (1, 3, 5, 6)]
    [1.0, 0.25, 0.0, 0.0]
    """

    name: ClassVar[str] = "polynomial"

    initial: float = hyperparameter(about="rate of the first step", symbol=r"\eta_0", above=0)
    steps: int = hyperparameter(1000, about="steps until the last rate", symbol="T", at_least=1, whole=True)
    power: float = hyperparameter(1.0, about="exponent of the fall", symbol="p", above=0)
    final: float = hyperparameter(0.0, about="last rate, as a part of the first", symbol=r"\phi", at_least=0)

    def rate(self, step: Quantity) -> Quantity:
        left = 1 - np.minimum(step - 1, self.steps) / self.steps
        return self.initial * (self.final + (1 - self.final) * left**self.power)


@dataclass(frozen=True)
class InverseTime(Schedule):
    r"""The rate falls as one over the time: η₀ / (1 + decay · (t − 1)).

    Robbins and Monro (1951), A stochastic approximation method: the sum of the rates diverges, and the sum of their
    squares converges.

    Attributes:
        initial: the rate of the first step.
        decay: how fast it falls.

    >>> InverseTime(1.0, decay=0.5).rate(3)
    0.5
    """

    name: ClassVar[str] = "inverse_time"

    initial: float = hyperparameter(about="rate of the first step", symbol=r"\eta_0", above=0)
    decay: float = hyperparameter(0.01, about="speed of the fall", symbol=r"\lambda", at_least=0)

    def rate(self, step: Quantity) -> Quantity:
        return self.initial / (1 + self.decay * (step - 1))


@dataclass(frozen=True)
class Cosine(Schedule):
    r"""Half a cosine down to the last rate, which stays: η₀ (φ + (1 − φ) (1 + cos(π (t − 1) / steps)) / 2).

    Loshchilov and Hutter (2017), SGDR: stochastic gradient descent with warm restarts. The convention "torch" is
    `CosineAnnealingLR`, whose rate climbs back to the first in the same number of steps, and falls again.

    Attributes:
        initial: the rate of the first step.
        steps: after how many steps the last rate is reached; `T_max` in torch.
        final: φ, the last rate as a part of the first. With 0 nothing moves from there on.
        convention: "paper" or "torch".

    >>> schedule = Cosine(1.0, steps=100, final=0.5)
    >>> [float(schedule.rate(step)) for step in (1, 51, 101, 1000)]
    [1.0, 0.75, 0.5, 0.5]
    >>> [float(Cosine(1.0, steps=100, final=0.5, convention="torch").rate(step)) for step in (101, 151, 201)]
    [0.5, 0.75, 1.0]
    """

    name: ClassVar[str] = "cosine"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "the last rate stays",
        "torch": "behind the last rate it climbs again, and so on",
    }

    initial: float = hyperparameter(about="rate of the first step", symbol=r"\eta_0", above=0)
    steps: int = hyperparameter(1000, about="steps until the last rate", symbol="T", at_least=1, whole=True)
    final: float = hyperparameter(0.0, about="last rate, as a part of the first", symbol=r"\phi", at_least=0)
    convention: str = field(default="paper", kw_only=True)

    def rate(self, step: Quantity) -> Quantity:
        passed = (step - 1 if self.convention == "torch" else np.minimum(step - 1, self.steps)) / self.steps
        return self.initial * (self.final + (1 - self.final) * (1 + np.cos(np.pi * passed)) / 2)
