"""Schedules against their closed forms, and as the command line writes them."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fallline
from fallline import (
    Adam,
    Constant,
    Cosine,
    CosineRestarts,
    Cyclic,
    Exponential,
    FalllineError,
    GradientDescent,
    InverseTime,
    MultiStep,
    OneCycle,
    PiecewiseConstant,
    Polynomial,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
    StepSize,
    Trajectory,
    WarmUp,
    WarmUpStableDecay,
    compare,
    minimize,
    rerun,
)
from fallline.engines import Problem, execute
from fallline.models import Logistic
from fallline.objectives import as_objective
from fallline.results.trajectory import Record
from fallline.schedules import SCHEDULES, parse_schedule, watches_values
from fallline.stopping import NotFinite

STEPS = st.integers(min_value=1, max_value=5000)
# A power and a product are each rounded once or twice.
TOLERANCE = 4 * float(np.finfo(float).eps)


@given(step=STEPS, initial=st.floats(1e-6, 10))
def test_constant(step: int, initial: float) -> None:
    assert Constant(initial).rate(step) == initial


@given(step=STEPS, decay=st.floats(0.9, 1.01))
def test_exponential_is_multiplied_once_a_step(step: int, decay: float) -> None:
    exact = mpmath.mpf(0.3) * mpmath.mpf(decay) ** (step - 1)
    assert math.isclose(Exponential(0.3, decay=decay).rate(step), exact, rel_tol=TOLERANCE)


@given(every=st.integers(1, 50), step=st.integers(1, 400))
def test_step_decay_counts_its_drops(every: int, step: int) -> None:
    # Halves are exact, so the loops below give the very number.
    paper = tutorial = 8.0
    for passed in range(1, step):
        if passed % every == 0:
            paper /= 2
        # A loop from 0 that tests behind the update drops behind the first one too.
        if (passed - 1) % every == 0:
            tutorial /= 2
    assert StepDecay(8.0, factor=0.5, every=every).rate(step) == paper
    assert StepDecay(8.0, factor=0.5, every=every, convention="tutorial").rate(step) == tutorial


def test_the_run_takes_the_rate_of_each_step_and_records_it() -> None:
    schedule = StepDecay(0.4, factor=0.5, every=2)
    run = minimize(lambda x: x, 0.0, GradientDescent(schedule), gradient=lambda x: 1.0, max_steps=5)
    # A slope of 1 makes each step as long as its rate.
    np.testing.assert_array_equal(-np.diff(run.x[:, 0]).round(12), [0.4, 0.4, 0.2, 0.2, 0.1])
    np.testing.assert_array_equal(run.rate, [0.4, 0.4, 0.2, 0.2, 0.1, np.nan])


def test_a_schedule_of_ones_own_is_only_asked_for_steps_that_are_made() -> None:
    class Table(Schedule):
        name = "table"

        def rate(self, step: Any) -> Any:
            return [0.1, 0.2, 0.3][step - 1]

    run = minimize(lambda x: x, 0.0, GradientDescent(Table()), gradient=lambda x: 1.0, max_steps=3)
    np.testing.assert_array_equal(run.rate, [0.1, 0.2, 0.3, np.nan])


def test_a_rate_that_grows_without_end_is_reported_and_not_raised() -> None:
    run = minimize(lambda x: x, 0.0, GradientDescent(Exponential(1, decay=2)), gradient=lambda x: 1.0, max_steps=5000)
    # The sum 2^n - 1 of the rates leaves the floats at n = 1024.
    assert (run.stop.reason, run.step_count) == ("not finite", 1024)


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("constant", Constant(0.5)),
        ("step", StepDecay(0.5)),
        ("step:0.9:40", StepDecay(0.5, 0.9, 40)),
        ("step:0.9:40:tutorial", StepDecay(0.5, 0.9, 40, convention="tutorial")),
        ("step:tutorial", StepDecay(0.5, convention="tutorial")),
        ("exponential:0.99", Exponential(0.5, 0.99)),
        ("multi_step:0.1:30,80", MultiStep(0.5, 0.1, (30, 80))),
        ("multi_step:0.1:30", MultiStep(0.5, 0.1, (30,))),
        ("piecewise_constant:10,20:0.5,2", PiecewiseConstant(0.5, (10, 20), (0.5, 2.0))),
        ("piecewise_constant:10:0.5:keras", PiecewiseConstant(0.5, (10,), (0.5,), convention="keras")),
        ("cosine:500:torch", Cosine(0.5, 500, convention="torch")),
        ("polynomial:500:2:0.1", Polynomial(0.5, 500, 2, 0.1)),
        ("inverse_time:0.5", InverseTime(0.5, 0.5)),
        ("cosine:500", Cosine(0.5, 500)),
        ("cosine_restarts:50:2", CosineRestarts(0.5, 50, 2)),
        ("one_cycle:300:0.2:torch", OneCycle(0.5, 300, 0.2, convention="torch")),
        ("cyclic:20:0.1:0.5", Cyclic(0.5, 20, 0.1, 0.5)),
        ("warm_up:20", WarmUp(0.5, 20)),
        ("warm_up:20:0.1:cosine:500", WarmUp(Cosine(0.5, 500), 20, 0.1)),
        ("warm_up_stable_decay:10:80:10", WarmUpStableDecay(0.5, 10, 80, 10)),
        ("reduce_on_plateau:0.5:3", ReduceOnPlateau(0.5, 0.5, 3)),
        (
            "reduce_on_plateau:0.5:keras:warm_up:20:step:0.9:40:tutorial",
            ReduceOnPlateau(WarmUp(StepDecay(0.5, 0.9, 40, convention="tutorial"), 20), 0.5, convention="keras"),
        ),
    ],
)
def test_schedules_are_read_from_text(text: str, schedule: Schedule) -> None:
    assert parse_schedule(text, 0.5) == schedule


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stp:0.9", r"schedule is 'stp:0.9'; did you mean 'step'\? Allowed: constant, "),
        ("", "schedule is ''; Allowed: constant"),
        ("step:fast", "schedule is 'step:fast'; write it as step:FACTOR:EVERY$"),
        ("step:0.9:40:7", "schedule is 'step:0.9:40:7'; write it as step:FACTOR:EVERY$"),
        ("constant:1", "schedule is 'constant:1'; write it as constant$"),
        ("exponential:paper", "schedule is 'exponential:paper'; write it as exponential:DECAY$"),
        ("warm_up:x", "schedule is 'warm_up:x'; write it as warm_up:STEPS:START:SCHEDULE$"),
        ("warm_up:5:cosine:x", "schedule is 'cosine:x'; write it as cosine:STEPS:FINAL$"),
        ("multi_step:0.1:30,x", "schedule is 'multi_step:0.1:30,x'; write it as multi_step:FACTOR:MILESTONES$"),
        ("warm_up:5:reduce_on_plateau", "WarmUp: after is a ReduceOnPlateau, which no other schedule may hold$"),
        ("multi_step:0.1:80,30", r"MultiStep: milestones is \(80, 30\); each must be above the one before$"),
        ("one_cycle:100:0.7", "OneCycle: warm_up is 0.7; it must be at most 0.5"),
        ("step:0.9:2.5", "StepDecay: every is 2.5; it must be a whole number at least 1$"),
        ("step:0:40", "StepDecay: factor is 0; it must be a number above 0$"),
        ("exponential:nan", "Exponential: decay is nan; it must be a number above 0$"),
    ],
)
def test_what_cannot_be_read_is_one_line(text: str, said: str) -> None:
    with pytest.raises(FalllineError, match=f"^{said}"):
        parse_schedule(text, 0.5)


def test_every_schedule_checks_its_settings() -> None:
    with pytest.raises(FalllineError, match=r"StepDecay: convention is 'keras'; Allowed: paper, tutorial"):
        StepDecay(0.1, convention="keras")
    for kind in (Constant, StepDecay, Exponential):
        assert SCHEDULES[kind.name] is kind
        with pytest.raises(FalllineError, match=r"initial is 0; it must be a number above 0"):
            kind(0)


@pytest.mark.parametrize(
    ("milestones", "parts", "said"),
    [
        ((10, 20), (0.5,), r"PiecewiseConstant: parts is \(0\.5,\); it must be 2, one for each milestone"),
        ((20, 10), (0.5, 0.1), r"PiecewiseConstant: milestones is \(20, 10\); each must be above the one before"),
        ((10, 10), (0.5, 0.1), r"PiecewiseConstant: milestones is \(10, 10\); each must be above the one before"),
        ((10,), (0.0,), r"PiecewiseConstant: parts is \(0\.0,\); it must be a number above 0"),
        ((-1,), (0.5,), r"PiecewiseConstant: milestones is \(-1,\); it must be a whole number at least 0"),
    ],
)
def test_rates_between_milestones_that_do_not_fit_are_refused(milestones: Any, parts: Any, said: str) -> None:
    with pytest.raises(FalllineError, match=said):
        PiecewiseConstant(0.3, milestones, parts)


# The schedules with closed forms, written with Python's own mathematics: count = step - 1, and a rate of 0.3.
CLOSED: dict[str, tuple[Schedule, Callable[[int], float]]] = {
    "multi_step": (
        MultiStep(0.3, 0.2, (4, 9)),
        lambda count: 0.3 * (1 if count < 4 else 0.2 if count < 9 else 0.2**2),
    ),
    "piecewise_constant": (
        PiecewiseConstant(0.3, (4, 9), (2.0, 0.1)),
        lambda count: 0.3 if count < 4 else 0.6 if count < 9 else 0.03,
    ),
    # Keras takes the first value up to the boundary, and the next above it.
    "piecewise_constant of keras": (
        PiecewiseConstant(0.3, (4, 9), (2.0, 0.1), convention="keras"),
        lambda count: 0.3 if count <= 4 else 0.6 if count <= 9 else 0.03,
    ),
    "cosine of torch": (
        Cosine(0.3, 20, 0.1, convention="torch"),
        lambda count: 0.03 + 0.27 * (0.5 + 0.5 * math.cos(math.pi * count / 20)),
    ),
    "polynomial": (Polynomial(0.3, 20, 2, 0.1), lambda count: 0.03 + 0.27 * max(0, 1 - count / 20) ** 2),
    "inverse_time": (InverseTime(0.3, 0.25), lambda count: 0.3 / (1 + 0.25 * count)),
    "cosine": (
        Cosine(0.3, 20, 0.1),
        lambda count: 0.03 + 0.27 * (0.5 + 0.5 * math.cos(math.pi * min(count, 20) / 20)),
    ),
    "cosine_restarts": (
        CosineRestarts(0.3, 6),
        lambda count: 0.15 + 0.15 * math.cos(math.pi * (count % 6) / 6),
    ),
    "one_cycle": (
        OneCycle(0.3, 41, 11 / 41, 0.5, 0.1),
        lambda count: (
            0.15 + 0.015 * count
            if count <= 10
            else 0.3 - 0.015 * (count - 10)
            if count <= 20
            else 0.15 - 0.006 * (min(count, 40) - 20)
        ),
    ),
    # By Loshchilov and Hutter's equation 5, each period twice as long: from 0, 3, 9, 21 and 45 on.
    "cosine_restarts that grow": (
        CosineRestarts(0.3, 3, 2, 0.1),
        lambda count: next(
            0.165 + 0.135 * math.cos(math.pi * (count - begun) / (begun + 3))
            for begun in (45, 21, 9, 3, 0)
            if count >= begun
        ),
    ),
    # The peak is reached at step 0.3 · 50, the last rate at step 50.
    "one_cycle of torch": (
        OneCycle(0.3, 50, 0.3, 0.5, 0.1, convention="torch"),
        lambda count: (
            0.225 - 0.075 * math.cos(math.pi * count / 14)
            if count <= 14
            else 0.165 + 0.135 * math.cos(math.pi * (min(count, 49) - 14) / 35)
        ),
    ),
    # 10.5 steps up are cut to 10, and the last rate comes after all 42.
    "one_cycle of optax": (
        OneCycle(0.3, 42, 0.25, 0.5, 0.1, convention="optax"),
        lambda count: (
            0.225 - 0.075 * math.cos(math.pi * count / 10)
            if count <= 10
            else 0.165 + 0.135 * math.cos(math.pi * (min(count, 42) - 10) / 32)
        ),
    ),
    # Less than one step up is none: it begins at the peak.
    "one_cycle without a way up": (
        OneCycle(0.3, 4, 0.1, 0.5, 0.1),
        lambda count: 0.15 - 0.04 * min(count, 3) if count else 0.3,
    ),
    # Half a step up and half a step down.
    "one_cycle with a short way up": (
        OneCycle(0.3, 15, 0.1, 0.5, 0.1),
        lambda count: 0.15 - 0.12 * max(min(count, 14) - 1, 0) / 13,
    ),
    # Up and down in all the steps but one, which has the last rate.
    "one_cycle without a tail": (
        OneCycle(0.3, 12, 0.5, 0.5, 0.1),
        lambda count: 0.15 + 0.03 * (5 - abs(5 - count)) if count <= 10 else 0.03,
    ),
    "cyclic": (Cyclic(0.3, 5, 0.5), lambda count: 0.15 + 0.03 * (5 - abs(5 - count % 10))),
    "cyclic that shrinks": (
        Cyclic(0.3, 5, 0.5, 0.5, 0.9),
        lambda count: 0.15 + 0.03 * (5 - abs(5 - count % 10)) * 0.5 ** (count // 10) * 0.9**count,
    ),
    "warm_up": (
        WarmUp(Exponential(0.3, 0.5), 10, 0.1),
        lambda count: 0.03 + 0.027 * count if count < 10 else 0.3 * 0.5 ** (count - 10),
    ),
    "warm_up_stable_decay": (
        WarmUpStableDecay(0.3, 5, 10, 5, 0.5, 0.2),
        lambda count: 0.15 + 0.03 * count if count < 5 else 0.3 - 0.048 * (min(count, 20) - 15) if count > 15 else 0.3,
    ),
}


@pytest.mark.parametrize("name", CLOSED)
def test_the_rates_are_those_of_the_closed_form(name: str) -> None:
    schedule, expected = CLOSED[name]
    rates = [float(schedule.rate(step)) for step in range(1, 61)]
    # Sums of a few terms of the size of the rate, each rounded.
    np.testing.assert_allclose(rates, [expected(count) for count in range(60)], rtol=0, atol=0.3 * 4 * TOLERANCE)


EVERY = [
    *(schedule for schedule, _ in CLOSED.values()),
    Constant(0.3),
    StepDecay(0.3, 0.5, 7),
    Exponential(0.3, 0.9),
]


@pytest.mark.parametrize("schedule", EVERY, ids=str)
def test_an_array_of_steps_gives_the_rate_of_each(schedule: Schedule) -> None:
    steps = np.arange(1, 61)
    rates = np.broadcast_to(schedule.rate(steps), 60)
    # NumPy computes powers and cosines of an array by other instructions than those of one number.
    np.testing.assert_allclose(rates, [schedule.rate(int(step)) for step in steps], rtol=TOLERANCE, atol=1e-16)


@pytest.mark.parametrize("schedule", EVERY, ids=str)
def test_twice_the_first_setting_is_twice_the_rate_at_every_step(schedule: Schedule) -> None:
    first = dataclasses.fields(schedule)[0].name
    once = getattr(schedule, first)
    if isinstance(once, Schedule):
        twice: Schedule = dataclasses.replace(schedule, after=dataclasses.replace(once, initial=0.6))  # type: ignore[call-arg]
    else:
        twice = dataclasses.replace(schedule, **{first: 0.6})
    for step in range(1, 61):
        assert twice.rate(step) == 2 * schedule.rate(step)


@pytest.mark.parametrize(("steps", "growth"), [(7, 3), (3, 2), (1, 3), (1, 10), (2, 10), (38, 5)])
def test_restarts_come_at_the_very_step_however_late(steps: int, growth: int) -> None:
    schedule = CosineRestarts(1.0, steps, growth)
    begun, length = 0, steps
    while begun < 1e13:
        assert schedule.rate(begun + 1) == 1.0
        # The step before is the last of a half cosine.
        assert schedule.rate(begun + length) == pytest.approx(math.sin(math.pi / (2 * length)) ** 2, abs=TOLERANCE)
        begun, length = begun + length, length * growth


def test_a_rate_is_dropped_behind_a_plateau_and_counted_run_by_run() -> None:
    # |x| with a rate of 1 from 0.5 goes to and fro between 0.5 and -0.5: no point improves on the first. The third
    # without improvement is one more than is waited for.
    schedule = ReduceOnPlateau(1.0, factor=0.5, patience=2)
    run = minimize("abs(x)", 0.5, GradientDescent(schedule), max_steps=6)
    np.testing.assert_array_equal(run.x[:, 0], [0.5, -0.5, 0.5, -0.5, 0, 0])
    np.testing.assert_array_equal(run.rate, [1, 1, 1, 0.5, 0.5, np.nan])


@pytest.mark.parametrize(
    ("convention", "cooldown", "drops"),
    [
        # By hand, of values that never improve on point 0, with a patience of 2: the third in vain is one too many.
        ("paper", 0, [3, 6, 9, 12, 15]),
        ("torch", 0, [3, 6, 9, 12, 15]),
        # Here the second is.
        ("optax", 0, [2, 4, 6, 8, 10]),
        ("keras", 0, [2, 4, 6, 8, 10]),
        # Three points after a drop do not count; in Keras the last of them does.
        ("paper", 3, [3, 9, 15]),
        ("torch", 3, [3, 9, 15]),
        ("optax", 3, [2, 7, 12]),
        ("keras", 3, [2, 6, 10, 14]),
    ],
)
def test_a_rate_drops_as_often_as_patience_and_cooldown_say(convention: str, cooldown: int, drops: list[int]) -> None:
    schedule = ReduceOnPlateau(Exponential(0.3, 0.9), 0.5, 2, 0, cooldown, 2**-4, convention=convention)
    memory, expected = None, 1.0
    for point in range(17):
        # Of runs side by side, the second improves at every point.
        memory = schedule.watched(memory, np.array([[1.0], [-float(point)]]))
        # Never below the least factor.
        expected = max(expected * (0.5 if point in drops else 1), 2**-4)
        assert memory.scale.tolist() == [[expected], [1.0]]
        rates = schedule.rate_after(memory, point + 1)
        assert rates.tolist() == [[expected * schedule.rate(point + 1)], [schedule.rate(point + 1)]]
    assert schedule.rate(3) == Exponential(0.3, 0.9).rate(3)


@pytest.mark.parametrize(
    ("convention", "best", "wanted"),
    [
        # By a quarter: of the best value's size; by f < b (1 - 1/4); as a difference.
        ("paper", 8.0, 6.0),
        ("torch", 8.0, 6.0),
        ("optax", 8.0, 6.0),
        ("keras", 8.0, 7.75),
        ("paper", -8.0, -10.0),
        ("torch", -8.0, -6.0),
        ("optax", -8.0, -6.0),
        ("keras", -8.0, -8.25),
        ("paper", 0.0, 0.0),
    ],
)
def test_what_improves_on_the_best_lies_beyond_the_threshold(convention: str, best: float, wanted: float) -> None:
    schedule = ReduceOnPlateau(0.3, 0.5, 3, 0.25, convention=convention)
    memory = schedule.watched(schedule.watched(None, best), np.inf)
    assert (memory.best, memory.waited) == (best, 1)
    for value, better in ((wanted, False), (np.nextafter(wanted, -np.inf), True)):
        after = schedule.watched(memory, value)
        assert (after.best, after.waited) == ((value, 0) if better else (best, 2))


def test_a_negative_best_value_is_not_improved_on_by_a_worse_one() -> None:
    # -9.9995 is worse than -10, but lies below -10 (1 - 1e-4) = -9.999, which is what torch asks for.
    def scale(convention: str) -> float:
        schedule = ReduceOnPlateau(1.0, patience=1, factor=0.5, convention=convention)
        memory = schedule.watched(None, -10.0)
        for _ in range(3):
            memory = schedule.watched(memory, -9.9995)
        return float(memory.scale)

    assert (scale("paper"), scale("torch")) == (0.5, 1.0)


def test_a_start_without_a_finite_value_is_improved_on_by_any() -> None:
    schedule = ReduceOnPlateau(1.0, patience=1)
    for start in (np.inf, np.nan):
        memory = schedule.watched(None, start)
        for value in (3.0, 2.0, 1.0):
            memory = schedule.watched(memory, value)
        assert (memory.best, memory.scale) == (1.0, 1.0)


def test_runs_in_one_batch_wait_each_for_its_own_plateau() -> None:
    objective = as_objective("abs(x) + 0.01*x**2")
    starts = np.array([[0.5], [20.3], [-3.0], [0.0]])
    schedule = ReduceOnPlateau(0.7, factor=0.5, patience=2, cooldown=1)

    def runs(of: npt.NDArray[np.float64]) -> list[Trajectory]:
        rule, stop = GradientDescent(schedule), (NotFinite(), StepSize(1e-3))
        return execute(Problem(objective, of, rule, 80, stop, Record(), 0, None, lambda done: None), "reference")

    together = runs(starts)
    # They end at different steps, and leave the batch one by one.
    assert len({run.step_count for run in together}) > 2
    for start, run in zip(starts, together, strict=True):
        (alone,) = runs(start[None])
        np.testing.assert_array_equal(run.x, alone.x)
        np.testing.assert_array_equal(run.rate, alone.rate)
        assert len(set(alone.rate[:-1].tolist())) > 1 or start == 0


def test_a_plateau_is_seen_when_only_the_ends_are_recorded() -> None:
    rule = GradientDescent(ReduceOnPlateau(WarmUp(1.0, 2), factor=0.5, patience=2))
    loss = Logistic([-1.0, 0.5, 2.0, 3.0], [0, 1, 0, 1]).batches(2)
    runs = [minimize(loss, [3.0, 3.0], rule, max_steps=60, record=record) for record in ("all", "ends")]
    np.testing.assert_array_equal(runs[0].final.x, runs[1].final.x)
    assert len(set(runs[0].rate[:-1].tolist())) > 3


def test_every_schedule_survives_a_recipe() -> None:
    for schedule in [*EVERY, ReduceOnPlateau(WarmUp(Cosine(0.1, 20), 5), patience=2)]:
        run = minimize("x**2 + abs(y)", [1.0, 2.0], Adam(schedule), max_steps=12)
        np.testing.assert_array_equal(rerun(json.loads(json.dumps(run.recipe))).x, run.x)


@pytest.mark.parametrize("schedule", EVERY, ids=str)
def test_a_schedule_that_watches_no_values_has_the_rate_of_its_step(schedule: Schedule) -> None:
    assert not watches_values(schedule)
    assert schedule.watched(None, 1.0) is None
    assert schedule.rate_after(None, 5) == schedule.rate(5)


def test_only_schedules_watch_values() -> None:
    assert watches_values(ReduceOnPlateau(0.1))
    assert not any(map(watches_values, (0.1, Constant(0.1), ReduceOnPlateau)))


def test_numbers_stand_for_the_schedules_and_milestones_that_they_mean() -> None:
    assert WarmUp(0.3).after == ReduceOnPlateau(0.3).after == Constant(0.3)
    assert WarmUp(Cosine(0.3)).after == Cosine(0.3)
    for kind in (WarmUp, ReduceOnPlateau):
        with pytest.raises(FalllineError, match=rf"^{kind.__name__}: after is a ReduceOnPlateau, which no other"):
            kind(ReduceOnPlateau(0.1))
    assert MultiStep(0.3, 0.2, 5) == MultiStep(0.3, 0.2, (5,))  # type: ignore[arg-type]
    one, several = PiecewiseConstant(0.3, 5, 0.5), PiecewiseConstant(0.3, np.array([4, 9]), np.array([2, 1]))  # type: ignore[arg-type]
    assert one == PiecewiseConstant(0.3, (5,), (0.5,))
    # So that a recipe can hold them.
    assert json.dumps([several.milestones, several.parts]) == "[[4, 9], [2.0, 1.0]]"


def test_a_schedule_is_called_by_its_name_in_words() -> None:
    words = {"step decay": StepDecay(1), "cosine restarts": CosineRestarts(1), "one-cycle": OneCycle(1)}
    assert {schedule.spelling: schedule for schedule in words.values()} == words


def test_a_schedule_of_the_library_is_known_by_its_name_once_it_is_defined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SCHEDULES, "_entered", {**SCHEDULES})
    before = {**SCHEDULES}
    new = type("New", (Constant,), {"name": "new", "__module__": Constant.__module__})
    type("Nameless", (Constant,), {"__module__": Constant.__module__})
    type("Users", (Constant,), {"name": "users"})
    assert {**before, "new": new} == {**SCHEDULES}


def test_the_room_shows_what_can_be_imported_from_it() -> None:
    shown = dir(fallline.schedules)
    assert {"SCHEDULES", "parse_schedule", "schedule_form", "watches_values", "Schedule"} <= {*shown}
    assert {kind.__name__ for kind in SCHEDULES.values()} <= {*shown}
    assert all(hasattr(fallline.schedules, name) for name in shown)
    assert {*fallline.schedules.__all__} == {*shown}
    assert not hasattr(fallline.schedules, "minimize")


def test_several_schedules_are_compared_side_by_side() -> None:
    runs = compare("x**2", 1.0, [GradientDescent(Cosine(0.1, 10)), GradientDescent(Cyclic(0.1, 10))], max_steps=5)
    assert runs.labels == (
        "gradient_descent, Cosine(initial=0.1, steps=10, final=0.0, convention='paper')",
        "gradient_descent, Cyclic(peak=0.1, steps=10, low=0.25, shrink=1.0, decay=1.0)",
    )
