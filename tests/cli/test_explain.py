"""`fallline explain`."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.cli.outcome import Run

import fallline


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "run.npz"
    fallline.minimize("x**2", 3.0, fallline.Momentum(0.1, momentum=0.5), max_steps=4).save(path)
    return path


def test_a_step_of_a_saved_run_is_explained(run: Run, saved: Path) -> None:
    done = run("explain", saved, "--step", 2)
    assert done.code == 0
    assert "= 4.8*0.1 + 0.5*0.6\n" in done.out
    assert done.out.endswith("= 1.62\n")


def test_latex_mathml_and_json_are_printed_instead(run: Run, saved: Path) -> None:
    assert r"\eta g_{t} + \gamma" in run("explain", saved, "--step", 2, "--latex").out
    ElementTree.fromstring(run("explain", saved, "--step", 2, "--mathml").out)
    data = json.loads(run("explain", saved, "--step", 2, "--json").out)
    assert data["quantities"]["velocity"]["formula"] == "g*rate + momentum*velocity_old"
    assert data["x_old"][0] - data["change"][0] == data["x"][0]


def test_a_run_of_several_is_named(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "race.npz"
    fallline.compare("x**2", 3.0, ["adam", "lion"], max_steps=4).save(path)
    assert run("explain", path, "--step", 3).out.startswith("Step 3 of adam")
    assert run("explain", path, "--step", 3, "--run", "lion").out.startswith("Step 3 of lion")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--step", "9"], "--step is 9; the steps of this run are 1 to 4"),
        (["--step", "1", "--most", "0"], "--most is 0; it must be a whole number at least 1"),
        (["--step", "1", "--latex", "--json"], "--latex, --mathml and --json exclude each other"),
        ([], "Missing option '--step'"),
        (["--step", "1", "--run", "adam"], "--run is 'adam'; the file holds one run only"),
    ],
)
def test_mistakes_are_told_in_one_line(run: Run, saved: Path, options: list[str], told: str) -> None:
    done = run("explain", saved, *options)
    assert done.code == 2
    assert told in done.err
    assert done.err.count("\n") == 1


def test_other_files_are_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.npz").write_text("no run")
    for name in ("notes.npz", "missing.npz"):
        done = run("explain", tmp_path / name, "--step", 1)
        assert done.code == 2
        assert done.err.startswith("fallline: FILE is")
