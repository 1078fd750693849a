"""Softmax regression: the cross-entropy of several classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.data.rows import Rows
from fallline.models import fused
from fallline.models.base import Loss, Target
from fallline.models.classes import check_labels, labels_of
from fallline.models.cross_entropy import classes_first, cross_entropy, cross_entropy_slope, softmax


@dataclass(init=False, eq=False, repr=False)
class Softmax(Loss):
    """P(class c) = exp(z_c) / Σ exp(z), z_c = w_c·x + b_c, with the loss -log P of each row's class.

    Multinomial logistic regression: Cox (1966), Some procedures connected with the logistic qualitative response
    curve. Convex; adding the same to the weights of every class changes nothing, so without `l2` the minimum is not
    unique. The parameters are the weights, class by class, then the biases.

    Arguments are those of `Loss`; targets are whole numbers or texts, one for each class; and
        classes: the classes in the order of the labels 0, 1, 2, ...; if not given, those in y, sorted.

    >>> loss = Softmax([-1.0, 0.0, 1.0], [0, 1, 2])
    >>> loss.names
    ('w[0]', 'w[1]', 'w[2]', 'b[0]', 'b[1]', 'b[2]')
    >>> bool(np.isclose(loss.value(np.zeros(6)), np.log(3)))
    True
    """

    model = "cross-entropy of a softmax model"
    # The Hessian diag(p) - p pᵀ has no eigenvalue above 1/2: Böhning (1992), Multinomial logistic regression.
    curvature: ClassVar[float] = 0.5
    convex: ClassVar[bool] = True

    classes: Sequence[str] | None = None

    @classmethod
    def target(cls, settings: Mapping[str, Any]) -> Target:
        return "classes"

    def encoded(self, y: npt.ArrayLike) -> npt.ArrayLike:
        self.classes, labels = labels_of(y, self.classes)
        return labels

    def check_targets(self) -> None:
        check_labels(self, self.class_labels())

    def class_labels(self) -> tuple[str, ...]:
        return tuple(self.classes or ())

    @property
    def outputs(self) -> int:
        assert self.classes is not None
        return len(self.classes)

    def parameter_names(self) -> tuple[str, ...]:
        assert self.classes is not None
        features = ("w",) if self.X.shape[1] == 1 else self.feature_labels()
        weights = (f"{feature}[{name}]" for name in self.classes for feature in features)
        return (*weights, *(f"b[{name}]" for name in self.classes))

    def filters(self) -> tuple[slice, ...]:
        features = self.X.shape[1]
        return tuple(slice(c * features, (c + 1) * features) for c in range(self.outputs))

    def sums(self, points: FloatArray, rows: Rows, value: bool, gradient: bool) -> tuple[FloatArray, FloatArray]:
        totals = None
        if fused.fits(self, Softmax, rows.X):
            totals = fused.sums(self, points, rows.X, rows.y, value, gradient, rows.weights)
        return super().sums(points, rows, value, gradient) if totals is None else (totals[:, -1], totals[:, :-1])

    def pointwise(self, z: FloatArray, y: FloatArray) -> FloatArray:
        """The loss of each row; z has the shape (classes, ..., rows)."""
        return cross_entropy(z, y)

    def slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        """∂ℓ/∂z of each row, in the shape of z."""
        return cross_entropy_slope(z, y)

    def forward(self, points: FloatArray, X: FloatArray) -> FloatArray:
        classes = self.outputs
        weights = points[:, :-classes].reshape(len(points), classes, -1)
        # Classes first, as the pointwise functions take them.
        z: FloatArray = np.matmul(weights, X.T).swapaxes(1, 2) + points[:, None, -classes:]
        return z

    def errors(self, forward: FloatArray, y: FloatArray) -> FloatArray:
        return self.pointwise(classes_first(forward), y)

    def backward(
        self, points: FloatArray, forward: FloatArray, X: FloatArray, y: FloatArray, weights: FloatArray | None = None
    ) -> FloatArray:
        by_class = self.slope(classes_first(forward), y)
        slope = np.moveaxis(by_class if weights is None else by_class * weights, 0, -1)
        of_weights = np.matmul(slope.swapaxes(1, 2), X).reshape(len(points), -1)
        return np.concatenate([of_weights, slope.sum(axis=1)], axis=-1)

    def predict(self, X: FloatArray, x: FloatArray) -> FloatArray:
        """The probability of each class for other rows of inputs: X (m, d) and x (dimension,) to (m, classes)."""
        return softmax(self.forward(x[None], X)[0])

    def separates(self, x: FloatArray) -> bool:
        """Whether x classifies every row correctly: then, without l2, the loss has no minimum."""
        return not self.l2 and all(self._separated(x, rows.X, rows.y) for rows in self.blocks())

    def _separated(self, x: FloatArray, X: FloatArray, y: FloatArray) -> bool:
        z = self.forward(x[None], X)[0]
        own = np.arange(len(y)), y.astype(np.intp)
        largest = z[own]
        z[own] = -np.inf
        return bool(np.all(largest > z.max(axis=-1)))
