"""Tables as plain text and HTML, and the summaries that objects print."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fallline.errors import FalllineError, shortened

if TYPE_CHECKING:
    import pandas as pd

# What a printed object shows at most: lines, rows of a table, coordinates of a point, characters of a line.
MOST_LINES, MOST_ROWS, MOST_COORDINATES, LONGEST = 30, 10, 6, 100
# The longest line of a fact: its name stands before it.
LONGEST_FACT = 80


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: Collection[int] = ()) -> str:
    """Columns separated by two spaces, right-aligned; left-aligned where their index is in `left`.

    >>> print(text_table(["step", "x"], [["0", "1.5"], ["10", "0.25"]]))
    step     x
       0   1.5
      10  0.25
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = (
        "  ".join(
            cell.ljust(width) if place in left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (header, *rows)
    )
    return "\n".join(lines)


def number_text(value: Any) -> str:
    """A setting as text for a cell: a number in few digits, anything else by its name.

    >>> from fallline.line_search import Backtracking
    >>> number_text(1e-08), number_text(True), number_text(Backtracking())
    ('1e-08', 'True', 'backtracking')
    """
    if isinstance(value, float):
        return f"{value:g}"
    return str(getattr(value, "name", value))


def one_line(text: str, length: int = LONGEST) -> str:
    """The text on one line, truncated to `length`.

    >>> one_line("u = x - 1;\\n  u**2 + y", length=16)
    'u = x - 1; u**2…'
    """
    text = " ".join(text.split())
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def place_text(names: Sequence[str], x: npt.ArrayLike) -> str:
    """A point with the names of its coordinates; of many coordinates only the first.

    >>> place_text(("x", "y"), [0.5, -2.0])
    'x = 0.5, y = -2'
    """
    numbers = np.asarray(x)[:MOST_COORDINATES].tolist()
    place = ", ".join(f"{name} = {number:.6g}" for name, number in zip(names, numbers, strict=False))
    return place if len(names) <= MOST_COORDINATES else f"{place}, … {len(names) - MOST_COORDINATES} more"


def first_lines(text: str, most: int = MOST_LINES) -> str:
    """The first lines of a text; the last of them says how many are left out.

    >>> print(first_lines("a\\nb\\nc\\nd", most=3))
    a
    b
    … 2 more lines
    """
    lines = text.splitlines()
    return text if len(lines) <= most else "\n".join([*lines[: most - 1], f"… {len(lines) - most + 1} more lines"])


def wrapped_fact(name: str, text: str) -> list[tuple[str, str]]:
    """A fact of a summary, wrapped over as many lines as its text needs."""
    import textwrap

    lines = textwrap.wrap(text, LONGEST_FACT)
    return list(zip([name, *[""] * len(lines)], lines, strict=False))


def vector_text(x: npt.ArrayLike) -> str:
    """The numbers of a vector in brackets; of many only the first.

    >>> vector_text([0.5, -2.0])
    '[0.5, -2]'
    """
    numbers = np.asarray(x).ravel()
    left_out = [f"… {len(numbers) - MOST_COORDINATES} more"] if len(numbers) > MOST_COORDINATES else []
    return f"[{', '.join([*(f'{number:.6g}' for number in numbers[:MOST_COORDINATES]), *left_out])}]"


def names_text(names: Sequence[str]) -> str:
    """Names separated by commas; of many only the first.

    >>> names_text([f"w{i}" for i in range(100)])
    'w0, w1, w2, w3, w4, w5, … 94 more'
    """
    first = ", ".join(names[:MOST_COORDINATES])
    return first if len(names) <= MOST_COORDINATES else f"{first}, … {len(names) - MOST_COORDINATES} more"


def data_frame(columns: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A pandas data frame of columns by name, or of rows.

    Raises:
        FalllineError: when pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise FalllineError(problem='to_frame needs pandas: pip install "fallline[frames]"') from None
    return pd.DataFrame(columns if isinstance(columns, Mapping) else list(columns))


@dataclass(frozen=True)
class Summary:
    """The summary of an object: as text, and as HTML for a notebook.

    Attributes:
        head: what the object is, in one line.
        facts: named facts, one line each.
        header: the column names of a table below the facts; empty for no table.
        rows: the rows of the table that are shown.
        more: the number of rows that are not shown.
    """

    head: str
    facts: Sequence[tuple[str, str]] = ()
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    more: int = 0

    @property
    def text(self) -> str:
        """A few aligned lines.

        >>> print(Summary("Run", [("steps", "12"), ("value", "0.5")], ["x", "f"], [["1", "2"]], more=97).text)
        Run
        steps  12
        value  0.5
        <BLANKLINE>
        x  f
        1  2
        … 97 more
        """
        width = max((len(name) for name, _ in self.facts), default=0)
        lines = [self.head, *(f"{name:{width}}  {one_line(fact)}" for name, fact in self.facts)]
        if self.header:
            lines += ["", text_table(self.header, self.rows), *self._left_out()]
        return "\n".join(lines)

    @property
    def html(self) -> str:
        """The same as HTML tables without colours, readable on light and dark pages."""
        from html import escape  # only notebooks need it

        parts = [f"<strong>{escape(self.head)}</strong>"]
        facts = [
            f'<tr><th style="text-align: left">{escape(name)}</th>'
            f'<td style="text-align: left">{escape(one_line(fact))}</td></tr>'
            for name, fact in self.facts
        ]
        if facts:
            parts.append(f"<table>{''.join(facts)}</table>")
        if self.header:
            lines = [("th", self.header), *(("td", row) for row in self.rows)]
            cells = "".join(
                "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>" for tag, cells in lines
            )
            parts.append(f"<table>{cells}</table>")
            parts += self._left_out()
        return f"<div>{''.join(parts)}</div>"

    def _left_out(self) -> list[str]:
        return [f"… {self.more} more"] if self.more else []


class Printed:
    """An object whose repr is its summary. Dataclasses that inherit from it need `repr=False`."""

    def __repr__(self) -> str:
        return first_lines(self._summary().text)

    def _summary(self) -> Summary:
        return summary_of(self)


@functools.singledispatch
def summary_of(thing: Any) -> Summary:
    """The summary of an object: each class registers its own; other dataclasses list their fields."""
    fields = [(field.name, getattr(thing, field.name)) for field in dataclasses.fields(thing) if field.repr]
    return Summary(type(thing).__name__, [(name, _value_text(value)) for name, value in fields])


def _value_text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array of shape {value.shape}"
    if isinstance(value, Printed):
        return type(value).__name__
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {_value_text(part)}' for name, part in value.items())}}}"
    if isinstance(value, tuple) and any(isinstance(item, Printed | np.ndarray) for item in value):
        return f"({', '.join(map(_value_text, value[:3]))}{', …' if len(value) > 3 else ''})"
    return shortened(value, LONGEST)
