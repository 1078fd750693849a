"""Gradients of losses on large data, compared with peers and with reading memory: `python -m benchmarks.losses`."""

from __future__ import annotations

import argparse
import ctypes
import functools
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from benchmarks.engines import C_FLAGS, pointer
from benchmarks.measure import ABSENT, THREADS, Row, faster, in_turn, measured, show, spread

from fallline.models import Logistic, Network, Softmax
from fallline.models.base import Loss

FEATURES, CLASSES, HIDDEN = 100, 10, 64
# Functions that prepare the call of each peer; they fail if the peer is not installed.
Peers: TypeAlias = dict[str, Callable[[], Callable[[], Any]]]
TITLE = "Gradients on large data"
ABOUT = """\
One gradient over all rows of data that are much larger than the processor's caches. The memory bandwidth limits every
program, so each is also compared with reading alone: adding up all numbers, on all threads. The C program is the same
pass written for only this loss and this number of features: it shows which share of the speed of reading a gradient
can reach on this machine."""

# In blocks that fit into the L1 cache; half of the next block is prefetched in the forward pass, half in the backward.
C_SOURCE = """
#include <math.h>
enum { BLOCK = 16 };
void logistic(const double *X, const double *y, const double *x, double *sums, long rows) {
    for (long start = 0; start < rows; start += BLOCK) {
        long count = rows - start < BLOCK ? rows - start : BLOCK, whole = count / 4 * 4;
        const double *block = X + start * FEATURES, *next = block + BLOCK * FEATURES;
        double z[BLOCK];
        for (long i = 0; i < count; i++) {
            double dot = 0;
            for (int j = 0; j < FEATURES; j++) dot += block[i * FEATURES + j] * x[j];
            z[i] = dot + x[FEATURES];
            for (int j = 0; j < FEATURES / 2; j += 8) __builtin_prefetch(next + i * FEATURES / 2 + j, 0, 2);
        }
        next += BLOCK * FEATURES / 2;
        for (long i = 0; i < count; i++) z[i] = 1 / (1 + exp(-z[i])) - y[start + i];
        for (long i = 0; i < count; i++) sums[FEATURES] += z[i];
        for (long i = 0; i < whole; i += 4) {
            const double *row = block + i * FEATURES;
            for (int j = 0; j < FEATURES * 2; j += 8) __builtin_prefetch(next + i * FEATURES / 2 + j, 0, 2);
            for (int j = 0; j < FEATURES; j++)
                sums[j] += z[i] * row[j] + z[i + 1] * row[j + FEATURES] + z[i + 2] * row[j + 2 * FEATURES]
                    + z[i + 3] * row[j + 3 * FEATURES];
        }
        for (long i = whole; i < count; i++)
            for (int j = 0; j < FEATURES; j++) sums[j] += z[i] * block[i * FEATURES + j];
    }
}
"""


