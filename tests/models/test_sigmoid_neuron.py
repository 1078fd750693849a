from __future__ import annotations

import math

import numpy as np
import pytest

from fallline.errors import FalllineError
from fallline.models import SigmoidNeuron

# The two data sets of the tutorial on seven variants of gradient descent, and where it starts.
TWO = ([0.5, 2.5], [0.2, 0.9], (-2.0, -2.0))
SIX = ([3.5, 0.35, 3.2, -2.0, 1.5, -0.5], [0.5, 0.5, 0.5, 0.5, 0.1, 0.3], (-6.0, 4.0))


def by_hand(x: float, y: float, w: float, b: float) -> tuple[float, float, float]:
    """Loss and slopes of one row, as the tutorial computes them."""
    p = 1 / (1 + math.exp(-(w * x + b)))
    slope = (p - y) * p * (1 - p)
    return 0.5 * (p - y) ** 2, slope * x, slope


@pytest.mark.parametrize(("X", "y", "start"), [TWO, SIX])
def test_the_first_updates_are_the_tutorials(X: list[float], y: list[float], start: tuple[float, float]) -> None:
    rows = [by_hand(a, b, *start) for a, b in zip(X, y, strict=True)]
    x = np.array(start)
    # Both round 1 - p to 1e-16, which is 1e-9 of it in the row with z = 16; the slope of that row is 1e-7 of
    # the gradient, so 1e-13 of the sum is what the two may differ by.
    total = SigmoidNeuron(X, y, reduction="sum")
    assert total.value(x) == pytest.approx(sum(row[0] for row in rows), rel=1e-14)
    assert total.gradient(x) == pytest.approx([sum(row[i] for row in rows) for i in (1, 2)], rel=1e-13)
    mean = SigmoidNeuron(X, y, reduction="mean")
    assert mean.gradient(x) == pytest.approx([sum(row[i] for row in rows) / len(X) for i in (1, 2)], rel=1e-13)
    # Mini-batch descent: the mean over the first batch; and one point at a time.
    half = len(X) // 2
    first = mean.batches(half, order="sequential", remainder="drop").at_step(1, seed=0)
    assert first.gradient(x) == pytest.approx([sum(row[i] for row in rows[:half]) / half for i in (1, 2)], rel=1e-13)
    single = total.batches(1, order="sequential")
    for step, row in enumerate(rows, start=1):
        assert single.at_step(step, seed=0).gradient(x) == pytest.approx(row[1:], rel=1e-8, abs=1e-17)


def test_targets_outside_the_range_of_the_neuron_are_refused() -> None:
    with pytest.raises(FalllineError, match=r"y\[2\] is 45; a sigmoid neuron answers between 0 and 1"):
        SigmoidNeuron([1.0, 2.0, 3.0], [0.0, 1.0, 45.0])
    with pytest.raises(FalllineError, match=r"y\[0\] is -1"):
        SigmoidNeuron([1.0, 2.0], [-1, 1])
