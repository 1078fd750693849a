"""A rule compared with its paper's algorithm, written again with plain Python floats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tests.optimizers.rules import START, gradients, walked

from fallline import Optimizer


def assert_equals_the_paper(rule: Optimizer[Any], steps: Callable[[float, list[float]], list[float]]) -> None:
    """Assert that every coordinate of our run equals what `steps` gives from the start and the gradients."""
    given = gradients(200)
    given[0] = [1.0, -1e-4, 1e3]  # some papers divide by 0 before the first slope
    points = walked(rule, given, START)
    expected = np.array([steps(float(x0), column.tolist()) for x0, column in zip(START, given.T, strict=True)]).T
    # The same operations in another order: units in the last place of the numbers on the way, over 200 steps.
    size = np.maximum.accumulate(np.abs(np.vstack([START, expected])), axis=0)[1:]
    assert np.all(np.abs(points - expected) <= 1e-12 * size)
