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
from fallline.pictures.paths import Path, named
from fallline.views.appearance import LINE_HEIGHT, WIDTH, inches, plain
from fallline.views.look import Look, look_of, sizes_of, theme_of
from fallline.views.traces import STEPS, run_look, star_look

# The width of a key and of the gaps around it, and the least of a column of labels, in characters.
HANDLE, NARROWEST = 7, 20
# The width of axes as a share of that of their figure. A legend that is wider would push them together.
AXES = 0.86


def legend_below(ax: Any, keys: Sequence[Artist], *, columns: int) -> None:
    """Put a legend below the axes, where it hides nothing; on axes of the user's, inside them."""
    look, sizes = look_of(ax), sizes_of(ax)
    if not look.legend:
        return
    shape: dict[str, Any] = {"fontsize": sizes.legend, "labelcolor": look.theme.ink}
    if look.ax is not None:
        ax.legend(handles=keys, facecolor=look.theme.ground, **shape)
        return
    # The distance is in font sizes, to clear the ticks and the axis label at any height of the axes.
    solid = ax.name == "3d"
    names = [ax.get_xlabel(), ax.get_ylabel()] if solid else [ax.get_xlabel()]
    folded = max(name.count("\n") for name in names) * LINE_HEIGHT * sizes.label / sizes.legend
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "frameon": False}
    ax.legend(handles=keys, ncols=columns, borderaxespad=(0 if solid else 4) + folded, **place, **shape)


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
    columns, labels, _ = _columns(
        [str(key.get_label()) for key in keys], look.sizes.characters(width, look.sizes.legend)
    )
    for entry, label in zip(keys, labels, strict=True):
        entry.set_label(label)
    if solitary:
        legend_below(drawn, keys, columns=columns)
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
    return _columns(labels, look.sizes.characters(share * figure, look.sizes.legend))[2] if labels else 0


def _columns(labels: Sequence[str], room: int) -> tuple[int, list[str], int]:
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
    """Add the legend of several runs on one landscape; of many it names the first."""
    look = look_of(ax)
    labels, others = named(paths)
    keys = [key(ax, label, run_look(ax, number)) for number, label in enumerate(own_names(look, labels))]
    if others:
        line = {"color": look.theme.ink, "linewidth": look.sizes.line}
        keys.append(key(ax, others, {"linestyle": "none"} if labels else line))
    legend_below(ax, [*keys, *extra], columns=1)


def key_count(paths: Sequence[Path]) -> int:
    """The number of lines of `race_legend`."""
    labels, others = named(paths)
    return len(labels) + bool(others)


def own_names(look: Look, labels: Sequence[str]) -> Sequence[str]:
    """The names of the runs: those that the user chose, or their labels.

    Raises:
        FalllineError: when the user chose another number of names.
    """
    if look.legend is True or look.legend is False:
        return labels
    if len(look.legend) != len(labels):
        raise FalllineError("legend", look.legend, f"it must have {len(labels)} names, one for each run named")
    return look.legend


def minimum_key(ax: Axes) -> Line2D:
    """The entry of a legend for the stars at known minima."""
    return key(ax, "known minimum", star_look(ax))


def key(ax: Any, label: str, line: dict[str, Any]) -> Line2D:
    """An entry of the legend of axes; labels longer than these are wide are wrapped."""
    width = sizes_of(ax).characters(inches(ax)[0], sizes_of(ax).legend)
    return Line2D([], [], **line, label=plain(textwrap.fill(label, width)))


def step_keys(ax: Any, last: str) -> list[Line2D]:
    """The legend entries for the first (red) and, unless `last` is empty, the last (yellow) point."""
    dot = {"linestyle": "none", "marker": "o", "markeredgecolor": theme_of(ax).edge, "markersize": sizes_of(ax).marker}
    return [key(ax, label, dot | {"color": STEPS(share)}) for share, label in ((0.0, "start"), (1.0, last)) if label]
