"""minimize(), compare() and rerun() as a user meets them."""

from __future__ import annotations

import builtins
import json
import math
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.runs import same

import fallline
from fallline import (
    Adam,
    Backtracking,
    Comparison,
    FalllineError,
    GradientDescent,
    GradientNorm,
    Momentum,
    Nesterov,
    NotFinite,
    Objective,
    Optimizer,
    Perturbation,
    Point,
    Record,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
    StepSize,
    StoppingCondition,
    Target,
    Trajectory,
    compare,
    minimize,
    rerun,
    sweep,
)


def bowl(x: Any, y: Any) -> Any:
    return x**2 + 3 * y**2


def slope(x: Any, y: Any) -> Any:
    return 2 * x, 6 * y


STEP = GradientDescent(0.1)
RATES: Any = np.array([[0.1], [0.2]])


# Starts


@pytest.mark.parametrize(
    "x0",
    [
        [1.0, 2.0],
        (1, 2),
        np.array([1, 2]),
        np.array([1, 2], dtype=np.float32),
        {"y": 2.0, "x": 1.0},
        range(1, 3),
        [np.array(1.0), np.array(2.0)],
    ],
)
def test_a_start_is_numbers_by_place_or_by_name(x0: Any) -> None:
    run = minimize(bowl, x0, STEP, max_steps=1)
    np.testing.assert_array_equal(run.start.x, [1.0, 2.0])


@pytest.mark.parametrize("x0", [3, 3.0, np.float64(3), np.array(3.0), {"x": 3.0}, [3.0]])
def test_one_number_will_do_for_one_coordinate(x0: Any) -> None:
    assert minimize("x**2", x0, STEP, max_steps=1).start.x == [3.0]


@pytest.mark.parametrize(
    ("x0", "said"),
    [
        ([1.0], "x0 has 1 number; bowl needs 2, for x, y; if all but x are data"),
        ([1.0, 2.0, 3.0], "x0 has 3 numbers; bowl needs 2, for x, y; if all but x are data"),
        ([], "x0 has 0 numbers; bowl needs 2"),
        (1.0, "x0 has 1 number; bowl needs 2"),
        ([1.0, float("nan")], "x0 is nan in y; it must be a finite number$"),
        ([-np.inf, 0.0], "x0 is -inf in x; it must be a finite number$"),
        ([1.0, None], r"x0 is \[1.0, None\]; it must be numbers, one for each of x, y$"),
        (["1", "2"], r"x0 is \['1', '2'\]; it must be numbers, one for each of x, y$"),
        ("12", "x0 is '12'; it must be numbers, one for each of x, y$"),
        ([1j, 0], r"x0 is \[1j, 0\]; it must be numbers"),
        ([1.0, [2.0]], r"x0 is \[1.0, \[2.0\]\]; it must be numbers"),
        ([[1.0, 2.0]], r"x0 has the shape \(1, 2\); it must be one point, a number or a row of them$"),
        ({"x": 1.0}, "x0 lacks the coordinate y; bowl has x, y$"),
        ({"x": 1.0, "y": 2.0, "z": 3.0}, "x0 names the coordinate 'z'; Allowed: x, y$"),
        ({"x": 1.0, "Y": 2.0}, r"x0 names the coordinate 'Y'; did you mean 'y'\? Allowed: x, y$"),
        ({1, 2}, "x0 is .*; it must be numbers"),
        (None, "x0 is None; it must be numbers, one for each of x, y$"),
    ],
)
def test_a_start_that_does_not_fit_is_said(x0: Any, said: str) -> None:
    with pytest.raises(FalllineError, match=f"^{said}") as caught:
        minimize(bowl, x0, STEP)
    assert "\n" not in str(caught.value)


