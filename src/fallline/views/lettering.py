"""Fast drawing of titles that change from frame to frame: each letter is rendered once, then copied."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.text import Text

# Positions of letters are in 64ths of a pixel, as in FreeType.
PARTS = 64


def lettering(text: Text, renderer: Any, lines: Sequence[str]) -> Any:
    """A renderer that draws each of the lines exactly as `renderer` does, but faster, if that is possible.

    Arguments:
        text: the text artist that shows the lines in turn.
        renderer: the renderer to match; it is cleared.
        lines: the lines to be drawn, all titles of a film.
    """
    rest = "".join(sorted(set("".join(lines)) - set(lines[-1]) - {"\n"}))
    quick = Lettering(text, renderer)
    # Every letter is compared, in a whole line: some scripts cannot be set letter by letter.
    sample = lines[-1] + rest
    alike = np.array_equal(_drawn(text, sample, renderer), _drawn(text, sample, quick))
    return quick if alike else renderer


def _drawn(text: Text, line: str, renderer: Any) -> npt.NDArray[np.uint8]:
    renderer.clear()
    text.set_text(line)
    text.draw(renderer)
    return np.array(renderer.buffer_rgba())


class Lettering:
    """A renderer for one text that copies cached letters; everything else is passed to another renderer."""

    def __init__(self, text: Text, renderer: Any) -> None:
        self._renderer = renderer
        font = text.get_fontproperties()
        # Width, height and descent in pixels.
        self._size = cache(lambda letters: renderer.get_text_width_height_descent(letters, font, False))
        # The distance from the first letter to the second, with kerning.
        self._advance = cache(lambda first, second: self._size(first + second)[0] - self._size(second)[0])
        self._images: dict[tuple[str, int, int], tuple[npt.NDArray[np.uint8], int, int]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._renderer, name)

    def get_text_width_height_descent(self, s: str, prop: Any, ismath: Any) -> tuple[float, float, float]:
        """The size of a line, from the sizes of its letters."""
        if ismath:
            return tuple(self._renderer.get_text_width_height_descent(s, prop, ismath))
        widths, heights, descents = zip(*map(self._size, s), strict=True)
        width = max(place + width for place, width in zip(self._places(s), widths, strict=True))
        ascent = max(height - descent for height, descent in zip(heights, descents, strict=True))
        return width, ascent + max(descents), max(descents)

    def draw_text(
        self, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath: Any = False, mtext: Any = None
    ) -> None:
        """Draw a line whose first letter is at (x, y), counted from the upper left corner."""
        if ismath or angle:
            self._renderer.draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            return
        row, below = divmod(round(PARTS * y), PARTS)
        bottom = int(self._renderer.height) - row
        for letter, place in zip(s, self._places(s), strict=True):
            column, right = divmod(round(PARTS * (x + place)), PARTS)
            found = self._images.get((letter, right, below))
            if found is None:
                found = self._images[letter, right, below] = self._image(gc, prop, letter, right, below)
            image, aside, above = found
            if image.size:
                self._renderer.draw_image(gc, column + aside, bottom + above, image)

    def _places(self, s: str) -> list[float]:
        """The distance of each letter from the first, in pixels."""
        return list(itertools.accumulate(itertools.starmap(self._advance, itertools.pairwise(s)), initial=0.0))

    def _image(self, gc: Any, prop: Any, letter: str, right: int, below: int) -> tuple[npt.NDArray[np.uint8], int, int]:
        """The pixels of a letter from the bottom up, and their offset to the right and up from its position.

        Arguments:
            right, below: the offset of its position from whole pixels, in 64ths of a pixel.
        """
        middle = 2 * int(np.ceil(self._renderer.points_to_pixels(prop.get_size_in_points())))
        sheet = type(self._renderer)(2 * middle, 2 * middle, self._renderer.dpi)
        sheet.draw_text(gc, middle + right / PARTS, middle + below / PARTS, letter, prop, 0)
        column, row, image = visible(sheet.buffer_rgba())
        # On a transparent canvas, pale pixels lose digits of their colour.
        image[..., :3] = np.rint(255 * np.array(gc.get_rgb()[:3]))
        return image, column - middle, row - middle


def visible(pixels: Any) -> tuple[int, int, npt.NDArray[np.uint8]]:
    """The part of a transparent canvas that is drawn on, as `draw_image` takes it: column, row and pixels, both counted
    from the bottom left."""
    turned = np.asarray(pixels)[::-1]
    drawn = turned[..., 3] > 0
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    if not rows.size:
        return 0, 0, turned[:0].copy()
    image = turned[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()
    return int(columns[0]), int(rows[0]), image
