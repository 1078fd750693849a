"""Parse the text of a formula."""

from __future__ import annotations

import functools
import re

import sympy

from fallline.errors import FalllineError, Verbatim
from fallline.objectives.grammar.definitions import definitions
from fallline.objectives.grammar.expressions import Expression
from fallline.objectives.grammar.formula import Formula
from fallline.objectives.grammar.notation import Notation
from fallline.objectives.grammar.terms import Term
from fallline.objectives.grammar.tokens import Text
from fallline.objectives.grammar.words import CONSTANTS

MAX_CHARACTERS = 10_000


def parse(text: str) -> Formula:
    """Parse a formula. The text is never evaluated.

    Args:
        text: the formula; steps are separated by `;` or by lines, and the last one is the objective.

    Raises:
        FalllineError: saying what cannot be read and what to write instead.

    >>> formula = parse("u = 2*x^2 - x - 2; y = 3*u + 1")
    >>> formula.variables, formula.steps, formula.expression, formula.name
    ((x,), ((u, 2*x**2 - x - 2),), 3*u + 1, 'y')
    >>> parse("2x")
    Traceback (most recent call last):
        ...
    fallline.errors.FalllineError: objective is '2x', which cannot be read at '2x': write 2*x
    """
    if not isinstance(text, str):
        raise FalllineError(
            "objective", Verbatim(article(type(text).__name__)), "a formula is a text such as 'x**2 + y**2'"
        )
    if len(text) > MAX_CHARACTERS:
        raise FalllineError(
            "objective", text[:100], f"at most {MAX_CHARACTERS}", problem=f"a formula of {len(text)} characters"
        )
    try:
        return _read(text)
    except (RecursionError, MemoryError):
        raise FalllineError("objective", text, problem="which is too long or nested too deeply") from None


# Parsing takes a thousand times as long as a look-up.
@functools.lru_cache(maxsize=16)
def _read(written: str) -> Formula:
    text = Text(written)
    tokens = list(text.tokens())
    if all(token.text in ";\n" for token in tokens):
        raise FalllineError("objective", text.written, "write, for example, 'x**2 + y**2'", problem="an empty formula")
    Notation(text, tokens).check()
    lines = definitions(text, tokens)
    *steps, objective = lines
    used = frozenset[str]().union(*(line.uses for line in lines))
    names = sorted(used - {step.name for step in steps}, key=_natural)
    variables = tuple(sympy.Symbol(name, real=True) for name in names)
    if not variables:
        raise FalllineError(
            "objective", text.written.strip(), "write, for example, 'x**2'", problem="which has no variable"
        )
    known = {name: Term(value, float(value), True) for name, value in CONSTANTS.items()}
    known |= {symbol.name: Term(symbol) for symbol in variables}
    expressions = []
    for step in steps:
        term = Expression(text, step, known).read()
        symbol = sympy.Symbol(step.name, real=True)
        expressions.append((symbol, term.expression))
        known[symbol.name] = Term(symbol, term.number)
    return Formula(
        text="; ".join((f"{line.name} = " if line.name else "") + line.expression for line in lines),
        variables=variables,
        steps=tuple(expressions),
        expression=Expression(text, objective, known).read().expression,
        name=objective.name or _unused("f", used),
    )


def _unused(name: str, used: frozenset[str]) -> str:
    return _unused(name + "_", used) if name in used else name


def _natural(name: str) -> list[tuple[int, str]]:
    """The key of natural order, in which x2 comes before x10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", name)]


def article(kind: str) -> str:
    """A noun with its article.

    >>> article("int")
    'an int'
    """
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"
