"""Projected and proximal rules against closed forms and the conditions of optimality."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import fallline
from fallline import (
    FISTA,
    L1,
    L2,
    Adam,
    Ball,
    Box,
    ElasticNet,
    FalllineError,
    GradientDescent,
    Momentum,
    Projected,
    ProximalDescent,
    Simplex,
)
from fallline.optimizers import Optimizer
from fallline.penalties import Penalty


@pytest.mark.parametrize("rule", [GradientDescent(0.1), Momentum(0.05), Adam(0.05)], ids=lambda rule: rule.label)
def test_any_rule_is_kept_in_a_box(rule: Optimizer[object]) -> None:
    run = fallline.minimize(
        "(x - 3)**2 + (y + 1)**2 + (z - 0.5)**2",
        [0.0, 0.0, 0.0],
        Projected(rule, Box(0.0, 1.0)),
        max_steps=3000,
    )
    assert (run.x >= 0).all()
    assert (run.x <= 1).all()
    # The nearest point of the box: each coordinate clipped. Adam circles within its rate at the end.
    np.testing.assert_allclose(run.final.x, [1.0, 0.0, 0.5], atol=1e-6)


def test_the_rule_inside_knows_where_the_set_has_put_it() -> None:
    rule = Projected(fallline.AdamW(0.3), Box(0.0, 1.0))
    run = fallline.minimize("(x - 3)**2", 0.0, rule, max_steps=10, record=fallline.Record(state=True))
    assert np.array_equal(run.states["inner.x"], run.x)


def test_the_ball_is_left_nowhere_and_the_minimum_on_it_is_found() -> None:
    run = fallline.minimize("3*x + 4*y", [0.0, 0.0], Projected(GradientDescent(0.1), Ball(2.0)))
    np.testing.assert_allclose(run.final.x, [-1.2, -1.6], rtol=1e-9)
    assert (np.linalg.norm(run.x, axis=1) <= 2 * (1 + 1e-15)).all()


def test_the_simplex_solves_a_portfolio() -> None:
    # min (x² + 2y² + 4z²)/2 with x + y + z = 1: coordinates in proportion to 1, 1/2, 1/4.
    rule = Projected(GradientDescent(0.2), Simplex())
    run = fallline.minimize("(x**2 + 2*y**2 + 4*z**2)/2", [1.0, 0.0, 0.0], rule)
    np.testing.assert_allclose(run.final.x, np.array([4, 2, 1]) / 7, rtol=1e-9)


def problem(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(40, 12))
    return matrix, matrix @ np.where(np.arange(12) < 4, 3.0, 0.0) + random.normal(size=40)


@pytest.mark.parametrize("penalty", [L1(8.0), L2(8.0), ElasticNet(5.0, 3.0)], ids=lambda p: type(p).__name__)
@pytest.mark.parametrize("kind", [ProximalDescent, FISTA])
def test_the_end_meets_the_conditions_of_optimality(kind: type[Optimizer[object]], penalty: Penalty) -> None:
    matrix, target = problem()
    rate = float(1 / np.linalg.norm(matrix, 2) ** 2)
    run = fallline.minimize(
        lambda x: 0.5 * np.sum((matrix @ x - target) ** 2),
        np.zeros(12),
        kind(rate, penalty=penalty),  # type: ignore[call-arg]
        gradient=lambda x: matrix.T @ (matrix @ x - target),
        max_steps=5000,
        stop=fallline.StepSize(1e-14),
    )
    x = run.final.x
    slope = matrix.T @ (matrix @ x - target)
    l1 = getattr(penalty, "l1", penalty.strength if isinstance(penalty, L1) else 0.0)
    l2 = getattr(penalty, "l2", penalty.strength if isinstance(penalty, L2) else 0.0)
    rest = slope + l2 * x
    # A step of 1e-14 leaves the slope within 1e-14 / rate, and rounding within the matrix's norm squared of that.
    close = 1e-9
    moved = x != 0
    np.testing.assert_allclose(rest[moved], -l1 * np.sign(x[moved]), atol=close)
    assert (abs(rest[~moved]) <= l1 + close).all()
    if l1:
        assert (~moved).any()


def test_fista_keeps_beck_and_teboulles_bound() -> None:
    matrix, target = problem(1)
    penalty = L1(4.0)
    largest = float(np.linalg.norm(matrix, 2)) ** 2

    def smooth(x: np.ndarray) -> float:
        return float(0.5 * np.sum((matrix @ x - target) ** 2))

    def run(max_steps: int, restart: bool) -> fallline.Trajectory:
        return fallline.minimize(
            smooth,
            np.zeros(12),
            FISTA(1 / largest, penalty=penalty, restart=restart),
            gradient=lambda x: matrix.T @ (matrix @ x - target),
            max_steps=max_steps,
        )

    solved = run(3000, restart=True).final.x
    lowest = smooth(solved) + penalty.value(solved)
    path = run(200, restart=False)
    above = path.value + penalty.value(path.x) - lowest
    k = path.steps[1:]
    assert (above[1:] <= 2 * largest * (solved @ solved) / (k + 1) ** 2 + 1e-12 * lowest).all()


def test_the_recipe_of_a_structured_rule_runs_again() -> None:
    run = fallline.minimize("(x - 3)**2", 0.0, FISTA(0.4, penalty=L1(2.0)), max_steps=20)
    assert np.array_equal(fallline.rerun(run.recipe).x, run.x)
    kept = fallline.minimize("(x - 3)**2", 0.0, Projected(Adam(0.4), Box(0.0, 1.0)), max_steps=20)
    assert np.array_equal(fallline.rerun(kept.recipe).x, kept.x)


@pytest.mark.parametrize("restart", [False, True])
def test_fista_is_the_papers_algorithm(restart: bool) -> None:
    # Beck and Teboulle's algorithm with the l1 penalty, and O'Donoghue and Candès' gradient scheme, in plain floats.
    rate, strength = 0.02, 0.5
    x, y, t = [3.0, -2.0], [3.0, -2.0], 1.0
    points, restarts = [x], 0
    for _ in range(60):
        g = [2 * y[0] + y[1], y[0] + 40 * y[1]]
        moved = [y[0] - rate * g[0], y[1] - rate * g[1]]
        new = [math.copysign(max(abs(m) - rate * strength, 0.0), m) for m in moved]
        if restart and sum((a - b) * (b - c) for a, b, c in zip(y, new, x, strict=True)) > 0:
            t, restarts = 1.0, restarts + 1
        t_next = (1 + math.sqrt(1 + 4 * t * t)) / 2
        y = [b + (t - 1) / t_next * (b - c) for b, c in zip(new, x, strict=True)]
        x, t = new, t_next
        points.append(x)
    assert (restarts > 0) == restart
    rule = FISTA(rate, penalty=L1(strength), restart=restart)
    run = fallline.minimize("x**2 + x*y + 20*y**2", points[0], rule, max_steps=60, stop=fallline.NotFinite())
    # Sixty steps of roundings.
    np.testing.assert_allclose(run.x, points, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("kind", [ProximalDescent, FISTA])
def test_what_is_no_penalty_and_no_set_is_refused(kind: Any) -> None:
    with pytest.raises(FalllineError, match="penalty is 3; it must be an L1, an L2 or an ElasticNet"):
        kind(0.1, penalty=3)
    with pytest.raises(FalllineError, match=r"onto is L1\(.*strength=1.0\); it must be a Box, a Ball or a Simplex"):
        Projected(GradientDescent(0.1), L1(1.0))  # type: ignore[arg-type]


def test_a_flag_is_true_or_false() -> None:
    with pytest.raises(FalllineError, match="FISTA: restart is 'no'; it must be True or False"):
        FISTA(0.1, restart="no")  # type: ignore[arg-type]


@pytest.mark.parametrize("around", [Projected, fallline.WeightDecay, fallline.Cautious, fallline.Lookahead])
@pytest.mark.parametrize("inside", [fallline.BarzilaiBorwein(0.1), fallline.LBFGS()])
def test_a_rule_that_learns_from_its_steps_is_given_no_others(around: Any, inside: Optimizer[Any]) -> None:
    with pytest.raises(FalllineError, match="which learns from the steps it asks for"):
        around(inside)
    assert fallline.ClipNorm(inside).rule == inside
