from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from tests.experiments.stored import rows_in, set_all

from fallline import Adam, FalllineError, GradientDescent, Interval, Lookahead, Momentum, Tuning, minimize, tune
from fallline.hyperparameters import hyperparameters
from fallline.optimizers import OPTIMIZERS, WRAPPERS, optimizer_from_name
from fallline.optimizers.settings import setting_of
from fallline.results.sweep import NAMES
from fallline.schedules import SCHEDULES

BOWL = "x**2/2 + 5*y**2"


def search(**settings: Any) -> Tuning:
    given: dict[str, Any] = {"x0": [1, 1], "optimizer": "gradient_descent", "space": ["learning_rate"]}
    return tune(BOWL, **(given | {"target": 1e-8, "trials": 25} | settings))


def test_it_finds_the_best_rate_of_a_quadratic() -> None:
    found = search(trials=40)
    # The largest share that a step leaves is |1 - rate| or |1 - 10 rate|: equal, and least, at 2/11.
    assert found.best.settings["learning_rate"] == pytest.approx(2 / 11, rel=0.1)
    run = minimize(BOWL, [1, 1], found.best_rule)
    assert np.flatnonzero(run.value <= 1e-8)[0] == found.best.steps == found.best.score
    # What the sampler learns is worth it: by chance a sixth of the trials would lie in one decade of six.
    later = [trial.settings["learning_rate"] for trial in found.trials[20:]]
    assert np.mean([0.02 < rate < 0.2 for rate in later]) > 2 / 6


def test_a_rate_with_which_runs_diverge_is_given_up() -> None:
    found = search()
    for trial in found.trials:
        # Above 2 / L the steps along y grow.
        assert np.isinf(trial.score) == (trial.settings["learning_rate"] > 2 / 10)


def test_the_same_seed_makes_the_same_trials() -> None:
    settings: dict[str, Any] = {
        "space": ["learning_rate", "momentum"],
        "optimizer": Momentum(),
        "trials": 15,
        "max_steps": 80,
    }
    one, same, other = search(**settings), search(**settings), search(**settings, seed=1)
    pd.testing.assert_frame_equal(one.to_frame(), same.to_frame())
    assert one.trials[0] != other.trials[0]
    assert list(one.to_frame()) == ["learning_rate", "momentum", "converged", "steps", "value", "score"]


def test_a_search_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "trials.db"
    search(trials=8, store=path)
    set_all(path, steps=1, outcome=NAMES.index("converged"), value=0)
    longer = search(trials=12, store=path)
    # The first trials are the same, and their results are taken from the file.
    assert [trial.score for trial in longer.trials[:8]] == [1.0] * 8
    assert rows_in(path) == 12


def test_without_a_target_the_value_counts() -> None:
    found = search(target=None, trials=30, max_steps=20)
    assert found.best.value == found.best.score == min(trial.value for trial in found.trials)
    assert [trial.score for trial in found.ranked(4)] == sorted(trial.score for trial in found.trials)[:4]


def test_what_lacks_the_target_is_judged_by_the_way_that_is_left() -> None:
    found = search(space={"learning_rate": [1e-4, 1e-3]}, max_steps=10, trials=6)
    scores = {trial.settings["learning_rate"]: trial.score for trial in found.trials}
    for rate, score in scores.items():
        value = minimize(BOWL, [1, 1], GradientDescent(rate), max_steps=10).final.value
        # The value at the start is 5.5.
        assert score == pytest.approx(10 * (1 + (value - 1e-8) / (5.5 - 1e-8)), rel=1e-12)
    assert found.best.settings == {"learning_rate": 1e-3}


def test_choices_whole_numbers_and_intervals() -> None:
    space = {
        "learning_rate": Interval(0.01, 0.1, log=True),
        "period": (2, 6),
        "beta1": (0.5, 0.9),
        "pull": [0.25, 0.5, 0.75],
        "beta2": None,
    }
    found = search(space=space, optimizer=Lookahead(Adam()), trials=12, max_steps=30)
    frame = found.to_frame()
    assert frame["learning_rate"].between(0.01, 0.1).all()
    assert set(frame["period"]) <= {2, 3, 4, 5, 6}
    assert frame["beta1"].between(0.5, 0.9).all()
    assert set(frame["pull"]) == {0.25, 0.5, 0.75}
    assert frame["beta2"].between(0, 0.9999).all()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_learning_rate_that_is_a_number_has_an_interval(name: str) -> None:
    rule = optimizer_from_name(name)
    value, known = setting_of(rule, "learning_rate")
    assert known is not None
    interval = Interval.of("learning_rate", known, value)
    assert known.range.allows([interval.low, interval.high])
    assert interval.low < value < interval.high


def test_optunas_words_are_kept_back_and_its_settings_left_alone(capfd: pytest.CaptureFixture[str]) -> None:
    before = optuna.logging.get_verbosity()
    search(trials=2)
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"space": ["rate"]}, "rate is no hyperparameter of gradient_descent; Allowed: learning_rate"),
        ({"space": []}, r"space is \[\]; it must give the values"),
        ({"space": "learning_rate"}, "space is 'learning_rate'; it must give the values"),
        ({"space": ["convention"]}, "space gives no values for convention"),
        ({"space": {"learning_rate": 3}}, "space: learning_rate is 3; it must be an Interval"),
        ({"space": {"learning_rate": (2, 1)}}, "space: 2:1 needs two finite numbers, the lower one first"),
        ({"space": {"learning_rate": (-1, 1)}}, "learning_rate is -1; it must be a number above 0"),
        ({"trials": 0}, "trials is 0; it must be a whole number at least 1"),
        ({"seed": -1}, "seed is -1; it must be a whole number at least 0"),
        ({"seed": 2**32}, "seed is 4294967296; it must be a whole number at least 0 and at most"),
        ({"space": {"learning_rate": ("a", "b")}}, r"space has \('a', 'b'\); a pair must be of numbers"),
        ({"space": [3]}, "3 is no hyperparameter of"),
        ({"target": "a"}, "target is 'a'; it must be a number"),
    ],
)
def test_mistakes_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(FalllineError, match=message):
        search(**settings)


def test_even_ratios_need_an_origin_outside() -> None:
    with pytest.raises(FalllineError, match="space: 0:1:log holds 0, from which even ratios never part"):
        Interval(0, 1, log=True)


KINDS = [*OPTIMIZERS.values(), *WRAPPERS.values(), *SCHEDULES.values()]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_interval_holds_only_numbers_that_are_allowed(kind: type) -> None:
    for name, known in hyperparameters(kind).items():
        for value in (known.default, *known.defaults.values()):
            try:
                interval = Interval.of(name, known, value)
            except FalllineError:
                continue
            assert known.range.allows([interval.low, interval.high]), (name, interval)
