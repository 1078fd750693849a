"""What every result can do: a picture, a table, a film where it has paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from tests.cases import few
from tests.results.samples import RESULTS, named, result

from fallline import Basins, Comparison, FalllineError, Fit, Sweep, Trajectory, Tuning


@pytest.mark.parametrize("name", few((name for name in RESULTS if name != "diverging"), 4))
def test_every_result_has_a_picture(name: str, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    figure = named(name).plot(path, style="dark")
    assert isinstance(figure, Figure)
    with Image.open(path) as image:
        assert min(image.size) > 200
    with pytest.raises(FalllineError, match=r"its name must end in|which has no ending|ends in"):
        named(name).plot(tmp_path / "picture.txt")


@pytest.mark.parametrize("kind", few([Trajectory, Comparison, Fit], 1))
def test_a_result_with_paths_can_be_filmed(kind: type, tmp_path: Path) -> None:
    film = result(kind).animate(tmp_path / "film.gif", frames=3)
    assert film.frames == 3
    assert (tmp_path / "film.gif").stat().st_size > 1000


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_becomes_a_frame(name: str) -> None:
    found, frame = named(name), named(name).to_frame()
    rows: dict[type, Any] = {
        Trajectory: lambda: len(found),
        Comparison: lambda: sum(map(len, found)),
        Sweep: lambda: len(found),
        Basins: lambda: found.basin.size,
        Tuning: lambda: len(found.trials),
        Fit: lambda: len(found.parameters),
    }
    assert len(frame) == rows[type(found)]()


def test_the_frame_of_basins_has_each_start_beside_its_minimum() -> None:
    found = result(Basins)
    frame = found.to_frame()
    row = frame[(frame["x"] == found.x[2]) & (frame["y"] == found.y[5])].iloc[0]
    assert (row["basin"], row["steps"]) == (found.basin[5, 2], found.steps[5, 2])


def test_the_frame_of_a_fit_has_each_parameter_in_both_units() -> None:
    found = result(Fit)
    frame = found.to_frame()
    assert dict(zip(frame["parameter"], frame["value"], strict=True)) == found.parameters
    np.testing.assert_array_equal(frame["standardised"], found.trajectory.final.x)


def test_a_fit_shows_its_model_how_its_loss_fell_and_its_descent() -> None:
    def labels(found: Any, kind: str) -> set[str]:
        return {ax.get_xlabel() for ax in found.plot(kind=kind).axes}

    assert labels(named("fit with rows held out"), "auto") == {"hours"}
    assert labels(named("fit with rows held out"), "learning") == {"step"}
    assert "epoch" in {ax.get_xlabel() for ax in named("fit").plot(kind="histories").axes}


def test_a_tuning_shows_each_trial_and_the_best_so_far() -> None:
    found = result(Tuning)
    lines = {str(line.get_marker()): line for line in found.plot().axes[0].lines}
    best, trials, given_up = (lines[marker] for marker in ("None", "o", "x"))
    scores = np.array([trial.score for trial in found.trials])
    finite = np.where(np.isinf(scores), np.nan, scores)
    np.testing.assert_array_equal(trials.get_ydata(), finite)
    assert best.get_ydata()[-1] == found.best.score
    np.testing.assert_array_equal(given_up.get_xdata(), 1 + np.flatnonzero(np.isinf(scores)))
