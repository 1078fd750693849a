"""The finding that the learning rate is above the stability limit."""

from __future__ import annotations

import numpy as np
import pytest
from tests.diagnosis.looks import A, G, M, Make, bowl, classes, found, line, network, rows, run, the

import fallline
from fallline.diagnosis import diagnose
from fallline.diagnosis.findings.rate_too_large import rate_too_large


def relu_on_unscaled_data() -> fallline.Trajectory:
    random = np.random.default_rng(0)
    X = random.uniform(0, 16, size=(400, 20))
    y = np.argmax(X[:, :4] + random.normal(size=(400, 4)), axis=1)
    loss = fallline.Network(X, y, hidden=(16,), activation="relu")
    return run(loss, loss.initial(0), G(1.0), 300)


OVER: dict[str, Make] = {
    "x**2 at 1.1 reaches 1e79": lambda: run("x**2", 1.0, G(1.1), 500),
    "just above the limit": lambda: run(bowl(1, 2), [1, 1], G(1.03), 100),
    "overflow in a few steps": lambda: run("x**4", 3.0, G(0.1), 50),
    "heavy ball": lambda: run(bowl(1, 10), [1, 1], M(0.4, momentum=0.9), 60),
    "Nesterov momentum": lambda: run(bowl(1, 10), [1, 1], fallline.Nesterov(0.15), 60),
    "a bounded swing": lambda: run("sqrt(1 + x**2) + 0.1*y**2", [3.0, 1.0], G(2.7), 200),
    "Rosenbrock's valley": lambda: run("rosenbrock", [0.9, 0.9], G(0.004), 300),
    "least squares": lambda: run(line(), np.zeros(4), G(3.0), 80),
    "logistic regression": lambda: run(classes(), np.zeros(4), G(60.0), 150),
    "batches": lambda: run(line().batches(16), np.zeros(4), G(3.0), 80),
    "a network": lambda: run(network(), network().initial(0), G(20.0), 150),
    "Adam on a network": lambda: run(network(), network().initial(0), A(30.0), 60),
    "thrown onto a plateau": relu_on_unscaled_data,
}


@pytest.mark.parametrize("make", OVER.values(), ids=OVER)
def test_steps_that_overshoot(make: Make) -> None:
    with np.errstate(all="ignore"):
        finding = the(rate_too_large, make())
    assert "uphill" in finding.evidence
    assert finding.remedies
    assert finding.remedies[0].settings["optimizer"].rate(1) < finding.numbers["rate"]


# The value falls up to the edge of where there is one, beyond which any rate comes.
EDGES: dict[str, Make] = {
    "a root": lambda: run("x + sqrt(x - 1) + y**2", [3.0, -1.0], G(0.8), 50),
    "an arc": lambda: run("acos(x)**2 + y**2", [0.0, 1.0], G(0.5), 50),
    "a logarithm": lambda: run("(x + 2)**2 - 0.01*log(x)**2", [1.0], G(0.1), 50),
}


@pytest.mark.parametrize("make", EDGES.values(), ids=EDGES)
def test_a_domain_that_is_left_at_any_rate(make: Make) -> None:
    assert [finding.name for finding in diagnose(make(), proof=False)] == ["not_finite"]


def test_a_step_over_a_minimum_and_the_barrier_behind_it() -> None:
    """x - log(x) is lowest at 1 and rises towards 0, so that a shorter step stays inside."""
    found_first = [finding.name for finding in diagnose(run("x - log(x)", [3.0], G(5.0), 50), proof=False)]
    assert found_first == ["rate_too_large", "not_finite"]


@pytest.mark.parametrize(
    ("formula", "start", "rate"), [("x*log(x)", 3.0, 1.5), ("x**2 - log(x)", 3.0, 0.6), ("x - 2*sqrt(x)", 9.0, 14.0)]
)
def test_a_limit_below_the_rate_is_told_though_nothing_steep_was_seen(formula: str, start: float, rate: float) -> None:
    finding = the(rate_too_large, run(formula, start, G(rate), 10))
    assert finding.numbers["limit"] < finding.numbers["rate"] == rate
    # Of the two heights, only the first is finite.
    assert "the value went from" in finding.evidence


