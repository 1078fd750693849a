"""A stopping condition's compiled `met` gives the same as on arrays, for built-in and for user-defined conditions."""

from __future__ import annotations

import dataclasses
import functools
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.cases import few
from tests.engines.problems import problem
from tests.runs import same

from fallline import (
    Adam,
    Diverging,
    Evaluations,
    FalllineError,
    GradientDescent,
    GradientNorm,
    Momentum,
    NotFinite,
    Seconds,
    StepSize,
    StoppingCondition,
    Target,
    ValueChange,
    minimize,
)
from fallline.engines import compiled, ends, reference
from fallline.engines.compiled.conditions import CHANGE, CHANGE_BEFORE, PREVIOUS, Here, trace_conditions
from fallline.engines.compiled.program import Program
from fallline.engines.compiled.trace import Step
from fallline.machine_code.graph import LANE, SETTING, STEP, Graph
from fallline.objectives.base import Cost
from fallline.stopping import Progress

# Every condition but those that ask the clock or wait for an epoch.
CONDITIONS: list[StoppingCondition] = [
    NotFinite(),
    StepSize(1e-3),
    StepSize(0),
    StepSize(),
    GradientNorm(1e-3),
    GradientNorm(0),
    GradientNorm(1e-200),
    GradientNorm(2e200),
    ValueChange(1e-3),
    Target(0.5),
    Evaluations(12),
    Evaluations(13),
    Diverging(2.0),
]
N, RUNS = 3, 16
# The columns of a table of many places, a row each: those of a Progress, one after the other.
PARTS = {"x": N, "value": 1, "gradient": N, CHANGE: N, PREVIOUS: 1, "first_value": 1, CHANGE_BEFORE: N}
EDGES = [0.0, -0.0, 5e-324, 1e-200, -2e-200, 1e-160, 1e-4, 1e-3, 0.5, 1.0, -1.0, 1e3, 1e154, 1e200, -1e308, np.inf,
         -np.inf, np.nan]  # fmt: skip


@functools.cache
def compiled_condition(number: int, lanes: int) -> Program:
    """The condition in machine code, of places given whole: all their numbers as coordinates of one point."""
    graph, settings = Graph(of_many=lanes > 1), []

    def setting(value: float) -> Any:
        settings.append(float(value))
        return graph.leaf(f"setting.{len(settings) - 1}", SETTING)

    numbers = [graph.leaf(f"x.{i}", LANE) for i in range(sum(PARTS.values()))]
    places = np.split(np.array(numbers, object), np.cumsum([*PARTS.values()])[:-1])
    at = {name: part.tolist() for name, part in zip(PARTS, places, strict=True)}
    step = graph.leaf("step", STEP)
    here = Here(step - 1.0, 2.0 * step, at["x"], at["value"][0], at["gradient"], at[CHANGE])
    near, met, kept = trace_conditions([CONDITIONS[number]], here, setting, whole=True)
    given = {one.leaf: at[name][int(i or 0)] for one in kept for name, _, i in [one.leaf.detail.partition(".")]}
    limit = step >= setting(1e9)
    near, met = ([*graph.rewritten(masks, given), limit] for masks in (near, met))
    nothing = [graph.of(0.0)] * len(numbers)
    made = Step(
        graph, numbers, [], numbers[0], nothing, near, met, [], graph.of(0.0), nothing, [], settings, 0, Cost(1, 1)
    )
    return Program(made, GradientDescent(), lanes, state_rows=False, lowest=False)


def table(of_edges: Any) -> Any:
    return arrays(float, (RUNS, sum(PARTS.values())), elements=of_edges)


