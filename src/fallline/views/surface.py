"""Functions of two coordinates as a surface in space, with the runs' paths on it and their shadows below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fallline.views import contour, style
from fallline.views.contour import Landscape, landscape_data
from fallline.views.paths import Interval, Runs

# How far the floor lies below the surface, in heights of the surface: far enough to be seen.
DROP = 0.6
# The surface is drawn by this many patches along each side; finer ones cannot be seen.
PATCHES = 96


def floor(data: Landscape) -> float:
    """The height of the floor that carries the filled contours and the shadows."""
    low, high = data.heights
    return low - DROP * (high - low)


def plot_surface(
    runs: Runs,
    *,
    coordinates: Sequence[str] | None = None,
    bounds: Sequence[Interval] | None = None,
    resolution: int = 256,
    ax: Axes | None = None,
) -> Figure:
    """Draw runs on the surface of their objective, over its filled contours with the runs' shadows.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories.
        coordinates: the names of the two to show; None: the only two there are. The others are held at the
            first run's final point.
        bounds: the interval of each of the two; None: what shows the runs.
        resolution: the number of grid points along each.
        ax: the three-dimensional axes to draw on; None: a new figure.

    Returns:
        The figure.

    Raises:
        FalllineError: when an argument is wrong, there are more coordinates and two are not named, or the
            function is nowhere finite there.

    >>> import fallline
    >>> def bowl(x, y): return x**2 + 3 * y**2
    >>> run = fallline.minimize(bowl, (2, 1), fallline.Momentum(0.05), max_steps=20)
    >>> plot_surface(run, resolution=32).axes[0].get_zlabel()
    'f'
    """
    data = landscape_data(runs, coordinates=coordinates, bounds=bounds, resolution=resolution)
    figure, ax = style.figure_of(ax, solid=True, keys=len(data.paths))
    draw_still(ax, data)
    draw_paths(ax, data)
    style.set_title(ax, *data.heading)
    return figure


def draw_still(ax: Any, data: Landscape) -> Artist:
    """What of the picture stays: the floor, the names, the legend, and the surface, which is returned."""
    over = data.grid
    x, y = np.meshgrid(over.x, over.y)
    ax.contourf(
        x,
        y,
        data.surface,
        data.levels,
        zdir="z",
        offset=floor(data),
        cmap=style.LANDSCAPE,
        norm=data.norm,
        zorder=1,
    )
    surface: Artist = ax.plot_surface(
        x,
        y,
        data.surface,
        cmap=style.LANDSCAPE,
        norm=data.norm,
        rcount=PATCHES,
        ccount=PATCHES,
        linewidth=0,
        antialiased=False,
        alpha=0.85,
        zorder=5,
    )
    contour.frame(ax, data, floor(data))
    contour.draw_words(ax, data)
    return surface


def draw_paths(ax: Any, data: Landscape, until: float = np.inf) -> list[Artist]:
    """The paths up to a time: the shadows on the floor, then the paths on the surface."""
    artists: list[Artist] = []
    for path in data.paths:
        x, y, z = contour.inside(data, path, path.shown_until(until))
        below = np.where(np.isfinite(z), floor(data), np.nan)
        artists += ax.plot(x, y, below, color=style.SHADOW, linewidth=1.5, zorder=2)
    return artists + contour.draw_paths_3d(ax, data, until)
