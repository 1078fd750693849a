"""Line searches, which find the learning rate along the rule's direction."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from fallline.arrays import FloatArray
from fallline.hyperparameters import check_hyperparameters, hyperparameter
from fallline.norms import scalar_product
from fallline.registry import Registry
from fallline.slips import CalledInOurWords

# The line searches by their names on the command line.
LINE_SEARCHES: Registry[LineSearch] = Registry("fallline.line_search")


class Place(NamedTuple):
    """A point on a line: its rate, the value, and the slope along the line."""

    rate: float
    value: float
    slope: float


class Line:
    """The objective along one direction: x − rate · direction, for one run.

    Arguments:
        value_at: the value at a point.
        both_at: value and gradient at a point.
        x: the point the line begins at.
        direction: what a rate of 1 subtracts from x.
        value: the value at x.
        gradient: the gradient at x.
        longest: the largest rate that may be tried.
    """

    def __init__(
        self,
        value_at: Callable[[FloatArray], float],
        both_at: Callable[[FloatArray], tuple[float, FloatArray]],
        x: FloatArray,
        direction: FloatArray,
        value: float,
        gradient: FloatArray,
        longest: float = np.inf,
    ) -> None:
        self._value_at = value_at
        self._both_at = both_at
        self.x = x
        self.direction = direction
        self.longest = longest
        self.start = Place(0.0, float(value), -scalar_product(gradient, direction))

    def moves(self, rate: float) -> bool:
        """Whether the rate is large enough to move any coordinate."""
        return bool((self.x - rate * self.direction != self.x).any())

    def value(self, rate: float) -> float:
        """The value at a rate."""
        return self._value_at(self.x - rate * self.direction)

    def at(self, rate: float) -> Place:
        """Value and slope at a rate."""
        value, gradient = self._both_at(self.x - rate * self.direction)
        return Place(rate, value, -scalar_product(gradient, self.direction))


@dataclass(frozen=True)
class LineSearch(metaclass=CalledInOurWords):
    """Finds the learning rate of a step by evaluating the objective along its direction.

    Attributes:
        called: what titles call it; empty if that is its name.
        initial: the rate tried first.
    """

    name: ClassVar[str]
    called: ClassVar[str] = ""

    initial: float = hyperparameter(1.0, about="rate that is tried first", symbol=r"\eta_0", above=0)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        LINE_SEARCHES.enter(vars(cls).get("name", ""), cls)

    def __post_init__(self) -> None:
        check_hyperparameters(self)

    @property
    def spelling(self) -> str:
        """The search's name in words."""
        return self.called or str(getattr(self, "name", type(self).__name__)).replace("_", " ")

    @abstractmethod
    def rate(self, line: Line) -> float:
        """The learning rate of the step; 0 where no rate makes the value smaller."""


@dataclass(frozen=True)
class Backtracking(LineSearch):
    """Halve the rate until the value falls by at least a fraction c₁ of what the slope predicts.

    Armijo (1966), Minimization of functions having Lipschitz continuous first partial derivatives: the rate η is
    taken when f(x − ηd) ≤ f(x) + c₁ η φ'(0), φ' the slope along the line.

    >>> import fallline
    >>> run = fallline.minimize("x**2", 1.0, fallline.GradientDescent(Backtracking()), max_steps=1)
    >>> run.rate[:1], run.final.x
    (array([0.5]), array([0.]))
    """

    name: ClassVar[str] = "backtracking"

    shrink: float = hyperparameter(0.5, about="what a rate that fails is multiplied by", above=0, below=1)
    decrease: float = hyperparameter(1e-4, about="share of the promised fall", symbol="c_1", above=0, below=1)

    def rate(self, line: Line) -> float:
        if not line.start.slope < 0:
            return 0.0
        rate = min(self.initial, line.longest)
        while line.moves(rate):
            if line.value(rate) <= line.start.value + self.decrease * rate * line.start.slope:
                return rate
            rate *= self.shrink
        return 0.0


