"""Two Dask workers compared with one, and with no cluster: `python -m benchmarks.cluster`."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from benchmarks.measure import THREADS, Row, compared, measured, show

import fallline
from fallline import Cluster
from fallline.engines.cluster import SpreadLoss
from fallline.engines.workers import Workers
from fallline.models import Logistic

GRID = {"learning_rate": np.geomspace(1e-5, 1e-2, 40).tolist(), "momentum": np.linspace(0, 0.99, 50).tolist()}
FEATURES, CHUNKS = 100, 16
TITLE = "A cluster"
ABOUT = f"""\
The same work on one Dask worker and on two, each a running process of one thread on this machine. Then two
workers compared with {THREADS} threads in one process without a cluster: both use the whole machine, so the
difference is the cost of communication."""


def main() -> None:
    """Print the times of the same work on one worker and on two, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    asked = parser.parse_args()
    show(rows(asked.repeats, asked.steps, asked.rows))


def rows(repeats: int = 3, steps: int = 100_000, count: int = 1_000_000) -> Iterator[Row]:
    """A sweep, and a gradient over rows that the workers keep."""

    def both() -> Iterator[Row]:
        with Cluster("local:1").opened() as one, Cluster("local:2").opened() as two:
            yield from sweeps(one, two, steps, repeats)
            yield from gradients(one, two, count, repeats)

    return measured(both)


def sweeps(one: Workers, two: Workers, steps: int, repeats: int) -> Iterator[Row]:
    """20,000 runs: learning rates × momentums × starts."""
    starts = np.random.default_rng(0).uniform(-3, 3, size=(10, 2)).tolist()

    def on(engine: Any) -> Callable[[], Any]:
        return functools.partial(
            fallline.sweep,
            "ackley", starts, fallline.Momentum(), GRID, target=1e-8, max_steps=steps, engine=engine,
        )  # fmt: skip

    claim = f"sweep of 20,000 runs of at most {steps:,} steps, two workers"
    yield compared(f"{claim}: one worker", on(Cluster(one.client)), on(Cluster(two.client)), repeats, 1.7)
    yield compared(f"{claim}: no cluster", on("auto"), on(Cluster(two.client)), repeats)


def gradients(one: Workers, two: Workers, count: int, repeats: int) -> Iterator[Row]:
    """Value and gradient of a logistic loss whose rows the workers keep."""
    import dask.array as da

    draw = da.random.default_rng(0)
    chunks = -(-count // CHUNKS)
    X = draw.standard_normal((count, FEATURES), chunks=(chunks, FEATURES))
    y = (draw.random(count, chunks=chunks) < 0.5).astype(float)
    loss = Logistic(X, y, "sum")
    x = np.random.default_rng(1).normal(size=(1, FEATURES + 1)) / 10

    def on(workers: Workers) -> Callable[[], Any]:
        assert loss.dataset is not None
        spread_loss = SpreadLoss(loss, loss.dataset, workers)
        return lambda: spread_loss.value_and_gradient(x)

    first, second = on(one), on(two)
    claim = f"logistic gradient, {count:,} × {FEATURES} in {CHUNKS} chunks, two workers"
    # The untimed first call makes the rows, which takes far longer than the sum over them.
    yield compared(f"{claim}: one worker", first, second, 3 * repeats)
    whole = Logistic(X.compute(scheduler="threads"), y.compute(scheduler="threads"), "sum")
    yield compared(f"{claim}: no cluster", lambda: whole.value_and_gradient(x), second, 3 * repeats)


if __name__ == "__main__":
    main()
