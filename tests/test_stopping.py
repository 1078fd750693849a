"""Each stopping condition ends a run at the step where it is first met, and is named as the reason."""

from __future__ import annotations

import math
import re
import signal
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline import (
    Backtracking,
    Diverging,
    Evaluations,
    FalllineError,
    GradientDescent,
    GradientNorm,
    Momentum,
    NotFinite,
    Seconds,
    StepSize,
    StoppingCondition,
    Target,
    Trajectory,
    ValueChange,
    minimize,
)
from fallline.norms import norm
from fallline.optimizers import optimizer_from_name
from fallline.stopping import CONDITIONS, Left, Progress, SmallEpoch, conditions


def square(x: Any) -> Any:
    return x**2


def anything(thing: Any) -> Any:
    """What the type checker would refuse."""
    return thing


def halving(stop: StoppingCondition | None, **settings: Any) -> Trajectory:
    """x halves at every step, exactly: x_k = 2^-k, the value is 4^-k, the gradient 2^(1 - k)."""
    return minimize(square, 1.0, GradientDescent(0.25), stop=stop, gradient=lambda x: 2 * x, **settings)


@pytest.mark.parametrize(
    ("stop", "step", "reason", "message"),
    [
        # The step of 2^-k that leads to x_k is below 2^-10 first for k = 11.
        (StepSize(2**-10), 11, "small step", "no coordinate moved by 0.000976562 or more in step 11"),
        # The gradient is 2^(1 - k): "at most" is met when equal.
        (GradientNorm(2**-9), 10, "small gradient", "the gradient's norm is at most 0.00195312 at step 10"),
        # The value falls by 3 · 4^-k, at most 3 · 4^-8 first for k = 8; the value is below 1.
        (
            ValueChange(3 * 4**-8),
            8,
            "small change",
            "the value changed by no more than 4.57764e-05 of itself in step 8",
        ),
        (Target(4**-7), 7, "target reached", "the value 6.10352e-05 is at most the target 6.10352e-05 at step 7"),
        # Value and gradient at each point: 2 for the start, and 2 for each step.
        (Evaluations(20), 9, "evaluations used up", "20 evaluations were made by step 9; the limit is 20"),
        (Evaluations(21), 10, "evaluations used up", "22 evaluations were made by step 10; the limit is 21"),
    ],
)
def test_the_condition_ends_the_run_where_it_is_first_met(
    stop: StoppingCondition, step: int, reason: str, message: str
) -> None:
    run = halving(stop)
    assert (run.step_count, run.stop.reason, run.stop.message) == (step, reason, message)
    assert run.stop.converged == (not isinstance(stop, Evaluations))
    assert "\n" not in message


def test_the_change_of_a_large_value_is_relative() -> None:
    # From 10^6 the value falls by 1 each step: at most 10^-6 of itself at once.
    run = minimize(lambda x: x, 1e6, GradientDescent(1.0), stop=ValueChange(1e-6), gradient=lambda x: 1.0, max_steps=50)
    # 1 <= 1e-6 * (1e6 - k) never holds, but 1 <= 1.1e-6 * (1e6 - k) does.
    assert run.stop.reason == "step limit"
    run = minimize(lambda x: x, 1e6, GradientDescent(1.0), stop=ValueChange(1.1e-6), gradient=lambda x: 1.0)
    assert run.step_count == 1


def test_by_default_a_run_ends_when_it_no_longer_moves() -> None:
    # 2^-40 < 1e-12 < 2^-39.
    run = halving(None)
    assert (run.step_count, run.stop.reason, run.stop.converged) == (40, "small step", True)
    # Asked for something else, it goes on.
    assert halving(Target(-1.0), max_steps=60).step_count == 60


def test_a_start_without_a_slope_is_said_to_be_flat() -> None:
    run = minimize(square, 0.0, GradientDescent(0.1), gradient=lambda x: 2 * x)
    assert (run.step_count, run.stop.reason) == (1, "small step")
    assert run.stop.message == "the gradient is zero at step 1: a minimum, or another flat point, is found"


