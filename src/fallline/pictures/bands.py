"""The band of a rule's repeated runs in a history: their middle and their spread at each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fallline.arrays import FloatArray
from fallline.pictures.paths import Labelled, numbers_of
from fallline.results.series import series_of, time_of
from fallline.results.spread import SpreadKind, spread_of
from fallline.tables import Printed

# What a step has, and the last point of a run has not.
OF_STEPS = ("rate", "step_length")


@dataclass(frozen=True, eq=False, repr=False)
class Band(Printed):
    """The middle of one quantity over the runs of a rule, and the interval that tells how far they spread.

    Attributes:
        label: the label of the rule.
        number: the number of its colour.
        runs: how many runs it has.
        times: the step or epoch of each number, shape (rows,).
        low, middle, high: shape (rows,); NaN where not finite. With the standard deviation, `low` may be negative
            though all numbers are positive.
    """

    label: str
    number: int
    runs: int
    times: FloatArray
    low: FloatArray
    middle: FloatArray
    high: FloatArray


def bands_of(pairs: Sequence[Labelled], quantity: str, spread: SpreadKind) -> tuple[Band, ...]:
    """The bands of a quantity, one for each rule that is repeated."""
    groups: dict[int, list[Labelled]] = {}
    for number, pair in zip(numbers_of(pairs), pairs, strict=True):
        # A run that made no step has neither rate nor length.
        if pair.rule and not (quantity in OF_STEPS and len(pair.run) == 1):
            groups.setdefault(number, []).append(pair)
    return tuple(_band(number, group, quantity, spread) for number, group in groups.items())


def _band(number: int, pairs: Sequence[Labelled], quantity: str, spread: SpreadKind) -> Band:
    last = -1 if quantity in OF_STEPS else None
    columns = [(run.steps[:last], time_of(run)[:last], series_of(run, quantity)[0][:last]) for _, run, _ in pairs]
    # Runs end at different steps. One that has ended stays where it is, so it counts with its last number to the end of
    # the longest: leaving it out would show the slowest runs only. Until it ends, only steps that it recorded count.
    steps = np.unique(np.concatenate([own for own, _, _ in columns]))
    for own, _, _ in columns:
        steps = steps[(steps > own[-1]) | np.isin(steps, own)]
    table = np.array([numbers[np.searchsorted(own, np.minimum(steps, own[-1]))] for own, _, numbers in columns])
    longest, times, _ = max(columns, key=lambda column: column[0][-1])
    spans = (np.where(np.isfinite(part), part, np.nan) for part in spread_of(table, spread))
    return Band(pairs[0].rule, number, len(pairs), times[np.searchsorted(longest, steps)], *spans)
