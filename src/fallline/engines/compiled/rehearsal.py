"""A user's rule does not have to be what its graph says; its first steps show whether it is."""

from __future__ import annotations

import dataclasses

import numpy as np

from fallline.engines import reference
from fallline.engines.compiled.program import Program
from fallline.engines.compiled.trace import NotCompilable
from fallline.engines.per_run import entries
from fallline.engines.problem import Problem, is_ours
from fallline.trajectory import Record

# The steps that both engines make. A graph knows nothing of chance, of what Python remembers or of the kinds of
# numbers that a rule was given, and the third step shows that as well as the thousandth.
_STEPS = 10
# How far their ends may be apart, as a part of the largest coordinate: rounding is far below, another rule far above.
_APART = 1e-6


def rehearse(problem: Problem, program: Program, run: int) -> None:
    """Make the first steps of a run with a rule of the user's by both engines.

    Raises:
        NotCompilable: when they come to different points.
        FalllineError: when the rule breaks its contract, as the reference engine says it.
    """
    if is_ours(problem.optimizer):
        return
    steps = min(_STEPS, problem.max_steps)
    start, rule = problem.starts[run : run + 1], entries(problem.optimizer, slice(run, run + 1))
    short = dataclasses.replace(
        problem, starts=start, optimizer=rule, max_steps=steps, record=Record(every=None), report=lambda made: None
    )
    (by_reference,) = reference.run(short)
    slots, settings = program.slots(start, rule, slice(run, run + 1)), program.settings.copy()
    settings[program.limit] = steps
    room = np.empty((steps + 1) * sum(program.widths))
    program.advance(slots, settings, 0, steps + 1, room, steps + 1, 0, 1)
    rows = program.layout.slots
    x = np.array([slots[rows[f"x.{i}"], 0] for i in range(start.shape[1])])
    sizes = np.abs([*start[0], *by_reference.final.x])
    largest = sizes[np.isfinite(sizes)].max(initial=0.0)
    if not np.allclose(x, by_reference.final.x, rtol=_APART, atol=_APART * largest, equal_nan=True):
        raise NotCompilable(f"{type(problem.optimizer).__name__} does in Python what its graph does not")