@dataclass(frozen=True)
class StrongWolfe(LineSearch):
    """A rate at which the value has fallen and the slope along the line is nearly flat.

    Nocedal and Wright (2006), Numerical optimization, algorithms 3.5 and 3.6: f(x − ηd) ≤ f(x) + c₁ η φ'(0) and
    |φ'(η)| ≤ c₂ |φ'(0)|, found by bracketing and then by cubic interpolation inside the bracket.

    >>> import fallline
    >>> run = fallline.minimize("x**2", 1.0, fallline.GradientDescent(StrongWolfe()), max_steps=1)
    >>> run.rate[:1], run.final.x
    (array([0.5]), array([0.]))
    """

    name: ClassVar[str] = "strong_wolfe"
    called: ClassVar[str] = "strong Wolfe search"

    decrease: float = hyperparameter(1e-4, about="share of the promised fall", symbol="c_1", above=0, below=1)
    curvature: float = hyperparameter(0.9, about="share of the slope that may be left", symbol="c_2", above=0, below=1)
    most_tries: int = hyperparameter(40, about="places that are looked at", at_least=1, whole=True)

    def rate(self, line: Line) -> float:
        if not line.start.slope < 0:
            return 0.0
        before, tried = line.start, 0
        rate = min(self.initial, line.longest)
        while tried < self.most_tries and line.moves(rate):
            here = line.at(rate)
            if not np.isfinite(here.value) or not np.isfinite(here.slope):
                # Outside the objective's domain: go back most of the way, as often as needed.
                rate = before.rate + (rate - before.rate) / 10
                continue
            tried += 1
            if not self._falls(line, here) or (tried > 1 and here.value >= before.value):
                return self._between(line, before, here, tried)
            if self._flat(line, here) or (rate == line.longest and here.slope < 0):
                return rate
            if here.slope >= 0:
                return self._between(line, here, before, tried)
            before, rate = here, min(2 * rate, line.longest)
        return before.rate

    def _falls(self, line: Line, here: Place) -> bool:
        return here.value <= line.start.value + self.decrease * here.rate * line.start.slope

    def _flat(self, line: Line, here: Place) -> bool:
        return abs(here.slope) <= -self.curvature * line.start.slope

    def _between(self, line: Line, low: Place, high: Place, tried: int) -> float:
        """Narrow a bracket whose end `low` is the best point so far and descends towards `high`."""
        while tried < self.most_tries and abs(high.rate - low.rate) > SMALLEST_RATE * max(low.rate, high.rate):
            here = line.at(interpolated(low, high))
            tried += 1
            if not self._falls(line, here) or not here.value < low.value:
                high = here
                continue
            if self._flat(line, here):
                return here.rate
            if here.slope * (high.rate - low.rate) >= 0:
                high = low
            low = here
        return low.rate


@dataclass(frozen=True)
class ExactQuadratic(LineSearch):
    """The rate that minimises a quadratic along the direction, from one more gradient: η = g·d / d·Hd.

    The gradient of a quadratic at x − ηd is g − η Hd, so its change along the line gives the curvature. Cauchy (1847);
    for other objectives the rate is that of a quadratic model. Where the curvature along the line is not positive, the
    rate is `initial`.

    >>> import fallline
    >>> run = fallline.minimize("x**2 + 4*y**2", [4.0, 1.0], fallline.GradientDescent(ExactQuadratic()), max_steps=1)
    >>> run.rate[:1]
    array([0.2])
    """

    name: ClassVar[str] = "exact_quadratic"
    called: ClassVar[str] = "exact line search"

    def rate(self, line: Line) -> float:
        if not line.start.slope < 0:
            return 0.0
        bend = line.at(self.initial).slope - line.start.slope
        return -line.start.slope * self.initial / bend if bend > 0 else self.initial


@dataclass(frozen=True)
class PolyakStep(LineSearch):
    """The rate that would reach the lowest value f* if the objective were linear: η = (f(x) − f*) / g·d.

    Polyak (1987), Introduction to optimization. The lowest value must be known; the rate is at most `initial`.

    >>> import fallline
    >>> run = fallline.minimize("x**2", 1.0, fallline.GradientDescent(PolyakStep()), max_steps=1)
    >>> run.rate[:1]
    array([0.25])
    """

    name: ClassVar[str] = "polyak"
    called: ClassVar[str] = "Polyak step"

    initial: float = hyperparameter(np.finfo(float).max, about="largest rate", symbol=r"\eta_{\max}", above=0)
    lowest: float = hyperparameter(0.0, about="the lowest value of the objective", symbol="f^*")

    def rate(self, line: Line) -> float:
        if not line.start.slope < 0:
            return 0.0
        return min(self.initial, max(0.0, line.start.value - self.lowest) / -line.start.slope)


# The relative width below which the ends of a bracket cannot be distinguished.
SMALLEST_RATE = float(np.finfo(float).eps)


def interpolated(low: Place, high: Place) -> float:
    """The minimum of the cubic through two points, at least a tenth of the interval from its ends; the middle if the
    cubic has no minimum, or overflows.

    >>> interpolated(Place(0.0, 0.0, -1.0), Place(1.0, 0.0, 1.0))
    0.5
    """
    width = high.rate - low.rate
    middle = low.rate + width / 2
    first = low.slope + high.slope - 3 * (high.value - low.value) / width
    # A product, because Python's power raises an error on overflow.
    under_root = first * first - low.slope * high.slope
    if not 0 <= under_root < np.inf:
        return middle
    second = np.copysign(np.sqrt(under_root), width)
    divisor = high.slope - low.slope + 2 * second
    if divisor == 0:
        return middle
    rate = high.rate - width * (high.slope + second - first) / divisor
    least, most = sorted((low.rate + 0.1 * width, high.rate - 0.1 * width))
    return float(min(max(rate, least), most))
