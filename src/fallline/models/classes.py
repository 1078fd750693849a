"""The labels of several classes: integers from 0, each with a name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fallline.errors import FalllineError
from fallline.models.base import Loss


def check_labels(loss: Loss, classes: Sequence[str] | None) -> tuple[str, ...]:
    """The names of the classes whose labels the loss's targets are.

    Arguments:
        loss: the loss whose y holds the labels.
        classes: their names in the order of the labels; None: the labels themselves, from 0 to the largest in y.

    Raises:
        FalllineError: naming the first target that is not a label, or the names when two of them are the same.
    """
    y = loss.y
    loss.refuse_row((y < 0) | (y != np.floor(y)), "the labels of classes are the whole numbers 0, 1, 2, ...")
    if classes is None:
        if y.max() >= loss.rows:
            # A label larger than the number of rows is a mistake, and would need as many parameters.
            loss.refuse_row(
                y >= loss.rows,
                f"{loss.rows} rows cannot show as many classes; number the classes from 0, or name them all",
            )
        names = tuple(str(label) for label in range(int(y.max()) + 1))
    else:
        names = tuple(str(name) for name in classes)
        if isinstance(classes, str) or len(set(names)) != len(names):
            raise FalllineError("classes", classes, "it needs different names, one for each label")
        loss.refuse_row(y >= len(names), f"classes names only {len(names)}, the labels 0 to {len(names) - 1}")
    if len(names) < 2:
        raise FalllineError(
            "y",
            problem="holds one class only, 0",
            allowed="there must be at least two to tell apart, so name them all if others are rare",
        )
    return names
