"""The bands of repeated runs: at each step NumPy's quantiles, or mean and standard deviation, of the recorded runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from fallline import (
    Adam,
    Comparison,
    FalllineError,
    GradientDescent,
    GradientNorm,
    Linear,
    Momentum,
    StepDecay,
    Trajectory,
    compare,
)
from fallline.arrays import FloatArray
from fallline.pictures.bands import Band
from fallline.pictures.curve import descent_data
from fallline.pictures.histories import histories_data, steps_data
from fallline.pictures.landscape import landscape_data
from fallline.pictures.paths import MOST_RUNS, labelled, legend_labels, named, numbers_of

DRAW = np.random.default_rng(0)
INPUTS = DRAW.normal(size=(20, 2))
BATCHES = Linear(INPUTS, INPUTS @ [1, 2] + DRAW.normal(size=20)).batches(4)
RULES: dict[str, Any] = {"plain": GradientDescent(0.05), "heavy": Momentum(0.02)}
QUARTILES = [0.25, 0.5, 0.75]


@pytest.fixture(scope="module")
def race() -> Comparison:
    return compare(BATCHES, np.zeros(3), RULES, seeds=range(9), max_steps=40)


def bands(runs: Any, quantity: str = "value", **options: Any) -> tuple[Band, ...]:
    (panel,) = histories_data(runs, [quantity], **options).panels
    return panel.bands


def span(band: Band) -> FloatArray:
    return np.array([band.low, band.middle, band.high])


def reached(runs: list[Trajectory], step: int, numbers: str = "value") -> FloatArray:
    """What each run has at a step: a run that has ended stays where it is."""
    return np.array([getattr(run, numbers)[run.steps <= step][-1] for run in runs])


@pytest.mark.parametrize("quantity", ["value", "gradient_norm", "w1", "b"])
def test_they_are_the_quantiles_of_the_recorded_runs(race: Comparison, quantity: str) -> None:
    for number, band in enumerate(bands(race, quantity)):
        runs = list(race)[9 * number : 9 * number + 9]
        column = {"w1": 0, "b": 2}.get(quantity)
        table = np.array([getattr(run, quantity) if column is None else run.x[:, column] for run in runs])
        np.testing.assert_array_equal(span(band), np.quantile(table, QUARTILES, axis=0))
        assert (band.label, band.number, band.runs) == (("plain", "heavy")[number], number, 9)
        # Five batches are an epoch.
        np.testing.assert_array_equal(band.times, np.arange(41) / 5)


def test_or_mean_and_standard_deviation(race: Comparison) -> None:
    table = np.array([run.value for run in race[:9]])
    low, middle, high = span(bands(race, spread="deviation")[0])
    np.testing.assert_array_equal(middle, np.mean(table, axis=0))
    np.testing.assert_array_equal(high, np.mean(table, axis=0) + np.std(table, axis=0, ddof=1))
    np.testing.assert_array_equal(low, np.mean(table, axis=0) - np.std(table, axis=0, ddof=1))
    assert bands(race, spread="quartiles")[0].middle[-1] != middle[-1]


STARTS = [[1.0, 0.1], [-3.0, 2.0], [30.0, 0.0], [1e-6, 1e-6], [0.0, -500.0]]


@pytest.mark.parametrize("record", ["all", 7, "ends"])
def test_a_run_that_ended_counts_with_its_last_number(record: Any) -> None:
    runs = compare("x**2 + 3*y**2", STARTS, GradientDescent(0.1), stop=GradientNorm(1e-4), record=record)
    ends = sorted({run.step_count for run in runs})
    assert len(ends) > 3
    (band,) = bands(runs)
    expected = [np.quantile(reached(list(runs), int(step)), QUARTILES) for step in band.times]
    np.testing.assert_array_equal(span(band).T, expected)
    # It begins with the first step and ends with the longest run.
    assert (band.times[0], band.times[-1]) == (0, ends[-1])
    # Of the steps between, those which all runs that still went had recorded.
    every: dict[Any, npt.NDArray[np.int64]] = {
        "all": np.arange(ends[-1]),
        7: np.arange(0, ends[-1], 7),
        "ends": np.array([0]),
    }
    np.testing.assert_array_equal(band.times[:-1], every[record])


def test_a_run_that_ended_keeps_its_last_rate_and_the_length_of_its_last_step() -> None:
    rule = GradientDescent(StepDecay(0.1, factor=0.5, every=10))
    runs = compare("x**2 + 3*y**2", STARTS, rule, stop=GradientNorm(1e-4), max_steps=60)
    rates, lengths = (panel.bands[0] for panel in histories_data(runs, ["rate", "step_length"]).panels)
    # The last point of a run has no step, and one that began at rest has none at all.
    going = [run for run in runs if run.step_count]
    assert len(going) == len(runs) - 1
    steps = np.arange(max(run.step_count for run in runs))
    np.testing.assert_array_equal(rates.times, steps)
    made = [np.minimum(steps, run.step_count - 1) for run in going]
    of_each = [run.rate[own] for run, own in zip(going, made, strict=True)]
    np.testing.assert_array_equal(span(rates), np.quantile(of_each, QUARTILES, axis=0))
    moves = [np.linalg.norm(np.diff(run.x, axis=0), axis=1)[own] for run, own in zip(going, made, strict=True)]
    np.testing.assert_allclose(span(lengths), np.quantile(moves, QUARTILES, axis=0), rtol=1e-14)  # rounding of the norm


def test_runs_without_a_step_have_no_band_of_rates() -> None:
    runs = compare("x**2", [[0.0], [1e-9], [-1e-9]], GradientDescent(0.1), stop=GradientNorm(1e-4))
    assert [run.step_count for run in runs] == [0, 0, 0]
    assert bands(runs, "rate") == ()
    np.testing.assert_array_equal(span(bands(runs)[0]).T, [np.quantile([0, 1e-18, 1e-18], QUARTILES)])


def test_runs_that_left_are_beyond_the_others() -> None:
    # Two of eight starts fall out of the well; the others go to its bottom.
    starts = [[0.1], [0.2], [0.3], [0.4], [0.5], [0.6], [5.0], [6.0]]
    runs = compare(lambda x: x**2 + x**4, starts, GradientDescent(0.1), gradient=lambda x: 2 * x + 4 * x**3)
    assert [run.stop.reason for run in runs[6:]] == ["not finite"] * 2
    (band,) = bands(runs)
    rows = len(band.times)
    # The quartiles of those that stay and of two that are larger than all.
    table = np.array([reached(list(runs[:6]), int(step)) for step in band.times]).T
    table = np.concatenate([table, np.full((2, rows), 1e300)])
    gone = band.times >= max(run.step_count for run in runs[6:])
    expected = np.quantile(table, QUARTILES, axis=0)[:, gone]
    # Three quarters of seven intervals lie between the sixth, which stayed, and the seventh, which left.
    np.testing.assert_array_equal(span(band)[:2, gone], expected[:2])
    assert np.isnan(band.high[gone]).all()
    # The mean of all is NaN, once one has left.
    (mean,) = bands(runs, spread="deviation")
    assert np.isnan(mean.middle[gone]).all()
    assert np.isfinite(mean.middle[0])


def test_the_mean_less_the_deviation_may_be_negative_on_a_log_axis() -> None:
    runs = compare("x**2", [[1.0], [1e-3], [1e-4], [1e-5]], GradientDescent(0.25), max_steps=10)
    (panel,) = histories_data(runs, ["value"], spread="deviation").panels
    assert panel.log
    assert (panel.bands[0].low < 0).all()
    (panel,) = histories_data(runs, ["value"]).panels
    assert (panel.bands[0].low > 0).all()


def test_two_runs_of_a_rule_are_two_lines_and_three_a_band() -> None:
    assert bands(compare("x**2", [[1.0], [2.0]], GradientDescent(0.25), max_steps=5)) == ()
    assert [band.runs for band in bands(compare("x**2", [[1.0], [2.0], [3.0]], Adam(0.1), max_steps=5))] == [3]


def test_only_a_comparison_knows_which_runs_repeat_a_rule(race: Comparison) -> None:
    assert bands(list(race[:9])) == ()
    assert bands(dict(zip(race.labels, race, strict=True))) == ()
    # The same settings twice are two rules, if they are two in the comparison.
    twice = compare(BATCHES, np.zeros(3), {"one": Adam(0.1), "other": Adam(0.1)}, seeds=range(3), max_steps=5)
    assert [band.label for band in bands(twice)] == ["one", "other"]


def test_the_steps_have_bands_too(race: Comparison) -> None:
    # The rate is constant: a line of text.
    assert [len(panel.bands) for panel in steps_data(race, spread="deviation").panels] == [2]


def test_rules_that_are_not_repeated_stand_beside_bands(race: Comparison) -> None:
    mixed = Comparison(
        (*race.labels[:9], "alone"), (*race.trajectories[:9], race[9]), rules=(*race.rules[:9], "other rule")
    )
    data = histories_data(mixed, ["value"])
    assert [band.label for band in data.panels[0].bands] == ["plain"]
    assert [series.number for series in data.panels[0].series] == [0] * 9 + [1]
    assert data.labels[0] == "9 runs: plain"
    assert data.labels[1].startswith("alone")


def test_the_title_says_what_the_band_is(race: Comparison) -> None:
    assert histories_data(race).title[1] == "median and quartiles of the runs of each rule"
    assert histories_data(race, spread="deviation").title[1].startswith("mean ± standard deviation")
    assert "median" not in histories_data(race[:2]).title[1]


def test_a_wrong_spread_is_named(race: Comparison) -> None:
    for make in (histories_data, steps_data):
        with pytest.raises(FalllineError, match=r"^spread is 'std'; Allowed: quartiles, deviation$"):
            make(race, spread="std")  # type: ignore[arg-type]


def test_runs_of_one_rule_share_its_colour_on_landscapes_and_curves() -> None:
    starts = np.linspace(-2, 2, 4)
    plane = landscape_data(
        compare("himmelblau", np.stack([starts, starts], axis=1), RULES, max_steps=5), resolution=8
    ).paths
    line = descent_data(compare("x**2", starts[:, None], RULES, max_steps=5)).paths
    for shown in (plane, line):
        assert numbers_of(shown) == (0,) * 4 + (1,) * 4
        assert legend_labels(shown) == ("4 runs: plain", "4 runs: heavy")
        assert named(shown, 8) == (("4 runs: plain", "4 runs: heavy"), "")


def test_a_rule_without_a_label_of_the_users_is_told_in_words() -> None:
    runs = compare("x**2", [[1.0], [2.0], [3.0]], ["gradient_descent", Adam(0.1)], max_steps=5)
    assert legend_labels(labelled(runs)) == (
        "3 runs: gradient descent, η = 0.01",
        "3 runs: Adam, η = 0.1",
    )


@pytest.mark.long
def test_many_seeds_of_several_rules_are_not_too_many() -> None:
    rules = {f"rate {rate}": GradientDescent(rate / 100) for rate in range(1, 6)}
    pairs = labelled(compare(BATCHES, np.zeros(3), rules, seeds=range(30), max_steps=2))
    assert (len(pairs), len(legend_labels(pairs))) == (150, 5)
    many = compare(BATCHES, np.zeros(3), {"one": Adam(0.1), "two": Adam(0.2)}, seeds=range(MOST_RUNS + 1), max_steps=1)
    with pytest.raises(FalllineError, match=r"runs are 202, and one picture shows at most 100 of each rule; take some"):
        labelled(many)
