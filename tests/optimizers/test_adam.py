"""Adam's family, where no library can be asked: traps by name, and the papers' own algorithms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from tests.optimizers.papers import assert_equals_the_paper

from fallline import (
    AdaBelief,
    AdaBound,
    Adam,
    AdaMax,
    AdamW,
    Adan,
    AMSGrad,
    LaProp,
    NAdam,
    Optimizer,
    RAdam,
    Schedule,
    Yogi,
    minimize,
)

B1, B2, RATE = 0.9, 0.999, 0.05


@pytest.mark.parametrize(
    ("convention", "second_change"),
    [
        # v is 1/4 after the first step and after the second, corrected 1 and 4/7.
        ("paper", 0.5 / math.sqrt(1 / 4)),
        ("torch", 0.5 / math.sqrt(4 / 7)),
        ("keras", 0.5 / math.sqrt(4 / 7)),
        ("optax", 0.5 / math.sqrt(1)),
    ],
)
def test_amsgrads_maximum_is_of_the_raw_or_of_the_corrected_v(convention: str, second_change: float) -> None:
    rule = AMSGrad(1.0, beta1=0.0, beta2=0.75, epsilon=0.0, convention=convention)
    state = rule.init(np.zeros((1, 1)))
    for step, slope in enumerate((1.0, 0.5), start=1):
        change, state = rule.update(np.array([[slope]]), state, 1.0, step)
    assert change == pytest.approx(second_change)


@pytest.mark.parametrize("rule", [Adam, AdamW, AdaMax, LaProp], ids=lambda rule: rule.name)
def test_the_first_step_is_as_long_as_the_rate_since_steps_are_counted_from_1(rule: Any) -> None:
    settings = {"weight_decay": 0.0} if rule is AdamW else {}
    run = minimize("30*x", 0.0, rule(0.25, epsilon=0.0, **settings), max_steps=1)
    assert run.final.x == pytest.approx(-0.25)


def test_adamws_decay_is_multiplied_by_the_rate_in_the_libraries_and_not_in_the_paper() -> None:
    def moved(convention: str) -> float:
        rule = AdamW(0.1, weight_decay=0.5, convention=convention)
        change, _ = rule.update(np.zeros((1, 1)), rule.init(np.array([[4.0]])), 0.1, 1)
        return float(change[0, 0])

    assert moved("paper") == pytest.approx(2.0)
    assert [moved(name) for name in ("torch", "keras", "optax")] == pytest.approx([0.2] * 3)


def test_optaxs_adan_weighs_the_change_by_one_minus_beta2() -> None:
    # From slope 1 to slope 2 with nothing remembered: the change is 1, what counts is 2 + weight.
    for convention, weight in (("paper", 0.75), ("optax", 0.25)):
        rule = Adan(1.0, beta1=0.0, beta2=0.75, beta3=0.0, epsilon=0.0, epsilon_root=0.0, convention=convention)
        state = rule.init(np.zeros((1, 1)))
        for step, slope in enumerate((1.0, 2.0), start=1):
            _, state = rule.update(np.array([[slope]]), state, 1.0, step)
        assert state.n == pytest.approx((2 + weight) ** 2)


def test_adamax_is_the_papers_algorithm() -> None:
    def steps(x: float, gradients: list[float]) -> list[float]:
        m = u = 0.0
        points = []
        for t, g in enumerate(gradients, start=1):
            m = B1 * m + (1 - B1) * g
            u = max(B2 * u, abs(g))
            x = x - (RATE / (1 - B1**t)) * m / u
            points.append(x)
        return points

    assert_equals_the_paper(AdaMax(RATE), steps)


def test_amsgrad_is_the_papers_algorithm() -> None:
    def steps(x: float, gradients: list[float]) -> list[float]:
        m = v = v_hat = 0.0
        points = []
        for g in gradients:
            m = B1 * m + (1 - B1) * g
            v = B2 * v + (1 - B2) * g**2
            v_hat = max(v_hat, v)
            x = x - RATE * m / math.sqrt(v_hat)
            points.append(x)
        return points

    assert_equals_the_paper(AMSGrad(RATE), steps)


def test_nadam_is_the_papers_algorithm() -> None:
    def mu(t: int) -> float:
        return 0.99 * (1 - 0.5 * math.pow(0.96, t / 250))

    def steps(x: float, gradients: list[float]) -> list[float]:
        nu, epsilon = 0.999, 1e-8
        m = n = 0.0
        points = []
        for t, g in enumerate(gradients, start=1):
            m = mu(t) * m + (1 - mu(t)) * g
            n = nu * n + (1 - nu) * g**2
            till_now = math.prod(mu(i) for i in range(1, t + 1))
            m_hat = mu(t + 1) * m / (1 - till_now * mu(t + 1)) + (1 - mu(t)) * g / (1 - till_now)
            n_hat = nu * n / (1 - nu**t)
            x = x - RATE * m_hat / (math.sqrt(n_hat) + epsilon)
            points.append(x)
        return points

    assert_equals_the_paper(NAdam(RATE), steps)


def test_radam_is_the_papers_algorithm() -> None:
    def steps(x: float, gradients: list[float]) -> list[float]:
        m = v = 0.0
        rho_inf = 2 / (1 - B2) - 1
        points = []
        for t, g in enumerate(gradients, start=1):
            v = B2 * v + (1 - B2) * g**2
            m = B1 * m + (1 - B1) * g
            m_hat = m / (1 - B1**t)
            rho = rho_inf - 2 * t * B2**t / (1 - B2**t)
            if rho > 4:
                adaptive = math.sqrt((1 - B2**t) / v)
                r = math.sqrt(((rho - 4) * (rho - 2) * rho_inf) / ((rho_inf - 4) * (rho_inf - 2) * rho))
                x = x - RATE * r * m_hat * adaptive
            else:
                x = x - RATE * m_hat
            points.append(x)
        return points

    assert_equals_the_paper(RAdam(RATE), steps)


def test_adabelief_is_the_papers_algorithm() -> None:
    def steps(x: float, gradients: list[float]) -> list[float]:
        m = s = 0.0
        epsilon = 1e-8
        points = []
        for t, g in enumerate(gradients, start=1):
            m = B1 * m + (1 - B1) * g
            s = B2 * s + (1 - B2) * (g - m) ** 2 + epsilon
            x = x - RATE * (m / (1 - B1**t)) / (math.sqrt(s / (1 - B2**t)) + epsilon)
            points.append(x)
        return points

    assert_equals_the_paper(AdaBelief(RATE), steps)


def test_yogi_is_the_papers_algorithm() -> None:
    def steps(x: float, gradients: list[float]) -> list[float]:
        m, v, epsilon = 0.0, 1e-6, 1e-3
        points = []
        for g in gradients:
            m = B1 * m + (1 - B1) * g
            v = v - (1 - B2) * float(np.sign(v - g**2)) * g**2
            x = x - RATE * m / (math.sqrt(v) + epsilon)
            points.append(x)
        return points

    assert_equals_the_paper(Yogi(RATE), steps)


def test_adan_is_the_papers_algorithm() -> None:
    def steps(x: float, gradients: list[float]) -> list[float]:
        # Algorithm 1 in the paper's letters, where a small beta is a long memory.
        beta1, beta2, beta3, decay, epsilon = 0.02, 0.08, 0.01, 0.1, 1e-8
        m, v, n, before = gradients[0], 0.0, gradients[0] ** 2, gradients[0]
        points = []
        for k, g in enumerate(gradients):
            if k > 0:
                m = (1 - beta1) * m + beta1 * g
                v = (1 - beta2) * v + beta2 * (g - before)
                n = (1 - beta3) * n + beta3 * (g + (1 - beta2) * (g - before)) ** 2
            eta = RATE / (math.sqrt(n) + epsilon)
            x = (x - eta * (m + (1 - beta2) * v)) / (1 + decay * RATE)
            before = g
            points.append(x)
        return points

    assert_equals_the_paper(Adan(RATE, weight_decay=0.1), steps)


def test_adabound_is_the_papers_algorithm() -> None:
    def steps(x: float, gradients: list[float]) -> list[float]:
        m = v = 0.0
        points = []
        for t, g in enumerate(gradients, start=1):
            m = B1 * m + (1 - B1) * g
            v = B2 * v + (1 - B2) * g**2
            low = 0.1 - 0.1 / ((1 - B2) * t + 1)
            high = 0.1 + 0.1 / ((1 - B2) * t)
            eta_hat = min(max(RATE / math.sqrt(v), low), high)
            x = x - eta_hat / math.sqrt(t) * m
            points.append(x)
        return points

    assert_equals_the_paper(AdaBound(RATE, gamma=1 - B2), steps)


def test_laprop_is_the_papers_algorithm() -> None:
    def steps(x: float, gradients: list[float]) -> list[float]:
        mu, nu, epsilon = 0.9, 0.999, 1e-15
        m = n = 0.0
        points = []
        for t, g in enumerate(gradients, start=1):
            n = nu * n + (1 - nu) * g**2
            m = mu * m + (1 - mu) * g / (math.sqrt(n / (1 - nu**t)) + epsilon)
            x = x - RATE * m / (1 - mu**t)
            points.append(x)
        return points

    assert_equals_the_paper(LaProp(RATE), steps)


@dataclass(frozen=True)
class InverseRoot(Schedule):
    """The schedule of the regret bounds."""

    initial: float

    def rate(self, step: Any) -> Any:
        return self.initial / np.sqrt(step)


@pytest.mark.parametrize(
    "rule",
    [
        # Their papers bound the regret, the sum of f(x_t) - f*, by a multiple of √T at a rate of η / √t.
        Adam(InverseRoot(0.5)),
        AMSGrad(InverseRoot(0.5)),
        AdaBound(0.5, final_rate=0.05),  # divides by √t itself
        LaProp(InverseRoot(0.5)),
    ],
    ids=lambda rule: rule.name,
)
def test_the_regret_on_a_convex_quadratic_grows_no_faster_than_the_root_of_time(rule: Optimizer[Any]) -> None:
    run = minimize("(x - 1)**2 + 10*(y + 2)**2", [3.0, 3.0], rule, max_steps=4000, stop=None)
    regret = np.cumsum(run.value)
    assert regret[-1] <= 2 * regret[len(regret) // 4] * (1 + 1e-9)
    assert run.final.x == pytest.approx([1, -2], abs=0.05)
