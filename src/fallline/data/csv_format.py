"""How a CSV file is written: its encoding, separator, decimal mark and header, as asked for or found in its head."""

from __future__ import annotations

import codecs
import csv
import dataclasses
import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from fallline.data.entries import DECIMAL_COMMA, Pointed, is_number
from fallline.data.numerals import shows_point
from fallline.errors import FalllineError, Setting

# The separators that are looked for, and the names of those that are hard to write.
SEPARATORS = (",", ";", "\t", "|")
NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}

# Where the decimal mark is a comma, points are between thousands.
THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2}(\.\d{3})+\s*")
# One to three digits, a comma and three digits may also be a number of thousands.
MAYBE_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2},\d{3}\s*")
# A first line by which Excel is told the separator.
EXCEL = re.compile(r'"?sep=.?"?', re.IGNORECASE)


class Reading(TypedDict, total=False):
    """The fields of `CsvFormat` as keywords."""

    separator: str | None
    decimal: str | None
    encoding: str | None
    header: bool | None
    na: str | float | Sequence[str | float]


@dataclass(frozen=True)
class CsvFormat:
    """How a CSV file is written. What is None is found in the file.

    Attributes:
        separator: the character between columns, or its name, such as "tab".
        decimal: "." or ",", the decimal mark of numbers.
        encoding: the name of the encoding. If not given, UTF-8, or UTF-16 with a byte order mark.
        header: whether the first line holds the names of the columns; without it they are x1, x2, ...
        na: further entries that mark a missing one, besides blanks, "NA", "?" and the like.
    """

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    header: bool | None = None
    na: str | float | Sequence[str | float] = ()

    def __post_init__(self) -> None:
        separator = NAMES.get(str(self.separator), self.separator)
        if separator is not None and (not isinstance(separator, str) or len(separator) != 1 or separator in '"\r\n'):
            raise FalllineError("separator", separator, "it must be one character, such as ';', or 'tab'")
        if self.decimal not in (None, ".", ","):
            raise FalllineError("decimal", self.decimal, "allowed: '.', ','")
        if self.header not in (None, True, False):
            raise FalllineError("header", self.header, "allowed: True, False, None")
        try:
            " ".encode(self.encoding or "utf-8")
        except (LookupError, TypeError, ValueError):
            raise FalllineError("encoding", self.encoding, "such as 'utf-8', 'latin-1', 'cp1252', 'utf-16'") from None
        marks = (self.na,) if isinstance(self.na, str | int | float) else tuple(self.na)
        object.__setattr__(self, "separator", separator)
        object.__setattr__(self, "na", tuple(str(mark).strip() for mark in marks))

    def of(self, head: bytes) -> CsvFormat:
        """The format of a file that begins with these bytes; its decimal mark is None where they show none.

        Raises:
            FalllineError: naming the setting that is needed, where the file can be read in two ways.
        """
        marked = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        encoding = self.encoding or ("utf-16" if marked else "utf-8-sig")
        text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
        separator = _separator(text) if self.separator is None else self.separator
        _check_first_line(text, separator)
        rows = _rows(text, separator)
        header = _has_header(rows) if self.header is None else self.header
        decimal = _decimal(rows[1:] if header else rows, separator) if self.decimal is None else self.decimal
        return dataclasses.replace(self, separator=separator, decimal=decimal, encoding=encoding, header=header)

    def found(self, asked: CsvFormat) -> str:
        """What was found that is not usual and was not asked for, in words; empty if there is nothing."""
        told = []
        if asked.separator is None and self.separator != ",":
            told.append(f"columns separated by {_name(str(self.separator))}")
        if asked.decimal is None and self.decimal == ",":
            told.append("numbers with a decimal comma")
        if asked.encoding is None and self.encoding == "utf-16":
            told.append("text in UTF-16")
        return ", ".join(told)

    def entry(self, cell: str) -> str:
        """A cell with its number written with a point, and blank where it is marked as missing."""
        assert isinstance(self.na, tuple)
        if cell.strip() in self.na:
            return ""
        if self.decimal != ",":
            return cell
        if DECIMAL_COMMA.fullmatch(cell) or THOUSANDS.fullmatch(cell):
            return cell.replace(".", "").replace(",", ".")
        return Pointed(cell) if "." in cell and is_number(cell) else cell

    @property
    def marks(self) -> tuple[str, ...]:
        """`na` as the texts of the marks."""
        assert isinstance(self.na, tuple)
        return self.na

    @property
    def plain(self) -> bool:
        """Whether every entry is its cell as it stands."""
        return not self.na and self.decimal != ","


