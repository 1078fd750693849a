"""`--plot` with `--picture`, `--coordinates` and `--style`: every kind is written, and what cannot be is told first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cases import few
from tests.cli.outcome import Run

BOWL = ("run", "x**2 + 3*y**2", "--start", "2,1", "--max-steps", "5")
LINE = ("run", "x**2", "--start", "2", "--max-steps", "5")
THREE = ("run", "x**2 + 3*y**2 + z**4", "--start", "2,1,1", "--max-steps", "5")
RACE = ("compare", "x**2 + 3*y**2", "--start", "2,1", "--max-steps", "5", "--optimizers", "momentum,adam")


@pytest.mark.parametrize(
    ("line", "kind"),
    few(
        [
            *((BOWL, kind) for kind in ("contour", "contour_3d", "surface", "histories", "arrows")),
            *((LINE, kind) for kind in ("auto", "curve", "arrows", "epochs")),
            *((THREE, kind) for kind in ("auto", "arrows")),
            *((RACE, kind) for kind in ("auto", "steps")),
        ],
        6,
    ),
)
def test_every_kind_is_written(run: Run, tmp_path: Path, line: tuple[str, ...], kind: str) -> None:
    path = tmp_path / "run.png"
    done = run(*line, "--plot", path, "--picture", kind, "--style", "dark")
    assert (done.code, done.err) == (0, "")
    with Image.open(path) as picture:
        assert np.asarray(picture.convert("L"))[0, 0] < 40


def test_the_rules_memory_is_recorded_for_arrows(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.svg"
    assert run(*BOWL, "--optimizer", "momentum", "--plot", path, "--picture", "arrows").code == 0
    assert "velocity" in path.read_text(encoding="utf-8")


def test_coordinates_choose_the_slice(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.svg"
    assert run(*THREE, "--plot", path, "--coordinates", "z,x").code == 0
    assert "at y = " in path.read_text(encoding="utf-8")
    assert run(*THREE, "--plot", path, "--coordinates", "pca").code == 0
    assert "principal components" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ((*BOWL, "--picture", "surfac"), "--picture is 'surfac'; did you mean 'surface'?"),
        ((*BOWL, "--picture", "curve"), "--picture is 'curve', but there are 2 coordinates; Allowed: auto, contour"),
        ((*LINE, "--picture", "surface"), "--picture is 'surface', but there is 1 coordinate; Allowed: auto, curve"),
        ((*LINE, "--coordinates", "x,y"), "--coordinates is 'x,y', but there is only one; leave it out"),
        ((*THREE, "--coordinates", "x,w"), "--coordinates is 'x,w'; Allowed: x, y, z"),
        ((*THREE, "--coordinates", "x"), "--coordinates is 'x'; it must be two different names, or pca"),
        ((*BOWL, "--picture", "steps", "--coordinates", "x,y"), "--picture is 'steps', which shows no two chosen"),
        ((*BOWL, "--style", "drak"), "--style is 'drak'; did you mean 'dark'? Allowed: light, dark"),
        ((*RACE, "--picture", "arrows"), "--picture is 'arrows', which shows one run; Allowed: auto"),
    ],
)
def test_a_wrong_picture_is_told_before_the_run(run: Run, tmp_path: Path, line: tuple[str, ...], message: str) -> None:
    path = tmp_path / "run.png"
    done = run(*line, "--plot", path)
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith(f"fallline: {message}")
    assert done.err.count("\n") == 1
    assert not path.exists()


@pytest.mark.parametrize("kind", ["histories", "arrows"])
def test_a_page_of_what_has_none_is_told_by_the_options_name(run: Run, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "run.html"
    done = run(*BOWL, "--plot", path, "--picture", kind)
    assert done.code == 2
    assert done.err.startswith(f"fallline: --plot is {str(path)!r}, but no page shows {kind}; ")
    assert done.err.count("\n") == 1
    assert not path.exists()


@pytest.mark.parametrize("seeds", ["0-99999999999", "5-1000005"])
def test_more_seeds_than_memory_holds_are_refused(run: Run, seeds: str) -> None:
    done = run(*RACE, "--seed", seeds)
    assert done.code == 2
    assert f"--seed is '{seeds}', which are " in done.err
    assert "1000000 at most" in done.err
