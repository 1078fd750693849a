"""The remark how well a run converged: its slope beside the rounding, the curvature, and a bound where one exists."""

from __future__ import annotations

import numpy as np

from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Finding, check
from fallline.norms import norm
from fallline.stopping import Target

EPSILON = float(np.finfo(float).eps)


@check(
    "how well the run converged",
    remark=True,
    source="Boyd and Vandenberghe (2004), Convex optimization, section 9.1.2, for the bound",
    example='run = minimize("x**2 + 3*y**2", (4, 2), GradientDescent(0.1), stop=GradientNorm(1e-6))',
)
def converged(case: Case) -> Finding | None:
    """Compare the gradient at the end with its rounding, and measure the lowest and the highest curvature there."""
    run, objective = case.run, case.loss
    # A target may be reached anywhere.
    if not run.stop.converged or run.stop.reason == Target.reason:
        return None
    final = run.final
    told = [f"The gradient's norm at step {final.step} is {final.gradient_norm:.3g}"]
    numbers = {"gradient_norm": final.gradient_norm}
    try:
        found = case.spectrum
    except CannotCheck:
        found = None
    if found is not None and np.isfinite(found.highest):
        if found.lowest < -max(2 * found.lowest_error, 1e-5 * abs(found.highest)):
            return None  # a saddle
        size = max(abs(found.lowest), abs(found.highest))
        rounding = EPSILON * max(size * float(norm(final.x)), float(np.finfo(float).tiny))
        numbers |= {"lowest": found.lowest, "highest": found.highest, "rounding": rounding}
        told[0] += f", where rounding alone makes {rounding:.1g}"
        error = f" (within {found.lowest_error:.1g})" if found.lowest_error > 0.01 * abs(found.lowest) else ""
        told.append(f"The curvature is between {found.lowest:.4g}{error} and {found.highest:.4g}")
        certain = found.lowest - found.lowest_error
        if certain > 0:
            bound = final.gradient_norm**2 / (2 * certain)
            numbers["bound"] = bound
            whole = "the value is" if objective.convex else "while the curvature stays so, the value is"
            told.append(f"So {whole} at most {bound:.2g} above the minimum")
        elif found.lowest >= -max(found.lowest_error, 1e-9 * size):
            told.append("In some direction it is flat, so that the minimum is no single point")
    kind = "the minimum" if objective.convex else "a minimum"
    return Finding(
        name="converged",
        title=f"Converged to {kind}",
        evidence=f"{'. '.join(told)}.",
        cause=run.stop.message[0].upper() + run.stop.message[1:] + ".",
        since=final.step,
        numbers=numbers,
    )
