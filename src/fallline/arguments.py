"""Prepares and checks the arguments that all calls share: objective, gradient, starts, rules and stop."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.fields import fields_of
from fallline.gradients import with_gradient
from fallline.hyperparameters import Range, hyperparameters
from fallline.line_search import LineSearch
from fallline.objectives import Objective, as_objective
from fallline.objectives.points import one_point
from fallline.optimizers import OPTIMIZERS, Optimizer, optimizer_from_name
from fallline.optimizers.spelling import instead_of
from fallline.schedules import Schedule
from fallline.stopping import StepSize, StoppingCondition, Target, conditions

Start: TypeAlias = "float | Sequence[float] | FloatArray | Mapping[str, float]"
Rule: TypeAlias = "Optimizer[Any] | str"


def prepared(objective: Any, starts: Sequence[Any], gradient: Any) -> tuple[Objective, FloatArray]:
    """The objective with its gradient, and the starts as points, one per row.

    The first start gives the length of x for a function f(x), and is where gradient "auto" tries the function.
    """
    given = as_objective(objective, length_of(starts[0]))
    points = _points(given, starts)
    return with_gradient(given, gradient, points[0]), points


def _points(objective: Objective, starts: Sequence[Any]) -> FloatArray:
    """The starts as points, one per row: converted at once if they are an array of numbers, else one by one."""
    if len(starts) > 1 and not isinstance(starts[0], Mapping):
        try:
            table = np.asarray(starts)
        except ValueError:  # rows of several lengths
            table = np.empty(0)
        if table.dtype.kind in "iuf" and table.shape == (len(starts), objective.dimension) and np.isfinite(table).all():
            return np.array(table, float)
    return np.array([one_point(objective, start, "x0") for start in starts])


def length_of(start: Any) -> int | None:
    """The length of a start given as a sequence; None for a single number, or for a mapping of names."""
    if isinstance(start, Mapping):
        return None
    try:
        return len(start)
    except TypeError:
        return None


def starts_of(x0: Any) -> Sequence[Any]:
    """The starts in the argument of `compare`: its rows, or itself if it is a single start."""
    listed = isinstance(x0, Sequence | np.ndarray) and not isinstance(x0, str) and length_of(x0)
    several = listed and (isinstance(x0[0], Mapping) or length_of(x0[0]) is not None)
    return x0 if several else [x0]


def rules_of(optimizers: Any) -> tuple[list[str], list[Optimizer[Any]]]:
    """The names and rules in the argument of `compare`: one rule, several, or a mapping of labels to rules.

    Raises:
        FalllineError: when there is no rule, or one of them is not a rule.
    """
    # The optimizers of other libraries may be tuples.
    if isinstance(optimizers, str) or not isinstance(optimizers, Iterable) or instead_of(optimizers, OPTIMIZERS):
        optimizers = [optimizers]
    rules = [rule_of(rule) for rule in (optimizers.values() if isinstance(optimizers, Mapping) else optimizers)]
    if not rules:
        raise FalllineError("optimizers", problem="is empty", allowed="give at least one")
    names = list(optimizers) if isinstance(optimizers, Mapping) else [rule.label for rule in rules]
    for name in names:
        if not isinstance(name, str):
            raise FalllineError("optimizers", problem=f"has the label {name!r}", allowed="a label must be a text")
    return names, rules


def stop_of(
    stop: StoppingCondition | None, target: float | None, default: StoppingCondition | None = None
) -> StoppingCondition | None:
    """The stopping condition of a run: `stop` or the default, preceded by the target if there is one.

    Raises:
        FalllineError: when the target is not a number, or `stop` is not a stopping condition.

    >>> stop_of(StepSize(1e-5), 0.1)
    AnyOf(conditions=(Target(value=0.1), StepSize(tolerance=1e-05)))
    """
    stop = default if stop is None else stop
    if target is None:
        return stop
    if not (np.ndim(target) == 0 and Range().allows(target)):
        raise FalllineError("target", target, Range())
    conditions(stop)  # raises if it is not a stopping condition
    return Target(target) | (StepSize() if stop is None else stop)


def rule_of(optimizer: Any) -> Optimizer[Any]:
    """The rule that a user gave, as an object or by name.

    Raises:
        FalllineError: when it is not a rule, or its hyperparameters are arrays.
    """
    if isinstance(optimizer, str):
        return optimizer_from_name(optimizer)
    if isinstance(optimizer, Optimizer):
        for name in _arrays_in(optimizer):
            raise FalllineError(
                "optimizer",
                optimizer,
                "it must have one number for each hyperparameter (compare takes several optimizers)",
                problem=f"with an array for {name}",
            )
        return optimizer
    instead = instead_of(optimizer, OPTIMIZERS)
    if isinstance(optimizer, Schedule | LineSearch):
        instead = f"a rate belongs to a rule, as in GradientDescent({type(optimizer).__name__}(...))"
    hint = f"; {instead}" if instead else ""
    raise FalllineError("optimizer", optimizer, f"it must be an update rule such as Adam(0.1), or a name{hint}")


def _arrays_in(settings: Any) -> Iterator[str]:
    """The names of the hyperparameters, in a rule or a part of it, that are arrays."""
    known = hyperparameters(settings)
    for field in fields_of(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            yield from _arrays_in(value)
        # Several numbers may also be one setting, as milestones are.
        elif field.name in known and np.ndim(value) and not isinstance(known[field.name].default, tuple):
            yield field.name
