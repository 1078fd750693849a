"""The engine on XLA against the reference engine, which the other tests hold to papers and libraries."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import pytest
from jax import numpy as jnp
from tests.cases import few
from tests.engines.problems import problem
from tests.optimizers.rules import RULES

import fallline
from fallline import (
    Adam,
    FalllineError,
    GradientDescent,
    Momentum,
    Nesterov,
    Optimizer,
    Record,
    StoppingCondition,
    Trajectory,
    basins,
    compare,
    minimize,
    sweep,
)
from fallline.engines import Problem, ends, reference, xla
from fallline.engines.problem import Unable
from fallline.models import Hinge, Huber, Linear, Logistic, Network, Poisson, SigmoidNeuron, Softmax, SquaredHinge
from fallline.objectives.landscapes import LANDSCAPES
from fallline.schedules import SCHEDULES, PiecewiseConstant
from fallline.stopping import Diverging, Evaluations, GradientNorm, Seconds, StepSize, Target, ValueChange

# Well-conditioned: curvatures between 2 and 6.
BOWL = "x**2 + 3*y**2 + x*y/2"
STARTS = [[1.0, -0.7], [-2.0, 3.0]]
# XLA contracts products and sums, which changes last places; on these problems they do not grow.
TOLERANCE = 1e-10
# At rest these divide a slope by its own size: there rounding decides where they step, and they are compared before.
RESTLESS = {"rmsprop": 40, "cautious": 100}

random = np.random.default_rng(0)
X = random.normal(size=(60, 3))
Z = X @ [1.0, -2.0, 0.5]
SIDE = (Z > 0).astype(float)
CLASS = np.digitize(Z, [-1, 1])


def assert_near(found: Trajectory, expected: Trajectory) -> None:
    """Whether two runs are the same up to rounding: steps, numbers, reasons and counts."""
    assert (found.engine, expected.engine) == ("jax", "reference")
    assert found.steps.tolist() == expected.steps.tolist()
    columns = {name: (getattr(found, name), getattr(expected, name)) for name in ("x", "value", "gradient", "rate")}
    assert list(found.states) == list(expected.states)
    columns |= {f"state {name}": (found.states[name], expected.states[name]) for name in found.states}
    for name, (ours, theirs) in columns.items():
        scale = np.abs(theirs[np.isfinite(theirs)]).max(initial=0.0)
        np.testing.assert_allclose(ours, theirs, rtol=TOLERANCE, atol=TOLERANCE * scale, err_msg=name)
    assert found.stop.reason == expected.stop.reason
    assert found.stop.converged == expected.stop.converged
    assert found.evaluations == expected.evaluations
    scale = np.abs(expected.value[np.isfinite(expected.value)]).max(initial=0.0)
    np.testing.assert_allclose(found.best.value, expected.best.value, rtol=TOLERANCE, atol=TOLERANCE * scale)


def assert_same_runs(given: Problem) -> list[Trajectory]:
    """Whether both engines make the same runs, which are returned."""
    made = xla.run(given)
    for found, expected in zip(made, reference.run(given), strict=True):
        assert_near(found, expected)
    return made


def assert_rule_goes_the_same_way(name: str) -> None:
    steps = RESTLESS.get(name.partition("@")[0], 300)
    assert_same_runs(problem(BOWL, STARTS, RULES[name], max_steps=steps, record=Record(every=7, state=True)))


@pytest.mark.parametrize("name", list(RULES)[::80])
def test_a_rule_goes_the_same_way(name: str) -> None:
    assert_rule_goes_the_same_way(name)


@pytest.mark.long
@pytest.mark.parametrize("name", RULES)
def test_every_rule_goes_the_same_way(name: str) -> None:
    assert_rule_goes_the_same_way(name)


def assert_landscape_is_the_same(name: str) -> None:
    starts = [[low + part * (high - low) for low, high in LANDSCAPES[name].bounds] for part in (0.4, 0.7)]
    assert_same_runs(problem(name, starts, Adam(0.01)))


@pytest.mark.parametrize("name", ["levy"])
def test_a_landscape(name: str) -> None:
    assert_landscape_is_the_same(name)


@pytest.mark.long
@pytest.mark.parametrize("name", LANDSCAPES)
def test_every_landscape(name: str) -> None:
    assert_landscape_is_the_same(name)


@pytest.mark.parametrize(
    "formula",
    [
        "erf(x) + sigmoid(y)*x**2 + abs(x - 1) + max(x, y, 0) + y**12",
        "mod(x, 3) + y**2 + where(x > 1, x**2, -x) + cbrt(x)**2 + atan2(y, x) + floor(x/10)",
        pytest.param("x**y + log1p(x**2) + y**2.5 + sqrt(x**2 + y**2)", marks=pytest.mark.long),
    ],
)
def test_formulas_of_the_whole_language(formula: str) -> None:
    assert_same_runs(problem(formula, [[1.3, 0.4], [0.5, 0.6]], GradientDescent(0.001)))


def in_numpy(x: Any, y: Any) -> Any:
    total = 0.0
    for k in range(1, 4):
        total = total + np.sin(k * x) * y**2 + 100 * (y - x**2) ** 2 / 100
    return total


def with_branches(x: float, y: float) -> Any:
    if x > 0.3:
        return x**2 + y**2
    if y > 0:
        return 2 * x**2 + y**4
    return np.abs(x) + 3 * y**2


def with_a_flat_root(x: float, y: float) -> Any:
    return np.sqrt(x**2 + y**2) ** 2


def in_jax(x: Any, y: Any) -> Any:
    return jnp.cos(x) ** 2 + x**2 + y**4


@pytest.mark.parametrize(
    ("function", "rule"),
    few(
        [
            (in_numpy, GradientDescent(0.001)),
            (with_branches, Nesterov(0.1)),
            (with_a_flat_root, GradientDescent(0.5)),
            (in_jax, Momentum(0.1)),
        ],
        2,
    ),
)
def test_functions_that_jax_follows(function: Any, rule: Optimizer[Any]) -> None:
    # The starts take all branches, or the run comes to them; at (0, 0) reverse mode gives NaN for the root.
    assert_same_runs(problem(function, [[1.3, -0.4], [-0.5, 0.6], [-1.0, -2.0], [0.0, 0.0]], rule))


LOSSES: dict[str, Callable[[], Any]] = {
    "linear": lambda: Linear(X, Z, reduction="sum", l2=0.1, sample_weight=np.linspace(0, 2, len(Z))),
    "logistic": lambda: Logistic(X, SIDE, class_weight="balanced"),
    "softmax": lambda: Softmax(X, CLASS, l2=0.01),
    "network": lambda: Network(X, CLASS, hidden=(5, 4), activation="gelu", l2=0.01),
    "hinge": lambda: Hinge(X, SIDE),
    "squared hinge": lambda: SquaredHinge(X, SIDE),
    "huber": lambda: Huber(X.astype(np.float32), Z),
    "poisson": lambda: Poisson(X, np.abs(np.round(Z))),
    "sigmoid neuron": lambda: SigmoidNeuron(X, SIDE),
    "squared network": lambda: Network(X, Z, hidden=(4,), loss="squared", activation="leaky_relu"),
    "relu": lambda: Network(X, CLASS, hidden=(4,), activation="relu"),
    "tanh": lambda: Network(X, CLASS, hidden=(4,), activation="tanh"),
}


def starts_for(loss: Any) -> Any:
    return 0.3 * np.random.default_rng(1).normal(size=(2, loss.dimension))


@pytest.mark.long
@pytest.mark.parametrize("name", ["linear", "network"])
def test_a_model_on_all_its_rows(name: str) -> None:
    loss = LOSSES[name]()
    assert_same_runs(problem(loss, starts_for(loss), Momentum(0.01)))


@pytest.mark.long
@pytest.mark.parametrize("settings", [{}, {"order": "sequential", "remainder": "drop", "epoch_value": "running"}])
@pytest.mark.parametrize("name", LOSSES)
def test_every_model_on_all_its_rows_and_on_batches(name: str, settings: Any) -> None:
    loss = LOSSES[name]()
    assert_same_runs(problem(loss, starts_for(loss), Adam(0.01)))
    assert_same_runs(problem(loss.batches(16, **settings), starts_for(loss), Nesterov(0.01), record=7))


@pytest.mark.parametrize(
    ("settings", "record"), [({}, 7), ({"order": "sequential", "remainder": "drop", "epoch_value": "running"}, "ends")]
)
def test_mini_batches_come_in_the_same_order(settings: Any, record: Any) -> None:
    loss = LOSSES["linear"]()
    assert_same_runs(problem(loss.batches(25, **settings), starts_for(loss), Nesterov(0.01), record=record, seed=3))


@pytest.mark.long
def test_another_model_of_the_same_shape_is_computed_on_its_own_data() -> None:
    # The code is the same, and comes from the cache.
    for targets in (Z, 2 * Z + 1):
        loss = Linear(X, targets)
        assert_same_runs(problem(loss, starts_for(loss), GradientDescent(0.1), max_steps=20))


@pytest.mark.parametrize(
    ("stop", "rate", "reason"),
    few(
        [
            (StepSize(1e-5) | Evaluations(10_000), 0.1, "small step"),
            (Target(1e-3) | StepSize(), 0.1, "target reached"),
            (GradientNorm(1e-6), 0.1, "small gradient"),
            (ValueChange(1e-9), 0.1, "small change"),
            (Evaluations(41), 0.1, "evaluations used up"),
            (Diverging(100.0), 0.5, "diverging"),
            (None, 0.5, "not finite"),
        ],
        2,
    ),
)
def test_conditions_end_runs_at_the_same_steps_with_the_same_words(
    stop: StoppingCondition | None, rate: float, reason: str
) -> None:
    given = problem(BOWL, [[1.0, -0.7], [0.01, 0.002]], GradientDescent(rate), max_steps=2000, stop=stop)
    for found, expected in zip(assert_same_runs(given), reference.run(given), strict=True):
        assert found.stop.reason == reason
        assert found.stop.message.partition(" at ")[2] == expected.stop.message.partition(" at ")[2]


def test_nan_ends_a_run_where_the_reference_does_and_leaves_the_others_alone() -> None:
    runs = assert_same_runs(problem("log(x) + x", [[0.5], [-1.0], [3.0]], GradientDescent(0.4)))
    assert [run.stop.reason for run in runs] == ["not finite", "not finite", "not finite"]
    assert runs[1].step_count == 0


def test_a_value_that_is_finite_where_there_is_no_slope_is_judged_as_everywhere() -> None:
    assert minimize("1 - sqrt(x)", 0.0, GradientDescent(0.1), engine="jax").stop.reason == "no gradient"


@pytest.mark.long
def test_runs_in_blocks_are_those_alone() -> None:
    starts = np.random.default_rng(2).uniform(-2, 2, (75, 2))
    many = xla.run(problem("rosenbrock", starts, Adam(0.02), max_steps=200))
    for i in (0, 31, 40, 74):
        (alone,) = xla.run(problem("rosenbrock", starts[i], Adam(0.02), max_steps=200))
        np.testing.assert_allclose(many[i].x, alone.x, rtol=0, atol=1e-9)


@pytest.mark.long
@pytest.mark.parametrize(
    ("objective", "rule", "stop"),
    few(
        [
            # Runs come to rest, to a target or to infinity one after another, or go on to the last step.
            (BOWL, Adam(0.1), None),
            (BOWL, Nesterov(0.05), GradientNorm(1e-3) | ValueChange(1e-9)),
            ("x**3 - 3*x + y**2", Momentum(0.01), Diverging(10.0) | StepSize(1e-4)),
            ("log(x) + y**2", GradientDescent(0.05), Target(-3.0)),
            (with_branches, Nesterov(0.1), StepSize(1e-3)),
            (with_branches, GradientDescent(0.1), StepSize(1e-3)),
        ],
        2,
    ),
)
def test_where_runs_end_is_where_they_end_by_the_reference_engine(
    objective: Any, rule: Optimizer[Any], stop: StoppingCondition | None
) -> None:
    starts = np.random.default_rng(3).uniform(-2, 2, (90, 2))
    given = problem(objective, starts, rule, max_steps=150, stop=stop, record=Record(every=None, at=(7, 40, 100)))
    given = dataclasses.replace(given, lowest=True)
    found, expected = ends(given, "jax"), ends(given, "reference")
    assert [found.reasons[i] for i in found.stop] == [expected.reasons[i] for i in expected.stop]
    assert found.steps.tolist() == expected.steps.tolist()
    # With a condition to stop they end at various steps.
    assert (len(set(expected.steps.tolist())) > 3) == (stop is not None)
    assert found.converged.tolist() == expected.converged.tolist()
    for name in ("x", "value", "marks", "lowest"):
        ours, theirs = getattr(found, name), getattr(expected, name)
        np.testing.assert_allclose(ours, theirs, rtol=TOLERANCE, atol=TOLERANCE, err_msg=name)
    # Nobody asks for the lowest values, and they are not kept.
    alone = ends(dataclasses.replace(given, lowest=False), "jax")
    assert np.isnan(alone.lowest).all()
    np.testing.assert_array_equal(alone.x, found.x)


def test_adam_by_hand_in_jax_goes_the_same_way() -> None:
    def value(x: Any) -> Any:
        return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2

    def step(carried: Any, t: Any) -> Any:
        x, m, v = carried
        g = jax.grad(value)(x)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        x = x - 0.01 * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)
        return (x, m, v), x

    with jax.enable_x64(True):
        start = jnp.array([-1.2, 1.0])
        _, path = jax.lax.scan(step, (start, 0 * start, 0 * start), jnp.arange(1.0, 301.0))
    run = minimize("rosenbrock", [-1.2, 1.0], Adam(0.01), max_steps=300, engine="jax")
    # Rosenbrock's valley multiplies rounding errors some thousand times on the way.
    np.testing.assert_allclose(run.x[1:], np.asarray(path), rtol=0, atol=1e-11)


def test_it_computes_in_float64_and_leaves_jax_its_own_precision() -> None:
    with jax.enable_x64(False):
        run = minimize(in_jax, [1.0, 0.7], GradientDescent(0.1), max_steps=20, engine="jax")
        assert jnp.zeros(1).dtype == np.float32
    x = np.array([1.0, 0.7])
    for _ in range(20):
        x = x - 0.1 * np.array([2 * x[0] - np.sin(2 * x[0]), 4 * x[1] ** 3])
    np.testing.assert_allclose(run.final.x, x, rtol=1e-13)


def test_a_schedule_of_the_step() -> None:
    # Its rate is an array without an axis.
    assert_same_runs(problem(BOWL, STARTS, Momentum(PiecewiseConstant(0.1)), max_steps=60))


def schedule_named(name: str) -> Any:
    kind: Any = SCHEDULES[name]
    return kind(0.01)


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name, kind in SCHEDULES.items() if not kind.needs_value])
def test_every_schedule_of_the_step(name: str) -> None:
    assert_same_runs(problem(BOWL, STARTS, Momentum(schedule_named(name)), max_steps=200))


@pytest.mark.long
def test_settings_that_differ_from_run_to_run() -> None:
    grid = {"learning_rate": [0.01, 0.1, 0.3], "beta1": [0.5, 0.9]}
    ours, theirs = (sweep(BOWL, STARTS, Adam(), grid, max_steps=100, engine=engine) for engine in ("jax", "reference"))
    np.testing.assert_allclose(ours.x, theirs.x, rtol=0, atol=TOLERANCE)
    assert ours.outcome.tolist() == theirs.outcome.tolist()
    assert ours.steps.tolist() == theirs.steps.tolist()


@dataclass(frozen=True)
class Heavy(Optimizer[float]):
    """A user's own rule, whose state begins as one number."""

    learning_rate: float = 0.1

    def init(self, x: Any) -> float:
        return 0.0

    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> tuple[Any, Any]:
        state = 0.9 * state + gradient
        return rate * state, state


