"""`fallline optimizers`, `fallline conventions` and `fallline compare`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.outcome import Run

import fallline
from fallline.optimizers import OPTIMIZERS, WRAPPERS


def test_every_rule_is_listed_on_a_line_of_its_own(run: Run) -> None:
    done = run("optimizers")
    assert (done.code, done.err) == (0, "")
    rows = done.out.partition("\n\n")[0].splitlines()[1:]
    assert {row.split()[0].partition(":")[0] for row in rows} == set(OPTIMIZERS) | set(WRAPPERS)
    assert "steepest descent" in rows[0].lower()


def test_every_rule_shows_its_formula_and_ranges(run: Run) -> None:
    done = run("optimizers", *OPTIMIZERS, *WRAPPERS)
    assert (done.code, done.err) == (0, "")
    blocks = {block.split("\n")[0].partition(":")[0]: block for block in done.out.split("\n\n")}
    assert set(blocks) == set(OPTIMIZERS) | set(WRAPPERS)
    assert "x = x_old - g*rate" in blocks["gradient_descent"]
    assert "beta1=0.9: decay of the mean, a number at least 0 and below 1" in blocks["adam"]
    assert "fallline conventions adam" in blocks["adam"]


def test_one_rule_is_listed_as_json(run: Run) -> None:
    done = run("optimizers", "momentum", "--json")
    (momentum,) = json.loads(done.out)
    assert momentum["name"] == "momentum"
    assert momentum["formula"]["x"] == "x_old - velocity"
    assert momentum["hyperparameters"]["momentum"]["allowed"] == "a number at least 0 and below 1"


def test_conventions_show_the_line_that_differs_and_the_defaults(run: Run) -> None:
    done = run("conventions", "adam")
    assert (done.code, done.err) == (0, "")
    lines = [line.strip() for line in done.out.splitlines()]
    keras = lines.index("keras:")
    assert lines[keras + 1] == "x_old - m*rate*sqrt(1 - beta2**t)/((1 - beta1**t)*(epsilon + sqrt(v)))"
    header = next(line.split() for line in lines if line.startswith("paper") and "keras" in line and ":" not in line)
    epsilon = next(line.split() for line in lines if line.startswith("epsilon"))
    assert dict(zip(header, epsilon[1:], strict=True))["keras"] == "1e-07"
    # The last line is a command that works.
    side_by_side = lines[-1].partition("fallline ")[2].split()
    assert run(*side_by_side, "--max-steps", 3).code == 0


def test_conventions_as_json_hold_the_size_of_the_difference(run: Run) -> None:
    done = run("conventions", "adam", "--json")
    runs = {entry["convention"]: entry for entry in json.loads(done.out)["runs"]}
    assert runs["torch"]["distance"] == {"own defaults": 0.0, "paper's defaults": 0.0}
    assert 0 < runs["keras"]["distance"]["paper's defaults"] < runs["keras"]["distance"]["own defaults"] < 1e-6


def test_conventions_of_a_rule_around_another(run: Run) -> None:
    done = run("conventions", "weight_decay")
    assert done.code == 0
    assert "weight_decay@torch:gradient_descent" in done.out


def test_compare_gives_the_figures_of_the_api(run: Run) -> None:
    done = run("compare", "rosenbrock", "--start", "-1.5,2", "--optimizers", "adam@torch,adam@keras", "--json")
    assert (done.code, done.err) == (0, "")
    answer = json.loads(done.out)
    assert answer["start"] == [-1.5, 2.0]
    runs = fallline.compare("100*(y - x**2)**2 + (1 - x)**2", (-1.5, 2.0), ["adam@torch", "adam@keras"])
    for told, expected in zip(answer["runs"], runs, strict=True):
        assert told["x"] == expected.final.x.tolist()
        assert told["steps"] == expected.step_count
    assert [told["name"] for told in answer["runs"]] == ["adam@torch", "adam@keras"]
    assert answer["runs"][1]["distance"] == np.linalg.norm(runs[0].x - runs[1].x, axis=1).max()


def test_compare_prints_a_row_for_each_rule(run: Run) -> None:
    done = run(
        "compare", "x**2", "--start", "1", "--optimizers", "gradient_descent,momentum", "--learning-rate", "0.25",
        "--max-steps", "1",
    )  # fmt: skip
    assert [line.split() for line in done.out.splitlines()[3:5]] == [
        ["gradient_descent", "1", "0.5", "0.25", "0.25", "0", "step", "limit"],
        ["momentum", "1", "0.5", "0.25", "0.25", "0", "step", "limit"],
    ]
    # The exit code is 0, so the last lines say what did not converge.
    assert done.out.splitlines()[-2:] == [
        f"not converged, {rule}: the limit of 1 step was reached" for rule in ("gradient_descent", "momentum")
    ]


def test_compare_takes_settings_behind_a_rule_and_those_of_all_others_as_options(run: Run) -> None:
    rules = "adam(learning_rate=0.1, beta1=0.8), momentum(momentum=0.8), nesterov"
    done = run(
        "compare", "booth", "--start", "0,0", "--start", "x=1,y=-1", "--optimizers", rules,
        "--learning-rate", "0.01", "--momentum", "0.5", "--schedule", "step:0.5:10", "--max-steps", "30", "--json",
    )  # fmt: skip
    # --momentum is no setting of adam, which is told rather than left out.
    assert done.code == 2
    assert "momentum is not a hyperparameter of Adam" in done.err
    done = run(
        "compare", "booth", "--start", "0,0", "--start", "x=1,y=-1", "--optimizers", rules,
        "--learning-rate", "0.01", "--schedule", "step:0.5:10", "--max-steps", "30", "--json",
    )  # fmt: skip
    assert done.err == ""
    step = fallline.StepDecay
    runs = fallline.compare(
        "booth",
        [[0.0, 0.0], [1.0, -1.0]],
        [
            fallline.Adam(step(0.1, factor=0.5, every=10), beta1=0.8),
            fallline.Momentum(step(0.01, factor=0.5, every=10), momentum=0.8),
            fallline.Nesterov(step(0.01, factor=0.5, every=10)),
        ],
        max_steps=30,
    )
    told = json.loads(done.out)["runs"]
    assert [run["x"] for run in told] == [run.final.x.tolist() for run in runs]
    assert told[0]["name"] == "adam(learning_rate=0.1, beta1=0.8) from (0, 0)"
    # The distance is that from the first rule's run from the same start.
    expected = np.linalg.norm(runs[3].x - runs[1].x, axis=1).max()
    assert told[3]["distance"] == pytest.approx(expected, rel=1e-12)


def test_compare_stops_and_saves_as_run_does(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "race.npz"
    done = run(
        "compare", "x**2", "--start", "1", "--optimizers", "gd,momentum", "--learning-rate", "0.1",
        "--target", "1e-3", "--stop-gradient", "1e-9", "--save", file, "--json",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert {told["stopped"] for told in json.loads(done.out)["runs"]} == {"target reached"}
    race = fallline.Comparison.load(file)
    assert race.labels == ("gd", "momentum")
    assert race[0].final.value <= 1e-3 < race[0].value[-2]


def test_landscapes_are_listed_with_their_minima(run: Run) -> None:
    done = run("landscapes")
    assert (done.code, done.err) == (0, "")
    rows = {line.split()[0]: line for line in done.out.splitlines()[1:]}
    assert "(1, 1)" in rows["rosenbrock"]
    assert "(1, 3)" in rows["booth"]
    listed = json.loads(run("landscapes", "--json").out)
    assert [landscape["name"] for landscape in listed] == list(rows)


def test_short_help_is_help(run: Run) -> None:
    for command in ("run", "compare", "sweep", "fit"):
        assert run(command, "-h").out == run(command, "--help").out != ""


@pytest.mark.parametrize(
    "command",
    [
        ["run", "x**2", "--start", "1"],
        ["compare", "x**2", "--start", "1", "--optimizers", "gd,adam"],
        ["sweep", "x**2", "--start", "1", "--grid", "learning_rate=0.1"],
        ["basins", "booth", "--resolution", "2", "--max-steps", "2"],
        ["tune", "x**2", "--start", "1", "--trials", "1"],
    ],
    ids=lambda command: command[0],
)
def test_every_command_that_runs_takes_an_engine_or_a_cluster(run: Run, command: list[str]) -> None:
    assert run(*command, "--engine", "compiled").code == 0
    done = run(*command, "--engine", "warp")
    assert (done.code, done.err.split(";")[0]) == (2, "fallline: --engine is 'warp'")
    done = run(*command, "--engine", "compiled", "--cluster", "local:2")
    assert (done.code, "give one of the two" in done.err) == (2, True)


def test_compare_draws_the_paths(run: Run, tmp_path: Path) -> None:
    picture = tmp_path / "paths.png"
    done = run("compare", "booth", "--start", "-1.5,2", "--optimizers", "momentum,adam", "--plot", picture)
    assert done.code == 0
    assert f"written: {picture}" in done.out
    with Image.open(picture) as image:
        image.load()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("optimizers", "adm"), "fallline: RULE is 'adm'; did you mean 'adam'?"),
        (("conventions", "adm"), "fallline: RULE is 'adm'; did you mean 'adam'?"),
        (
            ("compare", "booth", "--start", "0,0", "--optimizers", "adam,adam@kears"),
            "fallline: --optimizers is 'adam,adam@kears': Adam: convention is 'kears'; did you mean 'keras'?",
        ),
        (
            ("compare", "booth", "--start", "0,0", "--optimizers", "adam,foo"),
            "fallline: --optimizers is 'adam,foo': optimizer is 'foo'; Allowed: gradient_descent",
        ),
        (
            ("compare", "log(x)", "--start", "-1", "--optimizers", "adam,momentum", "--plot", ""),
            "fallline: Invalid value for '--plot': ''",
        ),
        (
            ("compare", "booth", "--start", "0,0", "--optimizers", "adam,adam"),
            "fallline: --optimizers is 'adam,adam', which names adam twice",
        ),
        (
            ("compare", "booth", "--start", "0,0", "--optimizers", ","),
            "fallline: --optimizers is ',', which names no rule",
        ),
        (
            ("compare", "rosenbrok", "--start", "0,0", "--optimizers", "adam"),
            "fallline: OBJECTIVE is 'rosenbrok'; did you",
        ),
        (
            ("compare", "booth", "--start", "0,0", "--optimizers", "adam", "--plot", "/nowhere/a.png"),
            "fallline: --plot is '/nowhere/a.png'",
        ),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(run: Run, arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(said)
    assert done.err.count("\n") == 1


def test_compare_tells_on_request_where_the_runs_part(run: Run) -> None:
    command = ("compare", "x**2", "--start", "3", "--optimizers", "adam@torch,adam@keras,adam@optax", "--differ")
    text = run(*command).out
    assert "\nadam@torch and adam@keras part at step 1, by the rule\n" in text
    assert "\nadam@torch and adam@optax do not differ\n" in text
    first, second = json.loads(run(*command, "--json").out)["partings"]
    assert (first["step"], first["by"], second["by"]) == (1, "rule", "nothing")
    starts = run("compare", "x**2", "--start", "3", "--start", "4", "--optimizers", "adam", "--differ").out
    assert "start at different points" in starts


NOISY = ("compare", "booth", "--start", "0,0", "--optimizers", "gradient_noise:adam,gradient_noise:gd")


def test_compare_repeats_the_rules_with_each_seed(run: Run, tmp_path: Path) -> None:
    recipe = tmp_path / "noise.toml"
    done = run(*NOISY, "--seed", "0-10", "--seed", "20", "--max-steps", 20, "--save", recipe, "--json")
    assert (done.code, done.err) == (0, "")
    rules = ["gradient_noise:adam", "gradient_noise:gradient_descent"]
    runs = fallline.compare("booth", [0, 0], rules, seeds=[*range(11), 20], max_steps=20)
    told = json.loads(done.out)["runs"]
    assert [each["x"] for each in told] == runs.x.tolist()
    assert [each["seed"] for each in told] == [*range(11), 20] * 2
    # The distance is that from the first rule's run with the same seed.
    expected = np.linalg.norm(runs[-1].x - runs[11].x, axis=1).max()
    assert told[-1]["distance"] == pytest.approx(expected, rel=1e-12)

    # Twelve runs of a rule are a row, here and when the recipe is run.
    text = run(*NOISY, "--seed", "0-10", "--seed", "20", "--max-steps", 20).out
    assert run("run", recipe).out == text
    header, *rows = text.split("\n\n")[1].splitlines()
    assert header.split("  ")[-1].strip() == "stopped"
    assert [row.split()[:2] for row in rows] == [["gradient_noise:gd", "12"], ["gradient_noise:adam", "12"]]
    quartiles = np.quantile(runs.value[:12], [0.25, 0.5, 0.75])
    np.testing.assert_allclose([float(cell) for cell in rows[1].split()[2:5]], quartiles, rtol=1e-5)  # six digits
    assert text.splitlines()[-1] == "not converged, gradient_noise:gd: 12 of 12 runs: step limit"
    # One seed in place of those of the recipe.
    single = json.loads(run("run", recipe, "--seed", 20, "--json").out)["runs"]
    assert [each["x"] for each in single] == [told[11]["x"], told[23]["x"]]


def test_a_wrong_seed_is_named(run: Run) -> None:
    assert run(*NOISY, "--seed", "3-1").err == "fallline: --seed is '3-1'; write 1-3, the first and the last\n"
    assert run(*NOISY, "--seed", "1", "--seed", "0-3").err == "fallline: --seed has 1 twice; give each once\n"
    assert run(*NOISY, "--seed", "few").err.startswith("fallline: Invalid value: 'few' is not a whole number")
