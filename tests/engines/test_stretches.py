"""A single run that is looked at only now and then is the run that is looked at after each step, to the last bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.problems import problem
from tests.optimizers.rules import RULES
from tests.runs import same

from fallline import (
    Adam,
    Diverging,
    Exponential,
    GradientDescent,
    GradientNorm,
    Momentum,
    Nesterov,
    Record,
    RMSProp,
    StepSize,
    StoppingCondition,
    Target,
    ValueChange,
    minimize,
)
from fallline.engines import execute
from fallline.stopping import Evaluations

# Curved, with a kink, with sines, of one coordinate, with a coordinate that has no slope, with a domain to leave.
PROBLEMS: list[tuple[str, Any]] = [
    ("rosenbrock", [-1.2, 1.0]),
    ("abs(x) + 2*abs(y - 1) + x**2", [0.0, 3.0]),
    ("rastrigin", [2.1, -0.3]),
    ("x**4 - 2*x**2 + z**2/8 + 0*y", [2.0, 1.0, 0.0]),
    ("x*log(x) - sqrt(x)", [3.0]),
]


def step_by_step(*arguments: Any, **settings: Any) -> Any:
    # A callback may look at every step, and so every step is made by itself.
    return minimize(*arguments, **settings, callback=lambda point: False)


@pytest.mark.parametrize("name", RULES)
def test_every_rule(name: str) -> None:
    for formula, start in PROBLEMS:
        given: dict[str, Any] = {"max_steps": 130, "engine": "reference"}
        assert same(minimize(formula, start, RULES[name], **given), step_by_step(formula, start, RULES[name], **given))


@pytest.mark.parametrize(
    "stop",
    [
        StepSize(1e-3),
        StepSize(1e-7) | Target(1e-6),
        GradientNorm(1e-4),
        ValueChange(1e-9),
        Target(0.5),
        Evaluations(301),
        Diverging(10.0),
        Target(-1.0),
    ],
    ids=str,
)
@pytest.mark.parametrize("record", ["all", "ends", 7, Record(3, state=True)], ids=str)
def test_every_condition_ends_the_run_at_the_same_step(stop: StoppingCondition, record: Any) -> None:
    for rule in (GradientDescent(1e-3), Momentum(3e-3), Adam(0.05), Nesterov(Exponential(2e-3, 0.999)), RMSProp(0.5)):
        given: dict[str, Any] = {"max_steps": 400, "engine": "reference", "stop": stop, "record": record}
        assert same(
            minimize("rosenbrock", [-1.2, 1.0], rule, **given), step_by_step("rosenbrock", [-1.2, 1.0], rule, **given)
        )


@settings(max_examples=40)
@given(
    rate=st.floats(1e-4, 3.0),
    start=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    steps=st.integers(1, 300),
    every=st.none() | st.integers(1, 70),
)
def test_any_run_well_or_badly_set(rate: float, start: tuple[float, float], steps: int, every: int | None) -> None:
    for rule in (GradientDescent(rate), Momentum(rate / 10), Adam(rate), Nesterov(rate / 10)):
        given: dict[str, Any] = {"max_steps": steps, "engine": "reference", "record": Record(every)}
        assert same(minimize("himmelblau", start, rule, **given), step_by_step("himmelblau", start, rule, **given))


def test_a_rule_of_the_users_is_never_asked_beyond_its_end() -> None:
    asked = []

    @dataclass(frozen=True)
    class Counted(GradientDescent):
        def update(self, gradient: Any, state: None, rate: Any, step: Any) -> tuple[Any, None]:
            asked.append(step)
            return rate * gradient, state

    run = minimize("x**2", 1.0, Counted(0.3), stop=StepSize(1e-6))
    assert asked == list(range(1, run.step_count + 1))


def test_the_progress_bar_is_told_of_each_step() -> None:
    told: list[int] = []
    (run,) = execute(
        problem("x**2", [[1.0]], Momentum(0.01), max_steps=300, stop=Target(-1.0), report=told.append), "reference"
    )
    assert told == list(range(301))
    assert run.stop.reason == "step limit"


def test_a_run_beyond_pythons_largest_number_ends_where_it_is_infinite() -> None:
    # 2.0**1024 is too large for Python's power, so this schedule overflows after the run has ended.
    run = minimize("x**2", 1.0, GradientDescent(Exponential(0.1, 2.0)), max_steps=2000)
    assert run.stop.reason == "not finite"
    assert same(run, step_by_step("x**2", 1.0, GradientDescent(Exponential(0.1, 2.0)), max_steps=2000))


def test_a_run_that_is_interrupted_on_the_way_keeps_the_steps_it_made() -> None:
    def interrupting(made: int) -> None:
        if made == 100:
            raise KeyboardInterrupt

    (run,) = execute(problem("rosenbrock", [[-1.2, 1.0]], Adam(0.01), max_steps=300, report=interrupting), "reference")
    whole = minimize("rosenbrock", [-1.2, 1.0], Adam(0.01), max_steps=300, engine="reference")
    assert run.stop.message == "interrupted at step 99"
    assert (run.x == whole.x[:100]).all()
    assert run.evaluations == (100, 100)
