"""Saving and loading results: one .npz file with a JSON header and the arrays."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from fallline.errors import FalllineError
from fallline.files import whole_file

Array = npt.NDArray[Any]

# Separates the name of a part from its arrays' names, where one result is part of another.
SEPARATOR = "/"


class Contents(NamedTuple):
    """The contents of a result's file.

    Attributes:
        header: everything but arrays, as JSON.
        arrays: arrays by name.
    """

    header: dict[str, Any]
    arrays: dict[str, Array]


class Archived:
    """A result that can be saved to a file. Two are equal when the contents of their files are, NaN included.

    The time that a run took (`seconds`) does not count.
    """

    # The first entry of the file, which distinguishes kinds and versions, and the name of the kind in error texts.
    file_format: ClassVar[str]
    file_called: ClassVar[str]

    def contents(self) -> Contents:
        """The contents of the file."""
        raise NotImplementedError

    @classmethod
    def restored(cls, header: dict[str, Any], arrays: dict[str, Array]) -> Self:
        """The result from the contents of its file; any error means that the file is damaged."""
        raise NotImplementedError

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to one file (NumPy's .npz, whatever the ending of its name).

        Raises:
            FalllineError: when the file cannot be written; no partial file is left.
        """
        header, arrays = self.contents()
        named = {"format": self.file_format, "arrays": list(arrays), **header}
        kept: dict[str, Any] = {"header": np.array(json.dumps(named)), **arrays}
        with whole_file(path) as draft, draft.open("wb") as file:
            np.savez_compressed(file, **kept)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote; the result is equal to the one saved.

        Raises:
            FalllineError: when there is no such file, or it is damaged or something else.

        >>> import fallline, tempfile
        >>> run = fallline.minimize("x**2", 3.0, fallline.GradientDescent(0.1))
        >>> path = tempfile.mkdtemp() + "/run.npz"
        >>> run.save(path)
        >>> fallline.Trajectory.load(path) == run
        True
        """
        if not isinstance(path, str | os.PathLike) or not os.path.exists(path):
            raise FalllineError("path", str(path), "there is no such file")
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
                header = json.loads(str(archive["header"]))
                if header.pop("format") != cls.file_format:
                    raise ValueError("another format")
                arrays = {name: archive[name] for name in archive.files if name != "header"}
                # One damaged length in a zip's directory can hide every later file in it.
                if header.pop("arrays") != list(arrays):
                    raise ValueError("an array is missing")
                return cls.restored(header, arrays)
        except Exception as error:  # a file that is not ours may fail anywhere in zip, NumPy or JSON
            reason = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
            raise FalllineError(
                "path", str(path), f"it is damaged, or not {cls.file_called} saved by Fallline{reason}"
            ) from error

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        (header, arrays), (other_header, other_arrays) = self.contents(), other.contents()
        return (
            _comparable(header) == _comparable(other_header)
            and arrays.keys() == other_arrays.keys()
            and all(np.array_equal(arrays[name], other_arrays[name], equal_nan=True) for name in arrays)
        )

    __hash__ = None  # type: ignore[assignment]


def _comparable(header: Any) -> str:
    """The header without `seconds`, as JSON text: there tuples are lists, and NaN equals NaN."""

    def timeless(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: timeless(part) for name, part in value.items() if name != "seconds"}
        return [timeless(part) for part in value] if isinstance(value, list | tuple) else value

    return json.dumps(timeless(header), sort_keys=True)


# Checks of what a file holds


def check_header(header: Mapping[str, Any], kinds: Mapping[str, type | tuple[type, ...]]) -> None:
    """Check that a header has exactly these entries, of these types.

    Raises:
        ValueError: naming the entry that is wrong.

    >>> check_header({"seed": "0"}, {"seed": int})
    Traceback (most recent call last):
    ValueError: seed is '0'
    """
    if header.keys() != kinds.keys():
        raise ValueError(f"the entries {sorted(header.keys() ^ kinds.keys())}")
    for name, kind in kinds.items():
        value = header[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ValueError(f"{name} is {value!r}")


def check_texts(names: Any) -> tuple[str, ...]:
    """Check a list of texts, and return it as a tuple.

    Raises:
        ValueError: when it is not a list of texts.
    """
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"names are {names!r}")
    return tuple(names)


def check_arrays(arrays: Mapping[str, Array], expected: Mapping[str, str], **sizes: int) -> None:
    """Check the names, dtypes and shapes of arrays.

    Arguments:
        arrays: what was read.
        expected: for each array its dtype, as NumPy abbreviates it ("f8"; "*" for any number), and the name or size of
            each axis: a name stands for the same size in all arrays. "..." at the end stands for any further axes.
        sizes: the sizes known beforehand, by name.

    Raises:
        ValueError: naming the array that is wrong.

    >>> check_arrays({"x": np.zeros((4, 2)), "value": np.zeros(3)}, {"x": "f8 rows n", "value": "f8 rows"}, n=2)
    Traceback (most recent call last):
    ValueError: value is float64 of shape (3,), not f8 rows
    """
    if arrays.keys() != expected.keys():
        raise ValueError(f"the arrays {sorted(arrays.keys() ^ expected.keys())}")
    for name, text in expected.items():
        array, (kind, *lengths) = arrays[name], text.split()
        right = array.dtype.kind in "biuf" if kind == "*" else array.dtype == np.dtype(kind)
        if lengths[-1:] == ["..."]:
            lengths = lengths[:-1]
            right = right and array.ndim >= len(lengths)
        else:
            right = right and array.ndim == len(lengths)
        for length, actual in zip(lengths, array.shape, strict=False):
            right = right and actual == (int(length) if length.isdigit() else sizes.setdefault(length, actual))
        if not right:
            raise ValueError(f"{name} is {array.dtype} of shape {array.shape}, not {text}")


# Results that are parts of another


def within(name: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays of a part, with the part's name before theirs."""
    return {f"{name}{SEPARATOR}{own}": array for own, array in arrays.items()}


