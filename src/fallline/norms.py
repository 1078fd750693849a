"""The scalar product, the same on every processor, and the Euclidean norm, without overflow or underflow."""

from __future__ import annotations

import functools

import numpy as np

from fallline.arrays import FloatArray
from fallline.proxy import unless


def norm(vectors: FloatArray) -> FloatArray:
    """The Euclidean norm along the last axis, also where its square would overflow or underflow.

    >>> norm(np.array([[3.0, 4.0], [3e200, 4e200]]))
    array([5.e+000, 5.e+200])
    """
    with np.errstate(all="ignore"):
        length = np.sqrt(_total(vectors * vectors))
        usual = (length > 1e-150) & (length < np.inf)
        lengths: FloatArray = unless(length, usual, lambda: _norm_by_parts(vectors))
    return lengths


def scalar_product(a: FloatArray, b: FloatArray) -> float:
    """The scalar product of two vectors. That of BLAS rounds otherwise on another kind of processor.

    >>> scalar_product(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    11.0
    """
    return float((a * b).sum())


def _total(squares: FloatArray) -> FloatArray:
    """The sum along the last axis. Fewer than eight numbers NumPy adds one after another, and slowly in many rows."""
    if isinstance(squares, np.ndarray) and squares.ndim == 2 and 0 < squares.shape[1] < 8 < len(squares):
        return functools.reduce(np.add, squares.T)
    total: FloatArray = squares.sum(axis=-1)
    return total


def _norm_by_parts(vectors: FloatArray) -> FloatArray:
    """The norm where a square overflows or underflows: the vectors are scaled by their largest coordinate."""
    largest = np.abs(vectors).max(axis=-1, keepdims=True)
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    lengths: FloatArray = scale[..., 0] * np.sqrt(((vectors / scale) ** 2).sum(axis=-1))
    return lengths
