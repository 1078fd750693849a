"""Which start ends in which minimum: a map in the colours of the minima, darker where the way took more steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from fallline.arrays import BoolArray, FloatArray
from fallline.views import appearance
from fallline.views.paths import Interval

if TYPE_CHECKING:
    from fallline.basins import Basins

# A legend of more minima than these names the largest; the map shows all.
MOST_KEYS = 8
# Okabe and Ito (2008), Color Universal Design; black is for the marks.
OKABE_ITO = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
COLOURS = np.array([to_rgb(colour) for colour in OKABE_ITO])
NOT_ARRIVED, DIVERGED = (0.82, 0.82, 0.82), (0.4, 0.4, 0.4)
HATCH = "////"
# How much white is in the colour of the fastest start, and how much black in that of the slowest.
LIGHTEST, DARKEST = 0.55, 0.5


@dataclass(frozen=True, eq=False)
class BasinMap:
    """What the picture of basins shows.

    Attributes:
        title: the lines of the title.
        names: the two coordinates.
        starts: where the runs start in each.
        extent: from where to where the picture reaches in each: half a cell beyond the outermost starts.
        image: the colour of each start, shape (rows, columns, 3), between 0 and 1.
        diverged: where it is hatched, shape (rows, columns).
        steps: the numbers of steps that have the lightest and the darkest colour; None where no run arrived.
        keys: what to say of each of the largest basins, and its colour.
        rest: what to say of the other basins; empty when there are none.
        marks: the places of the minima in the picture, shape (m, 2); those with a key come first.
        remark: where the other coordinates are held.
    """

    title: tuple[str, str]
    names: tuple[str, str]
    starts: tuple[FloatArray, FloatArray]
    extent: tuple[Interval, Interval]
    image: FloatArray
    diverged: BoolArray
    steps: Interval | None
    keys: tuple[tuple[str, tuple[float, float, float]], ...]
    rest: str
    marks: FloatArray
    remark: str


def basin_map_data(found: Basins) -> BasinMap:
    """What the picture of basins shows.

    Arguments:
        found: what `basins` returned.
    """
    count = len(found.minima)
    colours = COLOURS[_told_apart(found.basin, count)]
    palette = np.vstack([colours.reshape(-1, 3), DIVERGED, NOT_ARRIVED])
    image = palette[found.basin]
    arrived = found.basin >= 0
    steps = None
    if arrived.any():
        fewest, most = (float(end) for end in np.quantile(found.steps[arrived], (0.01, 0.99)))
        steps = fewest, max(most, fewest + 1)
        shade = _shaded(image[arrived], (found.steps[arrived].astype(float) - steps[0]) / (steps[1] - steps[0]))
        image[arrived] = shade
    shares = [found.share(place) for place in range(count)]
    symbols = [found.names.index(name) for name in found.axes]
    keys = [
        (f"{place + 1}: {_point(found, place)}, {appearance.percent(shares[place])}", tuple(colours[place].tolist()))
        for place in range(min(count, MOST_KEYS))
    ]
    left = count - len(keys)
    for label, colour, place in (("does not arrive", NOT_ARRIVED, -1), ("diverges", DIVERGED, -2)):
        if found.share(place):
            keys.append((f"{label}: {appearance.percent(found.share(place))}", colour))
    held = [f"{name} = {appearance.number(value)}" for name, value in found.held.items()]
    return BasinMap(
        title=(found.title, found.optimizer.replace("_", " ")),
        names=found.axes,
        starts=(found.x, found.y),
        extent=(_cells(found.x), _cells(found.y)),
        image=image,
        diverged=found.basin == -2,
        steps=steps,
        keys=tuple(keys),
        rest=f"and {left} more minima: {appearance.percent(sum(shares[MOST_KEYS:]))}" if left > 0 else "",
        marks=found.minima[:, symbols],
        remark="from " + ", ".join(held) if held else "",
    )


def plot_basins(found: Basins, *, style: appearance.Style = "light", ax: Axes | None = None) -> Figure:
    """Draw which start ends in which minimum.

    Each minimum has a colour, light where the run took few steps and dark where it took many. Grey starts do not
    arrive, hatched ones diverge. Where there are more minima than colours, neighbours differ.

    Arguments:
        found: what `basins` returned.
        style: "light" or "dark".
        ax: the axes to draw on; None: a new figure.

    Returns:
        The figure.

    >>> import fallline
    >>> found = fallline.basins("himmelblau", fallline.GradientDescent(0.01), resolution=16)
    >>> plot_basins(found).axes[0].get_xlabel()
    'x'
    """
    data = basin_map_data(found)
    figure, ax = appearance.figure_of(ax, style, keys=1 + (len(data.keys) + bool(data.rest)) // 2)
    (left, right), (bottom, top) = data.extent
    options: dict[str, Any] = {"origin": "lower", "extent": (left, right, bottom, top), "aspect": "auto"}
    ax.imshow(data.image, interpolation="nearest", **options)
    if data.diverged.any():
        hatched = ax.contourf(*data.starts, data.diverged, (0.5, 1.5), colors="none", hatches=[HATCH])
        hatched.set(edgecolor="white", linewidth=0)
    for number, place in enumerate(data.marks):
        if left <= place[0] <= right and bottom <= place[1] <= top:
            _mark(ax, place, str(number + 1) if number < MOST_KEYS else "")
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    appearance.label_axes(ax, *data.names)
    # Above the map: in a corner of it, words would hide where starts lead.
    appearance.set_title(ax, *data.title, data.remark)
    if data.steps is not None:
        greys = ListedColormap(_shaded(np.full((256, 3), 0.5), np.linspace(0, 1, 256)), name="steps")
        whole = MaxNLocator("auto", integer=True)
        bar = figure.colorbar(ScalarMappable(Normalize(*data.steps), greys), ax=ax, pad=0.02, ticks=whole)
        appearance.dress_bar(bar, "steps")
    patches = [
        Patch(
            facecolor=colour,
            edgecolor="white" if colour == DIVERGED else appearance.LIGHT.edge,
            hatch=HATCH if colour == DIVERGED else None,
            label=appearance.plain(label),
        )
        for label, colour in data.keys
    ]
    if data.rest:
        patches.append(Patch(facecolor="none", label=data.rest))
    appearance.legend_below(ax, patches, columns=2)
    return figure


def _told_apart(basin: npt.NDArray[np.int32], count: int) -> npt.NDArray[np.int64]:
    """A colour for each minimum in turn: the one with which it shares the least border so far."""
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
        # With nothing else to choose by, the colour used least.
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


def _cells(places: FloatArray) -> Interval:
    half = (places[1] - places[0]) / 2
    return float(places[0] - half), float(places[-1] + half)


def _mark(ax: Axes, place: FloatArray, number: str) -> None:
    """A minimum: its number in a white disc, or a small disc."""
    ax.plot(*place, marker="o", markersize=13 if number else 4, color="white", markeredgecolor=appearance.LIGHT.edge)
    ax.annotate(number, tuple(place), ha="center", va="center_baseline", fontsize=9, color=appearance.LIGHT.edge)


def _point(found: Basins, place: int) -> str:
    numbers = found.minima[place]
    shown = ", ".join(appearance.number(number if abs(number) > 1e-9 else 0.0) for number in numbers[:4])
    more = ", …" if len(numbers) > 4 else ""
    value = found.values[place]
    return f"({shown}{more}), f = {appearance.number(value if abs(value) > 1e-9 else 0.0)}"
