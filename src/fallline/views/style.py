"""How every picture looks: colours, sizes, titles and legends."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from fallline.arrays import FloatArray
from fallline.errors import FalllineError

if TYPE_CHECKING:
    from fallline.trajectory import Trajectory

# Okabe and Ito (2008), Color Universal Design. Lines and markers tell runs apart in grey as well.
RUN_COLOURS = ("#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
RUN_LINES = ("-", "--", "-.", ":")
RUN_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

CURVE = "#0072B2"
SLOPE = "#D55E00"
EDGE = "#202020"
TITLE_SIZE, LABEL_SIZE, TICK_SIZE, LEGEND_SIZE, NOTE_SIZE = 14, 14, 12, 11, 10
# How many characters fit above and below axes of the usual width.
TITLE_WIDTH, LEGEND_WIDTH = 62, 76

# Blue below and nearly white above: red, yellow and all colours of runs stand out on it, in grey too.
LANDSCAPE = ListedColormap(matplotlib.colormaps["Blues_r"](np.linspace(0.2, 1, 256)), name="landscape")
# The same without the near white, for lines on white.
LINES = ListedColormap(matplotlib.colormaps["Blues_r"](np.linspace(0, 0.75, 256)), name="contour lines")
SHADOW = "#303030"
STEPS: Colormap = matplotlib.colormaps["autumn"]


def part_of(colours: Colormap, low: float, high: float) -> Colormap:
    """The colours of a map between two places of it."""
    return ListedColormap(colours(np.linspace(low, high, 256)), name=f"part of {colours.name}")


def step_colours(count: int) -> FloatArray:
    """The colours of a run's points in order, shape (count, 4): the first red, the last yellow.

    >>> step_colours(3)[:, :3]
    array([[1.        , 0.        , 0.        ],
           [1.        , 0.50196078, 0.        ],
           [1.        , 1.        , 0.        ]])
    """
    return np.asarray(STEPS(np.linspace(0, 1, count)), float)


def new_figure(width: float = 8.0, height: float = 6.0) -> Figure:
    """An empty figure that lays itself out; its size in inches."""
    return Figure(figsize=(width, height), dpi=100, layout="constrained")


def figure_of(ax: Axes | None, *, solid: bool = False, keys: int = 1) -> tuple[Figure, Any]:
    """The axes to draw on and their figure: those the caller gave, or new ones.

    Arguments:
        ax: the caller's axes, or None.
        solid: whether the picture is three-dimensional.
        keys: the number of lines in the legend below, which make a new figure taller.

    Raises:
        FalllineError: when `ax` is of the wrong kind.
    """
    if ax is None:
        figure = new_figure(height=5.8 + 0.22 * keys)
        return figure, figure.add_subplot(projection="3d" if solid else None)
    if not isinstance(ax, Axes):
        raise FalllineError(f"ax is {ax!r}; it must be a Matplotlib Axes")
    if solid != (ax.name == "3d"):
        wanted = "needs axes made with projection='3d'" if solid else "is flat"
        raise FalllineError(f"ax has the projection {ax.name!r}, but this picture {wanted}")
    figure_of_ax = ax.get_figure(root=True)
    if figure_of_ax is None:
        raise FalllineError("ax belongs to no figure any more; give axes that are on one")
    return figure_of_ax, ax


def label_axes(ax: Any, *names: str) -> None:
    """Name the axes x, y and, in three dimensions, z, in the usual sizes."""
    solid = {"labelpad": 8} if len(names) == 3 else {}
    for axis, name in zip("xyz", names, strict=False):
        getattr(ax, f"set_{axis}label")(plain(name), fontsize=LABEL_SIZE, **solid)
    ax.tick_params(labelsize=NOTE_SIZE if solid else TICK_SIZE)


def label_outer(ax: Axes, *, left: bool, bottom: bool) -> None:
    """Of plots that share their axes, keep the names and numbers where nothing else stands beside or below."""
    ax.tick_params(labelleft=left, labelbottom=bottom)
    if not left:
        ax.set_ylabel("")
    if not bottom:
        ax.set_xlabel("")


def set_title(ax: Axes, *lines: str, width: int = TITLE_WIDTH) -> None:
    """Write the title, one line or two; what is too long goes on in the next line."""
    ax.set_title(title_text(*lines, width=width), fontsize=TITLE_SIZE)


def title_text(*lines: str, width: int = TITLE_WIDTH) -> str:
    """The title as `set_title` writes it."""
    return "\n".join(plain(textwrap.fill(line, width)) for line in lines if line)


def set_figure_title(figure: Figure, *lines: str) -> None:
    """The same over a figure of several axes."""
    figure.suptitle("\n".join(plain(line) for line in lines if line), fontsize=TITLE_SIZE)


def legend_below(ax: Axes, keys: Sequence[Line2D], *, columns: int) -> None:
    """A legend under the axes, where it hides nothing."""
    # The distance is in letters: below the ticks and the axis' name, however tall the axes are.
    room = 0 if ax.name == "3d" else 4
    look: dict[str, Any] = {"ncols": columns, "fontsize": LEGEND_SIZE, "frameon": False}
    ax.legend(handles=keys, loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=room, **look)


def figure_legend_below(figure: Figure, keys: Sequence[Line2D]) -> None:
    """The same under a figure of several axes."""
    figure.legend(handles=keys, loc="outside lower center", fontsize=LEGEND_SIZE, frameon=False)


def patches_below(ax: Axes, patches: Sequence[Patch]) -> None:
    """A legend of areas under the axes."""
    look: dict[str, Any] = {"ncols": 2, "fontsize": LEGEND_SIZE, "frameon": False}
    ax.legend(handles=patches, loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=4, **look)


def note(ax: Any, text: str) -> None:
    """A remark in the upper right corner of the axes; none when empty."""
    if not text:
        return
    draw = ax.text2D if ax.name == "3d" else ax.text
    ground = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 2}
    draw(0.99, 0.98, plain(text), transform=ax.transAxes, ha="right", va="top", fontsize=NOTE_SIZE, bbox=ground)


def padded(low: float, high: float) -> tuple[float, float]:
    """The interval with some room at both ends, so that markers are not cut; never empty."""
    room = 0.05 * (high - low) or 0.5 * abs(low) or 1.0
    return low - room, high + room


def run_look(number: int) -> dict[str, Any]:
    """Colour and marker of a run in a landscape of several, for `plot` and the legend."""
    return {
        "color": RUN_COLOURS[number % len(RUN_COLOURS)],
        "linewidth": 2,
        "marker": RUN_MARKERS[number % len(RUN_MARKERS)],
        "markersize": 7,
        "markeredgecolor": "white",
        "markeredgewidth": 0.8,
    }


def series_look(number: int) -> dict[str, Any]:
    """Colour and line of a run among histories, for `plot` and the legend."""
    return {
        "color": RUN_COLOURS[number % len(RUN_COLOURS)],
        "linewidth": 2,
        "linestyle": RUN_LINES[number % len(RUN_LINES)],
    }


def key(label: str, look: dict[str, Any]) -> Line2D:
    """An entry of a legend; what is too long goes on in the next line."""
    return Line2D([], [], **look, label=plain(textwrap.fill(label, LEGEND_WIDTH)))


def trace_run(ax: Any, *places: FloatArray, number: int, zorder: float = 5) -> list[Artist]:
    """Draw the path of one run among several, its last point large, its rim white."""
    look = run_look(number)
    under = ax.plot(*places, color="white", linewidth=4, alpha=0.8, zorder=zorder)
    # Markers stand at even distances along the line, a share of the picture's diagonal apart.
    path = ax.plot(*places, markevery=0.12, zorder=zorder + 1, **look)
    end = ax.plot(*(place[-1:] for place in places), zorder=zorder + 2, **(look | {"markersize": 12}))
    return [*under, *path, *end]


def trace_steps(
    ax: Any, *places: FloatArray, colours: FloatArray, size: float, line: bool = True, zorder: float = 5
) -> list[Artist]:
    """Draw the path of a single run, its points in the colours of their steps, later ones on top.

    All rims lie below all colours: they show yellow on white, and a crowd of points keeps its colours.

    Arguments:
        size: the area of a point, in square points.
        line: whether to join the points.
    """
    solid = {"depthshade": False} if ax.name == "3d" else {}
    joined = ax.plot(*places, color=EDGE, linewidth=1, zorder=zorder) if line else []
    rims = ax.scatter(*places, s=1.5 * size, color=EDGE, linewidths=0, zorder=zorder + 1, **solid)
    points = ax.scatter(*places, s=size, c=colours, linewidths=0, zorder=zorder + 2, **solid)
    return [*joined, rims, points]


def point_size(count: int) -> float:
    """The area of a path's points: smaller where there are many."""
    return 36 if count <= 60 else 20


