"""The conditions of some findings, each with numbers on either side of it."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import A, G, altered, bowl, line, run, well_told

import fallline
from fallline import Linear, minimize
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Check, check
from fallline.diagnosis.findings import (
    all_checks,
    clipping_always,
    decay_dominates,
    epsilon_dominates,
    no_warm_up,
    plateau,
    rate_too_large,
    saddle,
    schedule_idle,
    too_slow,
    two_cycle,
    zigzag,
)
from fallline.diagnosis.findings.of_data import noise_floor, sorted_batches
from fallline.diagnosis.known import Series
from fallline.diagnosis.steps import measured_steps
from fallline.gradients import with_gradient
from fallline.objectives import as_objective
from fallline.stopping import ROUNDING


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.name)
def test_every_check_says_what_it_looks_for_and_where_that_is_from(check: Check) -> None:
    names = [one.name for one in all_checks()]
    assert check.find.__name__ == check.name
    assert re.fullmatch(r"[a-z].*[^.]", check.about)
    assert re.search(r"\b(19|20)\d\d\b", check.source)
    assert set(check.leads_to) <= set(names) - {check.name}
    assert check.measure == ("held_out" if check.name == "overfitting" else "value")
    assert check.remark == (check.name in ("converged", "lower_seen", "wasted_steps"))


def test_a_check_has_what_it_is_given() -> None:
    def odd(case: Case) -> None:
        """Find nothing."""

    parts: dict[str, Any] = {"leads_to": ("other",), "ignore": "never", "source": "nobody (2000)"}
    made = check("it is odd", **parts, remark=True, measure="held_out")(odd)
    assert made == Check("odd", "it is odd", odd, ("other",), "never", "nobody (2000)", True, "held_out")
    plain = check("it is odd")(odd)
    assert plain == Check("odd", "it is odd", odd, (), "", "", False, "value")


def case_of(values: list[float], x: list[float], objective: Any = "", **numbers: Any) -> Case:
    """A case of a run with these values that ended at x, with some numbers in place of those measured of it."""
    path = run(objective or bowl(*[1] * len(x)), x, G(1e-4), len(values) - 1, stop=fallline.Target(-9.0))
    tiled = np.tile(x, (len(values), 1)).astype(float)
    return altered(Case.of(replace(path, value=np.array(values), x=tiled)), **numbers)


def stranded(**changed: Any) -> bool:
    """A run that ended at 10, without slope and curvature, where 0 was in reach of its start at 10."""
    known: dict[str, Any] = {"values": [10.0, 10.0], "x": [1.0, -2.0], "from_end__slope": 0.0, "from_start__end": 0.0}
    known |= {"from_start__steepest": 100.0, "spectrum__highest": 0.0, "spectrum__lowest": 0.0}
    return plateau._stranded(case_of(**known | changed))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, True),
        # A tenth of the fall must be left, beyond rounding.
        ({"from_start__end": 8.9, "values": [19.9, 10.0]}, False),
        ({"from_start__end": 8.9, "values": [19.7, 10.0]}, True),
        ({"values": [10.0, 0.0, 10.0], "from_start__end": 9.9}, True),
        ({"from_start__end": 10 - 5 * ROUNDING}, False),
        ({"from_start__end": 10 - 15 * ROUNDING}, True),
        # The slope, and the curvature times the size, are below 1e-4 of the steepest slope.
        ({"from_end__slope": 0.0099}, True),
        ({"from_end__slope": 0.0101}, False),
        ({"spectrum__highest": 0.0049}, True),
        ({"spectrum__highest": 0.0051}, False),
        ({"spectrum__lowest": -0.0051}, False),
        ({"spectrum__highest": 0.0049, "spectrum__lowest": -0.003}, True),
        ({"spectrum__highest": 0.1, "x": [0.09]}, True),
        ({"spectrum__highest": 0.1, "x": [0.11]}, False),
    ],
)
def test_where_a_run_is_stranded(changed: dict[str, Any], told: bool) -> None:
    assert stranded(**changed) == told


def test_where_no_curvature_is_known_no_run_is_stranded() -> None:
    case = case_of([10.0, 10.0], [1.0, -2.0], from_end__slope=0.0, from_start__end=0.0, from_start__steepest=100.0)
    vars(case.objective)["rereads"] = True
    assert not plateau._stranded(case)


def further(curved: float = 1.0, **changed: Any) -> float | None:
    """A run from 10 that ended at 5 with the slope 1, from where L-BFGS reaches 1."""
    known: dict[str, Any] = {"values": [10.0, 5.0], "x": [1.0, 1.0], "from_end__slope": 1.0, "from_end__start": 5.0}
    known |= {"from_end__end": 4.9, "from_start__steepest": 100.0, "spectrum__lowest": -1.0}
    case = case_of(**known | changed)
    reached = case.curved_from_end
    vars(case)["curved_from_end"] = replace(reached, value=np.full(len(reached), curved))
    return plateau._further(case)


@pytest.mark.parametrize(
    ("changed", "reached"),
    [
        ({}, 1.0),
        # Descent makes less than a twentieth of it, or the slope is gone.
        ({"from_end__end": 4.81}, 1.0),
        ({"from_end__end": 4.79}, None),
        ({"from_end__end": 4.75, "curved": 0.0}, None),
        ({"from_end__end": 4.0, "from_end__slope": 0.0099}, 1.0),
        ({"from_end__end": 4.0, "from_end__slope": 0.0101}, None),
        # A tenth of the fall from the start.
        ({"curved": 4.4, "from_end__end": 5.0}, 4.4),
        ({"curved": 4.5, "from_end__end": 5.0}, None),
        ({"curved": 0.0, "from_end__end": 5.0, "values": [10.0, 1.0]}, None),
        ({"objective": line(), "x": [1.0] * 4}, None),
        ({"from_end__slope": 0.0}, None),
        # Where it curves up and slopes by too little to fall by 1e-4 of the fall: 1 / (2 λ).
        ({"spectrum__lowest": 1001.0}, None),
        ({"spectrum__lowest": 999.0}, 1.0),
        ({"from_end__slope": 2.0, "spectrum__lowest": 4001.0}, None),
        ({"from_end__slope": 2.0, "spectrum__lowest": 3999.0}, 1.0),
    ],
)
def test_what_is_reached_from_a_plateau(changed: dict[str, Any], reached: float | None) -> None:
    assert further(**changed) == reached


def beyond(value: Any, of_data: bool = False, **changed: Any) -> float | None:
    """A run at a half, or at a larger point, with the slope 1e-6 and no curvature."""
    known: dict[str, Any] = {"values": [10.0, 5.0], "x": [0.5], "from_end__slope": 1e-6, "from_end__start": 5.0}
    known |= {"spectrum__highest": 0.0, "spectrum__lowest": 0.0}
    known["objective"] = with_gradient(as_objective(value, None), lambda x: 1e-6, np.ones(1))
    case = case_of(**known | changed)
    vars(case.objective)["of_data"] = of_data
    return plateau._beyond(case)


@pytest.mark.parametrize(
    ("value", "changed", "lowest"),
    [
        # Twice the size of the point on either side, where that is 1 at least.
        (lambda x: 1.0 if abs(x - 0.5) > 1.99 else 5.0, {}, 1.0),
        (lambda x: 1.0 if abs(x - 0.5) > 2.01 else 5.0, {}, None),
        (lambda x: 1.0 if x > 2.4 else 5.0, {}, 1.0),
        (lambda x: 1.0 if x < -1.4 else 5.0, {}, 1.0),
        (lambda x: 1.0 if x > 11.9 else 5.0, {"x": [4.0]}, 1.0),
        (lambda x: 1.0 if x > 12.1 else 5.0, {"x": [4.0]}, None),
        (lambda x: 4.49 if x > 2.4 else np.nan if x > 0.6 else 5.0, {}, 4.49),
        (lambda x: 4.51 if x > 2.4 else 5.0, {}, None),
        (lambda x: 1.0 if x > 2.4 else 5.0, {"of_data": True}, None),
        (lambda x: 5.0 if x == 0.5 else np.nan, {}, None),
        (lambda x: 1.0 if x > 2.4 else 5.0, {"from_end__slope": 0.0}, None),
        # Slope and curvature promise less than 1e-4 of the fall of 4.
        (lambda x: 1.0 if x > 2.4 else 5.0, {"spectrum__highest": 3.9e-4}, 1.0),
        (lambda x: 1.0 if x > 2.4 else 5.0, {"spectrum__lowest": -4.1e-4}, None),
    ],
)
def test_what_lies_beyond_a_plateau(value: Any, changed: dict[str, Any], lowest: float | None) -> None:
    assert beyond(value, **changed) == lowest


def crawls(before: float = 2.0, after: float = 1.5, end: float = 1.0, objective: Any = "x**2", size: int = 1,
           once: float = 9.0, converged: bool = False, stochastic: bool = False) -> bool:  # fmt: skip
    """A run whose level went from 2 to 1.5 in its last tenths, with 0 at 1 from there and 2 from the start."""
    path = run(objective, [2.0] * size, G(1e-6), 100, stop=fallline.Target(-9.0))
    value = np.repeat([9.0, once, 9.0, before, after], [40, 1, 39, 10, 11])
    x, stop = np.linspace(2.0, end, 101)[:, None] * np.ones(size), replace(path.stop, converged=converged)
    case = Case.of(replace(path, value=value, x=x, stop=stop))
    vars(case.objective)["stochastic"] = stochastic
    return too_slow._crawls(case)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, True),
        ({"objective": line(), "size": 4}, False),
        ({"objective": bowl(*[1] * 20), "size": 20}, True),
        ({"objective": bowl(*[1] * 21), "size": 21}, False),
        ({"converged": True}, False),
        ({"stochastic": True}, False),
        ({"once": 1.4}, False),
        ({"before": 1.5}, False),
        # Farther than a quarter of the way from the minimum.
        ({"end": 0.51}, True),
        ({"end": 0.49}, False),
        # What is left shrinks by no more than half, and by a thousandth at least.
        ({"before": 3.1}, False),
        ({"before": 1.501}, False),
        ({"before": 1.502}, True),
        # A thousandth of the fall is left.
        ({"before": 0.012, "after": 0.0091}, True),
        ({"before": 0.012, "after": 0.0089}, False),
        ({"objective": "x**2 - 1", "before": -0.985, "after": -0.9899}, True),
        ({"objective": "x**2 - 1", "before": -0.985, "after": -0.9901}, False),
    ],
)
def test_a_run_that_crawls(changed: dict[str, Any], told: bool) -> None:
    assert crawls(**changed) == told


@pytest.mark.parametrize("least", [0.0, 5.0])
def test_what_is_told_of_a_run_that_crawls(least: float) -> None:
    path = run(f"100*(y - x**2)**2 + (1 - x)**2 + {least!r}", [-1.2, 1.0], G(0.001), 1000)
    case = Case.of(path)
    assert too_slow._crawls(case)
    finding = well_told(too_slow._crawling(case), "too_slow")
    assert (finding.title, finding.since) == ("The run ended too early", 0)
    faster, longer = finding.remedies
    assert faster.settings["optimizer"] == fallline.LBFGS()
    assert (longer.text, longer.command) == ("max_steps=10000", "--max-steps 10000")
    assert longer.settings == {"max_steps": 10_000}
    before, after = (float(np.median(path.value[begin : begin + 100])) - least for begin in (800, 900))
    assert f"{1 - after / before:.0%} less over the last tenth of the 1000 steps" in finding.evidence
    assert finding.numbers["left"] == pytest.approx(after / (path.value[0] - least), rel=1e-2)


@pytest.mark.parametrize(
    ("formula", "x", "direction", "fall"),
    [
        ("x**2 - y**2", [0.0, 0.0], [0.0, 1.0], 1.0),
        ("x**2 - y**2", [0.0, 0.0], [1.0, 0.0], None),
        ("x**2 - y**2", [4.0, 0.0], [0.0, 1.0], 16.0),
        ("x**2 - y**2 + y**3/10", [0.0, 0.0], [0.0, 1.0], 1.1),
        ("x**2 - 1e-11*y**2", [0.0, 0.0], [0.0, 1.0], None),
        ("log(1 - y) + x", [0.0, 0.0], [0.0, 0.5], None),
    ],
)
def test_the_escape_from_a_saddle(formula: str, x: list[float], direction: list[float], fall: float | None) -> None:
    objective = as_objective(formula, 2)
    start = np.array(x)
    found = saddle._escape(objective, start, float(objective.value(start)), np.array(direction))
    if formula.startswith("log"):
        # At a distance of 1 along half of y, where log(1/2) is the lowest.
        assert found is not None
        assert found.fall == pytest.approx(np.log(2))
        assert found.step.tolist() == [0.0, 0.5]
    elif fall is None:
        assert found is None
    else:
        assert found is not None
        assert found.fall == pytest.approx(fall)
        assert objective.value(start + found.step) == pytest.approx(float(objective.value(start)) - fall)


@pytest.mark.parametrize(
    ("lengths", "rests"),
    [
        ([1.0] + [0.5] * 8 + [0.099], True),
        ([1.0] + [0.5] * 8 + [0.101], False),
        # Of the last tenth the median counts, of the first ten the largest.
        ([1.0] * 10 + [9.0] * 80 + [0.05] * 10, True),
        ([1.0] * 10 + [9.0] * 89 + [0.05], False),
        ([1.0] * 10 + [9.0] * 80 + [0.5] * 10, False),
    ],
)
def test_steps_that_came_to_rest(lengths: list[float], rests: bool) -> None:
    path = run("x**2", 1.0, G(1e-4), len(lengths))
    moved = replace(path, x=np.cumsum([0, *lengths])[:, None])
    assert rate_too_large._rests(measured_steps(moved, len(lengths))) == rests


def test_where_the_limit_comes_from() -> None:
    steep = run(bowl(1, 8), [1, 1], G(0.3), 5)
    seen = rate_too_large._limit(Case.of(steep), 0.3, 0.1)
    assert seen.rate == pytest.approx(0.25)
    assert seen.words == "The steepest curvature seen, 8, allows 0.25"
    # It allows the rate; no curvature is too steep for Adam; and none is seen without the objective.
    others = [(steep, 0.2), (run(bowl(1, 8), [1, 1], A(0.3), 5), 0.3), (replace(steep, objective=None), 0.3)]
    for path, used in others:
        tried = rate_too_large._limit(Case.of(path), used, 0.1)
        assert (tried.rate, tried.words) == (0.1, "Steps of a rate of 0.1 would have gone downhill")


@pytest.mark.parametrize(
    ("limit", "used", "rates"),
    [(0.5, 1.0, [0.25, 0.025]), (5.0, 1.0, [0.5, 0.05]), (0.1, 1.0, [0.05]), (0.05, 1.0, [0.025])],
)
def test_half_of_the_limit_is_offered_and_adam(limit: float, used: float, rates: list[float]) -> None:
    def offered(formula: str, start: list[float], rule: Any) -> list[Any]:
        case = Case.of(run(formula, start, rule, 1))
        return [one.settings["optimizer"] for one in rate_too_large._remedies(case, limit, used)]

    # Adam goes a hundredth of the median size of a coordinate per step.
    assert offered(bowl(1, 1, 1), [5.0, 300.0, -200.0], G(used)) == [*map(G, rates), A(2.0)]
    assert offered("x**2", [0.1], G(used))[-1] == A(0.01)
    assert offered("x**2", [0.1], A(used)) == [*map(A, rates)]


@pytest.mark.parametrize("steps", [4, 5, 7, 8])
def test_how_far_predictions_lean_towards_the_rows_seen_last(steps: int) -> None:
    y = np.repeat([0.0, 1.0, 2.0, 3.0], 6)
    loss = Linear(np.zeros((24, 1)), y)
    batches = loss.batches(6, order="sequential")
    path = minimize(batches, [0.0, 1.5], G(0.1), max_steps=steps)
    case = Case.of(path)
    number = (steps - 1) % 4
    # The mean target is 1.5, that of the last batch its number.
    expected = (path.final.x[1] - 1.5) / (number - 1.5)
    assert sorted_batches._lean(case, 6) == pytest.approx(expected, rel=1e-9)


def test_targets_that_are_alike_on_average_lean_nowhere() -> None:
    batches = Linear(np.zeros((24, 1)), np.resize([0.0, 3.0], 24)).batches(6, order="sequential")
    assert sorted_batches._lean(Case.of(minimize(batches, [0.0, 0.5], G(0.1), max_steps=4)), 6) == 0


@pytest.mark.parametrize(("every", "known"), [(1, True), (3, False)])
def test_how_far_the_loss_swings_within_an_epoch(every: int, known: bool) -> None:
    y = np.repeat([0.0, 1.0, 2.0, 3.0], 6)
    batches = Linear(np.zeros((24, 1)), y).batches(3, order="sequential", epoch_value="full")
    path = minimize(batches, [0.0, 1.5], G(0.3), max_steps=64, record=every)
    swing = sorted_batches._swing(Case.of(path), 8)
    if known:
        # Epochs are counted from the end.
        swings = [np.ptp(epoch) / abs(np.median(epoch)) for epoch in path.value[1:].reshape(-1, 8)]
        assert swing == pytest.approx(np.median(swings), rel=1e-12)
    else:
        assert swing == 0


def test_a_short_descent_is_made_on_some_rows_and_judged_on_others() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(600, 2))
    loss = Linear(X, X @ [1.0, -2.0] + 0.5 * random.normal(size=600))
    case = Case.of(minimize(loss, np.zeros(3), G(0.1), max_steps=30))
    few, others = case.probes
    assert (few.rows, others.rows) == (100, 200)
    assert case.from_end.start == pytest.approx(float(few.value(case.run.final.x)))
    assert case.from_start.start == pytest.approx(float(few.value(case.run.start.x)))
    reach = case.reach
    assert (reach.start, reach.end) == pytest.approx(
        (float(others.value(case.run.start.x)), float(others.value(case.run.final.x)))
    )
    assert reach.tried == pytest.approx(float(others.value(case.from_start.x)))
    small = Case.of(minimize(Linear(X[:399], X[:399, 0]), np.zeros(3), G(0.1), max_steps=3))
    assert small.probes == (small.loss, small.loss)


@pytest.mark.parametrize(
    ("steps", "x", "rate"), [(50, [0.5], 0.1), (200, [0.5], 0.05), (1000, [-30.0, 2.0], 0.3), (1, [1.0], 0.1)]
)
def test_remedies_of_a_plateau(steps: int, x: list[float], rate: float) -> None:
    """Adam, whose steps together go ten times as far as the point is from zero; ten times the rate; another start."""
    flat = run(" + ".join(f"0*x{i}" for i in range(len(x))), x, G(0.1), steps, stop=fallline.Target(-1.0))
    assert flat.step_count == steps

    def offered(rule: Any) -> Any:
        return plateau._remedies(Case.of(replace(flat, rule=rule)))

    adam, faster, start = offered(G(0.1))
    assert adam.settings["optimizer"] == A(rate)
    assert faster.settings["optimizer"] == G(1.0)
    assert (start.text, start.settings) == ("start from another point", {})
    assert [one.settings.get("optimizer") for one in offered(A(0.1))] == [A(1.0), None]
    assert [one.text for one in offered(fallline.LBFGS())] == ["start from another point"]


@pytest.mark.parametrize(
    ("reason", "converged", "last", "rests"),
    [
        ("step limit", False, 0.0099, True),
        ("step limit", False, 0.0101, False),
        ("step limit", True, 1.0, True),
        ("saddle", False, 1.0, True),
        ("maximum", False, 1.0, True),
    ],
)
def test_a_run_that_rests(reason: str, converged: bool, last: float, rests: bool) -> None:
    path = run("x**2", 1.0, G(1e-4), 3)
    stop = replace(path.stop, reason=reason, converged=converged)
    path = replace(path, gradient=50 * np.array([[0.5], [np.nan], [1.0], [last]]), stop=stop)
    assert saddle._at_rest(Case.of(path)) == rests


@pytest.mark.parametrize(
    ("norms", "since"),
    [
        # Since the last that is above a hundredth of the largest.
        ([1.0, 0.5, 0.009, 0.02, 0.009, 0.009], 40),
        ([1.0, 0.5, 0.0101, 0.009, 0.009, 0.009], 30),
        ([1.0, 0.5, np.nan, 0.009], 30),
        ([0.1, 0.2, 1.0], 20),
        ([0.0, 0.0, 0.0], 0),
    ],
)
def test_since_when_the_slope_stayed_small(norms: list[float], since: int) -> None:
    case = Case({"gradient_norm": Series(10 * np.arange(len(norms)), np.array(norms))})
    assert saddle._since(case) == since


@pytest.mark.parametrize(
    ("highest", "narrow", "rate", "momentum"),
    [(8.0, 100.0, 0.41, 0.67), (8.0, 25.0, 0.35, 0.44), (2.0, 1e9, 2.0, 0.96)],
)
def test_the_momentum_for_a_narrow_valley(highest: float, narrow: float, rate: float, momentum: float) -> None:
    """4 / (√L + √μ)² and ((√κ - 1) / (√κ + 1))², κ being 10,000 at most: Polyak (1964)."""
    ball, newton = zigzag._remedies(highest, narrow)
    assert ball.settings["optimizer"] == fallline.Momentum(rate, momentum=momentum)
    assert newton.settings["optimizer"] == fallline.LBFGS()


# An epsilon for each coordinate, which a rule takes though it is meant for a number.
OF_EACH: Any = np.array([0.5, 0.1])


@pytest.mark.parametrize(
    ("rule", "usual"),
    [
        (fallline.Adam(0.1, epsilon=0.5), 1e-8),
        (fallline.Lookahead(fallline.Adam(0.1, epsilon=0.5)), 1e-8),
        (fallline.Adam(0.1, convention="keras"), 1e-7),
        (fallline.Adam(0.1, epsilon=OF_EACH), None),
        (G(0.1), None),
        (fallline.Lookahead(G(0.1)), None),
    ],
)
def test_the_usual_epsilon_of_a_rule(rule: Any, usual: float | None) -> None:
    assert epsilon_dominates._has_epsilon(rule) == (usual is not None)
    if usual is not None:
        assert epsilon_dominates._usual(rule) == usual


def test_the_way_of_eight_steps_on_one_slope() -> None:
    # On a slope s each step of Adam is s / (s + ε) long at the rate 1; that of descent is s.
    assert epsilon_dominates._steps(fallline.Adam(0.1, epsilon=1e-3), 1e-3) == pytest.approx(4)
    assert epsilon_dominates._steps(fallline.Adam(0.1, epsilon=3e-3), -1e-3) == pytest.approx(2)
    assert epsilon_dominates._steps(G(0.1), 0.25) == pytest.approx(2)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (fallline.AdamW(0.1, weight_decay=0.01), "weight_decay"),
        (fallline.AdamW(0.1, weight_decay=0.0), None),
        (fallline.CoupledWeightDecay(G(0.1), decay=0.01), "decay"),
        (fallline.ClipNorm(fallline.CoupledWeightDecay(G(0.1), decay=0.01)), "decay"),
        (G(0.1), None),
    ],
)
def test_the_decay_of_a_rule(rule: Any, name: str | None) -> None:
    assert decay_dominates._decay(rule) == name
    if name == "decay":
        # 0.01 x beside the gradient; and with the rate of 0.5 beside x itself.
        x, gradient = np.array([3.0, 4.0]), np.array([0.0, 0.1])
        assert decay_dominates._parts(rule, name, x, gradient, 0.5) == pytest.approx((0.05 / 0.1, 0.5 * 0.01))


@pytest.mark.parametrize(
    ("lengths", "steady"),
    [
        ([1.0, 1.0, 1.0, 1.0], True),
        # The mean of the last half beside that of the first, whatever the one in the middle.
        ([1.0, 1.1, 1.1, 1.0], True),
        ([1.0, 1.0, 9.0, 1.0, 1.0], True),
        ([1.0, 1.0, 0.5, 0.5], False),
        ([0.5, 0.5, 1.0, 1.0], False),
        # By a fiftieth.
        ([0.01, 0.01, 0.01019, 0.01019], True),
        ([0.01, 0.01, 0.01021, 0.01021], False),
        ([100.0, 100.0, 98.1, 98.1], True),
    ],
)
def test_steps_that_keep_their_length(lengths: list[float], steady: bool) -> None:
    assert two_cycle._steady(np.array(lengths)) == steady


@pytest.mark.parametrize(
    ("early", "late", "moves"), [(1.0, 0.51, True), (1.0, 0.5, False), (1.0, np.nan, False), (np.nan, 1.0, False)]
)
def test_steps_of_the_last_quarter_beside_those_of_the_second(early: float, late: float, moves: bool) -> None:
    share = np.arange(41) / 40
    lengths = np.select([share < 0.25, share < 0.5, share < 0.75], [9.0, early, 9.0], late)
    # Of different lengths, so that one more on either side moves the median.
    lengths[10:20] *= 1 + 0.05 * np.array([-4, -3, np.nan, -2, -1, 0, 1, 2, 3, 4])
    lengths[30:40] *= 1 + 0.05 * (np.arange(10) - 4.5)
    # The last row has no step; what is no number counts for nothing.
    lengths[-1] = np.nan
    steps = 100 + 10 * np.arange(41)
    case = Case({"step_length": Series(steps, lengths), "value": Series(steps, np.ones(41))})
    assert schedule_idle._moves_on(case) == moves


@pytest.mark.parametrize(("size", "larger"), [(1, 8), (2, 16), (3, 20), (19, 20), (20, None)])
def test_eight_times_as_large_batches_are_offered(size: int, larger: int | None) -> None:
    case = Case.of(run(Linear(np.zeros((20, 1)), np.ones(20)).batches(size), [0, 0], G(0.1), 1))
    offered = [remedy.settings["objective"].size for remedy in noise_floor._larger(case)]
    assert offered == ([] if larger is None else [larger])


@pytest.mark.parametrize(
    ("rate", "warms_up"),
    [
        (0.1, False),
        (fallline.WarmUp(0.1, steps=50, start=0.4), True),
        (fallline.WarmUp(0.1, steps=50, start=0.6), False),
        (fallline.PiecewiseConstant(0.1, milestones=(1,), parts=(3.0,)), True),  # from the second step on
        (fallline.Cosine(0.1, 200), False),
        (fallline.WarmUp(0.1, steps=100_000, start=0.4), False),  # it has hardly begun by step 100
        (fallline.ReduceOnPlateau(0.1), False),
    ],
)
def test_a_schedule_that_warms_up(rate: Any, warms_up: bool) -> None:
    assert no_warm_up._warms_up(rate) == warms_up


@pytest.mark.parametrize(
    ("rule", "typical", "offered"),
    [
        (fallline.ClipNorm(G(0.1), limit=1.0), 1.234, [fallline.ClipNorm(G(0.1), limit=3.7), G(0.1)]),
        (fallline.ClipValue(G(0.1), limit=1.0), 1.0, [fallline.ClipValue(G(0.1), limit=3.0), G(0.1)]),
        (
            fallline.Lookahead(fallline.ClipNorm(G(0.1), limit=1.0)),
            1.0,
            [fallline.Lookahead(fallline.ClipNorm(G(0.1), limit=3.0))],
        ),
    ],
)
def test_a_wider_clipping_is_offered_and_none(rule: Any, typical: float, offered: list[Any]) -> None:
    remedies = clipping_always._remedies(rule, typical)
    assert [remedy.settings["optimizer"] for remedy in remedies] == offered


def test_the_peak_of_another_start() -> None:
    # From 1 each step of 1.5 · 2 x leads to -2 x: 4^n after n steps, of which twice as many as asked are made.
    path = run("x**2", 1.0, G(0.1), 1)
    assert no_warm_up._peak_with(Case.of(replace(path, seconds=100.0)), G(1.5), 3) == pytest.approx(4.0**6)

    def slow(x: Any) -> Any:
        time.sleep(0.004)
        return np.sum(x**2)

    path = run(slow, [1.0], G(0.1), 1, gradient=lambda x: 2 * x)
    assert no_warm_up._peak_with(Case.of(replace(path, seconds=0.0027)), G(1.5), 3) == pytest.approx(4.0**6)
    # It may take a sixth of 0.05 s, twice over.
    with pytest.raises(CannotCheck, match=r"^more time for another start than the run itself took$"):
        no_warm_up._peak_with(Case.of(replace(path, seconds=0.0029)), G(1.5), 3)
