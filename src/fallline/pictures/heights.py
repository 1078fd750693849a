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


def check_scale(scale: Any) -> None:
    """Refuse what is not a scale."""
    if scale not in SCALES:
        raise FalllineError("zscale", scale, nearest(str(scale), SCALES))
