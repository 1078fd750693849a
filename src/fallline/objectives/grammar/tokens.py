"""From characters to tokens: numbers, names and marks, each with its position in the text."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from fallline.errors import FalllineError, shortened
from fallline.objectives.grammar.words import ALLOWED, CALLED, CONSTANTS, MODULES, problem_with

# Signs that are written in other ways, one character each.
_SAME = str.maketrans(
    {
        **dict.fromkeys("×·⋅∙∗", "*"),
        **dict.fromkeys("−–—", "-"),
        **dict.fromkeys("÷∕⁄", "/"),
        **{index: str(digit) for digit, index in enumerate("₀₁₂₃₄₅₆₇₈₉")},
    }
)
_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻"
_ON_THE_LINE = str.maketrans(_SUPERSCRIPTS, "0123456789+-")
_MARKS = {"^": "**", "≤": "<=", "≥": ">=", "≠": "!=", "π": "pi"}
# Characters without a meaning, and what to write.
_CHARACTERS = {
    "∞": "a formula has finite numbers only",
    "{": "use round brackets",
    "}": "use round brackets",
    "'": "a formula has no quotes",
    '"': "a formula has no quotes",
    "#": "a formula has no comments",
    "!": "a formula has no factorials",
    ":": "a formula has no lambda and no slices",
    "%": "write mod(x, 2) for a remainder",
    "\\": "a formula is not LaTeX; write, for example, sqrt(x)/2",
    "∑": "write sum(x[i]**2, i=1..3)",
    "Σ": "write sum(x[i]**2, i=1..3)",
    "∏": "write prod(x[i], i=1..3)",
    "∂": "write the function itself, not its derivative",
    "∫": "a formula has no integrals",
    "&": "write and",
}
# Words of conditions, which are tokens of their own.
_WORDS = ("if", "else", "and", "or", "not")
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<superscript>[{_SUPERSCRIPTS}]+)|(?P<name>π|(?!π)[^\W\d](?:(?![{_SUPERSCRIPTS}π])\w)*)"
    r"|(?P<mark>\*\*|//|\.\.+|[<>=!]=|[-+*/^(),;=.\n\[\]|<>√≤≥≠])|(?P<space>[^\S\n]+)"
)
_MOST_FAULTS = 5


class Token(NamedTuple):
    """A number, a name or a mark: a piece of the text."""

    kind: str  # "number", "name", "word", "mark", "superscript", "unreadable", "end"
    text: str
    start: int
    end: int


class Text:
    """The text of a formula, and what cannot be read in it."""

    def __init__(self, written: str) -> None:
        self.written = re.sub(r"\r\n?", "\n", written)
        self.faults: dict[str, str] = {}

    def fault(self, part: str, problem: str) -> None:
        """Remember a part of the text that cannot be read; the same problem only once."""
        self.faults.setdefault(problem, part)

    def check(self) -> None:
        """Raise the error that names everything that cannot be read.

        Raises:
            FalllineError: when there is anything.
        """
        if not self.faults:
            return
        told = [f"at {shortened(part)}: {problem}" for problem, part in self.faults.items()]
        more = f"; and {len(told) - _MOST_FAULTS} more" if len(told) > _MOST_FAULTS else ""
        places = "; ".join(told[:_MOST_FAULTS]) + more
        if ALLOWED in places:
            # The list of all that is allowed is told once.
            places = places.replace(f". {ALLOWED}", "").replace(f" {ALLOWED}", "")
            places += f" {ALLOWED}" if places.endswith("?") else f". {ALLOWED}"
        raise FalllineError("objective", problem=f"is {shortened(self.written.strip())}, which cannot be read {places}")

    def of(self, tokens: list[Token]) -> str:
        """The text from the first token to the last, on one line."""
        return self.between(tokens[0].start, tokens[-1].end)

    def between(self, start: int, end: int) -> str:
        """A part of the text, on one line."""
        return " ".join(self.written[start:end].split())

    def tokens(self) -> list[Token]:
        """The tokens, in order; the end of a line is a token, other white space is not."""
        tokens: list[Token] = []
        for token in self._pieces():
            if token.kind == "unreadable" and tokens and tokens[-1].kind == "unreadable":
                continue
            if token.text in CALLED or token.text in CONSTANTS:
                # np.sin is sin.
                while len(tokens) > 1 and tokens[-1].text == "." and tokens[-2].text in MODULES:
                    del tokens[-2:]
            tokens.append(token)
        return tokens

    def _pieces(self) -> Iterator[Token]:
        plain = self.written.translate(_SAME)
        position = 0
        while position < len(plain):
            match = _TOKEN.match(plain, position)
            end = match.end() if match else position + 1
            kind, found = (str(match.lastgroup), match.group()) if match else ("unreadable", plain[position])
            if found in _CHARACTERS or kind == "unreadable":
                kind = "unreadable"
                told = f"the character {found!r} has no meaning in a formula. {ALLOWED}"
                self.fault(self._around(position), _CHARACTERS.get(found, told))
            elif kind == "name":
                kind, found = self._word(found)
            elif kind == "number" and (len(found) > 400 or re.match("0[0-9]", found)):
                self.fault(found, "the number is too long" if len(found) > 400 else "a number does not begin with 0")
                kind = "unreadable"
            elif kind == "superscript":
                found = found.translate(_ON_THE_LINE)
            if kind != "space":
                yield Token(kind, _MARKS.get(found, found), position, end)
            position = end

    def _around(self, position: int) -> str:
        """The word at a position: what stands between spaces."""
        left = max(self.written.rfind(" ", 0, position) + 1, position - 10, 0)
        right = self.written.find(" ", position)
        return self.written[left : min(right if right >= 0 else len(self.written), position + 10)].strip() or " "

    def _word(self, found: str) -> tuple[str, str]:
        """The kind of a name, and the name; ones that cannot be used are remembered as faults."""
        name = unicodedata.normalize("NFKC", found)
        if name in _WORDS:
            return "word", name
        if keyword.iskeyword(name):
            problem: str | None = f"it is a word of Python, not of a formula. {ALLOWED}"
        elif name in CALLED or name in CONSTANTS or name in _MARKS:
            problem = None
        else:
            problem = problem_with(name) if name.isidentifier() else f"write {name}"
        if problem:
            self.fault(found, problem)
        return "unreadable" if problem else "name", name