# Arguments


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"optimizer": Adam},
            r"optimizer is <class '.*Adam'>; it must be an update rule such as Adam\(0.1\), or a name; "
            r"write Adam\(\)$",
        ),
        ({"optimizer": None}, "optimizer is None; it must be an update rule"),
        ({"optimizer": 0.1}, "optimizer is 0.1; it must be an update rule"),
        ({"optimizer": "adm"}, r"optimizer is 'adm'; did you mean 'adam'\? Allowed: gradient_descent, "),
        ({"optimizer": "adam@tutrial"}, r"Adam: convention is 'tutrial'; did you mean 'tutorial'\?"),
        (
            {"optimizer": Adam(RATES)},
            r"optimizer is Adam\(.*, with an array for learning_rate; it must have one number for each hyperparameter "
            r"\(compare takes several optimizers\)$",
        ),
        (
            {"optimizer": Adam(StepDecay(RATES))},
            "optimizer is .*, with an array for initial; it must have one number",
        ),
        ({"max_steps": 0}, "max_steps is 0; it must be a whole number at least 1$"),
        ({"max_steps": 10.0}, "max_steps is 10.0; it must be a whole number at least 1$"),
        ({"max_steps": True}, "max_steps is True; it must be a whole number at least 1$"),
        ({"seed": -1}, "seed is -1; it must be a whole number at least 0$"),
        ({"seed": None}, "seed is None; it must be a whole number at least 0$"),
        ({"engine": "fast"}, "engine is 'fast'; Allowed: auto, reference, compiled, jax$"),
        ({"engine": "referense"}, r"engine is 'referense'; did you mean 'reference'\?"),
        ({"engine": None}, "engine is None; Allowed: auto, reference, compiled, jax$"),
        ({"record": "some"}, r"record is 'some'; it must be 'all', 'ends', a whole number k at least 1 "),
        ({"record": 0}, "record is 0; it must be 'all', 'ends'"),
        ({"record": 2.0}, "record is 2.0; it must be 'all', 'ends'"),
        ({"record": True}, "record is True; it must be 'all', 'ends'"),
        ({"stop": 1e-5}, "stop is 1e-05; it must be a stopping condition"),
        ({"gradient": "exact"}, "gradient is 'exact', but bowl has none"),
        ({"callback": 5}, "callback is 5; it must be a function of a Point$"),
        ({"objective": 5}, "objective is 5; it must be a formula text"),
    ],
)
def test_a_wrong_argument_is_named_in_one_line(settings: dict[str, Any], said: str) -> None:
    rest = dict(settings)
    arguments = (rest.pop("objective", bowl), [1.0, 2.0], rest.pop("optimizer", STEP))
    runs: list[Any] = [minimize] if "callback" in settings else [minimize, compare]
    for run in runs:
        with pytest.raises(FalllineError, match=f"^{said}") as caught:
            run(*arguments, **rest)
        assert "\n" not in str(caught.value)


def test_a_rule_may_be_named() -> None:
    assert same(minimize(bowl, [1.0, 2.0], "adam@tutorial"), minimize(bowl, [1.0, 2.0], Adam(convention="tutorial")))


# What is counted and kept


class Counting(Objective):
    """A bowl that counts its own calls, point by point."""

    names = ("x", "y")
    gradient_kind = "exact"
    title = "a bowl"

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def value(self, x: Any) -> Any:
        self.calls["value"] += len(x)
        return x[..., 0] ** 2 + 3 * x[..., 1] ** 2

    def gradient(self, x: Any) -> Any:
        self.calls["gradient"] += len(x)
        return x * np.array([2.0, 6.0])


@pytest.mark.parametrize("rule", [STEP, Momentum(0.1), Nesterov(0.01), Adam(0.1)])
@pytest.mark.parametrize("record", ["all", "ends", 3])
def test_evaluations_are_the_calls_that_were_made(rule: Optimizer[Any], record: str | int) -> None:
    objective = Counting()
    run = minimize(objective, [1.0, 2.0], rule, max_steps=20, record=record)
    assert run.evaluations == (objective.calls["value"], objective.calls["gradient"]) == (21, 21)


@pytest.mark.parametrize(("scheme", "at_point", "at_place"), [("forward", 3, 4), ("central", 5, 5), ("complex", 3, 3)])
def test_looking_ahead_costs_evaluations_of_its_own(scheme: str, at_point: int, at_place: int) -> None:
    # At one point a forward difference shares the value; looking ahead, the value belongs to another point.
    for rule, each in ((Momentum(0.01), at_point), (Nesterov(0.01), at_place)):
        calls = 0

        def counted(x: Any, y: Any) -> Any:
            nonlocal calls
            calls += 1
            return x**2 + 3 * y**2

        run = minimize(counted, [1.0, 2.0], rule, max_steps=20, gradient=Perturbation(1e-3, scheme))
        assert run.evaluations == (calls, 0) == (21 * each, 0)


def test_the_gradient_recorded_is_the_one_the_rule_was_given() -> None:
    # Nesterov asks for it ahead of the point: at x - momentum * velocity, and velocity = the last change.
    run = minimize(Counting(), [1.0, 2.0], Nesterov(0.01, momentum=0.5), max_steps=20)
    places = run.x.copy()
    places[1:] += 0.5 * np.diff(run.x, axis=0)
    # The change is recomputed from rounded points of size 2 or less.
    np.testing.assert_allclose(run.gradient, places * [2.0, 6.0], rtol=0, atol=6 * 4 * np.finfo(float).eps)


def test_best_is_the_lowest_value_seen_and_final_the_last() -> None:
    # A step of 1.1 overshoots and climbs: |x| grows by 1.2 each step, so the start stays the best.
    run = minimize(lambda x: x**2, 1.0, GradientDescent(1.1), max_steps=5, gradient=lambda x: 2 * x)
    assert (run.best.step, run.best.value, run.final.step) == (0, 1.0, 5)
    assert run.final.value > 6
    # Momentum swings through the minimum and back: the best is in between, recorded or not.
    everything = minimize(bowl, [1.0, 2.0], Momentum(0.05), max_steps=100, gradient=slope)
    ends = minimize(bowl, [1.0, 2.0], Momentum(0.05), max_steps=100, gradient=slope, record="ends")
    row = int(np.argmin(everything.value))
    assert 0 < row < 100
    for run in (everything, ends):
        assert (run.best.step, run.best.value) == (row, everything.value[row])
        np.testing.assert_array_equal(run.best.x, everything.x[row])
        np.testing.assert_array_equal(run.best.gradient, everything.gradient[row])
        assert run.best.gradient_norm == pytest.approx(np.hypot(*everything.gradient[row]))


