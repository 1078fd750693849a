"""What is known of one run: named series, and its points, objective, rule and fit where they are at hand."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.diagnosis.course import Course
from fallline.diagnosis.finding import CannotCheck
from fallline.diagnosis.limits import Steepest, constant_limit
from fallline.diagnosis.steps import ENDS, SPREAD, Steps, measured_steps
from fallline.diagnosis.trial import Trial, trial_descent
from fallline.gradients.spectrum import Spectrum, extreme_eigenvalues
from fallline.minimizing import minimize
from fallline.norms import norm
from fallline.objectives import Objective
from fallline.optimizers import Optimizer
from fallline.results.series import step_lengths
from fallline.results.trajectory import Point, Trajectory

# Models and fits are not imported for a run on a formula, which they would make slow to start.
if TYPE_CHECKING:
    from fallline.diagnosis.layers import Layers
    from fallline.diagnosis.sample import Sample
    from fallline.fitting.result import Fit
    from fallline.models import Loss
    from fallline.models.network import Network

Part = TypeVar("Part")
# Hessian products at most for the curvature at a point: each costs about two gradients.
PRODUCTS = 20
# What a missing series is called.
WORDS = {"held_out": "a held-out loss"}
# All checks together may take this share of the run's own time, or so many seconds.
SHARE, SECONDS = 0.2, 0.05
# How many steps of a run whose steps were not all recorded are made again from its start.
OPENING = 10
# The rows that a short descent takes; it is judged by twice as many others.
DESCENDED = 100
# The most evaluations of a short descent.
MOST_TRIED = 40
# The rows of a sample: as many as this part of those that the run evaluated, since networks are measured on them at
# several places, or as few numbers as take milliseconds; never fewer than this.
SAMPLED_PART, SAMPLED_NUMBERS, FEWEST_ROWS = 0.005, 4e6, 16
# The number of rows of the run at which a network is measured.
PLACES = 8


class Series(NamedTuple):
    """A measured quantity: the steps at which it was measured, ascending, and its value at each, both shape (k,)."""

    steps: npt.NDArray[np.int64]
    values: FloatArray


class Reach(NamedTuple):
    """Values of three places: the start of a run, its end, and the end of a short descent from its start."""

    start: float
    end: float
    tried: float


@dataclass(frozen=True, eq=False)
class Case:
    """A run as the checks see it. Everything that several of them measure is measured here, once.

    Attributes:
        series: the measured quantities by name: "value", "gradient_norm", "rate", "step_length", "update_ratio" (the
            step's length by that of x), "held_out".
        known_run: the trajectory; None for a log.
        known_fit: the fit that the run belongs to; None for any other run.
        elsewhere: the lowest point that other runs on the same objective saw; None if there are none.

    What a check asks for and the case does not have raises `CannotCheck`.
    """

    series: Mapping[str, Series]
    known_run: Trajectory | None = None
    known_fit: Fit | None = None
    elsewhere: Point | None = None

    @classmethod
    def of(cls, thing: Trajectory | Fit) -> Case:
        """The case of a run or of a fit."""
        run, fit = (thing, None) if isinstance(thing, Trajectory) else (thing.trajectory, thing)
        with np.errstate(all="ignore"):
            lengths = step_lengths(run)
            columns = {
                "value": run.value,
                "gradient_norm": run.gradient_norm,
                "rate": run.rate,
                "step_length": lengths,
                "update_ratio": lengths / norm(run.x),
            }
        return cls({name: Series(run.steps, column) for name, column in columns.items()}, run, fit)

    def __getitem__(self, name: str) -> Series:
        """A measured quantity."""
        if name == "held_out" and self._held_out is not None:
            return self._held_out
        if name not in self.series:
            raise CannotCheck(WORDS.get(name, f"the series {name!r}"))
        return self.series[name]

    @cached_property
    def _held_out(self) -> Series | None:
        """The held-out loss of a fit, measured only when it is asked for, since files are read again for it."""
        curve = None if self.known_fit is None else self.known_fit.learning_curve()
        return None if curve is None or curve.held_out is None else Series(curve.steps, curve.held_out)

    @property
    def run(self) -> Trajectory:
        """The trajectory."""
        return _present(self.known_run, "the points of the run")

    @property
    def fit(self) -> Fit:
        """The fit that the run belongs to."""
        return _present(self.known_fit, "a fit")

    @property
    def objective(self) -> Objective:
        """What was minimised."""
        return _present(self.run.objective, "the objective, which a file cannot hold")

    @property
    def rule(self) -> Optimizer[Any]:
        """The update rule."""
        return _present(self.run.rule, "the rule, which a file cannot hold")

    @property
    def loss(self) -> Objective:
        """The objective over all data, without batches."""
        objective = self.objective
        whole = getattr(objective, "loss", None)
        return whole if objective.stochastic and isinstance(whole, Objective) else objective

    @property
    def innermost(self) -> Objective:
        """What was minimised, without what finds its gradient: the user's own function, a formula, a loss."""
        inside = self.loss
        while isinstance(further := getattr(inside, "objective", None), Objective):
            inside = further
        return inside

    @property
    def network(self) -> Network:
        """The loss, if it is that of a network."""
        if self.innermost.of_data:
            from fallline.models.network import Network

            if isinstance(self.innermost, Network):
                return self.innermost
        raise CannotCheck("a network")

    @cached_property
    def spectrum(self) -> Spectrum:
        """The lowest and the highest curvature where the run ended."""
        if not np.isfinite(self.run.final.x).all() or self.loss.gradient_kind is None or self.loss.rereads:
            raise CannotCheck("an end at which the curvature can be measured")
        return extreme_eigenvalues(self.loss, self.run.final.x, products=PRODUCTS)

    @property
    def data(self) -> Loss:
        """The loss, if it is one of ours on data."""
        if self.innermost.of_data:
            from fallline.models import Loss

            if isinstance(self.innermost, Loss):
                return self.innermost
        raise CannotCheck("a model with its data")

    @cached_property
    def sample(self) -> Sample:
        """Rows of the data, as many as the cost of the run allows for."""
        from fallline.diagnosis.sample import ROWS, Sample

        data, cost, objective = self.data, self.run.evaluations, cast("Any", self.objective)
        rows = objective.size if objective.stochastic else data.rows
        evaluated = cost.gradient * rows + cost.value * data.rows
        most = max(SAMPLED_PART * evaluated, SAMPLED_NUMBERS / data.dimension, FEWEST_ROWS)
        return Sample.of(data, int(min(most, ROWS)))

    @cached_property
    def rows(self) -> npt.NDArray[np.intp]:
        """The rows of the run at which layers are measured: the first, the last finite one, and some between."""
        finite = np.flatnonzero(np.isfinite(self.run.x).all(axis=1))
        if not finite.size:
            raise CannotCheck("a finite point")
        places = np.unique(np.geomspace(1, len(finite), PLACES).round().astype(int)) - 1
        return np.asarray(finite[places])

    @cached_property
    def layers(self) -> list[Layers]:
        """The layers of the network at each of `rows`."""
        from fallline.diagnosis.layers import layers_at

        network, some = self.network, self.sample.rows
        return [layers_at(network, some, x) for x in self.run.x[self.rows]]

    @cached_property
    def shortfall(self) -> float:
        """By how much the share of the targets' variance explained at the end is below the attainable one."""
        return self.sample.shortfall(self.run.final.x)

    @cached_property
    def interval(self) -> int:
        """The number of steps from one recorded row to the next, the median."""
        steps = self["value"].steps
        return int(np.median(np.diff(steps))) if len(steps) > 1 else 0

    @cached_property
    def course(self) -> Course:
        """The course of the value."""
        value = self["value"]
        if len(value.steps) < 2:
            raise CannotCheck("a step")
        rounding = 1.0 if self.known_run is None or self.known_run.objective is None else self.loss.rounding / 2.0**-52
        return Course(value.steps, value.values, rounding)

    @property
    def seconds(self) -> float:
        """The time that each costly measurement may take: of those there are about three in any one case."""
        return max(SHARE * self.run.seconds, SECONDS) / 3

    @property
    def step_seconds(self) -> float:
        """The time that a step of the run took; not quite nothing where the clock saw none."""
        return max(self.run.seconds, 1e-6) / max(self.run.step_count, 1)

    @cached_property
    def allowance(self) -> int:
        """How many evaluations of the first of `probes`, with its gradient, one measurement may take."""
        probe, times = self.probes[0], []
        for _ in range(2):
            began = time.perf_counter()
            with np.errstate(all="ignore"):
                probe.value_and_gradient(self.run.start.x)
            times.append(time.perf_counter() - began)
        return int(self.seconds / min(times))

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
        # A step made again takes up to twice its time, since it is recorded and measured.
        steps = min(OPENING, run.step_count, int(self.seconds / (2 * self.step_seconds)))
        if steps < 1:
            raise CannotCheck("every step recorded")
        return minimize(objective, run.start.x, self.rule, max_steps=steps, seed=run.seed, engine="reference")

    @cached_property
    def measured(self) -> Steps:
        """Steps of the run against what their slope promised: spread over the whole run if every one was recorded."""
        run = self.run
        # Two values of a batch take no longer than a step of the run.
        batches = int(self.seconds / self.step_seconds)
        most = batches if self.objective.stochastic else SPREAD + 2 * ENDS
        whole = len(run) > 1 and self.interval == 1
        return measured_steps(run if whole else self.opening, most)

    @cached_property
    def probes(self) -> tuple[Objective, Objective]:
        """The loss on a few rows, to descend on, and on others, to judge by.

        Without data, or where that has few rows, both are the loss itself.
        """
        loss: Any = self.loss
        if not loss.of_data or loss.rows < 4 * DESCENDED or loss.dataset is not None:
            return loss, loss
        rows = np.random.default_rng(0).permutation(loss.rows)[: 3 * DESCENDED]
        descended, judged = np.sort(rows[:DESCENDED]), np.sort(rows[DESCENDED:])
        return loss.on_rows(descended), loss.on_rows(judged)

    @cached_property
    def from_start(self) -> Trial:
        """What a short descent with steps of its own length reaches from the start."""
        return self._descent_from(self.run.start.x)

    @cached_property
    def from_end(self) -> Trial:
        """The same from the end of the run."""
        return self._descent_from(self.run.final.x)

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


def _present(part: Part | None, words: str) -> Part:
    if part is None:
        raise CannotCheck(words)
    return part
