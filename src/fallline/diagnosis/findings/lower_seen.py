"""The remark that a lower value was seen elsewhere than where a run came to rest."""

from __future__ import annotations

import numpy as np

from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import Finding, check
from fallline.diagnosis.remedies import started_at
from fallline.tables import place_text

# A run is at rest where its slope is this part of the largest.
REST = 1e-4
# A value is lower if it is so by this part of what the run came down by.
LOWER = 1e-3


@check(
    "a lower value was seen elsewhere",
    remark=True,
    ignore="Any minimum will do. That none was seen lower does not say that there is none.",
    source="Törn and Žilinskas (1989), Global optimization",
    example='run = compare("(x**2 - 1)**2 + 0.3*x", [[1.2], [-1.2]], GradientDescent(0.05))',
)
def lower_seen(case: Case) -> Finding | None:
    """Compare where the run came to rest with its own best point, other runs', and minima that are known."""
    run, objective = case.run, case.loss
    norms = case["gradient_norm"].values
    at_rest = run.stop.converged or norms[-1] <= REST * np.nanmax(norms)
    if not at_rest or objective.stochastic:
        return None
    seen = [("the run itself passed", run.best.x, run.best.value, run.best.step)]
    if case.elsewhere is not None:
        seen.append(("another run saw", case.elsewhere.x, case.elsewhere.value, case.elsewhere.step))
    known = np.array(objective.minima, float).reshape(-1, objective.dimension)
    with np.errstate(all="ignore"):
        values = objective.value(known) if len(known) else np.empty(0)
    seen += [("a known minimum is", x, float(value), run.final.step) for x, value in zip(known, values, strict=True)]
    who, x, value, step = min(seen, key=lambda point: np.inf if np.isnan(point[2]) else point[2])
    came_down = max(abs(run.start.value - run.final.value), abs(run.final.value - value))
    if not run.final.value - value > LOWER * came_down or not np.isfinite(came_down):
        return None
    return Finding(
        name="lower_seen",
        title=f"A lower value was seen elsewhere: {value:.6g}",
        evidence=(
            f"The run came to rest at {run.final.value:.6g}, {place_text(run.names, run.final.x)}; {who} {value:.6g} "
            f"at {place_text(run.names, x)}."
        ),
        cause="Descent ends in the minimum into whose basin it comes, which need not be the lowest.",
        remedies=(started_at(np.asarray(x)),),
        since=run.final.step,
        numbers={"value": run.final.value, "lower": value},
        steps=(step,),
    )
