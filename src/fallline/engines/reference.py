"""The reference engine: the rule, the objective and the conditions, step by step on NumPy arrays."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.engines.per_run import entries
from fallline.engines.problem import Problem
from fallline.engines.rows import Rows
from fallline.errors import FalllineError, shortened
from fallline.interruption import AtOnce, Interruption
from fallline.line_search import Line, LineSearch
from fallline.objectives.base import Cost, Objective
from fallline.optimizers import Optimizer
from fallline.schedules import Schedule
from fallline.state import map_state, named_leaves
from fallline.stopping import Progress, Stop
from fallline.trajectory import Point, Trajectory

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
        self.needs_value = (
            self.watching is not None or problem.callback is not None or any(c.needs_value for c in problem.conditions)
        )
        # Asked for once: they are computed anew each time.
        self.cost_of_both = problem.objective.cost_of_both
        self.cost_of_gradient = problem.objective.cost_of_gradient
        self.active = np.arange(len(problem.starts))
        self.ends: dict[int, End] = {}
        self.reached: Reached | None = None
        self.lowest: Lowest | None = None
        self.last_recorded = -1
        # Evaluations that all runs make alike, and those of each run's line searches.
        self.directions = problem.starts
        self.values_made = 0
        self.gradients_made = 0
        self.searched = np.zeros((len(problem.starts), 2), np.int64)

    def run(self) -> list[Trajectory]:
        # A run may overflow: that is recorded and reported, not warned of.
        with np.errstate(all="ignore"), Interruption() as interruption:
            try:
                self._advance(interruption.at_once)
            except KeyboardInterrupt:
                if self.reached is None:
                    raise
                step = self.reached.progress.step
                self._end(self.reached, dict.fromkeys(range(len(self.active)), interrupted(step)))
            return self._trajectories()

    def _advance(self, at_once: AtOnce) -> None:
        """Take all runs to their ends."""
        began = time.perf_counter()
        problem = self.problem
        progress: Progress | None = None
        change: FloatArray | None = None
        memory: Any = None
        x = problem.starts
        with at_once:
            # Copies for the rule, here and below: one that works in place must not reach into the record.
            state = self.optimizer.init(x.copy())
        self._prepare_rows(state)
        for step in itertools.count():
            previous_value = progress.value if progress else None
            with at_once:
                problem.report(step)
                value, gradient, value_is_old = self._evaluate(x, state, step, previous_value)
            progress = Progress(
                step=step,
                x=x,
                value=value,
                gradient=gradient,
                change=change,
                previous_value=previous_value,
                first_value=progress.first_value if progress else value,
                evaluations=self._evaluations(),
                seconds=time.perf_counter() - began,
            )
            if self.watching is not None:
                memory = self.watching.watched(memory, progress.value[:, None])
            self.reached = reached = Reached(progress, state, memory, value_is_old)
            self._keep_lowest(progress)
            ended = self._ended(progress, at_once)
            if ended:
                self._end(reached, ended)
                if not len(self.active):
                    return
                reached = self.reached
                progress, state, memory, _ = reached
            with at_once:
                rate = self._rate(reached)
            if self.search is not None and not rate.all():
                rate = self._without_the_stuck(reached, rate)
                if not len(self.active):
                    return
                reached = self.reached
                progress, state, memory, _ = reached
            if self._recorded_at(step):
                self._keep_rows(reached, rate)
                self.last_recorded = step
            with at_once:
                made = self.optimizer.update(progress.gradient.copy(), state, rate, step + 1)
            if step == 0:
                self._check_update(made, progress.x, state)
            if self.search is not None:
                self._check_direction(made, progress, rate)
            change, state = made
            x = progress.x - change

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
        try:
            return self.optimizer.rate(reached.progress.step + 1)
        except OverflowError:
            # A schedule that rises for ever, in plain Python numbers.
            return np.inf

    def _searched(self, search: LineSearch, reached: Reached) -> FloatArray:
        """The rate that a line search finds for each run, shape (k, 1)."""
        progress, step = reached.progress, reached.progress.step + 1
        objective = self.objective.at_step(step, self.problem.seed)
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
        if progress.step == 0:
            # Many a rule shows only in its second step what it makes of the first: half the rate, half the step?
            whole, half = (
                self.optimizer.update(progress.gradient.copy(), made[1], share, 2)[0] for share in (1.0, 0.5)
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

    def _evaluate(
        self, x: FloatArray, state: Any, step: int, previous_value: FloatArray | None
    ) -> tuple[FloatArray, FloatArray, bool]:
        """The value at x, the gradient that the rule wants for its next step, and whether the value is put off."""
        objective = self.objective
        place = self.optimizer.lookahead(x, state)
        if place is not x and self.search is not None:
            raise FalllineError(
                f"learning_rate is {self.search}; a line search needs the gradient at x, and "
                f"{type(self.optimizer).__name__} takes it elsewhere: give a number or a schedule"
            )
        if place is x and not objective.stochastic:
            value, gradient = objective.value_and_gradient(x)
            self.values_made += self.cost_of_both.value
            self.gradients_made += self.cost_of_both.gradient
            return value, gradient, False
        gradient = objective.at_step(step + 1, self.problem.seed).gradient(place)
        self.values_made += self.cost_of_gradient.value
        self.gradients_made += self.cost_of_gradient.gradient
        # The value over all data costs more than a mini-batch's gradient: only where it is looked at.
        looked_at = self.needs_value or self._recorded_at(step)
        if previous_value is not None and objective.stochastic and not looked_at:
            return previous_value, gradient, True
        self.values_made += 1
        return objective.value(x), gradient, False

    def _evaluations(self) -> npt.NDArray[np.int64]:
        """Evaluations of value and gradient, together, by each active run."""
        alike = self.values_made + self.gradients_made
        if self.search is None:
            return np.full(len(self.active), alike)
        return np.asarray(alike + self.searched[self.active].sum(axis=-1))

    def _recorded_at(self, step: int) -> bool:
        every = self.problem.record.every
        return step in (0, self.problem.max_steps) or (every is not None and step % every == 0)

    def _ended(self, progress: Progress, at_once: AtOnce) -> dict[int, Stop]:
        """Which of the active runs end here, by their place in the batch, and why."""
        ended: dict[int, Stop] = {}
        for condition in self.problem.conditions:
            met = condition.met(progress)
            if np.count_nonzero(met):
                for i in np.flatnonzero(met).tolist():
                    ended.setdefault(i, condition.stop(progress, i))
        if self.problem.callback is not None and self.active[0] == 0:
            # Copies, because the rows are still to be recorded from these arrays.
            x, gradient = progress.x[0].copy(), progress.gradient[0].copy()
            with at_once:
                answer = self.problem.callback(Point(progress.step, x, float(progress.value[0]), gradient))
            if np.asarray(answer).any():
                ended.setdefault(0, Stop("callback", f"the callback ended it at step {progress.step}", False))
        if progress.step == self.problem.max_steps:
            limit = step_limit(self.problem.max_steps)
            ended = {i: ended.get(i, limit) for i in range(len(self.active))}
        return ended

    def _keep_lowest(self, progress: Progress) -> None:
        here, lowest = Lowest(progress.step, progress.x, progress.value, progress.gradient), self.lowest
        if lowest is None:
            self.lowest = here
            return
        lower = here.value < lowest.value
        count = np.count_nonzero(lower)
        if count == len(lower):
            self.lowest = here
        elif count:
            rows = lower[:, None]
            self.lowest = Lowest(
                step=np.where(lower, here.step, lowest.step),
                x=np.where(rows, here.x, lowest.x),
                value=np.where(lower, here.value, lowest.value),
                gradient=np.where(rows, here.gradient, lowest.gradient),
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
                block[f"state.{name}"] = np.broadcast_to(leaf, progress.x.shape)
        if only is None:
            self.rows.add(self.active, block)
        else:
            chosen = {name: part[only] if np.ndim(part) else part for name, part in block.items()}
            self.rows.add(self.active[only], chosen)

    def _end(self, reached: Reached, ended: dict[int, Stop]) -> None:
        """Let runs leave the batch, their last row recorded."""
        progress = reached.progress
        leaves = np.zeros(len(self.active), bool)
        leaves[list(ended)] = True
        if reached.value_is_old:
            value = progress.value.copy()
            value[leaves] = self.objective.value(progress.x[leaves])
            progress = progress._replace(value=value)
            self._keep_lowest(progress)
        if self.last_recorded != progress.step:
            self._keep_rows(reached._replace(progress=progress), np.nan, only=leaves)
        for i, stop in ended.items():
            self.ends[int(self.active[i])] = End(
                stop=stop,
                best=self._best(i),
                evaluations=Cost(
                    self.values_made + reached.value_is_old + int(self.searched[self.active[i], 0]),
                    self.gradients_made + int(self.searched[self.active[i], 1]),
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


def step_limit(steps: int) -> Stop:
    """What the limit of steps gives as the reason."""
    return Stop("step limit", f"the limit of {steps} steps was reached", False)


def interrupted(step: int) -> Stop:
    """What Ctrl-C gives as the reason."""
    return Stop("interrupted", f"interrupted at step {step}", False)
