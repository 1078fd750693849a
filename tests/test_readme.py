"""What the README shows is what happens: its Python blocks run, its commands exist, its figures are right."""

from __future__ import annotations

import re
import runpy
import shlex
import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fallline.cli import app

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = [textwrap.dedent(block) for block in re.findall(r"^ *```python\n(.*?)```", README, re.DOTALL | re.MULTILINE)]
COMMANDS = re.findall(r"^\$ (fallline .*)$", README, re.MULTILINE)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.strip().splitlines()[-1][:40])
def test_python_block_runs(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "block.py"
    script.write_text(block)
    runpy.run_path(str(script))


@pytest.mark.long
@pytest.mark.parametrize("command", COMMANDS)
def test_command_runs(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, shlex.split(command)[1:])
    assert result.exit_code == 0, result.output


def test_the_challenger_figures_are_the_ones_named() -> None:
    import fallline

    fit = fallline.fit(fallline.examples.challenger(), "distress", model="logistic")
    named = re.search(r"# intercept ([\d.-]+), slope ([\d.-]+) per", README)
    assert named is not None
    assert [f"{fit.parameters['intercept']:.4f}", f"{fit.parameters['temperature_F']:.4f}"] == list(named.groups())


def test_the_pictures_are_there() -> None:
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert pictures
    assert all((Path(__file__).parent.parent / picture).stat().st_size > 10_000 for picture in pictures)
