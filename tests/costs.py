"""What work costs, counted: time would depend on what else the machine does."""

from __future__ import annotations

import cProfile
import tracemalloc
from collections.abc import Callable


def calls(work: Callable[[], object]) -> int:
    """How many calls of functions, Python's own included, a piece of work takes: about a million a second."""
    profile = cProfile.Profile()
    profile.enable()
    try:
        work()
    finally:
        profile.disable()
    return sum(entry.callcount for entry in profile.getstats())


def peak_bytes(work: Callable[[], object]) -> int:
    """The most memory that a piece of work holds at a time."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
