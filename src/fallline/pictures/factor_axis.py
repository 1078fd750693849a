"""Where the values of a sweep's factor stand along the axis of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from fallline.arrays import FloatArray
from fallline.tables import Printed

Spacing: TypeAlias = Literal["linear", "log", "even"]
# On an axis of numbers the widest gap between neighbours is at most so many times the narrowest: thinner cells are
# hard to see.
UNEVEN = 4.0
# Numbers whose ratios are as even as their differences are on a log axis if they span so much.
DECADE = 10.0


@dataclass(frozen=True, eq=False, repr=False)
class FactorAxis(Printed):
    """The values of a factor along an axis.

    Attributes:
        name: the factor; empty if there is none.
        values: its values, one for each cell.
        spacing: "linear" or "log" for numbers that stand where they belong; "even" for texts, and for numbers of
            irregular distances, which stand at 0, 1, 2, ...
        edges: where the cells begin and end, shape (values + 1,).
    """

    name: str
    values: tuple[Any, ...]
    spacing: Spacing
    edges: FloatArray

    def place(self, value: float) -> float:
        """Where a number stands: on the axis; NaN beyond it, and where the values are no numbers in order."""
        numbers = ordered(self.values)
        ends = numbers if self.spacing == "even" else self.edges
        if numbers is None or ends is None or not ends.min() <= value <= ends.max():
            return np.nan
        if self.spacing != "even":
            return value
        upwards = np.argsort(numbers)
        return float(np.interp(value, numbers[upwards], np.arange(len(numbers), dtype=float)[upwards]))

    def span(self, index: int) -> tuple[float, float]:
        """Where the cell of a value begins and ends."""
        low, high = sorted(self.edges[index : index + 2].tolist())
        return low, high

    def middle(self, index: int) -> float:
        """The middle of the cell of a value: where it stands."""
        return float(index) if self.spacing == "even" else float(self.values[index])


def factor_axis(name: str, values: tuple[Any, ...]) -> FactorAxis:
    """The axis on which the values of a factor stand most evenly.

    >>> factor_axis("learning_rate", (0.001, 0.01, 0.1)).spacing, factor_axis("momentum", (0.0, 0.5, 0.9)).spacing
    ('log', 'linear')
    >>> factor_axis("momentum", (0.9, 0.99, 0.999)).spacing, factor_axis("optimizer", ("adam", "momentum")).spacing
    ('even', 'even')
    """
    numbers = ordered(values)
    uneven: dict[Spacing, float] = {}
    if numbers is not None and len(numbers) > 1:
        # In a tie, as of two values, the log axis is the right one: they span a decade.
        if numbers.min() > 0 and numbers.max() / numbers.min() >= DECADE:
            uneven["log"] = _unevenness(np.log(numbers))
        uneven["linear"] = _unevenness(numbers)
    spacing = min(uneven, key=uneven.__getitem__) if uneven else "even"
    if numbers is None or not uneven or uneven[spacing] > UNEVEN:
        spacing, numbers = "even", np.arange(len(values), dtype=float)
    edges = np.exp(_edges(np.log(numbers))) if spacing == "log" else _edges(numbers)
    return FactorAxis(name, values, spacing, edges)


def ordered(values: tuple[Any, ...]) -> FloatArray | None:
    """The values as numbers, if they are finite numbers in ascending or descending order."""
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return None
    numbers = np.array(values, float)
    steps = np.diff(numbers)
    return numbers if np.isfinite(numbers).all() and ((steps > 0).all() or (steps < 0).all()) else None


def _unevenness(numbers: FloatArray) -> float:
    gaps = np.abs(np.diff(numbers))
    return float(gaps.max() / gaps.min())


def _edges(places: FloatArray) -> FloatArray:
    """Halfway between neighbours, and as far beyond the outermost; of a single place half a unit around it."""
    halves = np.diff(places) / 2 if len(places) > 1 else np.array([0.5])
    return np.concatenate([[places[0] - halves[0]], (places[:-1] + places[1:]) / 2, [places[-1] + halves[-1]]])
