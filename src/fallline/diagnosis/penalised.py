"""The finding that the penalty of a model outweighs its data, as a weight decay of the rule does."""

from __future__ import annotations

import copy

import numpy as np

from fallline.diagnosis.case import Case
from fallline.diagnosis.changes import with_settings
from fallline.diagnosis.finding import Finding
from fallline.diagnosis.measured_run import MOST_TRIED
from fallline.diagnosis.remedies import rounded
from fallline.diagnosis.trial import trial_descent
from fallline.norms import norm

# Where penalty and data balance, their gradients are of one size; the penalty's may be smaller by this.
PART = 0.5
# A few steps without the penalty explain this much more of the targets' variance, and the run less than this part of
# what the features tell.
MORE, LEARNT = 0.2, 0.5


def outweighing_penalty(case: Case) -> Finding | None:
    """The penalty's gradient beside that of the data at the end; and what a few steps without the penalty explain."""
    data, x = case.data, case.run.final.x
    if not (data.l2 and np.isfinite(x).all()):
        return None
    explained, told = case.sample.explained(x), case.sample.attainable
    pull = data.l2 * np.where(data.are_weights, x, 0.0)
    some = case.sample.rows
    free = copy.copy(data.on_part(some.X, some.y, some.weights))
    free.l2 = 0.0
    part = float(norm(pull) / norm((data.gradient(x) - pull)[data.are_weights]))
    if not (part > PART and explained < LEARNT * told):
        return None
    reached = case.sample.explained(trial_descent(free, case.run.start.x, min(case.allowance, MOST_TRIED)).x)
    if not reached > explained + MORE:
        return None
    return Finding(
        name="decay_dominates",
        title="The penalty on the weights outweighs the data",
        evidence=f"At the end the penalty pulls at the weights {part:.2g} times as strongly as the data. The model "
        f"explains {max(explained, 0):.0%} of the variance of the targets; a few steps of gradient descent without "
        f"the penalty explain {reached:.0%}.",
        cause=f"l2={data.l2:g} holds the weights near zero, so the model predicts nearly the same for every row.",
        remedies=tuple(with_settings(case, l2=rounded(data.l2 * factor)) for factor in (1e-3, 1e-2)),
        numbers={"part": part, "explained": explained, "without": reached},
    )
