"""How the runs of a sweep ended, over two of its factors: regions by outcome, darker where they took more steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import LogLocator

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest
from fallline.sweep import NAMES, NOT_RUN, Sweep
from fallline.views import appearance
from fallline.views.paths import Interval

# Of Okabe and Ito's colours, but for converged runs, which have shades of blue.
COLOURS = {"stuck": "#CC79A7", "slow": "#F0E442", "oscillating": "#D55E00", "diverged": "#666666"}
SHADES = matplotlib.colormaps["Blues"]
LIGHTEST, DARKEST = 0.25, 1.0
HATCH = "////"
MOST_TICKS = {"x": 6, "y": 12}
# What is there over all starts and seeds at once.
POOLED = ("start", "seed")


@dataclass(frozen=True, eq=False)
class HeatMap:
    """What the picture of a sweep shows.

    Attributes:
        title: the lines of the title.
        names: the factors along the picture's width and height; the second is empty with one factor.
        values: the values of each.
        outcome: how most of a cell's runs ended, as the place in `NAMES`, shape (rows, columns); NOT_RUN in an empty
            cell.
        steps: the median steps of its converged runs, shape (rows, columns); NaN without any.
        image: the colour of each cell, shape (rows, columns, 3), between 0 and 1.
        scale: the steps that have the lightest and the darkest blue; None where nothing converged.
        best: the column and the row of the best setting; None where nothing converged, or where it lies in no cell.
        shares: of all runs shown, the share of each outcome that occurs.
        held: the other factors and their values.
    """

    title: tuple[str, str]
    names: tuple[str, str]
    values: tuple[tuple[Any, ...], tuple[Any, ...]]
    outcome: npt.NDArray[np.int64]
    steps: FloatArray
    image: FloatArray
    scale: Interval | None
    best: tuple[int, int] | None
    shares: Mapping[str, float]
    held: Mapping[str, Any]


def heat_map_data(
    runs: Sweep, x: str | None = None, y: str | None = None, at: Mapping[str, Any] | None = None
) -> HeatMap:
    """What the picture of a sweep shows.

    Arguments:
        runs: what `sweep` returned.
        x: the factor along the width; None: the first hyperparameter with several values.
        y: the factor along the height; None: the next, or the optimizers.
        at: the values of other factors; None: those of the best setting.

    Raises:
        FalllineError: when there is no such factor or value.
    """
    settings = [name for name in runs.factors if name not in POOLED]
    several = [name for name in (*settings[1:], settings[0]) if len(runs.factors[name]) > 1]
    x = _factor(x, "x", settings) if x is not None else next(iter(several), settings[-1])
    rest = [name for name in several if name != x]
    y = _factor(y, "y", [name for name in settings if name != x]) if y is not None else next(iter(rest), "")
    first = next(iter(runs.best(1)), None)
    best = first.settings if first else {}
    held = {}
    place: list[Any] = [slice(None)] * runs.outcome.ndim
    for name in settings:
        if name not in (x, y):
            held[name] = (at or {}).get(name, best.get(name, runs.factors[name][0]))
            if held[name] not in runs.factors[name]:
                allowed = ", ".join(map(str, runs.factors[name]))
                raise FalllineError(f"at has {held[name]!r} for {name}; it must be one of {allowed}")
            place[list(runs.factors).index(name)] = runs.factors[name].index(held[name])
    for name in at or {}:
        _factor(name, "at", [name for name in settings if name not in (x, y)])
    outcome, steps = runs.outcome[tuple(place)], runs.steps[tuple(place)]
    if y and settings.index(y) < settings.index(x):
        outcome, steps = outcome.swapaxes(0, 1), steps.swapaxes(0, 1)
    if not y:
        outcome, steps = outcome[:, None], steps[:, None]
    # Runs over starts and seeds along the last axis, rows along the first.
    outcome, steps = (part.reshape(*part.shape[:2], -1).swapaxes(0, 1) for part in (outcome, steps))
    counts = np.stack([(outcome == number).sum(axis=-1) for number in range(len(NAMES))])
    # Where two are as frequent, the worse counts.
    most = len(NAMES) - 1 - counts[::-1].argmax(axis=0)
    most[~counts.any(axis=0)] = NOT_RUN
    median = np.full(most.shape, np.nan)
    some = counts[0] > 0
    median[some] = np.nanmedian(np.where(outcome == 0, steps, np.nan)[some], axis=-1)
    shown = median[most == 0]
    scale = (max(float(shown.min()), 1.0), max(float(shown.max()), float(shown.min()) + 1, 2.0)) if shown.size else None
    image = np.ones((*most.shape, 3))
    for name, colour in COLOURS.items():
        image[most == NAMES.index(name)] = to_rgb(colour)
    if scale is not None:
        image[most == 0] = _blue(shown, scale)
    total = np.count_nonzero(outcome != NOT_RUN)
    shares = {
        name: float((outcome == number).sum() / total) for number, name in enumerate(NAMES) if counts[number].any()
    }
    values = runs.factors[x], runs.factors[y] if y else ("",)
    in_view = first is not None and first.converged > 0 and all(best[name] == value for name, value in held.items())
    goal = "to rest" if runs.target is None else f"to {appearance.number(runs.target)}"
    pooled = [f"{len(runs.factors[name])} {name}s" for name in POOLED if len(runs.factors[name]) > 1]
    return HeatMap(
        title=(runs.title, ", ".join([f"{goal} in {runs.max_steps} steps", *pooled])),
        names=(x, y),
        values=values,
        outcome=most,
        steps=median,
        image=image,
        scale=scale,
        best=(values[0].index(best[x]), values[1].index(best[y]) if y else 0) if in_view else None,
        shares=shares,
        held={name: value for name, value in held.items() if name == "optimizer" or len(runs.factors[name]) > 1},
    )


def plot_heat_map(
    runs: Sweep,
    x: str | None = None,
    y: str | None = None,
    at: Mapping[str, Any] | None = None,
    *,
    style: appearance.Style = "light",
    ax: Axes | None = None,
) -> Figure:
    """Draw how the runs of a sweep ended, over two of its factors.

    A cell has the outcome of most of its runs, over all starts and seeds; where they converged, it is the darker the
    more steps they took. A star marks the best setting.

    Arguments:
        runs: what `sweep` returned.
        x: the factor along the width; None: the first hyperparameter with several values.
        y: the factor along the height; None: the next, or the optimizers.
        at: the values of other factors; None: those of the best setting.
        style: "light" or "dark".
        ax: the axes to draw on; None: a new figure.

    Returns:
        The figure.

    Raises:
        FalllineError: when there is no such factor or value.

    >>> import fallline
    >>> grid = {"learning_rate": [0.01, 0.1, 1.0, 2.5], "momentum": [0.0, 0.5, 0.9]}
    >>> runs = fallline.sweep("x**2/2", grid, 1.0, "momentum", target=1e-6)
    >>> plot_heat_map(runs).axes[0].get_ylabel()
    'momentum'
    """
    data = heat_map_data(runs, x, y, at)
    figure, ax = appearance.figure_of(ax, style, keys=1 + len(data.shares) // 2)
    rows, columns = data.outcome.shape
    ax.imshow(data.image, origin="lower", aspect="auto", interpolation="nearest")
    for row, column in zip(*np.nonzero(data.outcome == NAMES.index("diverged")), strict=True):
        hatched = Rectangle((column - 0.5, row - 0.5), 1, 1, hatch=HATCH, facecolor="none", edgecolor="white")
        hatched.set_linewidth(0)
        ax.add_patch(hatched)
    if data.best is not None:
        ax.plot(*data.best, marker="*", markersize=16, color="white", markeredgecolor=appearance.LIGHT.edge)
    appearance.label_axes(ax, *(name.replace("_", " ") for name in data.names))
    _tick(ax.xaxis, data.values[0], columns)
    _tick(ax.yaxis, data.values[1], rows)
    # Above the map: in a corner of it, words would hide what became of runs.
    appearance.set_title(ax, *data.title, ", ".join(_words(name, value) for name, value in data.held.items()))
    if data.scale is not None:
        shades = appearance.part_of(SHADES, LIGHTEST, DARKEST)
        bar = figure.colorbar(ScalarMappable(LogNorm(*data.scale), shades), ax=ax, pad=0.02, format=_steps)
        bar.ax.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        bar.ax.yaxis.set_minor_formatter(_steps)
        appearance.dress_bar(bar, "steps")
    appearance.legend_below(ax, [_key(name, share) for name, share in data.shares.items()], columns=2)
    return figure


def _key(name: str, share: float) -> Patch:
    options: dict[str, Any] = {"facecolor": COLOURS.get(name, SHADES(0.6)), "edgecolor": appearance.LIGHT.edge}
    if name == "diverged":
        options |= {"hatch": HATCH, "edgecolor": "white"}
    return Patch(label=f"{name}: {appearance.percent(share)}", **options)


def _factor(name: str, parameter: str, known: list[str]) -> str:
    if name not in known:
        raise FalllineError(f"{parameter} names the factor {name!r}; {nearest(str(name), known)}")
    return name


def _blue(steps: FloatArray, scale: Interval) -> FloatArray:
    share = np.log(np.maximum(steps, scale[0]) / scale[0]) / np.log(scale[1] / scale[0])
    return np.asarray(SHADES(LIGHTEST + (DARKEST - LIGHTEST) * share)[..., :3])


def _tick(axis: Any, values: tuple[Any, ...], count: int) -> None:
    """Some of the values along an axis whose cells are numbered."""
    places = range(0, count, -(-count // MOST_TICKS[axis.axis_name]))
    axis.set_ticks(list(places), [_text(values[i]) for i in places])


def _steps(count: float, _: object) -> str:
    return f"{count:.0f}"


def _words(name: str, value: Any) -> str:
    return str(value).replace("_", " ") if name == "optimizer" else f"{name.replace('_', ' ')} {_text(value)}"


def _text(value: Any) -> str:
    return appearance.number(value, 3) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
