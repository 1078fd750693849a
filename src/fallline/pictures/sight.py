"""Which parts of a path a surface hides from the camera: each part is tested along its line of sight."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray, FloatArray
from fallline.pictures.grid import Grid
from fallline.tables import Printed

# A path is tested at about this many points, and each line of sight at this many.
PLACES, DEPTHS = 2000, 128
# A path lies on the surface; it counts as beneath it only below this share of the height.
TOLERANCE = 0.005


@dataclass(frozen=True, eq=False, repr=False)
class Sight(Printed):
    """A path in three dimensions, and which parts of it a surface hides.

    Attributes:
        place: the path's points and points in between, shape (parts + 1, 3); NaN outside the axes.
        hidden: whether the part from each of them to the next is behind the surface, shape (parts,).
        point_hidden: whether each of the path's own points is, shape (rows,).
        fineness: the number of parts between two of the path's own points.
    """

    place: FloatArray
    hidden: BoolArray
    point_hidden: BoolArray
    fineness: int

    def line(self, count: int, hidden: bool) -> FloatArray:
        """The parts up to the path's first `count` points that are hidden, or those that are not.

        Returns:
            The vertices of lines, separated by rows of NaN, shape (vertices, 3): the path's own points, and those
            where its visibility changes. The vertices for a smaller count are a prefix.
        """
        vertices, needed = self._unseen if hidden else self._seen
        return vertices[: np.searchsorted(needed, (count - 1) * self.fineness, side="right")]

    @cached_property
    def _unseen(self) -> tuple[FloatArray, npt.NDArray[np.intp]]:
        return self._lines(self.hidden)

    @cached_property
    def _seen(self) -> tuple[FloatArray, npt.NDArray[np.intp]]:
        return self._lines(~self.hidden)

    def _lines(self, chosen: BoolArray) -> tuple[FloatArray, npt.NDArray[np.intp]]:
        """The vertices of the chosen parts, and for each how many of all parts come before it is there."""
        before, after = np.append(False, chosen), np.append(chosen, False)
        first = after & ~before
        own = np.arange(len(before)) % self.fineness == 0
        rows = np.flatnonzero(first | (before & (own | ~after)))
        gaps, needed = np.flatnonzero(first[rows]), rows + first[rows]
        return np.insert(self.place[rows], gaps, np.nan, axis=0)[1:], np.insert(needed, gaps, needed[gaps])[1:]

    def points(self, count: int, hidden: bool) -> FloatArray:
        """The path's first `count` points, shape (count, 3): NaN where they are not hidden, or where they are."""
        chosen = self.point_hidden[:count, None] == hidden
        return np.where(chosen, self.place[:: self.fineness][:count], np.nan)


def sight_of(points: FloatArray, over: Grid, surface: FloatArray, projection: FloatArray) -> Sight:
    """Which parts of a path a surface hides.

    Arguments:
        points: the path in space, shape (rows, 3).
        over: the grid of the surface.
        surface: its heights, shape (rows, columns); NaN are holes.
        projection: the matrix of the camera, shape (4, 4), as `Axes3D.get_proj` gives it.
    """
    fineness = int(np.clip(PLACES // max(1, len(points) - 1), 1, 64))
    share = np.arange(fineness)[:, None] / fineness
    between = points[:-1, None] + share * np.diff(points, axis=0)[:, None]
    place = np.concatenate([between.reshape(-1, 3), points[-1:]])
    middles = (place[1:] + place[:-1]) / 2
    tested = behind(lifted(np.concatenate([middles, points]), over, surface), over, surface, projection)
    return Sight(place, tested[: len(middles)], tested[len(middles) :], fineness)


def lifted(points: FloatArray, over: Grid, surface: FloatArray) -> FloatArray:
    """The points of a path on a surface, shape (k, 3), none beneath it, as it may be between the grid points."""
    x, y, z = points.T
    return np.stack([x, y, np.maximum(z, _height(over, surface, x, y))], axis=1)


def behind(points: FloatArray, over: Grid, surface: FloatArray, projection: FloatArray) -> BoolArray:
    """Whether the surface hides each of the points, shape (k, 3), from the camera: shape (k,)."""
    tolerance = TOLERANCE * float(np.nanmax(surface) - np.nanmin(surface))
    height = points[:, 2] - _height(over, surface, points[:, 0], points[:, 1])
    # 1 for points above or on the surface, -1 beneath.
    side = np.where(height < -tolerance, -1.0, 1.0)
    toward = _toward_the_eye(points, projection)
    ends = [(over.x[0], over.x[-1]), (over.y[0], over.y[-1])]
    with np.errstate(divide="ignore", invalid="ignore"):
        # How far the line of sight stays within the box of the surface; outside it nothing can hide.
        reach = [
            np.where(d > 0, high - p, p - low) / np.abs(d)
            for (low, high), p, d in zip(ends, points.T, toward.T, strict=False)
        ]
        rise = (np.nanmax(surface) - points[:, 2]) / toward[:, 2]
    length = np.fmin(np.fmin(*reach), np.where(toward[:, 2] > 0, rise, np.inf))
    hidden = np.zeros(len(points), bool)
    # A few depths at once.
    for depths in np.linspace(0, 1, DEPTHS + 1)[1:].reshape(-1, 8, 1, 1):
        x, y, z = np.moveaxis(points + depths * length[:, None] * toward, -1, 0)
        # Comparisons with NaN, in a hole, are false and hide nothing.
        hidden |= (side * (z - _height(over, surface, x, y)) < -tolerance).any(axis=0)
    return hidden


def _toward_the_eye(points: FloatArray, projection: FloatArray) -> FloatArray:
    """The directions from points to the eye, which is the null vector of the projection to the screen."""
    # The axes' scales may differ by powers of ten.
    scale = 1 / np.abs(projection).max(axis=0, initial=1e-300)
    *eye, weight = np.linalg.svd(projection[[0, 1, 3]] * scale)[2][-1] * scale
    if abs(weight) > 1e-9 * scale[3]:
        return np.asarray(np.array(eye) / weight - points)
    # The eye is at infinity when lines of sight are parallel; depth decreases towards it.
    falling = -np.sign(np.dot(projection[2, :3], eye))
    return np.tile(falling * np.array(eye), (len(points), 1))


def _height(over: Grid, surface: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """The heights of the surface at (x, y), interpolated between the grid points: shape (k,)."""
    rows, columns = surface.shape
    with np.errstate(invalid="ignore"):
        # NaN becomes 0.
        across = np.fmin(np.fmax((x - over.x[0]) / (over.x[-1] - over.x[0]), 0), 1) * (columns - 1)
        along = np.fmin(np.fmax((y - over.y[0]) / (over.y[-1] - over.y[0]), 0), 1) * (rows - 1)
    i, j = np.minimum(along.astype(int), rows - 2), np.minimum(across.astype(int), columns - 2)
    u, v = across - j, along - i
    near = (1 - u) * surface[i, j] + u * surface[i, j + 1]
    far = (1 - u) * surface[i + 1, j] + u * surface[i + 1, j + 1]
    return np.asarray((1 - v) * near + v * far)
