"""basins(): which start in a plane ends in which minimum, and how fast."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arguments import Rule, rule_of, stop_of
from fallline.arrays import BoolArray, FloatArray
from fallline.engines import Ends, Engine, Problem, ends
from fallline.errors import FalllineError, Verbatim, check_whole, nearest
from fallline.gradients import with_gradient
from fallline.hyperparameters import Range
from fallline.objectives import Objective, as_objective
from fallline.objectives.points import interval, one_point
from fallline.progress import progress_bar
from fallline.results.basins import DIVERGED, NOT_ARRIVED, Basins
from fallline.results.trajectory import Record
from fallline.stopping import StoppingCondition, conditions

Interval = tuple[float, float]

# The most cells of a grid that are numbered whether or not a point lies there.
_MOST_CELLS = 2**52


def basins(
    objective: Any,
    box: Sequence[Interval] | Mapping[str, Interval] | None,
    optimizer: Rule,
    *,
    at: Mapping[str, float] | None = None,
    resolution: int = 256,
    max_steps: int = 1000,
    stop: StoppingCondition | None = None,
    target: float | None = None,
    tolerance: float = 1e-3,
    gradient: Any = "auto",
    engine: Engine = "auto",
    seed: int = 0,
    progress: bool = False,
) -> Basins:
    """Run an update rule from every point of a grid, and tell in which minimum each run ends.

    Minima are found at the ends: where runs came to rest, unless the curvature there is negative in some direction
    or zero in all, and where Newton's method finds one within `tolerance` of where a run used up its steps. Ends
    joined by a chain of ends, each within `tolerance` of the next, are one minimum, and so are those within it of a
    minimum that the objective knows. A run that is so near to a minimum when its steps are used up has arrived.

    Arguments:
        objective: what `minimize` takes; it has two coordinates, or more of which two are named in `box`.
        box: the interval of each of the two coordinates, in order or by name; None: the part of the objective that
            is usually searched.
        optimizer: an update rule, or the name of one.
        at: where all runs start in the other coordinates, by name.
        resolution: the number of starts along each of the two.
        tolerance: a distance, as a share of the box's width in each coordinate; of its larger width in the others.
        engine: as in `minimize`; a `Cluster` spreads the runs over its workers.
        max_steps, stop, target, gradient, seed, progress: as in `minimize`.

    Returns:
        The map.

    Raises:
        FalllineError: naming the argument that is wrong, its value and what is allowed.
        KeyboardInterrupt: after Ctrl-C, since a part of a map would be taken for the whole.

    >>> from fallline import GradientDescent
    >>> wells = basins("(x**2 - 1)**2 + y**2", [(-2, 2), (-1, 1)], GradientDescent(0.05), resolution=16)
    >>> wells.minima.round(6)
    array([[-1.,  0.],
           [ 1.,  0.]])
    >>> wells.share(0), wells.share(1)
    (0.5, 0.5)
    """
    for name, number, least in (("resolution", resolution, 2), ("max_steps", max_steps, 1), ("seed", seed, 0)):
        check_whole(name, number, least)
    allowed = Range(0, 1, low_open=True, high_open=True)
    if not allowed.allows(tolerance):
        raise FalllineError("tolerance", tolerance, f"it must be {allowed}")
    size = len(box) if isinstance(box, Sequence) and not isinstance(box, str) else None
    of = as_objective(objective, size)
    columns, window = _plane(of, box)
    held = _held(of, columns, at)
    x, y, starts = _grid(of, columns, window, resolution, held)
    of, rule = with_gradient(of, gradient, starts[0]), rule_of(optimizer)
    with progress_bar(max_steps, rule.label, shown=progress) as report:
        problem = Problem(
            objective=of,
            starts=starts,
            optimizer=rule,
            max_steps=int(max_steps),
            conditions=conditions(stop_of(stop, target)),
            record=Record(every=None),
            seed=int(seed),
            report=report,
        )
        found = ends(problem, engine)
    if found.ended_by("interrupted").any():
        raise KeyboardInterrupt
    widths = np.full(of.dimension, max(high - low for low, high in window))
    widths[list(columns)] = [high - low for low, high in window]
    with np.errstate(all="ignore"):
        minima, basin = _minima(of, found, tolerance * widths)
        values = of.value(minima)
    return Basins(
        title=of.title,
        optimizer=rule.label,
        names=of.names,
        axes=(of.names[columns[0]], of.names[columns[1]]),
        x=x,
        y=y,
        held=held,
        minima=minima,
        values=values,
        basin=basin.reshape(resolution, resolution),
        steps=found.steps.astype(np.int32).reshape(resolution, resolution),
        engine=found.engine,
        gradient_kind=of.gradient_kind or "none",
    )


def _grid(
    objective: Objective,
    columns: tuple[int, int],
    window: Sequence[Interval],
    resolution: int,
    held: Mapping[str, float],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Where the runs start in each of the two coordinates, and all starts, one a row: row by row of the map."""
    try:
        starts = np.empty((resolution, resolution, objective.dimension))
    except (MemoryError, ValueError):  # more than the machine has, or than any could address
        raise FalllineError("resolution", resolution, "so many starts do not fit into memory") from None
    x, y = (np.linspace(low, high, resolution) for low, high in window)
    starts[:] = [held.get(name, 0.0) for name in objective.names]
    starts[..., columns[0]], starts[..., columns[1]] = x, y[:, None]
    return x, y, starts.reshape(-1, objective.dimension)


