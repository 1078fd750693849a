"""Runs by XLA as trajectories, and as their ends only."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.engines.lowest import Lowest
from fallline.engines.per_run import entries
from fallline.engines.problem import Problem
from fallline.engines.rehearsal import rehearse
from fallline.engines.xla.blocks import Blocks
from fallline.engines.xla.devices import device_named
from fallline.objectives.base import Cost
from fallline.results.ends import Ends
from fallline.results.trajectory import Point, Trajectory
from fallline.state import named_leaves
from fallline.stopping import STEP_LIMIT, Progress, Stop, interrupted, step_limit

NAME = "jax"


def run(problem: Problem, device: str | None = None) -> list[Trajectory]:
    """Execute every run of the problem and return their trajectories in order.

    Ctrl-C ends all runs at their present points.

    Raises:
        Unable: when JAX cannot follow some part of the problem.
        FalllineError: when there is no such device.
    """
    began = time.perf_counter()
    columns = ("x", "value", "gradient", "rate", *(("state",) if problem.record.state else ()))
    found = _Found(_advanced(problem, columns, device))
    seconds = time.perf_counter() - began
    return [found.trajectory(i, seconds) for i in range(len(problem.starts))]


def ends(problem: Problem, device: str | None = None) -> Ends:
    """Execute every run of the problem and return where they ended; otherwise as `run`."""
    blocks = _advanced(problem, ("value", "lowest") if problem.lowest else ("value",), device)
    found = _Found(blocks)
    conditions = problem.conditions
    stop = np.where(found.going_on, len(conditions) + 1, found.lanes.stop - 1).astype(np.int8)
    marks = np.full((len(stop), len(problem.record.at)), np.nan)
    for number, mark in enumerate(problem.record.at):
        if mark in blocks.steps:
            passed = found.lanes.steps > mark
            marks[passed, number] = blocks.rows["value"][blocks.steps.index(mark), passed]
        at = found.lanes.steps == mark
        marks[at, number] = found.value[at]
    converged = np.array([*(condition.converged for condition in conditions), False, False])
    return Ends(
        x=found.lanes.x,
        value=found.value,
        lowest=np.broadcast_to(found.lowest, stop.shape),
        marks=marks,
        steps=found.lanes.steps,
        stop=stop,
        reasons=(*(condition.reason for condition in conditions), STEP_LIMIT, "interrupted"),
        converged=converged[stop],
        engine=NAME,
    )


def _advanced(problem: Problem, columns: tuple[str, ...], name: str | None) -> Blocks:
    """The runs of a problem, made; a user's rule or condition is compared with the reference engine before."""
    device = device_named(name)
    made = Blocks(problem, columns, device)

    def first_steps(short: Problem) -> tuple[FloatArray, int]:
        blocks = Blocks(short, ("value",), device)
        blocks.advance()
        return blocks.lanes.x[0], int(blocks.lanes.steps[0])

    rehearse(problem, 0, first_steps)
    made.advance()
    return made


class _Found:
    """Where runs ended, with the values of those last points that were not looked at on the way."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks, self.problem, self.lanes = blocks, blocks.problem, blocks.lanes
        self.going_on = self.lanes.stop == 0
        self.value = np.array(self.lanes.value)
        steps, x = self.lanes.steps, self.lanes.x
        for step in np.unique(steps[self.lanes.old]).tolist():
            these = self.lanes.old & (steps == step)
            with np.errstate(all="ignore"):
                self.value[these] = blocks.plan.evaluation.watched(step).value(x[these])
        # Where nobody asks for it, it stays unknown.
        lowest = np.nan if self.lanes.lowest is None else self.lanes.lowest.value
        self.is_lowest = self.lanes.old & (self.value < lowest)
        self.lowest = np.where(self.is_lowest, self.value, lowest)

    def trajectory(self, i: int, seconds: float) -> Trajectory:
        """One of the runs."""
        problem, objective, lanes = self.problem, self.problem.objective, self.lanes
        step, rule = int(lanes.steps[i]), entries(problem.optimizer, i)
        count = int(np.searchsorted(self.blocks.steps, step))
        last: dict[str, Any] = {"x": lanes.x, "value": self.value, "gradient": lanes.gradient}
        columns: dict[str, Any] = {name: self._column(name, count, i, part[i]) for name, part in last.items()}
        states = {
            name: self._column(f"state.{name}", count, i, np.broadcast_to(leaf[i], lanes.x[i].shape))
            for name, leaf in (named_leaves(lanes.state) if problem.record.state else ())
        }
        spent = self.blocks.plan.counted[step].tolist()
        return Trajectory(
            title=objective.title,
            optimizer=rule.label,
            names=objective.names,
            steps=np.array([*self.blocks.steps[:count], step], np.int64),
            **columns,
            rate=self._column("rate", count, i, np.nan),
            best=self._best(i),
            stop=self._stop(i, rule, seconds),
            evaluations=Cost(spent[0] + int(lanes.old[i]), spent[1]),
            seconds=seconds,
            seed=problem.seed,
            gradient_kind=objective.gradient_kind or "none",
            engine=NAME,
            states=states,
            objective=objective,
            rule=rule,
        )

    def _column(self, name: str, count: int, i: int, last: Any) -> FloatArray:
        """What was recorded of a run, and what holds at its last point."""
        rows = self.blocks.rows.get(name)
        end = np.asarray(last, float)[None]
        return end.copy() if rows is None else np.concatenate([rows[:count, i], end])

    def _best(self, i: int) -> Point:
        if self.is_lowest[i]:
            return Point(
                int(self.lanes.steps[i]), self.lanes.x[i].copy(), float(self.value[i]), self.lanes.gradient[i].copy()
            )
        lowest: Lowest = self.lanes.lowest
        return lowest.point(i)

    def _stop(self, i: int, rule: Any, seconds: float) -> Stop:
        lanes, problem, one = self.lanes, self.problem, slice(i, i + 1)
        step, number = int(lanes.steps[i]), int(lanes.stop[i])
        if not number:
            return interrupted(step)
        if number > len(problem.conditions):
            return step_limit(problem.max_steps)
        progress = Progress(
            step=step,
            x=lanes.x[one],
            value=lanes.value[one],
            gradient=rule.projected_gradient(lanes.x[one], lanes.gradient[one]),
            change=lanes.change[one] if step else None,
            previous_value=lanes.previous_value[one] if step else None,
            first_value=lanes.first_value[one],
            evaluations=self.blocks.plan.counted[step].sum(keepdims=True),
            seconds=seconds,
            previous_change=lanes.previous_change[one] if step else None,
        )
        return problem.conditions[number - 1].stop(progress, 0)
