"""The heat map of a sweep: how runs ended over two of its factors, darker for more steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import LogLocator

from fallline.arrays import FloatArray
from fallline.pictures import words
from fallline.pictures.heat_map import HeatMap, heat_map_data
from fallline.pictures.paths import Interval
from fallline.results.sweep import NAMES, Sweep
from fallline.views import appearance, legends, traces
from fallline.views.look import Look, Options
from fallline.views.theme import LIGHT

# From the colours of Okabe and Ito; converged runs have shades of blue.
COLOURS = {"stuck": "#CC79A7", "slow": "#F0E442", "oscillating": "#D55E00", "diverged": "#666666"}
SHADES = matplotlib.colormaps["Blues"]
LIGHTEST, DARKEST = 0.25, 1.0
HATCH = "////"
MOST_TICKS = {"x": 6, "y": 12}


def plot_heat_map(
    runs: Sweep,
    x: str | None = None,
    y: str | None = None,
    at: Mapping[str, Any] | None = None,
    **options: Unpack[Options],
) -> Figure:
    """Draw how the runs of a sweep ended, over two of its factors.

    A cell has the colour of its runs' most frequent outcome, over all starts and seeds; where they converged, it is
    darker for more steps. A star marks the best setting.

    Arguments:
        runs: what `sweep` returned.
        x: the factor along the width; None: the first hyperparameter with several values.
        y: the factor along the height; None: the next, or the optimizers.
        at: the values of other factors; None: those of the best setting.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    Raises:
        FalllineError: when there is no such factor or value.

    >>> import fallline
    >>> grid = {"learning_rate": [0.01, 0.1, 1.0, 2.5], "momentum": [0.0, 0.5, 0.9]}
    >>> runs = fallline.sweep("x**2/2", 1.0, "momentum", grid, target=1e-6)
    >>> plot_heat_map(runs).axes[0].get_ylabel()
    'momentum'
    """
    look = Look(**options)
    data = heat_map_data(runs, x, y, at)
    figure, ax = appearance.figure_of(look, keys=1 + len(data.shares) // 2)
    rows, columns = data.outcome.shape
    ax.imshow(cell_colours(data), origin="lower", aspect="auto", interpolation="nearest")
    for row, column in zip(*np.nonzero(data.outcome == NAMES.index("diverged")), strict=True):
        hatched = Rectangle((column - 0.5, row - 0.5), 1, 1, hatch=HATCH, facecolor="none", edgecolor="white")
        hatched.set_linewidth(0)
        ax.add_patch(hatched)
    if data.best is not None:
        ax.plot(*data.best, **(traces.star_look(ax) | {"color": "white", "markeredgecolor": LIGHT.edge}))
    appearance.label_axes(ax, *(name.replace("_", " ") for name in data.names))
    _tick(ax.xaxis, data.values[0], columns)
    _tick(ax.yaxis, data.values[1], rows)
    # The factors held stand above the map, where they hide nothing.
    appearance.set_title(ax, *data.title, ", ".join(_words(name, value) for name, value in data.held.items()))
    if data.scale is not None:
        shades = appearance.part_of(SHADES, LIGHTEST, DARKEST)
        bar = figure.colorbar(ScalarMappable(LogNorm(*data.scale), shades), ax=ax, pad=0.02, format=_steps)
        bar.ax.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        bar.ax.yaxis.set_minor_formatter(_steps)
        appearance.dress_bar(ax, bar, "steps")
    legends.legend_below(ax, [_key(name, share) for name, share in data.shares.items()], columns=2)
    return appearance.finished(figure, look)


def _key(name: str, share: float) -> Patch:
    options: dict[str, Any] = {"facecolor": COLOURS.get(name, SHADES(0.6)), "edgecolor": LIGHT.edge}
    if name == "diverged":
        options |= {"hatch": HATCH, "edgecolor": "white"}
    return Patch(label=f"{name}: {words.percent(share)}", **options)


def cell_colours(data: HeatMap) -> FloatArray:
    """The colour of each cell, shape (rows, columns, 3), between 0 and 1; white where no run was made."""
    image = np.ones((*data.outcome.shape, 3))
    for name, colour in COLOURS.items():
        image[data.outcome == NAMES.index(name)] = to_rgb(colour)
    if data.scale is not None:
        converged = data.outcome == 0
        image[converged] = _blue(data.steps[converged], data.scale)
    return image


def _blue(steps: FloatArray, scale: Interval) -> FloatArray:
    share = np.log(np.maximum(steps, scale[0]) / scale[0]) / np.log(scale[1] / scale[0])
    return np.asarray(SHADES(LIGHTEST + (DARKEST - LIGHTEST) * share)[..., :3])


def _tick(axis: Any, values: tuple[Any, ...], count: int) -> None:
    """Label some of the cells along an axis by their values."""
    places = range(0, count, -(-count // MOST_TICKS[axis.axis_name]))
    axis.set_ticks(list(places), [_text(values[i]) for i in places])


def _steps(count: float, _: object) -> str:
    return f"{count:.0f}"


def _words(name: str, value: Any) -> str:
    return str(value).replace("_", " ") if name == "optimizer" else f"{name.replace('_', ' ')} {_text(value)}"


def _text(value: Any) -> str:
    return words.number(value, 3) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
