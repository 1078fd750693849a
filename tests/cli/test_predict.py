"""`fallline predict`: the answers of a saved model."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from tests.cli.outcome import Run

from fallline.examples import challenger
from fallline.fitting.fitted import FittedModel


def test_a_network_reads_digits_and_predicts_them(run: Run, tmp_path: Path) -> None:
    images, labels = load_digits(return_X_y=True)
    frame = pd.DataFrame(images.astype(int)).add_prefix("pixel").assign(digit=labels)
    data, model, out = tmp_path / "digits.csv", tmp_path / "digits.json", tmp_path / "out.csv"
    frame.to_csv(data, index=False)
    network = ["--model", "network", "--hidden", "64", "--activation", "relu", "--constant", "drop"]
    descent = ["--optimizer", "adam", "--batch-size", "32", "--epochs", "25", "--holdout", "0.2"]
    done = run("fit", data, "--target", "digit", *network, *descent, "--save", model)
    assert (done.code, done.err) == (0, "")
    (line,) = (line for line in done.out.splitlines() if line.startswith("accuracy: "))
    assert float(line.split()[1]) > 0.96
    assert "left out, because they are constant: pixel0, pixel32, pixel39" in done.out
    assert run("predict", model, data, "--out", out).code == 0
    answers = pd.read_csv(out)
    assert (answers["prediction"] == labels).mean() > 0.97
    # Printed with all digits.
    np.testing.assert_array_equal(answers.drop(columns="prediction"), FittedModel.load(model).predict(frame))


@pytest.fixture
def model(run: Run, tmp_path: Path) -> Path:
    path = tmp_path / "model.json"
    assert run("fit", challenger(), "--target", "distress", "--save", path).code == 0
    return path


def test_the_answers_are_printed_as_csv(run: Run, model: Path, tmp_path: Path) -> None:
    data = tmp_path / "new.csv"
    data.write_text("day,temperature_F\nmonday,31\ntuesday,81\n")
    done = run("predict", model, data)
    assert (done.code, done.err) == (0, "")
    cold, warm = csv.DictReader(done.out.splitlines())
    # Dalal, Fowlkes and Hoadley (1989) print 15.0429 and -0.2322: at 31 °F distress is all but certain.
    assert (cold["prediction"], warm["prediction"]) == ("1", "0")
    assert float(cold["P(1)"]) == pytest.approx(1 / (1 + np.exp(0.2322 * 31 - 15.0429)), abs=1e-5)
    assert float(warm["P(0)"]) + float(warm["P(1)"]) == 1


def test_parquet_in_and_out(run: Run, model: Path, tmp_path: Path) -> None:
    data, out = tmp_path / "new.parquet", tmp_path / "out.parquet"
    pd.DataFrame({"temperature_F": np.linspace(30, 80, 11)}).to_parquet(data, row_group_size=4)
    assert run("predict", model, data, "--out", out).code == 0
    answers = pd.read_parquet(out)
    assert list(answers) == ["prediction", "P(0)", "P(1)"]
    assert (np.diff(answers["P(1)"]) < 0).all()
    assert answers["prediction"].tolist() == ["1" if p > 0.5 else "0" for p in answers["P(1)"]]


def test_numbers_margins_and_gaps(run: Run, tmp_path: Path) -> None:
    data, model = tmp_path / "data.csv", tmp_path / "model.json"
    data.write_text("x,y\n1,1\n2,2\n,5\n4,4\n5,6\n")
    assert run("fit", data, "--target", "y", "--model", "linear", "--missing", "drop", "--save", model).code == 0
    lines = run("predict", model, data).out.splitlines()
    assert lines[0] == "prediction"
    assert lines[3] == '""'
    # y = 1.2 x - 0.35 is the line of least squares through (1, 1), (2, 2), (4, 4), (5, 6).
    assert [float(line) for line in lines[1:3]] == pytest.approx([0.85, 2.05], rel=1e-9)
    data.write_text("x,y\n1,a\n2,b\n3,a\n4,b\n")
    assert run("fit", data, "--target", "y", "--model", "hinge", "--max-steps", "20", "--save", model).code == 0
    head, *rows = run("predict", model, data).out.splitlines()
    assert head == "prediction,margin"
    assert all((row[0] == "b") == (float(row[2:]) > 0) for row in rows)


def test_the_marks_of_missing_entries_are_those_of_the_fit(run: Run, tmp_path: Path) -> None:
    data, model = tmp_path / "data.csv", tmp_path / "model.json"
    data.write_text("x,y\n1,1\n-999,3\n2,2\n4,4\n5,6\n")
    options = ["--target", "y", "--model", "linear", "--na", "-999", "--missing", "mean", "--save", model]
    assert run("fit", data, *options).code == 0
    # The mean of 1, 2, 4 and 5 is 3; with it the line of least squares is y = 1.2 x - 0.4.
    predicted = run("predict", model, data).out.split()[1:]
    assert [float(number) for number in predicted] == pytest.approx([0.8, 3.2, 2, 4.4, 5.6], rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["absent.json", "new.csv"], ["MODEL is 'absent.json'", "No such file"]),
        (["new.csv", "new.csv"], ["MODEL is 'new.csv'", "damaged"]),
        (["model.json", "absent.csv"], ["DATA is 'absent.csv'", "No such file"]),
        (["model.json", "new.csv", "--out", "out.txt"], ["--out is 'out.txt'", ".csv or .parquet"]),
        (["model.json", "new.csv", "--out", "no/out.csv"], ["--out is 'no/out.csv'", "does not exist"]),
        (["model.json", "new.csv", "--out", "out.csv"], ["new.csv, row 2", "'temperature_F'", "'warm'"]),
        (["model.json", "other.csv"], ["--features is 'temperature_F'", "other.csv", "did you mean 'temperature'"]),
        (["model.json", "empty.csv"], ["empty.csv", "no rows"]),
    ],
)
@pytest.mark.usefixtures("model")
def test_a_mistake_is_one_line_and_leaves_nothing_behind(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], named: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("new.csv").write_text("temperature_F\n31\nwarm\n")
    Path("other.csv").write_text("temperature\n31\n")
    Path("empty.csv").write_text("temperature_F\n")
    done = run("predict", *arguments)
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    for text in named:
        assert text in line
    assert {path.name for path in tmp_path.iterdir()} == {"model.json", "new.csv", "other.csv", "empty.csv"}
