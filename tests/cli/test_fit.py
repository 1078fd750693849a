"""`fallline fit`: a model fitted to a file, reported in the file's own units."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.outcome import Run

import fallline
from fallline.examples import challenger

FIT = ["fit", str(challenger()), "--target", "distress"]


def test_the_published_fit_is_reached_without_scaling_anything(run: Run) -> None:
    done = run(*FIT, "--json")
    told = json.loads(done.out)
    # Dalal, Fowlkes and Hoadley (1989), as printed: four decimals.
    assert round(told["parameters"]["intercept"], 4) == 15.0429
    assert round(told["parameters"]["temperature_F"], 4) == -0.2322
    assert told["stopped"] == "small gradient"
    assert told["target"] == "distress"


def test_the_table_says_what_was_fitted_and_how(run: Run, tmp_path: Path) -> None:
    saved, picture = tmp_path / "fit.npz", tmp_path / "fit.png"
    done = run(*FIT, "--features", "temperature_F", "--save", saved, "--plot", picture)
    assert (done.code, done.err) == (0, "")
    assert "15.0429" in done.out
    assert "-0.2321" in done.out
    assert "distress from temperature_F" in done.out
    assert "nesterov" in done.out
    assert str(saved) in done.out
    assert fallline.Trajectory.load(saved).stop.converged
    assert picture.stat().st_size > 1000


def test_the_rule_can_be_chosen_with_its_settings(run: Run) -> None:
    options = ["--optimizer", "adam", "--learning-rate", "0.05", "--set", "beta1=0.8", "--max-steps", "7"]
    told = json.loads(run(*FIT, *options, "--json").out)
    assert told["optimizer"] == fallline.Adam(0.05, beta1=0.8).label
    assert told["steps"] == 7
    assert told["stopped"] == "step limit"


def test_a_rule_by_name_alone_gets_a_rate_that_converges(run: Run) -> None:
    told = json.loads(run(*FIT, "--optimizer", "gradient_descent", "--json").out)
    assert round(told["parameters"]["intercept"], 4) == 15.0429


def test_a_start_in_the_files_own_units_is_where_the_run_starts(run: Run) -> None:
    # The published fit, rounded as printed: its loss is the smallest there is to the digits kept.
    told = json.loads(run(*FIT, "--start", "-0.2322,15.0429", "--max-steps", "1", "--json").out)
    assert abs(told["parameters"]["intercept"] - 15.0429) < 1e-2  # one step from a place with almost no slope


def test_a_two_valued_text_target_says_how_it_was_read(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "exam.csv"
    path.write_text("hours,passed\n1,no\n2,no\n3,yes\n4,no\n5,yes\n6,yes\n")
    done = run("fit", path, "--target", "passed")
    assert "no is 0, yes is 1" in done.out


def test_batches_are_shuffled_by_the_seed(run: Run) -> None:
    options = ["--batch-size", "5", "--max-steps", "20", "--json"]
    first, again, other = (run(*FIT, *options, "--seed", seed).out for seed in (1, 1, 2))
    assert first == again
    assert json.loads(first)["parameters"] != json.loads(other)["parameters"]


@pytest.mark.parametrize(
    ("content", "arguments", "named"),
    [
        (None, [], ["DATA", "data.csv", "No such file"]),
        ("", [], ["DATA", "data.csv", "empty"]),
        ("x,y\n", [], ["data.csv", "no rows"]),
        ("x,y\n1,0\n2,1,3\n", [], ["data.csv", "row 2", "3 values"]),
        ("x,y\n1,0\nwarm,1\n", [], ["row 2", "'x'", "'warm'"]),
        ("x,y\n1,0\n,1\n", [], ["row 2", "'x'", "missing"]),
        ("x,y\n1,0\nnan,1\n", [], ["row 2", "'x'"]),
        ("x,y\n1,0\ninf,1\n", [], ["row 2", "'x'", "inf"]),
        ("x,y\n1,0\n2,0\n", [], ["'y'", "1 different"]),
        ("x,y\n1,0\n2,1\n", ["--target", "yy"], ["--target", "'yy'", "'y'"]),
        ("x,y\n1,0\n2,1\n", ["--features", "z"], ["--features", "'z'", "x"]),
        ("x,y\n1,0\n2,1\n", ["--model", "tree"], ["--model", "'tree'", "logistic"]),
        ("x,y\n1,0\n2,1\n", ["--reduction", "product"], ["--reduction is 'product'", "mean"]),
        ("x,y\n1,0\n2,3\n", ["--model", "sigmoid"], ["row 2", "'y'", "3", "0 and 1"]),
        ("x,y\n1,0\n2,1\n", ["--batch-size", "3"], ["--batch-size is 3", "1 to 2"]),
        ("x,y\n1,0\n2,1\n", ["--batch-size", "0"], ["--batch-size is 0", "1 to 2"]),
        ("x,y\n1,0\n2,1\n", ["--batch-size", "1", "--batch-order", "foo"], ["--batch-order is 'foo'", "shuffled"]),
        ("x,y\n1,0\n2,1\n", ["--batch-size", "1", "--batch-remainder", "foo"], ["--batch-remainder is 'foo'", "keep"]),
        ("x,y\n1,0\n2,1\n", ["--batch-size", "x"], ["--batch-size", "'x'", "whole number"]),
        ("x,y\n1,0\n2,1\n", ["--learning-rate", "0.1"], ["--optimizer"]),
        ("x,y\n1,0\n2,1\n", ["--optimizer", "adam", "--learning-rate", "0"], ["learning_rate", "0", "above 0"]),
        ("x,y\n1,0\n2,1\n", ["--start", "1"], ["--start", "2 numbers"]),
        ("x,y\n1,0\n2,1\n", ["--start", "x=1,intercept=2"], ["--start", "in the order"]),
        ("x,y\n1,0\n2,1\n", ["--stop-gradient", "-1"], ["--stop-gradient", "-1", "at least 0"]),
        ("x,y\n1,0\n2,1\n", ["--max-steps", "0"], ["--max-steps", "0", "at least 1"]),
        ("x,y\n1,0\n2,1\n", ["--save", "fit.csv"], ["--save", "fit.csv", ".npz"]),
        ("x,y\n1,0\n2,1\n", ["--plot", "missing/fit.png"], ["--plot", "missing/fit.png", "does not exist"]),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing_behind(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str | None,
    arguments: list[str],
    named: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("data.csv").write_text(content)
    done = run("fit", "data.csv", "--target", "y", *arguments)
    assert done.code == 2
    assert done.out == ""
    (line,) = done.err.splitlines()
    assert line.startswith("fallline: ")
    for text in named:
        assert text in line
    assert [path.name for path in tmp_path.iterdir()] == ([] if content is None else ["data.csv"])
