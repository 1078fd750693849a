"""The heights that a picture shows: their limits, and a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest
from fallline.objectives.points import interval
from fallline.pictures.paths import Interval

# The lowest and the highest value shown, as Matplotlib takes limits: None at an end leaves it to the picture.
Limits: TypeAlias = "Sequence[float | None] | None"
Scale: TypeAlias = Literal["linear", "log"]
SCALES = ("linear", "log")
# A linear scale shows the descent of runs if that takes at least this share of the heights. Otherwise the scale is
# logarithmic if that shows positive values over so many decades; or cut off, so that the descent takes the other share,
# if walls so high make at least half of the picture look flat, and that half stays.
SEEN, DECADES, CUT = 0.1, 2.0, 0.4
# A logarithmic scale begins below all but this share of the values: a narrower valley would be a comb of needles,
# where the grid happens to hit it.
NARROW = 0.02


def limited(found: Interval, limits: Limits, parameter: str) -> Interval:
    """The limits that a user gave, with those found by the picture where they gave None.

    Raises:
        FalllineError: when they are not two numbers or None, the lower one first.

    >>> limited((0.0, 100.0), (None, 10), "zlim")
    (0.0, 10.0)
    """
    if limits is None:
        return found
    given = _two(limits, parameter)
    return interval([end if own is None else own for own, end in zip(given, found, strict=True)], parameter)


def _two(limits: Any, parameter: str) -> list[Any]:
    given = list(limits) if isinstance(limits, Sequence | np.ndarray) else []
    if len(given) != 2:
        raise FalllineError(parameter, limits, "it must be two numbers, the lower one first, or None at an end")
    return given


def logarithms(parts: Iterable[FloatArray]) -> list[FloatArray]:
    """The decimal logarithms of values; those of 0 are that of the lowest value above it.

    Raises:
        FalllineError: when a value is negative, or none is positive.

    >>> logarithms([np.array([100.0, 0.0]), np.array([0.1])])
    [array([ 2., -1.]), array([-1.])]
    """
    parts = list(parts)
    every = np.concatenate([part.ravel() for part in parts])
    lowest, positive = np.nanmin(every), every[every > 0]
    if lowest < 0 or not positive.size:
        raise FalllineError(
            "zscale",
            "log",
            f"add what makes them positive: the lowest is {lowest:g}",
            problem="but not all values are positive",
        )
    least = positive.min()
    return [np.log10(np.maximum(part, least)) for part in parts]


def in_logarithms(limits: Limits) -> Limits:
    """Limits of values as limits of their logarithms."""
    if limits is None:
        return None
    given = _two(limits, "zlim")
    if not all(end is None or (isinstance(end, int | float) and end > 0) for end in given):
        raise FalllineError("zlim", limits, "on a logarithmic scale it must be two numbers above 0, or None at an end")
    return [None if end is None else math.log10(end) for end in given]


def fitting(values: FloatArray, seen: FloatArray, found: Interval) -> tuple[Scale, Limits]:
    """The scale, and its limits, on which the descent of runs is seen: linear unless that hides it.

    Arguments:
        values: the values of a landscape.
        seen: the values of the runs on it.
        found: the lowest and the highest value that the picture would show.

    >>> fitting(np.geomspace(1.0, 5000.0), np.array([24.0, 1.1]), (1.0, 5000.0))
    ('log', [1.0, None])
    >>> fitting(np.array([-1.0, 1.0, 5000.0]), np.array([24.0, 0.0]), (-1.0, 5000.0))
    ('linear', [None, 60.0])
    """
    finite, points = (part[np.isfinite(part)] for part in (values, seen))
    fall = float(np.ptp(points)) if points.size else 0.0
    if fall == 0 or fall >= SEEN * (found[1] - found[0]):
        return "linear", None
    positive = finite[finite > 0]
    if min(finite.min(), points.min()) >= 0:
        low = float(np.quantile(positive, NARROW))
        if math.log10(positive.max() / low) >= DECADES:
            return "log", [float(f"{low:.1g}"), None]
    middle = float(np.median(finite))
    if middle - found[0] > SEEN * (found[1] - found[0]):
        return "linear", None
    return "linear", [None, float(f"{max(float(points.min()) + fall / CUT, middle):.1g}")]


def check_scale(scale: Any) -> None:
    """Refuse what is not a scale."""
    if scale != "auto" and scale not in SCALES:
        raise FalllineError("zscale", scale, nearest(str(scale), ("auto", *SCALES)))
