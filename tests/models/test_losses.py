"""What every model promises: gradients, bits, tails, reductions, penalties."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.models.samples import NAMES, losses, points, sample

from fallline import GradientDescent, minimize
from fallline.models import MODELS, Loss, Network, loss_from_recipe

SEED = st.integers(0, 99)


def complex_step(loss: Loss, x: Any) -> Any:
    """The gradient by complex-step differences: exact but for rounding."""
    return loss.value(x[:, None, :] + 1e-100j * np.eye(loss.dimension)).imag / 1e-100


def rounding(loss: Loss, x: Any) -> Any:
    """The size of the terms that the gradient adds up, for the rounding error it may have."""
    reach = 1 + np.abs(loss.X).max()
    return loss.rows * (reach * (1 + np.abs(x).sum())) ** (2 if isinstance(loss, Network) else 1)


@given(losses(), SEED)
def test_the_gradient_is_the_complex_step(loss: Loss, seed: int) -> None:
    x = points(loss, seed, 3) * 0.5
    with np.errstate(all="ignore"):
        expected = complex_step(loss, x)
    assume(np.isfinite(expected).all())
    # Poisson's means go up to exp(50): all errors are relative to the largest term.
    size = np.abs(expected).max() + rounding(loss, x)
    np.testing.assert_allclose(loss.gradient(x), expected, rtol=1e-11, atol=1e-14 * size)


@given(losses(), SEED)
def test_the_gradient_is_the_central_difference(loss: Loss, seed: int) -> None:
    x = points(loss, seed, 1)[0] * 0.3
    h = 1e-6
    steps = h * np.eye(loss.dimension)
    forward, here, back = loss.value(x + steps), loss.value(x), loss.value(x - steps)
    # A kink within h of x, or a curve as steep as that: the slopes to both sides differ.
    left, right = (here - back) / h, (forward - here) / h
    smooth = np.abs(right - left) < 1e-3 * (1 + np.abs(left))
    central = (forward - back) / (2 * h)
    # The error is h² f''' / 6, plus the rounding of the value, 1e-16 f / h.
    tolerance = 1e-5 * (1 + np.abs(central)) + 1e-9 * np.abs(here)
    assert (np.abs(loss.gradient(x) - central) <= tolerance)[smooth].all()


@given(losses(), SEED)
def test_a_batch_of_points_gives_the_bits_of_one_by_one(loss: Loss, seed: int) -> None:
    x = points(loss, seed, 6).reshape(2, 3, -1)
    value, gradient = loss.value_and_gradient(x)
    assert np.array_equal(value, loss.value(x))
    assert np.array_equal(gradient, loss.gradient(x))
    for index in np.ndindex(2, 3):
        assert np.array_equal(value[index], loss.value(x[index]))
        assert np.array_equal(value[index], loss.value(x[index][None])[0])
        assert np.array_equal(gradient[index], loss.gradient(x[index][None])[0])
    # However the points lie in memory.
    for other in (np.asfortranarray(x[0]), np.repeat(x[0], 2, axis=1)[:, ::2]):
        assert np.array_equal(value[0], loss.value(other))
        assert np.array_equal(gradient[0], loss.gradient(other))
    assert np.array_equal(gradient[:, ::2], loss.gradient(x[:, ::2]))


@pytest.mark.parametrize("model", NAMES)
@pytest.mark.parametrize(("rows", "features"), [(1, 5), (3000, 17), (10_007, 1), (200_000, 2)])
def test_one_row_or_many_give_the_bits_of_one_by_one(model: str, rows: int, features: int) -> None:
    loss = sample(model, rows, features, np.random.default_rng(1))
    x = points(loss, 2, 4)
    value, gradient = loss.value_and_gradient(x)
    for i in range(4):
        one_value, one_gradient = loss.value_and_gradient(x[i : i + 1])
        assert np.array_equal(value[i], one_value[0])
        assert np.array_equal(gradient[i], one_gradient[0])


@given(losses(), SEED, st.integers(1, 60))
def test_a_small_block_of_memory_only_changes_the_order_of_the_sum(loss: Loss, seed: int, block: int) -> None:
    x = points(loss, seed, 5) * 0.3
    value, gradient = loss.value_and_gradient(x)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fallline.models.summing.BLOCK", block)
        blocked_value, blocked_gradient = loss.value_and_gradient(x)
        alone = loss.value_and_gradient(x[2])
    np.testing.assert_allclose(blocked_value, value, rtol=1e-13)
    np.testing.assert_allclose(blocked_gradient, gradient, rtol=1e-12, atol=1e-13 * np.abs(gradient).max())
    assert np.array_equal(alone[0], blocked_value[2])
    assert np.array_equal(alone[1], blocked_gradient[2])


@pytest.mark.parametrize("model", NAMES)
def test_logits_of_ten_thousand_raise_no_warning(model: str) -> None:
    X, y = [-1e4, 1e4, -1e4, 1e4], [0, 1, 1, 0]
    settings: dict[str, Any] = {"hidden": ()} if model == "network" else {}
    loss = MODELS[model](X, y, reduction="sum", **settings)
    # One weight and a bias; for two classes the difference of their logits is what the others have as z.
    x = np.array([[-0.5, 0.5, 0, 0], [0.5, -0.5, 0, 0]] if loss.dimension == 4 else [[1.0, 0.0], [-1.0, 0.0]])
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        value, gradient = loss.value_and_gradient(x)
    # Two rows right and two wrong, both ways round.
    expected = {
        "sigmoid": 1.0,
        "linear": 0.5 * (2 * 1e8 + (1e4 - 1) ** 2 + (1e4 + 1) ** 2),
        "huber": 4e4 - 2.0,
        "hinge": 2 * (1e4 + 1),
        "squared_hinge": 2 * (1e4 + 1) ** 2,
        "poisson": np.inf,
    }.get(model, 2e4)
    assert value.tolist() == pytest.approx([expected, expected], rel=1e-15)
    assert model == "poisson" or np.isfinite(gradient).all()


@given(losses(), SEED)
def test_a_mean_is_the_sum_divided_by_the_rows(loss: Loss, seed: int) -> None:
    recipe: Any = loss.recipe()
    total, mean = (loss_from_recipe(recipe | {"reduction": name, "l2": 0.0}) for name in ("sum", "mean"))
    x = points(loss, seed, 1)[0] * 0.3
    assert mean.value(x) == total.value(x) / loss.rows
    assert np.array_equal(mean.gradient(x), total.gradient(x) / loss.rows)


@given(losses(), SEED, st.floats(0, 10))
def test_l2_adds_half_the_squares_of_the_weights_and_spares_the_biases(loss: Loss, seed: int, l2: float) -> None:
    recipe: Any = loss.recipe()
    plain, penalised = (loss_from_recipe(recipe | {"l2": strength}) for strength in (0.0, l2))
    x = points(loss, seed, 1)[0] * 0.3
    weights = np.array([0.0 if name.startswith("b") else number for name, number in zip(loss.names, x, strict=True)])
    value, gradient = plain.value_and_gradient(x)
    penalised_value, penalised_gradient = penalised.value_and_gradient(x)
    # One rounding of a sum of the two.
    assert penalised_value == pytest.approx(value + 0.5 * l2 * weights @ weights, rel=1e-14)
    np.testing.assert_allclose(penalised_gradient, gradient + l2 * weights, rtol=1e-14)


@given(losses(), SEED)
def test_the_gradients_of_an_epoch_add_up_to_that_of_the_loss(loss: Loss, seed: int) -> None:
    loss = loss_from_recipe({**loss.recipe(), "reduction": "sum"})  # type: ignore[dict-item, assignment]
    x = points(loss, seed, 1)[0] * 0.3
    batches = loss.batches((loss.rows + 1) // 2)
    parts = [batches.at_step(step, seed=0) for step in range(1, batches.steps_per_epoch + 1)]
    # Only the order of the additions differs, and two shares of l2 add up to it.
    size = sum(np.abs(part.gradient(x)) for part in parts)
    np.testing.assert_allclose(sum(part.gradient(x) for part in parts), loss.gradient(x), atol=1e-13 * np.max(size))
    assert sum(part.value(x) for part in parts) == pytest.approx(loss.value(x), rel=1e-12)


@given(losses([name for name in NAMES if np.isfinite(MODELS[name].curvature)]), SEED, st.floats(0.01, 30))
def test_no_curvature_exceeds_the_smoothness(loss: Loss, seed: int, reach: float) -> None:
    x = reach * points(loss, seed, 1)[0]
    hessian = loss.gradient(x + 1e-100j * np.eye(loss.dimension)).imag / 1e-100
    # Rounding in the Hessian and its eigenvalues is relative to its own size.
    curvature = np.linalg.eigvalsh(hessian)
    assert np.abs(curvature).max() <= loss.smoothness() * (1 + 1e-12)
    assert not loss.convex or curvature.min() >= -1e-12 * loss.smoothness()
    for size in (1, loss.rows):
        batch = loss.on_rows(slice(0, size))
        assert batch.smoothness() <= loss.smoothness(batch_size=size) * (1 + 1e-12)


def test_what_has_no_greatest_curvature_says_so() -> None:
    random = np.random.default_rng(0)
    for model in ("poisson", "hinge", "network"):
        loss = sample(model, 5, 2, random)
        assert loss.smoothness() == loss.smoothness(batch_size=2) == np.inf


@given(losses(), SEED)
def test_a_recipe_in_json_rebuilds_the_loss(loss: Loss, seed: int) -> None:
    x = points(loss, seed, 2)
    for original in (loss, loss.batches(1, order="shuffled", remainder="drop")):
        copy = loss_from_recipe(json.loads(json.dumps(original.recipe())))
        assert copy.title == original.title
        assert copy.names == original.names
        assert np.array_equal(copy.value(x), original.value(x), equal_nan=True)
        assert np.array_equal(copy.at_step(2, 3).gradient(x), original.at_step(2, 3).gradient(x), equal_nan=True)


def own(p: Any, y: Any) -> Any:
    """The probability of each row's own class."""
    return p[np.arange(len(y)), y.astype(int)]


