"""The code of the pages that need torch, keras or optax runs, and prints what they show."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.environments import without_coverage
from website.code import needs_libraries, run, wrong_outputs

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [path for path in sorted(DOCS.rglob("*.md")) if needs_libraries(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(DOCS).as_posix())
def test_page_runs(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert wrong_outputs(text, run(text, tmp_path, without_coverage())) == []
