"""The finding that the value jumped up in the middle of a run."""

from __future__ import annotations

import numpy as np
import pytest
from tests.diagnosis.looks import A, G, M, Make, bowl, classes, found, line, network, rows, run, the

import fallline
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck
from fallline.diagnosis.findings.loss_spike import loss_spike

SHOWN: dict[str, Make] = {
    "two steps at a huge rate": lambda: run(line().batches(16), np.zeros(4), G(jump(0.05, 6.0)), 300),
    "two such steps on all data": lambda: run(line(), np.zeros(4), G(jump(0.003, 6.0)), 300),
    "a network": lambda: run(network(), network().initial(0), G(jump(0.2, 20.0)), 400),
    "one row far off, in batches": lambda: run(far_off().batches(8), np.zeros(4), G(0.01), 300),
    "momentum, which takes some steps to climb": lambda: run(
        lambda x: (x**2).sum(), [3.0, 1.0], M(0.003, momentum=0.6), 300, gradient=Blow(100, 500.0)
    ),
    "a network that comes slowly back": lambda: run(
        network().batches(16), network().initial(0), G(jump(0.05, 10.0)), 300
    ),
    "one slope far too large": lambda: run(lambda x: (x**2).sum(), [2.0, 1.0], G(0.02), 200, gradient=Blow(60, 400.0)),
    "signs with one long step": lambda: run(bowl(1, 2), [3, 3], fallline.SignDescent(jump(0.02, 4.0)), 300),
}


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_runs_that_show_it(make: Make) -> None:
    finding = the(loss_spike, make())
    assert finding.evidence.endswith(".")
    assert finding.remedies


FINE: dict[str, Make] = {
    "descent": lambda: run(line(), np.zeros(4), G(0.1), 300),
    "batches": lambda: run(line().batches(4), np.zeros(4), G(0.05), 500),
    "batches of one": lambda: run(line().batches(1), np.zeros(4), G(0.05), 500),
    "a high floor of noise": lambda: run(line().batches(1), np.zeros(4), G(0.12), 600),
    "that of two classes": lambda: run(classes().batches(1), np.zeros(4), G(0.5), 600),
    "momentum": lambda: run(bowl(1, 10), [1, 1], M(0.02), 300),
    "Adam": lambda: run(network(), network().initial(0), A(0.05), 400),
    "a run that diverges from the start": lambda: run("x**2", 1.0, G(1.3), 100),
    "a jump at the start": lambda: run("(x*y - 1)**2", [3.0, 0.5], G(0.2), 400),
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_what_only_looks_like_it(make: Make) -> None:
    assert found(loss_spike, make()) is None


def jump(rate: float, large: float) -> fallline.PiecewiseConstant:
    """A rate that is far larger in the steps 150 and 151."""
    return fallline.PiecewiseConstant(rate, milestones=(150, 152), parts=(large / rate, 1.0))


def far_off() -> fallline.Linear:
    """The rows, one of them a thousand deviations away."""
    X, y = rows()
    X = X.copy()
    X[7] *= 40
    return fallline.Linear(X, y)


class Blow:
    """The slope of a bowl, one of them far too large."""

    def __init__(self, at: int, factor: float) -> None:
        self.calls, self.at, self.factor = 0, at, factor

    def __call__(self, x: np.ndarray) -> np.ndarray:
        self.calls += 1
        return 2 * x * (self.factor if self.calls == self.at else 1.0)


def test_the_step_and_the_height() -> None:
    result = run(line().batches(16), np.zeros(4), G(jump(0.05, 6.0)), 300)
    told = the(loss_spike, result)
    assert told.numbers["top"] == result.value[100:200].max()
    assert 149 <= told.since <= 152
    assert told.numbers["recovered"]


def test_one_row_for_each_epoch_is_too_few() -> None:
    with pytest.raises(CannotCheck, match="each epoch"):
        loss_spike.find(Case.of(run(line().batches(8), np.zeros(4), G(0.05), 300, record=15)))
