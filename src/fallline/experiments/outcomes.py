"""How the runs of a sweep ended."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray, FloatArray
from fallline.engines import ELSEWHERE, Ends, Engine, Problem, ends
from fallline.results.sweep import NAMES
from fallline.stopping import CONDITIONS, Target

# The reasons for which runs end that came to rest, at a minimum or elsewhere.
AT_REST = (*(kind.reason for kind in CONDITIONS.values() if kind.of_slope), *ELSEWHERE)


class Results(NamedTuple):
    """How k runs ended: arrays as in a `Sweep`, shape (k,), and for x (k, n)."""

    outcome: npt.NDArray[np.int8]
    steps: npt.NDArray[np.int64]
    value: FloatArray
    x: FloatArray


def results_of(problem: Problem, engine: Engine) -> Results:
    """Run the runs of a portion.

    Raises:
        KeyboardInterrupt: after Ctrl-C.
    """
    has_target = any(isinstance(condition, Target) for condition in problem.conditions)
    # With a target, it alone decides.
    found = ends(problem, engine, judge=not has_target)
    if found.ended_by("interrupted").any():
        raise KeyboardInterrupt
    rested = found.converged | found.ended_by(*AT_REST)
    reached = found.ended_by("target reached") if has_target else found.converged
    diverged = found.ended_by("not finite", "diverging")
    named = [NAMES.index(name) for name in ("converged", "diverged", "stuck")]
    outcome = np.select([reached, diverged, rested], named, -1).astype(np.int8)
    under_way = outcome < 0
    if under_way.any():
        outcome[under_way] = _under_way(problem, found, under_way)
    return Results(outcome, found.steps, found.value, found.x)


def _under_way(problem: Problem, found: Ends, chosen: BoolArray) -> npt.NDArray[np.int8]:
    """The outcomes of runs that did not come to rest, from their values at the marks and at the end."""
    every = bool(chosen.all())
    marks, last, starts = (part if every else part[chosen] for part in (found.marks, found.value, problem.starts))
    with np.errstate(all="ignore"):
        first = problem.objective.value(starts)
    pairs = list(itertools.pairwise([*marks.T, last]))
    falling = np.logical_and.reduce([after < before for before, after in pairs], dtype=bool)
    rising = np.logical_and.reduce([last > first, *(after > before for before, after in pairs)])
    # These were ended before the last mark, by another condition than the step limit.
    early = np.isnan(marks[:, -1]) if marks.size else np.zeros(len(marks), bool)
    falling, rising = np.where(early, last < first, falling), np.where(early, last > first, rising)
    names = [NAMES.index(name) for name in ("slow", "diverged", "oscillating")]
    return np.select([falling, rising], names[:2], names[2]).astype(np.int8)
