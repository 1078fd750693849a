"""CSV files, read in blocks of rows; every error says which file and line."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from fallline.data.csv_format import CsvFormat
from fallline.data.plain_csv import NotPlain, plain_tables, readable
from fallline.data.table import Table, check_names
from fallline.errors import FalllineError, Setting

# The bytes in which the format of a file is looked for.
HEAD = 2**16

# Everything is found in the file.
USUAL = CsvFormat()

# The rows that are not blank: the line on which each begins, and its cells.
Lines = Iterator[tuple[int, list[str]]]


@dataclass(frozen=True)
class CsvFile:
    """A CSV file.

    Attributes:
        path: its path.
        parameter: the parameter that named it, for error texts.
        format: how it is written, as far as asked for.
    """

    path: Path
    parameter: str
    format: CsvFormat = USUAL

    def header(self) -> tuple[tuple[str, ...], str]:
        """The names of its columns, and what was found of its format (see `CsvFormat.found`)."""
        with self._reading() as (found, lines):
            return self._header(lines, found)[0], found.found(self.format)

    def blocks(self, columns: Sequence[str] | None, rows: int | None) -> Iterator[Table]:
        """Some columns of the file (None: all), in blocks of `rows` rows (None: one block).

        Raises:
            FalllineError: when the file cannot be read, or is not a CSV file, or a row has too many or too few cells.
        """
        with self._reading() as (found, lines):
            header, lines = self._header(lines, found)
            yield from self._tables(header, lines, found, columns, rows)

    def whole(self) -> tuple[tuple[str, ...], str, list[Table]]:
        """The names of the columns, what was found of the format, and the file as one block, if it has rows."""
        with self._reading() as (found, lines):
            header, lines = self._header(lines, found)
            return header, found.found(self.format), list(self._tables(header, lines, found, None, None))

    def _tables(
        self,
        header: tuple[str, ...],
        lines: Lines,
        found: CsvFormat,
        columns: Sequence[str] | None,
        rows: int | None,
    ) -> Iterator[Table]:
        first_row = 0
        if self.path.is_file() and readable(found):
            try:
                for table in plain_tables(self.path, header, found, rows):
                    some = table if columns is None else table.on_columns(columns)
                    size = rows or table.rows
                    yield from (some.on_rows(slice(first, first + size)) for first in range(0, table.rows, size))
                    first_row += table.rows
                return
            except NotPlain:
                # The csv module reads the file up to there again, and the rest.
                lines = islice(lines, first_row, None)
        wanted = range(len(header)) if columns is None else [header.index(name) for name in columns]
        while block := list(islice(lines, rows)):
            for number, (line, cells) in enumerate(block, start=first_row + 1):
                if len(cells) != len(header):
                    raise FalllineError(
                        problem=f"{self.path.name}, row {number} (line {line}): {len(cells)} values, "
                        f"but the header names {len(header)} columns"
                    )
            by_column = list(zip(*(cells for _, cells in block), strict=True))
            entries = {i: by_column[i] if found.plain else [found.entry(cell) for cell in by_column[i]] for i in wanted}
            yield Table(
                self.path.name,
                {header[i]: np.array(column, dtype=object) for i, column in entries.items()},
                [line for line, _ in block],
                first_row,
                found.decimal,
            )
            first_row += len(block)

    def _header(self, lines: Lines, found: CsvFormat) -> tuple[tuple[str, ...], Lines]:
        """The names of the columns, and the rows of data."""
        named = self.parameter, str(self.path)
        first = next(lines, None)
        if first is None:
            raise FalllineError(*named, "a header and rows are needed", problem="which is empty")
        if "\0" in "".join(first[1]):
            raise FalllineError(*named, "a CSV file is needed", problem="which is not text")
        if not found.header:
            return tuple(f"x{number}" for number in range(1, len(first[1]) + 1)), chain([first], lines)
        header = [cell.strip() for cell in first[1]]
        instead = (", or ", Setting("header", False), " if the first line is data")
        check_names(header, self.path.name, instead if self.format.header is None else ())
        return tuple(header), lines

    @contextlib.contextmanager
    def _reading(self) -> Iterator[tuple[CsvFormat, Lines]]:
        """The format of the opened file, and its rows, the first of them included."""
        named = self.parameter, str(self.path)
        line = 1

        def rows(reader: Any) -> Lines:
            nonlocal line
            for cells in reader:
                if cells:  # a blank line has no cells at all
                    yield line, cells
                line = reader.line_num + 1

        try:
            with self.path.open("rb") as file:
                if stat.S_ISCHR(os.fstat(file.fileno()).st_mode):
                    # Such as /dev/zero, which has no end.
                    raise FalllineError(*named, "a file, a folder or a pipe is needed", problem="which is a device")
                # A pipe is read once.
                binary = file if file.seekable() else io.BytesIO(file.read())
                try:
                    found = self.format.of(binary.read(HEAD))
                except FalllineError as error:
                    error.of = self.path.name
                    raise
                binary.seek(0)
                with io.TextIOWrapper(binary, encoding=found.encoding, newline="") as text:
                    yield found, rows(csv.reader(text, delimiter=str(found.separator), strict=True))
        except FalllineError:
            raise
        except OSError as error:
            raise FalllineError(*named, problem=f"which cannot be read: {error.strerror}") from None
        except csv.Error as error:
            raise FalllineError(problem=f"{self.path.name}, line {line}: not the CSV format: {error}") from None
        except ValueError:  # a byte that is no text, in the file or in its name
            advice = ("a CSV file is needed; an older one may need ", Setting("encoding", "latin-1"))
            problem = f"which is not {(self.format.encoding or 'UTF-8').upper()} text"
            raise FalllineError(*named, advice, problem=problem) from None