@pytest.mark.parametrize(
    ("record", "steps"), [("all", range(11)), ("ends", (0, 10)), (4, (0, 4, 8, 10)), (5, (0, 5, 10)), (99, (0, 10))]
)
def test_record_keeps_each_kth_row_and_both_ends(record: str | int, steps: Any) -> None:
    everything = minimize(bowl, [1.0, 2.0], Adam(0.1), max_steps=10, gradient=slope)
    for asked in (record, Record(record)) if isinstance(record, int) else (record,):
        run = minimize(bowl, [1.0, 2.0], Adam(0.1), max_steps=10, gradient=slope, record=asked)
        rows = list(steps)
        assert run.steps.tolist() == rows
        for name in ("x", "value", "gradient"):
            np.testing.assert_array_equal(getattr(run, name), getattr(everything, name)[rows])
        np.testing.assert_array_equal(run.rate, [*everything.rate[rows[:-1]], np.nan])
        assert run.evaluations == everything.evaluations
        assert run.best.step == everything.best.step


def test_a_run_that_ends_between_two_kept_rows_keeps_its_last() -> None:
    run = minimize(bowl, [1.0, 2.0], STEP, stop=GradientNorm(1.0), gradient=slope, record=100)
    everything = minimize(bowl, [1.0, 2.0], STEP, stop=GradientNorm(1.0), gradient=slope)
    assert run.steps.tolist() == [0, everything.final.step]
    np.testing.assert_array_equal(run.final.x, everything.final.x)


def test_the_state_is_kept_on_demand() -> None:
    run = minimize(bowl, [1.0, 2.0], Adam(0.1), max_steps=20, gradient=slope, record=Record(state=True))
    assert sorted(run.states) == ["m", "v"]
    # Row k holds what the first k gradients made: m_k = 0.1 * sum of 0.9^(k - i) g_i.
    weights = 0.1 * 0.9 ** np.arange(19, -1, -1)
    # A sum of 20 rounded terms of size 12 or less.
    np.testing.assert_allclose(run.states["m"][20], weights @ run.gradient[:20], rtol=0, atol=20 * 12 * 2.3e-16)
    assert not run.states["m"][0].any()
    assert minimize(bowl, [1.0, 2.0], Adam(0.1), max_steps=20).states == {}


def test_a_state_that_starts_as_a_whole_number_is_recorded_as_it_grows() -> None:
    @dataclass(frozen=True)
    class Sum(Optimizer[Any]):
        learning_rate: Any = 0.25

        def init(self, x: Any) -> Any:
            return 0

        def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
            return rate * gradient, state + 0.5 * gradient

    run = minimize(lambda x: x, 0.0, Sum(), gradient=lambda x: 1.0, max_steps=3, record=Record(state=True))
    np.testing.assert_array_equal(run.states["state"].ravel(), [0.0, 0.5, 1.0, 1.5])


def test_values_that_start_as_whole_numbers_are_recorded_as_they_fall() -> None:
    run = minimize(lambda x: 4 if x == 2 else x * x, 2.0, GradientDescent(0.125), gradient=lambda x: 2 * x, max_steps=2)
    np.testing.assert_array_equal(run.value, [4.0, 2.25, 1.265625])


def fails_below_half(x: Any) -> Any:
    if x < 0.5:
        raise LookupError("nothing below 0.5")  # the line that a user wants to see
    return x * x


@pytest.mark.parametrize(
    ("function", "kind", "said"),
    [
        (fails_below_half, LookupError, "nothing below 0.5"),
        (lambda x: x * x if x > 0.5 else 1 / 0, ZeroDivisionError, "division by zero"),
        (lambda x: x * x if x > 0.5 else math.log(-x * x), ValueError, "."),
        (lambda x: x * x if x > 0.5 else math.exp(1000), OverflowError, "math range error"),
        (lambda x: x * x if x > 0.5 else "a" + 1, TypeError, "concatenate"),  # type: ignore[operator]
    ],
    ids=["own", "division", "domain", "overflow", "type"],
)
@pytest.mark.parametrize("gradient", ["auto", "autodiff", Perturbation(), Perturbation(scheme="central")], ids=str)
def test_what_the_users_function_raises_at_a_point_of_the_run_is_the_users_error(
    function: Any, kind: type[Exception], said: str, gradient: Any
) -> None:
    # x falls by a fifth in each step: 1, 0.8, 0.64, 0.512, 0.4096.
    with pytest.raises(kind, match=said) as raised:
        minimize(function, 1.0, GradientDescent(0.1), gradient=gradient)
    assert not isinstance(raised.value, FalllineError)
    assert raised.traceback[-1].path == Path(__file__)
    where, when = raised.value.__notes__
    assert re.search(r" was called at \[0\.409", where)
    assert when == "at step 4 of gradient_descent, learning_rate 0.1"


