"""The data of the histories of runs: value, gradient norm, rate, coordinates against steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest
from fallline.pictures import paths, words
from fallline.pictures.bands import Band, bands_of
from fallline.pictures.paths import Interval, Labelled, Runs
from fallline.results.series import series_of, targets_of, time_of, value_symbol
from fallline.results.spread import SPREADS, SpreadKind, check_spread
from fallline.results.trajectory import Trajectory
from fallline.stopping import EPSILON
from fallline.tables import Printed

OVERALL = ("value", "gradient_norm", "rate")
STEPS = ("step_length", "rate")
# The axis label of each quantity; the value's is the objective's symbol.
NAMES = {"gradient_norm": "gradient norm", "rate": "learning rate", "step_length": "length of the step"}
LENGTHS = ("gradient_norm", "step_length")
# Of more coordinates than this, a picture shows those that moved the farthest.
MOST_COORDINATES = 6
# Positive numbers that span more than this are shown on a log axis.
DECADES = 100.0
# On a log axis a run that rises leaves the picture at this many times the highest number of those that fell.
RISE = 1e3
# The part of a log axis, above its floor, that is left below it.
BAND = 0.04
# A line of text tells so many runs by name.
MOST_TOLD = 3
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


class Mark(NamedTuple):
    """A point of a history that is marked: of which run, where it is, and what is said of it."""

    run: int
    time: float
    number: float
    text: str


@dataclass(frozen=True, eq=False, repr=False)
class History(Printed):
    """One quantity of all runs, for one small plot.

    Attributes:
        quantity: "value", "gradient_norm", "rate", "step_length" or a coordinate's name.
        name: the label of the axis.
        log: whether the axis is logarithmic.
        limits: the lowest and the highest number shown.
        series: one per run.
        floor: below it, on a log axis, a number is no more than the rounding of the first one; None where all numbers
            are above it. The picture ends there.
        targets: the numbers at which the runs' stopping conditions end them.
        best: the best of all values; None for other quantities, and for rules that are repeated.
        bands: one per rule that is repeated.
    """

    quantity: str
    name: str
    log: bool
    limits: Interval
    series: tuple[Series, ...]
    floor: float | None = None
    targets: tuple[float, ...] = ()
    best: Mark | None = None
    bands: tuple[Band, ...] = ()

    def shown(self, numbers: FloatArray) -> FloatArray:
        """The numbers as they are drawn.

        On a log axis what is below the picture is at its lower end: a zero, and what is only rounding. On a linear one
        they are the numbers inside the limits, and one more wherever the line leaves them, NaN elsewhere: numbers far
        outside would overflow in the conversion to pixels, so a line that leaves is clipped near the limits.
        """
        low, high = self.limits
        if self.log:
            return np.maximum(numbers, low if self.floor is None else self.floor)
        inside = np.pad((numbers >= low) & (numbers <= high), 1)
        drawn = inside[1:-1] | inside[:-2] | inside[2:]
        return np.where(drawn, np.clip(numbers, 2 * low - high, 2 * high - low), np.nan)


@dataclass(frozen=True, eq=False, repr=False)
class Histories(Printed):
    """Several quantities of the same runs.

    Attributes:
        title: the lines of the title.
        unit: the unit of the times: "step" or "epoch".
        panels: the quantities.
        labels: the entries of the legend, in the order of the colours: of each run, or of a rule that is repeated; of
            many the first.
        others: what the legend says of the other runs; empty for none.
        constants: a line of text for each quantity that does not change, which has no panel unless it is the only one.
        omitted: the number of coordinates not shown, which moved less than those shown.
    """

    title: tuple[str, str]
    unit: str
    panels: tuple[History, ...]
    labels: tuple[str, ...]
    others: str = ""
    constants: tuple[str, ...] = ()
    omitted: int = 0

    @property
    def columns(self) -> int:
        """The number of columns of small plots."""
        return min(len(self.panels), 2 if len(self.panels) in (2, 4) else 3)

    @property
    def rows(self) -> int:
        """The number of rows of small plots."""
        return -(-len(self.panels) // self.columns)


def histories_data(
    runs: Runs, quantities: Sequence[str] | None = None, *, spread: SpreadKind = "quartiles"
) -> Histories:
    """The histories of runs. A quantity that is constant in every run is a line of text.

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
    panels = [_history(pairs, quantity, symbol, spread) for quantity in quantities]
    changing = [panel for panel in panels if not _told(panel)] or panels[:1]
    rules = [words.optimizer_words(pair.run) for pair in pairs]
    labels, others = paths.named_runs(paths.legend_labels(pairs), rules)
    untold = "" if others or len({*rules}) > 1 or rules[0] in {pair.label for pair in pairs} else rules[0]
    single = len(pairs) == 1
    if any(pair.rule for pair in pairs):
        untold = f"{SPREADS[spread]} of the runs of each rule"
    title = words.run_title(pairs[0].run, symbol) if single else (words.objective_words(pairs[0].run.title), untold)
    return Histories(
        title=title,
        unit=paths.unit_of(pairs),
        panels=tuple(changing),
        labels=labels,
        others=others,
        constants=tuple(_told(panel) for panel in panels if panel not in changing),
        omitted=omitted,
    )


