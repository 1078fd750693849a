"""How every picture looks: colours, sizes, titles and legends."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Colormap, LinearSegmentedColormap, ListedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest
from fallline.pictures import words
from fallline.pictures.paths import Path, named
from fallline.views.figure import Picture

# Lines and markers distinguish runs in greyscale as well.
RUN_LINES: tuple[Any, ...] = (
    "-",
    "--",
    "-.",
    ":",
    (0, (8, 2, 2, 2, 2, 2)),
    (0, (10, 3)),
    (0, (2, 1)),
    (0, (5, 1, 1, 1, 1, 1, 1, 1)),
)
RUN_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

TITLE_SIZE, LABEL_SIZE, TICK_SIZE, LEGEND_SIZE, NOTE_SIZE = 14, 14, 12, 11, 10
# Matplotlib's line spacing, as a multiple of the font size.
LINE_HEIGHT = 1.2
# How many characters fit above and below axes of the default width.
TITLE_WIDTH, LEGEND_WIDTH = 62, 76
# How many fit along the vertical axis: at the default height, and in histories or three dimensions.
NAME_WIDTH, SHORT_NAME_WIDTH = 36, 22

STEPS: Colormap = matplotlib.colormaps["autumn"]
# A colour bar has about so many ticks, and round ones on a bent scale where there are enough.
MOST_TICKS, LEAST_TICKS, NEARLY_LINEAR = 7, 4, 0.2
MINIMUM: dict[str, Any] = {"marker": "*", "markersize": 13, "markeredgewidth": 1}
# The opacity of what lies behind a surface.
FAINT = 0.35

Style: TypeAlias = Literal["light", "dark"]
# (horizontal, vertical): 0 is left or bottom, 1 is right or top.
Corner: TypeAlias = tuple[Literal[0, 1], Literal[0, 1]]


@dataclass(frozen=True, eq=False)
class Theme:
    """The colours of a picture.

    Attributes:
        ground: the background.
        ink: text, and the lines of axes.
        grid: the grid lines of histories.
        wall: the panes of three-dimensional axes.
        edge: the edges of a run's points and the line that joins them.
        rim: the outline that separates a run's line from the landscape.
        shadow: the shadows of three-dimensional paths on the floor.
        curve: a function of one coordinate.
        slope: its derivative.
        runs: the colours of runs where there are several.
        arrows: the gradient, the step, and what the rule remembers.
        landscape: the filled contours, from the lowest value to the highest.
        lines: the contour lines in three dimensions, likewise.
    """

    ground: str
    ink: str
    grid: str
    wall: str
    edge: str
    rim: str
    shadow: str
    curve: str
    slope: str
    runs: tuple[str, ...]
    arrows: tuple[str, ...]
    landscape: Colormap
    lines: Colormap


_BLUES = matplotlib.colormaps["Blues_r"]
LIGHT = Theme(
    ground="#FFFFFF",
    ink="#000000",
    grid="#E5E5E5",
    wall="#F4F4F4",
    edge="#202020",
    rim="#FFFFFF",
    shadow="#303030",
    curve="#0072B2",
    slope="#D55E00",
    # The first four of Okabe and Ito (2008), Color Universal Design; then colours that are visible on white.
    runs=("#000000", "#D55E00", "#0072B2", "#009E73", "#882255", "#332288", "#225522", "#222255"),
    arrows=("#D55E00", "#000000", "#009E73", "#882255", "#332288", "#225522"),
    # Blue below and nearly white above: red, yellow and all colours of runs stand out on it, also in greyscale.
    landscape=ListedColormap(_BLUES(np.linspace(0.2, 1, 256)), name="landscape"),
    # The same without the near white, for lines on white.
    lines=ListedColormap(_BLUES(np.linspace(0, 0.75, 256)), name="contour lines"),
)
DARK = Theme(
    ground="#12161C",
    ink="#F2F2F2",
    grid="#333A44",
    wall="#1B2129",
    edge="#F2F2F2",
    rim="#12161C",
    shadow="#F2F2F2",
    curve="#64B5F6",
    slope="#FFA64D",
    runs=("#FFFFFF", "#FFA64D", "#7CC4FF", "#4FD1A5", "#FFFF00", "#8CFF9F", "#77C8D9", "#FFAA00"),
    arrows=("#FFA64D", "#FFFFFF", "#4FD1A5", "#7CC4FF", "#FFFF00", "#8CFF9F"),
    # Low values are bright; the colours of the paths, which end there, are brighter still.
    landscape=LinearSegmentedColormap.from_list("dark landscape", ["#245A8C", "#173B5C", "#131E2A"]),
    lines=LinearSegmentedColormap.from_list("dark contour lines", ["#7CC4FF", "#3F6E96"]),
)
THEMES: Mapping[str, Theme] = {"light": LIGHT, "dark": DARK}


def theme_of(ax: Any) -> Theme:
    """The theme that suits the background of the axes' figure, which may be the user's own."""
    return _theme(ax.get_figure(root=True))


def _theme(figure: Figure) -> Theme:
    return _theme_on(to_rgba(figure.get_facecolor()))


# Cached: a film calls this with the same arguments in every frame.
@lru_cache(maxsize=16)
def _theme_on(ground: tuple[float, ...]) -> Theme:
    *colour, alpha = ground
    return DARK if alpha > 0 and luminance(colour) < 0.18 else LIGHT


def luminance(colour: Any) -> float:
    """The relative luminance of a colour, from 0 for black to 1 for white (WCAG 2.2, 2023).

    >>> luminance("white"), luminance("black")
    (1.0, 0.0)
    """
    share = np.array(to_rgba(colour)[:3])
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def check_style(style: Any, parameter: str = "style") -> None:
    """Check the name of a style.

    Raises:
        FalllineError: when there is no such style; it names `parameter` and the styles.
    """
    if style not in tuple(THEMES):
        raise FalllineError(parameter, style, nearest(str(style), THEMES))


def part_of(colours: Colormap, low: float, high: float) -> Colormap:
    """The part of a colour map between two positions, from 0 to 1."""
    return ListedColormap(colours(np.linspace(low, high, 256)), name=f"part of {colours.name}")


def step_colours(count: int) -> FloatArray:
    """The colours of a run's points in order, shape (count, 4): the first red, the last yellow.

    >>> step_colours(3)[:, :3]
    array([[1.        , 0.        , 0.        ],
           [1.        , 0.50196078, 0.        ],
           [1.        , 1.        , 0.        ]])
    """
    return np.asarray(STEPS(np.linspace(0, 1, count)), float)


def new_figure(width: float = 8.0, height: float = 6.0, style: Style = "light") -> Figure:
    """An empty figure with constrained layout; its size is in inches."""
    check_style(style)
    return Picture(figsize=(width, height), dpi=100, layout="constrained", facecolor=THEMES[style].ground)


def new_axes(figure: Figure, rows: int = 1, columns: int = 1, *, solid: bool = False, **shared: Any) -> list[Any]:
    """Axes on a figure from `new_figure`, in its colours, row by row."""
    options = {"projection": "3d"} if solid else None
    axes = list(figure.subplots(rows, columns, squeeze=False, subplot_kw=options, **shared).flat)
    for ax in axes:
        _dress(ax, theme_of(ax))
    return axes


def figure_of(ax: Axes | None, style: Style = "light", *, solid: bool = False, keys: int = 1) -> tuple[Figure, Any]:
    """The axes to draw on and their figure: those the caller gave, or new ones.

    Arguments:
        ax: the caller's axes, or None.
        style: the colours of a new figure; on the caller's axes, their background decides.
        solid: whether the picture is three-dimensional.
        keys: the number of lines in the legend below, which make a new figure taller.

    Raises:
        FalllineError: when `ax` is of the wrong kind, or there is no such style.
    """
    check_style(style)
    if ax is None:
        figure = new_figure(height=5.8 + 0.22 * keys, style=style)
        return figure, new_axes(figure, solid=solid)[0]
    if not isinstance(ax, Axes):
        raise FalllineError("ax", ax, "it must be a Matplotlib Axes")
    if solid != (ax.name == "3d"):
        wanted = "needs axes made with projection='3d'" if solid else "is flat"
        raise FalllineError("ax", problem=f"has the projection {ax.name!r}, but this picture {wanted}")
    figure_of_ax = ax.get_figure(root=True)
    if figure_of_ax is None:
        raise FalllineError(problem="ax belongs to no figure any more", allowed="give axes that are on one")
    return figure_of_ax, ax


def _dress(ax: Any, theme: Theme) -> None:
    """Give new axes the colours of a theme."""
    solid = ax.name == "3d"
    ax.set_facecolor(theme.ground)
    ax.title.set_color(theme.ink)
    ax.tick_params(colors=theme.ink)
    for spine in ax.spines.values():
        spine.set_color(theme.ink)
    for axis in (ax.xaxis, ax.yaxis, *([ax.zaxis] if solid else [])):
        axis.label.set_color(theme.ink)
        if solid:
            axis.set_pane_color(theme.wall)
            axis.line.set_color(theme.ink)
            if theme is not LIGHT:
                axis._axinfo["grid"]["color"] = theme.grid


def label_axes(ax: Any, *names: str, width: int = NAME_WIDTH) -> None:
    """Label the axes x, y and, in three dimensions, z; a label longer than `width` is wrapped."""
    solid = len(names) == 3
    for axis, name in zip("xyz", names, strict=False):
        text = plain(_folded(name, width))
        # In three dimensions the pad is measured to the label's middle: each further line needs a third of its height.
        pad = {"labelpad": 8 + text.count("\n") * LINE_HEIGHT * LABEL_SIZE / 3} if solid else {}
        getattr(ax, f"set_{axis}label")(text, fontsize=LABEL_SIZE, **pad)
    ax.tick_params(labelsize=NOTE_SIZE if solid else TICK_SIZE)


def _folded(name: str, width: int) -> str:
    """The name wrapped to the width, at the end of a word or after an underscore."""
    spaced = re.sub("(?<=_)(?=[^_])", "\u200b ", name)
    return textwrap.fill(spaced, width).replace("\u200b ", "").replace("\u200b", "")


def label_outer(ax: Axes, *, left: bool, bottom: bool) -> None:
    """Keep the labels and tick labels of shared axes only where `left` or `bottom` says so."""
    ax.tick_params(labelleft=left, labelbottom=bottom)
    if not left:
        ax.set_ylabel("")
    if not bottom:
        ax.set_xlabel("")


def set_title(ax: Axes, *lines: str, width: int = TITLE_WIDTH) -> None:
    """Set the title; lines longer than `width` are wrapped."""
    ax.set_title(title_text(*lines, width=width), fontsize=TITLE_SIZE, loc="center")


def title_text(*lines: str, width: int = TITLE_WIDTH) -> str:
    """The text of the title that `set_title` sets."""
    return "\n".join(plain(textwrap.fill(line, width)) for line in lines if line)


def set_figure_title(figure: Figure, *lines: str) -> None:
    """Set the title of a figure of several axes."""
    title = "\n".join(plain(line) for line in lines if line)
    figure.suptitle(title, fontsize=TITLE_SIZE, color=_theme(figure).ink)


def legend_below(ax: Any, keys: Sequence[Artist], *, columns: int) -> None:
    """Put a legend below the axes, where it hides nothing."""
    # The distance is in font sizes, to clear the ticks and the axis label at any height of the axes.
    solid = ax.name == "3d"
    names = [ax.get_xlabel(), ax.get_ylabel()] if solid else [ax.get_xlabel()]
    folded = max(name.count("\n") for name in names) * LINE_HEIGHT * LABEL_SIZE / LEGEND_SIZE
    look: dict[str, Any] = {"ncols": columns, "fontsize": LEGEND_SIZE, "frameon": False, "labelcolor": theme_of(ax).ink}
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, 0)}
    ax.legend(handles=keys, borderaxespad=(0 if solid else 4) + folded, **place, **look)


def figure_legend_below(figure: Figure, keys: Sequence[Line2D]) -> None:
    """Put a legend below a figure of several axes."""
    look: dict[str, Any] = {"fontsize": LEGEND_SIZE, "frameon": False, "labelcolor": _theme(figure).ink}
    figure.legend(handles=keys, loc="outside lower center", **look)


def race_legend(ax: Axes, paths: Sequence[Path], extra: Sequence[Line2D] = ()) -> None:
    """Add the legend of several runs on one landscape; of many it names the first."""
    theme = theme_of(ax)
    labels, others = named(paths)
    keys = [key(label, run_look(number, theme)) for number, label in enumerate(labels)]
    if others:
        keys.append(key(others, {"linestyle": "none"} if labels else {"color": theme.ink, "linewidth": 2}))
    legend_below(ax, [*keys, *extra], columns=1)


def key_count(paths: Sequence[Path]) -> int:
    """The number of lines of `race_legend`."""
    labels, others = named(paths)
    return len(labels) + bool(others)


def minimum_key(theme: Theme = LIGHT) -> Line2D:
    """The entry of a legend for the stars at known minima."""
    return key("known minimum", MINIMUM | {"linestyle": "none", "markeredgecolor": theme.edge, "color": theme.rim})


def note(ax: Any, text: str, corner: Corner = (1, 1)) -> None:
    """Write a remark in a corner of the axes; nothing when it is empty."""
    if not text:
        return
    draw = ax.text2D if ax.name == "3d" else ax.text
    theme = theme_of(ax)
    ground = {"facecolor": theme.ground, "alpha": 0.8, "edgecolor": "none", "pad": 2}
    look: dict[str, Any] = {"fontsize": NOTE_SIZE, "color": theme.ink, "bbox": ground}
    x, y = ((0.01, 0.99)[corner[0]], (0.02, 0.98)[corner[1]])
    look |= {"ha": ("left", "right")[corner[0]], "va": ("bottom", "top")[corner[1]]}
    draw(x, y, plain(text), transform=ax.transAxes, **look)


def run_look(number: int, theme: Theme = LIGHT) -> dict[str, Any]:
    """Colour and marker of one of several runs on a landscape, for `plot` and the legend."""
    return {
        "color": theme.runs[number % len(theme.runs)],
        "linewidth": 2,
        "marker": _form(RUN_MARKERS, number, theme),
        "markersize": 7,
        "markeredgecolor": theme.rim,
        "markeredgewidth": 0.8,
    }


def series_look(number: int, theme: Theme = LIGHT) -> dict[str, Any]:
    """Colour and line style of a run in histories, for `plot` and the legend."""
    return {
        "color": theme.runs[number % len(theme.runs)],
        "linewidth": 2,
        "linestyle": _form(RUN_LINES, number, theme),
    }


def _form(forms: Sequence[Any], number: int, theme: Theme) -> Any:
    """The marker or line style of a run; it differs between runs that share a colour, as the first and the ninth do."""
    return forms[(number + number // len(theme.runs)) % len(forms)]


def key(label: str, look: dict[str, Any]) -> Line2D:
    """An entry of a legend; long labels are wrapped."""
    return Line2D([], [], **look, label=plain(textwrap.fill(label, LEGEND_WIDTH)))


def trace_run(
    ax: Any,
    *line: FloatArray,
    number: int,
    points: Any = None,
    every: float = 0.12,
    alpha: float = 1.0,
    zorder: float = 5,
) -> list[Artist]:
    """Draw the path of one of several runs, its last point large, outlined in the theme's rim colour.

    Arguments:
        line: the vertices in each dimension.
        number: which of the runs it is.
        points: the run's points in each dimension; None: the line has these and no other vertices.
        every: where markers stand, as Matplotlib's `markevery`: a distance as a share of the picture's diagonal, or
            a number of vertices.
        alpha: the opacity.
    """
    theme = theme_of(ax)
    look = run_look(number, theme) | {"alpha": alpha}
    under = ax.plot(*line, color=theme.rim, linewidth=4, alpha=0.8 * alpha, zorder=zorder)
    path = ax.plot(*line, markevery=every, zorder=zorder + 1, **look)
    last = {"markersize": 12, "markevery": [-1], "linestyle": "none"}
    end = ax.plot(*(line if points is None else points), zorder=zorder + 2, **(look | last))
    return [*under, *path, *end]


def trace_steps(
    ax: Any,
    *points: FloatArray,
    colours: FloatArray,
    size: float,
    line: Sequence[FloatArray] | FloatArray | None = None,
    alpha: float = 1.0,
    zorder: float = 5,
) -> list[Artist]:
    """Draw the path of a single run, its points coloured by step, later ones on top.

    All edges are drawn below all faces: they make yellow visible on white, and do not cover other points.

    Arguments:
        points: the run's points in each dimension.
        colours: the points' colours, shape (points, 4).
        size: the area of a point, in square points.
        line: the vertices of the line that joins them; None: no line.
        alpha: the opacity.
    """
    solid = {"depthshade": False} if ax.name == "3d" else {}
    edge = theme_of(ax).edge
    joined = ax.plot(*line, color=edge, linewidth=1, alpha=alpha, zorder=zorder) if line is not None else []
    look: dict[str, Any] = {"linewidths": 0, "alpha": alpha, **solid}
    rims = ax.scatter(*points, s=1.5 * size, color=edge, zorder=zorder + 1, **look)
    dots = ax.scatter(*points, s=size, c=colours, zorder=zorder + 2, **look)
    if not solid or alpha < 1:
        return [*joined, rims, dots]
    # In three dimensions Matplotlib draws from back to front, so nearby points could cover the last visible one: it is
    # drawn again. Twice, because Matplotlib snaps a single point to whole pixels.
    last = np.flatnonzero(np.isfinite(points).all(axis=0))[-1:].repeat(2)
    front = ax.scatter(*(place[last] for place in points), s=size, c=colours[last], zorder=zorder + 3, **look)
    return [*joined, rims, dots, front]


def point_size(count: int) -> float:
    """The area of a path's points: smaller where there are many."""
    return 36 if count <= 60 else 20


