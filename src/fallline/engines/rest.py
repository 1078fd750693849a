"""Whether a run that came to rest did so at a minimum.

A condition sees how a run moves, and it may rest because its rate has become small. So a reason that speaks of
convergence is held against the slope at the last point, and against the curvature where that is cheap to find. A run
whose steps or time were used up, or whose line search found no lower value, has converged where the fall that the slope
still promises is below the rounding of the value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray, FloatArray
from fallline.engines.flatness import MODEST, left_at, scale_of, size_of
from fallline.engines.per_run import entries
from fallline.engines.problem import Problem, is_ours
from fallline.hyperparameters import hyperparameters
from fallline.norms import norm
from fallline.objectives.base import Cost
from fallline.optimizers.base import layers
from fallline.results.ends import Ends
from fallline.results.trajectory import Trajectory
from fallline.stopping import (
    NO_LOWER_VALUE,
    ROUNDING,
    STEP_LIMIT,
    Evaluations,
    GradientNorm,
    Left,
    NotFinite,
    Seconds,
    StepSize,
    Stop,
    StoppingCondition,
)

# The reasons that say nothing of the slope, for or against.
UNDECIDED = (STEP_LIMIT, NO_LOWER_VALUE, Evaluations.reason, Seconds.reason)
# How many times the rounding of the value the fall may be, by the average curvature of a run, to be measured.
ROUGHLY = 1e6

# The runs measured at a time, so that NumPy's intermediate results stay in the cache.
_BLOCK = 1 << 12

# The reasons that are found only here, and those among all that say that a run rested, though not at a minimum.
NO_GRADIENT, TO_ROUNDING = "no gradient", "to rounding"
RATE_TOO_SMALL = StepSize().on_a_slope
ELSEWHERE = ("saddle", "maximum", RATE_TOO_SMALL, NO_GRADIENT, NO_LOWER_VALUE)

# What is found of a run: what its reason says holds; or it is at a saddle, at a maximum, on a slope, or at a minimum
# of which the reason says nothing.
HOLDS, SADDLE, MAXIMUM, SLOPE, MINIMUM = range(5)


@np.errstate(all="ignore")
def judged(problem: Problem, runs: Sequence[Trajectory]) -> list[Trajectory]:
    """The runs, each with the Stop that the objective at its last point allows."""
    x, first_x, gradient, first_gradient, value, first_value = (
        np.array([getattr(run, name)[row] for run in runs]) for name in ("x", "gradient", "value") for row in (-1, 0)
    )
    found: dict[int, Trajectory] = {}
    for reason in {run.stop.reason for run in runs}:
        chosen = np.array([run.stop.reason == reason for run in runs])
        if reason == NotFinite.reason:
            chosen &= np.isfinite(x).all(axis=-1) & np.isfinite(value)
            found |= {i: _without_gradient(problem, runs[i]) for i in np.flatnonzero(chosen).tolist()}
            continue
        condition = _claim(problem, reason)
        if _is_far_off(problem, reason):
            chosen &= _perhaps_flat(x, first_x, value, gradient, first_gradient)
        if not chosen.any() or not _worth_a_look(problem, reason, condition):
            continue
        points = [part[chosen] for part in (x, value, first_x, first_value, first_gradient)]
        try:
            what, left, cost = _measured(problem, condition, chosen, *points)
        except Exception:  # a user's function may fail beside the points of a run
            continue
        for row, i in enumerate(np.flatnonzero(chosen).tolist()):
            stop = _stop(problem, condition, runs[i], int(what[row]), left, row)
            spent = Cost(*np.add(runs[i].evaluations, cost).tolist())
            found[i] = dataclasses.replace(runs[i], stop=stop, evaluations=spent)
    return [found.get(i, run) for i, run in enumerate(runs)]


@np.errstate(all="ignore")
def judged_ends(problem: Problem, found: Ends, *, slope: bool = True) -> Ends:
    """The same for runs of which only the ends are known; without `slope`, only the kinks are named."""
    reasons = list(found.reasons)
    stop, converged = found.stop.copy(), found.converged.copy()
    for number, reason in enumerate(found.reasons):
        runs = np.flatnonzero(found.stop == number)
        if reason == NotFinite.reason:
            kinks = runs[np.isfinite(found.x[runs]).all(axis=-1) & np.isfinite(found.value[runs])]
            if len(kinks):
                stop[kinks] = _number(reasons, NO_GRADIENT)
            continue
        condition = _claim(problem, reason)
        if not (len(runs) and slope and _worth_a_look(problem, reason, condition)):
            continue
        if _is_far_off(problem, reason):
            runs = runs[np.concatenate([_may_be_flat(problem, found, block) for block in _blocks(runs)])]
        if not len(runs):
            continue
        what = np.concatenate([_found_of(problem, condition, found, block) for block in _blocks(runs)])
        for kind in set(what.tolist()) - {HOLDS}:
            these = runs[what == kind]
            stop[these] = _number(reasons, _reason(problem, condition, reason, kind))
            converged[these] = kind == MINIMUM
    return dataclasses.replace(found, stop=stop, converged=converged, reasons=tuple(reasons))


def _blocks(runs: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    return (runs[first : first + _BLOCK] for first in range(0, len(runs), _BLOCK))


def _may_be_flat(problem: Problem, found: Ends, runs: npt.NDArray[np.int64]) -> BoolArray:
    """`_perhaps_flat` of these runs."""
    ends = found.x[runs], problem.starts[runs]
    return _perhaps_flat(*ends, found.value[runs], *map(problem.objective.gradient, ends))


def _found_of(
    problem: Problem, condition: StoppingCondition | None, found: Ends, runs: npt.NDArray[np.int64]
) -> npt.NDArray[np.int8]:
    """What is found of these runs, which ended for one reason."""
    starts = problem.starts[runs]
    first = starts, *problem.objective.value_and_gradient(starts)
    return _measured(problem, condition, runs, found.x[runs], found.value[runs], *first)[0]


def _number(reasons: list[str], reason: str) -> int:
    """The place of a reason in the list, to which it is added if it is new."""
    if reason not in reasons:
        reasons.append(reason)
    return reasons.index(reason)


def _claim(problem: Problem, reason: str) -> StoppingCondition | None:
    """The condition that ended runs for a reason which says that there is no slope; None for any other reason."""
    claims = (condition for condition in problem.conditions if condition.of_slope and condition.reason == reason)
    return next(filter(is_ours, claims), None)


def _worth_a_look(problem: Problem, reason: str, condition: StoppingCondition | None) -> bool:
    """Whether the slope can contradict a reason, and does not cost a pass over files or the like."""
    objective = problem.objective
    if objective.gradient_kind is None or objective.rereads:
        return False
    if isinstance(condition, GradientNorm):
        # It is a statement about the slope; what it leaves open is the curvature.
        return objective.dimension <= MODEST and not objective.convex and not objective.stochastic
    return condition is not None or (reason in UNDECIDED and not objective.stochastic)


def _is_far_off(problem: Problem, reason: str) -> bool:
    """Whether runs that ended for a reason may well be on their way, with a slope that no set and no penalty holds."""
    if reason not in UNDECIDED or reason == NO_LOWER_VALUE:
        return False
    rule: Any = entries(problem.optimizer, slice(0, 1))
    gradient = np.ones((1, problem.objective.dimension))
    return rule.unbalanced(problem.starts[:1], gradient, np.ones((1, 1))) is gradient


def _perhaps_flat(
    x: FloatArray,
    first_x: FloatArray,
    value: FloatArray,
    gradient: FloatArray,
    first_gradient: FloatArray,
) -> BoolArray:
    """Where a run's last gradient is so small beside its first that the slope may be gone; without an evaluation."""
    length, turned, way = np.split(norm(np.concatenate([gradient, gradient - first_gradient, x - first_x])), 3)
    fall = 0.5 * length * length * way
    flat: BoolArray = fall <= ROUGHLY * ROUNDING * np.fmax(np.abs(value), 1.0) * turned
    return flat & np.isfinite(value)


