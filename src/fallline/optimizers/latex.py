"""A rule's formula in LaTeX, rendered from its own source."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import sympy

from fallline.hyperparameters import hyperparameters
from fallline.optimizers.base import Optimizer
from fallline.optimizers.lines import X_BEFORE, lines_of


def latex(rule: Optimizer[Any]) -> str:
    """The rule as LaTeX: where the gradient is taken, each part of the state, and x.

    A memory of many steps is shown as one of two.

    >>> from fallline import Momentum
    >>> print(latex(Momentum()))
    \\begin{aligned}
    g_{t} &= \\nabla f\\left(x_{t-1}\\right) \\\\
    \\mathrm{velocity}_{t} &= \\eta g_{t} + \\gamma \\mathrm{velocity}_{t-1} \\\\
    x_{t} &= x_{t-1} - \\mathrm{velocity}_{t}
    \\end{aligned}
    """
    step = lines_of(with_short_memory(rule))
    texts = [rf"g_{{t}} &= \nabla f\left({tex(step.place)}\right)"]
    texts += [f"{tex(line.symbol)} &= {tex(line.expression)}" for line in step.lines]
    texts.append(f"{tex(step.change.symbol)} &= {moved(step.change.expression)}")
    return "\\begin{aligned}\n" + " \\\\\n".join(texts) + "\n\\end{aligned}"


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
    text: str = sympy.latex(expression, symbol_names=numbers or names, mul_symbol="dot" if numbers else None)
    return text


def with_short_memory(rule: Optimizer[Any]) -> Optimizer[Any]:
    """The rule with a memory of two steps instead of many, for a short formula."""
    counts: dict[str, Any] = {
        name: 2
        for name, known in hyperparameters(rule).items()
        if known.symbol is None and known.range.whole and getattr(rule, name) > 2
    }
    return dataclasses.replace(rule, **counts)
