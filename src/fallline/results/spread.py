"""The middle and the spread of repeated runs: median and quartiles, or mean and standard deviation."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest

SpreadKind = Literal["quartiles", "deviation"]
# What each kind shows, in words.
SPREADS = {"quartiles": "median and quartiles", "deviation": "mean ± standard deviation"}
# Of fewer runs each is shown by itself.
FEWEST_REPEATS = 3


class Spread(NamedTuple):
    """The middle of several numbers, and the ends of the interval that tells how far they spread."""

    low: FloatArray
    middle: FloatArray
    high: FloatArray


def check_spread(kind: str) -> None:
    """Raise a FalllineError for a kind of spread that does not exist."""
    if kind not in SPREADS:
        raise FalllineError("spread", kind, nearest(str(kind), SPREADS))


def spread_of(numbers: FloatArray, kind: SpreadKind = "quartiles") -> Spread:
    """The spread of k numbers, or of each column of k rows.

    Quartiles are interpolated as NumPy's `quantile` does. NaN is what a run is left with that went beyond all numbers:
    it counts as larger than any, so that the quartiles stay finite until a quarter of the runs has gone. The mean does
    not; its standard deviation is that of a sample, with k - 1.

    >>> spread_of(np.array([1.0, 2.0, 4.0, np.nan])).middle
    np.float64(3.0)
    >>> spread_of(np.array([1.0, 2.0, 3.0]), "deviation").low
    np.float64(1.0)
    """
    with np.errstate(all="ignore"):
        if kind == "deviation":
            middle, deviation = numbers.mean(axis=0), numbers.std(axis=0, ddof=1)
            return Spread(middle - deviation, middle, middle + deviation)
        ordered = np.where(np.isnan(numbers), np.inf, numbers)
        between, above = (
            np.quantile(ordered, (0.25, 0.5, 0.75), axis=0, method=method) for method in ("linear", "higher")
        )
        # Interpolation with an infinite number gives NaN.
        return Spread(*np.where(np.isnan(between), above, between))
