"""The array types that the rooms pass to one another."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

# What an update rule computes on: NumPy arrays, Numba scalars, torch tensors, JAX arrays, SymPy symbols.
Quantity: TypeAlias = Any

# How many numbers a pass over data may hold at once: 8 MiB, whatever the number of rows and of points asked for.
BLOCK = 2**20


def norm(vectors: FloatArray) -> FloatArray:
    """The Euclidean length along the last axis, also where its square would be too large or too small a number.

    >>> norm(np.array([[3.0, 4.0], [3e200, 4e200]]))
    array([5.e+000, 5.e+200])
    """
    with np.errstate(all="ignore"):
        length: FloatArray = np.sqrt((vectors * vectors).sum(axis=-1))
        usual = (length > 1e-150) & (length < np.inf)
        if not usual.all():
            largest = np.abs(vectors).max(axis=-1, keepdims=True)
            scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
            length = np.where(usual, length, scale[..., 0] * np.sqrt(((vectors / scale) ** 2).sum(axis=-1)))
    return length
