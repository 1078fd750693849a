"""What docs/pictures.md shows is what happens: its Python runs, and the pictures that it names are there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.environments import without_coverage
from website.code import blocks_of, run

PAGE = Path(__file__).parents[2] / "docs" / "pictures.md"
# Of a contact sheet in bytes: what a reader of the page waits for, and what the repository keeps.
LARGEST = 250_000


def test_the_python_runs_and_writes_what_it_says(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    run(text, tmp_path, without_coverage())
    named = re.findall(r'"([\w-]+\.\w{3,4})"', "\n".join(block.text for block in blocks_of(text)))
    assert {"race.png", "himmelblau.pdf", "surface.html", "by_length.gif"} <= set(named)
    assert [name for name in named if not (tmp_path / name).stat().st_size > 1000] == []


def test_the_sheets_are_there_and_small() -> None:
    sheets = re.findall(r"\((images/.*?)\)", PAGE.read_text(encoding="utf-8"))
    assert len(sheets) == 6
    assert all(1000 < (PAGE.parent / sheet).stat().st_size < LARGEST for sheet in sheets)
