"""Contour pictures of functions of two coordinates, flat or in three dimensions, with the runs' paths."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, Unpack

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import FuncNorm, LogNorm, Normalize
from matplotlib.figure import Figure

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest
from fallline.objectives.base import Objective
from fallline.pictures.crowding import Stroke, strokes_of
from fallline.pictures.heights import Limits, Scale, check_scale
from fallline.pictures.landscape import Coordinates, Landscape, landscape_data
from fallline.pictures.levels import chosen_levels
from fallline.pictures.paths import Interval, Runs, numbers_of
from fallline.views import appearance, legends, space, traces
from fallline.views.appearance import Corner, figure_of, set_title
from fallline.views.level_labels import level_labels
from fallline.views.look import Look, Options, sizes_of, theme_of

# Starts this close to each other, by the picture's sides, have one ring.
SAME = 0.01
# The norms that Matplotlib can make of their name alone.
NORMS = ("linear", "log", "symlog", "asinh")
# The share of the picture's width and height that text in a corner may take.
NOTE_SHARE = (0.55, 0.2)


def plot_contour(
    runs: Runs | Objective | str,
    *,
    coordinates: Coordinates = None,
    bounds: Sequence[Interval] | None = None,
    zlim: Limits = None,
    zscale: Scale | None = None,
    levels: int | Sequence[float] | None = None,
    norm: str | Normalize | None = None,
    resolution: int = 256,
    **options: Unpack[Options],
) -> Figure:
    """Draw runs on the filled contours of their objective.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories; or an objective alone, such as "rosenbrock".
        coordinates: the names of the two to show, the others held at the first run's final point; or "pca": the
            plane through that point along the paths' two principal components. None: the only two there are,
            or "pca".
        bounds: the interval of each of the two; None: chosen to show the runs.
        zlim: the lowest and the highest value shown, None at an end to choose it; values beyond are clipped.
        zscale: how the contour levels are spread, "linear" or "log", for which values must not be negative; None:
            linearly, or logarithmically where most of the picture would have no level; the colour bar says it.
        levels: the values of the contour lines, or how many at most, as `matplotlib.axes.Axes.contourf` has them;
            None: round numbers.
        norm: how values become colours, as `contourf` has it; None: one shade more from level to level.
        resolution: the number of grid points along each.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

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
    look = Look.of(options, plot_contour)
    if zscale is not None:
        check_scale(zscale)
    _check_norm(norm)
    data = landscape_data(runs, coordinates=coordinates, bounds=bounds, zlim=zlim, resolution=resolution)
    data = dataclasses.replace(data, levels=chosen_levels(data.grid.value, data.heights, zscale, levels))
    figure, ax = figure_of(look, keys=legends.lines_below(look, data.paths))
    draw_still(ax, data, norm)
    draw_paths(ax, data)
    set_title(ax, *data.heading)
    return appearance.finished(figure, look)


def plot_contour_3d(
    runs: Runs | Objective | str,
    *,
    coordinates: Coordinates = None,
    bounds: Sequence[Interval] | None = None,
    zlim: Limits = None,
    zscale: Scale | Literal["auto"] = "auto",
    resolution: int = 256,
    **options: Unpack[Options],
) -> Figure:
    """Draw runs and the contour lines of their objective in three dimensions, each line at its height.

    The arguments, the result and the errors are those of `plot_surface`.

    >>> import fallline
    >>> def bowl(x, y): return x**2 + 3 * y**2
    >>> run = fallline.minimize(bowl, (2, 1), fallline.Momentum(0.05), max_steps=20)
    >>> plot_contour_3d(run, resolution=32).axes[0].get_zlabel()
    'f'
    """
    look = Look.of(options, plot_contour_3d)
    data = landscape_data(runs, coordinates=coordinates, bounds=bounds, zlim=zlim, zscale=zscale, resolution=resolution)
    figure, ax = figure_of(look, solid=True, keys=legends.lines_below(look, data.paths))
    draw_still_3d(ax, data)
    draw_paths_3d(ax, data)
    set_title(ax, *data.heading)
    return appearance.finished(figure, look)


def draw_still(ax: Axes, data: Landscape, norm: str | Normalize | None = None) -> None:
    """Draw the still part of the picture: the contours, their scale, the labels and the legend."""
    over = data.grid
    bounds = data.bounds_of_bands
    if (norm == "log" or isinstance(norm, LogNorm)) and bounds[0] <= 0:
        low = f"the lowest value shown is {bounds[0]:g}"
        raise FalllineError("norm", "log", f"give zlim=(lowest above 0, None), or zscale='log'; {low}")
    beyond = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}
    extend = beyond[bool(np.nanmin(over.value) < bounds[0]), bool(np.nanmax(over.value) > bounds[-1])]
    colours: dict[str, Any] = {"cmap": theme_of(ax).landscape, "norm": norm or colour_norm(data), "extend": extend}
    bands = ax.contourf(over.x, over.y, over.value, bounds, **colours)
    lines = {"colors": theme_of(ax).edge, "linewidths": 0.25 * sizes_of(ax).line ** 0.5, "linestyles": "solid"}
    drawn = ax.contour(over.x, over.y, over.value, bounds[1:-1], alpha=0.6, **lines) if len(bounds) > 2 else None
    ax.set_xlim(over.x[0], over.x[-1])
    ax.set_ylim(over.y[0], over.y[-1])
    appearance.label_axes(ax, *over.names)
    said = "log scale" if norm == "log" or isinstance(norm, LogNorm) else "" if norm else data.levels.words
    appearance.height_scale(ax, bands, data.levels.named, f"{data.symbol} ({said})" if said else data.symbol)
    rings = _starts(data) if len(data.paths) > 1 else np.empty((0, 2))
    for places, look in ((data.minima, traces.star_look(ax)), (rings, traces.start_look(ax))):
        if len(places):
            ax.plot(*places.T, zorder=6, **look)
    draw_words(ax, data)
    if drawn is not None:
        level_labels(ax, drawn, data)


