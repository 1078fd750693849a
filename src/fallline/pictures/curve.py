"""The data of a curve in one dimension, and of a run's points on it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, check_whole
from fallline.gradients import with_gradient
from fallline.objectives import as_objective
from fallline.objectives.base import Objective
from fallline.pictures import grid, paths, words
from fallline.pictures.heights import Limits, limited
from fallline.pictures.paths import Interval, Labelled, Path, Runs
from fallline.results.series import value_symbol
from fallline.tables import Printed


@dataclass(frozen=True, eq=False, repr=False)
class Curve(Printed):
    """A function of one coordinate over an interval.

    Attributes:
        title: what the function is.
        name: its coordinate.
        symbol: what its values are called: "f" or "loss".
        x: the coordinates, shape (points,).
        value: its values, shape (points,); NaN where they are not finite.
        slope: its derivative, shape (points,); None when it was not requested.
    """

    title: str
    name: str
    symbol: str
    x: FloatArray
    value: FloatArray
    slope: FloatArray | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Descent(Printed):
    """The points of one run or several on the curve of their objective.

    Attributes:
        curve: the function.
        paths: the runs.
        unit: the unit of their times: "step" or "epoch".
        heights: the lowest and the highest value shown, as limits of the axis.
    """

    curve: Curve
    paths: tuple[Path, ...]
    unit: str
    heights: Interval


def curve_data(objective: Any, bounds: Interval | None = None, *, derivative: bool = True, points: int = 512) -> Curve:
    """A function of one coordinate, and its derivative, over an interval.

    Arguments:
        objective: a formula, a function or an Objective.
        bounds: the two ends of the interval; None: the objective's own, or -5 to 5.
        derivative: whether to compute it as well, as `gradient="auto"` does in `minimize`.
        points: the number of points.

    Raises:
        FalllineError: when an argument is wrong, or the function is nowhere finite there.
    """
    objective = as_objective(objective)
    if objective.dimension != 1:
        raise FalllineError(
            problem=f"objective {objective.title} has the coordinates {', '.join(objective.names)}",
            allowed="a curve needs a function of one",
        )
    (low, high) = paths.window_of((), objective, [0])[0] if bounds is None else grid.interval(bounds)
    check_whole("points", points, least=2)
    x = np.linspace(low, high, points)
    value = _finite(grid.evaluate(objective, x[:, None]))
    if np.isnan(value).all():
        raise grid.NothingToDraw(f"{objective.title} is nowhere a finite number from {low:g} to {high:g}")
    slope = None
    if derivative:
        # "auto" tries the function at a point where it is finite.
        at = x[np.isfinite(value).argmax(), None]
        slope = _finite(grid.slopes(with_gradient(objective, "auto", at), x[:, None])[:, 0])
    return Curve(objective.title, objective.names[0], value_symbol(objective), x, value, slope)


def descent_data(runs: Runs, *, bounds: Interval | None = None, ylim: Limits = None, points: int = 512) -> Descent:
    """The points of runs on the curve of their objective.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories, in one coordinate.
        bounds: the interval of the curve; None: chosen to show the runs.
        ylim: the lowest and the highest value shown, None at an end to choose it.
        points: the number of points of the curve.

    Raises:
        FalllineError: when an argument is wrong.
    """
    pairs = paths.labelled(runs)
    data = descent_of(pairs, paths.objective_of(pairs), bounds, points)
    return dataclasses.replace(data, heights=limited(data.heights, ylim, "ylim"))


def descent_of(pairs: Sequence[Labelled], objective: Objective, bounds: Interval | None, points: int) -> Descent:
    """The same for runs that are labelled already."""
    if objective.dimension != 1:
        raise FalllineError(
            problem=f"runs: {objective.title} has the coordinates {', '.join(objective.names)}",
            allowed="points on a curve need one; use plot_contour or plot_histories",
        )
    window = paths.window_of(pairs, objective, [0])[0] if bounds is None else grid.interval(bounds)
    curve = curve_data(objective, window, derivative=False, points=points)
    on_curve = tuple(paths.path_of(pair, objective, [0], [window], pair.run.start.x) for pair in pairs)
    return Descent(curve, on_curve, paths.unit_of(pairs), words.padded(*grid.height_range(curve.value)))


def _finite(values: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values), values, np.nan)
