"""AdaGrad, RMSProp, Adadelta, FTRL and MADGRAD, where no library can be asked: the papers' own algorithms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.optimizers.papers import assert_equals_the_paper

from fallline import FTRL, MADGRAD, AdaGrad, RMSProp


@pytest.mark.parametrize(("convention", "initial"), [("paper", 0.0), ("torch", 0.0), ("keras", 0.1), ("optax", 0.1)])
def test_adagrads_sum_starts_where_the_library_starts_it(convention: str, initial: float) -> None:
    rule = AdaGrad(1.0, epsilon=0.0, convention=convention)
    change, _ = rule.update(np.array([[3.0]]), rule.init(np.array([[0.0]])), 1.0, 1)
    assert change == pytest.approx(3 / math.sqrt(9 + initial))


@pytest.mark.parametrize("convention", RMSProp.conventions)
def test_centred_rmsprop_never_takes_the_root_of_a_negative(convention: str) -> None:
    # The mean square of equal gradients nears the square of their mean; rounding decides which is larger.
    rule = RMSProp(0.01, beta=0.9, centered=True, convention=convention)
    slopes = np.random.default_rng(0).normal(size=(1, 100))
    state = rule.init(0 * slopes)
    below = False
    for step in range(1, 2001):
        change, state = rule.update(slopes, state, 0.01, step)
        below = below or bool(np.any(state.mean_square - state.mean**2 < 0))
        assert np.isfinite(change).all()
    assert below


@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_rmsprop_of_tensorflow_1_is_as_documented(centered: bool, momentum: float) -> None:
    """tf.compat.v1.train.RMSPropOptimizer: ms = 1, mg = mom = 0; then for each gradient as below."""
    rule = RMSProp(0.01, momentum=momentum, centered=centered, convention="tf1")
    ms, mg, mom = 1.0, 0.0, 0.0
    state = rule.init(np.zeros((1, 1)))
    for step, g in enumerate(np.random.default_rng(5).normal(size=500), start=1):
        rate = 0.01 / step
        ms = 0.9 * ms + 0.1 * g * g
        mg = 0.9 * mg + 0.1 * g
        mom = momentum * mom + rate * g / math.sqrt(ms - (mg * mg if centered else 0) + 1e-10)
        change, state = rule.update(np.array([[g]]), state, rate, step)
        # The same operations, summed up in another order.
        assert change.item() == pytest.approx(mom, rel=1e-12)


def test_torch_multiplies_rmsprops_momentum_by_the_rate_and_the_others_sum_up_what_the_rate_has_multiplied() -> None:
    gradient = np.array([[2.0]])
    last = {}
    for convention in ("torch", "keras"):
        rule = RMSProp(1.0, beta=0.0, momentum=0.5, epsilon=0.0, convention=convention)
        state = rule.init(gradient)
        for step, rate in enumerate((1.0, 0.1), start=1):
            last[convention], state = rule.update(gradient, state, rate, step)
    # The slope over its size is 1: 0.1 (1 + 0.5) against 0.1 + 0.5 · 1.
    assert last["torch"] == pytest.approx(0.15)
    assert last["keras"] == pytest.approx(0.6)


def test_ftrl_is_the_papers_algorithm() -> None:
    """McMahan et al. (2013), Algorithm 1, in its own letters."""

    def steps(x: float, gradients: list[float]) -> list[float]:
        alpha, beta, lambda1, lambda2 = 0.05, 0.7, 0.3, 0.2
        z = n = 0.0
        w = x
        points = []
        for g in gradients:
            sigma = (math.sqrt(n + g**2) - math.sqrt(n)) / alpha
            z = z + g - sigma * w
            n = n + g**2
            if abs(z) <= lambda1:
                w = 0.0
            else:
                w = -(z - math.copysign(lambda1, z)) / ((beta + math.sqrt(n)) / alpha + lambda2)
            points.append(w)
        return points

    assert_equals_the_paper(FTRL(0.05, beta=0.7, l1=0.3, l2=0.2), steps)


def test_ftrl_makes_exact_zeros() -> None:
    rule = FTRL(0.1, l1=2.0)
    x = np.array([[0.0, 0.0]])
    change, _ = rule.update(np.array([[1.9, -3.0]]), rule.init(x), 0.1, 1)
    assert (x - change)[0, 0] == 0
    assert (x - change)[0, 1] > 0


def test_madgrad_is_the_papers_algorithm() -> None:
    """Defazio and Jelassi (2021), Algorithm 1, in its own letters."""

    def steps(x: float, gradients: list[float]) -> list[float]:
        gamma, c, epsilon = 0.05, 0.1, 1e-6
        x0, s, nu = x, 0.0, 0.0
        points = []
        for k, g in enumerate(gradients):
            lambda_k = gamma * math.sqrt(k + 1)
            s = s + lambda_k * g
            nu = nu + lambda_k * g * g
            z = x0 - s / (nu ** (1 / 3) + epsilon)
            x = (1 - c) * x + c * z
            points.append(x)
        return points

    assert_equals_the_paper(MADGRAD(0.05, momentum=0.9), steps)
