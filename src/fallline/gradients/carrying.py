"""How each function of NumPy and SciPy is translated to JAX ("carried")."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

# Functions that only move array elements, and which of their arguments hold those (None: all of them).
MOVES: dict[str, tuple[int, ...] | None] = {
    **dict.fromkeys(
        ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "copy",
         "reshape", "ravel", "transpose", "permute_dims", "matrix_transpose", "swapaxes", "moveaxis",
         "rollaxis", "squeeze", "expand_dims", "flip", "fliplr", "flipud", "rot90", "roll", "take", "repeat", "tile",
         "diag", "diagonal", "diagflat", "triu", "tril", "split", "array_split", "hsplit", "vsplit", "dsplit",
         "unstack", "resize", "delete", "take_along_axis", "concatenate", "concat", "stack", "hstack", "vstack",
         "dstack", "column_stack", "row_stack", "block", "linalg.diagonal", "linalg.matrix_transpose",
         "fft.fftshift", "fft.ifftshift", "lib.stride_tricks.sliding_window_view", "broadcast_to", "r_", "c_"), (0,)),
    **dict.fromkeys(("atleast_1d", "atleast_2d", "atleast_3d", "broadcast_arrays", "meshgrid"), None),
    "append": (0, 1),
    "insert": (0, 2),
    "compress": (1,),
    "extract": (1,),
    "choose": (1,),
}  # fmt: skip

# Those of them whose second argument is a dtype, which is none of positions.
TYPED = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray")

# Functions that move elements into their first argument, in place.
IN_PLACE: dict[str, tuple[int, ...]] = {
    "copyto": (0, 1),
    "fill_diagonal": (0, 1),
    "put": (0, 2),
    "place": (0, 2),
    "putmask": (0, 2),
    "put_along_axis": (0, 2),
}

# Functions that ask where elements are nonzero: the answer decides the execution path.
NONZERO = ("nonzero", "flatnonzero", "argwhere", "count_nonzero", "where")

# Functions that depend on shapes and dtypes only.
SHAPES = (
    "zeros_like", "ones_like", "empty_like", "shape", "ndim", "size", "iscomplexobj", "isrealobj", "common_type",
    "result_type", "can_cast", "min_scalar_type", "array2string", "array_repr", "array_str", "may_share_memory",
    "shares_memory", "broadcast_shapes", "indices", "iscomplex", "isreal", "get_printoptions", "isfortran",
)  # fmt: skip

# Functions of integers, whose values determine the shape of the result.
COUNTING = ("unique", "unique_values", "intersect1d", "union1d", "setdiff1d", "ix_", "unravel_index", "lexsort",
            "linalg.matrix_rank")  # fmt: skip

SAFER = {
    "a conversion to a plain array": "write it with np.* on what the function was given, or give gradient= yourself",
    "float(...)": "leave float(...) out, or write np.sin and the like instead of functions written in C",
    "pickle": "leave it out of the objective",
}


def advice(call: str) -> str:
    """The text that says what to write instead of a call that cannot be carried to JAX."""
    return SAFER.get(call, "write it with functions that jax.numpy has, or use gradient='auto' or a Perturbation")


def spelled(name: str) -> str:
    """The name of a NumPy function, alone or before other words, as written in a program."""
    found: Any = np
    for part in name.partition(" ")[0].split("."):
        found = getattr(found, part, None)
    return f"np.{name}" if found is not None else name


def name_of(function: Callable[..., Any]) -> str:
    """A function's name as NumPy's users write it, without the "np.": "sum", "linalg.norm", "add.reduce"."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return f"{owner.__name__}.{function.__name__}"
    name = str(getattr(function, "__name__", type(function).__name__))
    module = str(getattr(function, "__module__", None) or name)
    if isinstance(function, np.ufunc) and not hasattr(np, name):
        return f"scipy.special.{name}"
    package, *parts = (part for part in module.split(".") if not part.startswith("_"))
    if package == "scipy":
        return ".".join([package, *parts, name])
    return ".".join([*parts, name]) if package == "numpy" else name


@functools.cache
def jax_rule(name: str) -> Callable[..., Any] | None:
    """The JAX function that replaces a function of NumPy or SciPy; None when JAX has no counterpart."""
    import jax
    from jax import numpy as jnp

    found: Any
    if name in RULES:
        return RULES[name]
    if name.startswith("scipy."):
        *modules, last = name.split(".")
        try:
            module = importlib.import_module(".".join(["jax", *modules]))
        except ImportError:
            return None
        found = getattr(module, last, None)
        return getattr(jnp.linalg, last, None) if found is None and modules == ["scipy", "linalg"] else found
    found = jnp
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is None and "." in name and not name.startswith(("linalg", "fft")):
        return None
    if found is None:
        found = getattr(jax.scipy.special, name, None)
    return found if callable(found) else None


