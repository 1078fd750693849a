"""Runs of `compare` repeated with several seeds, from several starts, and the warning when a seed cannot matter."""

from __future__ import annotations

import inspect
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fallline
from fallline import (
    Adam,
    Comparison,
    FalllineError,
    GradientDescent,
    GradientNoise,
    Linear,
    Logistic,
    Momentum,
    NotFinite,
    Recipe,
    StepSize,
    compare,
    minimize,
    sweep,
    tune,
)

DRAW = np.random.default_rng(0)
INPUTS = DRAW.normal(size=(40, 2))
LOSS = Logistic(INPUTS, (INPUTS @ [1, -2] + DRAW.normal(size=40) > 0).astype(float))
STARTS = [[0.0, 0.0, 0.0], [1.0, -1.0, 0.5]]
RULES: dict[str, Any] = {"plain": GradientDescent(0.5), "adam": Adam(0.1)}
NOISY = GradientNoise(GradientDescent(0.05), seed=5)


@pytest.fixture(scope="module")
def race() -> Comparison:
    return compare(LOSS.batches(8), STARTS, RULES, seeds=[3, 0, 7], max_steps=12)


def test_one_comparison_holds_rules_times_seeds_times_starts(race: Comparison) -> None:
    assert len(race) == 2 * 3 * 2
    made = [(rule, seed, start) for rule in RULES for seed in (3, 0, 7) for start in STARTS]
    for run, label, rule, (name, seed, start) in zip(race, race.labels, race.rules, made, strict=True):
        alone = minimize(LOSS.batches(8), start, RULES[name], seed=seed, max_steps=12)
        np.testing.assert_array_equal(run.x, alone.x)
        assert (rule, run.seed) == (name, seed)
        assert label == f"{name} from ({', '.join(f'{number:g}' for number in start)}), seed {seed}"


def test_the_columns_have_a_row_for_each_run(race: Comparison) -> None:
    of_adam = np.array(race.rules) == "adam"
    assert race.value[of_adam].tolist() == [run.final.value for run in race[6:]]
    assert race[6:].rules == ("adam",) * 6
    frame = race.to_frame()
    assert frame.columns[:4].tolist() == ["label", "rule", "seed", "step"]
    rows = frame[frame["rule"] == "adam"].groupby("seed")["step"].count()
    assert rows.to_dict() == {0: 2 * 13, 3: 2 * 13, 7: 2 * 13}


@pytest.mark.parametrize("name", ["label", "rule", "seed"])
def test_a_coordinate_with_the_name_of_a_column_is_refused(name: str) -> None:
    with pytest.raises(FalllineError, match=f"names has '{name}', which to_frame calls a column of its own"):
        compare(f"{name}**2", 1.0, "adam", max_steps=2).to_frame()


def test_seeds_have_the_values_that_sweep_has() -> None:
    settings: dict[str, Any] = {"seeds": range(4), "max_steps": 9}
    swept = sweep(LOSS.batches(8), STARTS, RULES, {}, stop=NotFinite(), **settings)
    compared = compare(LOSS.batches(8), STARTS, RULES, stop=NotFinite(), **settings)
    # A sweep has the seeds on its last axis, and the starts before.
    np.testing.assert_array_equal(compared.value.reshape(2, 4, 2).swapaxes(1, 2), swept.value)


def test_seeds_mean_the_same_in_compare_and_in_tune() -> None:
    parameters = [inspect.signature(call).parameters["seeds"] for call in (compare, tune)]
    assert parameters[0] == parameters[1]


def test_without_seeds_noise_is_by_the_rules_own_and_with_seeds_by_each_of_them() -> None:
    (own,) = compare("booth", [0, 0], NOISY, max_steps=9)
    np.testing.assert_array_equal(own.x, minimize("booth", [0, 0], NOISY, max_steps=9).x)
    runs = compare("booth", [0, 0], NOISY, seeds=[0, 7], max_steps=9)
    for run, seed in zip(runs, (0, 7), strict=True):
        rule = GradientNoise(GradientDescent(0.05), seed=seed)
        np.testing.assert_array_equal(run.x, minimize("booth", [0, 0], rule, max_steps=9).x)
    # The seed is named once: that of the run.
    assert [label.rpartition(", seed")[0] for label in runs.labels] == list(runs.rules)
    assert "seed" not in runs.rules[0]


def test_a_single_seed_is_not_told_in_the_label() -> None:
    assert compare(LOSS.batches(8), STARTS[0], RULES, seeds=[3], max_steps=2).labels == ("plain", "adam")


def test_of_many_starts_only_the_ends_are_kept_for_each_seed() -> None:
    starts = DRAW.uniform(-2, 2, (300, 2))
    runs = compare("booth", starts, NOISY, seeds=[1, 2], max_steps=30, record="ends", engine="compiled")
    assert len(runs) == 600
    rule = GradientNoise(GradientDescent(0.05), seed=2)
    alone = minimize("booth", starts[17], rule, max_steps=30, record="ends", engine="compiled")
    np.testing.assert_array_equal(runs.x[317], alone.final.x)
    np.testing.assert_array_equal(runs[317].x, alone.x)
    assert runs.labels[317].endswith("), seed 2")


