"""The compiled step of a problem, which advances one run, or many in lanes, by any number of steps."""

from __future__ import annotations

import contextlib
import ctypes
import functools
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

import numpy as np

from fallline.arrays import FloatArray
from fallline.engines.compiled import llvm
from fallline.engines.compiled.trace import GIVEN_RATE, NotCompilable, Step, trace
from fallline.engines.per_run import entries, form, per_run_settings
from fallline.engines.problem import Problem, is_formula, is_ours
from fallline.machine_code import machine
from fallline.objectives.base import Objective
from fallline.optimizers import Optimizer
from fallline.state import named_leaves
from fallline.stopping import StoppingCondition

Thing = TypeVar("Thing")

_ARGUMENTS = (
    *[ctypes.c_void_p] * 2,
    ctypes.c_int64,
    ctypes.c_void_p,
    *[ctypes.c_int64] * 4,
    ctypes.c_void_p,
    *[ctypes.c_int64] * 4,
)

# The first-level cache repeats after this many numbers: numbers with this stride evict one another.
_WAY = 512
# More steps than any run makes.
_NEVER = 2**62


class Program:
    """The compiled step of a problem.

    Arguments:
        step: what one step computes.
        optimizer: the rule.
        lanes: the number of runs in one vector; a single run is recorded.
        state_rows: whether the rule's state is recorded too.
        lowest: whether the lowest values of runs side by side are kept.

    Attributes:
        widths: the widths of the parts of a row of the record: value, rate, x, gradient, parts of the state.
        settings: the numbers of the rule and the conditions.
        limit: the index of the step limit among the settings.
        most: the step limit.
    """

    def __init__(self, step: Step, optimizer: Optimizer[Any], lanes: int, state_rows: bool, lowest: bool) -> None:
        self.step = step
        self.optimizer = optimizer
        self.layout = llvm.layout(step, lanes, machine.lanes(), lowest)
        n = len(step.x)
        self.widths = (1, 1, n, n, *map(len, step.state if state_rows else []))
        self._advance = machine.function(llvm.source(step, self.layout, state_rows), "advance", _ARGUMENTS)
        self.settings = np.array(step.settings)
        self.limit = len(self.settings) - 1
        self.most = int(self.settings[self.limit])

    def slots(self, starts: FloatArray, optimizer: Optimizer[Any]) -> FloatArray:
        """The slots of runs before their first step: one row per slot, one column per run.

        Arguments:
            starts: the starts of the runs.
            optimizer: the rule.
        """
        runs, rows = len(starts), self.layout.slots
        slots = self.room(runs)
        row = starts.shape[1]
        slots[:row, :runs] = starts.T
        # Set here too, because the threads of a batch do not inherit NumPy's error state.
        with np.errstate(all="ignore"):
            state = optimizer.init(starts.copy())
        for leaves, (_, part) in zip(self.step.state, named_leaves(state), strict=True):
            slots[row : row + len(leaves), :runs] = np.broadcast_to(part, (runs, len(leaves))).T
            row += len(leaves)
        for i, numbers in enumerate(per_run_settings(optimizer)):
            slots[rows[f"own.{i}"], :runs] = numbers[:, 0]
        return slots

    def room(self, runs: int) -> FloatArray:
        """Slots for `runs` runs, padded to whole groups of lanes by runs marked as ended."""
        lanes, rows = self.layout.lanes, len(self.layout.slots)
        wide = -(-runs // lanes) * lanes
        # The stride is chosen so that the rows of a strip do not evict one another from the cache.
        stride = wide + (llvm.STRIP - wide) % _WAY
        slots = np.zeros((rows, stride))[:, :wide]
        slots[self.layout.slots["stop"], runs:] = np.inf
        return slots

    def advance(
        self,
        slots: FloatArray,
        settings: FloatArray,
        made: int,
        visits: int,
        record: FloatArray | None = None,
        capacity: int = 0,
        rows: int = 0,
        every: int | None = None,
    ) -> int:
        """Advance the runs that have not ended.

        Arguments:
            slots: the runs' slots; changed in place.
            settings: the numbers of the rule and the conditions.
            made: the updates made before.
            visits: how many points to visit; each but a run's last is followed by an update.
            record: for one run, the memory for rows, column by column.
            capacity: the number of rows it has room for.
            rows: the number of rows written before.
            every: the number of steps between rows; None: only the first point. The last point always has a row.

        Returns:
            The number of rows.
        """
        columns = self.layout.columns
        side_by_side = self.layout.steps
        table = np.empty((len(columns), -(-visits // side_by_side) * side_by_side))
        for i, node in enumerate(columns):
            if node.detail == GIVEN_RATE:
                # No step is made from the last point.
                steps = range(made + 1, min(made + visits, self.most) + 1)
                table[i, : len(steps)] = [self._rate(step) for step in steps]
        stride = _NEVER if every is None else min(every, _NEVER)
        until = -made % stride
        return self._advance(
            settings.ctypes.data,
            table.ctypes.data,
            table.shape[1],
            slots.ctypes.data,
            slots.strides[0] // slots.itemsize,
            slots.shape[1],
            made,
            visits,
            None if record is None else record.ctypes.data,
            capacity,
            rows,
            stride,
            until,
        )

    def _rate(self, step: int) -> float:
        try:
            return float(self.optimizer.rate(step))
        except OverflowError:
            return float(np.inf)
        except Exception as error:  # the run may end before this step, so the reference engine runs it
            raise NotCompilable(f"the learning rate fails at step {step} ({error})") from error


def program_for(problem: Problem, optimizer: Optimizer[Any], lanes: int) -> Program:
    """The program of a problem, from a cache if the objective is a formula and the rule and conditions are Fallline's.

    Rules that differ only in their per-run settings share a program.

    Arguments:
        problem: what is run.
        optimizer: its rule, or the rule of some of its runs.
        lanes: the number of runs in one vector.

    Raises:
        NotCompilable: when the problem cannot be compiled.
    """
    state_rows = problem.record.state and lanes == 1
    what = (problem.conditions, problem.max_steps, lanes, state_rows, problem.lowest)
    # A user's rule or condition may read variables that change, or compare equal though it differs.
    if all(map(is_ours, (optimizer, *problem.conditions))) and is_formula(problem.objective):
        one = Known(entries(optimizer, slice(0, 1)), form(optimizer))
        with contextlib.suppress(TypeError):  # some setting is not hashable
            return _remembered(Known(problem.objective, problem.objective.formula.text), one, *what)
    return _made(Known(problem.objective), Known(optimizer), *what)


class Known(Generic[Thing]):
    """An object that is hashed and compared by the key `by`."""

    def __init__(self, thing: Thing, by: Hashable = None) -> None:
        self.thing = thing
        self.by = by

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Known) and self.by == other.by

    def __hash__(self) -> int:
        return hash(self.by)


def traced(
    objective: Objective,
    optimizer: Optimizer[Any],
    conditions: tuple[StoppingCondition, ...],
    max_steps: int,
    of_many: bool,
) -> Step:
    """Trace one step, with the structure of state that the rule's `init` returns."""
    with np.errstate(all="ignore"):
        state = optimizer.init(np.ones((1, objective.dimension)))
    return trace(objective, optimizer, conditions, max_steps, state, of_many)


def _made(
    objective: Known[Objective],
    optimizer: Known[Optimizer[Any]],
    conditions: tuple[StoppingCondition, ...],
    max_steps: int,
    lanes: int,
    state_rows: bool,
    lowest: bool,
) -> Program:
    step = traced(objective.thing, optimizer.thing, conditions, max_steps, of_many=lanes > 1)
    return Program(step, optimizer.thing, lanes, state_rows, lowest)


_remembered = functools.lru_cache(maxsize=64)(_made)
