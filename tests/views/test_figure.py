"""The figure that shows itself."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from PIL import Image

import fallline
from fallline import FalllineError, GradientDescent, minimize
from fallline.views.figure import NOTEBOOK_DPI


def test_a_notebook_is_given_the_picture_at_twice_the_size_that_it_shows() -> None:
    picture = minimize("x**2", 3.0, GradientDescent(0.1)).plot()
    data, shown = picture._repr_png_()
    width, height = Image.open(io.BytesIO(data)).size
    assert (width, height) == pytest.approx((2 * shown["width"], 2 * shown["height"]), abs=2)
    assert shown["width"] == round(picture.get_figwidth() * NOTEBOOK_DPI / 2)


def test_every_kind_of_picture_says_what_it_is() -> None:
    runs = fallline.compare("x**2 + y**2", [3.0, 1.0], ["adam", "momentum"], max_steps=20)
    for kind in ("contour", "surface", "histories"):
        assert repr(runs.plot(kind=kind)).startswith("Picture of ")


def test_without_a_display_show_says_what_to_do() -> None:
    picture = minimize("x**2", 3.0, GradientDescent(0.1)).plot()
    with pytest.raises(FalllineError, match=r'no display; .*\.savefig\("picture\.png"\)'):
        picture.show()


def test_pyplot_is_not_needed() -> None:
    code = (
        "import sys, fallline; picture = fallline.minimize('x**2', 3.0, 'adam', max_steps=9).plot(); "
        "picture._repr_png_(); print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
