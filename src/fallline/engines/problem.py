"""What every engine is given: one rule on one objective, from one start or a batch of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fallline.arrays import FloatArray
from fallline.engines.checkpoint import Part
from fallline.objectives.base import Objective
from fallline.optimizers import Optimizer
from fallline.stopping import StoppingCondition
from fallline.trajectory import Point, Record


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
    """

    objective: Objective
    starts: FloatArray
    optimizer: Optimizer[Any]
    max_steps: int
    conditions: tuple[StoppingCondition, ...]
    record: Record
    seed: int
    callback: Callable[[Point], object] | None
    report: Callable[[int], None]
    checkpoint: Part | None = None
