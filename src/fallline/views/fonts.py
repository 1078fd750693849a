"""Fonts for letters that the usual one lacks: coordinates and columns have names in any script."""

from __future__ import annotations

from functools import cache

from matplotlib.cbook import is_math_text
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, fontManager
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

# Its letters are pictures of what is missing.
LAST_RESORT = "Last Resort"


def make_legible(figure: Figure) -> None:
    """Give every text of a figure fonts for all its letters, as far as the system has such.

    >>> figure = Figure()
    >>> title = figure.suptitle("f(𝒜) = 𝒜²")
    >>> make_legible(figure)
    >>> len(title.get_fontfamily()) > 1
    True
    """
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        words = text.get_text()
        if words.isascii() or is_math_text(words):
            continue
        lacking = frozenset(map(ord, words)) - _letters(findfont(text.get_fontproperties())) - {ord("\n")}
        families = text.get_fontfamily()
        more = [family for family in _families(lacking) if family not in families]
        if more:
            text.set_fontfamily([*families, *more])


@cache
def _letters(path: str) -> frozenset[int]:
    return frozenset(FT2Font(path).get_charmap())


@cache
def _families(lacking: frozenset[int]) -> tuple[str, ...]:
    """The installed families that have the letters, those with the most of them first."""
    upright = (font for font in fontManager.ttflist if font.style == "normal" and not font.name.startswith(LAST_RESORT))
    # Of each family the one of usual weight, where it has that.
    fonts = {font.name: font.fname for font in sorted(upright, key=lambda font: font.weight == 400)}
    chosen: list[str] = []
    while lacking:
        family = max(sorted(fonts), key=lambda name: len(lacking & _letters(fonts[name])))
        found = lacking & _letters(fonts[family])
        if not found:
            break
        chosen.append(family)
        lacking -= found
    return tuple(chosen)
