"""From tokens to definitions: the lines of `u = 2*x**2 - x - 2; y = 3*u + 1`, each a name and an expression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fallline.objectives.grammar.tokens import Text, Token
from fallline.objectives.grammar.words import CONSTANTS, FUNCTIONS


@dataclass(frozen=True)
class Definition:
    """A line: an expression, and the name before its `=`.

    Attributes:
        name: the name; None for a last line without one.
        expression: the text of the expression, on one line.
        uses: the names in it that are variables or earlier steps.
        open: the mark at the end of the expression if something must follow it.
    """

    name: str | None
    expression: str
    uses: frozenset[str]
    open: str | None


def definitions(text: Text, tokens: list[Token]) -> list[Definition]:
    """The lines of a text, at least one, the objective last.

    Raises:
        FalllineError: when a step is named twice, used before it is complete or never, or has no name.
    """
    lines = [_definition(text, line) for line in _lines(text, tokens)]
    steps = [line.name for line in lines[:-1]]
    last = lines[-1].name
    for index, line in enumerate(lines):
        if line.name in steps[:index]:
            raise text.error(f"{line.name} = ", f"{line.name} has a value already; use another name")
        for later in [*steps[index:], *([last] if last else [])]:
            if later in line.uses:
                raise text.error(line.expression, f"{later} is used before its own step is complete")
        if line.name is None and index < len(steps):
            raise text.error(line.expression, "only the last line is the objective; name this one, as in u = ...")
    used = frozenset[str]().union(*(line.uses for line in lines))
    for unused in (step for step in steps if step not in used):
        raise text.error(f"{unused} = ", f"{unused} is never used")
    return lines


def _lines(text: Text, tokens: list[Token]) -> Iterator[list[Token]]:
    """The tokens of each line; a line does not end inside brackets."""
    line: list[Token] = []
    depth = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        if token.text == ";" and depth:
            raise text.error(text.written[: token.end][-20:], "a ( is never closed")
        if token.text in (";", "\n"):
            if line and not depth:
                yield line
                line = []
        else:
            line.append(token)
    if line:
        yield line


def _definition(text: Text, line: list[Token]) -> Definition:
    equals = [index for index, token in enumerate(line) if token.text == "="]
    name = None
    if equals:
        if equals != [1] or line[0].kind != "name":
            raise text.error(text.of(line), "= only follows the name at the start of a line, as in y = x**2")
        name = line[0].text
        if name in CONSTANTS:
            raise text.error(f"{name} =", f"{name} is the constant; use another name")
        if len(line) == 2:
            raise text.error(text.of(line), "there is nothing after the =")
        line = line[2:]
    uses = {token.text for token in line if token.kind == "name"} - {*FUNCTIONS, *CONSTANTS}
    ends_open = line[-1].kind == "mark" and line[-1].text != ")"
    return Definition(name, text.of(line), frozenset(uses), line[-1].text if ends_open else None)
