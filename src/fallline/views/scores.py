"""The pictures of how well a model predicts: confusion matrix, ROC curves, residuals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fallline.pictures import words
from fallline.pictures.scores import Confusion, Residuals, Roc
from fallline.views import appearance, legends, traces
from fallline.views.appearance import WIDTH
from fallline.views.look import Look, Options, look_of, sizes_of, theme_of
from fallline.views.theme import luminance

# Of more classes than these, the cells are too small for numbers.
MOST_NUMBERED = 12
# From this many rows on, points are small and faint.
MANY = 300


def plot_confusion(data: Confusion, **options: Unpack[Options]) -> Figure:
    """Draw how many rows of each class are classified as each, darker for a larger share of the class.

    Arguments:
        data: the counts; `Fit.plot` makes them.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    >>> counts = np.array([[8, 2], [1, 9]])
    >>> figure = plot_confusion(Confusion(("spam", "accuracy 0.85"), ("no", "yes"), counts))
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['8', '2', '1', '9']
    """
    look = Look.of(options, plot_confusion)
    figure, ax = appearance.figure_of(look, keys=0)
    draw_confusion(ax, data)
    appearance.set_title(ax, *data.title)
    return appearance.finished(figure, look)


def draw_confusion(ax: Axes, data: Confusion) -> None:
    """Draw the matrix on axes, with the numbers in its cells."""
    theme, sizes, count = theme_of(ax), sizes_of(ax), len(data.names)
    # Darker, or in the dark brighter, for more.
    shades = theme.landscape.reversed()
    ax.imshow(data.shares, cmap=shades, vmin=0, vmax=1, aspect="auto")
    size = sizes.label if count <= MOST_NUMBERED // 2 else 0.8 * sizes.tick
    for (row, column), number in np.ndenumerate(data.counts if count <= MOST_NUMBERED else np.empty((0, 0))):
        bright = luminance(shades(data.shares[row, column])) > 0.18
        look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": size}
        ax.text(column, row, f"{number}", color="black" if bright else "white", **look)
    for border in np.arange(0.5, count - 1) if count <= MOST_NUMBERED else ():
        # Neighbours may have the same shade.
        for line in (ax.axhline, ax.axvline):
            line(border, color=theme.ink, linewidth=0.2 * sizes.line)
    places = list(range(0, count, -(-count // MOST_NUMBERED)))
    ax.set_xticks(places, [appearance.plain(data.names[place]) for place in places])
    ax.set_yticks(places, [appearance.plain(data.names[place]) for place in places])
    appearance.label_axes(ax, "predicted", "true")


def plot_roc(curves: Sequence[Roc], **options: Unpack[Options]) -> Figure:
    """Draw receiver operating characteristics, with the point at which the model decides.

    Arguments:
        curves: a curve for each class; `Fit.plot` makes them.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    >>> from fallline.pictures.scores import roc_data
    >>> curve = roc_data("yes", np.array([False, True, False, True]), np.array([0.1, 0.4, 0.35, 0.8]), 0.5)
    >>> plot_roc([curve]).axes[0].get_xlabel()
    'false positive rate'
    """
    look = Look.of(options, plot_roc)
    figure, ax = appearance.figure_of(look, keys=len(curves))
    draw_roc(ax, curves)
    appearance.set_title(ax, "Receiver operating characteristic")
    return appearance.finished(figure, look)


def draw_roc(ax: Axes, curves: Sequence[Roc]) -> None:
    """Draw the curves on axes, with their legend."""
    theme, sizes = theme_of(ax), sizes_of(ax)
    ax.plot((0, 1), (0, 1), color=theme.ink, linewidth=0.5 * sizes.line, linestyle=":")
    names = legends.own_names(look_of(ax), [curve.label for curve in curves])
    keys = []
    for number, (curve, name) in enumerate(zip(curves, names, strict=True)):
        line = traces.series_look(ax, number)
        ax.plot(curve.false_positive, curve.true_positive, **line)
        if curve.chosen is not None:
            ax.plot(*curve.chosen, marker="o", markersize=sizes.marker, color=line["color"], linestyle="none")
        keys.append(legends.key(f"{name}: area {words.number(curve.area, 3)}", line))
    if any(curve.chosen for curve in curves):
        dot: dict[str, Any] = {"marker": "o", "markersize": sizes.marker, "linestyle": "none"}
        keys.append(legends.key("where the model decides", dot | {"color": theme.runs[0]}))
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.02, 1.02)
    appearance.label_axes(ax, "false positive rate", "true positive rate")
    legends.legend_of(ax, keys, share=legends.AXES / 2)


def plot_residuals(data: Residuals, **options: Unpack[Options]) -> Figure:
    """Draw what a model leaves unexplained against what it predicts.

    Arguments:
        data: the predictions and residuals; `Fit.plot` makes them.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    >>> data = Residuals(("marks", "R² 0.9"), "marks", np.arange(4.0), np.ones(4), np.zeros(4, bool), "")
    >>> plot_residuals(data).axes[0].get_xlabel()
    'predicted marks'
    """
    look = Look.of(options, plot_residuals)
    figure, ax = appearance.figure_of(look, keys=1)
    theme, sizes = theme_of(ax), sizes_of(ax)
    ax.axhline(0, color=theme.ink, linewidth=0.5 * sizes.line, zorder=0)
    many = len(data.predicted) > MANY
    dot: dict[str, Any] = {
        "linestyle": "none",
        "marker": "o",
        "markersize": (0.4 if many else 0.7) * sizes.marker,
        "markeredgewidth": 0.6 * sizes.line,
    }
    fitted = dot | {"color": theme.curve, "markeredgecolor": theme.rim, "alpha": 0.6 if many else 1.0}
    held = dot | {"markerfacecolor": theme.ground, "markeredgecolor": theme.slope}
    for rows, points in ((~data.held_out, fitted), (data.held_out, held)):
        ax.plot(data.predicted[rows], data.residual[rows], **points)
    appearance.set_title(ax, *data.title)
    appearance.note(ax, data.remark)
    appearance.label_axes(ax, f"predicted {data.name}", "residual: measured − predicted")
    if data.held_out.any():
        keys = [legends.key("rows fitted to", fitted), legends.key("rows held out", held)]
        legends.legend_of(ax, keys)
    return appearance.finished(figure, look)


def plot_classified(confusion: Confusion, curves: Sequence[Roc], **options: Unpack[Options]) -> Figure:
    """Draw the confusion matrix, and beside it the ROC curves.

    Arguments:
        confusion, curves: as `plot_confusion` and `plot_roc` take them.
        options: the keywords of `fallline.views.Look`: style, context, title and others, but `ax`.

    Returns:
        The figure.

    Raises:
        FalllineError: when `ax` is given: the picture has two.
    """
    look = Look.of(options, plot_classified)
    appearance.only_on_a_figure(look, "the picture of a model of classes")
    figure = appearance.new_figure(WIDTH, 4.2 + appearance.legend_line(look) * (1 + len(curves)), look)
    left, right = appearance.new_axes(figure, 1, 2)
    draw_confusion(left, confusion)
    draw_roc(right, curves)
    appearance.set_figure_title(figure, *confusion.title)
    return appearance.finished(figure, look)
