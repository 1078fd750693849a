"""`fallline fit`: a model fitted to a file, reported in the file's own units."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.cli.outcome import Run

import fallline
from fallline.examples import challenger
from fallline.fitting.fit import fit
from fallline.fitting.fitted import setting_names
from fallline.models import MODELS

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
        ("x,y\n1,0\n2,1\n", ["--save", "fit.csv"], ["--save", "fit.csv", ".json", ".npz"]),
        ("x,y\n1,0\n2,1\n", ["--save", "no/fit.json"], ["--save", "'no'", "does not exist"]),
        ("x,x,y\n1,2,0\n2,3,1\n", [], ["data.csv", "columns 1 and 2", "'x'"]),
        ("x,y\n1,0\n2,\n", [], ["row 2", "'y'", "missing", "--missing drop"]),
        ("x,y\n1,0\n,1\n", ["--missing", "ignore"], ["--missing is 'ignore'", "refuse, drop, mean"]),
        ("x,y\n1,0\n1,1\n", [], ["feature 'x' is 1 in every row", "--constant drop"]),
        ("x,y\nred,0\nblue,1\n", [], ["row 1 (line 2)", "'red'", "--categories one-hot"]),
        ("x,y\nred,0\nblue,1\n", ["--categories", "z"], ["--categories is 'z'", "x, y"]),
        ("x,y\n1,0\n2,1\n3,2\n", [], ["--target is 'y'", "3 different values", "--model softmax"]),
        ("x,y\n1,0\n2,0\n", ["--model", "softmax"], ["--target is 'y'", "1 different", "two at least"]),
        ("x,y\n1,low\n2,high\n", ["--model", "linear"], ["row 1", "'y'", "'low'", "not a number"]),
        ("x,y\n1,1\n2,-2\n", ["--model", "poisson"], ["row 2", "'y'", "-2", "not negative"]),
        ("x,y\n1,0\n2,1\n", ["--hidden", "3"], ["--hidden is (3,)", "'logistic'", "'network'"]),
        ("x,y\n1,0\n2,1\n", ["--model", "network", "--hidden", "a"], ["--hidden", "'a'", "whole number"]),
        ("x,y\n1,0\n2,1\n", ["--model", "network", "--activation", "rel"], ["--activation is 'rel'", "'relu'"]),
        ("x,y\n1,0\n2,1\n", ["--model", "huber", "--delta", "0"], ["delta", "0", "above 0"]),
        ("x,y\n1,0\n2,1\n", ["--model", "ridge"], ["--l2 is 0", "'ridge'", "above 0"]),
        ("x,y\n1,0\n2,1\n", ["--model", "lasso"], ["--l1 is 0.0", "'lasso'", "above 0"]),
        ("x,y\n1,0\n2,1\n", ["--l1", "-1"], ["--l1 is -1", "at least 0"]),
        ("x,y\n1,0\n2,1\n", ["--l1", "1", "--optimizer", "adam"], ["--optimizer is adam", "fista, proximal"]),
        ("x,y\n1,0\n2,1\n", ["--holdout", "1.5"], ["--holdout is 1.5", "below 1"]),
        ("x,y\n1,0\n2,1\n", ["--holdout", "0.1"], ["--holdout is 0.1", "no row"]),
        ("x,y\n1,0\n2,1\n", ["--epochs", "2", "--max-steps", "2"], ["--epochs is 2", "give one of the two"]),
        ("x,y\n1,0\n2,1\n", ["--epochs", "0"], ["--epochs is 0", "at least 1"]),
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


def files(folder: Path, kind: str) -> None:
    """A folder whose files are wrong in one way."""
    folder.mkdir()
    if kind == "bytes that are not UTF-8":
        (folder / "a.csv").write_bytes("x,y\n1,ä\n".encode("latin-1"))
    elif kind == "other columns":
        (folder / "a.csv").write_text("x,y\n1,0\n2,1\n")
        (folder / "b.csv").write_text("y,z\n1,0\n2,1\n")
    elif kind == "no Parquet":
        (folder / "a.parquet").write_text("x,y\n1,0\n2,1\n")
    elif kind == "nested":
        pd.DataFrame({"x": [[1], [2]], "y": [0, 1]}).to_parquet(folder / "a.parquet")
    elif kind == "text late":
        (folder / "a.csv").write_text("x,y\n1,0\n2,1\n")
        pd.DataFrame({"x": ["3", "four"], "y": [0, 1]}).to_parquet(folder / "b.parquet")


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("bytes that are not UTF-8", ["DATA is", "a.csv", "not UTF-8 text"]),
        ("other columns", ["b.csv lacks the column 'x', which a.csv has"]),
        ("no Parquet", ["DATA is", "a.parquet", "cannot be read as a Parquet file"]),
        ("nested", ["a.parquet, column 'x'", "list<", "not single values"]),
        ("no files", ["DATA is", "a folder without data files", ".csv, .parquet, .pq"]),
        ("text late", ["b.parquet, row 2, column 'x': the value is 'four', which is not a number"]),
    ],
)
def test_bad_files_are_told_apart(run: Run, tmp_path: Path, kind: str, named: list[str]) -> None:
    files(tmp_path / "folder", kind)
    done = run("fit", tmp_path / "folder", "--target", "y")
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    for text in named:
        assert text in line
    with pytest.raises(fallline.FalllineError) as caught:
        fit(tmp_path / "folder", "y")
    assert all(text.removeprefix("DATA ") in str(caught.value) for text in named)


def test_every_setting_of_every_model_is_an_option(run: Run) -> None:
    told = run("fit", "--help").out
    for model in MODELS.values():
        for name in setting_names(model):
            assert f"--{name} " in told


def test_categories_gaps_and_rows_held_out_are_told_of(run: Run, tmp_path: Path) -> None:
    path, picture = tmp_path / "data.csv", tmp_path / "curve.svg"
    random = np.random.default_rng(0)
    rows = (f"{x:.3f},{'red' if i % 3 else 'blue'},{2 * x + i % 3:.3f}" for i, x in enumerate(random.normal(size=60)))
    path.write_text("x,colour,y\n" + "\n".join(rows) + "\n,red,1\n")
    asked = ["--categories", "one-hot", "--missing", "drop", "--holdout", "0.2", "--model", "linear", "--plot", picture]
    done = run("fit", path, "--target", "y", *asked)
    assert (done.code, done.err) == (0, "")
    for text in (
        "colour=red",
        "its category 'blue' is the baseline",
        "1 of 61 rows are left out, because an entry is missing",
        "loss held out",
        "R²: 0.",
        "rows held out",
    ):
        assert text in done.out
    assert "rows held out" in picture.read_text()
    told = json.loads(run("fit", path, "--target", "y", *asked[:-2], "--json").out)
    assert told["rows"] + told["rows_held_out"] == 60
    assert 0 < told["R²"] <= 1
    assert len(told["curve"]["steps"]) == len(told["curve"]["held_out"])


def test_the_same_command_goes_on_from_its_checkpoint(run: Run, tmp_path: Path) -> None:
    options = ["--optimizer", "adam", "--batch-size", "5", "--epochs", "20", "--json"]
    first, again = (run(*FIT, *options, "--checkpoint", tmp_path / "run.checkpoint").out for _ in range(2))
    assert first == again == run(*FIT, *options).out
    other = run(*FIT, *options, "--checkpoint", tmp_path / "run.checkpoint", "--seed", "1")
    assert other.code == 2
    assert "--checkpoint" in other.err


def frames_of(path: Path) -> int:
    with Image.open(path) as film:
        return int(getattr(film, "n_frames", 1))


def test_a_fit_is_filmed(run: Run, tmp_path: Path) -> None:
    film, page = tmp_path / "fit.gif", tmp_path / "fit.html"
    done = run(*FIT, "--features", "temperature_F", "--animate", film, "--frames", "3", "--size", "320x240")
    assert (done.code, done.err) == (0, "")
    assert f"written: {film}" in done.out
    assert frames_of(film) == 3
    assert run(*FIT, "--features", "temperature_F", "--animate", page).code == 0
    assert "loss" in page.read_text(encoding="utf-8")


def test_a_fit_of_many_parameters_is_filmed_in_a_plane_or_on_two_of_them(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    random = np.random.default_rng(0)
    rows = random.normal(size=(30, 3))
    data.write_text("a,b,c,y\n" + "\n".join(f"{a},{b},{c},{a - b + 2 * c}" for a, b, c in rows) + "\n")
    linear = ("fit", data, "--target", "y", "--model", "linear", "--optimizer", "momentum", "--epochs", "20")
    for asked, axis in (((), "PC 1 "), (("--coordinates", "w_a,b", "--film", "contour"), "w_a")):
        page = tmp_path / "film.html"
        done = run(*linear, "--animate", page, "--frames", "2", *asked)
        assert (done.code, done.err) == (0, ""), done.err
        assert f'"names":["{axis}' in page.read_text(encoding="utf-8")
    # The kind is looked at before the data are; whether it suits these parameters, before the descent.
    for wrong, words in (
        (("--film", "curve"), "--film is 'curve', but there are 4 coordinates; points on a curve need one"),
        (("--coordinates", "w_a,w_d"), "--coordinates is 'w_a,w_d'; did you mean 'w_"),
    ):
        run_file = tmp_path / "run.npz"
        done = run(*linear, "--animate", page, "--save", run_file, *wrong)
        assert (done.code, done.out, run_file.exists()) == (2, "", False)
        assert done.err.startswith(f"fallline: {words}")
        assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--frames", "5"], "--frames is 5, but no film is asked for; give --animate FILE, too"),
        (["--animate", "fit.mov"], "--animate is 'fit.mov', which ends in '.mov'"),
        (["--animate", "fit.gif", "--turn", "60"], "--turn is 60.0, but a contour is flat"),
        (["--animate", "fit.gif", "--stream"], "--animate is 'fit.gif', but the data are read anew in every pass"),
        (["--animate", "fit.png", "--plot", "fit.png"], "--animate is 'fit.png', which ends in '.png'"),
    ],
)
def test_what_cannot_be_filmed_is_said_before_any_work(run: Run, options: list[str], words: str) -> None:
    done = run("fit", "missing.csv", "--target", "y", *options)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert done.err.count("\n") == 1


def test_no_film_of_data_that_are_streamed_is_told_before_the_descent(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if these few rows were too many to keep.
    monkeypatch.setattr(sys.modules["fallline.fitting.fit"], "STREAMED_ABOVE", 0)
    film, kept = tmp_path / "fit.gif", tmp_path / "fit.json"
    done = run(*FIT, "--features", "temperature_F", "--animate", film, "--save", kept)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"fallline: --animate is '{film}', but the data are read anew in every pass")
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
    # Kept on request, they are filmed.
    done = run(*FIT, "--features", "temperature_F", "--no-stream", "--animate", film, "--frames", "2", "--save", kept)
    assert (done.code, done.err) == (0, "")
    assert sorted(tmp_path.iterdir()) == [film, kept]


def test_rows_and_classes_are_weighed(run: Run, tmp_path: Path) -> None:
    frame = pd.read_csv(challenger())
    frame["times"] = np.arange(len(frame)) % 3
    frame.to_csv(tmp_path / "data.csv", index=False)
    options = ["--target", "distress", "--sample-weight", "times", "--json"]
    for text, given in (("balanced", "balanced"), ("0=1,1=4", {0: 1, 1: 4})):
        told = json.loads(run("fit", tmp_path / "data.csv", *options, "--class-weight", text).out)
        python = fit(frame, "distress", sample_weight="times", class_weight=given)  # type: ignore[arg-type]
        assert told["parameters"] == pytest.approx(python.parameters, rel=1e-9)
    done = run("fit", tmp_path / "data.csv", "--target", "distress", "--class-weight", "0=1,x")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "fallline: --class-weight is '0=1,x', where 'x' gives no number; write balanced, or no=1,yes=10\n"
    )
    done = run("fit", tmp_path / "data.csv", "--target", "distress", "--sample-weight", "time")
    assert "--sample-weight is 'time', which is not a column of data.csv; did you mean 'times'?" in done.err


def test_a_csv_file_is_read_as_it_is_written(run: Run, tmp_path: Path) -> None:
    path, model = tmp_path / "data.csv", tmp_path / "model.json"
    path.write_bytes("1,5;10;Köln\n2,5;12,5;Ulm\n3,25;x;Rom\n".encode("latin-1"))
    options = ["--target", "x2", "--features", "x1", "--model", "linear"]
    done = run("fit", path, *options, "--no-header")
    assert done.code == 2
    assert "not UTF-8 text; a CSV file is needed; an older one may need --encoding latin-1" in done.err
    done = run("fit", path, *options, "--encoding", "latin-1")
    assert "the first line holds '1,5'" in done.err
    assert "say which: --no-header names them x1, x2, ..., or --header" in done.err
    reading = ["--encoding", "latin-1", "--no-header", "--na", "x,-"]
    done = run("fit", path, *options, *reading, "--missing", "drop", "--save", model)
    assert done.code == 0
    assert "CSV read as: columns separated by ';', numbers with a decimal comma" in done.out
    predicted = run("predict", model, path, *reading, "--separator", ";", "--decimal", ",").out.split()
    assert [float(number) for number in predicted[1:]] == pytest.approx([10, 12.5, 12.5 + 0.75 * 2.5], rel=1e-6)
    done = run("fit", path, *options, "--encoding", "latin-1", "--separator", "ab")
    assert done.err == "fallline: --separator is 'ab'; it must be one character, such as ';', or 'tab'\n"
