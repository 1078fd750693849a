"""A rule's formula in LaTeX, rendered from its own source."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sympy
from sympy.printing.latex import LatexPrinter

from fallline.hyperparameters import hyperparameters
from fallline.optimizers.base import Optimizer
from fallline.optimizers.lines import WORD, X_BEFORE, Line, Lines, lines_of
from fallline.optimizers.symbols import Where, positive_first


def latex(rule: Optimizer[Any]) -> str:
    """The rule as one block of LaTeX: where the gradient is taken, each quantity that its code names, and x.

    A memory of many steps is shown as one of two.

    >>> from fallline import Momentum
    >>> print(latex(Momentum()))
    \\begin{aligned}
    g_{t} &= \\nabla f\\left(x_{t-1}\\right) \\\\
    \\mathrm{velocity}_{t} &= \\eta g_{t} + \\gamma \\, \\mathrm{velocity}_{t-1} \\\\
    x_{t} &= x_{t-1} - \\mathrm{velocity}_{t}
    \\end{aligned}
    """
    return aligned(_sides(rule))


def latex_lines(rule: Optimizer[Any]) -> tuple[str, ...]:
    """The lines of that block, one by one, as Matplotlib's mathtext takes them too: without environments.

    >>> from fallline import GradientDescent
    >>> latex_lines(GradientDescent())
    ('g_{t} = \\\\nabla f\\\\left(x_{t-1}\\\\right)', 'x_{t} = x_{t-1} - \\\\eta g_{t}')
    """
    return tuple(f"{left} = {right}" for left, right in _sides(rule, in_line=True))


def aligned(lines: Sequence[tuple[str, str]] | Iterator[tuple[str, str]]) -> str:
    """The left and right sides of lines as a block of LaTeX, aligned at the equals sign."""
    return "\\begin{aligned}\n" + " \\\\\n".join(f"{left} &= {right}" for left, right in lines) + "\n\\end{aligned}"


def moved(change: sympy.Expr, numbers: Mapping[sympy.Basic, str] | None = None) -> str:
    """What x becomes when this is subtracted from it."""
    shown = rf"\left({tex(change, numbers)}\right)" if change.is_Add else tex(change, numbers)
    return f"{tex(X_BEFORE, numbers)} - {shown}"


def tex(expression: sympy.Expr, numbers: Mapping[sympy.Basic, str] | None = None) -> str:
    """An expression of symbols that are named by their LaTeX.

    Arguments:
        expression: the expression.
        numbers: what is written in place of its symbols, norms and sums.
    """
    names = {symbol: symbol.name for symbol in expression.free_symbols}
    text: str = _Printer({"symbol_names": numbers or names, "mul_symbol": "dot" if numbers else None}).doprint(
        expression
    )
    return text


def with_short_memory(rule: Optimizer[Any]) -> Optimizer[Any]:
    """The rule with a memory of two steps instead of many, for a short formula."""
    counts: dict[str, Any] = {
        name: 2
        for name, known in hyperparameters(rule).items()
        if known.symbol is None and known.range.whole and getattr(rule, name) > 2
    }
    return dataclasses.replace(rule, **counts)


def _sides(rule: Optimizer[Any], *, in_line: bool = False) -> Iterator[tuple[str, str]]:
    """The left and the right side of each line; `in_line`, choices are written in words, not as a brace of rows."""
    step = lines_of(with_short_memory(rule), all_names=True, most_operations=math.inf)
    *lines, last = _without_last_name(step)
    yield "g_{t}", rf"\nabla f\left({tex(step.place)}\right)"
    for line in lines:
        name = step.letters[line.symbol].text
        yield tex(line.symbol), rule.notation.get(name) or tex(_said(line.expression) if in_line else line.expression)
    yield tex(last.symbol), moved(_said(last.expression) if in_line else last.expression)


def _without_last_name(step: Lines) -> list[Line]:
    """The lines, that of x last, which says itself what only it uses and the code gives a name."""
    *others, named = step.lines or (step.change,)
    if isinstance(named.found, tuple) and step.change.expression == named.symbol:
        return [*others, dataclasses.replace(step.change, expression=named.expression)]
    return [*step.lines, step.change]


class _Said(Where):
    """A choice in words."""

    def written(self, *parts: str) -> str:
        condition, yes, no = parts
        return rf"\left\{{{yes} \text{{ if }} {condition}, \text{{ otherwise }} {no}\right\}}"


def _said(expression: sympy.Expr) -> sympy.Expr:
    return expression.replace(Where, _Said)


class _Printer(LatexPrinter):  # type: ignore[misc]
    def _as_ordered_terms(self, expression: Any, order: Any = None) -> list[Any]:
        return positive_first(super()._as_ordered_terms(expression, order))

    def _print_Mul(self, product: Any) -> str:
        # Names of several letters next to others would be read as one.
        words = [str(part) for part in product.free_symbols if WORD in str(part)]
        separators = {"mul_symbol_latex": self._settings["mul_symbol_latex"]}
        if words and self._settings["mul_symbol"] is None:
            separated = len(words) > 1 or r"\ " in words[0]
            self._settings["mul_symbol_latex"] = r" \cdot " if separated else r" \, "
        text: str = super()._print_Mul(product)
        self._settings |= separators
        return text

    def parenthesize_super(self, text: str) -> str:
        # A number that needs brackets has them.
        return text if text.startswith(r"\left(") else str(super().parenthesize_super(text))

    def _print_Mod(self, remainder: Any, exp: str | None = None) -> str:
        # Mathtext does not know \\bmod.
        whole, by = map(self._print, remainder.args)
        return rf"{whole} \;\mathrm{{mod}}\; {by}"

    def _print_Float(self, number: Any) -> str:
        mantissa, e, power = f"{float(number):.6g}".partition("e")
        times = "" if mantissa == "1" else rf"{mantissa} \cdot "
        return rf"{times}10^{{{int(power)}}}" if e else mantissa
