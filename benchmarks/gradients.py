"""What a step with an exact gradient costs: plain NumPy code beside hand-written jax.jit and autograd."""

from __future__ import annotations

import importlib
import importlib.util
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import fallline
from fallline.gradients.autodiff import AutodiffObjective
from fallline.objectives import FunctionObjective

DIMENSION, REPEATS, CALLS = 10, 15, 300


def rosenbrock(x: Any) -> Any:
    """The function as its user writes it."""
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


def microseconds(calls: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """The median time of a call of each, measured by turns so that what else runs here slows all alike."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(REPEATS):
        for name, call in calls.items():
            call()
            began = time.perf_counter()
            for _ in range(CALLS):
                call()
            times[name].append((time.perf_counter() - began) / CALLS * 1e6)
    return {name: statistics.median(each) for name, each in times.items()}


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


def main() -> None:
    """Measure and print."""
    x = np.linspace(-1, 1, DIMENSION)
    ours = AutodiffObjective(FunctionObjective(rosenbrock, ByHand.names, vector=True), x)
    hand = by_hand()
    calls: dict[str, Callable[[], Any]] = {
        "Fallline, plain NumPy code": lambda: ours.value_and_gradient(x[None, :]),
        "jax.jit, by hand": lambda: hand(x),
    }
    if importlib.util.find_spec("autograd") is not None:
        autograd: Any = importlib.import_module("autograd")
        slope = autograd.value_and_grad(on(importlib.import_module("autograd.numpy")))
        calls["autograd"] = lambda: slope(x)
    print("value and gradient, µs a call")
    for name, each in microseconds(calls).items():
        print(f"  {name:28} {each:8.1f}")
    print("a run of Adam, µs a step")
    runs = {"Fallline, plain NumPy code": ours, "jax.jit, by hand": ByHand(hand)}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(5):
        for name, objective in runs.items():
            run = fallline.minimize(objective, x, fallline.Adam(0.01), max_steps=1000)
            seconds[name].append(run.seconds / run.step_count * 1e6)
    for name, each_run in seconds.items():
        print(f"  {name:28} {statistics.median(each_run):8.1f}")


if __name__ == "__main__":
    main()
