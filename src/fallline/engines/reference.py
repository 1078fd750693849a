"""The reference engine: the rule, the objective and the conditions in Python, step by step on NumPy arrays.

Where the results are bit for bit the same, it advances a single run many steps at a time, and computes on floats.
"""

from __future__ import annotations

import numpy as np

from fallline.engines.batch import Batch
from fallline.engines.checkpoint import Part
from fallline.engines.interruption import AtOnce, Interruption
from fallline.engines.mistakes import check_update, note_step
from fallline.engines.per_run import entries
from fallline.engines.problem import Problem
from fallline.engines.stretches import Stretches, goes_unseen
from fallline.errors import FalllineError, shortened
from fallline.results.trajectory import Point, Trajectory
from fallline.stopping import Stop, StoppingCondition, interrupted, no_lower_value, step_limit

NAME = "reference"


def run(problem: Problem) -> list[Trajectory]:
    """Execute every run of the problem and return their trajectories in order.

    All runs advance together as one batch; a run that has ended leaves it. The other runs of the batch do not change a
    run's result, not even in the last digit. Ctrl-C ends all runs at their present points.
    """
    batch = Batch(problem)
    # A run may overflow: that is recorded as its end, without a warning.
    with np.errstate(all="ignore"), Interruption() as interruption:
        saving = Saving(batch, problem.checkpoint)
        try:
            if not saving.restored(interruption.at_once):
                batch.begin(interruption.at_once)
            if len(batch.active):
                _descend(problem, batch, saving, interruption.at_once)
                saving.save()
        except KeyboardInterrupt:
            if batch.reached is None:
                raise
            saving.save()
            batch.end(dict.fromkeys(range(len(batch.active)), interrupted(batch.reached.progress.step)))
        except Exception as error:  # from the user's own function, rule or callback
            note_step(error, batch.evaluation.step, problem.optimizer.label)
            raise
        return _trajectories(problem, batch)


def _descend(problem: Problem, batch: Batch, saving: Saving, at_once: AtOnce) -> None:
    """Advance all runs of the batch until they end."""
    stretches = Stretches(problem, batch.evaluation, batch.last) if goes_unseen(problem) else None
    searching = batch.rates.searching
    # Whether the conditions were checked at this point as the last of a stretch, and none is met.
    goes_on = False
    while len(batch.active):
        saving.save_if_due()
        assert batch.reached is not None
        if not goes_on or batch.reached.progress.step == batch.last:
            batch.end(_stops(problem, batch, at_once))
        if not len(batch.active):
            return
        if stretches and len(batch.active) == 1:
            goes_on = not _go_a_stretch(stretches, batch, at_once)
            continue
        assert batch.reached is not None
        progress, state, memory, _ = batch.reached
        with at_once:
            rate = batch.rates.of(batch.optimizer, progress, state, memory, batch.active)
        if searching and not rate.all():
            slope = batch.optimizer.projected_gradient(progress.x, progress.gradient)
            stuck = (rate[:, 0] == 0) & slope.any(axis=-1)
            batch.end(dict.fromkeys(np.flatnonzero(stuck).tolist(), no_lower_value(progress.step)))
            if not len(batch.active):
                return
            searching.keep(~stuck)
            rate, (progress, state, memory, _) = rate[~stuck], batch.reached
        batch.recording.keep(batch.active, progress, state, rate)
        step, rule = progress.step + 1, batch.optimizer
        with at_once:
            made = rule.update(progress.gradient.copy(), state, rate, step)
            if progress.step == batch.first:
                check_update(rule, made, progress.x, state)
            if searching:
                searching.check(rule, made, progress, rate)
            change, state = made
            x = progress.x - change
            seen = batch.evaluation.at(x, rule, state, step, progress.value)
        batch.arrive(x, state, change, seen)


def _check_met(condition: StoppingCondition, met: object, runs: int) -> None:
    """Refuse a condition of the user's that does not answer for each run."""
    if not isinstance(met, np.ndarray) or met.shape != (runs,):
        name = type(condition).__name__
        raise FalllineError(
            "stop",
            problem=f"{name}.met returned {shortened(met)}",
            allowed=f"it must return an array of shape ({runs},), a boolean for each run",
        )


