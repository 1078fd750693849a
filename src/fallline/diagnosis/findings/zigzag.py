"""The finding that the run zig-zags across a narrow valley and gets along it only slowly."""

from __future__ import annotations

import numpy as np

from fallline import optimizers
from fallline.arrays import FloatArray
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Finding, Remedy, check
from fallline.diagnosis.limits import is_linear
from fallline.diagnosis.remedies import by, rounded
from fallline.diagnosis.steps import READ, SPREAD, spread
from fallline.norms import norm
from fallline.results.trajectory import Trajectory

# Successive gradients with a cosine below this turn back on each other.
TURNED = -0.5
# The share of turns above which the run zig-zags.
SHARE = 0.5
# A valley this much steeper across than along takes many times the steps of a round one.
NARROW = 20.0
# The part of the whole fall that must be left; and that of a rule that scales coordinates, which turn about for other
# reasons too, or where the valley is not convex, as those of networks, which are left by other ways.
LEFT, LEFT_OTHERWISE = 1e-6, 0.05


@check(
    "the run zig-zags across a narrow valley",
    leads_to=("too_slow",),
    ignore="where the run is close enough",
    source="Nocedal and Wright (2006), Numerical optimization, section 3.3",
    example='run = minimize("x**2 + 100*y**2", (4, 2), GradientDescent(0.0097), max_steps=60)',
)
def zigzag(case: Case) -> Finding | None:
    """Successive gradients point against each other for most of the run, which is not at its minimum at its end."""
    run = case.run
    if case.objective.stochastic:
        raise CannotCheck("gradients over all data")
    if case.interval != 1:
        raise CannotCheck("every step recorded")
    if case.objective.dimension < 2 or len(run) < 8:
        return None
    cosines = cosines_of(run)
    share = float(np.mean(cosines < TURNED)) if cosines.size else 0.0
    course = case.course
    if share <= SHARE or not course.fall > course.noise[0]:
        return None
    spectrum = case.spectrum
    if not spectrum.highest > 0:
        return None
    narrow = spectrum.highest / max(spectrum.lowest, spectrum.lowest_error, 1e-12 * spectrum.highest)
    left = case.from_end.start - case.from_end.end
    plain = is_linear(case.rule) and spectrum.lowest > -spectrum.lowest_error - 1e-9 * spectrum.highest
    least = LEFT if plain else LEFT_OTHERWISE
    # Near the limit, n steps leave exp(-2 n / condition) of the way along the valley.
    if not (left > least * course.fall + course.noise[-1] and narrow > max(NARROW, course.length)):
        return None
    return Finding(
        name="zigzag",
        title="The run zig-zags across a narrow valley",
        evidence=f"{share:.0%} of {len(cosines)} gradients point against the one before (cosine below "
        f"{TURNED:g}). At the end the curvature is {spectrum.highest:.3g} across and {max(spectrum.lowest, 0.0):.3g} "
        f"along the valley, a condition number of {narrow:.3g}: more than the {course.length} steps of "
        "the run, so that the way along it has hardly begun.",
        cause="The steep direction limits the rate: the run goes to and fro across the valley, and the small slope "
        "along it moves it little.",
        remedies=_remedies(spectrum.highest, narrow),
        numbers={"turned": share, "condition": narrow, "left": left},
    )


def cosines_of(run: Trajectory) -> FloatArray:
    """The cosines of successive gradients at places spread over the run, without those of a zero or infinite one."""
    rows = spread(len(run) - 1, max(1, min(SPREAD, READ // (2 * run.x.shape[1]))))
    with np.errstate(all="ignore"):
        before, after = run.gradient[rows], run.gradient[rows + 1]
        cosines = np.einsum("ij,ij->i", before, after) / (norm(before) * norm(after))
    known: FloatArray = cosines[np.isfinite(cosines)]
    return known


def _remedies(highest: float, narrow: float) -> tuple[Remedy, ...]:
    # Polyak's (1964) settings for a quadratic with these curvatures.
    root = np.sqrt(min(narrow, 1e4))
    ball = optimizers.Momentum(
        rounded(4 / (np.sqrt(highest) * (1 + 1 / root)) ** 2), momentum=rounded(((root - 1) / (root + 1)) ** 2)
    )
    return (by(ball), by(optimizers.LBFGS()))