def _plane(objective: Objective, box: Any) -> tuple[tuple[int, int], list[Interval]]:
    """Which two coordinates differ from start to start, and the interval of each."""
    names = objective.names
    if len(names) < 2:
        raise FalllineError(
            "objective", Verbatim(objective.title), "a map of starts needs two", problem="which has one coordinate"
        )
    if isinstance(box, Mapping):
        for name in box:
            if name not in names:
                raise FalllineError("box", problem=f"names the coordinate {name!r}", allowed=nearest(str(name), names))
        if len(box) != 2:
            raise FalllineError("box", box, f"it must name two of {', '.join(names)}")
        first, second = (names.index(name) for name in box)
        return (first, second), [interval(bounds, "box") for bounds in box.values()]
    if len(names) > 2:
        raise FalllineError(
            "box",
            box,
            "name the two that differ from start to start, each with its interval",
            problem=f"but {objective.title} has the coordinates {', '.join(names)}",
        )
    if box is None and objective.bounds is None:
        raise FalllineError(
            "box",
            problem=f"is None, and {objective.title} has no part that is usually searched",
            allowed="give the interval of each coordinate",
        )
    given = objective.bounds if box is None else box
    if not isinstance(given, Sequence | np.ndarray) or isinstance(given, str) or len(given) != 2:
        raise FalllineError("box", box, f"it must be two intervals, one for each of {', '.join(names)}")
    return (0, 1), [interval(bounds, "box") for bounds in given]


def _held(objective: Objective, columns: tuple[int, int], at: Any) -> dict[str, float]:
    """Where all runs start in the coordinates that are not on the map."""
    free = [objective.names[column] for column in columns]
    others = [name for name in objective.names if name not in free]
    if at is not None and not isinstance(at, Mapping):
        raise FalllineError("at", at, f"it must give a number to each of the names {', '.join(others)}")
    for name in at or {}:
        if name not in others:
            raise FalllineError("at", problem=f"names the coordinate {name!r}", allowed=nearest(str(name), others))
    point = one_point(objective, dict(at or {}) | dict.fromkeys(free, 0.0), "at")
    return {name: float(number) for name, number in zip(objective.names, point, strict=True) if name in others}


