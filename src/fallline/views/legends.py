"""The legends of pictures."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from fallline.errors import FalllineError
from fallline.pictures.paths import Path, legend_labels, named
from fallline.views.appearance import LINE_HEIGHT, WIDTH, inches, plain
from fallline.views.look import Look, look_of, sizes_of, theme_of
from fallline.views.traces import STEPS, run_look, star_look, start_look

# The width of axes beside a colour bar, by that of their figure: a wider legend would push them together.
AXES = 0.78
# The width of a key and of the gaps around it, and that to which a column of labels may be narrowed, in characters.
HANDLE, NARROWEST = 7, 20
# The lines of a legend: at most so many below a figure of ours, and on this share of the height on axes of the user's;
# on fewer than the last, runs alone are named.
MOST_LINES, INSIDE, ROOMY = 8, 0.4, 6
# In front of everything else.
FRONT = 20
# The space between columns, in font sizes.
SPACING = 1.5


def _put(ax: Any, keys: Sequence[Artist], columns: int) -> None:
    """Put a legend of so many columns below the axes, or on axes of the user's."""
    look, sizes = look_of(ax), sizes_of(ax)
    shape: dict[str, Any] = {
        "fontsize": sizes.legend,
        "labelcolor": look.theme.ink,
        "ncols": columns,
        "columnspacing": SPACING,
    }
    if look.ax is not None:
        ax.legend(handles=keys, loc="best", facecolor=look.theme.ground, framealpha=0.8, **shape).set_zorder(FRONT)
        return
    # The distance is in font sizes, to clear the ticks and the axis label at any height of the axes. In three
    # dimensions they stand beside the lowest corner, and only what is below that counts.
    solid = ax.name == "3d"
    names = [ax.get_xlabel(), ax.get_ylabel()] if solid else [ax.get_xlabel()]
    folded = max(name.count("\n") for name in names) * LINE_HEIGHT * sizes.label / sizes.legend
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "frameon": False}
    ax.legend(handles=keys, borderaxespad=(2.3 if solid else 4) + folded, **place, **shape)


def _room(drawn: Any, share: float) -> int:
    """How many characters a legend may be wide: as the axes, in a figure of ours as they will be."""
    look = look_of(drawn)
    width = inches(drawn)[0] if look.ax is not None else share * float(drawn.get_figure(root=True).get_figwidth())
    return look.sizes.characters(width, look.sizes.legend)


def legend_of(drawn: Any, keys: Sequence[Artist], *, share: float = AXES) -> None:
    """Put a legend below axes or below a figure of several, where it hides nothing; on axes of the user's, inside them.

    Arguments:
        keys: one for each line, with its label.
        share: the width of axes as a share of that of their figure.
    """
    look = look_of(drawn)
    if not (look.legend and keys):
        return
    solitary = isinstance(drawn, Axes)
    columns, labels, _ = _wrapped([str(key.get_label()) for key in keys], _room(drawn, share if solitary else 1))
    for entry, label in zip(keys, labels, strict=True):
        entry.set_label(label)
    if solitary:
        _put(drawn, keys, columns)
        return
    shape: dict[str, Any] = {"fontsize": look.sizes.legend, "frameon": False, "labelcolor": look.theme.ink}
    drawn.legend(handles=keys, loc="outside lower center", ncols=columns, **shape)


def lines_of(look: Look, labels: Sequence[str], width: float = WIDTH, *, share: float = AXES) -> int:
    """The number of lines that `legend_of` takes.

    Arguments:
        width: of the figure, in inches in a notebook.
        share: as in `legend_of`; 1 below a whole figure.
    """
    figure = look.figsize[0] if look.figsize is not None else width * look.sizes.width / WIDTH
    return _wrapped(labels, look.sizes.characters(share * figure, look.sizes.legend))[2] if labels else 0


