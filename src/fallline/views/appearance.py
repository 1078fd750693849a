"""Figures and axes in their look, with titles, labels, notes and colour bars."""

from __future__ import annotations

import math
import re
import textwrap
from typing import Any, Literal, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, LogLocator, NullFormatter

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.pictures import words
from fallline.views import room
from fallline.views.figure import Picture
from fallline.views.look import Look, Sizes, dressed, look_of, sizes_of, theme_of

# Matplotlib's line spacing, and the height of a line of a legend, as multiples of the font size.
LINE_HEIGHT, LEGEND_LINE = 1.2, 1.44
# The share of an axis that its label may take, and of it what is left in three dimensions.
LABELLED, SOLID = 0.8, 0.6
# The share of the width that a remark in a corner may take.
NOTED = 0.85

# The width of the colour bar of the user's axes, by theirs.
SLIM = 0.06
# The lines of axes by those of runs; the length of ticks and their distance from their numbers, by the numbers' size.
FRAME, TICK = 0.4, 0.3
# The width of a figure in a notebook, in inches; and its margins, by the size of labels.
WIDTH, MARGIN = 8.0, 0.4
# A log axis that spans less has ticks between its powers of ten; and about so many ticks at most.
SHORT, MOST_TICKS = 30.0, 7
# Matplotlib's name for the axes of a colour bar.
BAR = "<colorbar>"
# Matplotlib draws no larger picture.
MOST_PIXELS = 2**16
# (horizontal, vertical): 0 is left or bottom, 1 is right or top.
Corner: TypeAlias = tuple[Literal[0, 1], Literal[0, 1]]


def part_of(colours: Colormap, low: float, high: float) -> Colormap:
    """The part of a colour map between two positions, from 0 to 1."""
    return ListedColormap(colours(np.linspace(low, high, 256)), name=f"part of {colours.name}")


def new_figure(width: float, height: float, look: Look) -> Figure:
    """An empty figure with constrained layout, in a look.

    Arguments:
        width, height: its size in inches in a notebook; in other contexts, in proportion.
    """
    sizes = look.sizes
    size = (width * sizes.width / WIDTH, height * sizes.width / WIDTH) if look.figsize is None else look.figsize
    dpi = look.dpi or sizes.dpi
    if max(size) * dpi >= MOST_PIXELS:
        name = "figsize" if look.dpi is None else "dpi"
        pixels = f"which with {max(size):g} inches at {dpi:g} dpi makes too many pixels"
        raise FalllineError(name, getattr(look, name), f"a side has at most {MOST_PIXELS}", problem=pixels)
    figure = Picture(figsize=size, dpi=dpi, layout="constrained", facecolor=look.theme.ground)
    engine: Any = figure.get_layout_engine()
    margin = MARGIN * sizes.label / 72
    engine.set(w_pad=margin, h_pad=margin)
    dressed(figure, look)
    return figure


def new_axes(figure: Figure, rows: int = 1, columns: int = 1, *, solid: bool = False, **shared: Any) -> list[Any]:
    """Axes on a figure from `new_figure`, in its colours, row by row."""
    _check_labels(look_of(figure), solid)
    options = {"projection": "3d"} if solid else None
    axes = list(figure.subplots(rows, columns, squeeze=False, subplot_kw=options, **shared).flat)
    for ax in axes:
        if not solid:
            # The user's own settings may turn it on; pictures that have a grid draw it.
            ax.grid(False)
        _dress(ax, look_of(ax))
    return axes


def figure_of(look: Look, *, solid: bool = False, keys: int = 1) -> tuple[Figure, Any]:
    """The axes to draw on and their figure: those the caller gave, or new ones.

    Arguments:
        solid: whether the picture is three-dimensional.
        keys: the number of lines in the legend below, which make a new figure taller.

    Raises:
        FalllineError: when the look's `ax` is of the wrong kind.
    """
    if look.ax is None:
        figure = new_figure(WIDTH, 5.8 + keys * legend_line(look), look)
        return figure, new_axes(figure, solid=solid)[0]
    if look.ax.name != ("3d" if solid else "rectilinear"):
        wanted = "needs axes made with projection='3d'" if solid else "is flat"
        raise FalllineError("ax", problem=f"has the projection {look.ax.name!r}, but this picture {wanted}")
    figure_of_ax = look.ax.get_figure(root=True)
    assert figure_of_ax is not None
    _check_labels(look, solid)
    if not solid:
        # A picture sets a logarithmic scale itself, where it has one.
        look.ax.set(xscale="linear", yscale="linear")
    dressed(look.ax, look)
    room.claim(look.ax)
    return figure_of_ax, look.ax


