"""The finding that a run stayed on a plateau."""

from __future__ import annotations

import numpy as np
import pytest
from tests.diagnosis.looks import G, M, Make, Runs, bowl, classes, found, run, the

SHOWN: Runs = {
    "a bell": lambda: run("1 - exp(-(x - 3.5)**2)", [0.0], G(0.1), 200),
    "a bell in two coordinates": lambda: run("1 - exp(-(x - 3.5)**2 - y**2)", [0.0, 0.1], M(0.05), 200),
    "saturated": lambda: run("tanh(x - 4)**2", [0.0], G(0.5), 200),
    "a fraction": lambda: run("x**2/(1 + x**2)", [30.0], G(0.5), 200),
    "a saturated unit": lambda: run("(1/(1 + exp(-x)) - 1)**2", [-8.0], G(0.5), 200),
    "a fraction, after another coordinate fell": lambda: run("x**2/(1 + x**2) + 0.5*y**2", [120.0, 1.0], M(0.05), 300),
    "a slope below rounding": lambda: run("1/(1 + exp(-4*x**2))", [4.0], G(0.5), 300),
    "a slope below rounding, in two": lambda: run("1 - exp(-x**2 - y**2)", [5.0, 3.0], M(0.05), 300),
    "a well from afar, left at once": lambda: run(
        lambda x: 1 - np.exp(-((x - 2.2) ** 2).sum()),
        np.zeros(6),
        G(0.5),
        gradient=lambda x: 2 * (x - 2.2) * np.exp(-((x - 2.2) ** 2).sum()),
    ),
    "a start in the flat": lambda: run("-1/(1 + exp(x**2 - 9))", [4.5], G(0.1), 100),
}


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_runs_that_show_it(make: Make) -> None:
    assert the("plateau", make()).remedies


FINE: Runs = {
    "a minimum": lambda: run(bowl(1, 2), [1, 1], G(0.5), 200),
    "a value that falls for ever": lambda: run("exp(-x)", [0.0], G(1.0), 2000),
    "a plateau that ends": lambda: run("1 - exp(-(x - 1.5)**2)", [0.0], G(0.5), 400),
    "a rate that is too small": lambda: run(bowl(1, 2), [1, 1], G(1e-6), 200),
    "a step towards a minimum": lambda: run(bowl(1, 2), [1, 1], G(0.1), 1),
    "one minimum of several": lambda: run("x**2 - 10*cos(2*x)", [3.0], G(0.01), 300),
    "a flat minimum": lambda: run("x**4", 1.0, G(0.1), 2000),
    "a floor of zero slope that is the lowest": lambda: run("max(x, 0)", 1.0, G(0.3), 50),
    "label noise": lambda: run(classes(), np.zeros(4), G(1.0), 300),
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_what_only_looks_like_it(make: Make) -> None:
    assert found("plateau", make()) is None


def test_the_steepest_slope_on_the_way_down() -> None:
    """That of 1 - exp(-u²) is √(2/e), at u = 1/√2."""
    finding = the("plateau", run("1 - exp(-(x - 3.5)**2)", [0.0], G(0.1), 200))
    assert finding.numbers["steepest"] <= np.sqrt(2 / np.e) * (1 + 1e-12)
    assert finding.numbers["steepest"] > 100 * finding.numbers["slope"]
