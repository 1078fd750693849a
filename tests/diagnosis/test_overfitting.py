"""The finding that the held-out loss rises while the training loss falls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import Runs, found, missing, the
from tests.diagnosis.rows import Drawn, clouds, line, wave

import fallline
from fallline import Adam, Fit, GradientDescent, Momentum
from fallline.diagnosis.case import Case
from fallline.diagnosis.known import Series


def table(data: Drawn, texts: bool = False) -> dict[str, object]:
    y = [f"class {label:.0f}" for label in data.y] if texts else data.y
    return {f"f{i}": data.X[:, i] for i in range(data.X.shape[1])} | {"y": y}


def noisy(rows: int, features: int = 5, seed: int = 0) -> Drawn:
    """A weak relation under much noise."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, features))
    return Drawn(X, np.sin(2 * X[:, 0]) + random.normal(size=rows))


def mixed(rows: int, seed: int = 0) -> Drawn:
    """Two classes, a third of them with the wrong label."""
    data = clouds(seed, rows, 2, 5, 1.5)
    random = np.random.default_rng(seed)
    return Drawn(data.X, np.where(random.random(rows) < 1 / 3, 1 - data.y, data.y))


def network(data: Drawn, rule: Any, texts: bool = False, **settings: Any) -> Fit:
    loss = "cross_entropy" if texts else "squared"
    known: dict[str, Any] = {"hidden": (30,), "activation": "tanh", "holdout": 0.4, "max_steps": 500, "loss": loss}
    return fallline.fit(table(data, texts), "y", model="network", optimizer=rule, **(known | settings))


OVERFITTED: Runs = {
    "numbers": lambda: network(noisy(80), Adam(0.03)),
    "numbers of rectifiers": lambda: network(noisy(100, seed=5), Adam(0.05), activation="relu"),
    "classes": lambda: network(mixed(90), Adam(0.03), texts=True),
    "classes by momentum": lambda: network(mixed(120, 2), Momentum(0.1), texts=True, max_steps=2000),
    "batches": lambda: network(noisy(100, seed=3), Adam(0.02), batch_size=10, max_steps=600),
    "two layers": lambda: network(noisy(120, seed=4), Adam(0.01), hidden=(20, 20)),
}


@pytest.mark.parametrize("name", OVERFITTED)
def test_networks_that_learn_the_noise(name: str) -> None:
    fitted = OVERFITTED[name]()
    finding = the("overfitting", fitted)
    curve = fitted.learning_curve()
    assert curve.held_out is not None
    assert finding.since == curve.steps[np.argmin(curve.held_out)]
    assert finding.numbers["lowest"] == pytest.approx(np.min(curve.held_out), rel=1e-12)
    assert finding.numbers["last"] == pytest.approx(curve.held_out[-1], rel=1e-12)


def test_the_error_is_that_of_paired_rows() -> None:
    fitted = OVERFITTED["numbers"]()
    finding = the("overfitting", fitted)
    assert fitted.held_out is not None
    rows = fitted.held_out.whole()
    run = fitted.trajectory
    start, end = (0.5 * (fitted.model.predict(rows.X, run.x[step]) - rows.y) ** 2 for step in (finding.since, -1))
    error = np.std(end - start) / np.sqrt(len(rows))
    # Beside it stands the curve's own jumps, which are small.
    assert finding.numbers["error"] == pytest.approx(error, rel=0.01)


def test_stopping_early_is_better_on_the_rows_held_out() -> None:
    finding = the("overfitting", OVERFITTED["numbers"]())
    settings = finding.remedies[0].settings
    stopped = network(noisy(80), Adam(0.03), **settings)
    assert stopped.score() > OVERFITTED["numbers"]().score()


def test_a_loaded_fit_is_judged_by_its_curve(tmp_path: Path) -> None:
    OVERFITTED["numbers"]().save(tmp_path / "fit.npz")
    the("overfitting", Fit.load(tmp_path / "fit.npz"))


HEALTHY: Runs = {
    "many rows": lambda: network(line(rows=400), Adam(0.02)),
    "a penalty": lambda: network(noisy(200), Adam(0.02), l2=0.3),
    # Momentum carries the weights beyond where the penalty lets them stay: the data's loss rises on all rows.
    "a penalty that draws the weights back": lambda: fallline.fit(
        table(clouds(rows=250, classes=2, apart=4), texts=True), "y", model="logistic", l2=0.01, holdout=0.3
    ),
    "the same of three classes": lambda: fallline.fit(
        table(clouds(seed=1, rows=250, apart=4), texts=True), "y", model="softmax", l2=0.01, holdout=0.3
    ),
    "a wave": lambda: network(wave(), Adam(0.02)),
    "well-parted classes": lambda: network(clouds(rows=300, apart=4), Adam(0.02), texts=True),
    "a line": lambda: fallline.fit(table(line()), "y", model="linear", holdout=0.3),
    "a line in few rows": lambda: fallline.fit(table(noisy(60)), "y", model="linear", holdout=0.3),
    "still at its best": lambda: network(noisy(80), GradientDescent(0.01), max_steps=100),
    "batches of a line": lambda: fallline.fit(
        table(line()), "y", model="linear", holdout=0.3, batch_size=10, epochs=30
    ),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_fits_that_hold_on_other_rows(name: str) -> None:
    assert found("overfitting", HEALTHY[name]()) is None


def test_what_is_missing_is_said() -> None:
    assert missing("overfitting", network(noisy(80), Adam(0.03), holdout=0.0)) == "a held-out loss"
    ends = network(noisy(80), Adam(0.03), record="ends")
    assert missing("overfitting", ends) == "a held-out loss at more steps"
    assert missing("overfitting", fallline.minimize("x**2", 1.0, "adam", max_steps=9)) == "a held-out loss"


def test_two_series_are_enough() -> None:
    # As a log has them: no points, no model.
    from fallline.diagnosis.findings.of_data.overfitting import overfitting

    steps = np.arange(0, 1000, 10)
    falling = Series(steps, np.exp(-steps / 200))
    rising = Series(steps, 0.5 + np.abs(steps - 300) / 1000)
    finding = overfitting.find(Case({"value": falling, "held_out": rising}))
    assert finding is not None
    assert finding.since == 300
    assert overfitting.find(Case({"value": falling, "held_out": falling})) is None
