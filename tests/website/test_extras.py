"""A page names the extras that its code needs, so that a reader can install them before it is typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from website.code import blocks_of

DOCS = Path(__file__).parents[2] / "docs"
# What code that needs an extra has in it.
SIGNS = {
    "cluster": r"--cluster|\bCluster\(",
    "films": r"\.mp4\b",
    "jax": r"\bimport jax\b|\bfrom jax\b|[\"= ]jax\b|bridges\.jax\b",
    "optax": r"\boptax\b",
    "parquet": r"\bpyarrow\b|\.parquet\b",
    "scipy": r"\bimport scipy\b|\bfrom scipy\b|bridges\.scipy\b",
    "sklearn": r"\bsklearn\b",
    "torch": r"\bimport torch\b|bridges\.torch\b",
    "tune": r"\bfallline[. ]tune\b",
}


def extras_needed(text: str) -> set[str]:
    """The extras that the code of a page needs."""
    code = "\n".join(block.text for block in blocks_of(text) if block.language in ("python", "console"))
    return {extra for extra, sign in SIGNS.items() if re.search(sign, code)}


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.relative_to(DOCS).as_posix())
def test_page_names_the_extras_of_its_code(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`|\[(\w+)\]\"", text)) if re.search(r"\bextras?\b", text) else set()
    assert extras_needed(text) <= {name for pair in named for name in pair}


def test_code_that_needs_an_extra_is_recognised() -> None:
    page = '```python\nimport torch\nrace.animate("race.mp4")\n```\n```console\n$ fallline tune x\n```\n'
    assert extras_needed(page) == {"films", "torch", "tune"}