def test_a_file_a_recipe_and_a_checkpoint_repeat_them(race: Comparison, tmp_path: Path) -> None:
    race.save(tmp_path / "race.npz")
    loaded = Comparison.load(tmp_path / "race.npz")
    assert loaded == race
    for runs in (race, loaded):
        runs.save_recipe(tmp_path / "race.toml")
        assert Recipe.load(tmp_path / "race.toml").run() == race
    saved = tmp_path / "race.part"
    settings: dict[str, Any] = {"max_steps": 12, "checkpoint": saved}
    assert compare(LOSS.batches(8), STARTS, RULES, seeds=[3, 0, 7], **settings) == race
    assert compare(LOSS.batches(8), STARTS, RULES, seeds=[3, 0, 7], **settings) == race
    with pytest.raises(FalllineError, match=r"whose seed is \(3, 0, 7\), not \(3, 0, 8\)"):
        compare(LOSS.batches(8), STARTS, RULES, seeds=[3, 0, 8], **settings)


def test_a_recipe_holds_the_noise_of_each_seed(tmp_path: Path) -> None:
    runs = compare("booth", [0, 0], [NOISY, GradientNoise(Momentum(0.01))], seeds=range(2, 6), max_steps=9)
    runs.save_recipe(tmp_path / "noise.toml")
    assert Recipe.load(tmp_path / "noise.toml").run() == runs
    runs[4:].save_recipe(tmp_path / "noise.toml")
    assert Recipe.load(tmp_path / "noise.toml").run() == runs[4:]
    with pytest.raises(FalllineError, match="these runs are not each rule from each start with each seed"):
        runs[1:].save_recipe(tmp_path / "noise.toml")


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ([1, 0, 1], "seeds has 1 twice; give each once"),
        ([-1], "seeds is -1; it must be a whole number at least 0"),
        ([0.5], "seeds is 0.5; it must be a whole number at least 0"),
        (3, "seeds is 3; it must be a list of values"),
        ([], r"seeds is \[\]; it must be a list of values, one at least"),
    ],
)
def test_mistakes_are_named(seeds: Any, message: str) -> None:
    with pytest.raises(FalllineError, match=message):
        compare(LOSS.batches(8), STARTS, RULES, seeds=seeds)


IDLE: dict[str, tuple[Any, Any, str]] = {
    "a formula": ("x**2 + y**2 + z**2", Adam(0.1), "neither draws random numbers from a seed"),
    "a function": (lambda x: float(x @ x), GradientDescent(0.1), "neither draws"),
    "a loss": (LOSS, Momentum(0.1), "neither draws"),
    "sequential batches": (LOSS.batches(8, order="sequential"), Adam(0.1), "the batches are sequential; shuffle them"),
    "sequential batches of a plane": (
        LOSS.batches(8, order="sequential").freeze([0, 0, 0], but=["w1", "w2", "b"]),
        Adam(0.1),
        "neither draws",
    ),
    "batches of all rows": (LOSS.batches(40), Adam(0.1), "each batch holds all rows"),
    "one rule of two": ("booth", [Adam(0.1), NOISY], "seeds make no difference to adam on"),
}


@pytest.mark.parametrize("name", IDLE)
def test_a_seed_that_cannot_matter_is_told(name: str) -> None:
    objective, rule, why = IDLE[name]
    start = [1.0, 2.0] if objective == "booth" else STARTS[1]
    with pytest.warns(UserWarning, match=why) as said:
        runs = compare(objective, start, rule, seeds=range(4), max_steps=9)
    # It points at the call.
    assert said[0].filename == __file__
    # And it is true: the same 16 digits, but for sums in another order.
    tolerance = 1e-15 if name == "batches of all rows" else 0
    np.testing.assert_allclose(runs.x[1:4], runs.x[:3], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", IDLE)
def test_a_sweep_tells_it_as_well(name: str) -> None:
    objective, rule, why = IDLE[name]
    start = [1.0, 2.0] if objective == "booth" else STARTS[1]
    with pytest.warns(UserWarning, match=why) as said:
        sweep(objective, start, rule, {}, seeds=range(4), max_steps=9)
    assert said[0].filename == __file__


@pytest.mark.parametrize(
    ("objective", "rule"),
    [
        (LOSS.batches(8), Adam(0.1)),
        (LOSS.batches(39), Adam(0.1)),
        (LOSS.batches(8).freeze([0, 0, 0], but=["w1", "w2", "b"]), Adam(0.1)),
        ("x**2 + y**2 + z**2", NOISY),
        (LOSS.batches(8, order="sequential"), fallline.Cautious(NOISY)),
    ],
)
def test_a_seed_that_matters_is_not_told(objective: Any, rule: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        runs = compare(objective, STARTS[1], rule, seeds=range(4), max_steps=9, stop=StepSize(0))
    assert len(np.unique(runs.value)) == 4


def test_one_seed_is_not_told() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compare("booth", [0, 0], "adam", seeds=[3], max_steps=2)
        compare("booth", [0, 0], "adam", seed=3, max_steps=2)


def test_fit_shuffles_as_batches_do() -> None:
    of_fit = inspect.signature(fallline.fit).parameters["batch_order"].default
    for model in (Linear, Logistic, fallline.SigmoidNeuron, fallline.Softmax, fallline.Network):
        assert inspect.signature(model.batches).parameters["order"].default == of_fit == "shuffled"
