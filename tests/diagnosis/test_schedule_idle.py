"""The finding that a schedule never changed the rate."""

from __future__ import annotations

import numpy as np
import pytest
from tests.diagnosis.looks import G, Make, Runs, bowl, found, line, run, the

import fallline

SHOWN: Runs = {
    "steps beyond the end": lambda: run(line().batches(1), np.zeros(4), G(fallline.StepDecay(0.1, every=10_000)), 600),
    "milestones beyond the end": lambda: run(
        line().batches(1), np.zeros(4), G(fallline.MultiStep(0.1, milestones=(5000,))), 600
    ),
    "too much patience": lambda: run(
        line().batches(1), np.zeros(4), G(fallline.ReduceOnPlateau(0.1, patience=5000)), 600
    ),
    "signs": lambda: run(bowl(1, 2), [1, 1.5], fallline.SignDescent(fallline.StepDecay(0.1, every=5000)), 300),
    "a cycle": lambda: run("sqrt(1 + x**2)", [4.0], G(fallline.StepDecay(3.0, every=5000)), 300),
    "Lion": lambda: run(bowl(1, 2), [1, 1.5], fallline.Lion(fallline.StepDecay(0.1, every=5000)), 300),
}


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_runs_that_show_it(make: Make) -> None:
    assert the("schedule_idle", make()).remedies


FINE: Runs = {
    "a schedule that acts": lambda: run(line().batches(1), np.zeros(4), G(fallline.StepDecay(0.1, every=200)), 600),
    "a run that converged": lambda: run(bowl(1, 2), [1, 1], G(fallline.StepDecay(0.3, every=5000)), 300),
    "a run on its way": lambda: run(bowl(1, 2), [1, 1], G(fallline.StepDecay(0.003, every=5000)), 300),
    "no schedule": lambda: run(line().batches(1), np.zeros(4), G(0.1), 600),
    "a cosine": lambda: run(line().batches(4), np.zeros(4), G(fallline.Cosine(0.1, 600)), 600),
    "a plateau that it waits out": lambda: run(line(), np.zeros(4), G(fallline.ReduceOnPlateau(0.3, patience=50)), 400),
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_what_only_looks_like_it(make: Make) -> None:
    assert found("schedule_idle", make()) is None


def test_the_rate_and_the_schedule_that_is_proposed() -> None:
    told = the("schedule_idle", run("sqrt(1 + x**2)", [4.0], G(fallline.StepDecay(3.0, every=5000)), 300))
    assert told.numbers["rate"] == 3.0
    assert told.remedies[0].settings == {"optimizer": G(fallline.Cosine(3.0, 300))}
