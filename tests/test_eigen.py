"""The eigenvalues of many matrices, held to LAPACK's."""

from __future__ import annotations

import numpy as np
import pytest

from fallline.eigen import eigen

DRAW = np.random.default_rng(0)


@pytest.mark.parametrize("n", [1, 2, 3, 7])
@pytest.mark.parametrize("size", [1e-200, 1.0, 1e150])
def test_lapacks_eigenvalues(n: int, size: float) -> None:
    half = DRAW.normal(size=(n, n, 500)) * 10 ** DRAW.uniform(-8, 8, (n, n, 500)) * size
    matrices = half + half.swapaxes(0, 1)
    matrices[:, :, :9] = 0.0
    matrices[:, :, 9:50] *= np.eye(n)[:, :, None]
    values, vectors = eigen(matrices)
    expected = np.linalg.eigvalsh(np.moveaxis(matrices, -1, 0)).T
    largest = np.abs(expected).max(axis=0)
    # A few roundings of the largest eigenvalue, which is what LAPACK promises too.
    assert (np.abs(values - expected) <= 1e-14 * largest).all()
    left = np.einsum("ijk,jlk->ilk", matrices, vectors) - vectors * values
    assert (np.abs(left) <= 1e-14 * largest).all()
    gram = np.einsum("ijk,ilk->jlk", vectors, vectors)
    np.testing.assert_allclose(gram, np.broadcast_to(np.eye(n)[:, :, None], gram.shape), atol=1e-14)
    assert (np.diff(values, axis=0) >= 0).all()


def test_eigenvalues_of_closed_form() -> None:
    values, _ = eigen(np.array([[[2.0, 0.0, 5.0], [1.0, -3.0, 0.0]], [[1.0, -3.0, 0.0], [2.0, 0.0, -5.0]]]))
    np.testing.assert_allclose(values, [[1.0, -3.0, -5.0], [3.0, 3.0, 5.0]], rtol=1e-15)