class LeftOf(StoppingCondition):
    """A user's own condition."""

    reason = "left of the line"

    def met(self, progress: Any) -> Any:
        return progress.x[:, 0] < 0.1

    def message(self, progress: Any, run: int) -> str:
        return f"x is {progress.x[run, 0]:g}"


@dataclass(frozen=True)
class Branching(Heavy):
    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> tuple[Any, Any]:
        return (rate if step < 3 else rate / 2) * gradient, state


@dataclass(frozen=True)
class Drawing(Heavy):
    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> tuple[Any, Any]:
        return rate * gradient + np.random.default_rng().normal(), state


def test_a_rule_and_a_condition_of_the_users_own() -> None:
    given = problem(BOWL, STARTS, Heavy(0.05), stop=LeftOf())
    runs = assert_same_runs(given)
    assert [run.stop.reason for run in runs] == ["left of the line", "left of the line"]


@pytest.mark.parametrize(
    ("objective", "rule", "settings", "said"),
    [
        (BOWL, Branching(), {}, "the rule Branching does what JAX cannot trace"),
        (BOWL, Drawing(), {}, "Drawing does in Python what its graph does not"),
        (BOWL, Adam(0.1), {"callback": print}, "the callback is called in Python"),
        (BOWL, Adam(0.1), {"stop": Seconds(1)}, "the stopping condition Seconds looks at the clock"),
        (BOWL, "lbfgs", {}, "a line search takes the rate from values along the line"),
        (in_numpy, Adam(0.1), {"gradient": lambda x, y: (x, y)}, "JAX cannot follow in_numpy, whose gradient is given"),
        (in_numpy, Adam(0.1), {"gradient": fallline.Perturbation()}, "JAX cannot follow in_numpy, whose gradient is "),
    ],
)
def test_what_it_cannot_run_is_said_by_name(objective: Any, rule: Any, settings: Any, said: str) -> None:
    with pytest.raises(FalllineError) as caught:
        minimize(objective, [1.0, 2.0], rule, engine="jax", **settings)
    text = str(caught.value)
    assert text.startswith(f'engine is "jax", which cannot run this: {said}')
    assert "\n" not in text


