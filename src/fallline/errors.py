"""The one error a user's mistake raises, and the suggestion it carries."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from numbers import Integral
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


def check_whole(parameter: str, number: Any, least: int) -> None:
    """Refuse what is no whole number, or too small a one.

    >>> check_whole("seed", 1.5, least=0)
    Traceback (most recent call last):
    fallline.errors.FalllineError: seed is 1.5; it must be a whole number at least 0
    """
    if isinstance(number, bool) or not isinstance(number, Integral) or int(number) < least:
        raise FalllineError(f"{parameter} is {shortened(number)}; it must be a whole number at least {least}")


# A network has thousands of parameters; a longer list than this helps nobody.
MOST_LISTED = 100


def listed(words: Iterable[str]) -> str:
    """The words with commas between; of very many only the first and their number.

    >>> listed(["w", "b"])
    'w, b'
    >>> listed(f"W{number}" for number in range(1000))
    'W0, W1, W2, ... (1000 in all)'
    """
    names = list(words)
    return ", ".join(names) if len(names) <= MOST_LISTED else f"{', '.join(names[:3])}, ... ({len(names)} in all)"


def nearest(word: str, allowed: Iterable[str]) -> str:
    """The end of an error text: the nearest allowed word if one is close, and the whole list.

    >>> nearest("adm", ["adam", "momentum"])
    "did you mean 'adam'? Allowed: adam, momentum"
    """
    words = list(allowed)
    allowed_words = f"Allowed: {listed(words)}"
    in_lower_case = {name.lower(): name for name in words}
    close = difflib.get_close_matches(word.lower(), in_lower_case, n=1)
    return f"did you mean {in_lower_case[close[0]]!r}? {allowed_words}" if close else allowed_words
