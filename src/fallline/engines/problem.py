"""What every engine is given: one rule on one objective, from one start or a batch of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from fallline.arrays import FloatArray
from fallline.engines.checkpoint import Part
from fallline.objectives.base import Objective
from fallline.optimizers import Optimizer
from fallline.results.trajectory import Point, Record
from fallline.stopping import StoppingCondition

if TYPE_CHECKING:
    from fallline.objectives.formula import FormulaObjective


class Begun(NamedTuple):
    """What a rule takes along from the end of one run into the next.

    Attributes:
        step: the steps it has made.
        state: its state after them.
        memory: what its schedule remembers.
    """

    step: int
    state: Any
    memory: Any


def unheard(made: int) -> None:
    """What a problem reports to where nobody looks."""


@dataclass(frozen=True)
class Problem:
    """A run, or a batch of runs, to be executed.

    Attributes:
        objective: what is minimised, with the gradient to use.
        starts: one start a row, shape (k, n).
        optimizer: the rule; its hyperparameters may be arrays of shape (k, 1), one entry a run.
        max_steps: the number of updates after which a run ends.
        conditions: what else ends a run, asked in order.
        record: what is kept.
        seed: the seed of everything random.
        callback: called with each new point of the first run; a true answer ends it.
        report: called with the number of steps made, for a progress bar.
        checkpoint: where the runs are saved, and go on from.
        begun: what the rule, of a single run, brings along. It goes on counting its own steps, by which its bias
            corrections and schedules go; the objective's batches begin anew.
        keep: called, when a single run ends, with what the rule would take along.
        lowest: whether `Ends` has the lowest values too.
        marks: the steps whose values `Ends` has too, ascending, each after the first and before the last.
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
    begun: Begun | None = None
    keep: Callable[[Begun], None] | None = None
    lowest: bool = False
    marks: tuple[int, ...] = ()


def is_formula(objective: Objective) -> TypeGuard[FormulaObjective]:
    """Whether it is a formula with its own gradient; what is none does not need SymPy to be told so."""
    if objective.gradient_kind != "symbolic":
        return False
    from fallline.objectives.formula import FormulaObjective

    return type(objective) is FormulaObjective


def is_ours(settings: Any) -> bool:
    """Whether a rule, and all parts of it, are Fallline's own, known to be pure, and to be what their graphs say."""
    parts = (getattr(settings, entry.name) for entry in dataclasses.fields(settings))
    ours = type(settings).__module__.partition(".")[0] == __name__.partition(".")[0]
    return ours and all(is_ours(part) for part in parts if dataclasses.is_dataclass(part))