def _measured(
    problem: Problem,
    condition: StoppingCondition | None,
    chosen: BoolArray | npt.NDArray[np.int64],
    x: FloatArray,
    value: FloatArray,
    first_x: FloatArray,
    first_value: FloatArray,
    first_gradient: FloatArray,
) -> tuple[npt.NDArray[np.int8], Left, Cost]:
    """What is found of the chosen runs, at these points; what is left of their slopes; and the evaluations for each."""
    rule: Any = entries(problem.optimizer, chosen)
    size, scale = size_of(x, first_x, first_value, first_gradient), scale_of(value, first_value)
    left, cost = left_at(problem.objective, rule, x, value, size, scale)
    if condition is None:
        what = np.where(left.gone & (left.down == 0), MINIMUM, HOLDS)
    else:
        near = left.gone | condition.holds(left)
        what = np.select([near & (left.down == 1), near & (left.down > 0), near], [MAXIMUM, SADDLE, HOLDS], SLOPE)
    return what.astype(np.int8), left, cost


def _reason(problem: Problem, condition: StoppingCondition | None, reason: str, what: int) -> str:
    """The reason of a run of which this is found."""
    if what == MINIMUM and reason == NO_LOWER_VALUE:
        return TO_ROUNDING
    if what == SLOPE and condition is not None and not _decays(problem):
        return condition.on_a_slope
    return {SADDLE: "saddle", MAXIMUM: "maximum"}.get(what, reason)


def _stop(
    problem: Problem, condition: StoppingCondition | None, run: Trajectory, what: int, left: Left, row: int
) -> Stop:
    """The Stop of a run of which this is found."""
    stop, step = run.stop, run.step_count
    if what == HOLDS:
        return stop
    reason = _reason(problem, condition, stop.reason, what)
    message = f"{stop.message}, where the slope promises no fall above the rounding of the value"
    if what == SADDLE:
        message = f"the slope is gone at step {step}, at a saddle: the value falls to the sides, and rises to others"
    elif what == MAXIMUM:
        message = f"the slope is gone at step {step}, at a maximum: the value falls to all sides"
    elif what == SLOPE:
        why = "it balances the weight decay" if _decays(problem) else "the learning rate is too small to move x"
        if reason == stop.reason and not _decays(problem):
            why = f"it promises a fall of {left.fall[row]:.3g} more"
        message = f"{stop.message}, yet the gradient's norm is {norm(left.slope[row]):.6g}: {why}"
    return Stop(reason, message, what == MINIMUM)


def _decays(problem: Problem) -> bool:
    """Whether the rule shrinks x by itself, so that it rests where the slope balances that."""
    return any(
        known.symbol == r"\lambda" and np.any(getattr(rule, name))
        for rule in layers(problem.optimizer)
        for name, known in hyperparameters(rule).items()
    )


def _without_gradient(problem: Problem, run: Trajectory) -> Trajectory:
    where = problem.objective.kink(run.final.x) or "a kink, or the edge of where the slope exists"
    return dataclasses.replace(run, stop=Stop(NO_GRADIENT, f"{run.stop.message}, though the value is: {where}", False))
