"""How many threads a computation may use."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar

_ALLOWED: ContextVar[int | None] = ContextVar("allowed", default=None)


def threads() -> int:
    """The number of threads to use: the cores available to the process, or the limit set by `limited`."""
    allowed = _ALLOWED.get()
    if allowed is not None:
        return allowed
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def limited(most: int) -> Iterator[None]:
    """Limit the number of threads inside the block, as when other processes compute at the same time.

    >>> with limited(1):
    ...     threads()
    1
    """
    token = _ALLOWED.set(min(most, threads()))
    try:
        yield
    finally:
        _ALLOWED.reset(token)
