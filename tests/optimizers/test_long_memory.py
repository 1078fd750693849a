"""ADOPT and AdEMAMix compared with their papers."""

from __future__ import annotations

import math

import numpy as np

import fallline
from fallline import ADOPT, AdEMAMix


def test_adopt_is_the_papers_algorithm() -> None:
    # The paper's algorithm, line by line, on f = x² in plain floats.
    rate, beta1, beta2, epsilon = 0.05, 0.8, 0.9, 0.5
    x = 1.0
    m, v = 0.0, (2 * x) ** 2
    points = [x]
    for _ in range(50):
        g = 2 * x
        m = beta1 * m + (1 - beta1) * g / max(math.sqrt(v), epsilon)
        x = x - rate * m
        v = beta2 * v + (1 - beta2) * g**2
        points.append(x)
    rule = ADOPT(rate, beta1=beta1, beta2=beta2, epsilon=epsilon)
    run = fallline.minimize("x**2", 1.0, rule, max_steps=50)
    # A few roundings a step.
    np.testing.assert_allclose(run.x.ravel(), points, rtol=0, atol=1e-14)


def test_adopt_of_optax_spends_its_first_step_on_v_and_clips_the_second_to_one() -> None:
    rule = ADOPT(0.5, beta1=0.0, convention="optax")
    state = rule.init(np.zeros((1, 2)))
    changes = []
    for step, gradient in enumerate([[0.0, 2.0], [3.0, 1.0]], start=1):
        change, state = rule.update(np.array([gradient]), state, 0.5, step)
        changes.append(change[0].tolist())
    # The quotient of the first coordinate, 3 / 1e-6, counts as 1.
    assert changes == [[0.0, 0.0], [0.5, 0.25]]


def test_ademamix_is_the_papers_algorithm() -> None:
    # The paper's algorithm 1 with its schedules of alpha and beta3, line by line, on f = x² in plain floats.
    rate, beta1, beta2, beta3, alpha, epsilon, decay, T = 0.01, 0.8, 0.9, 0.99, 4.0, 0.1, 0.2, 20
    x, m1, m2, v = 1.0, 0.0, 0.0, 0.0
    points = [x]
    for t in range(1, 51):
        g = 2 * x
        beta3_t = min(
            math.exp(math.log(beta1) * math.log(beta3) / ((1 - t / T) * math.log(beta3) + t / T * math.log(beta1))),
            beta3,
        )
        alpha_t = min(t * alpha / T, alpha)
        m1 = beta1 * m1 + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m2 = beta3_t * m2 + (1 - beta3_t) * g
        m1_hat, v_hat = m1 / (1 - beta1**t), v / (1 - beta2**t)
        x = x - rate * ((m1_hat + alpha_t * m2) / (math.sqrt(v_hat) + epsilon) + decay * x)
        points.append(x)
    rule = AdEMAMix(
        rate, beta1=beta1, beta2=beta2, beta3=beta3, alpha=alpha, epsilon=epsilon, weight_decay=decay, warm_up=T
    )
    run = fallline.minimize("x**2", 1.0, rule, max_steps=50)
    # 1 - beta3 loses two digits, and a few roundings a step.
    np.testing.assert_allclose(run.x.ravel(), points, rtol=0, atol=1e-13)


def test_a_first_step_that_only_looks_around_does_not_end_the_run() -> None:
    run = fallline.minimize("x**2", 1.0, fallline.ADOPT(0.1, convention="optax"), max_steps=50)
    assert run.x[1, 0] == run.x[0, 0]
    assert run.step_count > 2
