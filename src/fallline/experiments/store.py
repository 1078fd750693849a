"""The store of a sweep: an SQLite file of results, shared by processes and safe when one is killed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray
from fallline.errors import FalllineError
from fallline.experiments.outcomes import Results
from fallline.results.sweep import NAMES
from fallline.tables import data_frame

if TYPE_CHECKING:
    import pandas as pd

# SQLite's application id ("Fall" in ASCII), and the version of the tables.
_APPLICATION, _VERSION = 0x46616C6C, 2
# The longest wait while another process writes.
_PATIENCE_SECONDS = 60.0

# A row has many runs of one problem: each column is the bytes of an array with one entry per run.
_TABLES = """
CREATE TABLE problem (key TEXT PRIMARY KEY, settings TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, problem TEXT NOT NULL REFERENCES problem, count INTEGER NOT NULL,
    settings BLOB NOT NULL, outcome BLOB NOT NULL, steps BLOB NOT NULL, value BLOB NOT NULL, x BLOB NOT NULL
);
CREATE INDEX runs_of_problem ON runs (problem, id);
CREATE TABLE claim (portion TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_DTYPES: tuple[str, ...] = ("i1", "<i8", "<f8", "<f8")

# The own settings of k runs of a problem: a structured array of k rows with a field for each setting.
Own: TypeAlias = npt.NDArray[np.void]


class Store:
    """An open file of results. A run is identified by its problem and its own settings, and stored at most once.

    Arguments:
        path: the file; created if it does not exist.

    Raises:
        FalllineError: when it is not a store, or cannot be opened.

    >>> import tempfile
    >>> with Store(tempfile.mkdtemp() + "/runs.db") as store:
    ...     own = own_settings({"learning_rate": np.array([0.1, 0.2])})
    ...     made = Results(np.array([0]), np.array([90]), np.array([0.0]), np.array([[0.0]]))
    ...     store.add('{"objective": "x**2"}', own[:1], made)
    ...     there, results = store.found('{"objective": "x**2"}', own)
    ...     there, results.steps
    (array([ True, False]), array([90]))
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not isinstance(path, str | os.PathLike) or not os.fspath(path):
            raise FalllineError("store", path, "it must be the name of a file")
        self.path = os.fspath(path)
        self._known: dict[str, _Known] = {}
        folder = os.path.dirname(self.path) or "."
        if not os.path.isdir(folder):
            raise FalllineError("store", self.path, problem=f"but the folder {folder!r} does not exist")
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

    def found(self, problem: str, own: Own) -> tuple[BoolArray, Results | None]:
        """A mask of the runs that are stored, and their results; None if there are none.

        Arguments:
            problem: what the settings of the runs have in common, as JSON.
            own: each run's own settings.
        """
        with self._errors():
            known = self._read(_digest(problem))
        places = known.places(own)
        there = places >= 0
        return there, known.results(places[there]) if there.any() else None

    def claim(self, portion: str) -> bool:
        """Claim a portion of runs for this process; False if it is claimed already.

        A claim keeps processes from doing the same work at the same time. It is not a lock: what a killed process had
        claimed is done by another at the end, when nothing else is left.
        """
        with self._errors():
            made = self._connection.execute("INSERT OR IGNORE INTO claim VALUES (?)", [portion])
        return made.rowcount == 1

    def release(self, portion: str) -> None:
        """Remove a claim, whichever process made it."""
        with self._errors():
            self._connection.execute("DELETE FROM claim WHERE portion = ?", [portion])

    def add(self, problem: str, own: Own, results: Results) -> None:
        """Add the results of runs, all or none; runs that are stored already do not change.

        Arguments:
            problem: what their settings have in common, as JSON.
            own: each run's own settings.
            results: how they ended.
        """
        key = _digest(problem)
        with self._errors(), self._transaction():
            new = self._read(key).places(own) < 0
            if not new.any():
                return
            self._connection.execute("INSERT OR IGNORE INTO problem VALUES (?, ?)", (key, problem))
            parts: tuple[npt.NDArray[Any], ...] = results
            columns = [own[new], *(part[new].astype(kind) for part, kind in zip(parts, _DTYPES, strict=True))]
            self._connection.execute(
                "INSERT INTO runs (problem, count, settings, outcome, steps, value, x) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (key, int(np.count_nonzero(new)), *(column.tobytes() for column in columns)),
            )

    def to_frame(self) -> pd.DataFrame:
        """A pandas data frame of all results, one run per row: its own settings, its outcome, and the problem's text.

        Raises:
            FalllineError: when pandas is not installed.
        """
        with self._errors():
            problems = self._connection.execute("SELECT key, settings FROM problem ORDER BY key").fetchall()
            tables = [(text, self._read(key)) for key, text in problems]
        frames = []
        for text, known in tables:
            shared, columns = (json.loads(text)[name] for name in ("shared", "columns"))
            own = np.concatenate(known.settings).view([(name, kind, tuple(shape)) for name, kind, shape in columns])
            results = known.results(np.arange(len(own)))
            settings = {name: [value] * len(own) for name, value in shared.items()}
            settings |= {name: own[name].tolist() for name in own.dtype.names or ()}
            told = results._asdict() | {"outcome": [NAMES[place] for place in results.outcome], "x": results.x.tolist()}
            frames.append(data_frame(settings | told | {"problem": [text] * len(own)}))
        if not frames:
            return data_frame({})
        import pandas as pd

        return pd.concat(frames, ignore_index=True)

    def _read(self, key: str) -> _Known:
        """The stored runs of a problem, including those added since the last call."""
        known = self._known.setdefault(key, _Known())
        query = (
            "SELECT id, count, settings, outcome, steps, value, x FROM runs WHERE problem = ? AND id > ? ORDER BY id"
        )
        for row in self._connection.execute(query, [key, known.last]):
            known.take(*row)
        return known

    def _prepare(self) -> None:
        """Create the tables in an empty file; raise an error for a file that is not a store."""
        run = self._connection.execute
        ((application,),) = run("PRAGMA application_id").fetchall()
        if application != _APPLICATION:
            # If two processes find the file empty, only one creates the tables.
            with self._transaction():
                ((application,),) = run("PRAGMA application_id").fetchall()
                ((tables,),) = run("SELECT count(*) FROM sqlite_master").fetchall()
                if application != _APPLICATION:
                    if application or tables:
                        raise FalllineError(
                            "store", self.path, "give the name of a new file", problem="a database of something else"
                        )
                    for statement in _TABLES.split(";\n"):
                        run(statement)
                    run(f"PRAGMA user_version = {_VERSION}")
                    run(f"PRAGMA application_id = {_APPLICATION}")
        ((version,),) = run("PRAGMA user_version").fetchall()
        if version != _VERSION:
            raise FalllineError(
                "store", self.path, "give the name of a new file", problem="of another version of Fallline"
            )
        # In WAL mode readers do not wait for writers. Switching needs exclusive access; the next open may retry.
        with contextlib.suppress(sqlite3.OperationalError):
            run("PRAGMA journal_mode = WAL")
            # Safe when a process is killed; a power failure may undo the last writes.
            run("PRAGMA synchronous = NORMAL")

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
        except (sqlite3.Error, UnicodeDecodeError) as error:  # a damaged file's own words may be no text
            raise self._unusable(error) from None

    def _unusable(self, error: Exception) -> FalllineError:
        return FalllineError("store", self.path, problem=f"which cannot be used: {error}")


class _Known:
    """The runs of a problem read so far: columns, and the row of each run in them.

    Attributes:
        last: the last row of the file that was read.
        settings: the runs' own settings, as bytes, part by part.
    """

    def __init__(self) -> None:
        self.last = 0
        self.settings: list[npt.NDArray[np.void]] = []
        self._columns: list[Results] = []
        self._places: dict[bytes, int] = {}

    def take(self, last: int, count: int, settings: bytes, *columns: bytes) -> None:
        """Add a row of the file."""
        self.last = last
        own = np.frombuffer(settings, f"V{len(settings) // count}")
        arrays: list[npt.NDArray[Any]] = [
            np.frombuffer(column, kind) for column, kind in zip(columns, _DTYPES, strict=True)
        ]
        arrays[-1] = arrays[-1].reshape(count, -1)
        self._places.update(zip(own.tolist(), range(len(self._places), len(self._places) + count), strict=True))
        self.settings.append(own)
        self._columns.append(Results(*arrays))

    def places(self, own: Own) -> npt.NDArray[np.int64]:
        """The row of each of these runs; -1 for one that is not stored."""
        if not self._places:
            return np.full(len(own), -1)
        place = self._places.get
        return np.array([place(run, -1) for run in own.view(f"V{own.dtype.itemsize}").tolist()])

    def results(self, places: npt.NDArray[np.int64]) -> Results:
        """The results of the runs in these rows."""
        return Results(*(np.concatenate(parts)[places] for parts in zip(*self._columns, strict=True)))


def own_settings(columns: Mapping[str, npt.NDArray[Any]]) -> Own:
    """The own settings of k runs as a structured array, from an array of k rows for each setting."""
    kinds = [(name, column.dtype.newbyteorder("<"), column.shape[1:]) for name, column in columns.items()]
    own = np.empty(len(next(iter(columns.values()))), kinds)
    for name, column in columns.items():
        own[name] = column
    return own


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
