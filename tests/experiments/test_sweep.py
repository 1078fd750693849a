from __future__ import annotations

import csv
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fallline import (
    Adam,
    Backtracking,
    Cautious,
    Cosine,
    Diverging,
    Evaluations,
    FalllineError,
    GradientDescent,
    GradientNoise,
    Lookahead,
    Momentum,
    Optimizer,
    StepSize,
    Target,
    minimize,
    sweep,
)
from fallline.models import Logistic
from fallline.optimizers.settings import with_settings
from fallline.results.sweep import NAMES, NOT_RUN, OUTCOMES

STARTS = [[-1.2, 1.0], [0.5, 2.0]]


def names_of(runs: Any) -> list[str]:
    return [NAMES[place] for place in runs.outcome.ravel()]


def test_the_region_of_convergence_is_below_two_over_the_curvature() -> None:
    curvature = 4.0
    rates = [2 / curvature * share for share in (1e-4, 0.01, 0.5, 0.9, 0.99, 1.0, 1.01, 1.5, 3.0)]
    runs = sweep(f"{curvature}*x**2/2", 1.0, GradientDescent(), {"learning_rate": rates}, target=1e-10)
    assert names_of(runs) == ["slow", *["converged"] * 4, "oscillating", *["diverged"] * 3]
    for rate, steps, value in zip(rates, runs.steps.ravel(), runs.value.ravel(), strict=True):
        x = 1.0
        made = 0
        while curvature * x * x / 2 > 1e-10 and made < 1000 and abs(x) < 1e3:
            x -= rate * curvature * x
            made += 1
        if abs(x) < 1e3:
            assert steps == made
            assert value == pytest.approx(curvature * x * x / 2, rel=1e-9)  # products in another order


def test_without_a_target_coming_to_rest_is_to_converge() -> None:
    runs = sweep("x**2/2", 1.0, GradientDescent(), {"learning_rate": [0.5, 2.0]})
    assert names_of(runs) == ["converged", "oscillating"]


def test_a_run_in_a_local_minimum_is_stuck() -> None:
    runs = sweep("x**4 - 2*x**2 + 0.3*x", [[-1.0], [1.0]], GradientDescent(), {"learning_rate": [0.05]}, target=-1.2)
    assert names_of(runs) == ["converged", "stuck"]


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_runs_that_use_up_their_steps_are_told_by_the_quarters_of_their_second_half(engine: str) -> None:
    grid = {"learning_rate": [1e-6, 1e-4, 0.002, 0.05, 0.51], "momentum": [0.0, 0.9, 0.999]}
    starts = [[-1.2, 1.0], [0.5, 0.2], [3.0, 0.1]]
    runs = sweep("2*x**2 + sin(y)**2/50", starts, Momentum(), grid, max_steps=37, target=-9.0, engine=engine)
    told = set()
    for place in np.ndindex(runs.outcome.shape):
        rule = Momentum(grid["learning_rate"][place[1]], momentum=grid["momentum"][place[2]])
        stop = Target(-9.0) | StepSize() | Diverging()
        run = minimize("2*x**2 + sin(y)**2/50", starts[place[3]], rule, max_steps=37, stop=stop, engine=engine)
        if run.stop.reason == "step limit":
            # 4/8 to 8/8 of 37 steps, rounded up.
            change = np.diff(run.value[[19, 24, 28, 33, 37]])
            rose = (change > 0).all() and run.final.value > run.value[0]
            expected = "slow" if (change < 0).all() else "diverged" if rose else "oscillating"
            assert NAMES[runs.outcome[place]] == expected
            told.add(expected)
    assert told == {"slow", "diverged", "oscillating"}


def test_each_run_is_made_once() -> None:
    points = 0

    def bowl(x: Any, y: Any) -> Any:
        nonlocal points
        points += np.size(x)
        return x**2 + y**2

    grid = {"learning_rate": [1e-5, 1e-4, 0.1, 0.4]}
    runs = sweep(bowl, STARTS, GradientDescent(), grid, gradient=lambda x, y: (2 * x, 2 * y), max_steps=80, target=1e-3)
    assert runs.count("slow") == runs.count("converged") == 4
    # One at the start, one after each step, and the start again of those to be judged.
    assert points == runs.steps.sum() + 8 + 4


