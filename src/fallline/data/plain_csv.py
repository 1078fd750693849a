"""Plain CSV files in UTF-8, read by PyArrow, whose columns become numbers or Python texts only when asked for."""

from __future__ import annotations

import codecs
import csv
import dataclasses
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.data.csv_format import CsvFormat
from fallline.data.entries import MISSING
from fallline.data.table import Table
from fallline.machine_code.threads import threads

# The bytes that are read at a time, which bounds the memory, and those looked through, which stay in the cache.
AT_ONCE, PIECE = 2**25, 2**18


class NotPlain(Exception):
    """The next rows of a file are not those of a plain one."""


class ArrowTexts(Mapping[str, npt.NDArray[Any]]):
    """Columns of texts in an Arrow table: as arrays of Python texts, or as numbers.

    Arguments:
        texts: the Arrow table.
        rows: which of its rows.
        known: the numbers of the columns that were asked for, or None where one holds others; all rows of the table.
    """

    def __init__(self, texts: Any, rows: slice, known: dict[str, FloatArray | None]) -> None:
        self.texts = texts
        self.rows = rows
        self._known = known
        self._entries: dict[str, npt.NDArray[Any]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # PyArrow would pickle a slice with all that it is a slice of.
        count = self.rows.stop - self.rows.start
        return ArrowTexts, (self.texts.take(np.arange(self.rows.start, self.rows.stop)), slice(0, count), {})

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        if name not in self._entries:
            self._entries[name] = self.texts[name][self.rows].to_numpy()
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts.column_names)

    def __len__(self) -> int:
        return int(self.texts.num_columns)

    def numbers(self, name: str) -> FloatArray | None:
        """A column as float64, NaN where an entry is missing; None unless all others are finite numbers."""
        if name not in self._known:
            # All at once, on all threads: who asks for one asks for the others too.
            names = [one for one in self if one not in self._known]
            with ThreadPoolExecutor(threads()) as pool:
                self._known.update(zip(names, pool.map(_numbers, map(self.texts.column, names)), strict=True))
        numbers = self._known[name]
        return None if numbers is None else numbers[self.rows]

    def on_columns(self, names: Sequence[str]) -> ArrowTexts:
        """Some of the columns."""
        return ArrowTexts(self.texts.select(list(names)), self.rows, self._known)

    def on_rows(self, start: int, stop: int) -> ArrowTexts:
        """Some consecutive rows."""
        first = self.rows.start
        return ArrowTexts(self.texts, slice(first + start, first + stop), self._known)


@dataclass(frozen=True, repr=False)
class ArrowTable(Table):
    """A table of texts that are held by PyArrow."""

    columns: ArrowTexts

    @property
    def rows(self) -> int:
        return len(self.lines)

    def numbers(
        self, name: str, parameter: str = "column", *, missing: bool = False, instead: tuple[object, ...] = ()
    ) -> FloatArray:
        found = self.columns.numbers(name) if name in self.columns.texts.column_names else None
        if found is not None and (missing or not np.isnan(found).any()):
            return found.copy()
        return super().numbers(name, parameter, missing=missing, instead=instead)

    def is_text(self, name: str, parameter: str = "column") -> bool | None:
        found = self.columns.numbers(name) if name in self.columns.texts.column_names else None
        if found is not None:
            return None if np.isnan(found).all() else False
        return super().is_text(name, parameter)

    def on_columns(self, names: Sequence[str]) -> ArrowTable:
        return dataclasses.replace(self, columns=self.columns.on_columns(names))

    def on_rows(self, rows: slice) -> ArrowTable:
        start, stop, _ = rows.indices(self.rows)
        return dataclasses.replace(
            self,
            columns=self.columns.on_rows(start, stop),
            lines=self.lines[start:stop],
            first_row=self.first_row + start,
        )


def readable(form: CsvFormat) -> bool:
    """Whether PyArrow is installed, and can read files of this format."""
    return (
        form.plain
        and str(form.separator).isascii()
        and codecs.lookup(str(form.encoding)).name in ("utf-8", "utf-8-sig")
        and importlib.util.find_spec("pyarrow") is not None
    )


