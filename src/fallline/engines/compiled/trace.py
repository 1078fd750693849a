"""Traces a rule, an objective and stopping conditions into the graph of one step."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fallline.engines.compiled.conditions import Here, Kept, Masks, Untraceable, trace_conditions
from fallline.engines.per_run import is_per_run, per_run_settings
from fallline.engines.problem import Unable, is_formula, is_ours
from fallline.line_search import LineSearch
from fallline.machine_code.elementary import FUNCTIONS, OF_NUMPY, sqrt
from fallline.machine_code.graph import LANE, SETTING, STEP, Graph, Node, as_number, largest, total
from fallline.objectives.base import Cost, Objective
from fallline.optimizers import Optimizer
from fallline.proxy import Library, Proxy
from fallline.schedules import watches_values
from fallline.state import map_state, named_leaves
from fallline.stopping import StoppingCondition

if TYPE_CHECKING:
    from fallline.objectives.formula import FormulaObjective

# The name of the leaf of a rate that Python computes.
GIVEN_RATE = "rate"
# This many operations compile in a second or two.
MOST_OPERATIONS = 2000


class NotCompilable(Unable):
    """Why a problem cannot be compiled."""


@dataclass
class Step:
    """What one step of a run computes.

    Attributes:
        graph: all nodes.
        x: the leaves of the point.
        state: the leaves of the rule's state, one list per part.
        value: the objective at x.
        gradient: the gradient that the rule is given.
        near: for each condition a quick mask, true wherever it ends the run; the last is the step limit.
        met: for each condition, the mask of where it ends the run; likewise.
        kept: what the conditions need again at the next point.
        rate: the learning rate.
        change: what the rule subtracts from x.
        next_state: the state after the step, as `state`.
        settings: the numbers of the leaves "setting.0", "setting.1", ...: the same in all runs.
        own: the number of leaves "own.0", ..., one for each of the rule's per-run settings.
        cost: the evaluations of value and gradient.
    """

    graph: Graph
    x: list[Node]
    state: list[list[Node]]
    value: Node
    gradient: list[Node]
    near: list[Node]
    met: list[Node]
    kept: list[Kept]
    rate: Node
    change: list[Node]
    next_state: list[list[Node]]
    settings: list[float]
    own: int
    cost: Cost


class Coordinates(list[Any]):
    """The nodes of all coordinates of a point, or of something of the same shape."""


def trace(
    objective: Objective,
    optimizer: Optimizer[Any],
    conditions: tuple[StoppingCondition, ...],
    max_steps: int,
    state: Any,
    of_many: bool,
) -> Step:
    """Trace one step.

    Arguments:
        objective, optimizer, conditions, max_steps: as in `Problem`.
        state: the rule's state at one start or several, as its `init` returns it.
        of_many: whether many runs are computed side by side.

    Raises:
        NotCompilable: when one of them does what a graph cannot represent.
    """
    if not is_formula(objective):
        raise NotCompilable(f"{objective.title} is no formula, or its gradient is {objective.gradient_kind}")
    if isinstance(optimizer.learning_rate, LineSearch):
        raise NotCompilable("a line search takes the rate from values along the line")
    if watches_values(optimizer.learning_rate):
        raise NotCompilable("the schedule of the rate looks at the values")
    try:
        return _Trace(objective, optimizer, state, of_many, bake=False).step(conditions, max_steps)
    except NotCompilable:
        raise
    except Exception:  # a user's rule may fail anywhere on a stand-in for an array
        # A rule may branch on its own numbers, as in `if self.decay > 0`: then they become constants of the code.
        try:
            return _Trace(objective, optimizer, state, of_many, bake=True).step(conditions, max_steps)
        except NotCompilable:
            raise
        except Exception as error:
            raise NotCompilable(f"{type(optimizer).__name__} does what has no graph ({error})") from error


class _Trace:
    """One attempt, with the rule's numbers as leaves, or as constants of the graph."""

    def __init__(
        self, objective: FormulaObjective, optimizer: Optimizer[Any], state: Any, of_many: bool, bake: bool
    ) -> None:
        self.graph = Graph(of_many)
        self.settings: list[float] = []
        self.own = 0
        self.objective = objective
        self.bake = bake
        self.optimizer = self._with_leaves(optimizer)
        n = objective.dimension
        self.x = [self.graph.leaf(f"x.{i}", LANE) for i in range(n)]
        for name, leaf in named_leaves(state):
            *rows, last = np.shape(leaf) or (1,)
            if last not in (1, n) or rows not in ([], [1], *([len(own)] for own in per_run_settings(optimizer))):
                raise NotCompilable(f"{name} in the state has the shape {np.shape(leaf)}, not a number a coordinate")
        self.widths = [n if np.shape(leaf)[-1:] == (n,) else 1 for _, leaf in named_leaves(state)]
        self.state = state

    def setting(self, number: float) -> Node:
        self.settings.append(float(number))
        return self.graph.leaf(f"setting.{len(self.settings) - 1}", SETTING)

    def _with_leaves(self, settings: Any) -> Any:
        """The rule, or a part of it, with its numbers replaced by leaves."""
        clone = copy.copy(settings)
        for entry in dataclasses.fields(settings):
            number = getattr(settings, entry.name)
            if dataclasses.is_dataclass(number):
                object.__setattr__(clone, entry.name, self._with_leaves(number))
            elif is_per_run(number):
                leaf = self.graph.leaf(f"own.{self.own}", LANE)
                self.own += 1
                object.__setattr__(clone, entry.name, Proxy(leaf, LIBRARY))
            elif isinstance(number, float) and not self.bake:
                object.__setattr__(clone, entry.name, Proxy(self.setting(number), LIBRARY))
        return clone

    def step(self, conditions: tuple[StoppingCondition, ...], max_steps: int) -> Step:
        step = Proxy(self.graph.step, LIBRARY)
        rate = self._rate(step)
        while True:
            leaves = [
                [self.graph.leaf(f"state.{part}.{i}", LANE) for i in range(width)]
                for part, width in enumerate(self.widths)
            ]
            state = _in_place_of(self.state, map(_quantity, leaves))
            here = _quantity(self.x, always=True)
            place = self.optimizer.lookahead(here, state)
            self.value, self.gradient = self._value_and_gradient(None if place is here else _nodes(place, self.graph))
            made = self.optimizer.update(_quantity(self.gradient, always=True), state, _proxy(rate), step)
            change, next_state = made
            parts = [_nodes(leaf, self.graph) for _, leaf in named_leaves(next_state)]
            if [name for name, _ in named_leaves(self.state)] != [name for name, _ in named_leaves(next_state)]:
                raise NotCompilable("init and update return states of different parts")
            if all(len(part) <= width for part, width in zip(parts, self.widths, strict=True)):
                break
            # `init` may return one number where `update` returns one per coordinate.
            self.widths = [max(len(part), width) for part, width in zip(parts, self.widths, strict=True)]
        if len(self.graph.nodes) > MOST_OPERATIONS:
            raise NotCompilable(f"a step takes {len(self.graph.nodes)} operations, more than {MOST_OPERATIONS}")
        n = self.objective.dimension
        # As the reference engine counts: value and gradient together at x, or separately.
        values, gradients = self.objective.cost_of_both if place is here else self.objective.cost_of_gradient
        cost = Cost(values if place is here else values + 1, gradients)
        change_of_x = _wide(_nodes(change, self.graph), n)
        near, met, kept = self._masks(conditions, max_steps, cost, change_of_x)
        return Step(
            graph=self.graph,
            x=self.x,
            state=leaves,
            value=self.value,
            gradient=self.gradient,
            near=near,
            met=met,
            kept=kept,
            rate=self.graph.of(rate),
            change=change_of_x,
            next_state=[_wide(part, width) for part, width in zip(parts, self.widths, strict=True)],
            settings=self.settings,
            own=self.own,
            cost=cost,
        )

    def _rate(self, step: Proxy) -> Any:
        try:
            rate = self.optimizer.rate(step)
            return rate.value if isinstance(rate, Proxy) else rate
        except Exception:  # a user's schedule may fail anywhere on a stand-in for a number
            if self.own:
                raise
            return self.graph.leaf(GIVEN_RATE, STEP)

    def _value_and_gradient(self, place: list[Node] | None) -> tuple[Node, list[Node]]:
        """The value at x, and the gradient at `place`, or at x if that is None."""
        from fallline.objectives.straight_line import StraightLine

        code = StraightLine(self.objective.formula)
        names: dict[str, Any] = {**FUNCTIONS, "inf": np.inf, "nan": np.nan}
        outputs = [code.result, *code.gradient()]
        if len(code.graph.nodes) > MOST_OPERATIONS:
            raise NotCompilable(f"the formula takes {len(code.graph.nodes)} operations, more than {MOST_OPERATIONS}")
        # As in objectives.compiled, the code contains no text of the user's.
        exec(compile(code.source(outputs), "<formula>", "exec"), names)  # noqa: S102
        value, *gradient = names["f"](*self.x)
        if place is not None:
            _, *gradient = names["f"](*place)
        return self.graph.of(value), [self.graph.of(slope) for slope in gradient]

    def _masks(
        self, conditions: tuple[StoppingCondition, ...], max_steps: int, cost: Cost, change: list[Node]
    ) -> Masks:
        step = self.graph.step
        # All runs make the same number of evaluations per step.
        x, gradient = (_quantity(nodes, always=True) for nodes in (self.x, self.gradient))
        slope = _nodes(self.optimizer.projected_gradient(x, gradient), self.graph)
        here = Here(step - 1.0, step * float(sum(cost)), self.x, self.value, slope, change)
        try:
            whole = not self.graph.of_many and not all(map(is_ours, conditions))
            near, met, kept = trace_conditions(conditions, here, self.setting, whole)
        except Untraceable as reason:
            raise NotCompilable(str(reason)) from reason
        limit = here.made >= self.setting(max_steps)
        return Masks([*near, limit], [*met, limit], kept)


