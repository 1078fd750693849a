"""Value and gradient of a loss on z = X W + b by one compiled pass over X on all threads, limited by memory speed."""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Callable
from dataclasses import Field, fields
from typing import Any, ClassVar, Protocol

import numpy as np

from fallline.arrays import BLOCK, FloatArray
from fallline.machine_code import machine
from fallline.machine_code.elementary import OF_NUMPY
from fallline.machine_code.graph import LANE, Graph
from fallline.machine_code.threads import share
from fallline.models.fused_code import Pointwise, source
from fallline.models.fused_kernel import CACHE_LINE, MatrixLayout
from fallline.models.parts import PARTS, WORTHWHILE
from fallline.proxy import Proxy, Stack

# The least numbers of X in each of the parts of rows that the threads share.
LEAST = 2**17
# The bytes of X in a block of rows, such that it stays in the cache; more for contiguous columns, because long ones
# are read from memory faster.
CACHED = {"rows": 2**14, "columns": 2**18, "csr": 2**16}
# The most rows, and the most z, of a block; the z stay in the cache too.
MOST_ROWS, MOST_Z = 2**10, 2**12
# The least rows of a block if columns are contiguous: short pieces are read from memory slowly.
PIECE = 64
# The most outputs z per row: the size of the code, and the time to compile it, grow with them.
MOST_OUTPUTS = 32

Pass = Callable[..., int]


