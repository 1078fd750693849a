"""What a command line did."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Outcome(NamedTuple):
    """The exit code, and what was printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]
