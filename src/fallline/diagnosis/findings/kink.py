"""The finding that a run goes to and fro across a kink, where no slope vanishes."""

from __future__ import annotations

from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Finding, Remedy, check
from fallline.diagnosis.remedies import rounded, with_schedule
from fallline.norms import norm
from fallline.objectives import Objective
from fallline.optimizers import Optimizer
from fallline.tables import place_text

# Of the run, the part at its end in which it must not come down any more, how many of its steps are looked at, each of
# which takes a gradient for every bisection, and the fewest rows.
END, STEPS, FEWEST = 0.2, 6, 24
# The slopes on both sides must be apart by at least this part of the gradient's norm, or the kink does not matter.
APART = 0.05
# This part of the steps at the end must not go downhill: a run that crosses kinks on its way down is none.
UPHILL = 0.2
# They must not come closer to each other by more than this part when the sides come a thousand times closer.
SETTLED = 0.1
# Steps that have become shorter by this part in that time will come to rest.
SHRUNK = 0.7
# Bisections of a step: the sides are then 2**-30 of it apart; and a thousand times farther for comparison.
BISECTIONS, COARSER = 30, 10


@check(
    "the run goes to and fro across a kink",
    leads_to=("two_cycle", "sign_dither", "zigzag", "too_slow", "plateau", "rate_too_large", "momentum_overshoot"),
    ignore="The run need only come as near to the kink as its step is long.",
    source="Shor (1985), Minimization methods for non-differentiable functions",
    example='run = minimize("abs(x) + y**2", (3.03, 1), GradientDescent(0.1), max_steps=100)',
)
def kink(case: Case) -> Finding | None:
    """Bisect steps at the end of the run: at a kink the slopes on both sides stay apart however near they are."""
    run, objective = case.run, case.loss
    if objective.stochastic or case.objective is not objective or objective.gradient_kind is None:
        return None
    values = run.value
    tail = max(3, int(END * len(values)))
    if len(values) < FEWEST or run.stop.converged or not np.isfinite(values[-tail:]).all():
        return None
    pairs = np.flatnonzero(np.diff(run.steps[-tail:]) == 1)[-STEPS:] + len(values) - tail
    if not len(pairs):
        raise CannotCheck("successive steps recorded at the end")
    lengths = case["step_length"].values[-tail:-1]
    quarter = max(1, len(lengths) // 4)
    if np.nanmean(lengths[-quarter:]) < SHRUNK * np.nanmean(lengths[:quarter]):
        return None
    if (np.diff(values[-tail:]) >= 0).mean() < UPHILL:
        return None
    if values[-tail:].min() < values[:-tail].min() - 0.01 * abs(values[0] - values[:-tail].min()):
        return None
    crossed = [(row, *found) for row in pairs if (found := _crossing(objective, run.x[row], run.x[row + 1]))]
    if objective.of_data:  # rectifiers bend a loss at many places, but only where its slope turns does one hold a run
        crossed = [found for found in crossed if found[2] < 0 < found[3]]
    if 4 * len(crossed) < len(pairs):
        return None
    row, place, down, up = max(crossed, key=lambda found: found[3] - found[2])
    step = int(run.steps[row])
    return Finding(
        name="kink",
        title="The run goes to and fro across a kink",
        evidence=(
            f"{len(crossed)} of the last {len(pairs)} steps looked at cross one. At {place_text(run.names, place)} the "
            f"slope along step {step + 1} is {down:.4g} on one side and {up:.4g} on the other, however near. "
            f"The steps at the end have the length {norm(run.x[row + 1] - run.x[row]):.3g}."
        ),
        cause=("At a kink the slope does not fade as the minimum comes near, so that steps of a fixed rate stay long."),
        remedies=_remedies(case.rule, run.step_count),
        since=int(run.steps[pairs[0]]),
        numbers={"down": down, "up": up},
        steps=tuple(int(run.steps[found[0]]) for found in crossed),
    )


def _crossing(objective: Objective, start: FloatArray, end: FloatArray) -> tuple[FloatArray, float, float] | None:
    """Where a step crosses a kink, and the slopes on both sides along the step; None if it crosses none."""
    along = (end - start) / norm(end - start)

    def slope(part: float) -> float:
        return float(objective.gradient((start + part * (end - start))[None, :])[0] @ along)

    low, high = 0.0, 1.0
    down, up = slope(low), slope(high)
    if not down < 0 < up:
        return None
    wide = np.inf
    for turn in range(BISECTIONS):
        middle = (low + high) / 2
        between = slope(middle)
        # Into the half in which the slope changes more: without a kink, that change halves each time.
        if abs(up - between) > abs(between - down):
            low, down = middle, between
        else:
            high, up = middle, between
        if turn == BISECTIONS - 1 - COARSER:
            wide = up - down
    length = float(norm(objective.gradient(start[None, :])[0]))
    if up - down < APART * length or abs(up - down - wide) > SETTLED * (up - down):
        return None
    return start + high * (end - start), down, up


def _remedies(rule: Optimizer[Any], steps: int) -> tuple[Remedy, ...]:
    remedies = []
    if isinstance(rule.learning_rate, float | int):
        from fallline.schedules.decays import Exponential  # not for a run without a kink, which would wait for it

        # The rate has fallen to a hundredth when the run ends.
        remedies.append(with_schedule(rule, Exponential(rule.learning_rate, rounded_decay(0.01 ** (1 / steps)))))
    return (*remedies, Remedy("a proximal rule, if the kink is that of a penalty such as l1"))


def rounded_decay(decay: float) -> float:
    """A decay with as many digits as its distance from 1 needs.

    >>> rounded_decay(0.98765432)
    0.988
    """
    return 1 - rounded(1 - decay)
