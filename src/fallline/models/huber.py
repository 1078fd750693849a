"""Robust regression: a loss that is quadratic near zero and linear far from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fallline.arrays import FloatArray
from fallline.hyperparameters import hyperparameter
from fallline.models.linear_family import LinearFamily


@dataclass(init=False, eq=False, repr=False)
class Huber(LinearFamily):
    """w·x + b with the loss ½ r² of each row where its residual r has |r| ≤ δ, and δ |r| - ½ δ² beyond.

    Huber (1964), Robust estimation of a location parameter. The slope of an outlier is at most δ.

    Arguments are those of `Loss`, and
        delta: δ, in the units of the target.

    >>> loss = Huber([0.0, 0.0], [0.5, 100.0], delta=2)
    >>> loss.gradient(np.array([0.0, 0.0]))
    array([ 0. , -1.25])
    """

    model = "Huber loss of a linear model"
    curvature: ClassVar[float] = 1.0
    convex: ClassVar[bool] = True

    delta: float = hyperparameter(1.0, about="residual beyond which the loss is a line", above=0)

    def response(self, z: FloatArray) -> FloatArray:
        return z

    # With c the residual clipped to ±δ, both branches are c (r - ½ c), and c is the slope.

    def pointwise(self, z: FloatArray, y: FloatArray) -> FloatArray:
        residual, cut = z - y, self.slope(z, y)
        return cut * (residual - 0.5 * cut)

    def slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        residual = z - y
        return np.where(abs(np.real(residual)) <= self.delta, residual, self.delta * np.sign(np.real(residual)))
