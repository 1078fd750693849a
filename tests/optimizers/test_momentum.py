from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fallline import FalllineError, GradientDescent, Momentum, Nesterov, QuasiHyperbolicMomentum, StepDecay, minimize
from fallline.arrays import FloatArray
from fallline.optimizers import Optimizer

SMALLEST_CURVATURE, LARGEST_CURVATURE = 1.0, 100.0
QUADRATIC = "x**2/2 + 50*y**2"


def points(rule: Optimizer[Any], steps: int = 30) -> FloatArray:
    return minimize("x**4 + x*y + y**2", [0.7, -1.0], rule, max_steps=steps).x


def test_gradient_descent_at_the_best_rate_contracts_by_the_factor_of_theory() -> None:
    # Both coordinates shrink by (κ − 1) / (κ + 1) in every step.
    rate = 2 / (SMALLEST_CURVATURE + LARGEST_CURVATURE)
    run = minimize(QUADRATIC, [1.0, 1.0], GradientDescent(rate), max_steps=100)
    np.testing.assert_allclose(np.abs(run.final.x), (99 / 101) ** 100, rtol=1e-12)


def test_heavy_ball_at_the_best_settings_contracts_at_the_rate_of_polyak() -> None:
    # Polyak (1964): √γ a step, with a factor that grows no faster than the number of steps.
    low, high = np.sqrt(SMALLEST_CURVATURE), np.sqrt(LARGEST_CURVATURE)
    rule = Momentum(4 / (low + high) ** 2, momentum=((high - low) / (high + low)) ** 2)
    run = minimize(QUADRATIC, [1.0, 1.0], rule, max_steps=150)
    assert np.abs(run.final.x).max() <= 2 * 150 * ((high - low) / (high + low)) ** 150


def test_a_changing_rate_shows_whether_it_is_inside_the_buffer() -> None:
    # Slope 1 throughout, rates 1, 0.5: inside v = 1, then 0.5·1 + 0.5; outside v = 1, then 0.5·1 + 1, times 0.5.
    rate = StepDecay(1.0, factor=0.5, every=1)
    inside = minimize("x", 0.0, Momentum(rate, momentum=0.5), max_steps=2).x.ravel()
    outside = minimize("x", 0.0, Momentum(rate, momentum=0.5, convention="torch"), max_steps=2).x.ravel()
    assert inside.tolist() == [0.0, -1.0, -2.0]
    assert outside.tolist() == [0.0, -1.0, -1.75]


def test_first_step_of_dampening_is_undampened() -> None:
    # Torch's buffer begins as the first gradient itself: v = 1, then 0.5·1 + (1 − 0.75)·1.
    rule = Momentum(1.0, momentum=0.5, dampening=0.75, convention="torch")
    assert minimize("x", 0.0, rule, max_steps=2).x.ravel().tolist() == [0.0, -1.0, -1.75]


def test_dampening_outside_of_its_convention_is_refused() -> None:
    with pytest.raises(FalllineError, match=r"dampening is 0\.5; it must be 0 unless convention is 'torch'"):
        Momentum(0.1, dampening=0.5)


def test_averaged_momentum_is_momentum_at_a_smaller_rate() -> None:
    averaged = Momentum(0.1, momentum=0.75, convention="averaged")
    # A quarter of the rate; both are exact up to rounding.
    np.testing.assert_allclose(points(averaged), points(Momentum(0.025, momentum=0.75)), rtol=1e-12)


@pytest.mark.parametrize("convention", ["torch", "keras", "optax"])
def test_the_libraries_nesterov_walks_the_papers_look_ahead_points(convention: str) -> None:
    paper = Nesterov(0.05, momentum=0.8)
    x = np.array([[0.7, -1.0]])
    state = paper.init(x)
    looked_at = []
    for step in range(1, 31):
        place = paper.lookahead(x, state)
        looked_at.append(place[0])
        gradient = np.stack([4 * place[:, 0] ** 3 + place[:, 1], place[:, 0] + 2 * place[:, 1]], axis=1)
        change, state = paper.update(gradient, state, 0.05, step)
        x = x - change
    theirs = points(Nesterov(0.05, momentum=0.8, convention=convention), 29)
    # The same numbers in another order of adding.
    np.testing.assert_allclose(theirs, looked_at, rtol=1e-11)


@pytest.mark.parametrize(
    ("discount", "other"),
    [
        (0.0, GradientDescent(0.1)),
        (1.0, Momentum(0.1, momentum=0.75, convention="averaged")),
        (0.75, Nesterov(0.025, momentum=0.75, convention="torch")),
    ],
)
def test_quasi_hyperbolic_momentum_holds_other_rules(discount: float, other: Optimizer[Any]) -> None:
    rule = QuasiHyperbolicMomentum(0.1, momentum=0.75, discount=discount)
    # Equal but for the order of multiplying.
    np.testing.assert_allclose(points(rule), points(other), rtol=1e-11)
