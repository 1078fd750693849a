"""The code blocks of docs/bridges.md, section by section: a reader runs those of one after the first."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "bridges.md").read_text()


def code(*titles: str) -> str:
    """The code of the introduction and of the sections with these titles, as one script."""
    introduction, *sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    chosen = [introduction, *(part for part in sections if part.partition("\n")[0] in titles)]
    assert len(chosen) == 1 + len(titles)
    return "\n".join(block for part in chosen for block in re.findall(r"^```python\n(.*?)```", part, re.DOTALL | re.M))