def _stops(problem: Problem, batch: Batch, at_once: AtOnce) -> dict[int, Stop]:
    """The active runs that end at their present points, by their place among the active ones, and why."""
    assert batch.reached is not None
    progress = batch.reached.progress
    judged = progress._replace(gradient=batch.optimizer.projected_gradient(progress.x, progress.gradient))
    stops: dict[int, Stop] = {}
    for condition in problem.conditions:
        if condition.unmet(judged):
            continue
        met = condition.met(judged)
        if progress.change is None:
            _check_met(condition, met, len(progress.x))
        if np.count_nonzero(met):
            for i in met.nonzero()[0].tolist():
                stops.setdefault(i, condition.stop(judged, i))
    if problem.callback is not None and batch.active[0] == 0:
        # Copies, because these arrays are recorded only afterwards.
        x, gradient = progress.x[0].copy(), progress.gradient[0].copy()
        try:
            with at_once:
                problem.callback(Point(progress.step, x, float(progress.value[0]), gradient))
        except StopIteration:
            stops.setdefault(0, Stop("callback", f"the callback ended it at step {progress.step}", False))
    if progress.step == batch.last:
        limit = step_limit(problem.max_steps)
        stops = {i: stops.get(i, limit) for i in range(len(batch.active))}
    return stops


def _go_a_stretch(stretches: Stretches, batch: Batch, at_once: AtOnce) -> bool:
    """Advance a single run by many steps, or to the first point where a condition is met; return whether one is met.

    Checking the conditions at many points at once takes hardly longer than at one.
    """
    assert batch.reached is not None
    stretch, stopped = stretches.made_from(batch.reached.progress, batch.optimizer, batch.reached.state, at_once)
    ended = stretch is not None and batch.walk(stretch)
    if stopped and not ended:
        raise stopped
    return ended


class Saving:
    """Writes the checkpoint of a batch, if there is one.

    Arguments:
        batch: the runs.
        checkpoint: where they are saved, and from where they continue; None for no checkpoint.
    """

    def __init__(self, batch: Batch, checkpoint: Part | None) -> None:
        self._batch, self._checkpoint = batch, checkpoint
        # The time at which the next save is due: the first at once, so that a file that cannot be written fails early.
        self._due = np.inf if checkpoint is None else 0.0

    def restored(self, at_once: AtOnce) -> bool:
        """Continue from what was saved; return whether anything was."""
        if self._checkpoint is None or self._checkpoint.contents is None:
            return False
        with at_once:
            try:
                self._batch.go_on_from(self._checkpoint.contents)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
                raise self._checkpoint.checkpoint.damaged(error) from error
        return True

    def save_if_due(self) -> None:
        """Save the runs, unless they were saved a short time ago."""
        assert self._batch.reached is not None
        if self._batch.reached.progress.seconds >= self._due:
            self.save()

    def save(self) -> None:
        """Save the runs as they were when their points were reached."""
        if self._checkpoint is None:
            return
        assert self._batch.reached is not None
        seconds = self._batch.reached.progress.seconds
        self._due = seconds + self._checkpoint.save(self._batch.contents, seconds)


def _trajectories(problem: Problem, batch: Batch) -> list[Trajectory]:
    trajectories = []
    for i, rows in enumerate(batch.recording.of_each(len(problem.starts))):
        end = batch.ends[i]
        rows["rate"][-1] = np.nan
        trajectories.append(
            Trajectory(
                title=problem.objective.title,
                optimizer=entries(problem.optimizer, i).label,
                names=problem.objective.names,
                steps=rows.pop("steps").astype(np.int64),
                x=rows.pop("x"),
                value=rows.pop("value"),
                gradient=rows.pop("gradient"),
                rate=rows.pop("rate"),
                best=end.best,
                stop=end.stop,
                evaluations=end.evaluations,
                seconds=end.seconds,
                seed=problem.seed,
                gradient_kind=problem.objective.gradient_kind or "none",
                engine=NAME,
                states={name.removeprefix("state."): column for name, column in rows.items()},
                objective=problem.objective,
                rule=entries(problem.optimizer, i),
                optimizer_state=batch.optimizer_state,
            )
        )
    return trajectories
