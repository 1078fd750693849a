"""`--animate` and the options of a film, on `fallline run` and `fallline compare`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.outcome import Run
from tests.views.pixels import frames

RUN = ("run", "x**2 + 3*y**2", "--start", "2,1", "--learning-rate", "0.1", "--max-steps", "30", "--stop-step", "0")


def test_a_film_has_the_frames_the_rate_and_the_size_asked_for(run: Run, tmp_path: Path) -> None:
    film = tmp_path / "a.gif"
    done = run(*RUN, "--animate", film, "--frames", "6", "--fps", "4", "--size", "320x240", "--quality", "50")
    assert done.code == 0
    assert f"\nwritten: {film}\n" in done.out
    with Image.open(film) as pictures:
        assert pictures.size == (320, 240)
        assert pictures.n_frames == 6  # type: ignore[attr-defined]
        assert pictures.info["duration"] == 250


def test_several_rules_are_filmed_together(run: Run, tmp_path: Path) -> None:
    film = tmp_path / "a.webp"
    rules = ("compare", "booth", "--start", "-1.5,2", "--optimizers", "momentum,adam", "--max-steps", "40")
    assert run(*rules, "--animate", film, "--frames", "3", "--size", "320x300").code == 0
    assert len(frames(film)) == 3


def test_the_camera_turns(run: Run, tmp_path: Path) -> None:
    pictures = {}
    for turn in (0, 90):
        film = tmp_path / f"{turn}.gif"
        options = ("--film", "contour_3d", "--turn", turn, "--frames", "4", "--size", "200x160")
        assert run(*RUN, "--animate", film, *options).code == 0
        pictures[turn] = frames(film)
    assert len(pictures[90]) == 4
    np.testing.assert_array_equal(pictures[0][0].shape, (160, 200, 3))
    # Seen from another side, the box around the path alone changes more than a twentieth of the pixels.
    assert (pictures[0][-1] != pictures[90][-1]).any(axis=2).mean() > 0.05


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--frames", "3"], "--frames is 3, but no film is asked for; give --animate FILE, too"),
        (
            ["--picture", "surface", "--animate", "a.gif"],
            "--picture is 'surface', but no picture is asked for",
        ),
        (["--style", "dark"], "--style is 'dark', but no picture is asked for; give --plot FILE, too"),
        (["--plot", "a.gif", "--animate", "./a.gif"], "--animate is 'a.gif', and so is --plot; give two files"),
        (["--animate", "a.gif", "--frames", "0"], "--frames is 0; it must be a whole number at least 1"),
        (["--animate", "a.gif", "--fps", "nan"], "--fps is nan; it must be a number from 0.01 to 100"),
        (["--animate", "a.gif", "--size", "800"], "--size is '800'; write width and height in pixels, such as"),
        (["--animate", "a.gif", "--size", "10x800"], "--size is (10, 800); it must be two whole numbers"),
        (["--animate", "a.mp4", "--size", "801x600"], "--size is (801, 600); .mp4 needs an even width and height"),
        (["--animate", "a.gif", "--quality", "0"], "--quality is 0; it must be a whole number from 1 to 100"),
        (["--animate", "a.gif", "--film", "contuor"], "--film is 'contuor'; did you mean 'contour'?"),
        (["--animate", "a.gif", "--film", "curve"], "--film is 'curve', but there are 2 coordinates"),
        (["--animate", "a.gif", "--turn", "90"], "--turn is 90.0, but a contour is flat"),
        (["--animate", "a.gif", "--spacing", "lenght"], "--spacing is 'lenght'; did you mean 'length'?"),
    ],
)
@pytest.mark.parametrize("command", ["run", "compare"])
def test_a_wrong_option_is_named_before_the_run(run: Run, command: str, options: list[str], message: str) -> None:
    rule = ["--optimizers", "adam"] if command == "compare" else []
    # So many steps would take minutes.
    done = run(command, "x**2 + y**2 + 1", "--start", "2,1", *rule, "--max-steps", "100000000", *options)
    assert done.code == 2
    (line,) = done.err.splitlines()
    assert line.startswith(f"fallline: {message}")
    assert not done.out


def test_a_curve_needs_one_coordinate_and_a_landscape_two(run: Run) -> None:
    done = run("run", "x**2", "--start", "1", "--animate", "a.gif", "--film", "surface")
    assert done.err == "fallline: --film is 'surface', but there is one coordinate; a landscape needs two\n"
