from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest
from PIL import Image
from tests.cli.outcome import Run

BOWL = ("x**2/2", "--start", "1", "--target", "1e-6")
GRID = ("--grid", "learning_rate=0.5,1,2.5")


def test_tables_pictures_and_files(run: Run, tmp_path: Path) -> None:
    picture, store, table = tmp_path / "heat.png", tmp_path / "runs.db", tmp_path / "runs.csv"
    outcome = run("sweep", *BOWL, *GRID, "--plot", picture, "--store", store, "--csv", table)
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0] == "Sweep of 3 runs, the best settings first"
    assert lines[2:4] == ["runs       3, each of at most 1000 steps", "target     1e-06"]
    assert [line.split()[:2] for line in lines[4:6]] == [["converged", "2:"], ["diverged", "1:"]]
    best = lines[lines.index("") + 2]
    assert best.split() == ["1", "100", "%", "1", "0"]
    assert lines[-1] == f"written: {picture}, {table}, {store}"
    assert len(table.read_text().splitlines()) == 4
    with Image.open(picture) as image:
        assert image.size[0] > 400
    assert run("sweep", *BOWL, *GRID, "--store", store).out.splitlines()[:12] == lines[:12]


def test_json_and_ranges(run: Run) -> None:
    grid = ("--grid", "learning_rate=0.001:0.1:3:log", "--grid", "momentum=0:0.5:3", "--grid", "convention=paper,torch")
    arguments = ("--optimizer", "momentum", "--start", "1,2", "--start", "x=0,y=1", "--seed", "1", "--seed", "2")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        done = run("sweep", "booth", *arguments, *grid, "--json")
    assert done.err.startswith("warning: seeds make no difference to momentum on ")
    assert len(done.err.splitlines()) == 1
    data = json.loads(done.out)
    assert data["factors"] == {
        "optimizer": ["momentum"],
        "learning_rate": [0.001, 0.01, 0.1],
        "momentum": [0.0, 0.25, 0.5],
        "convention": ["paper", "torch"],
        "start": [[1.0, 2.0], [0.0, 1.0]],
        "seed": [1, 2],
    }
    assert sum(data["outcomes"].values()) == 72
    assert data["complete"]
    assert set(data["best"][0]) == {
        "optimizer", "learning_rate", "momentum", "convention", "converged", "steps", "value",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--grid", "learning_rate"), "--grid is 'learning_rate'; write NAME=0,0.5,0.9"),
        (("--grid", "learning_rate=1:2"), "--grid is 'learning_rate=1:2'; write NAME=LOW:HIGH:COUNT"),
        (("--grid", "learning_rate=1:2:x"), "write NAME=LOW:HIGH:COUNT"),
        (("--grid", "learning_rate=1:2:1"), "with a COUNT of 2 or more"),
        (("--grid", "learning_rate=1:2:3:lin"), "write NAME=LOW:HIGH:COUNT"),
        (("--grid", "learning_rate=0:2:3:log"), "both ends must be above 0"),
        ((*GRID, *GRID), "--grid gives learning_rate twice"),
        (("--grid", "lr=1"), "lr is no hyperparameter of gradient_descent"),
        (("--grid", "learning_rate=a"), "learning_rate is 'a'; it must be a number above 0"),
        ((*GRID, "--seed", "-1"), "--seed is -1; it must be a whole number at least 0"),
        ((*GRID, "--seed", "a"), "'a' is not a whole number"),
        ((*GRID, "--optimizer", "adm"), "did you mean 'adam'"),
        ((*GRID, "--store", "none/runs.db"), "--store is 'none/runs.db', but the folder 'none' does not exist"),
        ((*GRID, "--csv", "none/runs.csv"), "--csv is 'none/runs.csv', but the folder 'none' does not exist"),
    ],
)
def test_mistakes_are_told_in_one_line(run: Run, arguments: tuple[str, ...], message: str) -> None:
    outcome = run("sweep", *BOWL, *arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1
