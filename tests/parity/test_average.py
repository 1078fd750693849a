"""The mean of the points compared with the one that torch.optim.ASGD keeps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.parity.objectives import COURSES, Course
from tests.parity.rows_momentum import in_double

from fallline import AveragedDescent


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.name)
@pytest.mark.parametrize("begin", [0, 10, 2000])
def test_average_is_the_one_torch_keeps(course: Course, begin: int) -> None:
    rule = AveragedDescent(0.0005, begin=begin, convention="torch")
    x = np.array([course.start])
    state = rule.init(x)
    for step in range(1, 1001):
        change, state = rule.update(course.gradient(x[0], step)[None], state, 0.0005, step)
        x = x - change

    built: list[torch.optim.ASGD] = []

    def build(parameters: list[torch.nn.Parameter]) -> torch.optim.ASGD:
        built.append(torch.optim.ASGD(parameters, lr=0.0005, t0=begin))
        return built[0]

    in_double(build, course, 1000)
    (kept,) = built[0].state.values()
    # One unit in the last place for each of a thousand additions is 2e-13.
    np.testing.assert_allclose(state.average[0], kept["ax"].numpy(), rtol=1e-12)
