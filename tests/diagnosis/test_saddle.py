"""The finding that a run came to rest at a saddle or a maximum; and the remark that it converged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import found, the

from fallline import Adam, GradientDescent, Momentum, diagnose, minimize
from fallline.models import Network


@pytest.mark.parametrize(
    ("objective", "start", "kind", "lowest"),
    [
        ("x**2 - y**2 + y**4", [1.5, 0.0], "saddle", -2.0),
        ("x**2 - y**2 + y**4", [1.5, 1e-12], "saddle", -2.0),
        ("cos(x)", 0.0, "maximum", -1.0),
        ("exp(-x**2 - y**2) + 0.1*(x**2 + y**2)**2", [0.0, 0.0], "maximum", -2.0),
        ("(x*y - 1)**2", [0.5, -0.5], "saddle", -2.0),
        ("x**3 - 3*x*y**2 + x**4 + y**4 - y**2", [0.0, 0.0], "saddle", -2.0),
        ("(x**2 - 1)**2 + 3*y**2", [0.0, 2.0], "saddle", -4.0),
    ],
)
def test_the_lowest_curvature_and_a_way_down_are_told(objective: str, start: Any, kind: str, lowest: float) -> None:
    run = minimize(objective, start, GradientDescent(0.1), max_steps=60)
    finding = the("saddle", run)
    assert kind in finding.title
    assert finding.numbers["lowest"] == pytest.approx(lowest, rel=1e-3)
    # The remedy starts where the value is lower by what is told.
    start = finding.remedies[0].settings["x0"]
    lower = minimize(objective, start, GradientDescent(0.01), max_steps=1).start.value
    assert run.final.value - lower == pytest.approx(finding.numbers["fall"], rel=1e-6)


def many(x: Any) -> Any:
    return np.sum(x[1:] ** 2) + (x[0] ** 2 - 1) ** 2


def test_it_is_found_among_many_coordinates() -> None:
    run = minimize(many, np.r_[0.0, np.ones(60)], GradientDescent(0.05), max_steps=500)
    assert run.stop.converged  # the engine looks along the slope only
    finding = the("saddle", run)
    assert finding.numbers["lowest"] == pytest.approx(-4.0, rel=1e-3)
    assert found("converged", run) is None


def test_a_network_started_at_zero_is_at_a_saddle() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(100, 3))
    network = Network(X, (X[:, 0] * X[:, 1] > 0).astype(int), hidden=(6,), activation="tanh")
    run = minimize(network, np.zeros(network.dimension), GradientDescent(0.5), max_steps=300)
    # It is told as the consequence of the start.
    (cause,) = (finding for finding in diagnose(run, proof=False) if finding.name == "symmetric_start")
    assert any("saddle" in title for title in cause.led_to)
    run = minimize(network, network.initial(1), GradientDescent(0.5), max_steps=300)
    assert found("saddle", run) is None


@pytest.mark.parametrize(
    ("objective", "start", "rule"),
    [
        ("x**2 + y**2", [1.0, 2.0], GradientDescent(0.1)),
        ("x**2", [1.0], GradientDescent(0.1)),
        ("x**4", [1.0], GradientDescent(0.1)),
        ("rosenbrock", [-1.0, 1.0], Adam(0.01)),
        ("x**2*y**2 + x**2", [1.0, 1.0], Momentum(0.05)),
        ("x**2 - y**2 + y**4", [1.5, 0.3], GradientDescent(0.1)),
        ("cos(x)", 1.0, GradientDescent(0.5)),
        ("(x + y)**2", [1.0, 2.0], GradientDescent(0.1)),
        ("sqrt(1 + x**2)", [5.0], GradientDescent(0.5)),
        ("-exp(-x**2 - y**2) + 0.1*(x**2 + y**2)**2", [0.0, 0.0], GradientDescent(0.1)),
    ],
)
def test_minima_and_slopes_are_none(objective: str, start: Any, rule: Any) -> None:
    assert found("saddle", minimize(objective, start, rule)) is None


def test_how_well_a_run_converged() -> None:
    run = minimize("x**2 + 50*y**2", [1.0, 1.0], GradientDescent(0.01), max_steps=5000)
    finding = the("converged", run)
    assert finding.numbers["lowest"] == pytest.approx(2.0)
    assert finding.numbers["highest"] == pytest.approx(100.0)
    # The bound holds: the minimum is 0.
    assert run.final.value <= finding.numbers["bound"] <= 1e-12


def test_a_flat_valley_is_told() -> None:
    finding = the("converged", minimize("(x + y)**2", [1.0, 2.0], GradientDescent(0.1)))
    assert "no single point" in finding.evidence


def test_a_run_under_way_did_not_converge() -> None:
    assert found("converged", minimize("x**2", 1.0, GradientDescent(0.01), max_steps=5)) is None
