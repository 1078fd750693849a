"""`fallline check`: a gradient, a derivative worked by hand, a function in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.outcome import Run

STEPS = "u = 2*x**2 - x - 2; y = 3*u + 1"
LOSSES = """
import numpy as np
from beside import SCALE

def loss(x):
    return SCALE * np.sum(x**2) + x[0] * x[1]

def slope(x):
    return [2 * x[0] + x[1], 2 * x[1] - x[0]]

def square(x):
    return x**2

def failing(x):
    return undefined + x
"""


@pytest.fixture
def losses(tmp_path: Path) -> Path:
    (tmp_path / "beside.py").write_text("SCALE = 1.0")
    (tmp_path / "losses.py").write_text(LOSSES)
    return tmp_path / "losses.py"


def test_the_wrong_derivative_of_the_tutorial_is_caught(run: Run) -> None:
    # du/dx taken as 2x - 1, where it is 4x - 1: 9 instead of 21 at x = 2.
    done = run("check", STEPS, "--at", "2", "--derivative", "3*(2*x - 1)")
    assert done.code == 1
    assert done.out.splitlines() == [
        STEPS,
        "gradient: given",
        "",
        "Gradient check: the gradient is wrong in x",
        "",
        " at  coordinate  found  expected    factor  verdict",
        "[2]           x      9        21  0.428571    wrong",
    ]


def test_the_right_derivatives_pass_whatever_they_are_written_in(run: Run) -> None:
    formula = "u = 3*a**2 - 2*a + b**2 + 1; y = 2*u + c/2"
    slopes = ("--derivative", "2*(6*a - 2)", "--derivative", "v = 2*b; 2*v", "--derivative", "1/2")
    done = run("check", formula, "--at", "1,1,1", "--at", "a=-2,c=0.5,b=3", *slopes)
    assert done.code == 0
    assert done.out.splitlines()[3] == "Gradient check: the gradient is right"
    assert done.out.count("right") == 7
    assert "-2, 3, 0.5" in done.out


def test_symbolic_gradients_kinks_and_json(run: Run) -> None:
    assert run("check", "rosenbrock", "--at", "-1.2,1").code == 0
    kink = run("check", "abs(x)", "--at", "0")
    assert kink.code == 0
    assert kink.out.splitlines()[3] == "Gradient check: nothing is wrong, but not everything can be told: kink"
    done = run("check", "-x**2", "--at", "3", "--gradient", "perturbation:0.5", "--json")
    # A forward difference of step 0.5: -(3.5² - 3²) / 0.5 = -6.5.
    (slope,) = json.loads(done.out)
    assert (done.code, slope["found"], slope["verdict"], slope["coordinate"]) == (1, -6.5, "wrong", "x")
    assert slope["expected"] == pytest.approx(-6, rel=1e-6)


def test_points_nearby_are_looked_at_too(run: Run) -> None:
    # Right at 2 alone: 2x there is 4, and x² as well.
    arguments = ("check", "x**2", "--at", "2", "--derivative", "x**2")
    assert run(*arguments).code == 0
    done = run(*arguments, "--nearby", "3")
    assert (done.code, done.out.count("wrong\n")) == (1, 3)


def test_functions_of_a_file(run: Run, losses: Path) -> None:
    done = run("check", f"{losses}:loss", "--at", "1,2", "--gradient", f"{losses}:slope")
    assert done.code == 1
    # d/dx1 is 2 x1 + x0 = 5, the file has 2 x1 - x0.
    assert "x1      3         5     0.6    wrong" in done.out
    assert run("check", f"{losses}:loss", "--at", "1,2").code == 0
    assert run("check", f"{losses}:square", "--at", "3", "--derivative", "2*x").code == 0


def test_mistakes_are_told_in_one_line(run: Run, losses: Path) -> None:
    broken = losses.parent / "broken.py"
    broken.write_text("x = (")
    for arguments, message in (
        ((f"{losses}:failing", "--at", "1"), "failed in line 15: NameError: name 'undefined' is not defined"),
        ((f"{losses}:los", "--at", "1"), "has no function 'los'; did you mean 'loss'?"),
        ((f"{broken}:f", "--at", "1"), "failed in line 1: SyntaxError: '(' was never closed"),
        (("none.py:f", "--at", "1"), "OBJECTIVE is 'none.py:f'; there is no file 'none.py'"),
        (("x**2", "--at", "1,2"), "--at has 2 numbers; x**2 needs 1, for x"),
        (("x**2", "--at", "one"), "--at is 'one', where 'one' is not a number"),
        (("x**2", "--at", "1", "--derivative", "2*y"), "--derivative is '2*y', with the variable y; Allowed: x"),
        (("x**2", "--at", "1", "--derivative", "2*"), "--derivative is '2*'"),
        (("x", "--at", "1", "--nearby", "-1"), "--nearby is -1; it must be a whole number at least 0"),
        (("x*y", "--at", "1,2", "--derivative", "y"), "--derivative is given 1 time; x*y needs 2, for x, y"),
        (("x", "--at", "1", "--derivative", "1", "--gradient", "symbolic"), "give one of the two"),
    ):
        done = run("check", *arguments)
        assert (done.code, done.out) == (2, "")
        assert message in done.err
        assert len(done.err.splitlines()) == 1


def test_many_coordinates_are_checked_along_directions(run: Run, tmp_path: Path) -> None:
    many = tmp_path / "many.py"
    many.write_text("def cubes(x): return (x**3).sum()\n\ndef flat(x): return 3 * x**2 * (x != 2)\n")
    at = ",".join(["1"] * 59 + ["2"])
    done = run("check", f"{many}:cubes", "--at", at, "--gradient", f"{many}:flat")
    assert done.code == 1
    assert "wrong in x59" in done.out
    assert done.out.count("54 more") == 1
    told = json.loads(run("check", f"{many}:cubes", "--at", at, "--json").out)
    assert [entry["coordinate"] for entry in told] == ["direction 1", "direction 2", "direction 3"]
    assert {entry["verdict"] for entry in told} == {"right"}
