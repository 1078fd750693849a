"""The page about porting: its code prints what the page shows."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from tests.diagnosis.pages import sections


def lines_of(text: str) -> list[str]:
    """The lines, without distances, whose last digits are another machine's."""
    return [line for line in text.splitlines() if not line.startswith("distance")]


@pytest.mark.parametrize("place", range(1, 6))
def test_every_section_prints_what_it_shows(place: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    introduction, section = sections()[0], sections()[place]
    assert section.printed
    script = tmp_path / "page.py"
    script.write_text(introduction.code + section.code)
    runpy.run_path(str(script))
    assert lines_of(capsys.readouterr().out) == lines_of(section.printed)