def _minima(objective: Objective, found: Ends, reach: FloatArray) -> tuple[FloatArray, npt.NDArray[np.int32]]:
    """The minima at the ends of runs, those with the most runs first, and the place of each run's own.

    Arguments:
        reach: the distance, in each coordinate, within which two points are one.
    """
    finite = _every(np.isfinite(found.x).T) & np.isfinite(found.value)
    basin = np.full(len(found), NOT_ARRIVED, np.int32)
    basin[~finite | found.ended_by("not finite") | found.ended_by("diverging")] = DIVERGED
    rested = np.flatnonzero(found.converged & finite)
    points, group = _groups(found.x[rested], found.value[rested], reach)
    kept = _bowl(objective, points, reach)
    number = np.where(kept, np.cumsum(kept) - 1, NOT_ARRIVED)
    basin[rested] = number[group]
    # Beside a known minimum that is a kink, where Newton's method finds none, a run may have arrived, too.
    minima = [*_named_as_known(objective, points[kept], reach), *_known(objective)]
    under_way = np.flatnonzero((basin == NOT_ARRIVED) & ~found.converged)
    left = _assign(basin, under_way, found.x, 0, minima, reach)
    more = _near_minima(objective, found.x[left], found.value[left], reach)
    minima += [*_named_as_known(objective, more, reach)]
    _assign(basin, left, found.x, len(minima) - len(more), minima, reach)
    return _by_size(np.array(minima).reshape(-1, objective.dimension), basin)


def _groups(x: FloatArray, value: FloatArray, reach: FloatArray) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """The lowest point of each group of points that are joined by a chain, and the group of each point."""
    lowest, cell = _cells(x, value, reach / 2)
    group = _linked(x[lowest] / reach)
    by_value = lowest[np.argsort(value[lowest], kind="stable")]
    first = by_value[np.unique(group[cell[by_value]], return_index=True)[1]]
    return x[first], group[cell]


