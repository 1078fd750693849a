"""From characters to tokens: numbers, names and marks, each with its position in the text."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from typing import NamedTuple

from fallline.errors import FalllineError, shortened
from fallline.objectives.grammar.words import ALLOWED, CONSTANTS, FUNCTIONS, problem_with

_CHARACTERS = {
    "|": "write abs(x)",
    "√": "write sqrt(x)",
    "π": "write pi",
    "∞": "a formula has finite numbers only",
    "[": "use round brackets; variables are written x1, x2, ...",
    "{": "use round brackets",
    "'": "a formula has no quotes",
    '"': "a formula has no quotes",
    "#": "a formula has no comments",
    "<": "a formula has no comparisons",
    ">": "a formula has no comparisons",
    "!": "a formula has no factorials or comparisons",
    ":": "a formula has no lambda and no slices",
    "\\": "a formula is not LaTeX; write, for example, sqrt(x)/2",
    **dict.fromkeys("×·⋅∙∗", "write *"),
    **dict.fromkeys("−–—", "write -"),
    **dict.fromkeys("÷∕⁄", "write /"),
    **{power: f"write **{digit}" for digit, power in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    **{index: f"write {digit} on the line, as in x{digit}" for digit, index in enumerate("₀₁₂₃₄₅₆₇₈₉")},
}
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[^\W\d]\w*)"
    r"|(?P<mark>\*\*|//|==|[-+*/^(),;=.\n])|(?P<space>[^\S\n]+)"
)


class Token(NamedTuple):
    """A number, a name or a mark: a piece of the text."""

    kind: str  # "number", "name", "mark"
    text: str
    start: int
    end: int


class Text:
    """The text of a formula, and the errors that point into it."""

    def __init__(self, written: str) -> None:
        self.written = re.sub(r"\r\n?", "\n", written)

    def error(self, part: str, problem: str) -> FalllineError:
        """The error for a part of the text, to be raised."""
        shown = f"{shortened(self.written.strip())}, which cannot be read at {shortened(part)}"
        return FalllineError("objective", problem=f"is {shown}: {problem}")

    def of(self, tokens: list[Token]) -> str:
        """The text from the first token to the last, on one line."""
        return " ".join(self.written[tokens[0].start : tokens[-1].end].split())

    def tokens(self) -> Iterator[Token]:
        """The tokens, in order; the end of a line is a token, other white space is not."""
        position = 0
        while position < len(self.written):
            match = _TOKEN.match(self.written, position)
            found = match.group() if match else self.written[position]
            for character in found:
                if character in _CHARACTERS:
                    around = self.written[max(0, position - 5) : position + len(found) + 5].strip()
                    raise self.error(around, _CHARACTERS[character])
            if match is None:
                raise self.error(found, f"the character {found!r} has no meaning in a formula. {ALLOWED}")
            if match.lastgroup == "name":
                self._check_name(found)
            if match.lastgroup == "number" and len(found) > 400:
                raise self.error(found, "the number is too long")
            if match.lastgroup != "space":
                yield Token(str(match.lastgroup), found, position, match.end())
            position = match.end()

    def _check_name(self, name: str) -> None:
        if keyword.iskeyword(name):
            raise self.error(name, f"it is a word of Python, not of a formula. {ALLOWED}")
        problem = None if name in FUNCTIONS or name in CONSTANTS else problem_with(name)
        if problem:
            raise self.error(name, problem)
