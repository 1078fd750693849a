"""Traces the stopping conditions: turns their `met` into nodes of the step's graph."""

from __future__ import annotations

import copy
import functools
import operator
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from fallline.machine_code.elementary import OF_NUMPY, sqrt
from fallline.machine_code.graph import LANE, SETTING, Graph, Node, largest, smallest, total, unless, where
from fallline.proxy import Library, Proxy
from fallline.stopping import Progress, StoppingCondition


class Here(NamedTuple):
    """The nodes of a step at the point that it leaves.

    Attributes:
        made: the number of steps made before, the same for all runs.
        evaluations: the number of evaluations of value and gradient, added, likewise.
        x, value: the point, and the objective there.
        gradient: the gradient that the rule is given, projected.
        change: what the rule subtracts from the point.
    """

    made: Node
    evaluations: Node
    x: list[Node]
    value: Node
    gradient: list[Node]
    change: list[Node]


class Kept(NamedTuple):
    """A number that is kept per run for the conditions: the leaf at a point, and the node of its value at the next."""

    leaf: Node
    following: Node


class Masks(NamedTuple):
    """The masks of conditions, and the numbers that are kept for them.

    Attributes:
        near: for each condition its quick mask, true wherever `met` is; `met` itself where it has none.
        met: for each condition, the mask of the runs that it ends.
        kept: what they need again at the next point.
    """

    near: list[Node]
    met: list[Node]
    kept: list[Kept]


# The names of the leaves for the last change of each coordinate, the change before it, and the last value.
CHANGE, CHANGE_BEFORE, PREVIOUS = "change", "change_before", "previous_value"


def trace_conditions(
    conditions: Iterable[StoppingCondition], here: Here, setting: Callable[[float], Node], whole: bool
) -> Masks:
    """The masks of the conditions, and what has to be kept for them from step to step.

    Arguments:
        conditions: the conditions.
        here: the nodes they are evaluated on.
        setting: makes a leaf for a number that is the same in all runs.
        whole: whether everything in a `Progress` is kept, for the message of the condition that ends a run.

    Raises:
        Untraceable: naming the condition that does more than arithmetic on each run alone.
    """
    memory = _Memory(here)
    masks = [memory.masks(condition, setting) for condition in conditions]
    near, met = ([mask[place] for mask in masks] for place in (0, 1))
    return Masks(near, met, memory.whole()) if whole else memory.closed(near, met)


class Untraceable(Exception):
    """Why a condition has to be evaluated in Python."""


