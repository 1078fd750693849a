"""The finding that the model's output and its loss do not suit the targets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.diagnosis.checked import Runs, found
from tests.diagnosis.rows import clouds, line, moons

import fallline
from fallline import (
    Adam,
    GradientDescent,
    Hinge,
    Linear,
    Logistic,
    Network,
    Poisson,
    SigmoidNeuron,
    Softmax,
    Trajectory,
)
from fallline.arrays import FloatArray
from fallline.models import LinearFamily, Loss


class Neuron(LinearFamily):
    """A neuron under the squared loss, for any targets."""

    model = "squared loss of a neuron"

    def response(self, z: FloatArray) -> FloatArray:
        return np.tanh(z)

    def pointwise(self, z: FloatArray, y: FloatArray) -> FloatArray:
        half_square: FloatArray = 0.5 * (self.response(z) - y) ** 2
        return half_square

    def slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        slope: FloatArray = (self.response(z) - y) * (1 - np.tanh(z) ** 2)
        return slope


class Rectifier(Neuron):
    """One whose output is never negative."""

    def response(self, z: FloatArray) -> FloatArray:
        return np.maximum(z, 0)

    def slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        slope: FloatArray = (self.response(z) - y) * (z > 0)
        return slope


def run(loss: Loss, rule: Any = None, steps: int = 200, start: float = 0.1) -> Trajectory:
    x0 = loss.initial(1) if isinstance(loss, Network) else np.full(loss.dimension, start)
    return fallline.minimize(loss, x0, rule or Adam(0.05), max_steps=steps)


X, Y = line(rows=150)
RANKS = np.argsort(np.argsort(Y)).astype(float)
SURE = (Y > 0.5).astype(float)
WRONG: Runs = {
    "tanh for numbers up to 30": lambda: run(Neuron(X, 10 * Y)),
    "a rectifier for negative numbers": lambda: run(Rectifier(X, Y - Y.mean())),
    "one class": lambda: run(Logistic(X, np.zeros(150))),
    "one class of a network": lambda: run(Network(X, np.ones(150, int), hidden=(4,), classes=("0", "1"))),
    "one side of a margin": lambda: run(Hinge(X, np.ones(150))),
    "counts that are all 0": lambda: run(Poisson(X, np.zeros(150))),
    "numbers as classes": lambda: run(Softmax(X, RANKS.astype(int))),
    "numbers as classes of a network": lambda: run(Network(X, np.round(30 * Y).astype(int), hidden=(6,))),
    "classes as numbers": lambda: run(Linear(clouds().X, clouds().y)),
    "a neuron sure of the wrong answer": lambda: run(SigmoidNeuron(X, SURE), GradientDescent(0.1), start=-20.0),
}


@pytest.mark.parametrize("name", WRONG)
def test_outputs_that_do_not_suit(name: str) -> None:
    finding = found("output_mismatch", WRONG[name]())
    assert finding is not None
    assert finding.since == 0


def test_targets_beyond_the_output_are_counted() -> None:
    finding = found("output_mismatch", run(Neuron(X, 10 * Y)))
    assert finding is not None
    assert finding.numbers["beyond"] == pytest.approx((abs(10 * Y) > 1).mean(), abs=1e-12)
    assert "between -1 and 1" in finding.evidence


def test_a_fit_is_offered_the_other_model() -> None:
    data = {"a": clouds().X[:, 0], "b": clouds().X[:, 1], "kind": clouds().y}
    finding = found("output_mismatch", fallline.fit(data, "kind", model="linear"))
    assert finding is not None
    (remedy,) = finding.remedies
    assert remedy.settings == {"model": "softmax"}
    assert fallline.fit(data, "kind", **remedy.settings).score() > 0.8


COUNTS = np.random.default_rng(0).poisson(2, 150).astype(float)
RIGHT: Runs = {
    "numbers": lambda: run(Linear(X, Y)),
    "numbers of a network": lambda: run(Network(X, 100 * Y, hidden=(6,), loss="squared")),
    "tanh within its range": lambda: run(Neuron(X, np.tanh(Y))),
    "a rectifier for sizes": lambda: run(Rectifier(X, np.abs(Y))),
    "probabilities": lambda: run(SigmoidNeuron(X, 1 / (1 + np.exp(-Y)))),
    "two classes of a neuron": lambda: run(SigmoidNeuron(X, SURE)),
    "counts": lambda: run(Poisson(X, COUNTS)),
    "counts of a line": lambda: run(Linear(X, COUNTS)),
    "grades": lambda: run(Linear(X, np.clip(np.round(Y + 3), 1, 5))),
    "classes": lambda: run(Softmax(clouds().X, clouds().y.astype(int))),
    "two classes of a network": lambda: run(Network(moons().X, moons().y.astype(int), hidden=(8,))),
    "0 and 1 by a line": lambda: run(Linear(X, SURE)),
    "four rows": lambda: run(Network([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], hidden=(4,))),
}


@pytest.mark.parametrize("name", RIGHT)
def test_outputs_that_suit(name: str) -> None:
    assert found("output_mismatch", RIGHT[name]()) is None
