"""The finding that a value or a slope is NaN or infinite, with the operation in which that began."""

from __future__ import annotations

import numpy as np

from fallline import optimizers
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import Finding, Remedy, check
from fallline.diagnosis.operations import first_bad_operation
from fallline.diagnosis.rates import scaled
from fallline.diagnosis.remedies import by
from fallline.tables import place_text

NAMES = {"nan": "NaN", "inf": "infinite", "-inf": "minus infinity"}
# A remedy divides the rate by this.
SLOWER = 10


@check(
    "a value or a slope is NaN or infinite",
    ignore="Mixed precision skips such steps by design.",
    source="Odena, Olsson, Andersen and Goodfellow (2019), TensorFuzz, for NaN as the first thing to look for",
    example='run = minimize("x + sqrt(x - 1) + y**2", (3, -1), GradientDescent(0.8), max_steps=50)',
)
def not_finite(case: Case) -> Finding | None:
    """Find the first recorded row that is not finite, and compute it again to find the operation.

    The order is that of the computation: the point, which the update gives, then the value, then the gradient.
    """
    values, norms = case["value"], case["gradient_norm"]
    bad = ~np.isfinite(values.values) | ~np.isfinite(norms.values)
    if not bad.any():
        return None
    row = int(np.argmax(bad))
    step = int(values.steps[row])
    run = case.run
    x, value = run.x[row], run.value[row]
    place = place_text(run.names, x)
    after = f"at step {step}" if step else "at the start"
    if not np.isfinite(x).all():
        what, why = f"the point is not finite {after}", "the update of the rule is too large for a number"
    elif np.isnan(value) or np.isinf(value):
        what = f"the value is {NAMES.get(str(value), value)} {after}"
        operation = None if run.objective is None else first_bad_operation(case.innermost, x)
        why = f"it is computed with {operation}" if operation else "it cannot be computed there"
    else:
        what = f"there is no slope {after}, though the value is {value:.6g}"
        kink = None if run.objective is None else run.objective.kink(x)
        why = kink or "a kink, or the edge of where the slope exists"
    evidence = f"{what[0].upper()}{what[1:]}, {place}: {why}."
    if row:
        evidence += f" Before, at step {values.steps[row - 1]}, it was {values.values[row - 1]:.6g}."
    return Finding(
        name="not_finite",
        title=what[0].upper() + what[1:],
        evidence=evidence,
        cause=(
            "The start is outside of where the objective can be computed."
            if not row
            else "A step left the region in which the objective can be computed."
        ),
        remedies=_remedies(case, row),
        since=step,
        numbers={"step": step, "value": float(value)},
        steps=(step,),
    )


def _remedies(case: Case, row: int) -> tuple[Remedy, ...]:
    if not row:
        return (Remedy("start where the value is finite"),)
    remedies: list[Remedy] = []
    rule = case.run.rule
    if rule is not None:
        remedies += scaled(rule, 1 / SLOWER)
        remedies.append(by(optimizers.ClipNorm(rule, limit=1.0)))
    if np.isnan(case.run.value[row]):
        remedies.append(Remedy("hold the argument inside its domain, as log(x + 1e-12) or a Box does"))
    return tuple(remedies)
