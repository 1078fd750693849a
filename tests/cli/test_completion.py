"""Tab completion as a user has it: installed into a home folder, in a real shell."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from pexpect.fdpexpect import fdspawn
from tests.environments import without_coverage


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("fallline diagn", "fallline diagnose "),
        ("fallline run x --start 1 --learning-ra", "--learning-rate "),
        ("fallline expl", r"explain\s+explore"),  # both are possible
        ("fallline run booth --optimizer rms", "rmsprop "),
    ],
)
def test_bash_completes_once_it_is_installed(typed: str, shown: str, tmp_path: Path) -> None:
    folder = Path(sys.executable).parent
    environment = without_coverage() | {"HOME": str(tmp_path), "PATH": f"{folder}:/usr/bin:/bin", "TERM": "dumb"}
    (tmp_path / ".bashrc").write_text("PS1='ready '\n", encoding="utf-8")
    subprocess.run(["fallline", "--install-completion", "bash"], env=environment, check=True, capture_output=True)
    # A process that is forked, as pexpect's own, may hang where JAX's threads run.
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        ["/bin/bash", "-i"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    ) as process:
        shell = fdspawn(ours, encoding="utf-8", timeout=60)
        try:
            shell.expect_exact("ready ")
            # Where several words are possible, the second tab lists them.
            shell.send(f"{typed}\t\t")
            shell.expect(shown)
        finally:
            process.kill()
            shell.close()
            os.close(theirs)
