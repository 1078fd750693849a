"""The notebook of a lesson runs as it stands, from its first cell to its last."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.environments import without_coverage
from website.contents import pages
from website.notebook import notebook
from website.page import Page

pytestmark = pytest.mark.long

LESSONS = [page for page in pages(Path(__file__).parents[2]) if page.head.get("notebook")]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda page: str(page.path.stem))
def test_the_notebook_runs_and_makes_the_pictures(lesson: Page, tmp_path: Path) -> None:
    (tmp_path / "lesson.ipynb").write_text(notebook(lesson.body), encoding="utf-8")
    environment = without_coverage() | {"IPYTHONDIR": str(tmp_path / "ipython"), "MPLBACKEND": "Agg"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    command = [sys.executable, "-m", "IPython", "--no-banner", "--colors=nocolor", "lesson.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stdout + done.stderr) == (0, False), done.stdout + done.stderr
    shown = [target for target in lesson.targets if target.endswith((".png", ".gif"))]
    assert shown
    assert [name for name in shown if not (tmp_path / name).is_file()] == []
