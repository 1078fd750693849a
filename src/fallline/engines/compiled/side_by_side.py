"""Many runs side by side in lanes and threads, of which only the ends are kept."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.engines.compiled.program import program_for
from fallline.engines.compiled.recorded import NAME
from fallline.engines.compiled.rehearsal import rehearse
from fallline.engines.interruption import Interruption
from fallline.engines.per_run import entries
from fallline.engines.problem import Problem
from fallline.machine_code import machine
from fallline.machine_code.threads import threads
from fallline.results.ends import Ends

# The number of runs in a block: few enough to stay in the cache, enough that Python's overhead is small.
_LEAST_RUNS, _MOST_RUNS = 1 << 8, 1 << 14
# Points visited per run between two checks of which runs have ended: the fewest after some have, then growing. All runs
# together visit at least the third number, so that the check, which holds the GIL, takes little of the time.
_LEAST_VISITS, _MOST_VISITS, _LEAST_OF_ALL_RUNS = 1 << 6, 1 << 12, 1 << 15


def ends(problem: Problem) -> Ends:
    """Execute every run of the problem and return where they ended.

    The runs are computed in blocks, on as many threads as the process may use. Runs that have ended are removed from
    their block. Ctrl-C ends all runs at their present points.

    Raises:
        NotCompilable: when the problem cannot be compiled.
    """
    return _Batch(problem).ends()


def _first_visits(runs: int) -> int:
    return min(max(_LEAST_VISITS, _LEAST_OF_ALL_RUNS // runs), _MOST_VISITS)


class _Batch:
    """The runs of a problem in progress, and the ends written so far."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        # One register full: the processor overlaps groups by itself.
        self.program = program_for(problem, problem.optimizer, machine.lanes() // 2)
        rehearse(problem, self.program, 0)
        k, n = problem.starts.shape
        self.x, self.value, self.lowest = np.empty((k, n)), np.empty(k), np.full(k, np.nan)
        self.steps = np.zeros(k, np.int64)
        # Transposed, so that the numbers of one mark are contiguous, as they are written and read.
        self.marks = np.full((len(problem.record.at), k), np.nan).T
        self.stop = np.zeros(k, np.int8)
        self.stopping = threading.Event()

    def ends(self) -> Ends:
        k = len(self.problem.starts)
        count = threads()
        size = int(np.clip(k // (4 * count), _LEAST_RUNS, _MOST_RUNS))
        blocks = [slice(start, min(start + size, k)) for start in range(0, k, size)]
        with np.errstate(all="ignore"), Interruption() as interruption, ThreadPoolExecutor(count) as pool:
            waiting = {pool.submit(self._run, block) for block in blocks}
            while waiting:
                try:
                    with interruption.at_once:
                        self.problem.report(self.problem.max_steps * (len(blocks) - len(waiting)) // len(blocks))
                        wait(waiting, return_when=FIRST_COMPLETED)
                except KeyboardInterrupt:
                    self.stopping.set()
                    wait(waiting)
                for done in [future for future in waiting if future.done()]:
                    waiting.remove(done)
                    done.result()
        return self._ends()

    def _ends(self) -> Ends:
        conditions = self.problem.conditions
        reasons = (*(condition.reason for condition in conditions), "step limit", "interrupted")
        converged = np.array([*(condition.converged for condition in conditions), False, False])
        return Ends(
            x=self.x,
            value=self.value,
            lowest=self.lowest,
            marks=self.marks,
            steps=self.steps,
            stop=self.stop,
            reasons=reasons,
            converged=converged[self.stop],
            engine=NAME,
        )

    def _run(self, block: slice) -> None:
        """Advance a block of runs until all have ended."""
        program, rows = self.program, self.program.layout.slots
        slots = program.slots(self.problem.starts[block], entries(self.problem.optimizer, block))
        runs = np.full(slots.shape[1], -1)
        runs[: block.stop - block.start] = np.arange(block.start, block.stop)
        settings = program.settings.copy()
        made, visits = 0, _first_visits(slots.shape[1])
        ahead = [*self.problem.record.at, program.most + 1]
        while True:
            interrupted = self.stopping.is_set()
            if interrupted:
                settings[program.limit] = made
            if ahead[0] == made:
                self._look(slots, runs, ahead.pop(0))
            now = min(visits, int(settings[program.limit]) - made + 1, ahead[0] - made)
            program.advance(slots, settings, made, now)
            made += now
            visits = min(2 * visits, _MOST_VISITS)
            active = slots[rows["stop"]] == 0
            count = int(np.count_nonzero(active))
            if count <= 7 * len(active) // 8:
                self._write(slots, runs, np.flatnonzero(~active & (runs >= 0)), interrupted)
                if not count:
                    return
                slots, runs = self._closed_up(slots[:, active], runs[active])
                visits = _first_visits(count)

    def _look(self, slots: FloatArray, runs: npt.NDArray[np.int64], mark: int) -> None:
        """Write the values of the runs at a mark, by ending a copy of them there."""
        program, rows = self.program, self.program.layout.slots
        active = slots[rows["stop"]] == 0
        ending, settings = slots.copy(), program.settings.copy()
        settings[program.limit] = mark
        program.advance(ending, settings, mark, 1)
        self.marks[runs[active], self.problem.record.at.index(mark)] = ending[rows["value"], active]

    def _closed_up(self, slots: FloatArray, runs: npt.NDArray[np.int64]) -> tuple[FloatArray, npt.NDArray[np.int64]]:
        """Remove runs that have ended, and pad to whole groups of lanes."""
        count = len(runs)
        closed = self.program.room(count)
        closed[:, :count] = slots
        return closed, np.pad(runs, (0, closed.shape[1] - count), constant_values=-1)

    def _write(
        self, slots: FloatArray, runs: npt.NDArray[np.int64], ended: npt.NDArray[np.int64], interrupted: bool
    ) -> None:
        """Write the ends of the runs in these columns."""
        rows, these, columns = self.program.layout.slots, _span(runs[ended]), _span(ended)
        for i in range(self.x.shape[1]):
            self.x[these, i] = slots[rows[f"x.{i}"]][columns]
        self.value[these] = slots[rows["value"]][columns]
        if self.problem.lowest:
            self.lowest[these] = slots[rows["lowest.value"]][columns]
        self.steps[these] = slots[rows["made"]][columns]
        stop = slots[rows["stop"]][columns] - 1
        limit = len(self.problem.conditions)
        self.stop[these] = np.where(interrupted & (stop == limit), limit + 1, stop)


def _span(places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | slice:
    """Ascending indices; as a slice if they are contiguous, which is faster."""
    if len(places) and places[-1] - places[0] == len(places) - 1:
        return slice(int(places[0]), int(places[-1]) + 1)
    return places
