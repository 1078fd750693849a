"""The colours of pictures: light, dark, and those of the user's own Matplotlib settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap, ListedColormap, to_hex, to_rgba

# A background of less luminance is dark.
DARKNESS = 0.18


@dataclass(frozen=True, eq=False)
class Theme:
    """The colours of a picture.

    Attributes:
        dark: whether its background is.
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

    dark: bool
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
    dark=False,
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
    dark=True,
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


def luminance(colour: Any) -> float:
    """The relative luminance of a colour, from 0 for black to 1 for white (WCAG 2.2, 2023).

    >>> luminance("white"), luminance("black")
    (1.0, 0.0)
    """
    share = np.array(to_rgba(colour)[:3])
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def own_theme() -> Theme:
    """The theme of Matplotlib's own settings, which a style sheet or the user may have changed.

    What they do not say, such as the colours of a landscape, is that of the light or the dark theme.
    """
    own = matplotlib.rcParams
    ground, ink = (to_hex(own[name]) for name in ("figure.facecolor", "text.color"))
    runs = tuple(to_hex(colour) for colour in own["axes.prop_cycle"].by_key().get("color", ()))
    base = theme_on(ground)
    return replace(base, ground=ground, ink=ink, grid=to_hex(own["grid.color"]), runs=runs or base.runs)


def theme_on(ground: Any) -> Theme:
    """The light or the dark theme, whichever suits a background; a transparent one is light."""
    *colour, alpha = to_rgba(ground)
    return DARK if alpha > 0 and luminance(colour) < DARKNESS else LIGHT
