"""Traces rules, schedules and stopping conditions into graphs, for any number of coordinates.

Every array of coordinates is one node of level LANE, and what all coordinates share is one of a lower level.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from fallline.fields import fields_of
from fallline.line_search import LineSearch
from fallline.machine_code.graph import (
    ALL,
    ANY,
    LANE,
    LARGEST,
    SETTING,
    STEP,
    SUM,
    Graph,
    Node,
    as_number,
    where,
)
from fallline.machine_code.javascript import CALL, LIBRARY, over_coordinates
from fallline.optimizers import Optimizer
from fallline.optimizers.base import layers
from fallline.proxy import Library, Proxy, plain
from fallline.schedules import Schedule, watches_values
from fallline.state import map_state, named_leaves
from fallline.stopping import Left, Progress, StoppingCondition


def settings_of(thing: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The settings of a rule, schedule or condition by their paths, those of its parts included, but for its rate.

    >>> from fallline import ProximalDescent
    >>> dict(settings_of(ProximalDescent()))
    {'penalty.strength': 0.0}
    """
    for entry in fields_of(thing):
        value = getattr(thing, entry.name)
        if entry.name in ("learning_rate", "convention"):
            continue
        if dataclasses.is_dataclass(value) and not isinstance(value, Schedule):
            yield from settings_of(value, f"{prefix}{entry.name}.")
        elif _is_setting(value):
            yield prefix + entry.name, value


def _is_setting(value: Any) -> bool:
    if isinstance(value, tuple):
        return bool(value) and all(isinstance(part, int | float) for part in value)
    return value is None or isinstance(value, bool | int | float | str)


def changed(thing: Any, path: str, value: Any) -> Any:
    """The rule, schedule or condition with another value of a setting."""
    name, _, inner = path.partition(".")
    return dataclasses.replace(thing, **{name: changed(getattr(thing, name), inner, value) if inner else value})


def with_leaves(thing: Any, graph: Graph, places: Mapping[str, int], prefix: str = "") -> Any:
    """The rule, schedule or condition with leaves in place of some of its settings.

    Arguments:
        places: the settings' paths, and the index of each in the array of settings; of a tuple that of its first part.
    """
    clone = copy.copy(thing)
    for entry in fields_of(thing):
        value, path = getattr(thing, entry.name), prefix + entry.name
        if path in places:
            object.__setattr__(clone, entry.name, _leaves(graph, value, places[path]))
        elif dataclasses.is_dataclass(value) and not isinstance(value, Schedule | LineSearch):
            object.__setattr__(clone, entry.name, with_leaves(value, graph, places, f"{path}."))
    return clone


def _leaves(graph: Graph, value: Any, place: int) -> Any:
    if isinstance(value, tuple):
        return tuple(_leaves(graph, part, place + k) for k, part in enumerate(value))
    return Proxy(graph.leaf(f"h[{place}]", SETTING), LIBRARY)


def open_settings(settings: Sequence[str], trace: Callable[[Collection[str]], object]) -> list[str]:
    """The settings that may stay open in the code; the code of the others branches on them, or counts by them.

    Arguments:
        settings: all paths.
        trace: traces with these settings open; it fails where that cannot be.
    """

    def is_traced(some: Collection[str]) -> bool:
        try:
            trace(some)
        except Exception:  # code may fail anywhere on a stand-in for a number
            return False
        return True

    if is_traced(settings):
        return list(settings)
    alone = [setting for setting in settings if is_traced([setting])]
    return alone if is_traced(alone) else []


