"""A gradient that the user computes, and the choice among gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from fallline import FalllineError, GradientDescent, Objective, Perturbation, as_objective, minimize
from fallline.gradients import with_gradient


def bowl(x: Any, y: Any) -> Any:
    return x**2 + 3 * y**2


STEP = GradientDescent(0.1)


@pytest.mark.parametrize(
    "gradient",
    [
        lambda x, y: (2 * x, 6 * y),
        lambda x, y: [2 * x, 6 * y],
        lambda v: np.array([2.0, 6.0]) * v,
        lambda v: np.array([[2.0], [6.0]]) * v[:, None],
        lambda *v: (2 * v[0], 6 * v[1]),
    ],
)
def test_it_takes_numbers_or_a_vector_and_returns_one_number_for_each(gradient: Any) -> None:
    for objective in (bowl, "x**2 + 3*y**2"):
        run = minimize(objective, [1.0, 2.0], STEP, gradient=gradient, max_steps=3)
        np.testing.assert_array_equal(run.gradient, run.x * np.array([2.0, 6.0]))
        assert (run.gradient_kind, run.evaluations) == ("given", (4, 4))


@pytest.mark.parametrize("objective", ["sin(x)", lambda x: math.sin(x)])
def test_a_function_of_one_number_gets_a_number(objective: Any) -> None:
    run = minimize(objective, 1.0, STEP, gradient=lambda x: math.cos(x), max_steps=1)
    assert run.gradient[0, 0] == math.cos(1.0)


def test_a_function_of_a_vector_of_one_gets_a_vector() -> None:
    run = minimize(lambda v: v[0] ** 2, [1.0], STEP, gradient=lambda v: [2 * v[0]], max_steps=1)
    assert run.gradient[0, 0] == 2.0


def test_a_gradient_that_works_in_place_does_no_harm() -> None:
    def spoils(v: Any) -> Any:
        v *= np.array([2.0, 6.0])
        return v

    run = minimize(lambda v: bowl(*v), [1.0, 2.0], STEP, gradient=spoils, max_steps=1)
    np.testing.assert_array_equal(run.x[0], [1.0, 2.0])
    # 2 - 0.1 * 12, each rounded.
    np.testing.assert_array_equal(run.x[1], [1 - 0.1 * 2, 2 - 0.1 * 12])


def test_where_it_cannot_be_computed_its_error_is_the_users() -> None:
    # 1, then 0, where the slope is 1 / 0.
    with pytest.raises(ZeroDivisionError) as raised:
        minimize(lambda x: x, 1.0, GradientDescent(1.0), gradient=lambda x: 1 / math.sqrt(x), max_steps=9)
    assert raised.value.__notes__[:2] == [
        "a function was called at [0.0]",
        "at step 1 of gradient_descent, learning_rate 1",
    ]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (1.0, "1.0"),
        ((1.0, 2.0, 3.0), r"\(1.0, 2.0, 3.0\)"),
        (None, "None, .*"),
        ("ab", "'ab'"),
        ([[1.0], [2.0, 3.0]], r"\[\[1.0\], \[2.0, 3.0\]\]"),
    ],
)
def test_what_it_returns_must_fit(wrong: Any, told: str) -> None:
    def slopes(_x: Any, _y: Any) -> Any:
        return wrong

    with pytest.raises(
        FalllineError, match=rf"^gradient slopes returned {told}; it must return 2 numbers, one for each of x, y$"
    ):
        minimize(bowl, [1.0, 2.0], STEP, gradient=slopes)


@pytest.mark.parametrize("wrong", [(1.0, 2.0), 1 + 2j, [], "no", {}])
def test_one_coordinate_needs_one_number(wrong: Any) -> None:
    with pytest.raises(FalllineError, match=r"it must return 1 number, one for each of x$"):
        minimize(lambda x: x**2, 1.0, STEP, gradient=lambda x: wrong)


def test_a_function_that_does_not_take_the_point_is_named_with_what_it_takes() -> None:
    def slopes(a: Any, b: Any, c: Any) -> Any:
        return a, b, c

    said = r"^gradient is slopes, a function of a, b, c; it must take a vector, g\(x\), or 2 numbers, for x, y$"
    with pytest.raises(FalllineError, match=said):
        minimize(bowl, [1.0, 2.0], STEP, gradient=slopes)
    with pytest.raises(FalllineError, match=r"a function of no arguments; it must take one argument, for x$"):
        minimize(lambda x: x**2, 1.0, STEP, gradient=lambda: 1.0)


def test_its_own_error_is_raised_where_it_gave_nan() -> None:
    def sloped(x: Any, y: Any) -> Any:
        return 1 / x.item(), y

    objective = with_gradient(as_objective(lambda x, y: x + math.log(y)), sloped, np.ones(2))
    assert np.isnan(objective.gradient(np.array([[0.0, 1.0]]))).all()
    objective.raise_errors_at(np.ones((3, 2)))
    with pytest.raises(ZeroDivisionError):
        objective.raise_errors_at(np.array([[1.0, 1.0], [0.0, 1.0]]))
    with pytest.raises(ValueError, match=r"math domain|expected a positive"):
        objective.raise_errors_at(np.array([1.0, -1.0]))


class Exact(Objective):
    """With a gradient of its own."""

    names = ("x",)
    symbol = "p"
    bounds = ((-1.0, 2.0),)
    minima = ((0.0,),)
    precision = "float32"
    steps_per_epoch = 7
    epoch_value = "running"
    title = "a parabola"
    gradient_kind = "exact"

    def value(self, x: Any) -> Any:
        return x[..., 0] ** 2

    def gradient(self, x: Any) -> Any:
        return 2 * x


def test_the_gradient_is_the_one_that_was_asked_for() -> None:
    exact, at = Exact(), np.ones(1)
    assert with_gradient(exact, "auto", at) is exact
    assert with_gradient(exact, "exact", at) is exact
    assert with_gradient(exact, Perturbation(0.1), at).gradient_kind == "forward differences of float32 values"
    assert with_gradient(exact, lambda x: 2 * x, at).gradient_kind == "given"


@pytest.mark.parametrize(
    ("objective", "gradient", "said"),
    [
        (
            Exact(),
            "symbolic",
            "gradient is 'symbolic', but a parabola has a gradient that is exact; use gradient='auto' or a Perturb.*$",
        ),
        (bowl, "exact", "gradient is 'exact', but bowl has none; use gradient='auto' or a Perturbation$"),
        (bowl, "symbolc", "gradient is 'symbolc'; did you mean 'symbolic'.* symbolic.* a Perturbation, or a function$"),
        (bowl, 3, "gradient is 3; it must be 'auto', 'symbolic', 'exact', 'autodiff', a Perturbation, or a function"),
        (bowl, None, "gradient is None; it must be 'auto'.*, a Perturbation, or a function$"),
        (as_objective("x + y"), "autodiff", r"gradient is 'autodiff', but x \+ y has a gradient that is symbolic; use"),
    ],
)
def test_a_gradient_that_is_not_to_be_had_is_said(objective: Any, gradient: Any, said: str) -> None:
    with pytest.raises(FalllineError, match=f"^{said}") as caught:
        with_gradient(as_objective(objective), gradient, np.ones(1))
    assert "\n" not in str(caught.value)


def test_title_bounds_and_recipe_are_the_objectives() -> None:
    for objective in (as_objective("x**2"), Exact()):
        for gradient in (Perturbation(0.1), lambda x: 2 * x):
            other = with_gradient(objective, gradient, np.ones(1))
            assert (other.title, other.names, other.recipe()) == (objective.title, ("x",), objective.recipe())
            assert (other.symbol, other.bounds) == (objective.symbol, objective.bounds)
            assert (other.minima, other.precision) == (objective.minima, objective.precision)
    # Where it comes from values alone, batches of data are drawn as before.
    perturbed = with_gradient(Exact(), Perturbation(0.1), np.ones(1))
    assert (perturbed.steps_per_epoch, perturbed.epoch_value, perturbed.stochastic) == (7, "running", False)
    assert perturbed.at_step(1, 0) is perturbed
