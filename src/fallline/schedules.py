"""Learning rate schedules: the rate as a function of the step."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, TypeGuard

import numpy as np

from fallline.arrays import Quantity
from fallline.errors import FalllineError, Verbatim, nearest
from fallline.hyperparameters import check_convention, check_hyperparameters, hyperparameter
from fallline.registry import enter
from fallline.slips import CalledInOurWords

# The schedules by their names on the command line.
SCHEDULES: dict[str, type[Schedule]] = {}


@dataclass(frozen=True)
class Schedule(metaclass=CalledInOurWords):
    """A learning rate that changes with the step. Steps are counted from 1: `rate(1)` is the rate of the first step.

    The first setting of every schedule is the rate that it scales: doubling it doubles the rate of every step. All
    other rates are given as fractions of it.

    Attributes:
        name: the schedule's name on the command line.
        conventions: what libraries disagree on: the name of each convention, with a short description.
        needs_value: whether the rate depends on the objective's values during the run; see `watched`.
    """

    name: ClassVar[str]
    conventions: ClassVar[Mapping[str, str]] = {"paper": ""}
    needs_value: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        enter(SCHEDULES, vars(cls).get("name", ""), cls)

    def __post_init__(self) -> None:
        if "convention" in self.__dataclass_fields__:
            check_convention(self, self.conventions)
        check_hyperparameters(self)

    @abstractmethod
    def rate(self, step: Quantity) -> Quantity:
        """The rate of a step, or of each step of an array."""

    def watched(self, memory: Any, value: Quantity) -> Any:
        """The schedule's memory after the value at a point.

        If `needs_value` is true, engines call it at every point of a run, the start included.

        Arguments:
            memory: what the previous call returned, quantities in named tuples; None at the start.
            value: the objective at the point; for k runs at once an array of shape (k, 1).
        """
        return None

    def rate_after(self, memory: Any, step: Quantity) -> Quantity:
        """The rate of a step, given what `watched` returned at the point before it."""
        return self.rate(step)


def watches_values(rate: object) -> TypeGuard[Schedule]:
    """Whether a learning rate is a schedule that depends on the objective's values."""
    return isinstance(rate, Schedule) and rate.needs_value


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate at every step.

    Attributes:
        initial: the rate.

    >>> Constant(0.1).rate(1000)
    0.1
    """

    name: ClassVar[str] = "constant"

    initial: float = hyperparameter(about="rate of the first step", symbol=r"\eta_0", above=0)

    def rate(self, step: Quantity) -> Quantity:
        return self.initial


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
            # Rounding of the logarithm may miss a restart; integer arithmetic does not.
            ratio = self.growth - 1
            period = np.floor(np.log(passed * ratio / self.steps + 1) / np.log(self.growth))
            period = period + (passed >= self.steps * (self.growth ** (period + 1) - 1) / ratio)
            period = period - (passed < self.steps * (self.growth**period - 1) / ratio)
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
                _straight(self.start, 1.0, _part(passed, up)),
                np.where(
                    passed <= 2 * up,
                    _straight(1.0, self.start, _part(passed - up, up)),
                    _straight(self.start, self.final, _part(passed - 2 * up, end - 2 * up)),
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


def _straight(start: Quantity, end: Quantity, part: Quantity) -> Quantity:
    return start + (end - start) * part


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


@dataclass(frozen=True)
class WarmUp(Schedule):
    r"""Linearly up to another schedule's first rate, followed by that schedule from its first step.

    Goyal and others (2017), Accurate, large minibatch SGD: training ImageNet in 1 hour.

    Attributes:
        after: the schedule that follows, or a constant rate.
        steps: how many steps come before it.
        start: the first rate, as a part of the one that is reached; 1/3 as in torch's LinearLR.

    >>> schedule = WarmUp(Exponential(1.0, decay=0.5), steps=2, start=0.5)
    >>> [float(schedule.rate(step)) for step in (1, 2, 3, 4)]
    [0.5, 0.75, 1.0, 0.5]
    """

    name: ClassVar[str] = "warm_up"

    after: Schedule | float
    steps: int = hyperparameter(100, about="steps before the schedule", symbol="T", at_least=1, whole=True)
    start: float = hyperparameter(1 / 3, about="first rate, as a part of the one reached", symbol=r"\sigma", at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        _make_schedule(self)

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

    peak: float = hyperparameter(about="largest rate", symbol=r"\eta_{\max}", above=0)
    warm_up: int = hyperparameter(100, about="steps up", symbol="T_1", at_least=1, whole=True)
    stable: int = hyperparameter(800, about="steps at the peak", symbol="T_2", at_least=0, whole=True)
    decay: int = hyperparameter(100, about="steps down", symbol="T_3", at_least=1, whole=True)
    start: float = hyperparameter(1 / 3, about="first rate, as a part of the peak", symbol=r"\sigma", at_least=0)
    final: float = hyperparameter(0.0, about="last rate, as a part of the peak", symbol=r"\phi", at_least=0)

    def rate(self, step: Quantity) -> Quantity:
        up = np.minimum((step - 1) / self.warm_up, 1.0)
        down = np.clip((step - 1 - self.warm_up - self.stable) / self.decay, 0.0, 1.0)
        shape: Quantity = np.where(down > 0, _straight(1.0, self.final, down), _straight(self.start, 1.0, up))
        return self.peak * shape


class Plateau(NamedTuple):
    """What ReduceOnPlateau remembers of a run.

    Attributes:
        best: the lowest value that counted as an improvement.
        waited: the number of points since then.
        resting: the number of points left of the cooldown.
        scale: the present factor of the rate.
    """

    best: Quantity
    waited: Quantity
    resting: Quantity
    scale: Quantity


@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    r"""A rate, or any schedule, multiplied by `factor` each time the value has not improved for a while.

    At each point the value f is compared with the best so far, b: f < b − threshold · |b| is an improvement. After
    more than `patience` points without one the rate drops, and the next `cooldown` points do not count. There is no
    paper that introduces it.

    The conventions "torch" and "optax" require f < b (1 − threshold), which for a negative b accepts values
    worse than the best. In "optax" and "keras" the rate drops at the `patience`-th point; "keras" takes the
    threshold as a difference of values, and counts the last point of the cooldown.

    Attributes:
        after: the rate, or the schedule, that is reduced.
        factor: what it is multiplied by.
        patience: the number of points without improvement that are tolerated.
        threshold: how much lower than the best counts as an improvement, as a fraction of the best.
        cooldown: points after a drop that do not count.
        least: the smallest factor of the rate.
        convention: "paper", "torch", "optax" or "keras".

    >>> import fallline
    >>> schedule = fallline.ReduceOnPlateau(1.0, factor=0.5, patience=3)
    >>> run = fallline.minimize("abs(x)", 0.5, fallline.GradientDescent(schedule), max_steps=6)
    >>> run.rate[:-1].tolist()
    [1.0, 1.0, 1.0, 1.0, 0.5, 0.5]
    """

    name: ClassVar[str] = "reduce_on_plateau"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "the threshold is a part of the best value's size",
        "torch": "a worse value may count as better where the best is negative",
        "optax": "as torch, but drops one point earlier",
        "keras": "the threshold is a difference of values; drops one point earlier",
    }
    needs_value: ClassVar[bool] = True

    after: Schedule | float
    factor: float = hyperparameter(0.1, about="what the rate is multiplied by", symbol=r"\gamma", above=0, below=1)
    patience: int = hyperparameter(
        10, about="points without improvement to wait for", symbol="p", at_least=1, whole=True
    )
    threshold: float = hyperparameter(1e-4, about="least improvement", symbol=r"\tau", at_least=0)
    cooldown: int = hyperparameter(0, about="points after a drop that do not count", symbol="c", at_least=0, whole=True)
    least: float = hyperparameter(0.0, about="smallest factor in all", symbol=r"\phi", at_least=0, at_most=1)
    convention: str = field(default="paper", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        _make_schedule(self)

    def rate(self, step: Quantity) -> Quantity:
        assert isinstance(self.after, Schedule)
        return self.after.rate(step)

    def rate_after(self, memory: Plateau, step: Quantity) -> Quantity:
        return memory.scale * self.rate(step)

    def watched(self, memory: Plateau | None, value: Quantity) -> Plateau:
        if memory is None:
            none = np.zeros(np.shape(value))
            # Any value is an improvement on a start that is NaN.
            return Plateau(np.where(np.isnan(value), np.inf, value), waited=none, resting=none, scale=none + 1)
        best, waited, resting, scale = memory
        if self.convention == "keras":
            wanted = best - self.threshold
        elif self.convention == "paper":
            wanted = best * (1 - self.threshold * np.sign(best))
        else:
            wanted = best * (1 - self.threshold)
        better = value < wanted
        left = np.maximum(resting - 1, 0)
        counts = (left if self.convention == "keras" else resting) == 0
        waited = np.where(counts & ~better, waited + 1, 0)
        allowed = self.patience - 1 if self.convention in ("optax", "keras") else self.patience
        drops = waited > allowed
        return Plateau(
            best=np.where(better, value, best),
            waited=np.where(drops, 0, waited),
            resting=np.where(drops, self.cooldown, left),
            scale=np.where(drops, np.maximum(scale * self.factor, self.least), scale),
        )


def _make_schedule(schedule: WarmUp | ReduceOnPlateau) -> None:
    """Replace a number given for the inner schedule by a constant schedule."""
    after = schedule.after if isinstance(schedule.after, Schedule) else Constant(schedule.after)
    if after.needs_value:
        raise FalllineError(
            "after",
            problem=f"is a {type(after).__name__}, which no other schedule may hold",
            of=type(schedule).__name__,
        )
    object.__setattr__(schedule, "after", after)


def schedule_form(kind: type[Schedule]) -> str:
    """How a schedule is written on the command line, its settings in capitals.

    >>> schedule_form(StepDecay), schedule_form(WarmUp)
    ('step:FACTOR:EVERY', 'warm_up:STEPS:START:SCHEDULE')
    """
    first, *others = (entry.name for entry in dataclasses.fields(kind) if entry.name != "convention")
    words = [kind.name, *(setting.upper() for setting in others), *(["SCHEDULE"] if first == "after" else [])]
    return ":".join(words)


def parse_schedule(text: str, rate: float) -> Schedule:
    """Read a schedule as the command line writes it: `step:0.9:40`, `multi_step:0.1:30,80`, `cosine`.

    The numbers are the schedule's settings after its rate, in order; those left out keep their defaults. A
    convention may follow, and, if the schedule builds on another, the other schedule: `warm_up:100:cosine:1000`.

    Arguments:
        text: the schedule.
        rate: the rate that it scales.

    Raises:
        FalllineError: naming the schedule or the setting that is wrong.

    >>> parse_schedule("step:0.9:40", 0.05)
    StepDecay(initial=0.05, factor=0.9, every=40, convention='paper')
    >>> parse_schedule("warm_up:5:exponential:0.5", 0.1)
    WarmUp(after=Exponential(initial=0.1, decay=0.5), steps=5, start=0.333...)
    """
    name, *words = text.split(":")
    if name not in SCHEDULES:
        raise FalllineError("schedule", text, nearest(name, SCHEDULES))
    kind = SCHEDULES[name]
    scaled: Schedule | float = rate
    if "after" in kind.__dataclass_fields__:
        inner = next((place for place, word in enumerate(words) if word in SCHEDULES), len(words))
        if words[inner:]:
            scaled = parse_schedule(":".join(words[inner:]), rate)
        words = words[:inner]
    named = {"convention": words.pop()} if words and words[-1] in kind.conventions else {}
    try:
        settings = inspect.signature(kind).bind(scaled, *map(_numbers, words), **named)
    except (TypeError, ValueError):
        raise FalllineError("schedule", text, f"write it as {schedule_form(kind)}") from None
    return kind(*settings.args, **settings.kwargs)


def _numbers(word: str) -> float | tuple[float, ...]:
    """One number, or several separated by commas."""
    if "," in word:
        return tuple(float(part) for part in word.split(",") if part)
    return int(word) if word.isdecimal() else float(word)
