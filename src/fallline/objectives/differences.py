"""Hessian products by central differences of the gradient along the vector."""

from __future__ import annotations

import numpy as np

from fallline.arrays import FloatArray
from fallline.objectives.base import Objective

_EPSILON = float(np.finfo(float).eps)
# How far the differences of two steps may be apart: at a smooth point far less, at a pole of the Hessian far more.
_SETTLED = 1e-3


def step_along(x: FloatArray, vector: FloatArray, rounding: float = _EPSILON) -> FloatArray:
    """The best step of a central difference, in multiples of the vector, shape (..., 1).

    The cube root of the gradient's rounding times the size of the point; a power of two, so that adding it rounds
    little.
    """
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    size = np.maximum(1, np.max(np.abs(x), axis=-1, keepdims=True))
    step: FloatArray = np.exp2(np.round(np.log2(rounding ** (1 / 3) * size / np.where(length == 0, 1, length))))
    return step


def difference(objective: Objective, x: FloatArray, vector: FloatArray, step: FloatArray) -> FloatArray:
    """The product of the Hessian and a vector by the central difference of two gradients."""
    product: FloatArray = (objective.gradient(x + step * vector) - objective.gradient(x - step * vector)) / (2 * step)
    return product


def mended(product: FloatArray, objective: Objective, x: FloatArray, vector: FloatArray) -> FloatArray:
    """The product, with differences in place of entries that overflowed on the way although the gradient does not.

    Entries stay as they are where the differences of two steps disagree, as at a kink, where the Hessian is infinite.
    """
    with np.errstate(all="ignore"):
        step = step_along(x, vector)
        wide, narrow = (difference(objective, x, vector, part) for part in (step, step / 2))
        rounding = 64 * _EPSILON * np.abs(objective.gradient(x)) / step
        settled = np.abs(wide - narrow) <= _SETTLED * np.abs(narrow) + rounding
        # Without the error in the square of the step (Richardson's extrapolation).
        finer = (4 * narrow - wide) / 3
    return np.where(np.isfinite(product) | ~settled, product, finer)
