"""A table in memory: named columns of equal length, and the position of each entry for error texts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.data.entries import as_numbers, as_text, is_missing, is_number
from fallline.data.numerals import numeral_of, shows_point
from fallline.errors import FalllineError, Setting, nearest
from fallline.tables import Printed

# A path to a CSV or Parquet file or a folder of them, a mapping of columns, a pandas or polars data frame, an
# array, or a Table.
TableLike: TypeAlias = Any


@dataclass(frozen=True, repr=False)
class Table(Printed):
    """Named columns of equal length.

    Attributes:
        source: the name of the data in error texts: the name of a file, or "data".
        columns: the entries of each column, unconverted: texts from a CSV file, else whatever the data hold.
        lines: for a CSV file, the line on which each row begins.
        first_row: for a part of a file, the number of rows before it.
        decimal: the decimal mark of the numbers in a CSV file, if they show one.

    >>> table = table_of({"height": [1.5, 1.8], "tall": ["no", "yes"]})
    >>> table.numbers("height")
    array([1.5, 1.8])
    """

    source: str
    columns: Mapping[str, npt.NDArray[Any]]
    lines: Sequence[int] = ()
    first_row: int = 0
    decimal: str | None = None

    @property
    def rows(self) -> int:
        """The number of rows."""
        return int(np.shape(next(iter(self.columns.values())))[0])

    def entries(self, name: str, parameter: str) -> npt.NDArray[Any]:
        """A column, unconverted; `parameter` is the parameter that named it.

        Raises:
            FalllineError: when there is no such column, naming the nearest one.
        """
        if name not in self.columns:
            raise FalllineError(
                parameter, name, nearest(name, self.columns), problem=f"which is not a column of {self.source}"
            )
        return self.columns[name]

    def numeric(self, name: str, parameter: str) -> npt.NDArray[Any] | None:
        """A column that holds numbers, NaN where one is missing; None if it holds anything else."""
        entries = self.entries(name, parameter)
        return entries if entries.dtype.kind in "biuf" else None

    def coded(self, name: str, parameter: str) -> tuple[list[Any], npt.NDArray[np.intp]]:
        """The different entries of a column, in their order, and the number of each row's.

        Only texts are compared: other entries count as different.

        >>> table_of({"size": ["S", "L", "S"]}).coded("size", "column")
        (['S', 'L'], array([0, 1, 0]))
        """
        entries = self.entries(name, parameter).tolist()
        if set(map(type, entries)) != {str}:
            return entries, np.arange(len(entries))
        numbers = {text: number for number, text in enumerate(dict.fromkeys(entries))}
        return list(numbers), np.array([numbers[text] for text in entries])

    def each(self, name: str, parameter: str, function: Callable[[Any], Any], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """What a function makes of each entry of a column; it is called once for each different text."""
        different, numbers = self.coded(name, parameter)
        return np.array([function(entry) for entry in different], dtype)[numbers]

    def numbers(
        self, name: str, parameter: str = "column", *, missing: bool = False, instead: tuple[object, ...] = ()
    ) -> FloatArray:
        """A column as finite numbers.

        Arguments:
            name: the column.
            parameter: the parameter that named it.
            missing: whether entries may be missing; those are then NaN.
            instead: alternatives that an error text adds to what is allowed: texts, and settings that help.

        Raises:
            FalllineError: naming the row and the column of the first entry that is not a finite number.
        """
        numbers, fault = as_numbers(self.entries(name, parameter), missing=missing)
        if fault is not None:
            row = fault[0][0]
            entry = self.columns[name][row]
            numeral = numeral_of(entry, points=self._shows_point) if isinstance(entry, str) else None
            if numeral is None:
                advice = [*instead, *self._reading_advice(str(entry).strip())]
                raise self.error_at(row, name, fault[1], "only finite numbers are allowed", *advice)
            settings = (", or ", Setting("decimal", ",")) if numeral.may_be_decimal and len(self.lines) else ()
            raise self.error_at(row, name, f"{fault[1]}{numeral.told}", numeral.advice, *settings)
        return numbers

    @property
    def _shows_point(self) -> bool:
        """Whether some text shows that the decimal mark is a point."""
        texts = (entry for column in self.columns.values() if column.dtype == object for entry in column.tolist())
        return self.decimal == "." or any(isinstance(text, str) and shows_point(text) for text in texts)

    def _reading_advice(self, text: str) -> tuple[object, ...]:
        """How to read a CSV file otherwise, where an entry that is not a number suggests it."""
        if not len(self.lines):
            return ()
        if text and not any(character.isalnum() for character in text):
            return ", or ", Setting("na", text), " if it marks a missing entry"
        return ()

    def matrix(self, names: Sequence[str], parameter: str = "features") -> FloatArray:
        """Some columns as a matrix of numbers: shape (rows, len(names))."""
        return np.column_stack([self.numbers(name, parameter) for name in names])

    def is_text(self, name: str, parameter: str = "column") -> bool | None:
        """Whether all entries of a column are texts that are not numbers; None if all of them are missing."""
        numbers = self.numeric(name, parameter)
        if numbers is not None:
            return False if not np.isnan(numbers).all() else None
        present = [entry for entry in self.coded(name, parameter)[0] if not is_missing(entry)]
        return all(isinstance(entry, str) and not is_number(entry) for entry in present) if present else None

    def without(self, marks: Collection[str]) -> Table:
        """The table with None for each entry whose text is one of the marks of a missing one."""
        if not marks:
            return self
        columns = {
            name: np.array([None if as_text(entry) in marks else entry for entry in column.tolist()], object)
            for name, column in self.columns.items()
        }
        return Table(self.source, columns, self.lines, self.first_row, self.decimal)

    def on_columns(self, names: Sequence[str]) -> Table:
        """Some of the columns."""
        return dataclasses.replace(self, columns={name: self.columns[name] for name in names})

    def on_rows(self, rows: slice) -> Table:
        """Some consecutive rows, which keep their row numbers and line numbers."""
        start, stop, _ = rows.indices(self.rows)
        return dataclasses.replace(
            self,
            columns={name: column[start:stop] for name, column in self.columns.items()},
            lines=self.lines[start:stop],
            first_row=self.first_row + start,
        )

    def error_at(self, row: int, name: str, complaint: str, *allowed: object) -> FalllineError:
        """The error that says where an entry is, what is wrong with it, and what is allowed instead."""
        line = f" (line {self.lines[row]})" if len(self.lines) else ""
        row += self.first_row + 1
        place = f"{self.source}, row {row}{line}, column {name!r}"
        return FalllineError("the value", problem=complaint, allowed=allowed, of=place)


def table_of(data: TableLike, parameter: str = "data", names: Sequence[str] | None = None) -> Table:
    """The table that a mapping of columns, a data frame or an array stands for.

    Arguments:
        data: what to read; an array has rows of columns, and n numbers are n rows of one column.
        parameter: the name of the data in error texts.
        names: the names of the columns of an array; x1, x2, ... if None.

    Raises:
        FalllineError: when `data` is none of these, has no rows, or has columns without distinct names.
    """
    if isinstance(data, Table):
        return data
    if hasattr(type(data), "collect"):
        raise FalllineError(
            parameter, problem=f"is a {type(data).__name__}, which holds no rows yet", allowed="call its collect()"
        )
    if isinstance(data, Mapping) or (hasattr(data, "columns") and hasattr(data, "__getitem__")):
        # In a PyArrow table the names are `column_names`.
        names = list(data.keys() if isinstance(data, Mapping) else getattr(data, "column_names", data.columns))
        check_names([str(name) for name in names], parameter)
        return _checked(Table(parameter, {str(name): _column(data[name]) for name in names}))
    if isinstance(data, np.ndarray | list | tuple):
        return _of_array(data, parameter, names)
    raise FalllineError(
        parameter,
        problem=f"is of the type {type(data).__name__}",
        allowed="allowed: the path of a CSV or Parquet file or of a folder of them, a mapping of columns, a data "
        "frame, an array",
    )


def _of_array(array: npt.ArrayLike, parameter: str, names: Sequence[str] | None) -> Table:
    entries = _column(array)
    if entries.ndim == 1:
        entries = entries[:, None]
    if names is None and entries.ndim == 2:
        names = [f"x{number}" for number in range(1, entries.shape[1] + 1)]
    if not names or entries.ndim != 2 or entries.shape[1] != len(names):
        raise FalllineError(
            parameter,
            problem=f"has the shape {np.shape(array)}",
            allowed=f"it needs rows of {len(names) if names else 'some'} columns",
        )
    return _checked(Table(parameter, dict(zip(names, entries.T, strict=True))))


def _column(entries: npt.ArrayLike) -> npt.NDArray[Any]:
    try:
        column = np.asarray(entries)
    except ValueError:  # entries of different lengths
        column = np.asarray(entries, dtype=object)
    # NumPy turns numbers next to a text into texts; kept as objects, an error can name the wrong entry.
    return np.asarray(entries, dtype=object) if column.dtype.kind in "US" else column


def _checked(table: Table) -> Table:
    for name, column in table.columns.items():
        if column.ndim != 1:
            raise FalllineError(
                problem=f"{table.source}: column {name!r} has the shape {column.shape}", allowed="it needs one axis"
            )
        if len(column) != table.rows:
            raise FalllineError(
                problem=f"{table.source}: column {name!r} has {len(column)} entries, but the first has {table.rows}"
            )
    if not table.rows:
        raise FalllineError(table.source, problem="has columns but no rows")
    return table


def check_names(names: Sequence[str], source: str, instead: tuple[object, ...] = ()) -> None:
    """Check that the columns have distinct names; `instead` is an alternative that an error text adds.

    Raises:
        FalllineError: when there are no columns, or one has no name or the same name as another.
    """
    if not names:
        raise FalllineError(source, problem="is empty: it has no columns")
    for number, name in enumerate(names, start=1):
        if not name:
            raise FalllineError(
                problem=f"{source}: column {number} has no name",
                allowed=("every column needs one in the header", *instead),
            )
        if name in names[: number - 1]:
            raise FalllineError(
                problem=f"{source}: columns {names.index(name) + 1} and {number} are both called {name!r}",
                allowed=("every column needs its own name", *instead),
            )
