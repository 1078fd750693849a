"""A rule or a condition of a user's need not be what its graph says; its first steps show whether it is."""

from __future__ import annotations

import dataclasses
import gc
import random
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

import numpy as np

from fallline.engines import reference
from fallline.engines.compiled.program import Program, traced
from fallline.engines.compiled.trace import NotCompilable, Step
from fallline.engines.fingerprint import LIBRARIES, fingerprint
from fallline.engines.per_run import entries
from fallline.engines.problem import Problem, is_ours
from fallline.results.trajectory import Record

# The steps that both engines make. A graph knows nothing of chance, of what Python remembers or of the kinds of
# numbers that a rule was given. The third step shows most of that as well as the thousandth; what a rule remembers,
# to do otherwise later, shows in what it reads having changed, and chance in that it is never traced alike.
_STEPS = 10
# How far their ends may be apart, as a part of the largest coordinate: rounding is far below, another rule far above.
_APART = 1e-6
# What code from these modules answers, or does, is not the same each time; and so of some of Python's own functions.
_CHANGING = {
    "_datetime", "_io", "_random", "datetime", "io", "logging", "nt", "os", "posix", "random", "secrets", "time",
    "uuid",
}  # fmt: skip
_EACH_TIME = {"input", "open", "print"}

Made = TypeVar("Made")


def rehearse(problem: Problem, program: Program, run: int) -> None:
    """Make the first steps of a run with a rule or a condition of the user's by both engines.

    Raises:
        NotCompilable: when they come to different points, or end at different ones.
        FalllineError: when the rule breaks its contract, as the reference engine says it.
    """
    theirs = [part for part in (problem.optimizer, *problem.conditions) if not is_ours(part)]
    if not theirs:
        return
    otherwise = f"{' or '.join(type(part).__name__ for part in theirs)} does in Python what its graph does not"
    many = program.step.graph.of_many
    again = traced(problem.objective, program.optimizer, problem.conditions, problem.max_steps, many)
    if _told(again) != _told(program.step):
        raise NotCompilable(f"{otherwise}: it computes something else each time")
    steps = min(_STEPS, problem.max_steps)
    start, rule = problem.starts[run : run + 1], entries(problem.optimizer, slice(run, run + 1))
    short = dataclasses.replace(
        problem, starts=start, optimizer=rule, max_steps=steps, record=Record(every=None), report=lambda made: None
    )
    (by_reference,), asked = _watched(lambda: reference.run(short))
    if asked:
        raise NotCompilable(f"{otherwise}: it calls {asked[0]}")
    slots, settings = program.slots(start, rule), program.settings.copy()
    settings[program.limit] = steps
    room = np.empty((steps + 1) * sum(program.widths))
    program.advance(slots, settings, 0, steps + 1, room, steps + 1, 0, 1)
    rows = program.layout.slots
    x = np.array([slots[rows[f"x.{i}"], 0] for i in range(start.shape[1])])
    sizes = np.abs([*start[0], *by_reference.final.x])
    largest = sizes[np.isfinite(sizes)].max(initial=0.0)
    near = np.allclose(x, by_reference.final.x, rtol=_APART, atol=_APART * largest, equal_nan=True)
    if not near or slots[rows["made"], 0] != by_reference.step_count:
        raise NotCompilable(otherwise)
    # What it keeps the first time, such as a cached property, is no memory of how often it was asked.
    before = _memory(theirs)
    reference.run(short)
    if _memory(theirs) != before:
        raise NotCompilable(f"{otherwise}: it changes what it reads")


def _watched(make: Callable[[], Made]) -> tuple[Made, list[str]]:
    """What is made, and what the user's code called for it that does not do the same each time."""
    asked: list[str] = []

    def look(frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call":
            caller: FrameType | None = frame
            module, name = _origin(called), called.__name__
        elif event == "call":
            caller, module, name = frame.f_back, frame.f_globals.get("__name__", ""), frame.f_code.co_name
        else:
            return
        changing = module in _CHANGING or (module == "builtins" and name in _EACH_TIME)
        # Libraries, ours too, look at the clock for their own ends.
        if changing and caller is not None and not _is_library(caller.f_globals.get("__name__", "")):
            asked.append(f"{module}.{name}")

    before: Any = sys.getprofile()
    in_python, collecting = before is None or callable(before), gc.isenabled()
    # Whoever wants to know of collected garbage is called in the midst of any code.
    gc.disable()
    if not in_python:  # cProfile's own, until Python 3.12
        before.disable()
    sys.setprofile(look)
    try:
        return make(), asked
    finally:
        sys.setprofile(before if in_python else None)
        if not in_python:
            before.enable()
        if collecting:
            gc.enable()


def _origin(called: Any) -> str:
    """The module of a compiled function, or of what it is a method of."""
    owner = getattr(called, "__self__", None)
    kind = owner if isinstance(owner, type) else type(owner)
    return str(getattr(called, "__module__", None) or kind.__module__)


def _is_library(module: str) -> bool:
    return module.partition(".")[0] in LIBRARIES


def _memory(theirs: list[Any]) -> str:
    """What these things can remember, and where the random numbers have come to that they can draw."""
    drawn = random.getstate(), np.random.get_state()  # noqa: NPY002 - a user's rule may draw from the old generator
    return fingerprint((theirs, drawn), changing=True)


def _told(step: Step) -> Any:
    """All that a step computes, to be compared with another."""
    nodes = [
        (node.operation, [part.index for part in node.inputs], repr(node.detail), node.level)
        for node in step.graph.nodes
    ]
    kept = [following for _, following in step.kept]
    parts = ([step.value, step.rate], step.gradient, step.change, *step.next_state, step.met, kept)
    results = [[node.index for node in part] for part in parts]
    return nodes, results, list(map(repr, step.settings))
