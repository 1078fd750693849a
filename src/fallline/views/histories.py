"""How value, gradient, rate and coordinates went, against the step or the epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest
from fallline.trajectory import Trajectory
from fallline.views import paths, style
from fallline.views.paths import Interval, Labelled, Runs

OVERALL = ("value", "gradient_norm", "rate")
# A picture of more coordinates than these shows those that moved the farthest.
MOST_COORDINATES = 6
# Positive numbers that span more than this are shown on a log axis.
DECADES = 100.0
# Farther out the ticks of a log axis overflow.
SMALLEST, LARGEST = 1e-150, 1e150


@dataclass(frozen=True, eq=False)
class Series:
    """One quantity of one run.

    Attributes:
        label: what the run is called.
        times: the step or epoch of each number, shape (rows,).
        numbers: shape (rows,); NaN where not finite.
    """

    label: str
    times: FloatArray
    numbers: FloatArray


@dataclass(frozen=True, eq=False)
class History:
    """One quantity of all runs: one small plot.

    Attributes:
        quantity: "value", "gradient_norm", "rate" or a coordinate's name.
        name: what the axis is called.
        log: whether the axis is logarithmic.
        limits: the lowest and the highest number shown.
        series: one a run.
    """

    quantity: str
    name: str
    log: bool
    limits: Interval
    series: tuple[Series, ...]


@dataclass(frozen=True, eq=False)
class Histories:
    """Several quantities of the same runs.

    Attributes:
        title: the lines of the title.
        unit: what the times count: "step" or "epoch".
        panels: the quantities.
        labels: what to say of each run in the legend.
        omitted: how many coordinates are not shown, since they moved less than those that are.
    """

    title: tuple[str, str]
    unit: str
    panels: tuple[History, ...]
    labels: tuple[str, ...]
    omitted: int


def histories_data(runs: Runs, quantities: Sequence[str] | None = None) -> Histories:
    """The histories of runs.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories.
        quantities: some of "value", "gradient_norm", "rate" and the coordinates' names; None: all, of the
            coordinates the six that moved the farthest.

    Raises:
        FalllineError: when there is no such quantity.
    """
    pairs = paths.labelled(runs)
    names = pairs[0].run.names
    omitted = 0
    if quantities is None:
        farthest = _farthest([run for _, run in pairs])
        omitted = len(names) - len(farthest)
        quantities = [*OVERALL, *farthest]
    elif isinstance(quantities, str):
        quantities = [quantities]
    known = [*OVERALL, *names]
    for quantity in quantities:
        if quantity not in known:
            raise FalllineError(f"quantities names {quantity!r}; {nearest(str(quantity), known)}")
    if not quantities:
        raise FalllineError(f"quantities is empty; {nearest('', known)}")
    symbol = paths.value_symbol(pairs[0].run.objective)
    single = len(pairs) == 1
    title = style.run_title(pairs[0].run, symbol) if single else (pairs[0].run.title, "")
    return Histories(
        title=title,
        unit=paths.unit_of(pairs),
        panels=tuple(_history(pairs, quantity, symbol) for quantity in quantities),
        labels=tuple(f"{label}: {style.outcome(run, symbol)}" for label, run in pairs),
        omitted=omitted,
    )


def plot_histories(runs: Runs, quantities: Sequence[str] | None = None, *, ax: Axes | None = None) -> Figure:
    """Draw value, gradient norm, rate and coordinates of runs against the step, or the epoch with data.

    Numbers that stay positive over more than two decades get a log axis.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories; they share each small plot.
        quantities: some of "value", "gradient_norm", "rate" and the coordinates' names; None: all, of the
            coordinates the six that moved the farthest.
        ax: the axes for a single quantity; None: a new figure.

    Returns:
        The figure.

    Raises:
        FalllineError: when there is no such quantity, or `ax` is given for several.

    >>> import fallline
    >>> run = fallline.minimize(lambda x: x**2, 3.0, fallline.GradientDescent(0.1), max_steps=40)
    >>> [ax.get_ylabel() for ax in plot_histories(run, ["value", "x"]).axes]
    ['f', 'x']
    """
    data = histories_data(runs, quantities)
    if len(data.panels) == 1:
        figure, ax = style.figure_of(ax, keys=len(data.labels))
        style.set_title(ax, *data.title)
        axes = [ax]
    else:
        if ax is not None:
            raise FalllineError(f"ax takes one quantity, but quantities are {len(data.panels)}; leave ax out")
        columns = 2 if len(data.panels) <= 4 else 3
        rows = -(-len(data.panels) // columns)
        figure = style.new_figure(4.6 * columns, 0.8 + 2.8 * rows + 0.22 * len(data.labels))
        axes = list(figure.subplots(rows, columns, squeeze=False).flat)
        style.set_figure_title(figure, *data.title)
    for place, panel in zip(axes, data.panels, strict=False):
        _draw(place, panel, data.unit)
    for place in axes[len(data.panels) :]:
        place.set_axis_off()
    if len(data.labels) > 1:
        keys = [style.key(label, style.series_look(number)) for number, label in enumerate(data.labels)]
        if len(axes) == 1:
            style.legend_below(axes[0], keys, columns=1)
        else:
            style.figure_legend_below(figure, keys)
    if data.omitted:
        style.note(axes[0], f"{data.omitted} more coordinates moved less")
    return figure


def _draw(ax: Axes, panel: History, unit: str) -> None:
    for number, series in enumerate(panel.series):
        # A line through one point is invisible.
        marker = "o" if np.isfinite(series.numbers).sum() == 1 else ""
        numbers = series.numbers if panel.log else _visible(series.numbers, panel.limits)
        ax.plot(series.times, numbers, marker=marker, **style.series_look(number))
    ax.set_ylim(*panel.limits)
    if panel.log:
        ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    ax.grid(color="0.9")
    style.label_axes(ax, unit, panel.name)


def _visible(numbers: FloatArray, limits: Interval) -> FloatArray:
    """The numbers inside the limits, and one more at each end where the line leaves them; NaN elsewhere.

    What lies far out would overflow on its way to the screen, so a line that leaves is cut off soon.
    """
    low, high = limits
    inside = np.pad((numbers >= low) & (numbers <= high), 1)
    drawn = inside[1:-1] | inside[:-2] | inside[2:]
    return np.where(drawn, np.clip(numbers, 2 * low - high, 2 * high - low), np.nan)


def _history(pairs: Sequence[Labelled], quantity: str, symbol: str) -> History:
    series = []
    ends = []
    for label, run in pairs:
        numbers, best = _numbers(run, quantity)
        numbers = np.where(np.isfinite(numbers), numbers, np.nan)
        series.append(Series(label, paths.time_of(run), numbers))
        ends.append(paths.reach(numbers, best))
    every = np.concatenate([one.numbers for one in series])
    every = every[np.isfinite(every)]
    positive = every[every > 0]
    # A gradient norm of exactly zero ends many a run: it must not cost the picture its log axis.
    log = quantity == "gradient_norm" or bool((every > 0).all())
    log = log and positive.size > 0 and bool(positive.max() / positive.min() > DECADES)
    if log:
        limits = max(float(positive.min()), SMALLEST) / 2, min(float(positive.max()), LARGEST) * 2
    else:
        limits = style.padded(min(low for low, _ in ends), max(high for _, high in ends))
    names = {"value": symbol, "gradient_norm": "gradient norm", "rate": "learning rate"}
    return History(quantity, names.get(quantity, quantity), log, limits, tuple(series))


def _numbers(run: Trajectory, quantity: str) -> tuple[FloatArray, float]:
    """A quantity of a run at each row, and at its best point."""
    if quantity == "value":
        return run.value, run.best.value
    if quantity == "gradient_norm":
        with np.errstate(over="ignore", invalid="ignore"):
            return run.gradient_norm, run.best.gradient_norm
    if quantity == "rate":
        return run.rate, float(run.rate[0])
    column = run.names.index(quantity)
    return run.x[:, column], float(run.best.x[column])


def _farthest(runs: Sequence[Trajectory]) -> list[str]:
    """The coordinates to show, in their own order: those that moved the farthest where there are many."""
    names = runs[0].names
    if len(names) <= MOST_COORDINATES:
        return list(names)
    moved = np.zeros(len(names))
    for run in runs:
        finite = run.x[np.isfinite(run.x).all(axis=1)]
        moved = np.maximum(moved, np.ptp(finite, axis=0))
    return [names[i] for i in sorted(np.argsort(-moved, kind="stable")[:MOST_COORDINATES])]
