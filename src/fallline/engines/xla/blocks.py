"""Many runs in blocks of lanes that advance together, on the CPU each block on a thread of its own."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.engines.interruption import Interruption
from fallline.engines.mistakes import note_step
from fallline.engines.per_run import entries, per_run_settings
from fallline.engines.problem import Problem, Unable
from fallline.engines.xla.objectives import OnJax, learn_paths, on_jax
from fallline.engines.xla.plan import Plan, Stretch
from fallline.engines.xla.program import Lanes, Program, program_for, turned
from fallline.machine_code.threads import threads
from fallline.state import map_state

# The fewest runs worth a thread of their own.
_LEAST_RUNS = 32


class Lost(Exception):
    """Runs came to points that the code of the objective does not know.

    Attributes:
        points: the points, one per row.
        step: the number of steps that led to them.
    """

    def __init__(self, points: FloatArray, step: int) -> None:
        self.points, self.step = points, step


class Blocks:
    """The runs of a problem.

    Arguments:
        problem: the runs.
        columns: the names of what is recorded of each point.
        device: the device of JAX's that computes them.

    Attributes:
        plan: what is recorded, and how often the objective was evaluated.
        lanes: after `advance`, where every run ended, as NumPy arrays with a row per run.
        steps: the steps at which points were recorded.
        rows: for each column what was recorded there, shape (steps, runs, ...); nothing of use after a run's end.
        interrupted: whether Ctrl-C ended the runs that had not ended.
    """

    def __init__(self, problem: Problem, columns: tuple[str, ...], device: Any) -> None:
        for given, why in (
            (problem.callback, "the callback is called in Python"),
            (problem.checkpoint, "a checkpoint is written between its steps"),
            (problem.resumed, "the rule goes on with a state from another run"),
        ):
            if given is not None:
                raise Unable(why)
        self.problem, self.columns, self.device = problem, columns, device
        self.interrupted = False

    def advance(self) -> None:
        """Make all steps of all runs; begin anew with more of the objective's branches where these are met.

        Raises:
            Unable: when JAX cannot follow some part.
        """
        while True:
            try:
                self._advance(on_jax(self.problem.objective))
            except Lost as lost:
                try:
                    learn_paths(self.problem.objective, lost.points)
                except Unable:
                    raise
                except Exception as error:  # from the user's own function
                    note_step(error, lost.step, self.problem.optimizer.label)
                    raise
            else:
                return

    def _advance(self, objective: OnJax) -> None:
        import jax

        program = program_for(self.problem, objective, self.columns)
        k, n = self.problem.starts.shape
        count = min(threads(), max(1, k // _LEAST_RUNS)) if self.device.platform == "cpu" else 1
        size = _rounded(-(-k // count))
        # As many numbers for each part of the state as for x.
        self.plan = Plan(self.problem, size * (len(self.columns) + 4) * n)
        self.steps: list[int] = []
        rows: list[dict[str, FloatArray]] = []
        made = 0
        with np.errstate(all="ignore"), Interruption() as interruption, ThreadPoolExecutor(count) as pool:
            with jax.enable_x64(True):
                data = jax.device_put(objective.data, self.device)
            blocks = [
                _Block(self.problem, program, self.device, data, slice(first, min(first + size, k)), size)
                for first in range(0, k, size)
            ]
            start = self.plan.start()
            list(pool.map(lambda block: block.begin(start), blocks))
            while any(block.goes_on for block in blocks):
                try:
                    with interruption.at_once:
                        self.problem.report(made)
                except KeyboardInterrupt:
                    self.interrupted = True
                    break
                stretch = self.plan.after(made)
                parts = list(pool.map(functools.partial(_Block.advance, stretch=stretch), blocks))
                rows.append({name: np.concatenate([part[name] for part in parts], axis=1)[:, :k] for name in parts[0]})
                self.steps += stretch.recorded
                made += stretch.steps
        ends = [block.lanes for block in blocks]
        self.lanes: Lanes = jax.tree.map(lambda *parts: np.concatenate(parts)[:k] if parts[0].ndim else parts[0], *ends)
        self.rows = {name: np.concatenate([part[name] for part in rows]) for name in rows[0]} if rows else {}


class _Block:
    """Some of the runs, with copies of the first of them that fill the block up.

    Attributes:
        goes_on: whether one of them has not ended.
    """

    def __init__(self, problem: Problem, program: Program, device: Any, data: Any, runs: slice, size: int) -> None:
        import jax

        self._program, self._device, self._data, self._limit = program, device, data, np.int64(problem.max_steps)
        self._count = runs.stop - runs.start
        self._padded = np.arange(size)
        self._padded[self._count :] = 0
        self._starts = problem.starts[runs][self._padded]
        self._rule: Any = entries(problem.optimizer, runs)
        with jax.enable_x64(True):
            own = [np.asarray(setting)[self._padded] for setting in per_run_settings(self._rule)]
            self._own = jax.device_put(own, device)

    def begin(self, start: Any) -> None:
        """Evaluate the starts."""
        import jax

        with jax.enable_x64(True), np.errstate(all="ignore"):
            starts = jax.device_put(self._starts, self._device)
            self._lanes = self._program.begin(starts, self._own, self._data, start, self._limit, np.int64(self._count))
        self._look()

    def advance(self, stretch: Stretch) -> dict[str, FloatArray]:
        """Make some steps, and return the rows recorded."""
        import jax

        with jax.enable_x64(True), np.errstate(all="ignore"):
            arrivals, places, count, room, recorded = stretch
            self._lanes, rows = self._program.advance(
                self._lanes, self._own, self._data, arrivals, places, np.int64(count), self._limit, room=room
            )
            written = {name: np.asarray(part)[: len(recorded)] for name, part in rows.items()}
        self._look()
        return written

    @property
    def lanes(self) -> Lanes:
        """Where they are, as NumPy arrays."""
        import jax

        return turned(jax.tree.map(np.asarray, self._lanes))

    def _look(self) -> None:
        """Find out which runs go on.

        Raises:
            Lost: when one came to a point that the objective's code does not know.
        """
        lanes = self.lanes
        self.goes_on = bool((lanes.stop == 0).any())
        if lanes.lost is not None and lanes.lost.any():
            # Those that fill up the block are copies.
            x, lost, steps, state = map_state(
                lambda part: part[: self._count], (lanes.x, lanes.lost, lanes.steps, lanes.state)
            )
            first = steps[lost].min()
            place, lost = np.asarray(self._rule.lookahead(x, state)), lost & (steps == first)
            raise Lost(np.concatenate([x[lost], place[lost]]), int(first))


def _rounded(count: int) -> int:
    """A number of lanes, at most an eighth more, of which there are few, so that few are compiled."""
    unit = 1 << max(0, count.bit_length() - 4)
    return -(-count // unit) * unit
