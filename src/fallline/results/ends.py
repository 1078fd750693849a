"""How runs ended, as columns: recorded for batches too large for one trajectory per run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray, FloatArray
from fallline.results.trajectory import Trajectory


@dataclass(frozen=True, eq=False)
class Ends:
    """The last points of k runs.

    Attributes:
        x: the points, shape (k, n).
        value: the objective there, shape (k,).
        lowest: the lowest value that each run has seen, shape (k,); NaN where it saw only NaN, or none was asked for.
        marks: the objective at each of the problem's marks, shape (k, m); NaN where a run had ended before.
        steps: the number of updates, shape (k,).
        stop: why each run ended, as an index into `reasons`, shape (k,).
        reasons: the reasons, as `Stop.reason` names them.
        converged: whether the reason indicates a minimum, shape (k,).
        engine: the engine that executed the runs.
    """

    x: FloatArray
    value: FloatArray
    lowest: FloatArray
    marks: FloatArray
    steps: npt.NDArray[np.int64]
    stop: npt.NDArray[np.int8]
    reasons: tuple[str, ...]
    converged: BoolArray
    engine: str

    def __len__(self) -> int:
        return len(self.x)

    def ended_by(self, *reasons: str) -> BoolArray:
        """A mask of the runs that ended for one of the reasons, such as "diverging", shape (k,)."""
        named: BoolArray = np.array([known in reasons for known in self.reasons])[self.stop]
        return named

    @classmethod
    def of(cls, runs: Sequence[Trajectory]) -> Ends:
        """The ends of runs that were recorded; all have the same coordinates."""
        reasons = tuple(dict.fromkeys(run.stop.reason for run in runs))
        return cls(
            x=np.array([run.x[-1] for run in runs]),
            value=np.array([run.value[-1] for run in runs]),
            lowest=np.array([run.best.value for run in runs]),
            marks=np.empty((len(runs), 0)),
            steps=np.array([run.steps[-1] for run in runs]),
            stop=np.array([reasons.index(run.stop.reason) for run in runs], np.int8),
            reasons=reasons,
            converged=np.array([run.stop.converged for run in runs]),
            engine=runs[0].engine,
        )

    @classmethod
    def joined(cls, parts: Sequence[Ends]) -> Ends:
        """The ends of several batches, concatenated."""
        if len(parts) == 1:
            return parts[0]
        reasons = tuple(dict.fromkeys(reason for part in parts for reason in part.reasons))
        places = [np.array([reasons.index(reason) for reason in part.reasons], np.int8) for part in parts]
        return cls(
            x=np.concatenate([part.x for part in parts]),
            value=np.concatenate([part.value for part in parts]),
            lowest=np.concatenate([part.lowest for part in parts]),
            marks=np.concatenate([part.marks for part in parts]),
            steps=np.concatenate([part.steps for part in parts]),
            stop=np.concatenate([place[part.stop] for place, part in zip(places, parts, strict=True)]),
            reasons=reasons,
            converged=np.concatenate([part.converged for part in parts]),
            engine=parts[0].engine,
        )
