"""The chain rule as a graph: from the coordinates on the left, step by step, to the objective on the right."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from fallline.gradients.chain import ChainRule
from fallline.pictures.chain import ALONG, ROW, ChainEdge, ChainNode, chain_data
from fallline.views.appearance import WIDTH, figure_of, finished, new_figure
from fallline.views.look import Look, Options, sizes_of, theme_of

# The width of lines, by that of a run's; and the size of labels in a figure as wide as it is made here.
THIN, LABEL = 0.7, 14 / WIDTH
# The share of its edge colour in the fill of a box.
TINT = 0.12


def plot_chain(chain: ChainRule, **options: Unpack[Options]) -> Figure:
    """Draw the graph of a chain rule: every step with its number, every factor on its arrow.

    Arguments:
        chain: what `fallline.chain_rule` gives.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    Raises:
        FalllineError: when a keyword of the look is wrong.

    >>> from fallline import chain_rule
    >>> len(plot_chain(chain_rule("u = x**2; y = 3*u", 2)).axes[0].texts) > 4
    True
    """
    graph = chain_data(chain)
    columns, rows = graph.size
    look, ax = Look.of(options, plot_chain), options.get("ax")
    if ax is None:
        # As wide as its letters are.
        larger = look.sizes.label / look.sizes.width / LABEL
        figure = new_figure(larger * (graph.gap * (columns - 1) + 5.0), larger * (ROW * rows + 0.4), look)
        ax = figure.add_subplot()
    else:
        figure, ax = figure_of(look)
    ax.set_axis_off()
    ax.set_xlim(-2.8 / graph.gap, columns - 1 + 2.2 / graph.gap)
    ax.set_ylim(rows / 2, -rows / 2)
    for node in graph.nodes:
        _draw_node(ax, node, graph.slopes.get(node.name, ""), last=node.name == chain.name)
    for edge in graph.edges:
        _draw_edge(ax, edge)
    return finished(figure, look)


def _tinted(ground: str, colour: str) -> tuple[float, ...]:
    """The background colour, tinted with a little of another colour."""
    return tuple(TINT * np.array(to_rgb(colour)) + (1 - TINT) * np.array(to_rgb(ground)))


def _draw_node(ax: Axes, node: ChainNode, slope: str, *, last: bool) -> None:
    theme = theme_of(ax)
    colour = theme.slope if last else theme.curve
    box = ax.annotate(
        "\n".join(node.lines),
        (node.column, node.row),
        fontsize=sizes_of(ax).label,
        ha="center",
        va="center",
        linespacing=1.4,
        color=theme.ink,
        zorder=4,
        bbox={
            "boxstyle": "round,pad=0.5",
            "facecolor": _tinted(theme.ground, colour),
            "edgecolor": colour,
            "linewidth": THIN * sizes_of(ax).line,
        },
    )
    if slope:
        # Left of the box, at any width of it.
        at: Any = {"xycoords": box, "textcoords": "offset points", "va": "center", "ha": "right"}
        ax.annotate(slope, (0, 0.5), (-14, 0), fontsize=1.2 * sizes_of(ax).label, color=theme.slope, **at)


def _draw_edge(ax: Axes, edge: ChainEdge) -> None:
    theme, width = theme_of(ax), THIN * sizes_of(ax).line
    x, y = np.array(edge.places, float).T
    ax.plot(x, y, color=theme.edge, linewidth=width, zorder=1)
    # The arrow head ends before the box, which would hide it.
    ax.annotate(
        "",
        (0.36 * x[-2] + 0.64 * x[-1], 0.36 * y[-2] + 0.64 * y[-1]),
        (0.5 * x[-2] + 0.5 * x[-1], 0.5 * y[-2] + 0.5 * y[-1]),
        arrowprops={
            "arrowstyle": "-|>,head_width=0.3,head_length=0.6",
            "color": theme.edge,
            "linewidth": width,
        },
        zorder=2,
    )
    ax.text(
        (1 - ALONG) * x[0] + ALONG * x[1],
        (1 - ALONG) * y[0] + ALONG * y[1],
        edge.text,
        fontsize=1.1 * sizes_of(ax).tick,
        color=theme.ink,
        ha="center",
        va="center",
        zorder=3,
        bbox={"boxstyle": "round,pad=0.15", "facecolor": theme.ground, "edgecolor": "none", "alpha": 0.9},
    )
