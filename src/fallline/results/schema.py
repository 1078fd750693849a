"""What a result's file must hold: the entries of its header and its arrays, declared by name, and their check."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fallline.errors import FalllineError, listed, shortened


class Entry(NamedTuple):
    """What an entry of a header must be: in words, and as a test of the value that JSON gave."""

    words: str
    allows: Callable[[Any], bool]


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, float) or _whole(value)


def list_of(words: str, allows: Callable[[Any], bool], length: int | None = None) -> Entry:
    """A list of which every item is allowed, and the length, if one is given."""

    def allowed(value: Any) -> bool:
        return isinstance(value, list) and length in (None, len(value)) and all(map(allows, value))

    return Entry(f"a list of {words}", allowed)


TEXT = Entry("a text", lambda value: isinstance(value, str))
BOOLEAN = Entry("true or false", lambda value: isinstance(value, bool))
COUNT = Entry("a whole number at least 0", lambda value: _whole(value) and value >= 0)
NUMBER = Entry("a number", _number)
NUMBER_OR_NULL = Entry("a number or null", lambda value: value is None or _number(value))
OBJECT = Entry("an object", lambda value: isinstance(value, dict))
NUMBERS_BY_NAME = Entry(
    "an object of numbers", lambda value: OBJECT.allows(value) and all(map(_number, value.values()))
)
TEXTS = list_of("texts", TEXT.allows)
DIFFERENT = Entry(
    "a list of different texts, at least one",
    lambda value: TEXTS.allows(value) and 0 < len(value) == len(set(value)),
)


def check_header(header: Mapping[str, Any], entries: Mapping[str, Entry]) -> None:
    """Check that a header has exactly these entries, and each is what it must be.

    Raises:
        FalllineError: naming the entry that is wrong.

    >>> check_header({"seed": "0"}, {"seed": COUNT})
    Traceback (most recent call last):
    fallline.errors.FalllineError: seed is '0'; it must be a whole number at least 0
    """
    _check_names("entries", header, entries)
    for name, entry in entries.items():
        if not entry.allows(header[name]):
            raise FalllineError(name, header[name], f"it must be {entry.words}")


def check_arrays(
    arrays: Mapping[str, npt.NDArray[Any]], columns: Mapping[str, str], empty: Collection[str] = (), **sizes: int
) -> None:
    """Check the names, dtypes and shapes of arrays.

    Arguments:
        arrays: what was read.
        columns: for each array its dtype, as NumPy abbreviates it ("f8"; "*" for any number), and the name or size of
            each axis: a name stands for the same size in all arrays. "..." at the end stands for any further axes.
        empty: the names of the axes that may have the size 0.
        sizes: the sizes known beforehand, by name.

    Raises:
        FalllineError: naming the array that is wrong.

    >>> check_arrays({"x": np.zeros((4, 2)), "value": np.zeros(3)}, {"x": "f8 rows n", "value": "f8 rows"}, n=2)
    Traceback (most recent call last):
    fallline.errors.FalllineError: value is float64 of shape (3,); it must be float64 of shape (4,)
    """
    _check_names("arrays", arrays, columns)
    for name, text in columns.items():
        array, (dtype, *axes) = arrays[name], text.split()
        more = axes[-1:] == ["..."]
        axes = axes[:-1] if more else axes
        known = [int(axis) if axis.isdigit() else sizes.get(axis, axis) for axis in axes]
        right = array.dtype.kind in "biuf" if dtype == "*" else array.dtype == np.dtype(dtype)
        right = right and (array.ndim >= len(axes) if more else array.ndim == len(axes))
        right = right and all(
            size == actual if isinstance(size, int) else actual or size in empty
            for size, actual in zip(known, array.shape, strict=False)
        )
        if not right:
            wanted = "real numbers" if dtype == "*" else np.dtype(dtype).name
            shape = ", ".join(map(str, [*known, "..."] if more else known)) + (
                "," if len(axes) == 1 and not more else ""
            )
            raise FalllineError(
                name,
                problem=f"is {str(array.dtype)[:60]} of shape {array.shape}",
                allowed=f"it must be {wanted} of shape ({shape})",
            )
        sizes |= {axis: actual for axis, actual in zip(axes, array.shape, strict=False) if not axis.isdigit()}


def _check_names(what: str, found: Collection[str], wanted: Collection[str]) -> None:
    missing = [name for name in wanted if name not in found]
    if missing:
        raise FalllineError(what, problem=f"lack {listed(missing)}")
    more = [name for name in found if name not in wanted]
    if more:
        raise FalllineError(what, problem=f"hold {shortened(listed(more))}, which do not belong there")
