"""What all models on z = X w + b share: the forward and backward passes, made from a pointwise loss."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from fallline.arrays import FloatArray
from fallline.data.rows import Rows
from fallline.models import fused
from fallline.models.base import Loss


class LinearFamily(Loss):
    """A loss Σ ℓ(z, y) over the rows, with z = X w + b; the parameters are the weights, then the bias b.

    A model of the family is three elementwise functions: `response`, `pointwise` and `slope`. They must take
    complex z too, and be analytic near the real axis, so that complex-step differences work.
    """

    @abstractmethod
    def response(self, z: FloatArray) -> FloatArray:
        """The model's prediction at z."""

    @abstractmethod
    def pointwise(self, z: FloatArray, y: FloatArray) -> FloatArray:
        """The loss ℓ of each row."""

    @abstractmethod
    def slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        """∂ℓ/∂z of each row."""

    def parameter_names(self) -> tuple[str, ...]:
        return ("w", "b") if self.X.shape[1] == 1 else (*self.feature_labels(), "b")

    def filters(self) -> tuple[slice, ...]:
        return (slice(0, self.X.shape[1]),)

    def sums(self, points: FloatArray, rows: Rows, value: bool, gradient: bool) -> tuple[FloatArray, FloatArray]:
        totals = None
        if fused.fits(self, LinearFamily, rows.X):
            totals = fused.sums(self, points, rows.X, rows.y, value, gradient, rows.weights)
        return super().sums(points, rows, value, gradient) if totals is None else (totals[:, -1], totals[:, :-1])

    def forward(self, points: FloatArray, X: FloatArray) -> FloatArray:
        # One matrix-vector product for each point (matmul stacks them): for X @ W on all points at once, BLAS's order
        # of summation would depend on their number.
        z: FloatArray = np.matmul(X, points[:, :-1, None])[..., 0] + points[:, -1:]
        return z

    def errors(self, forward: FloatArray, y: FloatArray) -> FloatArray:
        return self.pointwise(forward, y)

    def backward(
        self, points: FloatArray, forward: FloatArray, X: FloatArray, y: FloatArray, weights: FloatArray | None = None
    ) -> FloatArray:
        slope = self.slope(forward, y)
        if weights is not None:
            slope = slope * weights
        of_weights = np.matmul(slope[:, None, :], X)[:, 0]
        return np.concatenate([of_weights, slope.sum(axis=-1, keepdims=True)], axis=-1)

    def predict(self, X: FloatArray, x: FloatArray) -> FloatArray:
        """The model's response to other rows of inputs: X (m, d) and parameters (d + 1,) to (m,)."""
        return self.response(X @ x[:-1] + x[-1])
