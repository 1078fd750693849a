"""Remedies that change the data, the model or the start of a run on one of our models."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import Remedy
from fallline.diagnosis.rates import scaled
from fallline.diagnosis.remedies import rounded, with_schedule
from fallline.models import Batches, Loss
from fallline.models.summing import dense
from fallline.schedules import Cosine


def standardised(case: Case) -> tuple[Remedy, ...]:
    """The features with mean 0 and deviation 1; none if a fit has standardised them already."""
    text = "standardize=True"
    if case.known_fit is not None:
        told = Remedy(text, {"standardize": True}, "--standardize")
        return () if case.known_fit.standardization is not None else (told,)
    text = "X = (X - X.mean(axis=0)) / X.std(axis=0)"
    loss = case.data
    if loss.dataset is not None:
        return (Remedy(text),)
    X = dense(loss.X)
    deviations = X.std(axis=0)
    changed = copy.copy(loss)
    changed.X = (X - X.mean(axis=0)) / np.where(deviations > 0, deviations, 1.0)
    return (_on(case, changed, text),)


def batched(case: Case, **changes: Any) -> Remedy:
    """Other batches: `order` or `size`."""
    batches = case.objective
    assert isinstance(batches, Batches)
    text = ", ".join(f"batch_{name}={setting!r}" for name, setting in changes.items())
    command = " ".join(f"--batch-{name} {setting}" for name, setting in changes.items())
    if case.known_fit is not None:
        return Remedy(text, {f"batch_{name}": setting for name, setting in changes.items()}, command)
    settings = {name: getattr(batches, name) for name in ("size", "order", "remainder", "epoch_value")} | changes
    text = ", ".join(f"{name}={setting!r}" for name, setting in changes.items() if name != "size")
    size = settings["size"]
    return Remedy(f"loss.batches({size}{f', {text}' if text else ''})", {"objective": case.data.batches(**settings)})


def with_settings(case: Case, **changes: Any) -> Remedy:
    """The model with other settings: `activation`, `l2`."""
    text = ", ".join(f"{name}={setting!r}" for name, setting in changes.items())
    command = " ".join(f"--{name} {setting}" for name, setting in changes.items())
    if case.known_fit is not None:
        return Remedy(text, changes, command)
    changed = copy.copy(case.data)
    for name, setting in changes.items():
        setattr(changed, name, setting)
    return _on(case, changed, text)


def started_anew(case: Case) -> Remedy:
    """Random weights as the network's own `initial` draws them."""
    seed = case.run.seed + 1
    if case.known_fit is not None:
        return Remedy(f"x0=None, seed={seed}", {"x0": None, "seed": seed}, f"--seed {seed}")
    return Remedy(f"x0=network.initial(seed={seed})", {"x0": case.network.initial(seed)})


def at_rates(case: Case, *factors: float) -> tuple[Remedy, ...]:
    """The rule at some multiples of its rate; none where the rule or its rate is not known."""
    rule = case.run.rule
    return () if rule is None else tuple(remedy for factor in factors for remedy in scaled(rule, factor))


def decaying(case: Case) -> tuple[Remedy, ...]:
    """The rule with a rate that falls to 0 by the end of the run; none where its rate is no number."""
    rule = case.run.rule
    if rule is None or not isinstance(rule.learning_rate, float):
        return ()
    return (with_schedule(rule, Cosine(rounded(rule.learning_rate), steps=case.run.step_count)),)


def _on(case: Case, loss: Loss, text: str) -> Remedy:
    """The run on another loss, in the batches that it had."""
    if case.innermost is not case.loss:
        return Remedy(text)
    batches = case.objective
    objective: Any = loss
    if isinstance(batches, Batches):
        objective = loss.batches(
            batches.size, order=batches.order, remainder=batches.remainder, epoch_value=batches.epoch_value
        )
    return Remedy(text, {"objective": objective})