def taken_out(name: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays of the part with this name, under their own names."""
    start = name + SEPARATOR
    return {own.removeprefix(start): array for own, array in arrays.items() if own.startswith(start)}


def joined(parts: Iterable[Contents]) -> Contents:
    """The contents of many results of one kind as one: arrays of the same name are flattened and concatenated."""
    parts = list(parts)
    alike, each = _told_apart([part.header for part in parts])
    header: dict[str, Any] = {"alike": alike, "each": each, "shapes": {}}
    arrays = {}
    for name in dict.fromkeys(name for part in parts for name in part.arrays):
        found = [part.arrays.get(name) for part in parts]
        header["shapes"][name] = [None if array is None else array.shape for array in found]
        arrays[name] = np.concatenate([array.ravel() for array in found if array is not None])
    return Contents(header, arrays)


def parted(header: dict[str, Any], arrays: Mapping[str, Array]) -> list[Contents]:
    """The contents of each of the results that `joined` combined.

    Raises:
        ValueError: when the stored shapes do not fit the arrays.
    """
    check_header(header, {"alike": dict, "each": list, "shapes": dict})
    if header["shapes"].keys() != arrays.keys():
        raise ValueError(f"the arrays {sorted(arrays)}")
    parts = [Contents(_together(header["alike"], each), {}) for each in header["each"]]
    for name, shapes in header["shapes"].items():
        first, whole = 0, arrays[name]
        for part, shape in zip(parts, shapes, strict=True):
            if shape is not None:
                last = first + int(np.prod(shape, dtype=np.int64))
                part.arrays[name] = whole[first:last].reshape(shape)
                first = last
        if first != len(whole):
            raise ValueError(f"{name} has {len(whole)} numbers, not {first}")
    return parts


def _told_apart(headers: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The entries that all headers have in common, and those of each that differ."""
    alike: dict[str, Any] = {}
    each: list[dict[str, Any]] = [{} for _ in headers]
    for name in headers[0] if headers else ():
        values = [header[name] for header in headers]
        if all(value == values[0] for value in values):
            alike[name] = values[0]
            continue
        if all(isinstance(value, Mapping) and value.keys() == values[0].keys() for value in values):
            alike[name], values = _told_apart(values)
        for own, value in zip(each, values, strict=True):
            own[name] = value
    return alike, each


def _together(alike: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The header that `_told_apart` split."""
    both = {name: _together(alike[name], own[name]) for name in alike.keys() & own.keys()}
    return {**alike, **own, **both}
