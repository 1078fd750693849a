"""The finding that a run came to rest at a saddle or a maximum, where the value falls to some sides."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fallline import optimizers
from fallline.arrays import FloatArray
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import Finding, check
from fallline.diagnosis.remedies import by, started_at
from fallline.norms import norm
from fallline.objectives import Objective
from fallline.tables import MOST_COORDINATES

# The part of a run at its end that must bring nearly nothing, and how much less than the escape would bring.
END, LESS = 0.2, 0.01
# The gradient at the end, as a part of the largest of the run; a start at rest has none to compare with.
SMALL = 1e-2
# A curvature below zero by this part of the largest is one, unless its error is larger.
DOWN = 1e-5
# How far the escape is tried, as a part of the size of the point: a fall counts above this part of the value.
DISTANCES, FALL = np.logspace(-4, 0, 9), 1e-10


class _Escape(NamedTuple):
    """A point beside the end at which the value is lower: the step that leads there, and the fall."""

    step: FloatArray
    fall: float


@check(
    "the run came to rest at a saddle or a maximum",
    leads_to=("plateau", "too_slow", "zigzag"),
    ignore="The saddle itself is sought.",
    source="Dauphin and others (2014), Identifying and attacking the saddle point problem",
    example='run = minimize("x**2 + (y**2 - 1)**2", (2, 0), GradientDescent(0.1), max_steps=200)',
)
def saddle(case: Case) -> Finding | None:
    """Measure the lowest curvature at the end by Lanczos, and go along its direction to see whether the value falls."""
    run, objective = case.run, case.loss
    final = run.final
    if objective.stochastic or case.objective.stochastic or objective.convex or not np.isfinite(final.value):
        return None
    if not _at_rest(case):
        return None
    found = case.spectrum
    if not found.lowest < -max(DOWN * abs(found.highest), 2 * found.lowest_error):
        return None
    escape = _escape(objective, final.x, final.value, found.lowest_vector)
    tail = run.value[-max(2, int(END * len(run.value))) :]
    # Far out on a plateau, too, the value falls in the end, but not because of the curvature.
    size = max(1.0, float(np.abs(final.x).max()))
    if -found.lowest * size**2 <= FALL * max(abs(final.value), 1.0):
        return None
    if escape is None or not LESS * escape.fall > tail[0] - tail[-1]:
        return None
    peak = found.highest < -found.highest_error
    what = "maximum" if peak else "saddle"
    largest = np.argsort(-np.abs(escape.step))[:MOST_COORDINATES]
    along = ", ".join(
        f"{run.names[i]} {escape.step[i]:+.3g}" for i in largest if abs(escape.step[i]) > 1e-3 * norm(escape.step)
    )
    rises = "" if peak else f", the highest {found.highest:.4g}"
    remedies = [started_at(final.x + escape.step)]
    if run.rule is not None:
        remedies.append(by(optimizers.GradientNoise(run.rule)))
    return Finding(
        name="saddle",
        title=f"The run came to rest at a {what}",
        evidence=(
            f"At the end, step {final.step}, the gradient's norm is {final.gradient_norm:.3g} and the lowest curvature "
            f"is {found.lowest:.4g}{rises}. Along {along} the value falls by {escape.fall:.4g}."
        ),
        cause=(
            f"The slope vanishes at a {what} as at a minimum, and the run came there "
            f"{'because it started there' if final.step == 0 or not run.gradient_norm.any() else 'on its ridge'}."
        ),
        remedies=tuple(remedies),
        since=_since(case),
        numbers={"lowest": found.lowest, "highest": found.highest, "fall": escape.fall},
        steps=(final.step,),
    )


def _at_rest(case: Case) -> bool:
    """Whether the run ended with hardly a slope."""
    run, norms = case.run, case["gradient_norm"].values
    if run.stop.converged or run.stop.reason in ("saddle", "maximum"):
        return True
    return bool(norms[-1] <= SMALL * np.nanmax(norms))


def _since(case: Case) -> int:
    """The first step from which on the slope stayed small."""
    norms = case["gradient_norm"]
    large = np.flatnonzero(~(norms.values <= SMALL * np.nanmax(norms.values)))
    return int(norms.steps[min(large[-1] + 1, len(norms.steps) - 1)]) if len(large) else 0


def _escape(objective: Objective, x: FloatArray, value: float, direction: FloatArray) -> _Escape | None:
    """The lowest value along a direction and against it; None if it is no lower than at x."""
    size = max(1.0, float(np.abs(x).max()))
    signed = size * np.concatenate([DISTANCES, -DISTANCES])
    with np.errstate(all="ignore"):
        values = objective.value(x + signed[:, None] * direction)
    values = np.where(np.isnan(values), np.inf, values)
    best = int(np.argmin(values))
    fall = value - float(values[best])
    return _Escape(signed[best] * direction, fall) if fall > FALL * max(abs(value), 1.0) else None
