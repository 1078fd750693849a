"""Lines and points that grow from frame to frame: how to draw them is worked out once, for all frames."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.collections import PathCollection
from matplotlib.lines import Line2D
from matplotlib.path import Path

from fallline.arrays import FloatArray


class Growing:
    """A line of which each frame shows more, in place of the Matplotlib artist made for all of it.

    Attributes:
        count: how many of its points are shown, from the first on.
    """

    def __init__(self, line: Line2D, renderer: Any) -> None:
        self._depth = line.get_zorder()
        tape: Any = _Tape(renderer)
        line.draw(tape)
        # In the coordinates of flat axes: for a line in three dimensions, `draw` has projected them.
        self._points: FloatArray = np.array(line.get_xydata(), float)
        self.count = len(self._points)
        self._strokes, self._marks = tape.strokes, tape.marks
        every: Any = 1 if line.get_markevery() is None else line.get_markevery()
        # A list such as [-1] marks the last point shown, an array points of the path.
        self._chosen = every if isinstance(every, list) else None
        # Of all points, those with markers: each appears with its point, and stays.
        self._rows: npt.NDArray[np.intp] = np.arange(0, self.count, every) if isinstance(every, int) else every

    def get_zorder(self) -> float:
        """How far in front it lies."""
        return self._depth

    def draw(self, renderer: Any) -> None:
        """Draw the points shown."""
        points = self._points[: self.count]
        path = Path(points)
        for gc, transform in self._strokes:
            renderer.draw_path(gc, path, transform)
        rows = self._chosen or self._rows[: np.searchsorted(self._rows, self.count)]
        shown = points[rows] if self.count else points
        for mark in self._marks:
            renderer.draw_markers(mark.gc, mark.form, mark.size, Path(shown), mark.transform, mark.colour)


class Dots:
    """Points of which each frame shows more, in place of the Matplotlib artist made for all of them.

    Attributes:
        points: the points shown, later ones in front, in the coordinates of flat axes, shape (points, 2).
        colours: their colours, shape (points, 4); empty when all share one.
    """

    def __init__(self, dots: PathCollection, renderer: Any) -> None:
        self._depth = dots.get_zorder()
        tape: Any = _Tape(renderer)
        dots.draw(tape)
        self._marks, self._crowds = tape.marks, tape.crowds
        self.points: FloatArray = np.zeros((0, 2))
        self.colours: FloatArray = np.zeros((0, 4))

    def get_zorder(self) -> float:
        """How far in front they lie."""
        return self._depth

    def draw(self, renderer: Any) -> None:
        """Draw the points shown."""
        # Without offsets, Matplotlib would draw the bare marker at the origin.
        if not len(self.points):
            return
        for mark in self._marks:
            renderer.draw_markers(mark.gc, mark.form, mark.size, Path(self.points), mark.transform, mark.colour)
        for crowd in self._crowds:
            renderer.draw_path_collection(
                *crowd.forms, self.points, crowd.transform, self.colours, *crowd.look, **crowd.hatching
            )


class _Mark(NamedTuple):
    """The recorded arguments that draw a line's markers."""

    gc: Any
    form: Path
    size: Any
    points: FloatArray
    transform: Any
    colour: Any


class _Crowd(NamedTuple):
    """The recorded arguments that draw points of many colours."""

    forms: tuple[Any, ...]
    transform: Any
    look: tuple[Any, ...]
    hatching: dict[str, Any]


class _Tape:
    """A renderer that draws nothing and records the calls an artist makes."""

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer
        self.strokes: list[tuple[Any, Any]] = []
        self.marks: list[_Mark] = []
        self.crowds: list[_Crowd] = []

    def draw_path(self, gc: Any, path: Path, transform: Any) -> None:
        self.strokes.append((gc, transform))

    def draw_markers(self, gc: Any, form: Path, size: Any, path: Path, transform: Any, colour: Any) -> None:
        self.marks.append(_Mark(gc, form, size, np.asarray(path.vertices), transform, colour))

    def draw_path_collection(
        self,
        gc: Any,
        master: Any,
        forms: Any,
        sizes: Any,
        points: Any,
        transform: Any,
        colours: Any,
        *look: Any,
        **hatching: Any,
    ) -> None:
        # Matplotlib calls once without paths, to find out whether a renderer supports hatching.
        if len(forms):
            self.crowds.append(_Crowd((gc, master, forms, sizes), transform, look, hatching))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._renderer, name)


def on_screen(places: tuple[FloatArray, ...], projection: FloatArray | None) -> FloatArray:
    """Points in the coordinates of flat axes, shape (points, 2); in three dimensions (points, 3), the last the depth.

    Arguments:
        places: the coordinates, two arrays on flat axes, otherwise three.
        projection: the matrix of the camera, shape (4, 4); None on flat axes.
    """
    if projection is None:
        return np.stack(places, axis=1)
    *ahead, weight = projection @ np.stack([*places, np.ones(len(places[0]))])
    return np.stack([place / weight for place in ahead], axis=1)
