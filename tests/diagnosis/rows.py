"""Data for the tests of the findings: clouds, half moons, lines, waves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fallline.arrays import FloatArray


class Drawn(NamedTuple):
    """Inputs and targets."""

    X: FloatArray
    y: FloatArray


def standardised(X: FloatArray) -> FloatArray:
    """Columns of mean 0 and deviation 1."""
    return np.asarray((X - X.mean(axis=0)) / X.std(axis=0))


def clouds(seed: int = 0, rows: int = 240, classes: int = 3, features: int = 3, apart: float = 3.0) -> Drawn:
    """A cloud of points for each class, equally many."""
    random = np.random.default_rng(seed)
    y = np.arange(rows) % classes
    centres = apart * np.eye(max(features, classes))[:classes, :features]
    return Drawn(standardised(centres[y] + random.normal(size=(rows, features))), y.astype(float))


def moons(seed: int = 0, rows: int = 200) -> Drawn:
    """Two half circles in each other, which no line parts."""
    random = np.random.default_rng(seed)
    angle, y = random.uniform(0, np.pi, rows), np.arange(rows) % 2
    X = np.column_stack([np.cos(angle) * (1 - 2 * y) + y, np.sin(angle) * (1 - 2 * y) + 0.5 * y])
    return Drawn(standardised(X + 0.1 * random.normal(size=X.shape)), y.astype(float))


def line(seed: int = 0, rows: int = 200, features: int = 4, noise: float = 0.1) -> Drawn:
    """A linear relation with noise, on standardised features."""
    random = np.random.default_rng(seed)
    X = standardised(random.normal(size=(rows, features)))
    return Drawn(X, X @ np.linspace(0.5, 1.5, features) + 0.5 + noise * random.normal(size=rows))


def wave(seed: int = 0, rows: int = 200, noise: float = 0.1) -> Drawn:
    """Numbers on a wave that no line follows, of one feature."""
    random = np.random.default_rng(seed)
    X = standardised(random.uniform(-1, 1, (rows, 1)))
    return Drawn(X, np.sin(2 * X[:, 0]) + noise * random.normal(size=rows))
