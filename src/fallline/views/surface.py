"""Functions of two coordinates as a surface in three dimensions, with the runs' paths and their shadows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, Unpack

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from fallline.arrays import FloatArray
from fallline.objectives.base import Objective
from fallline.pictures.heights import Limits, Scale
from fallline.pictures.landscape import Coordinates, Landscape, landscape_data
from fallline.pictures.paths import Interval, Runs, numbers_of
from fallline.pictures.sight import Sight, behind, lifted, sight_of
from fallline.views import contour, legends, space, traces
from fallline.views.appearance import figure_of, finished, set_title
from fallline.views.look import Look, Options, sizes_of, theme_of

# The distance from the surface down to the floor, as a multiple of the surface's height: far enough to see both.
DROP = 0.6
# The surface is drawn by this many patches along each side; finer ones cannot be seen.
PATCHES = 96
# The heights of the camera that are tried, in degrees, and at how many places of a path.
ELEVATIONS, TRIED = (space.ELEVATION, 45.0), 64
# The share of the paths that each must show more than the one before it, to be taken.
UNUSUAL = 0.03
# The area of the points in a single path's shadow, by that of its own.
SHADE = 0.2
# The number of markers on each of several paths.
MARKERS = 8


def floor(data: Landscape) -> float:
    """The height of the floor that carries the filled contours and the shadows."""
    low, high = data.heights
    return low - DROP * (high - low)


def plot_surface(
    runs: Runs | Objective | str,
    *,
    coordinates: Coordinates = None,
    bounds: Sequence[Interval] | None = None,
    zlim: Limits = None,
    zscale: Scale | Literal["auto"] = "auto",
    resolution: int = 256,
    **options: Unpack[Options],
) -> Figure:
    """Draw runs on the surface of their objective, over its filled contours with the runs' shadows.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories; or an objective alone, such as "rosenbrock".
        coordinates: the names of the two to show, the others held at the first run's final point; or "pca": the
            plane through that point along the paths' two principal components. None: the only two there are,
            or "pca".
        bounds: the interval of each of the two; None: chosen to show the runs.
        zlim: the lowest and the highest value shown, None at an end to choose it; values beyond are clipped.
        zscale: "linear", or "log": the heights are the logarithms of the values, which must not be negative; "auto":
            where a linear scale would hide the descent, and there is no `zlim`, logarithmic or cut off, as the axis
            then says.
        resolution: the number of grid points along each.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    Raises:
        FalllineError: when an argument is wrong, or the function is nowhere finite there.

    >>> import fallline
    >>> def bowl(x, y): return x**2 + 3 * y**2
    >>> run = fallline.minimize(bowl, (2, 1), fallline.Momentum(0.05), max_steps=20)
    >>> plot_surface(run, resolution=32).axes[0].get_zlabel()
    'f'
    """
    look = Look.of(options, plot_surface)
    data = landscape_data(runs, coordinates=coordinates, bounds=bounds, zlim=zlim, zscale=zscale, resolution=resolution)
    figure, ax = figure_of(look, solid=True, keys=legends.lines_below(look, data.paths))
    draw_still(ax, data)
    draw_paths(ax, data)
    set_title(ax, *data.heading)
    return finished(figure, look)


def draw_still(ax: Any, data: Landscape) -> Artist:
    """Draw the still part: the floor, the labels, the legend, and the surface, which is returned."""
    over = data.grid
    x, y = np.meshgrid(over.x, over.y)
    ax.contourf(
        x,
        y,
        data.surface,
        data.bounds_of_bands,
        zdir="z",
        offset=floor(data),
        cmap=theme_of(ax).landscape,
        norm=contour.colour_norm(data),
        zorder=1,
    )
    surface: Artist = ax.plot_surface(
        x,
        y,
        data.surface,
        cmap=theme_of(ax).landscape,
        norm=contour.colour_norm(data),
        rcount=PATCHES,
        ccount=PATCHES,
        linewidth=0,
        antialiased=False,
        alpha=0.85,
        zorder=5,
    )
    space.frame(ax, data, floor(data))
    _look_at_the_paths(ax, data)
    space.fit(ax)
    contour.draw_words(ax, data)
    return surface


def _look_at_the_paths(ax: Any, data: Landscape) -> None:
    """Turn the camera, and raise it if need be, to where the surface hides least of the paths."""
    tried = np.concatenate(
        [np.empty((0, 3)), *(_along(np.stack(space.inside(data, path, len(path)), axis=1)) for path in data.paths)]
    )
    if not len(tried):
        return
    tried = lifted(tried, data.grid, data.surface)
    views = [(height, ax.azim + turn) for height in ELEVATIONS for turn in (0, 90, 180, 270)]
    cost = []
    for number, view in enumerate(views):
        ax.view_init(*view)
        cost.append(behind(tried, data.grid, data.surface, ax.get_proj()).mean() + UNUSUAL * number)
    ax.view_init(*views[int(np.argmin(cost))])


def _along(points: FloatArray) -> FloatArray:
    """Places at even distances along a path in space, shape (k, 3); none if it has no finite points."""
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return points
    steps = np.diff(points, axis=0) / (np.ptp(points, axis=0) + np.finfo(float).tiny)
    length = np.append(0.0, np.cumsum(np.sqrt((steps**2).sum(axis=1))))
    return np.stack([np.interp(np.linspace(0, length[-1], TRIED), length, side) for side in points.T], axis=1)


def draw_paths(ax: Any, data: Landscape, until: float = np.inf) -> list[Artist]:
    """Draw the paths up to a time: their shadows on the floor, the parts behind the surface faint, and the rest."""
    camera = np.asarray(ax.get_proj()).tobytes()
    artists: list[Artist] = []
    for number, path in enumerate(data.paths):
        artists += _shadow(ax, data, number, path.shown_until(until))
    for number, path in enumerate(data.paths):
        sight, count = _sight(data, number, camera), path.shown_until(until)
        if sight.hidden.any() or sight.point_hidden.any():
            artists += _trace(ax, data, number, sight, count, hidden=True)
        artists += _trace(ax, data, number, sight, count, hidden=False)
    return artists


def _shadow(ax: Any, data: Landscape, number: int, count: int) -> list[Artist]:
    """Draw the shadow of a path's first points on the floor, in the path's colours."""
    path, sizes = data.paths[number], sizes_of(ax)
    x, y, z = space.inside(data, path, count)
    below = np.where(np.isfinite(z), floor(data), np.nan)
    if len(data.paths) > 1:
        colour = traces.run_look(ax, numbers_of(data.paths)[number])["color"]
        return list(ax.plot(x, y, below, color=colour, linewidth=0.75 * sizes.line, zorder=2))
    line = ax.plot(x, y, below, color=theme_of(ax).shadow, linewidth=0.75 * sizes.line, zorder=2)
    look: dict[str, Any] = {"linewidths": 0, "alpha": 1.0, "depthshade": False, "zorder": 2}
    size = SHADE * traces.point_size(ax, len(path))
    return [*line, ax.scatter(x, y, below, s=size, c=traces.step_colours(len(path))[:count], **look)]


def _trace(ax: Any, data: Landscape, number: int, sight: Sight, count: int, *, hidden: bool) -> list[Artist]:
    """Draw one path up to a point: the parts that the surface hides, faint, or those that it does not."""
    path = data.paths[number]
    line, points = sight.line(count, hidden).T, sight.points(count, hidden).T
    alpha = traces.FAINT if hidden else 1.0
    if len(data.paths) > 1:
        # Markers by vertices: even distances need a line, and a path may have no hidden or no visible part.
        look: dict[str, Any] = {"every": max(1, len(path) // MARKERS), "alpha": alpha, "zorder": 7}
        colour = numbers_of(data.paths)[number]
        return traces.trace_run(ax, *line, points=points, number=colour, repeated=bool(path.rule), **look)
    colours, size = traces.step_colours(len(path))[:count], traces.point_size(ax, len(path))
    return traces.trace_steps(ax, *points, line=line, colours=colours, size=size, alpha=alpha, zorder=7)


# Cached: a film calls this with the same arguments in every frame.
@lru_cache(maxsize=16)
def _sight(data: Landscape, number: int, camera: bytes) -> Sight:
    """Which parts of a path the surface hides from the camera."""
    path = data.paths[number]
    points = np.stack(space.inside(data, path, len(path)), axis=1)
    return sight_of(points, data.grid, data.surface, np.frombuffer(camera).reshape(4, 4))
