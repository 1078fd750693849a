from __future__ import annotations

import numpy as np

from fallline import AveragedDescent, Record, minimize


def test_average_is_the_mean_of_the_points_after_the_start() -> None:
    run = minimize("x**2 + x*y + y**2", [1.0, -3.0], AveragedDescent(0.1), max_steps=40, record=Record(state=True))
    means = np.cumsum(run.x[1:], axis=0) / np.arange(1, 41)[:, None]
    # The rule updates its mean, the test divides a sum.
    np.testing.assert_allclose(run.states["average"][1:], means, rtol=1e-12)


def test_average_that_begins_late_is_the_point_until_then() -> None:
    rule = AveragedDescent(0.1, begin=5)
    run = minimize("x**2", 1.0, rule, max_steps=8, record=Record(state=True))
    average = run.states["average"]
    np.testing.assert_allclose(average[:7], run.x[:7], rtol=1e-15)
    np.testing.assert_allclose(average[8], run.x[6:9].mean(axis=0), rtol=1e-15)


def test_averaging_beats_the_noise_that_the_last_point_keeps() -> None:
    # Slopes x + ξ with constant rate: the last point's variance is about η/2, the mean's falls as 1/t.
    random = np.random.default_rng(0)
    rule = AveragedDescent(0.5, begin=100)
    x = np.full((1, 50), 1.0)
    state = rule.init(x)
    for step in range(1, 5001):
        change, state = rule.update(x + random.normal(size=x.shape), state, 0.5, step)
        x = x - change
    # Theory: variances η / (2 − η) = 1/3 and 1/4900; fifty coordinates leave a fifth of room either way.
    assert 0.5 * np.sqrt(1 / 3) < np.std(x) < 2 * np.sqrt(1 / 3)
    assert np.sqrt(np.mean(state.average**2)) < 2 / np.sqrt(4900)
