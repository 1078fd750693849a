"""Data as a fit takes it: a table of named columns, checked, and its columns on a common scale."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest

# A path to a CSV file, a mapping of columns, a pandas or polars data frame, an array, or a Table.
TableLike: TypeAlias = Any

MISSING = {"", "na", "n/a", "nan", "nat", "<na>", "null", "none"}

# Of these pairs of texts, in any case, the second is the class 1.
NO_YES = (("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("off", "on"))


def number_array(values: npt.ArrayLike, name: str) -> FloatArray:
    """Values as float64, every one of them finite.

    Arguments:
        values: an array, or sequences; texts that spell numbers count as numbers.
        name: what error texts call them.

    Raises:
        FalllineError: naming the index of the first entry that is missing, infinite or no number.

    >>> number_array([1, "2.5", True], "y")
    array([1. , 2.5, 1. ])
    """
    try:
        entries = np.asarray(values)
        if entries.dtype.kind in "US":
            entries = np.asarray(values, dtype=object)  # [1, "2.5", True] as it is, not as three texts
    except ValueError:
        raise FalllineError(f"{name} has rows of different lengths; every row needs the same") from None
    numbers, fault = _numbers(entries)
    if fault is not None:
        index, complaint = fault
        place = f"{name}[{', '.join(str(i) for i in index)}]" if index else name
        raise FalllineError(f"{place} {complaint}; only finite numbers are allowed")
    return numbers


def _numbers(entries: npt.NDArray[Any]) -> tuple[FloatArray, tuple[tuple[int, ...], str] | None]:
    """The entries as float64; and, unless all are finite numbers, the first that is not and why."""
    numbers = np.full(entries.shape, np.nan)
    if entries.dtype.kind in "biufOUS":
        # Where some entry is no number, the search below says which.
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            numbers = entries.astype(np.float64, copy=False)
    if np.isfinite(numbers).all():
        return numbers, None
    faults = ((index, _fault(entry)) for index, entry in np.ndenumerate(entries))
    return numbers, next((index, fault) for index, fault in faults if fault)


def _fault(entry: Any) -> str | None:
    """What is wrong with an entry that should be a finite number."""
    text = str(entry).strip()
    if text.lower() in MISSING:
        return "is missing"
    if not _is_number(entry):
        return f"is {text if len(text) <= 40 else text[:40] + '...'!r}, which is not a number"
    return None if np.isfinite(float(entry)) else f"is {text}"


def _is_number(entry: Any) -> bool:
    if not isinstance(entry, str | bytes | Real | Decimal | np.bool_):
        return False
    try:
        float(entry)
    except (ValueError, OverflowError):
        return False
    return True


@dataclass(frozen=True)
class Table:
    """Named columns of equal length.

    Attributes:
        source: what error texts call the data: the name of a file, or "data".
        columns: the entries of each column, as found: texts from a file, else whatever the data hold.
        lines: for a file, the line on which each row begins.

    >>> table = read_table({"height": [1.5, 1.8], "tall": ["no", "yes"]})
    >>> table.numbers("height")
    array([1.5, 1.8])
    >>> table.two_classes("tall")
    (array([0., 1.]), ('no', 'yes'))
    """

    source: str
    columns: dict[str, npt.NDArray[Any]]
    lines: Sequence[int] = ()

    @property
    def rows(self) -> int:
        """The number of rows."""
        return int(np.shape(next(iter(self.columns.values())))[0])

    def entries(self, name: str, parameter: str) -> npt.NDArray[Any]:
        """A column as found; `parameter` is what asked for it.

        Raises:
            FalllineError: when there is no such column, with the nearest that there is.
        """
        if name not in self.columns:
            raise FalllineError(
                f"{parameter} is {name!r}, which is not a column of {self.source}; {nearest(name, self.columns)}"
            )
        return self.columns[name]

    def numbers(self, name: str, parameter: str = "column") -> FloatArray:
        """A column as finite numbers.

        Raises:
            FalllineError: naming the row and the column of the first entry that is none.
        """
        numbers, fault = _numbers(self.entries(name, parameter))
        if fault is not None:
            raise self.error_at(fault[0][0], name, f"{fault[1]}; only finite numbers are allowed")
        return numbers

    def matrix(self, names: Sequence[str], parameter: str = "features") -> FloatArray:
        """Some columns as numbers, side by side: shape (rows, len(names))."""
        return np.column_stack([self.numbers(name, parameter) for name in names])

    def is_text(self, name: str, parameter: str = "column") -> bool:
        """Whether a column has texts only, none of them a number."""
        return all(isinstance(entry, str) and not _is_number(entry) for entry in self.entries(name, parameter).tolist())

    def two_classes(self, name: str, parameter: str = "column") -> tuple[FloatArray, tuple[str, str]]:
        """A column of two different entries as the labels 0 and 1.

        Of two numbers the larger is 1; of yes and no, true and false and the like the affirmative is 1; of
        other texts the second in alphabetical order.

        Returns:
            The labels, and the two entries in the order (0, 1).

        Raises:
            FalllineError: when an entry is missing, or there are not exactly two different ones.
        """
        entries = self.entries(name, parameter)
        numbers, fault = _numbers(entries)
        classes: list[Any]
        if fault is None:
            keys = numbers.tolist()
            classes = sorted(set(keys))
            shown = [str(bool(key)) if entries.dtype.kind == "b" else f"{key:g}" for key in classes]
        else:
            keys = [str(entry).strip() for entry in entries.tolist()]
            for row, key in enumerate(keys):
                if key.lower() in MISSING:
                    raise self.error_at(row, name, "is missing; every row needs a label")
            pair = next((p for p in NO_YES if {key.lower() for key in keys} == set(p)), None)
            if pair is not None:
                keys = [key.lower() for key in keys]
            classes = sorted(set(keys)) if pair is None else list(pair)
            shown = classes
        if len(classes) != 2:
            held = ", ".join(repr(text) for text in shown[:4]) + (", ..." if len(shown) > 4 else "")
            raise FalllineError(
                f"{parameter} is {name!r}, which holds {len(classes)} different values in {self.source} "
                f"({held}); a model of two classes needs two"
            )
        return np.array([float(key == classes[1]) for key in keys]), (shown[0], shown[1])

    def error_at(self, row: int, name: str, complaint: str) -> FalllineError:
        """The error that says where an entry stands and what is wrong with it."""
        line = f" (line {self.lines[row]})" if len(self.lines) else ""
        return FalllineError(f"{self.source}, row {row + 1}{line}, column {name!r}: the value {complaint}")


def read_table(data: TableLike, parameter: str = "data", names: Sequence[str] | None = None) -> Table:
    """The table that a path, a mapping of columns, a data frame, an array or a table stands for.

    Arguments:
        data: what is read; an array has rows of columns, and n numbers are n rows of one column.
        parameter: what error texts call the data, unless they have a name of their own.
        names: what to call the columns of an array; without, they are x1, x2, ...

    Raises:
        FalllineError: when `data` is none of these, or holds no rows, or columns that cannot be told apart.
    """
    if isinstance(data, Table):
        return data
    if isinstance(data, str | os.PathLike):
        return _read_csv(Path(data), parameter)
    if isinstance(data, Mapping) or (hasattr(data, "columns") and hasattr(data, "__getitem__")):
        names = list(data.keys() if isinstance(data, Mapping) else data.columns)
        _check_names([str(name) for name in names], parameter)
        return _checked(Table(parameter, {str(name): _column(data[name]) for name in names}))
    if isinstance(data, np.ndarray | list | tuple):
        return _table_of(data, parameter, names)
    raise FalllineError(
        f"{parameter} is of the type {type(data).__name__}; allowed: the path of a CSV file, "
        "a mapping of columns, a data frame, an array"
    )


def _table_of(array: npt.ArrayLike, parameter: str, names: Sequence[str] | None) -> Table:
    entries = _column(array)
    if entries.ndim == 1:
        entries = entries[:, None]
    if names is None and entries.ndim == 2:
        names = [f"x{number}" for number in range(1, entries.shape[1] + 1)]
    if not names or entries.ndim != 2 or entries.shape[1] != len(names):
        raise FalllineError(
            f"{parameter} has the shape {np.shape(array)}; it needs rows of {len(names) if names else 'some'} columns"
        )
    return _checked(Table(parameter, dict(zip(names, entries.T, strict=True))))


def _column(entries: npt.ArrayLike) -> npt.NDArray[Any]:
    try:
        column = np.asarray(entries)
    except ValueError:  # entries of different lengths
        column = np.asarray(entries, dtype=object)
    # Beside a text NumPy turns numbers into texts; as they were, an error can name the one that is wrong.
    return np.asarray(entries, dtype=object) if column.dtype.kind in "US" else column


def _checked(table: Table) -> Table:
    for name, column in table.columns.items():
        if column.ndim != 1:
            raise FalllineError(f"{table.source}: column {name!r} has the shape {column.shape}; it needs one axis")
        if len(column) != table.rows:
            raise FalllineError(
                f"{table.source}: column {name!r} has {len(column)} entries, but the first has {table.rows}"
            )
    if not table.rows:
        raise FalllineError(f"{table.source} has columns but no rows")
    return table


def _check_names(names: Sequence[str], source: str) -> None:
    if not names:
        raise FalllineError(f"{source} is empty: it has no columns")
    for number, name in enumerate(names, start=1):
        if not name:
            raise FalllineError(f"{source}: column {number} has no name; every column needs one in the header")
        if name in names[: number - 1]:
            raise FalllineError(
                f"{source}: columns {names.index(name) + 1} and {number} are both called {name!r}; "
                "every column needs its own name"
            )


def _read_csv(path: Path, parameter: str) -> Table:
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            line = 1
            for row in reader:
                if row:  # a blank line has no cells at all
                    rows.append([cell.strip() for cell in row])
                    lines.append(line)
                line = reader.line_num + 1
    except OSError as error:
        raise FalllineError(f"{parameter} is {str(path)!r}, which cannot be read: {error.strerror}") from None
    except ValueError:  # a byte that is not UTF-8, in the file or in its name
        raise FalllineError(f"{parameter} is {str(path)!r}, which is not UTF-8 text; a CSV file is needed") from None
    except csv.Error as error:
        raise FalllineError(f"{path.name}, line {line}: not the CSV format: {error}") from None
    if not rows:
        raise FalllineError(f"{parameter} is {str(path)!r}, which is empty; a header and rows are needed")
    header, cells = rows[0], rows[1:]
    if "\0" in "".join(header):
        raise FalllineError(f"{parameter} is {str(path)!r}, which is not text; a CSV file is needed")
    separator = next((mark for mark in ";\t|" if len(header) == 1 and mark in header[0]), None)
    if separator is not None:
        raise FalllineError(f"{path.name}: the columns are separated by {separator!r}; commas are needed")
    _check_names(header, path.name)
    for number, row in enumerate(cells, start=1):
        if len(row) != len(header):
            raise FalllineError(
                f"{path.name}, row {number} (line {lines[number]}): {len(row)} values, "
                f"but the header names {len(header)} columns"
            )
    columns = zip(*cells, strict=True) if cells else [()] * len(header)
    table = {name: np.array(column, dtype=object) for name, column in zip(header, columns, strict=True)}
    return _checked(Table(path.name, table, lines[1:]))


@dataclass(frozen=True)
class Standardization:
    """Columns with mean 0 and standard deviation 1, and the way of parameters there and back.

    Parameters are the weights of the columns, then the bias, on the last axis: z = X w + b.

    Attributes:
        mean: of each column, in the data's own units.
        scale: the standard deviation of each column (of the population: divided by n).

    >>> X = np.array([[1.0], [3.0]])
    >>> standardization = Standardization.of(X, ["height"])
    >>> standardization
    Standardization(mean=(2.0,), scale=(1.0,))
    >>> standardization.apply(X).ravel()
    array([-1.,  1.])
    >>> standardization.own_units(np.array([1.0, 0.0]))
    array([ 1., -2.])
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def of(cls, X: FloatArray, names: Sequence[str]) -> Standardization:
        """Measure mean and scale of the columns of X, shape (n, d).

        Raises:
            FalllineError: naming a column that is constant (its weight could not be told from the bias), or
                too large to measure.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            mean, scale = X.mean(axis=0), X.std(axis=0)
        for name, column, width in zip(names, X.T, scale, strict=True):
            if column.min() == column.max():
                raise FalllineError(
                    f"feature {name!r} is {column[0]:g} in every row; a constant cannot be told from the "
                    "intercept: leave it out of the features"
                )
            if not np.isfinite(width) or width == 0:
                raise FalllineError(
                    f"feature {name!r} reaches from {column.min():g} to {column.max():g}, which cannot be "
                    "standardised in float64; rescale it"
                )
        return cls(tuple(mean.tolist()), tuple(scale.tolist()))

    def apply(self, X: FloatArray) -> FloatArray:
        """X with every column shifted by its mean and divided by its scale."""
        standardised: FloatArray = (X - np.asarray(self.mean)) / np.asarray(self.scale)
        return standardised

    def own_units(self, parameters: FloatArray) -> FloatArray:
        """Parameters for standardised columns, shape (..., d + 1), as those for the columns as they are."""
        weights = parameters[..., :-1] / np.asarray(self.scale)
        shift = (weights * np.asarray(self.mean)).sum(axis=-1, keepdims=True)
        return np.concatenate([weights, parameters[..., -1:] - shift], axis=-1)

    def standardised(self, parameters: FloatArray) -> FloatArray:
        """Parameters for the columns as they are, shape (..., d + 1), as those for standardised columns."""
        weights = parameters[..., :-1]
        shift = (weights * np.asarray(self.mean)).sum(axis=-1, keepdims=True)
        return np.concatenate([weights * np.asarray(self.scale), parameters[..., -1:] + shift], axis=-1)
