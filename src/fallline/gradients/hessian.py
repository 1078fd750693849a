"""Second derivatives of any objective: exact where it has them itself, else differences of its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.objectives.base import Objective
from fallline.objectives.differences import difference, step_along


def hessian(objective: Objective, x: FloatArray) -> FloatArray:
    """The matrix of second derivatives at each point.

    Exact for a formula (by differences where its derivatives overflow on the way), and for a Python function with
    gradient="autodiff"; else by central differences of the gradient, good to about six digits. Always symmetric.

    Arguments:
        objective: with a gradient.
        x: the points, shape (..., n).

    Returns:
        Shape (..., n, n).

    >>> from fallline.objectives import as_objective
    >>> hessian(as_objective("x**2*y"), np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    own: Any = getattr(objective, "hessian", None)
    if own is not None:
        exact: FloatArray = own(x)
        return exact
    columns = np.stack([hessian_vector(objective, x, row) for row in np.eye(objective.dimension)], axis=-1)
    symmetric: FloatArray = (columns + np.swapaxes(columns, -1, -2)) / 2
    return symmetric


def hessian_vector(objective: Objective, x: FloatArray, vector: FloatArray) -> FloatArray:
    """The product of the Hessian and a vector at each point, at the cost of a few gradients; no matrix is formed.

    Exact for a formula (by differences where its derivatives overflow on the way), and for a Python function with
    gradient="autodiff"; else the central difference of two gradients along the vector.

    Arguments:
        objective: with a gradient.
        x: the points, shape (..., n).
        vector: shape (n,), or one for each point.

    Returns:
        Shape (..., n).

    >>> from fallline.objectives import as_objective
    >>> hessian_vector(as_objective("x**2*y"), np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([4., 2.])
    """
    own: Any = getattr(objective, "hessian_vector", None)
    if own is not None:
        exact: FloatArray = own(x, vector)
        return exact
    return difference(objective, x, vector, step_along(x, vector, objective.rounding))
