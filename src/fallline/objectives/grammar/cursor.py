"""A place in a line of tokens: what stands there, what is taken, and what does not fit."""

from __future__ import annotations

from typing import NamedTuple

from fallline.objectives.grammar import faults
from fallline.objectives.grammar.tokens import Text, Token

MAX_DEPTH = 60


class Tree(NamedTuple):
    """A part of a formula as written.

    Attributes:
        kind: "number", "name", "sum", "product", "negative", "power", "call", "index", "compare", "and", "or", "not",
            "clause" (the i=1..3 of a sum) or "nothing", in place of what cannot be read.
        parts: its parts.
        text: the number, name, function or comparison.
        start, end: its place in the text.
        inverse: for a sum or product, whether each part is subtracted or divided by.
    """

    kind: str
    parts: tuple[Tree, ...]
    text: str
    start: int
    end: int
    inverse: tuple[bool, ...] = ()

    @property
    def signed(self) -> list[tuple[bool, Tree]]:
        """The parts of a sum or product, each after whether it is subtracted or divided by."""
        return list(zip(self.inverse, self.parts, strict=True))


class UnreadableError(Exception):
    """The rest of the line cannot be read; the fault is remembered."""


class Cursor:
    """A place in the tokens of one line.

    Attributes:
        text: the text, which remembers faults.
        alone: the names that are used as variables anywhere.
        token: the token at the place.
        depth: how deep the brackets and operations around the place are nested.
        bars: whether the place is inside |...|, whose next bar closes it.
    """

    def __init__(self, text: Text, tokens: list[Token], alone: frozenset[str]) -> None:
        end = tokens[-1].end
        self.text = text
        self.tokens = [*tokens, Token("end", "", end, end)]
        self.alone = alone
        self.place, self.token = 0, self.tokens[0]
        self.depth = 0
        self.bars = False

    @property
    def previous(self) -> Token:
        """The token before it."""
        return self.tokens[self.place - 1]

    @property
    def following(self) -> Token:
        """The token after it."""
        return self.tokens[min(self.place + 1, len(self.tokens) - 1)]

    def take(self) -> Token:
        """The token at the place, which moves on."""
        taken = self.token
        self.place += 1
        self.token = self.tokens[self.place]
        return taken

    def takes(self, *texts: str) -> bool:
        """Whether the token is one of these, which is then taken."""
        found = self.token.kind in ("mark", "word") and self.token.text in texts
        if found:
            self.take()
        return found

    def fault(self, start: int, end: int, problem: str) -> None:
        """Remember that a part of the text cannot be read."""
        self.text.fault(self.text.written[start:end].strip()[-60:], problem)

    def tree(self, kind: str, start: int, *parts: Tree, text: str = "", inverse: tuple[bool, ...] = ()) -> Tree:
        """The tree of what stands between a start and the place."""
        return Tree(kind, parts, text, start, self.previous.end, inverse)

    def starts_factor(self) -> bool:
        """Whether a factor starts at the place."""
        token = self.token
        return token.kind in ("number", "name") or token.text in ("(", "√") or (token.text == "|" and not self.bars)

    def end_of_factor(self) -> int:
        """Where the factor that starts at the token ends: with its brackets."""
        place = self.place
        if self.tokens[place].kind == "name" and self.tokens[place + 1].text in ("(", "["):
            place += 1
        depth = 0
        for token in self.tokens[place:]:
            depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
            if depth <= 0:
                return token.end
        return self.tokens[-1].end

    def misplaced(self) -> UnreadableError:
        """Remember that the token does not fit, and return the error that ends the reading of the line."""
        token = self.token
        before = self.previous.text if self.place else ""
        if token.kind == "unreadable":
            return UnreadableError()
        if token.text == "," and self.previous.kind in ("number", "name", "superscript"):
            self.fault(max(0, token.end - 20), token.end + 5, faults.COMMA)
        elif token.kind == "end" or token.text in (")", "]", ",", "|"):
            told = faults.NOTHING_FOLLOWS.format(before) if before not in (")", "]") else faults.MISPLACED
            self.fault(max(0, token.end - 20), token.end, told)
        elif token.kind == "word":
            self.fault(token.start, token.end + 10, faults.WRITE_IF_OR_WHERE)
        elif token.text == "=":
            self.fault(self.tokens[0].start, self.tokens[-1].end, faults.EQUALS)
        elif token.text == ".":
            self.fault(self.previous.start if self.place else token.start, self.following.end, faults.DOTS)
        elif token.text == "[":
            self.fault(token.start, token.end + 10, faults.SQUARE_BRACKETS)
        elif token.text == "//":
            self.fault(token.start, token.end, faults.WHOLE_QUOTIENT)
        else:
            self.fault(token.start, token.start + 20, faults.MISPLACED)
        return UnreadableError()

    def deeper(self, start: int) -> None:
        """Count a level of nesting."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fault(max(0, start - 20), start + 1, faults.TOO_DEEP.format(MAX_DEPTH))
            raise UnreadableError