def _name(separator: str) -> str:
    return "tabs" if separator == "\t" else repr(separator)


def _rows(text: str, separator: str) -> list[list[str]]:
    """The rows of the head of a file, without the last, which may be cut off, unless it is the only one."""
    rows = [row for row in csv.reader(text.splitlines(keepends=True), delimiter=separator) if row]
    return rows[:-1] if len(rows) > 1 and not text.endswith(("\n", "\r")) else rows


def _separator(text: str) -> str:
    """The one that divides every row into the same number of columns, at least two."""
    rows = {separator: _rows(text, separator) for separator in SEPARATORS}
    fit = [one for one in SEPARATORS if len({len(row) for row in rows[one]}) == 1 and len(rows[one][0]) > 1]
    if not fit:
        _refuse_spaces(text)
    if len(fit) > 1:
        counts = " or ".join(f"by {_name(one)} ({len(rows[one][0])})" for one in fit)
        raise FalllineError(
            "the columns",
            problem=f"may be separated {counts}",
            allowed=("say which: ", Setting("separator", "tab" if fit[-1] == "\t" else fit[-1])),
        )
    # Where none fits, the error about the first wrong row is about the one that divides the header.
    return fit[0] if fit else max(SEPARATORS, key=lambda one: len(rows[one][0]) if rows[one] else 0)


def _refuse_spaces(text: str) -> None:
    """Refuse rows that spaces divide into the same number of columns, with a number in each but the header."""
    lines = ["".join(row).strip() for row in _rows(text, "\t")]
    rows = [line.split() for line in lines]
    even = len({len(row) for row in rows}) == 1 and len(rows) > 1 and len(rows[0]) > 1
    if even and all(any(map(is_number, row)) for row in rows[1:]):
        single = all(line == " ".join(line.split()) for line in lines)
        raise FalllineError(
            "the columns",
            problem=f"may be separated by spaces ({len(rows[0])})",
            allowed=("say which: ", Setting("separator", " ")) if single else "write one comma in place of the spaces",
        )


def _check_first_line(text: str, separator: str) -> None:
    """Refuse a first line that is neither a header nor data: a setting of Excel's, or a comment."""
    lines = text.lstrip().splitlines()
    if lines and EXCEL.fullmatch(lines[0]):
        raise FalllineError("the first line", lines[0], "delete it", problem="which tells Excel the separator")
    if lines and lines[0].startswith("#"):
        rows = _rows(text, separator)
        others = {len(row) for row in rows[1:] if not row[0].startswith("#")}
        if others and len(rows[0]) not in others:
            raise FalllineError("the first line", lines[0].strip(), "delete it", problem="which looks like a comment")


def _has_header(rows: list[list[str]]) -> bool:
    """Whether the first row holds names, which numbers and question marks hardly are, nor what recurs below each."""
    first = [cell.strip() for cell in (rows[0] if rows else [])]
    entries = [
        cell
        for cell in first
        if (is_number(cell) and cell[-1].isdigit()) or DECIMAL_COMMA.fullmatch(cell) or cell == "?"
    ]
    below = [{cell.strip() for cell in column} for column in zip(*rows[1:], strict=False)]
    recurs = bool(below) and len(below) == len(first) and all(map(operator.contains, below, first))
    if entries or recurs:
        held = repr(entries[0]) if entries else f"{', '.join(map(repr, first[:4]))}, which recur below"
        raise FalllineError(
            "the first line",
            problem=f"holds {held}, so it may be data and not the names of the columns",
            allowed=("say which: ", Setting("header", False), " names them x1, x2, ..., or ", Setting("header", True)),
        )
    return True


def _decimal(rows: list[list[str]], separator: str) -> str | None:
    """The decimal mark of the numbers; None if they show none."""
    cells = [cell for row in rows for cell in row]
    commas = [cell for cell in cells if DECIMAL_COMMA.fullmatch(cell)] if separator != "," else []
    if any(shows_point(cell) for cell in cells):
        return "."
    # Where both are possible, a comma is left in the text, and the error about its first use names the setting.
    return None if all(MAYBE_THOUSANDS.fullmatch(cell) for cell in commas) else ","
