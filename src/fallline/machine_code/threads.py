"""How many threads a computation may use, and work that they share."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import os
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

Item = TypeVar("Item")
Made = TypeVar("Made")

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
    from concurrent.futures import wait

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


def made(function: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]:
    """What a function makes of each item, on all threads that are allowed; the first item's error is raised.

    >>> made(len, ["a", "bc"])
    [1, 2]
    """
    found: dict[int, Made] = {}
    errors: dict[int, Exception] = {}

    def make(number: int) -> None:
        try:
            found[number] = function(items[number])
        except Exception as error:
            errors[number] = error

    share(make, len(items))
    if errors:
        raise errors[min(errors)]
    return [found[number] for number in range(len(items))]


@functools.cache
def _threads(count: int) -> ThreadPoolExecutor:
    """Threads that stay for the next call: a new one starts on the processor of the one that made it."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(count, "fallline")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)
