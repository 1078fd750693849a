"""How value, gradient, rate and coordinates went, against the step or the epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest
from fallline.stopping import norm
from fallline.trajectory import Trajectory
from fallline.views import appearance, paths
from fallline.views.appearance import Style, figure_of, new_figure
from fallline.views.paths import Interval, Labelled, Runs

OVERALL = ("value", "gradient_norm", "rate")
# Every quantity with the name of its axis; the value has the objective's own.
NAMES = {"gradient_norm": "gradient norm", "rate": "learning rate", "step_length": "length of the step"}
# Zeros among these cost a picture no log axis: with them ends many a run.
LENGTHS = ("gradient_norm", "step_length")
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
        quantity: "value", "gradient_norm", "rate", "step_length" or a coordinate's name.
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

    @property
    def columns(self) -> int:
        """How many small plots stand side by side."""
        return 2 if len(self.panels) in (2, 4) else 3

    @property
    def rows(self) -> int:
        """How many small plots stand one above the other."""
        return -(-len(self.panels) // self.columns)


def histories_data(runs: Runs, quantities: Sequence[str] | None = None) -> Histories:
    """The histories of runs.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories.
        quantities: some of "value", "gradient_norm", "rate", "step_length" and the coordinates' names; None:
            value, gradient norm, rate, and of the coordinates the six that moved the farthest.

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
    known = ["value", *NAMES, *names]
    for quantity in quantities:
        if quantity not in known:
            raise FalllineError(f"quantities names {quantity!r}; {nearest(str(quantity), known)}")
    if not quantities:
        raise FalllineError(f"quantities is empty; {nearest('', known)}")
    symbol = paths.value_symbol(pairs[0].run.objective)
    single = len(pairs) == 1
    title = appearance.run_title(pairs[0].run, symbol) if single else (pairs[0].run.title, "")
    return Histories(
        title=title,
        unit=paths.unit_of(pairs),
        panels=tuple(_history(pairs, quantity, symbol) for quantity in quantities),
        labels=tuple(f"{label}: {appearance.outcome(run, symbol)}" for label, run in pairs),
        omitted=omitted,
    )


def plot_histories(
    runs: Runs, quantities: Sequence[str] | None = None, *, style: Style = "light", ax: Axes | None = None
) -> Figure:
    """Draw value, gradient norm, rate and coordinates of runs against the step, or the epoch with data.

    Numbers that stay positive over more than two decades get a log axis.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories; they share each small plot.
        quantities: some of "value", "gradient_norm", "rate", "step_length" and the coordinates' names; None:
            value, gradient norm, rate, and of the coordinates the six that moved the farthest.
        style: "light" or "dark".
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
    if ax is not None or len(data.panels) == 1:
        if len(data.panels) > 1:
            raise FalllineError(f"ax takes one quantity, but quantities are {len(data.panels)}; leave ax out")
        figure, ax = figure_of(ax, style, keys=len(data.labels))
        draw_alone(ax, data)
        return figure
    figure = new_figure(4.6 * data.columns, 0.8 + 2.8 * data.rows + 0.22 * len(data.labels), style)
    draw_panels(figure, data)
    return figure


def plot_steps(runs: Runs, *, style: Style = "light") -> Figure:
    """Draw how long each step of the runs was, and beside it the learning rate that it was made with.

    A step is the move from one recorded point to the next: a run that recorded every k-th step only has no such
    moves to show.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories.
        style: "light" or "dark".

    Returns:
        The figure.

    >>> import fallline
    >>> run = fallline.minimize(lambda x: x**2, 3.0, fallline.GradientDescent(0.1), max_steps=40)
    >>> [ax.get_ylabel() for ax in plot_steps(run).axes]
    ['length of the step', 'learning rate']
    """
    return plot_histories(runs, ("step_length", "rate"), style=style)


def draw_alone(ax: Axes, data: Histories) -> None:
    """The only quantity, on axes with a title and a legend of their own."""
    _draw(ax, data.panels[0], data.unit)
    appearance.set_title(ax, *data.title)
    if len(data.labels) > 1:
        appearance.legend_below(ax, _keys(ax, data), columns=1)


def draw_panels(figure: Figure, data: Histories) -> None:
    """One small plot a quantity, on a figure of their own."""
    axes = appearance.new_axes(figure, data.rows, data.columns)
    appearance.set_figure_title(figure, *data.title)
    for place, panel in zip(axes, data.panels, strict=False):
        _draw(place, panel, data.unit)
    for place in axes[len(data.panels) :]:
        place.set_axis_off()
    if len(data.labels) > 1:
        appearance.figure_legend_below(figure, _keys(axes[0], data))
    if data.omitted:
        appearance.note(axes[0], f"{data.omitted} more coordinates moved less")


def _keys(ax: Axes, data: Histories) -> list[Line2D]:
    theme = appearance.theme_of(ax)
    return [appearance.key(label, appearance.series_look(number, theme)) for number, label in enumerate(data.labels)]


def _draw(ax: Axes, panel: History, unit: str) -> None:
    theme = appearance.theme_of(ax)
    for number, series in enumerate(panel.series):
        # A line through one point is invisible.
        marker = "o" if np.isfinite(series.numbers).sum() == 1 else ""
        numbers = series.numbers if panel.log else _visible(series.numbers, panel.limits)
        ax.plot(series.times, numbers, marker=marker, **appearance.series_look(number, theme))
    ax.set_ylim(*panel.limits)
    if panel.log:
        ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    ax.grid(color=theme.grid)
    appearance.label_axes(ax, unit, panel.name)


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
    log = quantity in LENGTHS or bool((every > 0).all())
    # What lies beyond such an axis lies at its end.
    low, high = np.clip([positive.min(), positive.max()], SMALLEST, LARGEST) if log and positive.size else (1.0, 1.0)
    log = bool(high / low > DECADES)
    if log:
        limits = float(low) / 2, float(high) * 2
    else:
        limits = appearance.padded(min(low for low, _ in ends), max(high for _, high in ends))
    name = symbol if quantity == "value" else NAMES.get(quantity, quantity)
    return History(quantity, name, log, limits, tuple(series))


def _numbers(run: Trajectory, quantity: str) -> tuple[FloatArray, float]:
    """A quantity of a run at each row, and at the point that it was after."""
    if quantity == "value":
        return run.value, paths.goal_of(run).value
    if quantity == "gradient_norm":
        with np.errstate(over="ignore", invalid="ignore"):
            return run.gradient_norm, paths.goal_of(run).gradient_norm
    if quantity == "rate":
        return run.rate, float(run.rate[0])
    if quantity == "step_length":
        lengths = step_lengths(run)
        return lengths, float(lengths[0])
    column = run.names.index(quantity)
    return run.x[:, column], float(paths.goal_of(run).x[column])


def step_lengths(run: Trajectory) -> FloatArray:
    """The Euclidean length of the step that leaves each row, shape (rows,); NaN where none was recorded.

    >>> import fallline
    >>> step_lengths(fallline.minimize("2*x", 3.0, fallline.GradientDescent(0.25), max_steps=2))
    array([0.5, 0.5, nan])
    """
    lengths = np.full(len(run), np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        moves = norm(np.diff(run.x, axis=0))
    lengths[:-1] = np.where(np.diff(run.steps) == 1, moves, np.nan)
    return lengths


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
