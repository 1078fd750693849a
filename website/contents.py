"""What the site holds: every page of docs/ and those made from the library, and the order in which they are listed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from website import findings, reference
from website.page import Page, resolved
from website.rooms import rooms

# The parts of the site: a page, a folder, which its index lists in order, or a part with several of them.
PARTS: Sequence[Any] = (
    {"Explorer": "index.md"},
    {"Start": ["start.md", "tour.md"]},
    {"Lessons": "lessons"},
    {"How to": "how-to"},
    {"Gallery": "pictures.md"},
    {"Findings": "findings"},
    {"Reference": "reference"},
    {
        "More": [
            "recipes.md",
            "bridges.md",
            "conventions.md",
            "performance.md",
            "diagnosis-suite.md",
            "limits.md",
            "stability.md",
        ]
    },
    {"Contributing": ["design.md", "contributing.md"]},
)

# In the repository one page has all findings.
_FINDING = re.compile(r"findings\.md(?:#(\w+))?(?=\))")


def pages(root: Path) -> list[Page]:
    """All pages of the site, from a checkout."""
    written = {file.relative_to(root / "docs").as_posix(): file for file in sorted((root / "docs").rglob("*.md"))}
    del written["findings.md"]
    written["contributing.md"] = root / "CONTRIBUTING.md"
    texts = {path: file.read_text(encoding="utf-8") for path, file in written.items()}
    texts["design.md"] = texts["design.md"].replace("<!-- rooms -->", rooms(root))
    for folder, made in (("findings", findings.pages()), ("reference", reference.pages())):
        texts |= {f"{folder}/{name}.md": text for name, text in made.items()}
    return [
        Page(PurePosixPath(path), _FINDING.sub(lambda link: f"findings/{link[1] or 'index'}.md", text))
        for path, text in texts.items()
    ]


def nav(all_pages: Iterable[Page]) -> list[Any]:
    """The pages in the order in which they are listed.

    Raises:
        RuntimeError: when a page is listed nowhere.
    """
    by_path = {page.path.as_posix(): page for page in all_pages}
    listed: list[str] = []

    def entry(part: Any) -> Any:
        if isinstance(part, dict):
            return {title: entry(one) for title, one in part.items()}
        if isinstance(part, list):
            return [entry(one) for one in part]
        if part.endswith(".md"):
            listed.append(part)
            return part
        index = by_path[f"{part}/index.md"]
        links = [resolved(index.path, target).as_posix() for target in index.targets]
        return [entry(path) for path in dict.fromkeys([index.path.as_posix(), *links]) if path in by_path]

    entries = [entry(part) for part in PARTS]
    if missing := by_path.keys() - set(listed):
        raise RuntimeError(f"no index lists {', '.join(sorted(missing))}")
    return entries