def test_the_step_limit_is_the_last_resort() -> None:
    run = halving(StepSize(0), max_steps=5)
    assert (run.step_count, run.stop.reason, run.stop.converged) == (5, "step limit", False)
    assert run.stop.message == "the limit of 5 steps was reached"
    # A condition that is met at the last step goes first.
    assert halving(Target(4**-5), max_steps=5).stop.reason == "target reached"


def test_seconds() -> None:
    def slow(x: Any) -> Any:
        time.sleep(0.002)
        return x**2

    run = minimize(slow, 1.0, GradientDescent(1e-6), stop=Seconds(0.05), gradient=lambda x: 2 * x, max_steps=10**6)
    assert run.stop.reason == "time used up"
    assert run.stop.message == f"0.05 seconds had passed at step {run.step_count}"
    assert run.seconds >= 0.05
    # Each step takes at least 0.002 seconds.
    assert run.step_count <= 25


def test_diverging() -> None:
    # x_k = (-2)^k, so the value 4^k has risen by more than 10^6 first for k = 10: 4^10 = 1048576.
    run = minimize(square, 1.0, GradientDescent(1.5), stop=Diverging(1e6), gradient=lambda x: 2 * x)
    assert (run.step_count, run.stop.reason, run.stop.converged) == (10, "diverging", False)
    assert run.stop.message == "the value has risen from 1 to 1.04858e+06 by step 10"


@given(start=st.floats(2, 1e6), factor=st.floats(0.5, 100))
def test_diverging_is_relative_to_a_large_start(start: float, factor: float) -> None:
    run = minimize(square, start, GradientDescent(1.5), stop=Diverging(factor), gradient=lambda x: 2 * x)
    risen = run.value - run.value[0] > factor * run.value[0]
    assert risen.tolist() == [False] * run.step_count + [True]


@pytest.mark.parametrize(
    ("objective", "gradient", "reason", "what"),
    [
        (lambda x: math.nan, lambda x: 1.0, "not finite", "the value"),
        (lambda x: math.inf, lambda x: 1.0, "not finite", "the value"),
        (lambda x: 1.0, lambda x: math.nan, "no gradient", "the gradient"),
        (lambda x: 1.0, lambda x: -math.inf, "no gradient", "the gradient"),
    ],
)
def test_a_start_that_is_not_finite_ends_the_run_at_once(objective: Any, gradient: Any, reason: str, what: str) -> None:
    for stop in (None, Target(-1e9), NotFinite()):
        run = minimize(objective, 1.0, GradientDescent(0.1), gradient=gradient, stop=stop)
        assert (len(run), run.stop.reason, run.stop.converged) == (1, reason, False)
        assert run.stop.message.startswith(f"{what} is not a finite number at step 0")
        assert run.best.step == 0
        assert run.best.x == 1.0


def test_a_run_that_overflows_ends_where_it_does() -> None:
    run = minimize(square, 1.0, GradientDescent(5.5), gradient=lambda x: 2 * x, max_steps=10**4)
    # x_k = (-10)^k: the value leaves the floats, whose largest is below 10^309, at k = 155.
    assert (run.step_count, run.stop.message) == (155, "the value is not a finite number at step 155")
    assert run.best.step == 0


def test_a_coordinate_that_overflows_is_named() -> None:
    run = minimize(lambda x: 0.0, 1e308, GradientDescent(1e308), gradient=lambda x: -1.0, max_steps=9)
    assert run.stop.message == "x is not a finite number at step 1"


def test_large_finite_numbers_are_no_reason_to_end() -> None:
    # The products and sums of these overflow, they themselves do not.
    run = minimize(lambda x, y: 1e300, [1e300, -1e300], GradientDescent(1e-10), gradient=lambda x, y: (1e300, -1e300),
                   max_steps=3)  # fmt: skip
    assert run.stop.reason == "step limit"


def test_joined_conditions_end_the_run_at_the_first_and_are_asked_in_order() -> None:
    early, late = Target(4**-3), StepSize(2**-10)
    assert halving(late | early).stop == halving(early).stop
    # Both are met at step 10: at 4^-10 the value, and at 2^-9 the gradient.
    value, slope = Target(4**-10), GradientNorm(2**-9)
    assert halving(value | slope).stop.reason == "target reached"
    assert halving(slope | value).stop.reason == "small gradient"
    three = (value | slope) | late
    assert three.parts == (value, slope, late)
    assert halving(three).stop == halving(value).stop


