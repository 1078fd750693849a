"""Products without a sign: where they have one reading, and the readings where they have more."""

from __future__ import annotations

import difflib

from fallline.objectives.grammar.cursor import Cursor, Tree
from fallline.objectives.grammar.tokens import Token
from fallline.objectives.grammar.words import ALLOWED, CALLED, CONSTANTS


def check_product(at: Cursor, start: int, last: Tree, divided: bool) -> None:
    """Remember a fault where two factors in a row have more than one reading, or none.

    Arguments:
        at: the place of the second factor.
        start: where the product starts.
        last: the factor before the place.
        divided: whether that divides.
    """
    before, after = at.previous, at.token
    left = at.text.between(last.start, before.end)
    right = at.text.between(after.start, at.end_of_factor())
    part = (last.start, at.end_of_factor())
    if divided:
        above = at.text.between(start, last.start).rstrip("/ ")
        at.fault(start, part[1], either(f"{above}/({left}*{right})", f"({above}/{left})*{right}"))
    elif last.kind == "power" and before.kind in ("number", "name") and before.end == after.start:
        base, exponent = (at.text.between(piece.start, piece.end) for piece in last.parts)
        at.fault(*part, either(f"{base}^({exponent}*{right})", f"{left}*{right}"))
    elif before.kind == "number" and after.kind == "number":
        at.fault(*part, "write * between factors, and one point in a number")
    elif before.kind == "name" and after.text == "(" and last.kind == "name":
        _check_called(at, last)
    elif after.kind == "number" or before.text == "|" or not _may_touch(before, after):
        at.fault(*part, either(f"{left}*{right}"))


def _may_touch(before: Token, after: Token) -> bool:
    """Whether a name and what stands beside it are two factors; long words would be a guess."""
    if before.kind == "number":
        return not after.text.startswith("_")
    return all(token.kind != "name" or token.text in CALLED or _is_short(token.text) for token in (before, after))


def _is_short(name: str) -> bool:
    return name in CONSTANTS or len(name.rstrip("0123456789_")) <= 1 or not name.isascii()


def either(*readings: str) -> str:
    """The advice to write one of these."""
    advice = "write " + " or ".join(readings)
    return advice if len(advice) < 90 else "write * between factors"


def _check_called(at: Cursor, name: Tree) -> None:
    """Remember a fault where a name before a bracket is no factor: a definition, or a misspelt function."""
    part = (name.start, at.end_of_factor())
    if name.text in CONSTANTS or name.text in at.alone:
        return
    if len(name.text.rstrip("0123456789_")) <= 1 and name.text not in "fgh":
        product = f"{name.text}*{at.text.between(at.token.start, part[1])}"
        at.fault(*part, either(product))
        return
    close = difflib.get_close_matches(name.text.lower(), sorted(CALLED), n=1)
    meant = f"; did you mean {close[0]}? " if close else ". "
    at.fault(*part, f"there is no function {name.text}{meant}{ALLOWED}")
