"""Sums over large data, computed by threads in parts: always the same parts, added in the same order."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from fallline.machine_code.threads import threads

# Data of at least WORTHWHILE numbers are divided among threads, into at most PARTS parts.
WORTHWHILE, PARTS = 2**20, 16


def share(work: Callable[[int], None], count: int) -> None:
    """Call `work(0)` to `work(count - 1)`, on all threads that are allowed."""
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
    # The calling thread works too. Each in a copy of its context, which holds NumPy's error state.
    pool = _threads(together - 1)
    others = [pool.submit(contextvars.copy_context().run, some) for _ in range(together - 1)]
    try:
        some()
    finally:
        # One that has not begun, because the threads are at other work, finds nothing left to do.
        begun = [other for other in others if not other.cancel()]
        wait(begun)
    for other in begun:
        other.result()


@functools.cache
def _threads(count: int) -> ThreadPoolExecutor:
    """Threads that stay for the next call: a new one starts on the processor of the one that made it."""
    return ThreadPoolExecutor(count, "fallline")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)


class _Limit:
    """Limits BLAS to one thread in the whole process: the first to enter sets the limit, the last to leave lifts it."""

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
    """A context in which each matrix product uses one thread, so that several run in parallel, each in its own cache.

    Without threadpoolctl it has no effect.
    """
    return _LIMIT


@functools.cache
def _blas() -> Any:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController().select(user_api="blas")
