"""The data of the arrow picture: gradient, momentum and step along a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, check_whole, nearest
from fallline.pictures import words
from fallline.pictures.curve import Descent, descent_data
from fallline.pictures.landscape import Coordinates, Landscape, landscape_data
from fallline.results.trajectory import Trajectory
from fallline.tables import Printed

# Parts of a rule's state that are directions; the rule steps against them.
MEMORIES = ("velocity", "m", "mean", "slow", "direction")
# The longest arrow of a kind is this share of the picture's width, except for steps that are visible at true length.
LONGEST, TRUE_STEPS = 0.15, (0.08, 2.0)


@dataclass(frozen=True, eq=False, repr=False)
class Kind(Printed):
    """One quantity of a rule as arrows.

    Attributes:
        name: "step", "gradient", or a part of the rule's state.
        vector: the arrows, shape (points, 2), horizontal on a curve, in the direction in which the quantity moves the
            run: for the gradient its negative. NaN where it was not recorded.
        stretch: the factor by which they are scaled when drawn.
    """

    name: str
    vector: FloatArray
    stretch: float

    @property
    def words(self) -> str:
        """Its name in the legend."""
        sign = "" if self.name == "step" else "−"
        return f"{sign}{self.name}" + ("" if self.stretch == 1 else f" × {words.number(self.stretch, 2)}")


@dataclass(frozen=True, eq=False, repr=False)
class Arrows(Printed):
    """The state of a rule at points of its path.

    Attributes:
        ground: the curve or the landscape, and the path.
        steps: the step at which the rule was at each point, shape (points,).
        tail: where the arrows start in the picture, shape (points, 2): two coordinates, or one and the value.
        window: the lower left and the upper right corner of the picture.
        kinds: the quantities.
    """

    ground: Landscape | Descent
    steps: npt.NDArray[np.int64]
    tail: FloatArray
    window: tuple[FloatArray, FloatArray]
    kinds: tuple[Kind, ...]


def arrows_data(
    run: Trajectory,
    *,
    shown: Sequence[str] | None = None,
    points: int = 12,
    coordinates: Coordinates = None,
    bounds: Any = None,
    resolution: int = 256,
) -> Arrows:
    """The data of the picture of a rule's state.

    Arguments:
        run: a trajectory; with `record=Record(state=True)`, `minimize` records the rule's state in it.
        shown: some of "gradient", "step" and the recorded parts of the state; None: these two and the state's
            parts that are directions.
        points: at how many points of the path, evenly spread along it.
        coordinates: which to show of more than two, as in `plot_contour`.
        bounds: the interval of each coordinate shown; None: chosen to show the run.
        resolution: the number of grid points along each of two coordinates.

    Raises:
        FalllineError: when an argument is wrong.
    """
    if not isinstance(run, Trajectory):
        raise FalllineError("run", problem=f"is a {type(run).__name__}", allowed="arrows show one trajectory")
    check_whole("points", points, least=1)
    known = ("gradient", "step", *run.states)
    if shown is None:
        shown = [name for name in known if name in known[:2] or name.rpartition(".")[2] in MEMORIES]
    for name in shown:
        if name not in known:
            kept = "" if run.states else "; record=Record(state=True) keeps the state of the rule"
            raise FalllineError("shown", problem=f"names {name!r}", allowed=f"{nearest(str(name), known)}{kept}")
    ground: Landscape | Descent
    if len(run.names) == 1:
        ground = descent_data(run, bounds=bounds)
        place = np.column_stack([run.x, run.value])
        ends = (ground.curve.x[[0, -1]], np.array(ground.heights))
        axes = np.array([[1.0], [0.0]])
    else:
        ground = landscape_data(run, coordinates=coordinates, bounds=bounds, resolution=resolution)
        if ground.plane is not None:
            run, axes = ground.plane.seen(run), np.eye(2)
        else:
            axes = np.eye(len(run.names))[[run.names.index(name) for name in ground.grid.names]]
        place = run.x @ axes.T
        ends = (ground.grid.x[[0, -1]], ground.grid.y[[0, -1]])
    low, high = np.array(ends).T
    with np.errstate(over="ignore", invalid="ignore"):
        rows = _spread((place - low) / (high - low), points)
        quantities = {
            "gradient": -run.gradient,
            "step": _steps(run),
            **{name: -run.states[name] for name in run.states},
        }
        vectors = {name: quantities[name][rows] @ axes.T for name in shown}
        kinds = [Kind(name, vector, _stretch(name, vector / (high - low))) for name, vector in vectors.items()]
    return Arrows(ground, run.steps[rows], place[rows], (low, high), tuple(kinds))


def _spread(place: FloatArray, points: int) -> npt.NDArray[np.intp]:
    """Rows at even distances along a path, inside the unit square of the picture; not the last, which has no step."""
    with np.errstate(invalid="ignore"):
        inside = np.flatnonzero(((place >= 0) & (place <= 1)).all(axis=1))
    rows = inside[inside < max(1, len(place) - 1)]
    if not rows.size:
        raise FalllineError(problem="bounds: the run makes no step inside the picture", allowed="give other bounds")
    along = np.append(0.0, np.cumsum(np.sqrt((np.diff(place[rows], axis=0) ** 2).sum(axis=1))))
    nearest_rows = np.searchsorted(along, np.linspace(0, along[-1], min(points, len(rows))))
    return np.unique(rows[np.minimum(nearest_rows, len(rows) - 1)])


def _steps(run: Trajectory) -> FloatArray:
    """The step that leaves each row, shape (rows, n); NaN where none was recorded."""
    steps = np.full_like(run.x, np.nan)
    steps[:-1] = np.where((np.diff(run.steps) == 1)[:, None], np.diff(run.x, axis=0), np.nan)
    return steps


def _stretch(name: str, share: FloatArray) -> float:
    """The scale factor for arrows of these lengths, which are shares of the picture's sides."""
    length = longest(share)
    if length == 0 or (name == "step" and TRUE_STEPS[0] <= length <= TRUE_STEPS[1]):
        return 1.0
    return float(f"{LONGEST / length:.1e}")


def longest(share: FloatArray) -> float:
    """The length of the longest arrow, NaN ignored."""
    with np.errstate(over="ignore"):
        lengths = np.sqrt((share**2).sum(axis=1))
    return float(lengths[np.isfinite(lengths)].max(initial=0))
