"""The minima among the ends of many runs.

A minimum is a point where a run came to rest, unless the curvature there is negative in some direction or zero in all,
or the slope leads further than within reach; a kink without a slope where the value is lower than on all sides; or a
point that Newton's method finds within reach of the one where a run used up its steps. Ends linked by a chain of
ends, each within reach of the next, are one minimum, and so are those within reach of a minimum that the objective
knows. A run that is within reach of a minimum when its steps are used up has arrived.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray, FloatArray
from fallline.eigen import eigen
from fallline.engines import Ends
from fallline.objectives import Objective
from fallline.results.basins import DIVERGED, NOT_ARRIVED

# The most cells of a grid that are all numbered, including the empty ones.
_MOST_CELLS = 2**52
# A curvature below this part of the largest may be an error, from rounding and third derivatives.
LEAST = 1e-3


def minima_of(objective: Objective, found: Ends, reach: FloatArray) -> tuple[FloatArray, npt.NDArray[np.int32]]:
    """The minima at the ends of runs, those with the most runs first, and the index of each run's minimum.

    Arguments:
        reach: the distance, in each coordinate, within which two points are the same minimum.
    """
    finite = _every(np.isfinite(found.x).T) & np.isfinite(found.value)
    basin = np.full(len(found), NOT_ARRIVED, np.int32)
    basin[~finite | found.ended_by("diverging")] = DIVERGED
    rested = np.flatnonzero((found.converged | found.ended_by("no gradient")) & finite)
    points, group = _groups(found.x[rested], found.value[rested], reach)
    flat = _flat(objective, points, reach)
    kept = flat & _bowl(objective, points, reach)
    number = np.where(kept, np.cumsum(kept) - 1, NOT_ARRIVED)
    basin[rested] = number[group]
    moving = ~found.converged
    moving[rested] = ~flat[group]
    # Known minima count too: at a kink, Newton's method finds none.
    minima = [*_named_as_known(objective, points[kept], reach), *_known(objective)]
    under_way = np.flatnonzero((basin == NOT_ARRIVED) & moving)
    left = _assign(basin, under_way, found.x, 0, minima, reach)
    more = _near_minima(objective, found.x[left], found.value[left], reach)
    minima += [*_named_as_known(objective, more, reach)]
    _assign(basin, left, found.x, len(minima) - len(more), minima, reach)
    return _by_size(np.array(minima).reshape(-1, objective.dimension), basin)


def _groups(x: FloatArray, value: FloatArray, reach: FloatArray) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """The lowest point of each group of points linked by a chain, and the group of each point."""
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
            # For points this far apart, only cells that contain a point are numbered.
            _, number = np.unique(number, return_inverse=True)
            _, place = np.unique(column, return_inverse=True)
        else:
            place = (column - low).astype(np.int64)
        wide = int(place.max(initial=0)) + 1
        number = number * wide + place
        count = (int(number.max(initial=0)) + 1) if count * wide > _MOST_CELLS else count * wide
    order = np.argsort(number)
    begins = np.diff(number[order], prepend=-1) > 0
    first, place = np.flatnonzero(begins), np.cumsum(begins) - 1
    cell = np.empty(len(x), np.int64)
    cell[order] = place
    # Of several as low the one that comes first: the order within a cell is any.
    value = value[order]
    is_lowest = value == np.minimum.reduceat(value, first)[place]
    return np.minimum.reduceat(np.where(is_lowest, order, len(x)), first), cell


def _linked(x: FloatArray) -> npt.NDArray[np.int64]:
    """Number the points: those linked by a chain of steps of at most 1 in each coordinate get the same number."""
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
    """`holds.all(axis=0)` for one row per coordinate: faster than NumPy for few rows."""
    return functools.reduce(np.logical_and, holds)


def _near_minima(objective: Objective, x: FloatArray, value: FloatArray, reach: FloatArray) -> FloatArray:
    """The minima within reach of points, by Newton's method: some rules circle a minimum and never come to rest."""
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
    """A mask of the points that are minima if the slope is gone: not saddles, and not on a plateau."""
    if not len(x):
        return np.zeros(0, bool)
    curvature = _newton(objective, x, reach)[1]
    return (~_negative(curvature) & curvature.any(axis=0)) | _lowest(objective, x, reach)