@dataclass(frozen=True)
class StepGraph:
    """What a rule computes.

    Attributes:
        graph: all nodes. Its leaves are x, the gradient g, the state s, the rate r, the step and the settings h.
        names: of each part of the state.
        wide: for each part, whether every coordinate has its own.
        state: the leaves of the state.
        init: the state at the start.
        place: where the gradient is taken; None for x.
        projected: what is zero at a minimum; None for the gradient.
        unbalanced: what of the gradient no set and no penalty of the rule's own balances, looking so far as the leaf
            `near`; None for all of it.
        change: what is subtracted from x.
        after: the state after the step.
    """

    graph: Graph
    names: tuple[str, ...]
    wide: tuple[bool, ...]
    state: tuple[Node, ...]
    init: tuple[Node, ...]
    place: Node | None
    projected: Node | None
    unbalanced: Node | None
    change: Node
    after: tuple[Node, ...]

    @property
    def settings_read(self) -> set[str]:
        """The leaves of settings that it depends on."""
        elsewhere = [node for node in (self.place, self.projected, self.unbalanced) if node is not None]
        needed = self.graph.needed([self.change, *self.init, *self.after, *elsewhere])
        return {node.detail for node in needed if node.operation == "leaf" and node.level == SETTING}


def place_in_state(part: int, wide: Sequence[bool]) -> str:
    """Where a part of the state stands, as JavaScript: first those of every coordinate, then what they share."""
    if wide[part]:
        before = sum(wide[:part])
        return f"s[{_joined(_times_n(before), 'i')}]"
    alone = sum(not other for other in wide[:part])
    return f"s[{_joined(_times_n(sum(wide)), str(alone or '')) or '0'}]"


def place_of_scratch(row: int, wide: Sequence[bool]) -> str:
    """Where the numbers of the coordinates stand that a step stores on the way: after the state."""
    alone = len(wide) - sum(wide)
    return f"s[{_joined(_times_n(sum(wide) + row), str(alone or ''), 'i')}]"


def _times_n(count: int) -> str:
    return {0: "", 1: "n"}.get(count, f"{count}*n")


def _joined(*parts: str) -> str:
    return "+".join(filter(None, parts))


def trace_rule(rule: Optimizer[Any], places: Mapping[str, int]) -> StepGraph:
    """Trace a step of a rule.

    Arguments:
        rule: the rule.
        places: its open settings, and the index of each in the array of settings.

    Raises:
        Exception: when its code does more than arithmetic on coordinates and on what they share.
    """
    graph = Graph(of_many=False)
    rule = with_leaves(rule, graph, places)

    def leaf(text: str, level: int) -> Proxy:
        return Proxy(graph.leaf(text, level), LIBRARY)

    x, gradient = leaf("x[i]", LANE), leaf("g[i]", LANE)
    rate, step = leaf("r", STEP), Proxy(graph.step, LIBRARY)
    # What a rule keeps from the start on may depend on its first rate.
    first = _at_rate(rule, rate).init(x)
    names = tuple(name for name, _ in named_leaves(first))
    init = tuple(_node(graph, part) for _, part in named_leaves(first))
    wide = tuple(node.level == LANE for node in init)
    while True:
        leaves = [graph.leaf(place_in_state(k, wide), LANE if each else STEP) for k, each in enumerate(wide)]
        state = _in_place_of(first, [Proxy(part, LIBRARY) for part in leaves])
        place, projected = rule.lookahead(x, state), rule.projected_gradient(x, gradient)
        change, following = rule.update(gradient, state, rate, step)
        if tuple(name for name, _ in named_leaves(following)) != names:
            raise TypeError("init and update return states of different parts")
        after = tuple(_node(graph, part) for _, part in named_leaves(following))
        # `init` may return one number where `update` returns one for each coordinate.
        grown = tuple(each or node.level == LANE for each, node in zip(wide, after, strict=True))
        if grown == wide:
            break
        wide = grown
    # Its code is written for arrays.
    slope, at, near = (_Array(part.value, ARRAYS) for part in (gradient, x, leaf("near", STEP)))
    unbalanced: Any = cast("Any", rule).unbalanced(at, slope, near)
    return StepGraph(
        graph=graph,
        names=names,
        wide=wide,
        state=tuple(leaves),
        init=init,
        place=None if place is x else _node(graph, place),
        projected=None if projected is gradient else _node(graph, projected),
        unbalanced=None if unbalanced is slope else _node(graph, unbalanced),
        change=_node(graph, change),
        after=after,
    )


