"""SymPy expressions into the formula language."""

from __future__ import annotations

import itertools
from typing import Any

import sympy
from sympy.printing.str import StrPrinter

from fallline.errors import FalllineError, Verbatim, nearest, shortened
from fallline.objectives.grammar.formula import Formula
from fallline.objectives.grammar.reading import MAX_CHARACTERS, article, parse
from fallline.objectives.grammar.words import CONSTANTS, FUNCTIONS, problem_with


def from_sympy(expression: sympy.Expr) -> Formula:
    """Read a SymPy expression as if it had been written in the formula language; its symbols become real.

    Raises:
        FalllineError: naming what the formula language does not have.

    >>> x = sympy.Symbol("x")
    >>> from_sympy(sympy.exp(x) * sympy.Abs(x)).text
    'exp(x)*abs(x)'
    """
    if not isinstance(expression, sympy.Expr):
        raise FalllineError("objective", Verbatim(article(type(expression).__name__)), problem="not a SymPy expression")
    functions = [value for name, value in FUNCTIONS.items() if name != "sqrt"]
    allowed = (sympy.Add, sympy.Mul, sympy.Pow, sympy.Symbol, sympy.Rational, sympy.Float, *functions)
    symbols: dict[str, sympy.Symbol] = {}
    try:
        parts = itertools.islice(sympy.preorder_traversal(expression), MAX_CHARACTERS + 1)
        for count, part in enumerate(parts):
            if count == MAX_CHARACTERS:
                raise FalllineError("objective", problem=f"is a SymPy expression of more than {MAX_CHARACTERS} parts")
            if not isinstance(part, allowed) and part not in CONSTANTS.values():
                name = str(part) if part.is_Atom else type(part).__name__
                raise FalllineError(
                    "objective",
                    problem=f"is a SymPy expression with {shortened(name)}, which a formula does not have",
                    allowed=nearest(name, [*FUNCTIONS, *CONSTANTS]),
                )
            if isinstance(part, sympy.Symbol) and symbols.setdefault(part.name, part) != part:
                raise FalllineError(
                    "objective", problem=f"is a SymPy expression with two different symbols named {part.name!r}"
                )
        for name in symbols:
            if problem := problem_with(name):
                raise FalllineError(
                    "objective", problem=f"is a SymPy expression with the symbol {shortened(name)}: {problem}"
                )
        return parse(_FormulaPrinter().doprint(expression))
    except RecursionError:
        raise FalllineError("objective", problem="is a SymPy expression that is nested too deeply") from None


class _FormulaPrinter(StrPrinter):  # type: ignore[misc]
    """Prints SymPy expressions in the formula language."""

    def _print_Symbol(self, expr: Any) -> str:
        return str(expr.name)

    _print_Dummy = _print_Symbol

    def _print_Float(self, expr: Any) -> str:
        return repr(float(expr))

    def _print_Exp1(self, expr: Any) -> str:
        return "e"

    def _print_Function(self, expr: Any) -> str:
        return f"{expr.func.__name__.lower()}({self.stringify(expr.args, ', ')})"

    _print_Max = _print_Min = _print_Abs = _print_Function
