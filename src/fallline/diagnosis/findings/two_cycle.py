"""The finding that the run jumps to and fro between two points."""

from __future__ import annotations

import numpy as np

from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Finding, check
from fallline.diagnosis.rates import scaled
from fallline.norms import norm
from fallline.tables import vector_text

# In a cycle two steps together lead nowhere: they are shorter than this part of one of them.
RETURNS = 0.05
# The steps of a cycle keep their length, to this part over a quarter of a run.
STEADY = 0.02
# The fewest steps that show a cycle.
FEWEST = 8
# Steps below this part of the size of x are rounding.
TINY = 1e-9


@check(
    "the run jumps between two points",
    leads_to=("zigzag", "too_slow"),
    ignore="where the point between the two is all that is wanted",
    source="Strogatz (2014), Nonlinear dynamics and chaos, section 10.3",
    example='run = minimize("abs(x)**1.5 + y**2", (2, 1), GradientDescent(0.5), max_steps=300)',
)
def two_cycle(case: Case) -> Finding | None:
    """In the last quarter of the run each step takes back the one before it, and none gets shorter."""
    run = case.run
    if case.objective.stochastic:
        raise CannotCheck("steps on all data")
    if case.interval != 1:
        raise CannotCheck("every step recorded")
    first = max(len(run) - max(len(run) // 4, FEWEST), 0)
    x = run.x[first:]
    if len(x) < FEWEST or not np.isfinite(x).all():
        return None
    steps, returns = norm(np.diff(x, axis=0)), norm(x[2:] - x[:-2])
    size = np.abs(x).max()
    if not steps[-1] > TINY * size or np.mean(returns < RETURNS * steps[1:]) < 1 or not _steady(steps):
        return None
    there, back = run.x[-2], run.x[-1]
    since = int(run.steps[_since(run.x)])
    return Finding(
        name="two_cycle",
        title="The run jumps between two points",
        evidence=f"From step {since} on, each step takes back the one before: from {vector_text(there)} to "
        f"{vector_text(back)} and back, a distance of {steps[-1]:.3g}. The value is {run.value[-2]:.4g} at the one and "
        f"{run.value[-1]:.4g} at the other.",
        cause="The rate is so large for the curvature between the two points that the step from each leads to the "
        "other; the minimum lies between them.",
        remedies=(*scaled(case.rule, 0.5), *scaled(case.rule, 0.1)),
        since=since,
        numbers={"distance": float(steps[-1]), "since": since},
        steps=tuple(int(step) for step in run.steps[-FEWEST:]),
    )


def _steady(lengths: np.ndarray) -> bool:
    """Whether steps keep their length: every other one beside its like, as the two of a cycle may differ a little."""
    half = len(lengths) // 2
    early, late = lengths[:half].mean(), lengths[-half:].mean()
    return bool(abs(late - early) <= STEADY * early)


def _since(x: np.ndarray) -> int:
    """The row from which on two steps together lead nowhere."""
    with np.errstate(all="ignore"):
        returns = norm(x[2:] - x[:-2]) < RETURNS * norm(np.diff(x, axis=0))[1:]
    wrong = np.flatnonzero(~returns)
    return int(wrong[-1]) + 1 if wrong.size else 0
