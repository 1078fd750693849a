"""The finding that the learning rate is above the stability limit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import (
    A,
    G,
    M,
    Make,
    Runs,
    alarms,
    bowl,
    classes,
    found,
    line,
    network,
    rows,
    run,
    space,
    the,
)

import fallline
from fallline.arrays import FloatArray
from fallline.diagnosis.course import Course
from fallline.diagnosis.finding import CannotCheck
from fallline.diagnosis.findings import rate_too_large as rate_file
from fallline.diagnosis.findings.rate_too_large import rate_too_large
from fallline.diagnosis.measured_run import Reach
from fallline.diagnosis.steps import Steps


def relu_on_unscaled_data() -> fallline.Trajectory:
    random = np.random.default_rng(0)
    X = random.uniform(0, 16, size=(400, 20))
    y = np.argmax(X[:, :4] + random.normal(size=(400, 4)), axis=1)
    loss = fallline.Network(X, y, hidden=(16,), activation="relu")
    return run(loss, loss.initial(0), G(1.0), 300)


OVER: Runs = {
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
        finding = the("rate_too_large", make())
    assert "uphill" in finding.evidence
    assert finding.remedies
    assert finding.remedies[0].settings["optimizer"].rate(1) < finding.numbers["rate"]


# The value falls up to the edge of where there is one, beyond which any rate comes.
EDGES: Runs = {
    "a root": lambda: run("x + sqrt(x - 1) + y**2", [3.0, -1.0], G(0.8), 50),
    "an arc": lambda: run("acos(x)**2 + y**2", [0.0, 1.0], G(0.5), 50),
    "a logarithm": lambda: run("(x + 2)**2 - 0.01*log(x)**2", [1.0], G(0.1), 50),
}


@pytest.mark.parametrize("make", EDGES.values(), ids=EDGES)
def test_a_domain_that_is_left_at_any_rate(make: Make) -> None:
    assert alarms(make()) == ["not_finite"]


def test_a_step_over_a_minimum_and_the_barrier_behind_it() -> None:
    """x - log(x) is lowest at 1 and rises towards 0, so that a shorter step stays inside."""
    assert alarms(run("x - log(x)", [3.0], G(5.0), 50)) == ["rate_too_large", "not_finite"]


@pytest.mark.parametrize(
    ("formula", "start", "rate"), [("x*log(x)", 3.0, 1.5), ("x**2 - log(x)", 3.0, 0.6), ("x - 2*sqrt(x)", 9.0, 14.0)]
)
def test_a_limit_below_the_rate_is_told_though_nothing_steep_was_seen(formula: str, start: float, rate: float) -> None:
    finding = the("rate_too_large", run(formula, start, G(rate), 10))
    assert finding.numbers["limit"] < finding.numbers["rate"] == rate
    # Of the two heights, only the first is finite.
    assert "the value went from" in finding.evidence


def test_raw_columns_allow_a_hundred_thousandth_of_the_rate() -> None:
    X, y = rows()
    raw = fallline.Linear(X * [1.0, 30.0, 800.0], y)
    over = run(raw, np.zeros(4), G(0.1), 60)
    assert the("rate_too_large", over).numbers["limit"] == pytest.approx(2 / raw.smoothness(), rel=0.01)
    assert alarms(over)[0] == "rate_too_large"


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
    finding = the("rate_too_large", run(bowl(1, 8), [1, 1], rule, 60))
    assert finding.numbers["limit"] == pytest.approx(limit, rel=1e-3)  # Lanczos stops at a thousandth


def test_the_share_of_steps_uphill_and_the_halved_limit() -> None:
    finding = the("rate_too_large", run("x**2", 1.0, G(1.1), 100))
    assert finding.numbers["uphill"] == 1
    assert finding.remedies[0].settings == {"optimizer": G(0.5)}
    assert finding.remedies[0].command == "--learning-rate 0.5"
    assert finding.since == 0


def test_the_overshoot_of_the_first_steps_is_told_and_not_the_plateau_they_lead_to() -> None:
    result = relu_on_unscaled_data()
    assert result.final.gradient_norm < 0.1
    finding = the("rate_too_large", result)
    assert "threw" in finding.evidence
    assert finding.since < 3
    assert {"plateau", "dead_units", "constant_predictor"} <= set(rate_too_large.leads_to)


def test_a_run_without_its_middle_is_judged_by_its_first_steps() -> None:
    loss = line().batches(16)
    finding = the("rate_too_large", run(loss, np.zeros(4), G(4.0), 80, record=8))
    assert finding.numbers["steps"] <= 10


FINE: Runs = {
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
    assert found("rate_too_large", make()) is None


# Cases made by hand, on either side of what is asked for


class Made(Steps):
    """Steps that do not fall to an edge."""

    def falls_to_edge(self, place: int) -> bool:
        return False


class Bare(SimpleNamespace):
    """A case, of no network where it has none."""

    def __getattr__(self, name: str) -> Any:
        raise CannotCheck("a network") if name == "network" else AttributeError(name)


def made(values: Any, promised: Any = 1.0, **changed: Any) -> Any:
    """A case of 40 steps with these values, whose slopes promised a fall of 1 each; from the start, 9.9 is in reach."""
    values = np.asarray(values, float)
    path: Any = SimpleNamespace(steps=np.arange(len(values)))
    rows = path.steps[:-1]
    every = np.ones(len(rows))
    steps = Made(path, rows, values[:-1], values[1:], promised * every, 0 * every, changed.pop("lengths", 1.0) * every)
    known = {"run": path, "measured": steps, "course": Course(path.steps, values), "rule": G(0.1), "left": 0.0}
    known |= {"objective": space(stochastic=changed.pop("stochastic", False)), "from_start": space(steps=7)}
    return Bare(**known | {"reach": Reach(10.0, float(values[-1]), changed.pop("tried", 9.9))} | changed)


def jumping(count: int, height: float, first: int = 0) -> FloatArray:
    """Values that fall by 0.01 a step from 10, but for so many jumps upwards."""
    rises = np.zeros(40)
    rises[first : first + count] = height + 0.01
    return np.asarray(10 + np.concatenate([[0], np.cumsum(rises - 0.01)]))


ELSEWHERE: dict[str, Any] = {"run": None}


@pytest.mark.parametrize(
    ("values", "changed", "told"),
    [
        # A tenth of the steps go uphill, of those on batches three tenths.
        (jumping(4, 0.2, 30), {}, True),
        (jumping(3, 0.3, 30), {}, False),
        (jumping(12, 0.1, 28), {"stochastic": True}, True),
        (jumping(11, 0.1, 28), {"stochastic": True}, False),
        # It must end higher than it began.
        (jumping(4, 0.05), {}, False),
        # One is enough if it ends ten times as high as the 0.1 in reach, or a tenth where only the first were measured.
        (jumping(1, 1.45), {}, True),
        (jumping(1, 1.35), {}, False),
        (jumping(1, 0.95), {"tried": 5.0} | ELSEWHERE, True),
        (jumping(1, 0.85), {"tried": 5.0} | ELSEWHERE, False),
        # Where the slope promised no fall it is wrong, and the step not too long.
        (jumping(4, 0.2, 30), {"promised": -1.0}, False),
    ],
)
def test_what_counts_as_diverged(values: FloatArray, changed: dict[str, Any], told: bool) -> None:
    assert (rate_file._diverged(made(values, **changed)) is not None) == told


def test_a_step_that_ends_at_a_value_does_not_fall_to_an_edge() -> None:
    class Falling(Steps):
        def falls_to_edge(self, place: int) -> bool:
            return True

    steps = made([1.0, 2.0, np.inf, 1.0, np.nan]).measured
    assert rate_file._overshot(steps).tolist() == [True, True, False, True]
    assert rate_file._overshot(Falling(*steps)).tolist() == [True, False, False, False]


def test_how_it_diverged() -> None:
    values = jumping(20, 1.0, 20)
    over = rate_file._diverged(made(values))
    assert over is not None
    assert over.outcome == "the value rose from 10 to 29.8"
    # Of the first ten, those that made less than a tenth of the promised 1; later ones only where they went uphill.
    assert np.flatnonzero(over.wrong).tolist() == [*range(10), *range(20, 40)]
    over = rate_file._diverged(made(values, promised=0.05))
    assert over is not None
    assert np.flatnonzero(over.wrong).tolist() == list(range(20, 40))
    values[-1] = np.inf
    over = rate_file._diverged(made(values))
    assert over is not None
    assert over.outcome == "the value rose from 10 to 28.8 and then to no finite value"
    over = rate_file._diverged(made([10.0, 9.0, np.nan]))
    assert over is not None
    assert over.outcome == "the value went from 10 to no finite value"


def swinging(height: float, level: float = 5.0, since: int = 0) -> FloatArray:
    """Values that swing about a level after the start at 10; before a row they stay below."""
    turns = level + height / 2 * (-1.0) ** np.arange(41)
    return np.where(np.arange(41) == 0, 10.0, np.where(np.arange(41) < since, level - height / 2, turns))


# Only the slopes of the last steps promise a fall.
AT_LAST = np.where(np.arange(40) < 36, -1.0, 1.0)


@pytest.mark.parametrize(
    ("values", "changed", "told"),
    [
        (swinging(1.0), {}, True),
        # In the second half a tenth of the steps went uphill: here two of twenty, or one.
        (swinging(1.0, since=37), {"promised": AT_LAST}, True),
        (swinging(1.0, since=39), {"promised": AT_LAST}, False),
        # A hundredth of the fall is material: 5, and half of the swing.
        (swinging(0.051), {}, True),
        (swinging(0.049), {}, False),
        # A cycle that makes nothing of what the slope promised matters where a hundredth of the fall is left.
        (swinging(0.0), {"left": 0.011}, True),
        (swinging(0.0), {"left": 0.009}, False),
        (swinging(0.0), {"left": 0.5, "promised": 0.0}, False),
        (swinging(0.0), {"left": 0.5, "stochastic": True}, False),
        # On batches three tenths of the steps, and by a rule without a state.
        (swinging(1.0, since=30), {"stochastic": True}, True),
        (swinging(1.0, since=32), {"stochastic": True}, False),
        (swinging(1.0), {"stochastic": True, "rule": M(0.1)}, False),
        (swinging(1.0), {"rule": M(0.1)}, True),
        (swinging(1.0), {"rule": fallline.SignDescent(0.1)}, False),
        # While the level falls by more than a tenth of the swing, it is no such run.
        (np.where(np.arange(41) > 20, swinging(1.0, 4.85), swinging(1.0, 5.0)), {}, False),
        (np.where(np.arange(41) > 20, swinging(1.0, 4.95), swinging(1.0, 5.0)), {}, True),
    ],
)
def test_what_counts_as_unsettled(values: FloatArray, changed: dict[str, Any], told: bool) -> None:
    changed = {"run": space(start__x=np.zeros(1))} | changed
    assert (rate_file._unsettled(made(values, **changed)) is not None) == told


def test_since_when_it_is_unsettled() -> None:
    over = rate_file._unsettled(made(swinging(1.0)))
    assert over is not None
    assert over.outcome == "in the last quarter the value still swings by 1 around 5.5"
    assert np.flatnonzero(over.wrong).tolist() == list(range(1, 40, 2))
    over = rate_file._unsettled(made(swinging(0.0), left=0.5))
    assert over is not None
    assert over.outcome == "in the last quarter the value stays at 5"
    assert np.flatnonzero(over.wrong).tolist() == list(range(1, 40))


def thrown(end: float = 15.0, middle: float | None = None, top: float = 20.0, at: int = 0, **changed: Any) -> Any:
    """A case thrown from 10 to 20 at a step, which comes to 15 and rests there, where 0 was in reach of its start."""
    row = np.arange(41)
    later = np.where(row > 20, end, end if middle is None else middle)
    values = np.select([row <= at, row == at + 1], [10.0, top], later)
    promised = np.where((row[:-1] == at) | (row[:-1] == at + 1), 1.0, -1.0)
    lengths = np.where(row[:-1] <= 10, 1.0, 0.001)
    return made(values, **{"promised": promised, "lengths": lengths, "tried": 0.0} | changed)


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (thrown(), True),
        (thrown(at=9), True),
        (thrown(at=10), False),
        (thrown(lengths=1.0), False),  # it goes on
        (thrown(stochastic=True), False),  # one step of batches is no throw
        (thrown(stochastic=True, promised=np.ones(40)), True),
        # Since its first quarter it made three tenths of what was in reach, 15, or it came back from far above.
        (thrown(middle=19.4), True),
        (thrown(middle=19.6), False),
        (thrown(middle=19.6, top=111.0), True),
        (thrown(middle=19.6, top=109.0), False),
        # It ended higher than the descent by 0.08 of what that gained, 1, or of the value, 1.
        (thrown(9.09, tried=9.0), True),
        (thrown(9.07, tried=9.0), False),
        (thrown(1.0, tried=0.91), True),
        (thrown(1.0, tried=0.93), False),
        (thrown(0.0, tried=-1.0), True),
        (thrown(0.0, tried=-1e-20), False),
    ],
)
def test_what_counts_as_thrown(case: Any, told: bool) -> None:
    assert (rate_file._thrown(case) is not None) == told


def test_how_it_was_thrown() -> None:
    over = rate_file._thrown(thrown())
    assert over is not None
    words = "the first steps threw it up to a value of 20, and it ended at 15"
    assert over.outcome == f"{words}; 7 shorter steps from the start reach 0"
    assert np.flatnonzero(over.wrong).tolist() == [0]
    # Its output the same for all rows, nothing need be in reach.
    ends = {"run": space(start__x=np.array([1.0]), final__x=np.array([0.0]))}
    one = SimpleNamespace(dataset=None, X=np.arange(9.0)[:, None], predict=lambda X, x: X * x)
    over = rate_file._thrown(thrown(9.0, tried=9.0, network=one, **ends))
    assert over is not None
    assert (
        over.outcome
        == "the first steps threw it up to a value of 20, and it ended at 9, its output the same for all rows"
    )


@pytest.mark.parametrize(
    ("end", "changed", "alike"),
    [
        ([0.0009, 0.0], {}, True),
        ([0.0011, 0.0], {}, False),
        ([0.0, 0.0011], {}, False),
        ([np.nan, 0.0], {}, False),
        ([0.0, 0.0], {"dataset": "files"}, False),
        # The first 200 rows count.
        ([0.0, 0.0], {"X": np.eye(300, 2, k=-200)}, False),
        ([0.0, 0.0], {"X": np.eye(300, 2, k=-199)}, True),
    ],
)
def test_answers_that_became_alike(end: list[float], changed: dict[str, Any], alike: bool) -> None:
    X = np.column_stack([np.arange(9.0), np.arange(9.0)])
    one = SimpleNamespace(**{"dataset": None, "X": X, "predict": lambda X, x: X * x} | changed)
    ends = space(start__x=np.ones(2), final__x=np.array(end))
    case: Any = Bare(network=one, run=ends)
    assert rate_file._answers_alike(case) == alike
    del case.network
    assert not rate_file._answers_alike(case)
