"""Hessian products of formulas: exact, as SymPy's, JAX's and closed forms say."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from fallline.gradients.hessian import hessian, hessian_vector
from fallline.objectives import as_objective
from fallline.objectives.formula import FormulaObjective
from fallline.objectives.landscapes import LANDSCAPES

# Points inside the domain of all functions below.
POINTS = np.array([[0.3, 0.7], [0.62, 0.15], [0.91, 0.48]])
# Each is a formula for SymPy too.
FORMULAS = [
    "x**2*y + 3*x*y - y**3/x",
    "1/(1 + x**2 + y**4)",
    "x**y + y**x + 2**(x*y)",
    "x**9*y**(-3) + x**(1/3) + y**2.5",
    "sqrt(x*y + 1) + sqrt(x)*y",
    "(x**(1/2))**3 + x**(-1/2)*y",
    "sin(x*y) + cos(x/y) + tan(x - y)",
    "asin(x*y) + acos(x - y) + atan(x/y) + atan2(y, x)",
    "sinh(x - y) + cosh(x*y) + tanh(3*x + y)",
    "exp(-x**2/y) + log(x + y**2) + x*log(y)",
    "erf(x - 2*y)*exp(y)",
    "log(1 + exp(x*y)) / (x + y)",
]


def sympys(text: str, point: Any) -> Any:
    """SymPy's Hessian, evaluated with 30 digits."""
    x, y = sympy.symbols("x y")
    matrix = sympy.hessian(sympy.sympify(text), (x, y))
    at = {x: sympy.Float(float(point[0]), 40), y: sympy.Float(float(point[1]), 40)}
    return np.array(matrix.evalf(30, subs=at)).astype(float)


@pytest.mark.parametrize("text", FORMULAS)
def test_sympys_hessian(text: str) -> None:
    objective = as_objective(text)
    expected = np.array([sympys(text, point) for point in POINTS])
    # A few roundings of each of a formula's operations.
    np.testing.assert_allclose(hessian(objective, POINTS), expected, rtol=1e-13, atol=1e-13 * np.abs(expected).max())
    vectors = np.array([[1.0, -2.0], [0.5, 0.0], [3.0, 7.0]])
    found = hessian_vector(objective, POINTS, vectors)
    exact = np.einsum("kij,kj->ki", expected, vectors)
    np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-12 * np.abs(exact).max())


@pytest.mark.parametrize(
    ("text", "point", "expected"),
    [
        ("abs(x)**3", [-2.0], [[12.0]]),
        ("max(x**2, y)", [2.0, 1.0], [[2.0, 0.0], [0.0, 0.0]]),
        ("max(x**2, y)", [1.0, 2.0], [[0.0, 0.0], [0.0, 0.0]]),
        ("min(x**2, 3*x**2, y)", [2.0, 9.0], [[2.0, 0.0], [0.0, 0.0]]),
        ("where(x > 0, x*log(x), x**2)", [-1.0], [[2.0]]),
        ("where(x > 0, x*log(x), x**2)", [4.0], [[0.25]]),
        ("cbrt(x)", [-8.0], [[1 / 144]]),
        ("log1p(x)", [1.0], [[-0.25]]),
        ("sigmoid(x)", [0.0], [[0.0]]),
        ("softplus(x)", [1.0], [[np.exp(1.0) / (1 + np.exp(1.0)) ** 2]]),
        ("mod(x, 3)*x", [4.0], [[2.0]]),
        ("floor(x)*x**2 + sign(x)*x", [2.5], [[4.0]]),
        ("u = x*y; v = u**2 + u; v*u", [2.0, 1.0], [[14.0, 44.0], [44.0, 56.0]]),
        ("x + 2*y", [1.0, 1.0], [[0.0, 0.0], [0.0, 0.0]]),
        ("norm(x, y)", [3.0, 4.0], [[16 / 125, -12 / 125], [-12 / 125, 9 / 125]]),
    ],
)
def test_closed_forms(text: str, point: list[float], expected: list[list[float]]) -> None:
    found = hessian(as_objective(text), np.array(point))
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("1/(1+exp(-x))", -400.0, 0.0),
        ("x**2+tanh(x)", 400.0, 2.0),
        ("x**2+tanh(x)", -800.0, 2.0),
        ("cosh(x)**-1", 400.0, 0.0),
        ("1/(exp(x)+exp(-x))", -400.0, 0.0),
        ("x*tanh(x)", -400.0, 0.0),
        ("tanh(x)", 356.0, 0.0),
        ("sin(x)*tanh(x)", 400.0, -np.sin(400.0)),
        ("x**3*tanh(x)", 800.0, 4800.0),
    ],
)
def test_a_saturated_function_adds_nothing(text: str, x: float, expected: float) -> None:
    # Extrapolated differences of the gradient are good to about nine digits.
    np.testing.assert_allclose(hessian(as_objective(text), np.array([x])), [[expected]], rtol=1e-9, atol=1e-150)


