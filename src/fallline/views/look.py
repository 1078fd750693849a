"""What a user may choose of the look of any picture, and the colours and sizes that follow from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from inspect import signature
from numbers import Real
from typing import Any, Literal, Self, TypeAlias, TypedDict

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import is_color_like, to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D

from fallline.errors import FalllineError, nearest
from fallline.pictures.heights import Limits
from fallline.views.theme import THEMES, Theme, own_theme, theme_on

Style: TypeAlias = Literal["light", "dark", "matplotlib"]
Context: TypeAlias = Literal["notebook", "paper", "slide"]
STYLES = (*THEMES, "matplotlib")


@dataclass(frozen=True)
class Sizes:
    """The sizes of a picture's parts: texts, lines and markers in points, the rest in inches.

    Attributes:
        width: the width of a figure of one axes; other figures are larger or smaller in proportion.
        dpi: dots per inch.
        title, label, tick, legend, note: texts.
        line, marker: the line and the markers of a run.
    """

    width: float
    dpi: float
    title: float
    label: float
    tick: float
    legend: float
    note: float
    line: float
    marker: float

    def characters(self, inches: float, size: float) -> int:
        """How many characters of a text size fit on a length."""
        return max(8, int(72 * inches / (CHARACTER * size)))


# The mean width of a character, by the size of its font; and how many colours are taken from a continuous map.
CHARACTER, SAMPLES = 0.53, 8
SIZES: Mapping[str, Sizes] = {
    "notebook": Sizes(8.0, 100, title=14, label=14, tick=12, legend=11, note=10, line=2, marker=7),
    # A journal's column.
    "paper": Sizes(3.3, 300, title=7, label=7, tick=6, legend=6, note=5.5, line=1, marker=3.2),
    # Read from the back of a room.
    "slide": Sizes(10.0, 100, title=20, label=20, tick=16, legend=16, note=14, line=3, marker=10),
}


class Options(TypedDict, total=False):
    """The keywords that every picture takes, those of `Look`."""

    style: Style
    context: Context | None
    ax: Axes | None
    figsize: tuple[float, float] | None
    dpi: float | None
    title: str | None
    labels: Sequence[str] | None
    legend: bool | Sequence[str]
    palette: str | Sequence[Any] | None
    xlim: Limits
    ylim: Limits
    linewidth: float | None
    linestyle: Any
    marker: Any
    markersize: float | None
    alpha: float | None


@dataclass(frozen=True, eq=False)
class Look:
    """How a picture looks, as the user chose it.

    Attributes:
        style: "light", "dark", or "matplotlib": the colours, fonts and sizes of the user's own Matplotlib settings and
            style sheets.
        context: what the picture is for, which decides its sizes: "notebook", "paper" (a journal's column, 3.3 inches
            and 7 points), "slide"; None: "notebook", and in the style "matplotlib" the user's own sizes.
        ax: the axes to draw on, whose background decides the colours; None: a new figure.
        figsize: the width and height of a new figure, in inches; None: by the picture and its context.
        dpi: the dots per inch of a new figure; None: by the context.
        title: the title; "": none; None: made of what is shown.
        labels: the labels of the axes, in the order x, y, z; None: the names of what they show.
        legend: whether there is one; or the names of the runs in it.
        palette: the colours of the runs: their sequence, or the name of one of Matplotlib's sequences or maps.
        xlim, ylim: the limits of the axes, None at an end to choose it; None: chosen to show the runs.
        linewidth, linestyle, marker, markersize, alpha: of the runs' lines, as `matplotlib.axes.Axes.plot` has them;
            None: by the picture and its context.

    Raises:
        FalllineError: when one of them is wrong; it names it.

    >>> Look(context="paper").sizes.width
    3.3
    >>> Look(style="drak")
    Traceback (most recent call last):
    fallline.errors.FalllineError: style is 'drak'; did you mean 'dark'? Allowed: light, dark, matplotlib
    """

    style: Style = "light"
    context: Context | None = None
    ax: Axes | None = None
    figsize: tuple[float, float] | None = None
    dpi: float | None = None
    title: str | None = None
    labels: Sequence[str] | None = None
    legend: bool | Sequence[str] = True
    palette: str | Sequence[Any] | None = None
    xlim: Limits = None
    ylim: Limits = None
    linewidth: float | None = None
    linestyle: Any = None
    marker: Any = None
    markersize: float | None = None
    alpha: float | None = None

    def __post_init__(self) -> None:
        check_style(self.style)
        if self.context is not None and (not isinstance(self.context, str) or self.context not in SIZES):
            raise FalllineError("context", self.context, nearest(str(self.context), SIZES))
        if self.ax is not None and not isinstance(self.ax, Axes):
            raise FalllineError("ax", self.ax, "it must be a Matplotlib Axes")
        if self.ax is not None and self.ax.get_figure(root=True) is None:
            raise FalllineError("ax", problem="belongs to no figure any more", allowed="give axes that are on one")
        for name in ("figsize", "xlim", "ylim"):
            pair = getattr(self, name)
            inches = name == "figsize"
            if pair is not None and not _is_pair(pair, inches=inches):
                what = "two numbers above 0, width and height in inches" if inches else "two different numbers, or None"
                raise FalllineError(name, pair, f"it must be {what}")
        for name in ("dpi", "linewidth", "markersize", "alpha"):
            number = getattr(self, name)
            if number is not None and not (_is_number(number) and 0 < number <= (1 if name == "alpha" else 1e5)):
                raise FalllineError(name, number, "it must be a number above 0" + ", at most 1" * (name == "alpha"))
        _check_words(self)
        for name in ("linestyle", "marker"):
            _check_line(name, getattr(self, name))
        if self.palette is not None:
            colours_of(self.palette)

    @classmethod
    def of(cls, options: Mapping[str, Any], picture: Callable[..., Any] | None = None) -> Self:
        """The look of a picture from its keywords.

        Arguments:
            options: the keywords.
            picture: the function that was called with them, whose own ones an error then names too.

        Raises:
            FalllineError: when there is no such keyword.
        """
        for name in options:
            if name not in OPTIONS:
                parameters = signature(picture).parameters.values() if picture else ()
                own = [each.name for each in parameters if each.kind == each.KEYWORD_ONLY]
                known = nearest(name, [*own, *OPTIONS])
                raise FalllineError(name, problem="is no option of this picture", allowed=known)
        return cls(**options)

    @cached_property
    def theme(self) -> Theme:
        """The colours: on the user's axes those that suit their background."""
        if self.style == "matplotlib":
            theme = own_theme()
        elif self.ax is not None:
            figure: Any = self.ax.get_figure(root=True)
            theme = theme_on(figure.get_facecolor())
        else:
            theme = THEMES[self.style]
        return theme if self.palette is None else replace(theme, runs=colours_of(self.palette))

    @cached_property
    def sizes(self) -> Sizes:
        """The sizes: those of the context, or of the user's own settings, smaller on small axes of the user's."""
        if self.context is not None:
            return SIZES[self.context]
        if self.ax is None:
            return SIZES["notebook"] if self.style != "matplotlib" else own_sizes()
        figure = self.ax.get_figure(root=True)
        assert figure is not None
        return own_sizes(self.ax.get_position().width * figure.get_size_inches()[0])

    @cached_property
    def line(self) -> dict[str, Any]:
        """The options of the runs' lines that the user chose."""
        names = ("linewidth", "linestyle", "marker", "markersize", "alpha")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


