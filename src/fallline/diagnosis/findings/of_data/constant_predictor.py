"""The finding that a model is stuck at predicting the same for every row."""

from __future__ import annotations

import numpy as np

from fallline.diagnosis.case import Case
from fallline.diagnosis.changes import at_rates, started_anew
from fallline.diagnosis.finding import CannotCheck, Finding, check
from fallline.models import Network

# The loss stays this near to that of the best constant, over this last part of the run, of at least so many steps,
# unless it came to rest before.
NEAR, LAST, FEWEST = 0.01, 0.2, 200
# The features must tell at least this part of the targets' variance: else there is nothing better than a constant.
TOLD = 0.1
# A gradient that is still this part of its first size moves on: that run is slow, not stuck.
MOVING = 0.3


@check(
    "the model predicts the same for every row",
    leads_to=("plateau",),
    ignore="the features tell nothing about the targets",
    source="Karpathy (2019), A recipe for training neural networks",
    example="""
        angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        circle = np.column_stack([np.cos(angle), np.sin(angle)])
        rings = Logistic(np.concatenate([circle, 2 * circle]), np.repeat([0, 1], 60))
        run = minimize(rings, (1, 1, 0), GradientDescent(0.5), max_steps=300)
    """,
)
def constant_predictor(case: Case) -> Finding | None:
    """Compare the loss with that of the best constant: the entropy of the labels, the variance of the targets."""
    sample, run, values = case.sample, case.run, case["value"]
    late = values.steps >= (1 - LAST) * values.steps[-1]
    if not run.stop.converged:
        if run.step_count < FEWEST:
            return None
        if late.sum() < 3:
            raise CannotCheck("the loss at more steps")
    baseline = sample.baseline
    with np.errstate(all="ignore"):
        away = abs(values.values - baseline) / abs(baseline)
    if not (baseline and (away[late] <= NEAR).all() and sample.told > TOLD):
        return None
    if _moves(case):
        return None
    outside = np.flatnonzero(~(away <= NEAR))
    since = int(values.steps[outside[-1] + 1]) if outside.size else 0
    what = "the entropy of the labels" if case.data.class_labels() else "what the best constant reaches"
    return Finding(
        name="constant_predictor",
        title="The model predicts the same for every row",
        evidence=f"From step {since} to {run.step_count} the loss stays within {away[late].max():.1%} of "
        f"{baseline:.4g}, {what}. The features tell {sample.told:.0%} of the variance of the targets, of which the "
        f"model explains {max(0, sample.explained(run.final.x)):.0%}.",
        cause="The model ignores its features: it has learnt how frequent each answer is, and nothing else.",
        remedies=(*((started_anew(case),) if isinstance(case.data, Network) else ()), *at_rates(case, 10, 0.1)),
        since=since,
        numbers={"loss": run.final.value, "baseline": baseline, "told": sample.told},
        steps=(since,),
    )


def _moves(case: Case) -> bool:
    """Whether the run goes downhill as steeply as at the start, so that it only needs more steps or a larger rate."""
    some, run = case.sample.rows, case.run
    part = case.data.on_part(some.X, some.y, some.weights)
    first, last = np.linalg.norm(part.gradient(run.x[case.rows[[0, -1]]]), axis=1)
    falls = np.diff(case["value"].values) <= 0
    return bool(last > MOVING * first and falls.mean() > 0.9)
