"""Schedules that begin with a low rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fallline.arrays import Quantity
from fallline.hyperparameters import hyperparameter
from fallline.schedules.base import Schedule, straight
from fallline.schedules.constant import make_schedule


@dataclass(frozen=True)
class WarmUp(Schedule):
    r"""Linearly up to another schedule's first rate, followed by that schedule from its first step.

    Goyal and others (2017), Accurate, large minibatch SGD: training ImageNet in 1 hour.

    Attributes:
        after: the schedule that follows, or a constant rate.
        steps: how many steps come before it.
        start: the first rate, as a part of the one that is reached; 1/3 as in torch's LinearLR.

    >>> from fallline import Exponential
    >>> schedule = WarmUp(Exponential(1.0, decay=0.5), steps=2, start=0.5)
    >>> [float(schedule.rate(step)) for step in (1, 2, 3, 4)]
    [0.5, 0.75, 1.0, 0.5]
    """

    name: ClassVar[str] = "warm_up"
    called: ClassVar[str] = "warm-up"

    after: Schedule | float
    steps: int = hyperparameter(100, about="steps before the schedule", symbol="T", at_least=1, whole=True)
    start: float = hyperparameter(1 / 3, about="first rate, as a part of the one reached", symbol=r"\sigma", at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        make_schedule(self)

    def rate(self, step: Quantity) -> Quantity:
        assert isinstance(self.after, Schedule)
        shape = self.start + (1 - self.start) * (step - 1) / self.steps
        return np.where(step > self.steps, 1.0, shape) * self.after.rate(np.maximum(step - self.steps, 1))


@dataclass(frozen=True)
class WarmUpStableDecay(Schedule):
    r"""Linearly up, a long time at the peak, and linearly down: a trapezium.

    Hu and others (2024), MiniCPM: unveiling the potential of small language models with scalable training
    strategies; the linear decay as in Hägele and others (2024), Scaling laws and compute-optimal
    training beyond fixed training durations.

    Attributes:
        peak: the largest rate.
        warm_up: steps before the peak is reached.
        stable: steps at the peak.
        decay: steps from the peak to the last rate, which stays.
        start: the first rate as a part of the peak.
        final: the last rate as a part of the peak. With 0 nothing moves from there on.

    >>> schedule = WarmUpStableDecay(1.0, warm_up=2, stable=5, decay=4, start=0.5)
    >>> [float(schedule.rate(step)) for step in (1, 2, 3, 8, 10, 12)]
    [0.5, 0.75, 1.0, 1.0, 0.5, 0.0]
    """

    name: ClassVar[str] = "warm_up_stable_decay"
    called: ClassVar[str] = "warm-up, stable, decay"

    peak: float = hyperparameter(about="largest rate", symbol=r"\eta_{\max}", above=0)
    warm_up: int = hyperparameter(100, about="steps up", symbol="T_1", at_least=1, whole=True)
    stable: int = hyperparameter(800, about="steps at the peak", symbol="T_2", at_least=0, whole=True)
    decay: int = hyperparameter(100, about="steps down", symbol="T_3", at_least=1, whole=True)
    start: float = hyperparameter(1 / 3, about="first rate, as a part of the peak", symbol=r"\sigma", at_least=0)
    final: float = hyperparameter(0.0, about="last rate, as a part of the peak", symbol=r"\phi", at_least=0)

    def rate(self, step: Quantity) -> Quantity:
        up = np.minimum((step - 1) / self.warm_up, 1.0)
        down = np.minimum((step - 1 - self.warm_up - self.stable) / self.decay, 1.0)
        shape: Quantity = np.where(down > 0, straight(1.0, self.final, down), straight(self.start, 1.0, up))
        return self.peak * shape
