"""Lines that change from frame to frame: how they are drawn is worked out once, and then only strokes are drawn."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.lines import Line2D
from matplotlib.path import Path

from fallline.arrays import FloatArray


class Growing:
    """A line that takes new points in each frame, and the place of the artist that was made for all of them.

    Attributes:
        points: what is shown, in the coordinates of flat axes, shape (points, 2).
    """

    def __init__(self, line: Line2D, renderer: Any) -> None:
        self._depth = line.get_zorder()
        tape: Any = _Tape(renderer)
        line.draw(tape)
        # Of a line in space, `draw` has found the places on the screen.
        self.points: FloatArray = np.array(line.get_xydata(), float)
        self._strokes, self._marks = tape.strokes, tape.marks
        every: Any = line.get_markevery() or 1
        # Such as [-1], for the last point of those shown.
        self._chosen = every if isinstance(every, list) else None
        self._rows = [self._marked(mark, every) for mark in self._marks]

    def _marked(self, mark: _Mark, every: Any) -> npt.NDArray[np.intp]:
        """Which of all points have markers: each appears together with its point, and stays."""
        if self._chosen is not None:
            return np.array([], int)
        if isinstance(every, int):
            return np.arange(0, len(self.points), every)
        # At even distances: where Matplotlib has put them.
        return np.array([np.flatnonzero((self.points == point).all(axis=1))[0] for point in mark.points], int)

    def get_zorder(self) -> float:
        """How far in front it lies."""
        return self._depth

    def draw(self, renderer: Any) -> None:
        """Draw the points shown."""
        path, count = Path(self.points), len(self.points)
        for gc, transform in self._strokes:
            renderer.draw_path(gc, path, transform)
        for mark, rows in zip(self._marks, self._rows, strict=True):
            shown = self.points[self._chosen or rows[: np.searchsorted(rows, count)]] if count else self.points
            renderer.draw_markers(mark.gc, mark.form, mark.size, Path(shown), mark.transform, mark.colour)


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


def on_screen(places: tuple[FloatArray, ...], projection: FloatArray | None) -> FloatArray:
    """Points in the coordinates of flat axes, shape (points, 2).

    Arguments:
        places: the coordinates, two arrays on flat axes or three in space.
        projection: in space, the matrix of the camera, shape (4, 4).
    """
    if projection is None:
        return np.stack(places, axis=1)
    x, y, _, distance = projection @ np.stack([*places, np.ones(len(places[0]))])
    return np.stack([x / distance, y / distance], axis=1)
