"""The rows that a batch of runs records: one growing table, split by run at the end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray

# The most numbers that are collected before they are copied in: copying many rows takes hardly longer than one.
_WAITING = 1 << 9
# The number of rows there is room for at first.
_FIRST = 1 << 8


class Rows:
    """A table whose rows are added in blocks, each row belonging to one run.

    Arguments:
        columns: the shape of a column's entry in one row, by the column's name.
    """

    def __init__(self, columns: Mapping[str, tuple[int, ...]]) -> None:
        self._columns = {name: np.empty((_FIRST, *shape)) for name, shape in columns.items()}
        self._run = np.empty(_FIRST, np.int64)
        self._count = 0
        self._most_waiting = _WAITING // sum(math.prod(shape) for shape in columns.values())
        self._waiting: list[tuple[npt.NDArray[np.int64], Mapping[str, Any]]] = []
        self._rows_waiting = 0

    @classmethod
    def of(cls, run: npt.NDArray[np.int64], columns: Mapping[str, FloatArray]) -> Rows:
        """The table with these `run` and `columns`."""
        rows = cls({name: column.shape[1:] for name, column in columns.items()})
        rows._run, rows._columns, rows._count = run, dict(columns), len(run)
        return rows

    @property
    def run(self) -> npt.NDArray[np.int64]:
        """The run that each row belongs to, in the order they were added."""
        self._copy_in()
        return self._run[: self._count]

    @property
    def columns(self) -> dict[str, FloatArray]:
        """Each column, in the order the rows were added."""
        self._copy_in()
        return {name: column[: self._count] for name, column in self._columns.items()}

    def add(self, runs: npt.NDArray[np.int64], block: Mapping[str, Any]) -> None:
        """Copy a block of rows into the table, one per run; entries are broadcast over the runs."""
        self._copy_in()
        self.add_soon(runs, block)
        self._copy_in()

    def add_soon(self, runs: npt.NDArray[np.int64], block: Mapping[str, Any]) -> None:
        """As `add`, but blocks are collected and copied in together.

        Until then their arrays must not change, and an entry that is broadcast in one block must be so in all.
        """
        self._waiting.append((runs, block))
        self._rows_waiting += len(runs)
        if self._rows_waiting > self._most_waiting:
            self._copy_in()

    def _copy_in(self) -> None:
        if not self._waiting:
            return
        runs, blocks = zip(*self._waiting, strict=True)
        rows = slice(self._count, self._count + self._rows_waiting)
        if rows.stop > len(self._run):
            self._grow(rows.stop)
        np.concatenate(runs, out=self._run[rows])
        for name, column in self._columns.items():
            parts = [block[name] for block in blocks]
            if len(parts) == 1:
                column[rows] = parts[0]
            elif np.ndim(parts[0]):
                np.concatenate(parts, out=column[rows])
            else:
                column[rows] = np.repeat(parts, [len(part) for part in runs])
        self._count, self._waiting, self._rows_waiting = rows.stop, [], 0

    def of_each(self, runs: int) -> list[dict[str, FloatArray]]:
        """Each run's rows, in the order they were added."""
        if runs == 1:
            return [{name: column.copy() for name, column in self.columns.items()}]
        order = np.argsort(self.run, kind="stable")
        ends = np.cumsum(np.bincount(self.run, minlength=runs))[:-1]
        split = {name: np.split(column[order], ends) for name, column in self.columns.items()}
        return [{name: parts[i] for name, parts in split.items()} for i in range(runs)]

    def _grow(self, needed: int) -> None:
        size = max(needed, 2 * len(self._run))
        self._run = longer(self._run, size)
        self._columns = {name: longer(column, size) for name, column in self._columns.items()}


def longer(column: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    """A copy of the column with room for `size` rows."""
    copy = np.empty((size, *column.shape[1:]), column.dtype)
    copy[: len(column)] = column
    return copy
