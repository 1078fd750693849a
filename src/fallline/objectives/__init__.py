"""What is minimised: formulas, functions, losses and named landscapes."""

from __future__ import annotations

import sys
from typing import Any

from fallline.errors import FalllineError, shortened
from fallline.objectives.base import Cost, Objective
from fallline.objectives.function import FunctionObjective

__all__ = ["Cost", "FunctionObjective", "Objective", "as_objective"]


def as_objective(thing: Any, dimension: int | None = None) -> Objective:
    """Make an objective of a formula text, a SymPy expression, a Python function, or a loss.

    Arguments:
        thing: a text such as "x**2 + 8*sin(x)", a SymPy expression, a callable `f(x)` or `f(x, y, ...)`, or
            an Objective, which is returned as it is.
        dimension: how many coordinates a callable `f(x)` takes as one vector; None: x is a single number.

    Raises:
        FalllineError: when `thing` is none of these, or the formula cannot be read.

    >>> as_objective("x**2 + y").names
    ('x', 'y')
    >>> as_objective(lambda x, y: x**2 + y).names
    ('x', 'y')
    """
    if isinstance(thing, Objective):
        return thing
    if isinstance(thing, str):
        from fallline.objectives.formula import FormulaObjective

        return FormulaObjective.from_text(thing)
    if "sympy" in sys.modules and isinstance(thing, sys.modules["sympy"].Basic):
        from fallline.objectives.formula import FormulaObjective

        return FormulaObjective.from_sympy(thing)
    if callable(thing):
        return FunctionObjective.of(thing, dimension)
    raise FalllineError(
        f"objective is {shortened(thing)}; it must be a formula text, a SymPy expression, "
        "a function f(x) or f(x, y, ...), or a loss"
    )
