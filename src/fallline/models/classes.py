"""The labels of several classes: whole numbers from 0, each with a name, made from whatever marks the classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.data import number_array
from fallline.data.entries import as_text, is_missing, is_number
from fallline.errors import FalllineError, nearest
from fallline.models.base import Loss, WrongTarget


def labels_of(y: npt.ArrayLike, classes: Sequence[object] | None) -> tuple[tuple[str, ...], FloatArray]:
    """The names of the classes in y, and y as their labels 0, 1, 2, ...

    Arguments:
        y: the class of each row: a whole number, or a text.
        classes: the classes in the order of the labels. If these are names and y holds numbers, these are labels
            already. None: all that are in y, sorted.

    Raises:
        FalllineError: naming the first target that is no class, or the names when two of them are the same.

    >>> labels_of([1, 3, 3], None)
    (('1', '3'), array([0., 1., 1.]))
    """
    names = None if classes is None else tuple(as_text(name) for name in classes)
    if names is not None and (isinstance(classes, str) or len(set(names)) != len(names)):
        raise FalllineError("classes", classes, "it needs different names, one for each label")
    entries: npt.NDArray[Any]
    if _are_texts(y):
        entries = np.array([as_text(entry) for entry in np.asarray(y, dtype=object).tolist()])
    else:
        entries = number_array(y, "y")
        are_labels = classes is not None and all(isinstance(name, str) for name in classes)
        if are_labels or (entries.ndim != 1 and entries.shape[1:] != (1,)):
            return names or (), entries
        _refuse(entries != np.floor(entries), entries)
    distinct, places = np.unique(entries.ravel(), return_inverse=True)
    found = tuple(as_text(entry) for entry in distinct.tolist())
    if names is None:
        return found, places.astype(np.float64)
    known = {name: float(label) for label, name in enumerate(names)}
    labels = np.array([known.get(name, np.nan) for name in found])[places]
    if np.isnan(labels).any():
        row = int(np.argmax(np.isnan(labels)))
        raise FalllineError(f"y[{row}]", found[places[row]], nearest(found[places[row]], names))
    return names, labels


def _are_texts(y: npt.ArrayLike) -> bool:
    """Whether y holds texts, not all of which are numbers; a missing one is refused."""
    if isinstance(y, np.ndarray) and y.dtype.kind in "biuf":
        return False
    entries = np.asarray(y, dtype=object)
    if entries.ndim != 1 or not all(isinstance(entry, str) or is_missing(entry) for entry in entries.tolist()):
        return False
    present = [entry for entry in entries.tolist() if not is_missing(entry)]
    if all(map(is_number, present)):
        return False
    if len(present) < len(entries):
        row = next(row for row, entry in enumerate(entries.tolist()) if is_missing(entry))
        raise FalllineError(f"y[{row}]", problem="is missing", allowed="every row needs a class")
    return True


def _refuse(wrong: npt.NDArray[np.bool_], y: FloatArray) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise WrongTarget(row, float(y.flat[row]), "the labels of classes are the whole numbers 0, 1, 2, ...")


def check_labels(loss: Loss, classes: Sequence[str]) -> None:
    """Raise a FalllineError that names the first target of a loss that is not a label of one of its classes."""
    y = loss.y
    _refuse((y < 0) | (y != np.floor(y)), y)
    loss.refuse_row(y >= len(classes), f"classes names only {len(classes)}, the labels 0 to {len(classes) - 1}")
    if len(classes) < 2:
        raise FalllineError(
            "y",
            problem=f"holds one class only, {classes[0]}",
            allowed="there must be at least two to tell apart, so name them all if others are rare",
        )
