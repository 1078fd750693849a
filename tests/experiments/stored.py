"""What stands in the file of a store, read and written as SQLite and NumPy see it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np

DTYPES = {"outcome": "i1", "steps": "<i8", "value": "<f8", "x": "<f8"}


def rows_in(path: Path) -> int:
    """How many runs there are."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        ((count,),) = database.execute("SELECT coalesce(sum(count), 0) FROM runs").fetchall()
    return int(count)


def settings_in(path: Path) -> list[dict[str, Any]]:
    """The own settings of all runs."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        query = "SELECT problem.settings, runs.settings FROM runs JOIN problem ON problem.key = runs.problem"
        rows = database.execute(query).fetchall()
    found = []
    for text, own in rows:
        shared, columns = (json.loads(text)[name] for name in ("shared", "columns"))
        table = np.frombuffer(own, [(name, kind, tuple(shape)) for name, kind, shape in columns])
        found += [shared | {name: row[name].tolist() for name in table.dtype.names or ()} for row in table]
    return found


def edit(path: Path, statement: str, *values: Any) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(statement, values)
        database.commit()


def set_all(path: Path, **numbers: float) -> None:
    """Write the same numbers over those of all runs."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        for identity, count in database.execute("SELECT id, count FROM runs").fetchall():
            for name, number in numbers.items():
                column = np.full(count, number, DTYPES[name]).tobytes()
                database.execute(f"UPDATE runs SET {name} = ? WHERE id = ?", (column, identity))
        database.commit()
