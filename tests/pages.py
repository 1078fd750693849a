"""The code of a page of text: its blocks, and how they run as a reader runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

from tests.environments import without_coverage


def blocks_of(page: Path) -> list[tuple[str, str]]:
    """The language and the text of each block of code."""
    found = re.findall(r"^ *```(\w+)\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [(kind, textwrap.dedent(block)) for kind, block in found]


def typed(block: str) -> str:
    """What a reader types of a console block: the lines behind $, with those that go on from them."""
    return "\n".join(re.findall(r"^\$ ((?:.*\\\n)*.*)", block, re.MULTILINE))


def run(blocks: Iterable[tuple[str, str]], folder: Path) -> str:
    """Run the Python and the commands in a fresh shell, in the order in which they are read; what they complain."""
    script = ["set -eu"]
    for number, (kind, block) in enumerate(blocks):
        if kind == "python":
            (folder / f"block{number}.py").write_text(block, encoding="utf-8")
            script.append(f"python block{number}.py")
        elif kind == "console":
            assert typed(block)
            script.append(typed(block))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env=without_coverage() | {"PATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr
