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
from fallline.views.look import CHARACTER, Look, Sizes, look_of, sizes_of, theme_of
from fallline.views.traces import STEPS, run_look, star_look, start_look

# The width of the axes of a picture by that of its figure, with and without a colour bar: a legend that is wider would
# push them together.
BARRED, AXES = 0.78, 0.86
# The width of a key and of the gaps around it, and the least of a column of labels, in characters.
HANDLE, NARROWEST = 7, 20
# The lines of a legend: at most so many below a figure of ours, and on this share of the height on axes of the user's;
# on fewer than the last, runs alone are named.
MOST_LINES, INSIDE, ROOMY = 8, 0.4, 6
# In front of everything else.
FRONT = 20
# The space between columns, and what an entry takes beside its text, in font sizes: the line, and spaces around it.
SPACING, BESIDE = 1.5, 4.6


def legend_below(ax: Any, keys: Sequence[Artist], *, columns: int) -> None:
    """Put a legend below the axes, where it hides nothing; on axes of the user's, inside them.

    Arguments:
        columns: how many at most; fewer where they would be wider than the axes.
    """
    if look_of(ax).legend:
        labels = [str(entry.get_label()) for entry in keys]
        _put(ax, keys, min(columns, _columns(labels, sizes_of(ax), _width(ax))))


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


def _width(ax: Any) -> float:
    """The width for a legend in inches: that of the axes, in a figure of ours as it will be."""
    look = look_of(ax)
    return inches(ax)[0] if look.ax is not None else BARRED * float(ax.get_figure(root=True).get_figwidth())


def _columns(labels: Sequence[str], sizes: Sizes, width: float) -> int:
    """In how many columns labels fit on a width in inches, all of them about equally long."""
    letters = max((len(line) for label in labels for line in label.splitlines()), default=0)
    wide = (CHARACTER * letters + BESIDE) * sizes.legend / 72
    most = min(len(labels), max(1, int(width / wide)))
    lines = -(-len(labels) // max(1, most))
    return -(-len(labels) // max(1, lines))


def legend_of(drawn: Any, keys: Sequence[Artist], *, share: float = AXES) -> None:
    """Put a legend below axes or below a figure of several, in as many columns as its labels leave room for.

    Arguments:
        keys: one for each line, with its label.
        share: the width of axes as a share of that of their figure.
    """
    look = look_of(drawn)
    if not (look.legend and keys):
        return
    solitary = isinstance(drawn, Axes)
    figure = drawn.get_figure(root=True).get_figwidth()
    width = inches(drawn)[0] if look.ax is not None else (share if solitary else 1) * figure
    columns, labels, _ = _wrapped(
        [str(key.get_label()) for key in keys], look.sizes.characters(width, look.sizes.legend)
    )
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
    most = max(1, min(len(labels), room // (NARROWEST + HANDLE)))
    wrapped = {
        count: [textwrap.fill(label, room // count - HANDLE) for label in labels] for count in range(1, most + 1)
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
    look, sizes, width, height = look_of(ax), sizes_of(ax), _width(ax), inches(ax)[1]
    room = MOST_LINES if look.ax is None else int(INSIDE * height * 72 / (1.5 * sizes.legend))
    extra = extra if room >= ROOMY else ()
    labels, others = _names(look, paths, room - bool(extra), width)
    keys = [key(ax, label, run_look(ax, number)) for number, label in enumerate(labels)]
    if others:
        line = {"color": look.theme.ink, "linewidth": sizes.line}
        keys.append(key(ax, others, {"linestyle": "none"} if labels else line))
    keys += extra
    legend_below(ax, keys, columns=len(keys))


def lines_below(look: Look, paths: Sequence[Path]) -> int:
    """The number of lines of the legend below a new figure on one landscape, with the keys of starts and minima."""
    if look.ax is not None:
        return 0
    width = BARRED * (look.figsize[0] if look.figsize else look.sizes.width)
    labels, others = _names(look, paths, MOST_LINES - 1, width) if len(paths) > 1 else (("step 1000",), "")
    entries = [*labels, *filter(None, [others]), "start", "known minimum"]
    letters = look.sizes.characters(width, look.sizes.legend)
    folded = sum(len(textwrap.wrap(entry, letters)) - 1 for entry in entries)
    return -(-len(entries) // _columns(entries, look.sizes, width)) + folded


def _names(look: Look, paths: Sequence[Path], lines: int, width: float) -> tuple[Sequence[str], str]:
    """The runs that a legend of so many lines names on a width in inches, and a line about the others."""
    own = None if isinstance(look.legend, bool) else look.legend
    every = legend_labels(paths) if own is None else own
    labels, others = named(paths, max(2, lines * _columns(every, look.sizes, width)))
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
    return key(ax, "known minimum", star_look(ax))


def start_key(ax: Axes) -> Line2D:
    """The entry of a legend for the rings at the starts."""
    return key(ax, "start", start_look(ax))


def key(ax: Any, label: str, line: dict[str, Any]) -> Line2D:
    """An entry of the legend of axes; labels longer than these are wide are wrapped."""
    width = sizes_of(ax).characters(_width(ax), sizes_of(ax).legend)
    return Line2D([], [], **line, label=plain(textwrap.fill(label, width)))


def step_keys(ax: Any, last: str) -> list[Line2D]:
    """The legend entries for the first (red) and, unless `last` is empty, the last (yellow) point."""
    theme, sizes = theme_of(ax), sizes_of(ax)
    dot = {"linestyle": "none", "marker": "o", "markeredgecolor": theme.edge, "markersize": sizes.marker}
    dot |= {"markeredgewidth": 0.5 * sizes.line}
    return [key(ax, label, dot | {"color": STEPS(share)}) for share, label in ((0.0, "start"), (1.0, last)) if label]
