"""Checks, by first steps on both engines, that a user's rule or condition does what its graph does."""

from __future__ import annotations

from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.engines import rehearsal
from fallline.engines.compiled.program import Program, traced
from fallline.engines.compiled.trace import NotCompilable, Step
from fallline.engines.problem import Problem


def rehearse(problem: Problem, program: Program, run: int) -> None:
    """Make the first steps of a run with a user's rule or condition on both engines.

    Raises:
        Unable: when the engines reach different points, or end at different steps.
        FalllineError: when the rule breaks its contract, as reported by the reference engine.
    """
    theirs = rehearsal.theirs_in(problem)
    if not theirs:
        return
    many = program.step.graph.of_many
    again = traced(problem.objective, program.optimizer, problem.conditions, problem.max_steps, many)
    if _told(again) != _told(program.step):
        raise NotCompilable(f"{rehearsal.otherwise(theirs)}: it computes something else each time")

    def first_steps(short: Problem) -> tuple[FloatArray, int]:
        steps, start = short.max_steps, short.starts
        slots, settings = program.slots(start, short.optimizer), program.settings.copy()
        settings[program.limit] = steps
        room = np.empty((steps + 1) * sum(program.widths))
        program.advance(slots, settings, 0, steps + 1, room, steps + 1, 0, 1)
        rows = program.layout.slots
        return np.array([slots[rows[f"x.{i}"], 0] for i in range(start.shape[1])]), int(slots[rows["made"], 0])

    rehearsal.rehearse(problem, run, first_steps)


def _told(step: Step) -> Any:
    """Everything that a step computes, in a form that can be compared."""
    nodes = [
        (node.operation, [part.index for part in node.inputs], repr(node.detail), node.level)
        for node in step.graph.nodes
    ]
    kept = [following for _, following in step.kept]
    parts = ([step.value, step.rate], step.gradient, step.change, *step.next_state, step.met, kept)
    results = [[node.index for node in part] for part in parts]
    return nodes, results, list(map(repr, step.settings))
