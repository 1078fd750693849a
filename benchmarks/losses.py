"""Gradients of losses on large data beside their peers, and beside what the memory gives: `-m benchmarks.losses`."""

from __future__ import annotations

import argparse
import platform
import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from benchmarks.engines import THREADS, machine, spread, timed

from fallline.models import Logistic, Softmax

FEATURES, CLASSES = 100, 10


def main() -> None:
    """Print the times, their ratios, and the share of the memory's speed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--rows", type=int, default=1_000_000)
    asked = parser.parse_args()
    import jax
    import torch

    jax.config.update("jax_enable_x64", True)
    torch.set_num_threads(THREADS)
    print(f"{machine()}, {THREADS} threads; Python {platform.python_version()}")
    print(f"numpy {np.__version__}, jax {jax.__version__}, torch {torch.__version__}")
    print(f"median (least to most) of {asked.repeats}, in turn; X has {asked.rows:,} rows of {FEATURES}\n")
    random = np.random.default_rng(0)
    X = random.standard_normal((asked.rows, FEATURES))
    logistic(X, (random.random(asked.rows) < 0.5).astype(float), asked.repeats)
    softmax(X, random.integers(0, CLASSES, asked.rows), asked.repeats)


def logistic(X: Any, y: Any, repeats: int) -> None:
    """The logistic loss, on X as it lies in several ways."""
    from scipy.sparse import csr_matrix

    x = np.random.default_rng(1).normal(size=FEATURES + 1) / 10
    loss = Logistic(X, y)
    others = {
        "NumPy": numpy_logistic(X, y, x),
        "torch": torch_logistic(X, y, x),
        "JAX": jax_logistic(X, y, x),
    }
    expected = loss.gradient(x)
    for name, other in others.items():
        assert np.allclose(other(), expected, rtol=1e-9), name
    stored = csr_matrix(np.where(np.random.default_rng(2).random(X.shape) < 0.1, X, 0.0))
    layouts: dict[str, tuple[Any, int]] = {
        "columns": (np.asfortranarray(X), X.nbytes),
        "float32": (X.astype(np.float32), X.nbytes // 2),
        "CSR, a tenth": (stored, stored.data.nbytes + stored.indices.nbytes + stored.indptr.nbytes),
    }
    calls: dict[str, Callable[[], Any]] = {"reading X": reading(X), "Fallline": lambda: loss.gradient(x), **others}
    for name, (inputs, _) in layouts.items():
        calls[f"Fallline, {name}"] = (lambda on: lambda: on.gradient(x))(Logistic(inputs, y))
    times = in_turn(calls, repeats)
    print("gradient of the logistic loss")
    for name, taken in times.items():
        size = next((size for layout, (_, size) in layouts.items() if name.endswith(layout)), X.nbytes)
        share = [read / X.nbytes * size / one for read, one in zip(times["reading X"], taken, strict=True)]
        print(f"  {name:24} {spread(taken):>28}   {100 * statistics.median(share):4.0f} % of the speed of reading")
    against(times, others)
    print(f"  reading: {X.nbytes / 1e9 / min(times['reading X']):.1f} GB/s at best\n")


def softmax(X: Any, y: Any, repeats: int) -> None:
    """The softmax loss of several classes."""
    x = np.random.default_rng(1).normal(size=(FEATURES + 1) * CLASSES) / 10
    loss = Softmax(X, y)
    others = {"torch": torch_softmax(X, y, x)}
    assert np.allclose(others["torch"](), loss.gradient(x), rtol=1e-9, atol=1e-6)
    times = in_turn({"Fallline": lambda: loss.gradient(x), **others}, repeats)
    print(f"gradient of the softmax loss, {CLASSES} classes")
    for name, taken in times.items():
        print(f"  {name:24} {spread(taken):>28}")
    against(times, others)


def in_turn(calls: dict[str, Callable[[], Any]], repeats: int) -> dict[str, list[float]]:
    """The seconds of each call, after one untimed."""
    for call in calls.values():
        call()
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            taken[name].append(timed(call))
    return taken


def against(times: dict[str, list[float]], others: dict[str, Any]) -> None:
    """How many times faster Fallline is."""
    for name in others:
        ratios = [other / own for other, own in zip(times[name], times["Fallline"], strict=True)]
        print(f"  {name:>8} / Fallline: {spread(ratios, '×')}")


def reading(X: Any) -> Callable[[], Any]:
    """All numbers of X read once, by as many threads, to add them up."""
    parts = np.array_split(X.reshape(-1), THREADS)
    pool = ThreadPoolExecutor(THREADS)
    return lambda: list(pool.map(np.sum, parts))


def numpy_logistic(X: Any, y: Any, x: Any) -> Callable[[], Any]:
    """As one writes it."""

    def gradient() -> Any:
        residual = 1 / (1 + np.exp(-(X @ x[:-1] + x[-1]))) - y
        return np.append(residual @ X, residual.sum())

    return gradient


def torch_logistic(X: Any, y: Any, x: Any) -> Callable[[], Any]:
    """By autograd."""
    import torch

    inputs, targets = torch.from_numpy(X), torch.from_numpy(y)
    point = torch.from_numpy(x).requires_grad_()

    def gradient() -> Any:
        z = inputs @ point[:-1] + point[-1]
        value = torch.nn.functional.binary_cross_entropy_with_logits(z, targets, reduction="sum")
        return torch.autograd.grad(value, point)[0].numpy()

    return gradient


def jax_logistic(X: Any, y: Any, x: Any) -> Callable[[], Any]:
    """By autodiff, compiled."""
    import jax
    import jax.numpy as jnp

    inputs, targets, point = jnp.asarray(X), jnp.asarray(y), jnp.asarray(x)

    def value(point: Any, inputs: Any, targets: Any) -> Any:
        z = inputs @ point[:-1] + point[-1]
        return jnp.sum(jnp.logaddexp(0, z) - targets * z)

    compiled = jax.jit(jax.grad(value))
    return lambda: np.asarray(compiled(point, inputs, targets))


def torch_softmax(X: Any, y: Any, x: Any) -> Callable[[], Any]:
    """By autograd."""
    import torch

    inputs, targets = torch.from_numpy(X), torch.from_numpy(y)
    point = torch.from_numpy(x).requires_grad_()

    def gradient() -> Any:
        z = inputs @ point[:-CLASSES].reshape(CLASSES, -1).T + point[-CLASSES:]
        value = torch.nn.functional.cross_entropy(z, targets, reduction="sum")
        return torch.autograd.grad(value, point)[0].numpy()

    return gradient


if __name__ == "__main__":
    main()
