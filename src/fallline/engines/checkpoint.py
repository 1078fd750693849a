"""Checkpoints: files from which a run that was killed at any moment continues, with bit-identical results."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.engines.fingerprint import fingerprint
from fallline.engines.per_run import PerRun
from fallline.errors import FalllineError, shortened
from fallline.files import check_writable, whole_file

FORMAT = "fallline checkpoint 2"

# At most this part of the time goes into writing, and of the work so far is lost, unless writing takes long.
SMALL_PART = 1 / 50
# Seconds of work that are lost at most, unless writing takes long.
LONGEST_WAIT = 60.0


class Checkpoint:
    """A file that holds the runs of one call, rule by rule: what each has recorded, and what it needs to continue.

    An .npz file: numbers and texts as JSON, and arrays, each with a checksum. It contains no pickled objects.

    Arguments:
        path: the file. If it exists, it is read and must be a checkpoint of the same call.
        identity: everything that determines the runs, by name: a text or number for error texts, and the object.
        parts: how many rules the call runs, one after another.

    Raises:
        FalllineError: when the file cannot be written, is damaged, or is another call's; naming what differs.
    """

    def __init__(self, path: str | os.PathLike[str], identity: Mapping[str, tuple[str | int, Any]], parts: int) -> None:
        check_writable(path, "checkpoint")
        self.path = path
        self.identity = {name: [text, fingerprint(thing)] for name, (text, thing) in identity.items()}
        self.contents: list[Any] = [None] * parts
        if os.path.exists(path):
            self._read()

    def part(self, number: int) -> Part:
        """The part of the rule with this number."""
        return Part(self, number)

    def write(self) -> None:
        """Write the whole file, and replace the old one only when the new one is safely on the disk."""
        arrays: list[npt.NDArray[Any]] = []
        contents = [self._packed(part, arrays) for part in self.contents]
        kinds = [_kind(array) for array in arrays]
        told = json.dumps({"identity": self.identity, "contents": contents, "arrays": kinds})
        header = json.dumps({"format": FORMAT, "mark": fingerprint(told), "told": told})
        members = {"header": np.array(header)} | {str(number): array for number, array in enumerate(arrays)}
        with whole_file(self.path, "checkpoint") as draft, draft.open("wb") as file:
            np.savez(file, allow_pickle=False, **members)
            file.flush()
            os.fsync(file.fileno())

    def damaged(self, error: Exception) -> FalllineError:
        """What is said of a file that no run can have written."""
        reason = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
        return FalllineError(
            "checkpoint",
            os.fspath(self.path),
            f"it is damaged, or no checkpoint of Fallline{reason}: remove it, or give another path",
        )

    def _read(self) -> None:
        try:
            with open(self.path, "rb") as file, np.load(file, allow_pickle=False) as archive:
                header = json.loads(str(archive["header"]))
                if header["format"] != FORMAT or header["mark"] != fingerprint(header["told"]):
                    raise ValueError("another format, or changed since")
                told = json.loads(header["told"])
                arrays = [archive[str(number)] for number in range(len(archive.files) - 1)]
            if [_kind(array) for array in arrays] != told["arrays"]:
                raise ValueError("other arrays")
            contents = [_unpacked(part, arrays) for part in told["contents"]]
            theirs = {name: (text, mark) for name, (text, mark) in told["identity"].items()}
        except Exception as error:  # a foreign file may fail anywhere in zip, NumPy or JSON
            raise self.damaged(error) from error
        differences = []
        for name, (text, mark) in self.identity.items():
            before, mark_before = theirs.get(name, ("not known", ""))
            if mark != mark_before:
                other = f"not {_cut(text)}" if text != before else "with other data or code"
                differences.append(f"{name} is {_cut(before)}, {other}")
        if differences:
            raise FalllineError(
                "checkpoint",
                os.fspath(self.path),
                problem=f"of another run, whose {'; '.join(differences)}: remove it, or give another path",
            )
        self.contents = contents

    def _packed(self, nest: Any, arrays: list[npt.NDArray[Any]]) -> Any:
        """The nested structure as JSON can hold it; its arrays are appended to the list."""
        if nest is None or isinstance(nest, bool | int | str) or type(nest) is float:
            return nest
        if isinstance(nest, Mapping):
            return {"parts": {name: self._packed(part, arrays) for name, part in nest.items()}}
        if isinstance(nest, list | tuple):
            return [self._packed(part, arrays) for part in nest]
        if not isinstance(nest, np.ndarray | np.generic) or nest.dtype.hasobject:
            raise FalllineError(
                "checkpoint",
                os.fspath(self.path),
                "a checkpoint can only hold numbers and arrays of numbers",
                problem=f"but the run holds {shortened(nest)}, a {type(nest).__name__}",
            )
        arrays.append(np.asarray(nest))
        kind = "number" if isinstance(nest, np.generic) else "one a run" if isinstance(nest, PerRun) else "array"
        return {"array": len(arrays) - 1, "kind": kind}


@dataclass(frozen=True)
class Part:
    """What a checkpoint holds of one batch of runs."""

    checkpoint: Checkpoint
    number: int

    @property
    def contents(self) -> Any:
        """What was saved, named tuples as lists; None if nothing was saved yet."""
        return self.checkpoint.contents[self.number]

    def save(self, contents: Mapping[str, Any], seconds: float) -> float:
        """Save the state of the runs after this many seconds; return the seconds until the next save is due."""
        began = time.perf_counter()
        self.checkpoint.contents[self.number] = contents
        self.checkpoint.write()
        return max((time.perf_counter() - began) / SMALL_PART, min(LONGEST_WAIT, seconds * SMALL_PART))


def _cut(text: str | int) -> str:
    """The text on one line, without the quotes that a value would have."""
    return shortened(text).strip("'")


def _kind(array: npt.NDArray[Any]) -> list[Any]:
    """What an array is, as JSON can hold it."""
    return [array.dtype.str, list(array.shape)]


def _unpacked(nest: Any, arrays: list[npt.NDArray[Any]]) -> Any:
    if isinstance(nest, list):
        return [_unpacked(part, arrays) for part in nest]
    if not isinstance(nest, dict):
        return nest
    if "parts" in nest:
        return {name: _unpacked(part, arrays) for name, part in nest["parts"].items()}
    array = arrays[nest["array"]]
    if nest["kind"] == "number":
        return array[()]
    return array.view(PerRun) if nest["kind"] == "one a run" else array
