"""Where the texts of a picture stand: on the page, apart from each other, and large enough to read."""

from __future__ import annotations

import itertools
from typing import Any
from unittest.mock import patch

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

# Of a point: letters are antialiased, and the box of a text is a little larger than its letters.
ROUNDING = 0.75


def texts(figure: Figure) -> list[tuple[Text, Bbox]]:
    """The texts that a picture shows, each with its box in points from the lower left corner of the page."""
    found: list[Text] = []
    draw = Text.draw

    def noted(text: Text, renderer: Any) -> None:
        if text.get_visible() and text.get_text().strip():
            found.append(text)
        draw(text, renderer)

    # Axes make more ticks than they draw.
    with patch.object(Text, "draw", noted):
        canvas: Any = FigureCanvasAgg(figure)
        canvas.draw()
    return [(text, Bbox(text.get_window_extent().get_points() * 72 / figure.dpi)) for text in found]


def assert_fits(figure: Figure, least: float = 5.5) -> None:
    """All texts are at least so large, in points, whole on the page, and none lies on another."""
    width, height = (72 * side for side in figure.get_size_inches())
    shown = texts(figure)
    assert shown
    for text, box in shown:
        assert float(text.get_fontsize()) >= least, text
        assert min(box.min) >= -ROUNDING, f"{text} at {box.extents}"
        assert box.x1 <= width + ROUNDING, f"{text} at {box.extents} on a page {width} wide"
        assert box.y1 <= height + ROUNDING, f"{text} at {box.extents} on a page {height} high"
    for (one, first), (other, second) in itertools.combinations(shown, 2):
        both = Bbox.intersection(first, second)
        apart = both is None or min(both.width, both.height) <= ROUNDING
        assert apart, f"{one} lies on {other}"
