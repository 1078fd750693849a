"""The finding that mini-batches are taken in an order in which rows with like targets stand together."""

from __future__ import annotations

import numpy as np

from fallline.data.rows import Rows
from fallline.diagnosis.case import Case
from fallline.diagnosis.changes import batched
from fallline.diagnosis.finding import CannotCheck, Finding, check
from fallline.diagnosis.sample import Sample
from fallline.models import Batches

# The means of stretches of at least so many rows hold this part of the targets' variance: in random order it would be
# one part of the number of rows. There must be at least so many rows.
STRETCH, PART, FEWEST = 32, 0.5, 20
# It hurts where the predictions lean towards the targets seen last by this part of their distance from the mean, or the
# loss swings by this part of its level within an epoch.
LEAN, SWING = 0.1, 0.08


@check(
    "batches are sorted by their targets",
    leads_to=("noise_floor", "two_cycle", "loss_spike", "plateau", "constant_predictor"),
    ignore="the rate is so small that an epoch is like one step",
    source="Bengio (2012), Practical recommendations for gradient-based training, section 3.1.2",
    example="""
        random = np.random.default_rng(0)
        y = np.repeat([0, 1, 2], 40)
        X = random.normal(size=(120, 2)) + np.array([[0, 0], [2, 0], [0, 2]])[y]
        batches = Softmax(X, y).batches(10, order="sequential")
        run = minimize(batches, np.zeros(9), GradientDescent(1), max_steps=600)
    """,
)
def sorted_batches(case: Case) -> Finding | None:
    """Compare the variance between stretches of rows in the order of the batches with that of all targets."""
    data, batches, run = case.data, case.objective, case.run
    if not isinstance(batches, Batches):
        raise CannotCheck("mini-batches")
    if batches.order != "sequential" or len(data.y) < FEWEST or run.step_count < batches.steps_per_epoch:
        return None
    stretch = max(batches.size, min(STRETCH, len(data.y) // 8))
    starts = np.arange(0, len(data.y), stretch)
    counts = np.diff([*starts, len(data.y)])
    means = np.add.reduceat(data.y, starts) / counts
    varied = data.y.var()
    between = float(counts @ (means - data.y.mean()) ** 2 / len(data.y) / varied) if varied > 0 else 0.0
    if between < PART or len(starts) < 3:
        return None
    lean, swing = _lean(case, stretch), _swing(case, batches.steps_per_epoch)
    if not (lean > LEAN or swing > SWING):
        return None
    harm = f"The loss swings by {swing:.0%} within an epoch. " if swing > SWING else ""
    if lean > LEAN:
        harm += f"The predictions lean towards the targets seen last, by {min(lean, 1):.0%} of the way. "
    return Finding(
        name="sorted_batches",
        title="The batches are sorted by their targets",
        evidence=f"In the order of the batches, the means of {stretch} rows hold {between:.0%} of the variance of the "
        f"targets; in random order they would hold {1 / stretch:.1%}. {harm}".rstrip(),
        cause="Each stretch of batches pulls the model towards its own targets, and the next one away from them.",
        remedies=(batched(case, order="shuffled"),),
        numbers={"between": between, "lean": lean, "swing": swing},
    )


def _lean(case: Case, stretch: int) -> float:
    """How far the mean prediction at the end is from the mean target towards the targets of the last rows seen."""
    batches, run, data = case.objective, case.run, case.data
    assert isinstance(batches, Batches)
    last = (run.step_count - 1) % batches.steps_per_epoch * batches.size + batches.size
    end = min(last, len(data.y))
    seen = Sample(data, Rows(data.X, data.y)[max(0, end - stretch) : end])
    towards = seen.targets.mean(axis=0) - case.sample.weights @ case.sample.targets
    moved = case.sample.weights @ (case.sample.predictions(run.final.x) - case.sample.targets)
    with np.errstate(all="ignore"):
        lean = float(moved @ towards / (towards @ towards))
    return lean if np.isfinite(lean) else 0.0


def _swing(case: Case, epoch: int) -> float:
    """The range of the loss within an epoch, as a part of its level: the median of the last epochs; 0 if not known."""
    values = case["value"]
    if case.interval * 4 > epoch or case.objective.epoch_value != "full":
        return 0.0
    numbers = (values.steps[-1] - values.steps) // epoch
    swings = []
    for number in range(min(10, int(numbers[0]))):
        some = values.values[numbers == number]
        with np.errstate(all="ignore"):
            swings.append((some.max() - some.min()) / abs(np.median(some)))
    return float(np.median(swings)) if swings else 0.0