def test_sparse_inputs_are_refused() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    loss = Linear(sparse.csr_array(X), Z)
    with pytest.raises(Unable, match="has a sparse matrix of inputs"):
        xla.run(problem(loss, starts_for(loss), Adam(0.1)))


@pytest.mark.long
@pytest.mark.parametrize("device", ["cpu", "cpu:0"])
def test_a_device_is_named(device: str) -> None:
    run = minimize("x**2", 1.0, Adam(0.1), max_steps=5, engine="jax", device=device)
    assert run.engine == run.recipe["engine"] == "jax"
    assert fallline.rerun(run.recipe) == run


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"engine": "jax", "device": "gpu:7"}, "device is 'gpu:7'; this machine has: cpu"),
        ({"engine": "jax", "device": 3}, "device is 3; this machine has: cpu"),
        ({"device": "cpu"}, "device is 'cpu', which only the engine of JAX has; use engine='jax'"),
        (
            {"engine": "compiled", "device": "gpu"},
            "device is 'gpu', which only the engine of JAX has; use engine='jax'",
        ),
    ],
)
def test_a_device_that_is_not_there_is_refused_in_every_call(settings: Any, said: str) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: minimize(BOWL, [1.0, 2.0], Adam(0.1), **settings),
        lambda: compare(BOWL, [1.0, 2.0], Adam(0.1), **settings),
        lambda: sweep(BOWL, [1.0, 2.0], Adam(), {"learning_rate": [0.1]}, **settings),
        lambda: basins(BOWL, [(-1, 1), (-1, 1)], Adam(0.1), resolution=2, **settings),
        lambda: fallline.fit({"a": [1.0, 2, 3], "b": [2.0, 4, 7]}, "b", model="linear", **settings),
    ]
    for call in calls:
        with pytest.raises(FalllineError) as caught:
            call()
        assert str(caught.value).startswith(said)


