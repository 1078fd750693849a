"""The command line, run in this process or in one of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.cli.outcome import Outcome, Run

from fallline.cli.app import main


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["fallline", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        captured = capsys.readouterr()
        return Outcome(int(stopped.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def process() -> Run:
    """Run a command line in a process of its own, its output piped."""

    def process(*arguments: object) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "fallline", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=600,  # the demonstration, on a busy machine
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return process
