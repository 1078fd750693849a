"""Quantiles by sorting: those of NumPy import `numpy.ma`, which a run on a formula would wait for."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray


def quantile(values: npt.ArrayLike, share: float) -> Any:
    """The number below which a share of the values on the last axis lies, interpolated; NaN if one of them is NaN.

    >>> float(quantile([3.0, 1.0, 2.0, 10.0], 0.5)), float(quantile([0.0, 10.0], 0.9))
    (2.5, 9.0)
    """
    ordered: FloatArray = np.sort(values, axis=-1)
    place = share * (ordered.shape[-1] - 1)
    low, part = int(place), place % 1
    found = ordered[..., low]
    if part:
        found = (1 - part) * found + part * ordered[..., low + 1]
    return np.where(np.isnan(ordered[..., -1]), np.nan, found)[()]


def median(values: npt.ArrayLike) -> Any:
    """The middle of the values on the last axis."""
    return quantile(values, 0.5)