class _Memory:
    """What conditions may use of earlier points, as leaves: the first value, the last, the last two changes."""

    def __init__(self, here: Here) -> None:
        self.here = here
        self.graph = here.value.graph
        n = len(here.x)
        self.at_start = self.graph.start
        self.change, self.change_before = (
            [self.graph.leaf(f"{name}.{i}", LANE) for i in range(n)] for name in (CHANGE, CHANGE_BEFORE)
        )
        self.previous, first = self.graph.leaf(PREVIOUS, LANE), self.graph.leaf("first_value", LANE)
        self.first = where(self.at_start, here.value, first)
        self.values = [Kept(self.previous, here.value), Kept(first, self.first)]

    def masks(self, condition: StoppingCondition, setting: Callable[[float], Node]) -> tuple[Node, Node]:
        """The condition's quick mask, and the mask of the runs that it ends."""
        name = type(condition).__name__
        try:
            try:
                return self._masks(_with_leaves(condition, setting))
            except OnTheClock:
                raise
            except Exception:
                # It may branch on its own numbers, or count by them: then they become constants of the code.
                return self._masks(condition)
        except OnTheClock:
            raise Untraceable(f"the stopping condition {name} looks at the clock") from None
        except Exception as error:  # a user's condition may fail anywhere on a stand-in for an array
            raise Untraceable(f"the stopping condition {name} does what has no graph ({error})") from error

    def _masks(self, condition: StoppingCondition) -> tuple[Node, Node]:
        met = self._over_time([condition.met(progress) for progress in self._progress()])
        near = [condition.near(progress) for progress in self._progress()]
        return (met if near[1] is None else self._over_time(near)), met

    def _over_time(self, masks: list[Any]) -> Node:
        """One mask of two: at the start of a run, and at a later point."""
        start, later = map(self._mask, masks)
        if start is later:
            return later
        if start is self.graph.of_boolean(False):
            return later & ~self.at_start
        met: Node = where(self.at_start, start, later)
        return met

    def _progress(self) -> tuple[Progress, Progress]:
        """The progress of a run at its start, and at a later point."""
        here = self.here
        at_the_start: dict[str, Any] = {
            "step": here.made,
            "x": Row(here.x),
            "value": Run([here.value]),
            "gradient": Row(here.gradient),
            "first_value": Run([self.first]),
            "evaluations": Run([here.evaluations]),
            "seconds": Clock(),
        }
        arrays: dict[str, Any] = {name: _array(value) for name, value in at_the_start.items()}
        start = Progress(**arrays, change=None, previous_value=None)
        kept: dict[str, Any] = {
            "change": _array(Row(self.change)),
            "previous_value": _array(Run([self.previous])),
            "previous_change": _array(Row(self.change_before)),
        }
        later = start._replace(**kept)
        return start, later

    def _mask(self, met: Any) -> Node:
        """The node of what `met` returned for the one traced run."""
        if isinstance(met, np.ndarray) and met.shape == (1,):
            met = met[0]
        value = met.value if isinstance(met, Traced) else met
        if isinstance(value, Run):
            (value,) = value
        elif isinstance(value, Row):
            raise TypeError("met returns more than one answer for each run")
        if isinstance(value, Node):
            return _boolean(value)
        return self.graph.of_boolean(bool(value))

    def whole(self) -> list[Kept]:
        """All numbers that a `Progress` needs from earlier points."""
        before = [where(self.at_start, np.inf, change) for change in self.change]
        changes = zip((*self.change, *self.change_before), (*self.here.change, *before), strict=True)
        return [*self.values, *(Kept(*change) for change in changes)]

    def closed(self, near: list[Node], met: list[Node]) -> Masks:
        """The masks, and what is kept for them: as few numbers computed from the changes as the masks need."""
        graph, count, start = self.graph, len(near), self.at_start
        met = near + met
        before = _frontier(graph, met, self.change_before)
        leaves_before = [graph.leaf(f"before.{i}", LANE) for i in range(len(before))]
        met = graph.rewritten(met, dict(zip(before, leaves_before, strict=True)))
        # Before the first change there is none, so it counts as infinite.
        none = graph.rewritten(before, dict.fromkeys(self.change_before, graph.of(np.inf)))
        last = graph.rewritten(before, dict(zip(self.change_before, self.change, strict=True)))
        met += [where(start, *pair) for pair in zip(none, last, strict=True)]
        now = _frontier(graph, met, self.change)
        leaves = [graph.leaf(f"last.{i}", LANE) for i in range(len(now))]
        met = graph.rewritten(met, dict(zip(now, leaves, strict=True)))
        made = graph.rewritten(now, dict(zip(self.change, self.here.change, strict=True)))
        kept = list(map(Kept, (*leaves_before, *leaves), (*met[2 * count :], *made)))
        asked = graph.needed(met)
        return Masks(met[:count], met[count : 2 * count], [*(v for v in self.values if v.leaf in asked), *kept])


def _frontier(graph: Graph, outputs: list[Node], leaves: list[Node]) -> list[Node]:
    """The nodes through which the outputs depend on the leaves: the last computed from the leaves only, if fewer.

    For example, the largest change of many coordinates is one number.
    """
    needed = graph.needed(outputs)
    given = [node for node in needed if node in leaves]
    own = set(given)
    for node in needed:
        inner = [part in own for part in node.inputs]
        if any(inner) and all(known or part.level == SETTING for known, part in zip(inner, node.inputs, strict=True)):
            own.add(node)
    numbers = {node for node in own if not node.is_mask}
    last = [node for node in graph.needed(outputs, given=numbers) if node in numbers]
    return last if len(last) < len(given) else given


def _with_leaves(condition: StoppingCondition, setting: Callable[[float], Node]) -> Any:
    """The condition, with its numbers replaced by leaves."""
    clone = copy.copy(condition)
    for name in getattr(condition, "__dataclass_fields__", ()):
        number = getattr(condition, name)
        if isinstance(number, int | float) and not isinstance(number, bool):
            object.__setattr__(clone, name, _array(setting(number)))
    return clone


# Stand-ins for arrays, which hold one run's part -------------------------------------------------------------


class Row(list[Any]):
    """One run's row of an array of shape (k, n)."""


class Run(list[Any]):
    """One run's entry of an array of shape (k,), as a list of one."""


class Clock:
    """Stands for the time, which compiled code cannot read."""


class OnTheClock(Exception):
    """A condition uses the time."""


