"""Cases of a test of which `make test` runs a few, and `make test-long` the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def few(cases: Iterable[Any], count: int) -> list[Any]:
    """The cases for `parametrize`, so many of them short, evenly spread; a tuple holds several arguments."""
    listed = list(cases)
    short = {place * len(listed) // count for place in range(count)}
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=() if place in short else pytest.mark.long)
        for place, case in enumerate(listed)
    ]
