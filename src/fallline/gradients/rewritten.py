"""What SciPy has in C and JAX has not, said again in NumPy: run on traced arrays as the user's own code is.

Around these SciPy is Python, which is traced as it stands, so that sparse matrices, splines and distances keep their
arguments, classes and conversions. Their names in C are SciPy's own business: were one renamed, functions that need it
would have central differences for a gradient, and say so; a test names it first.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

# How far rows are apart, for `scipy.spatial.distance`.
DISTANCES: dict[str, Callable[[Any, Any], Any]] = {
    "euclidean": lambda a, b: np.linalg.norm(a - b, axis=-1),
    "sqeuclidean": lambda a, b: np.sum((a - b) ** 2, axis=-1),
    "cityblock": lambda a, b: np.sum(np.abs(a - b), axis=-1),
    "chebyshev": lambda a, b: np.max(np.abs(a - b), axis=-1),
}


def _in_pairs(distance: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Between the rows of one array, each pair once: `pdist`."""

    def pairs(X: Any, **_: Any) -> Any:
        i, j = np.triu_indices(len(X), 1)
        return distance(X[i], X[j])

    return pairs


def _across(distance: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Between the rows of one array and those of another: `cdist`."""

    def across(XA: Any, XB: Any, **_: Any) -> Any:
        return distance(XA[:, None], XB[None])

    return across


def _square(matrix: Any, pairs: Any) -> None:
    """Puts distances in pairs into a matrix: `squareform`."""
    i, j = np.triu_indices(len(matrix), 1)
    matrix[i, j] = pairs
    matrix[j, i] = pairs


def _compressed(by_rows: bool) -> Callable[..., None]:
    """result += A @ other, where A is sparse, its rows or its columns one after another."""

    def product(rows: int, columns: int, *parts: Any) -> None:
        *_, starts, others, data, other, result = parts
        count = len(starts) - 1
        lines = np.repeat(np.arange(count), np.diff(starts))
        to, of = (lines, others) if by_rows else (others, lines)
        if parts[0] is starts:
            np.add.at(result, to, data * other[of])
        else:  # several vectors, side by side
            np.add.at(result.reshape(rows, -1), to, data[:, None] * other.reshape(columns, -1)[of])

    return product


def _listed(_: int, rows: Any, columns: Any, data: Any, other: Any, result: Any) -> None:
    """The same, where A is a list of entries."""
    np.add.at(result, rows, data * other[columns])


def _diagonals(rows: int, columns: int, _: int, length: int, offsets: Any, data: Any, x: Any, y: Any) -> None:
    """The same, y += A @ x, where A is given by diagonals."""
    for offset, entries in zip(offsets, data, strict=True):
        low, high = max(0, int(offset)), min(rows + int(offset), columns, length)
        if low < high:
            y[low - int(offset) : high - int(offset)] += entries[low:high] * x[low:high]


def _solve_banded(l_and_u: tuple[int, int], ab: Any, b: Any, *_: Any, **__: Any) -> Any:
    """The solution of a banded system, by the full matrix."""
    lower, upper = l_and_u
    ab = np.asarray(ab)
    size = ab.shape[-1]
    matrix = np.zeros((size, size))
    for row, offset in enumerate(range(upper, -lower - 1, -1)):
        i = np.arange(max(0, -offset), min(size, size - offset))
        matrix[i, i + offset] = ab[row][i + offset]
    return np.linalg.solve(matrix, b)


def _piecewise_polynomial(c: Any, x: Any, xp: Any, nu: int, extrapolate: bool, out: Any) -> None:
    """The polynomials c between the breakpoints x, or their derivatives, at xp: SciPy's splines."""
    last = len(x) - 2
    if x[-1] < x[0]:
        piece = last - np.clip(np.searchsorted(x[::-1], xp, side="left") - 1, 0, last)
    else:
        piece = np.clip(np.searchsorted(x, xp, side="right") - 1, 0, last)
    along = (xp - x[piece])[:, None]
    degree = len(c) - 1
    total = np.zeros(out.shape)
    for k in range(degree + 1 - nu):
        total = total * along + math.perm(degree - k, nu) * c[k][piece]
    outside = (xp < min(x[0], x[-1])) | (xp > max(x[0], x[-1]))
    out[...] = total if extrapolate else np.where(outside[:, None], np.nan, total)


REWRITTEN: dict[str, Callable[..., Any]] = {
    **{f"scipy.spatial.pdist_{name}": _in_pairs(distance) for name, distance in DISTANCES.items()},
    **{f"scipy.spatial.cdist_{name}": _across(distance) for name, distance in DISTANCES.items()},
    "scipy.spatial.to_squareform_from_vector_wrap": _square,
    "scipy.sparse.csr_matvec": _compressed(by_rows=True),
    "scipy.sparse.csr_matvecs": _compressed(by_rows=True),
    "scipy.sparse.csc_matvec": _compressed(by_rows=False),
    "scipy.sparse.csc_matvecs": _compressed(by_rows=False),
    "scipy.sparse.coo_matvec": _listed,
    "scipy.sparse.dia_matvec": _diagonals,
    "scipy.linalg.solve_banded": _solve_banded,
    "scipy.interpolate.evaluate": _piecewise_polynomial,
}
