"""The eigenvalues of many small symmetric matrices at once."""

from __future__ import annotations

import numpy as np

from fallline.arrays import FloatArray


def eigen(matrices: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The eigenvalues, ascending, and the eigenvectors of symmetric matrices.

    Arguments:
        matrices: shape (n, n, k), k of them, without NaN and infinities.

    Returns:
        Shapes (n, k) and (n, n, k): column j of an array of vectors belongs to eigenvalue j.

    >>> values, vectors = eigen(np.array([[2.0, 1.0], [1.0, 2.0]])[:, :, None])
    >>> values[:, 0].round(12), abs(vectors[:, :, 0]).round(6).tolist()
    (array([1., 3.]), [[0.707107, 0.707107], [0.707107, 0.707107]])
    """
    if len(matrices) == 2:
        return _of_two(matrices[0, 0], matrices[0, 1], matrices[1, 1])
    values, vectors = np.linalg.eigh(np.moveaxis(matrices, -1, 0))
    return np.ascontiguousarray(values.T), np.ascontiguousarray(np.moveaxis(vectors, 0, -1))


def _of_two(first: FloatArray, mixed: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The same for two rows, by Jacobi's rotation: NumPy calls LAPACK for each matrix, which takes ten times as long.

    Golub and Van Loan, Matrix computations (2013), section 8.5.2.
    """
    half = (second - first) / 2
    # The tangent of the smaller angle of the rotation; 0 for a diagonal matrix.
    tangent = mixed / (half + np.copysign(np.maximum(np.hypot(half, mixed), np.finfo(float).tiny), half))
    cosine = 1 / np.sqrt(1 + tangent * tangent)
    sine, moved = tangent * cosine, tangent * mixed
    values, vectors = np.array([first - moved, second + moved]), np.array([[cosine, sine], [-sine, cosine]])
    turned = values[0] > values[1]
    return np.where(turned, values[::-1], values), np.where(turned, vectors[:, ::-1], vectors)