def test_a_search_that_finds_no_lower_value_has_come_to_rest() -> None:
    runs = sweep("x**2 + 3*y**2", [1, 1], "lbfgs", {"convention": ["paper"]})
    assert names_of(runs) == ["converged"]


def test_each_run_is_that_of_minimize() -> None:
    rules: list[Optimizer[Any]] = [Momentum(), Adam(0.1), Cautious(Momentum())]
    grid = {"learning_rate": [1e-4, 1e-3, 0.02]}
    runs = sweep("rosenbrock", STARTS, rules, grid, target=1e-3, max_steps=300)
    assert runs.outcome.shape == (3, 3, 2, 1)
    stop = Target(1e-3) | StepSize() | Diverging()
    for place in np.ndindex(runs.outcome.shape):
        rule = with_settings(rules[place[0]], {"learning_rate": grid["learning_rate"][place[1]]})
        run = minimize("rosenbrock", STARTS[place[2]], rule, max_steps=300, stop=stop)
        assert runs.steps[place] == run.step_count
        assert runs.value[place] == run.final.value
        np.testing.assert_array_equal(runs.x[place], run.final.x)


def test_settings_that_shape_a_rule_are_swept_too() -> None:
    grid: dict[str, Any] = {"period": [2, 5.0], "convention": ["paper", "optax"], "momentum": [0.5, 0.9]}
    runs = sweep("booth", [0, 0], Lookahead(Momentum(Cosine(0.01, 300))), grid, target=1e-8)
    assert runs.outcome.shape == (1, 2, 2, 2, 1, 1)
    for i, j, k in np.ndindex(2, 2, 2):
        inner = Momentum(Cosine(0.01, 300), momentum=grid["momentum"][k])
        rule = Lookahead(inner, period=(2, 5)[i], convention=grid["convention"][j])
        run = minimize("booth", [0, 0], rule, stop=Target(1e-8) | StepSize() | Diverging())
        assert runs.steps[0, i, j, k] == run.step_count


def test_the_learning_rate_of_a_schedule_is_its_first() -> None:
    runs = sweep("booth", [0, 0], GradientDescent(Cosine(1.0, 500)), {"learning_rate": [0.01, 0.03]}, max_steps=50)
    for rate, value in zip((0.01, 0.03), runs.value.ravel(), strict=True):
        run = minimize("booth", [0, 0], GradientDescent(Cosine(rate, 500)), max_steps=50)
        assert value == run.final.value


def test_seeds_are_those_of_noise_and_of_batches() -> None:
    noisy = sweep(
        "booth", [0, 0], GradientNoise(GradientDescent()), {"learning_rate": [0.01]}, seeds=[0, 7], max_steps=9
    )
    expected = minimize("booth", [0, 0], GradientNoise(GradientDescent(0.01), seed=7), max_steps=9)
    assert noisy.value[0, 0, 0, 1] == expected.final.value != noisy.value[0, 0, 0, 0]
    draw = np.random.default_rng(0)
    rows = Logistic(draw.normal(size=(40, 2)), (draw.normal(size=40) > 0).astype(float))
    loss = rows.batches(8, order="shuffled")
    batches = sweep(loss, [0.0, 0, 0], GradientDescent(), {"learning_rate": [0.1]}, seeds=[1, 2], max_steps=9)
    run = minimize(loss, [0.0, 0, 0], GradientDescent(0.1), seed=2, max_steps=9, stop=StepSize(0))
    assert batches.value[0, 0, 0, 1] == run.final.value != batches.value[0, 0, 0, 0]


