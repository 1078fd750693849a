"""Recorded runs: one after another, each with its numbers in registers from start to end."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.engines.compiled.conditions import CHANGE, CHANGE_BEFORE, PREVIOUS
from fallline.engines.compiled.program import Program, program_for
from fallline.engines.compiled.rehearsal import rehearse
from fallline.engines.compiled.trace import NotCompilable
from fallline.engines.interruption import Interruption
from fallline.engines.per_run import entries
from fallline.engines.problem import Problem
from fallline.errors import FalllineError
from fallline.objectives.base import Cost
from fallline.optimizers import Optimizer
from fallline.results.trajectory import Point, Trajectory
from fallline.state import named_leaves
from fallline.stopping import Progress, Stop, interrupted, step_limit

NAME = "compiled"
# Points visited between two checks of the clock and of Ctrl-C: few at first, since most runs are short.
_FIRST_VISITS, _MOST_VISITS = 1 << 10, 1 << 15
# The largest initial capacity, in numbers. Growing later copies the record, which takes as long as many steps.
_FIRST_NUMBERS = 1 << 25


def run(problem: Problem) -> list[Trajectory]:
    """Execute every run of the problem and return their trajectories in order.

    Ctrl-C ends the current run at its present point, and the runs after it at their starts.

    Raises:
        NotCompilable: when the problem cannot be compiled.
    """
    if problem.callback is not None:
        raise NotCompilable("the callback is called in Python")
    if problem.checkpoint is not None:
        raise NotCompilable("a checkpoint is written between its steps")
    if problem.resumed is not None:
        raise NotCompilable("the rule goes on with a state from another run")
    if problem.record.at:
        raise NotCompilable("its record has steps of its own")
    runs = range(len(problem.starts))
    singles = [entries(problem.optimizer, i) for i in runs]
    alike = all(single == singles[0] for single in singles)
    program = _rehearsed(problem, singles[0], 0)
    trajectories = []
    with np.errstate(all="ignore"), Interruption() as interruption:
        asked = False
        for i, rule in zip(runs, singles, strict=True):
            if not alike:
                program = _rehearsed(problem, rule, i)
            one = _Run(problem, program, rule, problem.starts[i : i + 1])
            while not one.ended:
                try:
                    with interruption.at_once:
                        problem.report(one.made)
                except KeyboardInterrupt:
                    asked = True
                one.go_on(stop=asked)
            trajectories.append(one.trajectory())
    return trajectories


def _rehearsed(problem: Problem, rule: Optimizer[Any], run: int) -> Program:
    program = program_for(problem, rule, lanes=1)
    rehearse(problem, program, run)
    return program


class Columns:
    """The record of one run, column by column, with spare capacity.

    Arguments:
        widths: the number of columns of each part of a row.
        capacity: the number of rows there is room for. The system allocates memory only for rows that are written.
    """

    def __init__(self, widths: tuple[int, ...], capacity: int) -> None:
        self.widths = widths
        self.capacity = capacity
        try:
            self.numbers = np.empty(capacity * sum(widths))
        except (MemoryError, ValueError):  # more than the machine has, or than NumPy can address
            raise FalllineError(
                "record", problem=f"takes {capacity} rows, which do not fit into memory", allowed="record fewer steps"
            ) from None

    def of(self, rows: int) -> list[FloatArray]:
        """The first rows of each part; copies, unless they fill most of the capacity."""
        ends = np.cumsum(self.widths) * self.capacity
        columns = []
        for width, end in zip(self.widths, ends.tolist(), strict=True):
            column = self.numbers[end - width * self.capacity : end].reshape(self.capacity, width)[:rows]
            columns.append(column if 2 * rows > self.capacity else column.copy())
        return columns

    def with_room(self, rows: int, more: int) -> Columns:
        """This record, or a copy of it with room for `more` rows after those written."""
        if rows + more <= self.capacity:
            return self
        larger = Columns(self.widths, max(rows + more, 2 * self.capacity))
        for column, written in zip(larger.of(larger.capacity), self.of(rows), strict=True):
            column[:rows] = written
        return larger


class _Run:
    """One run in progress."""

    def __init__(self, problem: Problem, program: Program, rule: Optimizer[Any], start: FloatArray) -> None:
        self.problem = problem
        self.program = program
        self.rule = rule
        self.began = time.perf_counter()
        self.slots = program.slots(start, rule)
        self.settings = program.settings.copy()
        self.names = [name for name, _ in named_leaves(rule.init(start.copy()))] if problem.record.state else []
        self.made = 0
        self.visits = _FIRST_VISITS
        self.rows = 0
        most = max(1, _FIRST_NUMBERS // sum(program.widths))
        self.record = Columns(program.widths, min(self._most_rows(problem.max_steps + 1), most))
        self.interrupted = False

    @property
    def ended(self) -> bool:
        return bool(self._slot("stop"))

    def _most_rows(self, visits: int) -> int:
        """The largest number of rows for this many points; the last point always has one."""
        every = self.problem.record.every
        return 2 if every is None else (visits - 1) // every + 2

    def _slot(self, name: str) -> float:
        return float(self.slots[self.program.layout.slots[name], 0])

    def go_on(self, stop: bool) -> None:
        """Visit more points; with `stop` only one, the last."""
        if stop:
            self.interrupted = True
            self.settings[self.program.limit] = self.made
        every = self.problem.record.every
        visits = min(self.visits, int(self.settings[self.program.limit]) - self.made + 1)
        self.record = self.record.with_room(self.rows, self._most_rows(visits))
        self.rows = self.program.advance(
            self.slots, self.settings, self.made, visits, self.record.numbers, self.record.capacity, self.rows, every
        )
        self.made += visits
        self.visits = min(2 * self.visits, _MOST_VISITS)

    def trajectory(self) -> Trajectory:
        problem, objective = self.problem, self.problem.objective
        value, rate, x, gradient, *states = self.record.of(self.rows)
        made = int(self._slot("made"))
        stride = min(problem.record.every or 1, max(made, 1))
        steps = np.arange(0, self.rows * stride, stride)
        steps[-1] = made
        rate[-1] = np.nan
        evaluations = Cost(*(cost * (made + 1) for cost in self.program.step.cost))
        seconds = time.perf_counter() - self.began
        progress = Progress(
            step=made,
            x=x[-1:],
            value=value[-1],
            gradient=self.rule.projected_gradient(x[-1:], gradient[-1:]),
            change=self._kept(CHANGE, made),
            previous_value=None if (previous := self._kept(PREVIOUS, made)) is None else previous[0],
            first_value=value[0],
            evaluations=np.array([sum(evaluations)]),
            seconds=seconds,
            previous_change=self._kept(CHANGE_BEFORE, made),
        )
        return Trajectory(
            title=objective.title,
            optimizer=self.rule.label,
            names=objective.names,
            steps=steps,
            x=x,
            value=value[:, 0],
            gradient=gradient,
            rate=rate[:, 0],
            best=self._best(),
            stop=interrupted(made) if self.interrupted else stop_of(problem, int(self._slot("stop")), progress),
            evaluations=evaluations,
            seconds=seconds,
            seed=problem.seed,
            gradient_kind=objective.gradient_kind or "none",
            engine=NAME,
            states={name: np.broadcast_to(part, x.shape) for name, part in zip(self.names, states, strict=True)},
            objective=objective,
            rule=self.rule,
        )

    def _kept(self, name: str, made: int) -> FloatArray | None:
        """A quantity kept for the conditions; None before the first step, or if the conditions do not use it."""
        rows = [row for key, row in self.program.layout.slots.items() if key.partition(".")[0] == name]
        return self.slots[rows, :1].T if made and rows else None

    def _best(self) -> Point:
        n = self.problem.objective.dimension
        x, gradient = (np.array([self._slot(f"lowest.{part}.{i}") for i in range(n)]) for part in ("x", "gradient"))
        return Point(int(self._slot("lowest.step")), x, self._slot("lowest.value"), gradient)


def stop_of(problem: Problem, number: int, progress: Progress) -> Stop:
    """The Stop of the condition with this number, counted from 1; the step limit is the last."""
    if number <= len(problem.conditions):
        return problem.conditions[number - 1].stop(progress, 0)
    return step_limit(problem.max_steps)
