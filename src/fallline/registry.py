"""Tables of Fallline's own rules, schedules and conditions, filled as the classes are defined."""

from __future__ import annotations

from typing import TypeVar

Kind = TypeVar("Kind")


def enter(table: dict[str, type[Kind]], name: str, kind: type[Kind]) -> None:
    """Enter a class under its name, if it has one and is Fallline's own; users pass their classes without a name.

    Called from `__init_subclass__`, so that no list of classes has to be kept.
    """
    if name and kind.__module__.partition(".")[0] == __name__.partition(".")[0]:
        table[name] = kind
