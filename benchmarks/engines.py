"""The compiled engine beside its peers: the same runs, side by side, in one process, as a table of ratios."""

from __future__ import annotations

import argparse
import ctypes
import functools
import itertools
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import fallline
from fallline.engines import Problem, ends
from fallline.objectives import as_objective
from fallline.stopping import Target, conditions
from fallline.trajectory import Record

RATE = 0.01
# The values stay above it: no run ends before the last step.
NEVER = Target(-1e300)
THREADS = len(os.sched_getaffinity(0))

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


def main() -> None:
    """Print the times and their ratios, and whether they reach what is aimed at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--starts", type=int, default=100_000)
    asked = parser.parse_args()
    import jax

    jax.config.update("jax_enable_x64", True)
    import llvmlite
    import optax
    import torch

    torch.set_num_threads(THREADS)
    print(f"{machine()}, {THREADS} threads; Python {platform.python_version()}, llvmlite {llvmlite.__version__}")
    print(f"jax {jax.__version__}, optax {optax.__version__}, torch {torch.__version__}, {compiler()}")
    print(f"median (least to most) of {asked.repeats}, in turn; all in float64\n")
    print(f"{'claim':76} {'peer':>24} {'Fallline':>24} {'ratio':>24}  {'aim':>9}")
    with tempfile.TemporaryDirectory() as folder:
        c = c_library(Path(folder))
        recorded(c, asked.repeats)
        batches(c, asked.starts, asked.repeats)
    basins(asked.repeats)
    second_process(asked.repeats)
    memory()
    growth(asked.repeats)


def line(claim: str, peer: str, ours: str, ratio: str, aim: str, reached: bool) -> None:
    """One row of the table."""
    print(f"{claim:76} {peer:>24} {ours:>24} {ratio:>24}  {aim:>9} {'yes' if reached else 'NO'}", flush=True)


def compared(claim: str, peer: Callable[[], Any], ours: Callable[[], Any], repeats: int, aim: float) -> None:
    """One row: how many times faster ours is, each timed in turn after one untimed call."""
    peer(), ours()
    theirs, own = [], []
    for _ in range(repeats):
        theirs.append(timed(peer))
        own.append(timed(ours))
    ratios = [one / other for one, other in zip(theirs, own, strict=True)]
    line(claim, spread(theirs), spread(own), spread(ratios, "×"), f"{aim:.3g} ×", statistics.median(ratios) >= aim)


def timed(call: Callable[[], Any]) -> float:
    """The seconds a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def spread(numbers: list[float], unit: str = "s") -> str:
    """Median, least and most."""
    if unit == "s":
        scale, unit = (1e3, "ms") if statistics.median(numbers) < 1 else (1.0, "s")
        numbers = [scale * number for number in numbers]
    return f"{statistics.median(numbers):.3g} ({min(numbers):.3g} to {max(numbers):.3g}) {unit}"


def machine() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))


def compiler() -> str:
    """The C compiler's name and version."""
    return subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]


def c_library(folder: Path) -> ctypes.CDLL:
    """The peers written in C."""
    (folder / "peers.c").write_text(C_SOURCE)
    subprocess.run(["gcc", *C_FLAGS, "-o", folder / "peers.so", folder / "peers.c", "-lm"], check=True)
    return ctypes.CDLL(str(folder / "peers.so"))


def pointer(array: Any) -> ctypes.c_void_p:
    """The address of an array's first number."""
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


def recorded(c: ctypes.CDLL, repeats: int) -> None:
    """One recorded run of Adam on Rosenbrock."""
    import jax
    import jax.numpy as jnp
    import optax
    import torch

    steps, start = 1_000_000, [-1.2, 1.0]

    def ours(engine: str = "compiled", steps: int = steps) -> Any:
        return fallline.minimize(
            "rosenbrock", start, fallline.Adam(RATE), max_steps=steps, stop=NEVER, engine=engine, record="all"
        )

    slope = jax.value_and_grad(jax_landscapes()["rosenbrock"])
    rule = optax.adam(RATE)

    def one_step(carry: Any, _: Any) -> Any:
        x, state = carry
        value, gradient = slope(x)
        change, state = rule.update(gradient, state)
        return (x + change, state), (x, value, gradient)

    scanned = jax.jit(lambda x: jax.lax.scan(one_step, (x, rule.init(x)), None, length=steps))

    def by_optax() -> Any:
        return jax.block_until_ready(scanned(jnp.array(start)))

    def by_c() -> Any:
        x, value, gradient = np.empty((steps + 1, 2)), np.empty(steps + 1), np.empty((steps + 1, 2))
        x[0] = start
        c.adam_recorded(pointer(x), pointer(value), pointer(gradient), ctypes.c_long(steps), ctypes.c_double(RATE))
        return x

    def by_torch(steps: int) -> Any:
        x = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.Adam([x], lr=RATE)
        points = []
        for _ in range(steps):
            optimizer.zero_grad()
            value = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
            value.backward()
            points.append((x.detach().clone(), value.item(), x.grad.clone()))
            optimizer.step()
        return points

    np.testing.assert_allclose(by_c()[:1000], ours().x[:1000], rtol=1e-9)
    name = f"one recorded run, Adam, Rosenbrock, {steps:,} steps: "
    compared(name + "optax in lax.scan", by_optax, ours, repeats, 1.0)
    compared(name + "C", by_c, ours, repeats, 0.5)
    few = 2000
    name = f"the same, reference engine, {few:,} steps: torch.optim"
    compared(name, lambda: by_torch(few), lambda: ours("reference", few), repeats, 20.0)