def test_the_best_settings_converge_most_and_fastest() -> None:
    rates = [0.01, 0.5, 1.0, 1.9, 2.5]
    runs = sweep("x**2/2", [[1.0], [1e-3], [5.0]], GradientDescent(), {"learning_rate": rates}, target=1e-6)
    best = runs.ranked()
    assert [setting.settings["learning_rate"] for setting in best] == [1.0, 0.5, 1.9, 0.01, 2.5]
    assert [setting.converged for setting in best[:4]] == [1.0] * 3 + [pytest.approx(1.0)]
    # A rate of 1/L arrives in one step; the start at 1e-3 lies within the target.
    assert (best[0].steps, best[0].value) == (1, 0)
    # That one is the only one that the largest rate does not drive away.
    assert best[-1].converged == pytest.approx(1 / 3)
    assert len(runs.ranked(2)) == 2


def test_the_runs_as_a_table(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="seeds make no difference"):
        runs = sweep("booth", STARTS, ["momentum", "adam"], {"learning_rate": [0.01, 0.05]}, seeds=[0, 1], max_steps=20)
    frame = runs.to_frame()
    assert len(frame) == len(runs) == 16
    assert list(frame) == [
        "optimizer",
        "learning_rate",
        "start",
        "seed",
        "outcome",
        "steps",
        "value",
        "final x",
        "final y",
    ]
    runs.to_csv(tmp_path / "runs.csv")
    with open(tmp_path / "runs.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["value"]) for row in rows] == frame["value"].tolist()
    assert rows[-1]["start"] == "0.5 2.0"
    assert set(frame["outcome"]) <= set(OUTCOMES)
    pd.testing.assert_frame_equal(frame, pd.DataFrame(runs.rows()))


def interrupting(call: int) -> Any:
    calls = 0

    def bowl(x: Any, y: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            os.kill(os.getpid(), signal.SIGINT)
        return x**2 + y**2

    return bowl


def test_ctrl_c_leaves_the_runs_made_so_far() -> None:
    settings: dict[str, Any] = {"gradient": lambda x, y: (2 * x, 2 * y), "max_steps": 5}
    # Conventions cannot be mixed in a batch. Each takes 6 values of its run, and one more to judge it.
    grid: dict[str, Any] = {"convention": ["paper", "torch", "keras"], "learning_rate": [1e-5]}
    runs = sweep(interrupting(10), [1, 1], Momentum(), grid, **settings)
    assert not runs.complete
    assert (runs.outcome.ravel() == NOT_RUN).tolist() == [False, True, True]
    assert len(runs.ranked()) == 1
    assert len(runs.to_frame()) == 1
    with pytest.raises(KeyboardInterrupt):
        sweep(interrupting(3), [1, 1], Momentum(), grid, **settings)


def test_portions_take_settings_with_all_their_starts_from_the_whole_grid() -> None:
    grid = {"learning_rate": np.geomspace(1e-5, 1e-3, 40).tolist()}
    starts = [[1.0, 1.0], [0.5, 1.0], [2.0, 0.0], [0.0, 0.1]]
    # A portion is 64 runs of 5 steps, each with 6 values and one more to judge it; the second one is interrupted.
    settings: dict[str, Any] = {"gradient": lambda x, y: (2 * x, 2 * y), "max_steps": 5}
    runs = sweep(interrupting(600), starts, GradientDescent(), grid, **settings)
    made = (runs.outcome != NOT_RUN).reshape(40, 4)
    assert (made.all(axis=1) == made.any(axis=1)).all()
    assert 10 <= made[:, 0].sum() <= 16
    # Not the first ones, which may all be slow: some in each quarter.
    assert made[:, 0].reshape(4, 10).any(axis=1).all()
    assert len(runs.ranked(40)) == made[:, 0].sum()


def test_runs_with_a_line_search_which_take_long_are_made_a_few_at_a_time() -> None:
    searches = 0

    class Interrupting(Backtracking):
        def rate(self, line: Any) -> float:
            nonlocal searches
            searches += 1
            if searches == 135:
                os.kill(os.getpid(), signal.SIGINT)
            return super().rate(line)

    grid: dict[str, Any] = {"learning_rate": np.linspace(0.5, 1, 200).tolist()}
    runs = sweep("booth", [1, 1], GradientDescent(Interrupting()), grid, max_steps=2)
    assert 40 <= (runs.outcome != NOT_RUN).sum() <= 64


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"grid": {"lr": [1]}}, "lr is no hyperparameter of gradient_descent; Allowed: learning_rate"),
        ({"grid": {"learning_rate": [-1]}}, "learning_rate is -1; it must be a number above 0"),
        ({"grid": {"learning_rate": []}}, r"grid: learning_rate is \[\]; it must be a list of values"),
        ({"grid": {"learning_rate": 0.1}}, "grid: learning_rate is 0.1; it must be a list of values"),
        ({"grid": {"seed": [1]}}, "grid names 'seed', which is no hyperparameter; give it as an argument"),
        ({"grid": [1]}, r"grid is \[1\]; it must give the values of each hyperparameter"),
        ({"optimizers": []}, "optimizers is empty"),
        ({"optimizers": ["adam", "adam"]}, "optimizers has 'adam' twice; give each once"),
        ({"grid": {"learning_rate": [0.1, 0.2, 0.1]}}, "grid: learning_rate has 0.1 twice; give each once"),
        ({"x0": [[1, 1], [1, 1]]}, r"x0 has \(1.0, 1.0\) twice; give each once"),
        ({"seeds": [1, 0, 1]}, "seeds has 1 twice; give each once"),
        ({"grid": {1: [0.1]}}, "1 is no hyperparameter of gradient_descent; Allowed: learning_rate"),
        (
            {"grid": {"learning_rate": [[0.1]]}},
            r"grid: learning_rate has \[0.1\]; each of its values must be one",
        ),
        ({"grid": {"learning_rate": [[1, [2]]]}}, r"learning_rate is \[1, \[2\]\]; it must be a number above 0"),
        ({"grid": {"learning_rate": [Cosine(0.1, 9)]}}, "grid: learning_rate has Cosine.*; each of its values must be"),
        ({"grid": {"learning_rate": [0.1, Backtracking()]}}, "grid: learning_rate has Backtracking.*; each of its"),
        ({"optimizers": ["adam", "adm"]}, "did you mean 'adam'"),
        ({"seeds": [-1]}, "seeds is -1; it must be a whole number at least 0"),
        ({"seeds": 3}, "seeds is 3; it must be a list of values"),
        ({"max_steps": 0.5}, "max_steps is 0.5; it must be a whole number at least 1"),
        ({"target": "low"}, "target is 'low'; it must be a number"),
        ({"x0": [[1, 2], [3]]}, "x0 has 1 number"),
    ],
)
def test_mistakes_are_named(settings: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "x0": [1, 1],
        "optimizers": "gradient_descent",
        "grid": {"learning_rate": [0.1]},
    } | settings
    with pytest.raises(FalllineError, match=message):
        sweep("booth", **given)


