"""Large data: one compiled pass gives what NumPy's passes give, on any number of threads the same bits."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax
from scipy.special import softmax as probabilities
from tests.cases import few
from tests.models.samples import NAMES, sample, targets

from fallline import FalllineError, GradientDescent, minimize
from fallline.machine_code.threads import limited
from fallline.models import MODELS, Linear, LinearFamily, Logistic, Loss, Softmax, loss_from_recipe
from fallline.models.fused import MOST_OUTPUTS, sums
from fallline.models.parts import WORTHWHILE

FAMILY = [name for name in NAMES if issubclass(MODELS[name], LinearFamily)]


def csr(X: Any, index: type = np.int32) -> Any:
    from scipy.sparse import csr_matrix

    stored = csr_matrix(X)
    stored.indices, stored.indptr = stored.indices.astype(index), stored.indptr.astype(index)
    return stored


def within_wider(X: Any) -> Any:
    return np.pad(X, ((2, 1), (1, 3)), constant_values=1e300)[2:-1, 1:-3]


def down_wider(X: Any) -> Any:
    return np.asfortranarray(np.pad(X, ((2, 1), (1, 3)), constant_values=1e300))[2:-1, 1:-3]


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "rows": np.ascontiguousarray,
    "columns": np.asfortranarray,
    "part of rows": within_wider,
    "part of columns": down_wider,
    "backwards": lambda X: np.ascontiguousarray(X[::-1])[::-1],
    "float32 rows": lambda X: X.astype(np.float32),
    "float32 columns": lambda X: np.asfortranarray(X.astype(np.float32)),
    "CSR": csr,
    "CSR of int64": lambda X: csr(X, np.int64),
    "CSR of float32": lambda X: csr(X.astype(np.float32)),
}


def data(rows: int, features: int, seed: int = 0) -> Any:
    """Inputs of which some are zero, and that float32 holds exactly."""
    random = np.random.default_rng(seed)
    return random.integers(-8, 9, (rows, features)) / 8 * (random.random((rows, features)) < 0.7)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("rows", "features"), [(1, 1), (3, 2), (15, 16), (17, 33), (1500, 7), (40, 1030)])
def test_the_sums_of_whole_numbers_are_exact(layout: str, rows: int, features: int) -> None:
    random = np.random.default_rng(rows)
    X = random.integers(-5, 6, (rows, features))
    y, x = random.integers(-9, 10, rows), random.integers(-5, 6, (3, features + 1))
    z = X @ x[:, :-1].T + x[:, -1]
    residual = z - y[:, None]
    expected = np.column_stack([residual.T @ X, residual.sum(axis=0), (residual**2).sum(axis=0) / 2])
    loss = Linear(X, y)
    found = sums(loss, x.astype(float), LAYOUTS[layout](X.astype(float)), loss.y, value=True, gradient=True)
    # All numbers are whole, or halves, and far below 2**52.
    assert found is not None
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_nothing_is_left_of_the_data_before(layout: str) -> None:
    # The first rows leave numbers that are none wherever the code keeps its own; 64 are whole registers of any machine.
    x = np.array([[np.nan, np.inf, 1.0]])
    for X in (np.ones((1000, 2)), np.ones((64, 2))):
        y = np.zeros(len(X))
        found = sums(Linear(X, y), x, LAYOUTS[layout](X), y, value=True, gradient=True)
        x = np.array([[1.0, 2.0, 3.0]])
    assert found is not None
    assert found.tolist() == [[6.0 * 64, 6.0 * 64, 6.0 * 64, 18.0 * 64]]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("model", few(FAMILY, 2))
def test_large_data_give_the_sum_of_small_parts(model: str, layout: str) -> None:
    random = np.random.default_rng(1)
    rows, features = 17_011, 63
    X, y = data(rows, features), targets(model, 17_011, random)
    assert X.size > WORTHWHILE
    large: Any = MODELS[model](LAYOUTS[layout](X), y, reduction="mean", l2=0.5)
    x = random.normal(size=(2, features + 1)) / 4
    value, gradient = large.value_and_gradient(x)
    assert sums(large, x, large.X, large.y, value=True, gradient=True) is not None
    # Each of these is small, so NumPy computes it.
    parts = [
        MODELS[model](X[i : i + 5000], y[i : i + 5000], reduction="sum").value_and_gradient(x)
        for i in range(0, rows, 5000)
    ]
    penalty = np.where(large.are_weights, x, 0)
    expected = sum(part[0] for part in parts) / rows + 0.25 * (penalty**2).sum(axis=1)
    # Both round z, about 1, some 1e-16 off, and each sum of as many terms as rows and features by less than 1e-13.
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    expected = sum(part[1] for part in parts) / rows + 0.5 * penalty
    np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("model", few([*FAMILY, "softmax"], 2))
def test_large_weighted_data_give_the_sum_of_small_parts(model: str, layout: str) -> None:
    random = np.random.default_rng(1)
    rows, features = 17_011, 63
    X, y, weights = data(rows, features), targets(model, rows, random), random.integers(0, 4, rows) / 2
    settings: Any = {"classes": ["a", "b", "c"]} if model == "softmax" else {}
    large: Any = MODELS[model](LAYOUTS[layout](X), y, reduction="sum", sample_weight=weights, **settings)
    x = random.normal(size=(2, large.dimension)) / 4
    value, gradient = large.value_and_gradient(x)
    assert sums(large, x, large.X, large.y, True, True, large.weights) is not None
    parts = [
        large.on_part(X[i : i + 5000], large.y[i : i + 5000], weights[i : i + 5000]).value_and_gradient(x)
        for i in range(0, rows, 5000)
    ]
    # As above; a gradient is of terms about 1, as many as rows.
    np.testing.assert_allclose(value, sum(part[0] for part in parts), rtol=1e-12)
    np.testing.assert_allclose(gradient, sum(part[1] for part in parts), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("layout", ["rows", "columns", "CSR"])
def test_neither_other_points_nor_threads_change_a_bit(layout: str) -> None:
    X = data(30_003, 41)
    loss = Logistic(LAYOUTS[layout](X), np.arange(30_003) % 2)
    x = np.random.default_rng(2).normal(size=(5, 42))
    value, gradient = loss.value_and_gradient(x)
    assert np.array_equal(value, loss.value(x))
    assert np.array_equal(gradient, loss.gradient(x))
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        for i in range(5):
            assert value[i] == loss.value(x[i])
            assert np.array_equal(gradient[i], loss.gradient(x[i]))
    finally:
        os.sched_setaffinity(0, allowed)


def test_no_digit_is_lost_in_either_tail() -> None:
    z = np.array([-1e5, -745.2, -700.0, -40.0, -1.0, -1e-9, 0.0, 1e-300, 0.3, 36.0, 708.0, 1e5])
    for label in (0.0, 1.0):
        for at in z:
            found = sums(
                Logistic([[at]], [label]), np.array([[1.0, 0.0]]), np.array([[at]]), np.array([label]), True, True
            )
            assert found is not None
            with mpmath.workdps(60):
                away = mpmath.mpf(at) * (1 - 2 * mpmath.mpf(label))
                slope = (1 - 2 * mpmath.mpf(label)) / (1 + mpmath.exp(-away))
                expected = [float(part) for part in (slope * at, slope, mpmath.log1p(mpmath.exp(away)))]
            # The exponential is within 2 units in the last place, and two more operations follow. Below exp(-709)
            # the sigmoid stays at 1e-308: see `sigmoid`.
            assert found[0] == pytest.approx(expected, rel=2e-15, abs=1e-300)


# One tile, one that is not whole, and several.
CLASSES = [2, 7, 13]


def labelled(rows: int, features: int, classes: int, layout: str) -> tuple[Any, Softmax]:
    """A softmax model on inputs laid out so."""
    X, y = data(rows, features), np.random.default_rng(rows).integers(0, classes, rows)
    return X, Softmax(LAYOUTS[layout](X), y, classes=[str(label) for label in range(classes)], reduction="sum")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("classes", few(CLASSES, 1))
@pytest.mark.parametrize(("rows", "features"), [(1, 1), (3, 2), (15, 16), (150, 41), (40, 130)])
def test_softmax_of_several_classes(rows: int, features: int, classes: int, layout: str) -> None:
    X, loss = labelled(rows, features, classes, layout)
    x = np.random.default_rng(features).normal(size=(2, loss.dimension))
    found = sums(loss, x, loss.X, loss.y, value=True, gradient=True)
    assert found is not None
    for at, total in zip(x, found, strict=True):
        z = X @ at[:-classes].reshape(classes, -1).T + at[-classes:]
        own = np.eye(classes)[loss.y.astype(int)]
        # Some tens of sums of up to 150 terms, each within 1e-16 of the largest, which is less than 100; and where a
        # logit is far above the others, what is left of the loss has lost as much of its own digits.
        assert total[-1] == pytest.approx(-(log_softmax(z, axis=1) * own).sum(), rel=1e-12, abs=1e-12)
        slope = probabilities(z, axis=1) - own
        expected = np.concatenate([(slope.T @ X).ravel(), slope.sum(axis=0)])
        np.testing.assert_allclose(total[:-1], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("classes", [3, pytest.param(MOST_OUTPUTS + 1, marks=pytest.mark.long)])
def test_softmax_on_large_data_gives_the_sum_of_small_parts(classes: int, layout: str) -> None:
    X, large = labelled(17_011, 63, classes, layout)
    assert X.size > WORTHWHILE
    x = np.random.default_rng(1).normal(size=(2, large.dimension)) / 4
    value, gradient = large.value_and_gradient(x)
    # Each of these is small, so NumPy computes it.
    parts = [
        large.on_part(X[i : i + 5000], large.y[i : i + 5000]).value_and_gradient(x) for i in range(0, 17_011, 5000)
    ]
    # As of the linear family; a gradient is of terms about 1, as many as rows.
    np.testing.assert_allclose(value, sum(part[0] for part in parts), rtol=1e-12)
    np.testing.assert_allclose(gradient, sum(part[1] for part in parts), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("layout", ["rows", "columns", "CSR"])
def test_neither_other_points_nor_threads_change_a_bit_of_softmax(layout: str) -> None:
    _, loss = labelled(30_003, 41, 7, layout)
    x = np.random.default_rng(2).normal(size=(3, loss.dimension))
    value, gradient = loss.value_and_gradient(x)
    assert np.array_equal(value, loss.value(x))
    assert np.array_equal(gradient, loss.gradient(x))
    with limited(1):
        for i in range(3):
            assert value[i] == loss.value(x[i])
            assert np.array_equal(gradient[i], loss.gradient(x[i]))


@given(st.lists(st.floats(-1e4, 1e4) | st.floats(-30, 30), min_size=2, max_size=6), st.data())
def test_softmax_loses_no_digit_however_far_the_logits_are_apart(z: list[float], drawn: st.DataObject) -> None:
    label, classes = drawn.draw(st.integers(0, len(z) - 1)), len(z)
    loss = Softmax([[0.0]], [label], classes=[str(number) for number in range(classes)])
    found = sums(loss, np.array([[0.0] * classes + z]), loss.X, loss.y, value=True, gradient=True)
    assert found is not None
    with mpmath.workdps(60):
        # Beside that of the row's own class.
        terms = [mpmath.exp(mpmath.mpf(number) - mpmath.mpf(z[label])) for number in z]
        others = sum(terms[:label]) + sum(terms[label + 1 :])
        slope = [float(term / (1 + others)) for term in terms]
        slope[label] = -float(others / (1 + others))
        value = float(mpmath.log1p(others))
    # Differences of logits that are not below exp(-700) are rounded to 1e-16 · 700, and their exponential by as much
    # of itself; of what is smaller, digits are lost below 1e-308.
    assert found[0, -1] == pytest.approx(value, rel=1e-12, abs=1e-300)
    assert found[0, classes:-1] == pytest.approx(slope, rel=1e-12, abs=1e-300)


def test_softmax_at_points_that_are_no_numbers_and_beyond_all_numbers() -> None:
    X, loss = labelled(30_000, 40, 3, "rows")
    x = np.zeros((5, loss.dimension))
    x[0, 3], x[1, -1], x[2, -1], x[3, 0] = np.nan, np.inf, -np.inf, 1e308
    value, gradient = loss.value_and_gradient(x)
    parts = [loss.on_part(X[i : i + 5000], loss.y[i : i + 5000]).value_and_gradient(x) for i in range(0, 30_000, 5000)]
    # As above.
    np.testing.assert_allclose(value, sum(part[0] for part in parts), rtol=1e-12)
    np.testing.assert_allclose(gradient, sum(part[1] for part in parts), rtol=1e-12, atol=1e-9)
    assert value[4] == pytest.approx(30_000 * np.log(3), rel=1e-13)


class Hesitant(Softmax):
    """A model with a forward pass of its own: half the logits."""

    def forward(self, points: Any, X: Any) -> Any:
        return super().forward(points, X) / 2


def test_a_softmax_of_ones_own_is_large_too() -> None:
    X, y = data(30_000, 40), np.arange(30_000) % 3
    x = np.random.default_rng(4).normal(size=123)
    assert Hesitant(X, y).value(x) == pytest.approx(Softmax(X, y).value(x / 2), rel=1e-12)  # as above


def test_points_that_are_no_numbers_and_beyond_all_numbers() -> None:
    loss = Logistic(data(30_000, 40), np.arange(30_000) % 2, reduction="sum")
    x = np.zeros((3, 41))
    x[0, 3], x[1, -1] = np.nan, np.inf
    value, gradient = loss.value_and_gradient(x)
    assert np.isnan(value[0])
    assert np.isnan(gradient[0]).all()
    assert value[1] == np.inf
    assert value[2] == pytest.approx(30_000 * np.log(2), rel=1e-13)


class PseudoHuber(LinearFamily):
    """Charbonnier's loss: √(1 + r²) - 1."""

    model = "pseudo-Huber loss"

    def response(self, z: Any) -> Any:
        return z

    def pointwise(self, z: Any, y: Any) -> Any:
        return np.sqrt(1 + (z - y) ** 2) - 1

    def slope(self, z: Any, y: Any) -> Any:
        return (z - y) / np.sqrt(1 + (z - y) ** 2)


