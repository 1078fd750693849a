"""Stopping conditions, which are joined with `|`, and the reasons they give."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray, FloatArray
from fallline.errors import FalllineError
from fallline.hyperparameters import check_hyperparameters, hyperparameter
from fallline.norms import norm
from fallline.registry import enter
from fallline.slips import CalledInOurWords


class Progress(NamedTuple):
    """The state of k runs of one rule after a step, on which the conditions are evaluated.

    Attributes:
        step: updates made so far; 0 at the start.
        x: the points, shape (k, n).
        value: the objective there, shape (k,).
        gradient: the gradients for the rule's next step, shape (k, n); for a rule that keeps x in a set the projected
            gradient x − P(x − g), which is zero at a minimum in the set.
        change: how far the last step moved each coordinate, shape (k, n); None at the start.
        previous_value: the values one step earlier, shape (k,); None at the start.
        first_value: the values at the start, shape (k,).
        evaluations: the number of evaluations of value and gradient, added, in each run, shape (k,).
        seconds: time since the runs began.
        previous_change: the change of the step before, infinite after the first step; None at the start, and with a
            line search.
    """

    step: int
    x: FloatArray
    value: FloatArray
    gradient: FloatArray
    change: FloatArray | None
    previous_value: FloatArray | None
    first_value: FloatArray
    evaluations: npt.NDArray[np.int64]
    seconds: float
    previous_change: FloatArray | None = None


@dataclass(frozen=True)
class Stop:
    """Why a run ended.

    Attributes:
        reason: one or two fixed words, such as "small step".
        message: one line with the numbers.
        converged: whether the condition is evidence that a minimum was reached.
    """

    reason: str
    message: str
    converged: bool


def step_limit(steps: int) -> Stop:
    """The Stop of a run that reached its step limit."""
    return Stop("step limit", f"the limit of {steps} steps was reached", False)


def interrupted(step: int) -> Stop:
    """The Stop of a run that Ctrl-C ended."""
    return Stop("interrupted", f"interrupted at step {step}", False)


# The conditions by their class names.
CONDITIONS: dict[str, type[StoppingCondition]] = {}


class StoppingCondition(metaclass=CalledInOurWords):
    """A condition that ends a run. `a | b` ends it when either is met; `a` is checked first.

    Its `met` is plain NumPy on the arrays of a `Progress` and has no side effects. The compiled engine calls it once,
    on stand-ins for the arrays, and compiles what it does. A condition that does more than arithmetic on each run alone
    is evaluated in Python at every step.

    Attributes:
        reason: the reason of its Stop.
        converged: whether meeting it is evidence of a minimum.
        needs_value: whether it uses the objective's value.
        needs_step: whether it uses the step number or the time, which all runs of a batch share.

    A condition of your own needs no registration:

    >>> import fallline
    >>> class Left(fallline.StoppingCondition):
    ...     reason = "left of the line"
    ...     def met(self, progress): return progress.x[:, 0] < 0.1
    ...     def message(self, progress, run): return f"x is {progress.x[run, 0]:g}"
    >>> fallline.minimize("x**2", 1.0, fallline.GradientDescent(0.25), stop=Left()).stop.message
    'x is 0.0625'
    """

    reason: ClassVar[str]
    converged: ClassVar[bool] = False
    needs_value: ClassVar[bool] = False
    needs_step: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        enter(CONDITIONS, cls.__name__, cls)

    @property
    def parts(self) -> tuple[StoppingCondition, ...]:
        """The single conditions that this one consists of."""
        return (self,)

    def __or__(self, other: StoppingCondition) -> AnyOf:
        if not isinstance(other, StoppingCondition):
            return NotImplemented  # then Python raises a TypeError
        return AnyOf(self.parts + other.parts)

    @abstractmethod
    def met(self, progress: Progress) -> BoolArray:
        """The mask of the runs that it ends, shape (k,)."""

    def unmet(self, progress: Progress) -> bool:
        """Whether a quick check shows that it ends none of the runs; called at every step, before `met`."""
        return False

    @abstractmethod
    def message(self, progress: Progress, run: int) -> str:
        """One line that says why it ends the run with this index."""

    def stop(self, progress: Progress, run: int) -> Stop:
        """The Stop of a run that meets the condition."""
        return Stop(self.reason, self.message(progress, run), self.converged)


@dataclass(frozen=True)
class AnyOf(StoppingCondition):
    """Several conditions, checked in order; made by `|`.

    >>> (StepSize(1e-5) | Seconds(60)).parts
    (StepSize(tolerance=1e-05), Seconds(limit=60.0))
    """

    conditions: tuple[StoppingCondition, ...]
    reason: ClassVar[str] = "any"

    @property
    def parts(self) -> tuple[StoppingCondition, ...]:
        return self.conditions

    def met(self, progress: Progress) -> BoolArray:
        return np.asarray(np.logical_or.reduce([condition.met(progress) for condition in self.conditions]))

    def message(self, progress: Progress, run: int) -> str:
        return self._first(progress, run).message(progress, run)

    def stop(self, progress: Progress, run: int) -> Stop:
        return self._first(progress, run).stop(progress, run)

    def _first(self, progress: Progress, run: int) -> StoppingCondition:
        return next(condition for condition in self.conditions if condition.met(progress)[run])


# A step this many times shorter than the one before shows that the run reverses its direction, not that it is at rest.
SUDDEN = 1e3


@dataclass(frozen=True)
class StepSize(StoppingCondition):
    """Every coordinate moved less than `tolerance` in the last step.

    A step of exactly zero where the gradient is not zero does not count, because some rules pause for a step. Nor does
    a short step after one longer than 1000 times `tolerance`, where the gradient is not zero: with momentum a run may
    reverse its direction in such a step, and the next is long again. With a line search it does count.

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, fallline.GradientDescent(0.1), stop=StepSize(0.01)).stop.reason
    'small step'
    """

    reason: ClassVar[str] = "small step"
    converged: ClassVar[bool] = True

    tolerance: float = hyperparameter(1e-12, about="length of a step", at_least=0)

    def __post_init__(self) -> None:
        check_hyperparameters(self)

    def met(self, progress: Progress) -> BoolArray:
        if progress.change is None:
            return np.zeros(len(progress.x), bool)
        longest: FloatArray = np.abs(progress.change).max(axis=-1)
        resting: BoolArray = longest > 0
        if progress.previous_change is not None:
            before = np.abs(progress.previous_change).max(axis=-1)
            resting = resting & ((before <= SUDDEN * self.tolerance) | (before == np.inf))
        return (longest < self.tolerance) & (resting | ~progress.gradient.any(axis=-1))

    def unmet(self, progress: Progress) -> bool:
        # If a step is short, its first coordinate is short.
        return progress.change is None or not np.count_nonzero(np.abs(progress.change[:, 0]) < self.tolerance)

    def message(self, progress: Progress, run: int) -> str:
        if not progress.gradient[run].any():
            return f"the gradient is zero at step {progress.step}: a minimum, or another flat point, is found"
        return f"no coordinate moved by {self.tolerance:g} or more in step {progress.step}"


@dataclass(frozen=True)
class GradientNorm(StoppingCondition):
    """The gradient's Euclidean norm is at most `tolerance`."""

    reason: ClassVar[str] = "small gradient"
    converged: ClassVar[bool] = True

    tolerance: float = hyperparameter(1e-8, about="length of the gradient", at_least=0)

    def __post_init__(self) -> None:
        check_hyperparameters(self)

    def met(self, progress: Progress) -> BoolArray:
        return norm(progress.gradient) <= self.tolerance

    def message(self, progress: Progress, run: int) -> str:
        return f"the gradient's norm is at most {self.tolerance:g} at step {progress.step}"


