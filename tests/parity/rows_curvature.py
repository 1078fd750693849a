"""L-BFGS compared with torch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from tests.parity.objectives import COURSES, Course
from tests.parity.row import Row

from fallline import LBFGS
from fallline.arrays import FloatArray


def with_closure(build: Callable[..., Any], course: Course, steps: int) -> FloatArray:
    """torch's L-BFGS asks for its gradient by a function that it is given."""
    parameter = torch.nn.Parameter(torch.tensor(course.start, dtype=torch.float64))
    optimizer = build([parameter])
    x = parameter.detach().numpy()
    points = np.empty((steps, len(x)))
    for step in range(1, steps + 1):

        def closure(step: int = step) -> torch.Tensor:
            parameter.grad = torch.from_numpy(course.gradient(x, step))
            return torch.tensor(0.0)

        optimizer.step(closure)
        points[step - 1] = x
    return points


ROWS = (
    Row(
        rule=LBFGS,
        convention="torch",
        library="torch",
        peer=torch.optim.LBFGS,
        arguments=lambda rule: {"lr": rule.learning_rate, "history_size": rule.memory},
        rate=0.05,
        grid=({"memory": 5}, {"memory": 2, "learning_rate": 0.2}),
        # One step a call, and none left out because little changes.
        fixed={"max_iter": 1, "tolerance_grad": 0.0, "tolerance_change": 0.0},
        drive=with_closure,
        courses=[course for course in COURSES if course.name == "noisy logistic loss"],
        chaotic=True,
        why="without a line search the other courses are chaotic within some twenty steps, this one at the rate of 1: "
        "the curvature is guessed from differences of nearly equal gradients",
    ),
)
