"""The finding that momentum carries the run past the minimum again and again."""

from __future__ import annotations

import numpy as np

from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Finding, Remedy, check
from fallline.diagnosis.remedies import by
from fallline.optimizers import GradientDescent
from fallline.optimizers.settings import has_setting, setting_of, with_settings

# The share of steps carried uphill against the slope.
CARRIED = 0.1
# The share of the steps that went uphill which must be such; the others overshot.
MOST = 0.6
# The fewest separate climbs.
CLIMBS = 2
# How high the last climbs still are above the lowest value before them, as a part of the whole fall.
HIGH = 0.02
# The names of the settings that say how much of the last steps is kept.
KEPT = ("momentum", "beta1", "beta")


@check(
    "momentum carries the run past the minimum",
    leads_to=("too_slow", "zigzag", "loss_spike", "no_warm_up"),
    ignore="where the ripples die out soon enough: a rule with momentum seldom falls at every step",
    source="O'Donoghue and Candes (2015), Adaptive restart for accelerated gradient schemes",
    example='run = minimize("x**2 + 3*y**2", (4, 2), Momentum(0.001, momentum=0.99), max_steps=300)',
)
def momentum_overshoot(case: Case) -> Finding | None:
    """Climbs in which the step goes against the slope, which are as high at the end of the run as to matter still."""
    if case.objective.stochastic:
        raise CannotCheck("steps on all data")
    rule, steps, course = case.rule, case.measured, case.course
    name = next((name for name in KEPT if has_setting(rule, name)), None)
    if name is None or not course.finite[-1] or not steps.rows.size:
        return None
    uphill = steps.after > steps.before + steps.rounding
    carried = uphill & (steps.promised < 0)
    share, climbs = steps.share(carried), int(np.count_nonzero(course.rises[1:] & ~course.rises[:-1]))
    if share < CARRIED or climbs < CLIMBS or carried.sum() < MOST * uphill.sum():
        return None
    late, fall = course.part(0.7, 1.0), course.start - course.lowest
    height = float(np.max((course.values - np.fmin.accumulate(course.values))[late]))
    if not height > HIGH * fall:
        return None
    kept = float(setting_of(rule, name)[0])
    return Finding(
        name="momentum_overshoot",
        title="Momentum carries the run past the minimum",
        evidence=f"{share:.0%} of {len(steps.rows)} steps went uphill against the slope, in {climbs} climbs; in the "
        f"last third the value still climbs by {height:.3g}, beside {fall:.3g} that it fell in all, with "
        f"{name} {kept:g}.",
        cause="The running sum of past steps outweighs the slope, so that the run swings through the valley like a "
        "ball that hardly loses speed.",
        remedies=_remedies(case, name, kept),
        since=int(steps.number[np.flatnonzero(carried)[0]]),
        numbers={"carried": share, "climbs": climbs, "height": height, "fall": fall, name: kept},
        steps=tuple(int(step) for step in steps.number[carried][:100]),
    )


def _remedies(case: Case, name: str, kept: float) -> tuple[Remedy, ...]:
    """Less momentum, with the rate that makes steps of the same length on a steady slope, or a little longer ones."""
    rule, remedies = case.rule, []
    for less in (0.9, 0.5):
        if less < kept:
            remedies.append(by(with_settings(rule, {name: less})))
    rates = case["rate"].values[:-1]
    rate = float(np.nanmedian(rates)) if np.isfinite(rates).any() else np.nan
    if name == "momentum" and rule.convention != "averaged" and np.isfinite(rate):
        remedies.insert(0, by(GradientDescent(float(f"{rate / (1 - kept) / 2:.1g}"))))
    return tuple(remedies)
