"""Objectives on JAX arrays: value and gradient at every point of a batch."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fallline.engines.problem import Unable, is_formula
from fallline.gradients.autodiff import AutodiffObjective, Path
from fallline.gradients.jax_function import JaxObjective
from fallline.gradients.traced import NotCarried
from fallline.libraries import jax_library
from fallline.models import Loss
from fallline.models.batches import Batches
from fallline.objectives.base import Objective
from fallline.objectives.compiled import ON_ARRAYS
from fallline.objectives.grammar import Formula
from fallline.objectives.straight_line import StraightLine
from fallline.proxy import ArrayProxy, unwrapped

# The most paths through a function: at every step all of them are computed for every point.
MOST_PATHS = 8


class Seen(NamedTuple):
    """What an objective is at k points: values (k,), gradients (k, n), and whether its code knows the point, (k,).

    The last is None where it knows every point.
    """

    value: Any
    gradient: Any
    known: Any


class OnJax(NamedTuple):
    """An objective on JAX arrays.

    Attributes:
        key: equal for objectives with the same code; None if that is not known.
        data: the arrays that the code reads.
        both: takes points (k, n), the data, and the rows of the step's mini-batch (None: all rows); to be traced.
        options: those of XLA's compiler.
    """

    key: Any
    data: Any
    both: Callable[[Any, Any, Any], Seen]
    options: dict[str, Any]


def on_jax(objective: Objective) -> OnJax:
    """The objective as code for JAX.

    Raises:
        Unable: when it is none that JAX can follow.
    """
    if is_formula(objective):
        return OnJax(objective.formula, (), _of_formula(objective.formula), {})
    if isinstance(objective, AutodiffObjective):
        paths = objective.program.paths
        if len(paths) > MOST_PATHS:
            raise Unable(f"{objective.title} has more than {MOST_PATHS} branches")
        options = {key: option for path in paths for key, option in path.options.items()}
        return OnJax(tuple(sorted(paths, key=id)), (), _of_paths(paths), options)
    if isinstance(objective, JaxObjective):
        return OnJax(objective, (), lambda points, *_: _everywhere(*objective.side_by_side(points)), {})
    loss = objective.loss if isinstance(objective, Batches) else objective
    if isinstance(loss, Loss):
        return _of_loss(loss)
    raise Unable(f"JAX cannot follow {objective.title}, whose gradient is {objective.gradient_kind}")


def learn_paths(objective: Objective, points: Any) -> None:
    """Trace the function on the paths that these points take.

    Raises:
        Unable: when JAX cannot follow it there.
    """
    assert isinstance(objective, AutodiffObjective)
    before = len(objective.program.paths)
    try:
        with np.errstate(all="ignore"):
            objective.program.rows(points)
    except NotCarried as error:
        raise Unable(f"JAX cannot follow {objective.title} everywhere: {error}") from error
    if len(objective.program.paths) == before:
        raise Unable(f"{objective.title} takes branches that JAX decides otherwise")


def _everywhere(values: Any, slopes: Any) -> Seen:
    from jax import numpy as jnp

    return Seen(jnp.asarray(values, float), jnp.asarray(slopes, float), None)


def _of_formula(formula: Formula) -> Callable[..., Seen]:
    """The formula's graph and its gradient's, by the same code as on NumPy arrays."""
    code = StraightLine(formula)
    on_proxies = {name: lambda x, name=name: x._carried(name, (x,), {}) for name in ("erf",)}
    # There a whole power is told apart on complex numbers, which are none here.
    names: dict[str, Any] = {**ON_ARRAYS, "whole_power": np.power, **on_proxies, "inf": np.inf, "nan": np.nan}
    # As in objectives.compiled, the code contains no text of the user's.
    exec(compile(code.source([code.result, *code.gradient()]), "<formula>", "exec"), names)  # noqa: S102

    def both(points: Any, *_: Any) -> Seen:
        from jax import numpy as jnp

        outputs = unwrapped(names["f"](*(ArrayProxy(points[:, i], jax_library()) for i in range(points.shape[1]))))
        value, *slopes = (jnp.broadcast_to(jnp.asarray(each, float), points.shape[:1]) for each in outputs)
        # The coordinates first, as the runs are carried from step to step.
        return _everywhere(value, jnp.stack(slopes).T)

    return both


def _of_paths(paths: list[Path]) -> Callable[..., Seen]:
    """A function of which these paths are known: each point is computed on the first that it takes."""

    def both(points: Any, *_: Any) -> Seen:
        from jax import numpy as jnp

        seen = Seen(jnp.zeros(len(points)), jnp.zeros(points.shape), jnp.zeros(len(points), bool))
        for path in paths:
            value, slopes, holds = path.side_by_side(points)
            taken = jnp.asarray(holds, bool) & ~seen.known
            seen = Seen(
                jnp.where(taken, value, seen.value),
                jnp.where(taken[:, None], slopes, seen.gradient),
                seen.known | taken,
            )
        return seen

    return both


def _of_loss(loss: Loss) -> OnJax:
    """A model on its data, by the passes that it makes on NumPy arrays too."""
    if loss.dataset is not None:
        raise Unable(f"{loss.title} is read in parts, in every pass")
    if not isinstance(loss.X, np.ndarray):
        raise Unable(f"{loss.title} has a sparse matrix of inputs")
    # Without its data, so that code in the cache does not keep them.
    model = copy.copy(loss)
    model.X, model.y = (np.broadcast_to(0.0, part.shape) for part in (loss.X, loss.y))
    model.weights = None

    def both(points: Any, data: Any, rows: Any) -> Seen:
        chosen: list[Any] = [part if part is None or rows is None else part[rows] for part in data]
        wrapped: list[Any] = [None if part is None else ArrayProxy(part, jax_library()) for part in (points, *chosen)]
        x, X, y, weights = wrapped
        part = model.on_part(X, y, weights)
        forward = part.forward(x, X)
        errors = part.errors(forward, y)
        values = (errors if weights is None else errors * weights).sum(axis=-1)
        gradients = part.backward(x, forward, X, y, *(() if weights is None else (weights,)))
        return _everywhere(*unwrapped(part.reduced(x, (values, gradients))))

    settings = tuple(getattr(loss, field.name) for field in dataclasses.fields(loss))
    shape = loss.X.shape, loss.weights is None, loss.reduction, loss.mean_weight
    data = np.asarray(loss.X, float), loss.y, loss.weights
    return OnJax((type(loss), settings, *shape) if _is_fallline(type(loss)) else None, data, both, {})


def _is_fallline(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == __name__.partition(".")[0]
