"""LARS and LAMB compared with their papers, and where a norm is 0."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fallline
from fallline import LAMB, LARS


def test_lars_is_the_papers_algorithm() -> None:
    # The paper's algorithm 1, line by line, on f = x² + 10 y² in plain floats.
    rate, momentum, decay, trust = 0.5, 0.8, 0.1, 0.05
    x, v = [1.0, -1.0], [0.0, 0.0]
    points = [tuple(x)]
    for _ in range(20):
        g = [2 * x[0], 20 * x[1]]
        local_rate = trust * math.hypot(*x) / (math.hypot(*g) + decay * math.hypot(*x))
        v = [momentum * vi + rate * local_rate * (gi + decay * xi) for vi, gi, xi in zip(v, g, x, strict=True)]
        x = [xi - vi for xi, vi in zip(x, v, strict=True)]
        points.append(tuple(x))
    rule = LARS(rate, momentum=momentum, weight_decay=decay, trust=trust)
    run = fallline.minimize("x**2 + 10*y**2", [1.0, -1.0], rule, max_steps=20)
    # A few roundings a step.
    np.testing.assert_allclose(run.x, points, rtol=0, atol=1e-14)


def test_lars_moves_by_the_same_part_of_x_however_steep_the_objective() -> None:
    gentle, steep = (
        fallline.minimize(f"{scale}*((x - 1)**2 + y**2)", [3.0, 4.0], LARS(weight_decay=0.0), max_steps=30).x
        for scale in (1, 1000)
    )
    # The scale cancels within rounding.
    np.testing.assert_allclose(steep, gentle, rtol=1e-12)
    assert np.linalg.norm(gentle[1] - gentle[0]) == pytest.approx(0.001 * 5, rel=1e-12)


def test_from_zero_the_papers_lars_and_lamb_cannot_move() -> None:
    for rule in (LARS(0.1), LAMB(0.1)):
        assert fallline.minimize("(x - 1)**2", 0.0, rule, max_steps=3).final.x == 0.0


def test_from_zero_the_libraries_trust_ratio_is_one() -> None:
    # The slope is -2, Adam's first direction -1.
    moved = {
        rule.label: fallline.minimize("(x - 1)**2", 0.0, rule, max_steps=1).final.x.item()
        for rule in (
            LARS(0.1, convention="optax"),
            LAMB(0.1, epsilon=0.0, convention="keras"),
            LAMB(0.1, epsilon=0.0, convention="optax"),
        )
    }
    assert list(moved.values()) == pytest.approx([0.2, 0.1, 0.1], rel=1e-15), moved


def test_lamb_of_keras_keeps_the_decay_out_of_the_direction() -> None:
    # x first decays from 2 to 1.8; the step is 0.1 of that, not of 2.
    rule = LAMB(0.1, epsilon=0.0, weight_decay=1.0, convention="keras")
    assert fallline.minimize("x**2", 2.0, rule, max_steps=1).final.x == pytest.approx(1.8 - 0.18, rel=1e-15)
