"""The words of the formula language: its functions and constants."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple


class Function(NamedTuple):
    """A function of the formula language.

    Attributes:
        on_numbers: the function on numbers, for constants.
        slopes: its derivative by each argument, as a formula of the arguments a and b; None where the rule is
            another (`sqrt` is a power; `min`, `max` and `where` choose).
        most: the most arguments it takes; None for any number.
    """

    on_numbers: Callable[..., float]
    slopes: tuple[str, ...] | None = None
    most: int | None = 1

    @property
    def fewest(self) -> int:
        """The fewest arguments it takes."""
        return 2 if self.most is None else self.most


def _sigmoid(x: float) -> float:
    z = math.exp(-abs(x))
    return (1.0 if x >= 0 else z) / (1.0 + z)


FUNCTIONS: Mapping[str, Function] = {
    "sin": Function(math.sin, ("cos(a)",)),
    "cos": Function(math.cos, ("-sin(a)",)),
    "tan": Function(math.tan, ("1 + tan(a)**2",)),
    # 1 - a**2 would lose its digits for a near 1, and 1 - tanh(a)**2 for large a.
    "asin": Function(math.asin, ("1/sqrt((1 - a)*(1 + a))",)),
    "acos": Function(math.acos, ("-1/sqrt((1 - a)*(1 + a))",)),
    "atan": Function(math.atan, ("1/(1 + a**2)",)),
    "atan2": Function(math.atan2, ("b/(a**2 + b**2)", "-a/(a**2 + b**2)"), 2),
    "sinh": Function(math.sinh, ("cosh(a)",)),
    "cosh": Function(math.cosh, ("sinh(a)",)),
    "tanh": Function(math.tanh, ("1/cosh(a)**2",)),
    "exp": Function(math.exp, ("exp(a)",)),
    "log": Function(math.log, ("1/a",)),
    "log1p": Function(math.log1p, ("1/(1 + a)",)),
    "sqrt": Function(math.sqrt),
    "cbrt": Function(math.cbrt, ("1/(3*cbrt(a)**2)",)),
    "abs": Function(abs, ("sign(a)",)),
    "sign": Function(lambda x: float((x > 0) - (x < 0)), ("0",)),
    "floor": Function(math.floor, ("0",)),
    "mod": Function(lambda a, b: a % b, ("1", "-floor(a/b)"), 2),
    "min": Function(min, most=None),
    "max": Function(max, most=None),
    "sigmoid": Function(_sigmoid, ("sigmoid(a)*sigmoid(-a)",)),
    "erf": Function(math.erf, ("2/sqrt(pi)*exp(-a**2)",)),
    "where": Function(lambda condition, a, b: a if condition else b, most=3),
}
CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e}

# Comparisons and their connectives, which have the value 1 where they hold and 0 elsewhere.
COMPARISONS: Mapping[str, str] = {
    "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal", "!=": "not_equal",
}  # fmt: skip
CONDITIONS: Mapping[str, Callable[..., float]] = {
    "less": lambda a, b: float(a < b),
    "less_equal": lambda a, b: float(a <= b),
    "greater": lambda a, b: float(a > b),
    "greater_equal": lambda a, b: float(a >= b),
    "equal": lambda a, b: float(a == b),
    "not_equal": lambda a, b: float(a != b),
    "both": lambda a, b: float(a and b),
    "either": lambda a, b: float(a or b),
    "negation": lambda a: float(not a),
}

# Other names of functions, and functions made of others: a formula of the arguments a, b and c.
WRITTEN: Mapping[str, str] = {
    "ln": "log(a)",
    "log10": "log(a)/log(10)",
    "log2": "log(a)/log(2)",
    # Below -1 nothing cancels, and above it nothing underflows.
    "expm1": "where(a < -1, exp(a) - 1, 2*exp(a/2)*sinh(a/2))",
    "exp2": "2**a",
    "arcsin": "asin(a)",
    "arccos": "acos(a)",
    "arctan": "atan(a)",
    "arctan2": "atan2(a, b)",
    "asinh": "sign(a)*log1p(abs(a) + a**2/(1 + sqrt(1 + a**2)))",
    "acosh": "log(a + sqrt((a - 1)*(a + 1)))",
    "atanh": "log1p(2*a/(1 - a))/2",
    "arcsinh": "asinh(a)",
    "arccosh": "acosh(a)",
    "arctanh": "atanh(a)",
    "tg": "tan(a)",
    "cot": "1/tan(a)",
    "ctg": "1/tan(a)",
    "arctg": "atan(a)",
    "sec": "1/cos(a)",
    "csc": "1/sin(a)",
    "sech": "1/cosh(a)",
    "pow": "a**b",
    "power": "a**b",
    "square": "a**2",
    "fabs": "abs(a)",
    "absolute": "abs(a)",
    "sgn": "sign(a)",
    "ceil": "-floor(-a)",
    "erfc": "1 - erf(a)",
    "relu": "max(a, 0)",
    "softplus": "max(a, 0) + log1p(exp(-abs(a)))",
    "heaviside": "where(a < 0, 0, where(a > 0, 1, b))",
    "maximum": "max(a, b)",
    "minimum": "min(a, b)",
    "expit": "sigmoid(a)",
    "logistic": "sigmoid(a)",
    "hypot": "norm(a, b)",
    "clip": "min(max(a, b), c)",
}
# Functions that mean more than one thing or that a formula does not have, and what to write, in lower case.
ELSEWHERE: Mapping[str, str] = {
    "lg": "log10(x) or log2(x)",
    **{f"log_{base}": f"log{base}(x)" for base in (2, 10)},
    "round": "floor(x + 1/2)",
    "trunc": "sign(x)*floor(abs(x))",
    "mean": "sum(x[i], i=1..3)/3",
    **dict.fromkeys(["if", "iif", "ifelse", "piecewise"], "where(condition, a, b)"),
    **dict.fromkeys(["sum", "summation"], "sum(x[i], i=1..3)"),
    **dict.fromkeys(["prod", "product"], "prod(x[i], i=1..3)"),
    **dict.fromkeys(["diff", "d"], "the function itself, not its derivative"),
}
# Functions of any number of parts, which may be written with an index: sum(x[i]**2, i=1..3).
OVER_PARTS = ("sum", "prod", "norm")
INDEXED = (*OVER_PARTS, "min", "max")
CALLED = frozenset([*FUNCTIONS, *WRITTEN, *OVER_PARTS])
# Modules whose functions are written without them.
MODULES = frozenset(["np", "numpy", "linalg", "jnp", "math", "Math", "torch", "tf", "sp", "sympy", "scipy", "special"])
