"""Line searches, by the conditions that they promise and the rates that theory gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import fallline
from fallline import (
    Backtracking,
    ConjugateGradient,
    ExactQuadratic,
    FalllineError,
    GradientDescent,
    Nesterov,
    PolyakStep,
    StrongWolfe,
)
from fallline.line_search import Place, interpolated

ROSENBROCK = "(1 - x)**2 + 100*(y - x**2)**2"


def steps(run: fallline.Trajectory) -> Any:
    """For each step: the fall of the value, and the slopes along the step at its two ends."""
    moves = np.diff(run.x, axis=0)
    before = np.sum(run.gradient[:-1] * moves, axis=1)
    after = np.sum(run.gradient[1:] * moves, axis=1)
    return run.value[:-1] - run.value[1:], before, after


@pytest.mark.parametrize("rule", [GradientDescent, ConjugateGradient])
def test_every_step_of_strong_wolfe_keeps_both_conditions(rule: Any) -> None:
    search = StrongWolfe(decrease=1e-3, curvature=0.3)
    run = fallline.minimize(ROSENBROCK, [-1.2, 1.0], rule(search), max_steps=60, stop=fallline.GradientNorm(1e-6))
    fall, before, after = steps(run)
    assert (before < 0).all()
    # The conditions, up to the rounding of values and slopes that are recorded, not searched.
    assert (fall >= -1e-3 * before * (1 - 1e-9)).all()
    assert (abs(after) <= 0.3 * abs(before) * (1 + 1e-9)).all()


def test_every_step_of_backtracking_falls_by_its_share_and_the_rate_before_would_not() -> None:
    search = Backtracking(initial=1.0, shrink=0.5, decrease=0.1)
    objective = fallline.as_objective(ROSENBROCK)
    run = fallline.minimize(objective, [-1.2, 1.0], GradientDescent(search), max_steps=60)
    for x, value, gradient, rate in zip(run.x[:-1], run.value, run.gradient, run.rate, strict=False):
        squared = gradient @ gradient
        assert objective.value(x - rate * gradient) <= value - 0.1 * rate * squared
        if rate < 1.0:
            assert objective.value(x - 2 * rate * gradient) > value - 0.1 * 2 * rate * squared


@pytest.mark.parametrize("condition", [2.0, 10.0, 1000.0])
def test_exact_steepest_descent_falls_at_kantorovichs_worst_rate(condition: float) -> None:
    # From (κ, 1) on (x² + κ y²)/2 every step multiplies the value by exactly ((κ - 1)/(κ + 1))².
    run = fallline.minimize(
        f"(x**2 + {condition}*y**2)/2", [condition, 1.0], GradientDescent(ExactQuadratic()), max_steps=20
    )
    ratio = ((condition - 1) / (condition + 1)) ** 2
    np.testing.assert_allclose(run.value[1:] / run.value[:-1], ratio, rtol=1e-9)  # 20 steps of rounding


@pytest.mark.parametrize("formula", ConjugateGradient.FORMULAS)
def test_conjugate_gradients_end_a_quadratic_of_n_coordinates_in_n_steps(formula: str) -> None:
    random = np.random.default_rng(3)
    root = random.normal(size=(6, 6))
    matrix, target = root @ root.T + np.eye(6), random.normal(size=6)
    run = fallline.minimize(
        lambda x: 0.5 * (x - target) @ matrix @ (x - target),
        np.zeros(6),
        ConjugateGradient(ExactQuadratic(), formula=formula),
        gradient=lambda x: matrix @ (x - target),
        max_steps=6,
    )
    # Conjugacy is lost to rounding only as far as the matrix is ill-conditioned.
    np.testing.assert_allclose(run.final.x, target, atol=1e-12 * np.linalg.cond(matrix))


def test_polyak_step_on_a_norm_squared_halves_the_distance() -> None:
    # f = |x|²: η = f / |g|² = 1/4 at every point, so x is halved.
    run = fallline.minimize("x**2 + y**2", [3.0, -4.0], GradientDescent(PolyakStep()), max_steps=5)
    np.testing.assert_array_equal(run.x[:, 0], 3.0 * 0.5 ** np.arange(6))
    np.testing.assert_array_equal(run.rate[:-1], 0.25)


def test_evaluations_are_counted_with_those_of_the_search() -> None:
    calls = {"value": 0, "gradient": 0}

    def value(x: float) -> float:
        calls["value"] += 1
        return x**4

    def slope(x: float) -> float:
        calls["gradient"] += 1
        return 4 * x**3

    run = fallline.minimize(value, 3.0, GradientDescent(StrongWolfe()), gradient=slope, max_steps=7)
    assert (run.evaluations.value, run.evaluations.gradient) == (calls["value"], calls["gradient"])
    assert calls["value"] > 8


def test_starts_in_a_batch_search_as_they_would_alone() -> None:
    starts = [[-1.2, 1.0], [0.5, 2.0], [3.0, 3.0]]
    rule = ConjugateGradient(StrongWolfe())
    together = fallline.compare(ROSENBROCK, starts, rule, max_steps=40)
    for start, run in zip(starts, together, strict=True):
        alone = fallline.minimize(ROSENBROCK, start, rule, max_steps=40)
        assert np.array_equal(run.x, alone.x)
        assert np.array_equal(run.rate, alone.rate, equal_nan=True)
        assert run.evaluations == alone.evaluations


def test_a_minimum_ends_the_search_with_rate_zero() -> None:
    run = fallline.minimize("x**2", 0.0, GradientDescent(StrongWolfe()))
    assert (run.stop.reason, run.step_count) == ("small step", 1)


def test_a_step_out_of_the_domain_comes_back() -> None:
    run = fallline.minimize("x - log(x)", 0.1, GradientDescent(StrongWolfe(initial=1e3)), max_steps=50)
    assert run.final.x[0] == pytest.approx(1, rel=1e-6)


def test_a_rule_that_looks_ahead_is_refused() -> None:
    with pytest.raises(FalllineError, match="a line search needs the gradient at x, and Nesterov takes it elsewhere"):
        fallline.minimize("x**2", 1.0, Nesterov(StrongWolfe()), max_steps=5)


@given(
    minimum=st.floats(-3, 3),
    bend=st.floats(0.1, 3),
    third=st.floats(-1, 1),
    width=st.floats(0.1, 5),
    share=st.floats(0.11, 0.89),
)
def test_interpolation_finds_the_minimum_of_a_cubic_inside_the_bracket(
    minimum: float, bend: float, third: float, width: float, share: float
) -> None:
    # f' = (t - minimum)(bend + third (t - minimum)): a minimum where it is said, with bend > 0.
    slope = np.polynomial.Polynomial([-minimum, 1]) * np.polynomial.Polynomial([bend - third * minimum, third])
    value = slope.integ()
    low = minimum - share * width
    ends = [Place(t, float(value(t)), float(slope(t))) for t in (low, low + width)]
    assume(ends[0].slope < 0 < ends[1].slope)
    found = interpolated(*ends)
    # The slopes are known to a rounding of their terms; the bend makes that a distance.
    assert found == pytest.approx(minimum, abs=1e-12 * (1 + abs(low) + width) ** 4 / bend)


def test_a_minimum_too_near_an_end_of_the_bracket_is_kept_a_tenth_away() -> None:
    # (t - 0.05)²/2 between 0 and 1.
    assert interpolated(Place(0.0, 0.00125, -0.05), Place(1.0, 0.45125, 0.95)) == 0.1


def test_numbers_whose_squares_overflow_are_halved_between() -> None:
    assert interpolated(Place(0.0, 1.0, -1e3), Place(1.0, 1e258, 1e260)) == 0.5
    # As the first step of a Poisson regression whose counts are some hundred.
    run = fallline.minimize("exp(x) - 400*x", 0.0, fallline.LBFGS())
    assert run.final.x[0] == pytest.approx(np.log(400), rel=1e-9)


def test_interpolation_of_what_has_no_slope_is_the_middle() -> None:
    assert interpolated(Place(0.0, 0.0, 0.0), Place(1.0, 0.0, 0.0)) == 0.5


@pytest.mark.parametrize("scale", [1.0, 1e6, 1e13, 1e16])
@pytest.mark.parametrize(
    "rule", [GradientDescent(Backtracking()), ConjugateGradient(), fallline.LBFGS()], ids=lambda rule: rule.name
)
def test_a_search_finds_its_way_whatever_the_scale(rule: fallline.Optimizer[Any], scale: float) -> None:
    run = fallline.minimize(f"{scale}*x**2", 1.0, rule, max_steps=100)
    assert run.best.value < scale * 1e-6


def test_a_step_that_overflows_comes_back_as_far_as_it_takes() -> None:
    run = fallline.minimize("exp(x**2)", 18.0, fallline.LBFGS(), max_steps=200)
    assert run.best.value < 2


@pytest.mark.parametrize(
    "rule",
    [
        fallline.Momentum(Backtracking()),
        fallline.BarzilaiBorwein(Backtracking()),
        fallline.ProximalDescent(Backtracking(), penalty=fallline.L1(1.0)),
    ],
    ids=lambda rule: rule.name,
)
def test_a_rule_whose_step_is_no_rate_times_a_direction_is_refused(rule: fallline.Optimizer[Any]) -> None:
    with pytest.raises(FalllineError, match="is not the rate times a direction, so there is no line to search"):
        fallline.minimize("50*x**2 + y**2", [1.0, 1.0], rule, max_steps=20)


def test_a_rule_that_asks_for_its_rate_before_there_is_a_line_is_refused() -> None:
    with pytest.raises(FalllineError, match=r"learning_rate is Backtracking\(.*; Rprop asks for a rate without a line"):
        fallline.minimize("x**2", 1.0, fallline.Rprop(Backtracking()))


# Each of these comes to the minimum at a stroke, and from there the search finds nothing lower, or hardly any.
@pytest.mark.parametrize(
    ("formula", "start", "rule"),
    [
        ("log(1 + x**2)", 2.520011971852248, GradientDescent(Backtracking())),
        ("1 - cos(x)", 0.572438804831485, fallline.LBFGS(Backtracking())),
        ("1 - cos(x)", -1.2990873858884981, GradientDescent(StrongWolfe())),
    ],
    ids=str,
)
def test_a_search_that_arrives_at_a_stroke_has_converged(formula: str, start: float, rule: Any) -> None:
    run = fallline.minimize(formula, start, rule, stop=fallline.StepSize(1e-6))
    assert (run.stop.reason, run.stop.converged) == ("small step", True)


def test_a_set_that_bends_the_line_is_refused() -> None:
    rule = fallline.Projected(GradientDescent(Backtracking()), fallline.Box(-1.0, 1.0))
    with pytest.raises(FalllineError, match="Projected is not the rate times a direction"):
        fallline.minimize("(x - 3)**2 + 50*(y + x)**2", [0.0, 0.0], rule)


def test_a_search_that_finds_no_lower_value_says_so() -> None:
    # The gradient is wrong: the value rises whichever way it points.
    run = fallline.minimize(lambda x: abs(x), 0.0, GradientDescent(Backtracking()), gradient=lambda x: 1.0)
    assert (run.stop.reason, run.stop.converged) == ("no lower value", False)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(FalllineError, match="StrongWolfe: curvature is 1; it must be a number above 0 and below 1"):
        StrongWolfe(curvature=1)