# The width of axes on which the user's own sizes are as they are, by that of the user's figures; the least share of
# them on smaller axes; and the size below which no text is made smaller, in points.
ROOMY, SMALLEST, READABLE = 0.7, 0.6, 5.5
OPTIONS = tuple(option.name for option in fields(Look))


def own_sizes(inches: float = math.inf) -> Sizes:
    """The sizes of Matplotlib's own settings, for axes of a width in inches; without a width, for a figure."""
    own: Any = matplotlib.rcParams
    usual = own["figure.figsize"][0]
    share = min(1.0, max(SMALLEST, inches / (ROOMY * usual)))

    def points(name: str) -> float:
        size = float(FontProperties(size=own[name]).get_size_in_points())
        return float(max(share * size, min(size, READABLE)))

    texts = {part: points(name) for part, name in OWN_TEXTS.items()}
    line, marker = (share * own[name] for name in ("lines.linewidth", "lines.markersize"))
    return Sizes(min(inches, usual), own["figure.dpi"], **texts, line=line, marker=marker)


# The settings of Matplotlib that say the sizes of texts.
OWN_TEXTS = {
    "title": "axes.titlesize",
    "label": "axes.labelsize",
    "tick": "xtick.labelsize",
    "legend": "legend.fontsize",
    "note": "legend.fontsize",
}


