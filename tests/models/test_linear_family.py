from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.models import MODELS, LinearFamily
from fallline.models.base import Reduction

MODEL = st.sampled_from(sorted(MODELS))
REDUCTION: st.SearchStrategy[Reduction] = st.sampled_from(["sum", "mean"])


@st.composite
def losses(draw: st.DrawFn) -> LinearFamily:
    """A loss of the family on random data of random shape."""
    model, rows, features = draw(MODEL), draw(st.integers(1, 20)), draw(st.integers(1, 5))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    X = random.normal(size=(rows, features)) * draw(st.sampled_from([0.1, 1.0, 10.0]))
    y = random.random(rows)
    return MODELS[model](X, y.round() if model == "logistic" else y, draw(REDUCTION))


def points(loss: LinearFamily, seed: int, count: int) -> Any:
    return np.random.default_rng(seed).normal(size=(count, loss.dimension))


def plain_value(loss: LinearFamily, model: str, x: Any) -> float:
    """The loss by its textbook formula, in 60 digits."""
    with mpmath.workdps(60):
        total = mpmath.mpf(0)
        for row, y in zip(loss.X.tolist(), loss.y.tolist(), strict=True):
            z = sum((mpmath.mpf(a) * mpmath.mpf(b) for a, b in zip(row, x[:-1].tolist(), strict=True)), x[-1])
            p = 1 / (1 + mpmath.exp(-z))
            if model == "sigmoid":
                total += (p - y) ** 2 / 2
            else:
                total -= mpmath.log(p if y == 1 else 1 - p)
        return float(total / (loss.rows if loss.reduction == "mean" else 1))


@given(losses(), st.integers(0, 99))
def test_the_value_is_the_textbook_formula(loss: LinearFamily, seed: int) -> None:
    model = next(name for name, kind in MODELS.items() if isinstance(loss, kind))
    for x in points(loss, seed, 3):
        # z is rounded to about 1e-16 |X||w|, at most 1e-14 here, and the loss changes no faster than z.
        assert loss.value(x) == pytest.approx(plain_value(loss, model, x), rel=1e-12, abs=1e-13)


@given(losses(), st.integers(0, 99))
def test_the_gradient_is_that_of_the_value(loss: LinearFamily, seed: int) -> None:
    x = points(loss, seed, 4)
    coordinates = np.eye(loss.dimension)
    complex_step = loss.value(x[:, None, :] + 1e-100j * coordinates).imag / 1e-100
    h = 1e-5
    central = (loss.value(x[:, None, :] + h * coordinates) - loss.value(x[:, None, :] - h * coordinates)) / (2 * h)
    scale = np.abs(loss.X).sum() + loss.rows
    # The complex step is exact up to rounding; the central difference up to h² f''' / 6 and 1e-16 f / h.
    np.testing.assert_allclose(loss.gradient(x), complex_step, rtol=1e-11, atol=1e-14 * scale)
    np.testing.assert_allclose(loss.gradient(x), central, rtol=1e-5, atol=1e-6 * scale)


@given(losses(), st.integers(0, 99))
def test_a_batch_of_points_gives_the_bits_of_one_by_one(loss: LinearFamily, seed: int) -> None:
    x = points(loss, seed, 6).reshape(2, 3, -1)
    value, gradient = loss.value_and_gradient(x)
    assert np.array_equal(value, loss.value(x))
    assert np.array_equal(gradient, loss.gradient(x))
    for index in np.ndindex(2, 3):
        assert np.array_equal(value[index], loss.value(x[index][None])[0])
        assert np.array_equal(gradient[index], loss.gradient(x[index][None])[0])
    # However the points lie in memory.
    for other in (np.asfortranarray(x[0]), np.repeat(x[0], 2, axis=1)[:, ::2]):
        assert np.array_equal(value[0], loss.value(other))
        assert np.array_equal(gradient[0], loss.gradient(other))
    assert np.array_equal(gradient[:, ::2], loss.gradient(x[:, ::2]))


@pytest.mark.parametrize("model", sorted(MODELS))
@pytest.mark.parametrize(("rows", "features"), [(3000, 17), (10_007, 1), (300_000, 2)])
def test_many_rows_give_the_bits_of_one_by_one(model: str, rows: int, features: int) -> None:
    random = np.random.default_rng(1)
    loss = MODELS[model](random.normal(size=(rows, features)), random.integers(0, 2, rows))
    x = points(loss, 2, 7)
    value, gradient = loss.value_and_gradient(x)
    for i in range(7):
        one_value, one_gradient = loss.value_and_gradient(x[i : i + 1])
        assert np.array_equal(value[i], one_value[0])
        assert np.array_equal(gradient[i], one_gradient[0])


