"""The numbers of one step of a run: from its record, or from repeating the run up to there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.encoding import encode
from fallline.engines import COMPILED, ENGINES
from fallline.errors import FalllineError, check_whole
from fallline.minimizing import rerun
from fallline.objectives import Objective
from fallline.optimizers import Optimizer
from fallline.results.trajectory import Record, Trajectory
from fallline.state import map_state, named_leaves, with_x


@dataclass(frozen=True)
class Quantity:
    """What a rule computes on the way of a step.

    Attributes:
        name: what its code calls it.
        formula: how it is computed, in plain text; None where the code cannot be written as one readable line.
        value: the numbers, one for each coordinate, or one for all: shape (n,) or (1,).
    """

    name: str
    formula: str | None
    value: FloatArray


@dataclass(frozen=True)
class OneStep:
    """One step of a run.

    Attributes:
        number: the number of the step, counted from 1.
        rule: the update rule.
        objective: what was minimised; None if only the user can rebuild it.
        x, x_after: the point before and after, shape (n,).
        value, value_after: the objective there.
        gradient: the gradient that the rule was given, shape (n,).
        rate: the learning rate.
        state: the rule's state before, its quantities of shape (1, n) or (1, 1).
        repeated: whether the run was repeated for it.
    """

    number: int
    rule: Optimizer[Any]
    objective: Objective | None
    x: FloatArray
    x_after: FloatArray
    value: float
    value_after: float
    gradient: FloatArray
    rate: float
    state: Any
    repeated: bool

    @property
    def arguments(self) -> tuple[Any, ...]:
        """The arguments of the rule's `update`."""
        state = map_state(lambda part: np.array(part) if isinstance(part, np.ndarray) else part, self.state)
        return self.gradient[None].copy(), state, self.rate, self.number


def one_step(
    run: Trajectory, step: int, objective: Objective | None = None, optimizer: Optimizer[Any] | None = None
) -> OneStep:
    """The numbers of a step, counted from 1.

    Raises:
        FalllineError: when the run has no such step, or something of it is neither recorded nor can be repeated.
    """
    check_whole("step", step, 1)
    first = 0 if not run.recipe.get("resumed") else int(run.steps[0])
    if not first < step <= run.step_count:
        raise FalllineError("step", step, f"the steps of this run are {first + 1} to {run.step_count}")
    rule = optimizer or run.rule
    if rule is None:
        raise FalllineError(
            "optimizer", problem="is None: a file does not hold the code of a user's rule", allowed="give optimizer="
        )
    objective = objective or run.objective
    rows = np.searchsorted(run.steps, [step - 1, step])
    recorded = np.array_equal(run.steps[np.minimum(rows, len(run) - 1)], [step - 1, step])
    if recorded and (state := _state_before(run, rule, int(rows[0]))) is not _UNKNOWN:
        return _of_rows(run, rule, objective, int(rows[0]), state, repeated=False)
    at = (step - 1, step) if step > 1 else (step,)
    # Machine code records at regular steps only.
    wanted = Record(every=1) if run.engine == COMPILED else Record(every=None, state=True, at=at)
    again = _repeated(run, step, rule, objective, wanted)
    if again.steps[-2:].tolist() != [step - 1, step]:
        raise FalllineError("step", step, problem=f"was not reached when the run was repeated: {again.stop.message}")
    before = len(again) - 2
    return _of_rows(again, rule, again.objective, before, _state_before(again, rule, before), repeated=True)


# What cannot be told from the record.
_UNKNOWN: Any = object()


def _of_rows(
    run: Trajectory, rule: Optimizer[Any], objective: Objective | None, row: int, state: Any, *, repeated: bool
) -> OneStep:
    return OneStep(
        number=int(run.steps[row + 1]),
        rule=rule,
        objective=objective,
        x=run.x[row].copy(),
        x_after=run.x[row + 1].copy(),
        value=float(run.value[row]),
        value_after=float(run.value[row + 1]),
        gradient=run.gradient[row].copy(),
        rate=float(run.rate[row]),
        state=state,
        repeated=repeated,
    )


def _state_before(run: Trajectory, rule: Optimizer[Any], row: int) -> Any:
    """The rule's state at a row: as it was recorded, or made again from the rows before it."""
    start = rule.init(run.x[:1].copy())
    names = [name for name, _ in named_leaves(start)]
    if names and set(names) <= set(run.states):
        parts = iter(names)
        # A number that is the same for all coordinates was recorded at each.
        return map_state(lambda leaf: run.states[next(parts)][row : row + 1, : np.shape(leaf)[-1]], start)
    if run.steps[row] != row:
        return _UNKNOWN if names else start
    state = start
    with np.errstate(all="ignore"):
        for before in range(row):
            gradient = run.gradient[before : before + 1].copy()
            _, state = rule.update(gradient, state, float(run.rate[before]), before + 1)
            # An engine that rounds otherwise is followed where it was.
            state = with_x(state, run.x[before + 1 : before + 2].copy())
    return state


def recorded_to(run: Trajectory, step: int) -> Trajectory:
    """The run with every row up to a step: itself if it recorded them, else repeated from its recipe.

    Raises:
        FalllineError: when it cannot be repeated.
    """
    if len(run) > step and run.steps[step] - run.steps[0] == step:
        return run
    if run.rule is None:
        raise FalllineError(
            "optimizer", problem=f"{run.optimizer} is of a user's class, and not every step was recorded"
        )
    return _repeated(run, step, run.rule, run.objective, Record(every=1))


def _repeated(
    run: Trajectory, step: int, rule: Optimizer[Any], objective: Objective | None, wanted: Record
) -> Trajectory:
    """The run, made again from its recipe up to a step."""
    if run.recipe.get("resumed"):
        raise FalllineError(
            "step", step, "record='all' or Record(state=True) keeps it", problem="of a run that went on from another"
        )
    if objective is None:
        raise FalllineError(
            "objective",
            problem=f"is None, and step {step} was not recorded",
            allowed="give objective= to repeat the run",
        )
    recipe = {**run.recipe, "max_steps": step, "record": encode(wanted)}
    recipe["engine"] = run.engine if run.engine in ENGINES else "auto"
    # An objective that was run has its gradient.
    kind = "auto" if objective.gradient_kind else None
    return rerun(recipe, objective=objective, optimizer=rule, gradient=kind)
