"""The parts of runs that pictures draw: labels, points, and the window that shows them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar, cast, runtime_checkable

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.objectives import as_objective
from fallline.objectives.base import Objective
from fallline.objectives.points import interval
from fallline.pictures import grid, words
from fallline.pictures.rule_words import words_of_runs
from fallline.results.series import goal_of, on_data, time_of, value_symbol
from fallline.results.spread import FEWEST_REPEATS
from fallline.results.trajectory import Trajectory
from fallline.tables import Printed

# More points than these cannot be distinguished in a picture.
MOST_POINTS = 2000
# The interval of a coordinate where neither a run nor the objective says which.
UNKNOWN = (-5.0, 5.0)
# The least width of a window, absolute and relative to the numbers in it.
SMALLEST_WIDTH, RELATIVE_WIDTH = 1e-280, 1e-12

Interval: TypeAlias = tuple[float, float]


@runtime_checkable
class Compared(Protocol):
    """Trajectories with their labels, as `compare` returns them."""

    @property
    def labels(self) -> Sequence[str]:
        """The label of each run."""

    @property
    def trajectories(self) -> Sequence[Trajectory]:
        """The runs."""

    @property
    def rules(self) -> Sequence[str]:
        """The label of each run's rule."""


Runs: TypeAlias = "Trajectory | Compared | Mapping[str, Trajectory] | Sequence[Trajectory]"


class Labelled(NamedTuple):
    """A run and its label; and the label of its rule if other runs, with which it shares a colour, repeat it."""

    label: str
    run: Trajectory
    rule: str = ""


Run = TypeVar("Run", bound="Labelled | Path")

# Each has a line of the legend, unless it repeats a rule; and of a rule there are at most so many.
MOST_RUNS = 100


def labelled(runs: Runs) -> tuple[Labelled, ...]:
    """The runs to show, each with its label.

    Raises:
        FalllineError: when there is none, or more than a legend can name, or something is not a trajectory, or their
            coordinates differ.
    """
    # Before the trajectories of a comparison are made, one by one.
    repeated = _repeated(runs.rules) if isinstance(runs, Compared) else {}
    if not isinstance(runs, Trajectory | str) and isinstance(runs, Sized):
        apart = len(runs) - sum(repeated.values()) + len(repeated)
        if max(apart, 0, *repeated.values()) > MOST_RUNS:
            raise FalllineError(
                "runs",
                problem=f"are {len(runs)}, and one picture shows at most {MOST_RUNS}"
                + " of each rule" * (len(repeated) > 1),
                allowed="take some of them, such as runs[:10] or runs.ranked(10)",
            )
    if isinstance(runs, Trajectory):
        pairs = [Labelled("", runs)]
    elif isinstance(runs, Compared):
        # A label that the user did not give is made from the rule, here in other words.
        pairs = [
            Labelled("" if label.startswith(run.optimizer) else label, run, rule if rule in repeated else "")
            for label, run, rule in zip(runs.labels, runs.trajectories, runs.rules, strict=True)
        ]
    elif isinstance(runs, Mapping):
        pairs = [Labelled(str(label), run) for label, run in runs.items()]
    elif isinstance(runs, Sequence) and not isinstance(runs, str):
        pairs = [Labelled("", run) for run in runs]
    else:
        pairs = []
    if not pairs or not all(isinstance(pair.run, Trajectory) for pair in pairs):
        raise FalllineError("runs", runs, "it must be a trajectory, a comparison, or several trajectories")
    pairs = _in_words(pairs)
    names = pairs[0].run.names
    for label, run, _ in pairs:
        if run.names != names:
            raise FalllineError(
                problem=f"runs: {label!r} has the coordinates {', '.join(run.names)}, and {pairs[0].label!r} has "
                f"{', '.join(names)}",
                allowed="one picture shows runs with the same coordinates",
            )
    return tuple(pairs)


def is_objective(thing: Any) -> bool:
    """Whether a picture shows an objective alone: a text, a function, a SymPy expression or an Objective."""
    return isinstance(thing, str | Objective) or callable(thing) or hasattr(thing, "free_symbols")


