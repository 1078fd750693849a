"""The finding that the first steps jumped far up, which a rate that warms up would have avoided."""

from __future__ import annotations

from typing import Any

import numpy as np

from fallline import schedules
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Finding, check
from fallline.diagnosis.limits import is_linear
from fallline.diagnosis.remedies import with_schedule
from fallline.line_search import LineSearch
from fallline.minimizing import minimize
from fallline.schedules import Schedule

# The jump is within this part of the run, or so many steps, and the run has recovered by that part of it.
FIRST, FEWEST, RECOVERED = 0.05, 20, 0.6
# The jump is at least this part of the whole fall above the start; with a warm-up it is at most that part of it.
HIGH, LESS = 1.0, 0.5
# A fall of less than this part of the value's size is nothing.
LEAST = 0.01
# What the run has made in the end, as a part of the whole fall.
MADE = 0.5
# The steps of the warm-up that is tried, as a part of the run, and the fewest; the rate that it begins with.
WARM, SHORTEST, START = 0.35, 20, 0.01
# Columns whose deviations differ by more than this factor are not of one scale; so many rows tell.
SPREAD, SAMPLE = 30.0, 1000


@check(
    "the first steps jumped up for want of a warm-up",
    leads_to=("loss_spike",),
    ignore="where the start is bad in itself",
    source="Goyal et al. (2017), Accurate, large minibatch SGD; Liu et al. (2020), On the variance of the adaptive "
    "learning rate and beyond",
    example='run = minimize("x**2", 1, RMSProp(0.15, beta=0.999), max_steps=400)',
)
def no_warm_up(case: Case) -> Finding | None:
    """A jump in the first steps only; the same first steps with a rate that warms up do not make it."""
    rule, course = case.rule, case.course
    rate = rule.learning_rate
    if isinstance(rate, LineSearch) or is_linear(rule) or _warms_up(rate) or not course.finite.all():
        return None
    first = max(int(FIRST * course.length), FEWEST)
    rows = course.steps - course.steps[0] <= first
    peak = int(np.argmax(course.values))
    whole = course.start - course.lowest
    height = float(course.values[peak]) - course.start
    least = max(course.noise[0], LEAST * abs(course.start))
    if not (rows[peak] and whole > least and height > HIGH * whole and course.fall > MADE * whole):
        return None
    # After it the run falls, and does not jump as high again.
    later = course.values[course.part(RECOVERED, 1.0)]
    if not np.max(later) < course.start or _ill_scaled(case):
        return None
    steps = max(int(WARM * course.length), SHORTEST)
    warm = with_schedule(rule, schedules.WarmUp(rate, steps=steps, start=START))
    tried = _peak_with(case, warm.settings["optimizer"], int(course.steps[peak] - course.steps[0]))
    if not tried - course.start < LESS * height:
        return None
    return Finding(
        name="no_warm_up",
        title="The first steps jumped up for want of a warm-up",
        evidence=f"By step {course.steps[peak]} the value went from {course.start:.4g} up to "
        f"{course.values[peak]:.4g}, before it fell to {course.end:.4g}. With a rate that warms up over {steps} steps "
        f"it goes no higher than {tried:.4g} there.",
        cause="At the start the rule knows too little of the slopes for its full rate, or the curvature is larger "
        "there than later.",
        remedies=(warm,),
        since=int(course.steps[0]),
        numbers={"peak": float(course.values[peak]), "with_warm_up": tried, "start": course.start},
        steps=(int(course.steps[peak]),),
    )


def _ill_scaled(case: Case) -> bool:
    """Whether the coordinates are of so different scales that the first step of an adaptive rule is far for some.

    It takes the same step along each; and soon finds the size that suits each by itself.
    """
    X = getattr(case.loss, "X", None)
    if isinstance(X, np.ndarray):
        deviations = X[:SAMPLE].std(axis=0)
        deviations = deviations[deviations > 0]
        return bool(deviations.size and deviations.max() > SPREAD * deviations.min())
    found = case.spectrum
    return not found.highest < SPREAD**2 * abs(found.lowest)


def _warms_up(rate: Any) -> bool:
    """Whether a schedule begins with less than half of its largest rate."""
    if not isinstance(rate, Schedule) or rate.needs_value:
        return False
    rates = np.array([float(rate.rate(step)) for step in (1, 2, 5, 10, 20, 50, 100)])
    return bool(rates[0] < 0.5 * rates.max())


def _peak_with(case: Case, rule: Any, steps: int) -> float:
    """The highest value of the first steps with another rule, up to twice as many as the jump took."""
    run = case.run
    steps = 2 * steps
    if not case.cheap and steps * case.step_seconds > 2 * case.seconds:
        raise CannotCheck("more time for another start than the run itself took")
    tried = minimize(case.objective, run.start.x, rule, max_steps=steps, seed=run.seed, engine="reference")
    with np.errstate(all="ignore"):
        return float(np.max(tried.value))
