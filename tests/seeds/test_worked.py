"""Every worked example shows its stored figures: by one line of Python, and by one command line."""

from __future__ import annotations

import ast
import json
import math
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cases import few

import fallline
from fallline.cli.app import main
from fallline.diagnosis import diagnose
from fallline.examples.worked import VARIANTS, WORKED, Case, Figure, stored_cases
from fallline.gradients.chain import chain_rule
from fallline.gradients.check import check_gradient

STORED = stored_cases()


def off(case: Case, runs: tuple[fallline.Trajectory, ...]) -> list[Figure]:
    figures = case.figures(runs)
    assert figures
    return [figure for figure in figures if not figure.agrees]


def test_every_stored_case_is_worked_and_no_other() -> None:
    assert WORKED.keys() == STORED.keys()


@pytest.mark.parametrize("name", STORED)
def test_python_shows_the_stored_figures(name: str) -> None:
    case = WORKED[name]
    assert off(case, case.run()) == []


def numbers(value: Any) -> int:
    """How many numbers there are in a stored figure."""
    if isinstance(value, dict):
        return sum(numbers(part) for part in value.values())
    return sum(numbers(part) for part in value) if isinstance(value, list) else 1


@pytest.mark.parametrize("name", few(STORED, 5))
def test_no_stored_figure_is_left_out(name: str) -> None:
    case = WORKED[name]
    figures = [
        "x",
        "iterations_printed",
        "stopped",
        "minimum",
        "history",
        "at",
        "x_final",
        "final",
        "x_final_with_document_derivative",
        "x_final_with_right_derivative",
    ]
    stored = sum(numbers(STORED[name][key]) for key in figures if key in STORED[name])
    compared = [figure for figure in case.figures(case.run()) if figure.label != "number of points"]
    assert len(compared) == stored


@pytest.mark.parametrize("name", STORED)
def test_the_line_of_python_is_one_line_and_says_the_settings(name: str) -> None:
    line = WORKED[name].python
    assert "\n" not in line
    ast.parse(line, mode="eval")
    if name.startswith("sigmoid_neuron"):
        assert repr(STORED[name]["X"]) in line
        assert repr(STORED[name]["start"]) in line