ERRORS: dict[str, Callable[[Any, Any], Any]] = {
    "linear": lambda p, y: 0.5 * (p - y) ** 2,
    "huber": lambda p, y: np.where(abs(p - y) < 1, 0.5 * (p - y) ** 2, abs(p - y) - 0.5),
    "poisson": lambda p, y: p - y * np.log(p),
    "logistic": lambda p, y: -np.log(np.where(y == 1, p, 1 - p)),
    "hinge": lambda p, y: np.maximum(0, 1 - (2 * y - 1) * p),
    "squared_hinge": lambda p, y: np.maximum(0, 1 - (2 * y - 1) * p) ** 2,
    "softmax": lambda p, y: -np.log(own(p, y)),
    "network": lambda p, y: -np.log(own(p, y)),
    "sigmoid": lambda p, y: 0.5 * (p - y) ** 2,
}


@pytest.mark.long
def test_a_textbook_rate_suits_any_number_of_rows() -> None:
    random = np.random.default_rng(0)
    for rows in (3, 30, 3000):
        X = random.uniform(0, 2, (rows, 1))
        y = 2 * X[:, 0] + 1
        run = minimize(MODELS["linear"](X, y), [0.0, 0.0], GradientDescent(0.02), max_steps=20_000)
        assert run.final.x == pytest.approx([2, 1], abs=1e-3)


@pytest.mark.parametrize("model", NAMES)
def test_the_loss_is_the_textbook_error_of_the_predictions(model: str) -> None:
    loss = sample(model, 8, 3, np.random.default_rng(5))
    for x in points(loss, 1, 5):
        # Probabilities near 1 lose their last digits in 1 - p, which the loss itself does not.
        assert loss.value(x) == pytest.approx(ERRORS[model](loss.predict(loss.X, x), loss.y).mean(), rel=1e-12)
