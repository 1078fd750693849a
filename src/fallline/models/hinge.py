"""The support vector machine: two classes, with zero loss beyond a margin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.models.base import Target
from fallline.models.linear_family import LinearFamily


class _Margin(LinearFamily):
    """A loss of the margin s z, where s = ±1 is the label of the row."""

    convex: ClassVar[bool] = True

    @classmethod
    def target(cls, settings: Mapping[str, Any]) -> Target:
        return "two classes"

    def check_targets(self) -> None:
        # 0 and 1, or -1 and 1: not both in one y.
        negative = -1.0 if (self.y == -1).any() else 0.0
        self.refuse_row(
            (self.y != 1) & (self.y != negative), "the labels of a hinge loss are 0 and 1, or all of them -1 and 1"
        )

    def class_labels(self) -> tuple[str, ...]:
        return ("-1", "1") if (self.y == -1).any() else ("0", "1")

    def class_numbers(self, y: FloatArray) -> npt.NDArray[np.intp]:
        return (y > 0).astype(np.intp)

    def response(self, z: FloatArray) -> FloatArray:
        return z


class Hinge(_Margin):
    """w·x + b, whose sign is the class, with the loss max(0, 1 - s z) of each row, s = ±1 its label.

    Cortes and Vapnik (1995), Support-vector networks, where `l2` sets the width of the margin. It has a kink at
    s z = 1, where the slope is taken as 0; so a run with a constant rate does not converge: let the rate decrease.

    Arguments are those of `Loss`; targets are the labels 0 and 1, or -1 and 1.

    >>> loss = Hinge([-2.0, 0.5], [-1, 1])
    >>> loss.value(np.array([1.0, 0.0])), loss.gradient(np.array([1.0, 0.0]))
    (array(0.25), array([-0.25, -0.5 ]))
    """

    model = "hinge loss of a linear model"

    def pointwise(self, z: FloatArray, y: FloatArray) -> FloatArray:
        return _short_of_margin(z, y)

    def slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        return -_sign(y) * (np.real(_short_of_margin(z, y)) > 0)


class SquaredHinge(_Margin):
    """w·x + b, whose sign is the class, with the loss max(0, 1 - s z)² of each row, s = ±1 its label.

    Its slope has no jump, so it suits every rule. Chang, Hsieh and Lin (2008), Coordinate descent method for
    large-scale L2-loss linear support vector machines.

    Arguments are those of `Loss`; targets are the labels 0 and 1, or -1 and 1.

    >>> SquaredHinge([-2.0, 0.5], [-1, 1]).value(np.array([1.0, 0.0]))
    array(0.125)
    """

    model = "squared hinge loss of a linear model"
    curvature: ClassVar[float] = 2.0

    def pointwise(self, z: FloatArray, y: FloatArray) -> FloatArray:
        square: FloatArray = _short_of_margin(z, y) ** 2
        return square

    def slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        return -2 * _sign(y) * _short_of_margin(z, y)


def _sign(y: FloatArray) -> FloatArray:
    return np.where(y == 1, 1.0, -1.0)


def _short_of_margin(z: FloatArray, y: FloatArray) -> FloatArray:
    short = 1 - _sign(y) * z
    return np.where(np.real(short) > 0, short, 0.0)