def check_style(style: Any, parameter: str = "style") -> None:
    """Check the name of a style.

    Raises:
        FalllineError: when there is no such style; it names `parameter` and the styles.
    """
    if style not in STYLES:
        raise FalllineError(parameter, style, nearest(str(style), STYLES))


def colours_of(palette: str | Sequence[Any]) -> tuple[str, ...]:
    """The colours of a palette, such as "tab10", "viridis" or ["red", "#0072B2"], as hexadecimal numbers.

    Raises:
        FalllineError: when Matplotlib has no such palette, or something in the sequence is no colour.

    >>> colours_of(["red", "0.5"])
    ('#ff0000', '#808080')
    """
    if isinstance(palette, str):
        if palette in matplotlib.color_sequences:
            return tuple(map(to_hex, matplotlib.color_sequences[palette]))
        if palette in matplotlib.colormaps:
            return tuple(map(to_hex, matplotlib.colormaps[palette](np.linspace(0, 0.9, SAMPLES))))
        names = sorted({*matplotlib.color_sequences, *matplotlib.colormaps})
        raise FalllineError("palette", palette, nearest(palette, names))
    if not isinstance(palette, Sequence) or not palette:
        raise FalllineError("palette", palette, "it must be a list of colours, or the name of a palette of Matplotlib")
    for colour in palette:
        if not is_color_like(colour):
            raise FalllineError("palette", palette, problem=f"has {colour!r}, which is no colour")
    return tuple(map(to_hex, palette))


def dressed(thing: Axes | Figure, look: Look) -> None:
    """Give a look to axes, or to a figure and all its axes, which what is drawn on them then follows."""
    # Kept by the thing itself: a table of ours would keep the figure alive.
    vars(thing)["fallline_look"] = look


def look_of(ax: Any) -> Look:
    """The look of axes or of a figure: the one given, that of the figure, or what suits its background."""
    figure = ax.get_figure(root=True)
    given: Look | None = vars(ax).get("fallline_look") or vars(figure).get("fallline_look")
    return given or _look_on(to_rgba(figure.get_facecolor()))


def theme_of(ax: Any) -> Theme:
    """The colours of axes or of a figure."""
    return look_of(ax).theme


def sizes_of(ax: Any) -> Sizes:
    """The sizes on axes or on a figure."""
    return look_of(ax).sizes


# Cached: a film calls this with the same arguments in every frame.
@lru_cache(maxsize=16)
def _look_on(ground: Any) -> Look:
    return Look(style="dark" if theme_on(ground).dark else "light")


def _check_words(look: Look) -> None:
    """Refuse texts that are none."""
    if look.title is not None and not isinstance(look.title, str):
        raise FalllineError("title", look.title, 'it must be a text, or "" for none')
    if look.labels is not None and not (_are_texts(look.labels) and len(look.labels) <= 3):
        raise FalllineError("labels", look.labels, "it must be a list of names, of the axes x, y and z")
    if not (isinstance(look.legend, bool | np.bool) or _are_texts(look.legend)):
        raise FalllineError("legend", look.legend, "it must be a list of names, or True or False")


def _are_texts(texts: Any) -> bool:
    listed = isinstance(texts, Sequence | np.ndarray) and not isinstance(texts, str)
    return listed and all(isinstance(text, str) for text in texts)


def _check_line(name: str, value: Any) -> None:
    """Refuse a line style or a marker that Matplotlib does not know."""
    try:
        Line2D([], [], **{name: value})
    except (ValueError, TypeError):
        known = Line2D.lineStyles if name == "linestyle" else Line2D.markers
        names = [key for key in known if isinstance(key, str) and key.strip() and key.lower() != "none"]
        raise FalllineError(name, value, nearest(str(value), ["none", *names])) from None


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool) and math.isfinite(value)


def _is_pair(pair: Any, *, inches: bool) -> bool:
    sides = tuple(pair) if isinstance(pair, Sequence | np.ndarray) and not isinstance(pair, str) else ()
    if len(sides) != 2 or not all(_is_number(side) or (side is None and not inches) for side in sides):
        return False
    return min(sides) > 0 if inches else sides[0] != sides[1] or sides[0] is None