def test_only_the_entries_that_overflow_are_differences() -> None:
    objective = as_objective("x**4 + tanh(x) + x*y + exp(y)")
    points = np.array([[400.0, 0.7], [0.3, 0.7], [-500.0, 1.0]])
    found = hessian(objective, points)
    expected = [[[12 * x**2 - 2 * np.tanh(x) * (1 - np.tanh(x) ** 2), 1], [1, np.exp(y)]] for x, y in points]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    np.testing.assert_allclose(found[:, 1, 1], np.exp(points[:, 1]), rtol=1e-15)
    assert found.tolist() == [hessian(objective, point).tolist() for point in points]


@pytest.mark.parametrize(
    "text",
    [
        "exp(-x)",
        "tanh(x)",
        "1/(1+exp(-x))",
        "exp(-x)/(1+exp(-x))",
        "1/(1+exp(-x))**2",
        "cosh(x)**-1",
        "1/cosh(x)**2",
        "log(1+exp(x))",
        "log(cosh(x))",
        "x*exp(-x**2)",
        "exp(-x**2)",
        "erf(x)",
        "x*erf(x)",
        "atan(x)",
        "atan(sinh(x))",
        "sinh(x)/cosh(x)",
        "x**2*tanh(x)",
        "exp(-exp(x))",
        "1/(1+x**2)",
    ],
)
@pytest.mark.parametrize("x", [1.0, 40.0, 400.0, 800.0])
def test_the_second_derivative_is_sympys_wherever_the_gradient_is_finite(text: str, x: float) -> None:
    symbol = sympy.Symbol("x")
    second = sympy.diff(sympy.sympify(text), symbol, 2)
    for point in (x, -x):
        objective = as_objective(text)
        value, gradient = objective.value_and_gradient(np.array([[point]]))
        if np.isfinite([value[0], gradient[0, 0]]).all():
            exact = float(second.subs(symbol, sympy.Float(point, 800)).evalf(30))
            # What differences of the gradient are good to, where its derivative overflows.
            np.testing.assert_allclose(hessian(objective, np.array([point])), [[exact]], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("text", ["abs(x)**1.5", "abs(x)**(4/3)"])
def test_an_infinite_second_derivative_is_not_made_finite(text: str) -> None:
    assert not np.isfinite(hessian(as_objective(text), np.array([0.0]))).any()


@pytest.mark.parametrize("name", LANDSCAPES)
def test_every_landscape_as_by_differences_of_its_gradient(name: str) -> None:
    objective = as_objective(name)
    low, high = np.array(objective.bounds).T
    points = np.random.default_rng(1).uniform(low, high, (50, objective.dimension))
    vector = np.arange(1.0, objective.dimension + 1)
    step = 1e-6 * np.abs(points).max(axis=1, keepdims=True)
    differences = (objective.gradient(points + step * vector) - objective.gradient(points - step * vector)) / (2 * step)
    found = hessian_vector(objective, points, vector)
    # The rounding of a gradient over the step; a few points may stand beside a kink.
    near = np.abs(found - differences) <= 1e-5 * (1 + np.abs(found).max(axis=1, keepdims=True))
    assert near.all(axis=1).mean() > 0.9


@pytest.mark.long
def test_the_products_that_jax_finds_in_a_thousand_variables() -> None:
    import jax

    n = 1000
    objective = as_objective(f"sum(100*(x[i+1] - x[i]**2)**2 + (1 - x[i])**2, i=1..{n - 1})")
    draw = np.random.default_rng(0)
    points, vectors = draw.normal(size=(3, n)), draw.normal(size=(3, n))
    with jax.enable_x64(True):

        def rosenbrock(x: Any) -> Any:
            return jax.numpy.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

        exact = [jax.jvp(jax.grad(rosenbrock), (x,), (v,))[1] for x, v in zip(points, vectors, strict=True)]
    found = hessian_vector(objective, points, vectors)
    np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-12 * np.abs(exact).max())
    assert (hessian_vector(objective, points[0], vectors[0]) == found[0]).all()

    def taken(call: Any) -> float:
        began = time.perf_counter()
        call()
        return time.perf_counter() - began

    product, gradient = (
        min(taken(call) for _ in range(5))
        for call in (lambda: hessian_vector(objective, points, vectors), lambda: objective.gradient(points))
    )
    assert product < 8 * gradient


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-3, 3), min_size=6, max_size=6))
def test_products_are_linear_and_symmetric(numbers: list[float]) -> None:
    objective = FormulaObjective.from_text("sin(x*y) + exp(-z**2)*x + y**3*z")
    point, u, v = np.array([0.4, -1.2, 0.7]), np.array(numbers[:3]), np.array(numbers[3:])
    along = [hessian_vector(objective, point, w) for w in (u, v, u + 2 * v)]
    np.testing.assert_allclose(along[2], along[0] + 2 * along[1], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(u @ along[1], v @ along[0], rtol=1e-12, atol=1e-12)


def test_a_point_is_the_same_alone_and_in_a_batch() -> None:
    objective = as_objective("exp(sin(x))*y**1.5 + x**y")
    points = np.random.default_rng(3).uniform(0.1, 2, (20, 2))
    whole = hessian_vector(objective, points, np.array([1.0, 2.0]))
    alone = [hessian_vector(objective, point[None, :], np.array([1.0, 2.0]))[0] for point in points]
    assert whole.tolist() == np.array(alone).tolist()
