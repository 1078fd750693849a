"""Two Dask workers compared with one, and with no cluster: `python -m benchmarks.cluster`."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.measure import THREADS, Row, compared, measured, show

import fallline
from fallline import Cluster
from fallline.engines.spread import SpreadLoss
from fallline.engines.workers import Workers
from fallline.models import Logistic

GRID = {"learning_rate": np.geomspace(1e-5, 1e-2, 40).tolist(), "momentum": np.linspace(0, 0.99, 50).tolist()}
FEATURES, CHUNKS = 100, 16
TITLE = "A cluster"
ABOUT = f"""\
The same work on one Dask worker and on two, each a running process of one thread on this machine. Then two
workers compared with {THREADS} threads in one process without a cluster: both use the whole machine, so the
difference is the cost of communication. A gradient is limited by memory, which two threads share: the row that compares
one thread with two, without a cluster, shows what that leaves to gain."""


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
            yield from sweeps(Cluster(one.client), Cluster(two.client), steps, repeats)
            yield from gradients(one, two, count, repeats)

    return measured(both)


def sweeps(one: Cluster, two: Cluster, steps: int, repeats: int) -> Iterator[Row]:
    """60,000 runs: learning rates × momentums × starts."""
    starts = np.random.default_rng(0).uniform(-3, 3, size=(30, 2)).tolist()

    def on(engine: Any) -> Callable[[], Any]:
        return functools.partial(
            fallline.sweep,
            "ackley", starts, fallline.Momentum(), GRID, target=1e-8, max_steps=steps, engine=engine,
        )  # fmt: skip

    claim = f"sweep of 60,000 runs of at most {steps:,} steps, two workers"
    yield compared(f"{claim}: one worker", on(one), on(two), repeats, 1.8)
    yield compared(f"{claim}: no cluster", on("auto"), on(two), repeats)


def gradients(one: Workers, two: Workers, count: int, repeats: int) -> Iterator[Row]:
    """Value and gradient of a logistic loss whose rows the workers keep, and the bytes that each sends."""
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
    yield compared(f"{claim}: one worker", first, second, 3 * repeats, 1.6)
    whole = Logistic(X.compute(scheduler="threads"), y.compute(scheduler="threads"), "sum")
    yield compared(f"{claim}: no cluster", lambda: whole.value_and_gradient(x), second, 3 * repeats)
    alone = functools.partial(whole.value_and_gradient, x)
    yield compared(f"the same without a cluster, {THREADS} threads: one thread", single(alone), alone, 3 * repeats)
    least = 2 * 8 * (loss.dimension + loss.dimension + 1)
    found = sent(lambda: [second() for _ in range(100)]) / 100
    yield Row(
        f"bytes an evaluation, two workers: the point to each and the sums back, {least:,} bytes",
        ours=f"{found:,.0f} bytes",
        ratio=f"{found / least:.3g} ×",
    )


def single(call: Callable[[], Any]) -> Callable[[], Any]:
    """The call on one thread."""
    from fallline.machine_code.threads import limited

    def alone() -> None:
        with limited(1):
            call()

    return alone


def sent(call: Callable[[], Any]) -> int:
    """The bytes that a call sends between processes of this machine, with all that the network adds, on Linux."""

    def so_far() -> int:
        lines = Path("/proc/net/dev").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.strip().startswith("lo:"))

    before = so_far()
    call()
    return so_far() - before


if __name__ == "__main__":
    main()