def _norm(x: Any, ord: Any = None, axis: Any = None, **_: Any) -> Any:
    """The norm, without keepdims=, as every result gets NumPy's shape; where it is 0 its gradient is symmetric, 0."""
    from jax import numpy as jnp

    x = jnp.asarray(x)
    along_vectors = x.ndim == 1 or isinstance(axis, int)
    if not (ord is None or ord == "fro" or (ord == 2 and along_vectors)):
        return jnp.linalg.norm(x, ord=ord, axis=axis)
    squares = jnp.sum(jnp.square(jnp.abs(x)), axis=axis)
    zero = squares == 0
    return jnp.where(zero, 0.0, jnp.sqrt(jnp.where(zero, 1.0, squares)))


def _clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """`np.clip` with NumPy's argument names, which differ in jax.numpy."""
    from jax import numpy as jnp

    low, high = (min if a_min is None else a_min), (max if a_max is None else a_max)
    a = a if low is None else jnp.maximum(a, low)
    return a if high is None else jnp.minimum(a, high)


def _on_jax(expression: Callable[..., Any]) -> Callable[..., Any]:
    """A rule written with `jnp` as its first argument."""

    def rule(*parts: Any, **settings: Any) -> Any:
        from jax import numpy as jnp

        return expression(jnp, *parts, **settings)

    return rule


def _eig(a: Any) -> Any:
    """`np.linalg.eig`. Eigenvectors are unique up to a factor; tracing checks that NumPy and JAX choose the same."""
    from jax import lax

    return lax.linalg.eig(a, compute_left_eigenvectors=False, enable_eigvec_derivs=True)


def _outer(name: str) -> Callable[..., Any]:
    def outer(jnp: Any, a: Any, b: Any) -> Any:
        a, b = jnp.asarray(a), jnp.asarray(b)
        return getattr(jnp, name)(a.reshape(a.shape + (1,) * b.ndim), b)

    return _on_jax(outer)


def _reduce(name: str) -> Callable[..., Any]:
    def reduce(jnp: Any, a: Any, axis: Any = 0, **settings: Any) -> Any:
        settings = {key: part for key, part in settings.items() if part is not np._NoValue}
        return getattr(jnp, name)(jnp.asarray(a), axis=axis, **settings)

    return _on_jax(reduce)


RULES: dict[str, Callable[..., Any]] = {
    "linalg.norm": _norm,
    "scipy.linalg.norm": _norm,
    "linalg.eig": _eig,
    "roots": _on_jax(lambda jnp, p: jnp.roots(p, strip_zeros=False)),
    "bincount": _on_jax(lambda jnp, x, weights: jnp.bincount(x, weights, length=int(np.max(x)) + 1)),
    "linalg.vector_norm": _norm,
    "clip": _clip,
    "amax": _on_jax(lambda jnp, *a, **s: jnp.max(*a, **s)),
    "amin": _on_jax(lambda jnp, *a, **s: jnp.min(*a, **s)),
    "around": _on_jax(lambda jnp, *a, **s: jnp.round(*a, **s)),
    "in1d": _on_jax(lambda jnp, *a, **s: jnp.isin(*a, **s)),
    "trapz": _on_jax(lambda jnp, *a, **s: jnp.trapezoid(*a, **s)),
    "fabs": _on_jax(lambda jnp, a: jnp.abs(a)),
    "full_like": _on_jax(lambda jnp, a, fill: jnp.broadcast_to(fill, a.shape)),
    "fix": _on_jax(lambda jnp, a: jnp.trunc(a)),
    **{
        f"{ufunc}.reduce": _reduce(name)
        for ufunc, name in {
            "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all",
            "logical_or": "any", "fmax": "nanmax", "fmin": "nanmin",
        }.items()
    },
    "add.accumulate": _on_jax(lambda jnp, a, axis=0: jnp.cumsum(a, axis=axis)),
    "multiply.accumulate": _on_jax(lambda jnp, a, axis=0: jnp.cumprod(a, axis=axis)),
    "maximum.accumulate": _on_jax(lambda jnp, a, axis=0: _accumulate("cummax", a, axis)),
    "minimum.accumulate": _on_jax(lambda jnp, a, axis=0: _accumulate("cummin", a, axis)),
    **{
        f"{name}.outer": _outer(name)
        for name in ("add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "hypot", "arctan2",
                     "less", "greater", "equal", "fmax", "fmin", "logaddexp", "floor_divide", "remainder")
    },
}  # fmt: skip


def _accumulate(name: str, a: Any, axis: int) -> Any:
    from jax import lax

    return getattr(lax, name)(a, axis=axis % a.ndim)