def test_without_jax_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from fallline.libraries import jax_library

    monkeypatch.setitem(sys.modules, "jax", None)
    jax_library.cache_clear()
    try:
        with pytest.raises(FalllineError, match=r'^JAX is not installed; pip install "fallline\[jax\]"$'):
            minimize("x**2", 1.0, "adam", engine="jax")
    finally:
        jax_library.cache_clear()


@pytest.mark.long
def test_compare_basins_and_fit_run_on_it() -> None:
    ends = compare(BOWL, np.linspace(-1, 1, 80).reshape(-1, 2), ["adam"], record="ends", engine="jax", max_steps=50)
    assert {run.engine for run in ends} == {"jax"}
    wells = "(x**2 - 1)**2 + y**2"
    ours, theirs = (
        basins(wells, [(-2, 2), (-1, 1)], GradientDescent(0.05), resolution=8, engine=engine)
        for engine in ("jax", "reference")
    )
    assert (ours.engine, ours.basin.tolist(), ours.steps.tolist()) == (
        "jax", theirs.basin.tolist(), theirs.steps.tolist()
    )  # fmt: skip
    data = {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": np.where(SIDE, "yes", "no")}
    fits = [
        fallline.fit(data, "y", optimizer="adam", model="network", hidden=(4,), max_steps=60, engine=engine)
        for engine in ("jax", "reference")
    ]
    assert [fit.trajectory.engine for fit in fits] == ["jax", "reference"]
    np.testing.assert_allclose(fits[0].trajectory.final.x, fits[1].trajectory.final.x, rtol=0, atol=1e-8)


@pytest.mark.long
def test_many_runs_of_a_function_go_side_by_side_by_themselves() -> None:
    box, rule = [(-1, 1), (-1, 1)], GradientDescent(0.01)
    few, many, alike = (
        basins(in_numpy, box, rule, resolution=resolution, max_steps=1500, engine=engine)
        for resolution, engine in ((3, "auto"), (8, "auto"), (8, "reference"))
    )
    assert (few.engine, many.engine, alike.engine) == ("reference", "jax", "reference")
    assert many.steps.tolist() == alike.steps.tolist()
    np.testing.assert_allclose(many.minima, alike.minima, rtol=0, atol=TOLERANCE)


def test_ctrl_c_ends_all_runs_at_their_points() -> None:
    def report(made: int) -> None:
        if made:
            os.kill(os.getpid(), signal.SIGINT)

    given = problem(BOWL, STARTS, GradientDescent(1e-6), max_steps=100_000, record="ends", report=report)
    runs = xla.run(given)
    assert {run.stop.reason for run in runs} == {"interrupted"}
    assert 0 < runs[0].step_count < 100_000


def fails_below_half(x: Any) -> Any:
    if x < 0.5:
        raise ValueError("nothing below 0.5")
    return x**2


@pytest.mark.parametrize("rule", ["momentum"])
def test_a_function_that_raises_tells_the_point_and_the_step_as_by_the_reference_engine(rule: str) -> None:
    def notes(engine: str) -> list[str]:
        with pytest.raises(ValueError, match="nothing below") as raised:
            minimize(fails_below_half, 1.0, rule, engine=engine)
        where, when = raised.value.__notes__
        # All but the last digits of the point, which are rounding.
        return [where[: len("fails_below_half was called at [0.4567")], when]

    assert notes("jax") == notes("reference")


@pytest.mark.long
@pytest.mark.parametrize("max_steps", [500, 2000])
def test_a_function_that_raises_in_one_of_many_lanes_tells_the_point_and_the_step(max_steps: int) -> None:
    rates = list(np.linspace(0.001, 0.1, 40))
    with pytest.raises(ValueError, match="nothing below") as raised:
        sweep(fails_below_half, 1.0, "gradient_descent", {"learning_rate": rates}, max_steps=max_steps)
    where, when = raised.value.__notes__
    # The point falls by the factor 1 - 2 rate in each step: below a half first at the largest rates, in the fourth.
    assert where.startswith("fails_below_half was called at [0.4")
    assert when.startswith("at step 4 of gradient_descent")