def shown(thing: Runs | Objective | str) -> tuple[tuple[Labelled, ...], Objective]:
    """The runs to show and their objective; no runs for an objective alone.

    Raises:
        FalllineError: when it is neither, and as in `labelled` and `objective_of`.
    """
    if is_objective(thing):
        return (), as_objective(thing)
    pairs = labelled(cast("Runs", thing))
    return pairs, objective_of(pairs)


def _repeated(rules: Sequence[str]) -> dict[str, int]:
    """The rules with so many runs that their spread can be told, and the number of their runs."""
    return {rule: count for rule, count in Counter(rules).items() if count >= FEWEST_REPEATS}


def _in_words(pairs: Sequence[Labelled]) -> list[Labelled]:
    """The runs, those without a label with one that says what tells them apart, and their rule likewise."""
    own = iter(words_of_runs([pair.run for pair in pairs if not pair.label]))
    first = {pair.rule: pair.run for pair in reversed(pairs) if pair.rule and not pair.label}
    rules = dict(zip(first, words_of_runs(list(first.values())), strict=True))
    return [Labelled(pair.label or next(own), pair.run, rules.get(pair.rule, pair.rule)) for pair in pairs]


def numbers_of(runs: Sequence[Labelled | Path]) -> tuple[int, ...]:
    """The number of each run's colour: runs that repeat a rule share one, each of the others has its own."""
    first: dict[Any, int] = {}
    return tuple(first.setdefault(run.rule or place, len(first)) for place, run in enumerate(runs))


def grouped(runs: Sequence[Run]) -> list[list[Run]]:
    """The runs of each colour, in the order of the colours."""
    groups: dict[int, list[Run]] = {}
    for number, run in zip(numbers_of(runs), runs, strict=True):
        groups.setdefault(number, []).append(run)
    return list(groups.values())


def legend_labels(runs: Sequence[Labelled | Path]) -> tuple[str, ...]:
    """What a legend names, in the order of the colours: each run, or a rule that is repeated."""
    groups = grouped(runs)
    return tuple(f"{len(group)} runs: {group[0].rule}" if group[0].rule else group[0].label for group in groups)


def objective_of(pairs: Sequence[Labelled]) -> Objective:
    """The objective that the picture shows: the first run's.

    Raises:
        FalllineError: when it is not known, as in a loaded run of a Python function.
    """
    objective = pairs[0].run.objective
    if objective is None:
        raise FalllineError(
            problem=f"runs: the run of {pairs[0].run.title} was loaded from a file without its objective",
            allowed="only its histories can be drawn",
        )
    return objective


def unit_of(pairs: Sequence[Labelled]) -> str:
    """The unit of the time axis: "epoch" for a loss on data, otherwise "step"."""
    return "epoch" if any(on_data(pair.run.objective) for pair in pairs) else "step"


def time_text(time: float) -> str:
    """A time as text for titles: steps are whole numbers, epochs have six digits.

    >>> time_text(1234567.0), time_text(1 / 3)
    ('1234567', '0.333333')
    """
    return f"{time:.0f}" if time == round(time) else f"{time:g}"


def first_epochs(run: Trajectory, count: int) -> Trajectory:
    """The run up to and including epoch `count`, as if recording had stopped there."""
    kept = time_of(run) <= count
    return dataclasses.replace(
        run,
        steps=run.steps[kept],
        x=run.x[kept],
        value=run.value[kept],
        gradient=run.gradient[kept],
        rate=run.rate[kept],
    )


@dataclass(frozen=True, eq=False, repr=False)
class Path(Printed):
    """The points of one run that a picture draws.

    Attributes:
        label: the label of the run.
        rule: that of its rule if other runs, with which it shares a colour, repeat it; otherwise empty.
        title: the rule, and how the run ended.
        times: the step or epoch of each point, shape (rows,).
        x: the drawn coordinates, shape (rows, 1) or (rows, 2); NaN where far outside or not finite.
        value: the height of the drawn landscape there, shape (rows,); NaN likewise.
        outside: the number of the run's recorded points that lie outside the picture; on a curve this includes points
            without a finite value.
    """

    label: str
    rule: str
    title: tuple[str, str]
    times: FloatArray
    x: FloatArray
    value: FloatArray
    outside: int

    def __len__(self) -> int:
        return len(self.times)

    @property
    def remark(self) -> str:
        """The text about points of the run that the picture does not show; empty when it shows all."""
        if not self.outside:
            return ""
        return f"{self.outside} point{'s' if self.outside > 1 else ''} outside the picture"

    def last(self, unit: str) -> str:
        """The time of its last point as text, in steps or epochs; empty for a run that made no step."""
        return f"{unit} {time_text(self.times[-1])}" if len(self) > 1 else ""

    def shown_until(self, time: float) -> int:
        """The number of points reached by a time."""
        return int(np.searchsorted(self.times, time, side="right"))


