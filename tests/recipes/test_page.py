"""What docs/recipes.md shows is what happens: its files load, its Python and its commands run, in its order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests import pages

from fallline import Recipe, examples
from fallline.recipes.content import READERS
from fallline.recipes.settings import PENALTIES, SETS, STOPS

PATH = Path(__file__).parents[2] / "docs" / "recipes.md"
PAGE, BLOCKS = PATH.read_text(), pages.blocks_of(PATH)
FILES = [block for kind, block in BLOCKS if kind == "toml"]


def test_the_python_and_the_commands_run(tmp_path: Path) -> None:
    (tmp_path / "minimum.toml").write_text(FILES[0])
    complaints = pages.run(BLOCKS, tmp_path)
    (told,) = [block.partition("…")[0] for kind, block in BLOCKS if kind == "text"]
    assert told in complaints
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
