"""The functions of formulas on one Python float: the same bits as on an array, faster."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def _within(low: float, function: Callable[[float], Any], high: float) -> Callable[[float], float]:
    """A NumPy function on one float, with the same bits as on an array; ArithmeticError outside (low, high)."""

    def on_float(x: float) -> float:
        if low < x < high:
            return float(function(x))
        raise ArithmeticError

    return on_float


def _sqrt(x: float) -> float:
    if x >= 0:
        return math.sqrt(x)
    raise ArithmeticError


def _sign(x: float) -> float:
    if x > 0:
        return 1.0
    if x < 0:
        return -1.0
    raise ArithmeticError


def _min(left: float, right: float) -> float:
    if left < right:
        return left
    if left > right:
        return right
    raise ArithmeticError


def _max(left: float, right: float) -> float:
    return -_min(-left, -right)


def _sigmoid(x: float) -> float:
    z = _exp(-abs(x))
    return (1.0 if x >= 0 else z) / (1.0 + z)


def _power(base: float, exponent: float) -> float:
    if base > 0 and exponent not in (-1, 0, 0.5, 1, 2) and abs(exponent * math.log(base)) < 700:
        return float(np.power(base, exponent))
    raise ArithmeticError


def _whole_power(base: float, exponent: float) -> float:
    if base != 0 and abs(exponent * math.log(abs(base))) < 700:
        return float(np.power(base, exponent))
    raise ArithmeticError


def _mod(x: float, divisor: float) -> float:
    if divisor != 0 and -math.inf < x < math.inf:
        return float(np.remainder(x, divisor))
    raise ArithmeticError


def _chained(adjoint: float, slope: float) -> float:
    if adjoint == 0 or (slope == 0 and not math.isfinite(adjoint)):
        return 0.0
    return adjoint * slope


_exp = _within(-700, np.exp, 700)
_log = _within(0, np.log, math.inf)

# Each raises ArithmeticError where NumPy would warn or treats the argument as a special case: use arrays there.
ON_FLOATS: Mapping[str, Callable[..., float]] = {
    "sin": _within(-math.inf, np.sin, math.inf),
    "cos": _within(-math.inf, np.cos, math.inf),
    "tan": _within(-math.inf, np.tan, math.inf),
    "asin": _within(-1, np.arcsin, 1),
    "acos": _within(-1, np.arccos, 1),
    "atan": _within(-math.inf, np.arctan, math.inf),
    "sinh": _within(-700, np.sinh, 700),
    "cosh": _within(-700, np.cosh, 700),
    "tanh": _within(-math.inf, np.tanh, math.inf),
    "exp": _exp,
    "log": _log,
    "sqrt": _sqrt,
    "abs": abs,
    "sign": _sign,
    "min": _min,
    "max": _max,
    "sigmoid": _sigmoid,
    "power": _power,
    "whole_power": _whole_power,
    "times_log": lambda value, base: value * _log(base),
    "equal": lambda left, right: 1.0 if left == right else 0.0,
    "not_equal": lambda left, right: 1.0 if left != right else 0.0,
    "less": lambda left, right: 1.0 if left < right else 0.0,
    "less_equal": lambda left, right: 1.0 if left <= right else 0.0,
    "greater": lambda left, right: 1.0 if left > right else 0.0,
    "greater_equal": lambda left, right: 1.0 if left >= right else 0.0,
    "both": lambda left, right: left * right,
    "either": max,
    "negation": lambda condition: 1.0 - condition,
    "where": lambda condition, chosen, other: chosen if condition else other,
    "floor": _within(-math.inf, np.floor, math.inf),
    "mod": _mod,
    "atan2": lambda y, x: float(np.arctan2(y, x)),
    "cbrt": _within(-math.inf, np.cbrt, math.inf),
    "log1p": _within(-1, np.log1p, math.inf),
    "erf": math.erf,
    "chained": _chained,
    "chained_quotient": lambda adjoint, divisor: 0.0 if adjoint == 0 else adjoint / divisor,
}