def main() -> None:
    """Print the times, their ratios, and the share of the memory bandwidth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--rows", type=int, default=1_000_000)
    asked = parser.parse_args()
    show(rows(asked.repeats, asked.rows))


def rows(repeats: int = 9, count: int = 1_000_000) -> Iterator[Row]:
    """Every loss."""
    random = np.random.default_rng(0)
    X = random.standard_normal((count, FEATURES))
    halves = (random.random(count) < 0.5).astype(float)
    classes = random.integers(0, CLASSES, count)
    return measured(
        functools.partial(logistic, X, halves, repeats),
        functools.partial(layouts, X, halves, repeats),
        functools.partial(softmax, X, classes, repeats),
        # Fewer rows, because the peers keep all activations.
        functools.partial(network, X[: count // 5, :HIDDEN].copy(), classes[: count // 5], repeats),
    )


def present(peers: Peers) -> tuple[dict[str, Callable[[], Any]], list[Row]]:
    """The calls of the peers that are installed, and a row for each that is not."""
    calls, absent = {}, []
    for name, make in peers.items():
        try:
            calls[name] = make()
        except ABSENT as reason:
            absent.append(Row(f"not measured beside {name}: {reason}"))
    return calls, absent


def logistic(X: Any, y: Any, repeats: int) -> Iterator[Row]:
    """The logistic loss compared with peers and with reading."""
    x = np.random.default_rng(1).normal(size=FEATURES + 1) / 10
    loss = Logistic(X, y, "sum")
    others, absent = present(
        {
            "torch": lambda: torch_logistic(X, y, x),
            "JAX": lambda: jax_logistic(X, y, x),
            "NumPy": lambda: numpy_logistic(X, y, x),
            "C": lambda: c_logistic(X, y, x),
        }
    )
    same(loss.gradient(x), others)
    taken = in_turn({"reading": reading(X), "ours": lambda: loss.gradient(x), **others}, repeats)
    claim = f"logistic gradient, {len(X):,} × {FEATURES}"
    for name in others:
        yield faster(f"{claim}: {name}", taken[name], taken["ours"], AIMS.get(name))
    yield from absent
    yield of_reading(claim, taken["reading"], taken["ours"], 0.85)
    if "C" in others:
        yield of_reading(f"{claim}, the C program", taken["reading"], taken["C"])


AIMS = {"torch": 5.0, "JAX": 5.0}


def of_reading(claim: str, reads: list[float], taken: list[float], aim: float | None = None) -> Row:
    """The speed of a gradient as a share of the speed of reading."""
    shares = [100 * read / own for read, own in zip(reads, taken, strict=True)]
    reached = None if aim is None else statistics.median(shares) >= 100 * aim
    wanted = "" if aim is None else f"≥ {aim:.0%}"
    return Row(f"{claim}: reading alone", spread(reads), spread(taken), spread(shares, "%"), wanted, reached)


def layouts(X: Any, y: Any, repeats: int) -> Iterator[Row]:
    """The same for other memory layouts of X."""
    from scipy.sparse import csr_matrix

    x = np.random.default_rng(1).normal(size=FEATURES + 1) / 10
    stored = csr_matrix(np.where(np.random.default_rng(2).random(X.shape) < 0.1, X, 0.0))
    inputs: dict[str, tuple[Any, int]] = {
        "column by column": (np.asfortranarray(X), X.nbytes),
        "float32": (X.astype(np.float32), X.nbytes // 2),
        "sparse, a tenth": (stored, stored.data.nbytes + stored.indices.nbytes + stored.indptr.nbytes),
    }
    losses = {name: Logistic(given, y, "sum") for name, (given, _) in inputs.items()}
    calls = {name: functools.partial(loss.gradient, x) for name, loss in losses.items()}
    taken = in_turn({"reading": reading(X), **calls}, repeats)
    for name, (_, size) in inputs.items():
        # Scaled to the number of bytes of this layout.
        reads = [seconds * size / X.nbytes for seconds in taken["reading"]]
        yield of_reading(f"logistic gradient, {len(X):,} × {FEATURES}, {name}", reads, taken[name], 0.85)


def softmax(X: Any, y: Any, repeats: int) -> Iterator[Row]:
    """The softmax loss of several classes."""
    x = np.random.default_rng(1).normal(size=(FEATURES + 1) * CLASSES) / 10
    loss = Softmax(X, y, "sum")
    weights = [(x[:-CLASSES].reshape(CLASSES, -1), x[-CLASSES:])]
    yield from beside(f"softmax gradient, {len(y):,} × {FEATURES}, {CLASSES} classes", loss, x, weights, {}, repeats)


def network(X: Any, y: Any, repeats: int) -> Iterator[Row]:
    """A network with one hidden layer, in blocks of rows and all at once."""
    loss = Network(X, y, "sum", hidden=(HIDDEN,))
    x = loss.initial()

    def at_once() -> Any:
        forward = loss.forward(x[None], loss.X)
        return loss.backward(x[None], forward, loss.X, loss.y)[0]

    claim = f"gradient of a {'-'.join(map(str, loss.widths))} network, {len(y):,} rows"
    yield from beside(claim, loss, x, loss.layers(x), {"all rows at once": lambda: at_once}, repeats)


def beside(claim: str, loss: Loss, x: Any, layers: Any, more: Peers, repeats: int) -> Iterator[Row]:
    """The gradient of a cross-entropy of layers compared with the usual peers and with `more`."""
    X, y = loss.X, loss.y.astype(int)
    others, absent = present(
        {"torch": lambda: torch_layers(X, y, layers), "JAX": lambda: jax_layers(X, y, layers), **more}
    )
    same(loss.gradient(x), others)
    taken = in_turn({"ours": lambda: loss.gradient(x), **others}, repeats)
    for name in others:
        yield faster(f"{claim}: {name}", taken[name], taken["ours"], 1.0)
    yield from absent


def same(expected: Any, others: dict[str, Callable[[], Any]]) -> None:
    """Assert that the peers compute the same."""
    for name, other in others.items():
        assert np.allclose(other(), expected, rtol=1e-9, atol=1e-6), name


def reading(X: Any) -> Callable[[], Any]:
    """The sum of all numbers of X, by as many threads: each is read once."""
    parts = np.array_split(X.reshape(-1), THREADS)
    pool = ThreadPoolExecutor(THREADS)
    return lambda: list(pool.map(np.sum, parts))


def numpy_logistic(X: Any, y: Any, x: Any) -> Callable[[], Any]:
    """As written in plain NumPy."""

    def gradient() -> Any:
        residual = 1 / (1 + np.exp(-(X @ x[:-1] + x[-1]))) - y
        return np.append(residual @ X, residual.sum())

    return gradient


def c_logistic(X: Any, y: Any, x: Any) -> Callable[[], Any]:
    """A C program for only this loss and this number of features, on as many threads."""
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "logistic.c"), Path(folder, "logistic.so")
        source.write_text(C_SOURCE)
        flags = [*C_FLAGS, "-ffast-math", "-mprefer-vector-width=512", f"-DFEATURES={X.shape[1]}"]
        subprocess.run(["gcc", *flags, "-o", library, source, "-lm"], check=True)
        function = ctypes.CDLL(str(library)).logistic
    parts = list(zip(np.array_split(X, THREADS), np.array_split(y, THREADS), strict=True))
    pool = ThreadPoolExecutor(THREADS)

    def of_part(part: tuple[Any, Any]) -> Any:
        inputs, targets = part
        sums = np.zeros(X.shape[1] + 1)
        function(pointer(inputs), pointer(targets), pointer(x), pointer(sums), ctypes.c_long(len(targets)))
        return sums

    return lambda: sum(pool.map(of_part, parts))


def torch_logistic(X: Any, y: Any, x: Any) -> Callable[[], Any]:
    """By autograd."""
    import torch

    torch.set_num_threads(THREADS)
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

    jax.config.update("jax_enable_x64", True)
    inputs, targets, point = jnp.asarray(X), jnp.asarray(y), jnp.asarray(x)

    def value(point: Any, inputs: Any, targets: Any) -> Any:
        z = inputs @ point[:-1] + point[-1]
        return jnp.sum(jnp.logaddexp(0, z) - targets * z)

    compiled = jax.jit(jax.grad(value))
    return lambda: np.asarray(compiled(point, inputs, targets))


def torch_layers(X: Any, y: Any, layers: Any) -> Callable[[], Any]:
    """The cross-entropy of layers with rectified units between them, by autograd."""
    import torch

    torch.set_num_threads(THREADS)
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

    jax.config.update("jax_enable_x64", True)
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
