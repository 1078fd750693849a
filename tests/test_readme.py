"""What the README shows is what happens: its Python blocks run, its commands exist, its figures are right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.environments import without_coverage
from website.code import blocks_of, run

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = blocks_of(README)


@pytest.mark.long
def test_every_block_runs_in_the_order_in_which_it_is_read(tmp_path: Path) -> None:
    run(README, tmp_path, without_coverage())
    blocks = "\n".join(block.text for block in BLOCKS)
    named = re.findall(r"[\w-]+\.(?:png|gif|npz|json|db|csv)\b", blocks)
    assert {"race.gif", "run.npz", "run.png", "ailing.npz"} <= set(named)
    assert [name for name in named if not (tmp_path / name).exists()] == []


def test_make_has_the_commands_that_the_readme_names() -> None:
    named = {name for block in BLOCKS for name in re.findall(r"^\$ make (\S+)", block.text, re.MULTILINE)}
    named |= set(re.findall(r"`make ([\w-]+)`", README))
    assert {"demo", "test"} <= named
    assert named <= set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_the_challenger_figures_are_the_ones_named() -> None:
    import fallline

    fit = fallline.fit(fallline.examples.challenger(), "distress", model="logistic")
    named = re.search(r"# intercept ([\d.-]+), slope ([\d.-]+) per", README)
    assert named is not None
    assert [f"{fit.parameters['intercept']:.4f}", f"{fit.parameters['temperature_F']:.4f}"] == list(named.groups())


def test_the_pictures_are_there() -> None:
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert pictures
    assert all((ROOT / picture).stat().st_size > 10_000 for picture in pictures)
