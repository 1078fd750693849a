"""A map of starts: the minimum in which each one ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, check_whole
from fallline.results.archive import Archived, Contents
from fallline.results.schema import DIFFERENT, NUMBERS_BY_NAME, TEXT, Entry, check_arrays, check_header
from fallline.results.shown import Shown
from fallline.tables import data_frame

if TYPE_CHECKING:
    import pandas as pd

# The entries of the map where no minimum was reached.
NOT_ARRIVED, DIVERGED = -1, -2

# The contents of a map's file: see `check_header` and `check_arrays`.
HEADER: Mapping[str, Entry] = {
    **dict.fromkeys(("title", "optimizer", "engine", "gradient_kind"), TEXT),
    **dict.fromkeys(("names", "axes"), DIFFERENT),
    "held": NUMBERS_BY_NAME,
}
ARRAYS = {
    "x": "f8 columns",
    "y": "f8 rows",
    "minima": "f8 minima n",
    "values": "f8 minima",
    "basin": "i4 rows columns",
    "steps": "i4 rows columns",
}


class Minimum(NamedTuple):
    """A minimum on the map.

    Attributes:
        x: where it is, shape (n,).
        value: the objective there.
        share: the share of the starts that end in it.
        steps: the median of the steps that those took.
    """

    x: FloatArray
    value: float
    share: float
    steps: float


@dataclass(frozen=True, eq=False, repr=False)
class Basins(Archived, Shown):
    """A map of starts: the minimum in which each one ends.

    Row i, column j is the start with the coordinates `x[j]` and `y[i]`.

    Attributes:
        title: what was minimised.
        optimizer: the rule in a few words.
        names: the coordinates' names, n of them.
        axes: the two coordinates that vary over the map.
        x: the starts in the first of them, shape (columns,).
        y: the starts in the second, shape (rows,).
        held: the remaining coordinates, and where every run starts in them.
        minima: the minima that were reached, those with the largest basins first, shape (m, n).
        values: the objective there, shape (m,).
        basin: the index in `minima` of the one reached, shape (rows, columns); NOT_ARRIVED where the run used up its
            steps or came to rest at a saddle or on a plateau, DIVERGED where it went to infinity.
        steps: the number of updates until the run ended, shape (rows, columns).
        engine: the engine that executed the runs.
        gradient_kind: how the gradient was found, as in a trajectory.
    """

    file_format: ClassVar[str] = "fallline basins 2"
    file_called: ClassVar[str] = "a map of basins"
    picture: ClassVar[str] = "plot_basins"

    title: str
    optimizer: str
    names: tuple[str, ...]
    axes: tuple[str, str]
    x: FloatArray
    y: FloatArray
    held: Mapping[str, float]
    minima: FloatArray
    values: FloatArray
    basin: npt.NDArray[np.int32]
    steps: npt.NDArray[np.int32]
    engine: str
    gradient_kind: str

    def share(self, place: int) -> float:
        """The share of the starts that end in the minimum with this index, or in NOT_ARRIVED or DIVERGED."""
        return float(np.mean(self.basin == place))

    @property
    def best(self) -> Minimum:
        """The lowest of the minima that were reached.

        Raises:
            FalllineError: when none was.
        """
        if not len(self.minima):
            raise FalllineError("best", problem="does not exist: no start reached a minimum")
        return self.ranked(1)[0]

    def ranked(self, count: int = 10) -> list[Minimum]:
        """The lowest minima, the lowest first; of equally low ones, the one with the larger basin.

        Raises:
            FalllineError: when the count is negative or not a whole number.

        >>> import fallline
        >>> wells = fallline.basins("x**4/4 - x**2/2 + x/5 + y**2", [(-2, 2), (-1, 1)], "momentum", resolution=16)
        >>> [round(float(minimum.x[0]), 3) for minimum in wells.ranked()]
        [-1.088, 0.879]
        """
        check_whole("count", count, least=0)
        return [self._minimum(place) for place in np.argsort(self.values, kind="stable")[:count].tolist()]

    def _minimum(self, place: int) -> Minimum:
        steps = float(np.median(self.steps[self.basin == place]))
        return Minimum(self.minima[place], float(self.values[place]), self.share(place), steps)

    def to_frame(self) -> pd.DataFrame:
        """A pandas data frame with one start per row: its coordinates, its minimum's index in `minima`, and the steps.

        Raises:
            FalllineError: when pandas is not installed.

        >>> import fallline
        >>> found = fallline.basins("himmelblau", None, fallline.GradientDescent(0.01), resolution=8)
        >>> list(found.to_frame())
        ['x', 'y', 'basin', 'steps']
        """
        x, y = np.meshgrid(self.x, self.y)
        starts = dict(zip(self.axes, (x.ravel(), y.ravel()), strict=True))
        return data_frame(starts | {"basin": self.basin.ravel(), "steps": self.steps.ravel()})

    def contents(self) -> Contents:
        """The contents of the map's file."""
        header = {name: getattr(self, name) for name in HEADER}
        return Contents(header | {"held": dict(self.held)}, {name: getattr(self, name) for name in ARRAYS})

    @classmethod
    def restored(cls, header: dict[str, Any], arrays: dict[str, Any]) -> Basins:
        """The map from the contents of its file."""
        check_header(header, HEADER)
        names, axes = tuple(header.pop("names")), tuple(header.pop("axes"))
        if len(axes) != 2 or sorted([*axes, *header["held"]]) != sorted(names):
            raise FalllineError("axes", axes, "it must be two of the names, and the others held")
        check_arrays(arrays, ARRAYS, empty=("minima",), n=len(names))
        for axis in ("x", "y"):
            if not (np.isfinite(arrays[axis]).all() and (np.diff(arrays[axis]) > 0).all()):
                raise FalllineError(axis, arrays[axis].tolist(), "it must be finite numbers, ascending")
        basin, most = arrays["basin"], len(arrays["minima"]) - 1
        if not ((basin >= DIVERGED) & (basin <= most)).all():
            raise FalllineError("basin", basin.tolist(), f"it must be from {DIVERGED} to {most}, as there are minima")
        return cls(names=names, axes=axes, **header, **arrays)
