"""Problems of which everything is known in closed form: quadratics, data with their best fit, networks."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from tests.diagnosis.suite.case import Draw

from fallline import Linear, Logistic, Network, Trajectory
from fallline.arrays import FloatArray
from fallline.models import Loss

NAMES = "xyzuvw"


@dataclass(frozen=True)
class Quadratic:
    """½ (x − m)ᵀ H (x − m), whose lowest value is 0.

    Attributes:
        H, m: the Hessian and the minimum.
        top: the largest eigenvalue of H.
        start: where a run begins.
    """

    H: FloatArray
    m: FloatArray
    top: float
    start: FloatArray

    @property
    def text(self) -> str:
        """The formula."""
        parts = [f"({name} - {place:.17g})" for name, place in zip(NAMES, self.m, strict=False)]
        return " + ".join(
            f"{(0.5 if i == j else 1.0) * self.H[i, j]:.17g}*{parts[i]}*{parts[j]}"
            for i, j in itertools.combinations_with_replacement(range(len(parts)), 2)
        )

    def value(self, x: FloatArray) -> float:
        """The value of a point, as a user would write it."""
        return float(0.5 * (x - self.m) @ self.H @ (x - self.m))

    def gradient(self, x: FloatArray) -> FloatArray:
        """The slope of a point."""
        return np.asarray(self.H @ (x - self.m))


def quadratic(draw: Draw, dimension: int, condition: float, top: float = 1.0, distance: float = 1.0) -> Quadratic:
    """A quadratic in random axes, started at this distance along each of them."""
    values = top * np.geomspace(1 / condition, 1, dimension) if dimension > 1 else np.array([top])
    axes = np.linalg.qr(draw.random.normal(size=(dimension, dimension)))[0]
    m = draw.random.uniform(-2, 2, dimension)
    start = m + distance * axes @ draw.random.choice([-1.0, 1.0], dimension)
    return Quadratic(axes @ np.diag(values) @ axes.T, m, top, start)


class Data(NamedTuple):
    """Inputs, targets, and the weights that made them, the bias last."""

    X: FloatArray
    y: FloatArray
    w: FloatArray


def standardized(X: FloatArray) -> FloatArray:
    """Columns of mean 0 and deviation 1."""
    return np.asarray((X - X.mean(axis=0)) / X.std(axis=0))


def numbers(draw: Draw, rows: int = 120, features: int = 4, noise: float = 0.1) -> Data:
    """A linear relation with noise, on standardised features."""
    X = standardized(draw.random.normal(size=(rows, features)))
    w = draw.random.choice([-1.0, 1.0], features + 1) * draw.random.uniform(0.5, 1.5, features + 1)
    return Data(X, X @ w[:-1] + w[-1] + noise * draw.random.normal(size=rows), w)


def two_classes(draw: Draw, rows: int = 120, features: int = 3, steepness: float = 2.0) -> Data:
    """Labels drawn with the probabilities of a logistic model, so that no line parts them."""
    X = standardized(draw.random.normal(size=(rows, features)))
    w = draw.random.choice([-1.0, 1.0], features + 1) * steepness / np.sqrt(features)
    w[-1] = 0.3
    chance = 1 / (1 + np.exp(-(X @ w[:-1] + w[-1])))
    return Data(X, (draw.random.uniform(size=rows) < chance).astype(float), w)


def blobs(draw: Draw, rows: int = 120, features: int = 3, classes: int = 3, apart: float = 2.0) -> Data:
    """Clouds of points, one for each class and of the same size."""
    y = np.arange(rows) % classes
    centres = np.linalg.qr(draw.random.normal(size=(max(features, classes),) * 2))[0][:classes, :features] * apart
    X = standardized(centres[y] + draw.random.normal(size=(rows, features)))
    return Data(X, y.astype(float), np.zeros(0))


def rings(draw: Draw, rows: int = 120) -> Data:
    """Two classes, one around the other: with each point its mirror image, so that no line tells them apart at all."""
    angle = draw.random.uniform(0, 2 * np.pi, rows // 2)
    y = np.arange(rows // 2) % 2
    radius = np.where(y == 0, 0.6, 1.4) + 0.1 * draw.random.normal(size=rows // 2)
    X = standardized(mirrored([radius * np.cos(angle), radius * np.sin(angle)]))
    return Data(X, np.concatenate([y, y]).astype(float), np.zeros(0))


def mirrored(columns: list[FloatArray]) -> FloatArray:
    """Points and, after them, their mirror images."""
    points = np.column_stack(columns)
    return np.concatenate([points, -points])


def curved(draw: Draw, rows: int = 120, features: int = 2, noise: float = 0.05) -> Data:
    """A smooth relation that no line follows, of deviation 1."""
    X = standardized(draw.random.uniform(-1, 1, size=(rows, features)))
    y = np.sin(1.5 * X[:, 0]) + 0.5 * X[:, -1] ** 2 + 0.5 * X[:, 0]
    y = (y - y.mean()) / y.std()
    return Data(X, y + noise * draw.random.normal(size=rows), np.zeros(0))


def least_squares(loss: Linear) -> tuple[FloatArray, float]:
    """The best parameters of a linear model, and the lowest loss."""
    design = np.column_stack([loss.X, np.ones(loss.rows)])
    best = np.linalg.lstsq(design, loss.y, rcond=None)[0]
    return best, float(loss.value(best))


def logistic_best(loss: Logistic) -> tuple[FloatArray, float, float]:
    """The best parameters by Newton's method, the lowest loss, and the largest curvature there."""
    design = np.column_stack([loss.X, np.ones(loss.rows)])
    x = np.zeros(design.shape[1])
    ridge = loss.l2 * np.diag([1.0] * loss.X.shape[1] + [0.0])
    hessian = np.eye(len(x))
    for _ in range(30):
        p = 1 / (1 + np.exp(-design @ x))
        hessian = (design.T * (p * (1 - p))) @ design / loss.rows + ridge
        x = x - np.linalg.solve(hessian, loss.gradient(x))
    return x, float(loss.value(x)), float(np.linalg.eigvalsh(hessian)[-1])


