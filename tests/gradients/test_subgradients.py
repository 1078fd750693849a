"""Slopes at kinks and roots: what a finite point with a finite value has, of NumPy and of JAX functions."""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax import numpy as jnp
from tests.cases import few

from fallline import GradientDescent, as_objective, minimize
from fallline.gradients import with_gradient
from fallline.gradients.subgradients import kink_at, with_subgradients

# Each is smooth at the origin with this gradient there, or has a minimum of which 0 is the subgradient.
AT_ORIGIN = [
    (lambda x: np.sqrt(x[0] ** 2 + x[1] ** 2) ** 2 + (x[0] - 1) ** 2, [-2, 0]),
    (lambda x: math.sqrt(x[0] ** 2 + x[1] ** 2) ** 2 + (x[0] - 1) ** 2, [-2, 0]),
    (lambda x: np.hypot(x[0], x[1]) ** 2 + (x[1] + 2) ** 2, [0, 4]),
    (lambda x: np.linalg.norm(x) ** 2 + 3 * x[0], [3, 0]),
    (lambda x: np.linalg.norm(x), [0, 0]),
    (lambda x: np.linalg.norm(x, 1) + x[1], [0, 1]),
    (lambda x: np.sqrt(x @ x), [0, 0]),
    (lambda x: np.sqrt(x[0] ** 4) - x[1], [0, -1]),
    (lambda x: np.sqrt(x[0] ** 2) ** 3 + x[1], [0, 1]),
    (lambda x: (x[0] ** 2) ** 0.75, [0, 0]),
    (lambda x: np.power(x @ x, 1.25), [0, 0]),
    (lambda x: np.float_power(x[0] ** 2, 0.5) * x[1], [0, 0]),
    (lambda x: np.cbrt(x[0] ** 6) + 2 * x[1], [0, 2]),
    (lambda x: np.sqrt(x[0]) * x[1], [0, 0]),
    (lambda x: np.sum(np.sqrt(np.abs(x))), [0, 0]),
    (lambda x: np.abs(x[0]) + np.fabs(x[1]), [0, 0]),
    (lambda x: abs(x[0]) ** 1.5 + x[1], [0, 1]),
    (lambda x: np.std(x), [0, 0]),
    (lambda x: jnp.sqrt(x[0] ** 2 + x[1] ** 2) ** 2 + (x[0] - 1) ** 2, [-2, 0]),
    (lambda x: jnp.linalg.norm(x) + x[0], [1, 0]),
    (lambda x: jnp.sum(jnp.abs(x)), [0, 0]),
    (lambda x: (x[0] ** 2) ** jnp.array(0.75) + x[1], [0, 1]),
]


@pytest.mark.parametrize(("function", "slope"), few(AT_ORIGIN, 6))
def test_a_root_at_0_leaves_the_gradient_finite(function: Any, slope: Any) -> None:
    run = minimize(function, [0.0, 0.0], GradientDescent(0.1), max_steps=1)
    assert run.gradient_kind == "autodiff"
    assert np.isfinite(run.value[0])
    assert run.gradient[0].tolist() == slope


def test_the_minimum_beside_the_root_is_reached() -> None:
    run = minimize(lambda x, y: np.sqrt(x**2 + y**2) ** 2 + (x - 1) ** 2, [0.0, 0.0], GradientDescent(0.1))
    # Of 2 x² - 2 x + 1 + y².
    np.testing.assert_allclose(run.final.x, [0.5, 0], atol=1e-11)


@pytest.mark.parametrize(("sign", "slope"), [(1, np.inf), (-1, -np.inf)])
def test_a_slope_that_is_infinite_stays_so(sign: int, slope: float) -> None:
    run = minimize(lambda x: sign * np.sqrt(x[0]) + np.sqrt(x[1] ** 4), [0.0, 0.0], GradientDescent(0.1), max_steps=1)
    assert run.gradient[0].tolist() == [slope, 0]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: -np.sqrt(x[0]) + x[1], "kink in sqrt at 0"),
        (lambda x: x[1] - x[0] ** 0.25, "kink in the power 0.25 at 0"),
        (lambda x: np.cbrt(x[0]) + x[1], "kink in cbrt at 0"),
        (lambda x: jnp.linalg.norm(x) - x[1], "kink in sqrt at 0"),
        (lambda x: x[0] + x[1], None),
    ],
)
def test_the_kink_is_named(function: Any, said: str | None) -> None:
    objective = with_gradient(as_objective(function, 2), "auto", np.array([1.0, 1.0]))
    assert objective.kink(np.zeros(2)) == said
    assert objective.kink(np.ones(2)) is None


