"""The JavaScript of a graph computes what the graph says, whatever its brackets, loops and stores."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fallline.explorer.own_rules import _values
from fallline.machine_code.graph import LANE, STEP, SUM, Graph, Node, where
from fallline.machine_code.javascript import LIBRARY, OF_MATH, Store, code, over_coordinates

X, Y, SHARED = [0.5, -1.25, 3.0], [2.0, 0.0, -0.75], 1.5
HEAD = f"const {{{', '.join(OF_MATH)}}} = Math, pow = Math.pow, n = 3, s = 1.5;"
REMAINDER = "const remainder = (x, d) => {const r = x % d; return r !== 0 && r * d < 0 ? r + d : r};"
# What numbers are made of.
FORMS: list[Callable[[Any, Any, Any], Any]] = [
    lambda a, b, _c: a + b,
    lambda a, b, _c: a - b,
    lambda a, b, c: a - (b - c),
    lambda a, b, _c: a * b,
    lambda a, b, _c: a / b,
    lambda a, _b, _c: -a,
    lambda a, _b, _c: abs(a),
    lambda a, b, c: where(a > b, c, a),
    lambda a, b, c: where((a <= b) & ~(b < c), a, b),
    lambda a, b, c: where(where(a > 0, b, c) > 0, where(a < b, a, 2.5), -3.0),
    lambda a, b, c: where((a > 1) | (b > 1), a, c) - 1e-9,
    lambda a, _b, _c: LIBRARY["maximum"](a, -0.5),
    lambda a, _b, _c: LIBRARY["remainder"](a, 2.0),
    lambda a, _b, _c: LIBRARY["exp"](LIBRARY["minimum"](a, 2.0)),
    lambda a, b, _c: over_coordinates(SUM, a) + b,
    lambda a, b, _c: a * over_coordinates("largest", b),
]


def in_node(lines: list[str]) -> Any:
    """The value of each function body, which JSON has."""
    told = "(key, value) => typeof value === 'number' && !Number.isFinite(value) ? String(value) : value"
    bodies = ",".join(f"(() => {{{line}}})()" for line in lines)
    program = f"{HEAD}{REMAINDER}console.log(JSON.stringify([{bodies}], {told}))"
    made = subprocess.run(["node", "-e", program], check=True, capture_output=True, text=True, timeout=60)
    return json.loads(made.stdout)


def grown(draw: random.Random, leaves: list[Node], size: int) -> Node:
    """A number computed from the leaves by operations that are drawn."""
    known = list(leaves)
    for _ in range(size):
        known.append(draw.choice(FORMS)(*(draw.choice(known) for _ in range(3))))
    return known[-1]


@pytest.mark.parametrize("seed", range(4))
def test_expressions_of_any_form_have_their_values(seed: int) -> None:
    draw = random.Random(seed)
    lines, expected = [], []
    for _ in range(60):
        graph = Graph(of_many=False)
        leaves = [graph.leaf("x[i]", LANE), graph.leaf("y[i]", LANE), graph.leaf("s", STEP), graph.of(-2.0)]
        node = grown(draw, leaves, draw.randint(1, 14))
        stores = [Store("x[i]", node, wide=True), Store("y[i]", leaves[0] - node, wide=True)]
        text = code(graph, stores).text
        lines.append(f"const w = new Float64Array(300), x = {X}, y = {Y}; {text} return [...x, ...y];")
        given = {"x[i]": np.array(X), "y[i]": np.array(Y), "s": SHARED}
        with np.errstate(all="ignore"):
            expected.append(np.concatenate(_values(graph, [node, leaves[0] - node], given)))
    for line, found, numbers in zip(lines, in_node(lines), expected, strict=True):
        made = np.array([np.nan if part is None else float(part) for part in found])
        np.testing.assert_allclose(made, numbers, rtol=1e-12, atol=1e-300, err_msg=line)


def test_what_changes_places_is_stored_through_a_third() -> None:
    graph = Graph(of_many=False)
    x, y = graph.leaf("x[i]", LANE), graph.leaf("y[i]", LANE)
    text = code(graph, [Store("x[i]", y, wide=True), Store("y[i]", x, wide=True)]).text
    (found,) = in_node([f"const x = {X}, y = {Y}; {text} return [x, y];"])
    assert found == [Y, X]


def test_a_number_of_each_coordinate_that_a_later_loop_needs_is_computed_once() -> None:
    graph = Graph(of_many=False)
    x = graph.leaf("x[i]", LANE)
    grown_x = LIBRARY["exp"](x)
    made = code(graph, [Store("x[i]", grown_x / over_coordinates(SUM, grown_x), wide=True)])
    assert made.text.count("exp(") == 1
    assert made.scratch == 1
    (found,) = in_node([f"const w = new Float64Array(9), x = {X}; {made.text} return x;"])
    np.testing.assert_allclose(found, np.exp(X) / np.exp(X).sum(), rtol=1e-15)
