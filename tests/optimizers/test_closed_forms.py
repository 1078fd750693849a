"""The oldest rules against closed forms and against their papers, written out again in plain Python."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline import (
    AdaGrad,
    Adam,
    GradientDescent,
    Momentum,
    Nesterov,
    Optimizer,
    RMSProp,
    SignDescent,
    StepSize,
    WindowedMomentum,
    minimize,
)

EPSILON = float(np.finfo(float).eps)


def path(rule: Optimizer[Any], curvature: float, start: float, steps: int) -> np.ndarray[Any, Any]:
    """The points of a run on a parabola, a x² / 2."""
    run = minimize(lambda x: curvature / 2 * x**2, start, rule, gradient=lambda x: curvature * x, max_steps=steps)
    return run.x[:, 0]


@given(
    rate=st.floats(1e-3, 1.0), curvature=st.floats(0.1, 1.5), start=st.floats(-10, 10).filter(lambda x: abs(x) > 1e-3)
)
def test_gradient_descent_on_a_parabola_is_geometric(rate: float, curvature: float, start: float) -> None:
    points = path(GradientDescent(rate), curvature, start, 30)
    factor = 1 - mpmath.mpf(rate) * mpmath.mpf(curvature)
    exact = [float(start * factor**k) for k in range(len(points))]
    # Each step rounds a product and a difference, relative to the point before it.
    np.testing.assert_allclose(points, exact, rtol=0, atol=4 * 30 * EPSILON * abs(start))


@given(rate=st.floats(1e-3, 1.0), momentum=st.floats(0, 0.99), curvature=st.floats(0.1, 1.5))
def test_momentum_on_a_parabola_is_a_linear_recurrence(rate: float, momentum: float, curvature: float) -> None:
    points = path(Momentum(rate, momentum=momentum), curvature, 1.0, 40)
    # x and the velocity follow a 2 × 2 matrix: v' = γ v + η a x, x' = x − v'.
    push, keep = mpmath.mpf(rate) * mpmath.mpf(curvature), mpmath.mpf(momentum)
    matrix = mpmath.matrix([[1 - push, -keep], [push, keep]])
    state = mpmath.matrix([1, 0])
    exact = [1.0]
    for _ in points[1:]:
        state = matrix * state
        exact.append(float(state[0]))
    # A rounding of size ε is carried on by the powers of the matrix, which stay below 20 in size here.
    np.testing.assert_allclose(points, exact, rtol=0, atol=20 * 6 * 40 * EPSILON)


@given(rate=st.floats(1e-3, 0.6), momentum=st.floats(0, 0.99))
def test_nesterov_on_a_parabola_looks_ahead(rate: float, momentum: float) -> None:
    points = path(Nesterov(rate, momentum=momentum), 1.0, 1.0, 40)
    x, velocity = mpmath.mpf(1), mpmath.mpf(0)
    exact = [1.0]
    for _ in points[1:]:
        ahead = x - mpmath.mpf(momentum) * velocity
        velocity = mpmath.mpf(momentum) * velocity + mpmath.mpf(rate) * ahead
        x -= velocity
        exact.append(float(x))
    np.testing.assert_allclose(points, exact, rtol=0, atol=20 * 8 * 40 * EPSILON)


@given(gradient=st.floats(1e-100, 1e100), sign=st.sampled_from([-1, 1]), rate=st.floats(1e-6, 1e3))
def test_the_first_step_of_adam_is_the_rate_against_the_sign(gradient: float, sign: int, rate: float) -> None:
    for convention in ("paper", "tutorial"):
        rule = Adam(rate, epsilon=0.0, convention=convention)
        run = minimize(lambda x: 0.0, 0.0, rule, gradient=lambda x: sign * gradient, max_steps=1)
        # Two roots, four products and two quotients.
        assert run.final.x[0] == pytest.approx(-sign * rate, rel=10 * EPSILON)


def descend(gradients: list[float], rule: Optimizer[Any]) -> list[float]:
    """What the rule subtracts for a row of given gradients, by a run on a function that has them."""
    given = iter([*gradients, 0.0])
    run = minimize(lambda x: 0.0, 0.0, rule, gradient=lambda x: next(given), stop=StepSize(0),
                   max_steps=len(gradients))  # fmt: skip
    return [float(number) for number in -np.diff(run.x[:, 0])]


# The papers' algorithms in plain Python floats: rate, gradients -> changes.


def adagrad(rate: float, gradients: list[float], outside: bool) -> Iterator[float]:
    total = 0.0
    for g in gradients:
        total += g * g
        yield (rate / math.sqrt(total) + 1e-8) * g if outside else rate / (math.sqrt(total) + 1e-8) * g


def rmsprop(rate: float, gradients: list[float], outside: bool) -> Iterator[float]:
    mean = 0.0
    for g in gradients:
        mean = 0.9 * mean + 0.1 * g * g
        yield (rate / math.sqrt(mean) + 1e-8) * g if outside else rate / (math.sqrt(mean) + 1e-8) * g


def adam(rate: float, gradients: list[float], outside: bool) -> Iterator[float]:
    beta2 = 0.9 if outside else 0.999
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        m = 0.9 * m + 0.1 * g
        v = beta2 * v + (1 - beta2) * g * g
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - beta2**t)
        yield (rate / math.sqrt(v_hat) + 1e-8) * m_hat if outside else rate * m_hat / (math.sqrt(v_hat) + 1e-8)


def windowed(rate: float, gradients: list[float], newest_first: bool) -> Iterator[float]:
    window: deque[float] = deque(maxlen=3)
    for g in gradients:
        if newest_first:
            window.append(rate * g)
        yield rate * g + sum(0.8**k * step for k, step in enumerate(reversed(window), start=1))
        if not newest_first:
            window.append(rate * g)


GRADIENTS = [1.0, -0.3, 0.0, 4.5, 1e-3, -2.0, 2.0, 0.7, -0.1, 100.0, -3.0, 1e-6]


@pytest.mark.parametrize("convention", ["paper", "tutorial"])
@pytest.mark.parametrize(
    ("rule", "book"),
    [(AdaGrad, adagrad), (RMSProp, rmsprop), (Adam, adam), (WindowedMomentum, windowed)],
    ids=["adagrad", "rmsprop", "adam", "windowed momentum"],
)
def test_the_rule_is_the_textbooks(
    rule: Callable[..., Optimizer[Any]], book: Callable[..., Iterator[float]], convention: str
) -> None:
    settings: dict[str, Any] = {"momentum": 0.8, "window": 3} if rule is WindowedMomentum else {}
    found = descend(GRADIENTS, rule(0.05, convention=convention, **settings))
    expected = list(book(0.05, GRADIENTS, convention == "tutorial"))
    # Differences of points of size 1 lose the digits below EPSILON.
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=20 * EPSILON)


def test_momentum_with_a_long_window_is_momentum() -> None:
    long = descend(GRADIENTS, WindowedMomentum(0.05, momentum=0.8, window=50))
    forever = descend(GRADIENTS, Momentum(0.05, momentum=0.8))
    # The same sum in another order, of terms of size 5 or less.
    np.testing.assert_allclose(long, forever, rtol=0, atol=12 * 5 * EPSILON)


@given(gradient=st.floats(allow_nan=False, allow_infinity=False), rate=st.floats(1e-6, 1e6))
def test_sign_descent_takes_steps_of_one_length(gradient: float, rate: float) -> None:
    run = minimize(lambda x: 0.0, 0.0, SignDescent(rate), gradient=lambda x: gradient, max_steps=1)
    assert -run.final.x[0] == (0.0 if gradient == 0 else math.copysign(rate, gradient))
