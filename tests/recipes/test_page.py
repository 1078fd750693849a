"""What docs/recipes.md shows is what happens: its files load, its Python and its commands run, in its order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.environments import without_coverage

from fallline import Recipe, examples
from fallline.recipes.content import READERS
from fallline.recipes.settings import PENALTIES, SETS, STOPS

PAGE = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
FILES = [block for kind, block in BLOCKS if kind == "toml"]


def test_the_python_and_the_commands_run(tmp_path: Path) -> None:
    (tmp_path / "minimum.toml").write_text(FILES[0])
    script = ["set -eu"]
    for number, (kind, block) in enumerate(BLOCKS):
        if kind == "python":
            (tmp_path / f"block{number}.py").write_text(block)
            script.append(f"python block{number}.py")
        if kind == "console":
            script += re.findall(r"^\$ (.*)", block, re.MULTILINE)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=tmp_path,
        env=without_coverage() | {"PATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (told,) = [block.partition("…")[0] for kind, block in BLOCKS if kind == "text"]
    assert told in done.stderr
    named = set(re.findall(r'"(\w+\.toml)"', PAGE))
    assert {"minimum.toml", "launches.toml", "two.toml"} <= named
    for name in named:
        Recipe.load(tmp_path / name).run()


@pytest.mark.parametrize("text", FILES)
def test_the_files_run(text: str, tmp_path: Path) -> None:
    (tmp_path / "challenger.csv").write_bytes(examples.challenger().read_bytes())
    (tmp_path / "recipe.toml").write_text(text)
    Recipe.load(tmp_path / "recipe.toml").run()


def test_the_table_has_every_key_and_the_text_every_condition_set_and_penalty() -> None:
    rows = re.findall(r"^\| (`.*?`) \|", PAGE, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == {*READERS, "fit"}
    named = set(re.findall(r"`(\w+)`", PAGE))
    assert {*STOPS, *SETS, *PENALTIES} - {"small_epoch"} <= named
