"""The finding that batches are sorted by their targets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import Runs, found, missing, the
from tests.diagnosis.rows import Drawn, clouds, line, wave

import fallline
from fallline import Adam, Fit, GradientDescent, Linear, Logistic, Momentum, Network, Softmax, Trajectory
from fallline.models import Loss
from fallline.models.batches import Order


def ordered(data: Drawn) -> Drawn:
    order = np.argsort(data.y, kind="stable")
    return Drawn(data.X[order], data.y[order])


def run(loss: Loss, rule: Any, size: int = 8, order: Order = "sequential", steps: int = 300) -> Trajectory:
    x0 = loss.initial(1) if isinstance(loss, Network) else np.zeros(loss.dimension)
    return fallline.minimize(loss.batches(size, order=order), x0, rule, max_steps=steps)


def binary() -> Drawn:
    data = line(noise=2.0)
    return Drawn(data.X, (data.y > np.median(data.y)).astype(float))


def classes(data: Drawn, **settings: Any) -> Network:
    return Network(data.X, data.y.astype(int), **settings)


SORTED: Runs = {
    "logistic": lambda: run(Logistic(*ordered(binary())), GradientDescent(1.0)),
    "logistic by momentum": lambda: run(Logistic(*ordered(binary())), Momentum(0.3), 5),
    "softmax": lambda: run(Softmax(*ordered(clouds(apart=1.5))), GradientDescent(1.0)),
    "softmax by Adam": lambda: run(Softmax(*ordered(clouds(apart=1.5))), Adam(0.3), 10),
    "a network": lambda: run(classes(ordered(clouds(apart=1.5)), hidden=(8,)), Adam(0.05)),
    "numbers": lambda: run(Linear(*ordered(line(noise=2.0))), GradientDescent(0.2)),
    "single rows": lambda: run(Softmax(*ordered(clouds(apart=1.5))), GradientDescent(0.3), 1, steps=720),
}


@pytest.mark.parametrize("name", SORTED)
def test_sorted_rows_in_their_own_order(name: str) -> None:
    result = SORTED[name]()
    finding = the("sorted_batches", result)
    shuffled = finding.remedies[0].settings["objective"]
    assert (shuffled.order, shuffled.size) == ("shuffled", result.objective.size)


def test_a_fit_is_told_to_shuffle() -> None:
    X, y = ordered(binary())
    fitted = fallline.fit(
        {f"f{i}": X[:, i] for i in range(4)} | {"y": y},
        "y",
        optimizer=GradientDescent(1.0),
        batch_size=8,
        batch_order="sequential",
        epochs=20,
    )
    assert isinstance(fitted, Fit)
    finding = the("sorted_batches", fitted)
    assert finding.remedies[0].settings == {"batch_order": "shuffled"}
    assert finding.remedies[0].command == "--batch-order shuffled"


def test_the_variance_between_stretches_is_that_of_the_labels() -> None:
    # Stretches of 30 rows of 240, of which 80 have each label.
    finding = the("sorted_batches", SORTED["softmax"]())
    labels = np.repeat([0.0, 1.0, 2.0], 80)
    means = [labels[start : start + 30].mean() for start in range(0, 240, 30)]
    assert finding.numbers["between"] == pytest.approx(np.var(means) / np.var(labels), rel=1e-12)


@pytest.mark.parametrize(("record", "known"), [(1, True), (6, True), (7, False)])
def test_the_swing_is_told_where_an_epoch_has_four_rows(record: int, known: bool) -> None:
    loss = Softmax(*ordered(clouds(apart=1.5)))
    # 240 rows in batches of 10: an epoch has 24 steps.
    batches = loss.batches(10, order="sequential")
    path = fallline.minimize(batches, np.zeros(loss.dimension), GradientDescent(1.0), max_steps=96, record=record)
    finding = found("sorted_batches", path)
    assert finding is not None
    epochs = [path.value[(path.steps > end - 24) & (path.steps <= end)] for end in (24, 48, 72, 96)]
    swing = np.median([np.ptp(values) / np.median(values) for values in epochs])
    assert finding.numbers["swing"] == (pytest.approx(swing, rel=1e-12) if known else 0)


def test_a_run_that_goes_on_for_less_than_an_epoch_tells_no_swing() -> None:
    batches = Softmax(*ordered(clouds(apart=1.5))).batches(10, order="sequential")
    rule = GradientDescent(1.0)
    first = fallline.minimize(batches, np.zeros(batches.dimension), rule, max_steps=48)
    finding = found("sorted_batches", fallline.minimize(batches, first.final.x, rule, max_steps=8, resume=first))
    assert finding is not None
    assert finding.numbers["swing"] == 0


def shuffled_classes() -> Drawn:
    data = clouds(apart=1.5)
    order = np.random.default_rng(0).permutation(len(data.y))
    return Drawn(data.X[order], data.y[order])


HEALTHY: Runs = {
    "sorted and shuffled": lambda: run(Softmax(*ordered(clouds(apart=1.5))), GradientDescent(0.2), order="shuffled"),
    "in an order of chance": lambda: run(Softmax(*shuffled_classes()), GradientDescent(0.2)),
    "in turn": lambda: run(Softmax(*clouds(apart=1.5)), GradientDescent(0.2)),
    "so slow that an epoch is like a step": lambda: run(
        Softmax(*ordered(clouds(apart=1.5))), GradientDescent(0.02), 30, steps=3000
    ),
    "a wave in its order": lambda: run(
        Network(np.sort(wave().X, axis=0), np.sin(2 * np.sort(wave().X, axis=0)[:, 0]), hidden=(16,), loss="squared"),
        Adam(0.005),
        20,
        steps=1500,
    ),
    "numbers without noise": lambda: run(Linear(*ordered(line(noise=0.01))), GradientDescent(0.1), steps=2000),
    "one class": lambda: run(Logistic(line().X, np.zeros(200)), GradientDescent(0.1)),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_orders_that_do_no_harm(name: str) -> None:
    assert found("sorted_batches", HEALTHY[name]()) is None


def test_all_rows_at_once_have_no_order() -> None:
    everything = fallline.minimize(Linear(*line()), np.zeros(5), GradientDescent(0.1), max_steps=20)
    assert missing("sorted_batches", everything) == "mini-batches"
