"""What is minimised: formulas, functions, losses and named landscapes."""

from __future__ import annotations

import sys
from typing import Any

from fallline.errors import FalllineError, nearest
from fallline.objectives.base import Cost, Objective
from fallline.objectives.function import FunctionObjective
from fallline.objectives.landscapes import LANDSCAPES, Landscape

# The landscapes by their names and by their formulas.
_KNOWN = {landscape.formula: landscape for landscape in LANDSCAPES.values()} | LANDSCAPES

__all__ = ["LANDSCAPES", "Cost", "FunctionObjective", "Landscape", "Objective", "as_objective"]


def as_objective(thing: Any, dimension: int | None = None) -> Objective:
    """Make an objective of a formula text, a landscape's name, a SymPy expression, a function, or a loss.

    Arguments:
        thing: a text such as "x**2 + 8*sin(x)", the name of a landscape such as "rosenbrock", a SymPy
            expression, a callable `f(x)` or `f(x, y, ...)`, or an Objective, which is returned as it is.
        dimension: how many coordinates a callable `f(x)` takes as one vector; None: x is a single number.

    Raises:
        FalllineError: when `thing` is none of these, or the formula cannot be read.

    >>> as_objective("x**2 + y").names
    ('x', 'y')
    >>> as_objective("rosenbrock").minima
    ((1.0, 1.0),)
    >>> as_objective(lambda x, y: x**2 + y).names
    ('x', 'y')
    """
    if isinstance(thing, Objective):
        return thing
    if isinstance(thing, str):
        return _from_text(thing)
    if "sympy" in sys.modules and isinstance(thing, sys.modules["sympy"].Basic):
        from fallline.objectives.formula import FormulaObjective

        return FormulaObjective.from_sympy(thing)
    if callable(thing):
        return FunctionObjective.of(thing, dimension)
    raise FalllineError(
        "objective", thing, "it must be a formula text, a SymPy expression, a function f(x) or f(x, y, ...), or a loss"
    )


def _from_text(text: str) -> Objective:
    """The objective of a formula, or of the landscape with that name."""
    from fallline.objectives.formula import FormulaObjective

    landscape = _KNOWN.get(text.strip())
    if landscape is None:
        # A single variable is hardly an objective, so a word close to a landscape's name is taken for a misspelling.
        if len(text) > 3 and text.isidentifier():
            import difflib

            if difflib.get_close_matches(text.lower(), LANDSCAPES, cutoff=0.75):
                raise FalllineError("objective", text, nearest(text, LANDSCAPES))
        return FormulaObjective.from_text(text)
    objective = FormulaObjective.from_text(landscape.formula)
    objective.bounds, objective.minima = landscape.bounds, landscape.minima
    return objective
