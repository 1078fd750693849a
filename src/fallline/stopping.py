"""Stopping conditions, which are joined with `|`, and the reasons they give."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray, FloatArray
from fallline.errors import FalllineError
from fallline.hyperparameters import check_hyperparameters, hyperparameter
from fallline.norms import norm
from fallline.registry import Registry
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


class Left(NamedTuple):
    """What is left of the slope where k runs ended.

    Attributes:
        x, value: the points, shape (k, n), and the objective there.
        slope: the gradient, without what the rule's own set or penalty balances, shape (k, n).
        fall: how far the value would still fall, by slope and curvature, shape (k,).
        step: the step that leads there (Newton's), shape (k, n).
        gone: whether that fall is below the rounding of the value, shape (k,); where the values of the run are small,
            of a value of their size.
        slight: whether it is below the rounding of the value, or of 1 if that is more, shape (k,).
        down: the share of the directions in which the objective curves down, shape (k,).
    """

    x: FloatArray
    value: FloatArray
    slope: FloatArray
    fall: FloatArray
    step: FloatArray
    gone: BoolArray
    slight: BoolArray
    down: FloatArray


@dataclass(frozen=True)
class Stop:
    """Why a run ended.

    Attributes:
        reason: one or two fixed words, such as "small step".
        message: one line with the numbers.
        converged: whether a minimum, or the target, was reached.
    """

    reason: str
    message: str
    converged: bool


# The reasons of ends that no condition gives.
STEP_LIMIT, NO_LOWER_VALUE = "step limit", "no lower value"


def step_limit(steps: int) -> Stop:
    """The Stop of a run that reached its step limit."""
    return Stop(STEP_LIMIT, f"the limit of {steps} step{'s' * (steps != 1)} was reached", False)


def interrupted(step: int) -> Stop:
    """The Stop of a run that Ctrl-C ended."""
    return Stop("interrupted", f"interrupted at step {step}", False)


def no_lower_value(step: int) -> Stop:
    """The Stop of a run whose line search failed."""
    return Stop(NO_LOWER_VALUE, f"the line search found no rate at which the value falls, at step {step}", False)


# The conditions by their class names.
CONDITIONS: Registry[StoppingCondition] = Registry("fallline.stopping")


class StoppingCondition(metaclass=CalledInOurWords):
    """A condition that ends a run. `a | b` ends it when either is met; `a` is checked first.

    Its `met` is plain NumPy on the arrays of a `Progress` and has no side effects. The compiled engine calls it once,
    on stand-ins for the arrays, and compiles what it does. A condition that does more than arithmetic on each run alone
    is evaluated in Python at every step.

    Attributes:
        reason: the reason of its Stop.
        converged: whether a run that meets it has converged.
        of_slope: whether that says that there is no slope left. Then it is held against the slope, by `holds`, where
            the run has ended.
        needs_value: whether it uses the objective's value.
        needs_step: whether it uses the step number or the time, which all runs of a batch share.

    A condition of your own needs no registration:

    >>> import fallline
    >>> class Arrived(fallline.StoppingCondition):
    ...     reason = "left of the line"
    ...     def met(self, progress): return progress.x[:, 0] < 0.1
    ...     def message(self, progress, run): return f"x is {progress.x[run, 0]:g}"
    >>> fallline.minimize("x**2", 1.0, fallline.GradientDescent(0.25), stop=Arrived()).stop.message
    'x is 0.0625'
    """

    reason: ClassVar[str]
    converged: ClassVar[bool] = False
    of_slope: ClassVar[bool] = False
    needs_value: ClassVar[bool] = False
    needs_step: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        CONDITIONS.enter(cls.__name__, cls)

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

    def near(self, progress: Progress) -> BoolArray | None:
        """A mask, shape (k,), that is quick to compute and true wherever `met` is: only then is `met` evaluated.

        None: there is nothing quicker than `met`.
        """
        return None

    def unmet(self, progress: Progress) -> bool:
        """Whether the quick check shows that it ends none of the runs."""
        near = self.near(progress)
        return near is not None and not np.count_nonzero(near)

    @abstractmethod
    def message(self, progress: Progress, run: int) -> str:
        """One line that says why it ends the run with this index."""

    def holds(self, left: Left) -> BoolArray:
        """Where what is left of the slope bears out that the runs it ended have converged, shape (k,)."""
        return np.ones(len(left.x), bool)

    @property
    def on_a_slope(self) -> str:
        """The reason of its Stop where that is not so."""
        return self.reason

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
# A step no longer than this part of a coordinate leaves it where it is.
UNMOVED = 5e-13
# A coordinate on its way to zero has arrived at this size, where its square is this part of the value, squared.
NEGLIGIBLE = 1e-12
# A slope that would make up less than this part of the first value over a coordinate's size has mostly gone.
NEARLY = 1e-6
# The part of a value that is rounding.
EPSILON = float(np.finfo(float).eps)
ROUNDING = 64 * EPSILON
# A slope that asks for at most this many times what a tolerance allows bears out that a run has converged: steps that
# shrink by 1 % each time add up to so much.
FAR = 100


@dataclass(frozen=True)
class StepSize(StoppingCondition):
    """Every coordinate moved less than `tolerance` in the last step.

    Without a tolerance the step is judged beside x, so that the units do not matter: it is at most 5e-13 of each
    coordinate. Where a coordinate goes to zero, the step is at most 1e-12, and the slope promises a fall of at most
    1e-24 of the value for moving the coordinate by its whole size; where the value goes to zero too, of the value at
    the start, or of 1 if that is less.

    A step of exactly zero where the gradient is not zero does not count, because some rules pause for a step. Nor does
    a short step after one 1000 times longer than what counts as short, where the gradient is not zero: with momentum a
    run may reverse its direction in such a step, and the next is long again. With a line search it does count.

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, fallline.GradientDescent(0.1), stop=StepSize(0.01)).stop.reason
    'small step'
    """

    reason: ClassVar[str] = "small step"
    converged: ClassVar[bool] = True
    of_slope: ClassVar[bool] = True

    tolerance: float | None = hyperparameter(None, about="length of a step", at_least=0)

    def __post_init__(self) -> None:
        if self.tolerance is not None:
            check_hyperparameters(self)

    def near(self, progress: Progress) -> BoolArray:
        if progress.change is None:
            return np.zeros(len(progress.x), bool)
        longest = _longest(progress.change)
        return longest <= self._short(progress) if self.tolerance is None else longest < self.tolerance

    def met(self, progress: Progress) -> BoolArray:
        if progress.change is None:
            return np.zeros(len(progress.x), bool)
        longest = _longest(progress.change)
        resting: BoolArray = longest > 0
        if progress.previous_change is not None:
            before = _longest(progress.previous_change)
            resting = resting & ((before <= SUDDEN * self._short(progress)) | (before == np.inf))
        short = self.near(progress) & (resting | ~progress.gradient.any(axis=1))
        return short if self.tolerance is not None else short & _negligible(progress, longest)

    def _short(self, progress: Progress) -> FloatArray | float:
        if self.tolerance is not None:
            return self.tolerance
        short: FloatArray = NEGLIGIBLE * (1.0 + np.abs(progress.x).sum(axis=1))
        return short

    def holds(self, left: Left) -> BoolArray:
        far = FAR * (UNMOVED * np.abs(left.x) if self.tolerance is None else self.tolerance)
        near = cast("BoolArray", (np.abs(left.step) <= far).all(axis=1))
        return near & left.slight if self.tolerance is None else near

    @property
    def on_a_slope(self) -> str:
        return "rate too small" if self.tolerance is None else self.reason

    def message(self, progress: Progress, run: int) -> str:
        if not progress.gradient[run].any():
            return f"the gradient is zero at step {progress.step}: a minimum, or another flat point, is found"
        if self.tolerance is None:
            return f"no coordinate moved noticeably in step {progress.step}"
        return f"no coordinate moved by {self.tolerance:g} or more in step {progress.step}"


def _longest(vectors: FloatArray) -> FloatArray:
    """The largest size of a coordinate of each vector: shape (k, n) to (k,)."""
    longest: FloatArray = np.abs(vectors).max(axis=1)
    return longest


def _negligible(progress: Progress, longest: FloatArray) -> BoolArray:
    """Where a step of this length is nothing beside each coordinate, or beside what the slope says the value is."""
    sizes, slopes, step = np.abs(progress.x), np.abs(progress.gradient), longest[:, None]
    first = np.abs(progress.first_value)[:, None]
    scale = np.maximum(np.abs(progress.value)[:, None], np.minimum(first, 1.0))
    # A step that is small only because the run is nearly there, in large units, goes on while it can.
    nearly = (slopes * sizes < NEARLY * first) & (0.5 * FAR * slopes * step > ROUNDING * scale)
    unmoved = (step <= UNMOVED * sizes) & (~nearly | (step <= EPSILON * sizes))
    # The fall of a parabola with this slope over the coordinate's size.
    fall = 0.5 * slopes * np.maximum(sizes, step)
    negligible: BoolArray = unmoved | (fall <= NEGLIGIBLE * NEGLIGIBLE * scale)
    return cast("BoolArray", negligible.all(axis=1))


@dataclass(frozen=True)
class GradientNorm(StoppingCondition):
    """The gradient's Euclidean norm is at most `tolerance`."""

    reason: ClassVar[str] = "small gradient"
    converged: ClassVar[bool] = True
    of_slope: ClassVar[bool] = True

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
    of_slope: ClassVar[bool] = True
    needs_value: ClassVar[bool] = True

    tolerance: float = hyperparameter(1e-12, about="relative change of the value", at_least=0)

    def __post_init__(self) -> None:
        check_hyperparameters(self)

    def met(self, progress: Progress) -> BoolArray:
        if progress.previous_value is None:
            return np.zeros(len(progress.x), bool)
        change = np.abs(progress.value - progress.previous_value)
        return change <= self.tolerance * np.maximum(np.abs(progress.value), 1)

    def holds(self, left: Left) -> BoolArray:
        borne_out: BoolArray = left.fall <= FAR * self.tolerance * np.maximum(np.abs(left.value), 1)
        return borne_out

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
        return np.zeros(len(progress.x), bool) | (progress.seconds >= self.limit)

    def message(self, progress: Progress, run: int) -> str:
        return f"{self.limit:g} seconds had passed at step {progress.step}"


@dataclass(frozen=True)
class NotFinite(StoppingCondition):
    """A coordinate, the value or the gradient is infinite or NaN; this always ends a run."""

    reason: ClassVar[str] = "not finite"

    def met(self, progress: Progress) -> BoolArray:
        return ~(
            np.isfinite(progress.value)
            & np.isfinite(progress.x).all(axis=1)
            & np.isfinite(progress.gradient).all(axis=1)
        )

    def near(self, progress: Progress) -> BoolArray:
        # Not finite if one of the numbers is not, or if the sum overflows.
        total: FloatArray = (progress.x * progress.gradient).sum(axis=1) + progress.value * progress.value
        return ~np.isfinite(total)

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

    tolerance: float = hyperparameter(about="relative change of the value", at_least=0)
    every: int = hyperparameter(about="steps of an epoch", at_least=1, whole=True)

    def __post_init__(self) -> None:
        check_hyperparameters(self)

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
