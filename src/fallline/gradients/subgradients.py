"""The slopes of JAX functions where a kink leaves a choice: 0 for `abs`, and for roots if they would give NaN."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def with_subgradients(function: Callable[[Any], Any], *, flat_roots: bool = False) -> Callable[[Any], Any]:
    """A function with the same values, to be differentiated.

    The slope of `abs` at 0 is 0, the subgradient of least size, as NumPy's `sign` has it; JAX takes 1.

    With flat roots that of a root or a fractional power at 0 is 0, too, in place of infinity: for points where the
    gradient is NaN without. The gradient of `sqrt(x**2 + y**2)**2` at (0, 0) is 0 times infinity otherwise, though the
    function is smooth, and `sqrt(x**2 + y**2)` has the subgradient 0.

    Arguments:
        function: takes and returns one JAX array.
        flat_roots: whether roots are flat at 0.

    >>> import jax
    >>> from jax import numpy as jnp
    >>> float(jax.grad(with_subgradients(jnp.abs))(0.0))
    0.0
    >>> float(jax.grad(with_subgradients(lambda x: jnp.sqrt(x**4), flat_roots=True))(0.0))
    0.0
    """

    def settled(x: Any) -> Any:
        import jax

        (value,) = evaluated(jax.make_jaxpr(function)(x), [x], flat_roots=flat_roots)
        return value

    return settled


def evaluated(recorded: Any, inputs: Sequence[Any], *, flat_roots: bool = False) -> list[Any]:
    """The results of recorded operations, a closed jaxpr, with these slopes."""
    from jax.extend.core import Literal

    jaxpr = recorded.jaxpr
    known = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*recorded.consts, *inputs], strict=True))

    def read(variables: Sequence[Any]) -> list[Any]:
        return [each.val if isinstance(each, Literal) else known[each] for each in variables]

    for operation in jaxpr.eqns:
        results = _applied(operation, read(operation.invars), flat_roots)
        known.update(zip(operation.outvars, results, strict=True))
    return read(jaxpr.outvars)


def _applied(operation: Any, inputs: list[Any], flat_roots: bool) -> list[Any]:
    """The results of one recorded operation."""
    from jax import numpy as jnp

    primitive, params = operation.primitive, operation.params
    if primitive.name in ("jit", "pjit"):
        return evaluated(params["jaxpr"], inputs, flat_roots=flat_roots)
    if primitive.name == "abs":
        return [jnp.where(inputs[0] == 0, 0, primitive.bind(*inputs, **params))]
    if flat_roots and primitive.name in ("sqrt", "cbrt", "pow"):
        base, *exponent = inputs
        steep = (base == 0) & ((exponent[0] > 0) & (exponent[0] < 1) if exponent else True)
        return [jnp.where(steep, 0, primitive.bind(jnp.where(steep, 1, base), *exponent, **params))]
    bound = primitive.get_bind_params(params)
    # Before JAX 0.10 the functions among the parameters came apart.
    functions, settings = bound if isinstance(bound, tuple) else ((), bound)
    results = primitive.bind(*functions, *inputs, **settings)
    return list(results) if primitive.multiple_results else [results]
