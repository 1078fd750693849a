"""Errors for notation that the formula language does not allow: `2x`, `x(y+1)`, `sin x`, `math.sin(x)`."""

from __future__ import annotations

import difflib
import itertools

from fallline.errors import FalllineError
from fallline.objectives.grammar.tokens import Text, Token
from fallline.objectives.grammar.words import ALLOWED, CONSTANTS, ELSEWHERE, FUNCTIONS, TWO_OR_MORE

MAX_DEPTH = 60


class Notation:
    """The tokens of a text, checked together with their neighbours."""

    def __init__(self, text: Text, tokens: list[Token]) -> None:
        self.text = text
        self.tokens = tokens

    def check(self) -> None:
        """Refuse notation from mathematics or other languages, and brackets that do not match.

        Raises:
            FalllineError: saying what to write instead.
        """
        depth = 0
        for index, (token, following) in enumerate(itertools.zip_longest(self.tokens, self.tokens[1:])):
            depth += (token.text == "(") - (token.text == ")")
            if depth < 0:
                raise self.text.error(self._until(token), "there is a ) without its (")
            if depth > MAX_DEPTH:
                raise self.text.error(self._until(token), f"brackets are nested more than {MAX_DEPTH} deep")
            if token.text == "//":
                raise self.text.error("//", "write / to divide")
            if token.text == "==":
                raise self.text.error("==", "a formula has no comparisons")
            if token.text == "." or (following and token.kind == "name" and following.text == "."):
                raise self._attribute(index)
            if token.text in FUNCTIONS and (following is None or following.text != "("):
                raise self._bare_function(token, following)
            starts_value = following is not None and (following.kind != "mark" or following.text == "(")
            if (token.kind != "mark" or token.text == ")") and starts_value and token.text not in FUNCTIONS:
                raise self._juxtaposed(index)
        if depth:
            raise self.text.error(self.text.written[-20:], "a ( is never closed")

    def _until(self, token: Token) -> str:
        return self.text.written[: token.end][-20:]

    def _attribute(self, index: int) -> FalllineError:
        following = self.tokens[index + 2 : index + 3]
        name = following[0].text if following else ""
        part = self.text.written[self.tokens[index].start : following[0].end if following else self.tokens[index].end]
        if name in FUNCTIONS:
            return self.text.error(part, f"write {name}(x)" if name not in TWO_OR_MORE else f"write {name}(x, y)")
        if name in CONSTANTS or name in ELSEWHERE:
            return self.text.error(part, f"write {ELSEWHERE.get(name, name)}")
        return self.text.error(part, "a formula has no dots but in numbers")

    def _bare_function(self, token: Token, following: Token | None) -> FalllineError:
        name = token.text
        if following and following.text == "=":
            return self.text.error(f"{name} =", f"{name} is the function; use another name")
        if following and following.text in ("**", "^"):
            return self.text.error(f"{name}{following.text}", f"write the power last, as in {name}(x)**2")
        argument = following.text if following and following.kind != "mark" else "x"
        return self.text.error(name, f"write {name}({argument})")

    def _juxtaposed(self, index: int) -> FalllineError:
        token, following = self.tokens[index], self.tokens[index + 1]
        if token.kind == "name" and following.text == "(":
            return self._unknown_function(index)
        if token.kind == "number" and following.kind == "number":
            return self.text.error(self._factors(index), "write * between factors, and one point in a number")
        return self._missing_product(index)

    def _unknown_function(self, index: int) -> FalllineError:
        """The error for a name before a bracket: a definition, a foreign function, a factor, or a misspelling."""
        name = self.tokens[index].text
        if self._defines_a_function(index):
            return self.text.error(self._factors(index), f"write {name} = ...")
        if name in ELSEWHERE:
            return self.text.error(name, f"write {ELSEWHERE[name]}")
        short = len(name.rstrip("0123456789_")) <= 1 and name != "f"
        if name in CONSTANTS or short or self._stands_alone(name):
            return self._missing_product(index)
        close = difflib.get_close_matches(name.lower(), FUNCTIONS, n=1)
        meant = f"; did you mean {close[0]}? " if close else ". "
        return self.text.error(self._factors(index), f"there is no function {name}{meant}{ALLOWED}")

    def _missing_product(self, index: int) -> FalllineError:
        token, following = self.tokens[index], self.tokens[index + 1]
        left, right = self._start_before(index), self._end_after(index + 1)
        product = f"write {self.text.written[left : token.end]}*{self.text.written[following.start : right]}"
        short = len(product) < 60
        return self.text.error(self._factors(index), " ".join(product.split()) if short else "write * between factors")

    def _factors(self, index: int) -> str:
        """The factor that ends at a token and the one after it."""
        return self.text.written[self._start_before(index) : self._end_after(index + 1)]

    def _stands_alone(self, name: str) -> bool:
        """Whether a name is used as a variable anywhere: without a bracket or a dot after it."""
        return any(
            token.text == name and not (following and following.text in "(.")
            for token, following in itertools.zip_longest(self.tokens, self.tokens[1:])
        )

    def _defines_a_function(self, index: int) -> bool:
        closing = self._end_after(index + 1)
        return any(
            token.text == "=" and previous.end == closing for previous, token in itertools.pairwise(self.tokens[index:])
        )

    def _end_after(self, index: int) -> int:
        """Where the factor that starts at a token ends: with its brackets."""
        tokens = self.tokens
        if tokens[index].kind == "name" and tokens[index + 1 : index + 2] and tokens[index + 1].text == "(":
            index += 1
        depth = 0
        for token in tokens[index:]:
            depth += (token.text == "(") - (token.text == ")")
            if depth <= 0:
                return token.end
        return tokens[-1].end

    def _start_before(self, index: int) -> int:
        """Where the factor that ends at a token starts: with its brackets and the function before them."""
        tokens = self.tokens
        depth = int(tokens[index].text == ")")
        while depth:
            index -= 1
            depth += (tokens[index].text == ")") - (tokens[index].text == "(")
        if tokens[index].text == "(" and index and tokens[index - 1].kind == "name":
            index -= 1
        return tokens[index].start
