"""Fallback fonts for characters that the default font lacks: names of coordinates may be in any script."""

from __future__ import annotations

from functools import cache

from matplotlib.cbook import is_math_text
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, fontManager
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

# This font only draws placeholders for missing characters.
LAST_RESORT = "Last Resort"


def make_legible(figure: Figure) -> None:
    """Give every text of a figure fonts for all its characters, as far as they are installed.

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
    """The installed families that have the characters, those with the most of them first."""
    upright = (font for font in fontManager.ttflist if font.style == "normal" and not font.name.startswith(LAST_RESORT))
    # The regular weight of each family, where there is one.
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
