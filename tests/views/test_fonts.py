from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font
from tests.views.runs import halving

from fallline.views import plot

# A letter that Matplotlib brings in the font STIX, not in the one it writes with.
RARE = "\U0001d49c"


def letters(family: str) -> set[int]:
    return set(FT2Font(findfont(FontProperties(family=family))).get_charmap())


def test_the_letter_is_as_rare_as_is_said() -> None:
    assert ord(RARE) not in letters("DejaVu Sans")
    assert ord(RARE) in letters("STIXGeneral")


@pytest.mark.parametrize("kind", ["curve", "histories"])
def test_letters_of_other_fonts_are_drawn(tmp_path: Path, kind: str) -> None:
    with warnings.catch_warnings():
        # Such as Matplotlib's that a glyph is missing.
        warnings.simplefilter("error")
        figure = plot({f"rate {RARE}": halving(), "slow": halving(2)}, tmp_path / "race.png", kind)
    # Texts that need no other font keep theirs.
    assert figure.axes[0].xaxis.label.get_fontfamily() == FontProperties().get_family()
