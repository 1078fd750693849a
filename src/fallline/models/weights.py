"""The weights of rows and of classes: checked, and made from the classes' numbers of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.data import number_array
from fallline.data.entries import as_text
from fallline.errors import FalllineError, nearest

ClassWeight: TypeAlias = Mapping[Any, float] | Sequence[float] | npt.NDArray[Any] | Literal["balanced"]


def row_weights_of(weights: npt.ArrayLike, rows: int) -> FloatArray:
    """The weights as an array of float64, shape (rows,).

    Raises:
        FalllineError: when there is not one for each row, or one is negative.
    """
    found = number_array(weights, "sample_weight")
    if found.shape != (rows,):
        raise FalllineError(
            "sample_weight",
            problem=f"has the shape {found.shape}",
            allowed=f"it needs one number for each of {rows} rows",
        )
    if (found < 0).any():
        row = int(np.argmax(found < 0))
        raise FalllineError(f"sample_weight[{row}]", float(found[row]), "a row's weight is at least 0")
    return found


def class_weights_of(given: ClassWeight, classes: Sequence[str], counts: FloatArray) -> FloatArray:
    """The weight of each class, in their order; 1 for one that a mapping leaves out.

    Arguments:
        given: a mapping of classes to weights, a weight for each class, or "balanced": inversely proportional to the
            classes' numbers of rows, so that all weigh the same and the mean over the rows is 1. King and Zeng (2001),
            Logistic regression in rare events data.
        classes: the names of the classes.
        counts: the weight of the rows of each class, for "balanced".

    Raises:
        FalllineError: when a class is unknown, or a weight is not a number at least 0.

    >>> class_weights_of("balanced", ["no", "yes"], np.array([3.0, 1.0]))
    array([0.6667, 2. ])
    >>> class_weights_of({"yes": 10}, ["no", "yes"], np.array([3.0, 1.0]))
    array([ 1., 10.])
    """
    if isinstance(given, str):
        if given != "balanced":
            raise FalllineError("class_weight", given, ("it must be 'balanced', or a weight for each class",))
        present = counts > 0
        balanced = np.ones(len(counts))
        balanced[present] = counts.sum() / (present.sum() * counts[present])
        return balanced
    if isinstance(given, Mapping):
        # Where the labels are numbers, False and True are 0 and 1.
        texts = {name: as_text(name) for name in given}
        named = {
            text if text in classes or not isinstance(name, bool | np.bool_) else str(int(name)): given[name]
            for name, text in texts.items()
        }
        for name in named:
            if name not in classes:
                raise FalllineError("class_weight", problem=f"has the class {name!r}", allowed=nearest(name, classes))
        weights = number_array([named.get(name, 1.0) for name in classes], "class_weight")
    else:
        weights = number_array(given, "class_weight")
    if weights.shape != (len(classes),) or not (weights >= 0).all() or not weights.any():
        raise FalllineError("class_weight", given, f"it needs a number at least 0 for each class: {', '.join(classes)}")
    return weights


def class_counts(classes: Iterable[tuple[npt.NDArray[np.intp], FloatArray | None]], count: int) -> FloatArray:
    """The number of rows of each class, or their weight, from the class numbers and the weights of blocks of rows."""
    counts = np.zeros(count)
    for numbers, weights in classes:
        counts += np.bincount(numbers, weights, count)
    return counts
