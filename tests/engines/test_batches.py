"""A batch of runs is the runs one by one, to the last bit, whatever differs between them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.optimizers.rules import RULES
from tests.runs import same

from fallline import (
    Adam,
    Backtracking,
    Diverging,
    ExactQuadratic,
    Exponential,
    FalllineError,
    GradientDescent,
    GradientNorm,
    Momentum,
    Nesterov,
    Objective,
    Optimizer,
    Perturbation,
    Record,
    RMSProp,
    StepDecay,
    StepSize,
    StoppingCondition,
    StrongWolfe,
    Target,
    Trajectory,
    ValueChange,
    as_objective,
    compare,
    minimize,
    sweep,
)
from fallline.engines import Problem, execute
from fallline.gradients import with_gradient
from fallline.hyperparameters import Hyperparameter
from fallline.stopping import conditions

STARTS = np.array([[-1.2, 1.0, 0.3], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [3.0, -4.0, 1e-3], [1e-9, 2.0, -7.0]])
EVERY: Any = np.array([[1], [2], [3], [7]])
RECORDS = [Record(state=True), Record(every=4, state=True), Record(every=None, state=True)]


def valley(v: Any) -> Any:
    return (1 - v[0]) ** 2 + 10 * (v[1] - v[0] ** 2) ** 2 + v[2] ** 4


def slopes(v: Any) -> Any:
    between = v[1] - v[0] ** 2
    return np.array([-2 * (1 - v[0]) - 40 * v[0] * between, 20 * between, 4 * v[2] ** 3])


VALLEY = with_gradient(as_objective(valley, 3), slopes, np.ones(3))


class Noisy(Objective):
    """A valley whose slopes are disturbed in every step, as those of mini-batches are."""

    names = ("x", "y", "z")
    gradient_kind = "exact"
    title = "a noisy valley"
    stochastic = True

    def __init__(self, noise: Any = 0.0) -> None:
        self.noise = noise

    def value(self, x: Any) -> Any:
        return VALLEY.value(x)

    def gradient(self, x: Any) -> Any:
        return VALLEY.gradient(x) + self.noise

    def at_step(self, step: int, seed: int) -> Objective:
        return Noisy(np.random.default_rng([seed, step]).normal(size=3))


def execute_batch(
    rule: Optimizer[Any],
    starts: Any,
    record: Record,
    stop: StoppingCondition | None = None,
    objective: Objective = VALLEY,
    max_steps: int = 30,
) -> list[Trajectory]:
    return execute(
        Problem(
            objective=objective,
            starts=np.asarray(starts),
            optimizer=rule,
            max_steps=max_steps,
            conditions=conditions(stop),
            record=record,
            seed=3,
            callback=None,
            report=lambda done: None,
        ),
        "reference",
    )


def assert_same_one_by_one(rules: list[Optimizer[Any]], batch: list[Trajectory], starts: Any, **settings: Any) -> None:
    for rule, run, start in zip(rules, batch, starts, strict=True):
        (alone,) = execute_batch(rule, start[None], **settings)
        assert same(run, alone)


@pytest.mark.parametrize("record", RECORDS, ids=["all", "every 4th", "ends"])
@pytest.mark.parametrize("name", RULES)
def test_every_rule_on_many_starts(name: str, record: Record) -> None:
    rule = RULES[name]
    # Some start at a minimum or a flat point, some come close to one, some are thrown out.
    stop = Target(0.5) | GradientNorm(1e-3) | StepSize(1e-3) | Diverging(1e4)
    batch = execute_batch(rule, STARTS, record, stop)
    assert_same_one_by_one([rule] * len(STARTS), batch, STARTS, record=record, stop=stop)


def test_the_runs_of_such_a_batch_end_at_different_steps_for_different_reasons() -> None:
    stop = Target(0.5) | GradientNorm(1e-3) | StepSize(1e-3) | Diverging(1e4)
    seen = [execute_batch(rule, STARTS, RECORDS[0], stop) for rule in RULES.values()]
    assert {run.stop.reason for batch in seen for run in batch} >= {
        "target reached", "small step", "diverging", "step limit",
    }  # fmt: skip
    assert sum(len({run.step_count for run in batch}) > 1 for batch in seen) > len(seen) / 2


def array_settings(rule: Optimizer[Any]) -> dict[str, float]:
    """The hyperparameters of a rule that may be an array, with the least number each may be."""
    least = {}
    for field in dataclasses.fields(rule):
        known: Hyperparameter | None = field.metadata.get("hyperparameter")
        if known and known.symbol and field.init and isinstance(getattr(rule, field.name), float):
            least[field.name] = max(0.0, known.range.low)
    return least


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if array_settings(rule)])
def test_every_rule_with_every_hyperparameter_an_array(name: str) -> None:
    rule = RULES[name]
    draw = np.random.default_rng(len(name))
    columns: dict[str, Any] = {}
    for setting, least in array_settings(rule).items():
        # Between the least and the default, so in the range of any.
        columns[setting] = least + (getattr(rule, setting) - least) * draw.uniform(0.8, 1.0, (len(STARTS), 1))
    batched: Any = dataclasses.replace(rule, **columns)
    singles = [one(batched, run) for run in range(len(STARTS))]
    stop = Target(0.5) | StepSize(1e-3) | Diverging(1e4)
    batch = execute_batch(batched, STARTS, RECORDS[1], stop)
    assert_same_one_by_one(singles, batch, STARTS, record=RECORDS[1], stop=stop)


@given(
    rates=arrays(float, (4, 1), elements=st.floats(1e-6, 0.5)),
    shares=arrays(float, (4, 1), elements=st.floats(0, 0.9999)),
    starts=arrays(float, (4, 3), elements=st.floats(-10, 10)),
)
@settings(max_examples=20)
def test_powers_of_an_array_are_those_of_its_numbers(rates: Any, shares: Any, starts: Any) -> None:
    # NumPy's power of an array may differ in the last digit from Python's power of a number.
    batched: list[Optimizer[Any]] = [
        Adam(rates, beta1=shares, beta2=np.sqrt(shares)),
        Momentum(Exponential(rates, decay=1 - shares / 10), momentum=shares),
        RMSProp(StepDecay(rates, factor=0.3 + shares / 2, every=EVERY)),
    ]
    for rule in batched:
        singles = [one(rule, run) for run in range(4)]
        batch = execute_batch(rule, starts, RECORDS[0], max_steps=12)
        assert_same_one_by_one(singles, batch, starts, record=RECORDS[0], max_steps=12)


def one(settings: Any, run: int) -> Any:
    """A rule or schedule with the numbers of one run in place of its arrays."""
    values = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings) if field.init}
    return dataclasses.replace(
        settings,
        **{
            name: one(value, run) if dataclasses.is_dataclass(value) else value[run].item()
            for name, value in values.items()
            if dataclasses.is_dataclass(value) or isinstance(value, np.ndarray)
        },
    )


@dataclasses.dataclass(frozen=True)
class PartlyAdaptive(Optimizer[Any]):
    """A rule of a user's, with a power in which the hyperparameter is the exponent."""

    learning_rate: Any = 0.1
    exponent: Any = 0.5
    offset: Any = dataclasses.field(default_factory=lambda: np.array([1e-3, 1e-4, 1e-5]))

    def init(self, x: Any) -> Any:
        return (0 * x,)

    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
        total = state[0] + gradient**2
        return rate * gradient / ((total + self.offset) ** self.exponent + 2**self.exponent / step**0.25), (total,)


