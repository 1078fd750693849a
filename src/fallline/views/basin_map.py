"""The map of basins: each start in the colour of the minimum it ends in, darker for more steps."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from fallline.arrays import FloatArray
from fallline.pictures.basin_map import MOST_KEYS, BasinMap, basin_map_data
from fallline.results.basins import DIVERGED, Basins
from fallline.views import appearance, legends
from fallline.views.look import Look, Options, sizes_of
from fallline.views.theme import LIGHT

# Okabe and Ito (2008), Color Universal Design; black is for the marks.
OKABE_ITO = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
COLOURS = np.array([to_rgb(colour) for colour in OKABE_ITO])
GREY, DARK_GREY = (0.82, 0.82, 0.82), (0.4, 0.4, 0.4)
HATCH = "////"
# The share of white in the colour of the fastest start, and of black in that of the slowest.
LIGHTEST, DARKEST = 0.55, 0.5
# On a map of so many starts there is room for a dot at each.
MOST_DOTS = 900
# The width of the axes as a share of that of the figure.
AXES = 0.84


def plot_basins(found: Basins, **options: Unpack[Options]) -> Figure:
    """Draw which start ends in which minimum.

    Each minimum has a colour, light where the run took few steps and dark where it took many, unless all took about
    equally many. Grey starts do not arrive, hatched ones diverge. Where there are more minima than colours, neighbours
    differ. On a coarse map a dot marks each start.

    Arguments:
        found: what `basins` returned.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    >>> import fallline
    >>> found = fallline.basins("himmelblau", None, fallline.GradientDescent(0.01), resolution=16)
    >>> plot_basins(found).axes[0].get_xlabel()
    'x'
    """
    look = Look.of(options, plot_basins)
    data = basin_map_data(found)
    keys = _keys(data, 0.4 * look.sizes.line)
    lines = legends.lines_of(look, [str(entry.get_label()) for entry in keys], share=AXES)
    figure, ax = appearance.figure_of(look, keys=lines)
    (left, right), (bottom, top) = data.extent
    stretched: dict[str, Any] = {"origin": "lower", "extent": (left, right, bottom, top), "aspect": "auto"}
    ax.imshow(start_colours(data), interpolation="nearest", **stretched)
    diverged = data.basin == DIVERGED
    if diverged.any():
        hatched = ax.contourf(*data.starts, diverged, (0.5, 1.5), colors="none", hatches=[HATCH])
        hatched.set(edgecolor="white", linewidth=0)
    if data.basin.size <= MOST_DOTS:
        starts = np.stack(np.meshgrid(*data.starts)).reshape(2, -1)
        ax.scatter(*starts, s=(0.25 * sizes_of(ax).marker) ** 2, color=LIGHT.edge, linewidths=0)
    for number, place in enumerate(data.marks):
        if left <= place[0] <= right and bottom <= place[1] <= top:
            _mark(ax, place, str(number + 1) if number < MOST_KEYS else "")
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    appearance.label_axes(ax, *data.names)
    # The remark stands above the map, where it hides nothing.
    appearance.set_title(ax, *data.title, data.remark)
    if data.steps is not None:
        greys = ListedColormap(_shaded(np.full((256, 3), 0.5), np.linspace(0, 1, 256)), name="steps")
        whole = MaxNLocator("auto", integer=True)
        appearance.colour_bar(ax, ScalarMappable(Normalize(*data.steps), greys), "steps", ticks=whole)
    legends.legend_of(ax, keys, share=AXES)
    return appearance.finished(figure, look)


def _keys(data: BasinMap, width: float) -> list[Artist]:
    """The legend, its boxes drawn in lines of a width."""
    hues = palette(data)
    keys: list[Artist] = [
        Patch(
            facecolor=hues[place],
            edgecolor="white" if place == DIVERGED else LIGHT.edge,
            linewidth=width,
            hatch=HATCH if place == DIVERGED else None,
            label=label,
        )
        for label, place in data.keys
    ]
    return keys + ([Patch(facecolor="none", label=data.rest)] if data.rest else [])


def palette(data: BasinMap) -> FloatArray:
    """The colour of each minimum in order; then, at -2 and -1, of starts that diverge and that do not arrive."""
    colours = COLOURS[_told_apart(data.basin, len(data.marks))]
    return np.vstack([colours.reshape(-1, 3), DARK_GREY, GREY])


def start_colours(data: BasinMap) -> FloatArray:
    """The colour of each start, shape (rows, columns, 3), between 0 and 1: its minimum's, shaded by the steps taken."""
    image = palette(data)[data.basin]
    shaded = np.isfinite(data.slowness)
    image[shaded] = _shaded(image[shaded], data.slowness[shaded])
    return image


def _told_apart(basin: npt.NDArray[np.int32], count: int) -> npt.NDArray[np.int64]:
    """The number of each minimum's colour, chosen in turn: the one with which it shares the shortest border so far."""
    border = np.zeros((count, len(COLOURS)))
    chosen = np.zeros(count, np.int64)
    sides = np.concatenate(
        [np.stack([basin[:, 1:].ravel(), basin[:, :-1].ravel()]), np.stack([basin[1:].ravel(), basin[:-1].ravel()])], 1
    )
    sides = sides[:, (sides[0] != sides[1]) & (sides >= 0).all(axis=0)]
    pairs, lengths = np.unique(np.hstack([sides, sides[::-1]]), axis=1, return_counts=True)
    ends = np.searchsorted(pairs[0], np.arange(count + 1))
    used = np.zeros(len(COLOURS))
    for place in range(count):
        # Ties go to the colour used least.
        chosen[place] = np.lexsort((used, border[place]))[0]
        used[chosen[place]] += 1
        mine = slice(ends[place], ends[place + 1])
        border[pairs[1, mine], chosen[place]] += lengths[mine]
    return chosen


def _shaded(colours: FloatArray, share: FloatArray) -> FloatArray:
    """The colours, shape (k, 3), lighter towards a share of 0 and darker towards 1, shape (k,)."""
    share = np.clip(share, 0, 1)[:, None]
    white, black = np.clip(1 - 2 * share, 0, 1) * LIGHTEST, np.clip(2 * share - 1, 0, 1) * DARKEST
    return np.asarray((colours * (1 - white) + white) * (1 - black))


def _mark(ax: Axes, place: FloatArray, number: str) -> None:
    """Mark a minimum by its number in a white disc, or by a small disc."""
    sizes = sizes_of(ax)
    disc = (2 if number else 0.6) * sizes.marker
    edge: dict[str, Any] = {"markeredgecolor": LIGHT.edge, "markeredgewidth": 0.4 * sizes.line}
    ax.plot(*place, marker="o", markersize=disc, color="white", **edge)
    look: dict[str, Any] = {"ha": "center", "va": "center_baseline", "fontsize": sizes.note}
    ax.annotate(number, tuple(place), color=LIGHT.edge, **look)
