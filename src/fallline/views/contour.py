"""Functions of two coordinates seen from above, or as lines in space, with the runs' paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest, shortened
from fallline.objectives.base import Objective
from fallline.views import appearance, paths
from fallline.views.appearance import Corner, Style, figure_of, set_title
from fallline.views.grid import Grid, height_range, interval, sample
from fallline.views.paths import Interval, Labelled, Path, Runs
from fallline.views.plane import OnPlane, Plane, principal_plane

LEVELS = 21
# A path among several has so many markers at most, and none nearer to each other than this share of the diagonal.
MARKERS, LEAST_SPACING = 24, 0.12
# How much of the picture's width and height words in a corner may take.
NOTE_SHARE = (0.55, 0.2)
# What a landscape's two axes are: two coordinates by their names, or the paths' principal components.
Coordinates: TypeAlias = "Sequence[str] | Literal['pca'] | None"


@dataclass(frozen=True, eq=False)
class Landscape:
    """A function over two of its coordinates, and the runs on it.

    Attributes:
        title: what the function is.
        symbol: what its values are called: "f" or "loss".
        unit: what the paths' times count: "step" or "epoch".
        grid: where it was taken, and its values.
        paths: the runs; their values are heights on the grid's surface.
        heights: the lowest and the highest value shown.
        bend: the power by which contour levels crowd at the bottom, 1 for even ones: half of the picture then
            lies below the middle level, so that a flat valley shows its shape as steep walls do.
        plane: the plane of the paths' principal components that the grid lies on; None: it lies along two of
            the coordinates.
    """

    title: str
    symbol: str
    unit: str
    grid: Grid
    paths: tuple[Path, ...]
    heights: Interval
    bend: float
    plane: Plane | None = None

    @property
    def levels(self) -> FloatArray:
        """The values of the contour lines, rising, shape (levels,)."""
        low, high = self.heights
        return low + (high - low) * np.linspace(0, 1, LEVELS) ** self.bend

    @property
    def norm(self) -> PowerNorm:
        """The values' way to colours: each band between two levels is one shade darker."""
        return PowerNorm(1 / self.bend, *self.heights)

    @property
    def surface(self) -> FloatArray:
        """The values, cut off where they leave the heights shown, shape (rows, columns)."""
        return np.clip(self.grid.value, *self.heights)

    @property
    def held(self) -> str:
        """What of the other coordinates: which are held, and where, or what a plane holds; empty with two."""
        if self.plane is not None:
            return self.plane.words
        values = [f"{name} = {appearance.number(value)}" for name, value in self.grid.held.items()]
        if len(values) > 4:
            values[3:] = [f"{len(values) - 3} more held"]
        return "at " + ", ".join(values) if values else ""

    @property
    def heading(self) -> tuple[str, str]:
        """The two lines of the title: of the run, or of the function that several runs share."""
        return self.paths[0].title if len(self.paths) == 1 else (self.title, "")


def landscape_data(
    runs: Runs,
    *,
    coordinates: Coordinates = None,
    bounds: Sequence[Interval] | None = None,
    resolution: int = 256,
) -> Landscape:
    """What the pictures of a function of two coordinates show.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories.
        coordinates: the names of the two to show, the others held at the first run's final point; or "pca": the
            plane through that point along the paths' two principal components. None: the only two there are,
            or "pca".
        bounds: the interval of each of the two; None: what shows the runs.
        resolution: the number of grid points along each.

    Raises:
        FalllineError: when an argument is wrong, or the function is nowhere finite there.
    """
    pairs = paths.labelled(runs)
    return landscape_of(pairs, paths.objective_of(pairs), coordinates, bounds, resolution)


def landscape_of(
    pairs: Sequence[Labelled],
    objective: Objective,
    coordinates: Coordinates,
    bounds: Sequence[Interval] | None,
    resolution: int,
) -> Landscape:
    """The same for runs that are labelled already."""
    columns, plane = _columns(objective, coordinates), None
    title, symbol = objective.title, paths.value_symbol(objective)
    if columns is None:
        plane, columns = principal_plane(pairs), (0, 1)
        pairs = [Labelled(label, plane.seen(run)) for label, run in pairs]
        objective = OnPlane(objective, plane)
    window = paths.window_of(pairs, objective, columns) if bounds is None else _window(bounds)
    at = paths.end_of(pairs[0].run)
    over = sample(objective, columns, window, at, resolution)
    on_it = tuple(paths.path_of(pair, objective, columns, window, at) for pair in pairs)
    # A path may lead between the grid's points, lower than any of them.
    seen = [path.value[over.contains(path.x)] for path in on_it]
    low, high = height_range(np.concatenate([over.value.ravel(), *seen]))
    if low == high:
        low, high = appearance.padded(low, high)
    middle = float(np.clip((np.nanmedian(over.value) - low) / (high - low), 1 / 16, 1 / 2))
    return Landscape(
        title=title,
        symbol=symbol,
        unit=paths.unit_of(pairs),
        grid=over,
        paths=on_it,
        heights=(low, high),
        bend=float(np.log(middle) / np.log(1 / 2)),
        plane=plane,
    )


