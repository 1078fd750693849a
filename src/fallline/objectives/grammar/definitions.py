"""From tokens to definitions: the lines of `u = 2*x**2 - x - 2; y = 3*u + 1`, each a name and an expression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fallline.objectives.grammar import faults
from fallline.objectives.grammar.cursor import Tree
from fallline.objectives.grammar.juxtaposition import check_names
from fallline.objectives.grammar.syntax import names_alone, syntax
from fallline.objectives.grammar.tokens import Text, Token, problem_with
from fallline.objectives.grammar.words import CALLED, CONSTANTS


@dataclass(frozen=True)
class Definition:
    """A line: an expression, and the name before its `=`.

    Attributes:
        name: the name; None for a last line without one.
        arguments: the x and y of f(x, y) = ...
        expression: the text of the expression, on one line.
        uses: the names in it, also those of indices.
        tree: the expression; None where it cannot be read.
    """

    name: str | None
    arguments: tuple[str, ...]
    expression: str
    uses: frozenset[str]
    tree: Tree | None


def definitions(text: Text, tokens: list[Token]) -> list[Definition]:
    """The lines of a text, the objective last; what is wrong with them is remembered as faults of the text."""
    alone = names_alone(tokens)
    lines = [line for line in (_definition(text, line, alone) for line in _lines(text, tokens)) if line is not None]
    check_names(text, tokens, alone, frozenset(line.name for line in lines if line.name))
    steps = [line.name for line in lines[:-1]]
    for index, line in enumerate(lines):
        if line.name is not None and line.name in steps[:index]:
            text.fault(f"{line.name} = ", faults.HAS_A_VALUE.format(line.name))
        for later in lines[index:]:
            if later.name in line.uses:
                text.fault(line.expression, faults.USED_BEFORE.format(later.name))
        if line.name is None and index < len(steps):
            text.fault(line.expression, faults.ONLY_THE_LAST)
    used = frozenset[str]().union(*(line.uses for line in lines))
    if not text.faults:
        for unused in (step for step in steps if step not in used):
            text.fault(f"{unused} = ", faults.NEVER_USED.format(unused))
        for line in lines:
            for unused in (argument for argument in line.arguments if argument not in used):
                text.fault(f"{line.name}({', '.join(line.arguments)})", _not_used(unused, f"{line.name} = ...", used))
    return lines


def _lines(text: Text, tokens: list[Token]) -> Iterator[list[Token]]:
    """The tokens of each line whose brackets match; a line does not end inside brackets."""
    line: list[Token] = []
    open_brackets: list[str] = []
    broken = False
    for token in tokens:
        if token.text in ("(", "["):
            open_brackets.append(token.text)
        elif token.text in (")", "]") and not broken:
            opening = {")": "(", "]": "["}[token.text]
            if not open_brackets or open_brackets.pop() != opening:
                text.fault(text.written[: token.end][-20:], faults.NOT_OPEN.format(token.text, opening))
                broken = True
        if token.text == ";" and open_brackets and not broken:
            text.fault(text.written[: token.end][-20:], faults.NEVER_CLOSED.format(open_brackets[-1]))
            return
        if token.text in (";", "\n"):
            if line and not open_brackets:
                if not broken:
                    yield line
                line, broken = [], False
        else:
            line.append(token)
    if open_brackets and not broken:
        text.fault(text.written[-20:], faults.NEVER_CLOSED.format(open_brackets[-1]))
    elif line and not broken:
        yield line


def _definition(text: Text, line: list[Token], alone: frozenset[str]) -> Definition | None:
    name, arguments, right = _named(text, line)
    if not right:
        text.fault(text.of(line), faults.NOTHING_AFTER)
        return None
    uses = {token.text for token in right if token.kind == "name"} - {*CALLED, *CONSTANTS}
    return Definition(name, arguments, text.of(right), frozenset(uses), syntax(text, right, alone))


def _named(text: Text, line: list[Token]) -> tuple[str | None, tuple[str, ...], list[Token]]:
    """The name before the `=`, of y = ... or f(x, y) = ..., its arguments, and the tokens after it."""
    marks = [token.text for token in line]
    head = next((index for index, mark in enumerate(marks) if mark == "="), 0)
    if not head or line[0].kind != "name":
        return None, (), line
    between = line[1:head]
    is_function = len(between) > 2 and marks[1] == "(" and marks[head - 1] == ")"
    arguments = between[1:-1]
    lists_names = all(token.kind == "name" if i % 2 == 0 else token.text == "," for i, token in enumerate(arguments))
    if between and not (is_function and lists_names):
        return None, (), line
    name = line[0].text
    if problem := problem_with(name):
        text.fault(f"{name} =", problem)
    return name, tuple(token.text for token in arguments[::2]), line[head + 1 :]


def _not_used(argument: str, head: str, used: frozenset[str]) -> str:
    """The advice for an argument that the formula does not have."""
    glued = next((name for name in sorted(used) if argument in name), None)
    return faults.NOT_USED.format(argument, faults.FACTORS_OF.format(glued) if glued else head)
