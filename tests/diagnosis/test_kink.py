"""The finding that a run goes to and fro across a kink."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looked_at import found

from fallline import Adam, Exponential, GradientDescent, Momentum, minimize
from fallline.models import Linear, Network


def highest(x: Any) -> Any:
    return np.max(np.abs(x)) + x[0] ** 2


@pytest.mark.parametrize(
    ("objective", "start", "rule"),
    [
        ("abs(x)", 0.33, GradientDescent(0.1)),
        ("abs(x) + y**2", [0.33, 1.0], GradientDescent(0.1)),
        ("abs(x) + abs(y - 0.1234)", [0.33, 1.0], Momentum(0.03)),
        ("abs(x) + abs(y - 0.1234)", [0.33, 1.0], Adam(0.03)),
        ("abs(x - 1/3) + x**2", 1.0, GradientDescent(0.2)),
        ("max(x, -2*x) + y**2", [0.3, 0.4], GradientDescent(0.03)),
        ("sqrt(x**2 + y**2)", [0.3, 0.4], GradientDescent(0.07)),
        (highest, [0.3, 0.4], GradientDescent(0.03)),
    ],
)
def test_runs_across_a_kink(objective: Any, start: Any, rule: Any) -> None:
    assert found(minimize(objective, start, rule, max_steps=300), "kink") is not None


def test_the_slopes_are_those_of_both_sides_and_a_falling_rate_is_the_remedy() -> None:
    run = minimize("max(x, -2*x)", 0.31, GradientDescent(0.1), max_steps=300)
    finding = found(run, "kink")
    assert finding is not None
    # The slope is taken along the step, to the left or to the right.
    assert sorted(np.abs([finding.numbers["down"], finding.numbers["up"]])) == pytest.approx([1.0, 2.0])
    rule = finding.remedies[0].settings["optimizer"]
    assert isinstance(rule.learning_rate, Exponential)
    assert minimize("max(x, -2*x)", 0.31, rule, max_steps=300).final.value < 0.1 * run.value[-50:].mean()


@pytest.mark.parametrize(
    ("objective", "start", "rule"),
    [
        ("x**2", 1.0, GradientDescent(1.0)),  # to and fro, but across no kink
        ("x**2", 1.0, GradientDescent(0.99)),
        ("sqrt(1e-4 + x**2)", 1.0, GradientDescent(0.1)),  # nearly one
        ("cosh(x)", 2.0, GradientDescent(0.5)),
        ("abs(x)", 0.33, GradientDescent(Exponential(0.1, decay=0.97))),
        ("abs(x)**1.5", 0.33, GradientDescent(0.1)),  # its slope fades
        ("abs(x) + x", 5.0, GradientDescent(0.1)),
        ("rosenbrock", [-1.0, 1.0], GradientDescent(0.002)),
    ],
)
def test_runs_that_cross_none_or_come_to_rest(objective: str, start: Any, rule: Any) -> None:
    assert found(minimize(objective, start, rule, max_steps=300), "kink") is None


def test_the_kinks_of_rectifying_units_do_not_matter() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(200, 3))
    network = Network(X, (X[:, 0] > 0).astype(int), hidden=(8,), activation="relu")
    for rate in (0.1, 0.5, 2.0):
        assert found(minimize(network, network.initial(0), GradientDescent(rate), max_steps=300), "kink") is None
    line = Linear(X, X[:, 0]).batches(10)
    assert found(minimize(line, np.zeros(4), GradientDescent(0.1), max_steps=300), "kink") is None
