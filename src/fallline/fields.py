"""The fields of a dataclass, looked up once for each class, because Python sorts them out anew at each question."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any


def fields_of(thing: Any) -> tuple[dataclasses.Field[Any], ...]:
    """The fields of a dataclass or an instance of one.

    >>> from fallline import GradientDescent
    >>> [field.name for field in fields_of(GradientDescent(0.1))]
    ['learning_rate', 'convention']
    """
    return _fields(thing if isinstance(thing, type) else type(thing))


_fields = functools.lru_cache(maxsize=1024)(dataclasses.fields)
