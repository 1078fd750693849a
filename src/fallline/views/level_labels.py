"""The numbers on some contour lines, where they hide no path and no remark."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from fallline.arrays import FloatArray
from fallline.pictures.landscape import Landscape
from fallline.views.appearance import inches, level_text
from fallline.views.look import sizes_of, theme_of

# At most so many lines have a number; of each line so many places are tried.
MOST, PLACES = 5, 150
# The least distance of a number from paths, other numbers and the edge, and the most that is worth while, in inches by
# the size of its text in inches.
CLEAR, FREE = 1.4, 5.0


def level_labels(ax: Axes, lines: Any, data: Landscape) -> None:
    """Write numbers on a few contour lines, each at the place farthest from the paths and other numbers.

    Arguments:
        lines: the contour lines.
    """
    sizes = sizes_of(ax)
    shown = np.array([level for level in lines.levels if level in data.levels.named])
    size = sizes.note / 72
    taken = _taken(ax, data)
    chosen: list[FloatArray] = []
    for level in shown[:: -(-len(shown) // MOST) or 1]:
        vertices = lines.get_paths()[int(np.flatnonzero(lines.levels == level)[0])].vertices
        places = _on_paper(ax, vertices[:: -(-len(vertices) // PLACES) or 1])
        if not len(places):
            continue
        clear = np.minimum(_distance(places, taken), _from_the_edge(ax, places)) / size
        best = int(np.minimum(clear, FREE).argmax())
        if clear[best] >= CLEAR:
            chosen.append(_in_data(ax, places[best]))
            # A number is wider than high.
            taken = np.concatenate([taken, places[best] + size * np.array([[0, 0], [1, 0], [-1, 0]])])
    look: dict[str, Any] = {"fontsize": sizes.note, "colors": theme_of(ax).ink, "inline": True, "inline_spacing": 2}
    for place in chosen:
        for text in ax.clabel(lines, fmt=level_text, manual=[tuple(place)], **look):
            text.set(color=theme_of(ax).ink, alpha=None)
            text.set_path_effects([withStroke(linewidth=2, foreground=theme_of(ax).rim)])


def _on_paper(ax: Axes, points: FloatArray) -> FloatArray:
    """Points of the axes in inches from their lower left corner, shape (k, 2); those outside are left out."""
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    share = (points - low) / (high - low)
    return np.asarray(share[((share >= 0) & (share <= 1)).all(axis=1)] * inches(ax))


def _in_data(ax: Axes, place: FloatArray) -> FloatArray:
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    return np.asarray(low + place / inches(ax) * (high - low))


def _taken(ax: Axes, data: Landscape) -> FloatArray:
    """Points on the paths, close to each other, the minima, and the remarks, shape (k, 2)."""
    points = [data.minima, *(_inside(ax, text.get_window_extent()) for text in ax.texts)]
    for path in data.paths:
        parts = np.linspace(0, len(path) - 1, 4 * PLACES)
        points.append(np.stack([np.interp(parts, np.arange(len(path)), place) for place in path.x.T], axis=1))
    return _on_paper(ax, np.concatenate(points))


def _inside(ax: Axes, box: Bbox) -> FloatArray:
    """Points all over a box on the screen, in data coordinates, shape (k, 2)."""
    across, up = np.meshgrid(np.linspace(box.x0, box.x1, 12), np.linspace(box.y0, box.y1, 6))
    return np.asarray(ax.transData.inverted().transform(np.stack([across.ravel(), up.ravel()], axis=1)))


def _distance(places: FloatArray, taken: FloatArray) -> FloatArray:
    """How far each place is from the nearest that is taken."""
    if not len(taken):
        return np.full(len(places), np.inf)
    return np.asarray(np.hypot(*(places[:, None] - taken).transpose(2, 0, 1)).min(axis=1))


def _from_the_edge(ax: Axes, places: FloatArray) -> FloatArray:
    return np.asarray(np.minimum(places, np.array(inches(ax)) - places).min(axis=1))
