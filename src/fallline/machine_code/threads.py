"""How many threads a computation may take."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar

_ALLOWED: ContextVar[int | None] = ContextVar("allowed", default=None)


def threads() -> int:
    """As many as the process may use of the machine's, or as `limited` says."""
    allowed = _ALLOWED.get()
    if allowed is not None:
        return allowed
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def limited(most: int) -> Iterator[None]:
    """Let what is computed within take so many threads at most, where others compute beside it.

    >>> with limited(1):
    ...     threads()
    1
    """
    token = _ALLOWED.set(min(most, threads()))
    try:
        yield
    finally:
        _ALLOWED.reset(token)
