"""The code blocks of the page about porting, section by section, and what the page says that they print."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "port-from-keras-to-pytorch.md"


class Section(NamedTuple):
    """A section's title, its code, and what is printed below it."""

    title: str
    code: str
    printed: str


def sections() -> list[Section]:
    """The sections that have code, the introduction first."""
    parts = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
    return [
        Section(
            part.partition("\n")[0],
            "".join(re.findall(r"^```python\n(.*?)^```", part, re.DOTALL | re.MULTILINE)),
            "".join(re.findall(r"^```text\n(.*?)^```", part, re.DOTALL | re.MULTILINE)),
        )
        for part in parts
    ]