def test_what_the_users_gradient_rule_or_callback_raises_is_the_users_error() -> None:
    def fails(*_: Any) -> Any:
        raise OverflowError("of the user's own")

    with pytest.raises(OverflowError, match="of the user's own") as raised:
        minimize("x**2", 1.0, STEP, gradient=fails)
    assert raised.value.__notes__[0] == "fails was called at [1.0]"
    with pytest.raises(OverflowError, match="of the user's own"):
        minimize("x**2", 1.0, STEP, callback=fails)
    with pytest.raises(OverflowError, match="of the user's own"):
        minimize("x**2", 1.0, GradientDescent(Falling()))


@dataclass(frozen=True)
class Falling(Schedule):
    """A schedule of the user's that fails."""

    def rate(self, step: Any) -> Any:
        raise OverflowError("of the user's own")


def test_a_line_search_may_look_where_python_has_no_number() -> None:
    # The first rate that it tries, 1, leads to x = -199, and math.exp(199000) overflows.
    run = minimize(
        lambda x: 100 * x * x if x > -10 else math.exp(-1000 * x),
        1.0,
        GradientDescent(Backtracking()),
        gradient=lambda x: 200 * x,
    )
    assert run.stop.converged
    assert run.final.x[0] == pytest.approx(0, abs=1e-6)


def test_a_batch_of_ends_counts_a_run_without_a_number_as_diverged() -> None:
    found = sweep(
        objective=lambda x: math.cosh(x),
        x0=1.0,
        optimizers=GradientDescent(),
        grid={"learning_rate": [0.1, 1e4]},
        max_steps=1000,
        gradient=Perturbation(),
    )
    assert (found.count("diverged"), len(found)) == (1, 2)


# Resuming


@pytest.mark.parametrize(
    "rule",
    [
        Adam(0.1),
        Nesterov(0.05),
        Adam(StepDecay(0.1, 0.5, 7)),
        GradientDescent(ReduceOnPlateau(0.5, patience=2)),
        "lbfgs",
    ],
    ids=str,
)
def test_a_run_resumed_is_one_run(rule: Any) -> None:
    bumps = "x**2/3 + y**2/5 + cos(x*y)/9"
    whole = minimize(bumps, [1.0, 2.0], rule, max_steps=30, stop=NotFinite())
    first = minimize(bumps, [1.0, 2.0], rule, max_steps=13, stop=NotFinite())
    before = first.final.x.copy()
    for _ in range(2):  # what is resumed is left as it was
        rest = minimize(bumps, first.final.x, rule, max_steps=17, stop=NotFinite(), resume=first)
        np.testing.assert_array_equal(rest.steps, range(13, 31))
        np.testing.assert_array_equal(rest.x, whole.x[13:])
        np.testing.assert_array_equal(rest.rate, whole.rate[13:])
    np.testing.assert_array_equal(first.final.x, before)


def test_a_run_that_cannot_be_resumed_is_refused(tmp_path: Path) -> None:
    first = minimize("x**2", 1.0, "adam", max_steps=3)
    with pytest.raises(FalllineError, match=r"optimizer is momentum.*, which cannot go on with what another remembers"):
        minimize("x**2", 1.0, Momentum(0.1), resume=first)
    with pytest.raises(FalllineError, match="cannot go on with what another remembers"):
        minimize("x**2", 1.0, Adam(ReduceOnPlateau(0.1)), resume=first)
    with pytest.raises(FalllineError, match="or of another number of coordinates"):
        minimize(
            "x**2 + y**2", [1.0, 1.0], Adam(), resume=minimize("x + y + z**2", [1.0, 1.0, 1.0], Adam(), max_steps=3)
        )
    first.save(tmp_path / "run.npz")
    with pytest.raises(FalllineError, match=r"resume is a trajectory of .*, which does not hold the state of its rule"):
        minimize("x**2", 1.0, "adam", resume=Trajectory.load(tmp_path / "run.npz"))
    with pytest.raises(FalllineError, match="resume is 5; it must be a trajectory"):
        minimize("x**2", 1.0, "adam", resume=5)  # type: ignore[arg-type]
    with pytest.raises(FalllineError, match="recipe is of a run that went on with the state of another"):
        rerun(minimize("x**2", 1.0, "adam", resume=first).recipe)


@pytest.mark.parametrize("at", [(3, 2), (2, 2), (0,), (1.5,), "12", 5])
def test_a_record_at_what_are_no_steps_is_refused(at: Any) -> None:
    with pytest.raises(FalllineError, match=r"^at is .*; it must be steps, whole numbers at least 1, ascending"):
        Record(every=None, at=at)


