"""A run as the page is told of it: its rule, rate, gradient and conditions, as js/src/run.ts takes them."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from fallline.explorer.rules import name_of
from fallline.explorer.tracing import settings_of
from fallline.gradients import Perturbation
from fallline.line_search import LineSearch
from fallline.optimizers import Optimizer
from fallline.optimizers.wrappers import GradientNoise
from fallline.schedules import Schedule
from fallline.stopping import StoppingCondition, conditions


def told(
    rule: Optimizer[Any],
    *,
    max_steps: int,
    stop: StoppingCondition | None = None,
    target: float | None = None,
    gradient: Perturbation | None = None,
) -> dict[str, Any]:
    """The settings of a run, in what JSON has.

    Arguments:
        rule: one of the library's rules, or one that `own_rules` has written; around it there may be `GradientNoise`
            of a variance that stays.
        max_steps, stop, target: as in `minimize`.
        gradient: how the gradient is perturbed; None for the exact one.

    >>> from fallline import Adam, Exponential, Target
    >>> told(Adam(Exponential(0.1)), max_steps=9, stop=Target(0.5))["rate"]
    {'schedule': 'exponential', 'convention': 'paper', 'values': {'initial': 0.1, 'decay': 0.99}}
    """
    settings: dict[str, Any] = {}
    if isinstance(rule, GradientNoise) and rule.power == 0:
        settings["noise"] = {"deviation": math.sqrt(rule.variance), "seed": rule.seed}
        rule = rule.rule
    settings |= {
        "rule": name_of(rule),
        "convention": rule.convention,
        "values": dict(settings_of(rule)),
        "rate": _rate(rule.learning_rate),
        "gradient": {"kind": "exact"} if gradient is None else {"kind": "perturbation", **dataclasses.asdict(gradient)},
        "maxSteps": max_steps,
    }
    if target is not None:
        settings["target"] = target
    stops = [{"condition": type(part).__name__, "values": dict(settings_of(part))} for part in conditions(stop)]
    return settings | {"stop": stops}


def _rate(rate: Any) -> Any:
    if isinstance(rate, LineSearch):
        return {"lineSearch": rate.name, "values": dict(settings_of(rate))}
    if not isinstance(rate, Schedule):
        return rate
    told: dict[str, Any] = {
        "schedule": rate.name,
        "convention": getattr(rate, "convention", "paper"),
        "values": dict(settings_of(rate)),
    }
    inner = getattr(rate, "after", None)
    return told if inner is None else told | {"after": _rate(inner)}
