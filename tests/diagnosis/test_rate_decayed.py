"""The finding that a rate fell to nearly nothing."""

from __future__ import annotations

import numpy as np
import pytest
from tests.diagnosis.looks import A, G, Make, Runs, bowl, found, line, network, run, the

import fallline

SHOWN: Runs = {
    "exponential": lambda: run(line(), np.zeros(4), G(fallline.Exponential(0.05, decay=0.8)), 200),
    "inverse time": lambda: run(line(), np.zeros(4), G(fallline.InverseTime(0.1, decay=10.0)), 300),
    "steps": lambda: run(line(), np.zeros(4), G(fallline.StepDecay(0.05, factor=0.1, every=5)), 200),
    "a cosine that ends early": lambda: run(line(), np.zeros(4), G(fallline.Cosine(0.05, steps=12)), 200),
    "a network": lambda: run(network(), network().initial(0), G(fallline.Exponential(0.1, decay=0.8)), 200),
    "AdaGrad from the top of a hill": lambda: run("x**4/4 - 30*x**2", [1e-3], fallline.AdaGrad(0.008), 250),
    "AdaGrad from two coordinates": lambda: run(
        "x**4/4 - 30*x**2 + (y - 1)**2", [1e-3, 0.0], fallline.AdaGrad(0.008), 250
    ),
}


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_runs_that_show_it(make: Make) -> None:
    assert the("rate_decayed", make()).remedies


FINE: Runs = {
    "a cosine to the end": lambda: run(line(), np.zeros(4), G(fallline.Cosine(0.3, 200)), 200),
    "after convergence": lambda: run(line(), np.zeros(4), G(fallline.Exponential(0.5, decay=0.9)), 200),
    "AdaGrad": lambda: run(bowl(1, 5), [1, 1], fallline.AdaGrad(0.5), 400),
    "Adam": lambda: run(bowl(1, 5), [1, 1], A(0.05), 400),
    "descent": lambda: run(bowl(1, 5), [1, 1], G(0.3), 100),
    "steps at a plateau": lambda: run(line().batches(8), np.zeros(4), G(fallline.StepDecay(0.1, every=200)), 600),
    "a rate that was large for two steps": lambda: run(
        line(),
        np.zeros(4),
        G(fallline.PiecewiseConstant(0.002, milestones=(50, 52), parts=(150.0, 1.0))),
        200,
    ),
    "RMSProp, which divides by a mean": lambda: run(
        line(), np.ones(4), fallline.WeightDecay(fallline.RMSProp(0.01), decay=10.0, convention="torch"), 250
    ),
    "a warm-up": lambda: run(line(), np.zeros(4), G(fallline.WarmUp(0.3, steps=50, start=0.001)), 300),
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_what_only_looks_like_it(make: Make) -> None:
    assert found("rate_decayed", make()) is None


def test_the_step_from_which_on_the_rate_is_gone() -> None:
    """0.8ⁿ is below a hundredth from n = 21 on."""
    finding = the("rate_decayed", run(line(), np.zeros(4), G(fallline.Exponential(0.05, decay=0.8)), 200))
    assert finding.since == 21
    assert finding.numbers["part"] == pytest.approx(0.8**199)
