"""Parse the text of a formula."""

from __future__ import annotations

import functools
import re

from fallline.errors import FalllineError, Verbatim
from fallline.objectives.expression import Pool
from fallline.objectives.grammar import faults
from fallline.objectives.grammar.definitions import definitions
from fallline.objectives.grammar.formula import Formula
from fallline.objectives.grammar.printing import printed
from fallline.objectives.grammar.terms import Term, Terms
from fallline.objectives.grammar.tokens import Text

MAX_CHARACTERS = 10_000


def parse(text: str) -> Formula:
    """Parse a formula. The text is never evaluated.

    Args:
        text: the formula; steps are separated by `;` or by lines, and the last one is the objective.

    Raises:
        FalllineError: saying all that cannot be read and what to write instead.

    >>> formula = parse("u = 2x² - x - 2; y = 3u + 1")
    >>> formula.variables, formula.name, formula.reading
    (('x',), 'y', 'u = 2*x**2 - x - 2; y = 3*u + 1')
    >>> parse("x**2 + foo(x)*1/2x")
    Traceback (most recent call last):
        ...
    fallline.errors.FalllineError: objective is 'x**2 + foo(x)*1/2x', which cannot be read at ...
    """
    if not isinstance(text, str):
        raise FalllineError(
            "objective", Verbatim(article(type(text).__name__)), "a formula is a text such as 'x**2 + y**2'"
        )
    if len(text) > MAX_CHARACTERS:
        raise FalllineError(
            "objective",
            text[:100],
            faults.AT_MOST.format(MAX_CHARACTERS),
            problem=faults.TOO_LONG.format(len(text)),
        )
    try:
        return _read(text)
    except (RecursionError, MemoryError):
        raise FalllineError("objective", text, problem=faults.TOO_NESTED) from None


# Parsing takes a thousand times as long as a look-up.
@functools.lru_cache(maxsize=16)
def _read(written: str) -> Formula:
    text = Text(written)
    tokens = text.tokens()
    if all(token.text in ";\n" for token in tokens):
        raise FalllineError("objective", text.written, faults.NOT_EMPTY, problem=faults.EMPTY)
    lines = definitions(text, tokens)
    terms = Terms(text, Pool())
    steps = []
    term = None
    for line in lines:
        term = terms.of(line.tree) if line.tree is not None else None
        if term is not None and term.is_condition:
            text.fault(line.expression, faults.NOT_A_VALUE)
        if line is not lines[-1]:
            name = terms.pool.name(str(line.name))
            # A step that cannot be read is known all the same, so that its uses are no faults.
            terms.known[str(line.name)] = Term(name, term.number if term else None)
            steps.append((str(line.name), term))
    text.check()
    assert term is not None
    if not terms.variables:
        raise FalllineError("objective", text.written.strip(), faults.SOME_VARIABLE, problem=faults.NO_VARIABLE)
    names = sorted(terms.variables, key=_natural)
    named = [(f"{line.name} = " if line.name else "", line) for line in lines]
    return Formula(
        text="; ".join(name + line.expression for name, line in named),
        reading="; ".join(name + printed(line.tree) for name, line in named if line.tree),
        variables=tuple(names),
        steps=tuple((name, step.expression) for name, step in steps if step),
        expression=term.expression,
        name=lines[-1].name or _unused("f", frozenset([*names, *terms.known])),
    )


def _unused(name: str, used: frozenset[str]) -> str:
    return _unused(name + "_", used) if name in used else name


def _natural(name: str) -> list[tuple[str, int]]:
    """The key of natural order, in which x comes before x2, and x2 before x10."""
    return [(letters, int(digits or -1)) for letters, digits in re.findall("([^0-9]*)([0-9]*)", name)]


def article(kind: str) -> str:
    """A noun with its article.

    >>> article("int")
    'an int'
    """
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"
