"""What is measured of the course of a run: its steps, the curvature it met, and what was within its reach."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple, cast

import numpy as np

from fallline.arrays import FloatArray
from fallline.diagnosis.budget import Budget
from fallline.diagnosis.course import Course
from fallline.diagnosis.finding import CannotCheck
from fallline.diagnosis.limits import Steepest, constant_limit
from fallline.diagnosis.quantiles import median
from fallline.diagnosis.steps import ENDS, SPREAD, Steps, measured_steps
from fallline.diagnosis.trial import Trial, trial_descent
from fallline.gradients.spectrum import Spectrum, extreme_eigenvalues
from fallline.minimizing import minimize
from fallline.results.trajectory import Trajectory

# Hessian products for the curvature at a point: each costs about two gradients.
FEWEST_PRODUCTS, PRODUCTS = 6, 20
# How many steps of a run whose steps were not all recorded are made again from its start.
OPENING = 10
# The most evaluations of a short descent.
MOST_TRIED = 40


class Reach(NamedTuple):
    """Values of three places: the start of a run, its end, and the end of a short descent from its start."""

    start: float
    end: float
    tried: float


class MeasuredRun(Budget):
    """The course of a run, each quantity of it measured once."""

    @cached_property
    def interval(self) -> int:
        """The number of steps from one recorded row to the next, the median."""
        steps = self["value"].steps
        return int(median(np.diff(steps))) if len(steps) > 1 else 0

    @cached_property
    def course(self) -> Course:
        """The course of the value."""
        value = self["value"]
        if len(value.steps) < 2:
            raise CannotCheck("a step")
        rounding = 1.0 if self.known_run is None or self.known_run.objective is None else self.loss.rounding / 2.0**-52
        return Course(value.steps, value.values, rounding)

    @cached_property
    def opening(self) -> Trajectory:
        """The first steps of the run with every one of them recorded, made again where it did not record them."""
        run = self.run
        if run.steps[0] == 0 and np.array_equal(run.steps[: OPENING + 1], np.arange(min(len(run), OPENING + 1))):
            return run[: OPENING + 1]
        if run.steps[0] != 0 or run.recipe.get("resumed"):
            raise CannotCheck("the first steps of the run")
        objective: Any = self.objective
        if objective.stochastic:
            # The values of the batches, which are cheap, in place of those over all data.
            order = objective.size, objective.order, objective.remainder
            objective = type(objective)(objective.loss, *order, epoch_value="running")
        # A step made again takes up to three times its time, since it is recorded and measured.
        allowed = OPENING if self.cheap else int(self.seconds / (3 * self.step_seconds))
        steps = min(OPENING, run.step_count, allowed)
        if steps < 1:
            raise CannotCheck("every step recorded")
        return minimize(objective, run.start.x, self.rule, max_steps=steps, seed=run.seed, engine="reference")

    @cached_property
    def measured(self) -> Steps:
        """Steps of the run against what their slope promised: spread over the whole run if every one was recorded."""
        run = self.run
        most = SPREAD + 2 * ENDS
        if self.objective.stochastic and not self.cheap:
            # Two values of a batch take no longer than a step of the run.
            most = int(self.seconds / self.step_seconds)
        whole = len(run) > 1 and self.interval == 1
        return measured_steps(run if whole else self.opening, most)

    @cached_property
    def spectrum(self) -> Spectrum:
        """The lowest and the highest curvature where the run ended."""
        if not np.isfinite(self.run.final.x).all() or self.loss.gradient_kind is None or self.loss.rereads:
            raise CannotCheck("an end at which the curvature can be measured")
        loss, probe = cast("Any", self.loss), self.probes[0]
        allowed = self.allowance * (probe.rows / loss.rows if loss.of_data else 1) / 2
        products = int(np.clip(allowed, FEWEST_PRODUCTS, PRODUCTS))
        return extreme_eigenvalues(self.loss, self.run.final.x, products=products)

    @cached_property
    def steepest(self) -> Steepest | None:
        """The steepest curvature at the start and at the best point, and the rate that it allows the rule.

        None for a rule whose limit is not the same for gradients of any size.
        """
        run = self.run
        limit = constant_limit(self.rule)
        if limit is None:
            return None
        points = [point.x for point in (run.start, run.best) if np.isfinite(point.x).all()]
        products = min(self.allowance // (2 * len(points)), PRODUCTS) if points else 0
        if products < 3 or self.loss.gradient_kind is None:
            raise CannotCheck("more time for the curvature than the run itself took")
        found = [extreme_eigenvalues(self.probes[0], x, products=products).highest for x in points]
        curvature = max((number for number in found if np.isfinite(number)), default=np.nan)
        return Steepest(curvature, limit / curvature) if curvature > 0 else None

    @cached_property
    def from_start(self) -> Trial:
        """What a short descent with steps of its own length reaches from the start."""
        return self._descent_from(self.run.start.x)

    @cached_property
    def from_end(self) -> Trial:
        """The same from the end of the run."""
        return self._descent_from(self.run.final.x)

    @cached_property
    def curved_from_end(self) -> Trajectory:
        """What L-BFGS reaches from the end of the run: along narrow valleys and flat ground, where descent is slow."""
        steps = min(self.allowance, MOST_TRIED) // 2
        if steps < 1 or not np.isfinite(self.run.final.x).all():
            raise CannotCheck("more time for another descent than the run itself took")
        return minimize(self.probes[0], self.run.final.x, "lbfgs", max_steps=steps, engine="reference")

    def _descent_from(self, x: FloatArray) -> Trial:
        return trial_descent(self.probes[0], x, min(self.allowance, MOST_TRIED))

    @cached_property
    def reach(self) -> Reach:
        """The values of the start, of the end, and of the end of a short descent from the start, on the same rows."""
        places = np.stack([self.run.start.x, self.run.final.x, self.from_start.x])
        with np.errstate(all="ignore"):
            return Reach(*map(float, self.probes[1].value(places)))

    @cached_property
    def left(self) -> float:
        """The part of the fall from the start that a short descent from the end shows to be still to come, 0 to 1."""
        trial, start = self.from_end, self.course.start
        with np.errstate(all="ignore"):
            left = np.float64(trial.start - trial.end) / (max(start, trial.start) - trial.end)
        return float(left) if np.isfinite(left) and self.course.noise[-1] < trial.start - trial.end else 0.0
