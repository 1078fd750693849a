"""The finding that the run was too slow, or ended too early: its value still falls at the end, and much is left."""

from __future__ import annotations

import numpy as np

from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Finding, Remedy, check
from fallline.diagnosis.findings.plateau import STEEPER
from fallline.diagnosis.quantiles import median
from fallline.diagnosis.rates import scaled
from fallline.diagnosis.remedies import by
from fallline.norms import norm
from fallline.optimizers import LBFGS
from fallline.stopping import Target
from fallline.tables import vector_text

# The last tenth of the steps made more than this part of the whole fall: after three time constants of an exponential
# it makes 1.8 %.
FALLING = 0.02
# A run that made less than this part of what there was to fall has hardly moved.
UNMOVED = 0.05
# The part of the fall that must be left.
LEFT = 0.1
# A run on a formula of so few coordinates at most crawls if it ended farther from the minimum than this part of the way
# from the start, with this part of the fall left, of which these parts bound what outlasts a tenth of the steps.
FEW, AHEAD, AHEAD_OF_FALL, HALVED, MOVING = 20, 0.25, 1e-3, 0.5, 0.999
# A gain above this: the slope hardly changes over a step, so that longer steps would be as good.
SHORT = 0.9
# How many times larger a rate may be proposed where no curvature limits it.
MOST = 1e4


@check(
    "the run was too slow or ended too early",
    leads_to=("update_size", "plateau"),
    ignore="where the schedule has brought the rate down on purpose, or the value is low enough",
    source="Sen (1968), Estimates of the regression coefficient based on Kendall's tau, for robust slopes",
    example='run = minimize("x**2 + 3*y**2", (4, 2), GradientDescent(1e-4), max_steps=200)',
)
def too_slow(case: Case) -> Finding | None:
    """The value falls at the end still, and a short descent from there with steps of its own length gets far lower."""
    course = case.course
    if not course.finite[-1] or course.end > course.start + course.noise[0]:
        return None
    # The user asked for no more.
    if case.run.stop.reason == Target.reason or (case.objective.stochastic and not _falls_on(case)):
        return None
    made = 1 - case.left
    if case.left < LEFT and _crawls(case):
        return _crawling(case)
    # Where the value falls so little that the last tenth cannot be told from noise, the run has hardly moved.
    if case.left < LEFT or not (course.late_fall > FALLING or made < UNMOVED):
        return None
    trial = case.from_end
    if trial.steepest > STEEPER * trial.slope:
        return None
    short = _gain(case) > SHORT
    factor = _factor(case, made)
    small = short and factor > 2
    rate = _rate(case)
    steps = f"The last tenth of the {course.length} steps made {course.late_fall:.1%} of the fall" + (
        f"; the fall by what the slope promised, the gain, is {_gain(case):.2f}" if np.isfinite(_gain(case)) else ""
    )
    longer = Remedy(
        f"max_steps={10 * course.length}", {"max_steps": 10 * course.length}, f"--max-steps {10 * course.length}"
    )
    faster = scaled(case.rule, factor) if factor > 1.5 else ()
    return Finding(
        name="too_slow",
        title="The learning rate is too small" if small else "The run ended too early",
        evidence=f"The value fell from {course.start:.4g} to {course.end:.4g} and still falls. {steps}. {trial.steps} "
        f"steps of gradient descent with rates about {trial.rate:.2g} reach {trial.end:.4g} from there"
        + (f"; the rate was {rate:.3g}" if np.isfinite(rate) else "")
        + ".",
        cause="Each step goes only a small part of the way that its slope would bear."
        if small
        else "The steps are of a good length, but there were too few of them.",
        remedies=(*faster, longer) if small else (longer, *faster),
        since=int(course.steps[0]),
        numbers={"late_fall": course.late_fall, "left": case.left, "gain": _gain(case), "rate": rate},
    )


def _crawls(case: Case) -> bool:
    """Whether a run on a formula or a function of few coordinates is far from the point that L-BFGS reaches, and slow.

    There the point counts, and not only how much of the fall from the start was made.
    """
    run, course = case.run, case.course
    if case.objective.of_data or case.objective.dimension > FEW or run.stop.converged or case.objective.stochastic:
        return False
    lowest_at_end = course.lowest >= np.min(course.values[course.part(0.9, 1.0)])
    if not lowest_at_end or not course.level(0.8, 0.9) - course.end > course.noise[-1]:
        return False
    found = case.curved_from_end
    ahead, way = (float(norm(x - found.final.x)) for x in (run.final.x, run.start.x))
    before, after = course.level(0.8, 0.9) - found.fun, course.end - found.fun
    return bool(
        ahead > AHEAD * way
        and after > AHEAD_OF_FALL * (course.start - found.fun) + course.noise[-1]
        and HALVED * before < after < MOVING * before
    )


def _crawling(case: Case) -> Finding:
    """That it crawls along a valley."""
    course, found = case.course, case.curved_from_end
    before, after = course.level(0.8, 0.9) - found.fun, course.end - found.fun
    longer = 10 * course.length
    return Finding(
        name="too_slow",
        title="The run ended too early",
        evidence=f"The value fell from {course.start:.4g} to {course.end:.4g} and still falls: what is left became "
        f"{1 - after / before:.0%} less over the last tenth of the {course.length} steps. L-BFGS reaches "
        f"{found.fun:.4g} from there, at {vector_text(found.final.x)}; the run ended at "
        f"{vector_text(case.run.final.x)}.",
        cause="The run crawls along a valley, whose steep sides limit its rate and whose floor hardly slopes.",
        remedies=(
            by(LBFGS()),
            Remedy(f"max_steps={longer}", {"max_steps": longer}, f"--max-steps {longer}"),
        ),
        since=int(course.steps[0]),
        numbers={"left": after / (course.start - found.fun), "late_fall": course.late_fall},
    )


def _falls_on(case: Case) -> bool:
    """Whether each of the last tenths is lower than the one before: noise goes up and down."""
    levels = [case.course.level(begin, begin + 0.1) for begin in (0.5, 0.6, 0.7, 0.8, 0.9)]
    known = np.array([level for level in levels if np.isfinite(level)])
    return bool((np.diff(known) < 0).all())


def _rate(case: Case) -> float:
    rates = case["rate"].values[:-1]
    return float(median(rates[np.isfinite(rates)])) if np.isfinite(rates).any() else np.nan


def _gain(case: Case) -> float:
    """The median gain of the measured steps that the slope promises a fall; NaN if none was measured."""
    try:
        steps = case.measured
    except CannotCheck:
        return np.nan
    gain = steps.gain[(steps.promised > 0) & np.isfinite(steps.gain)]
    return float(median(gain)) if gain.size else np.nan


def _factor(case: Case, made: float) -> float:
    """By how much the rate may grow: half of the limit, or as much as would have made the whole fall."""
    wanted = float(np.clip(3 / max(made, 1e-12), 2.0, MOST))
    try:
        steepest = case.steepest
    except CannotCheck:
        steepest = None
    if steepest is None:
        return wanted
    return 0.5 * steepest.rate / _rate(case)
