"""The point with the lowest value of each run of a batch so far."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.results.trajectory import Point


class Here(Protocol):
    """The points of runs after a step, one per row."""

    @property
    def step(self) -> int: ...
    @property
    def x(self) -> FloatArray: ...
    @property
    def value(self) -> FloatArray: ...
    @property
    def gradient(self) -> FloatArray: ...


class Lowest(NamedTuple):
    """The lowest point of each run, one per row, and the step at which it was reached."""

    step: int | npt.NDArray[np.int64]
    x: FloatArray
    value: FloatArray
    gradient: FloatArray

    @classmethod
    def at(cls, here: Here) -> Lowest:
        """These points, the first of the runs."""
        return cls(here.step, here.x, here.value, here.gradient)

    def or_at(self, here: Here) -> Lowest:
        """The lowest points after the runs have reached `here`."""
        lower = here.value < self.value
        count = np.count_nonzero(lower)
        if count == len(lower):
            return Lowest.at(here)
        if not count:
            return self
        rows = lower[:, None]
        return Lowest(
            step=np.where(lower, here.step, self.step),
            x=np.where(rows, here.x, self.x),
            value=np.where(lower, here.value, self.value),
            gradient=np.where(rows, here.gradient, self.gradient),
        )

    def point(self, i: int) -> Point:
        """A copy of the lowest point of one run."""
        reached_by = int(self.step if isinstance(self.step, int) else self.step[i])
        return Point(reached_by, self.x[i].copy(), float(self.value[i]), self.gradient[i].copy())
