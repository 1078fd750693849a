"""Pictures of functions of one coordinate: the curve, its derivative, and the points of runs on it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import lru_cache
from typing import Any, Unpack

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fallline.pictures import grid, paths, words
from fallline.pictures.curve import Curve, Descent, curve_data, descent_data
from fallline.pictures.heights import Limits, limited
from fallline.pictures.paths import Interval, Path, Runs, numbers_of
from fallline.views import appearance, legends, traces
from fallline.views.appearance import figure_of, label_outer, new_axes, new_figure, set_title
from fallline.views.look import Look, Options, look_of, sizes_of, theme_of

# More runs than these share one curve, with smaller points.
MOST_STACKED, CROWDED = 4, 0.7
# The width of the line through a run's points, by that of other lines; the ring around a start, by other markers.
THIN, RING = 0.4, 2.0
# The area of a run's first and last point, by that of the others.
LARGE = 2.2
# At most so many steps are numbered, if so far apart, as a share of the picture; and how far beside them.
NUMBERED, APART, BESIDE = 5, 0.06, 0.03


def plot_curve(
    objective: Any,
    bounds: Interval | None = None,
    *,
    derivative: bool = True,
    points: int = 512,
    **options: Unpack[Options],
) -> Figure:
    """Draw a function of one coordinate, and its derivative, over an interval.

    Arguments:
        objective: a formula, a function or an Objective.
        bounds: the two ends of the interval; None: the objective's own, or -5 to 5.
        derivative: whether to draw it: exact if the objective has one, else by central differences.
        points: how many points to take.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    Raises:
        FalllineError: when an argument is wrong, or the function is nowhere finite there.

    >>> figure = plot_curve(lambda x: (x - 10) ** 2, (0, 20))
    >>> figure.axes[0].get_xlabel()
    'x'
    """
    look = Look.of(options, plot_curve)
    data = curve_data(objective, bounds, derivative=derivative, points=points)
    figure, ax = figure_of(look)
    draw_with_slope(ax, data, look.ylim)
    set_title(ax, words.objective_words(data.title))
    return appearance.finished(figure, look)


def plot_descent(
    runs: Runs,
    *,
    bounds: Interval | None = None,
    points: int = 512,
    together: bool = False,
    **options: Unpack[Options],
) -> Figure:
    """Draw the points of runs on the curve of their objective, coloured from red (start) to yellow (end).

    Several runs are drawn one below the other, or on one curve, each in its own colour. Of three or more runs of a rule
    in a comparison, all are drawn on one curve, in the colour of their rule.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories, in one coordinate.
        bounds: the interval of the curve; None: chosen to show the runs.
        points: how many points of the curve to take.
        together: whether several runs share one curve; more than four always do, those on `ax`, and where they repeat
            a rule.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    Raises:
        FalllineError: when an argument is wrong.

    >>> import fallline
    >>> run = fallline.minimize(lambda x: x**2, 3.0, fallline.GradientDescent(0.1), max_steps=2)
    >>> print(plot_descent(run).axes[0].get_title())
    gradient descent, η = 0.1
    step limit after 2 steps: f = 3.686
    """
    look = Look.of(options, plot_descent)
    data = descent_data(runs, bounds=bounds, ylim=look.ylim, points=points)
    count = len(data.paths)
    repeated = any(path.rule for path in data.paths)
    if count == 1 or together or repeated or count > MOST_STACKED or look.ax is not None:
        figure, ax = figure_of(look, keys=legends.lines_below(look, data.paths))
        if count > 1:
            # Grey, which is no run's colour.
            draw_still(ax, data, colour="0.6")
            draw_race(ax, data)
        else:
            draw_still(ax, data)
            draw_run(ax, data.paths[0])
            draw_keys(ax, data)
        return appearance.finished(figure, look)
    figure = new_figure(8, 0.8 + 3.4 * count, look)
    axes = new_axes(figure, count, sharex=True)
    for place, path in zip(axes, data.paths, strict=True):
        rule, outcome = path.title
        draw_still(place, data)
        draw_run(place, replace(path, title=(words.labelled(path.label, rule), outcome)))
        label_outer(place, left=True, bottom=place is axes[-1])
    draw_keys(axes[-1], data)
    return appearance.finished(figure, look)


def draw_with_slope(ax: Axes, data: Curve, ylim: Limits = None) -> None:
    """Draw a function, its derivative if there is one, and the labels of both."""
    shown = [data.value] if data.slope is None else [data.value, data.slope]
    ax.axhline(0, color="0.6", linewidth=0.8, zorder=0)
    draw_curve(ax, data, limited(words.padded(*grid.height_range(np.concatenate(shown))), ylim, "ylim"))
    ax.lines[-1].set_label(f"{data.symbol}({data.name})")
    if data.slope is None:
        appearance.label_axes(ax, data.name, f"{data.symbol}({data.name})")
    else:
        slope = f"d{data.symbol}/d{data.name}"
        ax.plot(data.x, data.slope, "--", color=theme_of(ax).slope, linewidth=sizes_of(ax).line, label=slope)
        appearance.label_axes(ax, data.name, "value")
        legends.legend_of(ax, list(ax.lines)[-2:])


def draw_run(ax: Axes, path: Path) -> None:
    """Draw the points of one run, and its title."""
    draw_points(ax, path, numbered=True)
    appearance.set_title(ax, *path.title)
    appearance.note(ax, path.remark)


def draw_keys(ax: Axes, data: Descent) -> None:
    """Draw the legend that says what red and yellow mean."""
    last = data.paths[0].last(data.unit) if len(data.paths) == 1 else "end"
    legends.legend_of(ax, legends.step_keys(ax, last))


def draw_race(ax: Axes, data: Descent) -> None:
    """Draw the points of several runs, each or each rule in its own colour and joined in their order, with a legend."""
    sizes, theme = sizes_of(ax), theme_of(ax)
    smaller = CROWDED if len(data.paths) > MOST_STACKED else 1.0
    for number, path in zip(numbers_of(data.paths), data.paths, strict=True):
        look = traces.run_look(ax, number)
        look |= {"linewidth": THIN * sizes.line, "markersize": smaller * look["markersize"]} | look_of(ax).line
        last = look | {"markersize": traces.LAST * look["markersize"], "linestyle": "none"}
        ax.plot(path.x[:, 0], path.value, zorder=5 + number, **look)
        ax.plot(path.x[-1:, 0], path.value[-1:], zorder=5 + number, **last)
    starts = np.unique([(path.x[0, 0], path.value[0]) for path in data.paths], axis=0)
    ring: dict[str, Any] = {"facecolors": "none", "edgecolors": theme.ink, "linewidths": 0.7 * sizes.line}
    ax.scatter(starts[:, 0], starts[:, 1], s=(RING * smaller * sizes.marker) ** 2, zorder=5 + len(data.paths), **ring)
    legends.race_legend(ax, data.paths)
    appearance.set_title(ax, words.objective_words(data.curve.title), paths.untold_rule(data.paths))


def draw_curve(ax: Axes, curve: Curve, heights: Interval, colour: str | None = None) -> None:
    """Draw the line of the function, over exactly its interval."""
    low, high = heights
    # Cut the line at a pole, whose two sides it would join.
    beyond = (curve.value < 2 * low - high) | (curve.value > 2 * high - low)
    line: dict[str, Any] = {"color": colour or theme_of(ax).curve, "linewidth": sizes_of(ax).line}
    ax.plot(curve.x, np.where(beyond, np.nan, curve.value), **line)
    ax.set_xlim(curve.x[0], curve.x[-1])
    ax.set_ylim(*heights)


def draw_still(ax: Axes, data: Descent, colour: str | None = None) -> None:
    """Draw the still part of a descent's picture: the curve, in another colour if asked, and the labels of the axes."""
    draw_curve(ax, data.curve, data.heights, colour)
    appearance.label_axes(ax, data.curve.name, f"{data.curve.symbol}({data.curve.name})")


