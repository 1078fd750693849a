from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.outcome import Run

from fallline import Basins

WELLS = "(x**2 - 1)**2 + y**2"
SETTINGS = ("--box", "-2:2,-1:1", "--learning-rate", 0.05, "--resolution", 10)


def test_a_table_a_picture_and_a_file(run: Run, tmp_path: Path) -> None:
    picture, file = tmp_path / "wells.png", tmp_path / "wells.npz"
    outcome = run("basins", WELLS, *SETTINGS, "--plot", picture, "--save", file)
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[:3] == [
        "Basins of 100 starts",
        f"objective  {WELLS}",
        "optimizer  gradient_descent, learning_rate 0.05",
    ]
    assert [line.split()[:2] for line in lines[7:9]] == [["1", "-1"], ["2", "1"]]
    assert lines[7].split()[4:7] == ["50", "50.00", "%"]
    assert lines[-1] == f"written: {picture}, {file}"
    with Image.open(picture) as image:
        assert image.size[0] > 400
    assert Basins.load(file).share(1) == 0.5


def test_json(run: Run) -> None:
    outcome = run(
        "basins", "(a**2 - 1)**2 + b**2 + c**2", "--box", "c=-1:1,a=-2:2", "--at", "b=0.5", *SETTINGS[2:], "--json"
    )
    data = json.loads(outcome.out)
    assert (data["axes"], data["held"], data["box"]) == (["c", "a"], {"b": 0.5}, [[-1, 1], [-2, 2]])
    np.testing.assert_allclose([minimum["x"] for minimum in data["minima"]], [[-1, 0, 0], [1, 0, 0]], atol=1e-6)
    assert [minimum["share"] for minimum in data["minima"]] == [0.5, 0.5]
    assert (data["not_arrived"], data["diverged"]) == (0, 0)


def test_a_landscape_has_a_box_of_its_own_and_many_minima_are_counted(run: Run) -> None:
    outcome = run("basins", "rastrigin", "--learning-rate", 0.001, "--resolution", 60)
    assert outcome.out.splitlines()[-1] == "… 111 more"
    diverging = run("basins", "himmelblau", "--learning-rate", 0.1, "--resolution", 10, "--max-steps", 50)
    assert diverging.out.splitlines()[-1].split()[0] == "diverges"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-x**2",), "OBJECTIVE is -x**2, which has one coordinate"),
        (("booth", "--box", "1,2"), "--box is '1,2'; write -5:5,-5:5, or x=-5:5,y=-5:5"),
        (("booth", "--box", "x=1:2,3:4"), "name each coordinate once, or none"),
        (("booth", "--box", "2:1,0:1"), "--box is (2.0, 1.0); it must be two finite numbers"),
        (("booth", "--at", "3"), "--at is '3'; give each number with its name"),
        (("booth", "--resolution", "1"), "--resolution is 1; it must be a whole number at least 2"),
        (("booth", "--plot", "map.txt"), "--plot is 'map.txt', which ends in '.txt'"),
        (("booth", "--save", "map.png"), "--save is 'map.png'; its name must end in .npz"),
    ],
)
def test_mistakes_are_told_in_one_line(run: Run, arguments: tuple[str, ...], message: str) -> None:
    outcome = run("basins", *arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1