@pytest.mark.parametrize(
    ("function", "at", "said"),
    [
        (lambda x: np.arccos(x) ** 2, 1.0, "arccos at 1"),
        (lambda x: np.arccosh(x) ** 2, 1.0, "arccosh at 1"),
        (lambda x: np.arccos(x), -1.0, "arccos at -1"),
        (lambda x: (np.pi / 2 - np.arcsin(x / 2)) ** 2, 2.0, "arcsin at 1"),
        (lambda x: math.acos(x) ** 2, 1.0, "arccos at 1"),
        (lambda x: jnp.arccosh(x) ** 2, 1.0, "arccosh at 1"),
        ("acos(x)", 1.0, "acos at 1"),
        ("2*arcsin(x/3)", -3.0, "asin at -1"),
    ],
)
def test_the_end_of_an_arc_functions_domain_is_named(function: Any, at: float, said: str) -> None:
    run = minimize(function, at, GradientDescent(0.1))
    assert (run.step_count, run.stop.reason, run.stop.converged) == (0, "no gradient", False)
    assert run.stop.message.endswith(f"though the value is: kink in {said}")
    # Within the domain there is a slope, and no word of an end.
    objective = with_gradient(as_objective(function), "auto", np.array([0.9 * at]))
    assert objective.kink(np.array([0.9 * at])) is None


@pytest.mark.parametrize(
    ("function", "at", "said"),
    [
        (jax.jit(jnp.sqrt), 0.0, "kink in sqrt at 0"),
        (lambda x: x**0.25, 0.0, "kink in the power 0.25 at 0"),
        (lambda x: jnp.ones(2) @ jnp.stack([x, 1]) ** 0.5, 0.0, "kink in the power 0.5 at 0"),
        (lambda x: jnp.cbrt(x) + jnp.sqrt(x), 0.0, "kink in cbrt at 0"),
        (lambda x: jnp.arcsin(x) + jnp.sqrt(x + 1), -1.0, "kink in arcsin at -1"),
        (jnp.sqrt, 1.0, None),
        (jnp.arccosh, -1.0, None),
        *((lambda x, power=power: x**power, 0.0, None) for power in (1.5, 1.0, -0.5)),
    ],
)
def test_the_first_operation_with_an_infinite_slope_is_named(function: Any, at: float, said: str | None) -> None:
    assert kink_at(function, at) == said


@pytest.mark.parametrize(
    ("function", "at", "slope", "flat"),
    [
        (jnp.abs, 0.0, 0, 0),
        (jnp.abs, -2.0, -1, -1),
        (jnp.sqrt, 0.0, math.inf, 0),
        (jax.jit(jnp.cbrt), 0.0, math.inf, 0),
        (jnp.sqrt, 4.0, 0.25, 0.25),
        (lambda x: x**0.5, 0.0, math.inf, 0),
        (lambda x: x**0.5, 4.0, 0.25, 0.25),
        (lambda x: jax.jit(lambda y: jnp.abs(y) + 3 * y)(x), 0.0, 3, 3),
        # The slope of x^p at 0 is 0 for p > 1, 1 for p = 1.
        (lambda x: x ** jnp.array(1.5), 0.0, 0, 0),
        (lambda x: x ** jnp.array(1.0), 0.0, 1, 1),
    ],
)
def test_only_an_infinite_slope_is_flat_in_its_place(function: Any, at: float, slope: float, flat: float) -> None:
    for flat_roots, expected in ((False, slope), (True, flat)):
        settled = with_subgradients(function, flat_roots=flat_roots)
        assert float(settled(at)) == pytest.approx(float(function(at)), rel=1e-6)  # float32
        assert float(jax.jacfwd(settled)(at)) == pytest.approx(expected, rel=1e-6)


NUMBERS = st.floats(-100, 100).filter(lambda x: x == 0 or abs(x) > 1e-3)


@pytest.mark.long
@given(st.lists(NUMBERS, min_size=3, max_size=3), st.booleans())
def test_nothing_else_changes(numbers: Any, flat: bool) -> None:
    def function(x: Any) -> Any:
        away = jnp.sum(jax.nn.softplus(x)) + jnp.sqrt(1 + x @ x) + jnp.cbrt(x[0] + 200)
        return away + jax.lax.cond(x[1] > 0, jnp.sin, jnp.cos, x[2]) + jnp.abs(x[0] + 300) ** 1.5

    with jax.enable_x64(True):
        x = np.array(numbers)
        value, slope = jax.value_and_grad(function)(x)
        found, slopes = jax.value_and_grad(with_subgradients(function, flat_roots=flat))(x)
        assert found == value
        assert slopes.tolist() == slope.tolist()
