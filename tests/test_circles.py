"""No module stands in a circle of imports, those for types and inside functions included: each is read by itself."""

from __future__ import annotations

import ast
import itertools
from pathlib import Path

import pytest

import fallline

SOURCE = Path(fallline.__file__).parent
# A rule shows its formula, which is made from the rule: these are read together.
TOGETHER = dict.fromkeys(
    ("optimizers.latex", "optimizers.lines", "optimizers.placeholders", "optimizers.symbols"), "optimizers.base"
)


def modules(room: str) -> dict[str, Path]:
    found = {}
    for path in (SOURCE / room).rglob("*.py"):
        *folders, name = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(folders if name == "__init__" else [*folders, name])] = path
    return found


def imports(path: Path, known: dict[str, Path]) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                names.add(inner if inner.removeprefix("fallline.") in known else node.module)
    return {name.removeprefix("fallline.") for name in names} & set(known)


@pytest.mark.parametrize("room", ["optimizers", "gradients", "objectives", "bridges", "data", "machine_code"])
def test_imports_run_in_no_circle(room: str) -> None:
    known = modules(room)
    left: dict[str, set[str]] = {}
    for name, path in known.items():
        node = TOGETHER.get(name, name)
        others = {TOGETHER.get(other, other) for other in imports(path, known)}
        left[node] = left.get(node, set()) | (others - {node})
    assert any(left.values())
    while free := {name for name, others in left.items() if not others}:
        left = {name: others - free for name, others in left.items() if name not in free}
    assert not left, "\n".join(itertools.starmap("{} imports {}".format, left.items()))