def _at_rate(rule: Optimizer[Any], rate: Any) -> Optimizer[Any]:
    """The rule, or the one inside its wrappers, with this in place of its rate."""
    clone, (_, *inside) = copy.copy(rule), layers(rule)
    name, value = ("rule", _at_rate(inside[0], rate)) if inside else ("learning_rate", rate)
    object.__setattr__(clone, name, value)
    return clone


def _in_place_of(state: Any, parts: Sequence[Any]) -> Any:
    """The structure of a state, with these parts."""
    left = iter(parts)
    return map_state(lambda _: next(left), state)


def _node(graph: Graph, quantity: Any) -> Node:
    return as_number(graph.of(plain(quantity)))


@dataclass(frozen=True)
class RateGraph:
    """What a schedule computes.

    Attributes:
        graph: all nodes. Its leaves are the step, the settings h, the value v and the memory m.
        rate: the rate of a step.
        first: the memory after the start; None if it remembers nothing.
        after: the memory after a later value.
    """

    graph: Graph
    rate: Node
    first: tuple[Node, ...] | None
    after: tuple[Node, ...] | None


@dataclass(frozen=True)
class _Inside(Schedule):
    """Stands for the schedule that another one holds."""

    def rate(self, step: Any) -> Any:
        return Proxy(step.value.make(CALL, step.value, detail="inner"), LIBRARY)


def trace_schedule(schedule: Schedule, places: Mapping[str, int]) -> RateGraph:
    """Trace a schedule, of which the schedule that it holds is called `inner`.

    Arguments:
        schedule: the schedule.
        places: its open settings, and the index of each in the array of settings.

    Raises:
        Exception: when its code does more than arithmetic.
    """
    graph = Graph(of_many=False)
    schedule = with_leaves(schedule, graph, places)
    if hasattr(schedule, "after"):
        object.__setattr__(schedule, "after", _Inside())

    def leaf(text: str) -> Proxy:
        return Proxy(graph.leaf(text, STEP), LIBRARY)

    step, value = Proxy(graph.step, LIBRARY), leaf("v")
    if not watches_values(schedule):
        return RateGraph(graph, _node(graph, schedule.rate(step)), None, None)
    first = schedule.watched(None, value)
    memory = _in_place_of(first, [leaf(f"m[{k}]") for k, _ in enumerate(named_leaves(first))])
    after = schedule.watched(memory, value)
    nodes = [tuple(_node(graph, part) for _, part in named_leaves(parts)) for parts in (first, after)]
    return RateGraph(graph, _node(graph, schedule.rate_after(memory, step)), *nodes)


@dataclass(frozen=True)
class TestGraph:
    """What a stopping condition computes.

    Attributes:
        graph: all nodes. Its leaves are named in `PROGRESS` and `LEFT`, and the settings h.
        at_start: whether it ends a run at its start.
        near: what is quick to compute and true wherever it ends a run later; None if there is no such thing.
        met: whether it ends a run later.
        holds: whether what is left of the slope bears out that the run has converged; None if it always does.
    """

    graph: Graph
    at_start: Node
    near: Node | None
    met: Node
    holds: Node | None


# The leaves of a `Progress`, and whether every coordinate has its own.
PROGRESS: Mapping[str, tuple[str, bool]] = {
    "step": ("p.step", False),
    "x": ("x[i]", True),
    "value": ("p.value", False),
    "gradient": ("g[i]", True),
    "first_value": ("p.firstValue", False),
    "evaluations": ("p.evaluations", False),
    "seconds": ("p.seconds", False),
    "change": ("c[i]", True),
    "previous_value": ("p.previousValue", False),
    "previous_change": ("b[i]", True),
}
# The same of what is `Left` of the slope.
LEFT: Mapping[str, tuple[str, bool]] = {
    "x": ("x[i]", True),
    "value": ("p.value", False),
    "slope": ("d[i]", True),
    "fall": ("p.fall", False),
    "step": ("e[i]", True),
    "gone": ("p.gone", False),
    "slight": ("p.slight", False),
    "down": ("p.down", False),
}


