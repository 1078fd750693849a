"""Results of runs in an SQLite file: added as they come, shared by processes, none lost or doubled by a kill."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from fallline.errors import FalllineError
from fallline.tables import data_frame

if TYPE_CHECKING:
    import pandas as pd

# "Fall" in ASCII, where SQLite files say whose they are; and the version of the tables.
_APPLICATION, _VERSION = 0x46616C6C, 1
# How long to wait while another process writes.
_PATIENCE_SECONDS = 60.0

_TABLES = """
CREATE TABLE problem (key TEXT PRIMARY KEY, settings TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE run (
    key TEXT PRIMARY KEY, problem TEXT NOT NULL REFERENCES problem, settings TEXT NOT NULL,
    outcome TEXT NOT NULL, steps INTEGER NOT NULL, value REAL, x TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE claim (portion TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class Row(NamedTuple):
    """The result of one run.

    Attributes:
        outcome: how it ended.
        steps: the updates made.
        value: the objective at its end.
        x: its end.
    """

    outcome: str
    steps: int
    value: float
    x: list[float]


class Store:
    """An open file of results. A run is known by the fingerprint of all its settings, so it has one row at most.

    Arguments:
        path: the file; made if it does not exist.

    Raises:
        FalllineError: when it is no store, or cannot be opened.

    >>> import tempfile
    >>> with Store(tempfile.mkdtemp() + "/runs.db") as store:
    ...     key = fingerprint("x**2", {"learning_rate": 0.1})
    ...     store.add("x**2", {key: {"learning_rate": 0.1}}, [Row("converged", 90, 0.0, [0.0])])
    ...     store.found([key])[key].steps
    90
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not isinstance(path, str | os.PathLike) or not os.fspath(path):
            raise FalllineError(f"store is {path!r}; it must be the name of a file")
        self.path = os.fspath(path)
        folder = os.path.dirname(self.path) or "."
        if not os.path.isdir(folder):
            raise FalllineError(f"store is {self.path!r}, but the folder {folder!r} does not exist")
        try:
            self._connection = sqlite3.connect(self.path, timeout=_PATIENCE_SECONDS, isolation_level=None)
        except sqlite3.Error as error:
            raise self._unusable(error) from None
        try:
            with self._errors():
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def found(self, keys: Sequence[str]) -> dict[str, Row]:
        """The results of the runs with these fingerprints, as far as they are there."""
        query = "SELECT key, outcome, steps, value, x FROM run WHERE key IN (SELECT value FROM json_each(?))"
        with self._errors():
            rows = self._connection.execute(query, [json.dumps(list(keys))]).fetchall()
        # SQLite has no NaN: it keeps one as NULL.
        return {
            key: Row(outcome, steps, float("nan") if value is None else value, json.loads(x))
            for key, outcome, steps, value, x in rows
        }

    def claim(self, portion: str) -> bool:
        """Say that this process works on a portion of runs; false if another one has said so.

        A claim keeps processes from doing the same work at the same time. It is no lock: what a killed process has
        claimed is done by another at the end, when nothing else is left to do.
        """
        with self._errors():
            made = self._connection.execute("INSERT OR IGNORE INTO claim VALUES (?)", [portion])
        return made.rowcount == 1

    def release(self, portion: str) -> None:
        """Take the claim back, whoever made it."""
        with self._errors():
            self._connection.execute("DELETE FROM claim WHERE portion = ?", [portion])

    def add(self, problem: str, runs: Mapping[str, Mapping[str, Any]], rows: Iterable[Row]) -> None:
        """Keep the results of runs, all or none; of one that is there already, nothing changes.

        Arguments:
            problem: what their settings have in common, as text.
            runs: each run's own settings by its fingerprint.
            rows: their results.
        """
        name = _digest(problem)
        entries = [
            (key, name, json.dumps(settings), row.outcome, row.steps, row.value, json.dumps(row.x))
            for (key, settings), row in zip(runs.items(), rows, strict=True)
        ]
        with self._errors(), self._transaction():
            self._connection.execute("INSERT OR IGNORE INTO problem VALUES (?, ?)", (name, problem))
            self._connection.executemany("INSERT OR IGNORE INTO run VALUES (?, ?, ?, ?, ?, ?, ?)", entries)

    def to_frame(self) -> pd.DataFrame:
        """All results as a pandas data frame: one run a row, its own settings, its outcome, and the problem's text.

        Raises:
            FalllineError: when pandas is not installed.
        """
        query = (
            "SELECT run.settings, outcome, steps, value, x, problem.settings FROM run "
            "JOIN problem ON problem.key = run.problem ORDER BY run.problem, run.settings"
        )
        with self._errors():
            rows = self._connection.execute(query).fetchall()
        return data_frame(
            json.loads(own)
            | {"outcome": outcome, "steps": steps, "value": value, "x": json.loads(x)}
            | {"problem": problem}
            for own, outcome, steps, value, x, problem in rows
        )

    def _prepare(self) -> None:
        """Make the tables in an empty file; refuse one that is somebody else's."""
        run = self._connection.execute
        ((application,),) = run("PRAGMA application_id").fetchall()
        if application != _APPLICATION:
            # Of two processes that find it empty, one makes the tables.
            with self._transaction():
                ((application,),) = run("PRAGMA application_id").fetchall()
                ((tables,),) = run("SELECT count(*) FROM sqlite_master").fetchall()
                if application != _APPLICATION:
                    if application or tables:
                        raise FalllineError(
                            f"store is {self.path!r}, a database of something else; give the name of a new file"
                        )
                    for statement in _TABLES.split(";\n"):
                        run(statement)
                    run(f"PRAGMA user_version = {_VERSION}")
                    run(f"PRAGMA application_id = {_APPLICATION}")
        ((version,),) = run("PRAGMA user_version").fetchall()
        if version != _VERSION:
            raise FalllineError(f"store is {self.path!r}, of another version of Fallline; give the name of a new file")
        # Readers then do not wait for writers. The change itself needs the file alone, and may be tried next time.
        with contextlib.suppress(sqlite3.OperationalError):
            run("PRAGMA journal_mode = WAL")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._unusable(error) from None

    def _unusable(self, error: sqlite3.Error) -> FalllineError:
        return FalllineError(f"store is {self.path!r}, which cannot be used: {error}")


def fingerprint(problem: str, settings: Mapping[str, Any]) -> str:
    """What a run is known by: a digest of what its problem is and of its own settings."""
    return _digest(f"{_digest(problem)} {json.dumps(settings)}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