@pytest.mark.parametrize("engine", ["auto", "reference"])
def test_a_record_at_steps_holds_the_rows_of_a_whole_one(engine: str) -> None:
    whole = minimize(bowl, [1.0, 2.0], "adam", gradient=slope, max_steps=50, engine=engine)
    run = minimize(bowl, [1.0, 2.0], "adam", gradient=slope, max_steps=50, engine=engine, record=Record(20, at=(3, 33)))
    assert run.steps.tolist() == [0, 3, 20, 33, 40, 50]
    np.testing.assert_array_equal(run.x, whole.x[run.steps])


# Callback


def test_the_callback_sees_every_point_and_may_end_the_run() -> None:
    seen: list[Point] = []
    run = minimize(bowl, [1.0, 2.0], STEP, max_steps=30, gradient=slope, callback=seen.append)
    assert [point.step for point in seen] == list(range(31))
    np.testing.assert_array_equal([point.x for point in seen], run.x)
    np.testing.assert_array_equal([point.value for point in seen], run.value)
    np.testing.assert_array_equal([point.gradient for point in seen], run.gradient)

    def until_low(point: Point) -> None:
        if point.value < 0.5:
            raise StopIteration

    ended = minimize(bowl, [1.0, 2.0], STEP, gradient=slope, callback=until_low)
    assert (ended.stop.reason, ended.stop.converged) == ("callback", False)
    assert ended.stop.message == f"the callback ended it at step {ended.step_count}"
    assert (ended.value < 0.5).tolist() == [False] * ended.step_count + [True]
    np.testing.assert_array_equal(ended.x, run.x[: len(ended)])


@pytest.mark.parametrize("answer", [True, 1, np.ones(2), "yes"])
def test_what_a_callback_returns_is_ignored(answer: Any) -> None:
    run = minimize(bowl, [1.0, 2.0], STEP, max_steps=9, gradient=slope, callback=lambda point: answer)
    assert (run.stop.reason, run.step_count) == ("step limit", 9)


def test_what_a_callback_does_to_its_point_stays_there() -> None:
    def spoil(point: Point) -> None:
        point.x[:] = 99.0
        point.gradient[:] = 99.0

    spoilt = minimize(bowl, [1.0, 2.0], Momentum(0.1), max_steps=9, gradient=slope, callback=spoil)
    assert same(spoilt, minimize(bowl, [1.0, 2.0], Momentum(0.1), max_steps=9, gradient=slope))


def test_what_is_done_to_one_trajectory_stays_there() -> None:
    start = np.array([[1.0, 2.0], [3.0, 4.0]])
    one, other = compare(bowl, start, STEP, max_steps=5, record=Record(state=True))
    untouched = other.x.copy()
    for array in (one.x, one.value, one.gradient, one.rate, one.best.x, one.best.gradient, start):
        array[:] = 99.0
    np.testing.assert_array_equal(other.x, untouched)
    assert other.best.x.max() < 99


# compare


def test_several_rules_on_one_objective() -> None:
    rules: list[Any] = [GradientDescent(0.1), "adam", Momentum(0.1)]
    runs = compare(bowl, [1.0, 2.0], rules, max_steps=20, gradient=slope)
    assert isinstance(runs, Comparison)
    assert runs.labels == (
        "gradient_descent, learning_rate 0.1",
        "adam, learning_rate 0.001",
        "momentum, learning_rate 0.1",
    )
    for run, rule in zip(runs, rules, strict=True):
        assert same(run, minimize(bowl, [1.0, 2.0], rule, max_steps=20, gradient=slope))
    assert len(runs) == 3
    assert runs[-1] is runs.trajectories[2]
    assert min(run.best.value for run in runs) == runs.best.best.value


def test_a_label_names_what_is_not_the_default() -> None:
    # The default is not shown, even when it was read from text.
    assert Momentum(0.1, momentum=float("0.9")).label == "momentum, learning_rate 0.1"
    assert Momentum(0.1, momentum=0.8).label == "momentum, learning_rate 0.1, momentum 0.8"
    assert Adam(1, convention="tutorial").label == "adam@tutorial, learning_rate 1"
    assert Adam(0.1, beta2=0.999, convention="tutorial").label == "adam@tutorial, learning_rate 0.1, beta2 0.999"
    assert Adam(StepDecay(0.1)).label.startswith("adam, StepDecay(initial=0.1, ")


def test_labels_of_ones_own_and_several_starts() -> None:
    starts = [[1.0, 2.0], [-0.5, 0.25]]
    runs = compare(bowl, starts, {"slow": GradientDescent(0.01), "fast": STEP}, max_steps=5)
    assert runs.labels == (
        "slow from (1, 2)",
        "slow from (-0.5, 0.25)",
        "fast from (1, 2)",
        "fast from (-0.5, 0.25)",
    )
    assert [run.start.x.tolist() for run in runs] == starts * 2
    assert compare(bowl, [1.0, 2.0], {"a": STEP}).labels == ("a",)


