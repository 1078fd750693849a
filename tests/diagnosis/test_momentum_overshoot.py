"""The finding that momentum carries a run past the minimum."""

from __future__ import annotations

import numpy as np
import pytest
from tests.diagnosis.looks import A, G, M, Make, Runs, bowl, found, line, run, the

import fallline
from fallline.diagnosis.case import Case
from fallline.diagnosis.findings import momentum_overshoot as overshoot_file

ROSENBROCK = "(1 - x)**2 + 100*(y - x**2)**2"
SHOWN: Runs = {
    "0.99 on a parabola": lambda: run("x**2", 1.0, M(0.005, momentum=0.99), 150),
    "0.995 in two coordinates": lambda: run(bowl(1, 4), [1, 1], M(0.01, momentum=0.995), 200),
    "as torch writes it": lambda: run(bowl(1, 4), [1, 1], M(0.01, momentum=0.99, convention="torch"), 150),
    "a running mean": lambda: run(bowl(1, 4), [1, 1], M(1.0, momentum=0.99, convention="averaged"), 150),
    "least squares": lambda: run(line(), np.zeros(4), M(0.01, momentum=0.993), 150),
    "log cosh": lambda: run("log(cosh(x)) + 0.5*y**2", [2.0, 1.0], M(0.02, momentum=0.993), 200),
}


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_runs_that_show_it(make: Make) -> None:
    assert the("momentum_overshoot", make()).remedies


FINE: Runs = {
    "ripples that die out": lambda: run(bowl(1, 4), [1, 1], M(0.05, momentum=0.9), 300),
    "slow ripples that die out": lambda: run(bowl(1, 4), [1, 1], M(0.02, momentum=0.97), 1000),
    "no momentum": lambda: run(bowl(1, 4), [1, 1], G(0.4), 100),
    "Nesterov momentum": lambda: run(bowl(1, 100), [1, 1], fallline.Nesterov(0.01, momentum=0.8), 300),
    "Adam": lambda: run(bowl(1, 100), [1, 1], A(0.05), 400),
    "ripples at the start of a long descent": lambda: run(ROSENBROCK, [-1.2, 1], A(0.05), 200),
    "a rate above the limit": lambda: run(bowl(1, 4), [1, 1], M(1.5, momentum=0.9), 60),
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_what_only_looks_like_it(make: Make) -> None:
    assert found("momentum_overshoot", make()) is None


def test_the_climbs_are_those_of_the_pendulum() -> None:
    """Of x² with a rate η and hardly any loss of speed, the step's phase is √(2η): each half turn has one climb."""
    steps, rate = 300, 0.002
    finding = the("momentum_overshoot", run("x**2", 1.0, M(rate, momentum=0.999), steps))
    assert finding.numbers["climbs"] == pytest.approx(steps * np.sqrt(2 * rate) / np.pi, abs=1)
    # The value at the turning points shrinks by the momentum with each step.
    assert 0.999**steps < finding.numbers["height"] < 0.999 ** (0.7 * steps)


def test_the_settings_that_are_proposed() -> None:
    finding = the("momentum_overshoot", run("x**2", 1.0, M(0.005, momentum=0.99), 150))
    rules = [remedy.settings["optimizer"] for remedy in finding.remedies]
    # On a steady slope the velocity is a hundred times the rate; half of that is 0.25.
    assert rules == [G(0.2), M(0.005, momentum=0.9), M(0.005, momentum=0.5)]
    for rule, less in ((M(0.1, momentum=0.8), [M(0.1, momentum=0.5)]), (M(0.1, momentum=0.5), [])):
        case = Case.of(run("x**2", 1.0, rule, 3))
        plain, *others = overshoot_file._remedies(case, "momentum", rule.momentum)
        assert plain.settings["optimizer"] == G(float(f"{0.05 / (1 - rule.momentum):.1g}"))
        assert [remedy.settings["optimizer"] for remedy in others] == less
    averaged = Case.of(run("x**2", 1.0, M(0.1, momentum=0.5, convention="averaged"), 3))
    assert overshoot_file._remedies(averaged, "momentum", 0.5) == ()
