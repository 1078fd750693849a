from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from tests.models.samples import NAMES, losses, points, sample
from tests.models.test_losses import SEED

from fallline.models import MODELS, LinearFamily

FAMILY = [name for name in NAMES if issubclass(MODELS[name], LinearFamily)]


def logistic(z: Any) -> Any:
    return 1 / (1 + mpmath.exp(-z))


TEXTBOOK: dict[str, Callable[[Any, Any, Any], Any]] = {
    "linear": lambda z, y, _: (z - y) ** 2 / 2,
    "huber": lambda z, y, loss: (
        (z - y) ** 2 / 2 if abs(z - y) <= loss.delta else loss.delta * (abs(z - y) - mpmath.mpf(loss.delta) / 2)
    ),
    "poisson": lambda z, y, _: mpmath.exp(z) - y * z,
    "logistic": lambda z, y, _: -mpmath.log(logistic(z) if y == 1 else 1 - logistic(z)),
    "hinge": lambda z, y, _: max(0, 1 - (2 * y - 1) * z),
    "squared_hinge": lambda z, y, _: max(0, 1 - (2 * y - 1) * z) ** 2,
    "sigmoid": lambda z, y, _: (logistic(z) - y) ** 2 / 2,
}


def plain_value(loss: Any, model: str, x: Any) -> float:
    """The loss by its textbook formula, in 60 digits."""
    with mpmath.workdps(60):
        total = mpmath.mpf(0)
        for row, y in zip(loss.X.tolist(), loss.y.tolist(), strict=True):
            z = sum((mpmath.mpf(a) * mpmath.mpf(b) for a, b in zip(row, x[:-1].tolist(), strict=True)), x[-1])
            total += TEXTBOOK[model](z, y, loss)
        penalty = sum(mpmath.mpf(w) ** 2 for w in x[:-1].tolist()) * loss.l2 / 2
        return float(total / (loss.rows if loss.reduction == "mean" else 1) + penalty)


@given(losses(FAMILY), SEED)
def test_the_value_is_the_textbook_formula(loss: Any, seed: int) -> None:
    model = next(name for name, kind in MODELS.items() if type(loss) is kind)
    for x in points(loss, seed, 3):
        # z is rounded to about 1e-14 here; the mean count exp(z) by as much of itself, and a sum of squares as large
        # as 1e6 to 1e-10. The other losses change no faster than z.
        assert loss.value(x) == pytest.approx(plain_value(loss, model, x), rel=1e-12, abs=1e-13)


def test_whole_numbers_are_points_too() -> None:
    loss = MODELS["sigmoid"]([0.5, 2.5], [0.2, 0.9])
    assert np.array_equal(loss.gradient(np.array([1, 2])), loss.gradient(np.array([1.0, 2.0])))


@pytest.mark.parametrize("model", [name for name in FAMILY if np.isfinite(MODELS[name].curvature)])
def test_the_curvature_bound_is_the_least_there_is(model: str) -> None:
    z: Any = np.linspace(-10, 10, 20_001)
    one_row: Any = sample(model, 1, 1, np.random.default_rng(0))
    second = one_row.slope(z + 1e-100j, np.zeros(1)).imag / 1e-100
    # The grid misses the maximum by at most 0.0005 in z, so by a few 1e-8 in a smooth function.
    assert np.abs(second).max() == pytest.approx(one_row.curvature, rel=1e-6)
    assert (second.min() >= 0) == one_row.convex


def test_the_logistic_smoothness_is_reached_at_zero() -> None:
    X = np.random.default_rng(3).normal(size=(40, 3))
    loss = MODELS["logistic"](X, np.arange(40) % 2, reduction="sum")
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