def classifier(data: Data, hidden: tuple[int, ...] = (8,), activation: str = "relu", **settings: Any) -> Network:
    """A network for the classes of data."""
    return Network(data.X, data.y.astype(int), hidden=hidden, activation=activation, **settings)


def regressor(data: Data, hidden: tuple[int, ...] = (8,), activation: str = "tanh", **settings: Any) -> Network:
    """A network for the numbers of data."""
    return Network(data.X, data.y, hidden=hidden, activation=activation, loss="squared", **settings)


def constant_loss(loss: Loss) -> float:
    """The lowest loss of a model that answers the same for every row."""
    if isinstance(loss, Linear) or getattr(loss, "loss", "") == "squared":
        return float(0.5 * np.var(loss.y))
    shares = np.bincount(loss.y.astype(int)) / len(loss.y)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def activations(network: Network, x: FloatArray) -> list[FloatArray]:
    """The activations of each hidden layer for all rows, (units, rows)."""
    return [a[0] for a in network.forward(x[None], network.X).a[1:]]


def dead_share(network: Network, x: FloatArray) -> float:
    """The largest share, over the hidden layers, of units that hardly change over 95 % of the rows."""
    shares = []
    for a in activations(network, x):
        rest = np.abs(a) if network.activation == "relu" else np.minimum(1 - np.abs(a), np.abs(a - (a < 0.5)))
        shares.append(float((np.mean(rest < 0.02, axis=1) >= 0.95).mean()))
    return max(shares)


def layer_slopes(network: Network, x: FloatArray) -> FloatArray:
    """The norm of the gradient of each layer's weight matrix."""
    return np.array([np.linalg.norm(layer.W) for layer in network.layers(network.gradient(x))])


def bottom_to_top(network: Network, x: FloatArray) -> float:
    """The slope of the first layer's weights by that of the last layer, its biases included."""
    first, *_, last = network.layers(network.gradient(x))
    return float(np.linalg.norm(first.W) / np.hypot(np.linalg.norm(last.W), np.linalg.norm(last.b)))


def filled(network: Network, weights: float, biases: float = 0.0) -> FloatArray:
    """The point at which all weights, and all biases, are the same."""
    return np.where(network.are_weights, weights, biases)


def with_biases(network: Network, x: FloatArray, layer: int, bias: float) -> FloatArray:
    """The point with these biases in one hidden layer, counted from 0."""
    layers = network.layers(x)
    return network.flat([(W, b + bias if i == layer else b) for i, (W, b) in enumerate(layers)])


def early(run: Trajectory, share: float = 0.25) -> FloatArray:
    """The values of the first part of a run."""
    return run.value[: max(1, int(share * len(run)))]


def late(run: Trajectory, share: float = 0.25) -> FloatArray:
    """The values of the last part of a run."""
    return run.value[-max(1, int(share * len(run))) :]


def learnt(run: Trajectory, lowest: float, share: float = 0.05) -> bool:
    """Whether at most this share of the fall to the lowest value is left."""
    return bool(np.isfinite(run.fun) and run.fun - lowest <= share * (run.value[0] - lowest))


def failed(run: Trajectory, least: float = 0.9) -> bool:
    """Whether the loss of the last quarter is not below that of the start, or not finite."""
    tail = late(run)
    return bool(not np.isfinite(run.fun) or np.median(tail) >= least * run.value[0])


def slow(run: Trajectory, lowest: float, most: float = 0.5) -> bool:
    """Whether it fell, but by less than this share of what there was to fall."""
    return bool(0 < run.value[0] - run.fun <= most * (run.value[0] - lowest))