def trace_condition(condition: StoppingCondition, places: Mapping[str, int]) -> TestGraph:
    """Trace a stopping condition, which may look at the time.

    Arguments:
        condition: the condition.
        places: its open settings, and the index of each in the array of settings.

    Raises:
        Exception: when its code does more than arithmetic on coordinates and on what they share.
    """
    graph = Graph(of_many=False)
    condition = with_leaves(condition, graph, places)

    def arrays(leaves: Mapping[str, tuple[str, bool]]) -> dict[str, Any]:
        return {name: _Array(graph.leaf(text, LANE if wide else STEP), ARRAYS) for name, (text, wide) in leaves.items()}

    later, left = Progress(**arrays(PROGRESS)), Left(**arrays(LEFT))
    start = later._replace(change=None, previous_value=None, previous_change=None)

    def mask(met: Any) -> Node:
        met = met[0] if isinstance(met, np.ndarray) else met
        node = graph.of(met.value) if isinstance(met, Proxy) else graph.of_boolean(bool(met))
        if node.level == LANE:
            raise TypeError("it gives more than one answer")
        return node if node.is_mask else node.differs(0.0)

    near, holds = condition.near(later), mask(condition.holds(left))
    return TestGraph(
        graph,
        at_start=mask(condition.met(start)),
        near=None if near is None else mask(near),
        met=mask(condition.met(later)),
        holds=None if holds is graph.of_boolean(True) else holds,
    )


class _Array(Proxy):
    """Stands for an array of a `Progress`, of one run: of shape (1, n) if its node is of each coordinate, else (1,)."""

    __slots__ = ()

    def __len__(self) -> int:
        return 1

    def __getitem__(self, place: Any) -> _Array:
        # Of what all coordinates share, `[:, None]` and `[..., 0]` are again what they share.
        if self.value.level == LANE or not isinstance(place, tuple) or place[-1] not in (None, 0):
            raise TypeError("of the runs, all are looked at alike")
        return self

    def __getattr__(self, name: str) -> Any:
        if name in _REDUCTIONS:
            return lambda *inputs, **settings: self._carried(name, (self, *inputs), settings)
        return super().__getattr__(name)


def _along_coordinates(operation: str) -> Callable[..., Node]:
    def reduced(x: Node, axis: int | None = None, **_: Any) -> Node:
        if axis not in (1, -1):
            raise TypeError("over the coordinates it takes axis=-1")
        is_of_numbers = operation in (ANY, ALL) and not x.is_mask
        return over_coordinates(operation, x.differs(0.0) if is_of_numbers else x)

    return reduced


def _with_booleans(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of masks, which takes arrays of one boolean, and the leaves of masks, too."""

    def on_nodes(*parts: Any) -> Any:
        graph = next(part for part in parts if isinstance(part, Node)).graph
        masks = (graph.of_boolean(bool(part[0])) if isinstance(part, np.ndarray) else part for part in parts)
        return function(*(mask if mask.is_mask else mask.differs(0.0) for mask in masks))

    return on_nodes


_REDUCTIONS: Library = {name: _along_coordinates(name) for name in (SUM, ANY, ALL)} | {
    "max": _along_coordinates(LARGEST)
}
# NumPy's functions as conditions use them.
ARRAYS: Library = {
    **LIBRARY,
    **_REDUCTIONS,
    **{name: _with_booleans(LIBRARY[name]) for name in ("bitwise_and", "bitwise_or", "logical_and", "logical_or")},
    "unless": lambda usual, sure, exact: where(sure, usual, exact),
}