@pytest.mark.parametrize(
    "starts",
    [
        [[1.0, 2.0], [3.0, 4.0]],
        np.array([[1.0, 2.0], [3.0, 4.0]]),
        ((1.0, 2.0), (3.0, 4.0)),
        [{"x": 1.0, "y": 2.0}, {"y": 4.0, "x": 3.0}],
        [np.array([1.0, 2.0]), [3.0, 4.0]],
    ],
)
def test_starts_are_rows(starts: Any) -> None:
    runs = compare(bowl, starts, STEP, max_steps=1)
    assert [run.start.x.tolist() for run in runs] == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize("x0", [3.0, np.array(3.0), [3.0], np.array([3.0]), {"x": 3.0}, [[3.0]], [{"x": 3.0}]])
def test_one_start_of_one_number(x0: Any) -> None:
    (run,) = compare("x**2", x0, STEP, max_steps=1)
    assert run.start.x == [3.0]


@pytest.mark.parametrize(
    ("x0", "optimizers", "said"),
    [
        ([[1.0, 2.0], [3.0]], STEP, "x0 has 1 number; bowl needs 2"),
        ([[1.0, 2.0], 3.0], STEP, "x0 has 1 number; bowl needs 2"),
        ([[1.0, 2.0], [3.0, np.nan]], STEP, "x0 is nan in y"),
        ([], STEP, "x0 has 0 numbers; bowl needs 2"),
        (np.empty((0, 2)), STEP, r"x0 has the shape \(0, 2\)"),
        ([1.0, 2.0], [], "optimizers is empty; give at least one"),
        ([1.0, 2.0], {}, "optimizers is empty; give at least one"),
        ([1.0, 2.0], iter(()), "optimizers is empty; give at least one"),
        ([1.0, 2.0], [STEP, Adam], r"optimizer is <class '.*Adam'>; it must be an update rule"),
        ([1.0, 2.0], None, "optimizer is None; it must be an update rule"),
    ],
)
def test_a_comparison_that_cannot_be_made_is_said(x0: Any, optimizers: Any, said: str) -> None:
    with pytest.raises(FalllineError, match=f"^{said}"):
        compare(bowl, x0, optimizers)


def test_the_best_run_is_one_that_saw_numbers() -> None:
    runs = compare(lambda x: np.log(x), [[-1.0], [1.0]], STEP, max_steps=1, gradient=lambda x: 1 / x)
    assert np.isnan(runs[0].best.value)
    assert runs.best is runs[1]


def test_a_comparison_becomes_one_table() -> None:
    runs = compare(bowl, [1.0, 2.0], {"a": STEP, "b": Adam(0.1)}, max_steps=3)
    frame = runs.to_frame()
    assert frame.columns[0] == "label"
    assert frame["label"].tolist() == ["a"] * 4 + ["b"] * 4
    assert frame["value"].tolist() == [*runs[0].value, *runs[1].value]


# rerun


class Never(StoppingCondition):
    """A condition of the user's."""

    reason = "never"

    def met(self, progress: Any) -> Any:
        return np.zeros(len(progress.x), bool)

    def message(self, progress: Any, run: int) -> str:
        return "never"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"stop": StepSize(1e-3) | Target(1e-4)},
        {"gradient": Perturbation(0.01, "central")},
        {"gradient": "symbolic", "record": 7},
        {"record": Record(every=3, state=True), "seed": 12, "engine": "reference"},
        {"record": "ends", "max_steps": 17},
    ],
)
@pytest.mark.parametrize("rule", [Adam(StepDecay(0.1, 0.5, 20), convention="tutorial"), "nesterov"])
def test_a_recipe_runs_again_to_the_last_bit(settings: dict[str, Any], rule: Any, tmp_path: Path) -> None:
    run = minimize("(1 - x)**2 + 10*(y - x**2)**2", {"y": 1.0, "x": -1.2}, rule, **settings)
    assert same(rerun(run.recipe), run)
    assert same(rerun(json.loads(json.dumps(run.recipe))), run)
    run.save(tmp_path / "run")
    assert same(rerun(Trajectory.load(tmp_path / "run").recipe), run)


def test_every_run_of_a_comparison_has_its_recipe() -> None:
    for run in compare("x**2 + y**2", [[1.0, 2.0], [3.0, 4.0]], ["adam", "rmsprop"], max_steps=9):
        assert same(rerun(run.recipe), run)


def test_what_only_the_user_can_rebuild_is_asked_for() -> None:
    run = minimize(bowl, [1.0, 2.0], STEP, gradient=slope, max_steps=9)
    assert same(rerun(run.recipe, objective=bowl, gradient=slope), run)
    with pytest.raises(FalllineError, match=r"^objective is None, and the recipe cannot rebuild a Python function"):
        rerun(run.recipe)
    with pytest.raises(FalllineError, match=r"^gradient is None, and the recipe cannot rebuild a Python function"):
        rerun(run.recipe, objective=bowl)


