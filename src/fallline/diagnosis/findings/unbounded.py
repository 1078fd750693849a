"""The finding that the objective has no lower bound along a coordinate, so that there is no minimum."""

from __future__ import annotations

import numpy as np

from fallline.arrays import FloatArray
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import Finding, Remedy, check
from fallline.objectives import Objective
from fallline.results.trajectory import Point

# The distances along each coordinate at which the objective is evaluated.
DISTANCES = 10.0 ** np.arange(13)


@check("there is no lower bound")
def unbounded(case: Case) -> Finding | None:
    """Evaluate the objective along each coordinate, downhill from the start and from the best point, over 12 decades.

    A function with a lower bound must eventually fall by less from one decade to the next; one without keeps falling by
    at least as much. This holds for a logarithm too, which has no lower bound.
    """
    trajectory, objective = case.run, case.loss
    endless: dict[str, str] = {}
    for point in (trajectory.start, trajectory.best):
        for name, evidence in _endless(objective, point).items():
            endless.setdefault(name, evidence)
    if not endless:
        return None
    names = " and ".join(name for name in trajectory.names if name in endless)
    return Finding(
        name="unbounded",
        title=f"{objective.symbol} has no lower bound along {names}",
        evidence=f"{'. '.join(endless.values())}.",
        cause="The slope never turns, so a run falls without end.",
        remedies=(Remedy(f"check the sign of the objective, or hold {names} fixed"),),
    )


def _endless(objective: Objective, point: Point) -> dict[str, str]:
    """The coordinates along which the objective has no lower bound from a point, with the evidence."""
    if not (np.isfinite(point.x).all() and np.isfinite(point.gradient).all()):
        return {}
    found = {}
    for i in np.flatnonzero(point.gradient):
        direction = np.zeros(len(point.x))
        direction[i] = -np.sign(point.gradient[i])
        with np.errstate(all="ignore"):
            values = objective.value(point.x + DISTANCES[:, None] * direction)
        if falls_for_ever(values):
            name, end = objective.names[i], "+infinity" if direction[i] > 0 else "-infinity"
            places = ", ".join(
                f"{value:.4g} at {point.x[i] + distance * direction[i]:.4g}"
                for value, distance in zip(values[:9:2], DISTANCES[:9:2], strict=True)
            )
            found[name] = f"As {name} goes to {end} with the others held, the value is {places}, and falls on"
    return found


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
