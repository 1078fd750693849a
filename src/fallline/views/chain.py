"""The chain rule as a graph: coordinates on the left, each step on its way to the objective on the right."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from fallline.gradients.chain import ChainRule, Factor, equal_latex, name_latex, number
from fallline.views.appearance import LABEL_SIZE, TICK_SIZE, Style, new_figure, theme_of
from fallline.views.files import check_picture_path, save_picture

# Formulas of more characters than this are left to the text.
LONGEST = 32
# Inches: from row to row, and of a character in a box and on an arrow.
ROW, BOX, LABEL = 1.3, 0.115, 0.09
# How far along an arrow its factor stands. Two arrows that cross do so half-way.
ALONG = 0.42
# How much of its rim's colour is in a box.
TINT = 0.12


@dataclass(frozen=True)
class ChainNode:
    """A coordinate, a step or the objective: its lines, and where it stands, the column and the row from the top."""

    name: str
    lines: tuple[str, ...]
    column: int
    row: float


@dataclass(frozen=True)
class ChainEdge:
    """A local derivative as an arrow from `by` to `of`, through places in the columns between."""

    by: str
    of: str
    text: str
    places: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class ChainGraph:
    """The data of the picture.

    Attributes:
        nodes: coordinates, steps and the objective.
        edges: the local derivatives.
        slopes: the line that stands left of each coordinate: the sum over its paths.
        size: the number of columns and rows.
        gap: inches from column to column.
    """

    nodes: tuple[ChainNode, ...]
    edges: tuple[ChainEdge, ...]
    slopes: dict[str, str]
    size: tuple[int, int]
    gap: float


def chain_data(chain: ChainRule) -> ChainGraph:
    """Lay the graph of a chain rule out in columns, with few crossings.

    >>> from fallline import chain_rule
    >>> graph = chain_data(chain_rule("u = 2*x**2 - x - 2; y = 3*u + 1", 2))
    >>> [(node.name, node.column) for node in graph.nodes]
    [('x', 0), ('u', 1), ('y', 2)]
    >>> graph.edges[0].places
    ((0, 0.0), (1, 0.0))
    """
    column = dict.fromkeys(chain.paths, 0)
    for name in chain.formulas:
        column[name] = 1 + max((column[f.by] for f in chain.factors if f.of == name), default=0)
    # A factor that skips columns passes through a place of its own in each of them.
    ways: dict[tuple[str, str], list[Any]] = {
        (f.by, f.of): [f.by, *((f.by, f.of, c) for c in range(column[f.by] + 1, column[f.of])), f.of]
        for f in chain.factors
    }
    layers: list[list[Any]] = [[] for _ in range(max(column.values()) + 1)]
    for name in column:
        layers[column[name]].append(name)
    for way in ways.values():
        for place in way[1:-1]:
            layers[place[2]].append(place)
    links = [pair for way in ways.values() for pair in itertools.pairwise(way)]
    rows = _rows(layers, links)
    at = {place: (c, rows[place]) for c, layer in enumerate(layers) for place in layer}
    # SymPy's text is never shorter than what is drawn of it.
    boxes = [len(text) for name, formula in chain.formulas.items() if len(text := f"{name} = {formula}") <= LONGEST]
    labels = [len(text) for factor in chain.factors if len(text := str(factor)) <= LONGEST]
    return ChainGraph(
        nodes=tuple(ChainNode(name, _node_lines(chain, name), column[name], rows[name]) for name in column),
        edges=tuple(
            ChainEdge(f.by, f.of, _factor_text(f), tuple(at[place] for place in ways[f.by, f.of]))
            for f in chain.factors
        ),
        slopes={
            name: rf"$\frac{{d {name_latex(chain.name)}}}{{d {name_latex(name)}}} = {number(slope)}$"
            for name, slope in chain.gradient.items()
        },
        size=(len(layers), max(map(len, layers))),
        gap=BOX * max([12, *boxes]) + LABEL * max([12, *labels]) + 0.5,
    )


def plot_chain(
    chain: ChainRule, path: str | os.PathLike[str] | None = None, *, style: Style = "light", ax: Axes | None = None
) -> Figure:
    """Draw the graph of a chain rule: every step with its number, every factor on its arrow.

    Arguments:
        chain: what `fallline.chain_rule` gives.
        path: the file to write, such as chain.png; None: no file.
        style: "light" or "dark".
        ax: the axes to draw on; None: a new figure.

    Returns:
        The figure.

    Raises:
        FalllineError: when the path is no picture's, or there is no such style.

    >>> from fallline import chain_rule
    >>> len(plot_chain(chain_rule("u = x**2; y = 3*u", 2)).axes[0].texts) > 4
    True
    """
    if path is not None:
        check_picture_path(path)
    graph = chain_data(chain)
    columns, rows = graph.size
    if ax is None:
        figure = new_figure(graph.gap * (columns - 1) + 5.0, ROW * rows + 0.4, style)
        ax = figure.add_subplot()
    else:
        figure = ax.figure  # type: ignore[assignment]
    ax.set_axis_off()
    ax.set_xlim(-2.8 / graph.gap, columns - 1 + 2.2 / graph.gap)
    ax.set_ylim(rows / 2, -rows / 2)
    for node in graph.nodes:
        _draw_node(ax, node, graph.slopes.get(node.name, ""), last=node.name == chain.name)
    for edge in graph.edges:
        _draw_edge(ax, edge)
    if path is not None:
        save_picture(figure, path)
    return figure


def _rows(layers: list[list[Any]], links: list[tuple[Any, Any]]) -> dict[Any, float]:
    """The row of each place: every column ordered by where its neighbours are, back and forth, and centred."""
    rows = {place: float(i) - (len(layer) - 1) / 2 for layer in layers for i, place in enumerate(layer)}
    for sweep in range(8):
        forwards = sweep % 2 == 0
        for layer in layers[1:] if forwards else layers[-2::-1]:
            near = {
                place: [rows[a] if forwards else rows[b] for a, b in links if (b if forwards else a) == place]
                for place in layer
            }
            layer.sort(key=lambda place: float(np.mean(near[place])) if near[place] else rows[place])
            rows |= {place: i - (len(layer) - 1) / 2 for i, place in enumerate(layer)}
    return rows


def _node_lines(chain: ChainRule, name: str) -> tuple[str, ...]:
    value = f"{name_latex(name)} = {number(chain.values[name])}"
    formula = chain.formulas.get(name)
    if formula is None or len(f"{name} = {formula}") > LONGEST:
        return (f"${value}$",)
    return f"${name_latex(name)} = {sympy.latex(formula)}$", f"${value}$"


def _factor_text(factor: Factor) -> str:
    told = number(factor.number) if len(str(factor)) > LONGEST else equal_latex(factor.formula, factor.number)
    return rf"$\partial {name_latex(factor.of)} / \partial {name_latex(factor.by)} = {told}$"


def _tinted(ground: str, colour: str) -> tuple[float, ...]:
    """The ground with a little of a colour in it."""
    return tuple(TINT * np.array(to_rgb(colour)) + (1 - TINT) * np.array(to_rgb(ground)))


def _draw_node(ax: Axes, node: ChainNode, slope: str, *, last: bool) -> None:
    theme = theme_of(ax)
    colour = theme.slope if last else theme.curve
    box = ax.annotate(
        "\n".join(node.lines),
        (node.column, node.row),
        fontsize=LABEL_SIZE,
        ha="center",
        va="center",
        linespacing=1.4,
        color=theme.ink,
        zorder=4,
        bbox={
            "boxstyle": "round,pad=0.5",
            "facecolor": _tinted(theme.ground, colour),
            "edgecolor": colour,
            "linewidth": 1.5,
        },
    )
    if slope:
        # Left of the box, however wide that is.
        at: Any = {"xycoords": box, "textcoords": "offset points", "va": "center", "ha": "right"}
        ax.annotate(slope, (0, 0.5), (-14, 0), fontsize=LABEL_SIZE + 3, color=theme.slope, **at)


def _draw_edge(ax: Axes, edge: ChainEdge) -> None:
    theme = theme_of(ax)
    x, y = np.array(edge.places, float).T
    ax.plot(x, y, color=theme.edge, linewidth=1.3, zorder=1)
    # The head stands before the box, which would hide its end.
    ax.annotate(
        "",
        (0.36 * x[-2] + 0.64 * x[-1], 0.36 * y[-2] + 0.64 * y[-1]),
        (0.5 * x[-2] + 0.5 * x[-1], 0.5 * y[-2] + 0.5 * y[-1]),
        arrowprops={"arrowstyle": "-|>,head_width=0.3,head_length=0.6", "color": theme.edge, "linewidth": 1.3},
        zorder=2,
    )
    ax.text(
        (1 - ALONG) * x[0] + ALONG * x[1],
        (1 - ALONG) * y[0] + ALONG * y[1],
        edge.text,
        fontsize=TICK_SIZE + 1,
        color=theme.ink,
        ha="center",
        va="center",
        zorder=3,
        bbox={"boxstyle": "round,pad=0.15", "facecolor": theme.ground, "edgecolor": "none", "alpha": 0.9},
    )
