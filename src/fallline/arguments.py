"""What every call is given, prepared and checked in one place: objective, gradient, starts and rule."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, shortened
from fallline.gradients import with_gradient
from fallline.hyperparameters import hyperparameters
from fallline.objectives import Objective, as_objective
from fallline.objectives.points import one_point
from fallline.optimizers import OPTIMIZERS, Optimizer, optimizer_from_name
from fallline.optimizers.spelling import instead_of

Start: TypeAlias = "float | Sequence[float] | FloatArray | Mapping[str, float]"
Rule: TypeAlias = "Optimizer[Any] | str"


def places_of(objective: Objective, starts: Sequence[Any]) -> FloatArray:
    """The starts as points, one a row."""
    return np.array([one_point(objective, start, "x0") for start in starts])


def prepared(objective: Any, start: Any, gradient: Any) -> Objective:
    """The objective with its gradient; the start tells how long the vector of a function f(x) is."""
    given = as_objective(objective, length_of(start))
    return with_gradient(given, gradient, one_point(given, start, "x0"))


def length_of(start: Any) -> int | None:
    """How many numbers a start given by place holds; None for a single number, or for numbers given by name."""
    if isinstance(start, Mapping):
        return None
    try:
        return len(start)
    except TypeError:
        return None


def starts_of(x0: Any) -> list[Any]:
    """The starts in what `compare` was given: its rows, or the one start that it is."""
    rows = list(x0) if isinstance(x0, Sequence | np.ndarray) and not isinstance(x0, str) and length_of(x0) else []
    return rows if rows and (isinstance(rows[0], Mapping) or length_of(rows[0]) is not None) else [x0]


def rule_of(optimizer: Any) -> Optimizer[Any]:
    """The rule that a user gave, or named.

    Raises:
        FalllineError: when it is none, or its hyperparameters are arrays.
    """
    if isinstance(optimizer, str):
        return optimizer_from_name(optimizer)
    if isinstance(optimizer, Optimizer):
        for name in _arrays_in(optimizer):
            raise FalllineError(
                f"optimizer is {shortened(optimizer)}, with an array for {name}; it must have one number for each "
                "hyperparameter (compare takes several optimizers)"
            )
        return optimizer
    instead = instead_of(optimizer, OPTIMIZERS)
    raise FalllineError(
        f"optimizer is {shortened(optimizer)}; it must be an update rule such as Adam(0.1), or a name"
        + (f"; {instead}" if instead else "")
    )


def _arrays_in(settings: Any) -> Iterator[str]:
    """The names of the hyperparameters, in a rule or a part of it, that are arrays."""
    known = hyperparameters(settings)
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            yield from _arrays_in(value)
        # Several numbers may also be one setting, as milestones are.
        elif field.name in known and np.ndim(value) and not isinstance(known[field.name].default, tuple):
            yield field.name
