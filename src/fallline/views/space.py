"""Three-dimensional axes: their limits, their camera, and the ticks and labels around them."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator
from mpl_toolkits.mplot3d.proj3d import proj_transform  # type: ignore[import-untyped]

from fallline.arrays import FloatArray
from fallline.letters import raised
from fallline.pictures import words
from fallline.pictures.landscape import Landscape
from fallline.pictures.paths import Path
from fallline.views import appearance
from fallline.views.look import sizes_of

# The distance of tick labels and of axis labels from the axes, by the size of their font. Matplotlib adds its own pads.
TICK_DISTANCE, LABEL_DISTANCE = 0.9, 2.1
TICK_PAD, LABEL_PAD = 8.0, 21.0
# The width of the lines of axes, by the width of a run's line.
THIN = 0.35
# The height of the camera, in degrees.
ELEVATION = 28.0
# The box is drawn at most so much larger than by Matplotlib, which leaves a margin around it.
ZOOM = 1.1
MOST_TICKS, LEAST_TICKS = 5, 3


def frame(ax: Any, data: Landscape, bottom: float) -> None:
    """Set the limits, labels and camera of three-dimensional axes; what is drawn later lies in front."""
    ax.computed_zorder = False
    ax.set_xlim(data.grid.x[0], data.grid.x[-1])
    ax.set_ylim(data.grid.y[0], data.grid.y[-1])
    ax.set_zlim(bottom, data.heights[1])
    ax.autoscale(False)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(MOST_TICKS))
    heights, names = height_ticks(data)
    ax.set_zticks(heights, names)
    # The start is usually the highest point: with it at the back, nothing hides the path.
    ax.view_init(elev=ELEVATION, azim=_across(data))
    appearance.label_axes(ax, *data.grid.names, data.height_name)
    sizes = sizes_of(ax)
    ax.tick_params(pad=TICK_DISTANCE * sizes.note - TICK_PAD)
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        further = axis.get_label().get_text().count("\n") * appearance.LINE_HEIGHT / 3
        axis.labelpad = (LABEL_DISTANCE + further) * sizes.label - LABEL_PAD
        axis.line.set_linewidth(THIN * sizes.line)
        axis._axinfo["grid"]["linewidth"] = THIN * sizes.line
        axis._axinfo["tick"]["linewidth"] = dict.fromkeys((True, False), THIN * sizes.line)


def fit(ax: Any) -> None:
    """Draw the box as large as the axes are high, seen from where the camera is."""
    ax.set_box_aspect(None, zoom=1)
    corners = itertools.product(ax.get_xlim(), ax.get_ylim(), ax.get_zlim())
    places = [proj_transform(*corner, ax.get_proj())[:2] for corner in corners]
    up = (ax.transData + ax.transAxes.inverted()).transform(places)[:, 1]
    ax.set_box_aspect(None, zoom=min(ZOOM, 0.5 / float(np.abs(up - 0.5).max())))


def height_ticks(data: Landscape) -> tuple[FloatArray, list[str]]:
    """The heights of the ticks, and what stands there: round values, on a logarithmic scale powers of ten."""
    low, high = data.heights
    if data.scale != "log":
        ticks = np.asarray(MaxNLocator(MOST_TICKS).tick_values(low, high))
        ticks = ticks[(low <= ticks) & (ticks <= high)]
        return ticks, [words.tick(tick) for tick in ticks]
    decades = np.arange(math.ceil(low), math.floor(high) + 1.0)
    if len(decades) < LEAST_TICKS:
        values = np.asarray(LogLocator(subs=(1, 2, 5)).tick_values(10**low, 10**high))
        values = values[(10**low <= values) & (values <= 10**high)]
        return np.log10(values), [words.tick(value) for value in values]
    decades = decades[:: math.ceil(len(decades) / MOST_TICKS)]
    return decades, [_power(int(decade)) for decade in decades]


def _power(exponent: int) -> str:
    """A power of ten as text: written out where it is short."""
    return f"{10.0**exponent:g}" if -3 <= exponent <= 4 else f"10{raised(str(exponent))}"


def inside(data: Landscape, path: Path, count: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The first `count` points of a path, NaN outside the limits: three-dimensional axes do not clip."""
    points = path.x[:count]
    height = np.clip(path.value[:count], *data.heights)
    x, y = points.T
    return x, y, np.where(data.grid.contains(points), height, np.nan)


def _across(data: Landscape) -> float:
    """The azimuth of the camera, in degrees: of four choices, the one with the first run's start at the back."""
    over = data.grid
    x, y = data.paths[0].x[0] if data.paths else (over.x[0], over.y[0])
    side = (x - over.x.mean()) / np.ptp(over.x), (y - over.y.mean()) / np.ptp(over.y)
    angles = np.array([-60, -150, 30, 120])
    towards = np.cos(np.radians(angles)) * side[0] + np.sin(np.radians(angles)) * side[1]
    return float(angles[np.argmin(towards)])