# More runs of one rule than these are not named one by one in a legend.
MOST_ALIKE = 8


def named(paths: Sequence[Path], most: int) -> tuple[tuple[str, ...], str]:
    """The labels that a legend names, in the order of their colours, and a line about the others; empty for none.

    Runs that repeat a rule are named together, and many runs of one rule are one line: they differ in where they start,
    which the picture shows.

    Arguments:
        most: for how many there is room.
    """
    return named_runs(legend_labels(paths), [path.title[0] for path in paths], most)


def named_runs(labels: Sequence[str], rules: Sequence[str], most: int = MOST_ALIKE) -> tuple[tuple[str, ...], str]:
    """As `named`, from the entries of the legend and the rule of each run.

    >>> named_runs([f"run {number}" for number in range(20)], [f"rule {number}" for number in range(20)])[1]
    '13 more runs'
    """
    if len(labels) > MOST_ALIKE and len(set(rules)) == 1:
        return (), f"{len(rules)} runs: {rules[0]}"
    if len(labels) <= most:
        return tuple(labels), ""
    return tuple(labels[: most - 1]), f"{len(labels) - most + 1} more runs"


def untold_rule(paths: Sequence[Path]) -> str:
    """The one rule of all the runs, for a title, where a legend tells only their starts; empty if they have several."""
    labels, rules = legend_labels(paths), {path.title[0] for path in paths}
    told = len(labels) > MOST_ALIKE or any(path.rule for path in paths)
    return "" if told or len(rules) != 1 or rules & {*labels} else rules.pop()


def path_of(
    pair: Labelled, objective: Objective, columns: Sequence[int], window: Sequence[Interval], at: FloatArray
) -> Path:
    """The points of a run on the landscape of `objective`.

    Arguments:
        columns: the indices of the coordinates drawn.
        window: the interval shown of each.
        at: a point with the values of the coordinates that are not drawn, shape (n,).
    """
    label, run, rule = pair
    low, high = np.array(window).T
    inside = ((run.x[:, columns] >= low) & (run.x[:, columns] <= high)).all(axis=1)
    # A curve cannot show a point without a finite value.
    seen = inside & np.isfinite(run.value) if len(columns) == 1 else inside
    # The first point after the run leaves for good is kept, so that its line is seen to leave.
    last = min(int(np.flatnonzero(inside)[-1]) + 1, len(run) - 1) if inside.any() else 0
    rows = thinned(last + 1, MOST_POINTS)
    x = run.x[rows][:, columns]
    with np.errstate(over="ignore", invalid="ignore"):
        # Lines may pass through points outside, but very large numbers overflow in the conversion to pixels.
        near = (np.abs(x - (low + high) / 2) <= 1000 * (high - low)).all(axis=1)
    x[~near] = np.nan
    value = np.full(len(rows), np.nan)
    value[near] = grid.evaluate(objective, grid.placed(at, columns, x[near]))
    value[~np.isfinite(value)] = np.nan
    return Path(
        label=label,
        rule=rule,
        title=words.run_title(run, value_symbol(run.objective)),
        times=time_of(run)[rows],
        x=x,
        value=value,
        outside=int(len(run) - seen.sum()),
    )


def thinned(count: int, most: int) -> npt.NDArray[np.intp]:
    """At most `most` of the numbers 0 ... count - 1, evenly spread from the first to the last; for one, the last.

    >>> thinned(11, 3)
    array([ 0,  5, 10])
    >>> thinned(2, 20), thinned(11, 1)
    (array([0, 1]), array([10]))
    """
    first = 0 if most > 1 else count - 1
    return np.unique(np.round(np.linspace(first, count - 1, min(count, most))).astype(np.intp))


