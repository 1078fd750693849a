"""The finding that the noise of mini-batches keeps the loss up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import Runs, found, missing, the
from tests.diagnosis.rows import Drawn, clouds, line, wave

import fallline
from fallline import Adam, GradientDescent, Linear, Logistic, Momentum, Network, Softmax, Trajectory
from fallline.models import Loss
from fallline.schedules import Cosine, InverseTime


def run(loss: Loss, rule: Any, size: int, steps: int = 800, **settings: Any) -> Trajectory:
    x0 = loss.initial(1) if isinstance(loss, Network) else np.zeros(loss.dimension)
    return fallline.minimize(loss.batches(size), x0, rule, max_steps=steps, **settings)


def binary() -> Drawn:
    data = line(noise=1.0)
    return Drawn(data.X, (data.y > 0.5).astype(float))


ROUGH = Linear(*line(noise=1.0))
FLOORED: Runs = {
    "a line, row by row": lambda: run(ROUGH, GradientDescent(0.12), 1),
    "a line by momentum": lambda: run(ROUGH, Momentum(0.015), 1),
    "a line in batches of 4": lambda: run(ROUGH, GradientDescent(0.3), 4),
    "logistic": lambda: run(Logistic(*binary()), GradientDescent(1.0), 1),
    "softmax by Adam": lambda: run(Softmax(*clouds(apart=1.0)), Adam(0.2), 2),
    "a network": lambda: run(
        Network(*wave(noise=0.7), hidden=(8,), activation="tanh", loss="squared"), GradientDescent(0.2), 1
    ),
    "every tenth step": lambda: run(ROUGH, GradientDescent(0.12), 1, record=10),
}


@pytest.mark.parametrize("name", FLOORED)
def test_constant_rates_on_small_batches(name: str) -> None:
    finding = the("noise_floor", FLOORED[name]())
    assert finding.numbers["at_mean"] < finding.numbers["level"]


def test_the_figures_are_those_of_all_rows() -> None:
    result = FLOORED["a line, row by row"]()
    finding = the("noise_floor", result)
    late = result.x[result.steps >= 0.6 * result.step_count]
    assert finding.numbers["at_mean"] == pytest.approx(float(ROUGH.value(late.mean(axis=0))), rel=1e-9)
    # The level is measured at 20 of the last of these points, so it has an error.
    error = ROUGH.value(late).std() / np.sqrt(20)
    assert finding.numbers["level"] == pytest.approx(ROUGH.value(late).mean(), abs=3 * error)
    assert finding.numbers["whole_gradient"] == pytest.approx(np.linalg.norm(ROUGH.gradient(late.mean(axis=0))))


def test_a_falling_rate_and_a_larger_batch_help() -> None:
    result = FLOORED["a line, row by row"]()
    finding = the("noise_floor", result)
    falling, larger = (remedy.settings for remedy in finding.remedies)
    assert falling["optimizer"] == GradientDescent(Cosine(0.12, steps=800))
    assert larger["objective"].size == 8
    best = finding.numbers["at_mean"]
    changed = fallline.minimize(ROUGH.batches(1), np.zeros(5), falling["optimizer"], max_steps=800)
    assert changed.fun - best < 0.2 * (finding.numbers["level"] - best)


HEALTHY: Runs = {
    "small steps": lambda: run(ROUGH, GradientDescent(0.02), 16),
    "a falling rate": lambda: run(ROUGH, GradientDescent(Cosine(0.12, steps=800)), 1),
    "a rate like 1/t": lambda: run(ROUGH, GradientDescent(InverseTime(0.1, 0.1)), 1),
    "little noise": lambda: run(Linear(*line(noise=0.05)), GradientDescent(0.05), 8),
    "no noise": lambda: run(Linear(*line(noise=0.0)), GradientDescent(0.05), 1),
    "still falling": lambda: run(ROUGH, GradientDescent(0.002), 1),
    "clouds": lambda: run(Softmax(*clouds()), GradientDescent(0.2), 32),
    "a network that learns on": lambda: run(Network(clouds().X, clouds().y.astype(int), hidden=(12,)), Adam(0.01), 32),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_noise_that_averages_out(name: str) -> None:
    assert found("noise_floor", HEALTHY[name]()) is None


def test_what_is_missing_is_said() -> None:
    everything = fallline.minimize(ROUGH, np.zeros(5), GradientDescent(0.1), max_steps=20)
    assert missing("noise_floor", everything) == "mini-batches"
    assert missing("noise_floor", run(ROUGH, GradientDescent(0.12), 1, record="ends")) == "more recorded steps"
