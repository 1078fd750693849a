"""Plain CSV files in UTF-8, read by PyArrow, whose columns become numbers or Python texts only when asked for."""

from __future__ import annotations

import codecs
import csv
import dataclasses
import functools
import importlib.util
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.data.csv_format import CsvFormat
from fallline.data.entries import MISSING
from fallline.data.table import Table

# The bytes that are read at a time, which bounds the memory, and those looked through, which stay in the cache.
AT_ONCE, PIECE = 2**25, 2**18

# Texts of missing entries that PyArrow is told of. Of others, the column is read as texts.
NULLS = sorted({change(text) for text in MISSING for change in (str.lower, str.upper, str.title)} | {"NaN", "NaT"})


class NotPlain(Exception):
    """The next rows of a file are not those of a plain one."""


class Columns:
    """The columns of some rows, as PyArrow has read them, and the numbers and texts that were made of them.

    Arguments:
        read: the Arrow table: a column holds texts, or numbers where it seems to hold nothing else.
        again: reads all columns as texts; None where they are.
    """

    def __init__(self, read: Any, again: Callable[[], Any] | None = None) -> None:
        self._read = read
        self._again = again
        self._numbers: dict[str, FloatArray | None] = {}

    def texts(self, name: str) -> Any:
        """A column as Arrow's array of texts."""
        import pyarrow as pa

        if not pa.types.is_string(self._read[name].type):
            assert self._again is not None
            self._read = self._again()
        return self._read[name]

    def numbers(self, name: str) -> FloatArray | None:
        """A column as float64, read only, NaN where an entry is missing; None unless all others are finite numbers."""
        if name not in self._numbers:
            numbers = _numbers(self._read[name])
            if numbers is None:
                # What PyArrow takes for numbers, such as "inf", is looked at as texts.
                numbers = _numbers(self.texts(name))
            if numbers is not None:
                numbers.flags.writeable = False
            self._numbers[name] = numbers
        return self._numbers[name]


class ArrowTexts(Mapping[str, npt.NDArray[Any]]):
    """Columns in PyArrow's memory: as arrays of Python texts, or as numbers.

    Arguments:
        columns: the columns, and possibly others.
        names: which of them.
        rows: which of their rows.
    """

    def __init__(self, columns: Columns, names: Sequence[str], rows: slice) -> None:
        self._columns = columns
        self._names = names
        self._rows = rows
        self._entries: dict[str, npt.NDArray[Any]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # PyArrow would pickle a slice with all that it is a slice of.
        import pyarrow as pa

        rows = np.arange(self._rows.start, self._rows.stop)
        return _of_texts, (pa.table({name: self._columns.texts(name).take(rows) for name in self}),)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        if name not in self._entries:
            self._entries[name] = self.texts(name).to_numpy()
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def texts(self, name: str) -> Any:
        """A column as Arrow's array of texts."""
        if name not in self._names:
            raise KeyError(name)
        return self._columns.texts(name)[self._rows]

    def numbers(self, name: str) -> FloatArray | None:
        """A column as float64, NaN where an entry is missing; None unless all others are finite numbers."""
        numbers = self._columns.numbers(name) if name in self._names else None
        return None if numbers is None else numbers[self._rows]

    def on_columns(self, names: Sequence[str]) -> ArrowTexts:
        """Some of the columns."""
        return ArrowTexts(self._columns, names, self._rows)

    def on_rows(self, start: int, stop: int) -> ArrowTexts:
        """Some consecutive rows."""
        first = self._rows.start
        return ArrowTexts(self._columns, self._names, slice(first + start, first + stop))


def _of_texts(texts: Any) -> ArrowTexts:
    return ArrowTexts(Columns(texts), texts.column_names, slice(0, texts.num_rows))


@dataclass(frozen=True, repr=False)
class ArrowTable(Table):
    """A table of texts that are held by PyArrow."""

    columns: ArrowTexts

    @property
    def rows(self) -> int:
        return len(self.lines)

    def numeric(self, name: str, parameter: str) -> npt.NDArray[Any] | None:
        numbers = self.columns.numbers(name)
        return super().numeric(name, parameter) if numbers is None else numbers

    def coded(self, name: str, parameter: str) -> tuple[list[Any], npt.NDArray[np.intp]]:
        if name not in self.columns:
            return super().coded(name, parameter)
        encoded = self.columns.texts(name).dictionary_encode().combine_chunks()
        return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.intp)

    def numbers(
        self, name: str, parameter: str = "column", *, missing: bool = False, instead: tuple[object, ...] = ()
    ) -> FloatArray:
        found = self.columns.numbers(name)
        if found is not None and (missing or not np.isnan(found).any()):
            return found
        return super().numbers(name, parameter, missing=missing, instead=instead)

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
        columns, found = _columns(text, breaks, header, str(form.separator))
        line = done + (2 if form.header else 1)
        held = ArrowTexts(columns, header, slice(0, found))
        yield ArrowTable(path.name, held, range(line, line + found), done, form.decimal)
        start += len(text)
        done += found


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


def _columns(
    text: npt.NDArray[np.uint8], breaks: npt.NDArray[np.intp], header: Sequence[str], separator: str
) -> tuple[Columns, int]:
    """The columns of a text whose line breaks are at these places, and the number of its rows."""
    import pyarrow as pa

    # PyArrow would take a byte order mark away.
    if not _is_plain(text, breaks, separator) or text[: len(codecs.BOM_UTF8)].tobytes() == codecs.BOM_UTF8:
        raise NotPlain
    lines = len(breaks) + (text[-1] != ord("\n"))
    long = _longest_line(text, breaks) > csv.field_size_limit()
    as_texts = functools.partial(_read, text, header, separator)
    try:
        try:
            read = as_texts(() if long else _numeric(text, breaks, header, separator))
        except pa.ArrowInvalid:
            read = as_texts()
    except pa.ArrowInvalid:
        raise NotPlain from None
    if read.num_rows != lines or (long and any(_longest(column) > csv.field_size_limit() for column in read.columns)):
        raise NotPlain
    return Columns(read, as_texts), read.num_rows


def _read(text: npt.NDArray[np.uint8], header: Sequence[str], separator: str, numeric: Collection[str] = ()) -> Any:
    """A text as an Arrow table of texts, and of numbers in the columns that are said to be numeric."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    return arrow_csv.read_csv(
        pa.BufferReader(pa.py_buffer(text)),
        arrow_csv.ReadOptions(column_names=list(header)),
        arrow_csv.ParseOptions(delimiter=separator),
        arrow_csv.ConvertOptions(
            column_types={name: pa.float64() if name in numeric else pa.string() for name in header},
            null_values=NULLS,
        ),
    )


def _numeric(
    text: npt.NDArray[np.uint8], breaks: npt.NDArray[np.intp], header: Sequence[str], separator: str
) -> list[str]:
    """The columns whose first entries are numbers or missing."""
    end = int(np.searchsorted(breaks, PIECE))
    head = _read(text[: breaks[end - 1] + 1 if end else 0], header, separator)
    return [name for name in header if _numbers(head[name]) is not None]


def _longest_line(text: npt.NDArray[np.uint8], breaks: npt.NDArray[np.intp]) -> int:
    """The number of bytes in the longest line."""
    return int(np.diff(breaks, prepend=-1, append=len(text)).max())


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

    if pa.types.is_floating(texts.type):
        found: FloatArray = texts.to_numpy()
        return found if len(found) - np.isfinite(found).sum() == texts.null_count else None

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
