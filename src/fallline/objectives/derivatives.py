"""Symbolic derivatives: of each function of the formula language, and of whole expressions."""

from __future__ import annotations

import functools
from typing import Any

import sympy


@functools.cache
def slope_of(function: Any) -> tuple[Any, Any]:
    """A function's derivative and the symbol it is written in."""
    t = sympy.Dummy(real=True)
    match function:
        case sympy.sign:
            return t, sympy.S.Zero
        case sympy.tanh:  # 1 - tanh(t)**2 loses its digits for large t
            return t, sympy.cosh(t) ** -2
        case sympy.asin | sympy.acos:  # and so does 1 - t**2 for t near 1
            sign = 1 if function is sympy.asin else -1
            return t, sign * ((1 - t) * (1 + t)) ** -sympy.S.Half
        case _:
            return t, function(t).fdiff()


def partial(expression: Any, variable: sympy.Symbol) -> Any:
    """The derivative as an expression. SymPy's `diff` would give distributions for sign, and re() and im() for abs."""
    if not expression.has(variable):
        return sympy.S.Zero
    if expression == variable:
        return sympy.S.One
    parts = expression.args
    inner = [partial(part, variable) for part in parts]
    if isinstance(expression, sympy.Add):
        return sympy.Add(*inner)
    if isinstance(expression, sympy.Mul):
        return sympy.Add(
            *(sympy.Mul(*parts[:i], inner[i], *parts[i + 1 :]) for i in range(len(parts)) if inner[i] != 0)
        )
    if isinstance(expression, sympy.Pow):
        base, exponent = parts
        by_base = exponent * sympy.Pow(base, exponent - 1) * inner[0]
        return by_base + (expression * sympy.log(base) * inner[1] if inner[1] != 0 else 0)
    if isinstance(expression, (sympy.Min, sympy.Max)):
        side = 1 if isinstance(expression, sympy.Max) else -1
        shares = []
        for part in parts:
            others = [other for other in parts if other is not part]
            rest = others[0] if len(others) == 1 else expression.func(*others, evaluate=False)
            lead = side * (part - rest)
            # Only numbers are evaluated: SymPy may take arbitrarily long to compare expressions.
            shares.append(sympy.Heaviside(lead, evaluate=bool(lead.is_number)))
        return sympy.Add(*(share * slope for share, slope in zip(shares, inner, strict=True)))
    symbol, slope = slope_of(expression.func)
    return slope.xreplace({symbol: parts[0]}) * inner[0]
