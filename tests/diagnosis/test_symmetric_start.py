"""The finding that units of a layer started alike and stay alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import Runs, found, the
from tests.diagnosis.rows import clouds, moons, wave

import fallline
from fallline import Adam, GradientDescent, Momentum, Network, Optimizer, Trajectory


@pytest.mark.parametrize(
    ("activation", "hidden", "weight", "rule", "batch"),
    [
        ("tanh", (8,), 0.0, GradientDescent(0.3), None),
        ("relu", (8,), 0.5, GradientDescent(0.1), None),
        ("sigmoid", (6, 6), 0.2, Adam(0.01), None),
        ("gelu", (5,), 0.1, Momentum(0.02), None),
        ("relu", (8,), 0.0, Adam(0.01), None),
        ("tanh", (8, 4), 0.3, GradientDescent(0.1), 20),
        ("leaky_relu", (10,), 0.05, Adam(0.01), 32),
    ],
)
def test_equal_weights(
    activation: str, hidden: tuple[int, ...], weight: float, rule: Optimizer[Any], batch: int | None
) -> None:
    X, y = moons()
    network = Network(X, y.astype(int), hidden=hidden, activation=activation)
    objective = network if batch is None else network.batches(batch)
    run = fallline.minimize(objective, np.full(network.dimension, weight), rule, max_steps=200)
    finding = the("symmetric_start", run)
    assert finding.numbers == {"units": hidden[0], "distinct": 1}
    assert finding.since == 0
    # The remedy starts from units that differ.
    start = finding.remedies[0].settings["x0"]
    assert len(np.unique(network.layers(start)[0].W, axis=0)) == hidden[0]


def test_only_the_copies_are_counted() -> None:
    network = Network(*wave(), hidden=(8,), activation="tanh", loss="squared")
    layers = network.layers(network.initial(1))
    layers[0].W[3:] = layers[0].W[2]
    layers[-1].W[:, 3:] = layers[-1].W[:, 2:3]
    run = fallline.minimize(network, network.flat(layers), GradientDescent(0.1), max_steps=100)
    finding = the("symmetric_start", run)
    assert finding.numbers == {"units": 8, "distinct": 3}


def trained(network: Network, x0: np.ndarray) -> Trajectory:
    return fallline.minimize(network, x0, Adam(0.02), max_steps=200)


def zero_head() -> Trajectory:
    network = Network(*wave(), hidden=(8,), activation="tanh", loss="squared")
    layers = network.layers(network.initial(1))
    layers[-1].W[:] = 0
    return trained(network, network.flat(layers))


def equal_but_for_the_head() -> Trajectory:
    # Equal units that lead on with different weights get different gradients.
    network = Network(*wave(), hidden=(8,), activation="tanh", loss="squared")
    layers = network.layers(network.initial(1))
    layers[0].W[:] = 0.5
    return trained(network, network.flat(layers))


def two_alike() -> Trajectory:
    network = Network(*wave(), hidden=(8,), activation="tanh", loss="squared")
    layers = network.layers(network.initial(1))
    layers[0].W[1], layers[-1].W[:, 1] = layers[0].W[0], layers[-1].W[:, 0]
    return trained(network, network.flat(layers))


def classifier(**settings: Any) -> Trajectory:
    data = clouds()
    network = Network(data.X, data.y.astype(int), **settings)
    return trained(network, network.initial(2))


def from_zero() -> Trajectory:
    data = clouds()
    network = Network(data.X, data.y.astype(int), hidden=())
    return trained(network, np.zeros(network.dimension))


HEALTHY: Runs = {
    "a last layer of zeros": zero_head,
    "units alike, weights behind them not": equal_but_for_the_head,
    "two of eight alike": two_alike,
    "its own start": lambda: classifier(hidden=(12,)),
    "one unit a layer": lambda: classifier(hidden=(1, 1), activation="tanh"),
    "no hidden layer, from zero": from_zero,
}


@pytest.mark.parametrize("name", HEALTHY)
def test_units_that_differ(name: str) -> None:
    assert found("symmetric_start", HEALTHY[name]()) is None
