"""Checks, by first steps on both engines, that a user's rule or condition does what its graph does."""

from __future__ import annotations

import dataclasses
import gc
import random
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

import numpy as np

from fallline.arrays import FloatArray
from fallline.engines import reference
from fallline.engines.fingerprint import LIBRARIES, fingerprint
from fallline.engines.per_run import entries
from fallline.engines.problem import Problem, Unable, is_ours
from fallline.results.trajectory import Record

# The number of steps that both engines make. A graph cannot represent randomness, Python state, or branches on types.
# A few steps show most of these; Python state that changes later steps is found by comparing what the rule can read
# before and after, and randomness by tracing the rule twice.
_STEPS = 10
# The largest relative difference of their end points: rounding is far below this, a different rule far above.
_APART = 1e-6
# Modules, and some of Python's own functions, whose results or effects differ from call to call.
_CHANGING = {
    "_datetime", "_io", "_random", "datetime", "io", "logging", "nt", "os", "posix", "random", "secrets", "time",
    "uuid",
}  # fmt: skip
_EACH_TIME = {"input", "open", "print"}

Made = TypeVar("Made")


def theirs_in(problem: Problem) -> list[Any]:
    """The rule and the conditions that are the user's own."""
    return [part for part in (problem.optimizer, *problem.conditions) if not is_ours(part)]


def otherwise(theirs: list[Any]) -> str:
    """The beginning of the text that says why an engine cannot run these parts of the user's."""
    return f"{' or '.join(type(part).__name__ for part in theirs)} does in Python what its graph does not"


def rehearse(problem: Problem, run: int, first_steps: Callable[[Problem], tuple[FloatArray, int]]) -> None:
    """Make the first steps of a run with a user's rule or condition on the reference engine and on another.

    Arguments:
        problem: the runs.
        run: which of them.
        first_steps: makes the one run of a problem on the other engine: its last point, and the number of its steps.

    Raises:
        Unable: when the engines reach different points, or end at different steps.
        FalllineError: when the rule breaks its contract, as reported by the reference engine.
    """
    theirs = theirs_in(problem)
    if not theirs:
        return
    steps = min(_STEPS, problem.max_steps)
    start, rule = problem.starts[run : run + 1], entries(problem.optimizer, slice(run, run + 1))
    short = dataclasses.replace(
        problem, starts=start, optimizer=rule, max_steps=steps, record=Record(every=None), report=lambda made: None
    )
    (by_reference,), asked = _watched(lambda: reference.run(short))
    if asked:
        raise Unable(f"{otherwise(theirs)}: it calls {asked[0]}")
    x, made = first_steps(short)
    sizes = np.abs([*start[0], *by_reference.final.x])
    largest = sizes[np.isfinite(sizes)].max(initial=0.0)
    near = np.allclose(x, by_reference.final.x, rtol=_APART, atol=_APART * largest, equal_nan=True)
    if not near or made != by_reference.step_count:
        raise Unable(otherwise(theirs))
    # Compared after the first call, so that a cached property is not taken for state.
    before = _memory(theirs)
    reference.run(short)
    if _memory(theirs) != before:
        raise Unable(f"{otherwise(theirs)}: it changes what it reads")


def _watched(make: Callable[[], Made]) -> tuple[Made, list[str]]:
    """The result of `make`, and the functions that the user's code called whose results differ from call to call."""
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
        # Libraries, Fallline included, may read the clock for their own purposes.
        if changing and caller is not None and not _is_library(caller.f_globals.get("__name__", "")):
            asked.append(f"{module}.{name}")

    before: Any = sys.getprofile()
    in_python, collecting = before is None or callable(before), gc.isenabled()
    # Callbacks of the garbage collector could be called in the middle of any code.
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
    """The module of a compiled function, or of the class it is a method of."""
    owner = getattr(called, "__self__", None)
    kind = owner if isinstance(owner, type) else type(owner)
    return str(getattr(called, "__module__", None) or kind.__module__)


def _is_library(module: str) -> bool:
    return module.partition(".")[0] in LIBRARIES


def _memory(theirs: list[Any]) -> str:
    """A fingerprint of all state that these objects can read, random generators included."""
    drawn = random.getstate(), np.random.get_state()  # noqa: NPY002 - a user's rule may draw from the old generator
    return fingerprint((theirs, drawn), changing=True)
