"""Activation functions that neither overflow nor lose precision for large arguments."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fallline.arrays import FloatArray
from fallline.proxy import Proxy

# Complex z are compared by their real part, so complex-step differences through both functions are right.

# exp overflows above this.
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
    positive = np.real(z) > 0
    rest: FloatArray = np.log1p(np.exp(np.where(positive, -z, z)))
    return np.where(positive, z, 0.0) + rest


def normal_cdf(z: FloatArray) -> FloatArray:
    """Φ(z), the probability that a standard normal number is below z, elementwise.

    >>> normal_cdf(np.array([-40.0, 0.0, 40.0]))
    array([0. , 0.5, 1. ])
    """
    probability: FloatArray = 0.5 * _erfc(z.real * -math.sqrt(0.5))
    # First order in the imaginary part, which is enough for complex-step differences.
    return probability + 1j * z.imag * normal_density(z.real) if np.iscomplexobj(z) else probability


def normal_density(z: FloatArray) -> FloatArray:
    """exp(-z² / 2) / √(2π), elementwise: the slope of `normal_cdf`.

    >>> normal_density(np.array([0.0]))
    array([0.3989])
    """
    density: FloatArray = np.exp(-0.5 * np.square(z)) / math.sqrt(2 * math.pi)
    return density


def _erfc(x: FloatArray) -> FloatArray:
    """1 less the error function, elementwise. NumPy has none; that of Python's math is accurate to the last digits."""
    if isinstance(x, Proxy):
        found: FloatArray = x._carried("erfc", (x,), {})
        return found
    return np.asarray(_ERFC(x), np.float64)


_ERFC = np.frompyfunc(math.erfc, 1, 1)


@dataclass(frozen=True)
class Activation:
    """The activation function φ of a hidden unit.

    Attributes:
        value: a = φ(z), elementwise.
        slope: φ'(z), elementwise, from z and a; 0 at a kink.
        rectifies: whether it blocks about half the inputs, so that initial weights must be larger by √2.
        needs_z: whether the slope needs z, which is then kept for the backward pass.
    """

    value: Callable[[FloatArray], FloatArray]
    slope: Callable[[FloatArray, FloatArray], FloatArray]
    rectifies: bool
    needs_z: bool = False


def _gate(z: FloatArray, a: FloatArray) -> FloatArray:
    """Φ(z) = a / z from a = z Φ(z); 1/2 so near to 0 that the product has lost its precision."""
    large = abs(z) > 1e-290
    return np.where(large, a / np.where(large, z, 1.0), 0.5)


# The slope of a leaky unit for negative input.
LEAK = 0.01

ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": Activation(sigmoid, lambda z, a: a * (1 - a), rectifies=False),
    "tanh": Activation(np.tanh, lambda z, a: 1 - a * a, rectifies=False),
    # Nair and Hinton (2010).
    "relu": Activation(
        # NaN stays NaN.
        lambda z: np.where(z.real <= 0, 0.0, z),
        lambda z, a: (a.real > 0).astype(np.float64),
        rectifies=True,
    ),
    # Maas, Hannun and Ng (2013).
    "leaky_relu": Activation(
        lambda z: np.where(z.real > 0, z, LEAK * z), lambda z, a: np.where(a.real > 0, 1.0, LEAK), rectifies=True
    ),
    # Hendrycks and Gimpel (2016), the exact form.
    "gelu": Activation(
        lambda z: z * normal_cdf(z),
        lambda z, a: _gate(z, a) + z * normal_density(z),
        rectifies=True,
        needs_z=True,
    ),
}
