"""Exact gradients of plain NumPy code, compared with jax.jit and autograd: `python -m benchmarks.gradients`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from benchmarks.measure import Row, faster, in_turn, measured, show

import fallline

DIMENSION, REPEATS, CALLS, STEPS = 10, 15, 300, 1000
TITLE = "Exact gradients of NumPy functions"
ABOUT = f"""\
Rosenbrock's function in {DIMENSION} coordinates, written in plain NumPy, which Fallline differentiates unmodified
through JAX; compared with the same function written for JAX and compiled by hand, and for HIPS autograd. The first
comparison gives the cost of the convenience: none at a ratio of 1."""


POINT = np.linspace(-1, 1, DIMENSION)


def rosenbrock(x: Any) -> Any:
    """The function as a user writes it."""
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def on(library: Any) -> Callable[[Any], Any]:
    """The same, rewritten for another library's module of array functions."""
    return lambda x: library.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def by_hand() -> Callable[[Any], Any]:
    """Value and gradient by jax.jit, as float and NumPy array, in float64."""
    import jax

    compiled = jax.jit(jax.value_and_grad(on(importlib.import_module("jax.numpy"))))

    def value_and_gradient(x: Any) -> Any:
        with jax.enable_x64(True):
            value, gradient = compiled(x)
            return float(value), np.asarray(gradient)

    return value_and_gradient


class ByHand(fallline.Objective):
    """Hand-written JAX as an objective, for whole runs."""

    gradient_kind = "exact"
    title = "rosenbrock, jax.jit"
    names = tuple(f"x{i}" for i in range(DIMENSION))

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def value(self, x: Any) -> Any:
        return np.array([self.function(row)[0] for row in x.reshape(-1, DIMENSION)]).reshape(x.shape[:-1])

    def gradient(self, x: Any) -> Any:
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x: Any) -> Any:
        found = [self.function(row) for row in x.reshape(-1, DIMENSION)]
        return np.array([v for v, _ in found]).reshape(x.shape[:-1]), np.array([g for _, g in found]).reshape(x.shape)


def rows() -> Iterator[Row]:
    """A call, and a whole run."""
    return measured(call_by_jax, call_by_autograd, run_by_jax)


def ours() -> fallline.Objective:
    """The function as Fallline differentiates it: the objective of a run."""
    objective = fallline.minimize(rosenbrock, POINT, fallline.Adam(0.01), max_steps=1).objective
    assert objective is not None
    return objective


def of_a_call(claim: str, peer: Callable[[Any], Any]) -> Row:
    """One value and gradient by both."""
    objective = ours()

    def many(call: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: [call() for _ in range(CALLS)]

    taken = in_turn(
        {"peer": many(lambda: peer(POINT)), "ours": many(lambda: objective.value_and_gradient(POINT[None, :]))}, REPEATS
    )
    theirs, own = ([seconds / CALLS for seconds in taken[name]] for name in ("peer", "ours"))
    return faster(claim, theirs, own)


def call_by_jax() -> Iterator[Row]:
    """Compared with hand-written JAX."""
    yield of_a_call("value and gradient, one call: jax.jit by hand", by_hand())


def call_by_autograd() -> Iterator[Row]:
    """Compared with autograd."""
    autograd: Any = importlib.import_module("autograd")
    slope = autograd.value_and_grad(on(importlib.import_module("autograd.numpy")))
    yield of_a_call("value and gradient, one call: autograd", slope)


def run_by_jax() -> Iterator[Row]:
    """A run of Adam on both."""
    objectives = {"peer": ByHand(by_hand()), "ours": rosenbrock}

    def run(objective: Any) -> Callable[[], Any]:
        return lambda: fallline.minimize(objective, POINT, fallline.Adam(0.01), max_steps=STEPS)

    taken = in_turn({name: run(objective) for name, objective in objectives.items()}, 5)
    yield faster(f"a run of Adam, {STEPS:,} steps: the same on jax.jit by hand", taken["peer"], taken["ours"], 1 / 1.3)


if __name__ == "__main__":
    show(rows)
