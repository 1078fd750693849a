"""The picture of a search for hyperparameters: the score of each trial, and the best so far."""

from __future__ import annotations

from typing import Unpack

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fallline.pictures.tuning import tuning_data
from fallline.results.tuning import Tuning
from fallline.views import appearance, legends
from fallline.views.look import Look, Options, sizes_of, theme_of


def plot_tuning(found: Tuning, **options: Unpack[Options]) -> Figure:
    """Draw the score of each trial of a search, and the best so far.

    Trials that were given up as diverging are crosses at the upper edge. Positive scores that span more than two
    decades get a log axis.

    Arguments:
        found: what `tune` returned.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    >>> import fallline
    >>> plot_tuning(fallline.tune("x**2/2", 1.0, "gradient_descent", ["learning_rate"], trials=5)).axes[0].get_ylabel()
    'value at the end'
    """
    look = Look(**options)
    data = tuning_data(found)
    figure, place = appearance.figure_of(look, keys=2)
    theme = theme_of(place)
    numbers = np.arange(1, len(data.score) + 1)
    best = {"color": theme.runs[0], "linewidth": sizes_of(place).line, "drawstyle": "steps-post"}
    trial = {"color": theme.runs[1], "linestyle": "none", "marker": "o"}
    given_up = {"color": theme.runs[1], "linestyle": "none", "marker": "x"}
    diverged = np.isinf(data.score)
    place.plot(numbers, np.where(np.isinf(data.lowest), np.nan, data.lowest), **best)
    place.plot(numbers, np.where(diverged, np.nan, data.score), **trial)
    place.plot(numbers[diverged], np.full(diverged.sum(), 0.98), transform=place.get_xaxis_transform(), **given_up)
    if data.log:
        place.set_yscale("log")
    place.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    appearance.set_title(place, *data.title)
    appearance.label_axes(place, "trial", data.name)
    keys = [legends.key(place, "best so far", best), legends.key(place, "trial", trial)]
    if diverged.any():
        keys.append(legends.key(place, "given up as diverging", given_up))
    legends.legend_below(place, keys, columns=3)
    return appearance.finished(figure, look)
