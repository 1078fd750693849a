"""What a diagnosis without proof costs beside the run that it is about: `python -m benchmarks.diagnosis`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from benchmarks.measure import Row, faster, in_turn, measured, show

import fallline
from fallline import Adam, GradientDescent, models

TITLE = "Diagnosis"
ABOUT = """\
`run.diagnose(proof=False)`, all checks, beside what it may cost: a fifth of the run's own time, or 50 ms if that is
more. The run and its diagnosis are timed alternately."""

# The part of the run's time that a diagnosis may take, and the seconds that it may take in any case.
SHARE, SECONDS = 0.2, 0.05


def rows(repeats: int = 5) -> Iterator[Row]:
    """Five typical runs."""
    return measured(*(functools.partial(row, name, run, repeats) for name, run in RUNS.items()))


def row(name: str, run: Callable[[], Any], repeats: int) -> Iterator[Row]:
    """The diagnosis of one run, beside what it may cost."""
    result = run()
    taken = in_turn({"run": run, "diagnosis": lambda: result.diagnose(proof=False)}, repeats)
    allowed = [max(SHARE * seconds, SECONDS) for seconds in taken["run"]]
    yield faster(name, allowed, taken["diagnosis"], 1.0)


def formula() -> Any:
    """A compiled or plain run on a formula."""
    return fallline.minimize("rosenbrock", [-1.2, 1.0], GradientDescent(1e-3), max_steps=1000)


def function() -> Any:
    """A run on a NumPy function, differentiated by JAX."""
    return fallline.minimize(valley, np.full(20, 0.5), Adam(0.02), max_steps=1000)


def valley(x: Any) -> Any:
    """Rosenbrock's function of many coordinates."""
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def logistic() -> Any:
    """A fit on all rows."""
    return fallline.fit(classes(10_000, 20), "y", optimizer=GradientDescent(0.05), max_steps=500)


def network() -> Any:
    """A fit of a network in mini-batches, with rows held out."""
    options: dict[str, Any] = {"hidden": (32,), "optimizer": Adam(0.005), "batch_size": 64, "epochs": 30}
    return fallline.fit(classes(4_000, 20), "y", model="network", holdout=0.2, **options)


def large_network() -> Any:
    """A network of 10⁵ parameters."""
    draw = np.random.default_rng(0)
    X = draw.normal(size=(1_000, 64))
    loss = models.Network(X, (X[:, 0] * X[:, 1] > 0).astype(int), hidden=(256, 320))
    return fallline.minimize(loss.batches(100), loss.initial(0), Adam(1e-3), max_steps=300, record=10)


@functools.cache
def classes(count: int, width: int) -> dict[str, Any]:
    """Rows of two classes that overlap."""
    draw = np.random.default_rng(0)
    X = draw.normal(size=(count, width))
    y = X @ draw.normal(size=width) + draw.normal(size=count) > 0
    return {f"x{i}": X[:, i] for i in range(width)} | {"y": np.where(y, "yes", "no")}


RUNS: dict[str, Callable[[], Any]] = {
    "1,000 steps on a formula": formula,
    "1,000 steps on a function of 20 coordinates, by JAX": function,
    "500 steps of a logistic fit, 10,000 × 20": logistic,
    "30 epochs of a network fit, 3,200 × 20, 32 units": network,
    "300 steps of a network of 10⁵ parameters, batches of 100": large_network,
}


if __name__ == "__main__":
    show(rows)
