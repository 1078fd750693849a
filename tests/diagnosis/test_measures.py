"""What the checks measure of a run, held against closed forms: steps, short descents, limits, quantiles."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import fallline
from fallline import GradientDescent, Linear, Trajectory, minimize
from fallline.diagnosis.course import Course
from fallline.diagnosis.limits import constant_limit, is_linear, keeps_length
from fallline.diagnosis.quantiles import median, quantile
from fallline.diagnosis.steps import ENDS, SHARES, Steps, measured_steps, objective_of, spread
from fallline.diagnosis.trial import trial_descent
from fallline.objectives import as_objective
from fallline.stopping import ROUNDING

NUMBERS = st.floats(-1e6, 1e6)


@given(arrays.arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 9)), elements=NUMBERS), st.floats(0, 1))
def test_quantiles_are_those_of_numpy(values: Any, share: float) -> None:
    assert np.allclose(quantile(values, share), np.quantile(values, share, axis=-1), rtol=1e-9, atol=1e-9)
    assert np.allclose(median(values), np.median(values, axis=-1), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("values", [[np.nan], [1.0, np.nan, 2.0], [[1.0, 2.0], [np.nan, 3.0]]])
def test_a_quantile_of_what_is_no_number_is_none(values: Any) -> None:
    assert np.array_equal(np.isnan(quantile(values, 0.3)), np.isnan(values).any(axis=-1))


@given(st.integers(1, 1000), st.integers(1, 300))
def test_spread_places_have_the_first_and_the_last_ones(count: int, most: int) -> None:
    places = spread(count, most)
    assert len(places) == min(count, most)
    assert (np.diff(places) > 0).all()
    ends = min(ENDS, most // 4, count)
    assert np.array_equal(places[:ends], np.arange(ends))
    assert np.array_equal(places[len(places) - ends :], np.arange(count - ends, count))
    if 8 <= most < count:
        # The others are evenly between.
        inner = places[ends : len(places) - ends]
        assert np.abs(inner - np.linspace(ends, count - ends - 1, len(inner))).max() < 1


CURVES = np.array([1.0, 4.0])


def bowl(rate: float, steps: int = 30, **options: Any) -> Trajectory:
    return minimize("0.5*x**2 + 2*y**2", [3.0, 1.0], GradientDescent(rate), max_steps=steps, **options)


@pytest.mark.parametrize("rate", [0.1, 0.45, 0.55])
def test_steps_on_a_quadratic_meet_its_curvature(rate: float) -> None:
    run = bowl(rate)
    steps = measured_steps(run, 100)
    assert np.array_equal(steps.rows, np.arange(len(run) - 1))
    assert np.array_equal(steps.number, run.steps[:-1])
    assert np.array_equal([steps.before, steps.after], [run.value[:-1], run.value[1:]])
    g = run.gradient[:-1]
    assert steps.promised == pytest.approx(rate * (g**2).sum(axis=1), rel=1e-9)
    assert steps.lengths == pytest.approx(rate * np.sqrt((g**2).sum(axis=1)), rel=1e-9)
    # The mean curvature along a step is that of the quadratic in its direction.
    curvature = (g**2 @ CURVES) / (g**2).sum(axis=1)
    assert steps.curvature[:10] == pytest.approx(curvature[:10], rel=1e-6)
    assert steps.gain[:10] == pytest.approx(1 - rate * curvature[:10] / 2, abs=1e-6)
    assert steps.rounding[0] == pytest.approx(steps.before[0] * 2.0**-52, rel=64)
    assert steps.share(steps.gain > 2) == 0
    assert steps.share(steps.rows < 3) == 3 / 30
    assert steps.overshot.any() == (rate > 0.5)


@pytest.mark.parametrize("most", [1, 8, 29, 30])
def test_of_many_steps_some_are_measured(most: int) -> None:
    run = bowl(0.1)
    steps = measured_steps(run, most)
    assert np.array_equal(steps.rows, spread(30, most))
    assert np.array_equal(steps.after, run.value[steps.rows + 1])


def test_only_rows_that_follow_each_other_and_are_finite_are_steps() -> None:
    assert not measured_steps(bowl(0.1, record=2), 100).rows.size
    assert measured_steps(bowl(0.1, record=2), 100).share(np.zeros(0, bool)) == 0
    run = bowl(0.1)
    value = run.value.copy()
    value[7] = np.nan
    steps = measured_steps(dataclasses.replace(run, value=value), 100)
    assert 7 not in steps.rows
    assert {6, 8} <= set(steps.rows.tolist())
    cut = dataclasses.replace(run, steps=np.where(run.steps > 10, run.steps + 5, run.steps))
    assert 10 not in measured_steps(cut, 100).rows


@pytest.mark.parametrize(("start", "least"), [(5.0, 1.0), (-5.0, 1.0), (0.01, 0.01), (np.nan, 0.0)])
def test_values_are_rounded_by_their_size_and_that_of_the_first_up_to_1(start: float, least: float) -> None:
    run = bowl(0.1, 4)
    run = dataclasses.replace(run, value=np.array([start, 1e-9, -7.0, 0.3, 2.0]))
    rounding = measured_steps(run, 100).rounding
    known = [abs(value) for value in (start, 1e-9, 7.0, 0.3) if np.isfinite(value)]
    assert rounding == pytest.approx([ROUNDING * max(value, least) for value in known])
    # Of float32, 2^29 times as coarsely.
    single = as_objective("x + y")
    single.precision = "float32"
    assert measured_steps(dataclasses.replace(run, objective=single), 9).rounding == pytest.approx(2.0**29 * rounding)
    bare = measured_steps(dataclasses.replace(run, objective=None), 100)
    assert np.array_equal(bare.rounding, rounding)


@pytest.mark.parametrize(
    ("after", "promised", "rounding", "overshot"),
    [
        # A thousandth of the height of 10 above the lowest, 5, and the rounding.
        (10.0051, 1.0, 0.0, True),
        (10.0049, 1.0, 0.0, False),
        (10.0061, 1.0, 0.001, True),
        (10.0059, 1.0, 0.001, False),
        (10.0051, 0.0, 0.0, False),
        (10.0051, -1.0, 0.0, False),
        (np.nan, 1.0, 0.0, True),
        (np.inf, 1.0, 0.0, True),
        (np.nan, -1.0, 0.0, False),
    ],
)
def test_a_step_that_overshot(after: float, promised: float, rounding: float, overshot: bool) -> None:
    every = np.ones(2)
    steps = Steps(
        bowl(0.1),
        np.arange(2),
        np.array([10.0, 5.0]),
        np.array([after, 4.0]),
        promised * every,
        rounding * every,
        every,
    )
    assert steps.overshot.tolist() == [overshot, False]


def test_steps_of_batches_are_measured_on_their_own_batch() -> None:
    X = np.linspace(-1, 1, 12)
    loss = Linear(X, np.sin(3 * X)).batches(3)
    run = minimize(loss, [1.0, 1.0], GradientDescent(0.1), max_steps=10, seed=2)
    steps = measured_steps(run, 100)
    for place, row in enumerate(steps.rows):
        batch = loss.at_step(int(row) + 1, 2)
        assert steps.before[place] == pytest.approx(float(batch.value(run.x[row])), rel=1e-12)
        assert steps.after[place] == pytest.approx(float(batch.value(run.x[row + 1])), rel=1e-12)
        assert np.allclose(objective_of(run, row).value(run.x[row]), batch.value(run.x[row]))


def test_the_longest_part_of_a_step_that_falls() -> None:
    run = minimize("x**2", 1.0, GradientDescent(7.3), max_steps=5, engine="reference")
    steps = measured_steps(run, 100)
    # A part s of a step falls where s η λ < 2, with λ = 2.
    longest = max(share for share in SHARES if share * 7.3 * 2 < 2)
    assert steps.shortened(np.arange(5)).tolist() == [longest] * 5
    assert steps.shortened(np.array([2])).tolist() == [longest]
    # A slope of the wrong sign leads uphill however short the step is.
    wrong = minimize(lambda x: x[0] ** 2, [1.0], GradientDescent(0.1), max_steps=3, gradient=lambda x: -2 * x)
    assert measured_steps(wrong, 9).shortened(np.arange(3)).tolist() == [0] * 3


@pytest.mark.parametrize(
    ("formula", "start", "rate", "falls"),
    [
        ("x + sqrt(x - 1)", 3.0, 5.0, True),
        ("x - log(x)", 3.0, 5.0, False),  # it rises before the edge
        ("log(x) + x", 2.0, 5.0, True),
        ("max(x, 2) + 0*sqrt(x - 1)", 3.0, 5.0, False),  # it is level before the edge
    ],
)
def test_a_fall_up_to_the_edge(formula: str, start: float, rate: float, falls: bool) -> None:
    run = minimize(formula, start, GradientDescent(rate), max_steps=3)
    steps = measured_steps(run, 9)
    assert not np.isfinite(steps.after[0])
    assert steps.overshot[0]
    assert steps.falls_to_edge(0) == falls


# Short descents


class Counted(fallline.objectives.FunctionObjective):
    """A function of one number, its slope, and how often both were asked for."""

    def __init__(self, function: Any, slope: Any) -> None:
        super().__init__(function, ("x",), vector=False)
        self.slope, self.both, self.gradients = slope, 0, 0

    def gradient(self, x: Any) -> Any:
        self.gradients += 1
        return np.vectorize(self.slope)(x)

    def value_and_gradient(self, x: Any) -> Any:
        self.both += 1
        return self.value(x), np.vectorize(self.slope)(x)


def test_the_first_step_on_a_quadratic_is_newtons() -> None:
    objective = Counted(lambda x: 3 * x**2 + 1, lambda x: 6 * x)
    found = trial_descent(objective, np.array([2.0]), 4)
    assert (found.start, found.slope, found.steepest, found.steps) == (13, 12, 12, 1)
    assert found.rate == pytest.approx(1 / 6, rel=1e-4)
    assert found.end == pytest.approx(1, abs=1e-6)
    assert found.x == pytest.approx([0], abs=1e-3)


@pytest.mark.parametrize(("start", "size"), [(5.0, 5.0), (0.2, 1.0), (-3.0, 3.0)])
def test_without_curvature_the_first_step_is_a_tenth_of_x_and_each_is_twice_as_long(start: float, size: float) -> None:
    for evaluations in (3, 4, 8):
        objective = Counted(lambda x: 2 * x, lambda x: 2 + 0 * x)
        found = trial_descent(objective, np.array([start]), evaluations)
        steps = evaluations - 3
        assert found.steps == steps
        assert found.x[0] == pytest.approx(start - 0.1 * size * (2**steps - 1), rel=1e-12)
        assert found.end == pytest.approx(2 * found.x[0], rel=1e-12)
        rates = 0.05 * size * 2.0 ** np.arange(steps)
        assert found.rate == pytest.approx(np.median(rates) if steps else np.nan, rel=1e-12, nan_ok=True)
        assert objective.both + objective.gradients <= evaluations


def test_a_step_that_does_not_fall_is_taken_again_at_a_quarter() -> None:
    def wall(x: float) -> float:
        return x if x > 0 else -100 * x

    # Half, one, two; four leads beyond 0, one leads to a half; two and a half lead to 0 or beyond.
    places = [5, 4.5, 3.5, 1.5, 1.5, 0.5, 0.5, 0.0]
    for tried, place in enumerate(places):
        objective = Counted(wall, lambda x: 1.0 if x > 0 else -100.0)
        found = trial_descent(objective, np.array([5.0]), 3 + tried)
        assert found.x[0] == pytest.approx(place, abs=1e-12)
        assert found.end == wall(found.x[0])


def test_a_descent_takes_note_of_the_steepest_slope() -> None:
    objective = Counted(lambda x: -(x**2), lambda x: -2 * x)
    found = trial_descent(objective, np.array([1.0]), 8)
    assert found.slope == 2
    assert found.steepest == pytest.approx(2 * abs(found.x[0]), rel=1e-12)
    assert found.steepest > 2


def test_on_a_floor_the_descent_ends() -> None:
    # From a half by a tenth, and then by two.
    found = trial_descent(Counted(lambda x: max(x, 0.0), lambda x: 1.0 if x > 0 else 0.0), np.array([0.25]), 20)
    assert (found.steps, found.end) == (2, 0)
    assert found.x[0] == pytest.approx(-0.05)


@pytest.mark.parametrize("start", [0.0, np.nan])
def test_where_there_is_no_slope_there_is_no_descent(start: float) -> None:
    found = trial_descent(Counted(lambda x: x**2, lambda x: 2 * x), np.array([start]), 20)
    assert found.steps == 0
    assert np.isnan(found.rate)
    assert np.array_equal(found.x, [start], equal_nan=True)


def test_along_a_slope_without_end_no_other_point_is_asked_for() -> None:
    objective = Counted(lambda x: x**2, lambda x: np.inf)
    assert trial_descent(objective, np.array([1.0]), 20).steps == 0
    assert (objective.both, objective.gradients) == (1, 0)


# Limits of rules


@pytest.mark.parametrize(
    ("rule", "limit", "linear", "of_length"),
    [
        (GradientDescent(0.1), 2.0, True, False),
        (fallline.Momentum(0.1, momentum=0.9), 3.8, True, False),
        (fallline.Momentum(0.1, momentum=0.5), 3.0, True, False),
        (fallline.Nesterov(0.1, momentum=0.9), 2 * 1.9 / 2.8, True, False),
        (fallline.SignDescent(0.1), None, False, True),
        (fallline.Lion(0.1), None, False, True),
        (fallline.Adam(0.1), None, False, False),
        (fallline.RMSProp(0.1), None, False, False),
        (fallline.ClipNorm(GradientDescent(0.1), limit=1.5), None, False, False),
        (GradientDescent(fallline.Exponential(0.1, decay=0.9)), 2.0, True, False),
        (GradientDescent(fallline.Backtracking()), None, True, False),
        (fallline.ProximalDescent(0.1, fallline.L1(1.0, free=(1,))), None, False, False),  # of two coordinates
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_twice_the_gradient_makes_of_a_step(rule: Any, limit: float | None, linear: bool, of_length: bool) -> None:
    assert (is_linear(rule), keeps_length(rule)) == (linear, of_length)
    assert constant_limit(rule) == (limit if limit is None else pytest.approx(limit, rel=1e-6))


# The course of the value


def course(values: Any, steps: Any = None) -> Course:
    values = np.asarray(values, float)
    return Course(np.arange(len(values)) if steps is None else np.asarray(steps), values)


def test_a_part_of_a_run_has_both_ends() -> None:
    found = course(np.arange(11.0), 100 + 10 * np.arange(11))
    assert found.part(0.2, 0.5).tolist() == [2 <= row <= 5 for row in range(11)]
    assert found.level(0.2, 0.5) == 3.5
    assert found.swing(0.2, 0.5) == pytest.approx(0.8 * 3)
    assert found.length == 100
    assert (found.start, found.lowest, found.highest, found.fall) == (0, 0, 10, -9.5)
    assert np.isnan(course([np.nan, np.nan]).level(0, 1))
    assert np.isnan(course([np.nan, np.inf]).swing(0, 1))


@pytest.mark.parametrize(("rise", "noticed"), [(0.9e-3, False), (1.1e-3, True)])
def test_a_rise_counts_from_a_thousandth_of_the_height_on(rise: float, noticed: bool) -> None:
    found = course([10.0, 5.0, 5.0 * (1 + rise), 0.0])
    assert found.rises.tolist() == [False, noticed, False]
    assert course([1.0, np.nan, 1.0]).rises.tolist() == [True, False]


@pytest.mark.parametrize("constants", [1.0, 3.0, 5.0])
def test_the_last_tenth_of_an_exponential(constants: float) -> None:
    t = np.linspace(0, 1, 1001)
    found = course(np.exp(-constants * t))
    # By medians: what the middle of the last tenth has fallen since the middle of that before.
    fallen = np.exp(-0.85 * constants) - np.exp(-0.95 * constants)
    assert found.late_fall == pytest.approx(fallen / (1 - np.exp(-constants)), rel=0.02)


@pytest.mark.parametrize("errors", [0.0, 3.8, 4.2])
def test_a_late_fall_counts_from_four_standard_errors_on(errors: float) -> None:
    # The mean square of the second differences is 6, as of numbers with the deviation 1, and the median is 0.
    noise = np.resize([1.0, -1.0, 0.0], 1000)
    # 100 numbers in each tenth: the errors of both means together are √2 / 10.
    line = errors * np.sqrt(2) / 10 * np.floor(np.arange(1000) / 100)
    found = course(1000 - 50 * np.minimum(np.arange(1000) / 500, 1) - line + noise)
    assert (found.late_fall > 0) == (errors > 4)


def test_few_rows_are_certain_where_each_is_lower() -> None:
    assert course([8.0, 4.0, 2.0, 1.0], [0, 10, 20, 30]).late_fall == pytest.approx(0.3 / 7)
    assert course([8.0, 4.0, 4.5, 1.0], [0, 10, 20, 30]).late_fall == 0
    assert course([8.0, 1.0]).late_fall == 0
    assert course([1.0, 2.0, 3.0]).late_fall == 0


def test_since_when_the_value_stays() -> None:
    assert course([9.0, 5.0, 1.0, 1.0079, 1.0]).flat_since == 2
    assert course([9.0, 5.0, 1.0, 1.0081, 1.0]).flat_since == 4
    assert course([1.0, 1.0]).flat_since == 0


def test_an_end_that_is_not_finite() -> None:
    assert course([1.0, np.nan]).end == np.inf
    assert course([np.nan, 3.0, 1.0]).lowest == 1
    assert np.isnan(course([np.nan, np.inf]).lowest)
    assert np.isnan(course([np.nan, np.inf]).highest)
