"""Runs by XLA, compared with JAX written by hand: `python -m benchmarks.xla`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from benchmarks.measure import Row, compared, measured, show

import fallline
from fallline.stopping import NotFinite

TITLE = "Batches by XLA"
ABOUT = """\
`engine="jax"` runs rules, conditions and objectives in lanes, compiled by XLA for the CPU or a GPU; `engine="auto"`
takes it for many runs of a Python function that JAX follows. The peers written in JAX are `jit(vmap(scan))` with no
stopping conditions, outcomes or checks of arguments. All are warm: compiled before."""

RUNS, STEPS, RATE = 10_000, 500, 0.01


def rows(repeats: int = 7) -> Iterator[Row]:
    """Every claim about runs by XLA."""
    parts = (batch_by_hand, sweep_of_a_function, network_by_hand, batch_on_a_gpu)
    return measured(*(functools.partial(part, repeats) for part in parts))


def rosenbrock(x: Any, y: Any) -> Any:
    """The function as anyone writes it: for floats, NumPy arrays and JAX arrays alike."""
    return 100 * (y - x**2) ** 2 + (1 - x) ** 2


def starts(count: int) -> Any:
    """So many points of the square in which the function is usually searched."""
    return np.random.default_rng(0).uniform(-2, 2, (count, 2))


def swept(objective: Any, count: int, **settings: Any) -> Callable[[], Any]:
    """The call that runs Adam from so many starts."""
    points = starts(count)
    return lambda: fallline.sweep(
        objective, points, fallline.Adam(), {"learning_rate": [RATE]}, max_steps=STEPS, stop=NotFinite(), **settings
    )


def adam_by_hand(value: Callable[[Any], Any], steps: int) -> Callable[[Any], Any]:
    """Adam on a function of a vector, in JAX."""
    import jax
    from jax import numpy as jnp

    def step(carried: Any, t: Any) -> Any:
        x, m, v = carried
        g = jax.grad(value)(x)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        x = x - RATE * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)
        return (x, m, v), None

    def run(x: Any) -> Any:
        (x, _, _), _ = jax.lax.scan(step, (x, 0 * x, 0 * x), jnp.arange(1.0, steps + 1))
        return x, value(x)

    return run


def in_double(function: Callable[[Any], Any], x: Any) -> Callable[[], Any]:
    """The call of a JAX function in float64."""
    import jax

    compiled = jax.jit(function)

    def call() -> Any:
        with jax.enable_x64(True):
            return jax.tree.map(np.asarray, compiled(x))

    return call


def batch_by_hand(repeats: int) -> Iterator[Row]:
    """A formula from many starts."""
    import jax

    by_hand = in_double(jax.vmap(adam_by_hand(lambda x: rosenbrock(x[0], x[1]), STEPS)), starts(RUNS))
    claim = f'{RUNS:,} runs of a formula, Adam, {STEPS} steps, `sweep(engine="jax")`; beside `jit(vmap(scan))`'
    yield compared(claim, by_hand, swept("rosenbrock", RUNS, engine="jax"), repeats, aim=0.8)


def sweep_of_a_function(repeats: int) -> Iterator[Row]:
    """A function in plain Python."""
    ours, theirs = (swept(rosenbrock, 1000, engine=engine) for engine in ("auto", "reference"))
    claim = f'1,000 runs of a Python function, Adam, {STEPS} steps, `sweep(engine="auto")`; beside "reference"'
    yield compared(claim, theirs, ours, repeats, aim=5)


def network_by_hand(repeats: int) -> Iterator[Row]:
    """The fit of a network."""
    import jax
    from jax import numpy as jnp

    random = np.random.default_rng(0)
    X = random.normal(size=(5_000, 20))
    y = (np.sin(X[:, 0]) + X[:, 1] * X[:, 2] > 0).astype(int)
    data = {f"x{i}": column for i, column in enumerate(X.T)}
    hidden, steps = 64, 100

    def loss(x: Any) -> Any:
        weights, b, outer, c = jnp.split(x, [20 * hidden, 21 * hidden, 23 * hidden])
        z = jax.nn.relu(jnp.asarray(X) @ weights.reshape(hidden, 20).T + b) @ outer.reshape(2, hidden).T + c
        return -jnp.mean(jax.nn.log_softmax(z)[jnp.arange(len(y)), y])

    by_hand = in_double(adam_by_hand(loss, steps), 0.1 * random.normal(size=23 * hidden + 2))
    ours = functools.partial(
        fallline.fit, data, y, model="network", hidden=(hidden,), optimizer=fallline.Adam(RATE), max_steps=steps,
        record="ends", stop=NotFinite(), standardize=False, engine="jax",
    )  # fmt: skip
    claim = f'A 20-{hidden}-2 network on 5,000 rows, Adam, {steps} steps, `fit(engine="jax")`; beside JAX by hand'
    yield compared(claim, by_hand, ours, repeats, aim=0.8)


def batch_on_a_gpu(repeats: int) -> Iterator[Row]:
    """The same batch on a GPU, where there is one."""
    claim = f'{100 * RUNS:,} runs of a formula, Adam, {STEPS} steps, `sweep(engine="jax", device="gpu")`'
    try:
        on_gpu = swept("rosenbrock", 100 * RUNS, engine="jax", device="gpu")
        on_gpu()
    except fallline.FalllineError as reason:
        yield Row(f"{claim}: not measured, {reason}")
        return
    on_cpu = swept("rosenbrock", 100 * RUNS, engine="jax", device="cpu")
    yield compared(f'{claim}; beside `device="cpu"`', on_cpu, on_gpu, repeats, aim=5)


if __name__ == "__main__":
    show(rows)
