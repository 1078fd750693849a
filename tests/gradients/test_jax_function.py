"""Functions written in JAX: taken as JAX's own, in float64."""

from __future__ import annotations

import functools
from typing import Any

import jax
import numpy as np
import pytest
from jax import numpy as jnp
from tests.cases import few

from fallline import FalllineError, GradientDescent, as_objective, check_gradient, compare, minimize
from fallline.gradients import with_gradient
from fallline.gradients.jax_function import JaxObjective
from fallline.gradients.side_by_side import at_each

DATA = np.linspace(-1, 1, 14).reshape(7, 2)


def shifted(x: Any, y: Any) -> Any:
    return jnp.exp(x) + (y - 1) ** 2 - x


@pytest.mark.parametrize(
    ("function", "start", "minimum"),
    few(
        [
            (lambda x: jnp.linalg.norm(x) ** 2 + jnp.sum((x - 1) ** 2), [3.0, 2.0], [0.5, 0.5]),
            (jax.jit(lambda x: jnp.sum((x - 1 / 3) ** 2)), [3.0, 2.0], [1 / 3, 1 / 3]),
            (shifted, [1.0, 3.0], [0, 1]),
            (jax.jit(shifted), [1.0, 3.0], [0, 1]),
            (lambda x: jax.lax.fori_loop(0, 3, lambda i, s: s + (x[0] - i) ** 2, 0.0), [7.0], [1]),
            (
                lambda x: jnp.mean(jax.vmap(lambda row: (row @ (x - 1)) ** 2)(DATA)) + jnp.sum((x - 1) ** 2),
                [3.0, 2.0],
                [1, 1],
            ),
            (
                functools.partial(lambda x, data: jnp.sum((x - data) ** 2), data=np.array([0.5, 0.25])),
                [1.0, 1.0],
                [0.5, 0.25],
            ),
            # As Python functions: a branch on a value, and NumPy's functions between JAX's.
            (lambda x: jnp.sum((x - 1) ** 2) if x[0] > 0 else -jnp.sum(x), [3.0, 2.0], [1, 1]),
            (lambda x: jnp.sum((jnp.asarray(np.asarray(x) * 2) - 3) ** 2), [3.0, 2.0], [1.5, 1.5]),
        ],
        4,
    ),
)
def test_the_minimum_is_that_of_float64(function: Any, start: Any, minimum: Any) -> None:
    with jax.enable_x64(False):
        run = minimize(function, start, GradientDescent(0.1))
        assert jnp.ones(1).dtype == jnp.float32
    # A float32 beside 1 has seven digits, its central differences have five.
    np.testing.assert_allclose(run.final.x, minimum, atol=2e-10)
    assert run.stop.converged


def test_they_are_differentiated_by_jax_itself() -> None:
    run = minimize(jax.jit(shifted), {"x": 0.5, "y": 0.25}, "adam", max_steps=1, gradient="autodiff")
    assert run.gradient_kind == "autodiff"
    np.testing.assert_allclose(run.gradient[0], [np.exp(0.5) - 1, -1.5], rtol=1e-15)
    # A rule of the user's for the derivative is kept.
    doubled = jax.custom_jvp(lambda x: x)
    doubled.defjvp(lambda primals, tangents: (primals[0], 2 * tangents[0]))
    assert minimize(lambda x: jnp.sum(doubled(x)), [1.0], "adam", max_steps=1).gradient[0, 0] == 2


def test_what_jax_cannot_trace_is_named_with_its_line() -> None:
    def turning(x: Any) -> Any:
        positive = bool(x[0] > 0)
        return jnp.sum(x**2) / 3 if positive else jnp.sum(x)

    with jax.enable_x64(False):
        run = minimize(turning, [1.0, 2.0], "adam", max_steps=1)
    # In float64 all the same.
    assert run.value[0] == pytest.approx(5 / 3, rel=1e-15)
    assert run.gradient[0] == pytest.approx([2 / 3, 4 / 3], rel=1e-9)
    assert run.title == "turning"
    with pytest.raises(FalllineError, match=r"\(TracerBoolConversionError: Attempted boolean conversion of traced arr"):
        minimize(turning, [1.0, 2.0], "adam", gradient="autodiff")
    line = turning.__code__.co_firstlineno + 1
    assert (
        run.gradient_kind == f"central differences (bool(...) in test_jax_function.py:{line} cannot be carried to JAX)"
    )


def test_a_function_that_insists_on_float32_is_told_so() -> None:
    run = minimize(lambda x: jnp.sum(jnp.asarray(x, jnp.float32) ** 2), [1.0, 2.0], "adam", max_steps=1)
    assert run.gradient_kind == "autodiff of float32 values"


def test_a_branch_that_where_leaves_out_does_not_spoil_the_gradient() -> None:
    for outside in (-1.0, 0.0):
        run = minimize(
            lambda x: jnp.sum(jnp.where(x > 0, jnp.sqrt(x), 3 * x)), [outside, 4.0], GradientDescent(0.1), max_steps=1
        )
        assert run.gradient[0].tolist() == [3, 0.25]


