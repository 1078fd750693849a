"""How far the conventions lead apart on the worked run."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fallline import Momentum, NotFinite, minimize
from fallline.experiments.convention_runs import OBJECTIVE, START, STEPS, largest_distance, worked_run
from fallline.optimizers import OPTIMIZERS, WRAPPERS


def test_with_one_rate_it_does_not_matter_where_the_rate_stands() -> None:
    # Inside the buffer or outside, a constant rate multiplies every gradient once: only roundings differ.
    optax = next(apart for apart in worked_run("momentum") if apart.convention == "optax")
    assert optax.by_formula < 1e-12


def test_a_default_that_differs_counts_by_default_alone() -> None:
    torch = next(apart for apart in worked_run("momentum") if apart.convention == "torch")
    runs = [minimize(OBJECTIVE, START, Momentum(rate), max_steps=STEPS, stop=NotFinite()) for rate in (0.01, 0.001)]
    apart = np.linalg.norm(runs[0].x - runs[1].x, axis=1).max()
    # Momentum's rate is 0.001 to torch; the rest is rounding.
    assert torch.by_default == pytest.approx(apart, rel=1e-12)
    assert torch.by_formula < 1e-12


@pytest.mark.parametrize("name", [*OPTIMIZERS, *WRAPPERS])
def test_every_rule_stays_finite_on_the_worked_run(name: str) -> None:
    paper, *others = worked_run(name)
    assert paper.by_default == paper.by_formula == 0
    for apart in others:
        assert math.isfinite(apart.by_default)
        assert math.isfinite(apart.by_formula)
        assert math.isfinite(apart.value)


def test_the_distance_is_taken_step_by_step() -> None:
    runs = [minimize("x", 0.0, "gradient_descent", max_steps=steps, stop=NotFinite()) for steps in (3, 5)]
    assert largest_distance(*runs) == 0
    fast = minimize("2*x", 0.0, "gradient_descent", max_steps=5, stop=NotFinite())
    # Each step of 0.01 gains as much on the run with half the slope.
    assert largest_distance(runs[1], fast) == pytest.approx(0.05, rel=1e-12)
