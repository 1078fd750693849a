"""JSON: written for any program; and read from files that anyone may have written, and checked."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import numpy as np

from fallline.errors import FalllineError


def read(text: str, *, finite: bool = False) -> Any:
    """What a JSON text holds.

    Arguments:
        text: the JSON.
        finite: whether to refuse NaN and infinite numbers, which Python's JSON has and the standard has not.

    Raises:
        FalllineError: when a whole number is too large for a float64, a number is not finite where it must be, or a
            text is no Unicode.
        ValueError, RecursionError: when it is not JSON, or nested too deeply.

    >>> read('{"x": [1, 2.5, NaN]}')
    {'x': [1, 2.5, nan]}
    >>> read("[NaN]", finite=True)
    Traceback (most recent call last):
    fallline.errors.FalllineError: NaN stands where a number belongs
    """
    content = json.loads(text, parse_int=_whole, parse_constant=_refused if finite else None)
    check_unicode(content)
    return content


def check_unicode(content: Any) -> None:
    """Refuse a text that is no Unicode, such as half of a surrogate pair: nothing could show it, or write it.

    >>> check_unicode({"names": ["x", "\\ud800"]})
    Traceback (most recent call last):
    fallline.errors.FalllineError: a text has '\\ud800', which is no Unicode character
    """
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        wrong = error.object[error.start]
        raise FalllineError("a text", problem=f"has {wrong!r}, which is no Unicode character") from None


def written(value: Any) -> str:
    """The value as JSON with every digit; NaN and infinities, which JSON lacks, are null.

    >>> written({"x": np.array([0.1, np.inf])})
    '{"x": [0.1, null]}'
    """
    return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _whole(digits: str) -> int:
    number = int(digits)
    if abs(number) > sys.float_info.max:
        raise FalllineError("a number", number, "it must be at most 1.8e308")
    return number


def _refused(constant: str) -> Any:
    raise FalllineError(problem=f"{constant} stands where a number belongs")
