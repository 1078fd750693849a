"""Values as JavaScript, and tables in which equal ones stand once."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


class Code(str):
    """Text that is JavaScript already."""

    __slots__ = ()


def literal(value: Any) -> str:
    """A value as JavaScript; of a mapping, what is None is left out.

    >>> literal({"low": 0.0, "high": math.inf, "whole": False, "about": None, "parts": (1, "</m>")})
    '{low:0,high:1/0,whole:false,parts:[1,"\\\\u003c/m>"]}'
    """
    if isinstance(value, Code):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, str):
        # So that no text ends the script it stands in.
        return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{name}:{literal(part)}' for name, part in value.items() if part is not None)}}}"
    return f"[{','.join(map(literal, value))}]"


def _number(number: float) -> str:
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "1/0" if number > 0 else "-1/0"
    return repr(number).removesuffix(".0")


class Table:
    """A JavaScript array, to which what is written refers by its index.

    Arguments:
        name: the array's name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._places: dict[str, int] = {}

    def place(self, code: str) -> int:
        """The index of this code in the table, where it is entered if it is new."""
        return self._places.setdefault(code, len(self._places))

    def entry(self, code: str) -> Code:
        """The reference to this code in the table."""
        return Code(f"{self.name}[{self.place(code)}]")

    def __str__(self) -> str:
        return "[\n" + "".join(f"  {code},\n" for code in self._places) + "]"
