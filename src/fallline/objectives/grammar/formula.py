"""A parsed formula, and how it is shown."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from fallline.errors import FalllineError

# The most parts of an expression that is written out for a reader (substituted, differentiated).
MAX_SHOWN = 200
MAX_SHOWN_POWER = 1_000


@dataclass(frozen=True)
class Formula:
    """A parsed formula.

    Its expressions keep the order of the text: compare `expression.doit()` with SymPy's own.

    Attributes:
        text: what was written, on one line.
        variables: its variables, real symbols in natural order (x2 before x10).
        steps: the named steps, in order; each in terms of variables and of earlier steps.
        expression: the last line, in terms of variables and steps.
        name: the name of the last line; "f" if it has none.
    """

    text: str
    variables: tuple[sympy.Symbol, ...]
    steps: tuple[tuple[sympy.Symbol, sympy.Expr], ...]
    expression: sympy.Expr
    name: str

    @functools.cached_property
    def substituted(self) -> sympy.Expr:
        """The last line in terms of the variables alone, for display.

        Raises:
            FalllineError: when it would be too large to show.

        >>> from fallline.objectives.grammar import parse
        >>> parse("u = x - 2; y = 3*u + 1").substituted
        3*(x - 2) + 1
        """
        extents: dict[Any, tuple[int, float]] = {}
        for symbol, step in self.steps:
            extents[symbol] = _extent(step, extents)
        size, power = _extent(self.expression, extents)
        if size > MAX_SHOWN or power > MAX_SHOWN_POWER:
            raise FalllineError(
                "objective",
                self.text,
                problem=f"too large to be written out without its steps: at most {MAX_SHOWN} parts and powers up to "
                f"{MAX_SHOWN_POWER}",
            )
        written: dict[Any, Any] = {}
        for symbol, step in self.steps:
            written[symbol] = _written_out(step, written)
        return _written_out(self.expression, written)

    def latex(self) -> str:
        """The steps and the last line in LaTeX, as written.

        Raises:
            FalllineError: for powers so high that SymPy could not print them in bounded time.

        >>> from fallline.objectives.grammar import parse
        >>> print(parse("u = x/2 - 1; y = u^2").latex())
        u = \\frac{x}{2} - 1,\\quad y = u^{2}
        """
        lines = (*self.steps, (sympy.Symbol(self.name, real=True), self.expression))
        if any(_extent(expression, {})[1] > MAX_SHOWN_POWER for _, expression in lines):
            raise FalllineError("objective", self.text, problem=f"too large for LaTeX: powers up to {MAX_SHOWN_POWER}")
        return r",\quad ".join(
            f"{sympy.latex(symbol)} = {sympy.latex(expression, order='none')}" for symbol, expression in lines
        )


def _extent(expression: Any, steps: Mapping[Any, tuple[int, float]]) -> tuple[int, float]:
    """The number of parts of an expression with its steps substituted, and the highest power in it."""
    if expression in steps:
        return steps[expression]
    parts = [_extent(part, steps) for part in expression.args]
    power = max((power for _, power in parts), default=1.0)
    if isinstance(expression, sympy.Pow) and expression.exp.is_Number:
        power *= max(1.0, abs(float(expression.exp)))
    return 1 + sum(size for size, _ in parts), power


def _written_out(expression: Any, steps: Mapping[Any, Any]) -> Any:
    if expression in steps:
        return steps[expression]
    if not expression.args:
        return expression
    return expression.func(*(_written_out(part, steps) for part in expression.args), evaluate=False)
