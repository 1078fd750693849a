"""Two Dask workers beside one, and beside no cluster at all: `-m benchmarks.cluster`."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable
from typing import Any

import numpy as np
from benchmarks.engines import THREADS, compared, machine, spread, timed

import fallline
from fallline import Cluster
from fallline.engines.cluster import SpreadLoss, Workers
from fallline.models import Logistic

GRID = {"learning_rate": np.geomspace(1e-5, 1e-2, 40).tolist(), "momentum": np.linspace(0, 0.99, 50).tolist()}
FEATURES, CHUNKS = 100, 16


def main() -> None:
    """Print the times of the same work on one worker and on two, in turn, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--rows", type=int, default=2_000_000)
    asked = parser.parse_args()
    import distributed

    print(f"{machine()}, {THREADS} threads; Python {platform.python_version()}, distributed {distributed.__version__}")
    print(f"median (least to most) of {asked.repeats}, in turn; workers of one thread each, there and warm\n")
    print(f"{'claim':76} {'one worker':>24} {'two workers':>24} {'ratio':>24}  {'aim':>9}")
    with Cluster("local:1").opened() as one, Cluster("local:2").opened() as two:
        sweeps(one, two, asked.steps, asked.repeats)
        gradients(one, two, asked.rows, asked.repeats)


def sweeps(one: Workers, two: Workers, steps: int, repeats: int) -> None:
    """20,000 runs: learning rates × momentums × starts."""
    starts = np.random.default_rng(0).uniform(-3, 3, size=(10, 2)).tolist()

    def on(engine: Any) -> Callable[[], Any]:
        return lambda: fallline.sweep(
            "ackley", GRID, starts, fallline.Momentum(), target=1e-8, max_steps=steps, engine=engine
        )

    claim = f"sweep of 20,000 runs of at most {steps:,} steps, momentum, Ackley"
    compared(claim, on(Cluster(one.client)), on(Cluster(two.client)), repeats, aim=1.7)
    alone(f"in this process, {THREADS} threads", on("auto"), repeats)


def gradients(one: Workers, two: Workers, rows: int, repeats: int) -> None:
    """Value and gradient of a logistic loss whose rows stay at the workers."""
    import dask.array as da

    draw = da.random.default_rng(0)
    chunks = -(-rows // CHUNKS)
    X = draw.standard_normal((rows, FEATURES), chunks=(chunks, FEATURES))
    y = (draw.random(rows, chunks=chunks) < 0.5).astype(float)
    loss = Logistic(X, y)
    x = np.random.default_rng(1).normal(size=(1, FEATURES + 1)) / 10

    def on(workers: Workers) -> Callable[[], Any]:
        assert loss.dataset is not None
        spread_loss = SpreadLoss(loss, loss.dataset, workers)
        return lambda: spread_loss.value_and_gradient(x)

    # Each by itself at first: to make the rows takes far longer than to sum them.
    first, second = on(one), on(two)
    first(), second()
    claim = f"gradient of a logistic loss, {rows:,} × {FEATURES} in {CHUNKS} chunks"
    compared(claim, first, second, 3 * repeats, aim=1.0)
    whole = Logistic(X.compute(scheduler="threads"), y.compute(scheduler="threads"))
    alone(f"in this process, {THREADS} threads", lambda: whole.value_and_gradient(x), 3 * repeats)


def alone(claim: str, call: Callable[[], Any], repeats: int) -> None:
    """A row of the table without a cluster."""
    call()
    print(f"  {claim:74} {spread([timed(call) for _ in range(repeats)]):>24}", flush=True)


if __name__ == "__main__":
    main()
