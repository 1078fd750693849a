"""The finding that a run was too slow or ended too early."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.diagnosis.looks import A, G, M, Make, Runs, bowl, classes, found, line, network, run, the

import fallline

SHOWN: Runs = {
    "a thousandth of the limit": lambda: run(bowl(1, 2), [1, 1], G(1e-3), 200),
    "Adam with tiny steps": lambda: run(bowl(1, 2), [5, 5], A(1e-3), 300),
    "momentum": lambda: run(bowl(1, 4), [1, 1], M(1e-5), 300),
    "a network by Adam": lambda: run(network(), network().initial(0), A(1e-6), 200),
    "few steps": lambda: run(classes(), np.zeros(4), G(0.05), 25),
    "few epochs of batches": lambda: run(line().batches(8), np.zeros(4), G(1e-4), 60),
    "one row an epoch": lambda: run(line().batches(8), np.zeros(4), G(1e-4), 90, record=15),
    "along Rosenbrock's valley": lambda: run("rosenbrock", [-1.2, 1.0], G(0.001), 1000),
    "slower along it": lambda: run("rosenbrock", [-1.2, 1.0], G(0.0001), 1000),
    "along a curved valley of our own": lambda: run("(1 - x)**2 + 50*(y - x**3)**2", [-1.0, -1.0], G(0.001), 500),
    "a rate that moves nothing": lambda: run(bowl(1, 2), [1, 1], G(1e-14), 100),
}


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_runs_that_show_it(make: Make) -> None:
    assert the("too_slow", make()).remedies


FINE: Runs = {
    "a run that is there": lambda: run(bowl(1, 2), [1, 1], G(0.05), 400),
    "a value that falls by parts for ever": lambda: run("exp(-x)", [0.0], G(1.0), 2000),
    "a noise floor": lambda: run(line().batches(8), np.zeros(4), G(0.05), 500),
    "a rate that a schedule brings down": lambda: run(line(), np.zeros(4), G(fallline.Cosine(0.3, 200)), 200),
    "a separable problem": lambda: run(fallline.Logistic([-2.0, -1.0, 1.0, 2.0], [0, 0, 1, 1]), [0, 0], G(1.0), 2000),
    "a run that ends far up": lambda: run("x**2", 1.0, G(1.1), 50),
    "a valley at 5 % of the way": lambda: run("x**2 + 100*y**2", [1.0, 1.0], G(0.0098), 150),
    "Rosenbrock's valley to its end": lambda: run("rosenbrock", [-1.2, 1.0], G(0.002), 20_000),
    "a plateau": lambda: run("1 - exp(-(x - 4)**2)", [0.0], G(0.1), 200),
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_what_only_looks_like_it(make: Make) -> None:
    assert found("too_slow", make()) is None


def test_the_rate_that_is_proposed_is_half_of_the_limit() -> None:
    finding = the("too_slow", run(bowl(1, 4), [1, 1], G(1e-4), 200))
    assert finding.numbers["gain"] == pytest.approx(1, abs=1e-3)
    assert finding.remedies[0].settings == {"optimizer": G(0.25)}
    assert "too small" in finding.title


def test_a_run_with_a_good_rate_needs_more_steps() -> None:
    finding = the("too_slow", run(bowl(1, 1000), [1000.0, 0.1], G(1e-3), 400))
    assert "too early" in finding.title
    assert finding.remedies[0].settings == {"max_steps": 4000}


def test_the_part_that_the_last_tenth_made() -> None:
    """A straight fall makes a tenth in it."""
    finding = the("too_slow", run(bowl(1, 1), [1, 1], G(1e-6), 400))
    assert finding.numbers["late_fall"] == pytest.approx(0.1, rel=0.02)  # medians of tenths that share a row


@pytest.mark.parametrize("make", [SHOWN["one row an epoch"], SHOWN["a thousandth of the limit"]])
def test_a_first_run_that_waited_for_imports_is_told_the_same(make: Make) -> None:
    quick = make()
    assert the("too_slow", replace(quick, seconds=5.0)).title == the("too_slow", quick).title
