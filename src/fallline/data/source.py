"""Sources of data: files and tables as parts that are read in blocks of rows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Protocol, Unpack

import numpy as np

from fallline.data.csv_files import CsvFile
from fallline.data.csv_format import CsvFormat, Reading
from fallline.data.parquet_files import row_groups
from fallline.data.table import Table, TableLike, table_of
from fallline.errors import FalllineError, nearest
from fallline.tables import Printed

# CSV files of up to this many bytes in all are read once and kept in memory, as is a pipe, which can be read only once.
KEPT = 2**27

# The approximate number of entries in a block of rows: little memory, but enough to outweigh the overhead of a block.
BLOCK = 2**18

ENDINGS = {".csv": "CSV", ".parquet": "Parquet", ".pq": "Parquet"}


class Part(Protocol):
    """Rows that can be read independently of those before them."""

    def blocks(self, columns: Sequence[str] | None, rows: int | None) -> Iterator[Table]:
        """Some columns of its rows (None: all), in blocks of `rows` rows (None: one block)."""


@dataclass(frozen=True, repr=False)
class InMemory(Printed):
    """A table in memory, read as a single block."""

    table: Table

    def blocks(self, columns: Sequence[str] | None, rows: int | None) -> Iterator[Table]:
        if self.table.rows:
            yield self.table if columns is None else self.table.on_columns(columns)


@dataclass(frozen=True, repr=False)
class Source(Printed):
    """Rows of named columns, which can be read repeatedly.

    Attributes:
        name: the name of the data in error texts.
        columns: the names of the columns.
        parts: the parts that hold the rows, in order.
        from_files: whether they come from files, which need not fit in memory.
        notes: what was found of how the files are written, one sentence each.
        na: the texts that mark a missing entry in CSV files, besides blanks and the like.
    """

    name: str
    columns: tuple[str, ...]
    parts: tuple[Part, ...]
    from_files: bool = False
    notes: tuple[str, ...] = ()
    na: tuple[str, ...] = ()

    def require(self, column: str, parameter: str) -> None:
        """Check that a column exists.

        Raises:
            FalllineError: naming the parameter that asked for it, and the column with the nearest name.
        """
        if column not in self.columns:
            raise FalllineError(
                parameter, column, nearest(column, self.columns), problem=f"which is not a column of {self.name}"
            )

    def named(self, given: object) -> str:
        """The name of the column that an argument stands for: its text, or where columns have no names its index."""
        name, count = str(given), len(self.columns)
        if name in self.columns or isinstance(given, bool) or not isinstance(given, Integral):
            return name
        unnamed = f"x{int(given) % count + 1}"
        return unnamed if -count <= int(given) < count and self.columns[int(given)] == unnamed else name

    def blocks(self, part: int, columns: Sequence[str]) -> Iterator[Table]:
        """Some columns of one part, in blocks that are the same every time."""
        return self.parts[part].blocks(columns, max(1, BLOCK // len(columns)))


def open_source(
    data: TableLike, parameter: str = "data", names: Sequence[str] | None = None, **reading: Unpack[Reading]
) -> Source:
    """The source that a path, a mapping of columns, a data frame, an array or a table stands for.

    A folder stands for all CSV and Parquet files in it and its subfolders, in the order of their names; names that
    begin with a dot or an underscore are skipped.

    Arguments:
        data: what to read; an array has rows of columns, and n numbers are n rows of one column.
        parameter: the name of the data in error texts, unless they have a name of their own.
        names: the names of the columns of an array; x1, x2, ... if None.
        reading: how CSV files are written, as far as that is to be told: the fields of `CsvFormat`.

    Raises:
        FalllineError: when `data` is none of these, or files differ in their columns.

    >>> open_source({"height": [1.5, 1.8]}).columns
    ('height',)
    """
    if isinstance(data, Source):
        return data
    asked = CsvFormat(**reading)
    if not isinstance(data, str | os.PathLike):
        _refuse_reading(reading, asked, parameter)
        table = table_of(data, parameter, names)
        return Source(table.source, tuple(table.columns), (InMemory(table),))
    path = Path(data)
    files = _files(path, parameter) if os.path.isdir(path) else [path]
    if all(map(_is_parquet, files)):
        _refuse_reading(reading, asked, parameter)
    keep = sum(_size(file) for file in files if not _is_parquet(file)) <= KEPT
    opened = [_opened(file, parameter, asked, keep) for file in files]
    first = opened[0]
    for file, source in zip(files, opened, strict=True):
        _check_same(source, file, first, files[0])
    return Source(
        path.name or str(path),
        first.columns,
        tuple(part for source in opened for part in source.parts),
        from_files=True,
        notes=tuple(dict.fromkeys(note for source in opened for note in source.notes)),
        na=asked.marks,
    )


def read_table(
    data: TableLike, parameter: str = "data", names: Sequence[str] | None = None, **reading: Unpack[Reading]
) -> Table:
    """Read everything that `open_source` would open into one table in memory.

    Raises:
        FalllineError: when it cannot be read, or has no rows.

    >>> read_table([[1, 2], [3, 4]]).numbers("x2")
    array([2., 4.])
    """
    source = open_source(data, parameter, names, **reading)
    tables = [table for part in source.parts for table in part.blocks(None, None)]
    if not tables:
        raise FalllineError(source.name, problem="has columns but no rows")
    if len(tables) == 1:
        return tables[0]
    return Table(source.name, {name: np.concatenate([t.columns[name] for t in tables]) for name in source.columns})


def _refuse_reading(reading: Reading, asked: CsvFormat, parameter: str) -> None:
    """Refuse what is told of how CSV files are written, where there are none."""
    for name, setting in reading.items():
        if getattr(asked, name) != getattr(CsvFormat(), name):
            raise FalllineError(name, setting, "leave it out", problem=f"but {parameter} is no CSV file")


def _files(folder: Path, parameter: str) -> list[Path]:
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in ENDINGS
        and path.is_file()
        and not any(name.startswith((".", "_")) for name in path.relative_to(folder).parts)
    )
    if not found:
        raise FalllineError(
            parameter, str(folder), f"allowed endings: {', '.join(ENDINGS)}", problem="a folder without data files"
        )
    return found


def _opened(path: Path, parameter: str, asked: CsvFormat, keep: bool) -> Source:
    if _is_parquet(path):
        columns, groups = row_groups(path, parameter)
        return Source(path.name, columns, tuple(groups))
    file = CsvFile(path, parameter, asked)
    if os.path.isfile(path) and not keep:
        columns, found = file.header()
        return Source(path.name, columns, (file,), notes=_notes(found))
    columns, found, tables = file.whole()
    return Source(path.name, columns, tuple(InMemory(table) for table in tables), notes=_notes(found))


def _notes(found: str) -> tuple[str, ...]:
    return (f"CSV read as: {found}",) if found else ()


def _is_parquet(path: Path) -> bool:
    if ENDINGS.get(path.suffix.lower()) == "Parquet":
        return True
    if not os.path.isfile(path):
        return False
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError:
        return False  # reading it says why


def _size(path: Path) -> int:
    return os.path.getsize(path) if os.path.isfile(path) else 0


def _check_same(source: Source, file: Path, first: Source, first_file: Path) -> None:
    """Refuse files of one folder that differ in their columns; their order may differ."""
    for one, one_file, other, other_file in ((first, first_file, source, file), (source, file, first, first_file)):
        for name in one.columns:
            if name not in other.columns:
                raise FalllineError(
                    other_file.name,
                    problem=f"lacks the column {name!r}, which {one_file.name} has",
                    allowed="all files of a folder need the same columns",
                )
