"""Runs, one or many at once, compared with C, JAX, optax and torch: `python -m benchmarks.engines`."""

from __future__ import annotations

import concurrent.futures
import ctypes
import functools
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.measure import THREADS, Row, compared, faster, in_turn, measured, show, spread

import fallline
from fallline.engines import Problem, ends
from fallline.objectives import as_objective
from fallline.results.trajectory import Record
from fallline.stopping import StoppingCondition, Target, conditions

RATE = 0.01
# A target below all values: no run ends before the last step.
NEVER = Target(-1e300)

C_SOURCE = r"""
#include <math.h>
#include <stddef.h>

/* Value and gradient of the landscapes, and Adam, as a C programmer writes them. */
#define ADAM(g, m, v) do { \
    (m) = b1 * (m) + (1 - b1) * (g); \
    (v) = b2 * (v) + (1 - b2) * (g) * (g); \
} while (0)

/* One run, recorded: x, value and gradient of every step. */
void adam_recorded(double *x, double *value, double *gradient, long steps, double rate)
{
    const double b1 = 0.9, b2 = 0.999, epsilon = 1e-8;
    double a = x[0], b = x[1], ma = 0, mb = 0, va = 0, vb = 0, p1 = 1, p2 = 1;
    for (long t = 0; ; t++) {
        double u = b - a * a, w = 1 - a;
        double ga = -400 * a * u - 2 * w, gb = 200 * u;
        x[2 * t] = a; x[2 * t + 1] = b;
        value[t] = 100 * u * u + w * w;
        gradient[2 * t] = ga; gradient[2 * t + 1] = gb;
        if (t == steps) return;
        p1 *= b1; p2 *= b2;
        ADAM(ga, ma, va);
        ADAM(gb, mb, vb);
        a -= rate * (ma / (1 - p1)) / (sqrt(va / (1 - p2)) + epsilon);
        b -= rate * (mb / (1 - p1)) / (sqrt(vb / (1 - p2)) + epsilon);
    }
}

/* The floor: nothing but the stores of such a record. */
void stores_of_a_record(double *x, double *value, double *gradient, long steps)
{
    for (long t = 0; t <= steps; t++) {
        double number = t;
        x[2 * t] = number; x[2 * t + 1] = number;
        value[t] = number;
        gradient[2 * t] = number; gradient[2 * t + 1] = number;
    }
}

/* Many runs, in blocks that stay in the cache; the inner loop is over the runs of a block, and is vectorised. */
#define BLOCK 256
void adam_batch(double *restrict xs, double *restrict ys, long from, long to, long steps, double rate)
{
    const double b1 = 0.9, b2 = 0.999, epsilon = 1e-8;
    double a[BLOCK], b[BLOCK], ma[BLOCK], mb[BLOCK], va[BLOCK], vb[BLOCK];
    for (long start = from; start < to; start += BLOCK) {
        long count = to - start < BLOCK ? to - start : BLOCK;
        for (long i = 0; i < BLOCK; i++) {
            a[i] = i < count ? xs[start + i] : 0; b[i] = i < count ? ys[start + i] : 0;
            ma[i] = mb[i] = va[i] = vb[i] = 0;
        }
        double p1 = 1, p2 = 1;
        for (long t = 0; t < steps; t++) {
            p1 *= b1; p2 *= b2;
            for (long i = 0; i < BLOCK; i++) {
                double u = b[i] - a[i] * a[i], w = 1 - a[i];
                double ga = -400 * a[i] * u - 2 * w, gb = 200 * u;
                ADAM(ga, ma[i], va[i]);
                ADAM(gb, mb[i], vb[i]);
                a[i] -= rate * (ma[i] / (1 - p1)) / (sqrt(va[i] / (1 - p2)) + epsilon);
                b[i] -= rate * (mb[i] / (1 - p1)) / (sqrt(vb[i] / (1 - p2)) + epsilon);
            }
        }
        for (long i = 0; i < count; i++) { xs[start + i] = a[i]; ys[start + i] = b[i]; }
    }
}
"""
C_FLAGS = ["-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC"]


TITLE = "Runs"
ABOUT = """\
The same optimizer takes the same steps on the same landscape, in double precision. *Recorded* means that every point,
value and gradient is kept. The C programs are what a careful programmer would write for this one landscape and rule,
compiled with all that the machine has; Fallline compiles any formula with any elementwise rule. A batch is many runs
from different starts at once, on all threads, by the call that a user makes: `compare` with `record="ends"`. Where the
peer is *the engine*, that is the part of Fallline that makes the same runs; what the call takes beyond it is the price
of the arguments' checks, of the outcomes, the minima or the file."""

