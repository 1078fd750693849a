"""One meaning of each argument in every call that runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from fallline import (
    Adam,
    FalllineError,
    GradientDescent,
    Optimizer,
    Perturbation,
    StepSize,
    Target,
    basins,
    compare,
    minimize,
    rerun,
    sweep,
    tune,
)
from fallline.hyperparameters import hyperparameter
from fallline.pictures.curve import curve_data

seen: list[Any] = []


@dataclass(frozen=True)
class Noting(Optimizer[None]):
    """Gradient descent that notes the gradients it is given."""

    learning_rate: Any = hyperparameter(0.1, about="rate", symbol="r", above=0)  # noqa: RUF009

    def init(self, x: Any) -> None:
        return None

    def update(self, gradient: Any, state: None, rate: Any, step: int) -> Any:
        seen.append(np.array(gradient))
        return rate * gradient, state


def wavy(x: Any, y: Any) -> Any:
    return np.sin(3 * x) * np.exp(y) + x**2 + y**4


START = [-1.0, 0.7]
BOX = [(-1.0, 1.0), (0.7, 2.0)]
CALLS: dict[str, Callable[..., Any]] = {
    "minimize": lambda objective, rule, **settings: minimize(objective, START, rule, **settings),
    "compare": lambda objective, rule, **settings: compare(objective, [START, [1.0, 1.0]], rule, **settings),
    "sweep": lambda objective, rule, **settings: sweep(objective, START, rule, {"learning_rate": [0.1]}, **settings),
    "basins": lambda objective, rule, **settings: basins(objective, BOX, rule, resolution=2, **settings),
    "tune": lambda objective, rule, **settings: tune(
        objective, START, rule, {"learning_rate": [0.1]}, trials=1, **settings
    ),
}


@pytest.mark.parametrize(
    ("gradient", "kind"), [("auto", "autodiff"), (Perturbation(scheme="central"), "central differences")]
)
def test_every_call_finds_the_same_gradient(gradient: Any, kind: str) -> None:
    first = {}
    for name, call in CALLS.items():
        seen.clear()
        made = call(wavy, Noting(), gradient=gradient, max_steps=1)
        found = made[0] if name == "compare" else made
        assert found.gradient_kind == kind, name
        first[name] = seen[0][0].tobytes()
    assert len(set(first.values())) == 1
    x, y = START
    slopes = [3 * np.cos(3 * x) * np.exp(y) + 2 * x, np.sin(3 * x) * np.exp(y) + 4 * y**3]
    np.testing.assert_allclose(np.frombuffer(first["minimize"]), slopes, rtol=1e-9)


def test_the_slope_of_a_curve_is_the_gradient_of_a_run() -> None:
    def bent(x: Any) -> Any:
        return np.cos(x) * x**2

    curve = curve_data(bent, (0.5, 1.5), points=11)
    assert curve.slope is not None
    run = minimize(bent, 0.5, GradientDescent(0.1), max_steps=1)
    assert run.gradient_kind == "autodiff"
    assert curve.slope[0] == run.gradient[0, 0]


def test_a_target_is_the_first_condition_everywhere() -> None:
    run = minimize("x**2", 1.0, GradientDescent(0.1), target=0.01)
    assert run.stop.reason == "target reached"
    assert run.x[-2, 0] ** 2 > 0.01 >= run.final.value
    same = minimize("x**2", 1.0, GradientDescent(0.1), stop=Target(0.01) | StepSize())
    np.testing.assert_array_equal(run.x, same.x)
    np.testing.assert_array_equal(rerun(run.recipe).x, run.x)
    (compared,) = compare("x**2", 1.0, GradientDescent(0.1), target=0.01)
    np.testing.assert_array_equal(compared.x, run.x)
    swept = sweep("x**2", 1.0, "gradient_descent", {"learning_rate": [0.1]}, target=0.01)
    stopped = sweep("x**2", 1.0, "gradient_descent", {"learning_rate": [0.1]}, stop=Target(0.01))
    assert swept.steps.item() == stopped.steps.item() == run.step_count
    assert swept.target == stopped.target == 0.01
    assert swept.count("converged") == stopped.count("converged") == 1
    mapped = basins("x**2 + y**2", [(0.5, 1.0), (0.5, 1.0)], GradientDescent(0.1), resolution=2, target=0.01)
    corner = minimize("x**2 + y**2", [1.0, 1.0], GradientDescent(0.1), target=0.01)
    assert mapped.steps[1, 1] == corner.step_count


def test_a_stop_replaces_the_usual_one_everywhere() -> None:
    run = minimize("x**2", 1.0, GradientDescent(0.1), stop=StepSize(1e-3))
    swept = sweep("x**2", 1.0, "gradient_descent", {"learning_rate": [0.1]}, stop=StepSize(1e-3))
    assert swept.steps.item() == run.step_count
    found = tune("x**2", 1.0, "gradient_descent", {"learning_rate": [0.1]}, trials=1, stop=StepSize(1e-3))
    assert found.best.steps == run.step_count
    mapped = basins("x**2 + y**2", [(0.5, 1.0), (0.5, 1.0)], GradientDescent(0.1), resolution=2, stop=StepSize(1e-3))
    assert mapped.steps[1, 1] == run.step_count


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"target": "low"}, "target is 'low'; it must be a number"),
        ({"target": np.nan}, "target is nan; it must be a number"),
        ({"stop": "soon", "target": 1.0}, "stop is 'soon'; it must be a stopping condition"),
        ({"stop": "soon"}, "stop is 'soon'; it must be a stopping condition"),
        ({"max_steps": 0}, "max_steps is 0; it must be a whole number at least 1"),
        ({"gradient": "sybolic"}, "gradient is 'sybolic'; did you mean 'symbolic'"),
    ],
)
def test_the_same_mistake_gets_the_same_answer(name: str, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(FalllineError, match=f"^{said}"):
        CALLS[name]("x**2 + y**2", Adam(0.1), **settings)


def test_what_is_minimised_where_from_and_by_which_rule_come_in_this_order() -> None:
    expected: dict[Callable[..., Any], list[str]] = {
        minimize: ["objective", "x0", "optimizer"],
        compare: ["objective", "x0", "optimizers"],
        sweep: ["objective", "x0", "optimizers", "grid"],
        basins: ["objective", "box", "optimizer"],
        tune: ["objective", "x0", "optimizer", "space"],
    }
    defaults = {
        "max_steps": 1000,
        "stop": None,
        "target": None,
        "gradient": "auto",
        "engine": "auto",
        "progress": False,
    }
    call: Any
    for call, order in expected.items():
        parameters = inspect.signature(call).parameters
        assert [name for name, one in parameters.items() if one.kind is one.POSITIONAL_OR_KEYWORD] == order
        assert {name: parameters[name].default for name in defaults} == defaults


def test_starts_may_be_a_table_rows_or_names() -> None:
    rows = np.random.default_rng(0).uniform(-2, 2, (5, 2))
    given: list[Any] = [
        rows,
        rows.tolist(),
        tuple(map(tuple, rows.tolist())),
        list(rows),
        [dict(zip("yx", row[::-1], strict=True)) for row in rows.tolist()],
    ]
    for x0 in given:
        runs = compare("x**2 + 3*y**2", x0, GradientDescent(0.1), max_steps=2)
        np.testing.assert_array_equal([run.start.x for run in runs], rows)
    with pytest.raises(FalllineError, match=r"x0 has 1 number; .* needs 2, for x, y"):
        compare("x + y", [*rows.tolist(), [1.0]], GradientDescent(0.1))
    rows[3, 1] = np.inf
    with pytest.raises(FalllineError, match="x0 is inf in y; it must be a finite number"):
        compare("x + y", rows, GradientDescent(0.1))
    with pytest.raises(FalllineError, match=r"x0 has 2 numbers; .* needs 3"):
        sweep("x + y + z", rows[:2], "adam", {})
