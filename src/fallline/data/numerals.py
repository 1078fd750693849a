"""What a text that is no number looks like: a number with marks between its thousands, a percentage, an amount."""

from __future__ import annotations

import re
from typing import NamedTuple

from fallline.data.entries import DECIMAL_COMMA, Pointed, is_number

# The names of the marks between thousands: commas, apostrophes, and spaces, of which some do not break a line.
MARKS = {",": "comma", "'": "apostrophe", "\u2019": "apostrophe"} | dict.fromkeys(" \u00a0\u2009\u202f", "space")
GROUPED = re.compile(rf"[+-]?[1-9]\d{{0,2}}([{''.join(MARKS)}])\d{{3}}(\1\d{{3}})*([.,]\d+)?")
CURRENCIES = "$€£¥₹"


class Numeral(NamedTuple):
    """What a text looks like: the end of a sentence on it, how to write it, and whether its comma may be decimal."""

    told: str
    advice: str
    may_be_decimal: bool = False


def numeral_of(text: str, *, points: bool) -> Numeral | None:
    """What a text that is not accepted as a number looks like; None if it looks like no number.

    Arguments:
        text: the text.
        points: whether other numbers show that the decimal mark is a point: see `shows_point`.

    >>> numeral_of("1 500", points=False)
    Numeral(told=': its space marks thousands', advice='write 1500', may_be_decimal=False)
    >>> numeral_of("1,5", points=True).advice
    'write 1.5'
    >>> numeral_of("warm", points=True) is None
    True
    """
    if isinstance(text, Pointed):
        return Numeral("", f"write {text.strip().removesuffix('.').replace('.', ',')}")
    text = text.strip()
    bare = text.strip(f"%{CURRENCIES} ")
    if bare != text:
        number = _ungrouped(bare)
        kind = "a percentage" if "%" in text else "an amount of money"
        return Numeral(f": it looks like {kind}", f"write {number}") if _spells_number(number) else None
    grouped = GROUPED.fullmatch(text)
    if grouped and (grouped[1] != "," or points or shows_point(text)):
        count = text.count(grouped[1])
        marks = f"its {MARKS[grouped[1]]} marks" if count == 1 else f"its {MARKS[grouped[1]]}s mark"
        return Numeral(f": {marks} thousands", f"write {_ungrouped(text)}")
    if not DECIMAL_COMMA.fullmatch(text):
        return None
    if grouped:
        return Numeral("", f"write {_ungrouped(text)} if its comma marks thousands", may_be_decimal=True)
    return Numeral("", f"write {text.replace('.', '').replace(',', '.')}", may_be_decimal=not points)


def shows_point(text: str) -> bool:
    """Whether a text is a number that has a decimal point, or commas that cannot be one.

    >>> [shows_point(text) for text in ("0.5", "1,500.5", "1,234,567", "1,500", "1.500,5")]
    [True, True, True, False, False]
    """
    if "." in text and is_number(text):
        return True
    grouped = GROUPED.fullmatch(text.strip())
    return grouped is not None and grouped[1] == "," and (text.count(",") > 1 or "." in text)


def _ungrouped(text: str) -> str:
    grouped = GROUPED.fullmatch(text)
    return text.replace(grouped[1], "") if grouped else text


def _spells_number(text: str) -> bool:
    return is_number(text) or DECIMAL_COMMA.fullmatch(text) is not None