def _flat(objective: Objective, x: FloatArray, reach: FloatArray) -> BoolArray:
    """A mask of the points from which the slope leads no further than within reach."""
    if not len(x):
        return np.zeros(0, bool)
    slope, curvature, along = _curved(objective, x, reach)
    sizes = np.abs(curvature)
    # In a valley without a slope along it, rounding must not count as a slope.
    sizes = np.maximum(sizes, LEAST * sizes.max(axis=0))
    flat = _every(np.abs(_step(slope, sizes, along)) <= reach[:, None])
    return flat | _lowest(objective, x, reach)


def _lowest(objective: Objective, x: FloatArray, reach: FloatArray) -> BoolArray:
    """A mask of the kinks, points without a gradient, where the value is lower than on all sides."""
    kinks = np.asarray(~np.isfinite(objective.gradient(x)).all(axis=1))
    around = x[kinks, None] + np.concatenate([np.diag(reach / 10), -np.diag(reach / 10)])
    kinks[kinks] = (objective.value(around) > objective.value(x[kinks])[:, None]).all(axis=1)
    return kinks


def _newton(
    objective: Objective, x: FloatArray, reach: FloatArray, within: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Newton's step, infinite where there is none, at points of shape (k, n), and the curvatures, ascending, (n, k).

    Arguments:
        within: whether only steps within reach are needed; longer ones may be infinite, with curvatures 0.
    """
    longest = reach if within else None
    slope, curvature, along = _curved(objective, x, reach, longest)
    return _step(slope, curvature, along).T, curvature


def _step(slope: FloatArray, curvature: FloatArray, along: FloatArray) -> FloatArray:
    """Newton's step from the axes and the curvatures along them, shape (n, k)."""
    inside = (along * slope[:, None]).sum(axis=0)
    # Where the gradient is zero, so is the step, whatever the curvature.
    step: FloatArray = (along * np.where(inside == 0, 0, inside / curvature)).sum(axis=1)
    return step


def _curved(
    objective: Objective, x: FloatArray, reach: FloatArray, longest: FloatArray | None = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The gradient, the curvatures, ascending, and their axes, at points of shape (k, n).

    Where one of them is not finite, or Newton's step is longer than `longest`, the gradient is infinite, the curvatures
    are 0, and the axes those of the coordinates.

    Returns:
        Shapes (n, k), (n, k) and (n, n, k): the coordinates first, so that NumPy's loops run over the points.
    """
    k, n = x.shape
    shifts = np.diag(reach / 10)
    ahead, behind = (objective.gradient((x + sign * shifts[:, None]).reshape(-1, n)) for sign in (1, -1))
    hessian = np.ascontiguousarray((ahead - behind).T).reshape(n, n, k) / (2 * reach[:, None] / 10)
    hessian = (hessian + hessian.swapaxes(0, 1)) / 2
    slope = np.ascontiguousarray(objective.gradient(x).T)
    usable = _every(np.isfinite(np.concatenate([hessian.reshape(-1, k), slope])))
    if longest is not None:
        # A step is at least as long as the gradient's norm over the Hessian's; the factor 2 allows for rounding.
        usable &= sum(slope**2) <= 4 * sum(hessian.reshape(-1, k) ** 2) * (longest @ longest)
    hessian[:, :, ~usable] = 0.0
    curvature, along = eigen(hessian)
    slope[:, ~usable] = np.inf
    return slope, curvature, along


def _negative(curvature: FloatArray) -> BoolArray:
    """Where the least curvature, shape (n, k), is negative by more than its error."""
    return np.asarray(curvature[0] < -LEAST * np.abs(curvature).max(axis=0))


def _known(objective: Objective) -> FloatArray:
    """The minima that the objective knows, one per row."""
    return np.reshape(objective.minima, (-1, objective.dimension)).astype(float)


def _named_as_known(objective: Objective, minima: FloatArray, reach: FloatArray) -> FloatArray:
    """The minima, replaced by the objective's known minima where they are within reach of one."""
    minima = minima + 0.0  # a copy, without negative zeros
    for known in _known(objective):
        minima[(np.abs(minima - known) <= reach).all(axis=1)] = known
    return minima


def _by_size(minima: FloatArray, basin: npt.NDArray[np.int32]) -> tuple[FloatArray, npt.NDArray[np.int32]]:
    """The distinct minima that runs reached, those with the most runs first, and the map with the new indices."""
    minima, same = np.unique(minima, axis=0, return_inverse=True)
    arrived = np.flatnonzero(basin >= 0)
    basin[arrived] = same.ravel()[basin[arrived]]
    size = np.bincount(basin[arrived], minlength=len(minima))
    order = np.argsort(-size, kind="stable")
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order))
    basin[arrived] = place[basin[arrived]]
    return minima[order[size[order] > 0]], basin