def test_a_number_that_is_not_finite_goes_before_all_others() -> None:
    run = minimize(lambda x: math.nan, 0.0, GradientDescent(), gradient=lambda x: 0.0, stop=GradientNorm(1))
    assert run.stop.reason == "not finite"
    assert [type(part) for part in conditions(Target(0) | NotFinite() | StepSize(1))] == [NotFinite, Target, StepSize]
    assert conditions(None) == (NotFinite(), StepSize())
    assert not NotFinite().near(runs_at(value=[0.0, 2.0, -1.0])).any()


def runs_at(**parts: Any) -> Progress:
    """Runs after their third step: an entry for each run; for a part not given, what no condition ends."""
    k = len(next(iter(parts.values())))
    given = {name: np.array(part, int if name == "evaluations" else float) for name, part in parts.items()}
    usual = {"x": np.ones((k, 1)), "value": np.ones(k), "gradient": np.ones((k, 1)), "change": np.ones((k, 1)),
             "previous_value": np.full(k, 2.0), "first_value": np.full(k, 3.0), "evaluations": np.full(k, 8),
             "previous_change": np.ones((k, 1))}  # fmt: skip
    return Progress(step=3, seconds=0.25, **(usual | given))


def test_joined_conditions_answer_as_one() -> None:
    progress = runs_at(value=[5.0, 1.0], gradient=[[9.0], [0.0]])
    joined = Target(0) | GradientNorm(0.5)
    assert joined.met(progress).tolist() == [False, True]
    assert joined.message(progress, 1) == "the gradient's norm is at most 0.5 at step 3"
    assert joined.stop(progress, 1).reason == "small gradient"
    # Of the run that is asked for, not of the first.
    assert (Target(2) | GradientNorm(0.5)).stop(progress, 1) == Target(2).stop(progress, 1)
    assert (Target(2) | GradientNorm(0.5)).message(progress, 1).startswith("the value 1 is at most the target 2 ")


# The conditions on made-up runs ------------------------------------------------------------------------------

