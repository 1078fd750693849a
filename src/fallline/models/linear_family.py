"""What all models on z = X w + b share: value, gradient and smoothness from one pointwise loss."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.models.base import Loss

# How many numbers z may hold at once: 8 MiB, whatever the number of points asked for.
BLOCK = 2**20


class LinearFamily(Loss):
    """A loss Σ ℓ(z, y) over the rows, with z = X w + b; the parameters are the weights, then the bias b.

    A model of the family is three elementwise functions: `response`, `pointwise` and `slope`. They must take
    complex z too, analytic beside the real axis, so that complex-step differences go through them.

    Attributes:
        curvature: the largest |∂²ℓ/∂z²| over all z and allowed y.
        convex: whether ∂²ℓ/∂z² is never negative.
    """

    curvature: ClassVar[float]
    convex: ClassVar[bool]

    @abstractmethod
    def response(self, z: FloatArray) -> FloatArray:
        """What the model predicts at z."""

    @abstractmethod
    def pointwise(self, z: FloatArray, y: FloatArray) -> FloatArray:
        """The loss ℓ of each row."""

    @abstractmethod
    def slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        """∂ℓ/∂z of each row."""

    def parameter_names(self) -> tuple[str, ...]:
        features = self.X.shape[1]
        if features == 1:
            return ("w", "b")
        if self.feature_names is not None:
            return (*(f"w_{name}" for name in self.feature_names), "b")
        return (*(f"w{number}" for number in range(1, features + 1)), "b")

    def value(self, x: FloatArray) -> FloatArray:
        points = _points(x)
        value = np.empty(len(points), points.dtype)
        for block, z in self._blocks(points):
            value[block] = self._sum(z)
        return value.reshape(np.shape(x)[:-1])

    def gradient(self, x: FloatArray) -> FloatArray:
        points = _points(x)
        gradient = np.empty_like(points)
        for block, z in self._blocks(points):
            gradient[block] = self._sum_of_slopes(z)
        return gradient.reshape(np.shape(x))

    def value_and_gradient(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        points = _points(x)
        value, gradient = np.empty(len(points), points.dtype), np.empty_like(points)
        for block, z in self._blocks(points):
            value[block] = self._sum(z)
            gradient[block] = self._sum_of_slopes(z)
        return value.reshape(np.shape(x)[:-1]), gradient.reshape(np.shape(x))

    def predict(self, X: FloatArray, x: FloatArray) -> FloatArray:
        """The model's response to other rows of inputs: X (m, d) and parameters (d + 1,) to (m,)."""
        return self.response(X @ x[:-1] + x[-1])

    def smoothness(self, batch_size: int | None = None) -> float:
        """A Lipschitz constant L of the gradient: no step of a rate up to 1/L overshoots.

        Arguments:
            batch_size: None for the loss on all rows; a number for a bound that any batch of as many keeps.

        Returns:
            L = c λ, where c is the model's `curvature` and λ the largest eigenvalue of AᵀA (of AᵀA / n for a
            mean) with A = [X 1]; for batches λ is bounded by the longest row of A.

        >>> from fallline.models import Logistic
        >>> Logistic([-1.0, 1.0], [0, 1], reduction="mean").smoothness()
        0.25
        """
        mean = self.reduction == "mean"
        if batch_size is None:
            design = np.column_stack([self.X, np.ones(self.rows)])
            largest = float(np.linalg.eigvalsh(design.T @ design)[-1])
            return self.curvature * largest / (self.rows if mean else 1)
        longest = float(np.max(np.sum(self.X**2, axis=1))) + 1
        return self.curvature * longest * (1 if mean else batch_size)

    def _blocks(self, points: FloatArray) -> Iterator[tuple[slice, FloatArray]]:
        """The points in blocks: which, and their z of shape (points in the block, rows)."""
        count = max(1, BLOCK // self.rows)
        for start in range(0, len(points), count):
            block = slice(start, start + count)
            # One matrix-vector product a point (matmul stacks them): X @ W for all points at once would
            # let BLAS choose its order of summing by how many there are.
            z = np.matmul(self.X, points[block, :-1, None])[..., 0]
            yield block, z + points[block, -1:]

    def _sum(self, z: FloatArray) -> FloatArray:
        total: FloatArray = self.pointwise(z, self.y).sum(axis=-1)
        return total / self.rows if self.reduction == "mean" else total

    def _sum_of_slopes(self, z: FloatArray) -> FloatArray:
        slope = self.slope(z, self.y)
        weights = np.matmul(slope[:, None, :], self.X)[:, 0]
        total = np.concatenate([weights, slope.sum(axis=-1, keepdims=True)], axis=-1)
        return total / self.rows if self.reduction == "mean" else total


def _points(x: npt.ArrayLike) -> FloatArray:
    """The points one a row, contiguous: a product may sum in another order along a strided row."""
    numbers = np.asarray(x)
    contiguous = np.ascontiguousarray(numbers, np.result_type(numbers, np.float64))
    return contiguous.reshape(-1, numbers.shape[-1])
