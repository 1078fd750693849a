"""The parts of large data that threads share, always the same, and BLAS on one thread for each."""

from __future__ import annotations

import contextlib
import functools
import threading
from typing import Any

# Data of at least WORTHWHILE numbers are divided among threads, into at most PARTS parts.
WORTHWHILE, PARTS = 2**20, 16


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