# Coordinates, slopes, and the last step; the value, the first value, and the longest coordinate of the step before.
# Then whether the run has come to rest, by the sentences that describe StepSize.
PLACES: list[tuple[Any, Any, Any, float, float, float, bool]] = [
    # Beside a coordinate of 1, at most 5e-13; at most 5e-13 of each coordinate, so of the smallest.
    ([1], [1], [4.9e-13], 1, 1, 0, True),
    ([1], [1], [-4.9e-13], 1, 1, 0, True),
    ([-1], [-1], [5.1e-13], 1, 1, 0, False),
    ([1], [1], [5e-13], 1, 1, 0, True),
    ([1e6], [1], [4.9e-7], 1, 1, 0, True),
    ([1e6, 1], [1, 1], [4.9e-7, 0], 1, 1, 0, False),
    ([1e6, 1e3], [1, 1], [4.9e-10, 4.9e-10], 1, 1, 0, True),
    ([1e6, 1e3], [1, 1], [4.9e-7, 4.9e-10], 1, 1, 0, False),
    # A coordinate on its way to zero: a step of at most 1e-12, and half the slope times the coordinate at most 1e-24 of
    # the value, be it negative; of the first value where that is more, though of 1 at most.
    ([1e-12], [1.9e-12], [9e-13], 0, 1, 0, True),
    ([-1e-12], [-1.9e-12], [9e-13], 0, 1, 0, True),
    ([1e-12], [2e-12], [9e-13], 0, 1, 0, True),
    ([1e-12], [2.1e-12], [9e-13], 0, 1, 0, False),
    ([1e-12], [1.9e-12], [9e-13], 0, 16, 0, True),
    ([1e-12], [2.1e-12], [9e-13], 0, 16, 0, False),
    ([1e-12], [0.4e-12], [9e-13], 0, 0.25, 0, True),
    ([1e-12], [0.6e-12], [9e-13], 0, 0.25, 0, False),
    ([1e-12], [0.4e-12], [9e-13], 0, -0.25, 0, True),
    ([1e-12], [15e-12], [9e-13], -8, 1, 0, True),
    ([1e-12], [17e-12], [9e-13], -8, 1, 0, False),
    ([1e-12, 1], [1e-12, 1], [9e-13, 0], 0, 1, 0, False),
    # Where the step is the longer of the two, it counts as the coordinate's size.
    ([0], [3e-12], [5e-13], 0, 1, 0, True),
    ([0], [5e-12], [5e-13], 0, 1, 0, False),
    ([0], [1e-12], [1e-12], 0, 1, 0, True),
    ([0], [1e-24], [1.1e-12], 0, 1, 0, False),
    # What counts as short grows with the coordinates, all of them.
    ([1], [1e-24], [1.9e-12], 0, 1, 0, True),
    ([1], [1e-24], [2.1e-12], 0, 1, 0, False),
    ([1, -1], [1e-25, 1e-25], [2.9e-12, 0], 0, 1, 0, True),
    ([1, -1], [1e-25, 1e-25], [3.1e-12, 0], 0, 1, 0, False),
    # The slope has mostly gone, and a hundred such steps would still lower the value by more than its rounding: then
    # it goes on as long as a step can be told from none.
    ([1], [0.5], [4e-13], 1e-3, 1e6, 0, False),
    ([-1], [-0.5], [4e-13], 1e-3, -1e6, 0, False),
    ([2], [0.25], [4e-13], 1e-3, 6e5, 0, False),
    ([2], [0.25], [4e-13], 1e-3, 5e5, 0, True),
    ([1], [0.5], [5e-16], 1e-3, 1e6, 0, True),
    ([0.25], [1.28], [2**-52], 1e-3, 1e6, 0, True),
    ([1], [0.5], [6.5e-16], 1e-3, 1e6, 0, False),
    ([1], [0.5], [2e-15], -4, 1e6, 0, True),
    ([1], [0.5], [2.5e-15], -4, 1e6, 0, False),
    ([1], [50], [2**-52], 1e-3, 1e8, 0, True),
    ([1], [50], [1.5 * 2**-52], 1e-3, 1e8, 0, False),
    ([8], [50 / 8], [2**-49], 1e-3, 1e8, 0, True),
    # No step on a slope is a pause, no step without one is rest.
    ([1], [1e-9], [0], 1, 1, 0, False),
    ([1, 1], [0, 1], [0, 0], 1, 1, 0, False),
    ([1, 1], [0, 0], [0, 0], 1, 1, 0, True),
    # A run that turns round: on a slope, a step right after one more than 1000 times as long as a short one. None is
    # before the first step.
    ([0], [1e-13], [5e-13], 0, 1, 0.99e-9, True),
    ([0], [1e-13], [5e-13], 0, 1, -0.99e-9, True),
    ([0], [1e-13], [5e-13], 0, 1, 1.01e-9, False),
    ([1], [1], [4e-13], 1, 1, 1.99e-9, True),
    ([1], [1], [4e-13], 1, 1, 2.01e-9, False),
    ([0], [0], [5e-13], 0, 1, 1.0, True),
    ([0], [1e-13], [5e-13], 0, 1, np.inf, True),
]


@pytest.mark.parametrize("n", [1, 2])
def test_what_is_rest_is_judged_by_coordinate_and_value(n: int) -> None:
    x, gradient, change, value, first, before, rests = zip(*(row for row in PLACES if len(row[0]) == n), strict=True)
    at = runs_at(x=x, gradient=gradient, change=change, value=value, first_value=first, previous_change=[
        [size] * n for size in before])  # fmt: skip
    found = StepSize().met(at)
    assert found.dtype == bool
    assert found.tolist() == list(rests)
    # With a line search nothing is known of the step before.
    sudden = [1 < abs(size) / 1e-9 < np.inf for size in before]
    alone = StepSize().met(at._replace(previous_change=None))
    assert alone[np.logical_not(sudden)].tolist() == found[np.logical_not(sudden)].tolist()
    assert alone[sudden].all()