@pytest.mark.parametrize("model", sorted(MODELS))
def test_logits_of_ten_thousand_raise_no_warning(model: str) -> None:
    loss = MODELS[model]([-1e4, 1e4, -1e4, 1e4], [0, 1, 1, 0])
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        value, gradient = loss.value_and_gradient(np.array([[1.0, 0.0], [-1.0, 0.0]]))
    # Two rows right and two wrong, both ways round: a wrong row costs 1/2 or 10,000, and pulls with 0 or 1.
    assert value.tolist() == ([1.0, 1.0] if model == "sigmoid" else [2e4, 2e4])
    expected = [[0, 0], [0, 0]] if model == "sigmoid" else [[2e4, 0], [-2e4, 0]]
    # The pull of a right row stays at 1e-308, of a neuron's wrong row too.
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-300)


@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_mean_is_the_sum_divided_by_the_rows(model: str) -> None:
    X, y = [[1.0, 2.0], [3.0, 4.0], [-1.0, 0.5]], [0, 1, 1]
    x = np.array([0.3, -0.2, 0.1])
    total, mean = MODELS[model](X, y), MODELS[model](X, y, reduction="mean")
    assert mean.value(x) == total.value(x) / 3
    assert np.array_equal(mean.gradient(x), total.gradient(x) / 3)


def test_whole_numbers_are_points_too() -> None:
    loss = MODELS["sigmoid"]([0.5, 2.5], [0.2, 0.9])
    assert np.array_equal(loss.gradient(np.array([1, 2])), loss.gradient(np.array([1.0, 2.0])))


@given(losses(), st.integers(0, 99), st.floats(0.01, 30))
def test_no_curvature_exceeds_the_smoothness(loss: LinearFamily, seed: int, reach: float) -> None:
    x = reach * points(loss, seed, 1)[0]
    hessian = loss.gradient(x + 1e-100j * np.eye(loss.dimension)).imag / 1e-100
    # Rounding in the Hessian and its eigenvalues is relative to its own size.
    assert np.abs(np.linalg.eigvalsh(hessian)).max() <= loss.smoothness() * (1 + 1e-12)
    for size in (1, loss.rows):
        batch = loss.on_rows(slice(0, size))
        assert batch.smoothness() <= loss.smoothness(batch_size=size) * (1 + 1e-12)


@pytest.mark.parametrize("model", sorted(MODELS))
def test_the_curvature_bound_is_the_least_there_is(model: str) -> None:
    z: Any = np.linspace(-10, 10, 20_001)
    one_row = MODELS[model]([1.0], [0.0])
    second = one_row.slope(z + 1e-100j, np.zeros(1)).imag / 1e-100
    # The grid misses the maximum by at most 0.0005 in z, so by a few 1e-8 in a smooth function.
    assert np.abs(second).max() == pytest.approx(one_row.curvature, rel=1e-6)
    assert (second.min() >= 0) == one_row.convex


def test_the_logistic_smoothness_is_reached_at_zero() -> None:
    X = np.random.default_rng(3).normal(size=(40, 3))
    loss = MODELS["logistic"](X, np.arange(40) % 2)
    design = np.column_stack([X, np.ones(40)])
    # At zero every p is 1/2, so the Hessian is AᵀA / 4; the singular value is another way to its eigenvalue.
    assert loss.smoothness() == pytest.approx(np.linalg.norm(design, 2) ** 2 / 4, rel=1e-12)


def test_parameters_are_named_after_the_features() -> None:
    kind = MODELS["sigmoid"]
    X, y = [[1.0, 2.0], [3.0, 4.0]], [0, 1]
    assert kind([1.0, 3.0], y).names == ("w", "b")
    assert kind([1.0, 3.0], y, feature_names=["age"]).names == ("w", "b")
    assert kind(X, y).names == ("w1", "w2", "b")
    assert kind(X, y, feature_names=["age", "dose"]).names == ("w_age", "w_dose", "b")


def test_predictions_are_the_response_of_each_row() -> None:
    loss = MODELS["logistic"]([[1.0, 2.0], [3.0, 4.0]], [0, 1])
    predicted = loss.predict(np.array([[0.0, 0.0], [1.0, -1.0]]), np.array([1.0, 2.0, 0.0]))
    assert predicted == pytest.approx([0.5, 1 / (1 + np.e)], rel=1e-15)
