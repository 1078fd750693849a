"""A loss restricted to a few directions through one point: some of its parameters, or a slice of its surface."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import BLOCK, FloatArray
from fallline.data import number_array
from fallline.errors import FalllineError, Verbatim, check_whole, nearest
from fallline.models.rows import OverRows
from fallline.objectives.base import Cost, Objective


class Slice(Objective):
    """Another objective at origin + Σ u_i d_i, as a function of the coordinates u; made by `freeze` and `slice`.

    Arguments:
        objective: a loss, or the batches of one.
        origin: the point that u = 0 stands for, shape (dimension,).
        directions: d_i, one a row, shape (k, dimension).
        names: the names of the k coordinates.
        about: their description in the title.
        reach: how far from u = 0 to draw; None when not known.
    """

    gradient_kind = "exact"

    def __init__(
        self,
        objective: Objective,
        origin: npt.ArrayLike,
        directions: npt.ArrayLike,
        names: Sequence[str],
        about: str,
        reach: float | None = None,
    ) -> None:
        self.objective = objective
        self.origin = np.asarray(origin, dtype=float)
        self.directions = np.asarray(directions, dtype=float)
        self.names = tuple(names)
        self.about = about
        self.reach = reach
        self.bounds = None if reach is None else ((-reach, reach),) * len(self.names)
        self.steps_per_epoch = objective.steps_per_epoch
        self.epoch_value = objective.epoch_value

    @property
    def stochastic(self) -> bool:  # type: ignore[override]
        return self.objective.stochastic

    @property
    def seeded(self) -> bool:
        return self.objective.seeded

    @property
    def title(self) -> str:
        return f"{self.objective.title}, {self.about}"

    def point(self, u: FloatArray) -> FloatArray:
        """The point in the space of the objective: u (..., k) to (..., dimension)."""
        point = np.broadcast_to(self.origin, (*np.shape(u)[:-1], len(self.origin)))
        for place, direction in enumerate(self.directions):
            point = point + u[..., place, None] * direction
        return point

    def coordinates(self, x: FloatArray) -> FloatArray:
        """The u whose point is nearest to x: (..., dimension) to (..., k). It projects a path onto the slice."""
        nearest: FloatArray = (x - self.origin) @ np.linalg.pinv(self.directions)
        return nearest

    def value(self, x: FloatArray) -> FloatArray:
        values = [self.objective.value(self.point(u)) for u in self._blocks(x)]
        return np.concatenate(values).reshape(x.shape[:-1])

    def gradient(self, x: FloatArray) -> FloatArray:
        gradients = [self._along(self.objective.gradient(self.point(u))) for u in self._blocks(x)]
        return np.concatenate(gradients).reshape(x.shape)

    def value_and_gradient(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        values, gradients = [], []
        for u in self._blocks(x):
            value, gradient = self.objective.value_and_gradient(self.point(u))
            values.append(value)
            gradients.append(self._along(gradient))
        return np.concatenate(values).reshape(x.shape[:-1]), np.concatenate(gradients).reshape(x.shape)

    def _blocks(self, x: FloatArray) -> Iterator[FloatArray]:
        """The points, one per row, in blocks small enough to hold all their parameters in memory."""
        rows, together = x.reshape(-1, self.dimension), max(1, BLOCK // len(self.origin))
        for start in range(0, max(1, len(rows)), together):
            yield rows[start : start + together]

    def _along(self, gradient: FloatArray) -> FloatArray:
        # By the chain rule ∂/∂u_i = d_i · ∇. One product per point, so that none depends on the others.
        along: FloatArray = np.matmul(self.directions, gradient[..., None])[..., 0]
        return along

    @property
    def cost_of_gradient(self) -> Cost:
        return self.objective.cost_of_gradient

    @property
    def cost_of_both(self) -> Cost:
        return self.objective.cost_of_both

    def at_step(self, step: int, seed: int) -> Objective:
        return self._of(self.objective.at_step(step, seed)) if self.stochastic else self

    def _of(self, objective: Objective) -> Slice:
        return Slice(objective, self.origin, self.directions, self.names, self.about, self.reach)

    def recipe(self) -> dict[str, Any] | None:
        """What is needed to rebuild it (see `loss_from_recipe`); None if its objective cannot be rebuilt."""
        objective = self.objective.recipe()
        if objective is None:
            return None
        return {
            "type": "Slice",
            "objective": objective,
            "origin": self.origin.tolist(),
            "directions": self.directions.tolist(),
            "names": list(self.names),
            "about": self.about,
            "reach": self.reach,
        }


class Sliceable(Objective):
    """An objective that can be restricted to some of its parameters, or to given directions."""

    def freeze(self, x: npt.ArrayLike, but: Sequence[str] | str) -> Slice:
        """This objective as a function of the named parameters alone, all others frozen at x.

        This shows, for example, the error surface of two weights of a network.

        Arguments:
            x: a point of all parameters, shape (dimension,); its values of the free ones do not matter.
            but: the names of the parameters that stay free.

        Raises:
            FalllineError: for an unknown parameter.

        >>> from fallline.models import Linear
        >>> loss = Linear([[1.0, 2.0]], [3.0])
        >>> loss.freeze([1.0, 0.0, 0.0], but=["w2"]).gradient(np.array([2.0]))
        array([4.])
        """
        origin = _one_place(self, x)
        if not isinstance(but, Iterable):
            raise FalllineError("but", but, "it needs the names of parameters, each once")
        free = (but,) if isinstance(but, str) else tuple(but)
        for name in free:
            if name not in self.names:
                raise FalllineError("but", name, nearest(str(name), self.names))
        if not free or len(set(free)) != len(free):
            raise FalllineError("but", but, "it needs the names of parameters, each once")
        places = [self.names.index(name) for name in free]
        # The free parameters are 0 at the origin, so that u holds their values.
        origin[places] = 0.0
        directions = np.zeros((len(free), self.dimension))
        directions[range(len(free)), places] = 1.0
        return Slice(self, origin, directions, free, f"all frozen but {', '.join(free)}")

    def slice(self, x: npt.ArrayLike, directions: npt.ArrayLike, reach: float = 1.0) -> Slice:
        """This objective along directions through x: at x + Σ u_i d_i, as a function of the coordinates u.

        Arguments:
            x: a point of all parameters, shape (dimension,).
            directions: one per row, shape (k, dimension), such as `models.random_directions(loss, x)` or those of a
                run, `models.principal_directions(trajectory.x)`.
            reach: how far to draw it to both sides of x.

        Raises:
            FalllineError: when the directions have the wrong shape or are linearly dependent.

        >>> from fallline.models import Linear
        >>> loss = Linear([[1.0, 2.0]], [3.0])
        >>> loss.slice([1.0, 1.0, 0.0], [[1.0, 1.0, 0.0]]).value(np.array([1.0]))
        array(4.5)
        """
        origin, rows = _one_place(self, x), number_array(directions, "directions")
        if rows.ndim != 2 or rows.shape[1] != self.dimension or np.linalg.matrix_rank(rows) < len(rows):
            raise FalllineError(
                "directions",
                problem=f"has the shape {rows.shape}",
                allowed=f"it needs independent directions of {self.dimension} numbers, one a row",
            )
        if not 0 < reach < np.inf:
            raise FalllineError("reach", reach, "it must be a number above 0")
        names = [f"d{number}" for number in range(1, len(rows) + 1)]
        return Slice(self, origin, rows, names, f"slice along {len(rows)} direction{'s' * (len(rows) != 1)}", reach)


def _one_place(objective: Objective, x: npt.ArrayLike) -> FloatArray:
    """A checked copy of the point x of the objective: one finite number for each coordinate."""
    origin = number_array(x, "x").copy()
    if origin.shape != (objective.dimension,):
        raise FalllineError(
            "x",
            problem=f"has the shape {origin.shape}",
            allowed=f"it needs {objective.dimension} numbers, one for each parameter",
        )
    return origin


def random_directions(loss: OverRows, x: npt.ArrayLike, count: int = 2, seed: int = 0) -> FloatArray:
    """Random directions through x for `Loss.slice`, each filter scaled to the norm of the same filter of x.

    This filter normalization shows the curvature of a network independently of the scale of its layers: Li, Xu, Taylor,
    Studer and Goldstein (2018), Visualizing the loss landscape of neural nets. As there, biases are not varied.

    Arguments:
        loss: a loss; its filters are the weights that lead into one unit.
        x: the point, shape (dimension,).
        count: the number of directions.
        seed: the seed of the random directions.

    Returns:
        The directions, one per row: shape (count, dimension).

    >>> from fallline.models import Linear
    >>> directions = random_directions(Linear([[1.0, 2.0]], [3.0]), [3.0, 4.0, 1.0])
    >>> np.linalg.norm(directions, axis=1)
    array([5., 5.])
    """
    check_whole("count", count, least=1)
    check_whole("seed", seed, least=0)
    origin = _one_place(loss, x)
    directions = np.zeros((count, loss.dimension))
    drawn = np.random.default_rng(seed).normal(size=directions.shape)
    for one_unit in loss.filters():
        filters = drawn[:, one_unit]
        length = np.linalg.norm(filters, axis=1, keepdims=True)
        directions[:, one_unit] = filters / length * np.linalg.norm(origin[one_unit])
    return directions


def principal_directions(points: npt.ArrayLike, count: int = 2) -> FloatArray:
    """The principal directions of the points of a path about the last one, for `Loss.slice` through that point.

    Arguments:
        points: the points of a path, one per row, such as `trajectory.x`: shape (rows, dimension).
        count: the number of directions.

    Returns:
        Orthonormal directions, that of the largest spread first: shape (count, dimension).

    Raises:
        FalllineError: when the points do not spread in as many directions.

    >>> principal_directions([[0.0, 0.0], [3.0, 4.0]], count=1)
    array([[0.6, 0.8]])
    """
    check_whole("count", count, least=1)
    path = number_array(points, "points")
    if path.ndim != 2 or count > min(path.shape):
        raise FalllineError(
            "points",
            problem=f"has the shape {path.shape}",
            allowed=f"it needs at least {count} points of as many coordinates",
        )
    _, spread, directions = np.linalg.svd(path - path[-1], full_matrices=False)
    # A spread within the rounding error of the largest counts as zero.
    found = int((spread > 1e-12 * spread[0]).sum())
    if found < count:
        raise FalllineError(
            "count", Verbatim(count), problem=f"but the points spread in {found} direction{'s' * (found != 1)} only"
        )
    main = directions[:count]
    # The sign of a direction is arbitrary: the largest entry is made positive.
    largest = np.take_along_axis(main, np.abs(main).argmax(axis=1)[:, None], axis=1)
    signed: FloatArray = main * np.sign(largest)
    return signed
