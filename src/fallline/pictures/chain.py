"""The data of a chain rule's picture: its nodes, its edges and their factors."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from fallline.gradients.chain import ChainRule, Factor, equal_latex, name_latex, number
from fallline.tables import Printed

# Formulas of more characters than this are not drawn.
LONGEST = 32
# In inches: the distance between rows, and the width of a character in a box and on an arrow.
ROW, BOX, LABEL = 1.3, 0.115, 0.09
# The position of a factor along its arrow: not half-way, where arrows cross.
ALONG = 0.42


@dataclass(frozen=True, repr=False)
class ChainNode(Printed):
    """A coordinate, a step or the objective: its lines of text, its column, and its row from the top."""

    name: str
    lines: tuple[str, ...]
    column: int
    row: float


@dataclass(frozen=True, repr=False)
class ChainEdge(Printed):
    """A local derivative as an arrow from `by` to `of`, through positions in the columns between."""

    by: str
    of: str
    text: str
    places: tuple[tuple[float, float], ...]


@dataclass(frozen=True, repr=False)
class ChainGraph(Printed):
    """The data of the picture.

    Attributes:
        nodes: coordinates, steps and the objective.
        edges: the local derivatives.
        slopes: the text to the left of each coordinate: the sum over its paths.
        size: the number of columns and rows.
        gap: the distance between columns, in inches.
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
    # An edge that skips columns gets a position in each of them.
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
    # SymPy's plain text is never shorter than the drawn formula.
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


def _rows(layers: list[list[Any]], links: list[tuple[Any, Any]]) -> dict[Any, float]:
    """The row of each position: columns are sorted by their neighbours' rows, forward and backward, and centred."""
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
