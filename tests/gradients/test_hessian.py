"""Second derivatives, exact and by differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fallline.gradients import Perturbation, with_gradient
from fallline.gradients.hessian import hessian, hessian_vector
from fallline.objectives import as_objective

POINTS = np.array([[0.5, -1.5], [30.0, 2.0]])


def exact(x: float, y: float) -> Any:
    # The Hessian of x³y + sin(y).
    return [[6 * x * y, 3 * x**2], [3 * x**2, -np.sin(y)]]


def function(x: Any) -> Any:
    return x[0] ** 3 * x[1] + np.sin(x[1])


def slope(x: float, y: float) -> Any:
    return [3 * x**2 * y, x**3 + np.cos(y)]


@pytest.mark.parametrize(
    ("given", "gradient", "close"),
    [
        # Differences: the rounding's power 2/3, some times over.
        ("x**3*y + sin(y)", slope, 1e-7),
        # Exact but for a few roundings.
        ("x**3*y + sin(y)", "symbolic", 1e-13),
        (function, "autodiff", 1e-13),
    ],
)
def test_second_derivatives(given: Any, gradient: Any, close: float) -> None:
    objective = with_gradient(as_objective(given, 2), gradient, np.ones(2))
    expected = np.array([exact(*point) for point in POINTS])
    found = hessian(objective, POINTS)
    np.testing.assert_allclose(found, expected, rtol=close, atol=close * np.abs(expected).max())
    np.testing.assert_array_equal(found, np.swapaxes(found, -1, -2))
    vector = np.array([2.0, -1.0])
    product = hessian_vector(objective, POINTS, vector)
    np.testing.assert_allclose(product, expected @ vector, rtol=10 * close, atol=close * np.abs(expected).max())
    assert hessian(objective, POINTS[0]).shape == (2, 2)
    np.testing.assert_array_equal(hessian_vector(objective, POINTS, 0 * vector), np.zeros((2, 2)))


@pytest.mark.parametrize("given", ["x**3*y + sin(y)", function])
@pytest.mark.parametrize("gradient", [slope, "auto", Perturbation(scheme="central")])
def test_each_point_has_a_vector_of_its_own(given: Any, gradient: Any) -> None:
    objective = with_gradient(as_objective(given, 2), gradient, np.ones(2))
    points = np.array([[[0.5, -1.5], [1.0, 2.0], [0.0, 0.1]], [[1.5, 0.5], [-1.0, 0.2], [0.3, 0.4]]])
    vectors = np.random.default_rng(0).normal(size=points.shape)
    expected = np.array([[np.array(exact(*point)) @ vector for point, vector in zip(*rows, strict=True)]
                         for rows in zip(points, vectors, strict=True)])  # fmt: skip
    # Differences of differences are good to the power 1/3 of the rounding.
    close = 1e-3 if isinstance(gradient, Perturbation) else 1e-7
    np.testing.assert_allclose(hessian_vector(objective, points, vectors), expected, rtol=close, atol=10 * close)
    found = hessian(objective, points)
    assert found.shape == (2, 3, 2, 2)
    np.testing.assert_allclose(found[1, 0], exact(1.5, 0.5), rtol=close, atol=10 * close)


def test_differences_of_float32_values_take_longer_steps() -> None:
    objective = with_gradient(
        as_objective("x**2 + 3*x*y + y**2"),
        lambda x, y: (np.float32(2 * x + 3 * y), np.float32(3 * x + 2 * y)),
        np.ones(2),
    )
    objective.precision = "float32"
    np.testing.assert_allclose(hessian(objective, np.array([0.3, 0.7])), [[2, 3], [3, 2]], atol=1e-3)
