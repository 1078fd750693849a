"""What every engine is given: one rule on one objective, from one start or a batch of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from fallline.arrays import FloatArray
from fallline.engines.checkpoint import Part
from fallline.fields import fields_of
from fallline.objectives.base import Objective
from fallline.optimizers import Optimizer
from fallline.results.trajectory import OptimizerState, Point, Record
from fallline.stopping import StoppingCondition

if TYPE_CHECKING:
    from fallline.objectives.formula import FormulaObjective


class Unable(Exception):
    """Why an engine cannot run a problem: the text continues "which cannot run this: "."""


def unheard(made: int) -> None:
    """A `report` that does nothing."""


@dataclass(frozen=True)
class Problem:
    """A run, or a batch of runs, to be executed.

    Attributes:
        objective: what is minimised, with the gradient to use.
        starts: one start a row, shape (k, n).
        optimizer: the rule; its hyperparameters may be arrays of shape (k, 1), one entry a run.
        max_steps: the number of updates after which a run ends.
        conditions: the stopping conditions, checked in order.
        record: what is kept.
        seed: the seed of everything random.
        callback: called with each new point of the first run; StopIteration raised by it ends the run.
        report: called with the number of steps made, for a progress bar.
        checkpoint: where the runs are saved, and from where they continue.
        resumed: the state that the rule of a single run continues with. It continues counting the rule's steps; the
            objective's mini-batches start again from the first.
        lowest: whether `Ends` has the lowest values too.
    """

    objective: Objective
    starts: FloatArray
    optimizer: Optimizer[Any]
    max_steps: int
    conditions: tuple[StoppingCondition, ...]
    record: Record
    seed: int
    callback: Callable[[Point], object] | None = None
    report: Callable[[int], None] = unheard
    checkpoint: Part | None = None
    resumed: OptimizerState | None = None
    lowest: bool = False

    def __post_init__(self) -> None:
        self.optimizer.check_starts(self.starts)


def is_formula(objective: Objective) -> TypeGuard[FormulaObjective]:
    """Whether it is a formula with its own gradient. SymPy is imported only for formulas."""
    if objective.gradient_kind != "symbolic":
        return False
    from fallline.objectives.formula import FormulaObjective

    return type(objective) is FormulaObjective


def is_ours(thing: Any) -> bool:
    """Whether a rule or condition, and its parts, are Fallline's own: known to be pure and equal to their graphs."""
    ours = type(thing).__module__.partition(".")[0] == __name__.partition(".")[0]
    if not (ours and dataclasses.is_dataclass(thing)):
        return False
    parts = [getattr(thing, entry.name) for entry in fields_of(thing)]
    return all(is_ours(part) for part in parts if dataclasses.is_dataclass(part))
