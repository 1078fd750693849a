"""A short descent with steps of its own length, which shows what was within reach of a point."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fallline.arrays import FloatArray
from fallline.diagnosis.quantiles import median
from fallline.norms import norm
from fallline.objectives import Objective

# How far the rate goes up after a step that fell, and down after one that did not.
UP, DOWN = 2.0, 0.25
# The share of the promised fall that a step must make (Armijo's condition).
ENOUGH = 1e-4


class Trial(NamedTuple):
    """What a short descent reached.

    Attributes:
        start, end: the value where it began and the lowest it found.
        steps: how many steps fell.
        steepest: the largest gradient norm on the way, and `slope` that at its start.
        rate: the median rate of its steps: NaN without one.
        x: where it ended, shape (n,).
    """

    start: float
    end: float
    steps: int
    slope: float
    steepest: float
    rate: float
    x: FloatArray


def trial_descent(objective: Objective, x: FloatArray, evaluations: int) -> Trial:
    """Descend from a point by gradient descent that doubles its rate while it falls, and quarters it where not.

    Arguments:
        objective: with a gradient.
        x: the start, shape (n,).
        evaluations: how many evaluations of value and gradient it may take.
    """
    with np.errstate(all="ignore"):
        value, gradient = _at(objective, x)
        start, slope = value, float(norm(gradient))
        rate, steepest, rates = _first_rate(objective, x, gradient, slope), slope, []
        for _ in range(evaluations - 3):
            square = float(gradient @ gradient)
            if not (np.isfinite(value) and 0 < square < np.inf and 0 < rate < np.inf):
                break
            there = x - rate * gradient
            new_value, new_gradient = _at(objective, there)
            if new_value <= value - ENOUGH * rate * square and np.isfinite(new_gradient).all():
                x, value, gradient = there, new_value, new_gradient
                rates.append(rate)
                steepest = max(steepest, float(norm(gradient)))
                rate *= UP
            else:
                rate *= DOWN
    return Trial(start, value, len(rates), slope, steepest, float(median(rates)) if rates else np.nan, x)


def _at(objective: Objective, x: FloatArray) -> tuple[float, FloatArray]:
    value, gradient = objective.value_and_gradient(x)
    return float(value), gradient


def _first_rate(objective: Objective, x: FloatArray, gradient: FloatArray, slope: float) -> float:
    """The rate of Newton's step along the slope, or where it does not curve up a step of x's own size."""
    if not 0 < slope < np.inf:
        return np.nan
    apart, down = 1e-5 * max(float(norm(x)), 1e-3), gradient / slope
    bend = float((gradient - objective.gradient(x - apart * down)) @ down) / apart
    return 1 / bend if bend > 0 else 0.1 * max(float(norm(x)), 1.0) / slope
