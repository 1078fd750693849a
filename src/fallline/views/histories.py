"""Histories: value, gradient norm, learning rate and coordinates against the step or the epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.pictures.histories import STEPS, Histories, History, histories_data
from fallline.pictures.paths import Interval, Runs
from fallline.results.spread import SpreadKind
from fallline.views import appearance, legends, traces
from fallline.views.appearance import figure_of, new_figure
from fallline.views.look import Look, Options, look_of, theme_of

# The opacity of a band, the most that a run behind it has, and that of all of them together.
BAND, BEHIND, ALL_BEHIND = 0.3, 0.4, 3.0


def plot_histories(
    runs: Runs,
    quantities: Sequence[str] | None = None,
    *,
    spread: SpreadKind = "quartiles",
    **options: Unpack[Options],
) -> Figure:
    """Draw value, gradient norm, rate and coordinates of runs against the step, or the epoch with data.

    Positive quantities that span more than two decades get a log axis. Of three or more runs of a rule in a comparison
    the spread is drawn as a band, and the runs faint behind it.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories; they share each small plot.
        quantities: some of "value", "gradient_norm", "rate", "step_length" and the coordinates' names; None:
            value, gradient norm, rate, and the six coordinates that moved the farthest.
        spread: the band of a rule's runs: the median and "quartiles", or the mean and the standard "deviation".
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    Raises:
        FalllineError: when there is no such quantity or spread, or `ax` is given for several quantities.

    >>> import fallline
    >>> run = fallline.minimize(lambda x: x**2, 3.0, fallline.GradientDescent(0.1), max_steps=40)
    >>> [ax.get_ylabel() for ax in plot_histories(run, ["value", "x"]).axes]
    ['f', 'x']
    """
    look = Look(**options)
    data = histories_data(runs, quantities, spread=spread)
    if look.ax is not None or len(data.panels) == 1:
        if len(data.panels) > 1:
            raise FalllineError(
                "ax", problem=f"takes one quantity, but quantities are {len(data.panels)}", allowed="leave ax out"
            )
        figure, ax = figure_of(look, keys=len(data.labels))
        draw_alone(ax, data)
        return appearance.finished(figure, look)
    figure = new_figure(4.6 * data.columns, 0.8 + 2.8 * data.rows + 0.22 * len(data.labels), look)
    draw_panels(figure, data)
    return appearance.finished(figure, look)


def plot_steps(runs: Runs, *, spread: SpreadKind = "quartiles", **options: Unpack[Options]) -> Figure:
    """Draw the length of each step of the runs, and beside it the learning rate of the step.

    The length of a step is known where both its ends were recorded: a run that recorded only every k-th step has no
    lengths to show.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories.
        spread: as in `plot_histories`.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    >>> import fallline
    >>> run = fallline.minimize(lambda x: x**2, 3.0, fallline.GradientDescent(0.1), max_steps=40)
    >>> [ax.get_ylabel() for ax in plot_steps(run).axes]
    ['length of the step', 'learning rate']
    """
    return plot_histories(runs, STEPS, spread=spread, **options)


def draw_alone(ax: Axes, data: Histories) -> None:
    """Draw a single quantity, with title and legend."""
    _draw(ax, data.panels[0], data.unit)
    appearance.set_title(ax, *data.title)
    if len(data.panels[0].series) > 1:
        legends.legend_below(ax, _keys(ax, data), columns=1)


def draw_panels(figure: Figure, data: Histories) -> None:
    """Draw one small plot per quantity on a figure."""
    axes = appearance.new_axes(figure, data.rows, data.columns)
    appearance.set_figure_title(figure, *data.title)
    for place, panel in zip(axes, data.panels, strict=False):
        _draw(place, panel, data.unit)
    for place in axes[len(data.panels) :]:
        place.set_axis_off()
    if len(data.panels[0].series) > 1:
        legends.figure_legend_below(figure, _keys(axes[0], data))
    if data.omitted:
        appearance.note(axes[0], f"{data.omitted} more coordinates moved less")


def _keys(ax: Axes, data: Histories) -> list[Line2D]:
    names = legends.own_names(look_of(ax), data.labels)
    return [legends.key(ax, label, traces.series_look(ax, number)) for number, label in enumerate(names)]


def _draw(ax: Axes, panel: History, unit: str) -> None:
    theme = theme_of(ax)
    behind = {band.number: min(BEHIND, ALL_BEHIND / band.runs) for band in panel.bands}
    for series in panel.series:
        # A line through a single point is invisible.
        marker = "o" if np.isfinite(series.numbers).sum() == 1 else ""
        look = {"marker": marker} | traces.series_look(ax, series.number)
        if series.number in behind:
            look |= {"alpha": behind[series.number], "linewidth": look["linewidth"] / 3, "linestyle": "-"}
        numbers = series.numbers if panel.log else _visible(series.numbers, panel.limits)
        ax.plot(series.times, numbers, **look)
    for band in panel.bands:
        look = traces.series_look(ax, band.number)
        low, middle, high = (_within(part, panel) for part in (band.low, band.middle, band.high))
        # On a log axis a band that goes below zero has no lower end, and would hide all others down to the axis.
        open_below = panel.log & (band.low <= 0)
        low = np.where(open_below, middle, low)
        ax.fill_between(band.times, low, high, color=look["color"], alpha=BAND, linewidth=0, zorder=3)
        ax.plot(band.times, middle, zorder=4, **look)
        if open_below.any():
            appearance.note(ax, "lower half left out where it is below 0")
    ax.set_ylim(*panel.limits)
    if panel.log:
        ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    ax.grid(color=theme.grid)
    appearance.label_axes(ax, unit, panel.name)


def _within(numbers: FloatArray, panel: History) -> FloatArray:
    """The numbers of a band, drawn near the limits where they are beyond."""
    low, high = panel.limits
    return np.clip(numbers, low, high) if panel.log else np.clip(numbers, 2 * low - high, 2 * high - low)


def _visible(numbers: FloatArray, limits: Interval) -> FloatArray:
    """The numbers inside the limits, and one more wherever the line leaves them; NaN elsewhere.

    Numbers far outside would overflow in the conversion to pixels, so a line that leaves is clipped near the limits.
    """
    low, high = limits
    inside = np.pad((numbers >= low) & (numbers <= high), 1)
    drawn = inside[1:-1] | inside[:-2] | inside[2:]
    return np.where(drawn, np.clip(numbers, 2 * low - high, 2 * high - low), np.nan)
