"""The functions of JAX and PyTorch by NumPy's names."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from fallline.errors import FalllineError
from fallline.proxy import Library


@functools.cache
def jax_library() -> Library:
    """Every function of NumPy and `numpy.linalg` that `jax.numpy` has too, and what Fallline's own code needs besides.

    Raises:
        FalllineError: when JAX is not installed.
    """
    try:
        from jax import numpy as jnp
    except ImportError:
        raise FalllineError("JAX", problem="is not installed", allowed='pip install "fallline[jax]"') from None
    from jax.scipy import special

    common = {
        name: getattr(jax_part, name)
        for numpy_part, jax_part in ((np.linalg, jnp.linalg), (np, jnp))
        for name in numpy_part.__all__
        if callable(getattr(jax_part, name, None)) and not isinstance(getattr(numpy_part, name), type)
    }
    return common | {
        "erf": special.erf,
        "erfc": special.erfc,
        "unless": lambda usual, sure, exact: jnp.where(sure, usual, exact),
    }


@functools.cache
def torch_library() -> Library:
    """The NumPy functions that update rules use, on float64 tensors.

    Raises:
        FalllineError: when PyTorch is not installed.
    """
    try:
        import torch
    except ImportError:
        raise FalllineError("PyTorch", problem="is not installed", allowed='pip install "fallline[torch]"') from None

    def tensors(*parts: Any) -> tuple[Any, ...]:
        """All operands as tensors; numbers get the dtype and device of the tensors among the operands."""
        like = next(part for part in parts if isinstance(part, torch.Tensor) and part.dtype != torch.bool)
        return tuple(
            part if isinstance(part, torch.Tensor) else torch.as_tensor(part, dtype=like.dtype, device=like.device)
            for part in parts
        )

    def extreme(function: Any) -> Any:
        def over(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
            return function(x, dim=tuple(range(x.ndim)) if axis is None else axis, keepdim=keepdims)

        return over

    elementwise = ("ceil", "cos", "exp", "expm1", "floor", "log", "log1p", "log2", "log10", "isfinite",
                   "isinf", "isnan", "sign", "sin", "sqrt", "tan", "tanh", "ones_like", "zeros_like")  # fmt: skip
    return {
        **{name: getattr(torch, name) for name in elementwise},
        "cbrt": lambda x: torch.sign(x) * torch.abs(x) ** (1 / 3),
        "maximum": lambda a, b: torch.maximum(*tensors(a, b)),
        "minimum": lambda a, b: torch.minimum(*tensors(a, b)),
        "where": lambda condition, yes, no: torch.where(torch.as_tensor(condition), *tensors(yes, no)),
        "clip": lambda x, low, high: torch.clip(x, low, high),
        "cumsum": lambda x, axis: torch.cumsum(x, dim=axis),
        "sum": lambda x, axis=None, keepdims=False: torch.sum(x, dim=axis, keepdim=keepdims),
        "mean": lambda x, axis=None, keepdims=False: torch.mean(x, dim=axis, keepdim=keepdims),
        "max": extreme(torch.amax),
        "min": extreme(torch.amin),
        "any": lambda x: torch.any(x),
        "all": lambda x: torch.all(x),
        "sort": lambda x, axis=-1: torch.sort(x, dim=axis).values,
        "take_along_axis": lambda x, indices, axis: torch.take_along_dim(x, indices, dim=axis),
        "norm": lambda x, axis=None, keepdims=False: torch.linalg.vector_norm(x, dim=axis, keepdim=keepdims),
    }
