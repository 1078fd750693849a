"""`fallline chain`: the chain rule as text, LaTeX, JSON and picture."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.outcome import Run

STEPS = "u = 2*x**2 - x - 2; y = 3*u + 1"


def test_every_factor_every_path_and_the_sum(run: Run) -> None:
    done = run("chain", STEPS, "--at", "x=2")
    assert done.code == 0
    assert done.out.splitlines() == [
        "u = 2*x**2 - x - 2 = 4",
        "y = 3*u + 1 = 13",
        "∂u/∂x = 4*x - 1 = 7",
        "∂y/∂u = 3",
        "x → u → y: ∂y/∂u · ∂u/∂x = 3 · 7 = 21",
        "dy/dx = 21",
    ]


def test_latex_and_json(run: Run) -> None:
    latex = run("chain", STEPS, "--at", "2", "--latex").out
    assert latex.startswith("\\begin{aligned}\n")
    assert (
        r"\frac{d y}{d x} &= \frac{\partial y}{\partial u} \cdot \frac{\partial u}{\partial x} = 3 \cdot 7 = 21"
        in latex
    )
    told = json.loads(run("chain", STEPS, "--at", "2", "--json").out)
    assert told["gradient"] == {"x": 21}
    assert told["paths"] == {"x": [{"names": ["x", "u", "y"], "product": 21}]}


def test_the_picture(run: Run, tmp_path: Path) -> None:
    done = run("chain", "u = 3*a**2 - 2*a + b**2 + 1; y = 2*u + c", "--at", "1,1,1", "--plot", tmp_path / "chain.png")
    assert done.out.endswith(f"written: {tmp_path / 'chain.png'}\n")
    assert (tmp_path / "chain.png").read_bytes().startswith(b"\x89PNG")


def test_mistakes_are_told_in_one_line(run: Run) -> None:
    for arguments, message in (
        (("x*y", "--at", "2"), "--at has 1 number; x*y needs 2, for x, y"),
        (("-x", "--at", "2", "--plot", "chain.pgn"), "--plot is 'chain.pgn', which ends in '.pgn'"),
        ((STEPS, "--at", "2", "--latex", "--json"), "--latex is given, and --json too"),
    ):
        done = run("chain", *arguments)
        assert (done.code, done.out) == (2, "")
        assert message in done.err
