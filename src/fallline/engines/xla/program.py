"""The code of a batch of runs: how they begin, and how they go on, compiled by XLA."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import functools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fallline.engines.lowest import Lowest
from fallline.engines.per_run import form, is_per_run
from fallline.engines.problem import Problem, Unable, is_ours
from fallline.engines.xla import objectives
from fallline.libraries import jax_library
from fallline.line_search import LineSearch
from fallline.optimizers import Optimizer
from fallline.optimizers import on_jax as rules
from fallline.proxy import ArrayProxy, unwrapped
from fallline.schedules import watches_values
from fallline.state import map_state, named_leaves
from fallline.stopping import Progress, Seconds, StoppingCondition

# Steps between two looks at whether any run goes on: a look takes as long as a part of a step.
_UNSEEN = 16
# The most coordinates that are reduced column by column.
_FEW_COLUMNS = 8


class Lanes(NamedTuple):
    """k runs side by side, as JAX arrays; one that has ended stays where it is.

    Attributes:
        made: the number of steps that those made which have not ended.
        steps: the number of steps that each made, shape (k,), as are those below unless they say (k, n).
        x, value, gradient: the points, (k, n), and the objective there; the gradient is taken where the rule asks.
        state: the rule's state; each part has the shape (k, 1) or (k, n).
        change, previous_change: the last two changes of x, (k, n); infinite before the first.
        first_value, previous_value: the values at the start, and a step before.
        lowest: the points with the lowest values so far; of each of these five, None where nobody asks for it.
        stop: 0 for a run that goes on, else the number of the condition that ended it, counted from 1; the step limit
            is the last.
        old: whether the value is that of an earlier point.
        lost: whether the run came to a point that the objective's code does not know, where it stays; None where it
            knows every point.
    """

    made: Any
    steps: Any
    x: Any
    value: Any
    gradient: Any
    state: Any
    change: Any
    previous_change: Any
    first_value: Any
    previous_value: Any
    lowest: Any
    stop: Any
    old: Any
    lost: Any


class Arrival(NamedTuple):
    """What is known beforehand of the points that a step leads to; of several steps, arrays with a row each.

    Attributes:
        looks: whether the objective's value is needed there.
        evaluations: the number of evaluations of value and gradient so far, added.
        rows: the rows of the mini-batch of the next step; None for all.
    """

    looks: Any
    evaluations: Any
    rows: Any


@dataclass(frozen=True)
class Parts:
    """What a program is made of; equal if the code is.

    Attributes:
        key: all that the code depends on.
        rule: the rule; its per-run hyperparameters are arguments of the program.
        objective: the objective on JAX arrays, without its data.
        conditions: the stopping conditions.
        columns: the names of what is recorded of a point: "x", "value", "gradient", "rate", "state"; and "lowest" where
            the lowest values are kept though no points are.
        running: whether the recorded value is that of the mini-batch.
    """

    key: Any
    rule: Optimizer[Any] = dataclasses.field(compare=False)
    objective: objectives.OnJax = dataclasses.field(compare=False)
    conditions: tuple[StoppingCondition, ...] = dataclasses.field(compare=False)
    columns: tuple[str, ...] = dataclasses.field(compare=False)
    running: bool = dataclasses.field(compare=False)


def program_for(problem: Problem, objective: objectives.OnJax, columns: tuple[str, ...]) -> Program:
    """The program of a problem's runs, from the cache if it has been made before.

    Arguments:
        problem: the runs.
        objective: their objective on JAX arrays.
        columns: as in `Parts`.

    Raises:
        Unable: when the problem cannot be computed by it.
    """
    rule = problem.optimizer
    if isinstance(rule.learning_rate, LineSearch):
        raise Unable("a line search takes the rate from values along the line")
    if watches_values(rule.learning_rate):
        raise Unable("the schedule of the rate looks at the values")
    for condition in problem.conditions:
        if isinstance(condition, Seconds):
            raise Unable("the stopping condition Seconds looks at the clock")
    running = problem.objective.epoch_value == "running"
    key = form(rule), objective.key, problem.conditions, columns, running, problem.objective.stochastic
    # Without the data, which a cached program must not keep.
    code = objective._replace(data=())
    parts = Parts(key, rule, code, problem.conditions, columns, running)
    if objective.key is None or not all(map(is_ours, (rule, *problem.conditions))):
        return Program(parts)
    try:
        return _cached(parts)
    except TypeError:  # a setting without a hash
        return Program(parts)


@functools.lru_cache(maxsize=64)
def _cached(parts: Parts) -> Program:
    return Program(parts)


class Program:
    """The compiled code.

    Arguments:
        parts: what it is made of.
    """

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._rule_name = f"the rule {type(parts.rule).__name__}"
        self._compiled: dict[Any, Callable[..., Any]] = {}
        self._compiling = threading.Lock()

    def begin(self, *arguments: Any) -> Lanes:
        """The runs at their starts, turned; arguments are those of `_begin`."""
        begun: Lanes = self._for(self._begin, arguments)(*arguments)
        return begun

    def advance(self, *arguments: Any, room: int) -> tuple[Lanes, dict[str, Any]]:
        """The runs after some steps, turned, and what was recorded; arguments are those of `_advance`."""
        made: tuple[Lanes, dict[str, Any]] = self._for(self._advance, arguments, room=room)(*arguments)
        return made

    def _for(self, function: Callable[..., Any], arguments: tuple[Any, ...], **sizes: int) -> Callable[..., Any]:
        """The function compiled for arguments of these shapes, on their device; once, whatever the threads."""
        import jax

        leaves = jax.tree.leaves(arguments)
        devices = {str(leaf.devices()) for leaf in leaves if isinstance(leaf, jax.Array)}
        key = function.__name__, *sizes.values(), *map(np.shape, leaves), *sorted(devices)
        with self._compiling:
            if key not in self._compiled:
                lowered = jax.jit(functools.partial(function, **sizes)).lower(*arguments)
                self._compiled[key] = lowered.compile(self.parts.objective.options)
        return self._compiled[key]

    def _rule(self, own: list[Any]) -> rules.OnJax:
        """The rule with these per-run hyperparameters, in the order of `per_run_settings`."""
        return rules.OnJax(with_own(self.parts.rule, iter(own)), _is_array)

    def _begin(self, starts: Any, own: list[Any], data: Any, arrival: Arrival, limit: Any, real: Any) -> Lanes:
        """The runs at their starts, turned, of which those after the first `real` fill up the block."""
        from jax import numpy as jnp

        k, n = starts.shape
        rule = self._rule(own)
        with _told(self._rule_name):
            state = _begun(rule, starts)
        value, gradient, known = self._seen(rule, starts, state, data, arrival, None)
        infinite, none = jnp.full((k, n), jnp.inf), jnp.zeros(k, bool)
        lanes = Lanes(
            made=jnp.zeros((), int),
            steps=jnp.zeros(k, int),
            x=starts,
            value=value,
            gradient=gradient,
            state=state,
            change=infinite,
            previous_change=infinite,
            first_value=value,
            previous_value=value,
            lowest=self._lowest(jnp.zeros(k, int), starts, value, gradient),
            stop=jnp.zeros(k, jnp.int8),
            old=none,
            lost=None if known is None else ~known,
        )
        stop = self._stops(rule, lanes, arrival, limit, at_start=True)
        lanes = lanes._replace(stop=jnp.where(jnp.arange(k) < real, stop, len(self.parts.conditions) + 1))
        return turned(lanes if "x" in self.parts.columns else self._asked_for(rule, lanes, arrival, limit))

    def _asked_for(self, rule: rules.OnJax, lanes: Lanes, arrival: Arrival, limit: Any) -> Lanes:
        """The runs without what the conditions do not read of earlier points, so that no step has to keep it."""
        import jax

        stops = jax.make_jaxpr(lambda lanes: self._stops(rule, lanes, arrival, limit, at_start=False))(lanes).jaxpr
        reads = {id(part) for operation in stops.eqns for part in operation.invars}
        read = jax.tree.unflatten(jax.tree.structure(lanes), [id(part) in reads for part in stops.invars])
        return lanes._replace(
            # Before a step, this is what will be the previous change.
            change=lanes.change if read.previous_change else None,
            previous_change=None,
            first_value=lanes.first_value if read.first_value else None,
            previous_value=None,
        )

    def _advance(
        self, lanes: Lanes, own: list[Any], data: Any, arrivals: Arrival, places: Any, count: Any, limit: Any, room: int
    ) -> tuple[Lanes, dict[str, Any]]:
        """Make `count` steps, or fewer if all runs end.

        Arguments:
            lanes: the runs, turned.
            arrivals: what is known of the points that each step leads to.
            places: the row in which the points are recorded that each step leaves; `room` for none.
            room: the number of rows.

        Returns:
            The runs, turned, and the rows: for each column an array of shape (room + 1, k, ...).
        """
        import jax
        from jax import numpy as jnp

        rule, first = self._rule(own), lanes.made

        def goes_on(carried: Any) -> Any:
            lanes, _ = carried
            on = (lanes.made - first < count) & (lanes.stop == 0).any()
            return on if lanes.lost is None else on & ~lanes.lost.any()

        def some(carried: Any) -> Any:
            most = jnp.minimum(_UNSEEN, count - (carried[0].made - first))
            return jax.lax.fori_loop(0, most, step, carried)

        def step(_: Any, carried: Any) -> Any:
            lanes, rows = turned(carried[0]), carried[1]
            i = lanes.made - first
            with _told(f"the rate of {self._rule_name}"):
                rate = rule.rate(lanes.made + 1)
            row = self._row(lanes, rate)
            rows = {name: rows[name].at[places[i]].set(part) for name, part in row.items()}
            arrival = Arrival(*(None if part is None else part[i] for part in arrivals))
            return turned(self._stepped(rule, lanes, rate, data, arrival, limit)), rows

        # Only the shapes count: the rate of any step has that of the first.
        shapes = jax.eval_shape(lambda: self._row(turned(lanes), rule.rate(lanes.made + 1)))
        rows = {name: jnp.zeros((room + 1, *part.shape)) for name, part in shapes.items()}
        made: tuple[Lanes, dict[str, Any]] = jax.lax.while_loop(goes_on, some, (lanes, rows))
        return made

    def _stepped(self, rule: rules.OnJax, lanes: Lanes, rate: Any, data: Any, arrival: Arrival, limit: Any) -> Lanes:
        """The runs after a step."""
        import jax
        from jax import numpy as jnp

        going = _moves(lanes)
        with _told(self._rule_name):
            change, state = rule.update(lanes.gradient, lanes.state, rate, lanes.made + 1)
            state = jax.tree.map(_like, state, lanes.state)
        # A run that has ended stays where it is, and so does its value.
        change = jnp.where(going[:, None], change, 0.0)
        x = lanes.x - change
        value, gradient, known = self._seen(rule, x, state, data, arrival, lanes.value)
        lowest, steps = lanes.lowest, lanes.steps + going
        if lowest is not None:
            lowest = _where(value < lowest.value, self._lowest(steps, x, value, gradient), lowest)
        after = lanes._replace(
            made=lanes.made + 1,
            steps=steps,
            x=x,
            value=value,
            gradient=gradient,
            state=state,
            change=change,
            previous_change=change if lanes.change is None else lanes.change,
            first_value=value if lanes.first_value is None else lanes.first_value,
            previous_value=lanes.value,
            lowest=lowest,
            old=lanes.old if arrival.rows is None else jnp.broadcast_to(~arrival.looks, value.shape),
            lost=None if known is None else ~known,
        )
        stop = jnp.where(going, self._stops(rule, after, arrival, limit, at_start=False), lanes.stop)
        kept = Lanes(*(None if before is None else part for part, before in zip(after, lanes, strict=True)))
        recorded, elsewhere = "x" in self.parts.columns, known is not None and rule.lookahead(x, state) is not x
        if recorded or elsewhere or arrival.rows is not None:
            # What else is known of it is read as well, or its value is that of the mini-batch.
            kept = _where(going, kept, lanes)._replace(made=after.made)
        return kept._replace(stop=stop)

    def _lowest(self, step: Any, x: Any, value: Any, gradient: Any) -> Any:
        """The points as those with the lowest values; without points recorded at most the values are kept."""
        none: Any = None
        if "x" in self.parts.columns:
            return Lowest(step, x, value, gradient)
        return Lowest(none, none, value, none) if "lowest" in self.parts.columns else None

    def _seen(
        self, rule: rules.OnJax, x: Any, state: Any, data: Any, arrival: Arrival, previous: Any
    ) -> objectives.Seen:
        """The value at x, or the previous one where it is not needed, and the gradient where the rule takes it."""
        import jax

        objective = self.parts.objective
        with _told(self._rule_name):
            place = rule.lookahead(x, state)
        with _told("the objective"):
            seen = objective.both(place, data, arrival.rows)
            if place is x and arrival.rows is None:
                return seen
            at_x = functools.partial(objective.both, x, data, arrival.rows if self.parts.running else None)
            if previous is None or arrival.rows is None:
                value, _, known = at_x()
            else:
                value, _, known = jax.lax.cond(
                    arrival.looks, at_x, lambda: objectives.Seen(previous, seen.gradient, seen.known)
                )
        return seen._replace(value=value, known=known if known is None else seen.known & known)

    def _stops(self, rule: rules.OnJax, lanes: Lanes, arrival: Arrival, limit: Any, at_start: bool) -> Any:
        """The number of the condition that ends each run at its point, 0 for none."""
        from jax import numpy as jnp

        with _told(self._rule_name):
            gradient = rule.projected_gradient(lanes.x, lanes.gradient)
        evaluations = jnp.broadcast_to(arrival.evaluations, lanes.steps.shape)
        earlier = (None, None) if at_start else (lanes.change, lanes.previous_value)
        numbers = lanes.made, lanes.x, lanes.value, gradient, *earlier, lanes.first_value, evaluations
        previous_change = None if at_start else lanes.previous_change
        arrays: list[Any] = [part if part is None else _proxy(part) for part in (*numbers, None, previous_change)]
        progress = Progress(*arrays)
        stop = jnp.full(lanes.steps.shape, jnp.where(lanes.made >= limit, len(self.parts.conditions) + 1, 0))
        for number, condition in reversed(list(enumerate(self.parts.conditions, start=1))):
            with _told(f"the stopping condition {type(condition).__name__}"):
                stop = jnp.where(jnp.broadcast_to(unwrapped(condition.met(progress)), stop.shape), number, stop)
        return stop.astype(jnp.int8)

    def _row(self, lanes: Lanes, rate: Any) -> dict[str, Any]:
        """What is recorded of the points that a step leaves."""
        from jax import numpy as jnp

        k, n = lanes.x.shape
        columns = {"x": lanes.x, "value": lanes.value, "gradient": lanes.gradient}
        columns["rate"] = jnp.broadcast_to(jnp.reshape(jnp.asarray(rate, float), (-1,)), (k,))
        row = {name: part for name, part in columns.items() if name in self.parts.columns}
        if "state" in self.parts.columns:
            row |= {f"state.{name}": jnp.broadcast_to(leaf, (k, n)) for name, leaf in named_leaves(lanes.state)}
        return row


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Names the part that JAX could not trace, whatever error that raised.

    Raises:
        Unable: naming it.
    """
    try:
        yield
    except Unable:
        raise
    except Exception as error:  # a user's part may fail anywhere on a stand-in for an array
        said = " ".join(str(error).split())[:200]
        raise Unable(f"{what} does what JAX cannot trace ({said})") from error


