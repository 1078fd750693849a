"""Straight-line code, run on NumPy arrays and, for a single point, on floats."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.machine_code.graph import Node
from fallline.objectives.floats import ON_FLOATS
from fallline.objectives.straight_line import StraightLine

# Points computed at a time, so that intermediate results stay in the cache and memory stays bounded.
_BLOCK = 1 << 13


def _array_power(base: Any, exponent: Any) -> Any:
    if np.ndim(exponent) and len(exponent) == 1:
        # NumPy has special cases for a single exponent such as 2 or -1; one point must round as it does in a batch.
        return np.power(np.repeat(base, 2), np.repeat(exponent, 2))[:1]
    return np.power(base, exponent)


def _whole_power(base: Any, exponent: float) -> Any:
    if not np.iscomplexobj(base):
        return np.power(base, exponent)
    # NumPy computes complex powers through the logarithm, whose rounding error would hide a complex step.
    result, square, left = np.ones_like(base), base, int(abs(exponent))
    while left:
        result = result * square if left % 2 else result
        left //= 2
        square = square * square
    return result if exponent > 0 else 1 / result


def _array_sigmoid(x: Any) -> Any:
    # exp of a negative number only, so that nothing overflows.
    right = np.real(x) >= 0
    z = np.exp(np.where(right, -x, x))
    return np.where(right, 1.0, z) / (1.0 + z)


def _chained(adjoint: Any, slope: Any) -> Any:
    """The product, in which a 0 wins against what is infinite or NaN."""
    return np.where((adjoint == 0) | ((slope == 0) & ~np.isfinite(adjoint)), 0.0, adjoint * slope)


# The functions of the code on arrays, and on what stands for arrays.
ON_ARRAYS: Mapping[str, Callable[..., Any]] = {
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sign": np.sign,
    "min": np.minimum,
    "max": np.maximum,
    "sigmoid": _array_sigmoid,
    "power": _array_power,
    "whole_power": _whole_power,
    "times_log": lambda value, base: np.where(value == 0, 0.0, value * np.log(base)),
    "equal": lambda left, right: np.equal(left, right) * 1.0,
    "not_equal": lambda left, right: np.not_equal(left, right) * 1.0,
    "less": lambda left, right: np.less(left, right) * 1.0,
    "less_equal": lambda left, right: np.less_equal(left, right) * 1.0,
    "greater": lambda left, right: np.greater(left, right) * 1.0,
    "greater_equal": lambda left, right: np.greater_equal(left, right) * 1.0,
    "both": np.multiply,
    "either": np.maximum,
    "negation": lambda condition: 1.0 - condition,
    "where": lambda condition, chosen, other: np.where(condition, chosen, other),
    "floor": np.floor,
    "mod": np.remainder,
    "atan2": np.arctan2,
    "log1p": np.log1p,
    "cbrt": np.cbrt,
    "erf": np.vectorize(math.erf, [float]),
    "chained": _chained,
    "chained_quotient": lambda adjoint, divisor: np.where(adjoint == 0, 0.0, adjoint / divisor),
}


class Compiled:
    """A formula compiled to a Python function of an array of points."""

    def __init__(self, code: StraightLine, outputs: list[Node]) -> None:
        self.shape = (1, len(code.inputs))
        # The code contains only the names x0, t0, ..., numbers and the functions above: nothing that the user wrote.
        compiled = compile(code.source(outputs), "<formula>", "exec")
        on_arrays: dict[str, Any] = {**ON_ARRAYS, "inf": np.inf, "nan": np.nan}
        on_floats: dict[str, Any] = {**ON_FLOATS, "inf": np.inf, "nan": np.nan}
        exec(compiled, on_arrays)  # noqa: S102
        exec(compiled, on_floats)  # noqa: S102
        self.on_arrays: Callable[..., tuple[Any, ...]] = on_arrays["f"]
        self.on_floats: Callable[..., tuple[float, ...]] = on_floats["f"]
        self.width = len(outputs)

    def at_one_point(self, x: FloatArray) -> tuple[float, ...] | None:
        """The outputs for an array of one point, computed on floats for speed; None where that is not possible."""
        if x.shape == self.shape and x.dtype == np.float64:
            try:
                return self.on_floats(*x.tolist()[0])
            except ArithmeticError:
                return None
        return None

    def __call__(self, x: FloatArray) -> FloatArray:
        """The outputs at each point: shape (..., dimension) to (..., outputs)."""
        outputs = self.at_one_point(x)
        if outputs is not None:
            return np.array([outputs])
        if not x.ndim or x.shape[-1] != self.shape[1]:
            raise FalllineError(
                "x", problem=f"has shape {x.shape}", allowed=f"its last axis holds the {self.shape[1]} coordinates"
            )
        kind: Any = np.complex128 if np.iscomplexobj(x) else np.float64
        points = x.reshape(-1, self.shape[1])
        rows = np.empty((len(points), self.width), kind)
        with np.errstate(all="ignore"):
            for start in range(0, len(points), _BLOCK):
                block = slice(start, start + _BLOCK)
                # A contiguous array for each coordinate: NumPy's loops may round differently on strided arrays.
                columns = np.ascontiguousarray(points[block].T, kind)
                for index, output in enumerate(self.on_arrays(*columns)):
                    rows[block, index] = output
        return rows.reshape(*x.shape[:-1], self.width)
