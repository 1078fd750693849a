"""What stands side by side without a sign: where it has one reading, and the readings where it has more."""

from __future__ import annotations

import functools
import re

from fallline.objectives.grammar import faults
from fallline.objectives.grammar.cursor import Cursor, Tree
from fallline.objectives.grammar.tokens import Text, Token
from fallline.objectives.grammar.words import CALLED, CONSTANTS, ELSEWHERE, FUNCTIONS, WRITTEN


def takes_one(name: str) -> bool:
    """Whether a function has one argument, so that it may be written without brackets."""
    return (name in FUNCTIONS and FUNCTIONS[name].most == 1) or (name in WRITTEN and "b" not in WRITTEN[name])


def is_short(name: str) -> bool:
    """Whether a name is one letter with an index, or Greek: two such names in a row are a product."""
    return name in CONSTANTS or not name.isascii() or re.fullmatch("[A-Za-z](?:_?[0-9]*|_[a-z])", name) is not None


def either(*readings: str) -> str:
    """The advice to write one of these."""
    advice = faults.WRITE.format(" or ".join(readings))
    return advice if len(advice) < 90 else faults.WRITE_TIMES


def check_product(at: Cursor, start: int, last: Tree, divided: bool, between: tuple[Token, Token], right: Tree) -> None:
    """Remember a fault where two factors in a row have more than one reading, or none.

    Arguments:
        at: the place after the second factor.
        start: where the product starts.
        last: the first factor.
        divided: whether that divides.
        between: the tokens that end the first factor and start the second.
        right: the second factor.
    """
    before, after = between
    if "nothing" in (last.kind, right.kind) or before.kind == "unreadable":
        return
    power = last.parts[0] if last.kind == "negative" else last
    is_bare_power = power.kind == "power" and power.text == "^" and before.kind != "mark" and before.end == after.start
    is_call = before.kind == "name" and after.text == "(" and last.kind == "name"
    if not (divided or is_bare_power or _is_unclear(before, after) or (is_call and not is_factor(at, last.text))):
        return
    one, other = (at.text.between(factor.start, factor.end) for factor in (last, right))
    told = either(f"{one}*{other}")
    if divided:
        above = at.text.between(start, last.start).rstrip("/ ÷∕⁄／")
        told = either(f"{above}/({one}*{other})", f"({above}/{one})*{other}")
    elif is_bare_power:
        base, exponent = (at.text.between(part.start, part.end) for part in power.parts)
        told = either(f"{base}^({exponent}*{other})", f"{one}*{other}")
    elif before.kind == "number":
        told = faults.ONE_POINT
        if after.kind != "number":
            told = faults.DIGITS_ALONE
    elif is_call:
        inside = re.match(r"\(([^()]*)\)", other)
        told += f" or {one}[{inside[1]}]" if inside and inside[1].isdecimal() else ""
        if one.endswith("_"):
            told = faults.WRITE.format(f"{one[:-1]}[{other[1:-1]}]")
    at.fault(last.start if not divided else start, right.end, told)


def _is_unclear(before: Token, after: Token) -> bool:
    """Whether two factors in a row are not surely a product: numbers in a row, |x| before a name, long words."""
    if before.kind == "number":
        glued = before.end == after.start and (before.text == "0" or after.text[0] == "_")
        return after.kind == "number" or glued
    return after.kind == "number" or (before.text == "|" and after.text != "|") or not _may_touch(before, after)


def _may_touch(before: Token, after: Token) -> bool:
    """Whether names that stand beside each other are two factors; long words would be a guess."""
    names = [token.text for token in (before, after) if token.kind == "name" and token.text not in CALLED]
    return after.text == "(" or all(map(is_short, names))


def is_factor(at: Cursor, name: str) -> bool:
    """Whether a name before a bracket is a factor: it is used as a variable elsewhere."""
    return name in CONSTANTS or name in at.alone


def may_be_factor(at: Cursor, name: str) -> bool:
    """Whether a name before a bracket may be a factor; others are taken for functions."""
    return is_factor(at, name) or name.endswith("_") or (is_short(name) and name not in ("f", "g", "h"))


def no_function(name: str, argument: str) -> str:
    """What to write instead of a function that a formula does not have."""
    import difflib

    lower = name.lower()
    if lower in ELSEWHERE:
        return faults.WRITE.format(ELSEWHERE[lower])
    glued = [word for word in CALLED if lower.endswith(word) and is_short(lower.removesuffix(word))]
    if glued:
        word = max(glued, key=len)
        product = f"{name[: -len(word)]}*{word}{argument}"
        return faults.WRITE.format(product) if len(argument) < 40 else faults.WRITE_TIMES
    close = [word for word in CALLED if len(word) > 2 and lower.startswith(word)]
    close = [max(close, key=len)] if close else difflib.get_close_matches(lower, sorted(CALLED), n=1)
    return faults.NO_FUNCTION.format(name) + (faults.DID_YOU_MEAN.format(close[0]) if close else ". ") + faults.ALLOWED


def check_names(text: Text, tokens: list[Token], alone: frozenset[str], steps: frozenset[str]) -> None:
    """Remember the names that are other names run together: xy beside x and y, sinx, xe beside x."""
    names = dict.fromkeys(token.text for token in tokens if token.kind == "name" and len(token.text) > 1)
    for name in names:
        if name not in steps and name not in CALLED and (parts := _split(name, alone)):
            text.fault(name, faults.RUN_TOGETHER.format(_spelt(parts)))


def _split(name: str, alone: frozenset[str]) -> tuple[str, ...] | None:
    """The names and functions that a name is made of, two or more; None where it is one word."""

    @functools.cache
    def parts_from(place: int) -> tuple[str, ...] | None:
        if place == len(name):
            return ()
        for end in range(len(name), place, -1):
            part, rest = name[place:end], parts_from(end)
            is_function = len(part) > 1 and takes_one(part) and bool(rest)
            is_name = part != name and (part in alone or part in CONSTANTS or part in letters)
            if rest is not None and (is_function or is_name):
                return (part, *rest)
        return None

    letters = {"x", "y", "z", *(letter for letter in name if letter.isdecimal() or not letter.isascii())}
    # No word is read letter by letter, whatever its length.
    parts = parts_from(0) if len(name) <= 20 else None
    if not parts or len(parts) < 2:
        return None
    names_only = all(part in alone or part in CONSTANTS for part in parts) and any(part in alone for part in parts)
    return parts if names_only or any(part in CALLED for part in parts) else None


def _spelt(parts: tuple[str, ...]) -> str:
    """The parts with the signs between them: x*sin(2*x)."""
    for place, part in enumerate(parts):
        if part in CALLED:
            return "*".join([*parts[:place], f"{part}({_spelt(parts[place + 1 :])})"])
    return "*".join(parts)
