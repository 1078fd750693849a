"""The data of the small picture beside a finding: the value against steps, with what the finding points at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fallline.arrays import FloatArray
from fallline.pictures.histories import histories_data
from fallline.results.trajectory import Trajectory
from fallline.tables import Printed

# The most points of the curve, and the most marks.
POINTS, MARKS = 200, 60


@dataclass(frozen=True, eq=False, repr=False)
class Evidence(Printed):
    """The value of a run, with a moment and some steps marked.

    Attributes:
        name: the label of the value's axis.
        unit: the unit of the times: "step" or "epoch".
        log: whether the value's axis is logarithmic.
        limits: the lowest and the highest value shown.
        times, values: the curve, shape (points,); only finite values.
        since: the moment at which the finding began; None for the start.
        marked_times, marked_values: the steps that show the finding, shape (marks,).
    """

    name: str
    unit: str
    log: bool
    limits: tuple[float, float]
    times: FloatArray
    values: FloatArray
    since: float | None
    marked_times: FloatArray
    marked_values: FloatArray


def evidence_data(run: Trajectory, since: int, steps: Sequence[int]) -> Evidence:
    """The data of the picture.

    Arguments:
        run: the run that the finding is about.
        since: the step at which it began.
        steps: the steps that show it; of very many some.

    >>> import fallline
    >>> run = fallline.minimize("x**2", 1.0, fallline.GradientDescent(1.1), max_steps=50)
    >>> evidence_data(run, 0, [1, 2]).marked_values.round(2)
    array([1.44, 2.07])
    """
    data = histories_data(run, ["value"])
    (panel,) = data.panels
    (series,) = panel.series
    shown = np.flatnonzero(np.isfinite(series.numbers) & ((series.numbers > 0) | (not panel.log)))
    curve = shown[_spread(len(shown), POINTS)]
    wanted = np.isin(run.steps[shown], np.asarray(steps, int))
    marks = shown[wanted][_spread(int(wanted.sum()), MARKS)]
    per_time = run.objective.steps_per_epoch if run.objective is not None else 1
    return Evidence(
        name=panel.name,
        unit=data.unit,
        log=panel.log,
        limits=panel.limits,
        times=series.times[curve],
        values=series.numbers[curve],
        since=since / per_time if since > 0 else None,
        marked_times=series.times[marks],
        marked_values=series.numbers[marks],
    )


def _spread(count: int, most: int) -> slice | np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The places of at most so many of `count`, evenly spread, the last among them."""
    return slice(None) if count <= most else np.linspace(0, count - 1, most).astype(np.intp)
