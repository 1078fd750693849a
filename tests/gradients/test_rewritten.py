"""What is rewritten of SciPy is still there by its name, and does the same; its gradients are held by the corpus."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from scipy import interpolate, linalg, sparse
from scipy.spatial import distance

from fallline.gradients.carrying import name_of
from fallline.gradients.rewritten import REWRITTEN

MODULES = (
    "interpolate._ppoly",
    "linalg",
    "sparse._sparsetools",
    "spatial._distance_pybind",
    "spatial._distance_wrap",
)
RANDOM = np.random.default_rng(0)
ROWS, OTHERS = RANDOM.normal(size=(5, 3)), RANDOM.normal(size=(4, 3))


def test_every_routine_is_in_the_installed_scipy_by_its_name() -> None:
    modules = [importlib.import_module(f"scipy.{name}") for name in MODULES]
    there = {name_of(thing) for module in modules for thing in vars(module).values() if callable(thing)}
    assert set(REWRITTEN) <= there


@pytest.mark.parametrize("name", ["euclidean", "sqeuclidean", "cityblock", "chebyshev"])
def test_distances_are_scipys(name: str) -> None:
    pairs = REWRITTEN[f"scipy.spatial.pdist_{name}"](ROWS, out=None, w=None)
    np.testing.assert_allclose(pairs, distance.pdist(ROWS, name), rtol=1e-14)
    across = REWRITTEN[f"scipy.spatial.cdist_{name}"](ROWS, OTHERS, out=None, w=None)
    np.testing.assert_allclose(across, distance.cdist(ROWS, OTHERS, name), rtol=1e-14)
    matrix = np.zeros((5, 5))
    REWRITTEN["scipy.spatial.to_squareform_from_vector_wrap"](matrix, pairs)
    np.testing.assert_array_equal(matrix, distance.squareform(pairs))


MATRIX = np.where(RANDOM.random((4, 6)) < 0.6, RANDOM.normal(size=(4, 6)), 0)


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "dia"])
@pytest.mark.parametrize("matrix", [MATRIX, MATRIX.T, np.diag([1.0, 2.0], 3), np.diag([1.0, 2.0], -3)])
def test_products_of_sparse_matrices_are_those_of_dense_ones(kind: str, matrix: Any) -> None:
    stored: Any = sparse.csr_array(matrix).asformat(kind)
    rows, columns = matrix.shape
    vectors = RANDOM.normal(size=(columns, 2))
    # The product is added to what is there.
    found, many = np.ones(rows), np.ones((rows, 2))
    parts: Any
    if kind in ("csr", "csc"):
        parts = rows, columns, stored.indptr, stored.indices, stored.data
        several = rows, columns, 2, stored.indptr, stored.indices, stored.data
        REWRITTEN[f"scipy.sparse.{kind}_matvecs"](*several, vectors.ravel(), many.ravel())
        np.testing.assert_allclose(many, 1 + matrix @ vectors, atol=1e-14)
    elif kind == "coo":
        parts = stored.nnz, *stored.coords, stored.data
    else:
        parts = rows, columns, len(stored.offsets), stored.data.shape[1], stored.offsets, stored.data
    REWRITTEN[f"scipy.sparse.{kind}_matvec"](*parts, vectors[:, 0], found)
    np.testing.assert_allclose(found, 1 + matrix @ vectors[:, 0], atol=1e-14)


def test_diagonals_that_are_stored_longer_than_the_matrix_is_wide() -> None:
    stored = sparse.dia_array((np.arange(1.0, 13.0).reshape(2, 6), [0, 1]), shape=(5, 4))
    vector, found = np.array([1.0, -2.0, 3.0, 0.5]), np.ones(5)
    REWRITTEN["scipy.sparse.dia_matvec"](5, 4, 2, stored.data.shape[1], stored.offsets, stored.data, vector, found)
    assert stored.data.shape[1] > 4
    np.testing.assert_allclose(found, 1 + stored.toarray() @ vector, rtol=1e-14)


@pytest.mark.parametrize("bands", [(1, 1), (0, 2), (2, 0), (2, 1), (0, 0)])
def test_banded_systems_are_solved_as_by_scipy(bands: tuple[int, int]) -> None:
    stored = RANDOM.normal(size=(sum(bands) + 1, 5))
    stored[bands[1]] += 9
    found = REWRITTEN["scipy.linalg.solve_banded"](bands, stored.tolist(), np.arange(5.0), overwrite_ab=False)
    np.testing.assert_allclose(found, linalg.solve_banded(bands, stored, np.arange(5.0)), rtol=1e-13)


@pytest.mark.parametrize("falling", [False, True])
@pytest.mark.parametrize("derivative", [0, 1, 2])
@pytest.mark.parametrize("extrapolate", [False, True])
def test_piecewise_polynomials_have_the_values_of_scipys(falling: bool, derivative: int, extrapolate: bool) -> None:
    breaks = np.array([0.0, 1.0, 1.5, 4.0])[:: -1 if falling else 1]
    coefficients = RANDOM.normal(size=(4, 3, 2))
    # Also at the breaks, and beyond both ends.
    at = np.array([-0.5, 0.0, 0.3, 1.0, 1.2, 1.5, 3.0, 4.0, 4.5])
    found = np.full((len(at), 2), 7.0)
    REWRITTEN["scipy.interpolate.evaluate"](coefficients, breaks, at, derivative, extrapolate, found)
    own = interpolate.PPoly(coefficients, breaks, extrapolate=extrapolate)
    np.testing.assert_allclose(found, own(at, nu=derivative), rtol=1e-12)
