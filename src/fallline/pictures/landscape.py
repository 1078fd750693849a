"""The data of a contour picture or a surface: the landscape and the paths over it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest, shortened
from fallline.objectives.base import Objective
from fallline.pictures import paths, words
from fallline.pictures.grid import Grid, height_range, interval, sample
from fallline.pictures.heights import (
    Limits,
    Scale,
    check_scale,
    fitting,
    in_logarithms,
    limited,
    logarithms,
)
from fallline.pictures.levels import Levels, levels_of
from fallline.pictures.paths import Interval, Labelled, Path, Runs
from fallline.pictures.plane import OnPlane, Plane, principal_plane
from fallline.results.series import end_of, value_symbol
from fallline.tables import Printed

# The exponent of the largest power of ten that is a number.
MOST_POWER = 308.25
# What a landscape's two axes are: two coordinates by their names, or the paths' principal components.
Coordinates: TypeAlias = "Sequence[str] | Literal['pca'] | None"


@dataclass(frozen=True, eq=False, repr=False)
class Landscape(Printed):
    """A function over two of its coordinates, and the runs on it.

    Attributes:
        title: what the function is.
        symbol: the name of its values: "f" or "loss".
        unit: the unit of the paths' times: "step" or "epoch".
        grid: the grid points, and the values there.
        paths: the runs; their values are heights on the grid's surface.
        heights: the lowest and the highest value shown.
        levels: the values of the contour lines, also where the heights are their logarithms.
        plane: the plane of the paths' principal components that the grid lies in; None: the grid lies along two of
            the coordinates.
        scale: "log" if the heights are decimal logarithms.
        minima: the known minima in the picture, shape (k, 2).
    """

    title: str
    symbol: str
    unit: str
    grid: Grid
    paths: tuple[Path, ...]
    heights: Interval
    levels: Levels
    plane: Plane | None = None
    scale: Scale = "linear"
    minima: FloatArray = field(default_factory=lambda: np.empty((0, 2)))

    @property
    def bounds_of_bands(self) -> FloatArray:
        """The heights between which a contour picture has one shade each, ascending from the lowest to the highest."""
        values = self.levels.values
        low, high = self.heights
        inner = np.log10(values) if self.scale == "log" else values
        return np.array([low, *inner[(low < inner) & (inner < high)], high])

    @property
    def surface(self) -> FloatArray:
        """The values, clipped to the heights shown, shape (rows, columns)."""
        return np.clip(self.grid.value, *self.heights)

    @property
    def held(self) -> str:
        """The text about the remaining coordinates, or about the plane; empty when there are only two coordinates."""
        if self.plane is not None:
            return self.plane.words
        values = [f"{name} = {words.number(value)}" for name, value in self.grid.held.items()]
        if len(values) > 4:
            values[3:] = [f"{len(values) - 3} more held"]
        return "at " + ", ".join(values) if values else ""

    @property
    def height_name(self) -> str:
        """The name of the heights, on an axis, with what is to be known about their scale."""
        low, high = self.heights
        every = _shown_values(self.grid, self.paths)
        beyond = [end for end, clipped in ((low, (every < low).any()), (high, (every > high).any())) if clipped]
        ends = [words.tick(10**end if self.scale == "log" else end) for end in beyond]
        said = ["log scale"] * (self.scale == "log") + [f"clipped at {' and '.join(ends)}"] * bool(ends)
        return f"{self.symbol} ({', '.join(said)})" if said else self.symbol

    @property
    def heading(self) -> tuple[str, str]:
        """The two lines of the title: the run's, or the function and the rule of several runs if no label tells it."""
        if len(self.paths) == 1:
            return self.paths[0].title
        return words.objective_words(self.title), paths.untold_rule(self.paths)


def landscape_data(
    runs: Runs | Objective | str,
    *,
    coordinates: Coordinates = None,
    bounds: Sequence[Interval] | None = None,
    zlim: Limits = None,
    zscale: Scale | Literal["auto"] = "linear",
    resolution: int = 256,
) -> Landscape:
    """The data of the pictures of a function of two coordinates.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories; or an objective alone.
        coordinates: the names of the two to show, the others held at the first run's final point; or "pca": the
            plane through that point along the paths' two principal components. None: the only two there are,
            or "pca".
        bounds: the interval of each of the two; None: chosen to show the runs.
        zlim: the lowest and the highest value shown, None at an end to choose it; values beyond are clipped.
        zscale: "linear", or "log": the heights are the decimal logarithms of the values, which must not be negative;
            "auto": where a linear scale would hide the descent, and there is no `zlim`, logarithmic or cut off.
        resolution: the number of grid points along each.

    Raises:
        FalllineError: when an argument is wrong, or the function is nowhere finite there.
    """
    check_scale(zscale)
    return landscape_of(*paths.shown(runs), coordinates, bounds, resolution, zlim, zscale)


