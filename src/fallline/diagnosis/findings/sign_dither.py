"""The finding that steps of a length that does not depend on the slope go about a minimum and come no nearer."""

from __future__ import annotations

import numpy as np

from fallline import schedules
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Finding, check
from fallline.diagnosis.limits import keeps_length
from fallline.diagnosis.quantiles import median
from fallline.diagnosis.rates import rate_of, scaled
from fallline.diagnosis.remedies import with_schedule
from fallline.norms import norm

# Over the last quarter the run gets this part of its way's length ahead, at most.
AHEAD = 0.5
# Steps of one length differ by no more than this part of it.
SAME = 1e-6
# The part of the fall that is left, from which on it matters.
LEFT = 1e-5
# The fewest steps that show it.
FEWEST = 8


@check(
    "steps of constant length dither about a minimum",
    leads_to=("two_cycle", "zigzag", "noise_floor"),
    ignore="where the distance of a step from the minimum is near enough",
    source="Bernstein et al. (2018), signSGD: compressed optimisation for non-convex problems",
    example='run = minimize("x**2 + 3*y**2", (4, 2), SignDescent(0.3), max_steps=100)',
)
def sign_dither(case: Case) -> Finding | None:
    """The last quarter of the run: steps of one length, which lead nowhere, and a value that gets no lower."""
    if case.interval != 1:
        raise CannotCheck("every step recorded")
    run, course = case.run, case.course
    first = max(len(run) - max(len(run) // 4, FEWEST), 0)
    x = run.x[first:]
    if len(x) < FEWEST or not np.isfinite(x).all() or not keeps_length(case.rule):
        return None
    lengths = norm(np.diff(x, axis=0))
    typical = float(median(lengths))
    way = float(lengths.sum())
    if not (typical > 0 and np.mean(np.abs(lengths - typical) <= SAME * typical) > 0.8):
        return None
    # Means, because a median of two values by turns is the one or the other.
    before, after = (float(np.mean(course.values[course.part(*ends)])) for ends in ((0.5, 0.75), (0.75, 1.0)))
    falling = before - after > 0.25 * max(course.swing(0.75, 1.0), before - case.from_end.end)
    if float(norm(x[-1] - x[0])) > AHEAD * way or falling:
        return None
    if not course.end - case.from_end.end > LEFT * course.fall + course.noise[-1]:
        return None
    rate = rate_of(case.rule)
    return Finding(
        name="sign_dither",
        title="Steps of constant length dither about a minimum",
        evidence=f"The last {len(lengths)} steps are all {typical:.3g} long, {way:.3g} together, and lead "
        f"{float(norm(x[-1] - x[0])):.2g} away; the value stands at {course.end:.4g}, and shorter steps from there "
        f"reach {case.from_end.end:.4g}.",
        cause="The rule takes only the sign or the direction of the slope, so that its steps do not shrink near a "
        "minimum, as those of descent do.",
        remedies=(
            *((with_schedule(case.rule, schedules.Cosine(rate, course.length)),) if rate is not None else ()),
            *scaled(case.rule, 0.1),
        ),
        since=int(run.steps[first]),
        numbers={"length": typical, "left": course.end - case.from_end.end},
    )