def test_a_given_tolerance_is_the_same_for_every_coordinate() -> None:
    change = [[9.9e-4, 0], [-9.9e-4, 1e-5], [1e-3, 0], [0, -1e-3], [0, 0], [9.9e-4, 0], [9.9e-4, 0], [9.9e-4, 0]]
    before = [[0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 1], [1.1, 0], [np.inf, 0]]
    at = runs_at(x=np.full((8, 2), 1e6), gradient=np.ones((8, 2)), change=change, previous_change=before)
    assert StepSize(1e-3).met(at).tolist() == [True, True, False, False, False, True, False, True]
    assert StepSize(1e-3).met(at._replace(gradient=np.zeros((8, 2)))).tolist() == [True] * 2 + [False] * 2 + [True] * 4


@pytest.mark.parametrize(
    ("condition", "parts", "met"),
    [
        # "At most", of the value's size or of 1.
        (ValueChange(0.25), {"value": [0.5, 0.5, 0.5], "previous_value": [0.75, 0.25, 0.8]}, [True, True, False]),
        (ValueChange(0.25), {"value": [1.5, 1.5], "previous_value": [1.87, 1.88]}, [True, False]),
        (ValueChange(0.25), {"value": [-8, -8], "previous_value": [-6, -5.9]}, [True, False]),
        # "By more than", of the start's size or of 1.
        (Diverging(3), {"value": [3, 3.1], "first_value": [0, 0]}, [False, True]),
        (Diverging(3), {"value": [20, 20.1], "first_value": [-10, -10]}, [False, True]),
        (Diverging(3), {"value": [6, 6.1], "first_value": [1.5, 1.5]}, [False, True]),
        (GradientNorm(5), {"gradient": [[3, 4], [3, 4.1], [-5, 0]]}, [True, False, True]),
        (Target(-1), {"value": [-1, -0.9, -2, np.nan]}, [True, False, True, False]),
        (Evaluations(9), {"evaluations": [8, 9, 10]}, [False, True, True]),
        (Seconds(0.25), {"value": [1, 1]}, [True, True]),
        (Seconds(0.26), {"value": [1, 1]}, [False, False]),
        (NotFinite(), {"value": [1e300, np.nan, np.inf, -np.inf]}, [False, True, True, True]),
        (NotFinite(), {"x": [[1, np.nan], [-np.inf, 0], [1, 2]], "gradient": np.ones((3, 2))}, [True, True, False]),
        (NotFinite(), {"gradient": [[1, np.nan], [np.inf, 0], [1, 2]], "x": np.zeros((3, 2))}, [True, True, False]),
        # Three steps are an epoch; two are not over at the third, four have not yet passed.
        (SmallEpoch(0.5, 3), {"value": [1, 1], "previous_value": [1.5, 1.6]}, [True, False]),
        (SmallEpoch(0.5, 3), {"value": [0, 0], "previous_value": [0.5, -0.6]}, [True, False]),
        (SmallEpoch(0.5, 1), {"value": [-4, -4], "previous_value": [-6, -6.1]}, [True, False]),
        (SmallEpoch(0.5, 2), {"value": [1], "previous_value": [1]}, [False]),
        (SmallEpoch(0.5, 4), {"value": [1], "previous_value": [1]}, [False]),
    ],
    ids=lambda part: str(part) if isinstance(part, StoppingCondition) else "",
)
def test_a_condition_is_met_up_to_its_limit(condition: StoppingCondition, parts: Any, met: list[bool]) -> None:
    at = runs_at(**parts)
    found = condition.met(at)
    assert found.dtype == bool
    assert found.tolist() == met
    with np.errstate(all="ignore"):
        assert not (condition.unmet(at) and found.any())


BUILT_IN = [StepSize(), StepSize(0.125), GradientNorm(0.125), ValueChange(0.125), Target(7), Evaluations(7),
            Seconds(0.125), NotFinite(), Diverging(0.125), SmallEpoch(0.125, 3)]  # fmt: skip


@pytest.mark.parametrize("condition", BUILT_IN, ids=str)
def test_at_the_start_there_is_no_change(condition: StoppingCondition) -> None:
    start = runs_at(x=[[0.0], [0.0]])._replace(step=0, change=None, previous_value=None, previous_change=None)
    found = condition.met(start)
    assert found.dtype == bool
    expected = isinstance(condition, (Target, Evaluations, Seconds))
    assert found.tolist() == [expected] * 2
    near = condition.near(start)
    assert near is None or near.dtype == bool
    # All that ask how far a run moved, and whether it is finite, see that at a glance.
    assert condition.unmet(start) == isinstance(condition, (StepSize, NotFinite))


