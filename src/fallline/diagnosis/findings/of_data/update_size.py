"""The finding that the updates of a network are far too small or too large beside its weights."""

from __future__ import annotations

import numpy as np

from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Finding, check
from fallline.diagnosis.rates import scaled

# The length of a step by that of the weights: about 1e-3 in runs that learn, and between these in nearly all.
SMALL, LARGE, GOOD = 1e-5, 1e-1, 1e-3
# The fewest steps that tell, and the part of the fall that must be left after small steps and after large ones.
FEWEST, LEFT, LEFT_OF_LARGE = 5, 0.05, 0.01


@check(
    "the updates are too small or too large beside the weights",
    ignore="where weights start at zero, or the run has converged",
    source="Karpathy (2015), notes of the course CS231n, Neural networks part 3: the ratio of updates to weights",
    example="""
        x = np.linspace(-2, 2, 60)
        network = Network(x, np.sin(2 * x), hidden=(8,), activation="tanh", loss="squared")
        run = minimize(network, network.initial(1), SignDescent(1e-6), max_steps=200)
    """,
)
def update_size(case: Case) -> Finding | None:
    """The mean, or for small ones the median, over the steps of the length of a step by the norm of the weights."""
    network, course = case.network, case.course
    ratios = case["update_ratio"].values
    ratios = ratios[np.isfinite(ratios)]
    if len(ratios) < FEWEST:
        raise CannotCheck("every step recorded")
    # The mean counts a few huge steps, the median does not.
    mean, ratio = float(np.mean(ratios)), float(np.median(ratios))
    if mean > LARGE:
        ratio = mean
    if SMALL <= ratio <= LARGE or not _poor(case, LEFT if ratio < SMALL else LEFT_OF_LARGE):
        return None
    kind = "mean" if ratio == mean else "median"
    size = "small" if ratio < SMALL else "large"
    return Finding(
        name="update_size",
        title=f"The updates are too {size} beside the weights",
        evidence=f"The {kind} step is {ratio:.2g} of the norm of the {network.dimension} parameters, where "
        f"{GOOD:g} is usual; the value went from {course.start:.4g} to {course.end:.4g}.",
        cause="With steps that small the weights stay as they were drawn."
        if size == "small"
        else "Each step replaces a large part of what the weights hold.",
        remedies=scaled(case.rule, GOOD / ratio) if size == "small" else scaled(case.rule, GOOD / ratio * 10),
        since=int(course.steps[0]),
        numbers={"ratio": ratio},
    )


def _poor(case: Case, left: float) -> bool:
    """Whether the run ended higher than it began, or this part of the fall is left to what it or a descent reached."""
    course, trial = case.course, case.from_end
    lowest = min(course.lowest, trial.end)
    return course.end == np.inf or course.end - lowest > left * (course.start - lowest)