def with_own(settings: Any, own: Iterator[Any]) -> Any:
    """A rule, or a part of it, with these numbers, one per run, in place of its own."""
    clone = copy.copy(settings)
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            object.__setattr__(clone, field.name, with_own(value, own))
        elif is_per_run(value):
            object.__setattr__(clone, field.name, next(own))
    return clone


def _is_array(value: Any) -> bool:
    import jax

    return isinstance(value, jax.Array)


def _proxy(part: Any) -> ArrayProxy:
    return _Rows(part, jax_library())


# Reductions of the coordinates that conditions write, and the operation on two of them.
_FOLDS = {"all": np.logical_and, "any": np.logical_or, "sum": np.add, "max": np.maximum}


class _Rows(ArrayProxy):
    """Stands for an array with a row per run: few coordinates are reduced column by column, which XLA vectorises."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        usual, fold = super().__getattr__(name), _FOLDS.get(name)
        if fold is None or self.value.ndim != 2 or not 1 < self.value.shape[1] <= _FEW_COLUMNS:
            return usual

        def reduced(axis: Any = None, **settings: Any) -> Any:
            if settings or axis not in (-1, 1):
                return usual(axis=axis, **settings)
            return functools.reduce(fold, (self[:, i] for i in range(self.value.shape[1])))

        return reduced


def _begun(rule: rules.OnJax, starts: Any) -> Any:
    """The rule's state at the starts, with parts as wide as they become."""
    import jax
    from jax import numpy as jnp

    k = len(starts)

    def rows_of(leaf: Any) -> Any:
        leaf = jnp.asarray(leaf)
        return jnp.broadcast_to(leaf, (k, leaf.shape[-1] if leaf.ndim else 1))

    state = map_state(rows_of, rule.init(starts))
    for _ in range(len(list(named_leaves(state))) + 1):
        _, after = jax.eval_shape(rule.update, starts, state, rule.rate(1), 1)
        wider = jax.tree.map(_wide_enough, state, after)
        same = jax.tree.map(lambda one, other: one.shape == other.shape and one.dtype == other.dtype, state, wider)
        state = wider
        if jax.tree.all(same):
            break
    return state


