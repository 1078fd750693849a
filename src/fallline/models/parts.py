"""Sums over large data in parts that threads share: always the same parts, added in the same order."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fallline.machine_code.threads import threads

# Data of so many numbers are shared by threads, in at most so many parts.
WORTHWHILE, PARTS = 2**20, 16


def share(work: Callable[[int], None], count: int) -> None:
    """Do `work(0)` to `work(count - 1)`, as many at a time as threads are allowed."""
    together = min(count, threads())
    waiting = list(reversed(range(count)))

    def some() -> None:
        while True:
            try:
                number = waiting.pop()
            except IndexError:
                return
            work(number)

    if together == 1:
        some()
        return
    # This thread takes its share: to begin a thread takes as long as many a part.
    with ThreadPoolExecutor(together - 1) as pool:
        # Each in the state of this thread: what NumPy makes of an overflow belongs to it.
        others = [pool.submit(contextvars.copy_context().run, some) for _ in range(together - 1)]
        some()
    for other in others:
        other.result()


class _Limit:
    """BLAS's own number of threads belongs to the process: the first to come limits it, the last to go restores it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._set: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                controller = _blas()
                self._set = None if controller is None else controller.limit(limits=1)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._set is not None:
                self._set.restore_original_limits()


_LIMIT = _Limit()


def single_blas() -> contextlib.AbstractContextManager[None]:
    """While it is entered, a matrix product takes one thread: so several go side by side, each in its own cache.

    Without threadpoolctl this cannot be said, and nothing happens.
    """
    return _LIMIT


@functools.cache
def _blas() -> Any:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController().select(user_api="blas")
