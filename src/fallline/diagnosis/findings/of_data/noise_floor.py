"""The finding that the noise of mini-batches keeps the loss above what it could reach."""

from __future__ import annotations

import numpy as np

from fallline.diagnosis.case import Case
from fallline.diagnosis.changes import batched, decaying
from fallline.diagnosis.finding import CannotCheck, Finding, Remedy, check
from fallline.models import Batches

# The last part of the run, which is judged; the fewest recorded rows in it, and how many of each half are measured.
LAST, FEWEST, MEASURED = 0.4, 6, 12
# It hurts where the loss over the second half of that part is above that at the mean of its points by this part of it,
# and of that of the best constant. The means of the two halves must be level within this part of that: else it learns.
ABOVE, OF_CONSTANT, STALLED = 0.08, 0.01, 0.25


@check(
    "the noise of mini-batches keeps the loss up",
    leads_to=("update_size",),
    ignore="the loss reached is good enough, or the rate is about to fall",
    source="McCandlish and others (2018), An empirical model of large-batch training; Polyak and Juditsky (1992)",
    example="""
        random = np.random.default_rng(0)
        x = random.normal(size=120)
        line = Linear(x, 2 * x + random.normal(size=120))
        run = minimize(line.batches(1), (0, 0), GradientDescent(0.2), max_steps=1200)
    """,
)
def noise_floor(case: Case) -> Finding | None:
    """Compare the loss at the last points with that at their mean, where the noise of the batches cancels out."""
    data, run, batches = case.data, case.run, case.objective
    if not isinstance(batches, Batches):
        raise CannotCheck("mini-batches")
    late = np.flatnonzero(run.steps >= (1 - LAST) * run.step_count)
    if len(late) < FEWEST:
        raise CannotCheck("more recorded steps")
    if not np.isfinite(run.x[late]).all():
        return None
    some = case.sample.rows
    part = data.on_part(some.X, some.y, some.weights)
    halves = [run.x[half] for half in np.array_split(late, 2)]
    middle = run.x[late].mean(axis=0)
    last = halves[1][np.unique(np.linspace(0, len(halves[1]) - 1, MEASURED).astype(int))]
    start, at_mean, earlier, later, *values = part.value(
        np.vstack([run.x[[0]], middle, *(half.mean(axis=0) for half in halves), last])
    ).tolist()
    level = float(np.mean(values))
    above = level - at_mean
    constant = abs(case.sample.baseline) / (data.rows / len(some) if data.reduction == "sum" else 1)
    stalled = earlier - later < STALLED * above
    if not (stalled and at_mean < start and above > max(ABOVE * abs(at_mean), OF_CONSTANT * constant)):
        return None
    # The gradient of a batch is the whole one and the noise; at the mean point there is little but noise.
    whole = float(np.linalg.norm(part.gradient(middle)))
    of_batches = float(np.sqrt(np.mean(case["gradient_norm"].values[late] ** 2)))
    return Finding(
        name="noise_floor",
        title="The noise of the batches keeps the loss up",
        evidence=f"Since step {run.steps[late[0]]} the loss over all rows does not fall: it is {level:.4g}, but at the "
        f"mean of the points {at_mean:.4g}. There the whole gradient is {whole:.2g}; those of the batches of "
        f"{batches.size} row{'s' * (batches.size > 1)} are {of_batches:.2g}.",
        cause="Each step follows the noise of its batch, so at a constant rate the points scatter around the minimum.",
        remedies=(*decaying(case), *_larger(case)),
        since=int(run.steps[late[0]]),
        numbers={"level": level, "at_mean": at_mean, "whole_gradient": whole, "batch_gradient": of_batches},
        steps=(int(run.steps[late[0]]),),
    )


def _larger(case: Case) -> tuple[Remedy, ...]:
    batches = case.objective
    assert isinstance(batches, Batches)
    size = min(8 * batches.size, batches.loss.rows)
    return (batched(case, size=size),) if size > batches.size else ()
