"""The libraries' optimizers, each stepped along a course with gradients made by NumPy.

A driver takes `build`, which makes the library's optimizer, the course and a number of steps; it returns the
points after each step, shape (steps, 4). All compute in float64 (tests/conftest.py tells JAX so before its
import).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax
import torch
from tests.parity.objectives import Course

from fallline.arrays import FloatArray

keras.config.set_floatx("float64")
# One thread suits four coordinates best.
torch.set_num_threads(1)


def torch_style(build: Callable[..., Any], course: Course, steps: int) -> FloatArray:
    """`torch.optim`, and the authors' packages that follow it: `build(parameters)`, then `step()`."""
    parameter = torch.nn.Parameter(torch.tensor(course.start, dtype=torch.float64))
    optimizer = build([parameter])
    x = parameter.detach().numpy()  # the same memory: it follows the parameter
    points = np.empty((steps, len(x)))
    for step in range(1, steps + 1):
        parameter.grad = torch.from_numpy(course.gradient(x, step))
        optimizer.step()
        points[step - 1] = x
    return points


def optax_style(build: Callable[..., Any], course: Course, steps: int) -> FloatArray:
    """`optax`: a gradient transformation, its update compiled once."""
    transformation = optax.with_extra_args_support(build())
    x = jnp.array(course.start)
    state = transformation.init(x)

    def advanced(gradient: Any, state: Any, x: Any) -> Any:
        updates, state = transformation.update(gradient, state, x)
        return optax.apply_updates(x, updates), state

    advance = jax.jit(advanced)
    points = np.empty((steps, len(x)))
    place = np.array(course.start)
    for step in range(1, steps + 1):
        x, state = advance(course.gradient(place, step), state, x)
        points[step - 1] = place = np.asarray(x)
    return points


def keras_style(build: Callable[..., Any], course: Course, steps: int) -> FloatArray:
    """`keras.optimizers` on JAX, where Keras computes in its own code; its update compiled once."""
    assert keras.backend.backend() == "jax"
    x = keras.Variable(np.array(course.start), dtype="float64")
    optimizer = build()
    optimizer.build([x])
    variables = [jnp.asarray(variable.value) for variable in optimizer.variables]
    advance = jax.jit(lambda gradient, variables, x: optimizer.stateless_apply(variables, [gradient], [x]))
    points = np.empty((steps, len(course.start)))
    place = np.array(course.start)
    for step in range(1, steps + 1):
        (moved,), variables = advance(course.gradient(place, step), variables, place)
        points[step - 1] = place = np.asarray(moved)
    return points


DRIVERS: dict[str, Callable[..., FloatArray]] = {
    "torch": torch_style,
    "optax": optax_style,
    "keras": keras_style,
}
