"""What is known of one run: named series, and its points, objective, rule and fit where they are at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.diagnosis.finding import CannotCheck
from fallline.diagnosis.layers import Layers, layers_at
from fallline.diagnosis.sample import ROWS, Sample
from fallline.fitting.result import Fit
from fallline.gradients.spectrum import Spectrum, extreme_eigenvalues
from fallline.models.base import Loss
from fallline.models.batches import Batches
from fallline.models.network import Network
from fallline.norms import norm
from fallline.objectives import Objective
from fallline.optimizers import Optimizer
from fallline.results.series import step_lengths
from fallline.results.trajectory import Point, Trajectory

Part = TypeVar("Part")
# What a missing series is called.
WORDS = {"held_out": "a held-out loss"}
# Hessian products at most for the curvature at a point: each costs about two gradients.
PRODUCTS = 20
# The rows of a sample: as many as this part of those that the run evaluated, since networks are measured on them at
# several places, or as few numbers as take milliseconds; never fewer than this.
SAMPLED_PART, SAMPLED_NUMBERS, FEWEST_ROWS = 0.005, 4e6, 16
# The number of rows of the run at which a network is measured.
PLACES = 8


class Series(NamedTuple):
    """A measured quantity: the steps at which it was measured, ascending, and its value at each, both shape (k,)."""

    steps: npt.NDArray[np.int64]
    values: FloatArray


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
        run, fit = (thing.trajectory, thing) if isinstance(thing, Fit) else (thing, None)
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
        return self.objective.loss if isinstance(self.objective, Batches) else self.objective

    @property
    def innermost(self) -> Objective:
        """What was minimised, without what finds its gradient: the user's own function, a formula, a loss."""
        inside = self.loss
        while isinstance(further := getattr(inside, "objective", None), Objective):
            inside = further
        return inside

    @property
    def data(self) -> Loss:
        """The loss, if it is one of ours on data."""
        if not isinstance(self.innermost, Loss):
            raise CannotCheck("a model with its data")
        return self.innermost

    @property
    def network(self) -> Network:
        """The loss, if it is that of a network."""
        if not isinstance(self.data, Network):
            raise CannotCheck("a network")
        return self.data

    @cached_property
    def sample(self) -> Sample:
        """Rows of the data, as many as the cost of the run allows for."""
        data, cost = self.data, self.run.evaluations
        rows = self.objective.size if isinstance(self.objective, Batches) else data.rows
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
        network, some = self.network, self.sample.rows
        return [layers_at(network, some, x) for x in self.run.x[self.rows]]

    @cached_property
    def shortfall(self) -> float:
        """By how much the share of the targets' variance explained at the end is below the attainable one."""
        return self.sample.shortfall(self.run.final.x)

    @cached_property
    def spectrum(self) -> Spectrum:
        """The lowest and the highest curvature where the run ended."""
        if not np.isfinite(self.run.final.x).all() or self.loss.gradient_kind is None or self.loss.rereads:
            raise CannotCheck("an end at which the curvature can be measured")
        return extreme_eigenvalues(self.loss, self.run.final.x, products=PRODUCTS)

    @cached_property
    def interval(self) -> int:
        """The number of steps from one recorded row to the next, the median."""
        steps = self["value"].steps
        return int(np.median(np.diff(steps))) if len(steps) > 1 else 0


def _present(part: Part | None, words: str) -> Part:
    if part is None:
        raise CannotCheck(words)
    return part
