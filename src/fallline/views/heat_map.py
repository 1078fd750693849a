"""The heat map of a sweep: how runs ended over two of its factors, darker for more steps."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any, NamedTuple, Unpack

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, LogNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import MaxNLocator

from fallline.arrays import FloatArray
from fallline.pictures import words
from fallline.pictures.factor_axis import FactorAxis
from fallline.pictures.heat_map import HeatMap, heat_map_data
from fallline.pictures.paths import Interval
from fallline.results.sweep import NAMES, NOT_RUN, Sweep
from fallline.views import appearance, legends, traces
from fallline.views.look import Look, Options, look_of, sizes_of
from fallline.views.theme import LIGHT

# From the colours of Okabe and Ito; converged runs have shades of blue, slow ones of yellow.
COLOURS = {"stuck": "#CC79A7", "slow": "#F0E442", "oscillating": "#D55E00", "diverged": "#666666"}
SHADES = appearance.part_of(matplotlib.colormaps["Blues"], 0.25, 1.0)
YELLOWS = LinearSegmentedColormap.from_list("slow", ["#FFFBD0", COLOURS["slow"], "#8F7F00"])
# What marks cells that diverged, and those of which no run was made.
HATCHES = {"diverged": "////", "not run": "...."}
# So many values of a factor have a tick each.
FEW = 6
# The share of a colour bar's column that one of two takes, and where the lower one begins, in heights of the upper.
HALF, BELOW = 0.46, -1.17
# The width of the axes beside them, as a share of that of the figure.
AXES = 0.72
# The characters of a line of the label of such a bar.
FOLDED = 14


def plot_heat_map(
    runs: Sweep,
    x: str | None = None,
    y: str | None = None,
    at: Mapping[str, Any] | None = None,
    **options: Unpack[Options],
) -> Figure:
    """Draw how the runs of a sweep ended, over two of its factors.

    A cell has the colour of its runs' most frequent outcome, over all starts and seeds. Where they converged, it is
    darker for more steps; where they were slow, for a higher value at the end. Numbers stand where they belong on their
    axes, a log axis if they are spread over decades. A star marks the best setting, a diamond the one that the rule was
    given with, and a dashed line the learning rate above which it is unstable by theory.

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
    look = Look.of(options, plot_heat_map)
    data = heat_map_data(runs, x, y, at)
    shares = [*data.shares.items(), ("not run", data.not_run)]
    keys: list[Artist] = [_key(name, share, 0.4 * look.sizes.line) for name, share in shares if share]
    marks = _marks(look, data)
    labels = [*(str(entry.get_label()) for entry in keys), *(mark.label for mark in marks)]
    figure, ax = appearance.figure_of(look, keys=legends.lines_of(look, labels, share=AXES))
    edges = data.axes[0].edges, data.axes[1].edges
    ax.pcolormesh(*edges, cell_colours(data), rasterized=data.outcome.size > 5000)
    for name, hatch in HATCHES.items():
        cells = np.ma.masked_where(data.outcome != _number(name), np.ones(data.outcome.shape))
        if cells.count():
            hatched = ax.pcolor(*edges, cells, facecolors="none", hatch=hatch, linewidth=0)
            hatched.set_edgecolor("white" if name == "diverged" else LIGHT.edge)
    for which, axis in zip((ax.xaxis, ax.yaxis), data.axes, strict=True):
        _scale(ax, which, axis)
    appearance.label_axes(ax, *(name.replace("_", " ") for name in data.names))
    for mark in marks:
        ax.plot(*mark.places.T, **mark.look)
    # The factors held stand above the map, where they hide nothing.
    appearance.set_title(ax, *data.title, ", ".join(words.setting(*setting) for setting in data.held.items()))
    _bars(figure, ax, data)
    if look.ax is None:
        keys += [legends.key(mark.label, mark.look) for mark in marks]
    legends.legend_of(ax, keys, share=AXES)
    return appearance.finished(figure, look)


def _number(name: str) -> int:
    return NAMES.index(name) if name in NAMES else NOT_RUN


def _key(name: str, share: float, width: float) -> Patch:
    options: dict[str, Any] = {"facecolor": COLOURS.get(name, SHADES(0.5)), "edgecolor": LIGHT.edge, "linewidth": width}
    if name in HATCHES:
        options |= {"hatch": HATCHES[name]} | ({"edgecolor": "white"} if name == "diverged" else {"facecolor": "white"})
    return Patch(label=f"{name}: {words.percent(share)}", **options)


