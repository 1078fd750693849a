"""optax: an update rule as a `GradientTransformation`, and any optax optimizer as an update rule."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from fallline.arrays import FloatArray, Quantity
from fallline.bridges.elementwise import check_elementwise
from fallline.errors import FalllineError, Verbatim
from fallline.hyperparameters import is_traced
from fallline.line_search import LineSearch
from fallline.optimizers import Optimizer
from fallline.optimizers.base import LearningRate, learning_rate
from fallline.optimizers.on_jax import OnJax, with_settings_replaced
from fallline.schedules import Schedule, watches_values
from fallline.state import with_x


class RuleState(NamedTuple):
    """The state of `as_optax`.

    Attributes:
        step: the number of steps made.
        states: the rule's state, one for each leaf of the parameters, or one for all of them.
        points: likewise the rule's own point if its gradient is evaluated at another; None for most rules.
    """

    step: Any
    states: tuple[Any, ...]
    points: tuple[Any, ...]


def as_optax(rule: Optimizer[Any]) -> Any:
    """An update rule as an `optax.GradientTransformation`, to be compiled, chained and masked like any other.

    The rule's own code runs on JAX arrays, in their dtype. An elementwise rule takes each leaf of the parameters
    separately; any other takes all of them as one vector. The learning rate, a number or a schedule, is the rule's; it
    and other hyperparameters may be numbers that JAX traces, as in
    `optax.inject_hyperparams(lambda rate: as_optax(fallline.Lion(rate)))(rate=0.001)`.

    With a rule that looks ahead (Nesterov, FISTA, schedule-free) the parameters are the point where it evaluates the
    gradient; `eval_params` gives the rule's own point.

    Example::

        tx = optax.chain(optax.clip_by_global_norm(1.0), as_optax(fallline.Lion(0.001)))

    Arguments:
        rule: the update rule, one of the library's or your own.

    Raises:
        FalllineError: when optax is not installed, or the rule needs the value of the objective.
    """
    optax = _optax()
    import jax

    if not isinstance(rule, Optimizer):
        raise FalllineError("rule", rule, "it must be an update rule such as Adam(0.1)")
    rate = rule.learning_rate
    if isinstance(rate, LineSearch) or watches_values(rate):
        raise FalllineError(
            "learning_rate",
            Verbatim(rate.name),
            "give a number or another schedule",
            problem="which needs the value of the objective, and a GradientTransformation is given gradients alone",
        )
    # Whether a rule mixes coordinates does not depend on its numbers.
    check_elementwise(with_settings_replaced(rule, is_traced, lambda _: 0.5))
    on_jax = _Parted(rule, is_traced)

    def init(params: Any) -> RuleState:
        parts, _ = _parts(rule, params)
        states = tuple(on_jax.init(x) for x in parts)
        points = (x if on_jax.lookahead(x, state) is not x else None for x, state in zip(parts, states, strict=True))
        return RuleState(jax.numpy.zeros((), int), states, tuple(points))

    def step_of(updates: Any, state: RuleState, params: Any = None) -> tuple[Any, RuleState]:
        gradients, whole = _parts(rule, updates)
        step = state.step + 1
        rate = on_jax.rate(step)
        ahead = any(point is not None for point in state.points)
        if ahead and params is None:
            raise FalllineError(
                "params", problem="is None", allowed=f"{type(rule).__name__} looks ahead of them: give them to update"
            )
        places = [None] * len(gradients) if params is None else _parts(rule, params)[0]
        parts = zip(gradients, state.states, state.points, places, strict=True)
        moved = [on_jax.move(*part, rate, step) for part in parts]
        states, points = tuple(after for _, after, _ in moved), tuple(point for _, _, point in moved)
        return whole([move for move, _, _ in moved]), RuleState(step, states, points)

    return optax.GradientTransformation(init, step_of)


class _Parted(OnJax):
    """A rule on the parts of the parameters, one after another."""

    def move(self, gradient: Any, before: Any, point: Any, place: Any, rate: Any, step: Any) -> tuple[Any, Any, Any]:
        """The update of one part of the parameters, its new state, and the rule's own point if it has one."""
        import jax

        # A later transformation in the chain may have changed the update.
        told = with_x(before, place) if place is not None and point is None else before
        change, after = self.update(gradient, told, rate, step)
        if point is None:
            move = -change
        else:
            point = (point - change).astype(point.dtype)
            move = self.lookahead(point, after) - place
        # Arithmetic with the step, an integer, may give a wider dtype: cast back.
        state = jax.tree.map(lambda new, old: jax.numpy.asarray(new, jax.numpy.result_type(old)), after, before)
        return move.astype(gradient.dtype), state, point


def eval_params(state: Any, params: Any) -> Any:
    """The parameters to evaluate or save: the own point of a rule that looks ahead, else the parameters themselves.

    Arguments:
        state: the state of `as_optax(rule)`, or of a chain that contains it.
        params: the parameters that the state belongs to.
    """
    import jax

    parts = jax.tree.leaves(state, is_leaf=lambda part: isinstance(part, RuleState))
    for part in parts:
        if isinstance(part, RuleState) and any(point is not None for point in part.points):
            leaves, structure = jax.tree.flatten(params)
            if len(part.points) == len(leaves) and all(map(_same_shape, part.points, leaves)):
                return jax.tree.unflatten(structure, part.points)
            return jax.flatten_util.ravel_pytree(params)[1](part.points[0])
    return params


def _same_shape(point: Any, leaf: Any) -> bool:
    return bool(np.shape(point) == np.shape(leaf))


