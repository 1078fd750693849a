"""A plane of starts: two coordinates on a grid, the remaining ones held fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, Verbatim, nearest
from fallline.objectives import Objective
from fallline.objectives.points import interval, one_point

Interval = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Plane:
    """The starts of a map.

    Attributes:
        columns: the indices of the two coordinates that vary.
        x: the starts in the first of them.
        y: the starts in the second.
        held: the remaining coordinates, and where every run starts in them.
        starts: all starts, one per row, in row-major order of the map.
    """

    columns: tuple[int, int]
    x: FloatArray
    y: FloatArray
    held: Mapping[str, float]
    starts: FloatArray

    @classmethod
    def of(cls, objective: Objective, box: Any, at: Any, resolution: int) -> Plane:
        """The starts on a grid in a box.

        Arguments:
            objective, box, at, resolution: as in `basins`.

        Raises:
            FalllineError: naming the argument that is wrong, its value and what is allowed.
        """
        columns, window = _columns(objective, box)
        held = _held(objective, columns, at)
        try:
            starts = np.empty((resolution, resolution, objective.dimension))
        except (MemoryError, ValueError):  # more than fits into memory, or than NumPy can index
            raise FalllineError("resolution", resolution, "so many starts do not fit into memory") from None
        x, y = (np.linspace(low, high, resolution) for low, high in window)
        starts[:] = [held.get(name, 0.0) for name in objective.names]
        starts[..., columns[0]], starts[..., columns[1]] = x, y[:, None]
        return cls(columns, x, y, held, starts.reshape(-1, objective.dimension))

    @property
    def widths(self) -> FloatArray:
        """The box's width in each coordinate; its larger width in those that are held fixed."""
        both = [self.x[-1] - self.x[0], self.y[-1] - self.y[0]]
        widths = np.full(self.starts.shape[1], max(both))
        widths[list(self.columns)] = both
        return widths


def _columns(objective: Objective, box: Any) -> tuple[tuple[int, int], list[Interval]]:
    """The indices of the two coordinates that vary, and the interval of each."""
    names = objective.names
    if len(names) < 2:
        raise FalllineError(
            "objective", Verbatim(objective.title), "a map of starts needs two", problem="which has one coordinate"
        )
    if isinstance(box, Mapping):
        for name in box:
            if name not in names:
                raise FalllineError("box", problem=f"names the coordinate {name!r}", allowed=nearest(str(name), names))
        if len(box) != 2:
            raise FalllineError("box", box, f"it must name two of {', '.join(names)}")
        first, second = (names.index(name) for name in box)
        return (first, second), [interval(bounds, "box") for bounds in box.values()]
    if len(names) > 2:
        raise FalllineError(
            "box",
            box,
            "name the two that differ from start to start, each with its interval",
            problem=f"but {objective.title} has the coordinates {', '.join(names)}",
        )
    if box is None and objective.bounds is None:
        raise FalllineError(
            "box",
            problem=f"is None, and {objective.title} has no part that is usually searched",
            allowed="give the interval of each coordinate",
        )
    given = objective.bounds if box is None else box
    if not isinstance(given, Sequence | np.ndarray) or isinstance(given, str) or len(given) != 2:
        raise FalllineError("box", box, f"it must be two intervals, one for each of {', '.join(names)}")
    return (0, 1), [interval(bounds, "box") for bounds in given]


def _held(objective: Objective, columns: tuple[int, int], at: Any) -> dict[str, float]:
    """Where all runs start in the coordinates that are held fixed."""
    free = [objective.names[column] for column in columns]
    others = [name for name in objective.names if name not in free]
    if at is not None and not isinstance(at, Mapping):
        raise FalllineError("at", at, f"it must give a number to each of the names {', '.join(others)}")
    for name in at or {}:
        if name not in others:
            raise FalllineError("at", problem=f"names the coordinate {name!r}", allowed=nearest(str(name), others))
    point = one_point(objective, dict(at or {}) | dict.fromkeys(free, 0.0), "at")
    return {name: float(number) for name, number in zip(objective.names, point, strict=True) if name in others}