def test_as_many_settings_as_a_whole_number_says() -> None:
    runs = sweep("booth", [1, 1], "gradient_descent", {"learning_rate": [0.1]})
    assert runs.ranked(0) == []
    for count in (-1, 1.0, [1, 2], True):
        with pytest.raises(FalllineError, match="it must be a whole number at least 0"):
            runs.ranked(count)  # type: ignore[arg-type]


def test_there_is_no_other_outcome() -> None:
    runs = sweep("booth", [1, 1], "gradient_descent", {"learning_rate": [0.1]})
    with pytest.raises(FalllineError, match="outcome is 'best'; Allowed: converged, stuck"):
        runs.count("best")


def test_seeds_that_change_nothing_are_one_batch_with_the_same_runs() -> None:
    batches = []

    @dataclass(frozen=True)
    class Counting(GradientDescent):
        def init(self, x: Any) -> None:
            batches.append(len(x))
            return super().init(x)

    with pytest.warns(UserWarning, match="seeds make no difference"):
        runs = sweep("booth", STARTS, Counting(), {"learning_rate": [0.01, 0.05]}, seeds=range(7), max_steps=9)
    assert batches == [2 * 2 * 7]
    for place in np.ndindex(runs.outcome.shape):
        run = minimize("booth", STARTS[place[2]], GradientDescent((0.01, 0.05)[place[1]]), max_steps=9)
        np.testing.assert_array_equal(runs.x[place], run.final.x)
    assert runs.factors["seed"] == (0, 1, 2, 3, 4, 5, 6)
    with pytest.warns(UserWarning, match="seeds make no difference"):
        large = sweep("booth", [0, 0], "adam", {}, seeds=[0, 2**63, 2**200], max_steps=9)
    assert (large.value == large.value[0, 0, 0]).all()


