"""Where the learning rate of a step comes from: a schedule's formula, or the trials of a line search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fallline.diagnosis.one_step import OneStep
from fallline.errors import FalllineError
from fallline.line_search import Line, LineSearch, Place
from fallline.optimizers.placeholders import RECORDED, Placeholder, evaluated
from fallline.proxy import carried
from fallline.schedules import Schedule, watches_values
from fallline.tables import vector_text


def rate_told(one: OneStep, seed: int, recipe: Mapping[str, Any]) -> dict[str, str]:
    """Where the rate of a step comes from; nothing for a number."""
    rate = one.rule.learning_rate
    if isinstance(rate, LineSearch):
        return {"line search": _trials(one, rate, seed, recipe)}
    if isinstance(rate, Schedule):
        return {"schedule": _formula(rate, one)}
    return {}


def _formula(schedule: Schedule, one: OneStep) -> str:
    """The schedule's own formula of the step, and its rate."""
    shown = f"{one.rate:.6g} at t = {one.number}"
    if watches_values(schedule):
        return f"{shown}, as the values so far have it"
    step = Placeholder()
    try:
        recorded = carried(schedule.rate, RECORDED)(step)
    except FalllineError:
        return shown
    import sympy

    from fallline.optimizers.plain_text import plain_text
    from fallline.optimizers.symbols import SYMPY

    formula = evaluated(recorded, SYMPY, {step: sympy.Symbol("t", positive=True, integer=True)})
    return f"{plain_text(sympy.S(formula))} = {shown}"


class _Watched(Line):
    """A line that keeps the rates that are tried on it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.tried: list[float] = []

    def value(self, rate: float) -> float:
        self.tried.append(rate)
        return super().value(rate)

    def at(self, rate: float) -> Place:
        self.tried.append(rate)
        return super().at(rate)


def _trials(one: OneStep, search: LineSearch, seed: int, recipe: Mapping[str, Any]) -> str:
    """The rates that the line search tried, made again."""
    found = f"{search.name} found {one.rate:.6g}"
    if one.objective is None or recipe.get("resumed"):
        return found
    objective = one.objective.at_step(one.number, seed)
    gradient, state, _, step = one.arguments
    direction = one.rule.update(gradient, state, 1.0, step)[0][0]

    def both(point: Any) -> tuple[float, Any]:
        values, gradients = objective.value_and_gradient(point[None])
        return float(values[0]), gradients[0]

    value = float(objective.value(one.x[None])[0])
    line = _Watched(
        lambda point: float(objective.value(point[None])[0]),
        both,
        one.x,
        direction,
        value,
        one.gradient,
        one.rule.longest_rate,
    )
    with np.errstate(all="ignore"):
        rate = search.rate(line)
    if rate != one.rate or not line.tried:
        return found
    if rate not in line.tried:
        return f"{found} from trials {vector_text(line.tried)}"
    trial = line.tried.index(rate) + 1
    return f"{found} at trial {trial} of {len(line.tried)}: {vector_text(line.tried)}"
