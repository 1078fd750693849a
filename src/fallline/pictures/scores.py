"""The data of the pictures of how well a model predicts: confusion matrix, ROC curves, residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray, FloatArray
from fallline.tables import Printed


@dataclass(frozen=True, eq=False, repr=False)
class Confusion(Printed):
    """How many rows of each class are classified as each.

    Attributes:
        title: the lines of the title.
        names: the classes.
        counts: the rows of a class (one a row) classified as each (one a column), shape (classes, classes).
    """

    title: tuple[str, str]
    names: tuple[str, ...]
    counts: npt.NDArray[np.int64]

    @property
    def shares(self) -> FloatArray:
        """The same as shares of the rows of each class; 0 for a class without rows."""
        total = self.counts.sum(axis=1, keepdims=True)
        return np.asarray(self.counts / np.maximum(total, 1))


@dataclass(frozen=True, eq=False, repr=False)
class Roc(Printed):
    """A receiver operating characteristic: what shares of two classes lie above each threshold of the prediction.

    Attributes:
        label: what is told from the rest.
        false_positive, true_positive: the shares of the others and of the class above each threshold, from the highest
            down, shape (k,): from 0 to 1.
        area: the area below the curve: the probability that a row of the class has the higher prediction of two.
        chosen: the point of the threshold at which the model decides; None where it does not decide by one.
    """

    label: str
    false_positive: FloatArray
    true_positive: FloatArray
    area: float
    chosen: tuple[float, float] | None


def roc_data(label: str, truth: BoolArray, score: FloatArray, boundary: float | None) -> Roc | None:
    """The curve of a class; None when all rows or none are of it.

    Arguments:
        truth: which rows are of the class, shape (k,).
        score: their predictions, shape (k,).
        boundary: the prediction above which the model chooses the class; None where it does not decide by one.

    The source is Fawcett (2006), An introduction to ROC analysis.

    >>> curve = roc_data("yes", np.array([False, True, False, True]), np.array([0.1, 0.4, 0.35, 0.8]), 0.5)
    >>> curve.area, curve.chosen
    (1.0, (0.0, 0.5))
    """
    positive, negative = int(truth.sum()), int((~truth).sum())
    if not positive or not negative:
        return None
    order = np.argsort(-score, kind="stable")
    # Rows of equal predictions pass a threshold together.
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    true = np.append(0, np.cumsum(truth[order])[last]) / positive
    false = np.append(0, np.cumsum(~truth[order])[last]) / negative
    area = float(np.sum(np.diff(false) * (true[1:] + true[:-1]) / 2))
    chosen = None
    if boundary is not None:
        above = score > boundary
        chosen = float(above[~truth].mean()), float(above[truth].mean())
    return Roc(label, false, true, area, chosen)


@dataclass(frozen=True, eq=False, repr=False)
class Residuals(Printed):
    """What a model of numbers leaves unexplained.

    Attributes:
        title: the lines of the title.
        name: the target.
        predicted: the predictions, shape (k,).
        residual: the targets minus the predictions, shape (k,).
        held_out: which of the rows were held out, shape (k,).
        remark: the text about rows that are not shown; empty when all are.
    """

    title: tuple[str, str]
    name: str
    predicted: FloatArray
    residual: FloatArray
    held_out: BoolArray
    remark: str
