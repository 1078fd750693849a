"""Evaluating objectives for pictures, along a line or over a plane, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fallline.arrays import BoolArray, FloatArray
from fallline.errors import FalllineError, Verbatim, check_whole
from fallline.objectives.base import Objective
from fallline.objectives.points import interval as interval
from fallline.tables import Printed

# The most points, and the most numbers, that an objective is given at once.
CHUNK, MOST_NUMBERS = 8192, 2**22
# Finer than any screen or printer; the values alone take 128 MiB.
MOST_RESOLUTION = 4096


class NothingToDraw(FalllineError):
    """No value in the window of a picture is a finite number.

    Attributes:
        reason: the function and the window.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("bounds", problem=f"show no value: {reason}", allowed="give other bounds")
        self.reason = reason


@dataclass(frozen=True, eq=False, repr=False)
class Grid(Printed):
    """An objective over two of its coordinates.

    Attributes:
        names: the two coordinates.
        x: the grid points of the first, shape (columns,).
        y: the grid points of the second, shape (rows,).
        value: shape (rows, columns); NaN where the value is not finite.
        held: the other coordinates and where they are held.
    """

    names: tuple[str, str]
    x: FloatArray
    y: FloatArray
    value: FloatArray
    held: dict[str, float]

    def contains(self, x: FloatArray) -> BoolArray:
        """Which points of the two coordinates, shape (k, 2), lie in the picture: shape (k,)."""
        low, high = np.array([(line[0], line[-1]) for line in (self.x, self.y)]).T
        return np.asarray(((x >= low) & (x <= high)).all(axis=-1))


def chunks(count: int, dimension: int) -> Iterator[slice]:
    """Slices that split `count` points into parts small enough to be evaluated at once."""
    rows = max(1, min(CHUNK, MOST_NUMBERS // dimension))
    return (slice(start, start + rows) for start in range(0, count, rows))


def evaluate(objective: Objective, points: FloatArray) -> FloatArray:
    """The values at points of shape (k, n), a chunk at a time, without warnings of overflow."""
    values = np.empty(len(points))
    with np.errstate(all="ignore"):
        for chunk in chunks(*points.shape):
            values[chunk] = objective.value(points[chunk])
    return values


def slopes(objective: Objective, points: FloatArray) -> FloatArray:
    """The gradients at points of shape (k, n), a chunk at a time; the shape is kept."""
    gradients = np.empty_like(points)
    with np.errstate(all="ignore"):
        for chunk in chunks(*points.shape):
            gradients[chunk] = objective.gradient(points[chunk])
    return gradients


def placed(at: FloatArray, columns: Sequence[int], x: FloatArray) -> FloatArray:
    """Points in all n coordinates: `x`, shape (k, d), in the given columns, and `at`, shape (n,), in the rest."""
    points = np.tile(at, (len(x), 1))
    points[:, columns] = x
    return points


def sample(
    objective: Objective,
    columns: tuple[int, int],
    window: Sequence[tuple[float, float]],
    at: FloatArray,
    resolution: int,
) -> Grid:
    """Evaluate an objective over two coordinates.

    Arguments:
        columns: which coordinates.
        window: the interval of each.
        at: a point with the values of the remaining coordinates, shape (n,).
        resolution: the number of points along each, 4096 at most.

    Raises:
        NothingToDraw: when no value there is a finite number.
    """
    check_whole("resolution", resolution, least=2)
    if resolution > MOST_RESOLUTION:
        raise FalllineError(
            "resolution", Verbatim(resolution), f"it must be a whole number from 2 to {MOST_RESOLUTION}"
        )
    x, y = (np.linspace(low, high, resolution) for low, high in window)
    value = np.empty((resolution, resolution))
    rows = max(1, min(CHUNK, MOST_NUMBERS // len(at)) // resolution)
    for start in range(0, resolution, rows):
        block = np.stack(np.meshgrid(x, y[start : start + rows]), axis=-1).reshape(-1, 2)
        value[start : start + rows] = evaluate(objective, placed(at, columns, block)).reshape(-1, resolution)
    value[~np.isfinite(value)] = np.nan
    first, second = (objective.names[column] for column in columns)
    if np.isnan(value).all():
        raise NothingToDraw(
            f"{objective.title} is nowhere finite for {first} from {x[0]:g} to {x[-1]:g} and "
            f"{second} from {y[0]:g} to {y[-1]:g}"
        )
    held = {name: float(at[i]) for i, name in enumerate(objective.names) if i not in columns}
    return Grid((first, second), x, y, value, held)


def height_range(values: FloatArray) -> tuple[float, float]:
    """The lowest and highest value to show: the minimum and maximum, unless poles or steep edges dwarf the rest.

    >>> height_range(np.linspace(0, 1, 101))
    (0.0, 1.0)
    >>> height_range(np.append(np.linspace(0, 1, 101), 1e9))[1] < 1.1
    True
    """
    finite = values[np.isfinite(values)]
    low, high = (float(end) for end in np.quantile(finite, (0.02, 0.98)))
    room = 3 * (high - low)
    ends = float(finite.min()), float(finite.max())
    if room == 0:
        return ends
    return (ends[0] if ends[0] >= low - room else low), (ends[1] if ends[1] <= high + room else high)