@pytest.mark.parametrize("number", range(len(CONDITIONS)), ids=lambda number: str(CONDITIONS[number]))
@pytest.mark.parametrize("lanes", few([1, 8], 1))
@given(
    numbers=table(st.sampled_from(EDGES)) | table(st.floats()) | table(st.floats(-2e-3, 2e-3)),
    made=st.sampled_from([0, 1, 5, 6]),
)
def test_compiled_it_is_met_where_it_is_met_on_arrays(number: int, lanes: int, numbers: Any, made: int) -> None:
    condition, program = CONDITIONS[number], compiled_condition(number, lanes)
    parts = dict(zip(PARTS, np.split(numbers, np.cumsum([*PARTS.values()])[:-1], axis=1), strict=True))
    value, previous = parts["value"][:, 0], parts[PREVIOUS][:, 0]
    progress = Progress(
        step=made,
        x=parts["x"],
        value=value,
        gradient=parts["gradient"],
        change=parts[CHANGE] if made else None,
        previous_value=previous if made else None,
        first_value=parts["first_value"][:, 0] if made else value,
        evaluations=np.full(RUNS, 2 * (made + 1)),
        seconds=0.0,
        previous_change=parts[CHANGE_BEFORE] if made else None,
    )
    with np.errstate(all="ignore"):
        expected = condition.met(progress)
        assert not (condition.unmet(progress) and expected.any())
    found = []
    for rows in np.split(numbers, RUNS // lanes):
        slots = program.room(lanes)
        slots[: numbers.shape[1], :lanes] = rows.T
        room = np.empty(2 * sum(program.widths))
        program.advance(slots, program.settings, made, 1, room, 2, 0, 1)
        found += (slots[program.layout.slots["stop"], :lanes] == 1).tolist()
    assert found == expected.tolist()


# Conditions of a user's --------------------------------------------------------------------------------------


class Own(StoppingCondition):
    """What every condition below has in common."""

    reason = "own"

    def message(self, progress: Progress, run: int) -> str:
        return f"{progress.step}: {[None if part is None else np.asarray(part).tolist() for part in progress[1:8]]}"


@dataclasses.dataclass(frozen=True)
class Within(Own):
    """All coordinates but some are near a place."""

    size: float = 0.3
    coordinate: int = 0

    def met(self, progress: Progress) -> Any:
        return (np.abs(progress.x[:, self.coordinate] - 0.5) < self.size) & (progress.x[:, 1:] < 1).all(axis=-1)


class Slow(Own):
    """The value has fallen, and falls little."""

    def __init__(self, part: float) -> None:
        self.part = part

    def met(self, progress: Progress) -> Any:
        if progress.previous_value is None:
            return np.zeros(len(progress.x), bool)
        fall = progress.previous_value - progress.value
        return np.logical_and(fall >= 0, fall < self.part * np.maximum(progress.first_value, 1.0))


class Turned(Own):
    """Two steps went against each other."""

    def met(self, progress: Progress) -> Any:
        if progress.change is None or progress.previous_change is None:
            return np.full(progress.x.shape[0], False)
        along = np.sum(progress.change * progress.previous_change, axis=1)
        return (along < 0) & np.isfinite(progress.previous_change).all(axis=1)


class Steep(Own):
    """The slope is small compared with the step, by several measures."""

    def met(self, progress: Progress) -> Any:
        length = np.linalg.norm(progress.gradient, axis=-1)
        if progress.change is None:
            return length == 0
        sizes = np.abs(progress.change)
        spread = sizes.max(axis=-1) - np.min(sizes, axis=-1) + np.mean(sizes, axis=1)
        return np.where(progress.step > 4, length * spread < 1e-3, length[:, None].sum(axis=-1) < 1e-9)


class Tenth(Own):
    """Every tenth step, or when the evaluations are many."""

    def met(self, progress: Progress) -> Any:
        tenth = (progress.step % 10 == 0) & (progress.step > 0)
        return tenth & (progress.value < 1.0) | (progress.evaluations > 90)


class AtTheStart(Own):
    """Only a start can meet it."""

    def met(self, progress: Progress) -> Any:
        return np.ones(len(progress.x), bool) if progress.change is None else np.zeros(len(progress.x), bool)


class Never(Own):
    def met(self, progress: Progress) -> Any:
        return np.zeros_like(progress.value, dtype=bool)


OWN = [Within(), Within(0.01, 1), Slow(1e-3), Turned(), Steep(), Tenth(), AtTheStart(), Never()]


@pytest.mark.parametrize("condition", OWN, ids=lambda condition: type(condition).__name__)
@pytest.mark.parametrize("rule", few([GradientDescent(0.05), Momentum(0.1), Adam(0.1)], 1), ids=lambda rule: rule.name)
def test_a_condition_of_ones_own_compiles_and_ends_the_same_run(condition: Any, rule: Any) -> None:
    alone_and_among_others = condition, condition | StepSize(1e-3), Diverging() | condition | GradientNorm(1e-3)
    # How conditions are joined does not depend on the rule.
    for stop in alone_and_among_others if rule.name == "momentum" else alone_and_among_others[2:]:
        given = problem("x**2 + 3*y**2 + x*y/2", [1.0, -0.7], rule, max_steps=60, stop=stop)
        (one,), (other,) = reference.run(given), compiled.run(given)
        assert same(one, dataclasses.replace(other, engine=one.engine))
        starts = np.random.default_rng(0).uniform(-2, 2, (40, 2))
        many = dataclasses.replace(given, starts=starts)
        by_reference, by_compiled = ends(many, "reference"), ends(many, "compiled")
        assert by_reference.steps.tolist() == by_compiled.steps.tolist()
        assert by_reference.x.tolist() == by_compiled.x.tolist()
        assert [by_reference.reasons[i] for i in by_reference.stop] == [
            by_compiled.reasons[i] for i in by_compiled.stop
        ]


class Asking(Own):
    def met(self, progress: Progress) -> Any:
        return progress.x[:, 0] < 0.1 if progress.step > 3 else np.zeros(len(progress.x), bool)


class Together(Own):
    def met(self, progress: Progress) -> Any:
        return progress.value <= progress.value.mean() - 1


class Late(Own):
    def met(self, progress: Progress) -> Any:
        return np.full(len(progress.x), progress.seconds > 60)


class Clocked(Own):
    def met(self, progress: Progress) -> Any:
        return np.full(len(progress.x), time.time() > 1e18)


DRAWN = np.random.default_rng(0)


class Chance(Own):
    def met(self, progress: Progress) -> Any:
        return progress.value < DRAWN.random() - 2


class Printing(Own):
    def met(self, progress: Progress) -> Any:
        print(end="")  # noqa: T201
        return progress.value < -1


class Patient(Own):
    def __init__(self) -> None:
        self.asked = 0

    def met(self, progress: Progress) -> Any:
        self.asked += 1
        return np.full(len(progress.x), self.asked > 10_000)


class Counting(Own):
    def met(self, progress: Progress) -> Any:
        return np.full(len(progress.x), isinstance(progress.step, int) and progress.step >= 5)


@pytest.mark.parametrize(
    ("condition", "reason"),
    few(
        [
            (Asking(), "the stopping condition Asking does what has no graph"),
            (Together(), "the stopping condition Together does what has no graph"),
            (Seconds(60), "the stopping condition Seconds looks at the clock"),
            (Late(), "the stopping condition Late looks at the clock"),
            (Clocked(), "Clocked does in Python what its graph does not: it calls time.time"),
            (Chance(), "Chance does in Python what its graph does not: it computes something else each time"),
            (Printing(), "Printing does in Python what its graph does not: it calls builtins.print"),
            (Patient(), "Patient does in Python what its graph does not: it changes what it reads"),
            (Counting(), "Counting does in Python what its graph does not"),
        ],
        3,
    ),
    ids=lambda part: type(part).__name__,
)
def test_a_condition_that_does_more_is_asked_in_python(condition: Any, reason: str) -> None:
    with pytest.raises(FalllineError, match=rf'^engine is "compiled", which cannot run this: {reason}.*use "auto"$'):
        minimize("x**2", 1.0, GradientDescent(0.1), stop=condition, max_steps=20, engine="compiled")
    run = minimize("x**2", 1.0, GradientDescent(1e-9), stop=condition, max_steps=20_000)
    assert run.engine == "reference"


class Sixth(Own):
    """Ends a run the sixth time that it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def met(self, progress: Progress) -> Any:
        self.asked += 1
        return np.full(len(progress.x), self.asked == 6)


def test_an_attempt_to_compile_is_not_seen_by_what_a_condition_counts() -> None:
    run = minimize("x**2", 1.0, GradientDescent(1e-9), stop=Sixth(), max_steps=20_000)
    assert (run.engine, run.step_count) == ("reference", 5)


class Returning(Own):
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def met(self, progress: Progress) -> Any:
        return self.answer


@pytest.mark.parametrize("answer", [None, False, [True, False]], ids=str)
@pytest.mark.parametrize("engine", ["reference", "auto"])
def test_a_condition_answers_for_each_run(answer: Any, engine: str) -> None:
    told = r"stop Returning\.met returned .*; it must return an array of shape \(1,\), a boolean for each run"
    with pytest.raises(FalllineError, match=told):
        minimize("x**2", 1.0, GradientDescent(1e-9), stop=Returning(answer), max_steps=20_000, engine=engine)