def _check_labels(look: Look, solid: bool) -> None:
    """Refuse a label for an axis that the picture does not have."""
    if look.labels is not None and len(look.labels) > 2 + solid:
        raise FalllineError("labels", look.labels, "it must be a list of two names at most: the picture is flat")


def legend_line(look: Look) -> float:
    """The height of a line of a legend, as the size of a figure is given: for a notebook."""
    return LEGEND_LINE * look.sizes.legend / 72 * WIDTH / look.sizes.width


def only_on_a_figure(look: Look, picture: str) -> None:
    """Refuse the axes given for a picture that has several.

    Raises:
        FalllineError: when the look has axes.
    """
    if look.ax is not None:
        raise FalllineError("ax", problem=f"is one axes, and {picture} has several", allowed="leave ax out")


def finished(figure: Figure, look: Look) -> Figure:
    """The figure, after the limits that the user chose are set on its flat axes, and it fits the user's axes."""
    axes = [look.ax] if look.ax is not None else [ax for ax in figure.axes if ax.get_label() != BAR]
    for ax in axes:
        _limit(ax, look)
    if look.ax is not None:
        room.fit(look.ax, [ax for ax in figure.axes if ax.get_label() == BAR and look_of(ax) is look])
    return figure


def _limit(ax: Any, look: Look) -> None:
    """Set the limits that the user chose."""
    for name in ("xlim", "ylim"):
        limits = getattr(look, name)
        if limits is None:
            continue
        if getattr(ax, f"get_{name[0]}scale")() == "log" and any(end is not None and end <= 0 for end in limits):
            raise FalllineError(name, limits, "both must be above 0", problem="but the axis is logarithmic")
        getattr(ax, f"set_{name}")(*limits)
        if ax.name != "3d":
            # What may reach over the edge, such as the star at a minimum, may now lie far beyond it.
            for artist in (*ax.lines, *ax.collections, *ax.texts):
                artist.set_clip_on(True)


def _dress(ax: Any, look: Look) -> None:
    """Give new axes the colours and lines of a look."""
    solid, theme, line = ax.name == "3d", look.theme, FRAME * look.sizes.line
    ax.set_facecolor(theme.ground)
    ax.title.set_color(theme.ink)
    tick = TICK * look.sizes.tick
    ax.tick_params(colors=theme.ink, width=line, length=tick, pad=tick)
    for spine in ax.spines.values():
        spine.set(color=theme.ink, linewidth=line)
    for axis in (ax.xaxis, ax.yaxis, *([ax.zaxis] if solid else [])):
        axis.label.set_color(theme.ink)
        if solid:
            axis.set_pane_color(theme.wall)
            axis.line.set_color(theme.ink)
            if theme.dark:
                axis._axinfo["grid"]["color"] = theme.grid


def label_axes(ax: Any, *names: str) -> None:
    """Label the axes x, y and, in three dimensions, z, by the user's labels, or these; long ones are wrapped."""
    look, sizes, solid = look_of(ax), sizes_of(ax), ax.name == "3d"
    own = () if look.labels is None else tuple(look.labels)
    for axis, name, side in zip("xyz" if solid else "xy", (*own, *names[len(own) :]), (0, 1, 1), strict=False):
        length = LABELLED * (SOLID if solid else 1) * inches(ax)[side]
        text = plain(_folded(name, sizes.characters(length, sizes.label)))
        getattr(ax, f"set_{axis}label")(text, fontsize=sizes.label)
    ax.tick_params(labelsize=sizes.note if solid else sizes.tick)


def inches(ax: Any) -> tuple[float, float]:
    """The width and height of axes, in inches."""
    place, (width, height) = ax.get_position(), ax.get_figure(root=True).get_size_inches()
    return place.width * width, place.height * height


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


def set_title(ax: Axes, *lines: str) -> None:
    """Set the title: the user's, or these lines, wrapped to the width of the axes."""
    look = look_of(ax)
    shown = lines if look.title is None else look.title.splitlines()
    ax.set_title(title_text(look.sizes, *shown, width=inches(ax)[0]), fontsize=look.sizes.title, loc="center")


def title_text(sizes: Sizes, *lines: str, width: float) -> str:
    """Lines as the text of a title, wrapped to a width in inches; a formula that fits into a line as mathematics."""
    letters = sizes.characters(width, sizes.title)
    return "\n".join(
        f"${line.latex}$"
        if isinstance(line, words.Mathematics) and len(line) <= letters
        else plain(textwrap.fill(line, letters))
        for line in lines
        if line
    )