def draw_points(
    ax: Axes, path: Path, until: float = np.inf, share: float = 1.0, *, numbered: bool = False
) -> list[Artist]:
    """Draw the points of a run up to a time, joined in their order, its first and last one larger.

    Arguments:
        share: the area of the points, by that of other markers.
        numbered: whether the first steps have their numbers, where there is room.
    """
    count = path.shown_until(until)
    x, value, colours = path.x[:count, 0], path.value[:count], traces.step_colours(len(path))[:count]
    size = share * sizes_of(ax).marker ** 2
    artists = traces.trace_steps(ax, x, value, colours=colours, size=size, line=(x, value))
    # Twice, because Matplotlib snaps a single point to whole pixels.
    ends = np.array([0, 0, count - 1, count - 1])
    large: dict[str, Any] = {"linewidths": 0.5 * sizes_of(ax).line, "edgecolors": theme_of(ax).edge, "alpha": 1.0}
    largest = ax.scatter(x[ends], value[ends], s=LARGE * size, c=colours[ends], zorder=9, **large)
    return [*artists, largest, *(_numbers(ax, path, count) if numbered else [])]


def _numbers(ax: Axes, path: Path, count: int) -> list[Artist]:
    """Write the numbers of the first steps beside their points."""
    look: dict[str, Any] = {"markersize": 0.8 * sizes_of(ax).note, "markeredgewidth": 0, "color": theme_of(ax).ink}
    shown: list[Artist] = []
    for step, x, y in _numbered(path, *ax.get_xlim(), *ax.get_ylim()):
        there = count > step
        shown += ax.plot([x] * there, [y] * there, marker=f"${step}$", linestyle="none", zorder=10, **look)
    return shown


# Cached: a film calls this with the same arguments in every frame.
@lru_cache(maxsize=16)
def _numbered(path: Path, left: float, right: float, low: float, high: float) -> list[tuple[int, float, float]]:
    """The first steps that are far enough apart, and places beside their points, on the side away from the curve."""
    points = np.column_stack([path.x[:, 0], path.value])[: NUMBERED + 1]
    places = (points - [left, low]) / [right - left, high - low]
    found = []
    for step, (before, (x, y)) in enumerate(itertools.pairwise(places), start=1):
        if not np.hypot(*(x, y) - before) >= APART:
            break
        # The slope of the last step: the curve rises to the right, or to the left.
        aside = -BESIDE if (x - before[0]) * (y - before[1]) > 0 else BESIDE
        found.append((step, float(left + (x + aside) * (right - left)), float(low + (y + BESIDE) * (high - low))))
    return found
