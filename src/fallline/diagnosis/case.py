"""What is known of one run: named series, and its points, objective, rule and fit where they are at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.diagnosis.finding import CannotCheck
from fallline.gradients.spectrum import Spectrum, extreme_eigenvalues
from fallline.norms import norm
from fallline.objectives import Objective
from fallline.optimizers import Optimizer
from fallline.results.series import step_lengths
from fallline.results.trajectory import Point, Trajectory

# Models and fits are not imported for a run on a formula, which they would make slow to start.
if TYPE_CHECKING:
    from fallline.fitting.result import Fit
    from fallline.models.network import Network

Part = TypeVar("Part")
# Hessian products at most for the curvature at a point: each costs about two gradients.
PRODUCTS = 20
# What a missing series is called.
WORDS = {"held_out": "a held-out loss"}


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
        series = {name: Series(run.steps, column) for name, column in columns.items()}
        if fit is not None and (curve := fit.learning_curve()).held_out is not None:
            series["held_out"] = Series(curve.steps, curve.held_out)
        return cls(series, run, fit)

    def __getitem__(self, name: str) -> Series:
        """A measured quantity."""
        if name not in self.series:
            raise CannotCheck(WORDS.get(name, f"the series {name!r}"))
        return self.series[name]

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
    def network(self) -> Network:
        """The loss, if it is that of a network."""
        if self.loss.of_data:
            from fallline.models.network import Network

            if isinstance(self.loss, Network):
                return self.loss
        raise CannotCheck("a network")

    @property
    def innermost(self) -> Objective:
        """What was minimised, without what finds its gradient: the user's own function, a formula, a loss."""
        inside = self.loss
        while isinstance(further := getattr(inside, "objective", None), Objective):
            inside = further
        return inside

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