def steps_data(runs: Runs, *, spread: SpreadKind = "quartiles") -> Histories:
    """The length of each step of runs, and its rate.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories.
        spread: as in `histories_data`.
    """
    return histories_data(runs, STEPS, spread=spread)


def learning_data(steps: npt.NDArray[np.int64], loss: FloatArray, held_out: FloatArray | None = None) -> Histories:
    """The loss against the steps, on the rows fitted to and on those held out.

    Arguments:
        steps: the steps at which the losses were taken, shape (k,).
        loss: the loss on the rows fitted to, shape (k,).
        held_out: the loss on the rows held out, shape (k,); None if there are none.
    """
    curves = {"rows fitted to": loss} | ({} if held_out is None else {"rows held out": held_out})
    series = tuple(
        Series(name, number, np.asarray(steps, float), _finite(curve))
        for number, (name, curve) in enumerate(curves.items())
    )
    last = series[-1]
    best = None
    if np.isfinite(last.numbers).any():
        row = int(np.nanargmin(last.numbers))
        where = "" if held_out is None else " on rows held out"
        best = _mark(len(series) - 1, float(last.times[row]), float(last.numbers[row]), "step", where)
    ends = [paths.reach(one.numbers, float(np.nanmin(one.numbers, initial=np.inf))) for one in series]
    panel = _panel("value", "loss", series, ends, [True] * len(series), (), best)
    return Histories(("Learning curve", ""), "step", (panel,), tuple(curves))


def _history(pairs: Sequence[Labelled], quantity: str, symbol: str, spread: SpreadKind) -> History:
    series, ends = [], []
    for number, (label, run, _) in zip(paths.numbers_of(pairs), pairs, strict=True):
        numbers, best = series_of(run, quantity)
        series.append(Series(label, number, time_of(run), _finite(numbers)))
        ends.append(paths.reach(series[-1].numbers, best))
    name = symbol if quantity == "value" else NAMES.get(quantity, quantity)
    calm = [bool(run.final.value <= run.start.value) for _, run, _ in pairs]
    targets = sorted({target for _, run, _ in pairs for target in targets_of(run, quantity)})
    panel = _panel(quantity, name, series, ends, calm, targets, _best(pairs) if quantity == "value" else None)
    return dataclasses.replace(panel, bands=bands_of(pairs, quantity, spread))


