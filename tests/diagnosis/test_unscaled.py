"""The finding that features or targets are not scaled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import Runs, found, the
from tests.diagnosis.rows import clouds, line, moons, wave

import fallline
from fallline import (
    LBFGS,
    Adam,
    Fit,
    GradientDescent,
    Huber,
    Linear,
    Logistic,
    Nesterov,
    Network,
    Softmax,
    Trajectory,
)
from fallline.models import Batches, Loss

SIZES = np.array([1.0, 3000.0, 1.0, 20.0])
FAR = np.array([0.0, 2000.0, 50.0, 0.0])
X, Y = line()
SURE = (Y > 0.5).astype(float)


def steepest(loss: Loss) -> GradientDescent:
    return GradientDescent(1 / loss.smoothness())


def run(loss: Loss | Batches, rule: Any = None, steps: int = 300) -> Trajectory:
    x0 = loss.initial(1) if isinstance(loss, Network) else np.zeros(loss.dimension)
    return fallline.minimize(
        loss, x0, steepest(loss) if rule is None and isinstance(loss, Loss) else rule, max_steps=steps
    )


def pixels(activation: str) -> Network:
    data = clouds(features=4)
    return Network(np.clip(128 + 50 * data.X, 0, 255), data.y.astype(int), hidden=(8,), activation=activation)


def table(X: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    return {f"f{i}": X[:, i] for i in range(X.shape[1])} | {"y": y}


def prices() -> Network:
    X, y = wave()
    return Network(X, 20_000 + 5_000 * y, hidden=(8,), activation="tanh", loss="squared")


UNSCALED: Runs = {
    "columns of unlike sizes": lambda: run(Linear(X * SIZES, Y)),
    "columns far from zero": lambda: run(Linear(X + FAR, Y)),
    "logistic": lambda: run(Logistic(X * SIZES, SURE)),
    "softmax": lambda: run(Softmax(clouds().X * SIZES[:3], clouds().y.astype(int))),
    "small batches": lambda: run(Linear(X * SIZES, Y).batches(20), GradientDescent(1e-8), 400),
    "a rate that breaks out": lambda: run(Linear(X * SIZES, Y), GradientDescent(0.01), 50),
    "pixels in a network": lambda: run(pixels("relu"), GradientDescent(0.3), 200),
    "pixels in a network of tanh": lambda: run(pixels("tanh"), GradientDescent(0.3), 200),
    "a fit as the columns are": lambda: fallline.fit(
        table(X * SIZES, SURE), "y", optimizer=GradientDescent(1e-7), standardize=False, max_steps=300
    ),
    "prices by Adam": lambda: run(prices(), Adam(0.01), 300),
    "prices by descent": lambda: run(prices(), GradientDescent(0.1), 300),
    "a constant out of reach": lambda: run(Linear(X, 1000 + Y), Adam(0.01), 500),
    "slopes bounded by Huber's loss": lambda: run(Huber(X, 1000 + Y, delta=1.0), GradientDescent(0.1), 500),
}


@pytest.mark.parametrize("name", UNSCALED)
def test_scales_that_hurt(name: str) -> None:
    assert found("unscaled", UNSCALED[name]()) is not None


def test_the_spread_is_that_of_the_columns() -> None:
    finding = the("unscaled", run(Linear(X * SIZES, Y)))
    # Standardised columns times their sizes, and the intercept's column of ones.
    assert finding.numbers["largest"] == pytest.approx(3000, rel=1e-9)
    assert finding.numbers["smallest"] == pytest.approx(1, rel=1e-9)
    assert finding.since == 0


def test_standardised_features_learn_at_the_steepest_rate() -> None:
    finding = the("unscaled", run(Linear(X * SIZES, Y)))
    scaled = finding.remedies[0].settings["objective"]
    assert scaled.X.mean(axis=0) == pytest.approx(0, abs=1e-12)
    assert scaled.X.std(axis=0) == pytest.approx(1, rel=1e-12)
    A = np.column_stack([X, np.ones(len(X))])
    best = 0.5 * np.mean((Y - A @ np.linalg.lstsq(A, Y)[0]) ** 2)
    assert run(scaled).fun == pytest.approx(best, rel=1e-6)


def test_a_fit_is_told_to_standardise() -> None:
    finding = the("unscaled", UNSCALED["a fit as the columns are"]())
    assert finding.remedies[0].settings == {"standardize": True}
    assert finding.remedies[0].command == "--standardize"


def one_hot() -> Trajectory:
    random = np.random.default_rng(0)
    kinds = np.eye(30)[random.integers(0, 30, 300)]
    return run(Linear(kinds, kinds @ random.normal(size=30)), GradientDescent(0.5), 400)


def rare() -> Trajectory:
    # A column that is 1 in one row of a hundred has a deviation of a tenth.
    random = np.random.default_rng(0)
    X = np.column_stack([random.normal(size=400), random.random(400) < 0.005])
    return run(Linear(X, X @ [1.0, 2.0]), GradientDescent(0.5), 100)


def standardised_fit() -> Fit:
    return fallline.fit(table(X * SIZES + FAR, SURE), "y", max_steps=300)


HEALTHY: Runs = {
    "standardised": lambda: run(Linear(X, Y)),
    "unlike sizes and L-BFGS": lambda: run(Linear(X * SIZES, Y), LBFGS(), 300),
    "unlike sizes and enough steps": lambda: run(
        Linear(X * [1, 120, 1, 1], Y), Nesterov(1 / 14400, momentum=0.99), 4000
    ),
    "adaptive rates on unlike sizes": lambda: run(Linear(X * [1, 200, 1, 20], Y), Adam(0.05), 3000),
    "pixels that a network learns all the same": lambda: run(pixels("tanh"), GradientDescent(0.1), 200),
    "pixels divided by 255": lambda: run(
        Network(pixels("relu").X / 255, pixels("relu").y.astype(int), hidden=(8,)), Adam(0.02), 600
    ),
    "categories": one_hot,
    "a rare category": rare,
    "a fit that standardises": standardised_fit,
    "targets of a hundred by descent": lambda: run(Linear(X, 100 + Y), GradientDescent(0.1), 300),
    "targets of a hundred by Adam": lambda: run(Linear(X, 10 + Y), Adam(0.1), 600),
    "too slow on scaled data": lambda: run(Linear(X, Y), GradientDescent(1e-4), 200),
    "two moons": lambda: run(Network(moons().X, moons().y.astype(int), hidden=(12,)), Adam(0.02), 400),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_scales_that_do_not_hurt(name: str) -> None:
    assert found("unscaled", HEALTHY[name]()) is None
