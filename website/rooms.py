"""The rooms of the library: the layers that import-linter holds, each with the first line of its own docstring."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path


def rooms(root: Path) -> str:
    """A table of them in Markdown, from the highest layer to the lowest."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    rows = [f"| `{room}` | {_about(root, room)} |" for layer in layers for room in layer.split(" | ")]
    return "\n".join(["| room | what it is for |", "|---|---|", *rows])


def _about(root: Path, room: str) -> str:
    place = root / "src" / "fallline" / room
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    told = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return told.partition("\n")[0]
