"""Single entries of data: which are numbers, which are missing, and what is wrong with the rest."""

from __future__ import annotations

import contextlib
import re
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.errors import FalllineError

MISSING = {"", "?", "na", "n/a", "nan", "nat", "<na>", "null", "none", "#n/a"}

# A number with a decimal comma, which may have points between its thousands.
DECIMAL_COMMA = re.compile(r"\s*[+-]?(\d*|[1-9]\d{0,2}(\.\d{3})+),\d+([eE][+-]?\d+)?\s*")

# What is added to the word for entries whose mark is not plain.
MARKED = {"?": " (marked '?')"}


class Pointed(str):
    """A cell with a decimal point in a file whose decimal mark is the comma: a text, but no number there."""

    __slots__ = ()


# The index of an entry, and what is wrong with it.
Fault = tuple[tuple[int, ...], str]


def number_array(values: npt.ArrayLike, name: str) -> FloatArray:
    """Values as a float64 array, all finite.

    Arguments:
        values: an array, or sequences; texts that spell numbers count as numbers.
        name: their name in error texts.

    Raises:
        FalllineError: naming the index of the first entry that is missing, infinite or not a number.

    >>> number_array([1, "2.5", True], "y")
    array([1. , 2.5, 1. ])
    """
    try:
        entries = np.asarray(values)
        if entries.dtype.kind in "US":
            entries = np.asarray(values, dtype=object)  # keeps [1, "2.5", True] as it is, not as three texts
    except ValueError:
        raise FalllineError(name, problem="has rows of different lengths", allowed="every row needs the same") from None
    numbers, fault = as_numbers(entries)
    if fault is not None:
        index, complaint = fault
        place = f"{name}[{', '.join(str(i) for i in index)}]" if index else name
        raise FalllineError(problem=f"{place} {complaint}", allowed="only finite numbers are allowed")
    return numbers


def as_numbers(entries: npt.NDArray[Any], *, missing: bool = False) -> tuple[FloatArray, Fault | None]:
    """The entries as float64, and the first fault: an entry that is not a finite number, and why; or None.

    Arguments:
        entries: an array of any dtype.
        missing: whether entries may be missing; those are then NaN, and not a fault.

    >>> as_numbers(np.array(["1", "", "2"], dtype=object), missing=True)
    (array([ 1., nan,  2.]), None)
    """
    numbers = None
    if entries.dtype.kind in "biufOUS":
        # If an entry is not a number, the search below finds it.
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            numbers = entries.astype(np.float64, copy=False)
    if numbers is None:
        numbers = np.full(entries.shape, np.nan)
    if entries.dtype.kind in "OUS" and any(
        "_" in entry or isinstance(entry, Pointed) for entry in entries.flat if isinstance(entry, str)
    ):
        numbers = np.full(entries.shape, np.nan)
    if np.isfinite(numbers).all():
        return numbers, None
    if missing:
        if entries.dtype.kind == "O":
            present = np.array([not is_missing(entry) for entry in entries.flat], bool).reshape(entries.shape)
        else:
            present = ~np.isnan(numbers) | (entries.dtype.kind not in "f")
        found, fault = as_numbers(entries[present])
        numbers = np.full(entries.shape, np.nan)
        numbers[present] = found
        return numbers, None if fault is None else (_places(present)[fault[0][0]], fault[1])
    faults = ((index, _fault(entry)) for index, entry in np.ndenumerate(entries))
    return numbers, next((index, fault) for index, fault in faults if fault)


def is_missing(entry: Any) -> bool:
    """Whether an entry is missing: None, NaN, or a text such as "", "NA" or "?".

    >>> [is_missing(entry) for entry in (None, float("nan"), " n/a ", "?", 0)]
    [True, True, True, True, False]
    """
    return str(entry).strip().lower() in MISSING


def is_number(entry: Any) -> bool:
    """Whether an entry is a number, or a text that spells one; "1_2" does not count, though Python parses it as 12."""
    if not isinstance(entry, str | bytes | Real | Decimal | np.bool_) or "_" in str(entry):
        return False
    try:
        float(entry)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def as_text(entry: Any) -> str:
    """The name of an entry as a category: a text without surrounding spaces, an integer without a decimal point.

    >>> as_text(" red "), as_text(2.0), as_text(0.1)
    ('red', '2', '0.1')
    """
    if isinstance(entry, float | np.floating) and float(entry).is_integer():
        return str(int(entry))
    return str(entry).strip()


def _fault(entry: Any) -> str | None:
    """What is wrong with an entry that should be a finite number."""
    text = " ".join(str(entry).split())
    if is_missing(entry):
        return "is missing" + MARKED.get(text, "")
    if isinstance(entry, Pointed):
        return f"is {text!r}, but the decimal mark is a comma"
    if not is_number(entry):
        return f"is {text if len(text) <= 40 else text[:40] + '...'!r}, which is not a number"
    return None if np.isfinite(float(entry)) else f"is {text}"


def _places(chosen: npt.NDArray[np.bool_]) -> list[tuple[int, ...]]:
    return [tuple(int(i) for i in place) for place in np.argwhere(chosen)]
