"""Two Dask workers compared with one, and with no cluster: `python -m benchmarks.cluster`."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.measure import THREADS, Row, compared, faster, measured, show

import fallline
from fallline import Cluster
from fallline.models import Logistic
from fallline.stopping import Target

GRID = {"learning_rate": np.geomspace(1e-5, 1e-2, 40).tolist(), "momentum": np.linspace(0, 0.99, 50).tolist()}
FEATURES, CHUNKS = 100, 16
# The steps of a run over rows, and a target below all values, which never ends it.
STEPS, NEVER = 100, Target(-1e300)
TITLE = "A cluster"
ABOUT = f"""\
The same work on one Dask worker and on two, each a running process of one thread on this machine. Then two
workers compared with {THREADS} threads in one process without a cluster: both use the whole machine, so the
difference is the cost of communication. A gradient is limited by memory, which two threads share: the row that compares
one thread with two, without a cluster, shows what that leaves to gain."""


def rows(repeats: int = 3, steps: int = 100_000, count: int = 1_000_000) -> Iterator[Row]:
    """A sweep, and a gradient over rows that the workers keep."""

    def both() -> Iterator[Row]:
        with Cluster("local:1").opened() as one, Cluster("local:2").opened() as two:
            yield from sweeps(Cluster(one.client), Cluster(two.client), steps, repeats)
            yield from gradients(Cluster(one.client), Cluster(two.client), count, repeats)

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


def gradients(one: Cluster, two: Cluster, count: int, repeats: int) -> Iterator[Row]:
    """Steps of descent on a logistic loss whose rows the workers keep, and the bytes that each sends."""
    import dask.array as da

    draw = da.random.default_rng(0)
    chunks = -(-count // CHUNKS)
    X = draw.standard_normal((count, FEATURES), chunks=(chunks, FEATURES))
    y = (draw.random(count, chunks=chunks) < 0.5).astype(float)
    spread = Logistic(X, y, "sum")
    whole = Logistic(X.compute(scheduler="threads"), y.compute(scheduler="threads"), "sum")
    start = np.random.default_rng(1).normal(size=FEATURES + 1) / 10

    def run(loss: Logistic, engine: Any) -> Any:
        """A run, and the median time of its steps: its rows are made before the first."""
        reached: list[float] = []
        found = fallline.minimize(
            loss, start, fallline.GradientDescent(1e-9), max_steps=STEPS, stop=NEVER, engine=engine, record="ends",
            callback=lambda point: reached.append(time.perf_counter()),
        )  # fmt: skip
        return found, statistics.median(np.diff(reached).tolist())

    calls: dict[str, Callable[[], Any]] = {
        "one": functools.partial(run, spread, one),
        "two": functools.partial(run, spread, two),
        "none": functools.partial(run, whole, "auto"),
    }
    calls["one thread"] = single(calls["none"])
    steps: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            steps[name].append(call()[1])
    claim = f"a step of logistic regression, {count:,} × {FEATURES} in {CHUNKS} chunks, two workers"
    yield faster(f"{claim}: one worker", steps["one"], steps["two"], 1.6)
    yield faster(f"{claim}: no cluster", steps["none"], steps["two"])
    yield faster(f"the same without a cluster, {THREADS} threads: one thread", steps["one thread"], steps["none"])
    least = 2 * 8 * (spread.dimension + spread.dimension + 1)
    found = sent(calls["two"]) / STEPS
    yield Row(
        f"bytes an evaluation, two workers: the point to each and the sums back, {least:,} bytes",
        ours=f"{found:,.0f} bytes",
        ratio=f"{found / least:.3g} ×",
    )


def single(call: Callable[[], Any]) -> Callable[[], Any]:
    """The call on one thread."""
    from fallline.machine_code.threads import limited

    def alone() -> Any:
        with limited(1):
            return call()

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
    show(rows)