def test_raw_columns_allow_a_hundred_thousandth_of_the_rate() -> None:
    X, y = rows()
    raw = fallline.Linear(X * [1.0, 30.0, 800.0], y)
    over = run(raw, np.zeros(4), G(0.1), 60)
    assert the(rate_too_large, over).numbers["limit"] == pytest.approx(2 / raw.smoothness(), rel=0.01)
    assert [finding.name for finding in diagnose(over, proof=False)][:1] == ["rate_too_large"]


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        (G(0.3), 2 / 8),
        (M(0.6, momentum=0.9), 2 * 1.9 / 8),
        (M(0.8, momentum=0.9, convention="torch"), 2 * 1.9 / 8),
        (fallline.Nesterov(0.3, momentum=0.9), 2 * 1.9 / 2.8 / 8),
    ],
    ids=lambda value: str(value)[:12],
)
def test_the_limit_is_that_of_the_closed_form(rule: fallline.Optimizer[None], limit: float) -> None:
    """2 / λ; 2 (1 + β) / λ for the heavy ball; 2 (1 + β) / (1 + 2 β) / λ for Nesterov momentum."""
    finding = the(rate_too_large, run(bowl(1, 8), [1, 1], rule, 60))
    assert finding.numbers["limit"] == pytest.approx(limit, rel=1e-3)  # Lanczos stops at a thousandth


def test_the_share_of_steps_uphill_and_the_halved_limit() -> None:
    finding = the(rate_too_large, run("x**2", 1.0, G(1.1), 100))
    assert finding.numbers["uphill"] == 1
    assert finding.remedies[0].settings == {"optimizer": G(0.5)}
    assert finding.remedies[0].command == "--learning-rate 0.5"
    assert finding.since == 0


def test_the_overshoot_of_the_first_steps_is_told_and_not_the_plateau_they_lead_to() -> None:
    result = relu_on_unscaled_data()
    assert result.final.gradient_norm < 0.1
    finding = the(rate_too_large, result)
    assert "threw" in finding.evidence
    assert finding.since < 3
    assert {"plateau", "dead_units", "constant_predictor"} <= set(rate_too_large.leads_to)


def test_a_run_without_its_middle_is_judged_by_its_first_steps() -> None:
    loss = line().batches(16)
    finding = the(rate_too_large, run(loss, np.zeros(4), G(4.0), 80, record=8))
    assert finding.numbers["steps"] <= 10


FINE: dict[str, Make] = {
    "a slide to flatter curvature": lambda: run("(x*y - 1)**2", [3.0, 0.5], G(0.15), 400),
    "a network at the edge of stability": lambda: run(network(), network().initial(0), G(0.6), 800),
    "momentum that rings": lambda: run(bowl(1, 4), [1, 1], M(0.05, momentum=0.95), 600),
    "one jump at first": lambda: run("log(cosh(3*x)) + 0.05*x**2", [0.3], G(0.2), 300),
    "small batches": lambda: run(line().batches(4), np.zeros(4), G(0.1), 500),
    "batches started at their best": lambda: run(
        line().batches(4), run(line(), np.zeros(4), G(0.5)).final.x, G(0.05), 400
    ),
    "signs that dither": lambda: run(bowl(1, 3), [1, 1], fallline.SignDescent(0.1), 200),
    "Adam in full batches": lambda: run(bowl(1, 100), [1, 1], A(0.1), 600),
    "a gradient of the wrong sign": lambda: run(lambda x: x[0] ** 2, [1.0], G(0.1), 60, gradient=lambda x: -2 * x),
    "a line search": lambda: run("rosenbrock", [-1.2, 1], G(fallline.Backtracking()), 200),
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_what_only_looks_like_it(make: Make) -> None:
    assert found(rate_too_large, make()) is None
