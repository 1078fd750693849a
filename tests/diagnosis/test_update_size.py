"""The finding that updates are too small or too large beside the weights."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.diagnosis.looks import A, G, Make, Runs, found, network, run, the

import fallline
from fallline.diagnosis.case import Case
from fallline.diagnosis.findings.of_data import update_size as size_file

SHOWN: Runs = {
    "Adam with tiny steps": lambda: run(network(), network().initial(0), A(1e-7), 200),
    "descent with tiny steps": lambda: run(network(), network().initial(0), G(1e-7), 200),
    "signs with tiny steps": lambda: run(network(), network().initial(0), fallline.SignDescent(1e-7), 200),
    "large weights": lambda: run(network(), 1e4 * network().initial(0), G(1e-6), 100),
    "signs with huge steps": lambda: run(network(), network().initial(0), fallline.SignDescent(1.0), 60),
    "Lion with huge steps": lambda: run(network(), network().initial(0), fallline.Lion(1.0), 60),
    "Adam with huge steps": lambda: run(network(), network().initial(0), A(5.0), 30),
}


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_runs_that_show_it(make: Make) -> None:
    assert the("update_size", make()).remedies


FINE: Runs = {
    "descent": lambda: run(network(), network().initial(0), G(0.3), 1500),
    "Adam": lambda: run(network(), network().initial(0), A(0.02), 400),
    "batches": lambda: run(network().batches(16), network().initial(0), A(0.01), 400),
    "small weights": lambda: run(network(), 0.01 * network().initial(0), A(0.02), 400),
    "ReLU": lambda: run(network(activation="relu"), network(activation="relu").initial(0), A(0.01), 500),
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_what_only_looks_like_it(make: Make) -> None:
    assert found("update_size", make()) is None


def test_the_ratio_is_that_of_the_norms() -> None:
    result = run(network(), network().initial(0), fallline.SignDescent(1e-7), 200)
    x = result.x
    ratio = np.median(np.linalg.norm(np.diff(x, axis=0), axis=1) / np.linalg.norm(x[:-1], axis=1))
    assert the("update_size", result).numbers["ratio"] == pytest.approx(ratio)


@pytest.mark.parametrize(
    ("values", "reached", "poor"),
    [
        # A twentieth of the fall from 10 is left, to the lowest value or to what a descent reaches.
        ([10.0, 1.0, 1.6], 2.0, True),
        ([10.0, 1.0, 1.4], 2.0, False),
        ([10.0, 2.5, 2.6], 2.0, True),
        ([10.0, 2.4, 2.3], 2.0, False),
        ([10.0, 10.5, 11.0], 11.0, True),
        ([10.0, 1.0, np.nan], 1.0, True),
        ([np.nan, np.nan, np.nan], 1.0, True),
    ],
)
def test_how_much_is_left(values: list[float], reached: float, poor: bool) -> None:
    path = run("x**2", 1.0, G(1e-4), 2)
    case = Case.of(dataclasses.replace(path, value=np.array(values)))
    vars(case)["from_end"] = case.from_end._replace(end=reached)
    assert size_file._poor(case, 0.05) == poor