STEPS, START = 1_000_000, (-1.2, 1.0)
BATCH_STEPS = 200


def rows(repeats: int = 7, starts: int = 100_000) -> Iterator[Row]:
    """Every claim about runs."""
    return measured(
        *(functools.partial(part, repeats) for part in (recorded_by_optax, recorded_by_c, recorded_by_torch)),
        functools.partial(short_runs, repeats),
        *(functools.partial(part, starts, repeats) for part in (batches_by_jax, batch_by_c)),
        functools.partial(calls_by_engine, starts, repeats),
        *(functools.partial(part, repeats) for part in (short_calls_by_engine, basins_by_engine, second_process)),
        memory,
    )


@functools.cache
def c_library() -> ctypes.CDLL:
    """The peers written in C."""
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "peers.c"), Path(folder, "peers.so")
        source.write_text(C_SOURCE)
        subprocess.run(["gcc", *C_FLAGS, "-o", library, source, "-lm"], check=True)
        return ctypes.CDLL(str(library))


def pointer(array: Any) -> ctypes.c_void_p:
    """A pointer to an array's data."""
    return ctypes.c_void_p(array.ctypes.data)


def jax_landscapes() -> dict[str, Callable[[Any], Any]]:
    """Rosenbrock, Rastrigin and Ackley on jax.numpy."""
    import jax.numpy as jnp

    def ackley(x: Any) -> Any:
        root = jnp.sqrt((x[0] ** 2 + x[1] ** 2) / 2)
        waves = jnp.exp((jnp.cos(2 * jnp.pi * x[0]) + jnp.cos(2 * jnp.pi * x[1])) / 2)
        return 20 + jnp.e - 20 * jnp.exp(-0.2 * root) - waves

    return {
        "rosenbrock": lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2,
        "rastrigin": lambda x: 20 + jnp.sum(x**2 - 10 * jnp.cos(2 * jnp.pi * x)),
        "ackley": ackley,
    }


def recorded(engine: str = "compiled", steps: int = STEPS) -> Any:
    """One recorded run of Adam on Rosenbrock."""
    return fallline.minimize(
        "rosenbrock", START, fallline.Adam(RATE), max_steps=steps, stop=NEVER, engine=engine, record="all"
    )


def recorded_by_optax(repeats: int) -> Iterator[Row]:
    """The same by optax, all steps in one compiled loop."""
    import jax
    import jax.numpy as jnp
    import optax

    jax.config.update("jax_enable_x64", True)
    slope = jax.value_and_grad(jax_landscapes()["rosenbrock"])
    rule = optax.adam(RATE)

    def one_step(carry: Any, _: Any) -> Any:
        x, state = carry
        value, gradient = slope(x)
        change, state = rule.update(gradient, state)
        return (x + change, state), (x, value, gradient)

    scanned = jax.jit(lambda x: jax.lax.scan(one_step, (x, rule.init(x)), None, length=STEPS))
    start = jnp.array(START)
    claim = f"one recorded run, Adam, Rosenbrock, {STEPS:,} steps: optax in lax.scan"
    yield compared(claim, lambda: jax.block_until_ready(scanned(start)), recorded, repeats, 1.0)


def recorded_by_c(repeats: int) -> Iterator[Row]:
    """The same in C; and only its stores, which no program can do without."""
    c = c_library()

    def record() -> tuple[Any, Any, Any]:
        return np.empty((STEPS + 1, 2)), np.empty(STEPS + 1), np.empty((STEPS + 1, 2))

    def by_c() -> Any:
        x, value, gradient = record()
        x[0] = START
        c.adam_recorded(pointer(x), pointer(value), pointer(gradient), ctypes.c_long(STEPS), ctypes.c_double(RATE))
        return x

    def stores() -> Any:
        columns = record()
        c.stores_of_a_record(*map(pointer, columns), ctypes.c_long(STEPS))

    np.testing.assert_allclose(by_c()[:1000], recorded().x[:1000], rtol=1e-9)
    taken = in_turn({"C": by_c, "stores": stores, "ours": recorded}, repeats)
    claim = f"one recorded run, Adam, Rosenbrock, {STEPS:,} steps"
    yield faster(f"{claim}: C", taken["C"], taken["ours"], 0.8)
    yield faster(f"{claim}: C that only stores as many numbers, the floor", taken["stores"], taken["ours"])


def short_runs(repeats: int) -> Iterator[Row]:
    """A run of so few steps that most of its time is that of the call; a hundred calls are timed together."""
    made, calls = as_objective("x**2 + 3*y**2"), 100
    for what, objective in (("its text", made.title), ("the objective", made)):

        def call(objective: Any = objective) -> None:
            for _ in range(calls):
                fallline.minimize(objective, [1, 2], fallline.GradientDescent(0.1), max_steps=100)

        taken = [seconds / calls for seconds in in_turn({"ours": call}, repeats)["ours"]]
        claim = f"minimize of a formula, given as {what}, 100 steps, warm"
        yield Row(claim, ours=spread(taken), aim="≤ 1 ms", reached=statistics.median(taken) <= 1e-3)