@dataclass(frozen=True)
class ValueChange(StoppingCondition):
    """The value changed by at most `tolerance` times the larger of 1 and its own size."""

    reason: ClassVar[str] = "small change"
    converged: ClassVar[bool] = True
    needs_value: ClassVar[bool] = True

    tolerance: float = hyperparameter(1e-12, about="relative change of the value", at_least=0)

    def __post_init__(self) -> None:
        check_hyperparameters(self)

    def met(self, progress: Progress) -> BoolArray:
        if progress.previous_value is None:
            return np.zeros(len(progress.x), bool)
        change = np.abs(progress.value - progress.previous_value)
        return change <= self.tolerance * np.maximum(np.abs(progress.value), 1)

    def message(self, progress: Progress, run: int) -> str:
        return f"the value changed by no more than {self.tolerance:g} of itself in step {progress.step}"


@dataclass(frozen=True)
class Target(StoppingCondition):
    """The value is at most `value`."""

    reason: ClassVar[str] = "target reached"
    converged: ClassVar[bool] = True
    needs_value: ClassVar[bool] = True

    value: float = hyperparameter(about="value to reach")

    def __post_init__(self) -> None:
        check_hyperparameters(self)

    def met(self, progress: Progress) -> BoolArray:
        return progress.value <= self.value

    def message(self, progress: Progress, run: int) -> str:
        return f"the value {progress.value[run]:g} is at most the target {self.value:g} at step {progress.step}"