@pytest.mark.parametrize("x0", [3.0, {"x": 3.0}])
def test_a_function_of_one_number_gets_one_again(x0: Any) -> None:
    # An array of one number would be refused by Python's own float-only functions.
    import math

    run = minimize(lambda x: math.cosh(x), x0, STEP, max_steps=9)
    assert same(rerun(run.recipe, objective=lambda x: math.cosh(x)), run)
    run = minimize(lambda v: v[0] ** 2, [3.0], STEP, max_steps=9)
    assert same(rerun(run.recipe, objective=lambda v: v[0] ** 2), run)


@dataclass(frozen=True)
class Mine(Optimizer[None]):
    """A rule of the user's, with a setting that no recipe can hold."""

    learning_rate: Any = 0.1
    shape: Any = np.tanh

    def init(self, x: Any) -> None:
        return None

    def update(self, gradient: Any, state: None, rate: Any, step: Any) -> Any:
        return rate * self.shape(gradient), state


def test_a_rule_and_a_condition_of_the_users_are_asked_for_too(tmp_path: Path) -> None:
    run = minimize("x**2", 1.0, Mine(), max_steps=9)
    run.save(tmp_path / "mine")
    assert Trajectory.load(tmp_path / "mine") == run
    assert same(rerun(run.recipe, optimizer=Mine()), run)
    with pytest.raises(FalllineError, match=r"^recipe names the type '.*Mine', which is not known here"):
        rerun(run.recipe)
    with pytest.raises(FalllineError, match=r"^recipe names the type '.*Never', which is not known here"):
        rerun(minimize("x**2", 1.0, STEP, stop=Never(), max_steps=9).recipe)


def test_half_a_recipe_is_refused() -> None:
    recipe = dict(minimize("x**2", 1.0, STEP, max_steps=1).recipe)
    del recipe["seed"], recipe["stop"]
    with pytest.raises(FalllineError, match=r"^recipe lacks stop, seed; give the recipe of a trajectory, whole$"):
        rerun(recipe)


# The rest


def test_a_batch_loss_is_seen_step_by_step_and_its_whole_value_only_where_it_is_looked_at() -> None:
    class Noisy(Counting):
        stochastic = True

        def at_step(self, step: int, seed: int) -> Objective:
            noisy = Noisy()
            noisy.calls = self.calls
            noisy.gradient = lambda x: Counting.gradient(self, x) + np.random.default_rng([seed, step]).normal(size=2)  # type: ignore[method-assign]
            return noisy

    runs = {}
    for record in ("all", "ends", 6):
        objective = Noisy()
        run = minimize(objective, [1.0, 2.0], STEP, max_steps=12, record=record, seed=5)
        rows = {"all": 13, "ends": 2, 6: 3}[record]
        assert run.evaluations == (objective.calls["value"], objective.calls["gradient"]) == (rows, 13)
        runs[record] = run
    np.testing.assert_array_equal(runs["ends"].x, runs["all"].x[[0, -1]])
    np.testing.assert_array_equal(runs[6].value, runs["all"].value[::6])
    # The gradient of row 0 is that of step 1, which leaves it.
    noise = np.random.default_rng([5, 1]).normal(size=2)
    np.testing.assert_array_equal(runs["all"].gradient[0], np.array([2.0, 12.0]) + noise)
    assert not np.array_equal(minimize(Noisy(), [1.0, 2.0], STEP, max_steps=12, seed=6).x, runs["all"].x)

    # A callback and a condition on the value look at it in every step.
    seen: list[float] = []
    minimize(Noisy(), [1.0, 2.0], STEP, max_steps=12, record="ends", seed=5, callback=lambda p: seen.append(p.value))
    np.testing.assert_array_equal(seen, runs["all"].value)
    ended = minimize(Noisy(), [1.0, 2.0], STEP, max_steps=12, record="ends", seed=5, stop=Target(runs["all"].value[4]))
    assert ended.step_count == int(np.argmax(runs["all"].value <= runs["all"].value[4]))

    # A run that ends at a step whose value was not computed yet computes it then.
    stop = GradientNorm(float(np.linalg.norm(runs["all"].gradient[1:12], axis=1).min()))
    objective = Noisy()
    short = minimize(objective, [1.0, 2.0], STEP, max_steps=12, record="ends", seed=5, stop=stop)
    assert 0 < short.step_count < 12
    assert short.final.value == runs["all"].value[short.step_count]
    assert short.evaluations == (objective.calls["value"], objective.calls["gradient"]) == (2, short.step_count + 1)


def test_progress_is_shown_only_on_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    run = minimize("x**2", 1.0, STEP, max_steps=5, progress=True)
    assert same(run, minimize("x**2", 1.0, STEP, max_steps=5))
    assert capfd.readouterr() == ("", "")


def test_progress_tells_the_steps_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    from rich.progress import Progress

    told: list[float] = []
    update = Progress.update

    def watched(self: Any, task: Any, **settings: Any) -> None:
        told.append(settings["completed"])
        update(self, task, **settings)

    monkeypatch.setattr(Progress, "update", watched)
    minimize("x**2", 1.0, STEP, max_steps=5, progress=True)
    assert told == [0, 1, 2, 3, 4, 5]