def plot_contour(
    runs: Runs,
    *,
    coordinates: Coordinates = None,
    bounds: Sequence[Interval] | None = None,
    resolution: int = 256,
    style: Style = "light",
    ax: Axes | None = None,
) -> Figure:
    """Draw runs on the filled contours of their objective.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories.
        coordinates: the names of the two to show, the others held at the first run's final point; or "pca": the
            plane through that point along the paths' two principal components. None: the only two there are,
            or "pca".
        bounds: the interval of each of the two; None: what shows the runs.
        resolution: the number of grid points along each.
        style: "light" or "dark".
        ax: the axes to draw on; None: a new figure.

    Returns:
        The figure.

    Raises:
        FalllineError: when an argument is wrong, or the function is nowhere finite there.

    >>> import fallline
    >>> def bowl(x, y): return x**2 + 3 * y**2
    >>> run = fallline.minimize(bowl, (2, 1), fallline.Momentum(0.05), max_steps=20)
    >>> plot_contour(run, resolution=32).axes[0].get_ylabel()
    'y'
    """
    data = landscape_data(runs, coordinates=coordinates, bounds=bounds, resolution=resolution)
    figure, ax = figure_of(ax, style, keys=len(data.paths))
    draw_still(ax, data)
    draw_paths(ax, data)
    set_title(ax, *data.heading)
    return figure


def plot_contour_3d(
    runs: Runs,
    *,
    coordinates: Coordinates = None,
    bounds: Sequence[Interval] | None = None,
    resolution: int = 256,
    style: Style = "light",
    ax: Axes | None = None,
) -> Figure:
    """Draw runs among the contour lines of their objective, each line at its height in space.

    The arguments, the result and the errors are those of `plot_contour`; `ax` is three-dimensional.

    >>> import fallline
    >>> def bowl(x, y): return x**2 + 3 * y**2
    >>> run = fallline.minimize(bowl, (2, 1), fallline.Momentum(0.05), max_steps=20)
    >>> plot_contour_3d(run, resolution=32).axes[0].get_zlabel()
    'f'
    """
    data = landscape_data(runs, coordinates=coordinates, bounds=bounds, resolution=resolution)
    figure, ax = figure_of(ax, style, solid=True, keys=len(data.paths))
    draw_still_3d(ax, data)
    draw_paths_3d(ax, data)
    set_title(ax, *data.heading)
    return figure


def draw_still(ax: Axes, data: Landscape) -> None:
    """What of the picture stays: the contours, their scale, the names and the legend."""
    over = data.grid
    low, high = data.heights
    beyond = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}
    extend = beyond[bool(np.nanmin(over.value) < low), bool(np.nanmax(over.value) > high)]
    look: dict[str, Any] = {"cmap": appearance.theme_of(ax).landscape, "norm": data.norm, "extend": extend}
    bands = ax.contourf(over.x, over.y, over.value, data.levels, **look)
    ax.contour(over.x, over.y, over.value, data.levels, colors=appearance.theme_of(ax).edge, linewidths=0.3, alpha=0.6)
    ax.set_xlim(over.x[0], over.x[-1])
    ax.set_ylim(over.y[0], over.y[-1])
    appearance.label_axes(ax, *over.names)
    appearance.height_scale(ax, bands, data.symbol)
    draw_words(ax, data)


def draw_words(ax: Axes, data: Landscape) -> None:
    """The legend under the axes, and what the picture holds fixed or does not show."""
    remarks = [data.held]
    if len(data.paths) == 1:
        path = data.paths[0]
        keys = appearance.step_keys(path.last(data.unit), appearance.theme_of(ax))
        appearance.legend_below(ax, keys, columns=2)
        remarks.append(path.remark)
    else:
        appearance.race_legend(ax, [(path.label, path.title[1]) for path in data.paths])
    corner: Corner = (1, 1) if ax.name == "3d" else _emptiest_corner(data)
    appearance.note(ax, "\n".join(filter(None, remarks)), corner)


def draw_paths(ax: Axes, data: Landscape, until: float = np.inf) -> list[Artist]:
    """The paths up to a time: one coloured by step, several each in a colour of its own."""
    return _trace(ax, data, [tuple(path.x[: path.shown_until(until)].T) for path in data.paths])


def draw_still_3d(ax: Any, data: Landscape) -> None:
    """What of the picture in space stays: contour lines at their heights, the names and the legend."""
    over = data.grid
    ax.contour(over.x, over.y, data.surface, data.levels[1:], cmap=appearance.theme_of(ax).lines, norm=data.norm)
    frame(ax, data, data.heights[0])
    draw_words(ax, data)