@pytest.mark.parametrize("condition", BUILT_IN, ids=str)
def test_a_stop_tells_the_step_and_the_numbers_of_its_own_run(condition: StoppingCondition) -> None:
    at = runs_at(x=[[1.0], [np.inf]], value=[2.0, 5.0], first_value=[3.0, 4.0], evaluations=[8, 9])
    stop = condition.stop(at, 1)
    assert (stop.reason, stop.converged, stop.message) == (
        condition.reason, condition.converged, condition.message(at, 1)
    )  # fmt: skip
    assert stop.message.endswith("step 3") or "step 3;" in stop.message
    assert "\n" not in stop.message
    numbers = {Target: ["5", "7"], Evaluations: ["9", "7"], Diverging: ["4", "5"], NotFinite: ["x"]}
    limit = ["0.125"] if condition != StepSize() else ["no coordinate moved noticeably"]
    assert all(re.search(rf"\b{number}\b", stop.message) for number in numbers.get(type(condition), limit))


def test_what_is_left_of_the_slope_bears_out_what_a_condition_says() -> None:
    left = Left(
        x=np.array([[1.0, -2.0]] * 6),
        value=np.array([0.0, 0.0, 0.5, 1.5, -8.0, -8.0]),
        slope=np.ones((6, 2)),
        # Up to 100 times what the tolerance allows: 100 * 0.01 of the value's size, or of 1.
        fall=np.array([1.0, 1.1, 1.1, 1.4, 8.0, 8.1]),
        # At most 100 times 5e-13 of each coordinate.
        step=5e-11 * np.array([[1.0, 0.0], [0.9, -2.0], [0.0, -2.1], [1.1, 0.0], [-1.1, 0.1], [0.9, 1.9]]),
        gone=np.ones(6, bool),
        slight=np.array([True] * 5 + [False]),
        down=np.zeros(6),
    )
    assert ValueChange(0.01).holds(left).tolist() == [True, False, False, True, True, False]
    assert StepSize().holds(left).tolist() == [True, True, False, False, False, False]
    # By hand: 100 times 1.05e-12 is between 2.1 and 2 times 5e-11; here the units are the caller's.
    assert StepSize(1.03e-12).holds(left).tolist() == [True, True, False, True, True, True]
    assert GradientNorm(0).holds(left).tolist() == [True] * 6
    assert {condition.holds(left).dtype for condition in BUILT_IN} == {np.dtype(bool)}
    assert (StepSize().on_a_slope, StepSize(1.0).on_a_slope) == ("rate too small", "small step")
    assert GradientNorm().on_a_slope == "small gradient"


def test_ends_that_no_condition_gives_are_no_convergence() -> None:
    def stopped(x: Any) -> Any:
        if x < 0.2:
            signal.raise_signal(signal.SIGINT)
        return x**2

    run = minimize(stopped, 1.0, GradientDescent(0.25), gradient=lambda x: 2 * x)
    assert (run.stop.reason, run.stop.converged) == ("interrupted", False)
    assert run.stop.message == f"interrupted at step {run.step_count}"
    # The gradient points the wrong way: the search finds nothing lower.
    run = minimize(square, 1.0, GradientDescent(Backtracking()), gradient=lambda x: -2 * x)
    assert (run.stop.reason, run.stop.converged) == ("no lower value", False)
    assert run.stop.message.endswith("at step 0")
    assert "line search" in run.stop.message


def test_a_condition_of_the_library_is_known_by_its_class_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [CONDITIONS[type(condition).__name__] for condition in BUILT_IN] == [*map(type, BUILT_IN)]
    monkeypatch.setattr(CONDITIONS, "_entered", {**CONDITIONS})
    before = {**CONDITIONS}
    new = type("New", (Target,), {"__module__": Target.__module__})
    type("Users", (Target,), {})
    assert {**before, "New": new} == {**CONDITIONS}


