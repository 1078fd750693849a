"""Gradients of losses on large data, compared with peers and with reading memory: `python -m benchmarks.losses`."""

from __future__ import annotations

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
from benchmarks.measure import ABSENT, THREADS, Row, compared, faster, in_turn, measured, ratios, show, spread

from fallline import GradientDescent, minimize
from fallline.models import Logistic, Network, Softmax
from fallline.models.base import Loss

FEATURES, CLASSES, HIDDEN = 100, 10, 64
# Functions that prepare the call of each peer; they fail if the peer is not installed.
Peers: TypeAlias = dict[str, Callable[[], Callable[[], Any]]]
TITLE = "Gradients on large data"
ABOUT = """\
One gradient over all rows of data that are much larger than the processor's caches. The memory bandwidth limits every
program, so each is also compared with reading alone: adding up all numbers, on all threads. The C program is the same
pass written for only this loss, this number of features and this memory layout: it shows which share of the speed of
reading a gradient can reach on this machine. Where it reaches 85 %, that is the aim; elsewhere, 0.95 of its speed. A
run of gradient descent also takes the value in each step, and records it."""

# Contiguous rows or columns, in blocks that stay in the cache; while a block is processed, the next one is prefetched,
# half of it in the forward pass, half in the backward.
C_SOURCE = """
#include <math.h>
enum { LINE = 64 / sizeof(NUMBER), BLOCK = 2 * LINE, PIECE = 256 };
static double slopes(double *z, const double *y, long count) {
    double sum = 0;
    for (long i = 0; i < count; i++) z[i] = 1 / (1 + exp(-z[i])) - y[i];
    for (long i = 0; i < count; i++) sum += z[i];
    return sum;
}
void rows(const NUMBER *X, long stride, const double *y, const double *x, double *sums, long rows) {
    for (long start = 0; start < rows; start += BLOCK) {
        long count = rows - start < BLOCK ? rows - start : BLOCK, whole = count / 4 * 4;
        const NUMBER *block = X + start * FEATURES, *next = block + BLOCK * FEATURES;
        double z[BLOCK];
        for (long i = 0; i < count; i++) {
            double dot = 0;
            for (int j = 0; j < FEATURES; j++) dot += block[i * FEATURES + j] * x[j];
            z[i] = dot + x[FEATURES];
            for (int j = 0; j < FEATURES / 2; j += LINE) __builtin_prefetch(next + i * FEATURES / 2 + j, 0, 2);
        }
        next += BLOCK * FEATURES / 2;
        sums[FEATURES] += slopes(z, y + start, count);
        for (long i = 0; i < whole; i += 4) {
            const NUMBER *row = block + i * FEATURES;
            for (int j = 0; j < FEATURES * 2; j += LINE) __builtin_prefetch(next + i * FEATURES / 2 + j, 0, 2);
            for (int j = 0; j < FEATURES; j++)
                sums[j] += z[i] * row[j] + z[i + 1] * row[j + FEATURES] + z[i + 2] * row[j + 2 * FEATURES]
                    + z[i + 3] * row[j + 3 * FEATURES];
        }
        for (long i = whole; i < count; i++)
            for (int j = 0; j < FEATURES; j++) sums[j] += z[i] * block[i * FEATURES + j];
    }
}
static void prefetch(const NUMBER *first, long stride) {
    for (long i = 0; i < PIECE / 2; i += LINE)
        for (int j = 0; j < 4; j++) __builtin_prefetch(first + j * stride + i, 0, 2);
}
void columns(const NUMBER *X, long stride, const double *y, const double *x, double *sums, long rows) {
    for (long start = 0; start < rows; start += PIECE) {
        long count = rows - start < PIECE ? rows - start : PIECE;
        double z[PIECE];
        for (long i = 0; i < count; i++) z[i] = x[FEATURES];
        for (int j = 0; j < FEATURES; j += 4) {
            const NUMBER *a = X + j * stride + start, *b = a + stride, *c = b + stride, *d = c + stride;
            prefetch(a + PIECE, stride);
            for (long i = 0; i < count; i++)
                z[i] += a[i] * x[j] + b[i] * x[j + 1] + c[i] * x[j + 2] + d[i] * x[j + 3];
        }
        sums[FEATURES] += slopes(z, y + start, count);
        for (int j = 0; j < FEATURES; j += 4) {
            const NUMBER *a = X + j * stride + start, *b = a + stride, *c = b + stride, *d = c + stride;
            double of_a = 0, of_b = 0, of_c = 0, of_d = 0;
            prefetch(a + PIECE + PIECE / 2, stride);
            for (long i = 0; i < count; i++) {
                of_a += a[i] * z[i]; of_b += b[i] * z[i]; of_c += c[i] * z[i]; of_d += d[i] * z[i];
            }
            sums[j] += of_a; sums[j + 1] += of_b; sums[j + 2] += of_c; sums[j + 3] += of_d;
        }
    }
}
"""
# The steps of a run of gradient descent beside that many gradients of the C program.
STEPS = 10