class LogCosh(PseudoHuber):
    """log cosh r, whose functions no compiled code has."""

    def pointwise(self, z: Any, y: Any) -> Any:
        return np.log(np.cosh(z - y))

    def slope(self, z: Any, y: Any) -> Any:
        return np.tanh(z - y)


class Doubled(PseudoHuber):
    """A model that makes something else of the rows: z = 2 (X w + b)."""

    def forward(self, points: Any, X: Any) -> Any:
        return 2 * super().forward(points, X)

    def backward(self, points: Any, forward: Any, X: Any, y: Any, weights: Any = None) -> Any:
        return 2 * super().backward(points, forward, X, y, weights)


@pytest.mark.parametrize("kind", [PseudoHuber, LogCosh, Doubled])
def test_models_of_ones_own_are_large_too(kind: type[Loss]) -> None:
    X, y = data(30_000, 40), np.linspace(-1, 1, 30_000)
    x = np.random.default_rng(4).normal(size=41)
    parts = [
        kind(X[i : i + 1000], y[i : i + 1000], reduction="sum").value_and_gradient(x) for i in range(0, 30_000, 1000)
    ]
    value, gradient = kind(X, y, reduction="sum").value_and_gradient(x)
    # As above.
    assert value == pytest.approx(sum(part[0] for part in parts), rel=1e-12)
    np.testing.assert_allclose(gradient, sum(part[1] for part in parts), rtol=1e-12, atol=1e-9)


