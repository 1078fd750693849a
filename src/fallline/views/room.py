"""Fits a picture into the room of axes that the user gave: nothing leaves the page or reaches a neighbour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.transforms import Bbox

# Of two axes, each has the room to the middle between them. A picture is not made smaller than this share of its axes.
LEAST = 0.25


def claim(ax: Any) -> None:
    """Remember where the axes stand before anything is drawn on them: a colour bar takes a part of that."""
    vars(ax).setdefault("fallline_slot", ax.get_position().frozen())


def is_inset(ax: Any) -> bool:
    """Whether axes lie on others, which leaves no room beside them."""
    return ax.get_axes_locator() is not None


def fit(ax: Any, bars: Sequence[Any]) -> None:
    """Make axes and their colour bars smaller until their labels and titles are within their room.

    Where a layout of Matplotlib's, such as the constrained one, makes room, there is nothing to do.
    """
    figure = ax.get_figure(root=False)
    if ax.get_figure(root=True).get_layout_engine() is not None or is_inset(ax):
        return
    claim(ax)
    parts, room = [ax, *bars], _room(ax, bars)
    # Again, because in another size other ticks need other room.
    for _ in range(3):
        seen = Bbox.union([part.get_tightbbox() for part in parts]).transformed(figure.transSubfigure.inverted())
        place = Bbox.union([part.get_position() for part in parts]).get_points()
        # Rows are the lower left and the upper right corner.
        over = np.maximum([[1], [-1]] * (room.get_points() - seen.get_points()), 0)
        new = place + [[1], [-1]] * over
        scale = np.ptp(new, axis=0) / np.ptp(place, axis=0)
        if (new[1] - new[0] < LEAST * (place[1] - place[0])).any():
            return
        for part in parts:
            corners = part.get_position().get_points()
            part.set_position(Bbox(new[0] + scale * (corners - place[0])))
            # Matplotlib takes what has been moved out of layouts that are made later.
            part.set_in_layout(True)


def _room(ax: Any, bars: Sequence[Any]) -> Bbox:
    """Where the picture of axes may be drawn, in the figure's coordinates."""
    slot = vars(ax)["fallline_slot"]
    left, bottom, right, top = 0.0, 0.0, 1.0, 1.0
    for other in ax.get_figure(root=False).axes:
        if other in (ax, *bars) or not other.get_visible():
            continue
        place = vars(other).get("fallline_slot", other.get_position())
        if place.y0 < slot.y1 and place.y1 > slot.y0:
            right = min(right, (place.x0 + slot.x1) / 2) if place.x0 >= slot.x1 else right
            left = max(left, (place.x1 + slot.x0) / 2) if place.x1 <= slot.x0 else left
        if place.x0 < slot.x1 and place.x1 > slot.x0:
            top = min(top, (place.y0 + slot.y1) / 2) if place.y0 >= slot.y1 else top
            bottom = max(bottom, (place.y1 + slot.y0) / 2) if place.y1 <= slot.y0 else bottom
    return Bbox.from_extents(left, bottom, right, top)
