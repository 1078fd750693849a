"""The finding that epsilon outweighs the slopes."""

from __future__ import annotations

import numpy as np
import pytest
from tests.diagnosis.looks import A, G, Make, Runs, bowl, found, line, network, run, the

import fallline

SHOWN: Runs = {
    "Adam": lambda: run(line(), np.zeros(4), A(0.01, epsilon=1000.0)),
    "Adam as keras": lambda: run(line(), np.zeros(4), A(0.01, epsilon=1000.0, convention="keras")),
    "RMSProp": lambda: run(line(), np.zeros(4), fallline.RMSProp(0.01, epsilon=1000.0)),
    "AdamW": lambda: run(line(), np.zeros(4), fallline.AdamW(0.01, epsilon=1000.0)),
    "AdaGrad": lambda: run(line(), np.zeros(4), fallline.AdaGrad(0.01, epsilon=1000.0)),
    "slopes far below the usual epsilon": lambda: run("1e-12*x**2", [3.0], A(0.01), 200),
    "a network in batches": lambda: run(network().batches(16), network().initial(0), A(0.01, epsilon=100.0)),
}


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_runs_that_show_it(make: Make) -> None:
    assert the("epsilon_dominates", make()).remedies


FINE: Runs = {
    "Adam as it comes": lambda: run(line(), np.zeros(4), A(0.05), 400),
    "RMSProp as it comes": lambda: run(line(), np.zeros(4), fallline.RMSProp(0.01), 400),
    "a large epsilon that still learns": lambda: run(line(), np.zeros(4), A(0.3, epsilon=1.0), 400),
    "slopes that have gone": lambda: run(bowl(1, 2), [1, 1], A(0.05), 3000),
    "descent": lambda: run(bowl(1, 2), [1, 1], G(0.3), 100),
    "epsilon of zero": lambda: run(bowl(1, 2), [1, 1], A(0.05, epsilon=0.0), 300),
    "inside a wrapper": lambda: run(line(), np.zeros(4), fallline.ClipNorm(A(0.05)), 400),
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_what_only_looks_like_it(make: Make) -> None:
    assert found("epsilon_dominates", make()) is None


def test_the_part_of_the_step_that_is_left() -> None:
    """It is |g| / (|g| + ε) on a steady slope."""
    told = the("epsilon_dominates", run("1e-12*x**2", [3.0], A(0.01), 200))
    slope = told.numbers["slope"]
    assert told.numbers["part"] == pytest.approx(slope / (slope + 1e-8), rel=1e-6)


def test_the_usual_epsilon_is_proposed() -> None:
    told = the("epsilon_dominates", run(line(), np.zeros(4), A(0.01, epsilon=1000.0, convention="keras")))
    assert told.remedies[0].settings["optimizer"].epsilon == 1e-7
