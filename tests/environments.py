"""The environments that the tests start processes in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


def without_coverage() -> dict[str, str]:
    """This process's environment, less what makes a Python started in it measure its coverage.

    Coverage takes locks in the midst of a run, which an interruption there would leave locked; and it wants to
    write its findings where a test may have forbidden it.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}


@contextmanager
def processes_without_coverage() -> Iterator[None]:
    """The same for the processes that others start from this one, such as Dask's, which are ended while they end."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - without_coverage().keys():
            patch.delenv(name)
        yield
