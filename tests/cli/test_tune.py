from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.outcome import Run

BOWL = ("x**2/2 + 5*y**2", "--start", "1,1", "--target", "1e-6")


def test_a_table_and_a_store(run: Run, tmp_path: Path) -> None:
    arguments = (*BOWL, "--optimizer", "momentum", "--space", "learning_rate=0.001:1:log", "--space", "momentum")
    outcome = run("tune", *arguments, "--trials", 12, "--store", tmp_path / "trials.db")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0] == "Tuning in 12 trials, the best first"
    assert lines[7].split() == ["learning_rate", "momentum", "converged", "steps", "f"]
    assert lines[20].startswith("The best: --set learning_rate=0.")
    assert lines[-1] == f"written: {tmp_path / 'trials.db'}"


def test_json(run: Run) -> None:
    data = json.loads(run("tune", *BOWL, "--trials", 5, "--space", "learning_rate=0.01,0.1", "--json").out)
    assert data["best"] == {"learning_rate": 0.1}
    assert len(data["trials"]) == 5
    assert data["complete"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--space", "learning_rate="), "--space is 'learning_rate='; write NAME, NAME=LOW:HIGH"),
        (("--space", "learning_rate=a:1"), "write NAME=LOW:HIGH or NAME=LOW:HIGH:log"),
        (("--space", "learning_rate=1:2:lin"), "write NAME=LOW:HIGH or NAME=LOW:HIGH:log"),
        (("--space", "learning_rate=2:1"), "--space: 2:1 needs two finite numbers"),
        (("--space", "learning_rate", "--space", "learning_rate"), "--space gives learning_rate twice"),
        (("--space", "rate"), "rate is no hyperparameter of gradient_descent"),
        (("--trials", "0"), "--trials is 0; it must be a whole number at least 1"),
    ],
)
def test_mistakes_are_told_in_one_line(run: Run, arguments: tuple[str, ...], message: str) -> None:
    outcome = run("tune", *BOWL, *arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1