def plain_tables(path: Path, header: Sequence[str], form: CsvFormat, rows: int | None) -> Iterator[ArrowTable]:
    """The rows of a CSV file of a `readable` format, whose columns have these names.

    Arguments:
        rows: each table has a multiple of as many rows, except the last; None: there is only one.

    Raises:
        NotPlain: at the first rows that are not: a line that is blank or ends in a return alone, a quoted cell with
            quotes or line breaks in it, a cell that the csv module finds too long, rows of different lengths, or bytes
            that are no text.
    """
    start = _first_row(path, header, form)
    size, count, done = path.stat().st_size, AT_ONCE, 0
    while start < size:
        text = np.fromfile(path, np.uint8, -1 if rows is None else count, offset=start)
        breaks = _places(text, "\n")
        if rows is not None and start + len(text) < size:
            if not len(breaks):
                raise NotPlain  # and no reason to read the rest into memory
            breaks = breaks[: len(breaks) // rows * rows]
            if not len(breaks):
                count *= 2
                continue
            text = text[: breaks[-1] + 1]
        texts = _texts(text, breaks, header, str(form.separator))
        line = done + (2 if form.header else 1)
        numbered, held = range(line, line + texts.num_rows), ArrowTexts(texts, slice(0, texts.num_rows), {})
        yield ArrowTable(path.name, held, numbered, done, form.decimal)
        start += len(text)
        done += texts.num_rows


def _first_row(path: Path, header: Sequence[str], form: CsvFormat) -> int:
    """The number of bytes before the first row."""
    head = np.fromfile(path, np.uint8, PIECE).tobytes()
    marked = codecs.lookup(str(form.encoding)).name == "utf-8-sig" and head.startswith(codecs.BOM_UTF8)
    start = len(codecs.BOM_UTF8) if marked else 0
    if not form.header:
        return start
    end = head.find(b"\n") + 1
    line = head[start:end].removesuffix(b"\n").removesuffix(b"\r")
    if b"\r" in line:
        raise NotPlain
    cells = next(csv.reader([line.decode("utf-8", "replace")], delimiter=str(form.separator)), [])
    if [cell.strip() for cell in cells] != list(header):
        raise NotPlain
    return end


def _texts(text: npt.NDArray[np.uint8], breaks: npt.NDArray[np.intp], header: Sequence[str], separator: str) -> Any:
    """The rows of a text whose line breaks are at these places, as an Arrow table."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    # PyArrow would take a byte order mark away.
    if not _is_plain(text, breaks, separator) or text[: len(codecs.BOM_UTF8)].tobytes() == codecs.BOM_UTF8:
        raise NotPlain
    try:
        texts = arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(text)),
            arrow_csv.ReadOptions(column_names=list(header)),
            arrow_csv.ParseOptions(delimiter=separator),
            arrow_csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string())),
        )
    except pa.ArrowInvalid:
        raise NotPlain from None
    lines = len(breaks) + (text[-1] != ord("\n"))
    if texts.num_rows != lines or any(_longest(column) > csv.field_size_limit() for column in texts.columns):
        raise NotPlain
    return texts


def _longest(texts: Any) -> int:
    """The number of bytes in the longest of some texts."""
    import pyarrow.compute as pc

    return pc.max(pc.binary_length(texts)).as_py() or 0


def _is_plain(text: npt.NDArray[np.uint8], breaks: npt.NDArray[np.intp], separator: str) -> bool:
    """Whether bytes, returns and quotes are as in a plain file."""
    quoted = False
    for start in range(0, len(text), PIECE):
        piece = text[start : start + PIECE + 1].tobytes()
        if b"\0" in piece or (b"\r" in piece and piece.count(b"\r", 0, PIECE) != piece.count(b"\r\n")):
            return False
        quoted = quoted or b'"' in piece
    return not quoted or _well_quoted(text, breaks, separator)


def _places(text: npt.NDArray[np.uint8], character: str) -> npt.NDArray[np.intp]:
    """Where a character is."""
    pieces = range(0, len(text), PIECE)
    found = [np.flatnonzero(text[start : start + PIECE] == ord(character)) + start for start in pieces]
    return np.concatenate([np.zeros(0, np.intp), *found])


def _well_quoted(text: npt.NDArray[np.uint8], breaks: npt.NDArray[np.intp], separator: str) -> bool:
    """Whether quotes are only around whole cells, with neither quotes nor line breaks inside."""
    quotes = _places(text, '"')
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    before, after = text[opening[opening > 0] - 1], text[closing[closing < len(text) - 1] + 1]
    ends = [ord(separator), ord("\n")]
    return bool(
        np.isin(before, ends).all()
        and np.isin(after, [*ends, ord("\r")]).all()
        and np.array_equal(np.searchsorted(breaks, opening), np.searchsorted(breaks, closing))
    )


def _numbers(texts: Any) -> FloatArray | None:
    """See `ArrowTexts.numbers`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def cast(texts: Any) -> FloatArray | None:
        try:
            numbers: FloatArray = texts.cast(pa.float64()).to_numpy()
        except pa.ArrowInvalid:
            return None
        return numbers

    numbers = cast(texts)
    if numbers is not None and np.isfinite(numbers).all():
        return numbers
    if pc.any(pc.match_substring_regex(texts, "[\x1c-\x1f]")).as_py():
        return None  # these are blanks around what is missing, but not around a number
    stripped = pc.utf8_trim_whitespace(texts)
    missing = pc.is_in(pc.utf8_lower(stripped), value_set=pa.array(sorted(MISSING)))
    numbers = cast(pc.if_else(missing, None, stripped))
    if numbers is None or not np.isfinite(numbers[~missing.to_numpy()]).all():
        return None
    return numbers
