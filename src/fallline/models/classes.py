"""The labels of several classes: whole numbers from 0, each with a name, made from whatever marks the classes."""

from __future__ import annotations

from collections.abc import Sequence

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
    entries = np.asarray(y, dtype=object).ravel().tolist()
    present = [entry for entry in entries if not is_missing(entry)]
    if all(map(is_number, present)) or not all(isinstance(entry, str) for entry in present):
        numbers = number_array(y, "y")
        if classes is not None and all(isinstance(name, str) for name in classes) and names is not None:
            return names, numbers
        _refuse(numbers != np.floor(numbers), numbers)
        entries = numbers.ravel().tolist()
        distinct = [as_text(number) for number in np.unique(numbers).tolist()]
    else:
        distinct = sorted(set(map(as_text, present)))
    names = tuple(distinct) if names is None else names
    known = {name: label for label, name in enumerate(names)}
    for row, entry in enumerate(entries):
        if is_missing(entry):
            raise FalllineError(f"y[{row}]", problem="is missing", allowed="every row needs a class")
        if as_text(entry) not in known:
            raise FalllineError(f"y[{row}]", as_text(entry), nearest(as_text(entry), names))
    return names, np.array([known[as_text(entry)] for entry in entries], np.float64)


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
