"""Repeats a run or a fit with some of its settings changed, from another start or seed, and measures where it ends."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fallline.arrays import FloatArray
from fallline.encoding import decode
from fallline.errors import FalllineError
from fallline.fitting.result import Fit
from fallline.gradients.given import GivenGradientObjective
from fallline.gradients.perturbation import Perturbation, PerturbedObjective
from fallline.minimizing import minimize
from fallline.models import Loss, Network
from fallline.models.batches import Batches
from fallline.objectives import Objective
from fallline.results.series import on_data
from fallline.results.trajectory import Record, Trajectory
from fallline.stopping import CONDITIONS, Seconds, StepSize

# About as many rows are recorded of a repeated run.
ROWS = 50
# Starts are drawn this part of the way around the run's own start that the run went, and this far at least, as a part
# of the coordinate, or of 1 if that is more.
NEARBY, LEAST = 0.2, 0.01
# A start that is not finite, or higher above the best value than the run's own start by more than so many times, is
# drawn again nearer; so often at most.
HIGHER, DRAWS, NEARER = 2.0, 50, 4.0
# Why a run ended that its user ended.
BY_HAND = ("interrupted", "callback")
# The seconds of one step by the reference engine, which may have to run a remedy for what machine code ran.
REFERENCE_STEP = 4e-5
# Settings that change what the loss itself measures, so that fits with them are compared by their scores.
OF_THE_LOSS = frozenset({"model", "loss", "delta", "class_weight", "sample_weight"})


class CannotRepeat(Exception):
    """Raised with the reason why a run cannot be repeated."""


class Ended(NamedTuple):
    """One repeated run.

    Attributes:
        start, end: the measure at its start, and at its end or where it had used up what it is allowed; not finite
            where the run was not.
        cost: rows of data, or evaluations, per step.
        seconds: how long it took.
        told: why it ended: `Stop.reason`.
    """

    start: float
    end: float
    cost: float
    seconds: float
    told: str


@dataclass(frozen=True)
class Again(ABC):
    """A run that can be repeated.

    Attributes:
        steps: the number of steps that the run was allowed.
        made: the number of steps that it made.
        seconds: its seconds per step.
        steps_per_epoch: its steps per pass over the data; 1 without data.
        varied: what differs between repetitions: "starts" or "seeds".
    """

    steps: int
    made: int
    seconds: float
    steps_per_epoch: int
    varied: str

    @abstractmethod
    def ended(
        self, settings: Mapping[str, Any], number: int, steps: int, seconds: float, allowed: float, measure: str
    ) -> Ended:
        """Repeat it, changed by the settings, from the start or with the seed of this number.

        Arguments:
            settings: the arguments that change.
            number: 0 for the run's own start and seed.
            steps: the most steps; settings may ask for others.
            seconds: the time after which it is given up, where that can be told it.
            allowed: the most cost; what comes later is not looked at.
            measure: "value", or "held_out" for the loss on the rows held out.

        Raises:
            FalllineError: when the settings do not fit.
        """

    @property
    @abstractmethod
    def exact(self) -> bool:
        """Whether the measure has no floor of noise, as a loss on data has."""

    def measured_by(self, settings: Mapping[str, Any], measure: str) -> str:
        """The measure that runs with these settings, and unchanged, can be compared by, in place of this one."""
        return measure

    def named(self, measure: str) -> str:
        """What a level of the measure is called, with a space behind it."""
        return "a held-out loss of " if measure == "held_out" else "a value of "


def again(result: Trajectory | Fit) -> Again:
    """How a result is repeated.

    Raises:
        CannotRepeat: with the reason.
    """
    return FitAgain.of(result) if isinstance(result, Fit) else RunAgain.of(result)


def _allowed_steps(run: Trajectory) -> int:
    """The steps that a run was allowed: those it made, if it was ended by hand."""
    by_hand = run.stop.reason in BY_HAND
    return run.step_count if by_hand else max(int(run.recipe["max_steps"]), run.step_count)


def _cost(run: Trajectory) -> float:
    """The evaluations of a run per step; with batches, in passes over all rows."""
    objective = run.objective
    share = objective.size / objective.loss.rows if isinstance(objective, Batches) else 1.0
    return sum(run.evaluations) * share / max(run.step_count, 1)


def _row(run: Trajectory, allowed: float) -> int:
    """The last row of a run that it reaches at this cost."""
    steps = int(min(allowed / max(_cost(run), 1e-300), 2.0**62) * (1 + 1e-9))
    return int(np.searchsorted(run.steps, max(steps, 0), side="right")) - 1


def start_near(run: Trajectory, around: FloatArray, number: int, part: float = 1.0) -> FloatArray:
    """The start of this number near a point, within what the run moved.

    It is where the objective is finite and not much higher than at the point and, along each coordinate along which the
    point is, within its bounds.

    Arguments:
        run: the run, which tells how far.
        around: the point, shape (n,).
        number: 0 for the point itself.
        part: the part of the usual distance.
    """
    objective, start = run.objective, run.start
    if number == 0 or objective is None:
        return around
    with np.errstate(all="ignore"):
        # Where the run was no higher than at its start: one that diverges goes anywhere.
        lower = np.isfinite(run.x).all(axis=1) & (run.value <= start.value)
        moved = np.abs(run.x[lower] - start.x).max(axis=0, initial=0.0)
        spread = part * np.maximum(NEARBY * moved, LEAST * np.maximum(np.abs(start.x), 1.0))
        generator = np.random.default_rng([number, len(around)])
        here = float(objective.value(around))
        fall = here - run.best.value
        highest = here + (HIGHER - 1) * fall if fall > 0 else np.inf
        for _ in range(DRAWS):
            x: FloatArray = around + spread * generator.uniform(-1, 1, len(around))
            if objective.bounds is not None:
                low, high = np.array(objective.bounds).T
                x = np.where((low <= around) & (around <= high), np.clip(x, low, high), x)
            value = objective.value(x)
            if np.isfinite(value) and value <= highest and np.isfinite(objective.gradient(x)).all():
                return x
            spread = spread / NEARER
    return around


def error_of(loss: Loss, x: FloatArray) -> float:
    """The mean error of a model on the rows of its data, without its penalty: in the units of the targets.

    >>> from fallline.models import Linear
    >>> error_of(Linear([1.0, 2.0], [1.0, 3.0], "sum", l2=4.0), np.array([1.0, 0.0]))
    0.25
    """
    with np.errstate(all="ignore"):
        value = float(loss.value(x)) - 0.5 * loss.l2 * float((x[loss.are_weights] ** 2).sum())
    return value / (loss.rows if loss.reduction == "sum" else 1)


# Runs of `minimize`


@dataclass(frozen=True)
class RunAgain(Again):
    """A run of `minimize` or `compare`."""

    run: Trajectory

    @classmethod
    def of(cls, run: Trajectory) -> RunAgain:
        """How a run is repeated."""
        missing = {"the objective": run.objective, "the rule": run.rule, "the recipe": run.recipe or None}
        for name, part in missing.items():
            if part is None:
                raise CannotRepeat(f"{name} of the run is not at hand")
        if run.recipe.get("resumed"):
            raise CannotRepeat("the run went on with the state of another")
        assert run.objective is not None
        varied = "seeds" if run.objective.stochastic else "starts"
        made = max(run.step_count, 1)
        return cls(_allowed_steps(run), made, run.seconds / made, run.objective.steps_per_epoch, varied, run)

    def ended(
        self, settings: Mapping[str, Any], number: int, steps: int, seconds: float, allowed: float, measure: str
    ) -> Ended:
        run, recipe = self.run, self.run.recipe
        given = dict(settings)
        objective = given.pop("objective", run.objective)
        gradient = given.pop("gradient", decode(recipe["gradient"], {"Perturbation": Perturbation}))
        if "gradient" in settings:
            objective = _undressed(objective)
        around = np.atleast_1d(given.pop("x0", run.start.x))
        x0 = around
        if self.varied == "starts":
            x0 = start_near(run, around, number, part=LEAST if "x0" in settings else 1.0)
        stop = given.pop("stop", decode(recipe["stop"], CONDITIONS))
        if run.engine == "reference":
            # Other engines would leave the run to that one, because of the clock.
            stop = (StepSize() if stop is None else stop) | Seconds(max(seconds, 1e-3))
        steps = int(given.pop("max_steps", steps))
        began = time.monotonic()
        arguments: dict[str, Any] = {
            "optimizer": run.rule,
            "max_steps": steps,
            "stop": stop,
            "gradient": "auto" if gradient is None else gradient,
            "engine": recipe["engine"],
            "record": Record(every=max(1, steps // ROWS)),
            "seed": int(recipe["seed"]) + number,
            **given,
        }
        other = minimize(objective, x0, **arguments)
        taken = time.monotonic() - began
        row = _row(other, allowed)
        start, end = (self.measure(other.objective, other.x[place]) for place in (0, row))
        return Ended(start, end, _cost(other), taken, other.stop.reason)

    def measure(self, objective: Objective | None, x: FloatArray) -> float:
        """The value that runs are compared by: that of the run's own objective, of losses the error without penalty.

        A changed model is measured by itself, if it has the same kind of error on the same targets.
        """
        own, other = (_whole(thing) for thing in (self.run.objective, objective))
        if isinstance(own, Loss) and isinstance(other, Loss):
            if type(own) is not type(other) or not np.array_equal(own.y, other.y):
                raise FalllineError("objective", other, "it must have the same error on the same targets")
            return error_of(other, x)
        with np.errstate(all="ignore"):
            return float(own.value(x))

    @property
    def exact(self) -> bool:
        """Whether the value has no floor of noise, as that on data has."""
        return not on_data(self.run.objective)


# Fits


@dataclass(frozen=True)
class FitAgain(Again):
    """A fit, repeated from its own arguments."""

    fit: Fit

    @classmethod
    def of(cls, fit: Fit) -> FitAgain:
        """How a fit is repeated."""
        if fit.repeat is None:
            raise CannotRepeat("the fit was loaded from a file, which holds no rows")
        run = fit.trajectory
        assert run.objective is not None
        random = run.objective.stochastic or fit.held_out is not None or isinstance(fit.model, Network)
        varied = "seeds" if random else "starts"
        made = max(run.step_count, 1)
        return cls(_allowed_steps(run), made, run.seconds / made, run.objective.steps_per_epoch, varied, fit)

    def ended(
        self, settings: Mapping[str, Any], number: int, steps: int, seconds: float, allowed: float, measure: str
    ) -> Ended:
        fit, run = self.fit, self.fit.trajectory
        assert fit.repeat is not None
        given: dict[str, Any] = {"epochs": None, "max_steps": steps}
        if "batch_size" in settings:
            given = {"epochs": max(1, round(steps / self.steps_per_epoch)), "max_steps": None}
        if self.varied == "starts":
            around = fit.fitted.standardised(np.asarray(settings["x0"])) if "x0" in settings else run.start.x
            given["x0"] = fit.fitted.own_units(start_near(run, around, number, part=LEAST if "x0" in settings else 1.0))
        if {"epochs", "max_steps"} & set(settings):
            del given["epochs"], given["max_steps"]
            given |= dict.fromkeys({"epochs", "max_steps"} - set(settings))
        began = time.monotonic()
        other = fit.repeat(**{**settings, **given, "seed": run.seed + number})
        taken = time.monotonic() - began
        path = other.trajectory
        start, end = (self.measure(other, path.x[row], measure) for row in (0, _row(path, allowed)))
        return Ended(start, end, _cost(path), taken, path.stop.reason)

    def measured_by(self, settings: Mapping[str, Any], measure: str) -> str:
        return "score" if OF_THE_LOSS & set(settings) else measure

    def named(self, measure: str) -> str:
        return f"{self.fit.fitted.score_name} " if measure == "score" else super().named(measure)

    def measure(self, fit: Fit, x: FloatArray, measure: str) -> float:
        """The error on the training rows or those held out, or the score, at a point of a fit; the less the better."""
        if measure == "held_out" and fit.held_out is not None:
            return error_of(fit.model.over(fit.held_out), x)
        if measure == "score":
            with np.errstate(all="ignore"):
                return -fit.fitted.at(x).score(fit.training.blocks())
        return error_of(fit.model, x)

    @property
    def exact(self) -> bool:
        return False


def _whole(objective: Objective | None) -> Objective:
    """The objective on all data."""
    assert objective is not None
    return objective.loss if isinstance(objective, Batches) else objective


def _undressed(objective: Any) -> Any:
    """The objective without the gradient that it was given."""
    while isinstance(objective, GivenGradientObjective | PerturbedObjective):
        objective = objective.objective
    return objective