def _parts(rule: Optimizer[Any], tree: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The arrays that the rule takes as one x each, and the function that turns such arrays back into a tree."""
    import jax
    from jax.flatten_util import ravel_pytree

    if rule.elementwise:
        leaves, structure = jax.tree.flatten(tree)
        return [*map(jax.numpy.asarray, leaves)], lambda parts: jax.tree.unflatten(structure, parts)
    vector, unravel = ravel_pytree(tree)
    return [vector], lambda parts: unravel(parts[0])


class OptaxState(NamedTuple):
    """The point, and the leaves of the optax state, each with one row per run."""

    x: Quantity
    leaves: tuple[Quantity, ...]


@dataclass(frozen=True)
class OptaxRule(Optimizer[OptaxState], registered=False):
    """An optax optimizer as an update rule; made by `from_optax`.

    Attributes:
        learning_rate: the factor on the updates of `tx`, which has its own learning rate.
        tx: the `optax.GradientTransformation`.
        title: its name in tables and legends.
    """

    name: ClassVar[str] = "optax"
    told: ClassVar[tuple[str, ...]] = ()
    elementwise: ClassVar[bool] = False

    learning_rate: LearningRate = learning_rate(1.0)
    tx: Any = None
    title: str = "optax"

    @property
    def spelling(self) -> str:
        return self.title

    @property
    def label(self) -> str:
        rate = self.learning_rate
        return (
            self.title if rate == 1.0 else f"{self.title}, {rate if isinstance(rate, Schedule) else f'times {rate:g}'}"
        )

    def init(self, x: Quantity) -> OptaxState:
        rows = np.reshape(x, (-1, np.shape(x)[-1]))
        compiled = _compiled(self.tx, rows.shape[-1])
        return OptaxState(x, _stacked([compiled.init(row) for row in rows], x))

    def update(
        self, gradient: Quantity, state: OptaxState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, OptaxState]:
        n = np.shape(gradient)[-1]
        compiled = _compiled(self.tx, n)
        # One run at a time, so that none depends on the others.
        runs = zip(
            np.reshape(gradient, (-1, n)),
            np.reshape(state.x, (-1, n)),
            *(np.reshape(leaf, (-1, np.shape(leaf)[-1])) for leaf in state.leaves),
            strict=True,
        )
        made = [compiled.update(*run) for run in runs]
        change = -rate * np.reshape([updates for updates, _ in made], np.shape(gradient))
        return change, OptaxState(state.x - change, _stacked([leaves for _, leaves in made], gradient))


def from_optax(tx: Any, name: str = "optax") -> OptaxRule:
    """Any optax optimizer as an update rule: for `minimize`, `compare`, pictures and films.

    It runs in float64, whatever JAX's precision is set to. A recorded run cannot be rebuilt from its recipe alone: give
    `rerun` the rule.

    Example::

        fallline.minimize("x**2", 1.0, from_optax(optax.adamw(0.1), name="adamw"))

    Arguments:
        tx: the `optax.GradientTransformation`, with its own learning rate.
        name: its name in tables and legends.

    Raises:
        FalllineError: when optax is not installed, or `tx` needs more than gradients and parameters.
    """
    _optax()
    if not all(callable(getattr(tx, part, None)) for part in ("init", "update")):
        raise FalllineError("tx", tx, "it must be an optax optimizer such as optax.adam(0.1)")
    _compiled(tx, 1)
    return OptaxRule(tx=tx, title=name)


class _Compiled(NamedTuple):
    """An optax optimizer of n coordinates, compiled for NumPy arrays; its state is a list of arrays."""

    init: Callable[..., list[Any]]
    update: Callable[..., tuple[Any, list[Any]]]


@functools.lru_cache(maxsize=64)
def _compiled(tx: Any, n: int) -> _Compiled:
    import jax
    from jax import numpy as jnp

    def is_key(leaf: Any) -> bool:
        return bool(jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key))

    def rows(state: Any) -> list[Any]:
        leaves = map(jnp.asarray, jax.tree.leaves(state))
        return [(jax.random.key_data(leaf) if is_key(leaf) else leaf).reshape(-1) for leaf in leaves]

    def init(x: Any) -> list[Any]:
        return rows(tx.init(x))

    def update(gradient: Any, x: Any, *leaves: Any) -> tuple[Any, list[Any]]:
        parts = [
            jax.random.wrap_key_data(leaf) if is_key(like) else leaf.reshape(like.shape)
            for leaf, like in zip(leaves, shapes, strict=True)
        ]
        updates, state = tx.update(gradient, jax.tree.unflatten(structure, parts), x)
        return updates, rows(state)

    def in_double(function: Callable[..., Any]) -> Callable[..., Any]:
        compiled = jax.jit(function)

        def run(*arguments: Any) -> Any:
            with jax.enable_x64(True):
                return jax.tree.map(np.asarray, compiled(*arguments))

        return run

    with jax.enable_x64(True):
        x = jax.ShapeDtypeStruct((n,), np.float64)
        try:
            shapes, structure = jax.tree.flatten(jax.eval_shape(tx.init, x))
            jax.eval_shape(update, x, x, *jax.eval_shape(init, x))
        except (TypeError, ValueError, AttributeError) as error:
            said = " ".join(str(error).split())
            raise FalllineError(
                "tx", problem=f"cannot be run on gradients and parameters of one vector alone: {said}"
            ) from error
    return _Compiled(in_double(init), in_double(update))


def _stacked(runs: list[list[FloatArray]], like: Quantity) -> tuple[Quantity, ...]:
    """Each leaf of the state with one row per run, in the leading axes of `like`."""
    leading = np.shape(like)[:-1]
    return tuple(np.reshape(leaf, (*leading, np.shape(leaf[0])[-1])) for leaf in zip(*runs, strict=True))


def _optax() -> Any:
    try:
        import optax
    except ImportError:
        raise FalllineError("optax", problem="is not installed", allowed='pip install "fallline[optax]"') from None
    return optax
