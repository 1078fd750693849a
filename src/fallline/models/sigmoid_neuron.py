"""The sigmoid neuron under the squared loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from fallline.arrays import FloatArray
from fallline.models.activations import sigmoid
from fallline.models.base import Target
from fallline.models.linear_family import LinearFamily

# ∂²ℓ/∂z² = p²(1 - p)² + (p - y) p (1 - p)(1 - 2p) is linear in y, so it is extreme at y = 0 or, mirrored,
# at y = 1. At y = 0 it is p²(1 - p)(2 - 3p), whose derivative in p, p (12p² - 15p + 4), is 0 at this p.
STEEPEST = (15 - math.sqrt(33)) / 24


class SigmoidNeuron(LinearFamily):
    """p = 1 / (1 + exp(-(w·x + b))) with the loss ½ (p - y)² of each row.

    Rumelhart, Hinton and Williams (1986), Learning representations by back-propagating errors. Not convex:
    where the neuron saturates, the error surface is flat.

    Arguments are those of `Loss`; targets lie between 0 and 1, the range of p.

    >>> loss = SigmoidNeuron([0.5, 2.5], [0.2, 0.9])
    >>> loss.names
    ('w', 'b')
    >>> loss.value([0.0, 0.0])
    array(0.0625)
    """

    model = "squared loss of a sigmoid neuron"
    curvature: ClassVar[float] = STEEPEST**2 * (1 - STEEPEST) * (2 - 3 * STEEPEST)
    convex: ClassVar[bool] = False

    @classmethod
    def target(cls, settings: Mapping[str, Any]) -> Target:
        return "numbers or two classes"

    def check_targets(self) -> None:
        self.refuse_row(
            (self.y < 0) | (self.y > 1), "a sigmoid neuron answers between 0 and 1; scale the targets to that"
        )

    def class_labels(self) -> tuple[str, ...]:
        return ("0", "1") if np.isin(self.y, (0, 1)).all() else ()

    def response(self, z: FloatArray) -> FloatArray:
        return sigmoid(z)

    def pointwise(self, z: FloatArray, y: FloatArray) -> FloatArray:
        half_square: FloatArray = 0.5 * (sigmoid(z) - y) ** 2
        return half_square

    def slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        p = sigmoid(z)
        return (p - y) * p * (1 - p)
