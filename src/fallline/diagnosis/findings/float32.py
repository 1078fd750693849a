"""The finding that the objective computes in float32, whose rounding limits how far a run can descend."""

from __future__ import annotations

import numpy as np

from fallline.arrays import FloatArray
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import Finding, Remedy, check
from fallline.objectives import FunctionObjective, Objective
from fallline.objectives.base import ROUNDING

# The points at which values are looked at. A value computed in float64 is a float32 by chance once in 2**29 times.
POINTS = 4
# A relative change of x that float32, with 2**-24, does not see, and float64 does.
UNSEEN = 2.0**-31


@check(
    "the objective computes in float32",
    leads_to=("wrong_gradient",),
    ignore="Seven digits are enough for training; only fine convergence and difference quotients need more.",
    source="IEEE 754 (2019)",
    example="""
        single = np.float32


        def loss(x, y):
            return float(single(x) ** 2 + single(y) ** 2)


        run = minimize(loss, (4, 2), GradientDescent(0.1), max_steps=100)
    """,
)
def float32(case: Case) -> Finding | None:
    """Look at values beside the last finite point: whether all of them are float32, or too small a move is not seen."""
    objective, run = case.innermost, case.run
    if not isinstance(objective, FunctionObjective):
        return None
    rows = np.flatnonzero(np.isfinite(run.x).all(axis=-1) & np.isfinite(run.value))
    if not len(rows):
        return None
    x = run.x[rows[0]]
    with np.errstate(all="ignore"):
        single = objective.precision == "float32" or _rounds(objective, x)
    if not single:
        return None
    return Finding(
        name="float32",
        title="The objective computes in float32",
        evidence=(
            f"Its values are rounded to {ROUNDING['float32']:.2g} of their size, {2**29:,} times as coarsely as "
            "float64, in which the run computes."
        ),
        cause="An array, a parameter or a constant inside the function is float32, and carries the rest along.",
        remedies=(Remedy("make the arrays inside the function float64: array.astype(float), module.double()"),),
        numbers={"rounding": ROUNDING["float32"]},
    )


def _rounds(objective: Objective, x: FloatArray) -> bool:
    """Whether values near a point, or x itself, are rounded to float32."""
    random = np.random.default_rng(0)
    # Points with all digits, since 0.5 or 3 is a float32 in any case.
    points = x * (1 + 0.01 * random.random((POINTS, len(x)))) + 0.001 * random.random((POINTS, len(x)))
    values = np.array([float(objective.value(point)) for point in points])
    if not np.isfinite(values).all() or len(set(values.tolist())) < POINTS:
        return False
    if (values.astype(np.float32) == values).all() and (values != np.round(values)).all():
        return True
    unseen = np.array([float(objective.value(point * (1 + UNSEEN))) for point in points])
    seen = np.array([float(objective.value(point * (1 + 2.0**-20))) for point in points])
    # At least 2**11 times the rounding of float64 lies between a value and the unseen one, if the seen one says so.
    told = np.abs(seen - values) > 2.0**-30 * np.abs(values)
    return bool(told.all() and (unseen == values).all())
