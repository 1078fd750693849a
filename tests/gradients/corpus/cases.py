"""The table that the corpus fills: functions in ordinary NumPy code, each with a point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """A function of the corpus.

    Attributes:
        function: ordinary NumPy code, not written for us.
        point: where its gradient is compared.
    """

    function: Callable[..., Any]
    point: tuple[float, ...]


CASES: dict[str, Case] = {}


def at(*point: float) -> Callable[[Any], Any]:
    """Enter a function into the corpus, unchanged."""

    def enter(function: Any) -> Any:
        name = getattr(function, "__name__", type(function).__name__)
        assert name not in CASES, name
        CASES[name] = Case(function, point)
        return function

    return enter
