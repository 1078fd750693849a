"""The data of a map of basins: the basin and the speed of each start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.pictures import words
from fallline.pictures.paths import Interval
from fallline.pictures.rule_words import label_words
from fallline.results.basins import DIVERGED, NOT_ARRIVED, Basins
from fallline.tables import Printed

# The legend has at most this many basins, the largest; the map shows all.
MOST_KEYS = 8
# The speed of the starts is shown where the slowest need at least so many times the steps of the fastest.
TELLING = 1.5


@dataclass(frozen=True, eq=False, repr=False)
class BasinMap(Printed):
    """The data of the picture of basins.

    Attributes:
        title: the lines of the title.
        names: the two coordinates.
        starts: where the runs start in each.
        extent: the limits of the picture in each: half a cell beyond the outermost starts.
        basin: the index of the minimum that each start arrives at, or NOT_ARRIVED or DIVERGED, shape (rows, columns).
        slowness: how many steps it took, from 0 for the fewest to 1 for the most, shape (rows, columns); NaN where
            no run arrived, and everywhere if all took about equally many.
        steps: the numbers of steps at 0 and at 1; None where no run arrived, or all took about equally many.
        keys: the legend entry of each of the largest basins, and its index.
        rest: the legend entry of the remaining basins; empty when there are none.
        marks: the positions of the minima in the picture, shape (m, 2); those with a key come first.
        remark: where the other coordinates are held, and how many steps the runs took if about equally many.
    """

    title: tuple[str, str]
    names: tuple[str, str]
    starts: tuple[FloatArray, FloatArray]
    extent: tuple[Interval, Interval]
    basin: npt.NDArray[np.int32]
    slowness: FloatArray
    steps: Interval | None
    keys: tuple[tuple[str, int], ...]
    rest: str
    marks: FloatArray
    remark: str


def basin_map_data(found: Basins) -> BasinMap:
    """The data of the picture of basins.

    Arguments:
        found: what `basins` returned.
    """
    count = len(found.minima)
    arrived = found.basin >= 0
    steps, slowness, pace = None, np.full(found.basin.shape, np.nan), ""
    if arrived.any():
        fewest, most = (float(end) for end in np.quantile(found.steps[arrived], (0.01, 0.99)))
        if most >= TELLING * max(fewest, 1):
            steps = fewest, most
            slowness[arrived] = np.clip((found.steps[arrived] - fewest) / (most - fewest), 0, 1)
        else:
            pace = f"about {words.tick(float(f'{np.median(found.steps[arrived]):.2g}'))} steps to arrive"
    shares = [found.share(place) for place in range(count)]
    symbols = [found.names.index(name) for name in found.axes]
    keys = [
        (f"{place + 1}: {_point(found, place)}, {words.percent(shares[place])}", place)
        for place in range(min(count, MOST_KEYS))
    ]
    left = count - len(keys)
    for label, place in (("does not arrive", NOT_ARRIVED), ("diverges", DIVERGED)):
        if found.share(place):
            keys.append((f"{label}: {words.percent(found.share(place))}", place))
    held = [f"{name} = {words.number(value)}" for name, value in found.held.items()]
    return BasinMap(
        title=(words.objective_words(found.title), label_words(found.optimizer)),
        names=found.axes,
        starts=(found.x, found.y),
        extent=(_cells(found.x), _cells(found.y)),
        basin=found.basin,
        slowness=slowness,
        steps=steps,
        keys=tuple(keys),
        rest=f"and {left} more minima: {words.percent(sum(shares[MOST_KEYS:]))}" if left > 0 else "",
        marks=found.minima[:, symbols],
        remark="; ".join(filter(None, ["from " + ", ".join(held) if held else "", pace])),
    )


def _cells(places: FloatArray) -> Interval:
    half = (places[1] - places[0]) / 2
    return float(places[0] - half), float(places[-1] + half)


def _point(found: Basins, place: int) -> str:
    numbers = found.minima[place]
    shown = ", ".join(words.number(number if abs(number) > 1e-9 else 0.0) for number in numbers[:4])
    more = ", …" if len(numbers) > 4 else ""
    value = found.values[place]
    return f"({shown}{more}), f = {words.number(value if abs(value) > 1e-9 else 0.0)}"