def _cells(x: FloatArray, value: FloatArray, size: FloatArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The points sorted into the cells of a grid: the lowest point of each cell, and the cell of each point."""
    number = np.zeros(len(x), np.int64)
    count = 1
    for column in np.floor(x / size).T:
        low, high = column.min(initial=np.inf), column.max(initial=-np.inf)
        if count * (high - low + 1) > _MOST_CELLS:
            # So far apart, only cells that hold a point are numbered.
            _, number = np.unique(number, return_inverse=True)
            _, place = np.unique(column, return_inverse=True)
        else:
            place = (column - low).astype(np.int64)
        wide = int(place.max(initial=0)) + 1
        number = number * wide + place
        count = (int(number.max(initial=0)) + 1) if count * wide > _MOST_CELLS else count * wide
    order = np.lexsort((value, number))
    first = np.diff(number[order], prepend=-1) > 0
    cell = np.empty(len(x), np.int64)
    cell[order] = np.cumsum(first) - 1
    return order[first], cell


def _linked(x: FloatArray) -> npt.NDArray[np.int64]:
    """Number the points so that those joined by a chain of steps no longer than 1 in any coordinate are alike."""
    order = np.argsort(x[:, 0], kind="stable")
    x = x[order]
    windows = np.stack([np.searchsorted(x[:, 0], x[:, 0] - 1), np.searchsorted(x[:, 0], x[:, 0] + 1, "right")], axis=1)
    number = np.full(len(x), -1)
    count = 0
    for seed in range(len(x)):
        if number[seed] >= 0:
            continue
        number[seed] = count
        waiting = [seed]
        while waiting:
            i = waiting.pop()
            window = slice(*windows[i])
            near = (np.abs(x[window] - x[i]) <= 1).all(axis=1) & (number[window] < 0)
            joined = (np.flatnonzero(near) + window.start).tolist()
            number[joined] = count
            waiting += joined
        count += 1
    result = np.empty_like(number)
    result[order] = number
    return result


def _assign(
    basin: npt.NDArray[np.int32],
    runs: npt.NDArray[np.int64],
    x: FloatArray,
    first: int,
    minima: Sequence[FloatArray],
    reach: FloatArray,
) -> npt.NDArray[np.int64]:
    """Enter on the map the runs that ended within reach of a minimum from the `first` on; the others."""
    columns = np.ascontiguousarray(x[runs].T)
    for number in range(first, len(minima)):
        near = _every(np.abs(columns - minima[number][:, None]) <= reach[:, None])
        if near.any():
            basin[runs[near]] = number
            runs, columns = runs[~near], columns[:, ~near]
    return runs


def _every(holds: BoolArray) -> BoolArray:
    """Where something holds of all coordinates, each a row: quicker than NumPy's own, for so few."""
    return functools.reduce(np.logical_and, holds)


def _near_minima(objective: Objective, x: FloatArray, value: FloatArray, reach: FloatArray) -> FloatArray:
    """The minima within reach of points, by Newton's method: runs that rules leave circling never come to rest."""
    if not len(x):
        return x
    x = x[_cells(x, value, reach / 2)[0]]
    began = x
    for _ in range(20):
        step, _ = _newton(objective, x, reach, within=True)
        moved = x - step
        near = _every((np.abs(moved - began) <= reach).T)
        x, began = moved[near], began[near]
        if not len(x):
            return x
    step, curvature = _newton(objective, x, reach)
    x = x[(np.abs(step) <= 0.01 * reach).all(axis=1) & ~_negative(curvature)]
    if not len(x):
        return x
    return _groups(x, objective.value(x), reach)[0]


def _bowl(objective: Objective, x: FloatArray, reach: FloatArray) -> BoolArray:
    """Which of the points, where the gradient is zero, are minima: not saddles, and not on a plateau."""
    if not len(x):
        return np.zeros(0, bool)
    curvature = _newton(objective, x, reach)[1]
    return ~_negative(curvature) & curvature.any(axis=1)


def _newton(
    objective: Objective, x: FloatArray, reach: FloatArray, within: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Newton's step, infinite where there is none, and the curvatures, rising, at points of shape (k, n).

    Arguments:
        within: whether only steps within reach are wanted; others may be infinite, and their curvatures 0.
    """
    k, n = x.shape
    shifts = np.diag(reach / 10)
    ahead, behind = (objective.gradient((x[:, None] + sign * shifts).reshape(-1, n)) for sign in (1, -1))
    hessian = ((ahead - behind).reshape(k, n, n) / (2 * reach[:, None] / 10)).swapaxes(1, 2)
    hessian = (hessian + hessian.swapaxes(1, 2)) / 2
    slope = objective.gradient(x)
    entries = np.concatenate([hessian.reshape(k, -1), slope], axis=1).T
    usable = _every(np.isfinite(entries))
    if within:
        # A step is at least as long as the slope over the matrix's norm; twice leaves room for rounding.
        longest = 4 * sum(entries[: n * n] ** 2) * (reach @ reach)
        usable &= sum(entries[n * n :] ** 2) <= longest
    step, curvature = np.full(x.shape, np.inf), np.zeros(x.shape)
    curvature[usable], along = np.linalg.eigh(hessian[usable])
    inside = np.einsum("kij,ki->kj", along, slope[usable])
    # Where there is no slope there is nothing to gain, whatever the curvature.
    step[usable] = np.einsum("kij,kj->ki", along, np.where(inside == 0, 0, inside / curvature[usable]))
    return step, curvature


def _negative(curvature: FloatArray) -> BoolArray:
    """Where the least curvature is below zero by more than what rounding and third derivatives make of it."""
    return np.asarray(curvature[:, 0] < -1e-3 * np.abs(curvature).max(axis=1))


def _known(objective: Objective) -> FloatArray:
    """The minima that the objective knows, one a row."""
    return np.reshape(objective.minima, (-1, objective.dimension)).astype(float)


def _named_as_known(objective: Objective, minima: FloatArray, reach: FloatArray) -> FloatArray:
    """The minima, the objective's own figures in place of those found beside them."""
    minima = minima + 0.0  # a copy, without negative zeros
    for known in _known(objective):
        minima[(np.abs(minima - known) <= reach).all(axis=1)] = known
    return minima


def _by_size(minima: FloatArray, basin: npt.NDArray[np.int32]) -> tuple[FloatArray, npt.NDArray[np.int32]]:
    """Minima that are the same as one, those that no run reached left out, the others by the runs they have."""
    minima, same = np.unique(minima, axis=0, return_inverse=True)
    arrived = np.flatnonzero(basin >= 0)
    basin[arrived] = same.ravel()[basin[arrived]]
    size = np.bincount(basin[arrived], minlength=len(minima))
    order = np.argsort(-size, kind="stable")
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order))
    basin[arrived] = place[basin[arrived]]
    return minima[order[size[order] > 0]], basin
