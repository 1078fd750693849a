"""Turns a step of an elementwise rule into Python code on floats: faster than arrays for one point, same bits."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fallline.errors import FalllineError
from fallline.machine_code import python
from fallline.machine_code.graph import LANE, STEP, Graph, Node
from fallline.objectives.floats import ON_FLOATS
from fallline.optimizers import Optimizer
from fallline.proxy import Proxy, plain
from fallline.state import map_state, named_leaves


@functools.lru_cache(maxsize=64)
def on_floats(optimizer: Optimizer[Any], n: int) -> OnFloats | None:
    """The steps of a rule on floats, whose code is made once; None where that cannot be."""
    try:
        return OnFloats(optimizer, n)
    except NotOnFloats:
        return None


class NotOnFloats(Exception):
    """The rule cannot be written as code on floats."""


class OnFloats:
    """The steps of a rule from one point.

    Arguments:
        optimizer: the rule, one of Fallline's own.
        n: the number of coordinates.

    Attributes:
        looks_ahead: whether the rule takes its gradient at another point than x.

    Raises:
        NotOnFloats: when the rule cannot be written so.
    """

    def __init__(self, optimizer: Optimizer[Any], n: int) -> None:
        self._form = state = optimizer.init(np.ones((1, n)))
        self._wide = [np.shape(leaf) == (1, n) for _, leaf in named_leaves(state)]
        for wide, (_, leaf) in zip(self._wide, named_leaves(state), strict=True):
            if not (optimizer.elementwise and (wide or isinstance(leaf, int | float))):
                raise NotOnFloats
        self._shapes = self._shapes_of(state)
        graph = Graph(of_many=False)
        try:
            change, point, place, after = _step_of_a_coordinate(graph, optimizer, state, self._wide)
            outputs = [change, point, *([] if place is None else [place]), *after]
            body, names = python.lines(graph, outputs, n)
        except (FalllineError, KeyError, TypeError, ValueError):  # the rule does more than arithmetic
            raise NotOnFloats from None
        if any(leaf.level == LANE and not wide for leaf, wide in zip(after, self._wide, strict=True)):
            raise NotOnFloats
        self.looks_ahead = place is not None

        def row(node: Node) -> str:
            return f"({''.join(f'{known[node]}, ' for known in names)})"

        taken = [_names(f"s{j}_", n) if wide else f"s{j}" for j, wide in enumerate(self._wide)]
        leaves = [row(leaf) if wide else names[0][leaf] for leaf, wide in zip(after, self._wide, strict=True)]
        source = [
            "def step(x, gradient, state, rate, step):",
            f"{_names('x', n)} = x",
            f"{_names('g', n)} = gradient",
            *([f"{', '.join(taken)}, = state"] if taken else []),
            *body,
            f"return {row(change)}, {row(point)}, {None if place is None else row(place)}, "
            f"({''.join(f'{leaf}, ' for leaf in leaves)})",
        ]
        known: dict[str, Any] = {**ON_FLOATS, "inf": np.inf, "nan": np.nan}
        # The code consists of the names above, numbers and operators; it contains no text of the user's.
        exec(compile("\n    ".join(source), f"<{type(optimizer).__name__}>", "exec"), known)  # noqa: S102
        self.step: Callable[..., tuple[Any, Any, Any, Any]] = known["step"]

    @staticmethod
    def _shapes_of(state: Any) -> list[tuple[int, ...]]:
        return [np.shape(leaf) for _, leaf in named_leaves(state)]

    def takes(self, state: Any) -> bool:
        """Whether the rule's state has the form of its first one."""
        return self._shapes_of(state) == self._shapes

    def leaves(self, state: Any) -> list[Any]:
        """The state in the form that `step` takes."""
        return [
            leaf.tolist()[0] if wide else leaf for wide, (_, leaf) in zip(self._wide, named_leaves(state), strict=True)
        ]

    def state(self, leaves: Sequence[Any]) -> Any:
        """The state that `step` returned, in the rule's form."""
        parts = iter([np.array([leaf]) if wide else leaf for wide, leaf in zip(self._wide, leaves, strict=True)])
        return map_state(lambda _: next(parts), self._form)


def _step_of_a_coordinate(
    graph: Graph, optimizer: Optimizer[Any], state: Any, wide: Sequence[bool]
) -> tuple[Node, Node, Node | None, list[Node]]:
    """The change, the next point, the point of the gradient if it is not x, and the state."""
    library = python.library(graph)

    def leaf(name: str, wide: bool) -> Proxy:
        return Proxy(graph.leaf(name, LANE if wide else STEP), library)

    def node(part: Any) -> Node:
        return graph.of(plain(part))

    parts = iter([leaf(f"s{j}_" if of_each else f"s{j}", of_each) for j, of_each in enumerate(wide)])
    state = map_state(lambda _: next(parts), state)
    rate, step = (leaf(name, wide=False) for name in ("rate", "step"))
    change, state = optimizer.update(leaf("g", wide=True), state, rate, step)
    x = leaf("x", wide=True) - change
    place = optimizer.lookahead(x, state)
    after = [node(part) for _, part in named_leaves(state)]
    return node(change), node(x), None if place is x else node(place), after


def _names(stem: str, n: int) -> str:
    return f"({''.join(f'{stem}{i}, ' for i in range(n))})"
