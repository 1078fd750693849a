"""Tables of Fallline's own rules, schedules and conditions, which each enters by being defined."""

from __future__ import annotations

from typing import TypeVar

Kind = TypeVar("Kind")


def enter(table: dict[str, type[Kind]], name: str, kind: type[Kind]) -> None:
    """Enter a class under its name, if it has one and is Fallline's own; a user's class is passed itself, not named.

    Called from `__init_subclass__`, so that a class stands nowhere but where it is written.
    """
    if name and kind.__module__.partition(".")[0] == __name__.partition(".")[0]:
        table[name] = kind
