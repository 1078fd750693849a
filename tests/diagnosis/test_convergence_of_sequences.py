"""The convergence report on gradients and values that follow a known law, without anything else of a run."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from fallline import LBFGS, Adam, GradientDescent, Momentum, MultiStep, Nesterov, Trajectory, fit, minimize
from fallline.arrays import FloatArray
from fallline.diagnosis import convergence as convergence_file
from fallline.diagnosis.convergence import Best, Convergence


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The best settings take long to find: here a rule stays as it is, with the lowest over the highest curvature."""
    monkeypatch.setattr(convergence_file, "best_fixed", lambda rule, lowest, highest: (rule, lowest / highest))


def sequence(norms: FloatArray, values: FloatArray | None = None, every: int = 1) -> Trajectory:
    """A run whose gradients have these norms and whose values are these."""
    run = minimize("x**2", 1.0, GradientDescent(1e-4), max_steps=len(norms) - 1, engine="reference")
    assert len(run) == len(norms)
    values = norms if values is None else values
    return dataclasses.replace(run, gradient=norms[:, None], value=values, steps=every * run.steps, objective=None)


T = np.arange(201.0)


@pytest.mark.parametrize("factor", [0.3, 0.9, 0.999])
def test_a_sequence_that_falls_by_a_factor_is_linear(factor: float) -> None:
    found = sequence(factor**T).convergence()
    # Half a number for each sign: a run that goes to and fro has the same factor.
    waved = sequence(factor**T * np.where(T % 2, 1, 0.1)).convergence()
    assert (found.kind, waved.kind) == ("linear", "linear")
    assert found.factor == pytest.approx(factor, rel=1e-9)
    assert waved.factor == pytest.approx(factor, rel=1e-2)
    # The last half of the steps.
    assert found.measured == (100, 200)
    assert math.isnan(found.power)


@pytest.mark.parametrize("power", [0.4, 1.0, 2.5])
def test_a_sequence_that_falls_as_a_power_is_sublinear(power: float) -> None:
    found = sequence((T + 1) ** -power).convergence()
    assert found.kind == "sublinear"
    # Of t + 1, where t is meant, in steps from 100 to 200.
    assert found.power == pytest.approx(power, rel=0.01)
    assert found.measured == (100, 200)
    # In the last third, where its logarithm falls by about p / 185 per step.
    assert found.factor == pytest.approx(math.exp(-power / 185), rel=1e-3)


@pytest.mark.parametrize("times", [1.0, 1.49, 1.51, 3.0])
def test_a_factor_that_falls_by_half_more_is_superlinear(times: float) -> None:
    slope = np.where(T < 150, 0.1, 0.1 * times)
    found = sequence(np.exp(-np.cumsum(slope))).convergence()
    assert found.kind == ("superlinear" if times > 1.5 else "linear")


@pytest.mark.parametrize("growth", [1.0, 1.02, 1.2])
def test_a_sequence_that_does_not_shrink_is_of_no_kind(growth: float) -> None:
    found = sequence(growth**T).convergence()
    assert found.kind == "none"
    assert found.factor == pytest.approx(growth, rel=1e-9)
    assert found.measured == (100, 200)
    assert math.isnan(found.left)
    assert found.unknown["left"] == "needs a measured factor"


@pytest.mark.parametrize(("fall", "kind"), [(0.996e-6, "none"), (1.004e-6, "linear")])
def test_a_fall_by_less_than_a_millionth_is_none(fall: float, kind: str) -> None:
    assert sequence(np.exp(-fall / 100 * T)).convergence().kind == kind


def test_of_a_gradient_that_is_no_number_no_factor_is_told() -> None:
    found = sequence(np.where(T == 30, np.nan, 0.9**T)).convergence(0.5)
    assert (found.kind, found.measured, found.target) == ("none", (0, 200), 0.5)
    assert math.isnan(found.factor)