class Traced(Proxy):
    """Stands for an array of a `Progress`, or for what a condition computes from it."""

    __slots__ = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape for a batch of one run."""
        if isinstance(self.value, Row):
            return (1, len(self.value))
        return (1,) if isinstance(self.value, Run) else ()

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, place: Any) -> Traced:
        runs, *rest = place if isinstance(place, tuple) else (place,)
        if len(rest) > 1 or not (runs is Ellipsis or (isinstance(runs, slice) and runs == slice(None))):
            raise TypeError("of the runs, all are looked at alike: take [:, i]")
        if not rest:
            return self
        (column,) = rest
        if isinstance(self.value, Run) and column is None:
            return _array(Row(self.value))
        if not isinstance(self.value, Row):
            raise TypeError("it has no second axis")
        if isinstance(column, slice):
            return _array(Row(self.value[column]))
        return _array(Run([self.value[operator.index(column)]]))

    def __getattr__(self, name: str) -> Any:
        if name in _REDUCTIONS:
            return functools.partial(self._method, name)
        return super().__getattr__(name)

    def _method(self, name: str, *inputs: Any, **settings: Any) -> Any:
        return self._carried(name, (self, *inputs), settings)


def _array(value: Any) -> Traced:
    return Traced(value, LIBRARY)


def _each(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of single numbers, applied elementwise to stand-ins of one kind and to single numbers."""

    def on_arrays(*inputs: Any) -> Any:
        parts = [_part(part) for part in inputs]
        kinds = {type(part) for part in parts} & {Run, Row}
        if len(kinds) > 1:
            raise TypeError("arrays of shape (k, n) and (k,) have no common shape; write [:, None]")
        if not kinds:
            return function(*parts)
        (kind,) = kinds
        width = max(len(part) for part in parts if isinstance(part, list))
        if kind is Run and width > 1:
            raise TypeError(f"an array of shape (k,) has no common shape with {width} numbers")
        rows = [part if isinstance(part, list) else [part] for part in parts]
        rows = [row * width if len(row) == 1 else row for row in rows]
        return kind(function(*numbers) for numbers in zip(*rows, strict=True))

    return on_arrays


def _part(part: Any) -> Any:
    """An operand: a node, a number, or a list that stands for an array."""
    if isinstance(part, Clock):
        raise OnTheClock
    if isinstance(part, np.ndarray):
        if part.ndim > 1:
            raise TypeError(f"an array of shape {part.shape} has no common shape with those of the runs")
        return part.tolist()
    return part


def _along_coordinates(function: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    """A reduction, such as a sum, along the last of two axes."""

    def reduced(array: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        if not isinstance(array, Row) or axis not in (1, -1):
            raise TypeError("each run is looked at by itself: give axis=-1, and an array of shape (k, n)")
        number = function(list(array))
        return Row([number]) if keepdims else Run([number])

    return reduced


def _norm(vectors: Any, order: None = None, axis: Any = None, keepdims: bool = False) -> Any:
    if order is not None:
        raise TypeError("of the norms it knows the Euclidean one")
    return _along_coordinates(lambda row: sqrt(total(x * x for x in row)))(vectors, axis, keepdims=keepdims)


def _boolean(x: Node) -> Node:
    return x if x.is_mask else x.differs(0.0)


def _any(row: list[Any]) -> Any:
    return functools.reduce(operator.or_, map(_boolean, row))


def _all(row: list[Any]) -> Any:
    return functools.reduce(operator.and_, map(_boolean, row))


def _filled(number: float) -> Callable[..., Any]:
    """`zeros_like` and similar: an array like another, filled with this number; the dtype is ignored."""

    def like(array: Any, **_: Any) -> Any:
        return _each(lambda x: x.graph.of(number))(array)

    return like


_REDUCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "any": _any,
    "all": _all,
    "sum": total,
    "max": largest,
    "min": smallest,
    "mean": lambda row: total(row) / float(len(row)),
}

# NumPy's functions on the stand-ins for arrays.
LIBRARY: Library = {
    **{name: _each(function) for name, function in OF_NUMPY.items()},
    **{name: _along_coordinates(function) for name, function in _REDUCTIONS.items()},
    "add.reduce": _along_coordinates(total),
    "maximum.reduce": _along_coordinates(largest),
    "minimum.reduce": _along_coordinates(smallest),
    "logical_or.reduce": _along_coordinates(_any),
    "logical_and.reduce": _along_coordinates(_all),
    "norm": _norm,
    "unless": _each(unless),
    "zeros_like": _filled(0.0),
    "ones_like": _filled(1.0),
}
