"""The largest difference between a rule of ours and its peer."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from tests.parity.drivers import DRIVERS, torch_style
from tests.parity.objectives import Course
from tests.parity.row import Row

from fallline.arrays import FloatArray
from fallline.optimizers import Optimizer

STEPS = 1000


class Measured(NamedTuple):
    """The largest relative difference of x, and over how many steps."""

    difference: float
    steps: int


def measured(row: Row, settings: Mapping[str, Any], course: Course) -> Measured:
    """Our rule and the library's optimizer with the same settings."""
    rule = row.ours(**settings)
    return _measured(row, rule, peer(row, dict(row.arguments(rule))), course)


def measured_by_default(row: Row, course: Course) -> Measured:
    """Our rule and the library's optimizer, each left at its own defaults.

    Only what the library has no default for, such as optax's learning rate, is given it.
    """
    rule = row.ours_by_default()
    parameters = inspect.signature(row.peer).parameters
    required = {
        name: value
        for name, value in row.arguments(rule).items()
        if name not in parameters or parameters[name].default is inspect.Parameter.empty
    }
    return _measured(row, rule, peer(row, required), course)


def relative_difference(ours: FloatArray, theirs: FloatArray) -> FloatArray:
    """At each step: the largest |Δx| of a coordinate, relative to the largest |x| of it in the peer's run so
    far."""
    size = np.maximum.accumulate(np.abs(theirs), axis=0)
    difference: FloatArray = np.max(np.abs(ours - theirs) / np.maximum(size, np.finfo(float).tiny), axis=1)
    return difference


def walked(
    rule: Optimizer[Any],
    course: Course,
    steps: int,
    *,
    at_lookahead: bool = False,
    nudge: Callable[[FloatArray, int], FloatArray] = lambda x, step: x,
) -> FloatArray:
    """The points of our rule after each step, shape (steps, 4)."""
    x = np.array([course.start])
    state = rule.init(x)
    points = np.empty((steps, x.shape[1]))
    place = rule.lookahead(x, state)
    for step in range(1, steps + 1):
        gradient = course.gradient(place[0], step)[None]
        change, state = rule.update(gradient, state, rule.rate(step), step)
        x = nudge(x - change, step)
        place = rule.lookahead(x, state)
        points[step - 1] = place[0] if at_lookahead else x[0]
    return points


def _measured(row: Row, rule: Optimizer[Any], build: Callable[..., Any], course: Course) -> Measured:
    steps = _steps_before_chaos(row, rule, course) if row.chaotic else STEPS
    ours = walked(rule, course, steps, at_lookahead=row.at_lookahead)
    drive = row.drive or DRIVERS.get(row.library, torch_style)
    theirs = drive(build, course, steps)
    assert np.isfinite(theirs).all(), f"{row.library} itself left the finite numbers; choose a smaller rate"
    return Measured(float(relative_difference(ours, theirs).max()), steps)


def peer(row: Row, arguments: Mapping[str, Any]) -> Callable[..., Any]:
    """What makes the optimizer of the library, but for the parameters."""
    return functools.partial(row.peer, **{**arguments, **(row.fixed or {})})


def _steps_before_chaos(row: Row, rule: Optimizer[Any], course: Course) -> int:
    """How long our run and its twin, each point of it moved by one unit in the last place, stay together."""
    up = np.random.default_rng(0).choice([-np.inf, np.inf], size=(STEPS, len(course.start)))
    twin = walked(
        rule,
        course,
        STEPS,
        at_lookahead=row.at_lookahead,
        nudge=lambda x, step: np.nextafter(x, up[step - 1]),
    )
    apart = relative_difference(walked(rule, course, STEPS, at_lookahead=row.at_lookahead), twin) > row.bound
    return int(np.argmax(apart)) if apart.any() else STEPS
