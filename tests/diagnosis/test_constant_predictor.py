"""The finding that a model is stuck at predicting the same for every row."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tests.diagnosis.looks import Runs, found, missing, the
from tests.diagnosis.rows import Drawn, clouds, line, moons, wave

import fallline
from fallline import Adam, GradientDescent, Huber, Linear, Logistic, Momentum, Network, Poisson, Softmax, Trajectory
from fallline.arrays import FloatArray
from fallline.diagnosis.case import Case
from fallline.diagnosis.findings.of_data import constant_predictor as constant_file
from fallline.diagnosis.sample import Sample
from fallline.models import Batches, Loss
from fallline.models.base import Reduction


def rings(rows: int = 120) -> Drawn:
    """A class around another, with the mirror image of each point, so that no line tells them apart."""
    random = np.random.default_rng(0)
    angle, y = random.uniform(0, 2 * np.pi, rows // 2), np.arange(rows // 2) % 2
    X = (0.5 + y + 0.1 * random.normal(size=rows // 2))[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return Drawn(np.concatenate([X, -X]), np.concatenate([y, y]).astype(float))


def dead() -> Trajectory:
    X, y = moons()
    network = Network(X, y.astype(int), hidden=(12,))
    layers = network.layers(network.initial(1))
    layers[0].b[:] = -50
    return fallline.minimize(network, network.flat(layers), Adam(0.02), max_steps=400)


def run(loss: Loss | Batches, rule: Any, steps: int = 400, scale: float = 0.3) -> Trajectory:
    return fallline.minimize(loss, scale * np.random.default_rng(1).normal(size=loss.dimension), rule, max_steps=steps)


def sigmoids() -> Trajectory:
    network = Network(*wave(), hidden=(8,) * 6, activation="sigmoid", loss="squared")
    return fallline.minimize(network, network.initial(1), GradientDescent(0.2), max_steps=400)


UP = np.linspace(-1, 1, 101)
STUCK: dict[str, tuple[Callable[[], Trajectory], float]] = {
    "a line between rings": (lambda: run(Logistic(*rings()), GradientDescent(0.5)), np.log(2)),
    "weighted rings": (
        lambda: run(Logistic(*rings(), class_weight={0: 3, 1: 1}), GradientDescent(0.5)),
        -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)),
    ),
    "a line through a parabola": (
        lambda: run(Linear(UP, UP**2), Momentum(0.05)),
        float(0.5 * np.var(UP**2)),
    ),
    "softmax of rings": (lambda: run(Softmax(rings().X, rings().y.astype(int)), Adam(0.05)), np.log(2)),
    "dead rectifiers": (dead, np.log(2)),
    "six layers of sigmoids": (sigmoids, float(0.5 * np.var(wave().y))),
    "batches": (lambda: run(Logistic(*rings()).batches(60), GradientDescent(0.1)), np.log(2)),
}


@pytest.mark.parametrize("name", STUCK)
def test_the_loss_of_a_constant(name: str) -> None:
    make, baseline = STUCK[name]
    result = make()
    finding = the("constant_predictor", result)
    assert finding.since < 0.8 * result.step_count
    assert finding.numbers["baseline"] == pytest.approx(baseline, rel=1e-9)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_best_constant_is_that_of_the_loss(reduction: Reduction) -> None:
    X, y = line(rows=60)
    counts = np.random.default_rng(0).poisson(3, 60)
    for loss in (
        Huber(X, y, reduction, delta=0.3),
        Poisson(X, counts, reduction),
        Linear(X, y, reduction, sample_weight=np.linspace(0, 2, 60)),
        Logistic(X, (y > 1).astype(float), reduction),
    ):
        # The lowest loss of a fine grid of constants.
        constants = np.zeros((4001, 5))
        constants[:, -1] = np.linspace(-3, 5, 4001)
        lowest = loss.value(constants).min()
        assert Sample.of(loss).baseline == pytest.approx(lowest, rel=1e-5)


def labels_of_nothing(model: str) -> Trajectory:
    random = np.random.default_rng(3)
    X, y = random.normal(size=(300, 3)), random.integers(0, 2, 300)
    if model == "logistic":
        return run(Logistic(X, y.astype(float)), GradientDescent(0.5))
    network = Network(X, y, hidden=(6,))
    return fallline.minimize(network.batches(50), network.initial(1), GradientDescent(0.05), max_steps=400)


def noisy(y: FloatArray) -> npt.NDArray[np.int64]:
    """Labels of which a third is drawn anew."""
    random = np.random.default_rng(0)
    return np.where(random.random(len(y)) < 1 / 3, random.permutation(y), y).astype(int)


def slow() -> Trajectory:
    X, y = line()
    return fallline.minimize(Logistic(X, (y > 0.5).astype(float)), np.zeros(5), GradientDescent(1e-5), max_steps=500)


def learns(loss: Network) -> Trajectory:
    return fallline.minimize(loss, loss.initial(1), Adam(0.02), max_steps=600)


HEALTHY: Runs = {
    "labels that nothing tells": lambda: labels_of_nothing("logistic"),
    "a network on labels that nothing tells": lambda: labels_of_nothing("network"),
    "a slow start": slow,
    "a plateau that ends": lambda: learns(Network(*wave(), hidden=(8,) * 3, activation="sigmoid", loss="squared")),
    "label noise": lambda: learns(Network(clouds().X, noisy(clouds().y), hidden=(8,))),
    "a line": lambda: run(Linear(*line()), GradientDescent(0.1)),
    "few steps": lambda: run(Logistic(*rings()), GradientDescent(0.5), steps=100),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_models_that_have_learnt_what_there_is(name: str) -> None:
    assert found("constant_predictor", HEALTHY[name]()) is None


def test_ends_only_need_more_steps() -> None:
    ends = fallline.minimize(Logistic(*rings()), np.full(3, 0.1), GradientDescent(0.01), max_steps=300, record="ends")
    assert missing("constant_predictor", ends) == "the loss at more steps"


@pytest.mark.parametrize(
    ("slope", "values", "moves"),
    [
        # Three tenths of the first slope, and more than nine of ten steps do not go up.
        (0.31, np.arange(20, 0, -1), True),
        (0.29, np.arange(20, 0, -1), False),
        (0.31, np.full(20, 5), True),
        (0.31, [*range(20, 0, -1), 2], True),
        (0.31, [*range(10, 0, -1), 2], False),
    ],
)
def test_a_run_that_still_goes_downhill(slope: float, values: Any, moves: bool) -> None:
    # Of this loss the gradient at x is x.
    loss = Linear(np.resize([1.0, -1.0], 40), np.zeros(40))
    path = fallline.minimize(loss, [0.6, 0.8], GradientDescent(1e-4), max_steps=len(values) - 1)
    x = np.array([[0.6, 0.8], *[[9.0, 9.0]] * (len(values) - 2), [slope, 0.0]])
    case = Case.of(dataclasses.replace(path, x=x, value=np.array(values, float)))
    assert constant_file._moves(case) == moves