def height_scale(ax: Axes, drawn: Any, symbol: str) -> None:
    """The colour bar that says which height has which colour."""
    figure, _ = figure_of(ax)
    # The lowest level is seldom a round number, and often a hair above zero.
    least = 1e-4 * max(abs(end) for end in drawn.get_clim())
    bar = figure.colorbar(drawn, ax=ax, pad=0.02, format=lambda x, _: number(x if abs(x) > least else 0, 3))
    bar.set_label(symbol, fontsize=LABEL_SIZE)
    bar.ax.tick_params(labelsize=TICK_SIZE)


def step_keys(last: str) -> list[Line2D]:
    """The entries that say what red and yellow mean: the start, and `last`."""
    look: dict[str, Any] = {"linestyle": "none", "marker": "o", "markeredgecolor": EDGE, "markersize": 8}
    return [key(label, look | {"color": STEPS(share)}) for share, label in ((0.0, "start"), (1.0, last))]


def outcome(run: Trajectory, symbol: str) -> str:
    """How a run ended: the reason, the number of steps, the final value."""
    steps = "1 step" if run.step_count == 1 else f"{run.step_count} steps"
    return f"{run.stop.reason} after {steps}: {symbol} = {number(run.final.value)}"


def run_title(run: Trajectory, symbol: str) -> tuple[str, str]:
    """The two lines over a picture of one run: the rule with its rate, and the outcome."""
    return optimizer_words(run), outcome(run, symbol)


def optimizer_words(run: Trajectory) -> str:
    """The rule and its settings as a title says them; of a schedule, the rates that it gave."""
    words = run.optimizer.replace("_", " ")
    rates = run.rate[np.isfinite(run.rate)]
    if not rates.size:
        return words
    return re.sub(r"\w+\(.*\)", f"learning rate {number(rates[0])} to {number(rates[-1])}", words)


def number(value: float, digits: int = 4) -> str:
    """A number as titles show it, with a true minus sign.

    >>> number(-0.000123456)
    '−0.0001235'
    """
    return f"{value:.{digits}g}".replace("-", "−")


def percent(share: float) -> str:
    """A share in percent.

    >>> percent(0.12345)
    '12.3 %'
    """
    return f"{100 * share:.3g} %"


def plain(text: str) -> str:
    """The text with its dollar signs kept from starting Matplotlib's mathematics."""
    return text.replace("$", r"\$")
