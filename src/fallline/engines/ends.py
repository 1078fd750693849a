"""The end points of a problem's runs, computed by the reference engine."""

from __future__ import annotations

import dataclasses

import numpy as np

from fallline.engines import reference
from fallline.engines.per_run import entries
from fallline.engines.problem import Problem
from fallline.results.ends import Ends
from fallline.results.trajectory import Record

# The number of runs in one block, which bounds the memory used.
_BLOCK = 1 << 12


def reference_ends(problem: Problem) -> Ends:
    """Where the runs of a problem end, computed block by block by the reference engine."""
    k, n = problem.starts.shape
    x, value, lowest, steps = np.empty((k, n)), np.empty(k), np.empty(k), np.empty(k, np.int64)
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
            lowest[i] = run.best.value if problem.lowest else np.nan
            passed = run.value[np.isin(run.steps, problem.record.at)]
            marks[i, : len(passed)] = passed
            stop[i], converged[i] = reasons.setdefault(run.stop.reason, len(reasons)), run.stop.converged
        if "interrupted" in reasons:
            # Runs that have not begun stay at their starts.
            x[block.stop :], steps[block.stop :] = problem.starts[block.stop :], 0
            value[block.stop :] = lowest[block.stop :] = np.nan
            stop[block.stop :], converged[block.stop :] = reasons["interrupted"], False
            break
    return Ends(x, value, lowest, marks, steps, stop, tuple(reasons), converged, reference.NAME)