def test_without_a_compiler_numpy_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    loss = Logistic(data(30_000, 40), np.arange(30_000) % 2)
    x = np.random.default_rng(5).normal(size=41)
    compiled = loss.value_and_gradient(x)
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    plain = loss.value_and_gradient(x)
    # As above.
    assert plain[0] == pytest.approx(compiled[0], rel=1e-12)
    np.testing.assert_allclose(plain[1], compiled[1], rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("model", NAMES)
def test_a_sparse_matrix_is_the_same_data(model: str) -> None:
    from scipy.sparse import coo_array

    random = np.random.default_rng(6)
    dense = sample(model, 30, 4, random)
    dense.X[random.random(dense.X.shape) < 0.5] = 0
    settings: dict[str, Any] = {"classes": ("a", "b", "c")} if model in ("softmax", "network") else {}
    stored: Any = MODELS[model](coo_array(dense.X), dense.y, **settings)
    x = random.normal(size=dense.dimension)
    assert np.array_equal(stored.value(x), dense.value(x))
    assert np.array_equal(stored.gradient(x), dense.gradient(x))
    assert stored.smoothness() == dense.smoothness()
    recipe = stored.recipe()
    assert recipe is not None
    assert loss_from_recipe(recipe).value(x) == dense.value(x)
    runs = [
        minimize(loss.batches(7, order="shuffled"), x, GradientDescent(1e-4), max_steps=9) for loss in (stored, dense)
    ]
    assert np.array_equal(runs[0].x, runs[1].x)


def test_a_stored_entry_that_is_no_number_is_named() -> None:
    X = csr(np.array([[0.0, 1.0], [2.0, np.inf]]))
    with pytest.raises(FalllineError, match=r"^X\[1, 1\] is inf; only finite numbers are allowed$"):
        Linear(X, [1, 2])
    with pytest.raises(FalllineError, match=r"^X has the shape \(0, 2\)"):
        Linear(X[:0], [])


def test_single_precision_data_stay_as_they_are() -> None:
    X = np.array([[0.1, 0.2], [0.3, 0.4]], np.float32)
    loss = Linear(X, [1, 2])
    assert loss.X is X
    x = np.array([1.0, 1.0, 0.0])
    assert loss.value(x) == Linear(X.astype(float), [1, 2]).value(x)
    X[1, 0] = np.nan
    with pytest.raises(FalllineError, match=r"^X\[1, 0\] is missing"):
        Linear(X, [1, 2])
