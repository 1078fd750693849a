"""The finding that the run stayed on a plateau: hardly a slope where it is, and a way down from it."""

from __future__ import annotations

import numpy as np

from fallline import optimizers
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Finding, Remedy, check
from fallline.diagnosis.rates import rate_of, scaled
from fallline.diagnosis.remedies import by, rounded

# The second half made less than this part of what there was to fall.
FLAT = 0.01
# On the way down from a plateau the slope becomes this many times steeper than where the run ended.
STEEPER = 10.0
# The part of the fall that must be left.
LEFT = 0.1
# A slope, and a curvature, below this part of the largest of the run are gone.
GONE = 1e-4
# Descent makes hardly anything of a fall if it makes less than this part of it.
HARDLY = 0.05
# Steps this many times as long as x, at a rate this many times the run's, are no matter of a rate too small.
LONGER, BEYOND = 10.0, 1e6
# Where the value is taken on the line of the slope, by the size of x.
DISTANCES = np.geomspace(0.05, 2.0, 12)


@check(
    "the run stayed on a plateau",
    leads_to=("too_slow", "wasted_steps", "epsilon_dominates"),
    ignore="where the value is as low as it can get",
    source="Fukumizu and Amari (2000), Local minima and plateaus in hierarchical structures of multilayer perceptrons",
    example='run = minimize("1 - exp(-(x - 3.5)**2)", 0, GradientDescent(0.1), max_steps=200)',
)
def plateau(case: Case) -> Finding | None:
    """The value stands still where the slope is tiny, though it is steep further down, or lower ones were in reach."""
    course = case.course
    if not course.finite[-1]:
        return None
    trial, lowest = case.from_end, min(case.from_end.end, course.lowest)
    whole = max(course.start, course.end) - lowest
    middle = course.level(0.5, 0.6)
    if np.isnan(middle):  # of few steps, that before the middle
        middle = float(course.values[(len(course.values) - 1) // 2])
    if not abs(middle - course.end) <= FLAT * whole:
        return None
    since, slope = course.flat_since, trial.slope
    if case.left > LEFT and trial.steepest > STEEPER * slope:
        way = f"further down the slope is {trial.steepest:.2g}, and the value {trial.end:.4g}"
    elif case.left > LEFT and _far_off(case):
        way = f"steps of {trial.rate * slope:.2g} reach {trial.end:.4g}"
    elif (further := _further(case)) is not None:
        way = f"L-BFGS reaches {further:.4g} from there"
    elif (beyond := _beyond(case)) is not None:
        way = f"within the size of x the value is {beyond:.4g}"
    elif _stranded(case):
        lower = min(case.from_start.end, course.lowest)
        way = f"a few steps from the start reach {lower:.4g}"
    else:
        return None
    return Finding(
        name="plateau",
        title="The run stayed on a plateau",
        evidence=f"From step {since} on the value is {course.end:.6g} within a thousandth of its range, where the "
        f"gradient's norm is {slope:.2g}; {way}.",
        cause="The function is nearly flat there, so that steps in proportion to the slope lead nowhere.",
        remedies=_remedies(case),
        since=since,
        numbers={"value": course.end, "slope": slope, "steepest": trial.steepest},
    )


def _far_off(case: Case) -> bool:
    """Whether steps that lead down would be far longer than x itself, at a rate far beyond the run's."""
    rates, trial = case["rate"].values, case.from_end
    size = max(float(np.abs(case.run.final.x).max()), 1.0)
    return bool(trial.rate * trial.slope > LONGER * size and trial.rate > BEYOND * np.nanmax(rates))


def _further(case: Case) -> float | None:
    """What L-BFGS reaches, if that is far lower and descent makes hardly a part of it, or the slope is gone."""
    trial, course = case.from_end, case.course
    if case.objective.of_data or not trial.slope > 0 or _at_minimum(case):
        return None
    found = case.curved_from_end.fun
    gone = trial.slope <= GONE * case.from_start.steepest
    if not (gone or trial.start - trial.end < HARDLY * (course.end - found)):
        return None
    return found if course.end - found > LEFT * (course.start - found) else None


def _at_minimum(case: Case) -> bool:
    """Whether the value curves up in every direction, and slopes too little to fall by more than a trace."""
    lowest = case.spectrum.lowest
    return bool(lowest > 0 and case.from_end.slope**2 / (2 * lowest) < GONE * case.course.fall)


def _beyond(case: Case) -> float | None:
    """The lowest value on the line of the slope, if slope and curvature promise nothing of the way down to it."""
    if case.objective.of_data or not case.from_end.slope > 0:
        return None
    x, trial = case.run.final.x, case.from_end
    size = max(float(np.abs(x).max()), 1.0)
    down = case.run.final.gradient / trial.slope
    with np.errstate(all="ignore"):
        values = case.loss.value(x - size * np.concatenate([-DISTANCES, DISTANCES])[:, None] * down)
    lowest = float(np.min(values[np.isfinite(values)], initial=np.inf))
    fall = trial.start - lowest
    if not fall > LEFT * max(case.course.fall, case.course.noise[0]):
        return None
    curvature = max(abs(case.spectrum.highest), abs(case.spectrum.lowest))
    return lowest if trial.slope * size + curvature * size**2 < GONE * fall else None


def _stranded(case: Case) -> bool:
    """Whether slope and curvature at the end are gone beside those of the start, with lower values near the start."""
    course, slope = case.course, case.from_end.slope
    lower = min(case.from_start.end, course.lowest)
    if not course.end - lower > LEFT * (max(course.start, course.end) - lower) + course.noise[-1]:
        return False
    if not slope <= GONE * case.from_start.steepest:
        return False
    try:
        curvature = max(abs(case.spectrum.highest), abs(case.spectrum.lowest))
    except CannotCheck:
        return False
    # A minimum elsewhere has curvature as the way there has.
    size = max(float(np.abs(case.run.final.x).max()), 1e-12)
    return bool(curvature * size <= GONE * case.from_start.steepest)


def _remedies(case: Case) -> tuple[Remedy, ...]:
    rule, length = case.rule, case.course.length
    remedies: tuple[Remedy, ...] = ()
    if rate_of(rule) is not None and not isinstance(rule, optimizers.Adam):
        away = max(float(np.abs(case.run.final.x).max()), 1.0)
        remedies = (by(optimizers.Adam(rounded(min(0.1, 10 / length) * away))),)
    return (*remedies, *scaled(rule, 10.0), Remedy("start from another point"))
