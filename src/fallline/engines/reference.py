"""The reference engine: the rule, the objective and the conditions in Python, step by step on NumPy arrays.

Where nobody can tell the difference, not by a bit, it takes a single run many steps at a time, and on floats.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.engines.on_floats import NotOnFloats, OnFloats
from fallline.engines.per_run import entries
from fallline.engines.problem import Begun, Problem, is_formula, is_ours
from fallline.engines.rows import Rows
from fallline.errors import FalllineError, shortened
from fallline.interruption import AtOnce, Interruption
from fallline.line_search import Line, LineSearch
from fallline.objectives.base import Cost, Objective
from fallline.optimizers import Optimizer
from fallline.schedules import Schedule
from fallline.state import map_state, named_leaves, refilled
from fallline.stopping import OF_ONE_STEP, Progress, Stop
from fallline.trajectory import Point, Trajectory

NAME = "reference"

# A single run makes so many steps, in a stretch, before it is asked whether it should have ended on the way; it begins
# with few, so that it makes about as many in vain as it makes.
_FIRST_STRETCH, _LONGEST_STRETCH = 8, 64
# With more coordinates than these a step takes longer than to ask; and with more than those, longer on floats.
_FEW_COORDINATES, _FEW_FLOATS = 32, 8


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


class Made(NamedTuple):
    """A step of a stretch: the rate that it took, what it subtracted, and where it led to. On arrays or on floats."""

    rate: Any
    change: Any
    x: Any
    state: Any
    value: Any
    gradient: Any
    cost: Cost


class Stretch(NamedTuple):
    """The points of a stretch one a row, first that where it began; with each the change that led there.

    Attributes:
        begins: how many steps were made before it.
    """

    begins: int
    x: FloatArray
    value: FloatArray
    gradient: FloatArray
    change: FloatArray

    @classmethod
    def of(cls, at: Progress, made: list[Made]) -> Stretch:
        """That of the steps made from there."""
        n = at.x.shape[1]
        before = np.full((1, n), np.inf) if at.change is None else at.change
        return cls(
            at.step,
            np.concatenate([at.x, np.array([step.x for step in made]).reshape(-1, n)]),
            np.concatenate([at.value, np.array([step.value for step in made]).reshape(-1)]),
            np.concatenate([at.gradient, np.array([step.gradient for step in made]).reshape(-1, n)]),
            np.concatenate([before, np.array([step.change for step in made]).reshape(-1, n)]),
        )

    def after(self, count: int) -> Stretch:
        """The point after so many of its steps alone."""
        i = slice(count, count + 1)
        return Stretch(self.begins + count, self.x[i], self.value[i], self.gradient[i], self.change[i])


class Evaluated(NamedTuple):
    """Evaluations up to a point: those that all runs make alike, and each run's line searches' (shape (k, 2))."""

    values: int
    gradients: int
    searched: npt.NDArray[np.int64]


# What a look at the active runs' points gives: values, gradients, whether the values are put off, and the cost.
Seen: TypeAlias = tuple[FloatArray, FloatArray, bool, Cost]


class Lowest(NamedTuple):
    """The point with the lowest value that each active run has seen."""

    step: int | npt.NDArray[np.int64]
    x: FloatArray
    value: FloatArray
    gradient: FloatArray


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
        self.always_recorded = {self.first, self.last, *problem.marks}
        self.needs_value = (
            self.watching is not None or problem.callback is not None or any(c.needs_value for c in problem.conditions)
        )
        # Asked for once: they are computed anew each time.
        self.cost_of_both = problem.objective.cost_of_both
        self.cost_of_gradient = problem.objective.cost_of_gradient
        self.stretch = _FIRST_STRETCH
        self.on_floats: OnFloats | Literal[False] | None = None
        self.only_at_its_end = (
            is_formula(problem.objective)
            and problem.objective.dimension <= _FEW_COORDINATES
            and is_ours(problem.optimizer)
            and all(type(condition) in OF_ONE_STEP for condition in problem.conditions)
            and problem.callback is None
            and not problem.record.state
            and self.search is None
            and self.watching is None
        )
        self.active = np.arange(len(problem.starts))
        self.ends: dict[int, End] = {}
        self.reached: Reached | None = None
        self.lowest: Lowest | None = None
        self.last_recorded = -1
        self.directions = problem.starts
        self.searched = np.zeros((len(problem.starts), 2), np.int64)
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
            self._prepare_rows(state)
            seen = self._evaluate(starts, state, self.first, None)
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
        if self.only_at_its_end and len(self.active) == 1:
            self._go_a_stretch(self.reached, at_once)
            return
        with at_once:
            rate = self._rate(self.reached)
        if self.search is not None and not rate.all():
            rate = self._without_the_stuck(self.reached, rate)
            if not len(self.active):
                return
        reached = self.reached
        progress, state, _, _ = reached
        step = progress.step
        if self.last_recorded != step and self._recorded_at(step):
            self._keep_rows(reached, rate)
            self.last_recorded = step
        with at_once:
            made = self.optimizer.update(progress.gradient.copy(), state, rate, step + 1)
            if step == self.first:
                self._check_update(made, progress.x, state)
            if self.search is not None:
                self._check_direction(made, progress, rate)
            change, state = made
            x = progress.x - change
            seen = self._evaluate(x, state, step + 1, progress.value)
        self._arrive(x, state, change, seen)

    def _go_a_stretch(self, reached: Reached, at_once: AtOnce) -> None:
        """Take a single run many steps further, or to the first point where one of the conditions is met.

        To look at many points at once takes hardly longer than to look at one. That the run went on beyond its end
        is not seen: rule, formula and conditions are known to be pure.
        """
        first = reached.progress.step
        steps = range(first + 1, min(first + self.stretch, self.last) + 1)
        if self.on_floats is None and self.stretch == _LONGEST_STRETCH:
            self.on_floats = self._as_floats(reached)
        made: list[Made] = []
        state_of: Callable[[Any], Any] = itself
        stopped: BaseException | None = None
        try:
            with at_once:
                if self.on_floats:
                    state_of = self.on_floats.state
                    self._make_on_floats(self.on_floats, reached, steps, made)
                if not made:
                    state_of = itself
                    self._make_on_arrays(reached, steps, made)
        except BaseException as raised:  # Ctrl-C, or what a number too large for Python leads to
            stopped = raised
        self.stretch = min(2 * self.stretch, _LONGEST_STRETCH)
        ended = bool(made) and self._walk(reached, made, state_of)
        if stopped and not ended:
            raise stopped

    def _make_on_arrays(self, reached: Reached, steps: range, made: list[Made]) -> None:
        """Add the steps made from there, before they are looked at."""
        x, gradient, state = reached.progress.x, reached.progress.gradient, reached.state
        for step in steps:
            rate = self._rate_of(step)
            change, state = self.optimizer.update(gradient, state, rate, step)
            x = x - change
            value, gradient, _, cost = self._evaluate(x, state, step, None)
            made.append(Made(rate, change, x, state, value, gradient, cost))

    def _as_floats(self, reached: Reached) -> OnFloats | Literal[False]:
        """The rule on floats, if it can be."""
        if self.objective.dimension > _FEW_FLOATS or np.ndim(self._rate_of(reached.progress.step + 1)):
            return False
        try:
            return OnFloats(self.optimizer, reached.progress.x, reached.state)
        except NotOnFloats:
            return False

    def _make_on_floats(self, rule: OnFloats, reached: Reached, steps: range, made: list[Made]) -> None:
        """The same on floats, up to where only arrays have an answer."""
        objective = self.objective
        assert is_formula(objective)
        x, gradient = reached.progress.x.tolist()[0], reached.progress.gradient.tolist()[0]
        leaves = rule.leaves(reached.state)
        cost = self.cost_of_both
        if rule.looks_ahead:
            cost = Cost(self.cost_of_gradient.value + 1, self.cost_of_gradient.gradient)
        try:
            for step in steps:
                self.problem.report(step)
                rate = float(self._rate_of(step))
                change, x, place, leaves = rule.step(x, gradient, leaves, rate, step)
                value, gradient = objective.on_floats(x, place)
                made.append(Made(rate, change, x, leaves, value, gradient, cost))
        except ArithmeticError:
            return

    def _walk(self, reached: Reached, made: list[Made], state_of: Callable[[Any], Any]) -> bool:
        """Arrive where a stretch led to, or at its first point where a condition is met; whether there is one."""
        stretch, cost = Stretch.of(reached.progress, made), made[0].cost
        met = self._met(reached.progress, stretch, cost)
        ended = bool(met.any())
        count = int(met.argmax()) + 1 if ended else len(made)
        self._keep_rows_before(count, stretch, made)
        if count > 1:
            self._pass(count - 1, stretch, cost)
            last = stretch.after(count - 1)
            progress = reached.progress._replace(
                step=last.begins, x=last.x, value=last.value, gradient=last.gradient, change=last.change
            )
            self.reached = reached._replace(progress=progress, state=state_of(made[count - 2].state))
        here = stretch.after(count)
        self._arrive(here.x, state_of(made[count - 1].state), here.change, (here.value, here.gradient, False, cost))
        return ended

    def _met(self, at: Progress, stretch: Stretch, cost: Cost) -> npt.NDArray[np.bool_]:
        """At which points of a stretch, after the first, a condition is met."""
        count = len(stretch.x) - 1
        points = Progress(
            step=stretch.begins + count,
            x=stretch.x[1:],
            value=stretch.value[1:],
            gradient=stretch.gradient[1:],
            change=stretch.change[1:],
            previous_value=stretch.value[:-1],
            first_value=at.first_value,
            evaluations=self.evaluated.values + self.evaluated.gradients + sum(cost) * np.arange(1, count + 1),
            seconds=time.perf_counter() - self.began,
            previous_change=stretch.change[:-1],
        )
        met: npt.NDArray[np.bool_] = np.logical_or.reduce([each.met(points) for each in self.problem.conditions])
        return met

    def _keep_rows_before(self, count: int, stretch: Stretch, made: list[Made]) -> None:
        """Record the points from which the first so many steps of a stretch were made."""
        steps = range(stretch.begins, stretch.begins + count)
        left = [i for i, step in enumerate(steps) if step != self.last_recorded and self._recorded_at(step)]
        if left:
            rates = np.array([made[i].rate for i in left]).reshape(-1)
            block = {"x": stretch.x[left], "value": stretch.value[left], "gradient": stretch.gradient[left]}
            steps_left = stretch.begins + np.array(left)
            self.rows.add(np.repeat(self.active, len(left)), {"steps": steps_left, **block, "rate": rates})
            self.last_recorded = stretch.begins + left[-1]

    def _pass(self, count: int, stretch: Stretch, cost: Cost) -> None:
        """Count the first so many steps of a stretch, and keep the lowest of their points."""
        assert self.lowest is not None
        passed = np.where(np.isnan(stretch.value), np.inf, stretch.value)[: count + 1]
        place = int(passed.argmin())
        if passed[place] < self.lowest.value[0]:
            lowest = stretch.after(place)
            self.lowest = Lowest(lowest.begins, lowest.x, lowest.value, lowest.gradient)
        values, gradients, searched = self.evaluated
        self.evaluated = Evaluated(values + count * cost.value, gradients + count * cost.gradient, searched)

    def _arrive(self, x: FloatArray, state: Any, change: FloatArray | None, seen: Seen) -> None:
        """Be at the points that a step, or none yet, has led to."""
        last = self.reached.progress if self.reached else None
        before = self.reached or self.problem.begun
        memory = before.memory if before else None
        step, previous_value = (last.step + 1, last.value) if last else (self.first, None)
        value, gradient, value_is_old, cost = seen
        values, gradients, _ = self.evaluated
        searched = self.searched if self.search is None else self.searched.copy()
        self.evaluated = Evaluated(values + cost.value, gradients + cost.gradient, searched)
        first_value = last.first_value if last else value
        seconds = time.perf_counter() - self.began
        # In the order of its fields: to name them all takes as long as a sum of two arrays.
        previous_change = last.change if last and self.search is None else None
        evaluations = self._evaluations()
        progress = Progress(
            step, x, value, gradient, change, previous_value, first_value, evaluations, seconds, previous_change
        )
        # A schedule that has seen this point at the end of another run does not look at it twice.
        if self.watching is not None and (last is not None or memory is None):
            memory = self.watching.watched(memory, progress.value[:, None])
        self.reached = Reached(progress, state, memory, value_is_old)
        self._keep_lowest(progress)

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
            "last_recorded": self.last_recorded,
            "run": self.rows.run,
            "columns": self.rows.columns,
            "ends": self._ends_in_columns(),
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
        self.rows = Rows.of(saved["run"], saved["columns"])
        self.last_recorded = saved["last_recorded"]
        self.evaluated = Evaluated(*saved["evaluated"])
        self.searched = self.evaluated.searched.copy()
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
        self.watching = rate if isinstance(rate, Schedule) and rate.needs_value else None
        self.search = rate if isinstance(rate, LineSearch) else None

    def _rate(self, reached: Reached) -> Any:
        """The learning rate of the next step."""
        if self.search is not None:
            return self._searched(self.search, reached)
        if self.watching is not None:
            return self.watching.rate_after(reached.memory, reached.progress.step + 1)
        return self._rate_of(reached.progress.step + 1)

    def _rate_of(self, step: int) -> Any:
        """The learning rate of a step, by its number alone."""
        try:
            return self.optimizer.rate(step)
        except OverflowError:
            # A schedule that rises for ever, in plain Python numbers.
            return np.inf

    def _searched(self, search: LineSearch, reached: Reached) -> FloatArray:
        """The rate that a line search finds for each run, shape (k, 1)."""
        progress, step = reached.progress, reached.progress.step + 1
        objective = self.objective.at_step(step - self.first, self.problem.seed)
        # Rules are pure: a rate of 1 shows the direction and leaves no trace.
        directions = self.optimizer.update(progress.gradient.copy(), reached.state, 1.0, step)[0]
        self.directions = directions
        values = progress.value
        if self.objective.stochastic:
            values = objective.value(progress.x)
            self.searched[self.active] += Cost(value=1, gradient=0)
        lines = zip(self.active.tolist(), progress.x, directions, values, progress.gradient, strict=True)
        rates = [
            entries(search, i).rate(Line(*self._counted(objective, run), *line)) for i, (run, *line) in enumerate(lines)
        ]
        return np.array(rates)[:, None]

    def _without_the_stuck(self, reached: Reached, rate: FloatArray) -> FloatArray:
        """End the runs for which the line search found no rate down their slope; the rates of the others."""
        progress = reached.progress
        stuck = (rate[:, 0] == 0) & progress.gradient.any(axis=-1)
        message = f"the line search found no rate at which the value falls, at step {progress.step}"
        self._end(reached, dict.fromkeys(np.flatnonzero(stuck).tolist(), Stop("no lower value", message, False)))
        self.directions = self.directions[~stuck]
        staying: FloatArray = rate[~stuck]
        return staying

    def _check_direction(self, made: Any, progress: Progress, rate: FloatArray) -> None:
        """Refuse a line search for a rule whose step is not the rate times a direction: it looked elsewhere."""
        straight = np.allclose(made[0], rate * self.directions, rtol=1e-9, atol=0)
        if progress.step == self.first:
            # Many a rule shows only in its second step what it makes of the first: half the rate, half the step?
            whole, half = (
                self.optimizer.update(progress.gradient.copy(), made[1], share, progress.step + 2)[0]
                for share in (1.0, 0.5)
            )
            straight = straight and np.allclose(half, whole / 2, rtol=1e-9, atol=0)
        if not straight:
            raise FalllineError(
                f"learning_rate is {self.search}; a step of {type(self.optimizer).__name__} is not the rate times a "
                "direction, so there is no line to search: give a number or a schedule"
            )

    def _counted(self, objective: Objective, run: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """The value at one point, and value and gradient there, counted as one run's own."""

        def value_at(point: FloatArray) -> float:
            self.searched[run] += Cost(value=1, gradient=0)
            return float(objective.value(point[None, :])[0])

        def both_at(point: FloatArray) -> tuple[float, FloatArray]:
            self.searched[run] += self.cost_of_both
            values, gradients = objective.value_and_gradient(point[None, :])
            return float(values[0]), gradients[0]

        return value_at, both_at

    def _evaluate(self, x: FloatArray, state: Any, step: int, previous_value: FloatArray | None) -> Seen:
        """Look at x: its value, and the gradient that the rule wants for its next step."""
        self.problem.report(step)
        objective = self.objective
        place = self.optimizer.lookahead(x, state)
        if place is not x and self.search is not None:
            raise FalllineError(
                f"learning_rate is {self.search}; a line search needs the gradient at x, and "
                f"{type(self.optimizer).__name__} takes it elsewhere: give a number or a schedule"
            )
        if place is x and not objective.stochastic:
            value, gradient = objective.value_and_gradient(x)
            return value, gradient, False, self.cost_of_both
        gradient = objective.at_step(step - self.first + 1, self.problem.seed).gradient(place)
        cost = self.cost_of_gradient
        # The value over all data costs more than a mini-batch's gradient: only where it is looked at.
        looked_at = self.needs_value or self._recorded_at(step)
        if previous_value is not None and objective.stochastic and not looked_at:
            return previous_value, gradient, True, cost
        return self._watched(step).value(x), gradient, False, Cost(cost.value + 1, cost.gradient)

    def _watched(self, step: int) -> Objective:
        """Whose value is recorded at a step."""
        objective = self.objective
        if objective.epoch_value == "full":
            return objective
        return objective.at_step(step - self.first + 1, self.problem.seed)

    def _evaluations(self) -> npt.NDArray[np.int64]:
        """Evaluations of value and gradient, together, by each active run."""
        alike = self.evaluated.values + self.evaluated.gradients
        if self.search is not None:
            return np.asarray(alike + self.searched[self.active].sum(axis=-1))
        each = np.empty(len(self.active), np.int64)
        each.fill(alike)
        return each

    def _recorded_at(self, step: int) -> bool:
        every = self.problem.record.every
        return step in self.always_recorded or (every is not None and (step - self.first) % every == 0)

    def _ended(self, progress: Progress, at_once: AtOnce) -> dict[int, Stop]:
        """Which of the active runs end here, by their place in the batch, and why."""
        ended: dict[int, Stop] = {}
        for condition in self.problem.conditions:
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

    def _keep_lowest(self, progress: Progress) -> None:
        lowest = self.lowest
        if lowest is None:
            self.lowest = Lowest(progress.step, progress.x, progress.value, progress.gradient)
            return
        lower = progress.value < lowest.value
        count = np.count_nonzero(lower)
        if count == len(lower):
            self.lowest = Lowest(progress.step, progress.x, progress.value, progress.gradient)
        elif count:
            rows = lower[:, None]
            self.lowest = Lowest(
                step=np.where(lower, progress.step, lowest.step),
                x=np.where(rows, progress.x, lowest.x),
                value=np.where(lower, progress.value, lowest.value),
                gradient=np.where(rows, progress.gradient, lowest.gradient),
            )

    def _prepare_rows(self, state: Any) -> None:
        coordinates = (self.objective.dimension,)
        columns = {"steps": (), "x": coordinates, "value": (), "gradient": coordinates, "rate": ()}
        for name, leaf in named_leaves(state):
            if isinstance(leaf, list | dict | set):
                raise FalllineError(
                    f"optimizer {type(self.optimizer).__name__}: init returned a state with the {type(leaf).__name__} "
                    f"{shortened(leaf)} in it; it must be numbers and arrays, in tuples or named tuples"
                )
            if self.problem.record.state:
                columns[f"state.{name}"] = coordinates
        self.rows = Rows(columns)

    def _keep_rows(self, reached: Reached, rate: Any, only: npt.NDArray[np.bool_] | None = None) -> None:
        """Record the active runs as they are, or only some of them."""
        progress = reached.progress
        block: dict[str, Any] = {
            "steps": progress.step,
            "x": progress.x,
            "value": progress.value,
            "gradient": progress.gradient,
            "rate": rate[:, 0] if isinstance(rate, np.ndarray) else rate,
        }
        if self.problem.record.state:
            for name, leaf in named_leaves(reached.state):
                # A copy, because a rule may work in place.
                block[f"state.{name}"] = np.broadcast_to(leaf, progress.x.shape).copy()
        if only is None:
            self.rows.add_soon(self.active, block)
        else:
            chosen = {name: part[only] if np.ndim(part) else part for name, part in block.items()}
            self.rows.add(self.active[only], chosen)

    def _end(self, reached: Reached, ended: dict[int, Stop]) -> None:
        """Let runs leave the batch, their last row recorded."""
        progress = reached.progress
        if self.problem.keep is not None:
            self.problem.keep(Begun(progress.step, reached.state, reached.memory))
        leaves = np.zeros(len(self.active), bool)
        leaves[list(ended)] = True
        if reached.value_is_old:
            value = progress.value.copy()
            value[leaves] = self._watched(progress.step).value(progress.x[leaves])
            progress = progress._replace(value=value)
            self._keep_lowest(progress)
        if self.last_recorded != progress.step:
            self._keep_rows(reached._replace(progress=progress), np.nan, only=leaves)
        for i, stop in ended.items():
            self.ends[int(self.active[i])] = End(
                stop=stop,
                best=self._best(i),
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
        self.lowest = map_state(staying, self.lowest)
        self.reached = map_state(staying, reached._replace(progress=progress))

    def _best(self, i: int) -> Point:
        """The point with the lowest value that one of the active runs has seen."""
        assert self.lowest is not None
        step, x, value, gradient = self.lowest
        reached_by = int(step if isinstance(step, int) else step[i])
        return Point(reached_by, x[i].copy(), float(value[i]), gradient[i].copy())

    def _check_update(self, made: Any, x: FloatArray, state: Any) -> None:
        """What a rule of the user's gets wrong shows at its first step."""
        name = f"optimizer {type(self.optimizer).__name__}"
        if not (isinstance(made, tuple) and len(made) == 2):
            raise FalllineError(
                f"{name}: update returned {shortened(made)}; it must return a tuple of two, the change and the state"
            )
        if np.shape(made[0]) != x.shape:
            raise FalllineError(
                f"{name}: update returned a change of shape {np.shape(made[0])} for x of shape {x.shape}; "
                "the two must be equal"
            )
        if np.iscomplexobj(made[0]):
            raise FalllineError(f"{name}: update returned complex numbers; a change must be real")
        before, after = ([part for part, _ in named_leaves(nest)] for nest in (state, made[1]))
        if before != after:
            raise FalllineError(
                f"{name}: init returned a state of the parts {before}, update one of {after}; the two must be equal"
            )

    def _trajectories(self) -> list[Trajectory]:
        trajectories = []
        for i, rows in enumerate(self.rows.of_each(len(self.problem.starts))):
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


def itself(state: Any) -> Any:
    """The state as it is."""
    return state


def step_limit(steps: int) -> Stop:
    """What the limit of steps gives as the reason."""
    return Stop("step limit", f"the limit of {steps} steps was reached", False)


def interrupted(step: int) -> Stop:
    """What Ctrl-C gives as the reason."""
    return Stop("interrupted", f"interrupted at step {step}", False)
