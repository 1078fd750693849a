"""The reference engine: the rule, the objective and the conditions in Python, step by step on NumPy arrays.

Where nobody can tell the difference, not by a bit, it takes a single run many steps at a time, and on floats.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.engines.evaluation import Evaluation, Seen
from fallline.engines.interruption import AtOnce, Interruption
from fallline.engines.lowest import Lowest
from fallline.engines.mistakes import check_state, check_update
from fallline.engines.per_run import entries
from fallline.engines.problem import Begun, Problem
from fallline.engines.recording import Recording
from fallline.engines.searching import Searching
from fallline.engines.stretches import Stretch, Stretches, goes_unseen, rate_of
from fallline.line_search import LineSearch
from fallline.objectives.base import Cost
from fallline.optimizers import Optimizer
from fallline.results.trajectory import Point, Trajectory
from fallline.schedules import watches_values
from fallline.state import map_state, refilled
from fallline.stopping import Progress, Stop, interrupted, step_limit

NAME = "reference"


def run(problem: Problem) -> list[Trajectory]:
    """Execute every run of the problem and return their trajectories in order.

    All runs advance together as one batch; one that has ended leaves it. No run depends on the others, not
    even in its last digit. Ctrl-C ends all of them where they are.
    """
    return Batch(problem).run()


class Reached(NamedTuple):
    """Where the active runs are: what an interruption may find at any moment, so it is replaced as a whole."""

    progress: Progress
    state: Any
    memory: Any
    value_is_old: bool


class Evaluated(NamedTuple):
    """Evaluations up to a point: those that all runs make alike, and each run's line searches' (shape (k, 2))."""

    values: int
    gradients: int
    searched: npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class End:
    """How a run ended."""

    stop: Stop
    best: Point
    evaluations: Cost
    seconds: float


class Batch:
    """The runs of a problem on their way: `active` numbers those that have not ended."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.objective = problem.objective
        self._take(entries(problem.optimizer, slice(None)))
        self.first = problem.begun.step if problem.begun else 0
        self.last = self.first + problem.max_steps
        self.recording = Recording(problem, self.first, self.last)
        self.evaluation = Evaluation(problem, self.first, self.recording.is_due)
        self.stretches = Stretches(problem, self.evaluation, self.last) if goes_unseen(problem) else None
        self.active = np.arange(len(problem.starts))
        self.ends: dict[int, End] = {}
        self.reached: Reached | None = None
        self.lowest: Lowest | None = None
        self.searched = np.zeros((len(problem.starts), 2), np.int64)
        self.searching = Searching(problem, self.first, self.searched)
        self.evaluated = Evaluated(0, 0, self.searched)
        self.began = time.perf_counter()
        # The seconds at which the checkpoint is due: for the first time at once, so that it is known to be possible.
        self.save_at = np.inf if problem.checkpoint is None else 0.0

    def run(self) -> list[Trajectory]:
        # A run may overflow: that is recorded and reported, not warned of.
        with np.errstate(all="ignore"), Interruption() as interruption:
            try:
                self._begin(interruption.at_once)
                if len(self.active):
                    while len(self.active):
                        self._step(interruption.at_once)
                    self._save()
            except KeyboardInterrupt:
                if self.reached is None:
                    raise
                self._save()
                step = self.reached.progress.step
                self._end(self.reached, dict.fromkeys(range(len(self.active)), interrupted(step)))
            return self._trajectories()

    def _begin(self, at_once: AtOnce) -> None:
        """Go to the start, or to where the checkpoint was written."""
        if self.problem.checkpoint is not None and self.problem.checkpoint.contents is not None:
            with at_once:
                self._go_on_from(self.problem.checkpoint.contents)
            return
        starts = self.problem.starts
        with at_once:
            # Copies for the rule, here and below: one that works in place must not reach into the record.
            state = self.problem.begun.state if self.problem.begun else self.optimizer.init(starts.copy())
            check_state(self.optimizer, state)
            self.recording.begin(state)
            seen = self.evaluation.at(starts, self.optimizer, state, self.first, None)
        self._arrive(starts, state, None, seen)

    def _step(self, at_once: AtOnce) -> None:
        """Take all active runs one step further, or to their ends."""
        assert self.reached is not None
        if self.reached.progress.seconds >= self.save_at:
            self._save()
        ended = self._ended(self.reached.progress, at_once)
        if ended:
            self._end(self.reached, ended)
            if not len(self.active):
                return
        if self.stretches and len(self.active) == 1:
            self._go_a_stretch(self.stretches, self.reached, at_once)
            return
        with at_once:
            rate = self._rate(self.reached)
        if self.searches and not rate.all():
            rate = self._without_the_stuck(self.reached, rate)
            if not len(self.active):
                return
        reached = self.reached
        progress, state, _, _ = reached
        step = progress.step
        self.recording.keep(self.active, progress, state, rate)
        with at_once:
            made = self.optimizer.update(progress.gradient.copy(), state, rate, step + 1)
            if step == self.first:
                check_update(self.optimizer, made, progress.x, state)
            if self.searches:
                self.searching.check(self.optimizer, made, progress, rate)
            change, state = made
            x = progress.x - change
            seen = self.evaluation.at(x, self.optimizer, state, step + 1, progress.value)
        self._arrive(x, state, change, seen)

    def _go_a_stretch(self, stretches: Stretches, reached: Reached, at_once: AtOnce) -> None:
        """Take a single run many steps further, or to the first point where one of the conditions is met.

        To look at many points at once takes hardly longer than to look at one.
        """
        stretch, stopped = stretches.made_from(reached.progress, self.optimizer, reached.state, at_once)
        ended = stretch is not None and self._walk(reached, stretch)
        if stopped and not ended:
            raise stopped

    def _walk(self, reached: Reached, stretch: Stretch) -> bool:
        """Arrive where a stretch led to, or at its first point where a condition is met; whether there is one."""
        evaluations = self.evaluated.values + self.evaluated.gradients
        points = stretch.progress(reached.progress, evaluations, time.perf_counter() - self.began)
        met = np.zeros(len(stretch.made), bool)
        for condition in self.problem.conditions:
            if not condition.unmet(points):
                met |= condition.met(points)
        ended = bool(met.any())
        count = int(met.argmax()) + 1 if ended else len(stretch.made)
        self.recording.keep_passed(self.active, stretch, count)
        if count > 1:
            self._pass(count - 1, stretch)
            progress = reached.progress._replace(**stretch.after(count - 1)._asdict())
            self.reached = reached._replace(progress=progress, state=stretch.state_after(count - 1))
        here, state = stretch.after(count), stretch.state_after(count)
        self._arrive(here.x, state, here.change, (here.value, here.gradient, False, stretch.cost))
        return ended

    def _pass(self, count: int, stretch: Stretch) -> None:
        """Count the first so many steps of a stretch, and keep the lowest of their points."""
        assert self.lowest is not None
        value = stretch.points.value
        passed = np.where(np.isnan(value), np.inf, value)[: count + 1]
        place = int(passed.argmin())
        if passed[place] < self.lowest.value[0]:
            self.lowest = Lowest.at(stretch.after(place))
        values, gradients, searched = self.evaluated
        cost = stretch.cost
        self.evaluated = Evaluated(values + count * cost.value, gradients + count * cost.gradient, searched)

    def _arrive(self, x: FloatArray, state: Any, change: FloatArray | None, seen: Seen) -> None:
        """Be at the points that a step, or none yet, has led to."""
        last = self.reached.progress if self.reached else None
        before = self.reached or self.problem.begun
        memory = before.memory if before else None
        step, previous_value = (last.step + 1, last.value) if last else (self.first, None)
        value, gradient, value_is_old, cost = seen
        values, gradients, _ = self.evaluated
        searched = self.searched.copy() if self.searches else self.searched
        self.evaluated = Evaluated(values + cost.value, gradients + cost.gradient, searched)
        first_value = last.first_value if last else value
        seconds = time.perf_counter() - self.began
        # In the order of its fields: to name them all takes as long as a sum of two arrays.
        previous_change = last.change if last and not self.searches else None
        if previous_change is None and change is not None and not self.searches:
            previous_change = np.full_like(change, np.inf)
        evaluations = self._evaluations()
        progress = Progress(
            step, x, value, gradient, change, previous_value, first_value, evaluations, seconds, previous_change
        )
        # A schedule that has seen this point at the end of another run does not look at it twice.
        if self.watching is not None and (last is not None or memory is None):
            memory = self.watching.watched(memory, progress.value[:, None])
        self.reached = Reached(progress, state, memory, value_is_old)
        self.lowest = self.lowest.or_at(progress) if self.lowest else Lowest.at(progress)

    def _save(self) -> None:
        """Write the checkpoint, if there is one to write: the runs as they were when their points were reached."""
        if self.problem.checkpoint is None:
            return
        assert self.reached is not None
        contents = {
            "active": self.active,
            "reached": self.reached,
            "lowest": self.lowest,
            "evaluated": self.evaluated,
            "ends": self._ends_in_columns(),
            **self.recording.contents,
        }
        seconds = self.reached.progress.seconds
        self.save_at = seconds + self.problem.checkpoint.save(contents, seconds)

    def _ends_in_columns(self) -> list[Any]:
        """The runs that have ended, and how, as few arrays however many they are."""
        ends = list(self.ends.values())
        return [
            list(self.ends),
            [dataclasses.astuple(end.stop) for end in ends],
            [end.best.step for end in ends],
            np.array([end.best.x for end in ends]),
            [end.best.value for end in ends],
            np.array([end.best.gradient for end in ends]),
            [end.evaluations for end in ends],
            [end.seconds for end in ends],
        ]

    def _go_on_from(self, saved: Mapping[str, Any]) -> None:
        """Take up what `_save` wrote."""
        for run, stop, *best, evaluations, seconds in zip(*saved["ends"], strict=True):
            self.ends[run] = End(Stop(*stop), Point(*best), Cost(*evaluations), seconds)
        self.recording.go_on_from(saved)
        self.evaluated = Evaluated(*saved["evaluated"])
        self.searched[:] = self.evaluated.searched
        active = saved["active"]
        chosen = np.zeros(len(self.problem.starts), bool)
        chosen[active] = True
        self._take(entries(self.problem.optimizer, chosen))
        progress, state, memory, value_is_old = saved["reached"]
        progress = Progress(*progress)
        if len(active):
            # Rules and schedules are pure: they say again what form their states have.
            state = refilled(self.optimizer.init(progress.x.copy()), state)
            if self.watching is not None:
                memory = refilled(self.watching.watched(None, progress.value[:, None]), memory)
        self.lowest = Lowest(*saved["lowest"])
        self.began -= progress.seconds
        self.problem.report(progress.step)
        self.active = active
        self.reached = Reached(progress, state, memory, value_is_old)

    def _take(self, optimizer: Optimizer[Any]) -> None:
        """Go on with this rule: that of the active runs."""
        self.optimizer = optimizer
        rate = optimizer.learning_rate
        self.watching = rate if watches_values(rate) else None
        self.searches = isinstance(rate, LineSearch)

    def _rate(self, reached: Reached) -> Any:
        """The learning rate of the next step."""
        if self.searches:
            return self.searching.rates(self.optimizer, reached.progress, reached.state, self.active)
        if self.watching is not None:
            return self.watching.rate_after(reached.memory, reached.progress.step + 1)
        return rate_of(self.optimizer, reached.progress.step + 1)

    def _without_the_stuck(self, reached: Reached, rate: FloatArray) -> FloatArray:
        """End the runs for which the line search found no rate down their slope; the rates of the others."""
        progress = reached.progress
        stuck = (rate[:, 0] == 0) & progress.gradient.any(axis=-1)
        message = f"the line search found no rate at which the value falls, at step {progress.step}"
        self._end(reached, dict.fromkeys(np.flatnonzero(stuck).tolist(), Stop("no lower value", message, False)))
        self.searching.keep(~stuck)
        staying: FloatArray = rate[~stuck]
        return staying

    def _evaluations(self) -> npt.NDArray[np.int64]:
        """Evaluations of value and gradient, together, by each active run."""
        alike = self.evaluated.values + self.evaluated.gradients
        if self.searches:
            return np.asarray(alike + self.searched[self.active].sum(axis=-1))
        each = np.empty(len(self.active), np.int64)
        each.fill(alike)
        return each

    def _ended(self, progress: Progress, at_once: AtOnce) -> dict[int, Stop]:
        """Which of the active runs end here, by their place in the batch, and why."""
        ended: dict[int, Stop] = {}
        for condition in self.problem.conditions:
            if condition.unmet(progress):
                continue
            met = condition.met(progress)
            if np.count_nonzero(met):
                for i in met.nonzero()[0].tolist():
                    ended.setdefault(i, condition.stop(progress, i))
        if self.problem.callback is not None and self.active[0] == 0:
            # Copies, because the rows are still to be recorded from these arrays.
            x, gradient = progress.x[0].copy(), progress.gradient[0].copy()
            with at_once:
                answer = self.problem.callback(Point(progress.step, x, float(progress.value[0]), gradient))
            if np.asarray(answer).any():
                ended.setdefault(0, Stop("callback", f"the callback ended it at step {progress.step}", False))
        if progress.step == self.last:
            limit = step_limit(self.problem.max_steps)
            ended = {i: ended.get(i, limit) for i in range(len(self.active))}
        return ended

    def _end(self, reached: Reached, ended: dict[int, Stop]) -> None:
        """Let runs leave the batch, their last row recorded."""
        assert self.lowest is not None
        progress, lowest = reached.progress, self.lowest
        if self.problem.keep is not None:
            self.problem.keep(Begun(progress.step, reached.state, reached.memory))
        leaves = np.zeros(len(self.active), bool)
        leaves[list(ended)] = True
        if reached.value_is_old:
            value = progress.value.copy()
            value[leaves] = self.evaluation.watched(progress.step).value(progress.x[leaves])
            progress = progress._replace(value=value)
            lowest = lowest.or_at(progress)
        self.recording.keep_last(self.active, progress, reached.state, leaves)
        for i, stop in ended.items():
            self.ends[int(self.active[i])] = End(
                stop=stop,
                best=lowest.point(i),
                evaluations=Cost(
                    self.evaluated.values + reached.value_is_old + int(self.searched[self.active[i], 0]),
                    self.evaluated.gradients + int(self.searched[self.active[i], 1]),
                ),
                seconds=progress.seconds,
            )
        stay = ~leaves

        def staying(part: Any) -> Any:
            return part[stay] if np.ndim(part) and len(part) == len(stay) else part

        self.active = self.active[stay]
        self._take(entries(self.optimizer, stay))
        self.lowest = map_state(staying, lowest)
        self.reached = map_state(staying, reached._replace(progress=progress))

    def _trajectories(self) -> list[Trajectory]:
        trajectories = []
        for i, rows in enumerate(self.recording.of_each(len(self.problem.starts))):
            end = self.ends[i]
            rows["rate"][-1] = np.nan
            trajectories.append(
                Trajectory(
                    title=self.objective.title,
                    optimizer=entries(self.problem.optimizer, i).label,
                    names=self.objective.names,
                    steps=rows.pop("steps").astype(np.int64),
                    x=rows.pop("x"),
                    value=rows.pop("value"),
                    gradient=rows.pop("gradient"),
                    rate=rows.pop("rate"),
                    best=end.best,
                    stop=end.stop,
                    evaluations=end.evaluations,
                    seconds=end.seconds,
                    seed=self.problem.seed,
                    gradient_kind=self.objective.gradient_kind or "none",
                    engine=NAME,
                    states={name.removeprefix("state."): column for name, column in rows.items()},
                    objective=self.objective,
                )
            )
        return trajectories
