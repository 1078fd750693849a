"""The derivatives of the functions of the formula language, which the table of its words gives as formulas."""

from __future__ import annotations

import functools

from fallline.objectives.expression import Pool
from fallline.objectives.grammar.syntax import syntax
from fallline.objectives.grammar.terms import Term, Terms
from fallline.objectives.grammar.tokens import Text
from fallline.objectives.grammar.words import FUNCTIONS


@functools.cache
def slopes_of(name: str) -> tuple[Term, ...]:
    """A function's derivative by each of its arguments, in terms of the names a and b.

    >>> [slope.expression.operation for slope in slopes_of("sin")]
    ['cos']
    """
    made = []
    for formula in FUNCTIONS[name].slopes or ():
        text = Text(formula)
        tree = syntax(text, text.tokens(), frozenset())
        assert tree is not None, formula
        made.append(Terms(text, Pool()).of(tree))
    return tuple(made)
