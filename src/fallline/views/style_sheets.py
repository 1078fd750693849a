"""Writes the looks of pictures as style sheets of Matplotlib: `python -m fallline.views.style_sheets`.

They are used as `plt.style.use("fallline.views.light")`, or with a context after it:
`plt.style.use(["fallline.views.dark", "fallline.views.slide"])`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fallline.files import whole_file
from fallline.views.appearance import FRAME, TICK
from fallline.views.look import OWN_TEXTS, SIZES, Sizes
from fallline.views.theme import THEMES, Theme

# The height of a figure, by its width.
HEIGHT = 0.75


def sheets() -> dict[str, str]:
    """The style sheets: the name of each file, and what must be in it.

    >>> sorted(sheets())
    ['dark.mplstyle', 'light.mplstyle', 'notebook.mplstyle', 'paper.mplstyle', 'slide.mplstyle']
    """
    settings = {name: _colours(theme) for name, theme in THEMES.items()}
    settings |= {name: _lengths(sizes) for name, sizes in SIZES.items()}
    return {f"{name}.mplstyle": _written(name, found) for name, found in settings.items()}


def _colours(theme: Theme) -> dict[str, str]:
    inked = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color", "patch.edgecolor")
    grounds = ("figure.facecolor", "axes.facecolor", "legend.facecolor")
    # In a style sheet a number sign begins a comment.
    runs = ", ".join(f"'{colour.removeprefix('#')}'" for colour in theme.runs)
    return {
        **dict.fromkeys(grounds, theme.ground.removeprefix("#")),
        **dict.fromkeys(inked, theme.ink.removeprefix("#")),
        "grid.color": theme.grid.removeprefix("#"),
        "axes.prop_cycle": f"cycler('color', [{runs}])",
        "savefig.facecolor": "auto",
        "legend.frameon": "False",
        "image.cmap": "Blues_r",
    }


def _lengths(sizes: Sizes) -> dict[str, str]:
    texts = {setting: getattr(sizes, part) for part, setting in OWN_TEXTS.items() if part != "note"}
    lines = ("axes.linewidth", "xtick.major.width", "ytick.major.width", "grid.linewidth")
    ticks = ("xtick.major.size", "ytick.major.size", "xtick.major.pad", "ytick.major.pad")
    numbers = {
        **texts,
        "font.size": sizes.label,
        "ytick.labelsize": sizes.tick,
        "figure.dpi": sizes.dpi,
        "lines.linewidth": sizes.line,
        "lines.markersize": sizes.marker,
        **dict.fromkeys(lines, FRAME * sizes.line),
        **dict.fromkeys(ticks, TICK * sizes.tick),
    }
    size = f"{sizes.width:g}, {HEIGHT * sizes.width:g}"
    return {"figure.figsize": size, **{name: f"{number:g}" for name, number in numbers.items()}}


def _written(name: str, settings: Mapping[str, str]) -> str:
    lines = [f"# The look {name!r} of Fallline's pictures; written by fallline.views.style_sheets."]
    return "\n".join([*lines, *(f"{setting}: {value}" for setting, value in settings.items())]) + "\n"


if __name__ == "__main__":
    for file, text in sheets().items():
        with whole_file(Path(__file__).with_name(file)) as draft:
            draft.write_text(text, encoding="utf-8")
