"""The finding that a run jumps between two points."""

from __future__ import annotations

import numpy as np
import pytest
from tests.diagnosis.looks import G, M, Make, Runs, bowl, found, missing, run, the

import fallline

SHOWN: Runs = {
    "at the limit of a parabola": lambda: run("x**2", 1.0, G(1.0), 50),
    "log cosh": lambda: run("log(cosh(x))", 2.0, G(3.0), 200),
    "bounded slopes": lambda: run("sqrt(1 + x**2) + 0.1*y**2", [3.0, 1.0], G(2.7), 200),
    "a kink": lambda: run("abs(x)", 0.25, G(0.1), 100),
    "a double well": lambda: run("x**4 - x**2", [0.72], G(0.55), 300),
    "heavy ball": lambda: run("sqrt(1 + x**2)", [2.0], M(3.5, momentum=0.3), 300),
}


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_runs_that_show_it(make: Make) -> None:
    assert the("two_cycle", make()).remedies


FINE: Runs = {
    "a parabola": lambda: run("x**2", 1.0, G(0.4), 50),
    "turns that get shorter": lambda: run("x**2", 1.0, G(0.97), 60),
    "turns that get longer": lambda: run("x**2", 1.0, G(1.02), 60),
    "a valley": lambda: run(bowl(1, 100), [1, 1], G(0.0195), 60),
    "momentum": lambda: run(bowl(1, 10), [1, 1], M(0.02), 200),
    "a cycle of rounding": lambda: run("(x - 1/3)**2", 1.0, G(0.9), 400),
    "a run that stands still": lambda: run("x**2", 0.0, G(0.1), 20),
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_what_only_looks_like_it(make: Make) -> None:
    assert found("two_cycle", make()) is None


def test_the_distance_of_the_two_points() -> None:
    """Those of log cosh at the rate η are ± u with 2 u = η tanh(u): here u = 1.2878... at η = 3."""
    u = 1.0
    for _ in range(200):
        u = 1.5 * np.tanh(u)
    finding = the("two_cycle", run("log(cosh(x))", 2.0, G(3.0), 400))
    assert finding.numbers["distance"] == pytest.approx(2 * u, rel=1e-9)
    assert finding.remedies[0].settings == {"optimizer": G(1.5)}


def test_since_when_two_steps_lead_nowhere() -> None:
    # Ten steps halve x, and from then on each takes it to the other side.
    rate = fallline.PiecewiseConstant(0.25, milestones=(10,), parts=(4.0,))
    assert the("two_cycle", run("x**2", 1.0, G(rate), 60)).since == 10
    assert the("two_cycle", run("x**2", 1.0, G(1.0), 60)).since == 0


def test_missing_rows_are_told() -> None:
    assert "every step" in missing("two_cycle", run("x**2", 1.0, G(1.0), 50, record=5))
