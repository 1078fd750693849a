"""The data of the pictures of a fitted model: its rows with its curve or its regions, in the data's own units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray, FloatArray
from fallline.errors import FalllineError
from fallline.objectives.points import interval
from fallline.pictures.paths import Interval
from fallline.pictures.words import padded
from fallline.tables import Printed

# The points of the curve, and of the regions along each side.
POINTS, RESOLUTION = 400, 200


@dataclass(frozen=True, eq=False, repr=False)
class Sampled(Printed):
    """Some rows of the data of a fit.

    Attributes:
        names: the features.
        target: what is predicted.
        classes: its classes, by the numbers that stand for them; empty for a number.
        x: the features in their own units, shape (k, d).
        y: the target, or the number of its class, shape (k,).
        held_out: which of the rows were held out, shape (k,).
        rows: of how many rows these are some.
    """

    names: tuple[str, ...]
    target: str
    classes: tuple[str, ...]
    x: FloatArray
    y: FloatArray
    held_out: BoolArray
    rows: int

    @property
    def remark(self) -> str:
        """The text about rows that are not shown; empty when all are."""
        return "" if len(self.y) == self.rows else f"{len(self.y)} of {self.rows} rows"


@dataclass(frozen=True, eq=False, repr=False)
class FittedCurve(Printed):
    """A fitted model of one feature.

    Attributes:
        title: the model, and how well it fits.
        rows: the data.
        x: the feature along the curve, shape (points,).
        answer: what the model predicts there: the number, the probability of the second of two classes or its margin,
            or the probability of each class; shape (points, curves).
        height: what that is called.
        boundary: the height at which the class changes, of two classes; None without classes, or for more.
    """

    title: tuple[str, str]
    rows: Sampled
    x: FloatArray
    answer: FloatArray
    height: str
    boundary: float | None

    @property
    def crossings(self) -> FloatArray:
        """Where the class changes, of two classes, by a line between the points of the curve."""
        if self.boundary is None:
            return np.empty(0)
        over = self.answer[:, 0] - self.boundary
        at = np.flatnonzero(np.sign(over[1:]) != np.sign(over[:-1]))
        share = over[at] / (over[at] - over[at + 1])
        return np.asarray(self.x[at] + share * (self.x[at + 1] - self.x[at]))


@dataclass(frozen=True, eq=False, repr=False)
class Regions(Printed):
    """A fitted model of classes with two features.

    Attributes:
        title: the model, and how well it fits.
        rows: the data.
        x, y: the features along the sides of a grid, shapes (columns,) and (rows,).
        lead: by how much the prediction of each class exceeds those of all others, shape (classes, rows, columns).
    """

    title: tuple[str, str]
    rows: Sampled
    x: FloatArray
    y: FloatArray
    lead: FloatArray

    @property
    def region(self) -> npt.NDArray[np.intp]:
        """The number of the class predicted at each point of the grid, shape (rows, columns)."""
        return np.asarray(self.lead.argmax(axis=0))


def fitted_data(
    rows: Sampled,
    predict: Callable[[FloatArray], FloatArray],
    *,
    title: tuple[str, str],
    height: str,
    boundary: float | None,
    bounds: Interval | None = None,
) -> FittedCurve | Regions:
    """The data of the picture of a fitted model: a curve for one feature, regions for two and classes.

    Arguments:
        rows: the data.
        predict: the model's predictions for features in their own units, shape (k, d).
        title, height, boundary: see `FittedCurve`.
        bounds: the interval of a single feature; None: that of the rows.

    Raises:
        FalllineError: when there are more features, or two without classes.
    """
    if len(rows.names) == 1:
        x = np.linspace(*(padded(rows.x.min(), rows.x.max()) if bounds is None else interval(bounds)), POINTS)
        answer = predict(x[:, None])
        return FittedCurve(title, rows, x, answer.reshape(POINTS, -1), height, boundary)
    if len(rows.names) > 2 or not rows.classes:
        features = f"are {len(rows.names)} features" if rows.classes else "are two features and no classes"
        raise FalllineError(
            "kind", "fit", "choose residuals, confusion, roc or learning", problem=f"but there {features}"
        )
    x, y = (np.linspace(*padded(side.min(), side.max()), RESOLUTION) for side in rows.x.T)
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    answer = predict(places)
    if boundary is not None:
        # The first of two classes is predicted where they are even.
        answer = np.stack([np.zeros(len(places)), answer - boundary], axis=1)
    others = [np.delete(answer, number, axis=1).max(axis=1) for number in range(answer.shape[1])]
    lead = answer - np.stack(others, axis=1)
    return Regions(title, rows, x, y, lead.T.reshape(-1, len(y), len(x)))
