"""What docs/recipes.md shows is what happens: its files load, and those that its code writes, too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.environments import without_coverage
from website.code import blocks_of, run

from fallline import Recipe, examples
from fallline.recipes.content import READERS
from fallline.recipes.settings import PENALTIES, SETS, STOPS

PATH = Path(__file__).parents[2] / "docs" / "recipes.md"
PAGE = PATH.read_text()
FILES = [block.text for block in blocks_of(PAGE) if block.language == "toml"]


@pytest.mark.long
def test_the_python_and_the_commands_run(tmp_path: Path) -> None:
    run(PAGE, tmp_path, without_coverage())
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