def _wide_enough(leaf: Any, later: Any) -> Any:
    """A part of the state, with room for what it becomes."""
    import jax
    from jax import numpy as jnp

    shape = jnp.broadcast_shapes(leaf.shape, later.shape)
    return _like(leaf, jax.ShapeDtypeStruct(shape, jnp.result_type(leaf, later)))


def _like(part: Any, other: Any) -> Any:
    """A part in the shape and of the dtype of another."""
    from jax import numpy as jnp

    return jnp.broadcast_to(jnp.asarray(part, other.dtype), other.shape)


def _moves(lanes: Lanes) -> Any:
    """Which runs make the next step, shape (k,)."""
    return lanes.stop == 0 if lanes.lost is None else (lanes.stop == 0) & ~lanes.lost


def turned(lanes: Lanes) -> Lanes:
    """The runs with the coordinates first, or back: so each is contiguous, as XLA's loops over the runs want it."""
    import jax

    other_way: Lanes = jax.tree.map(lambda part: part.T, lanes)
    return other_way


def _where(chosen: Any, new: Any, old: Any) -> Any:
    """The rows of a tree of arrays with one row per run: new where chosen, old elsewhere."""
    import jax
    from jax import numpy as jnp

    def of(one: Any, other: Any) -> Any:
        return jnp.where(chosen.reshape(-1, *(1,) * (one.ndim - 1)), one, other) if one.ndim else one

    return jax.tree.map(of, new, old)
