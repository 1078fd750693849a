"""The data of the histories of runs: value, gradient norm, rate, coordinates against steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest
from fallline.pictures import paths, words
from fallline.pictures.bands import Band, bands_of
from fallline.pictures.paths import Interval, Labelled, Runs
from fallline.results.series import series_of, time_of, value_symbol
from fallline.results.spread import SPREADS, SpreadKind, check_spread
from fallline.results.trajectory import Trajectory
from fallline.tables import Printed

OVERALL = ("value", "gradient_norm", "rate")
STEPS = ("step_length", "rate")
# The axis label of each quantity; the value's is the objective's symbol.
NAMES = {"gradient_norm": "gradient norm", "rate": "learning rate", "step_length": "length of the step"}
# These may contain zeros and still get a log axis: many runs end with a zero.
LENGTHS = ("gradient_norm", "step_length")
# Of more coordinates than this, a picture shows those that moved the farthest.
MOST_COORDINATES = 6
# Positive numbers that span more than this are shown on a log axis.
DECADES = 100.0
# Beyond these the ticks of a log axis overflow.
SMALLEST, LARGEST = 1e-150, 1e150


@dataclass(frozen=True, eq=False, repr=False)
class Series(Printed):
    """One quantity of one run.

    Attributes:
        label: the label of the run.
        number: the number of its colour, which runs that repeat a rule share.
        times: the step or epoch of each number, shape (rows,).
        numbers: shape (rows,); NaN where not finite.
    """

    label: str
    number: int
    times: FloatArray
    numbers: FloatArray


@dataclass(frozen=True, eq=False, repr=False)
class History(Printed):
    """One quantity of all runs, for one small plot.

    Attributes:
        quantity: "value", "gradient_norm", "rate", "step_length" or a coordinate's name.
        name: the label of the axis.
        log: whether the axis is logarithmic.
        limits: the lowest and the highest number shown.
        series: one per run.
        bands: one per rule that is repeated.
    """

    quantity: str
    name: str
    log: bool
    limits: Interval
    series: tuple[Series, ...]
    bands: tuple[Band, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class Histories(Printed):
    """Several quantities of the same runs.

    Attributes:
        title: the lines of the title.
        unit: the unit of the times: "step" or "epoch".
        panels: the quantities.
        labels: the entries of the legend, in the order of the colours: of each run, or of a rule that is repeated.
        omitted: the number of coordinates not shown, which moved less than those shown.
    """

    title: tuple[str, str]
    unit: str
    panels: tuple[History, ...]
    labels: tuple[str, ...]
    omitted: int

    @property
    def columns(self) -> int:
        """The number of columns of small plots."""
        return 2 if len(self.panels) in (2, 4) else 3

    @property
    def rows(self) -> int:
        """The number of rows of small plots."""
        return -(-len(self.panels) // self.columns)


def histories_data(
    runs: Runs, quantities: Sequence[str] | None = None, *, spread: SpreadKind = "quartiles"
) -> Histories:
    """The histories of runs.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories.
        quantities: some of "value", "gradient_norm", "rate", "step_length" and the coordinates' names; None:
            value, gradient norm, rate, and the six coordinates that moved the farthest.
        spread: what is shown of the runs that repeat a rule, from several starts or with several seeds: median and
            "quartiles", or the mean and the standard "deviation".

    Raises:
        FalllineError: when there is no such quantity or spread.
    """
    check_spread(spread)
    pairs = paths.labelled(runs)
    names = pairs[0].run.names
    omitted = 0
    if quantities is None:
        farthest = _farthest([pair.run for pair in pairs])
        omitted = len(names) - len(farthest)
        quantities = [*OVERALL, *farthest]
    elif isinstance(quantities, str):
        quantities = [quantities]
    known = ["value", *NAMES, *names]
    for quantity in quantities:
        if quantity not in known:
            raise FalllineError("quantities", problem=f"names {quantity!r}", allowed=nearest(str(quantity), known))
    if not quantities:
        raise FalllineError("quantities", problem="is empty", allowed=nearest("", known))
    symbol = value_symbol(pairs[0].run.objective)
    single = len(pairs) == 1
    rules = {words.optimizer_words(pair.run) for pair in pairs}
    remark = "" if len(rules) > 1 or rules & {pair.label for pair in pairs} else rules.pop()
    if any(pair.rule for pair in pairs):
        remark = f"{SPREADS[spread]} of the runs of each rule"
    title = words.run_title(pairs[0].run, symbol) if single else (words.objective_words(pairs[0].run.title), remark)
    return Histories(
        title=title,
        unit=paths.unit_of(pairs),
        panels=tuple(_history(pairs, quantity, symbol, spread) for quantity in quantities),
        labels=paths.legend_labels(pairs),
        omitted=omitted,
    )


def steps_data(runs: Runs, *, spread: SpreadKind = "quartiles") -> Histories:
    """The length of each step of runs, and its rate.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories.
        spread: as in `histories_data`.
    """
    return histories_data(runs, STEPS, spread=spread)


def _history(pairs: Sequence[Labelled], quantity: str, symbol: str, spread: SpreadKind) -> History:
    series = []
    ends = []
    for number, (label, run, _) in zip(paths.numbers_of(pairs), pairs, strict=True):
        numbers, best = series_of(run, quantity)
        numbers = np.where(np.isfinite(numbers), numbers, np.nan)
        series.append(Series(label, number, time_of(run), numbers))
        ends.append(paths.reach(numbers, best))
    every = np.concatenate([one.numbers for one in series])
    every = every[np.isfinite(every)]
    positive = every[every > 0]
    log = quantity in LENGTHS or bool((every > 0).all())
    # Numbers beyond the range of a log axis are drawn at its end.
    low, high = np.clip([positive.min(), positive.max()], SMALLEST, LARGEST) if log and positive.size else (1.0, 1.0)
    log = bool(high / low > DECADES)
    if log:
        limits = float(low) / 2, float(high) * 2
    else:
        limits = words.padded(min(low for low, _ in ends), max(high for _, high in ends))
    name = symbol if quantity == "value" else NAMES.get(quantity, quantity)
    return History(quantity, name, log, limits, tuple(series), bands_of(pairs, quantity, spread))


def _farthest(runs: Sequence[Trajectory]) -> list[str]:
    """The coordinates to show, in their order; of many, those that moved the farthest."""
    names = runs[0].names
    if len(names) <= MOST_COORDINATES:
        return list(names)
    moved = np.zeros(len(names))
    for run in runs:
        finite = run.x[np.isfinite(run.x).all(axis=1)]
        if len(finite):
            moved = np.maximum(moved, np.ptp(finite, axis=0))
    return [names[i] for i in sorted(np.argsort(-moved, kind="stable")[:MOST_COORDINATES])]
