"""Value and gradient of a loss on z = X w + b at the speed of memory: one compiled pass over X, on all threads."""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from fallline.arrays import BLOCK, FloatArray
from fallline.machine_code import machine
from fallline.machine_code.elementary import OF_NUMPY
from fallline.machine_code.graph import LANE, Graph
from fallline.models.fused_code import LINE, MOST_ROWS, Layout, Pointwise, source
from fallline.models.parts import PARTS, share
from fallline.proxy import Proxy

if TYPE_CHECKING:
    from fallline.models.linear_family import LinearFamily

# A part of the rows, the sums over which the threads share, has at least so many numbers.
LEAST = 2**17
# Numbers of X in a block of rows, which stay in the cache; one of columns has longer pieces.
CACHED = {"rows": 2**11, "columns": 2**15, "entries": 2**13}

Pass = Callable[..., int]


def sums(
    model: LinearFamily, points: FloatArray, X: Any, y: FloatArray, value: bool, gradient: bool
) -> FloatArray | None:
    """The sums over the rows of ∂ℓ/∂w, ∂ℓ/∂b and, last, ℓ at each point: (k, d + 2).

    They are the same to the last bit on any number of threads, and beside any other points.

    Arguments:
        points: the parameters, shape (k, d + 1).
        X, y: the rows.
        value, gradient: whether the sum of ℓ, and whether those of the ∂ℓ/∂w are asked for.

    Returns:
        None where it takes NumPy: there is nothing to compile with, the points are complex, the numbers of X lie in
        no order, or the model's functions do what has no graph.
    """
    layout = _layout(X)
    if layout is None or points.dtype != np.float64 or not machine.available():
        return None
    settings = tuple(getattr(model, field.name) for field in fields(model))
    try:
        hash(settings)
    except TypeError:
        return None
    compiled = _compiled(type(model), settings, layout)
    if compiled is None:
        return None
    (rows, features), lanes = X.shape, machine.lanes()
    width = (features // lanes + 1) * lanes
    at = _zeros(len(points), width + lanes)
    at[:, :features], at[:, width] = points[:, :-1], points[:, -1]
    y = np.ascontiguousarray(y, np.float64)
    stored = X.nnz if layout.lines == "entries" else X.size
    block = int(np.clip(CACHED[layout.lines] * rows // max(1, stored), lanes, MOST_ROWS)) // lanes * lanes
    part = max(-(-rows // PARTS), LEAST * rows // max(1, stored))
    part = -(-part // block) * block
    starts = range(0, rows, part)
    result = np.empty((len(points), features + 2))
    together = max(1, BLOCK // (len(starts) * (width + lanes)))
    for first in range(0, len(points), together):
        some = at[first : first + together]
        totals = _zeros(len(starts), len(some), width + lanes)

        def of_part(number: int, some: FloatArray = some, totals: FloatArray = totals) -> None:
            start = starts[number]
            compiled(
                *_arguments(X, layout, start),
                y[start:].ctypes.data,
                min(part, rows - start),
                block,
                features,
                some.ctypes.data,
                len(some),
                totals[number].ctypes.data,
                width,
                value,
                gradient,
            )

        share(of_part, len(starts))
        total = functools.reduce(np.add, totals)
        result[first : first + together] = np.delete(total[:, : width + 2], slice(features, width), axis=1)
    return result


def _zeros(*shape: int) -> FloatArray:
    """Zeros that begin with a line of the cache: a register across two of them is written in two goes."""
    room = np.zeros(math.prod(shape) + LINE // 8)
    away = -room.ctypes.data % LINE // 8
    return room[away : away + math.prod(shape)].reshape(shape)


def _layout(X: Any) -> Layout | None:
    """How the numbers of X lie, if they do so in an order that the code knows."""
    if isinstance(X, np.ndarray):
        down, along = (stride // X.itemsize for stride in X.strides)
        lines, index, parts = "rows" if along == 1 else "columns", "i32", [X]
        in_order = 1 in (down, along) and all(stride % X.itemsize == 0 for stride in X.strides)
    else:
        lines, index, parts = "entries", f"i{8 * X.indices.itemsize}", [X.data, X.indices, X.indptr]
        in_order = X.indices.dtype == X.indptr.dtype and all(part.flags.c_contiguous for part in parts)
    number = {np.dtype(np.float64): "double", np.dtype(np.float32): "float"}.get(parts[0].dtype)
    if number is None or not in_order or not all(part.flags.aligned for part in parts):
        return None
    return Layout(lines, number, index)


def _arguments(X: Any, layout: Layout, start: int) -> tuple[int, ...]:
    """X from a row on, as the code takes it."""
    if layout.lines == "entries":
        return X.data.ctypes.data, X.indices.ctypes.data, X.indptr[start:].ctypes.data
    return X[start:].ctypes.data, X.strides[0 if layout.lines == "rows" else 1] // X.itemsize


@functools.lru_cache(maxsize=64)
def _compiled(kind: type[LinearFamily], settings: tuple[Any, ...], layout: Layout) -> Pass | None:
    """The pass for a model with these settings."""
    traced = _pointwise(kind, settings)
    if traced is None:
        return None
    X = [ctypes.c_void_p] * 3 if layout.lines == "entries" else [ctypes.c_void_p, ctypes.c_int64]
    of_rows = [ctypes.c_void_p, *[ctypes.c_int64] * 3]
    of_points = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, *[ctypes.c_bool] * 2]
    return machine.function(source(traced, layout, machine.lanes()), "sums", (*X, *of_rows, *of_points))


def _pointwise(kind: type[LinearFamily], settings: tuple[Any, ...]) -> Pointwise | None:
    """What a model's own functions compute, traced on a model without data."""
    model: Any = object.__new__(kind)
    for field, setting in zip(fields(kind), settings, strict=True):
        object.__setattr__(model, field.name, setting)
    graph = Graph(of_many=False)
    z, y = graph.leaf("z", LANE), graph.leaf("y", LANE)
    try:
        loss, slope = (
            graph.of(function(Proxy(z, OF_NUMPY), Proxy(y, OF_NUMPY)).value)
            for function in (model.pointwise, model.slope)
        )
    except Exception:  # what a user's model does may fail anywhere on what is no array
        return None
    return Pointwise(graph, z, y, loss, slope)
