"""Sums over large data in parts that threads share: always the same parts, added in the same order."""

from __future__ import annotations

import contextlib
import contextvars
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fallline.machine_code.threads import threads

# Data of so many numbers are shared by threads, in at most so many parts.
WORTHWHILE, PARTS = 2**20, 16


def share(work: Callable[[int], None], count: int) -> None:
    """Do `work(0)` to `work(count - 1)`, as many at a time as threads are allowed."""
    together = min(count, threads())
    if together == 1:
        for number in range(count):
            work(number)
        return
    with ThreadPoolExecutor(together) as pool:
        # Each in the state of this thread: what NumPy makes of an overflow belongs to it.
        for done in [pool.submit(contextvars.copy_context().run, work, number) for number in range(count)]:
            done.result()


def single_blas() -> contextlib.AbstractContextManager[Any]:
    """While it is entered, a matrix product takes one thread: so several go side by side, each in its own cache.

    Without threadpoolctl this cannot be said, and nothing happens.
    """
    controller = _blas()
    return contextlib.nullcontext() if controller is None else controller.limit(limits=1)


@functools.cache
def _blas() -> Any:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController().select(user_api="blas")
