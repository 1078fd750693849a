"""`fallline run`: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.cli.outcome import Run

import fallline

DIVERGING = ("run", "x**2", "--start", "10", "--learning-rate", "1.5")


def rows(out: str) -> list[list[str]]:
    """The table of a run: its header and rows, without the lines around it."""
    lines = out.splitlines()
    first = next(i for i, line in enumerate(lines) if line.split()[:1] == ["iteration"])
    return [line.split() for line in lines[first : lines.index("", first)]]


def test_the_table_names_each_coordinate_and_halves_the_distance(run: Run) -> None:
    # Gradient 2(x - 10) and rate 0.25: each step halves the distance, exactly.
    done = run("run", "(x-10)**2 + (y+1)**2", "--start", "14,-1", "--learning-rate", "0.25", "--max-steps", 3)
    assert done.code == 0
    assert done.err == ""
    assert rows(done.out) == [
        ["iteration", "x", "y", "f", "|gradient|", "rate"],
        ["0", "14", "-1", "16", "8", "0.25"],
        ["1", "12", "-1", "4", "4", "0.25"],
        ["2", "11", "-1", "1", "2", "0.25"],
        ["3", "10.5", "-1", "0.25", "1"],
    ]
    assert "the limit of 3 steps was reached" in done.out
    assert "x = 10.5, y = -1.0; f = 0.25" in done.out
    assert "4 of the value, 4 of the gradient (symbolic)" in done.out


def test_every_thins_the_table_and_keeps_its_ends(run: Run) -> None:
    done = run("run", "x**2", "--start", 1, "--max-steps", 45, "--every", 20, "--stop-step", 0)
    assert [row[0] for row in rows(done.out)[1:]] == ["0", "20", "40", "45"]


def test_a_long_run_is_thinned_to_about_twenty_rows(run: Run) -> None:
    done = run("run", "x**2", "--start", 1, "--max-steps", 990, "--stop-step", 0)
    steps = [int(row[0]) for row in rows(done.out)[1:]]
    assert steps == [*range(0, 990, 50), 990]


def test_the_best_is_told_where_it_is_not_the_final(run: Run) -> None:
    # x, then -2x: the start is the best.
    done = run(*DIVERGING, "--max-steps", 2)
    assert "final:   x = 40.0; f = 1600.0" in done.out
    assert "best:    x = 10.0; f = 100.0" in done.out
    assert "best:" not in run("run", "x**2", "--start", 1, "--max-steps", 2).out


def test_many_coordinates_do_not_break_the_table(run: Run) -> None:
    formula = " + ".join(f"a{i}**2" for i in range(9))
    done = run("run", formula, "--start", ",".join("1" * 9), "--max-steps", 1)
    assert rows(done.out)[0] == ["iteration", *(f"a{i}" for i in range(6)), "...", "f", "|gradient|", "rate"]
    assert rows(done.out)[1][7] == "+3"
    assert "and 3 more" in done.out


def test_findings_are_told(run: Run) -> None:
    done = run("run", "x**2 + c", "--start", "x=1,c=1", "--max-steps", 30)
    assert "has no lower bound along c" in done.out


def test_json_is_one_object_with_every_digit(run: Run) -> None:
    options = ("--start", 10, "--optimizer", "momentum", "--learning-rate", 0.05, "--max-steps", 300)
    done = run("run", "x**2 + 8*sin(x)", *options, "--stop-step", "1e-5", "--json")
    told = json.loads(done.out)
    twin = fallline.minimize(
        "x**2 + 8*sin(x)", 10, fallline.Momentum(0.05), max_steps=300, stop=fallline.StepSize(1e-5)
    )
    assert told.keys() >= {
        "objective", "optimizer", "gradient", "start", "x", "value",
        "gradient_norm", "steps", "stopped", "evaluations", "best",
    }  # fmt: skip
    assert told["objective"] == "x**2 + 8*sin(x)"
    assert told["gradient"] == "symbolic"
    assert told["start"] == [10.0]
    assert told["x"] == twin.final.x.tolist()
    assert told["value"] == twin.final.value
    assert told["gradient_norm"] == twin.final.gradient_norm
    assert told["steps"] == twin.step_count
    assert told["stopped"] == "small step"
    assert told["evaluations"] == {"value": twin.evaluations.value, "gradient": twin.evaluations.gradient}
    assert told["best"] == {"step": twin.best.step, "x": twin.best.x.tolist(), "value": twin.best.value}
    assert len(done.out.splitlines()) == 1


def test_json_of_a_diverged_run_is_valid(run: Run) -> None:
    def no_constant(name: str) -> float:
        raise AssertionError(f"{name} is not JSON")

    told = json.loads(run(*DIVERGING, "--json").out, parse_constant=no_constant)
    assert told["stopped"] == "not finite"
    assert told["value"] is None


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ([], fallline.GradientDescent()),
        (
            ["--optimizer", "adam@tutorial", "--learning-rate", "0.5"],
            fallline.Adam(0.5, convention="tutorial"),
        ),
        (
            ["--optimizer", "adam", "--set", "beta1=0.8", "--set", "beta2=0.9"],
            fallline.Adam(beta1=0.8, beta2=0.9),
        ),
        (["--optimizer", "momentum", "--momentum", "0.8"], fallline.Momentum(momentum=0.8)),
        (["--optimizer", "windowed_momentum", "--set", "window=3"], fallline.WindowedMomentum(window=3)),
        (["--set", "learning_rate=0.5"], fallline.GradientDescent(0.5)),
        (
            ["--learning-rate", "0.05", "--schedule", "step:0.9:40"],
            fallline.GradientDescent(fallline.StepDecay(0.05, 0.9, 40)),
        ),
        (
            ["--schedule", "exponential:0.5", "--optimizer", "adam"],
            fallline.Adam(fallline.Exponential(0.001, 0.5)),
        ),
    ],
)
def test_options_choose_the_rule(run: Run, tmp_path: Path, options: list[str], rule: fallline.Optimizer[Any]) -> None:
    path = tmp_path / "run.npz"
    assert run("run", "x**2", "--start", "-1.5", "--max-steps", 5, *options, "--save", path).code == 0
    twin = fallline.minimize("x**2", -1.5, rule, max_steps=5)
    loaded = fallline.Trajectory.load(path)
    assert np.array_equal(loaded.x, twin.x)
    assert loaded.optimizer == twin.optimizer


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--stop-step", "0.01"], "small step"),
        (["--stop-gradient", "0.01"], "small gradient"),
        (["--stop-change", "0.001"], "small change"),
        (["--target", "0.5"], "target reached"),
        (["--max-evaluations", "10"], "evaluations used up"),
        (["--max-seconds", "1e-9"], "time used up"),
        (["--max-steps", "7"], "step limit"),
        ([], "small step"),
        (["--stop-step", "0", "--learning-rate", "0.5"], "step limit"),
    ],
)
def test_options_choose_when_to_stop(run: Run, options: list[str], reason: str) -> None:
    done = run("run", "x**2", "--start", 1, "--learning-rate", 0.1, "--max-steps", 2000, *options, "--json")
    assert json.loads(done.out)["stopped"] == reason


@pytest.mark.parametrize("start", ["-1.5,2", "x=-1.5,y=2", "y=2,x=-1.5", " x = -1.5 , y = 2 "])
def test_starts_may_be_negative_and_named(run: Run, start: str) -> None:
    assert json.loads(run("run", "x**2 + y**2", "--start", start, "--json").out)["start"] == [-1.5, 2.0]


def test_perturbation_gradients_are_chosen_and_told(run: Run) -> None:
    # (f(1.5) - f(1)) / 0.5 = 2.5, by hand.
    done = run("run", "x**2", "--start", 1, "--gradient", "perturbation:0.5", "--max-steps", 1)
    assert rows(done.out)[1][3] == "2.5"
    assert "forward differences" in done.out


def test_pictures_films_and_trajectories_are_written(run: Run, tmp_path: Path) -> None:
    picture, film, saved = tmp_path / "a.png", tmp_path / "a.gif", tmp_path / "a.npz"
    done = run("run", "x**2", "--start", 1, "--max-steps", 9, "--plot", picture, "--animate", film, "--save", saved)
    assert done.code == 0
    with Image.open(picture) as image:
        assert min(image.size) > 200
    with Image.open(film) as frames:
        assert getattr(frames, "n_frames", 1) > 5
    assert fallline.Trajectory.load(saved).step_count == 9
    for path in (picture, film, saved):
        assert str(path) in done.out


def test_json_stands_alone_though_files_are_written(run: Run, tmp_path: Path) -> None:
    done = run("run", "x**2", "--start", 1, "--max-steps", 2, "--json", "--plot", tmp_path / "a.svg")
    assert json.loads(done.out)["steps"] == 2
    assert (tmp_path / "a.svg").exists()


RUN = ["run", "x**2", "--start", "1"]

# Arguments, and what the one line must name: the parameter, its value, what is allowed.
MISTAKES = [
    (["run", "", "--start", "1"], ["OBJECTIVE", "empty"]),
    (["run", "frobnicate(x)", "--start", "1"], ["frobnicate", "sin"]),
    (["run", "1/2x", "--start", "1"], ["1/(2*x) or (1/2)*x"]),
    (["run", "x**2"], ["--start"]),
    (["run"], ["OBJECTIVE"]),
    (["run", "x**2", "--start", "1,2"], ["--start", "2 numbers", "needs 1"]),
    (["run", "x**2 + y", "--start", "1"], ["--start", "1 number", "x, y"]),
    (["run", "x**2 + y", "--start", "x=1"], ["--start", "y"]),
    (["run", "x**2", "--start", "z=1"], ["--start", "'z'", "x"]),
    (["run", "x**2", "--start", "x=1,x=2"], ["--start", "twice"]),
    (["run", "x*y", "--start", "x=1,2"], ["--start", "'x=1,2'", "every coordinate"]),
    (["run", "x**2", "--start", "one"], ["--start", "'one'", "not a number"]),
    (["run", "x**2", "--start", ""], ["--start", "''"]),
    (["run", "x**2", "--start", "nan"], ["--start", "nan", "finite"]),
    (["run", "x**2", "--start", "inf"], ["--start", "inf", "finite"]),
    ([*RUN, "--optimizer", "adm"], ["'adm'", "did you mean 'adam'"]),
    ([*RUN, "--optimizer", "adam@torhc"], ["'torhc'", "tutorial"]),
    ([*RUN, "--learning-rate", "-1"], ["learning_rate", "-1", "above 0"]),
    ([*RUN, "--learning-rate", "0"], ["learning_rate", "0", "above 0"]),
    ([*RUN, "--learning-rate", "nan"], ["learning_rate", "nan", "above 0"]),
    ([*RUN, "--learning-rate", "fast"], ["--learning-rate", "'fast'", "not a number"]),
    ([*RUN, "--optimizer", "momentum", "--momentum", "1"], ["momentum", "1", "below 1"]),
    (
        [*RUN, "--momentum", "0.5"],
        ["momentum is not a hyperparameter of GradientDescent", "take the rule Momentum", "learning_rate"],
    ),
    ([*RUN, "--optimizer", "adam", "--set", "beta=1"], ["beta", "beta1"]),
    ([*RUN, "--optimizer", "adam", "--set", "beta1"], ["--set", "'beta1'", "NAME=VALUE"]),
    ([*RUN, "--optimizer", "adam", "--set", "beta1=x"], ["--set", "'beta1=x'", "at least 0 and below 1"]),
    ([*RUN, "--set", "nothing=x"], ["--set", "'nothing=x'", "a number"]),
    ([*RUN, "--set", "learning_rate=1", "--learning-rate", "1"], ["--set", "learning_rate", "once"]),
    ([*RUN, "--optimizer", "windowed_momentum", "--set", "window=1.5"], ["window", "1.5", "whole number"]),
    ([*RUN, "--learning-rate", "0", "--schedule", "step:0.9:4"], ["initial", "0", "above 0"]),
    ([*RUN, "--schedule", "stairs:1"], ["--schedule", "'stairs:1'", "step"]),
    ([*RUN, "--schedule", "step:a:b"], ["--schedule", "'step:a:b'", "step:FACTOR:EVERY"]),
    ([*RUN, "--optimizer", "adm", "--schedule", "step:0.9:4"], ["'adm'", "did you mean 'adam'"]),
    ([*RUN, "--gradient", "psychic"], ["--gradient", "'psychic'", "symbolic"]),
    ([*RUN, "--gradient", "perturbation:x"], ["--gradient", "'x'", "not a number"]),
    ([*RUN, "--gradient", "perturbation:-1"], ["--gradient: step is -1", "above 0"]),
    ([*RUN, "--gradient", "perturbation:0.1:foo"], ["--gradient: scheme is 'foo'", "forward", "complex"]),
    ([*RUN, "--max-steps", "0"], ["--max-steps", "0", "at least 1"]),
    ([*RUN, "--max-steps", "1.5"], ["--max-steps", "'1.5'", "whole number"]),
    ([*RUN, "--seed", "-1"], ["--seed", "-1", "at least 0"]),
    ([*RUN, "--every", "0"], ["--every", "0", "at least 1"]),
    ([*RUN, "--stop-step", "-1"], ["--stop-step", "-1", "at least 0"]),
    ([*RUN, "--stop-gradient", "nan"], ["--stop-gradient", "nan", "at least 0"]),
    ([*RUN, "--target", "inf"], ["--target", "inf", "a number"]),
    ([*RUN, "--max-seconds", "0"], ["--max-seconds", "0", "above 0"]),
    ([*RUN, "--max-evaluations", "0"], ["--max-evaluations", "0", "at least 1"]),
    ([*RUN, "--plot", ""], ["--plot", "''"]),
    ([*RUN, "--save", ""], ["--save", "''"]),
    ([*RUN, "--plot", "run.doc"], ["--plot", "run.doc", ".png"]),
    ([*RUN, "--plot", "missing/run.png"], ["--plot", "missing/run.png", "does not exist"]),
    ([*RUN, "--animate", "run.png"], ["--animate", "run.png", ".gif"]),
    ([*RUN, "--animate", "missing/run.gif"], ["--animate", "missing/run.gif", "does not exist"]),
    ([*RUN, "--save", "run.txt"], ["--save", "run.txt", ".npz"]),
    ([*RUN, "--save", "missing/run.npz"], ["--save", "missing/run.npz", "does not exist"]),
    ([*RUN, "--save", "folder.npz"], ["--save", "folder.npz", "a folder"]),
    ([*RUN, "--save", "/proc/run.npz"], ["--save", "/proc/run.npz", "cannot be written"]),
    ([*RUN, "--frobnicate"], ["--frobnicate", "fallline run --help"]),
    ([*RUN, "again"], ["again", "fallline run --help"]),
    ([*RUN, "-p", "a.png"], ["No such option: -p"]),
    (["rnu"], ["'rnu'", "'run'"]),
]


@pytest.mark.parametrize(("arguments", "named"), MISTAKES, ids=[" ".join(mistake[0][1:]) for mistake in MISTAKES])
def test_a_mistake_is_one_line_and_leaves_nothing_behind(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], named: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.npz").mkdir()
    done = run(*arguments)
    assert done.code == 2
    assert done.out == ""
    (line,) = done.err.splitlines()
    assert line.startswith("fallline: ")
    for text in named:
        assert text in line
    assert [path.name for path in tmp_path.iterdir()] == ["folder.npz"]


def test_files_are_checked_before_the_run(run: Run, tmp_path: Path) -> None:
    # A run of this length would take hours.
    forever = ["run", "x**2 + 1", "--start", "1", "--stop-step", "0", "--max-steps", "1000000000"]
    for option, name in (("--plot", "a.doc"), ("--animate", "a.txt"), ("--save", "missing/a.npz")):
        assert run(*forever, option, tmp_path / name).code == 2


def test_an_old_file_survives_a_mistake(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    path.write_text("precious")
    assert run("run", "x**2", "--start", "1,2", "--save", path).code == 2
    assert path.read_text() == "precious"


def test_an_engine_is_chosen_and_refused(run: Run, tmp_path: Path) -> None:
    for engine in ("reference", "compiled"):
        kept = tmp_path / f"{engine}.npz"
        assert run("run", "x**2", "--start", "3", "--engine", engine, "--save", str(kept)).code == 0
        assert fallline.Trajectory.load(kept).engine == engine
    refused = run("run", "x**2", "--start", "3", "--engine", "compild")
    assert refused.code == 2
    assert refused.err.startswith("fallline: --engine is 'compild'; did you mean 'compiled'?")
    assert run("compare", "x**2", "--start", "3", "--optimizers", "adam", "--engine", "compild").code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "-(x-1)**2", "--start", "2"],
        ["run", "--json", "--start", "-2", "-x**2"],
        ["run", "--start=-2", "-x**2", "--learning-rate", "0.1"],
        ["run", "--start", "2", "--", "-x**2"],
        ["compare", "-x**2", "--start", "2", "--optimizers", "adam"],
    ],
    ids=" ".join,
)
def test_a_formula_may_begin_with_a_minus(run: Run, arguments: list[str]) -> None:
    json_option = [] if "--json" in arguments else ["--json"]
    done = run(arguments[0], "--max-steps=1", *json_option, *arguments[1:])
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["objective"] == next(text for text in arguments if "**" in text)


def test_a_film_of_three_coordinates_is_one_of_their_plane(run: Run, tmp_path: Path) -> None:
    film = tmp_path / "a.html"
    done = run("run", "x**2+y**2+z**4", "--start", "1,2,3", "--max-steps", 9, "--animate", film)
    assert (done.code, done.err) == (0, "")
    assert "principal components" in film.read_text(encoding="utf-8")


@pytest.mark.parametrize("option", ["--plot", "--animate"])
@pytest.mark.parametrize(("formula", "start"), [("log(x)", "-1"), ("x**2", "1e200"), ("log(x+y)", "-1,-1")])
def test_a_picture_of_nothing_finite_is_refused_by_its_option(
    run: Run, tmp_path: Path, option: str, formula: str, start: str
) -> None:
    picture = tmp_path / "a.gif"
    done = run("run", formula, "--start", start, option, picture, "--json")
    assert done.code == 2
    assert json.loads(done.out)["stopped"] == "not finite"
    (line,) = done.err.splitlines()
    assert line.startswith(f"fallline: {option} is '{picture}', but there is nothing to draw: {formula} is nowhere")
    assert "bounds" not in line
    assert not picture.exists()


def test_a_diverged_run_is_no_mistake(run: Run) -> None:
    done = run(*DIVERGING)
    assert (done.code, done.err) == (0, "")
    assert "not a finite number" in done.out
    assert math.isclose(float(rows(done.out)[-2][1]), 10 * 2.0**500, rel_tol=1e-6)  # as printed


def test_a_line_search_and_settings_in_words_are_taken(run: Run) -> None:
    valley = ("run", "rosenbrock", "--start", "-1.2,1", "--json")
    searched = run(*valley, "--schedule", "strong_wolfe", "--max-steps", "5")
    assert json.loads(searched.out)["value"] < 24.2  # the start's
    conjugate = run(*valley, "--optimizer", "conjugate_gradient", "--set", "formula=hager_zhang")
    assert json.loads(conjugate.out)["value"] < 1e-20
    assert run(*valley, "--optimizer", "barzilai_borwein", "--set", "short=true", "--max-steps", "2").code == 0


def test_a_schedule_for_a_rule_that_searches_needs_a_rate(run: Run) -> None:
    done = run("run", "x**2", "--start", "1", "--optimizer", "lbfgs", "--schedule", "cosine:10")
    assert done.code == 2
    assert "lbfgs searches its rate along a line; give --learning-rate too" in done.err


def test_functions_of_a_file_run_and_compare(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "losses.py"
    file.write_text(
        "import numpy as np\n"
        "def vector(x): return np.sum((x - [1, 2]) ** 2)\n"
        "def number(x): return (x - 3) ** 2\n"
        "def failing(x): return undefined + x\n"
        "def bounded(x): return x**2 if x > 0.7 else 1 / 0\n"
    )
    half = ("--learning-rate", "0.25", "--max-steps", 1)
    # Gradient 2(x - c) and rate 0.25: each step halves the distance, exactly.
    assert rows(run("run", f"{file}:vector", "--start", "3,4", *half).out)[2][1:4] == ["2", "3", "2"]
    for start in ("5", "x=5"):
        assert rows(run("run", f"{file}:number", "--start", start, *half).out)[2][1:3] == ["4", "1"]
    compared = run("compare", f"{file}:vector", "--start", "3,4", "--optimizers", "adam,adagrad", *half)
    assert (compared.code, "vector" in compared.out) == (0, True)
    for command in (("run",), ("compare", "--optimizers", "adam")):
        failed = run(*command, f"{file}:failing", "--start", "1")
        assert (failed.code, failed.out, failed.err.count("\n")) == (2, "", 1)
        assert "losses.py failed in line 4: NameError: name 'undefined' is not defined" in failed.err
    for gradient in ("auto", "perturbation"):
        # Each step takes a fifth: 1, 0.8, 0.64.
        failed = run("run", f"{file}:bounded", "--start", "1", "--learning-rate", "0.1", "--gradient", gradient)
        assert (failed.code, failed.out, failed.err.count("\n")) == (2, "", 1)
        assert "losses.py failed in line 5: ZeroDivisionError: division by zero, bounded was called at" in failed.err
        assert "at step 2 of gradient_descent" in failed.err


def test_a_gradient_in_a_file_is_taken_by_every_command(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "slopes.py"
    # Twice the slope of x² + y², so that it shows whose it is.
    file.write_text(
        "def doubled(x, y): return 4 * x, 4 * y\ndef broken(x, y): return 1 / 0\ndef short(x, y): return 1.0\n"
    )
    given = ("--gradient", f"{file}:doubled", "--learning-rate", "0.125", "--max-steps", 1)
    # 1 - 4/8 and 2 - 8/8.
    done = run("run", "x**2 + y**2", "--start", "1,2", *given, "--json")
    assert json.loads(done.out)["x"] == [0.5, 1.0]
    assert json.loads(done.out)["gradient"] == "given"
    done = run("compare", "x**2 + y**2", "--start", "1,2", "--optimizers", "gradient_descent", *given, "--json")
    assert json.loads(done.out)["runs"][0]["x"] == [0.5, 1.0]
    swept = run(
        "sweep", "x**2 + y**2", "--start", "1,2", "--grid", "learning_rate=0.125", *given[:2], *given[4:], "--json"
    )
    assert json.loads(swept.out)["best"][0]["value"] == 1.25
    mapped = run("basins", "x**2 + y**2", "--box", "-1:1,-1:1", "--resolution", 2, *given[:4], "--json")
    assert json.loads(mapped.out)["minima"][0]["share"] == 1
    for name, said in (
        ("broken", "--gradient is '"),
        ("short", "gradient short returned 1.0; it must return 2 numbers"),
        ("absent", "has no function 'absent'"),
    ):
        failed = run("run", "x**2 + y**2", "--start", "1,2", "--gradient", f"{file}:{name}")
        assert (failed.code, failed.err.count("\n")) == (2, 1)
        assert said in failed.err
    assert (
        "slopes.py failed in line 2: ZeroDivisionError"
        in run("run", "x**2 + y**2", "--start", "1,2", "--gradient", f"{file}:broken").err
    )


def test_json_says_whether_a_run_converged(run: Run, tmp_path: Path) -> None:
    for rate, steps, converged in ((0.5, 100, True), (0.001, 3, False), (3.0, 100, False)):
        options = ("--learning-rate", rate, "--max-steps", steps, "--json")
        done = run("run", "x**2", "--start", 1, *options)
        assert json.loads(done.out)["converged"] is converged
        done = run("compare", "x**2", "--start", 1, "--optimizers", "gradient_descent", *options)
        assert [each["converged"] for each in json.loads(done.out)["runs"]] == [converged]
    table = tmp_path / "line.csv"
    table.write_text("x,z,y\n0,0,1\n1,2,3\n2,3,5\n7,5,1\n4,4,2\n")
    for epochs, converged in ((500, True), (2, False)):
        done = run("fit", table, "--target", "y", "--model", "linear", "--epochs", epochs, "--json")
        assert json.loads(done.out)["converged"] is converged


def test_random_values_are_one_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "noisy.py"
    file.write_text("import random\ndef noisy(x): return x**2 + random.random()\n")
    failed = run("run", f"{file}:noisy", "--start", 1)
    assert (failed.code, failed.out, failed.err.count("\n")) == (2, "", 1)
    assert "at the same point" in failed.err
    fitted = run("run", f"{file}:noisy", "--start", 1, "--gradient", "perturbation:noise:central", "--max-steps", 3)
    assert fitted.code == 0
    assert "central differences, with steps fitted to noise of" in fitted.out


FUNCTIONS = """
import numpy as np
def named(w, *, a): return a * (w @ w)
def both(x, y): return 2 * x
def fit(w, X, y): return np.mean((X @ w - y) ** 2)
def count(x): return int(x * x)
def turned(x, y): return 1j * x + y
"""


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "run FILE:named --start 1,2",
            "OBJECTIVE is named, which must be given a by name; bind it: functools.partial(",
        ),
        ("run FILE:fit --start 1,2,3", "fit was given one number for each of w, X, y, and failed: "),
        ("run FILE:count --start 3", "OBJECTIVE count gives whole numbers also where x is none, such as "),
        ("check FILE:count --at 3", "OBJECTIVE count gives whole numbers also where x is none, such as "),
        ("check FILE:turned --at 1,1", "objective turned returned 1+1j, a complex number, at [1.0, 1.0]; "),
        (
            "run x**2 --start 1 --gradient FILE:both",
            "--gradient is both, a function of x, y; it must take one argument",
        ),
        ("check x**2 --at 1 --gradient FILE:both", "--gradient is both, a function of x, y; it must take one argument"),
        ("run x**2 --start 1 --gradient FILE:named", "--gradient is named, which must be given a by name; "),
        ("run x**2 --start 1 --gradient FILE", "--gradient is 'FILE'; name the function in it, as FILE.py:NAME"),
        ("run x**2 --start 1 --gradient autodif", "--gradient is 'autodif'; did you mean 'autodiff'? Allowed: auto"),
        ("run FILE --start 1", "OBJECTIVE is 'FILE'; name the function in it, as FILE.py:NAME"),
        ("basins FILE --box x=0,1", "OBJECTIVE is 'FILE'; name the function in it, as FILE.py:NAME"),
    ],
)
def test_a_mistake_in_a_function_of_a_file_is_one_line(run: Run, tmp_path: Path, typed: str, said: str) -> None:
    file = tmp_path / "functions.py"
    file.write_text(FUNCTIONS)
    done = run(*typed.replace("FILE", str(file)).split())
    assert done.code == 2
    assert done.err.startswith(f"fallline: {said}".replace("'FILE'", f"'{file}'"))
    assert done.err.count("\n") == 1
