"""Findings on runs whose values are made by hand, on either side of what they ask for."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import A, G, altered, found, run, the

import fallline
from fallline import Trajectory
from fallline.arrays import FloatArray
from fallline.diagnosis.case import Case
from fallline.diagnosis.findings import plateau as plateau_file
from fallline.diagnosis.findings import rate_decayed as decayed_file
from fallline.diagnosis.findings import too_slow as slow_file
from fallline.diagnosis.findings.unbounded import falls_for_ever
from fallline.diagnosis.findings.zigzag import cosines_of


def made(values: Any, **settings: Any) -> Trajectory:
    """A run with these values."""
    values = np.asarray(values, float)
    path = run("x**2", 1.0, G(1e-4), len(values) - 1)
    return dataclasses.replace(path, value=values, **settings)


# A jump

N = 400


def falling() -> FloatArray:
    """From 10 to 1, faster at first."""
    return np.asarray(1 + 9 * np.exp(-np.arange(N) / 60))


def spiked(height: float, at: int = 200, width: int = 2) -> FloatArray:
    values = falling()
    values[at : at + width] += height
    return values


@pytest.mark.parametrize("at", [25, 120, 200, 330])
def test_a_jump_is_told_with_its_rows(at: int) -> None:
    finding = the("loss_spike", made(spiked(30.0, at, 3)))
    assert finding.since == at
    assert finding.steps == (at, at + 1, at + 2)
    assert finding.numbers["spikes"] == 1
    assert finding.numbers["recovered"]
    assert finding.numbers["top"] == pytest.approx(falling()[at] + 30)
    # The median of the twentieth of the run before it.
    level = float(np.median(falling()[at - 20 : at]))
    assert finding.numbers["level"] == pytest.approx(level)
    assert (
        f"At step {at} the value went from about {level:.4g} to {falling()[at] + 30:.4g}, and came back within 3"
        in (finding.evidence)
    )


@pytest.mark.parametrize(
    ("values", "told"),
    [
        # A tenth of the whole fall, from 10 to 1.
        (spiked(0.9 * 1.3, at=390), True),
        (spiked(0.9 * 0.8, at=390), False),
        # As high as those before are above the lowest: here 9 e^-2.
        (spiked(9 * np.exp(-2) * 1.4, at=120), True),
        (spiked(9 * np.exp(-2) * 0.8, at=120), False),
        # In the first twentieth it is no spike.
        (spiked(30.0, at=15), False),
        (spiked(30.0, at=20), True),
        # More than 0.15 of the run wide, and as long in its climb as in its fall.
        (falling() + 20 * np.exp(-(((np.arange(N) - 200) / 60.0) ** 2)), False),
        (np.where(np.arange(N) == 200, 9.0, 1.0), False),  # from the height of the start
        (falling()[:29], False),  # fewer than three windows of ten
        (np.concatenate([[np.nan], falling()[1:200], [99], falling()[201:]]), False),
    ],
)
def test_what_counts_as_a_jump(values: Any, told: bool) -> None:
    assert (found("loss_spike", made(values)) is not None) == told


@pytest.mark.parametrize(("count", "told"), [(2, True), (5, True), (6, False)])
def test_of_many_jumps_none_is_told(count: int, told: bool) -> None:
    values = falling()
    places = 60 + 65 * np.arange(count)
    values[places] += 20.0 + np.arange(count)
    finding = found("loss_spike", made(values))
    assert (finding is not None) == told
    if finding is not None:
        assert finding.numbers["spikes"] == count
        assert finding.steps == tuple(places)
        assert finding.since == places[0]
        assert f"the highest of {count} spikes" in finding.evidence
        assert finding.numbers["top"] == values.max()


def test_a_jump_that_does_not_come_back() -> None:
    values = falling()
    values[200:] += 30
    finding = the("loss_spike", made(values))
    assert not finding.numbers["recovered"]
    assert finding.evidence.endswith("and did not come back.")
    assert finding.steps[0] == 200
    assert finding.steps[-1] == N - 1
    values[200:] = np.nan
    assert found("loss_spike", made(np.where(np.arange(N) == 199, 40, values))) is not None


def test_noise_makes_no_jump_and_six_deviations_do() -> None:
    noise = np.random.default_rng(0).normal(size=N)
    assert found("loss_spike", made(falling() * 10 + noise)) is None
    jumped = falling() * 10 + 0.1 * noise
    jumped[300] += 40
    assert the("loss_spike", made(jumped)).since == 300


def test_of_very_many_rows_none_is_lost() -> None:
    values = 1 + 9 * np.exp(-np.arange(9001) / 900)
    values[5003] += 30
    finding = the("loss_spike", made(values))
    assert finding.since == 5003
    assert finding.numbers["top"] == values[5003]


def test_for_a_jump_clipping_and_a_slower_rate_are_offered() -> None:
    path = made(spiked(30.0))
    clip, slower = the("loss_spike", path).remedies
    typical = float(f"{2 * np.median(path.gradient_norm):.2g}")
    assert clip.settings["optimizer"] == fallline.ClipNorm(G(1e-4), limit=typical)
    assert slower.settings["optimizer"] == G(3e-5)
    flat = the("loss_spike", dataclasses.replace(path, gradient=np.full_like(path.gradient, 0.1)))
    assert flat.remedies[0].settings["optimizer"] == fallline.ClipNorm(G(1e-4), limit=0.2)
    still = dataclasses.replace(path, gradient=np.zeros_like(path.gradient))
    assert [one.settings["optimizer"] for one in the("loss_spike", still).remedies] == [G(3e-5)]


# No lower bound

DECADES = 10.0 ** np.arange(1, 13)


@pytest.mark.parametrize(
    ("values", "endless"),
    [
        (-DECADES, True),
        (-np.log(DECADES), True),
        (-(DECADES**2), True),
        (1 / DECADES, False),
        (-np.log(np.log(DECADES * 10)), False),
        (DECADES, False),
        (np.zeros(12), False),
        (-np.sqrt(DECADES), True),
        (np.where(DECADES > 1e4, -np.inf, -DECADES), True),
        (np.where(DECADES > 10, -np.inf, -DECADES), False),  # too few are left
        (np.where(DECADES > 1e4, np.nan, -DECADES), False),
        # Only the last half counts.
        (np.concatenate([np.arange(5.0), 4 - np.arange(1.0, 8)]), True),
        (-np.cumsum([0.0] * 7 + [2] + [1] * 5), False),
        (np.concatenate([-np.arange(11.0), [-10.5]]), False),
        (np.concatenate([-np.arange(11.0), [-10.995]]), True),
        (np.concatenate([-np.arange(11.0), [-10.985]]), False),
        (np.concatenate([np.arange(6.0), 5 - np.arange(1.0, 7)]), False),
        (-np.cumsum([1.0] * 9 + [2, 3, 2]), False),
    ],
)
def test_a_fall_without_end(values: FloatArray, endless: bool) -> None:
    assert falls_for_ever(values) == endless


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("x**2 + y", "y"),
        ("x**2 - y", "y"),
        ("x - y", "x and y"),
        ("x**2 + y**2", ""),
        ("-log(x) + y**2", "x"),
        ("exp(-x) + y**2", ""),
        ("x**2 - y**2", "y"),  # from the ridge
        ("1/x + (y - 3)**2", ""),  # far to the right it has a bound, and downhill is there
    ],
)
def test_the_coordinates_without_a_bound_are_named(formula: str, names: str) -> None:
    path = run(formula, [1.0, 0.0], G(0.01), 5)
    finding = found("unbounded", path)
    assert (finding.title if finding else "") == (f"f has no lower bound along {names}" if names else "")
    if finding is not None:
        assert f"hold {names} fixed" in finding.remedies[0].text
        for name in names.split(" and "):
            assert f"As {name} goes to " in finding.evidence


def test_the_values_on_the_way_down_are_told() -> None:
    finding = the("unbounded", run("x**2 - 3*y", [1.0, 2.0], G(0.01), 1))
    assert "As y goes to +infinity with the others held" in finding.evidence
    # At 2 + 2 · 10^k, every other decade.
    (value, place) = map(float, finding.evidence.split("the value is ")[1].split(",")[0].split(" at "))
    assert value == pytest.approx(1 - 3 * place, rel=1e-3)
    # From a ridge, to its right.
    assert " the value is 0 at 1, " in the("unbounded", run("x**2 - y**2", [1.0, 0.0], G(0.01), 1)).evidence
    assert "-infinity" in the("unbounded", run("x**2 + 3*y", [1.0, 2.0], G(0.01), 1)).evidence


def test_of_many_coordinates_the_slope_and_the_way_are_followed() -> None:
    size = 300

    def plane(x: FloatArray) -> float:
        return float((x[:-1] ** 2).sum() - 5 * x[-1])

    def slope(x: FloatArray) -> FloatArray:
        g = 2 * x
        g[-1] = -5
        return g

    path = run(plane, np.zeros(size), G(0.1), 20, gradient=slope)
    finding = the("unbounded", path)
    assert re.search(r"Along the slope \(mostly x299(, x\d+)+\) the value is ", finding.evidence)
    assert (
        found("unbounded", run(lambda x: float((x**2).sum()), np.ones(size), G(0.1), 20, gradient=lambda x: 2 * x))
        is None
    )


def test_without_a_slope_and_a_way_no_point_is_asked_for() -> None:
    asked: list[bool] = []

    def flat(x: FloatArray) -> float:
        asked.append(bool(np.isfinite(x).all()))
        return 1.0

    path = run(flat, np.ones(60), G(0.1), 1, gradient=lambda x: 0 * x)
    assert found("unbounded", path) is None
    assert all(asked)


# A rate that decayed


@dataclasses.dataclass(frozen=True)
class Late(fallline.GradientDescent):
    """Steps as long as those of a growing sum, but for the first, which is shorter."""

    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
        return rate * gradient * np.where(step == 1, 0.5, step**-0.5), state


@pytest.mark.parametrize(
    ("rule", "sums"),
    [
        (Late(0.1), False),
        (fallline.AdaGrad(0.1), True),
        (fallline.RMSProp(0.1), False),
        (A(0.1), False),
        (G(0.1), False),
        (fallline.ClipNorm(fallline.AdaGrad(0.1), limit=2.0), False),  # not by coordinate
        (fallline.LBFGS(), False),
    ],
)
def test_which_rules_divide_by_a_sum(rule: Any, sums: bool) -> None:
    assert decayed_file._divides_by_a_sum(rule) == sums


def decayed(parts: Any, rule: Any = None) -> Case:
    """A case of a run with a schedule, whose rate became these parts of the first."""
    parts = np.asarray(parts, float)
    path = run("x**2", 1.0, rule or G(fallline.Exponential(0.1, decay=0.9)), len(parts), stop=fallline.Target(-1.0))
    return Case.of(dataclasses.replace(path, rate=0.1 * np.append(parts, np.nan)))


@pytest.mark.parametrize(
    ("parts", "found_since"),
    [
        ([1.0] * 40 + [0.0099] * 60, 40),
        ([1.0] * 40 + [0.0101] * 60, None),
        ([1.0] * 50 + [0.001] * 50, 50),
        ([1.0] * 51 + [0.001] * 49, None),  # in the last half
        ([0.001] * 22 + [1.0] * 20 + [0.001] * 58, None),  # it only went up for a moment
        ([0.001] * 20 + [1.0] * 22 + [0.001] * 58, 42),
        ([1.0] * 100, None),
        ([1.0] * 40 + [0.001] * 59 + [1.0], None),  # it came back
        ([np.inf] + [1.0] * 99, None),
    ],
)
def test_when_a_schedule_left_no_rate(parts: Any, found_since: int | None) -> None:
    told = decayed_file._by_schedule(decayed(parts))
    if found_since is None:
        assert told is None
    else:
        assert told is not None
        assert told[:2] == ("The rate of the schedule", found_since)
        assert told[2] == pytest.approx(parts[-1])
    assert decayed_file._by_schedule(Case.of(run("x**2", 1.0, G(0.1), 20))) is None


def test_when_a_growing_sum_left_no_rate() -> None:
    path = run("x**2", 1.0, fallline.AdaGrad(0.1), 99, stop=fallline.Target(-1.0))
    count = len(path)
    shares = np.where(np.arange(count) < 30, 1.0, 0.005)
    # The lengths of the steps are shares of the gradients'.
    x = np.concatenate([[0.0], np.cumsum(0.1 * shares[:-1] * np.abs(path.gradient[:-1, 0]))])
    made_path = dataclasses.replace(path, x=x[:, None])
    told = decayed_file._by_sum(Case.of(made_path))
    assert told is not None
    assert told[:2] == ("The length of a step by that of its gradient", 30)
    assert told[2] == pytest.approx(0.005, rel=1e-6)
    assert decayed_file._by_sum(Case.of(dataclasses.replace(made_path, rule=A(0.1)))) is None
    even = dataclasses.replace(path, x=np.cumsum(np.abs(path.gradient), axis=0))
    assert decayed_file._by_sum(Case.of(even)) is None


def test_for_a_rate_that_decayed_another_schedule_and_a_larger_rate_are_offered() -> None:
    scheduled = decayed_file._remedies(decayed([1.0] * 9), 0.1, 50)
    assert scheduled[0].settings["optimizer"] == G(fallline.Cosine(0.1, 50))
    assert scheduled[1].settings["optimizer"] == G(fallline.Exponential(1.0, decay=0.9))
    summed = decayed_file._remedies(Case.of(run("x**2", 1.0, fallline.AdaGrad(0.1), 9)), 0.1, 50)
    assert [one.settings["optimizer"] for one in summed] == [A(0.1), fallline.AdaGrad(1.0)]
    assert decayed_file._remedies(decayed([1.0] * 9), None, 50) == ()


# Too slow


@pytest.mark.parametrize(("rate", "gain"), [(0.1, 0.9), (0.5, 0.5), (0.9, 0.1)])
def test_the_gain_on_a_quadratic(rate: float, gain: float) -> None:
    # 1 - η λ / 2, with λ = 2.
    case = Case.of(run("x**2", 1.0, G(rate), 20))
    assert slow_file._gain(case) == pytest.approx(gain, abs=1e-6)
    assert slow_file._rate(case) == rate
    assert np.isnan(slow_file._rate(Case.of(made(np.ones(5), rate=np.full(5, np.nan)))))


@pytest.mark.parametrize(("made_part", "factor"), [(0.5, 6.0), (0.03, 100.0), (0.0, 1e4), (1.0, 3.0)])
def test_by_how_much_the_rate_may_grow(made_part: float, factor: float) -> None:
    adaptive = Case.of(run("x**2 + y**2", [1.0, 1.0], A(0.001), 20))
    assert slow_file._factor(adaptive, made_part) == pytest.approx(factor)
    # Half of the limit 2 / λ, λ = 2, of a rate of 0.001.
    plain = Case.of(run("x**2 + y**2", [1.0, 1.0], G(0.001), 20))
    assert slow_file._factor(plain, made_part) == pytest.approx(500, rel=1e-3)


def test_the_gain_is_that_of_steps_whose_slope_promised_a_fall() -> None:
    case = Case.of(run("x**2", 1.0, G(0.1), 5))
    steps = case.measured._replace(
        before=np.full(5, 2.0), after=np.array([1.5, 1.3, 11.0, np.nan, 11.0]), promised=np.array([1.0, 1, -1, 1, 0])
    )
    assert slow_file._gain(altered(case, measured=steps)) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("levels", "falls"),
    [
        ((5, 4, 3, 2, 1), True),
        ((5, 6, 3, 2, 1), False),
        ((5, 4, 4.5, 2, 1), False),
        ((5, 4, 3, 3, 1), False),
        ((5, 4, 3, 2, 4), False),
    ],
)
def test_each_of_the_last_tenths_is_lower(levels: tuple[float, ...], falls: bool) -> None:
    values = np.concatenate([np.full(50, 9.0), np.repeat(levels, 10), levels[-1:]])
    assert slow_file._falls_on(Case.of(made(values))) == falls


# Clipping, turns


@pytest.mark.parametrize(("clipped", "told"), [(0.45, False), (0.55, True)])
def test_half_of_the_gradients_are_clipped(clipped: float, told: bool) -> None:
    rule = fallline.ClipNorm(G(1e-4), limit=1.0)
    path = run("100*x**2", 1.0, rule, 200)
    size = np.where((np.arange(len(path)) % 20) < 20 * clipped, 3.0, 0.5)
    finding = found("clipping_always", dataclasses.replace(path, gradient=size[:, None]))
    assert (finding is not None) == told
    if finding is not None:
        assert finding.numbers == {"clipped": pytest.approx(0.55), "limit": 1.0, "typical": 3.0}
        assert [one.settings["optimizer"] for one in finding.remedies] == [
            fallline.ClipNorm(G(1e-4), limit=9.0),
            G(1e-4),
        ]
        assert finding.steps[:3] == (0, 1, 2)
        assert "55% of 200 gradients are clipped" in finding.evidence
        assert "their norm is 3 in the median, and the limit 1" in finding.evidence


def test_the_largest_slope_is_clipped_by_value_and_the_outermost_counts() -> None:
    path = run("100*x**2 + y", [1.0, 1.0], fallline.ClipValue(G(1e-4), limit=2.0), 50)
    g = np.tile([3.0, 1.5], (len(path), 1))
    finding = the("clipping_always", dataclasses.replace(path, gradient=g))
    assert "their largest slope is 3 in the median" in finding.evidence
    assert finding.numbers["limit"] == 2
    inner = run("100*x**2", 1.0, fallline.Lookahead(fallline.ClipNorm(G(1e-4), limit=1.0)), 50)
    assert found("clipping_always", dataclasses.replace(inner, gradient=np.full((len(inner), 1), 3.0))) is not None


def test_cosines_of_gradients_that_follow_each_other() -> None:
    path = run("x**2 + y**2", [1.0, 1.0], G(1e-3), 5)
    gradient = np.array([[1.0, 0.0], [1.0, 1.0], [-1.0, -1.0], [0.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
    cosines = cosines_of(dataclasses.replace(path, gradient=gradient))
    # Those of a zero gradient are left out.
    assert cosines == pytest.approx([np.sqrt(0.5), -1, 0])


# A plateau


def test_steps_far_longer_than_x_at_rates_far_beyond_the_runs() -> None:
    def case(rate: float, slope: float, x: float) -> Any:
        path = run("x**2", x, G(1e-3), 3)
        made_case = Case.of(path)
        trial = made_case.from_end._replace(rate=rate, slope=slope)
        made_case.__dict__["from_end"] = trial
        return made_case

    assert plateau_file._far_off(case(2e3, 0.0051, 0.1))
    assert not plateau_file._far_off(case(2e3, 0.0049, 0.1))  # ten times 1
    assert not plateau_file._far_off(case(2e3, 0.0051, 9.0))  # ten times x
    assert not plateau_file._far_off(case(0.9e3, 0.05, 0.1))  # a million times the rate
    assert plateau_file._far_off(case(1.1e3, 0.05, 0.1))
