"""`--checkpoint`: the same command goes on, whatever ended the one before."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.outcome import Run
from tests.environments import without_coverage

# By differences, which takes a second or more.
LONG = ["--max-steps", "15000", "--stop-step", "0", "--gradient", "perturbation:1e-6"]


@pytest.mark.long
def test_a_command_goes_on(run: Run, tmp_path: Path) -> None:
    arguments = ["run", "(1 - x)**2 + 10*(y - x**2)**2", "--start=-1.2,1", "--optimizer", "adam", *LONG, "--json"]
    expected = run(*arguments)
    for ending in (signal.SIGKILL, signal.SIGINT):
        kept = [*arguments, "--checkpoint", str(tmp_path / ending.name)]
        end_in_the_midst(kept, Path(kept[-1]), ending)
        assert run(*kept) == expected
    # Once more, and nothing is left to do.
    assert run(*kept) == expected


def end_in_the_midst(command: list[str], path: Path, ending: signal.Signals) -> None:
    """Start a command, and end it when it has written its checkpoint."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fallline", *command], env=without_coverage(), stdout=subprocess.PIPE, text=True
    )
    # It is written at the first step.
    while not path.exists():
        assert process.poll() is None
        time.sleep(0.001)
    time.sleep(0.2)
    os.kill(process.pid, ending)
    told = process.communicate(timeout=600)[0]
    if ending == signal.SIGINT:
        assert process.returncode == 130
        assert json.loads(told)["stopped"] == "interrupted"
    else:
        assert process.returncode == -signal.SIGKILL


def test_a_comparison_keeps_its_checkpoint(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "race"
    arguments = ["compare", "rosenbrock", "--start=-1.5,2", "--optimizers", "adam,nadam", "--max-steps", "50"]
    first = run(*arguments, "--checkpoint", path)
    assert (first.code, path.exists()) == (0, True)
    assert run(*arguments, "--checkpoint", path) == first == run(*arguments)


def test_mistakes_are_told_in_one_line(run: Run, tmp_path: Path) -> None:
    arguments = ["run", "x**2", "--start", "1", "--checkpoint"]
    assert run(*arguments, tmp_path / "run.npz").code == 0
    (tmp_path / "text").write_text("text")
    for path, rest, told in [
        (tmp_path / "run.npz", ["--seed", "4"], "of another run, whose seed is 0, not 4: remove it, or give another"),
        (tmp_path / "text", [], "it is damaged, or no checkpoint of Fallline: remove it, or give another path"),
        (tmp_path, [], "a folder; give the name of a file"),
    ]:
        done = run(*arguments, path, *rest)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"fallline: --checkpoint is '{path}'")
        assert told in done.err
        assert done.err.count("\n") == 1
