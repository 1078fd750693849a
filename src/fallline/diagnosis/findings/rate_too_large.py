"""The finding that the learning rate is above the stability limit, so that steps overshoot."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fallline import optimizers
from fallline.arrays import BoolArray
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Finding, Remedy, check
from fallline.diagnosis.limits import keeps_length
from fallline.diagnosis.quantiles import median
from fallline.diagnosis.rates import rate_of, scaled
from fallline.diagnosis.remedies import by, rounded
from fallline.diagnosis.steps import Steps
from fallline.line_search import LineSearch

# The share of steps that go uphill, above which that is no accident: 0 to 3 % in healthy runs, 61 to 63 % over the
# limit. The batches of a stochastic run differ in their curvature, so that more of them are overshot.
UPHILL, UPHILL_OF_BATCHES = 0.1, 0.3
# In a cycle nearly all steps make next to nothing of what the slope promised.
IDLE = 0.8
# The share of the fall that is material.
MATERIAL = 0.01
# The first steps are so many.
FIRST = 10
# Of these first steps, one whose gain is below this went nearly as far as the limit, or beyond.
LOW_GAIN = 0.1
# A run was thrown if a short descent from its start gets lower than its end by this share of what that descent gained,
# or of the value, and if it made less than this share of that after its first quarter.
THROWN, STAYED = 0.08, 0.3
# A throw this many times as high as that fall is no mere want of a warm-up, even if the run comes slowly back from it.
HIGH = 10.0
# Answers for so many rows that vary by less than this part of how they did at the start are the same.
ROWS, ALIKE = 200, 1e-3
# How many overshot steps are tried shorter.
TRIED = 8


class Over(NamedTuple):
    """That steps overshot: which of the measured ones, and what came of it."""

    wrong: BoolArray
    outcome: str


@check(
    "the learning rate is above the stability limit",
    leads_to=(
        "loss_spike",
        "plateau",
        "constant_predictor",
        "dead_units",
        "exploding_gradients",
        "vanishing_gradients",
        "update_size",
        "two_cycle",
        "zigzag",
        "sign_dither",
        "momentum_overshoot",
        "clipping_always",
        "no_warm_up",
        "wasted_steps",
        "too_slow",
        "noise_floor",
    ),
    ignore="at the edge of stability, where the rate is just at the limit while the loss falls over many steps",
    source="Cohen et al. (2021), Gradient descent on neural networks typically occurs at the edge of stability",
    example='run = minimize("x**2 + 3*y**2", (4, 2), GradientDescent(0.35), max_steps=100)',
)
def rate_too_large(case: Case) -> Finding | None:
    """Steps that promised a fall and went uphill, while a shorter step the same way would have gone downhill."""
    if isinstance(case.rule.learning_rate, LineSearch):
        return None
    steps = case.measured
    found = _diverged(case) or _unsettled(case) or _thrown(case)
    if found is None:
        return None
    wrong = np.flatnonzero(found.wrong)
    shorter = steps.shortened(wrong[np.unique(np.linspace(0, len(wrong) - 1, TRIED).astype(int))])
    # Otherwise the slope is wrong, and not the length of the step.
    if median(shorter) == 0:
        return None
    course, rate = case.course, case["rate"].values
    used = float(np.nanmax(rate)) if np.isfinite(rate).any() else np.nan
    limit = _limit(case, used, used * float(median(shorter[shorter > 0])))
    share = steps.share(steps.overshot)
    kind = "same-batch" if case.objective.stochastic else "full-batch"
    return Finding(
        name="rate_too_large",
        title="The learning rate is too large",
        evidence=f"{share:.0%} of {len(steps.rows)} {kind} steps went uphill although the slope promised a fall; "
        f"{found.outcome}. {limit.words}; the rate was {used:.3g}.",
        cause="Steps overshoot: along the steepest curvature they land higher on the other side than they began.",
        remedies=_remedies(case, limit.rate, used),
        since=int(steps.number[wrong[0]]),
        numbers={
            "uphill": share,
            "steps": len(steps.rows),
            "start": course.start,
            "end": course.end,
            "limit": limit.rate,
            "rate": used,
        },
        steps=tuple(int(step) for step in steps.number[wrong][:100]),
    )


def _far(steps: Steps) -> BoolArray:
    """The steps that went uphill, or among the first ones nearly as far as that."""
    first = steps.number < FIRST
    with np.errstate(all="ignore"):
        return _overshot(steps) | (first & (steps.promised > 0) & (steps.gain < LOW_GAIN))


def _overshot(steps: Steps) -> BoolArray:
    """The steps that went uphill, without those that fell to the edge of where there is a value, as any would."""
    left = np.flatnonzero(steps.overshot & ~np.isfinite(steps.after))
    overshot = steps.overshot.copy()
    overshot[[place for place in left if steps.falls_to_edge(int(place))]] = False
    return overshot


def _needed(case: Case) -> float:
    return UPHILL_OF_BATCHES if case.objective.stochastic else UPHILL


def _diverged(case: Case) -> Over | None:
    """The run ended higher than it began, by overshooting."""
    course, steps = case.course, case.measured
    if not course.end > course.start + course.noise[0]:
        return None
    # One step is enough if the run ended far higher than it began, as one that was thrown and comes slowly back; higher
    # by less where the first steps alone were measured.
    least = HIGH if steps.of is case.run else UPHILL
    far_up = course.end - case.reach.start > least * (case.reach.start - case.reach.tried)
    overshot = _overshot(steps)
    if not overshot.any() or (steps.share(overshot) < _needed(case) and not far_up):
        return None
    if course.finite[-1]:
        way = f"rose from {course.start:.3g} to {course.values[-1]:.3g}"
    elif course.highest > course.start:
        way = f"rose from {course.start:.3g} to {course.highest:.3g} and then to no finite value"
    else:
        way = f"went from {course.start:.3g} to no finite value"
    return Over(_far(steps), f"the value {way}")


def _unsettled(case: Case) -> Over | None:
    """The second half of the run overshot on and on, and did not get lower."""
    course, steps = case.course, case.measured
    late = steps.number >= course.steps[0] + course.length // 2
    if not late.any():
        return None
    with np.errstate(all="ignore"):
        idle = (steps.promised > 0) & (steps.gain < LOW_GAIN)
    idles = not case.objective.stochastic and float(idle[late].mean()) > IDLE
    overshot = _overshot(steps)
    if float(overshot[late].mean()) < _needed(case) and not idles:
        return None
    if keeps_length(case.rule) or (case.objective.stochastic and case.rule.init(case.run.start.x) is not None):
        return None
    swing, last = course.swing(0.75, 1.0), course.level(0.75, 1.0)
    falling = course.level(0.25, 0.5) - last > 0.1 * swing
    if falling or (swing < MATERIAL * (course.start - course.lowest) and not (idles and case.left > MATERIAL)):
        return None
    moves = f"still swings by {swing:.3g} around" if swing else "stays at"
    return Over(overshot | (idle & idles), f"in the last quarter the value {moves} {last:.3g}")


def _thrown(case: Case) -> Over | None:
    """The first steps threw the run to where it stayed, higher than a few shorter steps would have got it."""
    course, steps = case.course, case.measured
    first = steps.number < FIRST
    far = _far(steps) & first
    # Batches differ, so that one overshot step among the first is nothing; and a run that jumps on is not thrown.
    if far.sum() < (2 if case.objective.stochastic else 1) or not _rests(steps):
        return None
    threw = f"the first steps threw it up to a value of {course.highest:.3g}, and it ended at {course.end:.3g}"
    if _answers_alike(case):
        return Over(far, f"{threw}, its output the same for all rows")
    reach = case.reach
    left = reach.end - reach.tried
    stayed = course.level(0.25, 0.5) - course.end < STAYED * left
    high = course.highest - course.start > HIGH * (reach.start - reach.tried)
    if not ((stayed or high) and left > THROWN * min(reach.start - reach.tried, max(abs(reach.end), course.noise[0]))):
        return None
    return Over(far, f"{threw}; {case.from_start.steps} shorter steps from the start reach {reach.tried:.3g}")


def _answers_alike(case: Case) -> bool:
    """Whether a network, whose answers differed at the start, answers the same for all rows at the end."""
    try:
        network = case.network
    except CannotCheck:
        return False
    if network.dataset is not None:
        return False
    X = network.X[:ROWS]
    with np.errstate(all="ignore"):
        before, after = (
            np.std(network.predict(X, point.x), axis=0).max() for point in (case.run.start, case.run.final)
        )
    return bool(after < ALIKE * before)


def _rests(steps: Steps) -> bool:
    """Whether the last measured steps are far shorter than the first."""
    few = max(len(steps.lengths) // 10, 1)
    return bool(median(steps.lengths[-few:]) < 0.1 * np.max(steps.lengths[:FIRST], initial=0.0))


class Limit(NamedTuple):
    """The largest stable rate, and where it comes from."""

    rate: float
    words: str


def _limit(case: Case, used: float, tried: float) -> Limit:
    """The limit by the steepest curvature seen, where that is what the rate is above; else by the shorter steps tried.

    A step out of the domain, past a pole, may be too long though nothing steep was seen before it.
    """
    try:
        steepest = case.steepest
    except CannotCheck:
        steepest = None
    if steepest is not None and steepest.rate < used:
        return Limit(
            steepest.rate, f"The steepest curvature seen, {steepest.curvature:.3g}, allows {steepest.rate:.3g}"
        )
    return Limit(tried, f"Steps of a rate of {tried:.3g} would have gone downhill")


def _remedies(case: Case, limit: float, used: float) -> tuple[Remedy, ...]:
    rule, factor = case.rule, min(limit / used, 1.0) / 2
    remedies = scaled(rule, factor)
    if factor > 0.05:
        remedies += scaled(rule, factor / 10)
    rate = rate_of(rule)
    if rate is not None and not isinstance(rule, optimizers.Adam):
        scale = float(median(np.abs(case.run.start.x)))
        remedies += (by(optimizers.Adam(rounded(0.01 * max(scale, 1.0)))),)
    return remedies
