"""Value and gradient of a loss on z = X W + b at the speed of memory: one compiled pass over X, on all threads."""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fallline.arrays import BLOCK, FloatArray
from fallline.machine_code import machine
from fallline.machine_code.elementary import OF_NUMPY
from fallline.machine_code.graph import LANE, Graph
from fallline.models.fused_code import LINE, Layout, Pointwise, source
from fallline.models.parts import PARTS, WORTHWHILE, share
from fallline.proxy import Proxy, Stack

if TYPE_CHECKING:
    from fallline.models.linear_family import LinearFamily
    from fallline.models.softmax import Softmax

    Model: TypeAlias = LinearFamily | Softmax

# A part of the rows, the sums over which the threads share, has at least so many numbers.
LEAST = 2**17
# Numbers of X in a block of rows, which stay in the cache; one of columns has longer pieces.
CACHED = {"rows": 2**12, "columns": 2**15, "entries": 2**13}
# Rows of a block, and all their z, which stay in the cache too, are at most so many.
MOST_ROWS, MOST_Z = 2**10, 2**12
# Of columns it has at least so many: memory gives short pieces slowly.
PIECE = 64
# So are the z of a row: the code, and the time to compile it, grow with them.
MOST_OUTPUTS = 32

Pass = Callable[..., int]


def fits(model: Model, kind: type[Model], X: Any) -> bool:
    """Whether the data are large, and the model makes of rows what the kind of models makes of them."""
    own = type(model)
    passes = all(getattr(own, name) is getattr(kind, name) for name in ("forward", "errors", "backward"))
    return passes and model.outputs <= MOST_OUTPUTS and bool(X.shape[0] * X.shape[1] >= WORTHWHILE)


def sums(model: Model, points: FloatArray, X: Any, y: FloatArray, value: bool, gradient: bool) -> FloatArray | None:
    """The sums over the rows of ∂ℓ/∂w, ∂ℓ/∂b and, last, ℓ at each point: (k, dimension + 1).

    They are the same to the last bit on any number of threads, and beside any other points.

    Arguments:
        points: the parameters, shape (k, dimension): the weights, of several z one after the other, then each b.
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
    outputs = model.outputs
    compiled = _compiled(type(model), settings, outputs, layout)
    if compiled is None:
        return None
    (rows, features), lanes = X.shape, machine.lanes()
    width = (features // lanes + 1) * lanes
    at = _zeros(len(points), outputs, width + lanes)
    at[..., :features], at[..., width] = points[:, :-outputs].reshape(-1, outputs, features), points[:, -outputs:]
    y = np.ascontiguousarray(y, np.float64)
    stored = X.nnz if layout.lines == "entries" else X.size
    most = min(MOST_ROWS, MOST_Z // outputs)
    fewest = PIECE if layout.lines == "columns" else lanes
    block = int(np.clip(CACHED[layout.lines] * rows // max(1, stored), fewest, most)) // lanes * lanes
    part = max(-(-rows // PARTS), LEAST * rows // max(1, stored))
    part = -(-part // block) * block
    starts = range(0, rows, part)
    result = np.empty((len(points), points.shape[1] + 1))
    together = max(1, BLOCK // (len(starts) * outputs * (width + lanes)))
    for first in range(0, len(points), together):
        some = at[first : first + together]
        totals = _zeros(len(starts), *some.shape)

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
        of_weights = total[..., :features].reshape(len(some), -1)
        result[first : first + together] = np.hstack([of_weights, total[..., width], total[:, 0, width + 1, None]])
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
def _compiled(kind: type[Model], settings: tuple[Any, ...], outputs: int, layout: Layout) -> Pass | None:
    """The pass for a model with these settings."""
    traced = _pointwise(kind, settings, outputs)
    if traced is None:
        return None
    X = [ctypes.c_void_p] * 3 if layout.lines == "entries" else [ctypes.c_void_p, ctypes.c_int64]
    of_rows = [ctypes.c_void_p, *[ctypes.c_int64] * 3]
    of_points = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, *[ctypes.c_bool] * 2]
    return machine.function(source(traced, layout, machine.lanes()), "sums", (*X, *of_rows, *of_points))


def _pointwise(kind: type[Model], settings: tuple[Any, ...], outputs: int) -> Pointwise | None:
    """What a model's own functions compute, traced on a model without data."""
    model: Any = object.__new__(kind)
    for field, setting in zip(fields(kind), settings, strict=True):
        object.__setattr__(model, field.name, setting)
    graph = Graph(of_many=False)
    z, y = [graph.leaf(f"z{i}", LANE) for i in range(outputs)], graph.leaf("y", LANE)
    given = [[Proxy(leaf, OF_NUMPY) for leaf in leaves] for leaves in (z, [y])]
    try:
        if outputs == 1:
            (at,), (target,) = given
            loss, slopes = model.pointwise(at, target), [model.slope(at, target)]
        else:
            stacks = [Stack(parts) for parts in given]
            loss, slopes = model.pointwise(*stacks), model.slope(*stacks)
        return Pointwise(graph, z, y, graph.of(loss.value), [graph.of(slope.value) for slope in slopes])
    except Exception:  # what a user's model does may fail anywhere on what is no array
        return None
