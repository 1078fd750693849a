"""The layers of a network at some points of a run: which units are inactive, and how the gradient goes through them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fallline.arrays import FloatArray
from fallline.data.rows import Rows
from fallline.models.activations import ACTIVATIONS
from fallline.models.network import Network

# A unit is inactive on a row where its slope is below this part of the steepest one: nothing reaches its weights.
FLAT = 0.01
# A rectifying unit is dead where it is inactive on this part of the rows; a smooth one is saturated where it is on this
# part, since it hardly learns from the others either. So is a layer where more than this part of its units is.
DEAD, SATURATED, OF_UNITS = 0.95, 0.8, 0.5


class Layers(NamedTuple):
    """What is measured of a network at one point, on a sample of the rows.

    Attributes:
        inactive: for each hidden layer the share of the rows on which each unit is inactive, shape (units,).
        gradients: the norm of the gradient by the weights of each layer, shape (layers,).
        signals: the same, divided by the size of what comes into the layer: the norm of the gradient by its output z,
            as far as that can be told; so it does not depend on the units of the features.
        of_rows: on which part of the rows a unit must be inactive to be dead, or saturated.
    """

    inactive: tuple[FloatArray, ...]
    gradients: FloatArray
    signals: FloatArray
    of_rows: float

    @property
    def dead(self) -> list[float]:
        """The share of the units of each hidden layer that are dead, or saturated for good."""
        return [float((layer >= self.of_rows).mean()) for layer in self.inactive]


def layers_at(network: Network, rows: Rows, x: FloatArray) -> Layers:
    """Measure the layers at a point, shape (dimension,), on rows of data.

    >>> network = Network([[1.0], [2.0]], [0.0, 1.0], hidden=(2,), loss="squared")
    >>> x = network.flat([([[1.0], [-1.0]], [0.0, 0.0]), ([[1.0, 1.0]], [0.0])])
    >>> layers_at(network, Rows(network.X, network.y), x).inactive
    (array([0., 1.]),)
    """
    activation = ACTIVATIONS[network.activation]
    grid = np.linspace(-4, 4, 81)
    steepest = activation.slope(grid, activation.value(grid)).max()
    weights = np.ones(len(rows)) if rows.weights is None else rows.weights
    with np.errstate(all="ignore"):
        forward = network.forward(x[None], rows.X)
        slopes = [activation.slope(z, a)[0] for z, a in zip(forward.hidden, forward.a[1:], strict=True)]
        total = network.backward(x[None], forward, rows.X, rows.y, weights)[0] / weights.sum()
        gradients = np.array([np.linalg.norm(layer.W) for layer in network.layers(total)])
        sizes = np.array([np.sqrt((a**2).sum(axis=-2).mean()) for a in forward.a])
        signals = np.divide(gradients, sizes, out=np.full(len(sizes), np.nan), where=sizes > 0)
    inactive = tuple((abs(slope) < FLAT * steepest).mean(axis=-1) for slope in slopes)
    return Layers(inactive, gradients, signals, DEAD if activation.rectifies else SATURATED)


def repeated(network: Network, x: FloatArray, tolerance: float) -> list[int]:
    """How many units of each hidden layer have the weights and the bias of another.

    Units are compared by one random combination of these, which equal units share.

    Arguments:
        tolerance: how much they may differ, as a part of the layer's largest weight.

    >>> network = Network([1.0, 2.0], [0.0, 1.0], hidden=(3,), loss="squared")
    >>> repeated(network, np.zeros(network.dimension), 1e-9), repeated(network, network.initial(1), 1e-9)
    ([2], [0])
    """
    counts = []
    for layer in network.layers(x)[:-1]:
        mixture = np.random.default_rng(0).normal(size=layer.W.shape[1] + 1)
        combined = np.sort(layer.W @ mixture[:-1] + layer.b * mixture[-1])
        largest = max(abs(layer.W).max(), abs(layer.b).max())
        counts.append(int((np.diff(combined) <= tolerance * largest).sum()))
    return counts
