"""The defaults of `fit`: the rule, its learning rate, and the stopping condition."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arguments import rule_of
from fallline.errors import FalllineError, Verbatim
from fallline.models import Logistic, Loss, Softmax
from fallline.norms import norm
from fallline.optimizers import (
    FISTA,
    GradientDescent,
    Momentum,
    Nesterov,
    Optimizer,
    ProximalDescent,
    optimizer_from_name,
)
from fallline.penalties import L1
from fallline.results.trajectory import Trajectory
from fallline.stopping import GradientNorm, StepSize, StoppingCondition

# Rounding limits a mean gradient on standardised data to about 1e-16, absolute, or relative to its size at zero where
# targets are large; the thresholds are above that.
SMALL_GRADIENT = 1e-10
SMALL_PART = 1e-13

# By how much an accuracy may exceed the balanced accuracy without a note, and how many classes a note tells of.
HIDDEN = 0.1
MOST_TOLD = 4

# A relative rise of the loss up to this is rounding.
ROUNDING = 1e-12


def at_rest(loss: Loss, rule: Optimizer[Any]) -> StoppingCondition:
    """The default stopping condition on all rows: an almost zero gradient, or, with a penalty, almost zero steps."""
    # On the rows in memory only, to avoid a pass over files.
    part = loss.on_part(loss.X, loss.y, loss.weights)
    whole, of_part = (one.rows * one.mean_weight if one.reduction == "sum" else 1 for one in (loss, part))
    slope = float(norm(part.gradient(np.zeros(loss.dimension)))) / of_part
    smallest = whole * max(SMALL_GRADIENT, SMALL_PART * slope if np.isfinite(slope) else 0.0)
    if isinstance(rule, FISTA | ProximalDescent):
        rate = rule.learning_rate
        return StepSize(smallest * rate) if isinstance(rate, float) else StepSize()
    return GradientNorm(smallest)


def chosen_rule(
    optimizer: Optimizer[Any] | str | None, loss: Loss, batch_size: int | None, penalty: L1
) -> tuple[Optimizer[Any], str]:
    """The rule to run, and a sentence that explains its rate."""
    rule, why = _smooth_rule(optimizer, loss, batch_size, penalised=penalty.strength > 0)
    if not penalty.strength:
        return rule, why
    if not isinstance(rule, FISTA | ProximalDescent):
        raise FalllineError(
            "optimizer",
            Verbatim(rule.label),
            "allowed: fista, proximal",
            problem=f"which cannot take l1 = {penalty.strength:g}",
        )
    if rule.penalty != L1(0.0):
        raise FalllineError(
            "l1",
            Verbatim(f"{penalty.strength:g}"),
            "give one of the two",
            problem=f"but the optimizer has a penalty of its own, {rule.penalty}",
        )
    return dataclasses.replace(rule, penalty=penalty), why


def _smooth_rule(
    optimizer: Optimizer[Any] | str | None, loss: Loss, batch_size: int | None, penalised: bool
) -> tuple[Optimizer[Any], str]:
    """The rule without its penalty, and the explanation of its rate."""
    if not (optimizer is None or isinstance(optimizer, str)):
        given = rule_of(optimizer)
        return given, f"optimizer: {given.label}, as given"
    bounded = np.isfinite(loss.curvature)
    if penalised:
        usual = "fista" if batch_size is None and loss.convex else "proximal"
    elif batch_size is not None:
        usual = "gradient_descent" if bounded else "adam"
    else:
        # For streamed files, the rule that needs the fewest passes.
        usual = "nesterov" if bounded and loss.dataset is None else "lbfgs"
    name = usual if optimizer is None else optimizer
    rule = optimizer_from_name(name)
    if not (bounded and isinstance(rule, Nesterov | Momentum | GradientDescent | FISTA | ProximalDescent)):
        return rule, f"optimizer: {rule.label}, the rule's own defaults"
    longest = 1 / loss.smoothness(batch_size)
    settings: dict[str, float]
    # At the rate 1/L, Nesterov's step d' after a step d satisfies f(x') ≤ f(x) + L/2 (|γ d|² - |d'|²) for convex f,
    # so f + L/2 |d|² never rises, for any γ < 1. For other f, |γ d|² counts twice, so γ² ≤ 1/2 is needed.
    if isinstance(rule, Nesterov):
        settings, source = {"learning_rate": longest, "momentum": 0.9 if loss.convex else 0.7}, "1/L"
    # Half the bound of Ochs, Chen, Brox and Pock (2014), iPiano, for any smooth loss.
    elif isinstance(rule, Momentum):
        settings, source = {"learning_rate": (1 - rule.momentum) * longest}, "(1 - momentum)/L"
    else:
        settings, source = {"learning_rate": longest}, "1/L"
    chosen = optimizer_from_name(name, **settings)
    return chosen, f"optimizer: {chosen.label}; the rate is {source}, L the loss's largest curvature"


def warnings_about(trajectory: Trajectory, loss: Loss, batch_size: int | None, penalty: L1) -> list[str]:
    """Notes on the point where the run ended, and warnings about it."""
    if not penalty.strength and isinstance(loss, Logistic | Softmax) and loss.separates(trajectory.final.x):
        return [
            "the features separate the classes perfectly, so no best parameters exist: they grow without "
            f"limit, and are reported where the run ended ({trajectory.stop.message})"
        ]
    start, end = (float(point.value + penalty.value(point.x)) for point in (trajectory.start, trajectory.final))
    warnings = []
    if penalty.strength:
        zero = int((trajectory.final.x[loss.are_weights] == 0).sum())
        warnings.append(
            f"l1: {zero} of {loss.are_weights.sum()} weights are zero; with the penalty the loss is {end!r}"
        )
    if not (trajectory.stop.converged or (batch_size is not None and trajectory.stop.reason == "step limit")):
        warnings.append(f"the run ended before it converged: {trajectory.stop.message}")
    if end > start * (1 + ROUNDING):
        warnings.append(f"the loss rose from {start:g} to {end:g}: the learning rate is too large")
    return warnings


def imbalance(classes: Sequence[str], confusion: npt.NDArray[np.int64], weighted: bool) -> list[str]:
    """A note when a class is never predicted, or the accuracy hides how few rows of the rare classes are found.

    Arguments:
        classes: the names of the classes.
        confusion: the confusion matrix, one true class a row.
        weighted: whether the classes have weights already.
    """
    found, rows, predicted = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    accuracy = float(found.sum() / rows.sum())
    present = rows > 0
    balanced = float((found[present] / rows[present]).mean())
    if np.all(predicted[present] > 0) and balanced > accuracy - HIDDEN:
        return []
    if (predicted > 0).sum() == 1:
        how = f"every row is predicted as {classes[int(predicted.argmax())]!r}"
    else:
        of_class = ", ".join(f"{found[i]} of {rows[i]} rows of {classes[i]!r}" for i in range(len(classes))[:MOST_TOLD])
        how = f"right are {of_class}{', …' if len(classes) > MOST_TOLD else ''}"
    advice = "" if weighted else "; a class_weight of balanced counts all classes alike"
    return [
        f"{how}: the balanced accuracy, the mean over the classes, is {balanced:.3g}, "
        f"the accuracy {accuracy:.3g}{advice}"
    ]
