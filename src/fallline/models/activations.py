"""Activation functions that neither overflow nor lose digits, however large their argument."""

from __future__ import annotations

import numpy as np

from fallline.arrays import FloatArray

# Complex z are compared by their real part, so complex-step differences through both functions are right.

# The exponential of anything larger overflows.
LARGEST_EXPONENT = 709.0


def sigmoid(z: FloatArray) -> FloatArray:
    """The logistic function 1 / (1 + exp(-z)), elementwise.

    Below z = -709 it stays at 1e-308.

    >>> sigmoid(np.array([0.0, 1e4]))
    array([0.5, 1. ])
    """
    p: FloatArray = 1 / (1 + np.exp(np.minimum(-z, LARGEST_EXPONENT)))
    return p


def softplus(z: FloatArray) -> FloatArray:
    """log(1 + exp(z)), elementwise; its derivative is the sigmoid.

    >>> softplus(np.array([-1e4, 1e4]))
    array([    0., 10000.])
    """
    positive = z.real > 0
    rest: FloatArray = np.log1p(np.exp(np.where(positive, -z, z)))
    return np.where(positive, z, 0.0) + rest
