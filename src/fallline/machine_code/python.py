"""Turns a graph into Python code on floats, one assignment per line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fallline.machine_code.elementary import OF_NUMPY
from fallline.machine_code.graph import LANE, Graph, Node, where
from fallline.proxy import Library

# Operations: a call of a function by its name, and Python's own power.
CALL, _POWER = "call", "python_power"
# The deepest nesting of parentheses: Python's parser limits it.
_DEEPEST = 20
_FORMS = {
    "fadd": "{} + {}",
    "fsub": "{} - {}",
    "fmul": "{} * {}",
    "fdiv": "{} / {}",
    "fneg": "-{}",
    "fabs": "abs({})",
    "olt": "{} < {}",
    "ole": "{} <= {}",
    "ogt": "{} > {}",
    "oge": "{} >= {}",
    "oeq": "{} == {}",
    "une": "{} != {}",
    "and": "{} and {}",
    "or": "{} or {}",
    "not": "not {}",
    "number": "float({})",
    "select": "{1} if {0} else {2}",
    _POWER: "{} ** {}",
}
# The NumPy functions that such operations compute with the same bits.
_EXACT = (
    "add", "subtract", "multiply", "divide", "negative", "absolute", "square", "less", "less_equal", "greater",
    "greater_equal", "equal", "not_equal", "logical_and", "logical_or", "logical_not",
)  # fmt: skip


def lines(graph: Graph, outputs: Iterable[Node], count: int = 1) -> tuple[list[str], list[dict[Node, str]]]:
    """The lines that compute the outputs, and for each coordinate the expression of every node.

    A node of level LANE has one line per coordinate: the leaf "x" becomes x0, x1, and so on. A node that is used once
    is written inline.

    Raises:
        KeyError: when an operation cannot be written so.
    """
    wanted = set(outputs)
    needed = graph.needed(wanted)
    uses: Counter[Node] = Counter()
    for node in needed:
        for part in node.inputs:
            # What all coordinates share is used once by each of them.
            uses[part] += 1 + node.level - part.level
    depth: dict[Node, int] = {}
    written: list[str] = []
    names: list[dict[Node, str]] = [{} for _ in range(count)]
    for node in needed:
        if not node.inputs:
            depth[node] = 0
            for i, known in enumerate(names):
                known[node] = _leaf(node, i)
            continue
        deepest = 1 + max([depth[part] for part in node.inputs])
        stands = uses[node] == 1 and deepest < _DEEPEST and node not in wanted
        depth[node] = deepest if stands else 0
        form = _form(node)
        for i, known in enumerate(names):
            if i and node.level < LANE:
                known[node] = names[0][node]
                continue
            right = form.format(*[known[part] for part in node.inputs])
            if stands:
                known[node] = right if node.operation == CALL else f"({right})"
            else:
                known[node] = f"t{len(written)}"
                written.append(f"{known[node]} = {right}")
    return written, names


def _leaf(node: Node, coordinate: int) -> str:
    """A leaf's name, or a constant's digits."""
    if node.operation == "leaf":
        return f"{node.detail}{coordinate}" if node.level == LANE else str(node.detail)
    number = repr(float.fromhex(node.detail))
    return f"({number})" if number.startswith("-") else number


def _form(node: Node) -> str:
    if node.operation == CALL:
        return f"{node.detail}({', '.join(['{}'] * len(node.inputs))})"
    return _FORMS[node.operation]


def library(graph: Graph) -> Library:
    """NumPy's functions on nodes: only those whose code gives the same bits as arrays; others raise an error."""

    def call(name: str) -> Callable[..., Node]:
        return lambda *parts: graph.node(CALL, *map(graph.of, parts), detail=name)

    def power(base: Any, exponent: Any) -> Node:
        if all(graph.of(part).level < LANE for part in (base, exponent)):
            return graph.node(_POWER, graph.of(base), graph.of(exponent))
        if exponent == 2:  # NumPy computes a square as a product, and other powers in other ways
            square: Node = graph.of(base) * base
            return square
        raise TypeError("a power of coordinates has no such line")

    called: Mapping[str, str] = {"sqrt": "sqrt", "sign": "sign", "minimum": "min", "maximum": "max"}
    return {
        **{name: OF_NUMPY[name] for name in _EXACT},
        **{name: call(function) for name, function in called.items()},
        "power": power,
        "where": where,
    }