@pytest.mark.parametrize(("rows", "kind"), [(14, "unknown"), (15, "linear")])
def test_eight_rows_in_the_last_half_tell_a_rate(rows: int, kind: str) -> None:
    found = sequence(0.9 ** T[:rows]).convergence()
    assert found.kind == kind
    assert (found.unknown.get("left") == "needs a measured factor") == (kind == "unknown")


def test_a_gradient_of_zero_tells_no_rate() -> None:
    assert sequence(np.zeros(20)).convergence().kind == "unknown"


def test_of_very_many_rows_some_tell_the_same() -> None:
    found = sequence(0.999 ** np.arange(2001.0)).convergence()
    assert (found.factor, found.measured) == (pytest.approx(0.999, rel=1e-9), (1000, 2000))


def test_steps_between_recorded_rows_count() -> None:
    found = sequence(0.9 ** (10 * T), every=10).convergence()
    assert found.factor == pytest.approx(0.9, rel=1e-9)
    assert found.measured == (1000, 2000)


@pytest.mark.parametrize("size", [1.0, 50.0])
def test_gradients_as_small_as_their_rounding_tell_nothing(size: float) -> None:
    # The curvature is 1e6; 64 roundings of it times the point.
    run = minimize("5e5*x**2", size, GradientDescent(1e-14), max_steps=200, engine="reference")
    found = dataclasses.replace(run, gradient=0.9 ** T[:, None]).convergence()
    assert found.measured[1] == math.floor(math.log(64 * 2.0**-52 * 1e6 * size) / math.log(0.9))


def test_how_far_points_are_from_their_line() -> None:
    x = 100 * np.arange(9.0)
    assert convergence_file._spread(x, 3 * x + 7) == 0
    # The same from either end, so that the slope stays; six of nine are at a distance of 2.
    apart = np.array([2.0, -2, 0, 2, 0, 2, 0, -2, 2])
    assert convergence_file._spread(x, 3 * x + 7 + apart) == pytest.approx(2)


END = 0.25


def falling(norms: FloatArray, above: FloatArray) -> Trajectory:
    return sequence(norms, END + above)


@pytest.mark.parametrize("part", [0.5, 0.1, 1e-3])
@pytest.mark.parametrize("factor", [0.9, 0.97])
def test_the_steps_left_of_a_factor(factor: float, part: float) -> None:
    run = falling(factor ** T[:101], 3 * factor ** (2 * T[:101]))
    found = run.convergence(END + part * (run.value[-1] - END))
    assert found.left == math.ceil(math.log(part) / (2 * math.log(factor)) - 1e-6)
    assert found.target == END + part * (run.value[-1] - END)


def test_the_steps_left_are_counted_from_the_last_and_not_from_the_last_above_rounding() -> None:
    norms = np.where(T > 90, 0.0, 0.9**T)[:101]
    run = falling(norms, 3 * 0.9 ** (2 * T[:101]))
    assert run.convergence().measured == (45, 90)
    target = END + 3 * 0.9 ** (2 * 120)
    assert run.convergence(target).left == pytest.approx(20, abs=1)


@pytest.mark.parametrize("power", [0.8, 1.5])
@pytest.mark.parametrize("part", [0.5, 0.2])
def test_the_steps_left_of_a_power(power: float, part: float) -> None:
    with np.errstate(divide="ignore"):
        norms, above = np.minimum(T**-power, 2.0), np.minimum(T ** (1 - 2 * power), 2.0)
    run = falling(norms, above)
    steps = 200 * (part ** (1 / (1 - 2 * power)) - 1)
    found = run.convergence(END + part * above[-1])
    # A power of 0.8 that is measured as 0.801 makes twice as much of it in 2 p - 1.
    assert found.left == pytest.approx(steps, rel=0.02)


def test_a_power_of_half_or_less_has_no_end() -> None:
    run = falling((T + 1) ** -0.4, 1 - 0.01 * T**0.2)
    assert run.convergence(0.1).unknown["left"] == "cannot be told: at this pace the value falls without end"
    assert run.convergence(0.1).target == 0.1


