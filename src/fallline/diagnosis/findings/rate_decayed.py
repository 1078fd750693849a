"""The finding that the rate fell to nearly nothing, by its schedule or by the rule itself, while the slope is large."""

from __future__ import annotations

from typing import Any

import numpy as np

from fallline import optimizers, schedules
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import Finding, Remedy, check
from fallline.diagnosis.rates import rate_of, scaled
from fallline.diagnosis.remedies import by, with_schedule
from fallline.optimizers import Optimizer
from fallline.schedules import Schedule

# A rate below this part of its largest is nearly nothing.
GONE = 0.01
# A schedule may bring it there in the last half of a run.
HALF = 0.5
# The gradient at the end, as a part of the largest, or of ten times the median if that is less: more than this is not
# small. One slope far too large is no measure.
STEEP = 0.01
# The part of the fall that must be left.
LEFT = 0.05
# A rule that divides by a growing sum halves its steps on one gradient with each fourfold number of steps, for ever;
# one that divides by a mean, such as RMSProp, does so at the start only.
SHRUNK, STEPS = 0.51, 512


@check(
    "the rate fell to nearly nothing while the slope is large",
    leads_to=("too_slow", "plateau", "update_size", "vanishing_gradients", "constant_predictor", "rate_too_large"),
    ignore="where the run is close enough, or features are so sparse that most of them have come up seldom",
    source="Zeiler (2012), ADADELTA: an adaptive learning rate method",
    example="""
        rate = Exponential(0.05, decay=0.8)
        run = minimize("x**2 + 3*y**2", (4, 2), GradientDescent(rate), max_steps=200)
    """,
)
def rate_decayed(case: Case) -> Finding | None:
    """The rate of a schedule, or the length of a step by that of its gradient, against its largest."""
    found = _by_schedule(case) or _by_sum(case)
    norms = case["gradient_norm"].values
    if found is None:
        return None
    usual = min(np.nanmax(norms), 10 * np.nanmedian(norms))
    if not norms[-1] > STEEP * usual or case.left < LEFT:
        return None
    what, since, part = found
    steps = case.course.length
    rate = rate_of(case.rule)
    return Finding(
        name="rate_decayed",
        title="The rate fell to nearly nothing",
        evidence=f"{what} is {part:.2g} of its largest from step {since} on, while the gradient's norm is "
        f"{norms[-1]:.3g} still, after {norms[0]:.3g} at the start. A short descent from the end falls from "
        f"{case.from_end.start:.4g} to {case.from_end.end:.4g}.",
        cause="The steps became too short long before the slope did.",
        remedies=_remedies(case, rate, steps),
        since=since,
        numbers={"part": part, "slope": float(norms[-1])},
    )


def _by_schedule(case: Case) -> tuple[str, int, float] | None:
    """What fell, since when, and to which part: the rate of a schedule."""
    if not isinstance(case.rule.learning_rate, Schedule):
        return None
    steps, rates = case["rate"].steps[:-1], case["rate"].values[:-1]
    if not len(rates) or not np.isfinite(rates).all():
        return None
    low = rates < GONE * rates.max()
    if not low[-1]:
        return None
    first = np.flatnonzero(~low)[-1] + 1
    since = int(steps[first])
    # Where it was low for most of the time before too, it only went up for a moment.
    if since > steps[0] + HALF * case.course.length or low[:first].mean() > HALF:
        return None
    return "The rate of the schedule", since, float(rates[-1] / rates.max())


def _by_sum(case: Case) -> tuple[str, int, float] | None:
    """The same of a rule that divides by a sum of squares of all gradients."""
    if not _divides_by_a_sum(case.rule):
        return None
    lengths, norms, rates = (case[name].values[:-1] for name in ("step_length", "gradient_norm", "rate"))
    with np.errstate(all="ignore"):
        effective = lengths / norms / rates
    known = np.flatnonzero(np.isfinite(effective))
    if len(known) < 3:
        return None
    low = effective[known] < GONE * effective[known].max()
    if not low[-1]:
        return None
    since = int(case["rate"].steps[known[np.flatnonzero(~low)[-1] + 1]])
    return "The length of a step by that of its gradient", since, float(effective[known[-1]] / effective[known].max())


def _divides_by_a_sum(rule: Optimizer[Any]) -> bool:
    """Whether the steps on one gradient, at one rate, get ever shorter."""
    if not rule.elementwise or getattr(rule, "penalty", None) is not None:
        return False
    state = rule.init(np.zeros(1))
    lengths: list[float] = []
    with np.errstate(all="ignore"):
        for step in range(1, STEPS + 1):
            change, state = rule.update(np.ones(1), state, 1.0, step)
            lengths.append(np.abs(change).item())
            if step > 1 and lengths[-1] > lengths[-2]:
                return False
    return lengths[-1] < SHRUNK * lengths[STEPS // 4 - 1]


def _remedies(case: Case, rate: float | None, steps: int) -> tuple[Remedy, ...]:
    if rate is None:
        return ()
    if isinstance(case.rule.learning_rate, Schedule):
        return (with_schedule(case.rule, schedules.Cosine(rate, steps)), *scaled(case.rule, 10.0))
    return (by(optimizers.Adam(rate)), *scaled(case.rule, 10.0))