@dataclass(frozen=True)
class Evaluations(StoppingCondition):
    """Value and gradient together have been evaluated at least `limit` times."""

    reason: ClassVar[str] = "evaluations used up"

    limit: int = hyperparameter(about="evaluations of value and gradient", at_least=1, whole=True)

    def __post_init__(self) -> None:
        check_hyperparameters(self)

    def met(self, progress: Progress) -> BoolArray:
        return progress.evaluations >= self.limit

    def message(self, progress: Progress, run: int) -> str:
        return f"{progress.evaluations[run]} evaluations were made by step {progress.step}; the limit is {self.limit}"


@dataclass(frozen=True)
class Seconds(StoppingCondition):
    """The run has taken at least `limit` seconds."""

    reason: ClassVar[str] = "time used up"
    needs_step: ClassVar[bool] = True

    limit: float = hyperparameter(about="seconds", above=0)

    def __post_init__(self) -> None:
        check_hyperparameters(self)

    def met(self, progress: Progress) -> BoolArray:
        return np.full(len(progress.x), progress.seconds >= self.limit)

    def message(self, progress: Progress, run: int) -> str:
        return f"{self.limit:g} seconds had passed at step {progress.step}"


@dataclass(frozen=True)
class NotFinite(StoppingCondition):
    """A coordinate, the value or the gradient is infinite or NaN; this always ends a run."""

    reason: ClassVar[str] = "not finite"

    def met(self, progress: Progress) -> BoolArray:
        return ~(
            np.isfinite(progress.value)
            & np.isfinite(progress.x).all(axis=-1)
            & np.isfinite(progress.gradient).all(axis=-1)
        )

    def unmet(self, progress: Progress) -> bool:
        # Not finite if one of the numbers is not, or if the sum overflows.
        return math.isfinite(np.vdot(progress.x, progress.gradient) + progress.value.dot(progress.value))

    def message(self, progress: Progress, run: int) -> str:
        parts = {"x": progress.x[run], "the value": progress.value[run], "the gradient": progress.gradient[run]}
        what = next(name for name, part in parts.items() if not np.isfinite(part).all())
        return f"{what} is not a finite number at step {progress.step}"


@dataclass(frozen=True)
class Diverging(StoppingCondition):
    """The value has risen above its start by `factor` times the larger of 1 and the start's size."""

    reason: ClassVar[str] = "diverging"
    needs_value: ClassVar[bool] = True

    factor: float = hyperparameter(1e6, about="rise of the value, relative to the start", above=0)

    def __post_init__(self) -> None:
        check_hyperparameters(self)

    def met(self, progress: Progress) -> BoolArray:
        rise = progress.value - progress.first_value
        return rise > self.factor * np.maximum(np.abs(progress.first_value), 1)

    def message(self, progress: Progress, run: int) -> str:
        first, now = progress.first_value[run], progress.value[run]
        return f"the value has risen from {first:g} to {now:g} by step {progress.step}"


@dataclass(frozen=True)
class SmallEpoch(StoppingCondition):
    """In `every` steps the value over all rows changed by at most `tolerance` times the larger of 1 and its size.

    The value is evaluated only where it is recorded, every so many steps. In between, the last recorded value is used.
    """

    reason: ClassVar[str] = "small change"
    converged: ClassVar[bool] = True
    needs_step: ClassVar[bool] = True

    tolerance: float
    every: int

    def met(self, progress: Progress) -> BoolArray:
        if progress.previous_value is None or progress.step % self.every:
            return np.zeros(len(progress.x), bool)
        change = np.abs(progress.value - progress.previous_value)
        return change <= self.tolerance * np.maximum(np.abs(progress.value), 1)

    def message(self, progress: Progress, run: int) -> str:
        return f"the value changed by no more than {self.tolerance:g} of itself in the pass before step {progress.step}"


def conditions(stop: StoppingCondition | None) -> tuple[StoppingCondition, ...]:
    """The single conditions of a run; `NotFinite` is always among them.

    Raises:
        FalllineError: when `stop` is not a stopping condition.
    """
    if stop is None:
        stop = StepSize()
    if not isinstance(stop, StoppingCondition):
        raise FalllineError(
            "stop", stop, "it must be a stopping condition such as StepSize(1e-5), or several joined with |"
        )
    others = tuple(part for part in stop.parts if not isinstance(part, NotFinite))
    return (NotFinite(), *others)
