"""The picture of a fitted model: the rows with its curve or its regions, in the data's own units."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fallline.pictures.fitted import FittedCurve, Regions, Sampled
from fallline.views import appearance, legends, traces
from fallline.views.look import Look, Options, sizes_of, theme_of

# The opacity of a region's colour, and of a row among many.
TINT, MANY, FAINT = 0.25, 300, 0.5


def plot_fitted(data: FittedCurve | Regions, **options: Unpack[Options]) -> Figure:
    """Draw the rows with the fitted curve, or with the regions of the classes.

    Arguments:
        data: what `fallline.pictures.fitted.fitted_data` makes; `Fit.plot` does it.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    >>> import fallline
    >>> found = fallline.fit({"hours": [1, 2, 3, 4], "marks": [2.0, 3.9, 6.1, 8.0]}, "marks", model="linear")
    >>> found.plot(kind="fit").axes[0].get_xlabel()
    'hours'
    """
    look = Look.of(options, plot_fitted)
    count = max(1, len(data.rows.classes))
    figure, ax = appearance.figure_of(look, keys=1 + count // 2)
    keys = _draw_curve(ax, data) if isinstance(data, FittedCurve) else _draw_regions(ax, data)
    appearance.set_title(ax, *data.title)
    appearance.note(ax, data.rows.remark)
    legends.legend_of(ax, keys)
    return appearance.finished(figure, look)


def _draw_curve(ax: Axes, data: FittedCurve) -> list[Line2D]:
    theme, rows, sizes = theme_of(ax), data.rows, sizes_of(ax)
    keys = _draw_rows(ax, rows, rows.x[:, 0], _heights(data))
    many = data.answer.shape[1] > 1
    for number, answer in enumerate(data.answer.T):
        line: dict[str, Any] = {
            "color": theme.runs[number % len(theme.runs)] if many else theme.slope,
            "linewidth": sizes.line,
        }
        ax.plot(data.x, answer, zorder=3, **line)
    if not many:
        keys.append(legends.key("fitted", {"color": theme.slope, "linewidth": sizes.line}))
    for place in data.crossings:
        ax.axvline(place, color=theme.ink, linewidth=0.5 * sizes.line, linestyle=":", zorder=1)
    ax.set_xlim(data.x[0], data.x[-1])
    appearance.label_axes(ax, rows.names[0], data.height)
    return keys


def _heights(data: FittedCurve) -> Any:
    """Where the rows stand: their targets; for classes, beyond the ends of the predictions."""
    if not data.rows.classes:
        return data.rows.y
    low, high = float(data.answer.min()), float(data.answer.max())
    if len(data.rows.classes) == 2:
        low, high = (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)
        return np.where(data.rows.y == 1, high, low)
    # Of more classes each has a line below the curves.
    return -0.06 * (data.rows.y + 1)


def _draw_regions(ax: Axes, data: Regions) -> list[Line2D]:
    theme, rows = theme_of(ax), data.rows
    count = len(rows.classes)
    ground = np.array(to_rgb(theme.ground))
    colours = [theme.runs[number % len(theme.runs)] for number in range(count)]
    tints = ListedColormap([TINT * np.array(to_rgb(colour)) + (1 - TINT) * ground for colour in colours])
    ax.pcolormesh(data.x, data.y, data.region, cmap=tints, vmin=-0.5, vmax=count - 0.5, shading="nearest", zorder=0)
    for number in range(count):
        lead = data.lead[number]
        if lead.min() < 0 < lead.max():
            ax.contour(data.x, data.y, lead, (0.0,), colors=theme.edge, linewidths=0.5 * sizes_of(ax).line, zorder=1)
    keys = _draw_rows(ax, rows, *rows.x.T)
    ax.set_xlim(data.x[0], data.x[-1])
    ax.set_ylim(data.y[0], data.y[-1])
    appearance.label_axes(ax, *rows.names)
    return keys


def _draw_rows(ax: Axes, rows: Sampled, x: Any, y: Any) -> list[Line2D]:
    """Draw the rows as points, those held out hollow, and give their keys."""
    theme, size, line = theme_of(ax), 0.7 * sizes_of(ax).marker, sizes_of(ax).line
    alpha = 1.0 if len(rows.y) <= MANY else FAINT
    keys = []
    for number, label in enumerate(rows.classes or ("rows fitted to",)):
        mine = rows.y == number if rows.classes else np.ones(len(rows.y), bool)
        look = traces.run_look(ax, number) | {"linestyle": "none", "markersize": size, "markeredgewidth": 0.2 * line}
        ax.plot(x[mine & ~rows.held_out], y[mine & ~rows.held_out], zorder=4, **(look | {"alpha": alpha}))
        hollow = look | {
            "markerfacecolor": theme.ground,
            "markeredgecolor": look["color"],
            "markeredgewidth": 0.6 * line,
        }
        ax.plot(x[mine & rows.held_out], y[mine & rows.held_out], zorder=5, **(hollow | {"alpha": alpha}))
        keys.append(legends.key(label, look))
    if rows.held_out.any():
        keys.append(legends.key("held out" if rows.classes else "rows held out", hollow))
    return keys
