"""The finding that the gradient explodes on its way to the first layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import Runs, found, the
from tests.diagnosis.rows import clouds, moons, wave

import fallline
from fallline import Adam, GradientDescent, Momentum, Network, Optimizer, Trajectory


@pytest.mark.parametrize(
    ("depth", "activation", "factor", "rule"),
    [
        (4, "relu", 10.0, GradientDescent(0.01)),
        (5, "relu", 6.0, GradientDescent(0.1)),
        (4, "leaky_relu", 15.0, Momentum(0.01)),
        (6, "relu", 5.0, GradientDescent(0.05)),
        (3, "leaky_relu", 30.0, Adam(0.001)),
        (4, "gelu", 20.0, GradientDescent(0.1)),
    ],
)
def test_large_weights(depth: int, activation: str, factor: float, rule: Optimizer[Any]) -> None:
    data = clouds(rows=90)
    network = Network(data.X, data.y.astype(int), hidden=(8,) * depth, activation=activation)
    run = fallline.minimize(network, factor * network.initial(1), rule, max_steps=100)
    finding = the("exploding_gradients", run)
    assert finding.numbers["ratio"] > 70
    first = network.layers(network.gradient(run.start.x))[0]
    assert finding.numbers["first_layer"] == pytest.approx(np.linalg.norm(first.W), rel=1e-9)


def test_the_ratio_of_linear_units_is_the_product_of_the_weights() -> None:
    # Where one unit is active on every row, the gradient by the first z is that by the last times the weights.
    X = np.linspace(1.0, 2.0, 40)
    network = Network(X, 3 * X, hidden=(1, 1), activation="leaky_relu", loss="squared")
    x0 = network.flat([([[1.0]], [0.0]), ([[9.0]], [0.0]), ([[11.0]], [0.0])])
    finding = the("exploding_gradients", fallline.minimize(network, x0, GradientDescent(0.01), max_steps=20))
    # Inputs grow along x, and so does the error, so the norms by z are in the ratio of the products: 9 · 11.
    assert finding.numbers["ratio"] == pytest.approx(99, rel=1e-9)


def trained(network: Network, factor: float, rule: Optimizer[Any], steps: int = 500) -> Trajectory:
    return fallline.minimize(network, factor * network.initial(1), rule, max_steps=steps)


def network_of(activation: str, hidden: tuple[int, ...], scale: float = 1.0) -> Network:
    X, y = moons()
    return Network(scale * X, y.astype(int), hidden=hidden, activation=activation)


HEALTHY: Runs = {
    "its own start": lambda: trained(network_of("relu", (8,) * 4), 1.0, Adam(0.01)),
    "large weights of tanh": lambda: trained(network_of("tanh", (12, 12)), 4.0, Adam(0.02)),
    "large weights of one layer": lambda: trained(network_of("relu", (16,)), 4.0, GradientDescent(0.1), 800),
    "features of a hundred": lambda: trained(network_of("relu", (16, 16), 100.0), 1.0, Adam(0.003), 800),
    "deep and leaky": lambda: trained(network_of("leaky_relu", (8,) * 5), 1.0, Adam(0.01)),
    "a wave": lambda: trained(Network(*wave(), hidden=(16, 16), loss="squared"), 1.5, Adam(0.01)),
    "no hidden layer": lambda: trained(network_of("relu", ()), 50.0, GradientDescent(0.1)),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_networks_that_learn(name: str) -> None:
    assert found("exploding_gradients", HEALTHY[name]()) is None
