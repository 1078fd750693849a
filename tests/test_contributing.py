"""What CONTRIBUTING.md shows is what happens, and the linters before a commit are those of `make lint`."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import pytest

# The extras that only those who work on Fallline install.
OURS = {"bench", "docs", "lint", "mutation", "parity", "release", "test"}
ROOT = Path(__file__).parent.parent
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
EXAMPLES = dict(re.findall(r"^## An? (.*?)\n.*?^```python\n(.*?)^```", CONTRIBUTING, re.DOTALL | re.MULTILINE))


def test_there_is_an_example_of_everything_that_is_added() -> None:
    assert list(EXAMPLES) == ["rule", "schedule", "stopping condition", "picture", "finding", "reader"]
    assert CONTRIBUTING.count("```python") == len(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_works(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "example.py"
    script.write_text(EXAMPLES[name])
    runpy.run_path(str(script))
    assert name != "picture" or (tmp_path / "distances.png").stat().st_size > 10_000


def test_before_a_commit_the_linters_of_make_lint_run() -> None:
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    hooks = re.findall(r"entry: (.*)", (ROOT / ".pre-commit-config.yaml").read_text())
    assert hooks == [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe[1].splitlines()]


def test_all_is_every_extra_that_a_user_may_want() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (everything,) = extras.pop("all")
    assert everything == f"fallline[{','.join(sorted(extras.keys() - OURS))}]"
