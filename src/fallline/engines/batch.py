"""The current state of a problem's runs in the reference engine: their points, and which runs have ended."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from fallline.arrays import BoolArray, FloatArray
from fallline.engines.counts import Counts
from fallline.engines.ended import End, from_columns, in_columns
from fallline.engines.evaluation import Evaluation, Seen
from fallline.engines.interruption import AtOnce
from fallline.engines.lowest import Lowest
from fallline.engines.mistakes import check_resumed, check_state
from fallline.engines.per_run import entries
from fallline.engines.problem import Problem
from fallline.engines.rates import Rates
from fallline.engines.recording import Recording
from fallline.engines.stretches import Stretch
from fallline.line_search import LineSearch
from fallline.objectives.base import Cost
from fallline.results.trajectory import OptimizerState
from fallline.state import map_state, refilled
from fallline.stopping import Progress, Stop


class Reached(NamedTuple):
    """Where the active runs are. Replaced as a whole, so that an interruption always finds it consistent."""

    progress: Progress
    state: Any
    memory: Any
    value_is_old: bool


class Batch:
    """The runs of a problem, which advance together; a run that has ended leaves the batch.

    Arguments:
        problem: the runs.

    Attributes:
        first: the number of steps made before.
        last: the step after which the runs end.
        active: the indices of the runs that have not ended.
        optimizer: the rule of the active runs.
        reached: where the active runs are; None before they have begun.
        lowest: the lowest point of each active run so far.
        ends: how each other run ended, by its index.
        optimizer_state: the rule's final state, of a single run.
        recording, evaluation, rates, counts: the rows recorded, the evaluation of points, the rate of each step, and
            the number of evaluations of value and gradient.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.first = problem.resumed.step if problem.resumed else 0
        self.last = self.first + problem.max_steps
        self.active = np.arange(len(problem.starts))
        self.optimizer = entries(problem.optimizer, slice(None))
        self.reached: Reached | None = None
        self.lowest: Lowest | None = None
        self.ends: dict[int, End] = {}
        self.optimizer_state: OptimizerState | None = None
        self.recording = Recording(problem, self.first, self.last)
        self.evaluation = Evaluation(problem, self.first, self.recording.is_due)
        self.counts = Counts(len(problem.starts), searches=isinstance(problem.optimizer.learning_rate, LineSearch))
        self.rates = Rates(problem, self.first, self.counts)
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Time since the runs began."""
        return time.perf_counter() - self._began

    def begin(self, at_once: AtOnce) -> None:
        """Evaluate the starts."""
        starts, resumed = self.problem.starts, self.problem.resumed
        with at_once:
            # The rule gets copies, here and later, so that one that works in place cannot change the record.
            state = self.optimizer.init(starts.copy())
            check_state(self.optimizer, state)
            if resumed:
                memory = self.rates.remembered(self.optimizer, None, np.zeros(1))
                check_resumed(self.optimizer, starts, (state, memory), (resumed.state, resumed.memory))
                state = map_state(lambda part: part.copy() if isinstance(part, np.ndarray) else part, resumed.state)
            self.recording.begin(state)
            seen = self.evaluation.at(starts, self.optimizer, state, self.first, None)
        self.arrive(starts, state, None, seen)

    def arrive(self, x: FloatArray, state: Any, change: FloatArray | None, seen: Seen) -> None:
        """Store the points that a step has led to, or the starts."""
        value, gradient, value_is_old, cost = seen
        self.counts.add(cost)
        last = self.reached.progress if self.reached else None
        step, previous_value = (last.step + 1, last.value) if last else (self.first, None)
        first_value = last.first_value if last else value
        previous_change = last.change if last and self.rates.searching is None else None
        # Positional, because keyword arguments would take as long as a sum of two arrays.
        progress = Progress(
            step,
            x,
            value,
            gradient,
            change,
            previous_value,
            first_value,
            self.counts.of_each(self.active),
            self.seconds,
            previous_change,
        )
        before = self.reached or self.problem.resumed
        memory = before.memory if before else None
        # A resumed run's schedule saw this point at the end of the earlier run; it must not count twice.
        if self.reached or memory is None:
            memory = self.rates.remembered(self.optimizer, memory, value)
        self.reached = Reached(progress, state, memory, value_is_old)
        self.lowest = self.lowest.or_at(progress) if self.lowest else Lowest.at(progress)

    def walk(self, stretch: Stretch) -> bool:
        """Go to the end of a stretch, or to its first point where a condition is met; return whether one is met."""
        assert self.reached is not None
        reached = self.reached
        points = stretch.progress(reached.progress, self.counts.alike, self.seconds)
        points = points._replace(gradient=self.optimizer.projected_gradient(points.x, points.gradient))
        met = np.zeros(len(stretch.states), bool)
        for condition in self.problem.conditions:
            if not condition.unmet(points):
                met |= condition.met(points)
        ended = bool(met.any())
        count = int(met.argmax()) + 1 if ended else len(stretch.states)
        self.recording.keep_passed(self.active, stretch, count)
        if count > 1:
            self._pass(reached, stretch, count - 1)
        here, state = stretch.after(count), stretch.state_after(count)
        self.arrive(here.x, state, here.change, (here.value, here.gradient, False, stretch.cost))
        return ended

    def _pass(self, reached: Reached, stretch: Stretch, count: int) -> None:
        """Go `count` steps along a stretch, and keep the lowest of their points."""
        assert self.lowest is not None
        value = stretch.points.value
        passed = np.where(np.isnan(value), np.inf, value)[: count + 1]
        place = int(passed.argmin())
        if passed[place] < self.lowest.value[0]:
            self.lowest = Lowest.at(stretch.after(place))
        self.counts.add(stretch.cost, count)
        progress = reached.progress._replace(**stretch.after(count)._asdict())
        self.reached = reached._replace(progress=progress, state=stretch.state_after(count))

    def end(self, stops: Mapping[int, Stop]) -> None:
        """Record the last row of runs, given by their place among the active ones, and remove them from the batch."""
        if not stops:
            return
        assert self.reached is not None
        assert self.lowest is not None
        reached, progress, lowest = self.reached, self.reached.progress, self.lowest
        if len(self.problem.starts) == 1:
            self.optimizer_state = OptimizerState(progress.step, reached.state, reached.memory)
        leaves = np.zeros(len(self.active), bool)
        leaves[list(stops)] = True
        if reached.value_is_old:
            value = progress.value.copy()
            value[leaves] = self.evaluation.watched(progress.step).value(progress.x[leaves])
            progress = progress._replace(value=value)
            lowest = lowest.or_at(progress)
        self.recording.keep_last(self.active, progress, reached.state, leaves)
        for i, stop in stops.items():
            run = int(self.active[i])
            values, gradients = self.counts.of(run)
            evaluations = Cost(values + reached.value_is_old, gradients)
            self.ends[run] = End(stop, lowest.point(i), evaluations, progress.seconds)
        self._stay(~leaves, reached._replace(progress=progress), lowest)

    def _stay(self, stay: BoolArray, reached: Reached, lowest: Lowest) -> None:
        """Keep only these of the active runs."""
        if not stay.any() and self.problem.checkpoint is None:
            self.active = self.active[:0]
            return

        def staying(part: Any) -> Any:
            return part[stay] if np.ndim(part) and len(part) == len(stay) else part

        self.active = self.active[stay]
        self.optimizer = entries(self.optimizer, stay)
        self.lowest = map_state(staying, lowest)
        self.reached = map_state(staying, reached)

    @property
    def contents(self) -> dict[str, Any]:
        """What a checkpoint saves: everything needed to continue from the points last reached."""
        return {
            "active": self.active,
            "reached": self.reached,
            "lowest": self.lowest,
            "evaluated": self.counts.contents,
            "ends": in_columns(self.ends),
            **self.recording.contents,
        }

    def go_on_from(self, saved: Mapping[str, Any]) -> None:
        """Restore what `contents` returned."""
        self.ends = from_columns(saved["ends"])
        self.recording.go_on_from(saved)
        self.counts.go_on_from(saved["evaluated"])
        self.lowest = Lowest(*saved["lowest"])
        self.active = saved["active"]
        chosen = np.zeros(len(self.problem.starts), bool)
        chosen[self.active] = True
        self.optimizer = entries(self.problem.optimizer, chosen)
        progress, state, memory, value_is_old = saved["reached"]
        progress = Progress(*progress)
        if len(self.active):
            # Rules and schedules are pure, so calling them again gives the structure of their states.
            state = refilled(self.optimizer.init(progress.x.copy()), state)
            memory = refilled(self.rates.remembered(self.optimizer, None, progress.value), memory)
        self._began -= progress.seconds
        self.problem.report(progress.step)
        self.reached = Reached(progress, state, memory, value_is_old)
