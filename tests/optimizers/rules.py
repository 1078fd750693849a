"""Every registered rule under every convention: what the tests of all rules run over."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.fields import fields_of
from fallline.hyperparameters import hyperparameters
from fallline.optimizers import OPTIMIZERS, WRAPPERS, ConjugateGradient, Momentum, Optimizer

# The formula of the two-loop recursion doubles with every step that is remembered.
SETTINGS: dict[str, dict[str, Any]] = {"lbfgs": {"memory": 2}}

RULES: dict[str, Optimizer[Any]] = {
    f"{name}@{convention}": kind(0.05, convention=convention, **SETTINGS.get(name, {}))
    for name, kind in OPTIMIZERS.items()
    for convention in kind.conventions
} | {
    f"{name}@{convention}:momentum": around(Momentum(0.05), convention=convention)
    for name, around in WRAPPERS.items()
    for convention in around.conventions
}


def moved(rule: Optimizer[Any]) -> Optimizer[Any]:
    """The rule with 0.1 for every setting that is 0, and every flag turned, as far as its convention has them."""
    for entry in fields_of(rule):
        value, known = getattr(rule, entry.name), hyperparameters(rule)
        with contextlib.suppress(FalllineError):
            if isinstance(value, bool):
                rule = dataclasses.replace(rule, **dict[str, Any]({entry.name: not value}))
            elif entry.name in known and known[entry.name].symbol and isinstance(value, float) and value == 0:
                rule = dataclasses.replace(rule, **dict[str, Any]({entry.name: 0.1}))
    return rule


# Rules with what their defaults leave out.
UNUSUAL: dict[str, Optimizer[Any]] = {
    f"{name} moved": moved(rule) for name, rule in RULES.items() if moved(rule) != rule
} | {
    f"conjugate_gradient {formula}": ConjugateGradient(0.05, formula=formula) for formula in ConjugateGradient.FORMULAS
}

# Where every run in these tests begins, of the sizes of the gradients: some rules look at the point itself.
START = np.array([1.0, -2e-4, 500.0])


def gradients(steps: int, seed: int = 0) -> FloatArray:
    """Made-up gradients of three coordinates: of very different sizes, some exactly zero."""
    random = np.random.default_rng(seed)
    drawn: FloatArray = random.normal(size=(steps, 3)) * np.array([1.0, 1e-4, 1e3])
    drawn[random.random(drawn.shape) < 0.1] = 0.0
    return drawn


def changes(rule: Optimizer[Any], given: FloatArray) -> FloatArray:
    """What the rule subtracts from x at each step, run on NumPy arrays."""
    state = rule.init(START)
    made = []
    for step, gradient in enumerate(given, start=1):
        change, state = rule.update(gradient, state, rule.rate(step), step)
        made.append(change)
    return np.array(made)


def walked(rule: Optimizer[Any], given: FloatArray, start: npt.ArrayLike) -> FloatArray:
    """The points to which the rule goes from a start, given these gradients."""
    x = np.array([start])
    state = rule.init(x)
    points = []
    for step, gradient in enumerate(given, start=1):
        change, state = rule.update(gradient[None], state, rule.rate(step), step)
        x = x - change
        points.append(x[0])
    return np.array(points)