def landscape_of(
    pairs: Sequence[Labelled],
    objective: Objective,
    coordinates: Coordinates,
    bounds: Sequence[Interval] | None,
    resolution: int,
    zlim: Limits = None,
    zscale: Scale | Literal["auto"] = "linear",
) -> Landscape:
    """The same for runs that are labelled already."""
    columns, plane = _columns(objective, coordinates), None
    title, symbol = objective.title, value_symbol(objective)
    if columns is None and not pairs:
        raise FalllineError(
            "coordinates", problem=f"are not given, and {title} has {objective.dimension}", allowed="name two of them"
        )
    if columns is None:
        plane, columns = principal_plane(pairs), (0, 1)
        pairs = [pair._replace(run=plane.seen(pair.run)) for pair in pairs]
        objective = OnPlane(objective, plane)
    window = paths.window_of(pairs, objective, columns) if bounds is None else _window(bounds)
    at = end_of(pairs[0].run) if pairs else _middle(objective)
    over = sample(objective, columns, window, at, resolution)
    on_it = tuple(paths.path_of(pair, objective, columns, window, at) for pair in pairs)
    values = over.value
    low, high = height_range(_shown_values(over, on_it))
    if zscale == "auto":
        seen = _shown_values(over, on_it)[over.value.size :]
        zscale, zlim = fitting(over.value, seen, (low, high)) if zlim is None else ("linear", zlim)
    if zscale == "log":
        zlim = in_logarithms(zlim)
        logs, *heights = logarithms([over.value, *(path.value for path in on_it)])
        over = dataclasses.replace(over, value=logs)
        on_it = tuple(dataclasses.replace(path, value=value) for path, value in zip(on_it, heights, strict=True))
        low, high = height_range(_shown_values(over, on_it))
    if low == high:
        low, high = words.padded(low, high)
    low, high = limited((low, high), zlim, "zlim")
    lowest, highest = (10 ** min(height, MOST_POWER) if zscale == "log" else height for height in (low, high))
    return Landscape(
        title=title,
        symbol=symbol,
        unit=paths.unit_of(pairs),
        grid=over,
        paths=on_it,
        heights=(low, high),
        levels=levels_of(values, lowest, highest, "log" if zscale == "log" else None),
        plane=plane,
        scale=zscale,
        minima=_minima(objective, over),
    )


def _middle(objective: Objective) -> FloatArray:
    """Where the coordinates that are not drawn are held without a run: at a known minimum, or at 0."""
    return np.array(objective.minima[0], float) if objective.minima else np.zeros(objective.dimension)


def _shown_values(over: Grid, on_it: Sequence[Path]) -> FloatArray:
    """The values at the grid points, then those of the paths, which may pass between them at lower ones than any."""
    return np.concatenate([over.value.ravel(), *(path.value[over.contains(path.x)] for path in on_it)])


def _minima(objective: Objective, over: Grid) -> FloatArray:
    """The known minima of a function of two coordinates that lie in the picture."""
    known = np.array(objective.minima, float).reshape(-1, objective.dimension)
    if objective.dimension != 2 or isinstance(objective, OnPlane):
        return np.empty((0, 2))
    return known[over.contains(known)]


def _columns(objective: Objective, coordinates: Coordinates) -> tuple[int, int] | None:
    """The indices of the two coordinates to draw; None for the plane of the principal components."""
    names = objective.names
    if len(names) == 1:
        raise FalllineError(
            problem=f"runs: {objective.title} has one coordinate, {names[0]}",
            allowed="a landscape needs two; choose kind='curve'",
        )
    if coordinates is None and len(names) == 2:
        return 0, 1
    if coordinates is None or (isinstance(coordinates, str) and coordinates == "pca"):
        return None
    chosen = tuple(coordinates) if isinstance(coordinates, Sequence) and not isinstance(coordinates, str) else ()
    for name in chosen:
        if name not in names:
            raise FalllineError("coordinates", problem=f"names {name!r}", allowed=nearest(str(name), names))
    if len(chosen) != 2 or chosen[0] == chosen[1]:
        known = shortened(", ".join(names), 200)[1:-1]
        raise FalllineError("coordinates", coordinates, f"it must be 'pca', or two different ones of {known}")
    return names.index(chosen[0]), names.index(chosen[1])


def _window(bounds: Sequence[Interval]) -> list[Interval]:
    """The user's bounds, checked."""
    try:
        first, second = bounds
    except (TypeError, ValueError):
        raise FalllineError("bounds", bounds, "it must be two intervals, one for each coordinate drawn") from None
    return [interval(first), interval(second)]