def recorded_by_torch(repeats: int) -> Iterator[Row]:
    """Fewer steps by torch.optim, which executes them one by one, as our reference engine does."""
    import torch

    few = 2000

    def by_torch() -> Any:
        x = torch.tensor(START, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.Adam([x], lr=RATE)
        points = []
        for _ in range(few):
            optimizer.zero_grad()
            value = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
            value.backward()
            points.append((x.detach().clone(), value.item(), x.grad.clone()))
            optimizer.step()
        return points

    claim = f"the same, reference engine, {few:,} steps: torch.optim"
    yield compared(claim, by_torch, lambda: recorded("reference", few), repeats, 20.0)


def engine(
    name: str, starts: Any, rule: Any, steps: int, stop: StoppingCondition | None = NEVER, judge: bool = True
) -> Callable[[], Any]:
    """The compiled engine by itself, on many starts at once."""
    given = Problem(as_objective(name), starts, rule, steps, conditions(stop), Record(every=None), seed=0)
    return lambda: ends(given, "compiled", judge=judge)


def batch(name: str, k: int) -> Callable[[], Any]:
    """Many starts at once, Adam on a landscape, compiled."""
    settings: dict[str, Any] = {"max_steps": BATCH_STEPS, "stop": NEVER, "record": "ends", "engine": "compiled"}
    starts, rule = random_starts(k), fallline.Adam(RATE)
    return lambda: fallline.compare(name, starts, rule, **settings)


def random_starts(k: int) -> Any:
    """Points around the origin."""
    return np.random.default_rng(0).uniform(-2, 2, (k, 2))


def batches_by_jax(k: int, repeats: int) -> Iterator[Row]:
    """The same by jit(vmap(scan))."""
    import jax
    import jax.numpy as jnp
    import optax

    jax.config.update("jax_enable_x64", True)

    def by_jax(name: str) -> Callable[[], Any]:
        slope = jax.grad(jax_landscapes()[name])
        rule = optax.adam(RATE)

        def one_step(carry: Any, _: Any) -> Any:
            x, state = carry
            change, state = rule.update(slope(x), state)
            return (x + change, state), None

        def scanned(x: Any) -> Any:
            return jax.lax.scan(one_step, (x, rule.init(x)), None, length=BATCH_STEPS)[0][0]

        batch, given = jax.jit(jax.vmap(scanned)), jnp.array(random_starts(k))
        return lambda: jax.block_until_ready(batch(given))

    for name, aim in (("rosenbrock", 2.0), ("rastrigin", 4.0), ("ackley", 4.0)):
        claim = f"{k:,} starts × {BATCH_STEPS} steps, Adam, {name.title()}: jit(vmap(scan))"
        yield compared(claim, by_jax(name), batch(name, k), repeats, aim)


def batch_by_c(k: int, repeats: int) -> Iterator[Row]:
    """The same in C, vectorised, on as many threads."""
    c = c_library()
    pool = concurrent.futures.ThreadPoolExecutor(THREADS)
    starts = random_starts(k)

    def by_c() -> Any:
        x, y = np.ascontiguousarray(starts[:, 0]), np.ascontiguousarray(starts[:, 1])
        cuts = np.linspace(0, k, THREADS + 1).astype(int)
        waiting = [
            pool.submit(
                c.adam_batch,
                pointer(x),
                pointer(y),
                ctypes.c_long(low),
                ctypes.c_long(high),
                ctypes.c_long(BATCH_STEPS),
                ctypes.c_double(RATE),
            )
            for low, high in itertools.pairwise(cuts.tolist())
        ]
        for one in waiting:
            one.result()
        return np.stack([x, y], axis=1)

    ours = batch("rosenbrock", k)
    # The median: a few runs are so near a ridge that rounding decides where they go.
    assert np.median(np.abs(by_c() - ours().x)) < 1e-9
    claim = f"{k:,} starts × {BATCH_STEPS} steps, Adam, Rosenbrock: vectorised C"
    yield compared(claim, by_c, ours, repeats, 1 / 1.3)


def grid(resolution: int, low: float, high: float) -> Any:
    """Starts on a grid over a square."""
    axis = np.linspace(low, high, resolution)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def calls_by_engine(k: int, repeats: int) -> Iterator[Row]:
    """The time of compare, sweep and basins compared with that of the engine alone."""
    rule, starts, side = fallline.Adam(RATE), random_starts(k), round(k**0.5)
    settings: dict[str, Any] = {"max_steps": BATCH_STEPS, "stop": NEVER, "engine": "compiled"}
    swept = functools.partial(fallline.sweep, "rosenbrock", starts, rule, {}, **settings)
    names = (str(number) for number in itertools.count())
    with tempfile.TemporaryDirectory() as folder:
        calls: dict[str, tuple[Callable[[], Any], Any, float]] = {
            'compare(record="ends")': (batch("rosenbrock", k), starts, 1.5),
            "sweep": (swept, starts, 1.5),
            "sweep(store=...), a new file each time": (lambda: swept(store=Path(folder, next(names))), starts, 3.0),
            "basins": (
                lambda: fallline.basins("rosenbrock", [(-2, 2), (-2, 2)], rule, resolution=side, **settings),
                grid(side, -2, 2),
                1.5,
            ),
        }
        for name, (call, given, most) in calls.items():
            claim = f"{len(given):,} starts × {BATCH_STEPS} steps, Adam, Rosenbrock, {name}: the engine"
            yield compared(claim, engine("rosenbrock", given, rule, BATCH_STEPS), call, repeats, 1 / most)


def short_calls_by_engine(repeats: int) -> Iterator[Row]:
    """The same of runs so short that what the call does with their ends takes as long as the runs."""
    formula, rule, steps = "x**2 + 3*y**2", fallline.GradientDescent(0.1), 100
    settings: dict[str, Any] = {"max_steps": steps, "engine": "compiled"}
    calls: dict[str, tuple[Callable[..., Any], int]] = {
        "sweep": (lambda starts: fallline.sweep(formula, starts, rule, {}, **settings), 10_000),
        'compare(record="ends")': (
            lambda starts: fallline.compare(formula, starts, rule, record="ends", **settings),
            20_000,
        ),
    }
    for name, (call, k) in calls.items():
        starts = random_starts(k)
        alone = engine(formula, starts, rule, steps, None, judge=False)
        claim = f"{k:,} starts × {steps} steps, gradient descent, {formula}, {name}: the engine without the verdict"
        yield compared(claim, alone, functools.partial(call, starts), repeats)


def basins_by_engine(repeats: int) -> Iterator[Row]:
    """A map of basins compared with the engine alone."""
    rule = fallline.Momentum(RATE)
    by_engine = engine("himmelblau", grid(512, -5, 5), rule, 500, None)
    taken = in_turn({"engine": by_engine, "map": lambda: himmelblau(512, 500)}, repeats)
    claim = "map of basins: 512 × 512 starts × 500 steps, momentum, Himmelblau, warm"
    yield Row(claim, ours=spread(taken["map"]), aim="< 1 s", reached=statistics.median(taken["map"]) < 1)
    yield faster("the same: the engine", taken["engine"], taken["map"])


def himmelblau(resolution: int, steps: int) -> Any:
    """A map of the basins of Himmelblau's function, with a rate at which its runs arrive."""
    return fallline.basins("himmelblau", None, fallline.Momentum(RATE), resolution=resolution, max_steps=steps)


SECOND = """
import time
import fallline
fallline.minimize("x**2", 1.0, "adam", max_steps=1)
began = time.perf_counter()
fallline.minimize("rosenbrock", [-1.2, 1.0], fallline.Adam(0.01), max_steps=1000, engine="compiled")
print(time.perf_counter() - began)
"""


def second_process(repeats: int) -> Iterator[Row]:
    """The time of the first compiled run in a process, after another process has compiled the same."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = {**os.environ, "FALLLINE_CACHE": folder}
        first, *later = (
            float(subprocess.run([sys.executable, "-c", SECOND], env=fresh, capture_output=True, check=True).stdout)
            for _ in range(repeats + 1)
        )
    claim = f"first run of a process, 1,000 steps, compiled by an earlier one (by itself: {1e3 * first:.0f} ms)"
    yield Row(claim, ours=spread(later), aim="< 0.3 s", reached=statistics.median(later) < 0.3)


MEMORY = """
from benchmarks.engines import himmelblau
from benchmarks.measure import peak_memory
before = peak_memory()
himmelblau(1000, 200)
print(before, peak_memory())
"""


def memory() -> Iterator[Row]:
    """The peak memory of a process that makes a map of a million starts."""
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    before, after = (int(number) / 1e6 for number in done.stdout.split())
    claim = f"most memory of a process with a map of 1,000,000 starts (without: {before:.0f} MB)"
    yield Row(claim, ours=f"{after:.0f} MB", aim="< 1 GB", reached=after < 1000)


if __name__ == "__main__":
    show(rows)
