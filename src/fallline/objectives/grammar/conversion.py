"""SymPy expressions into the formula language."""

from __future__ import annotations

import re
from typing import Any

import sympy
from sympy.core.relational import Relational
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.printing.str import StrPrinter

from fallline.errors import FalllineError, Verbatim, nearest, shortened
from fallline.objectives.grammar.formula import Formula
from fallline.objectives.grammar.reading import MAX_CHARACTERS, article, parse
from fallline.objectives.grammar.tokens import problem_with
from fallline.objectives.grammar.words import CALLED, CONDITIONS, CONSTANTS, WRITTEN
from fallline.objectives.symbolic import FUNCTIONS


def from_sympy(expression: sympy.Expr) -> Formula:
    """Read a SymPy expression as if it had been written in the formula language; its symbols become real.

    Raises:
        FalllineError: naming what the formula language does not have.

    >>> x = sympy.Symbol("x")
    >>> from_sympy(sympy.exp(x) * sympy.Abs(x)).text
    'exp(x)*abs(x)'
    >>> from_sympy(sympy.Piecewise((x**2, x > 0), (-x, True))).text
    'where(x > 0, x**2, -x)'
    """
    if not isinstance(expression, sympy.Expr):
        raise FalllineError("objective", Verbatim(article(type(expression).__name__)), problem="not a SymPy expression")
    symbols: dict[str, sympy.Symbol] = {}
    try:
        for count, part in enumerate(sympy.preorder_traversal(expression)):
            if count == MAX_CHARACTERS:
                raise FalllineError("objective", problem=f"is a SymPy expression of more than {MAX_CHARACTERS} parts")
            if not isinstance(part, _ALLOWED):
                name = str(part) if part.is_Atom else type(part).__name__
                raise FalllineError(
                    "objective",
                    problem=f"is a SymPy expression with {shortened(name)}, which a formula does not have",
                    allowed=nearest(name, sorted([*CALLED, *CONSTANTS])),
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
        for base in (part.name for part in expression.atoms(sympy.IndexedBase)):
            if alike := next((name for name in symbols if re.fullmatch(rf"{re.escape(base)}[0-9]+", name)), None):
                raise FalllineError(
                    "objective", problem=f"is a SymPy expression with both {alike} and an indexed {base}"
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
        return f"{_NAMES[expr.func]}({self.stringify(expr.args, ', ')})"

    _print_Max = _print_Min = _print_Abs = _print_Mod = _print_Heaviside = _print_Function

    def _print_Piecewise(self, expr: Any) -> str:
        *choices, (last, always) = expr.args
        if always is not sympy.true:
            raise FalllineError("objective", problem="is a Piecewise without a last part (value, True)")
        written = str(self._print(last))
        for value, condition in reversed(choices):
            written = f"where({self._print(condition)}, {self._print(value)}, {written})"
        return written

    def _print_Relational(self, expr: Any) -> str:
        return f"{self._print(expr.lhs)} {_SIGNS[expr.func]} {self._print(expr.rhs)}"

    def _print_And(self, expr: Any) -> str:
        return " and ".join(f"({self._print(part)})" for part in expr.args)

    def _print_Or(self, expr: Any) -> str:
        return " or ".join(f"({self._print(part)})" for part in expr.args)

    def _print_Not(self, expr: Any) -> str:
        return f"not ({self._print(expr.args[0])})"

    def _print_Sum(self, expr: Any) -> str:
        name = "sum" if isinstance(expr, sympy.Sum) else "prod"
        ranges = [f"{index}={self._print(low)}..{self._print(high)}" for index, low, high in reversed(expr.limits)]
        return f"{name}({', '.join([self._print(expr.function), *ranges])})"

    _print_Product = _print_Sum


_NAMES: dict[Any, str] = {
    **{function: name for name, function in FUNCTIONS.items() if name not in ("+", "*", "**", *CONDITIONS, "where")},
    **{getattr(sympy, name): name for name in WRITTEN if isinstance(getattr(sympy, name, None), type)},
    sympy.ceiling: "ceil",
    sympy.Heaviside: "heaviside",
}
_SIGNS = {
    sympy.StrictLessThan: "<", sympy.LessThan: "<=", sympy.StrictGreaterThan: ">", sympy.GreaterThan: ">=",
    sympy.Equality: "==", sympy.Unequality: "!=",
}  # fmt: skip
# What a formula has; a Tuple holds the range of a sum, an ExprCondPair a part of a Piecewise.
_ALLOWED = (
    sympy.Add, sympy.Mul, sympy.Pow, sympy.Symbol, sympy.Rational, sympy.Float, type(sympy.pi), type(sympy.E),
    sympy.Piecewise, ExprCondPair, Relational, sympy.And, sympy.Or, sympy.Not, type(sympy.true), type(sympy.false),
    sympy.Sum, sympy.Product, sympy.Tuple, sympy.Indexed, sympy.IndexedBase, sympy.Idx, *_NAMES,
)  # fmt: skip
