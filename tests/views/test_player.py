from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.views.runs import bowl, doubling, halving, in_space, on_batches, on_bowl, two_on_bowl

import fallline
from fallline import Comparison, GradientDescent
from fallline.views import animate, notebook


def data_of(page: str) -> dict[str, Any]:
    """The numbers that a page carries."""
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])  # type: ignore[no-any-return]


def numbers(packed: dict[str, Any]) -> Any:
    """A column as the page's script reads it."""
    if "by" in packed:
        return packed["from"] + packed["by"] * np.arange(packed["count"])
    ((kind, text),) = packed.items()
    return np.frombuffer(base64.b64decode(text), f"<{kind}")


def test_the_page_needs_no_network(tmp_path: Path) -> None:
    path = tmp_path / "descent.html"
    film = animate(on_bowl(), path, resolution=16)
    page = path.read_text(encoding="utf-8")
    assert page == film.html()
    assert not re.search(r"https?:|src=|href=|@import|url\(|fetch\(", page)


def test_the_page_carries_the_runs_own_numbers() -> None:
    runs = two_on_bowl()
    data = data_of(animate(runs, resolution=16, frames=20, frames_per_second=4).html())
    assert data["names"] == ["x", "y"]
    assert data["seconds"] == 5
    assert [path["label"] for path in data["paths"]] == ["slow", "fast"]
    for run, path in zip(runs, data["paths"], strict=True):
        np.testing.assert_array_equal(numbers(path["times"]), run.steps)
        # Seven digits are kept.
        for name, column in (("x", run.x[:, 0]), ("y", run.x[:, 1]), ("value", run.value), ("rate", run.rate)):
            np.testing.assert_allclose(numbers(path[name]), column, rtol=1e-6)
        np.testing.assert_allclose(numbers(path["gradient"]), run.gradient_norm, rtol=1e-6)


def test_the_landscape_is_the_function() -> None:
    data = data_of(animate(on_bowl(), resolution=32).html())
    grid = data["grid"]
    codes = numbers(grid["codes"]).reshape(grid["rows"], grid["columns"])
    bounds = grid["bounds"]
    heights = np.interp(codes / 65534, np.linspace(0, 1, len(bounds)), bounds)
    x, y = np.meshgrid(*(np.linspace(low, high, 32) for low, high in (data["x"], data["y"])))
    # 65,535 shades of the heights, finer where the levels are close.
    np.testing.assert_allclose(heights, x**2 + 3 * y**2, atol=1e-4 * (bounds[-1] - bounds[0]))
    assert {name: len(colours) for name, colours in grid["bands"].items()} == {
        "light": len(bounds) - 1,
        "dark": len(bounds) - 1,
    }


def test_where_there_is_no_number_there_is_no_colour() -> None:
    run = fallline.minimize("sqrt(x) + y**2", (1.0, 1.0), GradientDescent(0.1), max_steps=5)
    data = data_of(animate(run, bounds=((-1, 1), (-1, 1)), resolution=8).html())
    codes = numbers(data["grid"]["codes"]).reshape(8, 8)
    assert (codes[:, :4] == 65535).all()
    assert (codes[:, 4:] < 65535).all()


def test_a_curve_with_points() -> None:
    data = data_of(animate(halving(3)).html())
    np.testing.assert_allclose(numbers(data["curve"]["y"]), numbers(data["curve"]["x"]) ** 2, rtol=1e-6)
    assert numbers(data["paths"][0]["x"]).tolist() == [8, 4, 2, 1]
    assert numbers(data["paths"][0]["y"]).tolist() == [64, 16, 4, 1]


@pytest.mark.parametrize("kind", ["contour", "surface"])
def test_four_paths_of_a_thousand_steps_are_small(kind: str) -> None:
    rules = {f"rate {rate}": GradientDescent(rate) for rate in (1e-3, 2e-3, 3e-3, 4e-3)}
    runs = fallline.compare(bowl, (2, 1), rules, gradient=lambda x, y: (2 * x, 6 * y), max_steps=1000)
    assert all(len(run) == 1001 for run in runs)
    page = animate(runs, kind=kind, resolution=200).html()
    assert len(page.encode()) < 300_000
    assert all(len(numbers(path["x"])) == 1001 for path in data_of(page)["paths"])


@pytest.mark.parametrize("run", [doubling(), halving(1), on_bowl(rate=2.0, steps=2000), on_batches()])
def test_diverged_and_short_runs_play(run: fallline.Trajectory) -> None:
    path = data_of(animate(run, resolution=16).html())["paths"][0]
    lengths = {len(numbers(path[name])) for name in ("times", "x", "y", "value", "gradient", "rate")}
    assert len(lengths) == 1


def test_words_cannot_end_the_script() -> None:
    page = animate({"</script><b>": halving()}).html()
    assert data_of(page)["paths"][0]["label"] == "</script><b>"
    assert "<b>" not in page


@pytest.mark.parametrize("runs", [halving(), on_bowl(), two_on_bowl(), Comparison(("a", "b"), (halving(), halving(2)))])
def test_runs_show_themselves_in_a_notebook(runs: Any) -> None:
    shown = runs._repr_html_()
    assert shown == notebook(runs)
    assert " srcdoc=" in shown


def test_the_picture_behind_the_player_is_small_and_like_the_last_frame() -> None:
    film = animate(two_on_bowl(), resolution=128)
    found = re.search('src="data:image/png;base64,([^"]*)"', film._repr_html_())
    assert found is not None
    png = base64.b64decode(found[1])
    # Notebooks keep every output: compared with the player, which may have 300 kB, this is little.
    assert len(png) < 60_000
    *_, last = film.pictures()
    shown = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), int)
    # With 256 colours the nearest is seldom far off; a 20th of the range is not visible.
    assert (np.abs(shown - last[..., :3]).max(axis=2) <= 13).mean() > 0.99


def test_runs_without_a_landscape_show_their_histories() -> None:
    assert ' src="data:image/png;base64,' in str(in_space()._repr_html_())


def test_what_cannot_be_drawn_is_shown_as_a_table() -> None:
    assert Comparison((), ())._repr_html_() == "<div><strong>Comparison of 0 runs</strong></div>"


def test_a_film_in_space_shows_itself_as_a_picture() -> None:
    shown = animate(on_bowl(), kind="contour_3d", frames=2, size=(100, 80), resolution=8)._repr_html_()
    picture = base64.b64decode(shown.removeprefix('<img src="data:image/webp;base64,').removesuffix('">'))
    assert picture[:4] == b"RIFF"


def test_runs_film_themselves(tmp_path: Path) -> None:
    for number, runs in enumerate((on_bowl(), two_on_bowl())):
        path = tmp_path / f"{number}.gif"
        assert runs.animate(path, frames=3, resolution=8).frames == 3
        assert path.exists()