def problem(name: str, starts: Any, rule: Any, steps: int, stop: Any = NEVER) -> Problem:
    """A batch on a landscape."""
    return Problem(
        objective=as_objective(name),
        starts=starts,
        optimizer=rule,
        max_steps=steps,
        conditions=conditions(stop),
        record=Record(),
        seed=0,
        callback=None,
        report=lambda made: None,
    )


def batches(c: ctypes.CDLL, k: int, repeats: int) -> None:
    """Many starts at once."""
    import concurrent.futures

    import jax
    import jax.numpy as jnp
    import optax

    steps = 200
    starts = np.random.default_rng(0).uniform(-2, 2, (k, 2))
    pool = concurrent.futures.ThreadPoolExecutor(THREADS)

    def ours(name: str) -> Callable[[], Any]:
        given = problem(name, starts, fallline.Adam(RATE), steps)
        return lambda: ends(given, "compiled")

    def by_jax(name: str) -> Callable[[], Any]:
        slope = jax.grad(jax_landscapes()[name])
        rule = optax.adam(RATE)

        def one_step(carry: Any, _: Any) -> Any:
            x, state = carry
            change, state = rule.update(slope(x), state)
            return (x + change, state), None

        def scanned(x: Any) -> Any:
            return jax.lax.scan(one_step, (x, rule.init(x)), None, length=steps)[0][0]

        batch, given = jax.jit(jax.vmap(scanned)), jnp.array(starts)
        return lambda: jax.block_until_ready(batch(given))

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
                ctypes.c_long(steps),
                ctypes.c_double(RATE),
            )
            for low, high in itertools.pairwise(cuts.tolist())
        ]
        for one in waiting:
            one.result()
        return np.stack([x, y], axis=1)

    # Few runs are so near a ridge that roundings decide.
    assert np.median(np.abs(by_c() - ours("rosenbrock")().x)) < 1e-9
    for name, aim in (("rosenbrock", 2.0), ("rastrigin", 4.0), ("ackley", 4.0)):
        claim = f"{k:,} starts × {steps} steps, Adam, {name}: jit(vmap(scan))"
        compared(claim, by_jax(name), ours(name), repeats, aim)
    claim = f"{k:,} starts × {steps} steps, Adam, rosenbrock: vectorised C"
    compared(claim, by_c, ours("rosenbrock"), repeats, 1 / 1.3)


def grid(resolution: int) -> Any:
    """Starts on a grid over Himmelblau's box."""
    axis = np.linspace(-5, 5, resolution)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def basins(repeats: int) -> None:
    """The ends of a map of basins."""
    given = problem("himmelblau", grid(512), fallline.Momentum(0.001), 500, None)
    ends(given, "compiled")
    times = [timed(lambda: ends(given, "compiled")) for _ in range(repeats)]
    claim = "512 × 512 starts × 500 steps, momentum, Himmelblau, warm"
    line(claim, "", spread(times), "", "< 1 s", statistics.median(times) < 1)


SECOND = """
import time
import fallline
fallline.minimize("x**2", 1.0, "adam", max_steps=1)
began = time.perf_counter()
fallline.minimize("rosenbrock", [-1.2, 1.0], fallline.Adam(0.01), max_steps=1000, engine="compiled")
print(time.perf_counter() - began)
"""


def second_process(repeats: int) -> None:
    """What a process waits for its first compiled run, when another has compiled the same before."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = {**os.environ, "FALLLINE_CACHE": folder}
        first, *later = (
            float(subprocess.run([sys.executable, "-c", SECOND], env=fresh, capture_output=True, check=True).stdout)
            for _ in range(repeats + 1)
        )
    claim = "first compiled run of a process, 1,000 steps: compiling it, and compiled before"
    line(claim, spread([first]), spread(later), "", "< 0.3 s", statistics.median(later) < 0.3)


MEMORY = """
import pathlib, sys
def most():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
sys.path.insert(0, {folder!r})
from engines import ends, fallline, grid, problem
before = most()
ends(problem("himmelblau", grid(1000), fallline.Momentum(0.001), 200, None), "compiled")
print(before, most())
"""


def memory() -> None:
    """The most memory of a process with a million starts."""
    code = MEMORY.format(folder=str(Path(__file__).parent))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, after = (int(number) / 1024 for number in done.stdout.split())
    claim = "most memory of a process: before, and with 1,000,000 starts"
    line(claim, f"{before:.0f} MB", f"{after:.0f} MB", "", "< 1 GB", after < 1000)


def growth(repeats: int) -> None:
    """How the time grows with the steps of one run, and with the starts of a batch."""

    def one_run(steps: int) -> Any:
        return fallline.minimize(
            "rosenbrock", [-1.2, 1.0], fallline.Adam(RATE), max_steps=steps, stop=NEVER, engine="compiled"
        )

    def batch(k: int) -> Any:
        starts = np.random.default_rng(0).uniform(-2, 2, (k, 2))
        return ends(problem("rosenbrock", starts, fallline.Adam(RATE), 200), "compiled")

    for claim, smallest, run in (("steps of one recorded run", 250_000, one_run), ("starts of a batch", 32_768, batch)):
        sizes = [smallest * 2**i for i in range(4)]
        times = [min(timed(functools.partial(run, size)) for _ in range(repeats)) for size in sizes]
        exponent = np.polyfit(np.log(sizes), np.log(times), 1)[0]
        line(
            f"time against {claim}, {sizes[0]:,} to {sizes[-1]:,}",
            "exponent",
            f"{exponent:.2f}",
            "",
            "1.0 ± 0.1",
            abs(exponent - 1) <= 0.1,
        )


if __name__ == "__main__":
    main()