def test_a_condition_of_ones_own_needs_no_registering() -> None:
    class Left(StoppingCondition):
        reason = "left of the line"

        def met(self, progress: Progress) -> Any:
            return progress.x[:, 0] < 0.1

        def message(self, progress: Progress, run: int) -> str:
            return f"x is {progress.x[run, 0]:g}"

    run = halving(Left() | Target(-1))
    assert (run.stop.reason, run.stop.message, run.stop.converged) == ("left of the line", "x is 0.0625", False)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: StepSize(-1), "StepSize: tolerance is -1; it must be a number at least 0"),
        (lambda: GradientNorm(math.nan), "GradientNorm: tolerance is nan; it must be a number at least 0"),
        (lambda: ValueChange(anything("small")), "ValueChange: tolerance is 'small'; it must be a number at least 0"),
        (lambda: Target(anything(None)), "Target: value is None; it must be a number"),
        (lambda: Evaluations(0), "Evaluations: limit is 0; it must be a whole number at least 1"),
        (lambda: Evaluations(anything(2.5)), "Evaluations: limit is 2.5; it must be a whole number at least 1"),
        (lambda: Seconds(0), "Seconds: limit is 0; it must be a number above 0"),
        (lambda: Diverging(0), "Diverging: factor is 0; it must be a number above 0"),
        (lambda: SmallEpoch(-0.1, 3), "SmallEpoch: tolerance is -0.1; it must be a number at least 0"),
        (lambda: halving(anything(1e-5)), "stop is 1e-05; it must be a stopping condition such as StepSize"),
        (lambda: halving(anything(StepSize)), r"stop is <class '.*StepSize'>; it must be a stopping condition"),
        (lambda: halving(anything(StepSize | Target)), r"stop is .*; it must be a stopping condition"),
    ],
)
def test_what_makes_no_condition_is_one_line(make: Any, said: str) -> None:
    with pytest.raises(FalllineError, match=f"^{said}") as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_condition_joins_with_nothing_else() -> None:
    with pytest.raises(TypeError, match=r"unsupported operand"):
        StepSize(1e-5) | 7  # type: ignore[operator]


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_the_norm_neither_overflows_nor_vanishes(scale: float) -> None:
    # 3, 4, 5; a rounding each for the quotients, the squares, the sum, the root and the product.
    assert norm(np.array([[3.0, 4.0]]) * scale)[0] == pytest.approx(5 * scale, rel=1e-15)


def test_the_norm_of_zero_and_of_what_is_no_number() -> None:
    lengths = norm(np.array([[0.0, 0.0], [np.inf, 1.0], [np.nan, 1.0]]))
    assert lengths[0] == 0
    assert lengths[1] == np.inf
    assert np.isnan(lengths[2])


@pytest.mark.parametrize("rule", ["rprop@irprop", "rprop@torch", "rprop@optax", "cautious:momentum", "adopt@optax"])
def test_a_rule_that_pauses_is_not_taken_for_one_that_has_arrived(rule: str) -> None:
    run = minimize("x**2", 1.0, optimizer_from_name(rule, learning_rate=0.1), max_steps=400)
    assert not (run.stop.converged and abs(run.final.x[0]) > 1e-6)


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize("start", [1.0, 3.0])
def test_momentum_is_not_at_rest_where_it_turns_round(engine: str, start: float) -> None:
    # By hand, with the slope 2x: from x the first step is 1.8 x, to -0.8 x; the second 0.8 · 1.8 x - 0.9 · 1.6 x = 0,
    # and a rounding of it in float64, at a slope of -1.6 x.
    run = minimize("x**2", start, Momentum(0.9, 0.8), engine=engine)
    assert run.x[1:3].ravel() == pytest.approx([-0.8 * start] * 2, rel=1e-15)
    assert run.stop.reason == "small step"
    # It goes on so, every other step long, until a long one is at most 1000 times the tolerance of 1e-12.
    assert abs(run.final.x[0]) < 1e-9


def test_a_run_that_converges_at_a_stroke_is_at_rest() -> None:
    # The slope of x**2 is 2x: at the rate 0.5 the first step leads to 0, where there is no slope; a first step that
    # is short has none before it.
    assert minimize("x**2", 3.0, GradientDescent(0.5)).step_count == 2
    assert minimize("x**2", 3.0, GradientDescent(1e-14)).step_count == 1