class PointwiseModel(Protocol):
    """A model on z = X W + b: a dataclass whose loss is a function of the z and y of one row only."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def outputs(self) -> int:
        """The number of z per row."""

    def pointwise(self, z: FloatArray, y: FloatArray) -> FloatArray:
        """The loss ℓ of each row."""

    def slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        """∂ℓ/∂z of each row."""


def fits(model: PointwiseModel, kind: type[Any], X: Any) -> bool:
    """Whether the data are large enough, and the model does not override the passes of `kind`, z = X W + b."""
    own = type(model)
    passes = all(getattr(own, name) is getattr(kind, name) for name in ("forward", "errors", "backward"))
    return passes and model.outputs <= MOST_OUTPUTS and bool(X.shape[0] * X.shape[1] >= WORTHWHILE)


def sums(
    model: PointwiseModel,
    points: FloatArray,
    X: Any,
    y: FloatArray,
    value: bool,
    gradient: bool,
    weights: FloatArray | None = None,
) -> FloatArray | None:
    """The sums over the rows of ∂ℓ/∂w, ∂ℓ/∂b and, last, ℓ at each point: (k, dimension + 1).

    They are the same to the last bit for any number of threads, and do not depend on the other points.

    Arguments:
        points: the parameters, shape (k, dimension): the weights of each output, one after the other, then each b.
        X, y: the rows.
        value, gradient: whether the sum of ℓ, and those of ∂ℓ/∂w, are needed.
        weights: a factor of each row's ℓ, shape (rows,); None: 1.

    Returns:
        None if NumPy has to compute them: LLVM is not installed, the points are complex, the memory layout of X is not
        supported, or the model calls functions that cannot be compiled.
    """
    layout = _layout(X)
    if layout is None or points.dtype != np.float64 or not machine.available():
        return None
    compiled = _compiled_for(model, layout, weights is not None)
    if compiled is None:
        return None
    (rows, features), outputs, lanes = X.shape, model.outputs, machine.lanes()
    width = (features // lanes + 1) * lanes
    padded = _zeros(len(points), outputs, width + lanes)
    padded[..., :features] = points[:, :-outputs].reshape(-1, outputs, features)
    padded[..., width] = points[:, -outputs:]
    of_row = [None if one is None else np.ascontiguousarray(one, np.float64) for one in (y, weights)]
    block, part = _division(X, layout, outputs, lanes)
    starts = range(0, rows, part)
    result = np.empty((len(points), points.shape[1] + 1))
    together = max(1, BLOCK // (len(starts) * outputs * (width + lanes)))
    for first in range(0, len(points), together):
        some = padded[first : first + together]
        totals = _zeros(len(starts), *some.shape)

        def of_part(number: int, some: FloatArray = some, totals: FloatArray = totals) -> None:
            start = starts[number]
            data = [None if one is None else one[start:].ctypes.data for one in of_row]
            of_rows = (*data, min(part, rows - start), block, features)
            of_points = (some.ctypes.data, len(some), totals[number].ctypes.data, width)
            compiled(*_arguments(X, layout, start), *of_rows, *of_points, value, gradient)

        share(of_part, len(starts))
        total = functools.reduce(np.add, totals)
        of_weights = total[..., :features].reshape(len(some), -1)
        result[first : first + together] = np.hstack([of_weights, total[..., width], total[:, 0, width + 1, None]])
    return result


def _division(X: Any, layout: MatrixLayout, outputs: int, lanes: int) -> tuple[int, int]:
    """The number of rows in a block, and in a part, which is made of whole blocks."""
    rows = X.shape[0]
    stored = max(1, X.nnz if layout.order == "csr" else X.size)
    most = min(MOST_ROWS, MOST_Z // outputs)
    fewest = PIECE if layout.order == "columns" else lanes
    block = int(np.clip(CACHED[layout.order] * rows // (stored * layout.size), fewest, most)) // lanes * lanes
    part = max(-(-rows // PARTS), LEAST * rows // stored)
    return block, -(-part // block) * block


def _zeros(*shape: int) -> FloatArray:
    """Zeros aligned to a cache line: writing a vector that crosses two lines takes two accesses."""
    room = np.zeros(math.prod(shape) + CACHE_LINE // 8)
    offset = -room.ctypes.data % CACHE_LINE // 8
    return room[offset : offset + math.prod(shape)].reshape(shape)


def _layout(X: Any) -> MatrixLayout | None:
    """The memory layout of X; None if it is not supported."""
    if isinstance(X, np.ndarray):
        of_row, of_column = (stride // X.itemsize for stride in X.strides)
        order, index, arrays = "rows" if of_column == 1 else "columns", "i32", [X]
        known = 1 in (of_row, of_column) and all(stride % X.itemsize == 0 for stride in X.strides)
    else:
        order, index, arrays = "csr", f"i{8 * X.indices.itemsize}", [X.data, X.indices, X.indptr]
        known = X.indices.dtype == X.indptr.dtype and all(array.flags.c_contiguous for array in arrays)
    number = {np.dtype(np.float64): "double", np.dtype(np.float32): "float"}.get(arrays[0].dtype)
    if number is None or not known or not all(array.flags.aligned for array in arrays):
        return None
    return MatrixLayout(order, number, index)


def _arguments(X: Any, layout: MatrixLayout, start: int) -> tuple[int, ...]:
    """X from a row on, as arguments of the compiled code."""
    if layout.order == "csr":
        return X.data.ctypes.data, X.indices.ctypes.data, X.indptr[start:].ctypes.data
    return X[start:].ctypes.data, X.strides[0 if layout.order == "rows" else 1] // X.itemsize


def _compiled_for(model: PointwiseModel, layout: MatrixLayout, weighted: bool) -> Pass | None:
    """The pass for a model, or None where its settings or functions cannot be compiled."""
    settings = tuple(getattr(model, field.name) for field in fields(model))
    try:
        hash(settings)
    except TypeError:
        return None
    return _compiled(type(model), settings, model.outputs, layout, weighted)


@functools.lru_cache(maxsize=64)
def _compiled(
    kind: type[PointwiseModel], settings: tuple[Any, ...], outputs: int, layout: MatrixLayout, weighted: bool
) -> Pass | None:
    """The pass for models of a class with these settings."""
    traced = _pointwise(kind, settings, outputs, weighted)
    if traced is None:
        return None
    X = [ctypes.c_void_p] * 3 if layout.order == "csr" else [ctypes.c_void_p, ctypes.c_int64]
    of_rows = [*[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 3]
    of_points = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, *[ctypes.c_bool] * 2]
    return machine.function(source(traced, layout, machine.lanes()), "sums", (*X, *of_rows, *of_points))


def _pointwise(kind: type[PointwiseModel], settings: tuple[Any, ...], outputs: int, weighted: bool) -> Pointwise | None:
    """The loss and slopes as a graph: the model's own functions, traced on a model without data."""
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
        weight = graph.leaf("weight", LANE) if weighted else None
        if weight is not None:
            factor = Proxy(weight, OF_NUMPY)
            loss, slopes = factor * loss, [factor * slope for slope in slopes]
        return Pointwise(graph, z, y, weight, graph.of(loss.value), [graph.of(slope.value) for slope in slopes])
    except Exception:  # a user's model may do something that works only on arrays
        return None
