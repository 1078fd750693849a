"""The recorded quantities of a run by name, and the time axis they are drawn against."""

from __future__ import annotations

import numpy as np

from fallline.arrays import FloatArray
from fallline.norms import norm
from fallline.objectives.base import Objective
from fallline.results.trajectory import Point, Trajectory


def on_data(objective: Objective | None) -> bool:
    """Whether the objective is a loss on data, so that time is measured in epochs."""
    return objective is not None and (objective.of_data or objective.steps_per_epoch > 1)


def time_of(run: Trajectory) -> FloatArray:
    """When each row was reached, shape (rows,): in epochs with data, otherwise in steps."""
    return run.steps / (run.objective.steps_per_epoch if run.objective is not None else 1)


def end_of(run: Trajectory) -> FloatArray:
    """Where the run ended, shape (n,); its best point if it did not end at a finite one."""
    return run.final.x if np.isfinite(run.final.value) else run.best.x


def goal_of(run: Trajectory) -> Point:
    """The point of interest of a run: its best point; the start, if it fell without bound."""
    fell = not np.isfinite(run.final.value) and run.best.step >= run.final.step - 1
    return run.start if fell else run.best


def value_symbol(objective: Objective | None) -> str:
    """The label of an axis of values."""
    return "loss" if on_data(objective) else "f"


def series_of(run: Trajectory, quantity: str) -> tuple[FloatArray, float]:
    """A quantity of a run at each row, and at its point of interest (`goal_of`)."""
    if quantity == "value":
        return run.value, goal_of(run).value
    if quantity == "gradient_norm":
        with np.errstate(over="ignore", invalid="ignore"):
            return run.gradient_norm, goal_of(run).gradient_norm
    if quantity == "rate":
        return run.rate, float(run.rate[0])
    if quantity == "step_length":
        lengths = step_lengths(run)
        return lengths, float(lengths[0])
    column = run.names.index(quantity)
    return run.x[:, column], float(goal_of(run).x[column])


# The stopping conditions that end a run at a level of a quantity, and the setting that is the level.
LEVELS = {"value": ("Target", "value"), "gradient_norm": ("GradientNorm", "tolerance")}


def targets_of(run: Trajectory, quantity: str) -> list[float]:
    """The levels of a quantity at which the stopping conditions of a run end it.

    >>> import fallline
    >>> run = fallline.minimize("x**2", 3.0, fallline.GradientDescent(0.1), target=1e-6)
    >>> targets_of(run, "value"), targets_of(run, "gradient_norm")
    ([1e-06], [])
    """
    stop = run.recipe.get("stop") or {}
    kind, level = LEVELS.get(quantity, ("", ""))
    return [part[level] for part in stop.get("conditions", [stop]) if part.get("type") == kind]


def step_lengths(run: Trajectory) -> FloatArray:
    """The Euclidean length of the step from each row to the next, shape (rows,); NaN where it was not recorded.

    >>> import fallline
    >>> step_lengths(fallline.minimize("2*x", 3.0, fallline.GradientDescent(0.25), max_steps=2))
    array([0.5, 0.5, nan])
    """
    lengths = np.full(len(run), np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        moves = norm(np.diff(run.x, axis=0))
    lengths[:-1] = np.where(np.diff(run.steps) == 1, moves, np.nan)
    return lengths