def height_scale(ax: Axes, drawn: Any, symbol: str, *, logarithms: bool = False) -> None:
    """Add the colour bar of the heights, with round numbers on it.

    Arguments:
        drawn: the filled contours.
        symbol: what the heights are.
        logarithms: whether they are decimal logarithms: then the bar shows the values themselves, at powers of ten.
    """
    figure, _ = figure_of(ax)
    low, high = drawn.get_clim()
    ticks = words.round_ticks(low, high, drawn.norm)
    if logarithms:
        whole = np.arange(math.ceil(low), high + 1e-9)
        ticks = whole[:: math.ceil(len(whole) / MOST_TICKS)]
    elif len(ticks) < LEAST_TICKS or abs(drawn.norm.gamma - 1) < NEARLY_LINEAR:
        ticks = np.asarray(MaxNLocator(MOST_TICKS).tick_values(low, high))
    bar = figure.colorbar(drawn, ax=ax, pad=0.02, ticks=ticks[(low <= ticks) & (ticks <= high)])
    bar.ax.set_yticklabels([_power(tick) if logarithms else words.tick(tick) for tick in bar.get_ticks()])
    bar.ax.minorticks_off()
    dress_bar(bar, f"{symbol} (log scale)" if logarithms else symbol)


def _power(exponent: float) -> str:
    """A power of ten as text: written out where it is short.

    >>> _power(2), _power(-7)
    ('100', '$10^{-7}$')
    """
    return f"{10.0**exponent:g}" if -3 <= exponent <= 4 else f"$10^{{{exponent:g}}}$"


def dress_bar(bar: Colorbar, label: str) -> None:
    """Label a colour bar, in the sizes and colours of its figure."""
    theme = theme_of(bar.ax)
    bar.set_label(label, fontsize=LABEL_SIZE)
    _dress(bar.ax, theme)
    bar.outline.set_edgecolor(theme.ink)
    bar.ax.tick_params(labelsize=TICK_SIZE)


def step_keys(last: str, theme: Theme = LIGHT) -> list[Line2D]:
    """The legend entries for the first (red) and, unless `last` is empty, the last (yellow) point."""
    look: dict[str, Any] = {"linestyle": "none", "marker": "o", "markeredgecolor": theme.edge, "markersize": 8}
    return [key(label, look | {"color": STEPS(share)}) for share, label in ((0.0, "start"), (1.0, last)) if label]


def plain(text: str) -> str:
    """The text with its dollar signs escaped, so that Matplotlib does not read it as mathematics."""
    return text.replace("$", r"\$")