def _check_norm(norm: Any) -> None:
    """Refuse what is no norm."""
    if norm is not None and not isinstance(norm, Normalize) and norm not in NORMS:
        raise FalllineError("norm", norm, nearest(str(norm), NORMS))


def colour_norm(data: Landscape) -> FuncNorm:
    """The norm that maps values to colours: each band between two levels is one shade further."""
    bounds = data.bounds_of_bands
    shares = np.linspace(0, 1, len(bounds))
    there, back = (lambda value: np.interp(value, bounds, shares)), (lambda share: np.interp(share, shares, bounds))
    return FuncNorm((there, back), bounds[0], bounds[-1])


def _starts(data: Landscape) -> FloatArray:
    """The different points in the picture at which the runs start, shape (k, 2)."""
    starts = np.array([path.x[0] for path in data.paths]).reshape(-1, 2)
    starts = starts[data.grid.contains(starts)]
    sides = np.array([np.ptp(data.grid.x), np.ptp(data.grid.y)])
    _, first = np.unique(np.round(starts / (SAME * sides)), axis=0, return_index=True)
    return starts[np.sort(first)]


def draw_words(ax: Axes, data: Landscape) -> None:
    """Write the legend below the axes, and what the picture holds fixed or does not show."""
    remarks, flat = [data.held], ax.name != "3d"
    stars = [legends.minimum_key(ax)] if flat and len(data.minima) else []
    if len(data.paths) == 1:
        path = data.paths[0]
        keys = legends.step_keys(ax, path.last(data.unit)) + stars
        legends.legend_of(ax, keys)
        remarks.append(path.remark)
    else:
        rings = [legends.start_key(ax)] if flat and len(_starts(data)) else []
        if data.paths or stars:
            legends.race_legend(ax, data.paths, rings + stars)
    corner: Corner = (1, 1) if ax.name == "3d" else _emptiest_corner(data)
    appearance.note(ax, "\n".join(filter(None, remarks)), corner)


def draw_paths(ax: Axes, data: Landscape, until: float = np.inf) -> list[Artist]:
    """Draw the paths up to a time: a single one coloured by step, several in one colour each."""
    return _trace(ax, data, [tuple(path.x[: path.shown_until(until)].T) for path in data.paths])


def draw_still_3d(ax: Any, data: Landscape) -> None:
    """Draw the still part in three dimensions: contour lines at their heights, the labels and the legend."""
    over = data.grid
    look: dict[str, Any] = {
        "cmap": theme_of(ax).lines,
        "norm": colour_norm(data),
        "linewidths": 0.7 * sizes_of(ax).line,
    }
    ax.contour(over.x, over.y, data.surface, data.bounds_of_bands[1:], **look)
    space.frame(ax, data, data.heights[0])
    space.fit(ax)
    draw_words(ax, data)


def draw_paths_3d(ax: Any, data: Landscape, until: float = np.inf) -> list[Artist]:
    """Draw the paths on the surface up to a time, coloured as by `draw_paths`."""
    return _trace(ax, data, [space.inside(data, path, path.shown_until(until)) for path in data.paths])


def _trace(ax: Any, data: Landscape, places: Sequence[tuple[FloatArray, ...]]) -> list[Artist]:
    """Draw each path through its points."""
    if len(places) == 1:
        path = data.paths[0]
        colours = traces.step_colours(len(path))[: len(places[0][0])]
        size = traces.point_size(ax, len(path))
        return traces.trace_steps(ax, *places[0], line=places[0], colours=colours, size=size, zorder=7)
    artists: list[Artist] = []
    strokes, numbers = _strokes(data), numbers_of(data.paths)
    for place, stroke, number, path in sorted(
        zip(places, strokes, numbers, data.paths, strict=True), key=lambda drawn: drawn[1].rank
    ):
        manner: dict[str, Any] = {"every": stroke.marks[stroke.marks < len(place[0])], "thin": stroke.thin}
        # Those that repeat a rule share its colour.
        manner |= {"repeated": True} if path.rule else {"dash": stroke.dash}
        artists += traces.trace_run(ax, *place, number=number, zorder=7, **manner)
    return artists


# Cached: a film calls this with the same arguments in every frame.
@lru_cache(maxsize=16)
def _strokes(data: Landscape) -> tuple[Stroke, ...]:
    return strokes_of(data.paths, data.grid)


def _emptiest_corner(data: Landscape) -> Corner:
    """The corner where text hides the fewest of the paths' points; the upper right one in a tie."""
    over = data.grid
    low, high = np.array([(line[0], line[-1]) for line in (over.x, over.y)]).T
    places = (np.concatenate([np.empty((0, 2)), *(path.x for path in data.paths)]) - low) / (high - low)
    corners: tuple[Corner, ...] = (1, 1), (0, 1), (1, 0), (0, 0)
    return min(corners, key=lambda corner: int((np.abs(places - corner) < NOTE_SHARE).all(axis=1).sum()))
