"""The finding that most units of a layer are dead or saturated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import Runs, found, missing, the
from tests.diagnosis.rows import Drawn, clouds, line, moons, wave

import fallline
from fallline import Adam, GradientDescent, Momentum, Network, Optimizer, Trajectory
from fallline.arrays import FloatArray


def with_biases(network: Network, layer: int, bias: float, units: slice = slice(None), seed: int = 1) -> FloatArray:
    """The network's own start with other biases in some units of a hidden layer."""
    layers = network.layers(network.initial(seed))
    layers[layer].b[units] = bias
    return network.flat(layers)


def classifier(data: Drawn, hidden: tuple[int, ...] = (12,), activation: str = "relu") -> Network:
    return Network(data.X, data.y.astype(int), hidden=hidden, activation=activation)


@pytest.mark.parametrize(
    ("hidden", "activation", "layer", "bias", "rule"),
    [
        ((12,), "relu", 0, -50.0, GradientDescent(0.1)),
        ((12,), "relu", 0, -50.0, Adam(0.01)),
        ((12, 8), "relu", 1, -100.0, Momentum(0.02)),
        ((8,), "gelu", 0, -50.0, GradientDescent(0.1)),
        ((12,), "sigmoid", 0, 40.0, GradientDescent(0.1)),
        ((12,), "tanh", 0, -30.0, Adam(0.001)),
    ],
)
def test_units_that_no_row_reaches(
    hidden: tuple[int, ...], activation: str, layer: int, bias: float, rule: Optimizer[Any]
) -> None:
    network = classifier(moons(), hidden, activation)
    run = fallline.minimize(network, with_biases(network, layer, bias), rule, max_steps=200)
    finding = the("dead_units", run)
    assert finding.since == 0
    assert (finding.numbers["dead"], finding.numbers["units"]) == (hidden[layer], hidden[layer])


@pytest.mark.parametrize("rate", [150.0, 400.0])
def test_units_that_the_first_steps_killed(rate: float) -> None:
    network = classifier(clouds())
    run = fallline.minimize(network, network.initial(1), GradientDescent(rate), max_steps=200)
    finding = the("dead_units", run)
    never = [
        (network.X @ layer.W.T + layer.b <= 0).mean(axis=0) >= 0.95
        for layer in (network.layers(run.x[finding.since - 1])[0], network.layers(run.x[finding.since])[0])
    ]
    assert never[0].sum() <= 6 < never[1].sum()
    # The rate comes first among the remedies, since it moved the units.
    assert finding.remedies[0].settings["optimizer"] == GradientDescent(rate / 10)


def test_the_dead_are_counted_as_by_hand() -> None:
    network = classifier(moons())
    run = fallline.minimize(network, with_biases(network, 0, -50.0, slice(9)), GradientDescent(0.01), max_steps=50)
    finding = the("dead_units", run)
    layer = network.layers(run.final.x)[0]
    never = (network.X @ layer.W.T + layer.b <= 0).mean(axis=0) >= 0.95
    assert finding.numbers["dead"] == never.sum() == 9


@pytest.mark.parametrize(("activation", "hidden"), [("tanh", (16, 16)), ("tanh", (12,)), ("sigmoid", (16, 16))])
def test_smooth_units_that_start_with_large_weights_hardly_learn(activation: str, hidden: tuple[int, ...]) -> None:
    network = classifier(clouds(features=8, apart=1.0), hidden, activation)
    start = np.random.default_rng(0).normal(size=network.dimension) * (10 if activation == "tanh" else 40)
    finding = the("dead_units", fallline.minimize(network, start, GradientDescent(0.05), max_steps=100))
    assert finding.since == 0
    assert "x0" in finding.remedies[0].settings  # the features are scaled


def test_features_far_from_0_are_scaled_first() -> None:
    data = moons()
    network = classifier(Drawn(100 * data.X, data.y), activation="sigmoid")
    run = fallline.minimize(network, network.initial(1), GradientDescent(0.01), max_steps=100)
    finding = the("dead_units", run)
    assert finding.remedies[0].text.startswith("X = ")


def test_remedies_are_whole_settings() -> None:
    network = classifier(moons())
    start = with_biases(network, 0, -50.0)
    run = fallline.minimize(network.batches(20), start, Adam(0.01), max_steps=200)
    finding = the("dead_units", run)
    changed = [remedy.settings for remedy in finding.remedies]
    leaky = next(settings["objective"] for settings in changed if getattr(settings.get("objective"), "loss", 0))
    objectives = [settings["objective"].loss for settings in changed if "objective" in settings]
    assert "leaky_relu" in [loss.activation for loss in objectives]
    assert leaky.size == 20
    anew = next(settings["x0"] for settings in changed if "x0" in settings)
    assert fallline.minimize(network.batches(20), anew, Adam(0.01), max_steps=400).fun < 0.1 < run.fun


def trained(network: Network, rule: Optimizer[Any], steps: int, factor: float = 1.0, seed: int = 1) -> Trajectory:
    return fallline.minimize(network, factor * network.initial(seed), rule, max_steps=steps)


def mostly_dead() -> Trajectory:
    network = classifier(clouds())
    return fallline.minimize(network, with_biases(network, 0, -50.0, slice(7)), Adam(0.02), max_steps=500)


UP = np.linspace(0, 1, 100)
HEALTHY: Runs = {
    "its own start": lambda: trained(classifier(clouds()), GradientDescent(0.3), 300),
    "more than half dead, and no harm": mostly_dead,
    "saturated where it is sure": lambda: trained(classifier(moons(), activation="tanh"), Adam(0.05), 600, 3.0),
    "one side of each rectifier": lambda: trained(
        Network(UP, 2 * UP, hidden=(16,), loss="squared"), Adam(0.01), 800, seed=3
    ),
    "leaky rectifiers": lambda: trained(classifier(moons(), activation="leaky_relu"), Adam(0.02), 400),
    "no hidden layer": lambda: trained(Network(*line(), hidden=(), loss="squared"), Adam(0.05), 300),
    "a wave": lambda: trained(Network(*wave(), hidden=(16,), loss="squared"), Adam(0.02), 600, seed=2),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_units_that_do_no_harm(name: str) -> None:
    assert found("dead_units", HEALTHY[name]()) is None


def test_a_model_without_units_says_what_is_missing() -> None:
    assert missing("dead_units", fallline.minimize("x**2", 1.0, "adam", max_steps=5)) == "a network"
