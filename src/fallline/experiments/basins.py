"""basins(): in which minimum the run from each start on a grid ends, and how fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fallline.arguments import Rule, rule_of, stop_of
from fallline.engines import Ends, Engine, Problem, ends, engine_on
from fallline.errors import FalllineError, check_whole
from fallline.experiments.minima import minima_of
from fallline.experiments.plane import Interval, Plane
from fallline.gradients import with_gradient
from fallline.hyperparameters import Range
from fallline.objectives import Objective, as_objective
from fallline.optimizers import Optimizer
from fallline.progress import progress_bar
from fallline.results.basins import Basins
from fallline.results.trajectory import Record
from fallline.slips import in_our_words
from fallline.stopping import StoppingCondition, conditions


@in_our_words
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
    device: str | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Basins:
    """Run an update rule from every point of a grid, and find the minimum in which each run ends.

    `fallline.experiments.minima` defines what counts as a minimum.

    Arguments:
        objective: what `minimize` takes; it has two coordinates, or more of which two are named in `box`.
        box: the interval of each of the two coordinates, in order or by name; None: the objective's `bounds`.
        optimizer: an update rule, or the name of one.
        at: where all runs start in the remaining coordinates, by name.
        resolution: the number of starts along each of the two.
        tolerance: the distance within which two points are the same minimum, as a share of the box's width in each
            coordinate; in the remaining coordinates, of its larger width.
        engine: as in `minimize`; a `Cluster` spreads the runs over its workers.
        max_steps, stop, target, gradient, device, seed, progress: as in `minimize`.

    Returns:
        The map.

    Raises:
        FalllineError: naming the argument that is wrong, its value and what is allowed.
        KeyboardInterrupt: after Ctrl-C; there are no partial maps.

    >>> from fallline import GradientDescent
    >>> wells = basins("(x**2 - 1)**2 + y**2", [(-2, 2), (-1, 1)], GradientDescent(0.05), resolution=16)
    >>> wells.minima.round(6).tolist(), wells.share(0), wells.share(1)
    ([[-1.0, 0.0], [1.0, 0.0]], 0.5, 0.5)
    """
    for name, number, least in (("resolution", resolution, 2), ("max_steps", max_steps, 1), ("seed", seed, 0)):
        check_whole(name, number, least)
    allowed = Range(0, 1, low_open=True, high_open=True)
    if not allowed.allows(tolerance):
        raise FalllineError("tolerance", tolerance, f"it must be {allowed}")
    given = as_objective(objective, len(box) if isinstance(box, Sequence) and not isinstance(box, str) else None)
    plane = Plane.of(given, box, at, resolution)
    of, rule = with_gradient(given, gradient, plane.starts[0]), rule_of(optimizer)
    with progress_bar(max_steps, rule.label, shown=progress) as report:
        ending, record = conditions(stop_of(stop, target)), Record(every=None)
        problem = Problem(of, plane.starts, rule, int(max_steps), ending, record, int(seed), report=report)
        # Which of the ends are minima is found for all of them together.
        found = ends(problem, engine_on(engine, device), judge=False)
    if found.ended_by("interrupted").any():
        raise KeyboardInterrupt
    return _map(of, rule, plane, found, tolerance)


def _map(objective: Objective, rule: Optimizer[Any], plane: Plane, found: Ends, tolerance: float) -> Basins:
    """The map of the minima in which the runs from a plane ended."""
    with np.errstate(all="ignore"):
        minima, basin = minima_of(objective, found, tolerance * plane.widths)
        values = objective.value(minima)
    first, second = (objective.names[column] for column in plane.columns)
    shape = len(plane.y), len(plane.x)
    return Basins(
        title=objective.title,
        optimizer=rule.label,
        names=objective.names,
        axes=(first, second),
        x=plane.x,
        y=plane.y,
        held=plane.held,
        minima=minima,
        values=values,
        basin=basin.reshape(shape),
        steps=found.steps.astype(np.int32).reshape(shape),
        engine=found.engine,
        gradient_kind=objective.gradient_kind or "none",
    )
