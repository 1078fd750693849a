"""The files that go along with a release."""

from __future__ import annotations

import re
from pathlib import Path

import fallline

ROOT = Path(__file__).parents[1]


def test_the_version_is_the_same_everywhere() -> None:
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    newest = re.search(r"^## (\S+?),? ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert cited
    assert newest
    assert cited[1] == newest[1] == fallline.__version__
