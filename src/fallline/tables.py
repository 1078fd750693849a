"""Tables as plain text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: Collection[int] = ()) -> str:
    """Columns two spaces apart, right-aligned, numbers under numbers; those whose places are in `left`, left-aligned.

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
    """A setting in a cell: a number in few digits; anything else by its name.

    >>> from fallline.line_search import Backtracking
    >>> number_text(1e-08), number_text(True), number_text(Backtracking())
    ('1e-08', 'True', 'backtracking')
    """
    if isinstance(value, float):
        return f"{value:g}"
    return str(getattr(value, "name", value))
