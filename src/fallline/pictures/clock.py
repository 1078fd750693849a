"""When a film shows what: its clock goes by the length of the paths, or by time."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest
from fallline.pictures.curve import Descent
from fallline.pictures.landscape import Landscape

Spacing: TypeAlias = Literal["length", "time"]
SPACINGS = ("length", "time")
# The largest share of a film by length that one step takes: a long first step would be a still picture.
LONGEST = 1 / 15
# What rounding may take from the time at which a frame would show a point.
ROUNDING = 1e-9


def check_spacing(spacing: Any) -> None:
    """Refuse what is not a spacing."""
    if spacing not in SPACINGS:
        raise FalllineError("spacing", spacing, nearest(str(spacing), SPACINGS))


def progress(data: Landscape | Descent, times: FloatArray, spacing: Spacing) -> FloatArray:
    """The share of a film that has passed when it shows a time, from 0 to 1, shape (times,).

    Arguments:
        data: what the film shows.
        times: the times of its points, ascending, shape (times,).
        spacing: "length": each path is as far as the film, measured along it in the picture, of several paths their
            mean; but no step takes more than a fifteenth of the film. "time": the film goes evenly over the steps or
            epochs.
    """
    if spacing == "length":
        ways = [way for way in (_way(data, number, times) for number in range(len(data.paths))) if way[-1] > 0]
        if ways:
            steps = _capped(np.diff(np.mean([way / way[-1] for way in ways], axis=0)))
            done = np.append(0.0, np.cumsum(steps))
            return np.asarray(done / done[-1])
    return np.asarray((times - times[0]) / max(float(np.ptp(times)), np.finfo(float).tiny))


def frame_times(times: FloatArray, done: FloatArray, frames: int) -> FloatArray:
    """The time that each frame shows, shape (frames,): a long step takes several frames; a single frame shows the end.

    Arguments:
        times: the times of the points, ascending.
        done: the share of the film that has passed at each of them.

    >>> frame_times(np.arange(4.0), np.array([0.0, 0.5, 0.75, 1.0]), 5)
    array([0., 0., 1., 2., 3.])
    """
    if len(times) == 1 or frames == 1:
        return times[-1:]
    return times[np.searchsorted(done, np.linspace(0, 1, frames) + ROUNDING, side="right") - 1]


def _capped(lengths: FloatArray) -> FloatArray:
    """The lengths, none longer than `LONGEST` of their sum; of fewer steps than that allows, all the same.

    >>> (_capped(np.array([8.0, *np.ones(28)])) * 30 / 28).round(1)[:2]
    array([2.1, 1.1])
    """
    falling = np.sort(lengths)[::-1]
    for count in range(int(1 / LONGEST)):
        # So many are cut to what is then the longest.
        longest = LONGEST * falling[count:].sum() / (1 - LONGEST * count)
        if count < len(falling) and falling[count] <= longest and longest > 0:
            return np.asarray(np.minimum(lengths, longest))
    return np.where(lengths > 0, 1.0, 0.0)


def _way(data: Landscape | Descent, number: int, times: FloatArray) -> FloatArray:
    """The length of a path in the picture up to each time, shape (times,); what lies far outside adds nothing."""
    path = data.paths[number]
    if isinstance(data, Descent):
        places = np.column_stack([path.x[:, 0], path.value]) / [np.ptp(data.curve.x), np.ptp(data.heights)]
    else:
        places = path.x / [np.ptp(data.grid.x), np.ptp(data.grid.y)]
    steps = np.sqrt((np.diff(places, axis=0) ** 2).sum(axis=1))
    # A step as long as the picture or longer is as good as one across it.
    lengths = np.cumsum(np.fmin(np.nan_to_num(steps, nan=0.0), 1.0))
    return np.concatenate([[0.0, 0.0], lengths])[np.searchsorted(path.times, times, side="right")]
