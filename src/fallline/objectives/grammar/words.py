"""The words of the formula language: its functions and constants, and which names a variable may have."""

from __future__ import annotations

import keyword
import math
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

import sympy


class sigmoid(sympy.Function):  # type: ignore[misc]
    """1 / (1 + exp(-x)), as a SymPy function.

    >>> sigmoid(sympy.Symbol("x")).diff()
    sigmoid(-x)*sigmoid(x)
    """

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """The derivative; 1 - sigmoid(x) is written sigmoid(-x), which keeps its digits for large x."""
        return sigmoid(self.args[0]) * sigmoid(-self.args[0])

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\sigma{power}\left({printer.doprint(self.args[0])}\right)"


def _sqrt(x: sympy.Expr, evaluate: bool) -> sympy.Expr:
    return sympy.Pow(x, sympy.S.Half, evaluate=evaluate)


FUNCTIONS: Mapping[str, Any] = {
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "asin": sympy.asin,
    "acos": sympy.acos,
    "atan": sympy.atan,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
    "exp": sympy.exp,
    "log": sympy.log,
    "sqrt": _sqrt,
    "abs": sympy.Abs,
    "sign": sympy.sign,
    "min": sympy.Min,
    "max": sympy.Max,
    "sigmoid": sigmoid,
}
CONSTANTS: Mapping[str, Any] = {"pi": sympy.pi, "e": sympy.E}
TWO_OR_MORE = ("min", "max")
ALLOWED = "Allowed: numbers, variables, + - * / **, ( ), pi, e and " + ", ".join(FUNCTIONS)


def _sigmoid(x: float) -> float:
    z = math.exp(-abs(x))
    return (1.0 if x >= 0 else z) / (1.0 + z)


# The same functions on numbers, for constants.
ON_NUMBERS: Mapping[str, Callable[..., float]] = {
    **{name: getattr(math, name) for name in FUNCTIONS if hasattr(math, name)},
    "abs": abs,
    "sign": lambda x: float((x > 0) - (x < 0)),
    "min": min,
    "max": max,
    "sigmoid": _sigmoid,
}

# Names from other languages, and what to write here.
ELSEWHERE = {
    "ln": "log(x)",
    "log10": "log(x)/log(10)",
    "log2": "log(x)/log(2)",
    "log1p": "log(1 + x)",
    "expm1": "exp(x) - 1",
    "arcsin": "asin(x)",
    "arccos": "acos(x)",
    "arctan": "atan(x)",
    "tg": "tan(x)",
    "cot": "1/tan(x)",
    "sec": "1/cos(x)",
    "csc": "1/sin(x)",
    "pow": "x**y",
    "power": "x**y",
    "square": "x**2",
    "cbrt": "x**(1/3)",
    "fabs": "abs(x)",
    "absolute": "abs(x)",
    "sgn": "sign(x)",
    "relu": "max(x, 0)",
    "maximum": "max(x, y)",
    "minimum": "min(x, y)",
    "expit": "sigmoid(x)",
    "logistic": "sigmoid(x)",
}


def problem_with(name: str) -> str | None:
    """Why a name cannot be a variable or a step; None where it can.

    >>> problem_with("sin"), problem_with("x1")
    ('sin is the function; use another name', None)
    """
    if name in FUNCTIONS or name in CONSTANTS:
        return f"{name} is the {'function' if name in FUNCTIONS else 'constant'}; use another name"
    if not name.isidentifier() or keyword.iskeyword(name):
        return "a name is letters, digits and _, and not a word of Python such as lambda"
    if name.lower() in ("pi", "inf", "nan", "oo", "infinity"):
        return "write pi" if name.lower() == "pi" else "a formula has finite numbers only"
    plain = unicodedata.normalize("NFKC", name)
    return None if plain == name else f"write {plain}"
