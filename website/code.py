"""The code of a page: its blocks, and how they run as a reader runs them, from the first to the last in one folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path
from typing import NamedTuple

_CODE = ("python", "console")
_FENCE = re.compile(r'^( *)```(\w+)(?: title="([^"]+)")?\n(.*?)^\1```', re.DOTALL | re.MULTILINE)
# What a reader types to install, to test or to measure: whoever runs a page has installed what runs it, in the midst of
# a test.
_IN_A_CHECKOUT = re.compile(
    r"(make|pip|python3? -m venv|git clone|cd fallline|\.|\.venv/bin/python -m pytest)( |$)|python -m benchmarks\."
)
# What only `make parity` installs.
_LIBRARIES = re.compile(
    r"^ *(?:import|from) (?:torch|keras|optax)\b|fallline\.bridges\.(?:torch|optax)\b", re.MULTILINE
)
# Between the outputs of two blocks.
_MARK = "\x1e"


class Block(NamedTuple):
    """A block of code.

    Attributes:
        language: "python", "console", "text", ...
        text: what stands in it.
        line: the page's line on which it opens, from 1.
        file: the name of the file that it shows, or "".
    """

    language: str
    text: str
    line: int
    file: str


def blocks_of(text: str) -> list[Block]:
    """The blocks of a page's text."""
    return [
        Block(place[2], textwrap.dedent(place[4]), text.count("\n", 0, place.start()) + 1, place[3] or "")
        for place in _FENCE.finditer(text)
    ]


def typed(block: str) -> str:
    """What a reader types of a console block: the lines behind $, with those that go on from them."""
    lines = re.findall(r"^\$ ((?:.*\\\n)*.*)", block, re.MULTILINE)
    return "\n".join(line for line in lines if not _IN_A_CHECKOUT.match(line))


def runs(text: str) -> bool:
    """Whether a page's text has code that runs."""
    return any(block.language == "python" or typed(block.text) for block in blocks_of(text) if block.language in _CODE)


def needs_libraries(text: str) -> bool:
    """Whether a page's code needs the libraries that only `make parity` installs."""
    return bool(_LIBRARIES.search("\n".join(block.text for block in blocks_of(text))))


def script(blocks: Sequence[Block]) -> str:
    """The Python of a page with its commands, each block on the lines on which the page has it."""
    lines: list[str] = []
    for number, block in enumerate(blocks):
        lines += [""] * (block.line - 1 - len(lines)) + [f"print({f'{_MARK}{number}'!r}, flush=True)"]
        if block.language == "python":
            lines += block.text.splitlines()
        elif block.language == "console" and typed(block.text):
            lines.append(f'__import__("subprocess").run(["bash", "-euc", {typed(block.text)!r}], check=True)')
    return "\n".join(lines) + "\n"


def run(text: str, folder: Path, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Run the Python and the commands of a page's text in a folder, in which its files are written first.

    Returns:
        What each block printed, warnings among it.

    Raises:
        RuntimeError: when one of them fails, with all that was printed.
    """
    blocks = blocks_of(text)
    for block in blocks:
        if block.file:
            (folder / block.file).write_text(block.text, encoding="utf-8")
    page = folder / "page.py"
    page.write_text(script(blocks), encoding="utf-8")
    path = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    done = subprocess.run(
        [sys.executable, page.name],
        cwd=folder,
        env={**environment, "PATH": path, "MPLBACKEND": "Agg"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(done.stdout.replace(_MARK, "block "))
    outputs = re.split(f"^{_MARK}\\d+\n", done.stdout, flags=re.MULTILINE)
    return outputs[1:]


def wrong_outputs(text: str, outputs: Sequence[str]) -> list[str]:
    """What is shown as printed by the block before it and is not: a block of text right after one that runs.

    `...` stands for anything; an empty block is filled in.
    """
    blocks = blocks_of(text)
    wrong = []
    for before, shown, output in zip(blocks, blocks[1:], outputs, strict=False):
        if shown.language != "text" or not shown.text or before.language not in _CODE:
            continue
        if not OutputChecker().check_output(shown.text, output, ELLIPSIS | NORMALIZE_WHITESPACE):
            wrong.append(f"line {shown.line} shows\n{shown.text}and the code before it prints\n{output}")
    return wrong


def filled(text: str, outputs: Sequence[str]) -> str:
    """A page's text with what a block printed in the empty block of text after it."""
    before = iter(["", *outputs])

    def shown(place: re.Match[str]) -> str:
        printed = next(before)
        empty = place[2] == "text" and not place[4]
        return f"```text\n{printed.rstrip()}\n```" if empty else place[0]

    return _FENCE.sub(shown, text)
