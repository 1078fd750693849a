from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image
from tests.cases import few
from tests.views.runs import halving

from fallline import FalllineError
from fallline.views import check_film_path, check_picture_path, plot, save_picture
from fallline.views.picture_files import PICTURE_ENDINGS


@pytest.mark.parametrize("path", ["a.png", "b.PNG", "c.svg", "d.pdf", Path("x/y.jpg")])
def test_picture_endings(path: str | Path) -> None:
    check_picture_path(path)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("a.pgn", r"^path is 'a.pgn', which ends in '.pgn'; did you mean '.png'\? Allowed: .*\.pdf, \.png"),
        ("a.csv", r"^path is 'a.csv', which ends in '.csv'; .*Allowed: "),
        ("picture", r"^path is 'picture', which has no ending; Allowed: "),
    ],
)
def test_wrong_picture_endings_name_the_right_ones(path: str, message: str) -> None:
    with pytest.raises(FalllineError, match=message):
        check_picture_path(path)


def test_the_parameter_is_the_callers() -> None:
    with pytest.raises(FalllineError, match=r"^--plot is 'a.csv'"):
        check_picture_path("a.csv", parameter="--plot")
    with pytest.raises(FalllineError, match=r"^--animate is 'a.png', which ends in '.png'; .*\.gif, \.html"):
        check_film_path("a.png", parameter="--animate")


@pytest.mark.parametrize("ending", few(PICTURE_ENDINGS, 6))
def test_every_ending_that_is_allowed_can_be_written(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    save_picture(plot(halving()), path)
    assert path.stat().st_size > 1000


def test_png_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "descent.png"
    figure = plot(halving(), path)
    assert isinstance(figure, Figure)
    with Image.open(path) as picture:
        assert picture.size == (800, 602)
        colours = picture.convert("RGB").getcolors(maxcolors=10**6)
    assert colours is not None
    assert len(colours) > 100


def test_a_wrong_ending_is_told_before_anything_is_drawn(tmp_path: Path) -> None:
    # The runs are no runs, but the path is looked at first.
    with pytest.raises(FalllineError, match="path is"):
        plot(3, tmp_path / "a.xyz")
    assert not list(tmp_path.iterdir())


def test_nothing_is_left_where_a_picture_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(FalllineError, match="does not exist"):
        save_picture(Figure(), tmp_path / "missing" / "a.png")
    broken = Figure()
    broken.text(0.5, 0.5, r"$\nothing$")
    with pytest.raises(ValueError, match="nothing"):
        save_picture(broken, tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.long
def test_pyplot_is_never_imported() -> None:
    """Its figures live until they are closed, and it may want a screen."""
    program = (
        "import sys, fallline, fallline.views as views\n"
        "run = fallline.minimize(lambda x, y: x*x + y*y, (1, 2), fallline.GradientDescent(0.1), max_steps=5)\n"
        "for kind in ('contour', 'contour_3d', 'surface', 'histories'): views.plot(run, kind=kind)\n"
        "views.animate(run, kind='surface', frames=2, resolution=8)._repr_html_()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
