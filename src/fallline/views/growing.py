"""Lines that grow from frame to frame: how they are drawn is worked out once, and then only strokes are drawn."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.lines import Line2D
from matplotlib.path import Path

from fallline.arrays import FloatArray

# For `Line2D.set_markevery`: a marker on the last point alone.
AT_THE_END = [-1]


class Growing:
    """A line of which the first points are shown; it takes the place of the artist that draws all of them.

    Attributes:
        count: how many points are shown.
    """

    def __init__(self, line: Line2D, renderer: Any) -> None:
        self._depth = line.get_zorder()
        tape: Any = _Tape(renderer)
        line.draw(tape)
        # Of a line in space, `draw` has found the places on the screen.
        self._points = np.asarray(line.get_transform().transform_path_non_affine(line.get_path()).vertices)
        self._strokes = tape.strokes
        self._marks = [(mark, _rows(mark.points, self._points)) for mark in tape.marks]
        self._ends = line.get_markevery() == AT_THE_END
        self.count = len(self._points)

    def get_zorder(self) -> float:
        """How far in front it lies."""
        return self._depth

    def draw(self, renderer: Any) -> None:
        """Draw the points shown; a marker appears together with the point that it stands on."""
        for gc, transform in self._strokes:
            renderer.draw_path(gc, Path(self._points[: self.count]), transform)
        for mark, rows in self._marks:
            shown = [self.count - 1] if self._ends else rows[: np.searchsorted(rows, self.count)]
            renderer.draw_markers(mark.gc, mark.form, mark.size, Path(self._points[shown]), mark.transform, mark.colour)


class _Mark(NamedTuple):
    """What draws the markers of a line."""

    gc: Any
    form: Path
    size: Any
    points: FloatArray
    transform: Any
    colour: Any


class _Tape:
    """A renderer that draws nothing and keeps what a line asks it to draw."""

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer
        self.strokes: list[tuple[Any, Any]] = []
        self.marks: list[_Mark] = []

    def draw_path(self, gc: Any, path: Path, transform: Any) -> None:
        self.strokes.append((gc, transform))

    def draw_markers(self, gc: Any, form: Path, size: Any, path: Path, transform: Any, colour: Any) -> None:
        self.marks.append(_Mark(gc, form, size, np.asarray(path.vertices), transform, colour))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._renderer, name)


def _rows(some: FloatArray, every: FloatArray) -> npt.NDArray[np.intp]:
    """The row in which each of some points first stands among all."""
    return np.array([np.flatnonzero((every == point).all(axis=1))[0] for point in some], np.intp)