def _quantity(nodes: list[Node], always: bool = False) -> Proxy:
    """The nodes of one number or of all coordinates, as a proxy for the rule."""
    return Proxy(Coordinates(nodes) if always or len(nodes) > 1 else nodes[0], LIBRARY)


def _in_place_of(state: Any, parts: Iterator[Any]) -> Any:
    """The structure of the state, with these parts."""
    return map_state(lambda _: next(parts), state)


def _proxy(part: Any) -> Any:
    return Proxy(part, LIBRARY) if isinstance(part, Node) else part


def _nodes(quantity: Any, graph: Graph) -> list[Node]:
    """The nodes of what a rule computed: one, or one per coordinate."""
    value = quantity.value if isinstance(quantity, Proxy) else quantity
    return [as_number(graph.of(part)) for part in (value if isinstance(value, Coordinates) else [value])]


def _wide(nodes: list[Node], width: int) -> list[Node]:
    return nodes * width if len(nodes) < width else nodes


def _each(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of single numbers, applied to every coordinate of its arguments."""

    def on_coordinates(*parts: Any) -> Any:
        parts = tuple(Coordinates(part) if isinstance(part, np.ndarray) and part.ndim == 1 else part for part in parts)
        widths = {len(part) for part in parts if isinstance(part, Coordinates)}
        if not widths:
            return function(*parts)
        (width,) = widths
        return Coordinates(
            function(*(part[i] if isinstance(part, Coordinates) else part for part in parts)) for i in range(width)
        )

    return on_coordinates


def _over_coordinates(function: Callable[[Iterable[Any]], Any]) -> Callable[..., Any]:
    """A reduction, such as a sum, over the coordinates, which are the last axis."""

    def reduced(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        if axis != -1 or not keepdims:
            raise TypeError("over the coordinates it takes axis=-1, keepdims=True")
        return function(x if isinstance(x, Coordinates) else [x])

    return reduced


# NumPy's functions on quantities.
LIBRARY: Library = {
    **{name: _each(function) for name, function in OF_NUMPY.items()},
    "sum": _over_coordinates(total),
    "max": _over_coordinates(largest),
    "norm": _over_coordinates(lambda x: sqrt(total(part * part for part in x))),
}