class _Mark(NamedTuple):
    """Something marked on the map: where, in what look, and its label in the legend."""

    places: FloatArray
    look: dict[str, Any]
    label: str


def _marks(look: Look, data: HeatMap) -> list[_Mark]:
    """The border of stability, the settings that the rules were given with, and the best."""
    sizes = look.sizes
    shape: dict[str, Any] = {"color": "white", "markeredgecolor": LIGHT.edge, "markeredgewidth": 0.5 * sizes.line}
    shape |= {"linestyle": "none", "zorder": 5}
    marks = []
    if data.border is not None:
        rim = [Stroke(linewidth=2 * sizes.line, foreground="white"), Normal()]
        dashes: dict[str, Any] = {"color": LIGHT.edge, "linewidth": 0.8 * sizes.line, "linestyle": "--"}
        marks.append(_Mark(data.border.line, dashes | {"path_effects": rim}, data.border.text))
    if len(data.given):
        label = "the rule's own setting" if len(data.given) == 1 else "the rules' own settings"
        marks.append(_Mark(data.given, shape | {"marker": "D", "markersize": 1.1 * sizes.marker}, label))
    if data.best is not None:
        place = [[axis.middle(index) for axis, index in zip(data.axes, data.best, strict=True)]]
        star = {"marker": "*", "markersize": traces.STAR * sizes.marker}
        marks.append(_Mark(np.array(place), shape | star, data.best_text))
    return marks


def _bars(figure: Figure, ax: Axes, data: HeatMap) -> None:
    """The colour bars: of the steps of converged runs, and below it of what slow ones have left."""
    above = "the target" if data.target is not None else "the lowest"
    bars = [
        (scale, shades, label)
        for scale, shades, label in ((data.scale, SHADES, "steps"), (data.left_scale, YELLOWS, f"slow: above {above}"))
        if scale is not None
    ]
    if not bars:
        return
    shape: dict[str, Any] = {"shrink": HALF, "anchor": (0, 1), "aspect": 10} if len(bars) > 1 else {}
    first = None
    for scale, shades, label in bars:
        colours = ScalarMappable(LogNorm(*scale), shades)
        text = textwrap.fill(label, FOLDED) if len(bars) > 1 else label
        if first is None:
            bar = appearance.colour_bar(ax, colours, text, **shape)
            if bar is None:
                return
            first = bar.ax
        else:
            bar = figure.colorbar(colours, cax=first.inset_axes((0, BELOW, 1, 1)))
            appearance.dress_bar(bar, text, look_of(ax))
        appearance.decades(bar.ax.yaxis)


def cell_colours(data: HeatMap) -> FloatArray:
    """The colour of each cell, shape (rows, columns, 3), between 0 and 1; white where no run was made."""
    image = np.ones((*data.outcome.shape, 3))
    for name, colour in COLOURS.items():
        image[data.outcome == NAMES.index(name)] = to_rgb(colour)
    for numbers, scale, shades in ((data.steps, data.scale, SHADES), (data.left, data.left_scale, YELLOWS)):
        cells = (data.outcome == (0 if numbers is data.steps else NAMES.index("slow"))) & np.isfinite(numbers)
        if scale is not None:
            image[cells] = _shade(numbers[cells], scale, shades)
    return image


def _shade(numbers: FloatArray, scale: Interval, shades: Colormap) -> FloatArray:
    share = np.log(np.maximum(numbers, scale[0]) / scale[0]) / np.log(scale[1] / scale[0])
    return np.asarray(shades(share)[..., :3])


def _scale(ax: Axes, axis: Any, values: FactorAxis) -> None:
    """The scale, the limits and the ticks of an axis."""
    low, high = min(values.edges), max(values.edges)
    across = axis.axis_name == "x"
    (ax.set_xlim if across else ax.set_ylim)(low, high)
    if not values.name:
        axis.set_ticks([])
        return
    if values.spacing == "log":
        (ax.set_xscale if across else ax.set_yscale)("log")
        appearance.decades(axis)
        return
    if values.spacing == "linear" and len(values.values) > FEW:
        axis.set_major_locator(MaxNLocator("auto"))
        return
    labels = [words.setting_value(values.name, value) for value in values.values]
    sizes = sizes_of(ax)
    longest = max(map(len, labels)) + 2 if across else 3
    most = max(2, sizes.characters(appearance.inches(ax)[0 if across else 1], sizes.tick) // longest)
    shown = range(0, len(labels), -(-len(labels) // most))
    axis.set_ticks([values.middle(i) for i in shown], [labels[i] for i in shown])
