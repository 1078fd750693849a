"""The remark that a run went on long after it had converged."""

from __future__ import annotations

import numpy as np

from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Finding, Remedy, check
from fallline.diagnosis.remedies import rounded

# The value stays within this part of the whole fall of its end.
NEAR = 1e-6
# More than this part of the run came after, and at least so many steps.
PART, FEWEST = 0.5, 100


@check(
    "steps after convergence",
    remark=True,
    source="Prechelt (1998), Early stopping: but when?",
    example="""
        rule = GradientDescent(0.1)
        run = minimize("x**2 + 3*y**2", (4, 2), rule, max_steps=2000, stop=NotFinite())
    """,
)
def wasted_steps(case: Case) -> Finding | None:
    """The step from which on the value stayed within a millionth of its fall from where it ended."""
    if case.objective.stochastic:
        raise CannotCheck("steps on all data")
    course = case.course
    if not course.finite[-1] or not course.values[-1] < course.start - course.noise[0]:
        return None
    far = np.abs(course.values - course.values[-1]) > NEAR * (course.start - course.lowest) + course.noise[-1]
    if not far.any() or case.left > NEAR:
        return None
    since = int(course.steps[np.flatnonzero(far)[-1] + 1])
    wasted = int(course.steps[-1]) - since
    if wasted < max(PART * course.length, FEWEST):
        return None
    needed = int(np.ceil(rounded(1.1 * since))) or 1
    return Finding(
        name="wasted_steps",
        title=f"The last {wasted} steps changed nothing",
        evidence=f"From step {since} on the value is {course.values[-1]:.8g} within {NEAR:g} of its fall from "
        f"{course.start:.4g}; the run made {course.length} steps.",
        cause="The stopping condition asks for more than matters, or there is none but the number of steps.",
        remedies=(Remedy(f"max_steps={needed}", {"max_steps": needed}, f"--max-steps {needed}"),),
        since=since,
        numbers={"since": since, "wasted": wasted},
    )
