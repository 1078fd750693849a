"""The finding that the value jumped up in the middle of a run that went well before."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fallline import optimizers
from fallline.arrays import BoolArray, FloatArray
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Finding, Remedy, check
from fallline.diagnosis.quantiles import median, quantile
from fallline.diagnosis.rates import scaled
from fallline.diagnosis.remedies import by, rounded

# A spike is above the median of the rows before it by so many median absolute deviations.
DEVIATIONS = 6.0
# It is also at least this part of the whole fall high, this many times the height of those rows above the lowest, and
# so many times the upper quartile of all rises above such medians: the noise of batches makes jumps of up to 12 times.
FALL, TIMES, RISES = 0.1, 1.0, 20.0
# The rows before it whose median is taken: this part of the run, and at least so many.
WINDOW, LEAST = 0.05, 10
# The windows of more rows would take gigabytes.
MOST_ROWS = 4000
# The first part of the run, where a jump is rather that of a missing warm-up.
BEGINNING = 0.05
# A spike is narrow, and there are few of them; others are swings.
WIDTH, MOST, CLIMB = 0.15, 5, 0.2


class Spike(NamedTuple):
    """One spike: its rows, the level before it, and whether the value came back to that."""

    rows: npt.NDArray[np.intp]
    level: float
    recovered: bool


@check(
    "the value jumped up in the middle of the run",
    leads_to=("not_finite",),
    ignore="where one rare batch is hard and the next values are as before",
    source="Chowdhery et al. (2022), PaLM: scaling language modeling with pathways, section 5.1",
    example="""
        rate = PiecewiseConstant(0.01, milestones=(150, 152), parts=(300, 1))
        run = minimize("x**2 + 0.3*y**2", (4, 2), GradientDescent(rate), max_steps=300)
    """,
)
def loss_spike(case: Case) -> Finding | None:
    """Values above the median of those before them by far more than these scatter."""
    objective = case.run.objective
    if objective is not None and 1 < objective.steps_per_epoch <= case.interval:
        raise CannotCheck("more than one row for each epoch")
    course = case.course
    steps, values = _highest(course.steps, course.values)
    spikes = _spikes(values)
    if not spikes or len(spikes) > MOST:
        return None
    worst = max(spikes, key=lambda spike: float(np.max(values[spike.rows])))
    rows = worst.rows
    top = float(np.max(values[rows]))
    back = f"came back within {steps[rows[-1]] - steps[rows[0]] + 1} steps" if worst.recovered else "did not come back"
    others = f", the highest of {len(spikes)} spikes" if len(spikes) > 1 else ""
    return Finding(
        name="loss_spike",
        title="The value jumped up in the middle of the run",
        evidence=f"At step {steps[rows[0]]} the value went from about {worst.level:.4g} to {top:.4g}{others}, "
        f"and {back}.",
        cause="One step was far too long: a batch or a place with a slope far steeper than those before.",
        remedies=_remedies(case),
        since=int(steps[min(spike.rows[0] for spike in spikes)]),
        numbers={"level": worst.level, "top": top, "spikes": len(spikes), "recovered": worst.recovered},
        steps=tuple(int(step) for spike in spikes for step in steps[spike.rows]),
    )


def _highest(steps: npt.NDArray[np.int64], values: FloatArray) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """The rows; of many, the highest of each of `MOST_ROWS` stretches, in which no spike is lost."""
    size = -(-len(values) // MOST_ROWS)
    if size == 1:
        return steps, values
    whole = len(values) // size * size
    stretches = np.nan_to_num(values[:whole], nan=np.inf).reshape(-1, size)
    rows = np.arange(0, whole, size) + np.argmax(stretches, axis=1)
    return steps[rows], values[rows]


def _spikes(values: FloatArray) -> list[Spike]:
    """The spikes among the values; none where they are too wide to be spikes."""
    count = len(values)
    window = max(int(WINDOW * count), LEAST)
    if count < 3 * window or not np.isfinite(values[0]):
        return []
    lowest = np.min(values[np.isfinite(values)])
    before = np.lib.stride_tricks.sliding_window_view(values, window)[:-1]
    level = median(before)
    deviation = median(np.abs(before - level[:, None]))
    scatter = median(np.abs(np.diff(before)))
    height = values[window:] - level
    with np.errstate(all="ignore"):
        least = np.maximum(DEVIATIONS * np.maximum(deviation, scatter), TIMES * (level - lowest))
        # Above the start a run diverges.
        below = level < values[0]
        ordinary = height[below & (values[window:] < values[0])]
        usual = quantile(np.fmax(ordinary, 0.0), 0.75) if ordinary.size else 0.0
        high = below & (height > np.maximum(least, max(FALL * (values[0] - lowest), RISES * usual)))
    high[: max(int(BEGINNING * count) - window, 0)] = False
    return _grouped(values, level, high, window)


def _grouped(values: FloatArray, level: FloatArray, high: BoolArray, window: int) -> list[Spike]:
    spikes: list[Spike] = []
    place = 0
    while place < len(high):
        if not high[place]:
            place += 1
            continue
        base, widest = float(level[place]), int(WIDTH * len(values))
        from_there = values[window + place :]
        climb = from_there[: widest + 1]
        peak = int(np.argmax(np.where(np.isnan(climb), np.inf, climb)))
        # It is over where the value is back in the lower half of the jump.
        over = np.flatnonzero(from_there[peak:] < base + 0.5 * (climb[peak] - base))
        width = peak + int(over[0]) if over.size else len(from_there)
        # A swing climbs about as long as it falls.
        if width > widest and over.size and peak > CLIMB * width:
            return []
        spikes.append(Spike(np.arange(window + place, window + place + width), base, bool(over.size)))
        # What the window then holds of the spike is no measure.
        place += width + window
    return spikes


def _remedies(case: Case) -> tuple[Remedy, ...]:
    norms = case["gradient_norm"].values
    typical = rounded(2 * float(median(norms[np.isfinite(norms)])))
    clipped = (
        (by(optimizers.ClipNorm(case.rule, limit=typical)),) if typical > 0 and not case.rule.learns_from_step else ()
    )
    return (*clipped, *scaled(case.rule, 0.3))