def by_command(command: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> fallline.Trajectory:
    """What a command line saves."""
    path = folder / "run.npz"
    monkeypatch.setattr(sys, "argv", [*shlex.split(command), "--json", "--save", str(path)])
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    return fallline.Trajectory.load(path)


@pytest.mark.parametrize("name", [name for name in STORED if WORKED[name].part != "B"])
def test_the_command_lines_show_the_stored_figures(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = WORKED[name]
    runs = tuple(by_command(command, tmp_path, monkeypatch) for command in case.commands)
    assert off(case, runs) == []
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["x"] for one in printed] == [run.final.x.tolist() for run in runs]


@pytest.mark.parametrize("name", few((name for name in STORED if WORKED[name].part == "B"), 4))
def test_the_command_line_ends_where_the_line_of_python_does(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = WORKED[name]
    X, Y = STORED[name]["X"], STORED[name]["Y"]
    rows = "".join(f"{x},{y}\n" for x, y in zip(X, Y, strict=True))
    (tmp_path / f"{name.split('/')[1]}.csv").write_text("x,y\n" + rows)
    by_line = by_command(case.commands[0], tmp_path, monkeypatch)
    (by_python,) = case.run()
    assert np.array_equal(by_line.final.x, by_python.final.x)
    assert by_line.final.value == by_python.final.value


def test_a_command_line_in_a_process_of_its_own(tmp_path: Path) -> None:
    case = WORKED["local_minimum_1d_windowed_momentum"]
    command = shlex.split(case.commands[0])[1:]
    path = tmp_path / "run.npz"
    done = subprocess.run(
        [sys.executable, "-m", "fallline", *command, "--save", str(path), "--json"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert off(case, (fallline.Trajectory.load(path),)) == []
    assert math.isclose(json.loads(done.stdout)["x"][0], STORED[case.name]["minimum"], rel_tol=1e-12)


def test_neuron_variants_are_the_seven_of_both_data_sets() -> None:
    assert [name.split("/")[2] for name in STORED if "two_points" in name] == [
        name.split("/")[2] for name in STORED if "six_points" in name
    ]
    assert {variant[0] for variant in VARIANTS} == {name.split("/")[2] for name in STORED if "two_points" in name}


def test_a_zero_slope_is_reported_as_a_minimum_found() -> None:
    run = fallline.minimize("2*x**2-3*x+4", 0.75, fallline.SignDescent(0.01))
    assert "minimum" in run.stop.message
    assert run.final.x == [0.75]


def test_the_chain_rule_is_shown_with_its_numbers() -> None:
    # u = 4, y = 13, du/dx = 4x - 1 = 7, dy/du = 3: by hand, at x = 2.
    text = chain_rule("u = 2*x**2-x-2; y = 3*u+1", 2.0).text
    for part in ("= 4", "= 13", "4*x - 1 = 7", "= 3 · 7 = 21"):
        assert part in text


def test_the_gradient_check_catches_the_documents_derivative() -> None:
    check = check_gradient("u = 2*x**2-x-2; y = 3*u+1", 2.0, gradient=lambda x: 6 * x - 3)
    (wrong,) = check.wrong
    # 6x - 3 = 9 is what the document has, 12x - 3 = 21 is right.
    assert (wrong.name, wrong.found) == ("x", 9.0)
    assert math.isclose(wrong.expected, 21.0, rel_tol=1e-6)  # as the check itself measures


def test_the_run_says_that_y_has_no_lower_bound_along_c() -> None:
    (run,) = WORKED["sign_descent_three_variables"].run()
    titles: list[str] = [finding.title for finding in diagnose(run)]
    assert titles == ["y has no lower bound along c"]


@pytest.mark.parametrize(
    ("expected", "found", "agrees", "deviation"),
    [
        (2.0, 2.0 + 1e-12, True, 5e-13),
        (2.0, 2.0 + 1e-11, False, 5e-12),
        (0.0, 1e-300, False, 1e-300),
        ("small step", "small step", True, 0.0),
        ("small step", "step limit", False, math.inf),
    ],
)
def test_figures_agree_to_the_stated_tolerance(
    expected: float | str, found: float | str, agrees: bool, deviation: float
) -> None:
    figure = Figure("x", expected, found)
    assert figure.agrees is agrees
    # 2.0 + 1e-12 is itself rounded to 4e-16, a part in 2,000 of the difference.
    assert math.isclose(figure.deviation, deviation, rel_tol=1e-3)


def test_a_floor_allows_what_a_relative_tolerance_cannot() -> None:
    assert Figure("error", 1e-32, 2e-32, floor=2e-32).agrees
    assert not Figure("error", 1e-32, 4e-32, floor=2e-32).agrees


def test_a_run_that_ctrl_c_ended_gives_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted = fallline.minimize("x**2", 1.0, "adam", callback=lambda point: signal.raise_signal(signal.SIGINT))
    assert interrupted.stop.reason == "interrupted"
    monkeypatch.setattr(fallline.Recipe, "run", lambda recipe: interrupted)
    with pytest.raises(KeyboardInterrupt):
        WORKED["twelve_epochs"].run()


@pytest.mark.parametrize("name", few(STORED, 6))
def test_the_line_of_python_runs_what_the_recipe_does(name: str) -> None:
    case = WORKED[name]
    names = {**vars(fallline.models), **{word: getattr(fallline, word) for word in dir(fallline)}}
    found = eval(case.python, names)  # noqa: S307  (a text of our own)
    runs = found if isinstance(found, tuple | fallline.Comparison) else (found,)
    for run, expected in zip(runs, case.run(), strict=True):
        assert np.array_equal(run.x, expected.x)


def test_every_recipe_belongs_to_a_case_or_a_lesson_and_is_written_as_fallline_writes_it(tmp_path: Path) -> None:
    told = {file for case in WORKED.values() for file in case.files} | {"four_blobs"}
    assert told == fallline.examples.recipes().keys()
    # The path of its data is relative to the recipe.
    (tmp_path / "four_blobs.csv").write_bytes(fallline.examples.four_blobs().read_bytes())
    for name, path in fallline.examples.recipes().items():
        beside = tmp_path / path.name
        beside.write_bytes(path.read_bytes())
        recipe = fallline.Recipe.load(beside)
        recipe.save(tmp_path / "again.toml")
        assert (tmp_path / "again.toml").read_text() == path.read_text(), name
        assert recipe.title
        assert recipe.text


@pytest.mark.parametrize("name", few(STORED, 6))
def test_fallline_run_and_the_name_of_the_recipe_show_the_stored_figures(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, runs = WORKED[name], []
    monkeypatch.chdir(tmp_path)
    for file in case.files:
        monkeypatch.setattr(sys, "argv", ["fallline", "run", file, "--save", "runs.npz"])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert not stopped.value.code
        try:
            runs.append(fallline.Trajectory.load("runs.npz"))
        except fallline.FalllineError:
            found = fallline.Comparison.load("runs.npz")
            runs += [found[case.label]] if case.label else list(found)
    assert off(case, tuple(runs)) == []