def _wrapped(labels: Sequence[str], room: int) -> tuple[int, list[str], int]:
    """The number of columns in which a legend has the fewest lines, its labels wrapped to them, and these lines.

    Arguments:
        room: how many characters it may be wide.
    """
    longest = max(map(len, labels), default=0)
    most = max(1, min(len(labels), room // (min(NARROWEST, longest) + HANDLE)))
    wrapped = {
        count: [textwrap.fill(label, max(8, room // count - HANDLE)) for label in labels]
        for count in range(1, most + 1)
    }

    def lines(count: int) -> int:
        # Matplotlib fills column by column.
        heights = np.array([1 + label.count("\n") for label in wrapped[count]])
        return max(int(column.sum()) for column in np.array_split(heights, count))

    # A folded label is harder to read than a legend that is half a line higher.
    columns = min(wrapped, key=lambda count: lines(count) + 0.5 * sum("\n" in label for label in wrapped[count]))
    return columns, [plain(label) for label in wrapped[columns]], lines(columns)


def race_legend(ax: Axes, paths: Sequence[Path], extra: Sequence[Line2D] = ()) -> None:
    """Add the legend of several runs on one landscape; of more than there is room for it names the first."""
    look, sizes = look_of(ax), sizes_of(ax)
    lines = MOST_LINES if look.ax is None else int(INSIDE * inches(ax)[1] * 72 / (1.5 * sizes.legend))
    extra = extra if lines >= ROOMY else ()
    labels, others = _names(look, paths, lines - bool(extra), _room(ax, AXES))
    keys = [key(label, run_look(ax, number)) for number, label in enumerate(labels)]
    if others:
        line = {"color": look.theme.ink, "linewidth": sizes.line}
        keys.append(key(others, {"linestyle": "none"} if labels else line))
    keys += extra
    legend_of(ax, keys)


def lines_below(look: Look, paths: Sequence[Path]) -> int:
    """The number of lines of the legend below a new figure on one landscape, with the keys of starts and minima."""
    if look.ax is not None:
        return 0
    width = AXES * (look.figsize[0] if look.figsize else look.sizes.width)
    room = look.sizes.characters(width, look.sizes.legend)
    labels, others = _names(look, paths, MOST_LINES - 1, room) if len(paths) > 1 else (("step 1000",), "")
    return _wrapped([*labels, *filter(None, [others]), "start", "known minimum"], room)[2]


def _names(look: Look, paths: Sequence[Path], lines: int, room: int) -> tuple[Sequence[str], str]:
    """The runs that a legend of so many lines names, so many characters wide, and a line about the others."""
    own = None if isinstance(look.legend, bool) else look.legend
    every = legend_labels(paths) if own is None else own
    labels, others = named(paths, max(2, lines * _wrapped(every, room)[0]))
    return own_names(look, labels), others


def own_names(look: Look, labels: Sequence[str]) -> Sequence[str]:
    """The names of the runs: those that the user chose, or their labels.

    Raises:
        FalllineError: when the user chose another number of names.
    """
    if isinstance(look.legend, bool):
        return labels
    if len(look.legend) != len(labels):
        raise FalllineError("legend", look.legend, f"it must have {len(labels)} names, one for each run named")
    return look.legend


def minimum_key(ax: Axes) -> Line2D:
    """The entry of a legend for the stars at known minima."""
    return key("known minimum", star_look(ax))


def start_key(ax: Axes) -> Line2D:
    """The entry of a legend for the rings at the starts."""
    return key("start", start_look(ax))


def key(label: str, line: dict[str, Any]) -> Line2D:
    """An entry of a legend."""
    return Line2D([], [], **line, label=label)


def step_keys(ax: Any, last: str) -> list[Line2D]:
    """The legend entries for the first (red) and, unless `last` is empty, the last (yellow) point."""
    theme, sizes = theme_of(ax), sizes_of(ax)
    dot = {"linestyle": "none", "marker": "o", "markeredgecolor": theme.edge, "markersize": sizes.marker}
    dot |= {"markeredgewidth": 0.5 * sizes.line}
    return [key(label, dot | {"color": STEPS(share)}) for share, label in ((0.0, "start"), (1.0, last)) if label]
