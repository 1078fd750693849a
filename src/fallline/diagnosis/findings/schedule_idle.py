"""The finding that a schedule never changed the rate, although the run stood on a floor that a lower rate leaves."""

from __future__ import annotations

import numpy as np

from fallline import schedules
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import Finding, check
from fallline.diagnosis.rates import rate_of
from fallline.diagnosis.remedies import with_schedule
from fallline.schedules import Schedule

# The rate changed by no more than this part of it.
SAME = 1e-3
# The last quarter is no lower than the one before by more than this part of its swing.
LOWER = 0.5
# Steps that have not got shorter by more than this factor are those of a run that does not converge.
SHORTER = 0.5
# What a short descent from the end still gains, as a part of the whole fall.
LEFT = 2e-4
# What the run must have made before: a schedule that does not act at the start is not missed.
MADE = 0.3


@check(
    "the schedule never changed the rate",
    leads_to=("noise_floor",),
    ignore="where the rate was meant to stay as it is for longer than this run",
    source="Smith (2017), Cyclical learning rates for training neural networks",
    example="""
        random = np.random.default_rng(0)
        x = random.normal(size=120)
        line = Linear(x, 2 * x + random.normal(size=120))
        rate = StepDecay(0.2, factor=0.1, every=5000)
        run = minimize(line.batches(1), (0, 0), GradientDescent(rate), max_steps=1200)
    """,
)
def schedule_idle(case: Case) -> Finding | None:
    """A rate that stays the same, with values that stand still in the second half while the steps stay as long."""
    schedule = case.rule.learning_rate
    if not isinstance(schedule, Schedule) or isinstance(schedule, schedules.Constant):
        return None
    rates, course = case["rate"].values[:-1], case.course
    if len(rates) < 8 or not np.isfinite(rates).all() or np.ptp(rates) > SAME * rates.max() or not course.finite[-1]:
        return None
    before, after = (course.values[course.part(*ends)] for ends in ((0.5, 0.75), (0.75, 1.0)))
    if not course.fall > MADE * abs(course.start - course.lowest):
        return None
    scatter = max(float(np.std(after)), LEFT * course.fall)
    if np.mean(before) - np.mean(after) > LOWER * scatter or not _moves_on(case):
        return None
    trial = case.from_end
    if not course.end - trial.end > LEFT * course.fall + course.noise[-1]:
        return None
    rate = rate_of(case.rule)
    return Finding(
        name="schedule_idle",
        title="The schedule never changed the rate",
        evidence=f"The rate was {rates[0]:.3g} in all {course.length} steps, while the value stood at "
        f"{np.mean(before):.4g} and {np.mean(after):.4g} in the last two quarters, moving by {np.std(after):.2g}. A "
        f"short descent from the end reaches {trial.end:.4g}.",
        cause=f"{type(schedule).__name__} would act only later than the run ends, so that the steps stay too long to "
        "come nearer.",
        remedies=(with_schedule(case.rule, schedules.Cosine(rate, course.length)),) if rate is not None else (),
        since=int(course.steps[0] + course.length // 2),
        numbers={"rate": float(rates[0]), "value": float(np.mean(after)), "reached": trial.end},
    )


def _moves_on(case: Case) -> bool:
    """Whether the steps of the last quarter are about as long as those of the second."""
    length = case["step_length"]
    share = (length.steps - length.steps[0]) / case.course.length
    with np.errstate(all="ignore"):
        early, late = (
            np.nanmedian(part) if np.isfinite(part).any() else np.nan
            for part in (length.values[(share >= 0.25) & (share < 0.5)], length.values[share >= 0.75])
        )
    return bool(late > SHORTER * early)
