"""DoG and Prodigy compared with their papers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import fallline
from fallline import DoG, Optimizer, Prodigy


def test_prodigy_is_the_papers_algorithm() -> None:
    # The paper's algorithm 4, line by line, on f = (x² + 10 y²)/2 in plain floats.
    beta1, beta2, epsilon, d = 0.8, 0.9, 0.2, 0.01
    start = x = [1.0, -2.0]
    m, v, s = [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]
    r = 0.0
    points = [x]
    root = math.sqrt(beta2)
    for _ in range(30):
        g = [x[0], 10 * x[1]]
        m = [beta1 * mi + (1 - beta1) * d * gi for mi, gi in zip(m, g, strict=True)]
        v = [beta2 * vi + (1 - beta2) * d**2 * gi**2 for vi, gi in zip(v, g, strict=True)]
        along = sum(gi * (oi - xi) for gi, oi, xi in zip(g, start, x, strict=True))
        r = root * r + (1 - root) * d**2 * along
        s = [root * si + (1 - root) * d**2 * gi for si, gi in zip(s, g, strict=True)]
        next_d = max(d, r / sum(abs(si) for si in s))
        x = [xi - d * mi / (math.sqrt(vi) + d * epsilon) for xi, mi, vi in zip(x, m, v, strict=True)]
        d = next_d
        points.append(x)
    rule = Prodigy(beta1=beta1, beta2=beta2, epsilon=epsilon, initial=0.01)
    run = fallline.minimize("(x**2 + 10*y**2)/2", [1.0, -2.0], rule, max_steps=30)
    # d has grown, so the run has seen all of the algorithm. Roundings of x count 100 times in d at first.
    assert d > 0.1
    np.testing.assert_allclose(run.x, points, rtol=0, atol=1e-12)


def test_dog_is_the_papers_step_size() -> None:
    # max over i <= t of |x_i - x_0|, over the root of the sum over i <= t of |g_i|², from the run's own points.
    run = fallline.minimize("x**2 + 3*y**2", [1.0, -2.0], DoG(initial=0.1), max_steps=30)
    away = np.linalg.norm(run.x - run.x[0], axis=1)
    distance = np.maximum(np.maximum.accumulate(away), 0.1 * (1 + math.sqrt(5)))
    size = np.sqrt(np.cumsum(np.sum(run.gradient**2, axis=1)))
    expected = run.x - (distance / size)[:, None] * run.gradient
    # A few roundings.
    np.testing.assert_allclose(run.x[1:], expected[:-1], rtol=0, atol=1e-14)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("rule", [DoG(), Prodigy()], ids=lambda rule: rule.label)
def test_no_rate_needs_to_be_known_whatever_the_scale_of_x(rule: Optimizer[Any], scale: float) -> None:
    run = fallline.minimize(
        f"(x/{scale} - 1)**2 + (y/{scale} + 2)**2", [0.0, 0.0], rule, max_steps=3000, stop=fallline.Target(1e-3)
    )
    assert run.stop.reason == "target reached", run.stop


@pytest.mark.parametrize("convention", Prodigy.conventions)
def test_a_first_gradient_of_zero_is_not_the_end_of_prodigy(convention: str) -> None:
    rule = Prodigy(convention=convention)
    state = rule.init(np.array([[1.0, 2.0]]))
    change, state = rule.update(np.zeros((1, 2)), state, 1.0, 1)
    assert not change.any()
    change, state = rule.update(np.array([[1.0, 0.0]]), state, 1.0, 2)
    assert np.isfinite(change).all()
    assert change[0, 0] > 0
