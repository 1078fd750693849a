"""Value and gradient of a JAX function at many points side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def at_each(
    function: Callable[[Any], tuple[Any, Any]], again: Callable[[Any], Any], points: Any
) -> tuple[Any, Any, Any]:
    """Value, gradient, and whatever else the function returns, at each point.

    To be traced by JAX, as a part of other code.

    Arguments:
        function: takes n numbers, returns a value and something else.
        again: takes n numbers, returns the gradient where that of `function` is NaN though the value is finite.
        points: a JAX array of points, one per row.
    """
    import jax
    from jax import numpy as jnp

    (values, others), slopes = jax.vmap(jax.value_and_grad(function, has_aux=True))(points)
    lost = jnp.isnan(slopes) & jnp.isfinite(values)[:, None]
    slopes = jax.lax.cond(lost.any(), lambda: jnp.where(lost, jax.vmap(again)(points), slopes), lambda: slopes)
    return values, slopes, others
