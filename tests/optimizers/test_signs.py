from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.optimizers.rules import changes, gradients

from fallline import Lion, Rprop, SignDescent, Signum, minimize
from fallline.optimizers import Optimizer

SIGN_RULES = [
    SignDescent(0.1),
    Signum(0.1),
    Lion(0.1),
    *(Rprop(0.1, convention=convention) for convention in Rprop.conventions),
]


@pytest.mark.parametrize("rule", SIGN_RULES, ids=lambda rule: rule.label)
def test_sign_of_zero_is_zero(rule: Optimizer[Any]) -> None:
    zero = np.zeros((5, 3))
    assert np.array_equal(changes(rule, zero), zero)


def test_sign_descent_on_an_absolute_value_rests_exactly_on_the_minimum() -> None:
    assert minimize("abs(x)", 1.0, SignDescent(0.25), max_steps=6).x.ravel().tolist() == [1, 0.75, 0.5, 0.25, 0, 0]


def test_signum_is_algorithm_2_of_the_paper() -> None:
    given = gradients(50)
    m, expected = [0.0] * 3, []
    for g in given.tolist():
        m = [0.9 * m_i + (1 - 0.9) * g_i for m_i, g_i in zip(m, g, strict=True)]
        expected.append([0.1 * ((m_i > 0) - (m_i < 0)) for m_i in m])
    assert np.array_equal(changes(Signum(0.1), given), expected)


def rprop_of_the_paper(given: list[float], improved: bool) -> list[float]:
    """Rprop− and iRprop− of Igel and Hüsken (2003), for one coordinate, line by line."""
    size, last, made = 0.1, 0.0, []
    for g in given:
        if last * g > 0:
            size = min(size * 1.2, 0.3)
        elif last * g < 0:
            size = max(size * 0.5, 0.02)
            if improved:
                g = 0.0
        made.append(size * ((g > 0) - (g < 0)))
        last = g
    return made


@pytest.mark.parametrize(("convention", "improved"), [("paper", False), ("irprop", True)])
def test_rprop_is_the_papers_algorithm(convention: str, improved: bool) -> None:
    given = gradients(200)
    found = changes(Rprop(0.1, smallest=0.02, largest=0.3, convention=convention), given)
    expected = [rprop_of_the_paper(column.tolist(), improved) for column in given.T]
    assert np.array_equal(found, np.transpose(expected))


@pytest.mark.parametrize(
    ("convention", "steps"),
    [
        # The paper's bounds are one-sided: growing 0.1 stops at 0.03 at once, shrinking takes it to 0.05.
        ("paper", [0.1, 0.03]),
        ("irprop", [0.1, 0.03]),
        # Torch: held before the very first step.
        ("torch", [0.03, 0.03]),
        # Optax: the first step, which comes one late, is not held.
        ("optax", [0.0, 0.1, 0.03]),
    ],
)
def test_clamp_order_of_rprop_with_a_first_step_above_the_largest(convention: str, steps: list[float]) -> None:
    rule = Rprop(0.1, largest=0.03, convention=convention)
    assert changes(rule, np.ones((len(steps), 3)))[:, 0].tolist() == steps


@pytest.mark.parametrize(("convention", "second"), [("irprop", 0.05), ("torch", 0.015), ("optax", 0.03)])
def test_clamp_order_of_rprop_where_the_sign_changes(convention: str, second: float) -> None:
    # Slopes +, −, −: x waits in the second step, and then moves by the size chosen there; torch has
    # held the first size already.
    given = np.array([[1.0] * 3, [-1.0] * 3, [-1.0] * 3, [-1.0] * 3])
    found = changes(Rprop(0.1, largest=0.03, convention=convention), given)[:, 0]
    assert found[1] == 0
    assert found[3 if convention == "optax" else 2] == -second


def test_irprop_waits_where_rprop_turns_back() -> None:
    turning = np.array([[1.0] * 3, [-1.0] * 3])
    assert changes(Rprop(0.1), turning)[:, 0].tolist() == [0.1, -0.05]
    assert changes(Rprop(0.1, convention="irprop"), turning)[:, 0].tolist() == [0.1, 0.0]


def test_lion_is_algorithm_2_of_the_paper() -> None:
    given = gradients(50)
    rule = Lion(0.01, decay=0.5)
    x = np.array([[1.0, -2e-4, 500.0]])
    state, theta, m = rule.init(x), x[0].tolist(), [0.0] * 3
    for step, g in enumerate(given.tolist(), start=1):
        for i in range(3):
            c = 0.9 * m[i] + (1 - 0.9) * g[i]
            theta[i] -= 0.01 * (((c > 0) - (c < 0)) + 0.5 * theta[i])
            m[i] = 0.99 * m[i] + (1 - 0.99) * g[i]
        change, state = rule.update(np.array([g]), state, 0.01, step)
        x = x - change
    assert x[0].tolist() == theta
