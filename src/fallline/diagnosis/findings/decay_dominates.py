"""The finding that the weight decay outweighs the data, so that the weights shrink whatever the data ask for."""

from __future__ import annotations

from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import Finding, check
from fallline.diagnosis.remedies import by, rounded
from fallline.diagnosis.steps import READ, spread
from fallline.fields import fields_of
from fallline.norms import norm
from fallline.optimizers import Optimizer
from fallline.optimizers.base import layers
from fallline.optimizers.settings import setting_of, with_settings

# In more than half of the steps the decay's part is at least this much of the data's: where both balance they are
# equal, but a fresh state, with which they are told apart, makes the data's larger.
PART = 0.3
# The part of the fall that the data alone would still make from the end.
LEFT = 0.15
# How many rows are looked at.
ROWS = 50


@check(
    "the weight decay outweighs the data",
    leads_to=(
        "too_slow",
        "update_size",
        "plateau",
        "constant_predictor",
        "dead_units",
        "vanishing_gradients",
        "momentum_overshoot",
        "loss_spike",
        "saddle",
        "rate_too_large",
        "not_finite",
        "kink",
    ),
    ignore="where layers are normalised, so that the size of their weights changes nothing",
    source="Loshchilov and Hutter (2019), Decoupled weight decay regularization",
    example="""
        x = np.linspace(-1, 1, 40)
        rule = AdamW(0.01, weight_decay=10, convention="torch")
        run = minimize(Linear(x, 3 * x), (2, 0), rule, max_steps=300)
    """,
)
def decay_dominates(case: Case) -> Finding | None:
    """The step with the decay beside that without it, at points of the run; and the fall the data still ask for.

    Of a model with an l2, the pull of that penalty beside that of the data, and what is learnt without it.
    """
    name = _decay(case.rule)
    if name is None and case.innermost.of_data:
        from fallline.diagnosis.penalised import outweighing_penalty  # only a model with its data has a penalty

        return outweighing_penalty(case)
    if name is None:
        return None
    run = case.run
    finite = np.flatnonzero(np.isfinite(run.gradient_norm[:-1]))
    rows = finite[spread(len(finite), max(1, min(ROWS, READ // (4 * run.x.shape[1]))))]
    looked = [_parts(case.rule, name, run.x[row], run.gradient[row], float(run.rate[row])) for row in rows]
    parts, of_weights = np.reshape(looked, (-1, 2)).T
    share = float(np.mean(parts > PART)) if parts.size else 0.0
    # Where all weights are zero there is no way down, but there is one from the start.
    reached = np.fmin(case.from_end.end, case.from_start.end)
    end = case.from_end.start if np.isfinite(case.from_end.start) else np.inf
    left = end - reached > LEFT * (max(case.course.start, end) - reached)
    # A run broke out by its decay if that alone carries the weights farther beyond zero than they were from it.
    broke_out = end == np.inf and np.median(of_weights) > 2
    if share <= 0.5 or not (left or broke_out):
        return None
    decay = float(setting_of(case.rule, name)[0])
    sizes = norm(run.x[[0, -1]])
    return Finding(
        name="decay_dominates",
        title="The weight decay outweighs the data",
        evidence=f"In {share:.0%} of {len(parts)} steps the decay's part is more than {PART:g} of the data's, "
        f"{np.median(parts):.2g} times as much in the median; the norm of the weights went from {sizes[0]:.3g} to "
        f"{sizes[1]:.3g}. Without the decay a few steps reach a value of {reached:.4g}; the run ended at {end:.4g}.",
        cause=f"{name}={decay:g} pulls the weights to zero faster than the data can hold them.",
        remedies=tuple(by(with_settings(case.rule, {name: rounded(decay * factor)})) for factor in (1e-3, 1e-2)),
        since=int(run.steps[rows[np.argmax(parts > PART)]]),
        numbers={"share": share, "part": float(np.median(parts)), "decay": decay},
    )


def _decay(rule: Optimizer[Any]) -> str | None:
    """The name of the decay of a rule or of the rules inside it, if it has one above 0."""
    for name in ("decay", "weight_decay"):
        for part in layers(rule):
            # A rule of the user's own may call something else so.
            decay = getattr(part, name) if name in {field.name for field in fields_of(part)} else 0.0
            if np.ndim(decay) == 0 and decay > 0:
                return name
    return None


def _parts(rule: Optimizer[Any], name: str, x: FloatArray, gradient: FloatArray, rate: float) -> tuple[float, float]:
    """The length of what the decay adds to a first step from a point, by that of the step without it, and by x's."""
    with np.errstate(all="ignore"):
        changes = []
        for one in (rule, with_settings(rule, {name: 0.0})):
            changes.append(one.update(gradient, one.init(x), rate, 1)[0])
        added = norm(changes[0] - changes[1])
        return float(added / norm(changes[1])), float(added / norm(x))
