"""The finding that a run zig-zags across a narrow valley."""

from __future__ import annotations

import numpy as np
import pytest
from tests.diagnosis.looks import A, G, M, Make, Runs, bowl, found, network, run, the

import fallline

SHOWN: Runs = {
    "condition 100": lambda: run(bowl(1, 100), [1, 1], G(0.0192), 45),
    "condition 1000": lambda: run(bowl(1, 1000), [10, 1], G(0.00195), 100),
    "three coordinates": lambda: run(bowl(1, 30, 500), [1, 1, 1], G(0.0039), 60),
    "condition 200": lambda: run(bowl(1, 200), [5, 1], G(0.0097), 60),
    "a function": lambda: run(
        lambda x: 0.5 * (x[0] ** 2 + 300 * x[1] ** 2), [1.0, 1.0], G(0.0065), 60, gradient=lambda x: x * [1, 300]
    ),
    "nearly equal columns": lambda: run(twins(), [3.0, 1.0, 0.0], G(0.97), 45),
}


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_runs_that_show_it(make: Make) -> None:
    assert the("zigzag", make()).remedies


FINE: Runs = {
    "a round bowl": lambda: run(bowl(1, 1.5), [1, 1], G(1.3), 60),
    "one coordinate": lambda: run("x**2", 1.0, G(0.95), 40),
    "a valley walked to its end": lambda: run(bowl(1, 50), [1, 1], G(0.039), 600),
    "a valley without turns": lambda: run(bowl(1, 100), [1, 1], G(0.005), 100),
    "momentum": lambda: run(bowl(1, 100), [1, 1], M(0.02, momentum=0.67), 100),
    "Adam": lambda: run(bowl(1, 100), [1, 1], A(0.1), 200),
    "RMSProp, whose steps turn about in each coordinate": lambda: run(
        network(), network().initial(0), fallline.RMSProp(0.01), 600
    ),
    "descent on a network at the edge of stability": lambda: run(network(), network().initial(0), G(0.9), 1000),
    "L-BFGS": lambda: run("rosenbrock", [-1.2, 1], fallline.LBFGS()),
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_what_only_looks_like_it(make: Make) -> None:
    assert found("zigzag", make()) is None


def twins() -> fallline.Linear:
    """Two columns that are nearly the same, of deviation about 1."""
    random = np.random.default_rng(0)
    first = random.normal(size=100)
    X = np.column_stack([first, first + 0.05 * random.normal(size=100)])
    return fallline.Linear(X, X @ [2.0, -1.0])


def test_the_condition_number() -> None:
    finding = the("zigzag", run(bowl(1, 100), [1, 1], G(0.0192), 45))
    assert finding.numbers["condition"] == pytest.approx(100, rel=1e-3)  # Lanczos stops at a thousandth
    assert finding.numbers["turned"] > 0.5


def test_the_first_remedy_is_polyaks_momentum() -> None:
    """η = 4 / (√L + √μ)² and β = ((√κ - 1) / (√κ + 1))²: 4 / 121 and (9 / 11)², with two digits."""
    rule = the("zigzag", run(bowl(1, 100), [1, 1], G(0.0192), 45)).remedies[0].settings["optimizer"]
    assert (rule.learning_rate, rule.momentum) == (0.033, 0.67)
