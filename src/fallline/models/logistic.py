"""Logistic regression: the cross-entropy of two classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from fallline.arrays import FloatArray
from fallline.models.activations import sigmoid, softplus
from fallline.models.base import Target
from fallline.models.linear_family import LinearFamily


class Logistic(LinearFamily):
    """P(y = 1) = 1 / (1 + exp(-(w·x + b))) with the loss -log P(y) of each row.

    Cox (1958), The regression analysis of binary sequences. Convex; its minimum is the maximum-likelihood
    fit, which is finite unless a plane separates the classes.

    Arguments are those of `Loss`; targets are the labels 0 and 1.

    >>> loss = Logistic([-1.0, 1.0], [0, 1])
    >>> bool(np.isclose(loss.value(np.array([0.0, 0.0])), np.log(2)))
    True
    """

    model = "cross-entropy of a logistic model"
    # ∂²ℓ/∂z² = p (1 - p), at most 1/4.
    curvature: ClassVar[float] = 0.25
    convex: ClassVar[bool] = True

    @classmethod
    def target(cls, settings: Mapping[str, Any]) -> Target:
        return "two classes"

    def check_targets(self) -> None:
        self.refuse_row((self.y != 0) & (self.y != 1), "the labels of a logistic model are 0 and 1")

    def class_labels(self) -> tuple[str, ...]:
        return ("0", "1")

    def response(self, z: FloatArray) -> FloatArray:
        return sigmoid(z)

    # With the sign s = ±1 of the label, -log P(y) = log(1 + exp(-s z)), which is precise in both tails.

    def pointwise(self, z: FloatArray, y: FloatArray) -> FloatArray:
        return softplus((1 - 2 * y) * z)

    def slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        away = 1 - 2 * y
        return away * sigmoid(away * z)

    def separates(self, x: FloatArray) -> bool:
        """Whether the parameters x classify every row correctly: then, without l2, the loss has no minimum."""
        return not self.l2 and all(np.all((2 * rows.y - 1) * (rows.X @ x[:-1] + x[-1]) > 0) for rows in self.blocks())
