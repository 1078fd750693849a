"""The lines and points of runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import Colormap

from fallline.arrays import FloatArray
from fallline.views.look import Look, look_of, sizes_of, theme_of
from fallline.views.theme import Theme

# Lines and markers distinguish runs in greyscale as well.
RUN_LINES: tuple[Any, ...] = (
    "-",
    "--",
    "-.",
    ":",
    (0, (8, 2, 2, 2, 2, 2)),
    (0, (10, 3)),
    (0, (2, 1)),
    (0, (5, 1, 1, 1, 1, 1, 1, 1)),
)
RUN_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
STEPS: Colormap = matplotlib.colormaps["autumn"]
# The opacity of what lies behind a surface.
FAINT = 0.35
# The last point of a run on a landscape, the star of a minimum and the ring of a start, by the size of other markers.
LAST, STAR, RING = 1.7, 2.2, 1.5
# The least width of a line that is thinned, by that of others.
LEAST = 0.4
# The width of the outline, and the period of the dashes of paths that lie on each other, in line widths.
RIM, PERIOD = 2.0, 8.0


def step_colours(count: int) -> FloatArray:
    """The colours of a run's points in order, shape (count, 4): the first red, the last yellow.

    >>> step_colours(3)[:, :3]
    array([[1.        , 0.        , 0.        ],
           [1.        , 0.50196078, 0.        ],
           [1.        , 1.        , 0.        ]])
    """
    return np.asarray(STEPS(np.linspace(0, 1, count)), float)


def star_look(ax: Any) -> dict[str, Any]:
    """The star at a known minimum, for `plot` and the legend."""
    return _mark_look(ax, "*", STAR, 0.5)


def start_look(ax: Any) -> dict[str, Any]:
    """The ring at a start of several runs, for `plot` and the legend."""
    return _mark_look(ax, "o", RING, 0.75)


def _mark_look(ax: Any, marker: str, size: float, edge: float) -> dict[str, Any]:
    """A mark of its own on a landscape: its size by that of runs' markers, its edge by the width of their lines."""
    theme, sizes = theme_of(ax), sizes_of(ax)
    return {
        "marker": marker,
        "markersize": size * sizes.marker,
        "markeredgewidth": edge * sizes.line,
        "color": theme.rim,
        "markeredgecolor": theme.edge,
        "linestyle": "none",
        "clip_on": False,
    }


def run_look(ax: Any, number: int) -> dict[str, Any]:
    """Colour and marker of one of several runs on a landscape, for `plot` and the legend."""
    look, theme, sizes = look_of(ax), theme_of(ax), sizes_of(ax)
    usual = {
        "color": theme.runs[number % len(theme.runs)],
        "linewidth": sizes.line,
        "marker": _form(RUN_MARKERS, number, theme),
        "markersize": sizes.marker,
        "markeredgecolor": theme.rim,
        "markeredgewidth": 0.4 * sizes.line,
    }
    return usual | look.line


def series_look(ax: Any, number: int) -> dict[str, Any]:
    """Colour and line style of a run in histories, for `plot` and the legend."""
    return series_line(look_of(ax), number)


def series_line(look: Look, number: int) -> dict[str, Any]:
    """As `series_look`, for a figure that is yet to be made."""
    usual = {
        "color": look.theme.runs[number % len(look.theme.runs)],
        "linewidth": look.sizes.line,
        "linestyle": _form(RUN_LINES, number, look.theme),
    }
    return usual | look.line


