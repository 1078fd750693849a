"""Saving and loading results: one .npz file with a JSON header and the arrays."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from fallline import json_text
from fallline.errors import FalllineError
from fallline.files import whole_file
from fallline.results.schema import COUNT, OBJECT, check_header, list_of

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
        """The result from the contents of its file; any error means that the file is damaged.

        A FalllineError tells the user what is wrong with it.
        """
        raise NotImplementedError

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to one file (NumPy's .npz, whatever the ending of its name).

        Raises:
            FalllineError: when the file cannot be written, or a text is no Unicode; no partial file is left.
        """
        header, arrays = self.contents()
        json_text.check_unicode(header)
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
                header = json_text.read(str(archive["header"]))
                if header.pop("format") != cls.file_format:
                    raise ValueError("another format")
                arrays = {name: archive[name] for name in archive.files if name != "header"}
                # One damaged length in a zip's directory can hide every later file in it.
                if header.pop("arrays") != list(arrays):
                    raise ValueError("an array is missing")
                return cls.restored(header, arrays)
        except Exception as error:  # a file that is not ours may fail anywhere in zip, NumPy or JSON
            reason = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
            reason = f": {error}" if isinstance(error, FalllineError) else reason
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


def loaded(path: str | os.PathLike[str], kinds: Sequence[type[Archived]]) -> Any:
    """The result in a file that may be of several kinds.

    Raises:
        FalllineError: when there is no such file, or it is damaged or of another kind.
    """
    written = _format_of(path)
    for kind in kinds:
        if kind.file_format == written or not os.path.exists(path):
            return kind.load(path)
    called = [kind.file_called for kind in kinds]
    allowed = f"it is damaged, or not {', '.join(called[:-1])} or {called[-1]} saved by Fallline"
    raise FalllineError("path", str(path), allowed)


def _format_of(path: str | os.PathLike[str]) -> str:
    """The format that a file says it has; empty for a file that is not ours."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return str(json_text.read(str(archive["header"]))["format"])
    except Exception:  # it may fail anywhere in zip, NumPy or JSON
        return ""


def _comparable(header: Any) -> str:
    """The header without `seconds`, as JSON text: there tuples are lists, and NaN equals NaN."""

    def timeless(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: timeless(part) for name, part in value.items() if name != "seconds"}
        return [timeless(part) for part in value] if isinstance(value, list | tuple) else value

    return json.dumps(timeless(header), sort_keys=True)


# Results that are parts of another


def within(name: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays of a part, with the part's name before theirs."""
    return {f"{name}{SEPARATOR}{own}": array for own, array in arrays.items()}


def taken_out(name: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays of the part with this name, under their own names."""
    start = name + SEPARATOR
    return {own.removeprefix(start): array for own, array in arrays.items() if own.startswith(start)}


# The shapes of an array in each of many results; null where it has none of the name.
SHAPES = list_of("shapes", lambda shape: shape is None or (isinstance(shape, list) and all(map(COUNT.allows, shape))))
OBJECTS = list_of("objects", OBJECT.allows)


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
        FalllineError: when the stored shapes do not fit the arrays.
    """
    check_header(header, {"alike": OBJECT, "each": OBJECTS, "shapes": OBJECT})
    parts = [Contents(_together(header["alike"], each), {}) for each in header["each"]]
    check_header(header["shapes"], dict.fromkeys(arrays, SHAPES))
    for name, shapes in header["shapes"].items():
        sizes = [0 if shape is None else math.prod(shape) for shape in shapes]
        if len(shapes) != len(parts) or arrays[name].shape != (sum(sizes),):
            raise FalllineError(
                name,
                problem=f"is of shape {arrays[name].shape} for {len(shapes)} runs",
                allowed=f"it must be of shape ({sum(sizes)},) for {len(parts)}",
            )
        first = 0
        for part, shape, size in zip(parts, shapes, sizes, strict=True):
            if shape is not None:
                part.arrays[name] = arrays[name][first : first + size].reshape(shape)
            first += size
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
