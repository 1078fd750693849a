"""The schedule-free rules compared with their paper: what is averaged, and where the gradient is taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fallline
from fallline import GradientDescent, Optimizer, Record, ScheduleFreeAdamW, ScheduleFreeSGD, WarmUp


def test_schedule_free_sgd_is_the_papers_recursion() -> None:
    # Equations 3 to 5 of the paper, line by line, on f = x² in plain floats; z₁ = x₁.
    rate, beta = 0.3, 0.75
    x = z = 1.0
    points = [x]
    for t in range(1, 31):
        y = (1 - beta) * z + beta * x
        z = z - rate * 2 * y
        c = 1 / (t + 1)
        x = (1 - c) * x + c * z
        points.append(x)
    run = fallline.minimize("x**2", 1.0, ScheduleFreeSGD(rate, beta=beta), max_steps=30)
    # A few roundings a step.
    np.testing.assert_allclose(run.x.ravel(), points, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("convention", "skipped"), [("paper", 0), ("optax", 1)])
def test_with_beta_zero_x_is_the_mean_of_gradient_descents_points(convention: str, skipped: int) -> None:
    settings: dict[str, Any] = {"max_steps": 40, "stop": fallline.NotFinite()}
    plain = fallline.minimize("x**2", 1.0, GradientDescent(0.1), **settings).x.ravel()
    rule = ScheduleFreeSGD(0.1, beta=0.0, convention=convention)
    averaged = fallline.minimize("x**2", 1.0, rule, **settings).x.ravel()
    means = [plain[skipped : step + 1].mean() for step in range(1, 41)]
    # A few roundings a step.
    np.testing.assert_allclose(averaged[1:], means, rtol=1e-13)


def test_optax_weighs_the_points_by_the_square_of_the_largest_rate() -> None:
    rate = WarmUp(0.1, steps=10)
    settings: dict[str, Any] = {"max_steps": 20, "stop": fallline.NotFinite()}
    plain = fallline.minimize("x**2", 1.0, GradientDescent(rate), **settings).x.ravel()
    rule = ScheduleFreeSGD(rate, beta=0.0, convention="optax")
    averaged = fallline.minimize("x**2", 1.0, rule, **settings).x.ravel()
    weights = np.array([float(rate.rate(step)) for step in range(1, 21)]) ** 2
    # A few roundings a step.
    np.testing.assert_allclose(averaged[1:], np.cumsum(weights * plain[1:]) / np.cumsum(weights), rtol=1e-13)


@pytest.mark.parametrize("rule", [ScheduleFreeSGD(0.3), ScheduleFreeAdamW(0.3)], ids=lambda rule: rule.label)
def test_the_run_records_the_value_at_x_and_the_gradient_at_y(rule: Optimizer[Any]) -> None:
    run = fallline.minimize("x**2", 1.0, rule, max_steps=20, record=Record(state=True))
    x, z = run.x, run.states["z"]
    np.testing.assert_array_equal(run.states["x"], x)
    np.testing.assert_allclose(run.value, x[:, 0] ** 2, rtol=1e-15)
    # y passes through 0, where only roundings of x and z are left.
    np.testing.assert_allclose(run.gradient, 2 * (0.1 * z + 0.9 * x), rtol=1e-15, atol=1e-15)
    assert np.abs(z - x).max() > 0.1


@pytest.mark.parametrize("kind", [ScheduleFreeSGD, ScheduleFreeAdamW])
@pytest.mark.parametrize("convention", ["paper", "optax"])
def test_a_warm_up_from_a_rate_of_zero_gives_no_nan(kind: type[Optimizer[Any]], convention: str) -> None:
    rule = kind(WarmUp(0.1, steps=5, start=0.0), convention=convention)
    run = fallline.minimize("x**2", 1.0, rule, max_steps=10, stop=fallline.NotFinite())
    assert run.x[1] == 1.0
    assert np.isfinite(run.x).all()
    assert run.final.value < 1.0
