"""Each stopping condition ends a run at the step where it is first met, and is named as the reason."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline import (
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
from fallline.stopping import Progress, conditions


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


def test_joined_conditions_answer_as_one() -> None:
    progress = Progress(
        step=3,
        x=np.zeros((2, 1)),
        value=np.array([1.0, 5.0]),
        gradient=np.array([[0.0], [9.0]]),
        change=np.ones((2, 1)),
        previous_value=np.array([2.0, 6.0]),
        first_value=np.array([2.0, 6.0]),
        evaluations=np.array([8, 8]),
        seconds=0.0,
    )
    joined = Target(0) | GradientNorm(0.5)
    assert joined.met(progress).tolist() == [True, False]
    assert joined.message(progress, 0) == "the gradient's norm is at most 0.5 at step 3"
    assert joined.stop(progress, 0).reason == "small gradient"


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