def set_figure_title(figure: Figure, *lines: str) -> None:
    """Set the title of a figure of several axes: the user's, or these lines."""
    look = look_of(figure)
    shown = lines if look.title is None else look.title.splitlines()
    title = title_text(look.sizes, *shown, width=figure.get_size_inches()[0])
    figure.suptitle(title, fontsize=look.sizes.title, color=look.theme.ink)


def note(ax: Any, text: str, corner: Corner = (1, 1)) -> None:
    """Write a remark in a corner of the axes; nothing when it is empty."""
    if not text:
        return
    draw = ax.text2D if ax.name == "3d" else ax.text
    theme = theme_of(ax)
    ground = {"facecolor": theme.ground, "alpha": 0.8, "edgecolor": "none", "pad": 2}
    look: dict[str, Any] = {"fontsize": sizes_of(ax).note, "color": theme.ink, "bbox": ground}
    x, y = ((0.01, 0.99)[corner[0]], (0.02, 0.98)[corner[1]])
    look |= {"ha": ("left", "right")[corner[0]], "va": ("bottom", "top")[corner[1]]}
    letters = sizes_of(ax).characters(NOTED * inches(ax)[0], sizes_of(ax).note)
    folded = "\n".join(textwrap.fill(line, letters) for line in text.splitlines())
    draw(x, y, plain(folded), transform=ax.transAxes, **look)


def height_scale(ax: Axes, drawn: Any, named: FloatArray, label: str) -> None:
    """Add the colour bar of the heights.

    Arguments:
        drawn: the filled contours.
        named: the levels to write beside it.
        label: what the heights are.
    """
    low, high = drawn.get_clim()
    bar = colour_bar(ax, drawn, label, ticks=named[(low <= named) & (named <= high)])
    if bar is not None:
        bar.ax.set_yticklabels([level_text(tick) for tick in bar.get_ticks()])
        bar.ax.minorticks_off()


class Decades(Formatter):
    """Labels of a log axis: powers of ten, all written out where all are short."""

    def __call__(self, value: float, pos: int | None = None) -> str:
        axis: Any = self.axis
        low, high = sorted(axis.get_view_interval())
        exponent = math.log10(value)
        if (low >= 0.9e-3 and high <= 1.1e4) or abs(exponent - round(exponent)) > 1e-9:
            return words.tick(value)
        return f"$10^{{{round(exponent)}}}$"


def decades(axis: Any) -> None:
    """Give a log axis ticks at powers of ten, of which a few have labels; within one or two also between them."""
    low, high = sorted(axis.get_view_interval())
    few = low > 0 and high / low < SHORT
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=MOST_TICKS))
    axis.set_major_formatter(Decades())
    axis.set_minor_formatter(NullFormatter())


def level_text(value: float) -> str:
    """A level as text: a power of ten, or its product with a digit, where it would be long.

    >>> level_text(250.0), level_text(-1e-7), level_text(2e6)
    ('250', '$−10^{-7}$', '$2·10^{6}$')
    """
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return words.tick(value)
    digits, exponent = f"{abs(value):.2e}".split("e")
    digits = digits.rstrip("0").rstrip(".")
    sign, times = "−" if value < 0 else "", "" if digits == "1" else f"{digits}·"
    return f"${sign}{times}10^{{{int(exponent)}}}$"


def colour_bar(ax: Axes, drawn: Any, label: str, **options: Any) -> Colorbar | None:
    """Add the colour bar of axes, in their look; beside an inset there is no room for one.

    Arguments:
        drawn: what has the colours.
        options: as `Figure.colorbar` has them.
    """
    figure, look = ax.get_figure(root=True), look_of(ax)
    assert figure is not None
    if room.is_inset(ax):
        return None
    bar = figure.colorbar(drawn, ax=ax, pad=0.02, **({} if look.ax is None else {"fraction": SLIM}) | options)
    if look.ax is not None:
        # As high as the axes, which are often narrow.
        bar.ax.set_box_aspect(None)
    dress_bar(bar, label, look)
    return bar


def dress_bar(bar: Colorbar, label: str, look: Look) -> None:
    """Label a colour bar, in a look."""
    bar.set_label(label, fontsize=look.sizes.label)
    dressed(bar.ax, look)
    _dress(bar.ax, look)
    bar.outline.set(edgecolor=look.theme.ink, linewidth=FRAME * look.sizes.line)
    bar.ax.tick_params(which="both", labelsize=look.sizes.tick)


def plain(text: str) -> str:
    """The text with its dollar signs escaped, so that Matplotlib does not read it as mathematics."""
    return text.replace("$", r"\$")
