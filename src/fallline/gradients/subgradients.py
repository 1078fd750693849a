"""The slopes of JAX functions where a kink leaves a choice: 0 for `abs`, and for roots if they would give NaN."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

# Functions of JAX's with an infinite slope at the ends of their domain: those ends.
EDGES = {"asin": (-1, 1), "acos": (-1, 1), "acosh": (1,)}


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


def kink_at(function: Callable[[Any], Any], x: Any) -> str | None:
    """The first operation of a function whose slope is infinite at a point, such as a root at 0; None without one.

    >>> from jax import numpy as jnp
    >>> kink_at(lambda x: 1 - jnp.sqrt(x), 0.0)
    'kink in sqrt at 0'
    """
    import jax

    found: list[str] = []
    with jax.enable_x64(True):
        evaluated(jax.make_jaxpr(function)(x), [x], flat_roots=True, found=found)
    return f"kink in {found[0]}" if found else None


def evaluated(
    recorded: Any, inputs: Sequence[Any], *, flat_roots: bool = False, found: list[str] | None = None
) -> list[Any]:
    """The results of recorded operations, a closed jaxpr, with these slopes.

    Arguments:
        found: where the operations with an infinite slope are added, at a point that is known.
    """
    from jax.extend.core import Literal

    jaxpr = recorded.jaxpr
    known = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*recorded.consts, *inputs], strict=True))

    def read(variables: Sequence[Any]) -> list[Any]:
        return [each.val if isinstance(each, Literal) else known[each] for each in variables]

    for operation in jaxpr.eqns:
        results = _applied(operation, read(operation.invars), flat_roots, found)
        known.update(zip(operation.outvars, results, strict=True))
    return read(jaxpr.outvars)


def _applied(operation: Any, inputs: list[Any], flat_roots: bool, found: list[str] | None) -> list[Any]:
    """The results of one recorded operation."""
    from jax import numpy as jnp

    primitive, params = operation.primitive, operation.params
    if primitive.name == "jit":
        return evaluated(params["jaxpr"], inputs, flat_roots=flat_roots, found=found)
    if primitive.name == "abs":
        return [jnp.where(inputs[0] == 0, 0, jnp.abs(inputs[0]))]
    if flat_roots and primitive.name in ("sqrt", "cbrt", "pow"):
        base, *exponent = inputs
        steep = (base == 0) & ((exponent[0] > 0) & (exponent[0] < 1) if exponent else True)
        if found is not None and jnp.any(steep):
            name = f"the power {float(jnp.ravel(exponent[0])[0]):g}" if exponent else primitive.name
            found.append(f"{name} at 0")
        return [jnp.where(steep, 0, primitive.bind(jnp.where(steep, 1, base), *exponent, **params))]
    if found is not None and primitive.name in EDGES:
        found += [f"arc{primitive.name[1:]} at {end}" for end in EDGES[primitive.name] if jnp.any(inputs[0] == end)]
    bound = primitive.get_bind_params(params)
    # Before JAX 0.10 the functions among the parameters came apart.
    functions, settings = bound if isinstance(bound, tuple) else ((), bound)
    results = primitive.bind(*functions, *inputs, **settings)
    return list(results) if primitive.multiple_results else [results]
