"""The finding that a run went on long after it had converged."""

from __future__ import annotations

import numpy as np
import pytest
from tests.diagnosis.looks import G, M, Make, Runs, bowl, classes, found, line, run, the

import fallline
from fallline.diagnosis.findings.wasted_steps import wasted_steps

SHOWN: Runs = {
    "a bowl": lambda: run(bowl(1, 2), [1, 1], G(0.5), 600, stop=never()),
    "momentum": lambda: run(bowl(1, 2), [1, 1], M(0.2, momentum=0.5), 600, stop=never()),
    "least squares": lambda: run(line(), np.zeros(4), G(0.5), 600, stop=never()),
    "logistic regression": lambda: run(classes(), np.zeros(4), fallline.Nesterov(2.0), 900, stop=never()),
    "a function": lambda: run(lambda x: (x**2).sum(), [1.0] * 5, G(0.3), 600, gradient=lambda x: 2 * x, stop=never()),
    "Newton's steps": lambda: run("x**2", 1.0, G(0.5), 300, stop=never()),
}


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_runs_that_show_it(make: Make) -> None:
    assert the("wasted_steps", make()).remedies


FINE: Runs = {
    "a run that stopped in time": lambda: run(bowl(1, 2), [1, 1], G(0.3), 600, stop=fallline.GradientNorm(1e-4)),
    "a run that needed its steps": lambda: run(bowl(1, 100), [1, 1], G(0.01), 800),
    "a few steps": lambda: run("x**2", 1.0, G(0.5), 20, stop=never()),
    "a run that diverges": lambda: run("x**2", 1.0, G(1.1), 300),
    "a start at the minimum": lambda: run("x**2", 0.0, G(0.1), 300, stop=never()),
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_what_only_looks_like_it(make: Make) -> None:
    assert found("wasted_steps", make()) is None


def never() -> fallline.StoppingCondition:
    """A condition that no run here meets."""
    return fallline.StepSize(0.0)


def test_the_step_of_convergence() -> None:
    """Of x² at 1/4, whose value falls to a quarter each step: 4⁻ⁿ is within a millionth from n = 10 on."""
    told = the("wasted_steps", run("x**2", 1.0, G(0.25), 400, stop=never()))
    assert told.since == 10
    assert wasted_steps.remark
