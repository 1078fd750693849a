"""A point as a user gives it: numbers in the order of an objective's names, or by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, listed, nearest
from fallline.objectives.base import Objective
from fallline.objectives.function import FunctionObjective, binding

# With ends farther out, the length of an interval would overflow.
FARTHEST = 1e300


def one_point(objective: Objective, given: Any, parameter: str) -> FloatArray:
    """The point as one row of finite numbers, in the order of the objective's names.

    Arguments:
        objective: the objective to which the coordinates belong.
        given: one number, n numbers, or a mapping from names to numbers.
        parameter: the name of the caller's argument, for error texts.

    Raises:
        FalllineError: naming `parameter` and what is wrong with it.

    >>> from fallline.objectives import as_objective
    >>> one_point(as_objective("x + y"), {"y": 2, "x": 1}, "x0")
    array([1., 2.])
    """
    names = objective.names
    if isinstance(given, Mapping):
        for name in given:
            if name not in names:
                raise FalllineError(
                    parameter, problem=f"names the coordinate {name!r}", allowed=nearest(str(name), names)
                )
        absent = [name for name in names if name not in given]
        if absent:
            raise FalllineError(
                parameter,
                problem=f"lacks the coordinate {listed(absent)}",
                allowed=f"{objective.title} has {listed(names)}",
            )
        given = [given[name] for name in names]
    try:
        if np.asarray(given).dtype.kind in "SUc" or given is None or (np.ndim(given) and None in list(given)):
            raise TypeError("texts and complex numbers could be made numbers, but were not meant as such")
        point = np.array(given, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise FalllineError(parameter, given, f"it must be numbers, one for each of {listed(names)}") from None
    if point.ndim > 1:
        raise FalllineError(
            parameter, problem=f"has the shape {point.shape}", allowed="it must be one point, a number or a row of them"
        )
    point = point.reshape(-1)
    if len(point) != len(names):
        raise FalllineError(
            parameter,
            problem=f"has {len(point)} number{'s' if len(point) != 1 else ''}",
            allowed=f"{objective.title} needs {len(names)}, for {listed(names)}"
            f"{_binding(objective) or _run_together(names)}",
        )
    wrong = np.flatnonzero(~np.isfinite(point))
    if wrong.size:
        raise FalllineError(
            parameter, problem=f"is {point[wrong[0]]} in {names[wrong[0]]}", allowed="it must be a finite number"
        )
    return point


def _run_together(names: Sequence[str]) -> str:
    """The advice to write x*y where xy stands beside x and y."""
    known = set(names)
    for name in names:
        for cut in range(1, len(name)):
            if name[:cut] in known and name[cut:] in known:
                return f"; {name} is one name: write {name[:cut]}*{name[cut:]} for a product"
    return ""


def _binding(objective: Objective) -> str:
    """How data among the arguments of a function is bound, so that they are no coordinates."""
    if not isinstance(objective, FunctionObjective) or objective.vector or objective.dimension < 2:
        return ""
    return f"; {binding(objective.function, objective.names)}"


def interval(bounds: Any, parameter: str = "bounds") -> tuple[float, float]:
    """The pair of numbers that a user gave as an interval.

    Raises:
        FalllineError: when it is not a pair of finite numbers, the lower one first.
    """
    try:
        low, high = (float(end) for end in bounds)
    except (TypeError, ValueError):
        low = high = np.nan
    if not (np.isfinite([low, high]).all() and low < high):
        raise FalllineError(parameter, bounds, "it must be two finite numbers, the lower one first")
    if max(-low, high) > FARTHEST:
        raise FalllineError(parameter, bounds, f"its ends must lie within ±{FARTHEST:g}")
    return low, high