def reach(series: FloatArray, best: float) -> Interval:
    """The interval of a series to show: all of it, unless there are extreme outliers.

    An outlier is thirty times farther from the start than the best point or the first step; if a quarter of the
    numbers are outliers, the limit moves out, up to a thousand times.

    >>> reach(np.array([4.0, 2.0, 1.0, 1e9, 0.5]), best=0.5)
    (0.5, 4.0)
    """
    finite = series[np.isfinite(series)]
    if not finite.size:
        return 0.0, 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        distance = np.abs(finite - finite[0])
        first = float(distance[1]) if len(finite) > 1 else 0.0
        near = float(np.fmax(np.abs(best - finite[0]), first))
        if 0 < near < np.inf:
            limit = min(max(30 * near, 2 * float(np.quantile(distance, 0.75))), 1000 * near)
            finite = finite[distance <= limit]
    return float(finite.min()), float(finite.max())


def window_of(pairs: Sequence[Labelled], objective: Objective, columns: Sequence[int]) -> list[Interval]:
    """The interval of each drawn coordinate that shows the runs, and as much of the objective's `bounds` as leaves
    them most of one side.

    A run that ended higher than it started, or not at a finite point, widens it only when no run did better.
    """
    if not pairs:
        return [interval(objective.bounds[column]) if objective.bounds is not None else UNKNOWN for column in columns]
    every = [pair.run for pair in pairs]
    calm = [run for run in every if run.final.value <= run.start.value] or every
    ends = []
    for column in columns:
        reaches = [reach(run.x[:, column], float(goal_of(run).x[column])) for run in calm]
        reaches += [(run.x[0, column], run.x[0, column]) for run in every]
        lows, highs = zip(*reaches, strict=True)
        ends.append((float(min(lows)), float(max(highs))))
    if objective.bounds is not None:
        known = np.array(objective.minima, float).reshape(-1, objective.dimension)[:, list(columns)]
        ends = _zoomed(ends, [objective.bounds[column] for column in columns], known)
    widest = max(high - low for low, high in ends)
    window = []
    for low, high in ends:
        # A coordinate that hardly moved still needs some width, and so does a run of a single point.
        width = max(high - low, widest / 10)
        # The points cannot be distinguished in so narrow a window, and Matplotlib would change its limits.
        if width <= max(SMALLEST_WIDTH, RELATIVE_WIDTH * max(abs(low), abs(high))):
            width = max(1.0, abs(low))
        middle = (low + high) / 2
        window.append((middle - 0.6 * width, middle + 0.6 * width))
    return window


# The runs take at least this share of one side of the bounds that are shown, unless they hardly move at all.
FILLED, STILL = 0.6, 1e-6


def _zoomed(ends: Sequence[Interval], bounds: Sequence[Interval], minima: FloatArray) -> list[Interval]:
    """The part of the objective's bounds around the runs, in the bounds' proportions.

    Arguments:
        ends: the interval that the runs take of each coordinate.
        minima: the known minima, shape (k, coordinates); the nearest is shown if the runs lead most of the way to it.
    """
    low, high = np.array(ends).T
    outer_low, outer_high = np.minimum(low, np.array(bounds)[:, 0]), np.maximum(high, np.array(bounds)[:, 1])
    sides = outer_high - outer_low
    filled = float(((high - low) / sides).max())
    if filled < STILL:
        return list(zip(outer_low.tolist(), outer_high.tolist(), strict=True))
    if len(minima):
        away = (np.maximum(low - minima, 0) + np.maximum(minima - high, 0)) / sides
        nearest = minima[away.max(axis=1).argmin()]
        wide = np.minimum(low, nearest), np.maximum(high, nearest)
        if filled >= FILLED * ((wide[1] - wide[0]) / sides).max():
            low, high = wide
            filled = float(((high - low) / sides).max())
    width = np.maximum(min(1.0, filled / FILLED) * sides, high - low)
    start = np.clip((low + high - width) / 2, outer_low, outer_high - width)
    return list(zip(start.tolist(), (start + width).tolist(), strict=True))