def test_targets_that_are_reached_or_never_will_be() -> None:
    run = falling(0.9 ** T[:101], 3 * 0.9 ** (2 * T[:101]))
    assert run.convergence(float(run.value[-1])).left == 0
    assert run.convergence(END - 1e-3).left == math.inf
    # Where the end is known to some thousandths of the 2e-9 that are left.
    rough = falling(0.9 ** T[:101], 3 * 0.9 ** (2 * T[:101]) * (1 + 1e-3 * (T[:101] > 70)))
    near = rough.convergence(END + 1e-12)
    assert near.unknown["left"].startswith("cannot be told: the value tends to 0.25, within ")
    assert math.isnan(near.left)
    # Without a target: where a value of the size of the first one is rounded.
    to_rounding = run.convergence()
    left = 3 * 0.9**200 / (3.25 * 2.0**-52)
    assert to_rounding.left == pytest.approx(math.log(left) / (-2 * math.log(0.9)), abs=1)
    assert to_rounding.target == pytest.approx(END, abs=1e-9)


def test_what_a_file_cannot_hold_is_named() -> None:
    found = sequence(0.9**T).convergence()
    assert found.unknown["curvature"] == "needs the objective, which a file cannot hold"
    assert found.unknown["theory"] == "needs the curvature"
    rows = {"x": np.arange(9.0), "y": np.arange(9.0) ** 2}
    streamed = fit(rows, "y", model="linear", stream=True, max_steps=9).trajectory.convergence()
    assert streamed.unknown["curvature"] == "needs many passes over files"
    for formula, words in (
        ("sqrt(x)", "has no finite value where the run ended"),
        ("x**4", "the run ended at no finite point"),
    ):
        run = minimize(formula, 0.25 if formula == "sqrt(x)" else 9.0, GradientDescent(0.25), max_steps=9)
        assert run.convergence().unknown["curvature"] == words
    run = minimize("x**2 + 10*y**2", [1.0, 1.0], GradientDescent(0.05), max_steps=20, engine="reference")
    ruleless = dataclasses.replace(run, rule=None).convergence()
    assert ruleless.unknown["theory"] == "needs the rule, which a file cannot hold"
    assert [type(best.rule) for best in ruleless.best] == [GradientDescent, Momentum]


@pytest.mark.parametrize(
    ("formula", "start", "rule", "words"),
    [
        ("x**2 - y**2", [1.0, 0.0], GradientDescent(0.1), "the run ended at no minimum: it curves downwards along a"),
        ("x**2 + 0*y", [1.0, 0.0], GradientDescent(0.1), "the lowest curvature is 0 to within "),
        ("x**2 + 9*y**2", [1.0, 1.0], LBFGS(), "the rule has none: "),
        (
            "x**2 + 9*y**2",
            [1.0, 1.0],
            Adam(0.1),
            "needs the state of the rule, which a run by engine='reference' holds",
        ),
        # The slopes of a coordinate were 1e17 times as large, and its rate is as much smaller.
        (
            "x**2 + y**2",
            [1.0, 1e17],
            Adam(0.1),
            "the lowest curvature is 0 for the rates that the rule gives its coord",
        ),
    ],
)
def test_why_there_is_no_theory(formula: str, start: list[float], rule: Any, words: str) -> None:
    run = minimize(formula, start, rule, max_steps=20, engine="reference")
    run = dataclasses.replace(run, optimizer_state=None) if words.startswith("needs") else run
    found = run.convergence()
    assert found.unknown["theory"].startswith(words)
    assert math.isnan(found.theory)
    # What adapts or has no limit is not among the best; and where there is no minimum there are none.
    at_minimum = found.lowest > 1e-9
    assert [type(best.rule) for best in found.best] == ([GradientDescent, Momentum] if at_minimum else [])


def test_a_rule_of_the_same_kind_is_among_the_best() -> None:
    run = minimize("x**2 + 10*y**2", [1.0, 1.0], Nesterov(0.01), max_steps=20, engine="reference")
    found = run.convergence()
    assert [type(best.rule) for best in found.best] == [GradientDescent, Momentum, Nesterov]
    # At the curvatures 2 and 20.
    assert [best.factor for best in found.best] == pytest.approx([0.1] * 3, rel=1e-6)


