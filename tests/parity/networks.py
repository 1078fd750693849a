"""A small network, and the rates at which 200 steps of every rule on it can be compared to the last digits."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.optimizers import OPTIMIZERS, WRAPPERS, Momentum, Optimizer

INPUTS = np.linspace(-1, 1, 14).reshape(7, 2)
TARGETS = np.sin(3 * INPUTS[:, :1]) + INPUTS[:, 1:]
STEPS = 200

# At larger rates these overshoot, and two runs that differ by one rounding error soon diverge.
SMALL = ("rmsprop", "lamb", "lbfgs", "nadam")
# These divide by the change of the gradient over a step, a difference of nearly equal numbers: rounding errors grow at
# any rate. So they are compared on the gradients of one run.
CHAOTIC = ("barzilai_borwein", "lbfgs")

RULES: dict[str, Optimizer[Any]] = {
    name: kind(0.001 if name in SMALL else 0.05) for name, kind in OPTIMIZERS.items()
} | {name: around(Momentum(0.05)) for name, around in WRAPPERS.items()}


@dataclasses.dataclass(frozen=True)
class Dampened(Optimizer[Any]):
    """A rule such as a user writes: a state without names, a choice, a norm of all coordinates."""

    elementwise = False

    learning_rate: float = 0.1

    def init(self, x: Any) -> Any:
        return (0 * x, x)

    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
        mean, x = state
        mean = np.where(step == 1, gradient, 0.5 * (mean + gradient))
        change = rate * mean / (1 + np.linalg.norm(mean, axis=-1, keepdims=True)) + 1e-3 * x
        return change, (mean, x - change)


RULES["a rule of one's own"] = Dampened()


def assert_equal(found: FloatArray, expected: FloatArray) -> None:
    """The same parameters after 200 steps: 1e-12 relative, or absolute for those below 1."""
    assert np.abs(found - expected).max() <= 1e-12 * max(1.0, np.abs(expected).max())