def _form(forms: Sequence[Any], number: int, theme: Theme) -> Any:
    """The marker or line style of a run; it differs between runs that share a colour, as the first and the ninth do."""
    return forms[(number + number // len(theme.runs)) % len(forms)]


def trace_run(
    ax: Any,
    *line: FloatArray,
    number: int,
    points: Any = None,
    every: Any,
    repeated: bool = False,
    alpha: float = 1.0,
    thin: float = 1.0,
    dash: float = 1.0,
    zorder: float = 5,
) -> list[Artist]:
    """Draw the path of one of several runs, its last point large, outlined in the theme's rim colour.

    Arguments:
        line: the vertices in each dimension.
        number: which of the runs it is.
        points: the run's points in each dimension; None: the line has these and no other vertices.
        every: where markers stand, as Matplotlib's `markevery`: an array of rows, or a number of vertices.
        repeated: whether it is one of several of the same rule, which are thin and have markers at their ends only.
        alpha: the opacity.
        thin: the share of the usual width and opacity of the line.
        dash: the share of the line that dashes cover; 1: it is not dashed.
    """
    look = run_look(ax, number)
    look["alpha"] = alpha * look.get("alpha", 1.0)
    if repeated:
        look |= {"linewidth": look["linewidth"] / 2, "markersize": look["markersize"] / 2}
    last = look | {"markersize": LAST * look["markersize"], "markevery": [-1], "linestyle": "none"}
    width = max(thin * look["linewidth"], LEAST * look_of(ax).sizes.line)
    look = {"linestyle": _dashes(dash)} | look | {"linewidth": width, "alpha": thin * look["alpha"]}
    look |= {"marker": ""} if repeated else {"markersize": thin**0.5 * look["markersize"]}
    # Matplotlib's dashes are as long as the line is wide, and those of the rim must not hide what lies below.
    rim: dict[str, Any] = {"color": theme_of(ax).rim, "linewidth": RIM * width, "alpha": 0.8 * look["alpha"]}
    rim |= {"marker": "none", "linestyle": _dashes(dash, 1 / RIM)}
    under = ax.plot(*line, zorder=zorder, **rim)
    path = ax.plot(*line, markevery=every, zorder=zorder, **look)
    end = ax.plot(*(line if points is None else points), zorder=zorder + 2, **last)
    return [*under, *path, *end]


def _dashes(share: float, unit: float = 1.0) -> Any:
    """The line style of dashes that cover a share of the line."""
    return (0, (PERIOD * unit * share, PERIOD * unit * (1 - share))) if share < 1 else "-"


def trace_steps(
    ax: Any,
    *points: FloatArray,
    colours: FloatArray,
    size: float,
    line: Sequence[FloatArray] | FloatArray | None = None,
    alpha: float = 1.0,
    zorder: float = 5,
) -> list[Artist]:
    """Draw the path of a single run, its points coloured by step, later ones on top.

    All edges are drawn below all faces: they make yellow visible on white, and do not cover other points.

    Arguments:
        points: the run's points in each dimension.
        colours: the points' colours, shape (points, 4).
        size: the area of a point, in square points.
        line: the vertices of the line that joins them; None: no line.
        alpha: the opacity.
    """
    solid = {"depthshade": False} if ax.name == "3d" else {}
    edge = theme_of(ax).edge
    joined = (
        ax.plot(*line, "-", marker="none", color=edge, linewidth=0.5 * sizes_of(ax).line, alpha=alpha, zorder=zorder)
        if line is not None
        else []
    )
    look: dict[str, Any] = {"linewidths": 0, "alpha": alpha, **solid}
    rims = ax.scatter(*points, s=1.5 * size, color=edge, zorder=zorder + 1, **look)
    dots = ax.scatter(*points, s=size, c=colours, zorder=zorder + 2, **look)
    if not solid or alpha < 1:
        return [*joined, rims, dots]
    # In three dimensions Matplotlib draws from back to front, so nearby points could cover the last visible one: it is
    # drawn again. Twice, because Matplotlib snaps a single point to whole pixels.
    last = np.flatnonzero(np.isfinite(points).all(axis=0))[-1:].repeat(2)
    front = ax.scatter(*(place[last] for place in points), s=size, c=colours[last], zorder=zorder + 3, **look)
    return [*joined, rims, dots, front]


def point_size(ax: Any, count: int) -> float:
    """The area of a path's points, in square points: smaller where there are many."""
    return float((0.86 if count <= 60 else 0.64) * sizes_of(ax).marker) ** 2
