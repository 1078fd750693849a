"""The plane of a path's principal components, which shows a run in many coordinates as one in two."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fallline.arrays import FloatArray
from fallline.objectives.base import Objective
from fallline.pictures import grid, paths, words
from fallline.pictures.paths import Labelled
from fallline.results.series import end_of, goal_of
from fallline.results.trajectory import Trajectory
from fallline.tables import Printed

# A direction along which the path extends by less than this share of its length is rounding error.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False, repr=False)
class Plane(Printed):
    """A plane in the space of all coordinates.

    Attributes:
        origin: a point in it, shape (n,): where the first run ended.
        directions: two orthonormal vectors, shape (2, n).
        variance: the share of the paths' variance along each of the two, shape (2,).
        distance: the largest distance of the paths' points from the plane.
    """

    origin: FloatArray
    directions: FloatArray
    variance: FloatArray
    distance: float

    @property
    def names(self) -> tuple[str, str]:
        """The labels of the two axes."""
        first, second = (f"PC {i + 1} ({100 * share:.3g} % of variance)" for i, share in enumerate(self.variance))
        return first, second

    @property
    def words(self) -> str:
        """The text about the variance and distance that the picture does not show."""
        off = f"; path up to {words.number(self.distance, 2)} off it" if self.distance else ""
        share = 100 * self.variance.sum()
        return f"plane of principal components (PC):\n{share:.4g} % of variance{off}"

    def on(self, x: FloatArray) -> FloatArray:
        """The orthogonal projections of points, shape (k, n), in the plane's coordinates, shape (k, 2)."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray((x - self.origin) @ self.directions.T)

    def seen(self, run: Trajectory) -> Trajectory:
        """The run projected onto the plane: a trajectory in its two coordinates."""
        with np.errstate(over="ignore", invalid="ignore"):
            gradient = run.gradient @ self.directions.T
            best = run.best._replace(x=self.on(run.best.x[None])[0], gradient=self.directions @ run.best.gradient)
            states = {name: part @ self.directions.T for name, part in run.states.items()}
        return dataclasses.replace(run, names=self.names, x=self.on(run.x), gradient=gradient, best=best, states=states)


class OnPlane(Objective):
    """An objective as a function of the two coordinates of a plane."""

    def __init__(self, objective: Objective, plane: Plane) -> None:
        self.names = plane.names
        self.symbol = objective.symbol
        self.objective, self.plane = objective, plane

    @property
    def title(self) -> str:
        return self.objective.title

    def value(self, x: np.ndarray) -> FloatArray:
        places = x.reshape(-1, 2)
        values = np.empty(len(places))
        for chunk in grid.chunks(len(places), self.objective.dimension):
            # Not a matrix product, whose last bit depends on the number of rows.
            first, second = (places[chunk, i, None] * direction for i, direction in enumerate(self.plane.directions))
            values[chunk] = self.objective.value(self.plane.origin + first + second)
        return values.reshape(x.shape[:-1])


def principal_plane(pairs: Sequence[Labelled]) -> Plane:
    """The plane through the first run's end along which the paths' points vary most (Li et al., 2018).

    Extreme outliers, such as the points of a diverging run, are left out.

    Arguments:
        pairs: the runs, all in the same coordinates.

    Raises:
        NothingToDraw: when a run has no finite point.
    """
    end = end_of(pairs[0].run)
    for label, run, _ in pairs:
        if not (np.isfinite(run.x).all(axis=1).any() and np.isfinite(end).all()):
            raise grid.NothingToDraw(f"{label or run.title} has no finite point")
    points = np.concatenate([_near(pair.run) for pair in pairs])
    # Scaled so that no square overflows.
    scaled = points / (np.abs(points).max() or 1.0)
    _, lengths, directions = np.linalg.svd(scaled - scaled.mean(axis=0), full_matrices=False)
    kept = lengths > ROUNDING * np.sqrt(len(points))
    directions = _completed(directions[kept][:2])
    # The sign is free: the largest part of each direction is positive.
    largest = directions[[0, 1], np.abs(directions).argmax(axis=1)]
    directions = directions * np.sign(largest)[:, None]
    squares = np.append(np.where(kept, lengths, 0) ** 2, [0, 0])
    variance = squares[:2] / squares.sum() if squares.sum() else np.array([1.0, 0.0])
    plane = Plane(end, directions, variance, 0.0)
    off = points - end - plane.on(points) @ directions
    with np.errstate(over="ignore"):
        distance = float(np.sqrt((off**2).sum(axis=1).max()))
    # Smaller distances are rounding error.
    rounding = ROUNDING * float(np.abs(points).max())
    return dataclasses.replace(plane, distance=distance if distance > rounding else 0.0)


def _near(run: Trajectory) -> FloatArray:
    """The run's points without outliers, thinned, shape (rows, n)."""
    x = run.x[np.isfinite(run.x).all(axis=1)]
    with np.errstate(over="ignore"):
        distance = np.sqrt(((x - x[0]) ** 2).sum(axis=1))
        goal = float(np.sqrt(((goal_of(run).x - x[0]) ** 2).sum()))
    x = x[distance <= paths.reach(distance, goal)[1]]
    return np.asarray(x[paths.thinned(len(x), paths.MOST_POINTS)])


def _completed(directions: FloatArray) -> FloatArray:
    """Two orthonormal directions: those given, completed by the coordinate axes farthest from them."""
    while len(directions) < 2:
        share = (directions**2).sum(axis=0)
        axis = np.eye(directions.shape[1])[int(share.argmin())]
        rest = axis - directions.T @ (directions @ axis)
        directions = np.vstack([directions, rest / np.sqrt(rest @ rest)])
    return directions