def test_the_theory_is_that_of_the_last_rate() -> None:
    rule = GradientDescent(MultiStep(0.09, milestones=(5,), factor=0.5))
    found = minimize("x**2 + 10*y**2", [1.0, 1.0], rule, max_steps=20, engine="reference").convergence()
    # |1 - η λ| at the curvatures 2 and 20 and the rate 0.045.
    assert found.theory == pytest.approx(0.91, abs=1e-6)
    # As it was recorded, whatever the schedule would have made of it.
    path = minimize("x**2 + 10*y**2", [1.0, 1.0], rule, max_steps=20, engine="reference")
    path = dataclasses.replace(path, rate=np.append(np.full(20, 0.07), np.nan))
    assert path.convergence().theory == pytest.approx(0.86, abs=1e-6)


def report(**settings: Any) -> Convergence:
    known: dict[str, Any] = {"title": "a rule on f", "kind": "linear", "factor": 0.1, "power": math.nan}
    known |= {"measured": (10, 20), "theory": 0.5, "lowest": 2.0, "highest": 8.0, "left": 7.0, "target": 0.25}
    return Convergence(**known | settings)


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        (
            {},
            [
                "Convergence of a rule on f",
                "measured   linear: a factor of 0.1 per step, a digit every 1 steps, from step 10 to 20",
                "curvature  2 to 8, condition number 4",
                "theory     a factor of 0.5 per step, a digit every 3.32 steps",
                "left       7 steps to 0.25",
            ],
        ),
        ({"kind": "sublinear", "power": 1.5}, ["measured   sublinear, as step^-1.5, from step 10 to 20"]),
        ({"kind": "none"}, ["measured   the gradient does not shrink from step 10 to 20"]),
        ({"kind": "unknown", "unknown": {"measured": "needs more"}}, ["measured   needs more"]),
        ({"kind": "superlinear", "factor": 0.0}, ["superlinear: a factor of 0 per step, a digit every 0 steps"]),
        ({"theory": 1.0}, ["theory     a factor of 1 per step, which does not converge"]),
        ({"unknown": {"curvature": "needs f"}}, ["curvature  needs f", "left       7 steps"]),
        ({"unknown": {"theory": "has none"}}, ["theory     has none"]),
        ({"unknown": {"left": "cannot be told"}}, ["left       cannot be told"]),
        ({"left": math.inf}, ["left       it tends to a value above 0.25"]),
        ({"lowest": 0.0}, ["curvature  0 to 8\n"]),
        ({"best": (Best(Momentum(0.5), 0.01),)}, ["best settings at the minimum", "factor", "steps a digit", "0.5  "]),
    ],
)
def test_it_prints_what_is_known_and_why_the_rest_is_not(settings: dict[str, Any], lines: list[str]) -> None:
    text = repr(report(**settings))
    for line in lines:
        assert line in text
    assert ("steps a digit" in text) == ("best" in settings)


def test_the_condition_number_is_the_ratio_of_the_curvatures() -> None:
    assert report().condition == 4
    assert report(lowest=0.0).condition == math.inf
    assert math.isnan(report(lowest=-1.0).condition)


def test_a_frame_of_the_best_rules() -> None:
    frame = report(best=(Best(GradientDescent(0.5), 0.1), Best(Momentum(0.1), 1.5))).to_frame()
    assert frame["rule"].tolist() == [GradientDescent(0.5).label, Momentum(0.1).label]
    assert frame["factor"].tolist() == [0.1, 1.5]
    assert frame["steps_per_digit"].tolist() == pytest.approx([1, math.inf])
    frame = report(best=(Best(GradientDescent(0.5), 0.0), Best(Momentum(0.1), 1.0))).to_frame()
    assert frame["steps_per_digit"].tolist() == [0, math.inf]
