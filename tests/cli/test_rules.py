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


def test_every_rule_is_listed_with_its_formula_and_ranges(run: Run) -> None:
    done = run("optimizers")
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
    assert [line.split() for line in done.out.splitlines()[3:]] == [
        ["gradient_descent", "1", "0.5", "0.25", "0.25", "0", "step", "limit"],
        ["momentum", "1", "0.5", "0.25", "0.25", "0", "step", "limit"],
    ]


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
