"""Gradients of losses on large data beside their peers, and beside what the memory gives: `-m benchmarks.losses`."""

from __future__ import annotations

import argparse
import platform
import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from benchmarks.engines import THREADS, line, machine, spread, timed

from fallline.models import Logistic, Network, Softmax

FEATURES, CLASSES, HIDDEN = 100, 10, 64


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
    print(f"{'claim':76} {'peer':>24} {'Fallline':>24} {'ratio':>24}  {'aim':>9}")
    random = np.random.default_rng(0)
    X = random.standard_normal((asked.rows, FEATURES))
    labels = random.integers(0, CLASSES, asked.rows)
    logistic(X, (random.random(asked.rows) < 0.5).astype(float), asked.repeats)
    softmax(X, labels, asked.repeats)
    # Its peers hold all activations, so fewer rows.
    some = asked.rows // 5
    network(X[:some, :HIDDEN].copy(), labels[:some], asked.repeats)


def logistic(X: Any, y: Any, repeats: int) -> None:
    """The logistic loss, on X as it lies in several ways."""
    from scipy.sparse import csr_matrix

    x = np.random.default_rng(1).normal(size=FEATURES + 1) / 10
    loss = Logistic(X, y)
    stored = csr_matrix(np.where(np.random.default_rng(2).random(X.shape) < 0.1, X, 0.0))
    layouts: dict[str, tuple[Any, int]] = {
        "rows": (X, X.nbytes),
        "columns": (np.asfortranarray(X), X.nbytes),
        "float32": (X.astype(np.float32), X.nbytes // 2),
        "CSR, a tenth stored": (stored, stored.data.nbytes + stored.indices.nbytes + stored.indptr.nbytes),
    }
    others = {
        "NumPy": numpy_logistic(X, y, x),
        "torch": torch_logistic(X, y, x),
        "JAX": jax_logistic(X, y, x),
    }
    own = {name: (lambda on: lambda: on.gradient(x))(Logistic(inputs, y)) for name, (inputs, _) in layouts.items()}
    same(loss.gradient(x), others)
    times = in_turn({"reading": reading(X), **own, **others}, repeats)
    for name, aim in (("NumPy", 1), ("torch", 5), ("JAX", 5)):
        row(f"logistic gradient against {name}", times[name], times["rows"], aim)
    for name, (_, size) in layouts.items():
        read = [size / X.nbytes * seconds for seconds in times["reading"]]
        row(f"logistic gradient, {name}, against reading as many bytes", read, times[name], 0.85)
    print(f"{'':76} reading: {X.nbytes / 1e9 / min(times['reading']):.1f} GB/s at best")


def softmax(X: Any, y: Any, repeats: int) -> None:
    """The softmax loss of several classes."""
    x = np.random.default_rng(1).normal(size=(FEATURES + 1) * CLASSES) / 10
    loss = Softmax(X, y)
    weights = [(x[:-CLASSES].reshape(CLASSES, -1), x[-CLASSES:])]
    others = {"torch": torch_layers(X, y, weights), "JAX": jax_layers(X, y, weights)}
    same(loss.gradient(x), others)
    times = in_turn({"Fallline": lambda: loss.gradient(x), **others}, repeats)
    for name in others:
        row(f"softmax gradient, {CLASSES} classes, against {name}", times[name], times["Fallline"], 2)


def network(X: Any, y: Any, repeats: int) -> None:
    """A network with one hidden layer, in blocks of rows and all at once."""
    loss = Network(X, y, hidden=(HIDDEN,))
    x = loss.initial()
    layers = loss.layers(x)

    def at_once() -> Any:
        forward = loss.forward(x[None], loss.X)
        return loss.backward(x[None], forward, loss.X, loss.y)[0]

    others = {
        "all rows at once": at_once,
        "torch": torch_layers(X, y, layers),
        "JAX": jax_layers(X, y, layers),
    }
    same(loss.gradient(x), others)
    times = in_turn({"Fallline": lambda: loss.gradient(x), **others}, repeats)
    shape = "-".join(map(str, loss.widths))
    for name in others:
        row(f"gradient of a {shape} network, {len(y):,} rows, against {name}", times[name], times["Fallline"], 1)


def row(claim: str, peer: list[float], own: list[float], aim: float) -> None:
    """One row of the table."""
    ratios = [other / seconds for other, seconds in zip(peer, own, strict=True)]
    line(claim, spread(peer), spread(own), spread(ratios, "×"), f"{aim:.3g} ×", statistics.median(ratios) >= aim)


def same(expected: Any, others: dict[str, Callable[[], Any]]) -> None:
    """That the peers compute the same."""
    for name, other in others.items():
        assert np.allclose(other(), expected, rtol=1e-9, atol=1e-6), name


def in_turn(calls: dict[str, Callable[[], Any]], repeats: int) -> dict[str, list[float]]:
    """The seconds of each call, after one untimed."""
    for call in calls.values():
        call()
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            taken[name].append(timed(call))
    return taken


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


def torch_layers(X: Any, y: Any, layers: Any) -> Callable[[], Any]:
    """The cross-entropy of layers with rectified units between them, by autograd."""
    import torch

    inputs, targets = torch.from_numpy(X), torch.from_numpy(y)
    leaves = [torch.from_numpy(part.copy()).requires_grad_() for layer in layers for part in layer]

    def gradient() -> Any:
        a = inputs
        for number, (W, b) in enumerate(zip(leaves[::2], leaves[1::2], strict=True)):
            a = (torch.relu(a) if number else a) @ W.T + b
        value = torch.nn.functional.cross_entropy(a, targets, reduction="sum")
        return np.concatenate([part.numpy().ravel() for part in torch.autograd.grad(value, leaves)])

    return gradient


def jax_layers(X: Any, y: Any, layers: Any) -> Callable[[], Any]:
    """The same by autodiff, compiled."""
    import jax
    import jax.numpy as jnp

    inputs, targets = jnp.asarray(X), jnp.asarray(y)
    leaves = [jnp.asarray(part) for layer in layers for part in layer]

    def value(leaves: Any, inputs: Any, targets: Any) -> Any:
        a = inputs
        for number, (W, b) in enumerate(zip(leaves[::2], leaves[1::2], strict=True)):
            a = (jax.nn.relu(a) if number else a) @ W.T + b
        own = jnp.take_along_axis(a, targets[:, None], axis=1)[:, 0]
        return jnp.sum(jax.nn.logsumexp(a, axis=1) - own)

    compiled = jax.jit(jax.grad(value))
    return lambda: np.concatenate([np.asarray(part).ravel() for part in compiled(leaves, inputs, targets)])


if __name__ == "__main__":
    main()
