from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from tests.cases import few

from fallline.views.lettering import Lettering, lettering

STEPS = [0, 1, 7, 17, 71, 110, 999]
# Every pair of digits, a power of ten, and the minus sign that titles use.
LINES = [f"step {step}: f = {value}" for step in STEPS for value in ("7.71", "0.1234", "−1.2e+07", "56890")]


def blank(*, colour: str = "#000000", ground: str = "#FFFFFF", size: tuple[float, float] = (8, 6), **look: Any) -> Any:
    """A blank title, and the function that draws on its figure."""
    figure = Figure(figsize=size, dpi=100, facecolor=ground)
    canvas: Any = FigureCanvasAgg(figure)
    title = figure.subplots().set_title("", fontsize=14, color=colour, **look)
    canvas.draw()
    return title, canvas.renderer


def drawn(title: Any, line: str, renderer: Any, ground: int = 255) -> Any:
    """The picture of a title on a plain ground."""
    renderer.clear()
    pixels = np.asarray(renderer.buffer_rgba())
    pixels[..., :3], pixels[..., 3] = ground, 255
    title.set_text(line)
    title.draw(renderer)
    return pixels.copy()


@pytest.mark.parametrize("family", few(["DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono", "STIXGeneral"], 2))
@pytest.mark.parametrize("style", few(["normal", "italic"], 1))
def test_lines_look_as_matplotlib_draws_them(family: str, style: str) -> None:
    title, renderer = blank(family=family, style=style)
    quick = lettering(title, renderer, LINES)
    assert isinstance(quick, Lettering)
    for line in LINES:
        np.testing.assert_array_equal(drawn(title, line, quick), drawn(title, line, renderer))


@pytest.mark.parametrize("colour", ["#F2F2F2", "#D55E00"])
@pytest.mark.parametrize("ground", [18, 130])
def test_letters_keep_their_colour_on_any_ground(colour: str, ground: int) -> None:
    # An odd width puts the middle of the title between two pixels.
    title, renderer = blank(colour=colour, size=(6.41, 4.83))
    quick = Lettering(title, renderer)
    for line in LINES[:8]:
        np.testing.assert_array_equal(drawn(title, line, quick, ground), drawn(title, line, renderer, ground))


def test_several_lines_and_mathematics() -> None:
    title, renderer = blank()
    quick = Lettering(title, renderer)
    for line in ("left (a)\nand right (b)", "$x^2$ after 7", "price \\$5"):
        np.testing.assert_array_equal(drawn(title, line, quick), drawn(title, line, renderer))


def test_letters_that_grow_together_are_left_to_matplotlib() -> None:
    """Arabic letters change with their neighbours, and two letters f may become one ligature."""
    for line in ("سلام 1", "off 1"):
        title, renderer = blank(family="STIXGeneral" if line.isascii() else "DejaVu Sans")
        chosen = lettering(title, renderer, [line])
        for number in (1, 2):
            text = line.replace("1", str(number))
            np.testing.assert_array_equal(drawn(title, text, chosen), drawn(title, text, renderer))
