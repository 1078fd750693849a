"""The four objectives that every rule of the parity table descends, all of four coordinates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fallline.arrays import FloatArray


@dataclass(frozen=True)
class Course:
    """A gradient to descend and where to start.

    Attributes:
        name: what the table calls it.
        start: the first point, shape (4,).
        gradient: of (x, step): x of shape (4,), the step counted from 1. Pure, so that both
            sides see the same bits.
    """

    name: str
    start: tuple[float, ...]
    gradient: Callable[[FloatArray, int], FloatArray]


CURVATURES = np.array([1000.0, 50.0, 3.0, 1.0])


def _quadratic(x: FloatArray, _step: int) -> FloatArray:
    """½ Σ λ x², the condition number 1000."""
    return CURVATURES * x


def _rosenbrock(x: FloatArray, _step: int) -> FloatArray:
    """Σ 100 (x_{i+1} − x_i²)² + (1 − x_i)²: Rosenbrock (1960), with a valley through all four coordinates."""
    gap = x[1:] - x[:-1] ** 2
    gradient = np.zeros_like(x)
    gradient[:-1] = -400 * x[:-1] * gap - 2 * (1 - x[:-1])
    gradient[1:] += 200 * gap
    return gradient


_random = np.random.default_rng(0)
FEATURES = np.hstack([_random.normal(size=(40, 3)), np.ones((40, 1))])
LABELS = np.where(FEATURES @ [2.0, -1.0, 0.5, 0.3] + _random.normal(size=40) > 0, 1.0, -1.0)
NOISE = 0.3 * _random.normal(size=(1000, 4))


def _noisy_logistic(x: FloatArray, step: int) -> FloatArray:
    """The mean cross-entropy of forty rows, with noise in the slope that depends on the step alone."""
    # Far out, exp is kept from overflowing.
    against = 1 / (1 + np.exp(np.minimum(LABELS * (FEATURES @ x), 700.0)))
    gradient: FloatArray = -(FEATURES.T @ (LABELS * against)) / len(LABELS) + NOISE[(step - 1) % len(NOISE)]
    return gradient


def _zeros(x: FloatArray, step: int) -> FloatArray:
    """Exact zeros of several kinds: always, in two steps of three, and on the flat side of a hinge."""
    seldom = x[1] if step % 3 == 0 else 0.0
    return np.array([0.0, seldom, np.maximum(x[2] - 0.5, 0.0), x[3] * np.abs(x[3])])


COURSES = (
    Course("ill-conditioned quadratic", (1.0, -1.0, 2.0, -0.5), _quadratic),
    Course("Rosenbrock", (-0.5, 0.7, -0.3, 1.2), _rosenbrock),
    Course("noisy logistic loss", (0.5, -0.5, 0.1, 1.0), _noisy_logistic),
    Course("exact zeros", (1.0, -2.0, 1.5, 0.7), _zeros),
)
