"""The one error a user's mistake raises, and the suggestion it carries."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class FalllineError(ValueError):
    """A mistake in what was asked: one line naming the parameter, its value and what is allowed."""


def shortened(thing: Any, length: int = 60) -> str:
    """The thing as text on one line, cut where it gets long.

    >>> shortened([1] * 100, length=10)
    '[1, 1, 1,…'
    """
    text = " ".join(repr(thing).split())
    return text if len(text) <= length else text[: length - 1] + "…"


def nearest(word: str, allowed: Iterable[str]) -> str:
    """The end of an error text: the nearest allowed word if one is close, and the whole list.

    >>> nearest("adm", ["adam", "momentum"])
    "did you mean 'adam'? Allowed: adam, momentum"
    """
    words = list(allowed)
    listed = "Allowed: " + ", ".join(words)
    in_lower_case = {name.lower(): name for name in words}
    close = difflib.get_close_matches(word.lower(), in_lower_case, n=1)
    return f"did you mean {in_lower_case[close[0]]!r}? {listed}" if close else listed
