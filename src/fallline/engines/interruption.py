"""Delays Ctrl-C, so that it never interrupts between two operations that belong together."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self


class Interruption:
    """While entered, Ctrl-C raises KeyboardInterrupt only inside a `with` block of `at_once`, or on entering one.

    It does nothing outside the main thread, where Ctrl-C does not arrive, and where another handler of Ctrl-C than
    Python's own is installed.
    """

    def __init__(self) -> None:
        self.at_once = AtOnce()
        self._replaced = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._replaced = signal.getsignal(signal.SIGINT) is signal.default_int_handler
            if self._replaced:
                signal.signal(signal.SIGINT, self.at_once.interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        if self._replaced:
            signal.signal(signal.SIGINT, signal.default_int_handler)


class AtOnce:
    """A reusable context in which Ctrl-C raises KeyboardInterrupt at once."""

    def __init__(self) -> None:
        self._entered = False
        self._asked = False

    def __enter__(self) -> None:
        self._entered = True
        if self._asked:
            self._entered = False
            raise KeyboardInterrupt

    def __exit__(self, *_: object) -> None:
        self._entered = False

    def interrupt(self, number: int, frame: FrameType | None) -> Any:
        """The signal handler: raise now, or on entering the next `with` block."""
        self._asked = True
        if self._entered:
            self._entered = False
            raise KeyboardInterrupt