def test_a_users_rule_with_arrays() -> None:
    exponents = np.array([[0.5], [0.25], [1.0], [2.0], [0.3]])
    singles: list[Optimizer[Any]] = [PartlyAdaptive(exponent=float(number)) for number in exponents.ravel()]
    batch = execute_batch(PartlyAdaptive(exponent=exponents), STARTS, RECORDS[0])
    assert_same_one_by_one(singles, batch, STARTS, record=RECORDS[0])
    assert batch[1].optimizer == singles[1].label


@pytest.mark.parametrize("record", RECORDS, ids=["all", "every 4th", "ends"])
@pytest.mark.parametrize("rule", [GradientDescent(0.01), Nesterov(0.01), Adam(0.1)])
def test_mini_batches(rule: Optimizer[Any], record: Record) -> None:
    stop = GradientNorm(2.0)
    batch = execute_batch(rule, STARTS, record, stop, Noisy())
    assert len({run.step_count for run in batch}) > 2
    assert_same_one_by_one([rule] * len(STARTS), batch, STARTS, record=record, stop=stop, objective=Noisy())


@pytest.mark.parametrize("objective", [VALLEY, Noisy()], ids=["valley", "mini-batches"])
def test_line_searches(objective: Objective) -> None:
    firsts = np.array([[1.0], [0.5], [0.3], [2.0], [1.5]])
    for rule in (
        GradientDescent(Backtracking(firsts)),  # type: ignore[arg-type]
        GradientDescent(StrongWolfe(firsts, curvature=firsts / 4)),  # type: ignore[arg-type]
        GradientDescent(ExactQuadratic()),
    ):
        singles = [one(rule, run) for run in range(len(STARTS))]
        batch = execute_batch(rule, STARTS, RECORDS[1], GradientNorm(0.5), objective)
        assert_same_one_by_one(singles, batch, STARTS, record=RECORDS[1], stop=GradientNorm(0.5), objective=objective)
        assert all(np.isfinite(run.rate[:-1]).all() for run in batch)


