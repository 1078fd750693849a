"""Where runs ended, as arrays: what is left of a batch too large for a trajectory each."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray, FloatArray
from fallline.engines import reference
from fallline.engines.per_run import entries
from fallline.engines.problem import Problem
from fallline.results.trajectory import Record

# Runs that the reference engine takes at a time, so that its memory stays bounded.
_BLOCK = 1 << 12


@dataclass(frozen=True, eq=False)
class Ends:
    """The last points of k runs.

    Attributes:
        x: the points, shape (k, n).
        value: the objective there, shape (k,).
        marks: the objective after each of the steps `record.at`, shape (k, m); NaN where a run had ended before.
        steps: the updates made, shape (k,).
        stop: why each run ended, as a place in `reasons`, shape (k,).
        reasons: the reasons, as `Stop.reason` names them.
        converged: whether the reason speaks for a minimum, shape (k,).
        engine: who executed the runs.
    """

    x: FloatArray
    value: FloatArray
    marks: FloatArray
    steps: npt.NDArray[np.int64]
    stop: npt.NDArray[np.int8]
    reasons: tuple[str, ...]
    converged: BoolArray
    engine: str

    def __len__(self) -> int:
        return len(self.x)

    def ended_by(self, reason: str) -> BoolArray:
        """Which runs ended for a reason such as "diverging", shape (k,)."""
        return np.isin(self.stop, [i for i, known in enumerate(self.reasons) if known == reason])


def joined(parts: Sequence[Ends]) -> Ends:
    """The ends of several batches of runs as those of one."""
    reasons = tuple(dict.fromkeys(reason for part in parts for reason in part.reasons))
    places = [np.array([reasons.index(reason) for reason in part.reasons], np.int8) for part in parts]
    return Ends(
        x=np.concatenate([part.x for part in parts]),
        value=np.concatenate([part.value for part in parts]),
        marks=np.concatenate([part.marks for part in parts]),
        steps=np.concatenate([part.steps for part in parts]),
        stop=np.concatenate([place[part.stop] for place, part in zip(places, parts, strict=True)]),
        reasons=reasons,
        converged=np.concatenate([part.converged for part in parts]),
        engine=parts[0].engine,
    )


def reference_ends(problem: Problem) -> Ends:
    """Where the runs of a problem end, by the reference engine."""
    k, n = problem.starts.shape
    x, value, steps = np.empty((k, n)), np.empty(k), np.empty(k, np.int64)
    marks = np.full((k, len(problem.record.at)), np.nan)
    stop, converged = np.empty(k, np.int8), np.empty(k, bool)
    reasons: dict[str, int] = {}
    for start in range(0, k, _BLOCK):
        block = slice(start, min(start + _BLOCK, k))
        some = dataclasses.replace(
            problem,
            starts=problem.starts[block],
            optimizer=entries(problem.optimizer, block),
            record=Record(every=None, at=problem.record.at),
            callback=None,
        )
        for i, run in enumerate(reference.run(some), start=start):
            x[i], value[i], steps[i] = run.final.x, run.final.value, run.final.step
            passed = run.value[np.isin(run.steps, problem.record.at)]
            marks[i, : len(passed)] = passed
            stop[i], converged[i] = reasons.setdefault(run.stop.reason, len(reasons)), run.stop.converged
        if "interrupted" in reasons:
            # What has not begun stays where it is.
            x[block.stop :], value[block.stop :], steps[block.stop :] = problem.starts[block.stop :], np.nan, 0
            stop[block.stop :], converged[block.stop :] = reasons["interrupted"], False
            break
    return Ends(x, value, marks, steps, stop, tuple(reasons), converged, reference.NAME)
