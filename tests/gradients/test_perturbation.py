"""Gradients from values alone, against derivatives known in closed form."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fallline import FalllineError, GradientDescent, Linear, Perturbation, as_objective, minimize
from fallline.gradients import parse_gradient, perturbation, with_gradient

EPSILON = float(np.finfo(float).eps)
POINTS = arrays(float, (3, 2), elements=st.floats(-2, 2))


def curved(x: Any, y: Any) -> Any:
    return np.exp(x) * np.sin(y) + x * y**3


def slope(points: Any) -> Any:
    x, y = points[..., 0], points[..., 1]
    return np.stack([np.exp(x) * np.sin(y) + y**3, np.exp(x) * np.cos(y) + 3 * x * y**2], axis=-1)


def found(scheme: str, step: float | None, points: Any) -> Any:
    return with_gradient(as_objective(curved), Perturbation(step, scheme), np.ones(2)).gradient(np.asarray(points))


@pytest.mark.parametrize(("scheme", "order"), [("forward", 1), ("backward", 1), ("central", 2)])
def test_the_error_falls_with_the_order_of_the_scheme(scheme: str, order: int) -> None:
    point = np.array([[0.7, -1.3]])
    errors = [np.abs(found(scheme, step, point) - slope(point)).max() for step in (1e-2, 1e-3)]
    # A tenth of the step leaves a tenth, or a hundredth, of the error; the next term of the series is a few
    # per cent of it at a step of 0.01.
    assert math.log10(errors[0] / errors[1]) == pytest.approx(order, abs=0.05)


@given(points=POINTS)
def test_the_usual_steps_give_what_their_scheme_can(points: Any) -> None:
    exact = slope(points)
    # All derivatives up to the third are below 60 here. With the step that balances them, truncation and
    # rounding are each about sqrt(eps), or eps^(2/3), times that.
    for scheme, best in (
        ("forward", EPSILON ** (1 / 2)),
        ("backward", EPSILON ** (1 / 2)),
        ("central", EPSILON ** (2 / 3)),
    ):
        np.testing.assert_allclose(found(scheme, None, points), exact, rtol=0, atol=200 * best)
    # No truncation and no difference: what is left is the rounding of about ten operations.
    np.testing.assert_allclose(found("complex", None, points), exact, rtol=0, atol=60 * 10 * EPSILON)


def test_forward_differences_are_scipys() -> None:
    point, step = np.array([0.7, -1.3]), 1e-4
    scipys = scipy.optimize.approx_fprime(point, lambda v: curved(*v), step)
    # One power of x more or less rounded, over the step.
    np.testing.assert_allclose(found("forward", step, point[None])[0], scipys, rtol=0, atol=20 * EPSILON / step)


def test_the_usual_step_grows_with_the_coordinate() -> None:
    # At 1e8 a step of 1e-8 would be lost in rounding, and the slope with it.
    run = minimize(lambda x: x**2, 1e8, GradientDescent(0.1), max_steps=1, gradient=Perturbation())
    assert run.gradient[0, 0] == pytest.approx(2e8, rel=1e-7)


@pytest.mark.parametrize("scheme", Perturbation.SCHEMES)
@given(points=arrays(float, (4, 5), elements=st.floats(-10, 10)), block=st.integers(1, 200))
def test_blocks_and_batches_change_no_bit(scheme: str, points: Any, block: int) -> None:
    objective = with_gradient(
        as_objective(lambda v: v[0] * v[1] + v[2] ** 2 * v[3] - v[4], 5), Perturbation(None, scheme), points[0]
    )
    at_once = objective.gradient(points)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(perturbation, "LARGEST_BLOCK", block)
        np.testing.assert_array_equal(objective.gradient(points), at_once)
    np.testing.assert_array_equal([objective.gradient(point[None])[0] for point in points], at_once)
    value, gradient = objective.value_and_gradient(points)
    np.testing.assert_array_equal(gradient, at_once)
    np.testing.assert_array_equal(value, objective.value(points))


def test_many_coordinates_never_make_a_square_of_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    class Recorded(type(as_objective(lambda x: x))):  # type: ignore[misc]
        largest = 0

        def value(self, x: Any) -> Any:
            self.largest = max(self.largest, x.size)
            return (x * x).sum(axis=-1)

    monkeypatch.setattr(perturbation, "LARGEST_BLOCK", 4 * 3000)
    objective = Recorded(lambda x: x @ x, tuple(f"x{i}" for i in range(3000)), vector=True)
    x = np.linspace(0, 1, 3000)[None]
    gradient = with_gradient(objective, Perturbation(scheme="complex"), x[0]).gradient(x)
    assert objective.largest == 4 * 3000
    # Two roundings: the product with the step, and the quotient by it.
    np.testing.assert_allclose(gradient, 2 * x, rtol=2 * EPSILON, atol=0)


@pytest.mark.parametrize(
    ("scheme", "calls"), [("forward", 1 + 3), ("backward", 1 + 3), ("central", 1 + 2 * 3), ("complex", 1 + 3)]
)
def test_every_call_of_the_function_is_counted(scheme: str, calls: int) -> None:
    made = 0

    def counted(x: Any) -> Any:
        nonlocal made
        made += 1
        return x[0] ** 2 + x[1] * x[2]

    run = minimize(counted, [1.0, 2.0, 3.0], GradientDescent(0.01), max_steps=7, gradient=Perturbation(None, scheme))
    assert run.evaluations == (8 * calls, 0)
    # Before the run the function is tried, three times at the start and once beside it.
    assert made == 4 + 8 * calls
    assert run.gradient_kind == {"complex": "complex step"}.get(scheme, f"{scheme} differences")


def test_where_nothing_better_is_to_be_had_auto_is_central_differences() -> None:
    run = minimize(lambda x: curved(*np.frombuffer(x.tobytes())), [0.3, 0.4], GradientDescent(0.1), max_steps=1)
    assert run.gradient_kind.startswith("central differences (.tobytes in test_perturbation.py")
    np.testing.assert_array_equal(run.gradient, found("central", None, run.x))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"step": 0}, "Perturbation: step is 0; it must be a number above 0"),
        ({"step": -1e-3}, "Perturbation: step is -0.001; it must be a number above 0"),
        ({"step": "small"}, "Perturbation: step is 'small'; it must be a number above 0"),
        ({"scheme": "centre"}, "scheme is 'centre'; did you mean 'central'"),
        ({"scheme": None}, "scheme is None; Allowed: forward, backward, central, complex"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(FalllineError, match=f"^{said}"):
        Perturbation(**settings)


def test_the_real_part_that_a_function_takes_of_complex_numbers_is_told() -> None:
    with pytest.raises(FalllineError, match=r"complex numbers \(Casting complex values to real discards the imaginary"):
        minimize(lambda x: np.array(x).astype(float).sum(), 1.0, "adam", gradient=Perturbation(scheme="complex"))


def test_other_warnings_stay_warnings() -> None:
    def warned(x: Any) -> Any:
        warnings.warn("outdated", DeprecationWarning, stacklevel=1)
        return x @ x

    objective = perturbation.PerturbedObjective(as_objective(warned, 2), Perturbation(scheme="complex"))
    with pytest.warns(DeprecationWarning, match="outdated"):
        gradient = objective.gradient(np.array([[1.0, 2.0]]))
    assert gradient.tolist() == [[2, 4]]


def test_the_usual_steps_of_float32_are_those_that_it_makes() -> None:
    objective = as_objective(lambda x: np.sum(np.asarray(x, np.float32) ** 2), 3)
    objective.precision = "float32"
    x = np.array([1 / 3, 1000.1, -7e5])
    for scheme in ("forward", "central"):
        steps = perturbation.PerturbedObjective(objective, Perturbation(scheme=scheme)).steps(x)
        moved = x.astype(np.float32) + steps
        assert (moved.astype(np.float32) == moved).all()
        assert steps.dtype == float
        assert (steps > 0).all()


@pytest.mark.parametrize(
    "function", [lambda x: abs(x), lambda x: math.sin(x) + x**2, lambda x: x.real, lambda x: x**2 + x // 1]
)
def test_a_function_that_takes_no_complex_numbers_is_named(function: Any) -> None:
    with pytest.raises(FalllineError, match=r"^scheme is 'complex', but a function does not .*; use scheme='central'$"):
        minimize(function, 1.0, GradientDescent(0.1), gradient=Perturbation(scheme="complex"))


@pytest.mark.parametrize("text", ["abs(x)", "u = sign(x)*x; 2*u", "floor(x) + x"])
def test_a_formula_that_takes_no_complex_numbers_is_named(text: str) -> None:
    with pytest.raises(FalllineError, match=r"^scheme is 'complex', but .* does not .*; use scheme='central'$"):
        minimize(text, 1.0, GradientDescent(0.1), gradient=Perturbation(scheme="complex"))


@pytest.mark.parametrize(("text", "slope"), [("max(x, 2)", 0.0), ("min(x, 2)", 1.0), ("where(x > 0, 3x, x)", 3.0)])
def test_a_complex_step_takes_the_branch_of_the_point(text: str, slope: float) -> None:
    run = minimize(text, 1.0, GradientDescent(0.1), gradient=Perturbation(scheme="complex"), max_steps=1)
    assert run.gradient[0].tolist() == [slope]


@pytest.mark.parametrize(
    ("text", "gradient"),
    [
        ("auto", "auto"),
        ("symbolic", "symbolic"),
        ("perturbation", Perturbation()),
        ("perturbation:0.01", Perturbation(0.01)),
        ("perturbation:0.01:complex", Perturbation(0.01, "complex")),
    ],
)
def test_gradients_are_read_from_text(text: str, gradient: Any) -> None:
    assert parse_gradient(text) == gradient


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("perturbation:small", "gradient is 'perturbation:small'; its step 'small' is not a number"),
        ("perturbation:0.1:centrl", "scheme is 'centrl'; did you mean 'central'"),
        ("perturbation:0", "Perturbation: step is 0.0; it must be a number above 0"),
        (
            "perturbation:1:central:2",
            "gradient is 'perturbation:1:central:2'; Allowed: .*perturbation:STEP:SCHEME, or FILE.py:NAME$",
        ),
        ("auto:1", "gradient is 'auto:1'; did you mean 'auto'"),
    ],
)
def test_gradients_that_cannot_be_read_are_one_line(text: str, said: str) -> None:
    with pytest.raises(FalllineError, match=f"^{said}"):
        parse_gradient(text)


@pytest.mark.parametrize(
    ("scheme", "hidden"),
    [("forward", 1.5), ("backward", 0.5), ("central", 1.5), ("central", 0.5), ("complex", 1 + 0.5j)],
)
def test_an_error_at_a_moved_point_is_the_users(scheme: str, hidden: complex) -> None:
    objective = with_gradient(
        as_objective(lambda x, y: abs(y.item() / (x.item() - hidden))), Perturbation(0.5, scheme), np.ones(2)
    )
    points = np.array([[1.0, 2.0]])
    with pytest.raises(ZeroDivisionError):
        objective.raise_errors_at(points)
    objective.raise_errors_at(points + 8)


def test_an_error_at_the_point_itself_is_the_users_too() -> None:
    objective = with_gradient(as_objective(lambda x: 1 / x.item()), Perturbation(0.5), np.ones(1))
    with pytest.raises(ZeroDivisionError):
        objective.raise_errors_at(np.zeros((1, 1)))


@pytest.mark.parametrize(
    ("scheme", "gradient", "both"), [("forward", 4, 4), ("backward", 4, 4), ("central", 6, 7), ("complex", 3, 4)]
)
def test_what_a_gradient_costs(scheme: str, gradient: int, both: int) -> None:
    made = 0

    def counted(x: Any) -> Any:
        nonlocal made
        made += 1
        return x @ x

    objective = with_gradient(as_objective(counted, 3), Perturbation(0.5, scheme), np.ones(3))
    before = made
    objective.gradient(np.ones(3))
    assert objective.cost_of_gradient == (made - before, 0) == (gradient, 0)
    before = made
    objective.value_and_gradient(np.ones(3))
    assert objective.cost_of_both == (made - before, 0) == (both, 0)


def test_a_batch_drawn_at_each_step_is_perturbed() -> None:
    objective = Linear(np.array([[1.0], [2.0], [5.0]]), np.zeros(3)).batches(1)
    perturbed = with_gradient(objective, Perturbation(0.5), np.ones(2))
    assert perturbed.stochastic
    assert perturbed.seeded
    assert perturbed.steps_per_epoch == 3
    drawn = perturbed.at_step(2, 4)
    assert drawn.gradient_kind == "forward differences"
    first, second, here = objective.at_step(2, 4).value(np.array([[1.5, 1.0], [1.0, 1.5], [1.0, 1.0]]))
    assert drawn.gradient(np.ones(2)).tolist() == [(first - here) / 0.5, (second - here) / 0.5]


def test_the_usual_step_is_one_that_floats_make() -> None:
    objective = with_gradient(as_objective("x + y"), Perturbation(), np.ones(2))
    assert isinstance(objective, perturbation.PerturbedObjective)
    x = np.array([0.1, 1234.5])
    step = objective.steps(x)
    np.testing.assert_array_equal((x + step) - x, step)
    np.testing.assert_allclose(step, 2.0**-26 * np.array([1, 1234.5]), rtol=1e-4)
    objective = with_gradient(as_objective("x + y"), Perturbation(scheme="central"), np.ones(2))
    assert isinstance(objective, perturbation.PerturbedObjective)
    np.testing.assert_allclose(objective.steps(x), 2.0 ** (-52 / 3) * np.array([1, 1234.5]), rtol=1e-4)
