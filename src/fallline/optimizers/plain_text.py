"""Formulas of rules in plain text, with names or with numbers for the symbols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy
from sympy.printing.str import StrPrinter

from fallline.optimizers.lines import Lines

# What symbols, norms and sums are written as.
Numbers = Mapping[sympy.Basic, str]


def in_words(step: Lines) -> dict[sympy.Symbol, sympy.Symbol]:
    """The symbols of a step by their plain names: terms are ordered by these."""
    return {symbol: sympy.Symbol(letter.text) for symbol, letter in step.letters.items()}


def plain_text(expression: sympy.Expr, numbers: Numbers | None = None) -> str:
    """A formula as Python would have it, with NumPy's names of functions.

    Arguments:
        expression: the formula.
        numbers: what is written in place of its symbols, norms and sums.
    """
    text: str = _Printer(numbers or {}).doprint(expression)
    return text


def moved_text(change: sympy.Expr, numbers: Numbers | None = None) -> str:
    """What x becomes when a change is subtracted from it."""
    negative = change.could_extract_minus_sign()
    shown = plain_text(-change if negative else change, numbers)
    shown = f"({shown})" if change.is_Add else shown
    x_old = sympy.Symbol("x_old")
    return f"{plain_text(x_old, numbers)} {'+' if negative else '-'} {shown}"


class _Printer(StrPrinter):  # type: ignore[misc]
    def __init__(self, numbers: Numbers) -> None:
        super().__init__()
        self._numbers = numbers

    def _print(self, expression: Any, **settings: Any) -> str:
        number = self._numbers.get(expression) if isinstance(expression, sympy.Basic) else None
        if number is not None:
            return f"({number})" if number.startswith("-") else number
        text: str = super()._print(expression, **settings)
        return text

    def _called(self, name: str, expression: Any) -> str:
        # Between commas a sign needs no brackets.
        arguments = (self._numbers.get(part) or self._print(part) for part in expression.args)
        return f"{name}({', '.join(arguments)})"

    def _print_Where(self, expression: Any) -> str:
        return self._called("where", expression)

    def _print_Max(self, expression: Any) -> str:
        return self._called("max", expression)

    def _print_Min(self, expression: Any) -> str:
        return self._called("min", expression)

    def _print_Abs(self, expression: Any) -> str:
        return self._called("abs", expression)

    def _print_Norm(self, expression: Any) -> str:
        return self._called("norm", expression)

    def _print_Total(self, expression: Any) -> str:
        return self._called("sum", expression)

    def _print_Highest(self, expression: Any) -> str:
        return self._called("max", expression)

    def _print_StandardNormal(self, expression: Any) -> str:
        return "noise"

    def _print_Equality(self, expression: Any) -> str:
        return f"{self._print(expression.lhs)} == {self._print(expression.rhs)}"

    def _print_Unequality(self, expression: Any) -> str:
        return f"{self._print(expression.lhs)} != {self._print(expression.rhs)}"
