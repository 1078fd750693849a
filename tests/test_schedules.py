"""Schedules against their closed forms, and as the command line writes them."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline import Constant, Exponential, FalllineError, GradientDescent, Schedule, StepDecay, minimize
from fallline.schedules import SCHEDULES, parse_schedule

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
        ("step:0.9:2.5", "StepDecay: every is 2.5; it must be a whole number at least 1$"),
        ("step:0:40", "StepDecay: factor is 0; it must be a number above 0$"),
        ("exponential:nan", "Exponential: decay is nan; it must be a number above 0$"),
    ],
)
def test_what_cannot_be_read_is_one_line(text: str, said: str) -> None:
    with pytest.raises(FalllineError, match=f"^{said}"):
        parse_schedule(text, 0.5)


def test_every_schedule_checks_its_settings() -> None:
    with pytest.raises(FalllineError, match="StepDecay: convention is 'keras'; Allowed: paper, tutorial"):
        StepDecay(0.1, convention="keras")
    for kind in (Constant, StepDecay, Exponential):
        assert SCHEDULES[kind.name] is kind
        with pytest.raises(FalllineError, match="initial is 0; it must be a number above 0"):
            kind(0)