def test_they_run_beside_others() -> None:
    runs = compare(jax.jit(lambda x: jnp.sum((x - 1) ** 2)), [[1.0, 2.0], [3.0, 4.0]], ["gradient_descent", "adam"])
    assert len(runs) == 4
    check = check_gradient(lambda x: jnp.sum(jnp.exp(x)), [1.0, 2.0])
    assert [slope.found for slope in check.slopes] == pytest.approx(np.exp([1.0, 2.0]).tolist(), rel=1e-15)
    assert [slope.verdict for slope in check.slopes] == ["right", "right"]


def test_they_are_checked_against_their_values_in_float64() -> None:
    with jax.enable_x64(False):
        (slope,) = check_gradient(lambda x: jnp.exp(3 * x[0]), [1.0]).slopes
    assert slope.verdict == "right"
    # In float32 the differences give four digits.
    assert slope.expected == pytest.approx(3 * np.exp(3), rel=1e-9)


def test_batches_keep_their_shape_and_are_of_float64() -> None:
    points = np.random.default_rng(0).normal(size=(2, 3, 2))
    for function, close in (
        (lambda x: jnp.sum(x**3), 1e-14),
        (lambda x: jnp.sum(jnp.asarray(x, jnp.float32) ** 3), 1e-5),
    ):
        objective = with_gradient(as_objective(function, 2), "auto", np.ones(2))
        assert isinstance(objective, JaxObjective)
        value, gradient = objective.value_and_gradient(points)
        np.testing.assert_allclose(value, (points**3).sum(axis=-1), rtol=close, atol=close)
        np.testing.assert_allclose(gradient, 3 * points**2, rtol=close)
        assert value.dtype == gradient.dtype == float
        assert objective.value(points).tolist() == value.tolist()
        assert objective.gradient(points).tolist() == gradient.tolist()
        assert objective.value(points[0, 0]).shape == ()
        assert objective.title == "a function"
        objective.raise_errors_at(points)
        with jax.enable_x64(True):
            beside = objective.side_by_side(jnp.asarray(points[0]))
        np.testing.assert_allclose(beside[0], value[0], rtol=10 * close)
        np.testing.assert_allclose(beside[1], gradient[0], rtol=10 * close)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: None, "None"),
        (lambda x: x * jnp.ones(2), r"an array of shape \(2,\)"),
        (lambda x: 1j * x[0], "complex"),
    ],
)
def test_what_is_not_one_real_number_is_named(function: Any, said: str) -> None:
    objective = JaxObjective(function, ("x",), "loss")
    with pytest.raises(FalllineError, match=rf"^function loss returned .*{said}.*; it must return one real number"):
        objective.gradient(np.ones((1, 1)))


def test_a_slope_that_reverse_mode_loses_is_told_with_the_remedy() -> None:
    objective = JaxObjective(lambda x: x[0] + jnp.where(x[1] > 0, jnp.log(x[1]), 0.0), ("a", "b"), "loss")
    objective.raise_errors_at(np.array([[1.0, 2.0]]))
    # Where forward mode is asked, for few coordinates, nothing is lost.
    few = JaxObjective(lambda x: x[0] + jnp.where(x[1] > 0, jnp.sqrt(x[1]), 0.0), ("a", "b"), "loss", few=True)
    assert few.gradient(np.array([[1.0, 0.0]])).tolist() == [[1, 0]]
    lost = JaxObjective(
        lambda x: x[0] + jnp.where(x[1] > 1, jnp.arccos(x[1] - 1) * 0 + jnp.log(x[1] - 1), 0.0), ("a", "b"), "loss"
    )
    assert np.isnan(lost.gradient(np.array([[1.0, 1.0]]))[0, 1])
    with pytest.raises(
        FalllineError,
        match=r"^gradient of loss is NaN in b, though .* infinite or NaN; keep its argument in the domain: jnp\.where",
    ):
        lost.raise_errors_at(np.array([[1.0, 3.0], [1.0, 1.0]]))


def test_side_by_side_finds_again_only_what_was_lost() -> None:
    def function(x: Any) -> Any:
        return jnp.where(x[0] > 0, jnp.sqrt(x[0]), 3 * x[0]) + x[1] ** 2, x[1]

    with jax.enable_x64(True):
        points = jnp.array([[4.0, 1.0], [0.0, 2.0], [jnp.nan, 3.0]])
        values, slopes, others = at_each(function, lambda x: jnp.array([3.0, 100.0]), points)
        assert np.asarray(values)[:2].tolist() == [3.0, 4.0]
        assert np.asarray(slopes)[:2].tolist() == [[0.25, 2.0], [3.0, 4.0]]
        assert np.asarray(others).tolist() == [1, 2, 3]
        # A value that is none has no slope to find.
        assert np.isnan(np.asarray(slopes)[2, 0])
