"""Runs whose every point is known in closed form."""

from __future__ import annotations

import numpy as np

import fallline
from fallline import Comparison, GradientDescent, NotFinite, Trajectory


def square(x: float) -> float:
    return x * x


def bowl(x: float, y: float) -> float:
    return x * x + 3 * y * y


def three(a: float, b: float, c: float) -> float:
    return a * a + b * b + 10 * c


def halving(steps: int = 4) -> Trajectory:
    """x = 8, 4, 2, 1, ...: on x² the rate 1/4 halves x."""
    return fallline.minimize(square, 8.0, GradientDescent(0.25), gradient=lambda x: 2 * x, max_steps=steps)


def doubling(steps: int = 3000) -> Trajectory:
    """x = 1, −2, 4, −8, ...: on x² the rate 3/2 doubles x until it overflows."""
    return fallline.minimize(square, 1.0, GradientDescent(1.5), gradient=lambda x: 2 * x, max_steps=steps)


def on_bowl(rate: float = 0.1, steps: int = 30) -> Trajectory:
    """From (2, 1): x shrinks by 1 − 2 rate a step, y by 1 − 6 rate."""
    slope = lambda x, y: (2 * x, 6 * y)  # noqa: E731
    return fallline.minimize(bowl, (2, 1), GradientDescent(rate), gradient=slope, max_steps=steps)


def two_on_bowl() -> Comparison:
    slope = lambda x, y: (2 * x, 6 * y)  # noqa: E731
    rules = {"slow": GradientDescent(0.05), "fast": GradientDescent(0.2)}
    return fallline.compare(bowl, (2, 1), rules, gradient=slope, max_steps=20)


def in_space() -> Trajectory:
    return fallline.minimize(three, (3, 2, 1), GradientDescent(0.1), max_steps=20)


def on_batches(epochs: int = 3) -> Trajectory:
    """A neuron on 8 rows in batches of 2: four steps an epoch."""
    from fallline.models import SigmoidNeuron

    rows = np.linspace(-2, 2, 8)
    loss = SigmoidNeuron(rows, 1 / (1 + np.exp(-rows)), reduction="mean").batches(2)
    return fallline.minimize(loss, (-1, -1), GradientDescent(1.0), max_steps=4 * epochs, stop=NotFinite())
