"""The finding that the gradient is not the slope of the values."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fallline.arrays import FloatArray
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import Finding, Remedy, check
from fallline.gradients.given import GivenGradientObjective
from fallline.norms import norm
from fallline.objectives import Objective
from fallline.objectives.formula import FormulaObjective

# The most recorded points at which slopes are compared, and the directions at each: that of the gradient, and random
# ones; and how many steps of a run take as long as the values at one point.
POINTS, DIRECTIONS, STEPS_A_POINT = 4, 2, 15
# Slopes that differ by more than this part are wrong, if the difference quotients agree ten times better.
WRONG = 1e-3
# Where evaluations are cheap, so many points are looked at whatever the clock of a busy machine says.
SURE = 3
# Below this part of the value, over the length of the point, a slope is lost in the rounding.
FLAT = 1e-7
# The steps of the difference quotients, as a part of the size of the point.
STEPS = (1e-3, 3e-4, 1e-4, 3e-5, 1e-5)
# A ratio of the two slopes is told as a factor if it is the same everywhere, within this part.
SAME = 1e-2


class _Slope(NamedTuple):
    """The slope along a direction at a recorded point: by the gradient, and of the values."""

    step: int
    told: float
    true: float


@check(
    "the gradient is not the slope of the values",
    leads_to=(
        "rate_too_large",
        "not_finite",
        "plateau",
        "too_slow",
        "two_cycle",
        "zigzag",
        "saddle",
        "unbounded",
        "kink",
        "momentum_overshoot",
        "sign_dither",
        "unscaled",
    ),
    ignore="A surrogate gradient is meant, such as a straight-through estimator.",
    source="Ridders (1982), Accurate computation of F'(x) and F'(x) F''(x)",
    example='run = minimize("x**2 + y**2", (4, 2), Momentum(0.01), gradient=lambda x, y: (x, y - 3))',
)
def wrong_gradient(case: Case) -> Finding | None:
    """Compare slopes along a few directions at a few points of the run: two evaluations for each of five steps."""
    objective, run = case.objective, case.run
    # Symbolic and exact gradients are made from the values, and difference quotients are values.
    exact = isinstance(case.innermost, FormulaObjective) or case.innermost.of_data
    if exact and objective is case.innermost:
        return None
    if objective.gradient_kind not in ("given", "exact") or objective.stochastic:
        return None
    finite = np.flatnonzero(np.isfinite(run.x).all(axis=-1) & np.isfinite(run.value))
    least = SURE if case.cheap else 1
    points = int(np.clip(case.seconds / (STEPS_A_POINT * case.step_seconds), least, POINTS))
    rows = finite[np.unique(np.linspace(0, len(finite) - 1, points).astype(int))] if len(finite) else finite
    with np.errstate(all="ignore"):
        slopes = [slope for row in rows for slope in _slopes(objective, run.x[row], int(run.steps[row]))]
    wrong = [slope for slope in slopes if abs(slope.told - slope.true) > WRONG * max(abs(slope.told), abs(slope.true))]
    # A kink, or a formula that is right nearly everywhere, may mislead in one place.
    if len(wrong) < 2 or 2 * len(wrong) < len(slopes):
        return None
    ratios = np.array([slope.told / slope.true for slope in wrong])
    first, factor = wrong[0], float(np.median(ratios))
    same = bool((np.abs(ratios - factor) <= SAME * abs(factor)).all())
    remedies = [Remedy("mend the gradient: check_gradient(objective, x) names its coordinates")]
    if isinstance(objective, GivenGradientObjective):
        remedies.insert(0, Remedy('gradient="auto"', {"objective": objective.objective, "gradient": "auto"}))
    cause = "The function that returns the gradient does not differentiate the objective"
    if same:
        cause += ": it has the wrong sign" if abs(factor + 1) <= SAME else f": it is {factor:.4g} times the slope"
    return Finding(
        name="wrong_gradient",
        title="The gradient is wrong",
        evidence=(
            f"At step {first.step} it says that the value changes by {first.told:.6g} per unit of x along a direction; "
            f"the values themselves say {first.true:.6g}. So it is in {len(wrong)} of {len(slopes)} directions tried."
        ),
        cause=f"{cause}.",
        remedies=tuple(remedies),
        numbers={"told": first.told, "true": first.true, "factor": factor},
        steps=tuple(dict.fromkeys(slope.step for slope in wrong)),
    )


def _slopes(objective: Objective, x: FloatArray, step: int) -> list[_Slope]:
    """The slopes at a point along the gradient and along random directions, where the values allow to tell them."""
    gradient = objective.gradient(x[None, :])[0]
    length, size = norm(gradient), max(1.0, float(np.abs(x).max()))
    directions = list(np.random.default_rng(step).standard_normal((DIRECTIONS, len(x))))
    if np.isfinite(length) and length > 0:
        directions.insert(0, gradient)
    slopes = []
    for direction in directions:
        along = direction / norm(direction)
        true = _slope_of_values(objective, x, along, size)
        if true is not None:
            slopes.append(_Slope(step, float(gradient @ along), true))
    return [slope for slope in slopes if np.isfinite(slope.told)]


def _slope_of_values(objective: Objective, x: FloatArray, along: FloatArray, size: float) -> float | None:
    """The slope of the values along a direction, extrapolated; None where they are too rough, or too flat to tell."""
    steps = size * np.array(STEPS)
    ahead, behind = (objective.value(x + sign * steps[:, None] * along) for sign in (1, -1))
    quotients = (ahead - behind) / (2 * steps)
    # Two neighbouring steps that agree best, with the error in the square of the step taken out.
    ratio = (steps[:-1] / steps[1:]) ** 2
    finer = (ratio * quotients[1:] - quotients[:-1]) / (ratio - 1)
    errors = np.abs(quotients[1:] - quotients[:-1])
    if not np.isfinite(errors).all():
        return None
    best = int(np.argmin(errors))
    least = FLAT * float(np.abs(ahead).max()) / size
    if abs(finer[best]) <= least or errors[best] > WRONG / 10 * abs(finer[best]):
        return None
    return float(finer[best])
