"""The finding that the objective has no lower bound, so that there is no minimum."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from fallline.arrays import FloatArray
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import Finding, Remedy, check
from fallline.norms import norm
from fallline.objectives import Objective
from fallline.results.trajectory import Point
from fallline.tables import MOST_COORDINATES

# The distances along a direction at which the objective is evaluated, in sizes of the point.
DISTANCES = np.array([10.0**power for power in range(13)])
# With more coordinates, only the directions of the slope and of the run are followed, not each coordinate's.
MODEST = 50


class _Endless(NamedTuple):
    """A direction along which the objective falls for ever: its name and the evidence."""

    name: str
    evidence: str


@check(
    "the objective has no lower bound",
    leads_to=("not_finite", "saddle", "too_slow", "rate_too_large", "plateau"),
    ignore="The run is stopped by a target or a number of steps on purpose.",
    source="Nocedal and Wright (2006), Numerical optimization, chapter 2",
    example='run = minimize("x**2 - y", (4, 2), GradientDescent(0.1), max_steps=300)',
)
def unbounded(case: Case) -> Finding | None:
    """Evaluate the objective downhill from the start and from the best point, over 12 decades.

    A function with a lower bound must eventually fall by less from one decade to the next; one without keeps falling by
    at least as much. This holds for a logarithm too, which has no lower bound. Each coordinate is followed by itself,
    where there are not too many.
    """
    run, objective = case.run, case.loss
    # The losses of all models have a lower bound.
    if objective.of_data:
        return None
    endless: dict[str, str] = {}
    for point in (run.start, run.best):
        if np.isfinite(point.x).all() and np.isfinite(point.value) and np.isfinite(point.gradient).all():
            for found in _endless(objective, point, run.final.x - run.start.x):
                endless.setdefault(found.name, found.evidence)
    if not endless:
        return None
    names = " and ".join(sorted(endless, key=[*run.names, *endless].index))
    return Finding(
        name="unbounded",
        title=f"{objective.symbol} has no lower bound along {names}",
        evidence=f"{'. '.join(endless.values())}.",
        cause="The slope never turns, so a run falls without end.",
        remedies=(Remedy(f"check the sign of the objective, or hold {names} fixed"),),
    )


def _endless(objective: Objective, point: Point, way: FloatArray) -> Iterator[_Endless]:
    """The directions along which the objective has no lower bound from a point."""
    if objective.dimension > MODEST:
        for name, direction in (("the slope", -point.gradient), ("the way of the run", way)):
            length = norm(direction)
            if np.isfinite(length) and length > 0:
                distances = DISTANCES * max(1.0, float(np.abs(point.x).max()))
                # Three values tell most functions, of which each may cost a pass over data.
                far = _followed(objective, point.x, direction / length, distances[::6])
                if not far[0] > far[1] >= far[2]:
                    continue
                values = _followed(objective, point.x, direction / length, distances)
                if falls_for_ever(values):
                    largest = np.argsort(-np.abs(direction))[:MOST_COORDINATES]
                    most = ", ".join(objective.names[i] for i in largest)
                    yield _Endless(name, f"Along {name} (mostly {most}) the value is {_told(values, distances)}")
        return
    for i in range(objective.dimension):
        direction = np.zeros(objective.dimension)
        # Without a slope, as on the ridge of a saddle, one side is as good as the other.
        direction[i] = -np.sign(point.gradient[i]) or 1.0
        # Far out, a minimum may be as far away as 0 is.
        distances = DISTANCES * max(1.0, abs(float(point.x[i])))
        values = _followed(objective, point.x, direction, distances)
        if falls_for_ever(values):
            name, end = objective.names[i], "+infinity" if direction[i] > 0 else "-infinity"
            places = point.x[i] + distances * direction[i]
            yield _Endless(name, f"As {name} goes to {end} with the others held, the value is {_told(values, places)}")


def _followed(objective: Objective, x: FloatArray, direction: FloatArray, distances: FloatArray) -> FloatArray:
    """The values along a direction, point by point where a batch of points would be large."""
    with np.errstate(all="ignore"):
        if len(x) <= MODEST:
            return objective.value(x + distances[:, None] * direction)
        return np.array([float(objective.value(x + distance * direction)) for distance in distances])


def _told(values: FloatArray, places: FloatArray) -> str:
    told = (f"{value:.4g} at {place:.4g}" for value, place in zip(values[:9:2], places[:9:2], strict=True))
    return f"{', '.join(told)}, and falls on"


def falls_for_ever(values: FloatArray) -> bool:
    """Whether values at distances that grow tenfold fall by as much or more each time.

    >>> falls_for_ever(-DISTANCES), falls_for_ever(1 / DISTANCES)
    (True, False)
    """
    ends = np.flatnonzero(np.isneginf(values))
    finite = values[: ends[0]] if ends.size else values
    if len(finite) < 3 or not np.isfinite(finite).all():
        return False
    drops = -np.diff(finite)
    # Only the last half counts: near the best point the fall is arbitrary.
    late = drops[len(drops) // 2 - 1 :]
    growing = late[1:] >= 0.99 * late[:-1]  # 0.99 allows for rounding in differences of large numbers
    return bool((late > 0).all() and growing.all())
