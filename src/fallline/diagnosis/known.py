"""What is known of one run: named series, and its points, objective, rule and fit where they are at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar, cast

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.diagnosis.finding import CannotCheck
from fallline.norms import norm
from fallline.objectives import Objective
from fallline.optimizers import Optimizer
from fallline.results.series import step_lengths
from fallline.results.trajectory import Point, Trajectory

# Models and fits are not imported for a run on a formula, which they would make slow to start.
if TYPE_CHECKING:
    from fallline.fitting.result import Fit
    from fallline.models import Loss
    from fallline.models.network import Network

Part = TypeVar("Part")
# What a missing series is called.
WORDS = {"held_out": "a held-out loss"}


class Series(NamedTuple):
    """A measured quantity: the steps at which it was measured, ascending, and its value at each, both shape (k,)."""

    steps: npt.NDArray[np.int64]
    values: FloatArray


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of a run before anything more is measured.

    Attributes:
        series: the measured quantities by name: "value", "gradient_norm", "rate", "step_length", "update_ratio" (the
            step's length by that of x), "held_out".
        known_run: the trajectory; None for a log.
        known_fit: the fit that the run belongs to; None for any other run.
        elsewhere: the lowest point that other runs on the same objective saw; None if there are none.

    What a check asks for and is not known raises `CannotCheck`.
    """

    series: Mapping[str, Series]
    known_run: Trajectory | None = None
    known_fit: Fit | None = None
    elsewhere: Point | None = None

    @classmethod
    def of(cls, thing: Trajectory | Fit) -> Self:
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
    def rows_evaluated(self) -> int:
        """How many rows of data the run evaluated, of the value or of the gradient; without data, how many points."""
        cost, loss, objective = self.run.evaluations, cast("Any", self.loss), cast("Any", self.objective)
        whole = loss.rows if loss.of_data else 1
        batch = objective.size if objective.stochastic and loss.of_data else whole
        return int(cost.gradient * batch + cost.value * whole)

    @property
    def data(self) -> Loss:
        """The loss, if it is one of ours on data."""
        if self.innermost.of_data:
            from fallline.models import Loss

            if isinstance(self.innermost, Loss):
                return self.innermost
        raise CannotCheck("a model with its data")

    @property
    def network(self) -> Network:
        """The loss, if it is that of a network."""
        if self.innermost.of_data:
            from fallline.models.network import Network

            if isinstance(self.innermost, Network):
                return self.innermost
        raise CannotCheck("a network")


def _present(part: Part | None, words: str) -> Part:
    if part is None:
        raise CannotCheck(words)
    return part
