"""The finding that the gradient vanishes on its way to the first layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import Runs, found, the
from tests.diagnosis.rows import clouds, moons, wave

import fallline
from fallline import Adam, GradientDescent, Momentum, Network, Optimizer, Trajectory

DATA = {"moons": moons(rows=100), "clouds": clouds(rows=90)}


@pytest.mark.parametrize(
    ("data", "depth", "activation", "factor", "rule"),
    [
        ("moons", 6, "sigmoid", 1.0, GradientDescent(0.1)),
        ("clouds", 8, "sigmoid", 1.0, Momentum(0.02)),
        ("moons", 5, "sigmoid", 1.0, GradientDescent(0.05)),
        ("clouds", 6, "tanh", 0.1, GradientDescent(0.1)),
        ("moons", 8, "tanh", 0.2, Momentum(0.02)),
        ("clouds", 6, "leaky_relu", 0.1, GradientDescent(0.1)),
        ("moons", 7, "gelu", 0.1, GradientDescent(0.1)),
    ],
)
def test_deep_networks_whose_first_layers_do_not_move(
    data: str, depth: int, activation: str, factor: float, rule: Optimizer[Any]
) -> None:
    X, y = DATA[data]
    network = Network(X, y.astype(int), hidden=(6,) * depth, activation=activation)
    run = fallline.minimize(network, factor * network.initial(1), rule, max_steps=200)
    finding = the("vanishing_gradients", run)
    first, *_, last = network.layers(network.gradient(run.start.x))
    assert finding.numbers["first_layer"] == pytest.approx(np.linalg.norm(first.W), rel=1e-9)
    assert finding.numbers["last_layer"] == pytest.approx(np.linalg.norm(last.W), rel=1e-9)


def test_the_units_of_the_features_do_not_matter() -> None:
    # Features a thousandth in size make the first layer's gradient as small, which is no fault of the depth.
    X, y = DATA["clouds"]
    network = Network(1e-3 * X, y.astype(int), hidden=(8,), activation="tanh")
    run = fallline.minimize(network, network.initial(1), GradientDescent(0.1), max_steps=200)
    assert found("vanishing_gradients", run) is None


def zero_head() -> Trajectory:
    network = Network(*wave(), hidden=(12, 12), activation="tanh", loss="squared")
    layers = network.layers(network.initial(1))
    layers[-1].W[:] = 0
    return fallline.minimize(network, network.flat(layers), Adam(0.02), max_steps=400)


def deep(activation: str, depth: int, steps: int) -> Trajectory:
    network = Network(*moons(rows=100), hidden=(8,) * depth, activation=activation)
    return fallline.minimize(network, network.initial(2), Adam(0.01), max_steps=steps)


def converged() -> Trajectory:
    data = clouds(rows=90, apart=8)
    network = Network(data.X, data.y.astype(int), hidden=(8,))
    return fallline.minimize(network, network.initial(1), GradientDescent(0.5), max_steps=2000)


def noise() -> Trajectory:
    random = np.random.default_rng(0)
    network = Network(random.normal(size=(150, 2)), random.integers(0, 2, 150), hidden=(4,) * 5, activation="sigmoid")
    return fallline.minimize(network, network.initial(1), GradientDescent(0.1), max_steps=200)


HEALTHY: Runs = {
    "a last layer of zeros": zero_head,
    "four layers of tanh": lambda: deep("tanh", 4, 300),
    "five layers of rectifiers": lambda: deep("relu", 5, 300),
    "two layers of sigmoids": lambda: deep("sigmoid", 2, 600),
    "converged": converged,
    "labels that nothing tells": noise,
}


@pytest.mark.parametrize("name", HEALTHY)
def test_networks_that_learn(name: str) -> None:
    assert found("vanishing_gradients", HEALTHY[name]()) is None
