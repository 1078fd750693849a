"""Histories: value, gradient norm, learning rate and coordinates against the step or the epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, Unpack

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest
from fallline.pictures import words
from fallline.pictures.bands import Band
from fallline.pictures.histories import STEPS, Histories, History, histories_data
from fallline.pictures.paths import Runs
from fallline.results.spread import SpreadKind
from fallline.views import appearance, legends, traces
from fallline.views.appearance import WIDTH, figure_of, new_figure
from fallline.views.look import Look, Options, look_of, sizes_of, theme_of

XScale: TypeAlias = Literal["linear", "log"]
# The height of a row of small plots, and the least width of one, by the size of its labels.
ROW, LEAST_WIDTH = 2.2, 16.0
# Runs that the legend does not name are so much thinner, and so opaque.
THIN, PALE = 0.6, 0.4

# The opacity of a band, the most that a run behind it has, and that of all of them together.
BAND, BEHIND, ALL_BEHIND = 0.3, 0.4, 3.0


def plot_histories(
    runs: Runs,
    quantities: Sequence[str] | None = None,
    xscale: XScale = "linear",
    *,
    spread: SpreadKind = "quartiles",
    **options: Unpack[Options],
) -> Figure:
    """Draw value, gradient norm, rate and coordinates of runs against the step, or the epoch with data.

    Positive quantities that span more than two decades get a log axis, which ends where numbers are no more than the
    rounding of the first one. A quantity that does not change is told in a line of text. Dashed lines are the levels of
    the runs' stopping conditions; a circle marks the lowest value. Of more than eight runs the legend names the first.
    Of three or more runs of a rule in a comparison the spread is drawn as a band, and the runs faint behind it.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories; they share each small plot.
        quantities: some of "value", "gradient_norm", "rate", "step_length" and the coordinates' names; None:
            value, gradient norm, rate, and the six coordinates that moved the farthest.
        xscale: "linear" or "log", the scale of the steps; on a log scale the start, step 0, is not seen.
        spread: the band of a rule's runs: the median and "quartiles", or the mean and the standard "deviation".
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    Raises:
        FalllineError: when there is no such quantity, scale or spread, or `ax` is given for several quantities.

    >>> import fallline
    >>> run = fallline.minimize(lambda x: x**2, 3.0, fallline.GradientDescent(0.1), max_steps=40)
    >>> [ax.get_ylabel() for ax in plot_histories(run, ["value", "x"]).axes]
    ['f', 'x']
    """
    look = Look.of(options, plot_histories)
    check_xscale(xscale)
    data = histories_data(runs, quantities, spread=spread)
    if look.ax is not None or len(data.panels) == 1:
        if len(data.panels) > 1:
            raise FalllineError(
                "ax", problem=f"takes one quantity, but quantities are {len(data.panels)}", allowed="leave ax out"
            )
        return draw_alone(look, data, xscale)
    width = look.figsize[0] if look.figsize is not None else look.sizes.width
    columns = min(data.columns, max(1, int(72 * width / (LEAST_WIDTH * look.sizes.label))))
    rows = -(-len(data.panels) // columns)
    lines = legends.lines_of(look, [label for label, _ in _entries(look, data)], share=1)
    figure = new_figure(WIDTH, 1.0 + ROW * rows + lines * appearance.legend_line(look), look)
    draw_panels(figure, data, xscale, (rows, columns))
    return appearance.finished(figure, look)


def plot_steps(
    runs: Runs, xscale: XScale = "linear", *, spread: SpreadKind = "quartiles", **options: Unpack[Options]
) -> Figure:
    """Draw the length of each step of the runs, and beside it the learning rate of the step, unless it is constant.

    The length of a step is known where both its ends were recorded: a run that recorded only every k-th step has no
    lengths to show.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories.
        xscale: "linear" or "log", the scale of the steps.
        spread: as in `plot_histories`.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    >>> import fallline
    >>> rule = fallline.GradientDescent(fallline.Exponential(0.1, decay=0.9))
    >>> run = fallline.minimize(lambda x: x**2, 3.0, rule, max_steps=40)
    >>> [ax.get_ylabel() for ax in plot_steps(run).axes]
    ['length of the step', 'learning rate']
    """
    return plot_histories(runs, STEPS, xscale, spread=spread, **options)


def check_xscale(xscale: Any) -> None:
    """Raise a FalllineError for a scale of the steps that does not exist."""
    scales = ("linear", "log")
    if xscale not in scales:
        raise FalllineError("xscale", xscale, nearest(str(xscale), scales))


def draw_alone(look: Look, data: Histories, xscale: XScale) -> Figure:
    """Draw a single quantity on axes of its own, with title and legend."""
    labels = [label for label, _ in _entries(look, data)]
    figure, ax = figure_of(look, keys=legends.lines_of(look, labels))
    _draw(ax, data, data.panels[0], xscale)
    appearance.set_title(ax, *data.title)
    _legend(ax, data)
    return appearance.finished(figure, look)


def draw_panels(figure: Figure, data: Histories, xscale: XScale, shape: tuple[int, int]) -> None:
    """Draw one small plot per quantity on a figure, in rows and columns."""
    axes = appearance.new_axes(figure, *shape)
    appearance.set_figure_title(figure, *data.title)
    for place, panel in zip(axes, data.panels, strict=False):
        _draw(place, data, panel, xscale)
    for number in range(len(data.panels)):
        # The plot below has the same steps.
        appearance.label_outer(axes[number], left=True, bottom=number + shape[1] >= len(data.panels))
    for place in axes[len(data.panels) :]:
        place.remove()
    figure.align_ylabels()
    _legend(figure, data)
    if data.omitted:
        appearance.note(axes[0], f"{data.omitted} more coordinates moved less")


def _legend(drawn: Any, data: Histories) -> None:
    """The legend of axes or of a figure."""
    entries = _entries(look_of(drawn), data)
    legends.legend_of(drawn, [legends.key(label, line) for label, line in entries])


def _entries(look: Look, data: Histories) -> list[tuple[str, dict[str, Any]]]:
    """The legend: the runs, if there are several, the marks, and what is told, not drawn."""
    entries: list[tuple[str, dict[str, Any]]] = []
    if len(data.panels[0].series) > 1:
        names = legends.own_names(look, data.labels)
        entries += [(name, traces.series_line(look, number)) for number, name in enumerate(names)]
    if data.others:
        entries.append((data.others, traces.series_line(look, len(entries)) | _pale(look)))
    for best, series in ((panel.best, panel.series) for panel in data.panels if panel.best is not None):
        number = series[best.run].number
        entries.append((best.text, traces.series_line(look, number) | _ring(look)))
    if any(panel.floor is not None for panel in data.panels):
        band = {"color": look.theme.grid, "linewidth": 3 * look.sizes.line}
        entries.append(("less than the rounding of the first number", band))
    return entries + [(text, {"linestyle": "none"}) for text in data.constants]


def _ring(look: Look) -> dict[str, Any]:
    edge = {"markeredgecolor": look.theme.ink, "markeredgewidth": 0.5 * look.sizes.line}
    return {"marker": "o", "markerfacecolor": "none", "markersize": look.sizes.marker, **edge}


def _pale(look: Look) -> dict[str, Any]:
    return {"linewidth": THIN * look.sizes.line, "alpha": PALE}


def _draw(ax: Axes, data: Histories, panel: History, xscale: XScale) -> None:
    theme = theme_of(ax)
    named = len(data.labels) or (0 if data.others else len(panel.series))
    behind = {band.number: min(BEHIND, ALL_BEHIND / band.runs) for band in panel.bands}
    for place, series in enumerate(panel.series):
        # A line through a single point is invisible.
        marker = "o" if np.isfinite(series.numbers).sum() == 1 else ""
        look = {"marker": marker} | traces.series_look(ax, series.number)
        if series.number in behind:
            look |= {"alpha": behind[series.number], "linewidth": look["linewidth"] / 3, "linestyle": "-"}
        elif series.number >= named and not (panel.best is not None and panel.best.run == place):
            look |= _pale(look_of(ax)) | {"zorder": 1.9}
        ax.plot(series.times, panel.shown(series.numbers), **look)
    for band in panel.bands:
        _draw_band(ax, panel, band)
    ax.set_ylim(*panel.limits)
    if panel.log:
        ax.set_yscale("log")
        appearance.decades(ax.yaxis)
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    # Whole numbers of up to six digits, whatever the user's settings are.
    ax.ticklabel_format(axis="x", style="sci", scilimits=(-5, 6))
    if xscale == "log" and any((series.times > 0).any() for series in panel.series):
        ax.set_xscale("log")
        appearance.decades(ax.xaxis)
    ax.grid(color=theme.grid)
    appearance.label_axes(ax, data.unit, panel.name)
    _annotate(ax, panel)


def _draw_band(ax: Axes, panel: History, band: Band) -> None:
    look = traces.series_look(ax, band.number)
    low, middle, high = (_within(part, panel) for part in (band.low, band.middle, band.high))
    # On a log axis a band that goes below zero has no lower end, and would hide all others down to the axis.
    open_below = panel.log & (band.low <= 0)
    low = np.where(open_below, middle, low)
    ax.fill_between(band.times, low, high, color=look["color"], alpha=BAND, linewidth=0, zorder=3)
    ax.plot(band.times, middle, zorder=4, **look)
    if open_below.any():
        appearance.note(ax, "lower half left out where it is below 0")


def _within(numbers: FloatArray, panel: History) -> FloatArray:
    """The numbers of a band, drawn near the limits where they are beyond."""
    low, high = panel.limits
    return np.clip(numbers, low, high) if panel.log else np.clip(numbers, 2 * low - high, 2 * high - low)


def _annotate(ax: Axes, panel: History) -> None:
    """Mark what a reader looks for: the targets, the lowest value, and the floor below which all is rounding."""
    theme, sizes = theme_of(ax), sizes_of(ax)
    told: dict[str, Any] = {"fontsize": sizes.note, "color": theme.ink}
    across = ax.get_yaxis_transform()
    for target in panel.targets:
        text = f"target {words.number(target)}"
        if _widened(ax, target, panel):
            level: dict[str, Any] = {"color": theme.ink, "linewidth": 0.4 * sizes.line, "linestyle": (0, (6, 4))}
            ax.hlines(target, 0, 1, transform=across, zorder=1.8, **level)
            ax.text(0.02, target, text, transform=across, va="bottom", **told)
        elif target < panel.limits[0]:
            ax.text(0.02, 0.02, f"{text} is below", transform=ax.transAxes, va="bottom", **told)
    if panel.floor is not None:
        ax.axhspan(panel.limits[0], panel.floor, color=theme.grid, linewidth=0, zorder=0.5)
    if panel.best is not None:
        number = panel.shown(np.array([panel.best.number]))
        edge: dict[str, Any] = {"facecolors": "none", "edgecolors": theme.ink, "linewidths": 0.5 * sizes.line}
        ax.scatter([panel.best.time], number, s=sizes.marker**2, zorder=4, clip_on=False, **edge)


def _widened(ax: Axes, target: float, panel: History) -> bool:
    """Whether a target is shown: the axis is widened to it, by no more than its own length."""
    low, high = panel.limits
    if panel.log and target <= 0:
        return False
    places = np.log([low, high, target]) if panel.log else np.array([low, high, target])
    if not 2 * places[0] - places[1] <= places[2] <= 2 * places[1] - places[0]:
        return False
    ends = words.padded(min(places[0], places[2]), max(places[1], places[2]))
    if not places[0] <= places[2] <= places[1]:
        ax.set_ylim(*(np.exp(ends) if panel.log else ends))
    return True