def _panel(
    quantity: str,
    name: str,
    series: Sequence[Series],
    ends: Sequence[Interval],
    calm: Sequence[bool],
    targets: Sequence[float],
    best: Mark | None,
) -> History:
    """The plot of a quantity.

    Arguments:
        ends: the interval of each series to show on a linear axis.
        calm: whether each run fell; the others do not widen the axis far.
    """
    every = _joined(series)
    floor = _floor(series)
    positive = every[every > 0]
    # Many runs end with a zero, or with the rounding of one.
    log = (
        quantity in LENGTHS
        or bool((every > 0).all())
        or (quantity == "value" and floor > 0 and bool((every >= -floor).all()))
    )
    # Numbers beyond the range of a log axis are drawn at its end.
    low, high = 1.0, 1.0
    if log and positive.size:
        low, high = (min(max(float(end), SMALLEST), LARGEST) for end in (positive.min(), positive.max()))
    log = high / low > DECADES
    if not log:
        limits = words.padded(*_widest(ends, calm))
        return History(quantity, name, log, limits, tuple(series), None, tuple(targets), best)
    fell = _joined([one for one, quiet in zip(series, calm, strict=True) if quiet])
    if fell.size and fell.max() > 0:
        high = min(high, RISE * fell.max())
    if low >= floor:
        return History(quantity, name, log, (low / 2, high * 2), tuple(series), None, tuple(targets), best)
    limits = floor * (floor / high) ** BAND, high * 2
    return History(quantity, name, log, limits, tuple(series), floor, tuple(targets), best)


def _widest(ends: Sequence[Interval], calm: Sequence[bool]) -> Interval:
    """The interval that shows all series; those of runs that did not fall widen that of the others three times."""
    every = np.array(ends)
    fell = every[np.array(calm)] if any(calm) else every
    low, high = float(fell[:, 0].min()), float(fell[:, 1].max())
    room = high - low or np.inf
    return max(float(every[:, 0].min()), low - room), min(float(every[:, 1].max()), high + room)


def _floor(series: Sequence[Series]) -> float:
    """The rounding of the first numbers, of the smallest of them; 0 where none is above 0."""
    firsts = np.array([one.numbers[0] for one in series])
    firsts = firsts[firsts > 0]
    return EPSILON * float(firsts.min()) if firsts.size else 0.0


def _finite(numbers: FloatArray) -> FloatArray:
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _joined(series: Sequence[Series]) -> FloatArray:
    """The finite numbers of all series."""
    every: FloatArray = np.concatenate([np.zeros(0), *(one.numbers for one in series)])
    return every[np.isfinite(every)]


def _best(pairs: Sequence[Labelled]) -> Mark | None:
    """The lowest value of all runs; None where they repeat rules, whose spread is shown instead."""
    if any(pair.rule for pair in pairs):
        return None
    place = int(np.argmin([np.nan_to_num(run.best.value, nan=np.inf) for _, run, _ in pairs]))
    label, run, _ = pairs[place]
    if not np.isfinite(run.best.value):
        return None
    per_time = run.objective.steps_per_epoch if run.objective is not None else 1
    whose = f", {label}" if len(pairs) > 1 else ""
    return _mark(place, run.best.step / per_time, run.best.value, paths.unit_of(pairs), whose)


def _mark(run: int, time: float, number: float, unit: str, whose: str) -> Mark:
    return Mark(run, time, number, f"best {words.number(number, 3)} at {unit} {paths.time_text(time)}{whose}")


def _told(panel: History) -> str:
    """The line of text that tells all of a quantity that is constant in every run; empty if it is not in one."""
    numbers = [one.numbers[np.isfinite(one.numbers)] for one in panel.series]
    if not all(own.size and np.ptp(own) == 0 for own in numbers) or sum(map(len, numbers)) == len(numbers):
        return ""
    runs: dict[str, list[str]] = {}
    for one, own in zip(panel.series, numbers, strict=True):
        runs.setdefault(words.number(own[0]), []).append(one.label)
    if len(runs) == 1:
        return f"{panel.name}: {next(iter(runs))} throughout"
    if len(panel.series) <= MOST_TOLD:
        told = ", ".join(f"{number} ({', '.join(labels)})" for number, labels in runs.items())
        return f"{panel.name}: {told} throughout"
    low, high = (words.number(end(float(own[0]) for own in numbers)) for end in (min, max))
    return f"{panel.name}: constant in each run, {low} to {high}"


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