def test_a_run_that_another_condition_ends_is_judged_by_its_start_and_its_end() -> None:
    rates = [1e-3, 0.5, 2.0, 2.1]
    runs = sweep("x**2/2", 1.0, "gradient_descent", {"learning_rate": rates}, stop=Evaluations(20), target=1e-9)
    # Ten looks at value and gradient: nine steps, the second half of a thousand is never seen.
    assert runs.steps.ravel().tolist() == [9] * 4
    assert names_of(runs) == ["slow", "slow", "oscillating", "diverged"]


def test_many_starts_are_told_apart_and_handed_out_as_points() -> None:
    starts = np.random.default_rng(0).uniform(-1, 1, (500, 2))
    runs = sweep("booth", starts, "adam", {}, max_steps=3)
    assert runs.factors["start"][17] == tuple(starts[17])
    assert list(runs.factors["start"]) == list(map(tuple, starts))
    assert [row["start"] for row in runs.rows()][499] == tuple(starts[499])
    starts[400] = starts[3]
    with pytest.raises(FalllineError, match=r"x0 has \(.*\) twice; give each once"):
        sweep("booth", starts, "adam", {}, max_steps=3)


def test_optimizers_may_have_labels_of_their_own() -> None:
    rules = {"slow": GradientDescent(1e-4), "quick": GradientDescent(0.01)}
    runs = sweep("booth", [0, 0], rules, {}, max_steps=50)
    assert runs.factors["optimizer"] == ("slow", "quick")
    assert runs.best.settings == runs.ranked(1)[0].settings == {"optimizer": "quick"}


def test_the_best_of_a_sweep_that_was_interrupted_before_any_setting_was_done() -> None:
    bowl = interrupting(70 * 7)
    starts = np.random.default_rng(0).uniform(1, 2, (100, 2))
    slopes = lambda x, y: (2 * x, 2 * y)  # noqa: E731
    runs = sweep(bowl, starts, GradientDescent(1e-5), {}, gradient=slopes, max_steps=5)
    assert 0 < (runs.outcome != NOT_RUN).sum() < 100
    assert runs.ranked() == []
    with pytest.raises(FalllineError, match="the sweep was interrupted before all runs of one setting were made"):
        _ = runs.best


def test_a_rate_too_small_to_move_is_stuck_and_never_the_best() -> None:
    for engine in ("reference", "compiled"):
        runs = sweep(
            "x**2", [[1.0], [-2.0]], GradientDescent(), {"learning_rate": [1e-13, 1e-15, 0.1, 0.4]}, engine=engine
        )
        assert [NAMES[place] for place in runs.outcome[0, :, 0, 0]] == ["stuck", "stuck", "converged", "converged"]
        # The distance shrinks to 0.2 at the rate 0.4, to 0.8 at 0.1.
        assert [setting.settings["learning_rate"] for setting in runs.ranked(2)] == [0.4, 0.1]
        assert runs.ranked()[-1].converged == 0


def test_a_saddle_and_a_maximum_are_stuck() -> None:
    runs = sweep("x**2 - y**2 + y**4", [[1.0, 0.0], [1.0, 0.1]], GradientDescent(), {"learning_rate": [0.1]})
    assert [NAMES[place] for place in runs.outcome.ravel()] == ["stuck", "converged"]
    runs = sweep("cos(x)", [[0.0], [1.0]], GradientDescent(), {"learning_rate": [0.1]}, max_steps=2000)
    assert [NAMES[place] for place in runs.outcome.ravel()] == ["stuck", "converged"]


def test_a_run_at_the_minimum_when_its_steps_are_used_up_has_converged() -> None:
    runs = sweep("(x-3)**2", 1.0, GradientDescent(), {"learning_rate": [0.5, 0.01]}, max_steps=1)
    assert [NAMES[place] for place in runs.outcome.ravel()] == ["converged", "slow"]
