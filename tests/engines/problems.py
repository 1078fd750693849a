"""What the tests of the engines run."""

from __future__ import annotations

from typing import Any

import numpy as np

from fallline.engines import Problem
from fallline.gradients import with_gradient
from fallline.objectives import as_objective
from fallline.results.trajectory import Record
from fallline.stopping import StoppingCondition, conditions

# How often rules that count in another module than their own were asked.
asked = 0


def problem(
    objective: Any,
    starts: Any,
    rule: Any,
    *,
    max_steps: int = 100,
    stop: StoppingCondition | None = None,
    record: Any = "all",
    **others: Any,
) -> Problem:
    """The problem that `minimize` would make of these arguments, with a start a row."""
    settings: dict[str, Any] = {"seed": 0, "callback": None, "report": lambda made: None}
    points = np.atleast_2d(np.asarray(starts, float))
    return Problem(
        objective=with_gradient(as_objective(objective), "auto", points[0]),
        starts=points,
        optimizer=rule,
        max_steps=max_steps,
        conditions=conditions(stop),
        record=Record.of(record),
        **(settings | others),
    )
