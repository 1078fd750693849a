"""The findings about the objective itself: a wrong gradient, random values, float32; and a lower value elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import alarms, found, the

from fallline import GradientDescent, Momentum, Perturbation, minimize
from fallline.diagnosis.case import Case
from fallline.diagnosis.findings import wrong_gradient as wrong_file
from fallline.diagnosis.findings.lower_seen import lower_seen
from fallline.diagnosis.findings.wrong_gradient import wrong_gradient
from fallline.gradients import with_gradient
from fallline.models import Logistic
from fallline.objectives import as_objective

BOWL = "x**2 + 3*y**2 + x*y"


@pytest.mark.parametrize(
    ("gradient", "factor"),
    [
        (lambda x, y: [-(2 * x + y), -(6 * y + x)], -1.0),  # the sign
        (lambda x, y: [2 * (2 * x + y), 2 * (6 * y + x)], 2.0),
        (lambda x, y: [0.5 * (2 * x + y), 0.5 * (6 * y + x)], 0.5),
        (lambda x, y: [2 * x + y, 0.0], None),  # a coordinate is missing
        (lambda x, y: [6 * y + x, 2 * x + y], None),  # swapped
        (lambda x, y: [2 * x, 6 * y], None),  # a term is missing
        (lambda x, y: [2 * x + y + 1, 6 * y + x + 1], None),
    ],
)
def test_a_wrong_gradient(gradient: Any, factor: float | None) -> None:
    finding = the("wrong_gradient", minimize(BOWL, [1.5, 2.0], GradientDescent(0.02), gradient=gradient, max_steps=50))
    assert finding.since == 0
    if factor is not None:
        assert finding.numbers["factor"] == pytest.approx(factor, rel=1e-5)
    settings = finding.remedies[0].settings
    mended = minimize(settings["objective"], [1.5, 2.0], GradientDescent(0.1), gradient=settings["gradient"])
    assert mended.stop.converged
    assert mended.final.value < 1e-12


@pytest.mark.parametrize(
    ("objective", "start", "gradient"),
    [
        (BOWL, [1.5, 2.0], lambda x, y: [2 * x + y, 6 * y + x]),
        ("x**2 + abs(y)", [1.5, 2.0], lambda x, y: [2 * x, np.sign(y)]),
        ("max(x, -2*x)", 1.0, lambda x: 1.0 if x > 0 else -2.0),
        ("1e-9*x**2 + 1e6", 1.0, lambda x: 2e-9 * x),  # lost in the rounding of the values
        ("5 + 0*x", 1.0, lambda x: 0.0),
        ("exp(x) - x", 3.0, lambda x: np.exp(x) - 1),
        ("x**2", 1.0, Perturbation(0.1)),  # coarse, but it says so
        ("log(x) + 1/x", 0.5, lambda x: 1 / x - 1 / x**2),
    ],
)
def test_a_right_gradient(objective: str, start: Any, gradient: Any) -> None:
    assert found("wrong_gradient", minimize(objective, start, GradientDescent(0.05), gradient=gradient)) is None


class Noisy:
    """A bowl with noise of this size in its values."""

    def __init__(self, size: float) -> None:
        self.random, self.size = np.random.default_rng(0), size

    def __call__(self, x: Any) -> float:
        return float(x @ x + self.size * self.random.standard_normal())


@pytest.mark.parametrize("size", [1e-8, 1e-3, 0.1, 10.0])
def test_values_that_change_from_call_to_call(size: float) -> None:
    run = minimize(Noisy(size), [1.5, 2.0], GradientDescent(0.1), gradient=Perturbation(0.01), max_steps=50)
    finding = the("random_loss", run)
    assert 0 < finding.numbers["spread"] < 6 * size


def test_numbers_drawn_once_are_not_random() -> None:
    noise = np.random.default_rng(0).standard_normal(2)
    run = minimize(lambda x: np.sum((x - noise) ** 2), [1.0, 2.0], GradientDescent(0.1))
    assert found("random_loss", run) is None
    batches = Logistic([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1]).batches(2)
    assert found("random_loss", minimize(batches, [0.0, 0.0], GradientDescent(0.1), max_steps=20)) is None


def cast_at_the_start(x: Any) -> float:
    return float((np.float32(x).astype(float) ** 2).sum() + 0.1)


def cast_at_the_end(x: Any) -> Any:
    return np.float32(np.sum(x**2 + 0.1 * x))


def float32_data(x: Any) -> Any:
    return np.sum(np.asarray(x, np.float32) * np.array([0.3, 0.7], np.float32) + np.asarray(x, np.float32) ** 2)


def beside_a_larger_number(x: Any) -> Any:
    return np.float32(100 + np.sum(x))


@pytest.mark.parametrize("function", [cast_at_the_start, cast_at_the_end, float32_data, beside_a_larger_number])
def test_float32_inside_a_function(function: Any) -> None:
    run = minimize(function, [1.5, 2.0], GradientDescent(0.1), gradient=Perturbation(0.01), max_steps=50)
    assert found("float32", run) is not None


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.sum(x**2),
        lambda x: np.round(np.sum(x**2)),  # steps, but not those of float32
        lambda x: 1.0,
        lambda x: np.sum(np.floor(x)),
        lambda x: np.sum(x * np.array([0.5, 0.25])),
        lambda x: float(x @ x) + 1e9,
    ],
)
def test_float64_functions(function: Any) -> None:
    run = minimize(function, [1.5, 2.0], GradientDescent(0.1), gradient=Perturbation(0.01), max_steps=50)
    assert found("float32", run) is None


def test_a_known_minimum_that_is_lower_is_a_remark() -> None:
    run = minimize("rastrigin", [2.2, 2.1], GradientDescent(0.001), max_steps=5000)
    assert the("lower_seen", run).numbers["lower"] == 0.0
    assert alarms(run) == []


def test_a_lower_point_that_the_run_itself_passed_or_another_run_saw_is_a_remark() -> None:
    deep = minimize("x**2 + 8*sin(x)", 0.0, GradientDescent(0.05))
    high = minimize("x**2 + 8*sin(x)", 5.0, GradientDescent(0.01))
    assert found("lower_seen", high) is None  # nothing lower is known
    finding = lower_seen.find(Case(Case.of(high).series, high, elsewhere=deep.best))
    assert finding is not None
    assert finding.numbers["lower"] == pytest.approx(deep.best.value)
    assert lower_seen.find(Case(Case.of(deep).series, deep, elsewhere=high.best)) is None


def test_rounding_noise_at_the_end_is_no_lower_value() -> None:
    assert found("lower_seen", minimize("(x - 1/3)**2 + 7", 1.0, Momentum(0.1))) is None
    assert found("lower_seen", minimize("rosenbrock", [0.9, 0.9], GradientDescent(0.002), max_steps=30000)) is None


def test_a_slow_clock_hides_no_wrong_gradient() -> None:
    # The penalty is forgotten; at the start, 0, it has no slope.
    ran = minimize(
        lambda x: (x[0] - 1) ** 2 + 3 * (x[1] - 2) ** 2 + 0.5 * (x[0] ** 2 + x[1] ** 2),
        np.zeros(2),
        GradientDescent(0.05),
        gradient=lambda x: np.array([2 * (x[0] - 1), 6 * (x[1] - 2)]),
        max_steps=80,
    )
    for seconds in (1e-3, 0.079):
        assert wrong_gradient.find(Case.of(replace(ran, seconds=seconds))) is not None


@pytest.mark.parametrize(
    ("function", "x", "slope"),
    [
        (lambda x: x**3, 2.0, 12.0),
        (np.exp, 1.0, np.e),
        # Within a thousandth of the point the values are rough: what the cube adds to wider steps is taken out.
        (lambda x: x**3 + 1e-6 * np.where(abs(x - 2) < 5e-4, np.sin(1e9 * x), 0), 2.0, 12.0),
        (lambda x: np.where(x > 0, x, np.nan), 5e-4, None),
        # A ten millionth of the value is lost in its rounding.
        (lambda x: 1e6 + 0.11 * x, 0.0, 0.11),
        (lambda x: 1e6 + 0.09 * x, 0.0, None),
        (lambda x: 1e6 + 0.011 * x, 10.0, 0.011),
        # Quotients of the two smallest steps, 1e-5 and 3e-5, must agree to a ten thousandth: 8e-10 of the cube.
        (lambda x: x + 0.99e-4 / 8e-10 * x**3, 0.0, 1.0),
        (lambda x: x + 1.01e-4 / 8e-10 * x**3, 0.0, None),
        (lambda x: 100 * (x + 0.99e-4 / 8e-10 * x**3), 0.0, 100.0),
        (lambda x: 0.01 * (x + 1.01e-4 / 8e-10 * x**3), 0.0, None),
    ],
)
def test_the_slope_of_values(function: Any, x: float, slope: float | None) -> None:
    objective = as_objective(function, None)
    found = wrong_file._slope_of_values(objective, np.array([x]), np.array([1.0]), max(1.0, abs(x)))
    assert found == (None if slope is None else pytest.approx(slope, rel=1e-8 if x == 2 else 1e-5))


def test_slopes_are_compared_along_the_gradient_and_random_directions() -> None:
    at = np.array([2.0, 50.0])
    for gradient, count in (([4.0, 3.0], 3), ([8.0, 6.0], 3), ([0.0, 0.0], 2), ([np.nan, 3.0], 0)):
        objective = with_gradient(as_objective("x**2 + 3*y"), lambda x, y, g=gradient: g, at)
        slopes = wrong_file._slopes(objective, at, 7)
        assert [slope.step for slope in slopes] == [7] * count
        if count:
            factor = np.linalg.norm(gradient) / 5
            assert [slope.told for slope in slopes] == pytest.approx([factor * slope.true for slope in slopes])
            assert len({slope.true for slope in slopes}) == count
        if count == 3:
            assert slopes[0].true == pytest.approx(5)
