"""The picture of a search for hyperparameters: the score of each trial, and the best so far."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fallline.pictures.histories import BAND
from fallline.pictures.tuning import TuningCurve, tuning_data
from fallline.results.tuning import Tuning
from fallline.views import appearance, legends, traces
from fallline.views.look import Look, Options


def plot_tuning(found: Tuning, **options: Unpack[Options]) -> Figure:
    """Draw the score of each trial of a search, and the best so far.

    A star marks the best trial. Trials whose runs did not all reach the target are hollow; those that were given up as
    diverging are crosses at the upper edge. Positive scores that span more than two decades get a log axis, which ends
    where they are no more than the rounding of the highest one.

    Arguments:
        found: what `tune` returned.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    >>> import fallline
    >>> plot_tuning(fallline.tune("x**2/2", 1.0, "gradient_descent", ["learning_rate"], trials=5)).axes[0].get_ylabel()
    'value at the end'
    """
    look = Look.of(options, plot_tuning)
    data = tuning_data(found)
    looks = _looks(look, data)
    figure, place = appearance.figure_of(look, keys=legends.lines_of(look, [*looks]))
    numbers = np.arange(1, len(data.score) + 1)
    diverged = np.isinf(data.score)
    floor = -np.inf if data.floor is None else data.floor
    shown = {
        "best so far": (numbers, np.where(np.isinf(data.lowest), np.nan, np.maximum(data.lowest, floor))),
        TRIAL: (numbers, np.where(diverged | ~data.reached, np.nan, np.maximum(data.score, floor))),
        MISSED: (numbers, np.where(diverged | data.reached, np.nan, np.maximum(data.score, floor))),
    }
    for name, points in shown.items():
        if name in looks:
            place.plot(*points, **looks[name])
    if data.best is not None:
        place.plot([data.best], [max(data.score[data.best - 1], floor)], **looks[_best(data)])
    if diverged.any():
        across = place.get_xaxis_transform()
        place.plot(numbers[diverged], np.full(diverged.sum(), 0.98), transform=across, **looks[GIVEN_UP])
    if data.log:
        place.set_yscale("log")
        appearance.decades(place.yaxis)
    if data.floor is not None:
        low, high = place.get_ylim()
        place.axhspan(
            data.floor * (data.floor / high) ** BAND, data.floor, color=look.theme.grid, linewidth=0, zorder=0
        )
        place.set_ylim(min(low, data.floor * (data.floor / high) ** BAND), high)
    place.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    place.grid(color=look.theme.grid)
    appearance.set_title(place, *data.title)
    appearance.label_axes(place, "trial", data.name)
    legends.legend_of(place, [legends.key(name, line) for name, line in looks.items()])
    return appearance.finished(figure, look)


TRIAL, MISSED, GIVEN_UP = "trial", "trial that missed the target", "given up as diverging"


def _best(data: TuningCurve) -> str:
    return f"best: trial {data.best}"


def _looks(look: Look, data: TuningCurve) -> dict[str, dict[str, Any]]:
    """The look of each thing shown, by its name in the legend."""
    theme, sizes = look.theme, look.sizes
    dot: dict[str, Any] = {"color": theme.runs[1], "linestyle": "none", "marker": "o", "markersize": 0.7 * sizes.marker}
    star = {"marker": "*", "markersize": traces.STAR * sizes.marker, "markeredgecolor": theme.edge, "zorder": 4}
    star["markeredgewidth"] = 0.4 * sizes.line
    looks = {"best so far": {"color": theme.runs[0], "linewidth": sizes.line, "drawstyle": "steps-post"}, TRIAL: dot}
    if not data.reached[np.isfinite(data.score)].all():
        looks[MISSED] = dot | {"markerfacecolor": "none", "markeredgewidth": 0.5 * sizes.line}
    if np.isinf(data.score).any():
        looks[GIVEN_UP] = dot | {"marker": "x", "markeredgewidth": 0.5 * sizes.line}
    if data.best is not None:
        looks[_best(data)] = dot | star
    if data.floor is not None:
        looks["less than the rounding of the highest score"] = {"color": theme.grid, "linewidth": 3 * sizes.line}
    return looks