def test_without_pandas_a_table_asks_for_it_and_all_else_works(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **settings: Any) -> Any:
        if name == "pandas":
            raise ImportError(name)
        return real(name, *rest, **settings)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.delitem(sys.modules, "pandas", raising=False)
    runs = compare("x**2", 1.0, ["adam"], max_steps=3)
    for table in (runs, runs[0]):
        with pytest.raises(FalllineError, match=r'^to_frame needs pandas: pip install "fallline\[frames\]"$'):
            table.to_frame()


def test_every_public_name_is_there() -> None:
    assert all(hasattr(fallline, name) for name in fallline.__all__)


NO_POINT: Any = None


def test_points_of_a_run_are_copies() -> None:
    run = minimize("x**2", [3.0], GradientDescent(0.1), max_steps=2)
    run.final.x[0] = run.start.gradient[0] = run[1].x[0] = 99
    assert run.x.max() == 3
    assert run.gradient.max() == 6


def test_a_rule_that_works_in_place_does_not_reach_into_the_record() -> None:
    @dataclass(frozen=True)
    class InPlace(Optimizer[Any]):
        learning_rate: float = 0.1

        def init(self, x: Any) -> Any:
            x *= 0
            return (x,)

        def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
            gradient *= rate
            return gradient, state

    run = minimize("x**2", 1.0, InPlace(), max_steps=3)
    # x is multiplied by 1 - 2 · 0.1 in each step; a few roundings.
    np.testing.assert_allclose(run.x.ravel(), 0.8 ** np.arange(4), rtol=1e-15)
    np.testing.assert_allclose(run.gradient.ravel(), 2 * run.x.ravel(), rtol=0)


def test_a_rule_with_complex_changes_is_refused() -> None:
    @dataclass(frozen=True)
    class Turning(Optimizer[None]):
        learning_rate: float = 0.1

        def init(self, x: Any) -> None:
            return None

        def update(self, gradient: Any, state: None, rate: Any, step: Any) -> Any:
            return 1j * gradient, state

    with pytest.raises(FalllineError, match="Turning: update returned complex numbers; a change must be real"):
        minimize("x**2", 1.0, Turning())


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: minimize("x**2", 10**400, Adam(0.1)), "x0 is 1000"),
        (lambda: minimize("x**2", NO_POINT, Adam(0.1)), "x0 is None; it must be numbers, one for each of x"),
        (lambda: minimize("x**2", [NO_POINT], Adam(0.1)), r"x0 is \[None\]; it must be numbers"),
        (lambda: rerun(None), "recipe is None; give trajectory.recipe"),  # type: ignore[arg-type]
        (lambda: rerun({**minimize("x", 1.0, Adam(), max_steps=1).recipe, "objective": 3}), "recipe has the objective"),
        (lambda: fallline.check_gradient("x**2", "a"), "x is 'a'; it must be numbers"),
        (lambda: fallline.check_gradient("x**2", np.nan), "x is nan in x; it must be a finite number"),
        (lambda: fallline.chain_rule("x + y", "ab"), "x is 'ab'; it must be numbers"),
        (lambda: fallline.chain_rule(lambda x: x, 1), "the chain rule is shown of a formula only"),
        (lambda: fallline.diagnose(None), "result is None; it must be a run"),  # type: ignore[arg-type]
        (lambda: fallline.Trajectory.load(None), "path is 'None'; there is no such file"),  # type: ignore[arg-type]
        (lambda: minimize("x", 1.0, Adam(), max_steps=1).save("a\0b"), "it must be the name of a file"),
        (lambda: minimize("x", 1.0, Adam(), max_steps=1).save(3), "path is 3; it must be the name of a file"),  # type: ignore[arg-type]
        (lambda: minimize("x", 1.0, Adam(), max_steps=1).save(""), "path is empty; give the name of a file"),
        (lambda: fallline.fit({"a": [1, 2, 3], "b": [0, 1, 0]}, "b", optimizer=3), "optimizer is 3; it must be"),  # type: ignore[arg-type]
        (lambda: fallline.fit({"a": [1, 2, 3], "b": [0, 1, 0]}, "b", features=3), "features is 3; it must be"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_input_at_all_is_told_in_one_line(call: Any, said: str) -> None:
    with pytest.raises(FalllineError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_points_by_name_and_landscapes_are_taken_everywhere() -> None:
    assert fallline.check_gradient("x**2 + y", {"y": 1, "x": 2})
    assert fallline.chain_rule("u = x**2; u + y", {"y": 1, "x": 2}).gradient == {"x": 4, "y": 1}
    assert fallline.chain_rule("rosenbrock", [1, 1]).gradient == {"x": 0, "y": 0}


def test_a_whole_number_beyond_the_floats_is_infinite() -> None:
    run = minimize(lambda x: 10**400, 1.0, GradientDescent(0.1), gradient=lambda x: 1.0)
    assert (run.stop.reason, run.value[0]) == ("not finite", np.inf)
