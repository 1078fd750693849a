"""The ends of a Hessian's spectrum against dense eigenvalues and closed forms."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fallline import Logistic
from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.gradients import Perturbation, spectrum, with_gradient
from fallline.gradients.hessian import hessian
from fallline.gradients.spectrum import Spectrum, extreme_eigenvalues
from fallline.objectives import Objective, as_objective


class Quadratic(Objective):
    """x·Hx / 2, with H a matrix or the diagonal of one; its products are exact, or differences of gradients."""

    def __init__(self, curvatures: FloatArray, *, exact: bool = True) -> None:
        self.curvatures = curvatures
        self.names = tuple(map(str, range(len(curvatures))))
        if exact:
            self.hessian_vector = lambda x, vector: self.gradient(vector)

    title = "a quadratic"

    def value(self, x: FloatArray) -> FloatArray:
        return np.asarray(np.sum(x * self.gradient(x), axis=-1) / 2)

    def gradient(self, x: FloatArray) -> FloatArray:
        return x @ self.curvatures if self.curvatures.ndim == 2 else x * self.curvatures


def check(found: Spectrum, matrix: FloatArray, scale: FloatArray | None = None) -> None:
    """Both ends are the true ones, within their bounds, and the vectors have those curvatures."""
    check_eigenvalues(found, matrix, scale)
    misses = distances(found, matrix, scale)[:, [0, -1]].diagonal()
    assert np.all(misses <= 0), misses


def check_eigenvalues(found: Spectrum, matrix: FloatArray, scale: FloatArray | None = None) -> None:
    """Both are eigenvalues, within their bounds, and the vectors have those curvatures."""
    assert np.all(distances(found, matrix, scale).min(axis=1) <= 0)
    size = max(abs(found.lowest), abs(found.highest))
    # A ten thousandth is asked for, unless rounding is larger.
    assert max(found.lowest_error, found.highest_error) <= 1e-4 * size + 1e-6
    for value, vector in ((found.lowest, found.lowest_vector), (found.highest, found.highest_vector)):
        along = vector @ matrix @ vector / (1 if scale is None else vector @ (scale * vector))
        assert along == pytest.approx(value, abs=1e-6 * size)
        assert np.linalg.norm(vector) == pytest.approx(1)


def distances(found: Spectrum, matrix: FloatArray, scale: FloatArray | None = None) -> FloatArray:
    """How far beyond its bound each end is from each eigenvalue, shape (2, n).

    Differences of gradients are good to the power 2/3 of the rounding, 4e-11 of the size of the gradient.
    """
    true = np.linalg.eigvalsh(matrix if scale is None else matrix / np.sqrt(np.outer(scale, scale)))
    ends = np.array([[found.lowest, found.lowest_error], [found.highest, found.highest_error]])
    gaps: FloatArray = np.abs(ends[:, :1] - true) - ends[:, 1:] - 1e-9 * np.abs(true).max()
    return gaps


@given(n=st.integers(1, 60), seed=st.integers(0, 10**6), exact=st.booleans())
@settings(max_examples=40, deadline=None)
def test_what_is_found_of_random_matrices_is_an_eigenvalue_within_its_bound(n: int, seed: int, exact: bool) -> None:
    matrix, scale, x = random_problem(n, seed)
    objective = Quadratic(matrix, exact=exact)
    check_eigenvalues(extreme_eigenvalues(objective, x), matrix)
    check_eigenvalues(extreme_eigenvalues(objective, x, scale=scale), matrix, scale)


def test_it_is_the_end_of_nearly_every_random_matrix() -> None:
    missed = 0
    for seed in range(200):
        matrix, scale, x = random_problem(1 + seed % 60, seed)
        for by in (None, scale):
            found = extreme_eigenvalues(Quadratic(matrix), x, scale=by)
            missed += bool(np.any(distances(found, matrix, by)[:, [0, -1]].diagonal() > 0))
    # One in 6,000 is to be expected.
    assert missed <= 1


def random_problem(n: int, seed: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """A symmetric matrix of some size, positive numbers and a point."""
    random = np.random.default_rng(seed)
    matrix = random.standard_normal((n, n)) * 10.0 ** random.integers(-3, 4)
    return matrix + matrix.T, np.exp(random.standard_normal(n)), random.standard_normal(n)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(
    "curvatures",
    [np.array([5.0]), np.zeros(1), np.zeros(40), np.full(7, 3.0), np.full(300, -2.0), np.r_[np.ones(9), 1 + 1e-9]],
)
def test_one_coordinate_and_multiples_of_the_identity(curvatures: FloatArray, exact: bool) -> None:
    found = extreme_eigenvalues(Quadratic(curvatures, exact=exact), np.ones(len(curvatures)))
    assert found.lowest == pytest.approx(curvatures.min(), abs=1e-8)
    assert found.highest == pytest.approx(curvatures.max(), abs=1e-8)
    assert found.products <= 10


@pytest.mark.parametrize("basis", [8, 12, 50])
def test_a_spectrum_that_needs_restarts(monkeypatch: Any, basis: int) -> None:
    monkeypatch.setattr(spectrum, "LARGEST_BASIS", basis)
    n = 120
    # The second difference has the eigenvalues 2 - 2 cos(k π / (n + 1)), close together at both ends.
    matrix = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    found = extreme_eigenvalues(Quadratic(matrix), np.zeros(n), products=1000)
    ends = 2 - 2 * np.cos(np.array([1, n]) * np.pi / (n + 1))
    assert [found.lowest, found.highest] == pytest.approx(ends, abs=4e-4)
    # The basis was full, and yet it settled.
    assert basis < found.products < 500
    check(found, matrix)


def test_a_single_negative_curvature_among_many() -> None:
    curvatures = np.r_[np.ones(20_000), -0.01]
    found = extreme_eigenvalues(Quadratic(curvatures), np.zeros(len(curvatures)))
    assert found.lowest == pytest.approx(-0.01, abs=1e-9)
    assert abs(found.lowest_vector[-1]) == pytest.approx(1)


@pytest.mark.long
def test_a_million_coordinates() -> None:
    curvatures = np.r_[np.linspace(0, 1, 10**6 - 3), -0.5, 10, 9.9]
    objective, x = Quadratic(curvatures), np.zeros(10**6)
    tracemalloc.start()
    found = extreme_eigenvalues(objective, x)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.lowest == pytest.approx(-0.5, abs=0.01)
    assert found.highest == pytest.approx(10, abs=0.01)
    # The basis is held to 128 MiB; a vector is 8.
    assert most < 256 * 2**20


def test_the_products_are_counted_and_bounded() -> None:
    made = []
    objective = Quadratic(np.geomspace(1e-6, 1, 500))
    objective.hessian_vector = lambda x, vector: made.append(1) or objective.gradient(vector)  # type: ignore[func-returns-value]
    found = extreme_eigenvalues(objective, np.zeros(500), products=7)
    assert found.products == len(made) == 7
    # Within what it says, also where it has not found the ends.
    assert abs(found.highest - 1) <= found.highest_error
    again = extreme_eigenvalues(objective, np.zeros(500), products=7)
    assert again.highest == found.highest
    np.testing.assert_array_equal(again.lowest_vector, found.lowest_vector)
    with pytest.raises(FalllineError, match="products is 0; it must be a whole number at least 1"):
        extreme_eigenvalues(objective, np.zeros(500), products=0)
    with pytest.raises(FalllineError, match=r"scale is .*; it must be 500 numbers above 0"):
        extreme_eigenvalues(objective, np.zeros(500), scale=np.zeros(500))


def test_where_there_is_no_hessian_there_is_no_number() -> None:
    undefined = Quadratic(np.array([1.0, np.nan]))
    formula = as_objective("x**2 + sqrt(y)")
    for objective, x in (
        (undefined, [0.0, 0.0]),
        (formula, [np.nan, 1.0]),
        (formula, [np.inf, 1.0]),
        (formula, [1, -1]),
    ):
        found = extreme_eigenvalues(objective, np.array(x, float))
        assert np.isnan([found.lowest, found.highest, found.lowest_error, found.highest_error]).all()
        assert np.isnan([found.lowest_vector, found.highest_vector]).all()
        assert found.lowest_vector.shape == found.highest_vector.shape == (2,)
        assert found.products == 1


def test_losses_functions_and_formulas_have_the_ends_of_their_dense_hessians() -> None:
    random = np.random.default_rng(0)
    table, labels = random.standard_normal((200, 6)) * np.geomspace(0.1, 10, 6), random.integers(0, 2, 200)
    loss = Logistic(table, labels)
    x = 0.1 * random.standard_normal(loss.dimension)
    check(extreme_eigenvalues(loss, x), hessian(loss, x))
    rosenbrock = "(1 - x)**2 + 100*(y - x**2)**2"
    at = np.array([-1.2, 1.0])
    exact = hessian(as_objective(rosenbrock), at)
    check(extreme_eigenvalues(as_objective(rosenbrock), at), exact)

    def written(x: Any, y: Any) -> Any:
        return (1 - x) ** 2 + 100 * (y - x**2) ** 2

    for gradient in ("autodiff", Perturbation(scheme="central")):
        found = extreme_eigenvalues(with_gradient(as_objective(written), gradient, at), at)
        ends = np.linalg.eigvalsh(exact)
        # Differences of differences: the rounding's power 1/3, times the Hessian's size.
        assert [found.lowest, found.highest] == pytest.approx(ends, abs=1e-4 * ends[-1])


def test_float32_values_take_longer_steps() -> None:
    class Single(Quadratic):
        precision = "float32"

        def gradient(self, x: FloatArray) -> FloatArray:
            return np.asarray(x.astype(np.float32) * self.curvatures.astype(np.float32), float)

    found = extreme_eigenvalues(Single(np.array([1.0, 2.0, 30.0]), exact=False), np.array([1.0, 2.0, 3.0]))
    # The power 2/3 of the rounding of float32, 2e-5, times the size of the gradient.
    assert [found.lowest, found.highest] == pytest.approx([1, 30], abs=0.01)


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("n", [2, 5, 30])
def test_a_basis_of_all_directions_is_exact(n: int, seed: int) -> None:
    random = np.random.default_rng(n)
    matrix = random.standard_normal((n, n))
    matrix = matrix + matrix.T
    found = extreme_eigenvalues(Quadratic(matrix), np.zeros(n), seed=seed)
    ends, vectors = np.linalg.eigh(matrix)
    size = np.abs(ends).max()
    # Both ends are settled to a ten thousandth; the bounds tell how far they are.
    for value, error, i in ((found.lowest, found.lowest_error, 0), (found.highest, found.highest_error, -1)):
        assert abs(value - ends[i]) <= error <= 1.1e-4 * size
    assert abs(found.lowest_vector @ vectors[:, 0]) > 0.99
    assert abs(found.highest_vector @ vectors[:, -1]) > 0.99
    assert found.products <= n
    assert isinstance(found.lowest, float)
    assert isinstance(found.highest_error, float)


def test_the_bounds_of_the_ends_count_rounding() -> None:
    found = extreme_eigenvalues(Quadratic(np.array([1.0, 2.0, 7.0])), np.zeros(3))
    # The size of the largest times the rounding, at least.
    assert 0 < found.lowest_error < 1e-13
    assert 2.0**-52 * 6.9 <= found.highest_error < 1e-13
    rough = extreme_eigenvalues(Quadratic(np.array([1.0, 2.0, 7.0]), exact=False), np.ones(3))
    assert 1e-14 < rough.highest_error < 1e-8


@pytest.mark.parametrize("scale", [[1.0, 2.0, 0.0], [1.0, -2.0, 3.0], [1.0, 2.0], 1.0])
def test_a_scale_that_does_not_fit_is_refused(scale: Any) -> None:
    with pytest.raises(FalllineError, match=r"^scale is .*; it must be 3 numbers above 0$"):
        extreme_eigenvalues(Quadratic(np.ones(3)), np.zeros(3), scale=scale)


def test_at_least_ten_products_are_made_where_there_are_so_many_directions() -> None:
    # The start has next to nothing of the last eigenvector: after few products both ends seem to be settled.
    curvatures = np.r_[np.ones(3000), 1 + 1e-7, 5.0]
    start = spectrum._start(len(curvatures), 0)
    assert np.abs(start).max() <= 0.5
    assert abs(start.mean()) < 0.02
    assert abs(start.var() - 1 / 12) < 0.01
    assert np.abs(start - spectrum._start(len(curvatures), 1)).max() > 0.5
    found = extreme_eigenvalues(Quadratic(curvatures), np.zeros(len(curvatures)))
    assert found.highest == pytest.approx(5, abs=1e-6)


def test_many_coordinates_are_held_in_a_small_basis(monkeypatch: Any) -> None:
    monkeypatch.setattr(spectrum, "LARGEST_MEMORY", 1000)
    for dimension, size in ((3, 3), (20, 20), (50, 20), (100, 10), (500, 8)):
        basis = spectrum._Basis(np.arange(1.0, dimension + 1))
        assert basis.vectors.shape == (size, dimension)
        assert basis.projected.shape == (size, size)
        assert np.linalg.norm(basis.newest) == pytest.approx(1)
