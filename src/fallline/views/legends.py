"""The legends of pictures."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fallline.errors import FalllineError
from fallline.pictures.paths import Path, named
from fallline.views.appearance import LINE_HEIGHT, inches, plain
from fallline.views.look import Look, look_of, sizes_of, theme_of
from fallline.views.traces import STEPS, run_look, star_look


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


def figure_legend_below(figure: Figure, keys: Sequence[Line2D]) -> None:
    """Put a legend below a figure of several axes."""
    look = look_of(figure)
    if look.legend:
        shape: dict[str, Any] = {"fontsize": look.sizes.legend, "frameon": False, "labelcolor": look.theme.ink}
        figure.legend(handles=keys, loc="outside lower center", **shape)


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
