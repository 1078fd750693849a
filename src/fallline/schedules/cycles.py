"""Schedules whose rate rises and falls, once or again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from fallline.arrays import Quantity
from fallline.errors import FalllineError
from fallline.hyperparameters import hyperparameter
from fallline.schedules.base import Schedule, straight


@dataclass(frozen=True)
class CosineRestarts(Schedule):
    r"""Half cosines, each from the full rate and `growth` times as long as the one before.

    Loshchilov and Hutter (2017), SGDR: stochastic gradient descent with warm restarts.

    Attributes:
        initial: the rate of the first step, and of the first step of each period.
        steps: the length of the first period.
        growth: how many times as long as the one before each period is.
        final: what each period falls towards, as a part of the first rate; the restart comes just before.

    >>> schedule = CosineRestarts(1.0, steps=10, growth=2)
    >>> [round(float(schedule.rate(step)), 3) for step in (1, 6, 11, 21, 31)]
    [1.0, 0.5, 1.0, 0.5, 1.0]
    """

    name: ClassVar[str] = "cosine_restarts"

    initial: float = hyperparameter(about="rate of the first step", symbol=r"\eta_0", above=0)
    steps: int = hyperparameter(100, about="steps in the first period", symbol="T", at_least=1, whole=True)
    growth: int = hyperparameter(1, about="length of a period over that of the one before", at_least=1, whole=True)
    final: float = hyperparameter(0.0, about="last rate, as a part of the first", symbol=r"\phi", at_least=0)

    def rate(self, step: Quantity) -> Quantity:
        passed = step - 1
        if self.growth == 1:
            begun, length = passed // self.steps * self.steps, self.steps
        else:
            # The logarithm, rounded down, may miss a restart; whole numbers do not.
            ratio = self.growth - 1
            period = np.floor(np.log(passed * ratio / self.steps + 1) / np.log(self.growth))
            period = period + (passed >= self.steps * (self.growth ** (period + 1) - 1) / ratio)
            begun = self.steps * (self.growth**period - 1) / ratio
            length = self.steps * self.growth**period
        part = (passed - begun) / length
        return self.initial * (self.final + (1 - self.final) * (1 + np.cos(np.pi * part)) / 2)


@dataclass(frozen=True)
class OneCycle(Schedule):
    r"""Up to the peak, down again, and then to almost zero.

    Smith (2018), A disciplined approach to neural network hyper-parameters: linearly up for a fraction `warm_up`
    of the steps, linearly down for as many, and linearly to the last rate in the rest. The first step has the first
    rate, the last step the last rate. The conventions "torch" and "optax" go up and then all the way down in
    half cosines; in optax there are int(warm_up · steps) steps up, and the last rate is reached one step after
    the last.

    Attributes:
        peak: the largest rate.
        steps: how many steps there are; the last rate stays after them.
        warm_up: the part of the steps that goes up.
        start: the first rate as a part of the peak.
        final: the last rate as a part of the peak.
        convention: "paper", "torch" or "optax".

    >>> schedule = OneCycle(1.0, steps=100, warm_up=0.25)
    >>> [round(float(schedule.rate(step)), 6) for step in (1, 13, 25, 49, 100)]
    [0.04, 0.52, 1.0, 0.04, 4e-06]
    """

    name: ClassVar[str] = "one_cycle"
    called: ClassVar[str] = "one-cycle"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "straight up, straight down as long, straight to the last rate",
        "torch": "half a cosine up, half a cosine down to the last rate",
        "optax": "as torch, but one step longer, and the steps up cut to a whole number",
    }

    peak: float = hyperparameter(about="largest rate", symbol=r"\eta_{\max}", above=0)
    steps: int = hyperparameter(1000, about="steps in all", symbol="T", at_least=2, whole=True)
    warm_up: float = hyperparameter(0.3, about="part of the steps that goes up", symbol="w", above=0, below=1)
    start: float = hyperparameter(0.04, about="first rate, as a part of the peak", symbol=r"\sigma", above=0)
    final: float = hyperparameter(4e-6, about="last rate, as a part of the peak", symbol=r"\phi", at_least=0)
    convention: str = field(default="paper", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.convention == "paper" and np.any(np.asarray(self.warm_up) > 0.5):
            raise FalllineError(
                "warm_up", self.warm_up, "it must be at most 0.5, for the way down is as long", of="OneCycle"
            )

    def rate(self, step: Quantity) -> Quantity:
        if self.convention == "optax":
            up, end = np.floor(self.warm_up * self.steps), self.steps
        else:
            up, end = np.maximum(self.warm_up * self.steps - 1, 0), self.steps - 1
        passed = np.minimum(step - 1, end)
        shape: Quantity
        if self.convention == "paper":
            shape = np.where(
                passed <= up,
                straight(self.start, 1.0, _part(passed, up)),
                np.where(
                    passed <= 2 * up,
                    straight(1.0, self.start, _part(passed - up, up)),
                    straight(self.start, self.final, _part(passed - 2 * up, end - 2 * up)),
                ),
            )
        else:
            shape = np.where(
                passed <= up,
                _half_cosine(self.start, 1.0, _part(passed, up)),
                _half_cosine(1.0, self.final, _part(passed - up, end - up)),
            )
        return self.peak * shape


def _part(passed: Quantity, length: Quantity) -> Quantity:
    """The fraction of a phase that has passed; 1 for a phase of length 0."""
    return np.where(length > 0, passed / np.maximum(length, 1e-300), 1.0)


def _half_cosine(start: Quantity, end: Quantity, part: Quantity) -> Quantity:
    return end + (start - end) * (1 + np.cos(np.pi * part)) / 2


@dataclass(frozen=True)
class Cyclic(Schedule):
    r"""Linearly up to the peak and linearly down again, repeatedly.

    Smith (2017), Cyclical learning rates for training neural networks: "triangular" with the defaults, "triangular2"
    with shrink=0.5, "exp_range" with a decay below 1.

    Attributes:
        peak: the largest rate of the first cycle.
        steps: the number of steps up, and of steps down.
        low: the rate between the cycles, as a part of the peak; the paper advises 1/4 or 1/3.
        shrink: what the height of the peak is multiplied by from cycle to cycle.
        decay: what it is multiplied by from step to step.

    >>> schedule = Cyclic(1.0, steps=4, low=0.5)
    >>> [float(schedule.rate(step)) for step in (1, 3, 5, 9, 13)]
    [0.5, 0.75, 1.0, 0.5, 1.0]
    """

    name: ClassVar[str] = "cyclic"

    peak: float = hyperparameter(about="largest rate", symbol=r"\eta_{\max}", above=0)
    steps: int = hyperparameter(2000, about="steps up, and down", symbol="T", at_least=1, whole=True)
    low: float = hyperparameter(0.25, about="lowest rate, as a part of the peak", symbol=r"\sigma", above=0)
    shrink: float = hyperparameter(
        1.0, about="height of a cycle over that of the one before", symbol="s", above=0, at_most=1
    )
    decay: float = hyperparameter(1.0, about="decay of the height, each step", symbol=r"\gamma", above=0, at_most=1)

    def rate(self, step: Quantity) -> Quantity:
        passed = step - 1
        climbed = 1 - np.abs(passed % (2 * self.steps) / self.steps - 1)
        height = (1 - self.low) * self.shrink ** (passed // (2 * self.steps)) * self.decay**passed
        return self.peak * (self.low + climbed * height)
