"""NumPy versions of SciPy's C functions that JAX lacks; they run on traced arrays like the user's own code.

The Python code of SciPy around them is traced as it is, so that sparse matrices, splines and distances keep their
arguments, classes and conversions. The names of the C functions are private to SciPy: if one is renamed, a test names
it, and functions that need it fall back to central differences, which the result reports.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

# The distances between rows of `scipy.spatial.distance`.
DISTANCES: dict[str, Callable[[Any, Any], Any]] = {
    "euclidean": lambda a, b: np.linalg.norm(a - b, axis=-1),
    "sqeuclidean": lambda a, b: np.sum((a - b) ** 2, axis=-1),
    "cityblock": lambda a, b: np.sum(np.abs(a - b), axis=-1),
    "chebyshev": lambda a, b: np.max(np.abs(a - b), axis=-1),
}


def _in_pairs(distance: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """`pdist`: the distances between the rows of one array, each pair once."""

    def pairs(X: Any, **_: Any) -> Any:
        i, j = np.triu_indices(len(X), 1)
        return distance(X[i], X[j])

    return pairs


def _across(distance: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """`cdist`: the distances between the rows of one array and those of another."""

    def across(XA: Any, XB: Any, **_: Any) -> Any:
        return distance(XA[:, None], XB[None])

    return across


def _square(matrix: Any, pairs: Any) -> None:
    """`squareform`: write pairwise distances into a symmetric matrix, in place."""
    i, j = np.triu_indices(len(matrix), 1)
    matrix[i, j] = pairs
    matrix[j, i] = pairs


def _compressed(by_rows: bool) -> Callable[..., None]:
    """result += A @ other, where A is sparse, stored by rows (CSR) or by columns (CSC)."""

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
    """result += A @ other, where A is a list of entries (COO)."""
    np.add.at(result, rows, data * other[columns])


def _diagonals(rows: int, columns: int, _: int, length: int, offsets: Any, data: Any, x: Any, y: Any) -> None:
    """y += A @ x, where A is given by diagonals (DIA)."""
    for place, offset in enumerate(offsets.tolist()):
        low, high = max(0, offset), min(rows + offset, columns, length)
        if low < high:
            y[low - offset : high - offset] += data[place, low:high] * x[low:high]


def _solve_banded(l_and_u: tuple[int, int], ab: Any, b: Any, *_: Any, **__: Any) -> Any:
    """The solution of a banded linear system, through the full matrix."""
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
        piece = last - np.clip(np.searchsorted(x[::-1], xp) - 1, 0, last)
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
