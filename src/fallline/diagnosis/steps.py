"""Steps of a run measured against what the slope promised: the value before and after on the same data."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray, FloatArray
from fallline.diagnosis.course import NOTICEABLE
from fallline.objectives import Objective
from fallline.results.trajectory import Trajectory
from fallline.stopping import ROUNDING

# The most steps that are measured: spread over the run, and so many of the first and the last.
SPREAD, ENDS = 200, 20
# The most numbers read of the points of a run.
READ = 20_000_000
# The shares of a step at which the value along it is taken: near each other where a rate is usually too large by, and
# down to what raw columns of size 1e5 need.
SHARES = 2.0 ** -np.concatenate([np.arange(1.0, 9.0), np.arange(10.0, 37.0, 2.0)])
# How often a step is halved to find the edge of where there is a value, and the shares of the way there to compare.
HALVINGS, EDGE = 30, np.array([0.9, 0.99, 0.999])


class Steps(NamedTuple):
    """Measured steps of a run. Without batches the objective is the same in all; with them it is each step's own.

    Attributes:
        of: the run that has them in rows that follow each other.
        rows: the row that each begins at, shape (k,), ascending.
        before, after: the value at its two ends, shape (k,).
        promised: the fall that the slope promises over the step, g·Δ, shape (k,).
        rounding: the rounding of those values, shape (k,).
        lengths: the length of the step, shape (k,).
    """

    of: Trajectory
    rows: npt.NDArray[np.int64]
    before: FloatArray
    after: FloatArray
    promised: FloatArray
    rounding: FloatArray
    lengths: FloatArray

    @property
    def number(self) -> npt.NDArray[np.int64]:
        """The steps at whose ends they begin."""
        return self.of.steps[self.rows]

    @property
    def gain(self) -> FloatArray:
        """The fall by what was promised: 1 for a short step, ½ for the best, 0 at the limit, below 0 beyond it."""
        with np.errstate(all="ignore"):
            return (self.before - self.after) / self.promised

    @property
    def overshot(self) -> BoolArray:
        """Which steps went uphill although the slope promised a fall."""
        with np.errstate(all="ignore"):
            lowest = np.min(self.before, initial=np.inf)
            rise = self.after - self.before > NOTICEABLE * (self.before - lowest) + self.rounding
            return (self.promised > 0) & (rise | ~np.isfinite(self.after))

    @property
    def curvature(self) -> FloatArray:
        """The mean curvature along each step, by the value at its ends, shape (k,)."""
        with np.errstate(all="ignore"):
            return 2 * (1 - self.gain) * self.promised / self.lengths**2

    def share(self, chosen: BoolArray) -> float:
        """The share of the steps that are chosen; 0 of none."""
        return float(chosen.mean()) if chosen.size else 0.0

    def falls_to_edge(self, place: int) -> bool:
        """Whether the value falls along a step up to the edge beyond which there is none."""
        row = self.rows[place]
        x, objective = self.of.x[row], objective_of(self.of, row)
        inside, outside = 0.0, 1.0
        with np.errstate(all="ignore"):
            for _ in range(HALVINGS):
                middle = (inside + outside) / 2
                finite = np.isfinite(objective.value(x + middle * (self.of.x[row + 1] - x)))
                inside, outside = (middle, outside) if finite else (inside, middle)
            near = objective.value(x + inside * EDGE[:, None] * (self.of.x[row + 1] - x))
            return bool(inside > 0 and (np.diff(near) < 0).all() and near[-1] < self.before[place])

    def shortened(self, chosen: npt.NDArray[np.intp]) -> FloatArray:
        """For each chosen step, the largest of `SHARES` of it that would have gone downhill; 0: none would."""
        longest = np.zeros(len(chosen))
        for place, i in enumerate(chosen):
            row = self.rows[i]
            x = self.of.x[row]
            points = x + SHARES[:, None] * (self.of.x[row + 1] - x)
            objective = objective_of(self.of, row)
            with np.errstate(all="ignore"):
                falls = objective.value(points) < self.before[i]
            longest[place] = SHARES[falls][0] if falls.any() else 0.0
        return longest


def objective_of(run: Trajectory, row: int) -> Objective:
    """The objective of the step from a row: over all data, or over that step's batch."""
    assert run.objective is not None
    return run.objective.at_step(int(run.steps[row] - run.steps[0]) + 1, run.seed)


def measured_steps(run: Trajectory, most: int) -> Steps:
    """Steps of a run spread over it, with all of the first and last ones, at most so many.

    Steps are rows that follow each other: none, in a run whose every k-th step was recorded.
    """
    usable = np.flatnonzero((np.diff(run.steps) == 1) & np.isfinite(run.value[:-1]))
    most = int(np.clip(most, 1, max(1, READ // (3 * run.x.shape[1]))))
    chosen = usable[spread(len(usable), most)]
    batched = run.objective is not None and run.objective.stochastic
    with np.errstate(all="ignore"):
        moves = run.x[chosen] - run.x[chosen + 1]
        promised = np.einsum("ij,ij->i", run.gradient[chosen], moves)
        lengths = np.sqrt(np.einsum("ij,ij->i", moves, moves))
        if batched:
            ends = [objective_of(run, row).value(run.x[row : row + 2]) for row in chosen]
            before, after = np.reshape(ends, (len(chosen), 2)).T
        else:
            before, after = run.value[chosen], run.value[chosen + 1]
        size = np.fmax(np.abs(before), np.fmin(np.abs(run.value[0]), 1.0))
        relative = 1.0 if run.objective is None else run.objective.rounding / 2.0**-52
    return Steps(run, chosen, before, after, promised, ROUNDING * relative * size, lengths)


def spread(count: int, most: int) -> npt.NDArray[np.intp]:
    """At most so many of `count` places: the first and last ones, and others spread between them."""
    if count <= most:
        return np.arange(count)
    ends = min(ENDS, most // 4)
    between = np.linspace(ends, count - ends - 1, most - 2 * ends).astype(int)
    return np.concatenate([np.arange(ends), between, np.arange(count - ends, count)])
