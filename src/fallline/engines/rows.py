"""The rows that a batch of runs records: one growing table, dealt out to the runs at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray


class Rows:
    """A table whose rows are added in blocks, each row belonging to one run.

    Arguments:
        columns: the shape of a column's entry in one row, by the column's name.
    """

    def __init__(self, columns: Mapping[str, tuple[int, ...]]) -> None:
        self._columns = {name: np.empty((64, *shape)) for name, shape in columns.items()}
        self._run = np.empty(64, np.int64)
        self._count = 0

    @classmethod
    def of(cls, run: npt.NDArray[np.int64], columns: Mapping[str, FloatArray]) -> Rows:
        """The table that `run` and `columns` were of."""
        rows = cls({})
        rows._run, rows._columns, rows._count = run, dict(columns), len(run)
        return rows

    @property
    def run(self) -> npt.NDArray[np.int64]:
        """The run that each row belongs to, in the order they were added."""
        return self._run[: self._count]

    @property
    def columns(self) -> dict[str, FloatArray]:
        """Each column, in the order the rows were added."""
        return {name: column[: self._count] for name, column in self._columns.items()}

    def add(self, runs: npt.NDArray[np.int64], block: Mapping[str, Any]) -> None:
        """Copy a block of rows in: one for each of the runs, which may share an entry."""
        end = self._count + len(runs)
        if end > len(self._run):
            self._grow(end)
        self._run[self._count : end] = runs
        for name, part in block.items():
            self._columns[name][self._count : end] = part
        self._count = end

    def of_each(self, runs: int) -> list[dict[str, FloatArray]]:
        """Each run's rows, in the order they were added."""
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