def rows(repeats: int = 9, count: int = 1_000_000) -> Iterator[Row]:
    """Every loss."""
    random = np.random.default_rng(0)
    X = random.standard_normal((count, FEATURES))
    halves = (random.random(count) < 0.5).astype(float)
    classes = random.integers(0, CLASSES, count)
    return measured(
        functools.partial(logistic, X, halves, repeats),
        functools.partial(layouts, X, halves, repeats),
        functools.partial(sparse, X, halves, repeats),
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
    for name in AIMS:
        if name in others:
            yield faster(f"{claim}: {name}", taken[name], taken["ours"], AIMS[name])
    yield from absent
    if "C" in others:
        yield from of_layout(claim, taken["reading"], taken["C"], taken["ours"])
        yield descent(loss, x, others["C"], repeats)


AIMS = {"torch": 5.0, "JAX": 5.0, "NumPy": None}


def descent(loss: Loss, x: Any, c_program: Callable[[], Any], repeats: int) -> Row:
    """A run of gradient descent compared with as many gradients by the C program."""
    rule = GradientDescent(1e-9)
    return compared(
        f"minimize, {STEPS} steps of gradient descent, {loss.rows:,} × {FEATURES}: {STEPS} gradients by the C program",
        lambda: [c_program() for _ in range(STEPS)],
        lambda: minimize(loss, x, rule, max_steps=STEPS),
        repeats,
    )


def of_layout(claim: str, reads: list[float], c_program: list[float], ours: list[float]) -> Iterator[Row]:
    """A gradient compared with the C program for the same memory layout and with reading, of which one is the aim."""
    most = statistics.median(ratios(reads, c_program))
    yield of_reading(f"{claim}, the C program", reads, c_program)
    yield of_reading(claim, reads, ours, NEAR_READING if most >= NEAR_READING else None)
    yield faster(f"{claim}: C", c_program, ours, None if most >= NEAR_READING else NEAR_C)


NEAR_READING, NEAR_C = 0.85, 0.95


def of_reading(claim: str, reads: list[float], taken: list[float], aim: float | None = None) -> Row:
    """The speed of a gradient as a share of the speed of reading."""
    shares = [100 * read / own for read, own in zip(reads, taken, strict=True)]
    reached = None if aim is None else statistics.median(shares) >= 100 * aim
    wanted = "" if aim is None else f"≥ {aim:.0%}"
    return Row(f"{claim}: reading alone", spread(reads), spread(taken), spread(shares, "%"), wanted, reached)


def layouts(X: Any, y: Any, repeats: int) -> Iterator[Row]:
    """The same for other memory layouts of X."""
    x = np.random.default_rng(1).normal(size=FEATURES + 1) / 10
    for name, laid in {"column by column": np.asfortranarray(X), "float32": X.astype(np.float32)}.items():
        loss = Logistic(laid, y, "sum")
        c_program = c_logistic(laid, y, x)
        same(loss.gradient(x), {"C": c_program})
        taken = in_turn({"reading": reading(X), "C": c_program, "ours": functools.partial(loss.gradient, x)}, repeats)
        # Scaled to the number of bytes of this layout.
        reads = [seconds * laid.nbytes / X.nbytes for seconds in taken["reading"]]
        yield from of_layout(f"logistic gradient, {len(X):,} × {FEATURES}, {name}", reads, taken["C"], taken["ours"])


def sparse(X: Any, y: Any, repeats: int) -> Iterator[Row]:
    """The same for a CSR matrix."""
    from scipy.sparse import csr_matrix

    x = np.random.default_rng(1).normal(size=FEATURES + 1) / 10
    stored = csr_matrix(np.where(np.random.default_rng(2).random(X.shape) < 0.1, X, 0.0))
    loss = Logistic(stored, y, "sum")
    others, absent = present(
        {"SciPy": lambda: numpy_logistic(stored, y, x), "scikit-learn": lambda: sklearn_logistic(stored, y, x)}
    )
    same(loss.gradient(x), others)
    taken = in_turn({"reading": reading(X), "ours": lambda: loss.gradient(x), **others}, repeats)
    claim = f"logistic gradient, {len(X):,} × {FEATURES}, sparse, a tenth"
    for name in others:
        yield faster(f"{claim}: {name}", taken[name], taken["ours"], 1.0)
    yield from absent
    size = stored.data.nbytes + stored.indices.nbytes + stored.indptr.nbytes
    yield of_reading(claim, [seconds * size / X.nbytes for seconds in taken["reading"]], taken["ours"])


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


def sklearn_logistic(X: Any, y: Any, x: Any) -> Callable[[], Any]:
    """By the loss that LogisticRegression minimises, whose gradient is that of the mean."""
    from sklearn._loss import HalfBinomialLoss
    from sklearn.linear_model._linear_loss import LinearModelLoss

    loss = LinearModelLoss(base_loss=HalfBinomialLoss(), fit_intercept=True)
    return lambda: len(y) * loss.gradient(x, X, y, n_threads=THREADS)


def c_logistic(X: Any, y: Any, x: Any) -> Callable[[], Any]:
    """A C program for only this loss, this number of features and this layout of X, on as many threads."""
    kind = "float" if X.dtype == np.float32 else "double"
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "logistic.c"), Path(folder, "logistic.so")
        source.write_text(C_SOURCE)
        flags = [*C_FLAGS, "-ffast-math", "-mprefer-vector-width=512", f"-DFEATURES={X.shape[1]}", f"-DNUMBER={kind}"]
        subprocess.run(["gcc", *flags, "-o", library, source, "-lm"], check=True)
        program = ctypes.CDLL(str(library))
    function = program.rows if X.flags.c_contiguous else program.columns
    stride = ctypes.c_long(max(X.strides) // X.itemsize)
    parts = list(zip(np.array_split(X, THREADS), np.array_split(y, THREADS), strict=True))
    pool = ThreadPoolExecutor(THREADS)

    def of_part(part: tuple[Any, Any]) -> Any:
        inputs, targets = part
        sums = np.zeros(X.shape[1] + 1)
        function(pointer(inputs), stride, pointer(targets), pointer(x), pointer(sums), ctypes.c_long(len(targets)))
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
    show(rows)
