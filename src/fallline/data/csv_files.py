"""CSV files, read in blocks of rows; every error says which file and line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from fallline.data.table import Table, check_names
from fallline.errors import FalllineError


@dataclass(frozen=True)
class CsvFile:
    """A CSV file with a header, in UTF-8, its columns separated by commas.

    Attributes:
        path: its path.
        parameter: the parameter that named it, for error texts.
    """

    path: Path
    parameter: str

    def header(self) -> tuple[str, ...]:
        """The names of its columns."""
        return self._header(self._rows())

    def blocks(self, columns: Sequence[str] | None, rows: int | None) -> Iterator[Table]:
        """Some columns of the file (None: all), in blocks of `rows` rows (None: one block).

        Raises:
            FalllineError: when the file cannot be read, or is not a CSV file, or a row has too many or too few cells.
        """
        lines = self._rows()
        header = self._header(lines)
        wanted = range(len(header)) if columns is None else [header.index(name) for name in columns]
        first_row = 0
        while block := list(islice(lines, rows)):
            for number, (line, cells) in enumerate(block, start=first_row + 1):
                if len(cells) != len(header):
                    raise FalllineError(
                        problem=f"{self.path.name}, row {number} (line {line}): {len(cells)} values, "
                        f"but the header names {len(header)} columns"
                    )
            by_column = list(zip(*(cells for _, cells in block), strict=True))
            yield Table(
                self.path.name,
                {header[i]: np.array(by_column[i], dtype=object) for i in wanted},
                [line for line, _ in block],
                first_row,
            )
            first_row += len(block)

    def _header(self, rows: Iterator[tuple[int, list[str]]]) -> tuple[str, ...]:
        named = self.parameter, str(self.path)
        _, cells = next(rows, (0, None))
        if cells is None:
            raise FalllineError(*named, "a header and rows are needed", problem="which is empty")
        header = [cell.strip() for cell in cells]
        if "\0" in "".join(header):
            raise FalllineError(*named, "a CSV file is needed", problem="which is not text")
        separator = next((mark for mark in ";\t|" if len(header) == 1 and mark in header[0]), None)
        if separator is not None:
            raise FalllineError(
                problem=f"{self.path.name}: the columns are separated by {separator!r}", allowed="commas are needed"
            )
        check_names(header, self.path.name)
        return tuple(header)

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows that are not blank: the line on which each begins, and its cells."""
        named = self.parameter, str(self.path)
        line = 1
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.reader(file, strict=True)
                for cells in reader:
                    if cells:  # a blank line has no cells at all
                        yield line, cells
                    line = reader.line_num + 1
        except OSError as error:
            raise FalllineError(*named, problem=f"which cannot be read: {error.strerror}") from None
        except csv.Error as error:
            raise FalllineError(problem=f"{self.path.name}, line {line}: not the CSV format: {error}") from None
        except ValueError:  # a byte that is not UTF-8, in the file or in its name
            raise FalllineError(*named, "a CSV file is needed", problem="which is not UTF-8 text") from None
