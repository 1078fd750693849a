"""The contour levels of a landscape: round numbers on a linear, a logarithmic or a symmetric logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.pictures.heights import logarithms
from fallline.tables import Printed

# How the levels are spread. "symlog": logarithmic on both sides of 0, linear near it, for values of both signs.
Spread: TypeAlias = Literal["linear", "log", "symlog"]
# There are at most so many levels, and fewer than the next are too few for a logarithmic scale; on a colour bar at
# most and at least so many are named, if there are.
MOST, LEAST, MOST_NAMED, LEAST_NAMED = 16, 6, 8, 4
# Levels are linear where the median lies at least this far up from the lowest to the highest value.
EVEN = 0.2
# The lowest level of a logarithmic scale has this share of the picture below it, that of a symmetric one, around 0.
BOTTOM, NEAR_ZERO = 0.002, 0.05
# A symmetric scale suits values whose lowest is at most this share of the highest below 0.
BELOW = 0.25
# The digits of the levels in each decade, from the most to the fewest.
DIGITS = ((1, 1.5, 2, 3, 4, 5, 7), (1, 2, 3, 5), (1, 2, 5), (1, 3), (1,))


@dataclass(frozen=True, eq=False, repr=False)
class Levels(Printed):
    """Round numbers between the lowest and the highest value shown.

    Attributes:
        spread: how they are spread.
        values: the levels, ascending, shape (levels,).
        named: those to write beside a colour bar, shape (k,).
    """

    spread: Spread
    values: FloatArray
    named: FloatArray

    @property
    def words(self) -> str:
        """What a colour bar says of the scale; empty for a linear one."""
        return {"linear": "", "log": "log scale", "symlog": "log scale, linear near 0"}[self.spread]


def levels_of(
    values: FloatArray, low: float, high: float, spread: Spread | None = None, most: int | None = None
) -> Levels:
    """The levels of a landscape, spread so that valleys as well as walls show their shape.

    Arguments:
        values: the landscape; NaN where it has no value.
        low, high: the lowest and the highest value shown.
        spread: how they are spread; None: linearly, or logarithmically where half of the picture lies near the bottom.
        most: the most levels; None: as many as are readable.

    Raises:
        FalllineError: when the spread is "log" and a value is negative, or none is positive.

    >>> levels_of(np.linspace(0, 10, 101), 0, 10).values.tolist()
    [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    >>> levels_of(10.0 ** np.linspace(0, 6, 101), 1, 1e6).named.tolist()
    [10.0, 100.0, 1000.0, 10000.0, 100000.0]
    """
    finite = values[np.isfinite(values)]
    if spread == "log":
        logarithms([finite])
    most = MOST if most is None else most
    fitting = spread or _fitting(finite, low, high)
    if fitting != "linear":
        bottom = float(np.quantile(np.abs(finite[finite != 0]), BOTTOM if fitting == "log" else NEAR_ZERO))
        found = _logarithmic(fitting, low, high, bottom, most)
        if spread or len(found.values) >= min(LEAST, most):
            return found
    return _linear(low, high, most)


def chosen_levels(values: FloatArray, heights: tuple[float, float], spread: Spread | None, levels: Any) -> Levels:
    """The levels that a user chose: their values, or how many at most; None: as `levels_of` chooses them.

    Raises:
        FalllineError: when they are neither, or the spread does not suit the values.
    """
    if levels is None or (isinstance(levels, int | np.integer) and not isinstance(levels, bool) and levels >= 1):
        return levels_of(values, *heights, spread, None if levels is None else int(levels))
    own = np.asarray(levels if isinstance(levels, Sequence | np.ndarray) and not isinstance(levels, str) else [], float)
    if own.ndim != 1 or not own.size or not np.isfinite(own).all() or (np.diff(own) <= 0).any():
        raise FalllineError("levels", levels, "it must be a whole number above 0, or numbers in ascending order")
    return Levels(spread or "linear", own, own)


def _fitting(finite: FloatArray, low: float, high: float) -> Spread:
    if np.median(finite) - low >= EVEN * (high - low):
        return "linear"
    if low >= 0:
        return "log"
    return "symlog" if -low <= BELOW * high else "linear"


def _linear(low: float, high: float, most: int) -> Levels:
    """Every second level is a multiple of 1, 2 or 5 times a power of ten, and named."""
    decade = 10.0 ** math.floor(math.log10((high - low) / (most + 1)))
    step = next(digit * decade for digit in (0.5, 1, 2.5, 5, 10, 25, 50) if _count(low, high, digit * decade) <= most)
    values, named = _multiples(low, high, step), _multiples(low, high, 2 * step)
    return Levels("linear", values, named if len(named) >= LEAST_NAMED else values)


def _multiples(low: float, high: float, step: float) -> FloatArray:
    """The multiples of a step between two numbers, without rounding: those of 0.1 are as one writes them."""
    whole = np.arange(math.floor(low / step) + 1, math.ceil(high / step))
    found = np.array([float(f"{number * step:.15g}") for number in whole])
    # Rounding may have let in an end.
    return found[(low < found) & (found < high)]


def _count(low: float, high: float, step: float) -> int:
    return max(0, math.ceil(high / step) - math.floor(low / step) - 1)


def _logarithmic(spread: Spread, low: float, high: float, bottom: float, most: int) -> Levels:
    decades = np.arange(math.floor(math.log10(min(bottom, high))), math.floor(math.log10(high)) + 1)

    def between(digits: tuple[float, ...], every: int = 1) -> FloatArray:
        chosen = decades[decades % every == 0]
        sizes = np.array([float(f"{digit}e{decade}") for decade in chosen for digit in digits])
        sizes = sizes[sizes >= bottom]
        both = sizes if spread == "log" else np.concatenate([-sizes[::-1], [0.0], sizes])
        return both[(low < both) & (both < high)]

    every_few = [((1,), every) for every in range(2, len(decades) + 1)]
    choices = [*((digits, 1) for digits in DIGITS), *every_few]
    values = next((found for choice in choices if len(found := between(*choice)) <= most), np.empty(0))
    # Powers of ten if there are enough and not too many, otherwise more or fewer numbers.
    for choice in [*((digits, 1) for digits in DIGITS[::-1]), *every_few]:
        named = between(*choice)
        if LEAST_NAMED <= len(named) <= MOST_NAMED and np.isin(named, values).all():
            return Levels(spread, values, named)
    return Levels(spread, values, values)