def draw_paths_3d(ax: Any, data: Landscape, until: float = np.inf) -> list[Artist]:
    """The paths on the surface up to a time, as `draw_paths` draws them."""
    return _trace(ax, data, [inside(data, path, path.shown_until(until)) for path in data.paths])


def frame(ax: Any, data: Landscape, bottom: float) -> None:
    """The limits and the names of axes in space; what is drawn later lies in front."""
    ax.computed_zorder = False
    ax.set_xlim(data.grid.x[0], data.grid.x[-1])
    ax.set_ylim(data.grid.y[0], data.grid.y[-1])
    ax.set_zlim(bottom, data.heights[1])
    ax.autoscale(False)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5))
    low, high = data.heights
    ax.set_zticks([tick for tick in MaxNLocator(5).tick_values(low, high) if low <= tick <= high])
    # The start is mostly the highest point: seen across the valley, nothing stands before it.
    ax.view_init(elev=28, azim=_across(data))
    appearance.label_axes(ax, *data.grid.names, data.symbol, width=appearance.SHORT_NAME_WIDTH)


def inside(data: Landscape, path: Path, count: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The first points of a path, NaN outside the axes: axes in space do not cut off what leaves them."""
    points = path.x[:count]
    height = np.clip(path.value[:count], *data.heights)
    x, y = points.T
    return x, y, np.where(data.grid.contains(points), height, np.nan)


def _trace(ax: Any, data: Landscape, places: Sequence[tuple[FloatArray, ...]]) -> list[Artist]:
    """Draw each path through its places."""
    if len(places) == 1:
        path = data.paths[0]
        colours = path.colours[: len(places[0][0])]
        size = appearance.point_size(len(path))
        return appearance.trace_steps(ax, *places[0], line=places[0], colours=colours, size=size, zorder=7)
    traces = (
        appearance.trace_run(ax, *place, number=number, every=_spacing(data, path), zorder=7)
        for number, (place, path) in enumerate(zip(places, data.paths, strict=True))
    )
    return [artist for trace in traces for artist in trace]


# A film asks for the same with every frame.
@lru_cache(maxsize=16)
def _spacing(data: Landscape, path: Path) -> float:
    """How far apart a path's markers stand, as a share of the picture's diagonal: to and fro, few are enough."""
    sides = np.ptp(data.grid.x), np.ptp(data.grid.y)
    length = float(np.nansum(np.hypot(*(np.diff(path.x, axis=0) / sides).T)) / np.sqrt(2))
    return max(LEAST_SPACING, length / MARKERS)


def _emptiest_corner(data: Landscape) -> Corner:
    """Where words hide the fewest of the paths' points: of four corners the upper right one, if it is as good."""
    over = data.grid
    low, high = np.array([(line[0], line[-1]) for line in (over.x, over.y)]).T
    places = (np.concatenate([path.x for path in data.paths]) - low) / (high - low)
    corners: tuple[Corner, ...] = (1, 1), (0, 1), (1, 0), (0, 0)
    return min(corners, key=lambda corner: int((np.abs(places - corner) < NOTE_SHARE).all(axis=1).sum()))


def _across(data: Landscape) -> float:
    """From where to look, in degrees: of four usual places the one with the first run's start at the back."""
    over = data.grid
    x, y = data.paths[0].x[0]
    side = (x - over.x.mean()) / np.ptp(over.x), (y - over.y.mean()) / np.ptp(over.y)
    angles = np.array([-60, -150, 30, 120])
    towards = np.cos(np.radians(angles)) * side[0] + np.sin(np.radians(angles)) * side[1]
    return float(angles[np.argmin(towards)])


def _columns(objective: Objective, coordinates: Coordinates) -> tuple[int, int] | None:
    """Which two coordinates to draw; None for a plane that lies along none."""
    names = objective.names
    if len(names) == 1:
        raise FalllineError(
            f"runs: {objective.title} has one coordinate, {names[0]}; a landscape needs two; use plot_descent"
        )
    if coordinates is None and len(names) == 2:
        return 0, 1
    if coordinates is None or (isinstance(coordinates, str) and coordinates == "pca"):
        return None
    chosen = tuple(coordinates) if isinstance(coordinates, Sequence) and not isinstance(coordinates, str) else ()
    for name in chosen:
        if name not in names:
            raise FalllineError(f"coordinates names {name!r}; {nearest(str(name), names)}")
    if len(chosen) != 2 or chosen[0] == chosen[1]:
        known = shortened(", ".join(names), 200)[1:-1]
        raise FalllineError(
            f"coordinates is {shortened(coordinates)}; it must be 'pca', or two different ones of {known}"
        )
    return names.index(chosen[0]), names.index(chosen[1])


def _window(bounds: Sequence[Interval]) -> list[Interval]:
    """The user's bounds, checked."""
    try:
        first, second = bounds
    except (TypeError, ValueError):
        raise FalllineError(
            f"bounds is {shortened(bounds)}; it must be two intervals, one for each coordinate drawn"
        ) from None
    return [interval(first), interval(second)]