def test_a_note_on_an_error_tells_the_range_of_the_rates_and_not_each() -> None:
    def f(x: Any) -> Any:
        if (x > 3).any():
            raise RuntimeError
        return (x * x).sum(axis=-1)

    grid = {"learning_rate": np.linspace(0.01, 3, 40).tolist(), "momentum": [0.5, 0.9]}
    with pytest.raises(RuntimeError) as raised:
        sweep(f, [1.0, 2.0], "momentum", grid, max_steps=20)
    assert raised.value.__notes__[-1] == "at step 2 of momentum, learning_rate 0.01 to 3, momentum 0.5 to 0.9"


def test_perturbations_of_mini_batches() -> None:
    class Counted(Noisy):
        """Whose value too depends on the batch, so that its slopes can be found from values."""

        made = 0

        def value(self, x: Any) -> Any:
            Counted.made += np.size(x) // 3
            return super().value(x) + x @ (self.noise * np.ones(3))

        def at_step(self, step: int, seed: int) -> Objective:
            return Counted(np.random.default_rng([seed, step]).normal(size=3))

    for scheme, calls in {"forward": 4, "central": 6, "complex": 3}.items():
        Counted.made = 0
        objective = with_gradient(Counted(), Perturbation(None, scheme), np.ones(3))
        (run,) = execute_batch(GradientDescent(0.001), STARTS[:1], RECORDS[0], objective=objective, max_steps=5)
        # The gradient of the batch, and the value of the whole, at each of six points.
        assert run.evaluations == (Counted.made, 0) == (6 * (calls + 1), 0)
        exact = VALLEY.gradient(run.x) + [np.random.default_rng([3, step]).normal(size=3) for step in range(1, 7)]
        # The forward difference has the largest error: its step of 1.5e-8 times second derivatives below 200.
        np.testing.assert_allclose(run.gradient, exact, rtol=0, atol=1e-5)


@pytest.mark.parametrize("scheme", Perturbation.SCHEMES)
def test_perturbations(scheme: str) -> None:
    objective = with_gradient(as_objective(valley, 3), Perturbation(None, scheme), np.ones(3))
    stop = ValueChange(1e-3)
    for rule in (Nesterov(0.01), Adam(0.1)):
        batch = execute_batch(rule, STARTS, RECORDS[0], stop, objective)
        assert_same_one_by_one([rule] * len(STARTS), batch, STARTS, record=RECORDS[0], stop=stop, objective=objective)


@given(
    starts=arrays(float, (5, 2), elements=st.floats(-3, 3)),
    record=st.sampled_from(["all", "ends", 7]),
    rule=st.sampled_from([GradientDescent(0.002), Momentum(0.001), Adam(0.05), "windowed_momentum"]),
)
@settings(max_examples=40)
def test_compare_is_minimize_again_and_again(starts: Any, record: Any, rule: Any) -> None:
    formula = "(1 - x)**2 + 100*(y - x**2)**2 + sin(3*x)*exp(-y**2)"
    stop = GradientNorm(1.0) | Diverging(1e3)
    runs = compare(formula, starts, rule, max_steps=60, stop=stop, record=record)
    for run, start in zip(runs, starts, strict=True):
        assert same(run, minimize(formula, start, rule, max_steps=60, stop=stop, record=record))


def test_the_order_of_the_starts_does_not_matter() -> None:
    stop = Target(0.5) | Diverging(1e4)
    there = execute_batch(Adam(0.1), STARTS, RECORDS[0], stop)
    back = execute_batch(Adam(0.1), STARTS[::-1], RECORDS[0], stop)
    assert all(same(one, other) for one, other in zip(there, back[::-1], strict=True))


def test_a_callback_sees_the_first_run_of_a_batch_as_long_as_it_lasts() -> None:
    seen: list[Any] = []
    problem = Problem(
        objective=VALLEY,
        starts=STARTS[[1, 0]],
        optimizer=GradientDescent(1e-3),
        max_steps=10,
        conditions=conditions(Target(1.0)),
        record=Record(),
        seed=0,
        callback=lambda point: seen.append(point.x),
        report=lambda done: None,
    )
    first, second = execute(problem, "reference")
    # The first run reaches its target of 1 at the start.
    assert (first.step_count, second.step_count) == (0, 10)
    np.testing.assert_array_equal(seen, first.x)


def test_an_engine_that_does_not_exist_is_said() -> None:
    with pytest.raises(FalllineError, match=r"^engine is 'numby'; Allowed: auto, reference, compiled, jax$"):
        minimize("x**2", 1.0, GradientDescent(), engine="numby")
