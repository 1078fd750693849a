"""The finding that a run goes to and fro across a kink."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import found, the, well_told

from fallline import Adam, Exponential, GradientDescent, Momentum, minimize
from fallline.arrays import FloatArray
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Finding
from fallline.diagnosis.findings import kink as kink_file
from fallline.diagnosis.known import Series
from fallline.gradients import with_gradient
from fallline.models import Linear, Network
from fallline.objectives import as_objective
from fallline.stopping import Target

Slope = Callable[[FloatArray], FloatArray]


def highest(x: Any) -> Any:
    return np.max(np.abs(x)) + x[0] ** 2


@pytest.mark.parametrize(
    ("objective", "start", "rule"),
    [
        ("abs(x)", 0.33, GradientDescent(0.1)),
        ("abs(x) + y**2", [0.33, 1.0], GradientDescent(0.1)),
        ("abs(x) + abs(y - 0.1234)", [0.33, 1.0], Momentum(0.03)),
        ("abs(x) + abs(y - 0.1234)", [0.33, 1.0], Adam(0.03)),
        ("abs(x - 1/3) + x**2", 1.0, GradientDescent(0.2)),
        ("max(x, -2*x) + y**2", [0.3, 0.4], GradientDescent(0.03)),
        ("sqrt(x**2 + y**2)", [0.3, 0.4], GradientDescent(0.07)),
        (highest, [0.3, 0.4], GradientDescent(0.03)),
    ],
)
def test_runs_across_a_kink(objective: Any, start: Any, rule: Any) -> None:
    assert found("kink", minimize(objective, start, rule, max_steps=300)) is not None


def test_the_slopes_are_those_of_both_sides_and_a_falling_rate_is_the_remedy() -> None:
    run = minimize("max(x, -2*x)", 0.31, GradientDescent(0.1), max_steps=300)
    finding = the("kink", run)
    # The slope is taken along the step, to the left or to the right.
    assert sorted(np.abs([finding.numbers["down"], finding.numbers["up"]])) == pytest.approx([1.0, 2.0])
    rule = finding.remedies[0].settings["optimizer"]
    assert isinstance(rule.learning_rate, Exponential)
    assert minimize("max(x, -2*x)", 0.31, rule, max_steps=300).final.value < 0.1 * run.value[-50:].mean()


@pytest.mark.parametrize(
    ("objective", "start", "rule"),
    [
        ("x**2", 1.0, GradientDescent(1.0)),  # to and fro, but across no kink
        ("x**2", 1.0, GradientDescent(0.99)),
        ("sqrt(1e-4 + x**2)", 1.0, GradientDescent(0.1)),  # nearly one
        ("cosh(x)", 2.0, GradientDescent(0.5)),
        ("abs(x)", 0.33, GradientDescent(Exponential(0.1, decay=0.97))),
        ("abs(x)**1.5", 0.33, GradientDescent(0.1)),  # its slope fades
        ("abs(x) + x", 5.0, GradientDescent(0.1)),
        ("rosenbrock", [-1.0, 1.0], GradientDescent(0.002)),
    ],
)
def test_runs_that_cross_none_or_come_to_rest(objective: str, start: Any, rule: Any) -> None:
    assert found("kink", minimize(objective, start, rule, max_steps=300)) is None


def test_the_kinks_of_rectifying_units_do_not_matter() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(200, 3))
    network = Network(X, (X[:, 0] > 0).astype(int), hidden=(8,), activation="relu")
    for rate in (0.1, 0.5, 2.0):
        assert found("kink", minimize(network, network.initial(0), GradientDescent(rate), max_steps=300)) is None
    line = Linear(X, X[:, 0]).batches(10)
    assert found("kink", minimize(line, np.zeros(4), GradientDescent(0.1), max_steps=300)) is None


def across(slope: Slope, begin: float = -1.0, end: float = 1.1) -> Any:
    """Where a diagonal step of two numbers crosses a kink of a function with this slope along the first."""
    objective = with_gradient(as_objective(lambda x, y: 0.0), lambda x, y: [slope(x), 0.0], np.zeros(2))
    return kink_file._crossing(objective, np.array([begin, 5.0]), np.array([end, 5 + end - begin]))


@pytest.mark.parametrize(
    ("slope", "place", "down", "up"),
    [
        (lambda x: np.where(x < 0.3, -1.5, 2.5), 0.3, -1.5, 2.5),
        # The larger of two, on either side of the middle.
        (lambda x: np.select([x < -0.5, x < 0.7], [-1.0, -0.5], 0.5), 0.7, -0.5, 0.5),
        (lambda x: np.select([x < -0.5, x < 0.7], [-0.5, 0.5], 1.0), -0.5, -0.5, 0.5),
        # Where it is as steep as it is only near the kink, and both sides have one sign.
        (lambda x: np.where(x < 0, -2.0, x - 1.0), 0.0, -2.0, -1.0),
    ],
)
def test_the_slopes_on_both_sides_of_a_kink(slope: Slope, place: float, down: float, up: float) -> None:
    at, *slopes = across(slope)
    assert at == pytest.approx([place, 6 + place], abs=1e-8)
    # Along the diagonal.
    assert slopes == pytest.approx([down / np.sqrt(2), up / np.sqrt(2)], abs=1e-6)


@pytest.mark.parametrize(
    ("slope", "crosses"),
    [
        (lambda x: x, False),
        # The slope goes from below 0 to above it.
        (lambda x: np.where(x < 0, 1.0, 2.0), False),
        (lambda x: np.where(x < 0, -2.0, -1.0), False),
        (lambda x: np.where(x < 0, 0.0, 1.0), False),
        (lambda x: np.where(x < 0, -1.0, 0.0), False),
        (lambda x: np.where(x < 0, -0.1, 0.1), True),
        # The sides are apart by a twentieth of the gradient at the start, 1.
        (lambda x: np.where(x < 0, x, x + 0.072), True),
        (lambda x: np.where(x < 0, x, x + 0.069), False),
        # Seen at 2^-30 of the step and at a thousand times that, it is as sharp, or it is not.
        (lambda x: np.tanh(x * 2.0**35), True),
        (lambda x: np.tanh(x * 2.0**30), False),
        (lambda x: np.tanh(x * 2.0**24), False),
    ],
)
def test_what_is_a_kink(slope: Slope, crosses: bool) -> None:
    assert (across(slope) is not None) == crosses


# By turns on both sides of 0, at 0.1.
TURNS = 0.1 * (-1.0) ** np.arange(100)


def values(level: float = 1.0, up: int = 19, rows: int = 100) -> FloatArray:
    """A fall from 10 to 1, and at the end a level, with so many steps that do not go down there."""
    end = np.full(20, level) - 1e-6 * np.concatenate([np.zeros(up + 1), np.arange(1, 20 - up)])
    return np.concatenate([np.linspace(10, 1, rows - 20), end])


def told(slope: Slope = lambda x: np.where(x < 0, -2.0, 1.0), **changed: Any) -> Finding | None:
    """What is told of a run by turns on both sides of a kink."""
    known: dict[str, Any] = {"value": values(), "x": TURNS, "rule": GradientDescent(0.1), "stochastic": False}
    known |= {"gradient_kind": "given", "of_data": False, "converged": False, "in_batches": False} | changed
    rows = len(known["value"])
    path = minimize("x**2", 1.0, known["rule"], max_steps=rows - 1, stop=Target(-1.0))
    loss = with_gradient(as_objective(lambda x: 0.0), slope, np.zeros(1))
    vars(loss).update({name: known[name] for name in ("stochastic", "gradient_kind", "of_data")})
    batches = Linear([1.0, 2.0], [0.0, 0.0]).batches(1)
    vars(batches)["loss"] = loss
    path = dataclasses.replace(
        path,
        value=known["value"],
        x=known["x"][:rows, None],
        steps=known.get("steps", path.steps),
        objective=batches if known["in_batches"] else loss,
        stop=dataclasses.replace(path.stop, converged=known["converged"]),
    )
    case = Case.of(path)
    lengths = Series(path.steps, known.get("lengths", np.ones(rows)))
    finding = kink_file.kink.find(dataclasses.replace(case, series={**case.series, "step_length": lengths}))
    return None if finding is None else well_told(finding, "kink")


def test_what_is_told_of_a_kink() -> None:
    finding = told()
    assert finding is not None
    # The first of them, from row 93, goes to the right.
    assert finding.numbers == {"down": -2.0, "up": 1.0}
    assert "the slope along step 94 is -2 on one side and 1 on the other" in finding.evidence
    assert (finding.since, finding.steps) == (93, (93, 94, 95, 96, 97, 98))
    assert finding.evidence.startswith("6 of the last 6 steps looked at cross one. At x = ")
    assert finding.evidence.endswith("The steps at the end have the length 0.2.")
    falling, proximal = finding.remedies
    # To a hundredth in 99 steps: 0.01^(1/99) = 0.9546.
    assert falling.settings["optimizer"] == GradientDescent(Exponential(0.1, decay=0.955))
    assert "proximal" in proximal.text
    scheduled = told(rule=GradientDescent(Exponential(0.1, decay=0.99)))
    assert scheduled is not None
    assert scheduled.remedies == (proximal,)


def falls_on(x: FloatArray) -> FloatArray:
    """A slope that is below 0 on both sides of a kink, and above 0 farther on."""
    return np.where(x < 0, -2.0, 10 * x - 0.5)


@pytest.mark.parametrize(
    ("changed", "is_told"),
    [
        ({"stochastic": True}, False),
        ({"gradient_kind": None}, False),
        ({"in_batches": True}, False),
        ({"converged": True}, False),
        ({"value": values(rows=24)}, True),
        ({"value": values(rows=24)[:23]}, False),
        # In the last fifth every value is finite.
        ({"value": np.where(np.arange(100) == 80, np.nan, values())}, False),
        ({"value": np.where(np.arange(100) == 99, np.inf, values())}, False),
        # A fifth of its 19 steps do not go down.
        ({"value": values(up=4)}, True),
        ({"value": values(up=3)}, False),
        # It falls by a hundredth of the fall before, which is 9.
        ({"value": values(0.92)}, True),
        ({"value": values(0.90)}, False),
        # The last quarter of its steps is shorter than seven tenths of the first.
        ({"lengths": np.where(np.arange(100) > 94, 0.71, 1.0)}, True),
        ({"lengths": np.where(np.arange(100) > 94, 0.69, 1.0)}, False),
        ({"lengths": np.where(np.arange(100) > 95, 0.65, 1.0)}, True),
        ({"lengths": np.where(np.arange(100) < 80, 9.0, 1.0)}, True),
        ({"lengths": np.select([np.arange(100) == 80, np.arange(100) > 94], [np.nan, 0.71], 1.0)}, True),
        ({"lengths": np.select([np.arange(100) == 80, np.arange(100) > 94], [np.nan, 0.69], 1.0)}, False),
        # A quarter of the last six steps cross it, which are two.
        ({"x": np.where(np.arange(100) < 97, 0.1 + 0.01 * np.arange(100), TURNS)}, True),
        ({"x": np.where(np.arange(100) < 99, 0.1 + 0.01 * np.arange(100), TURNS)}, False),
        # Of units that rectify, it counts where the slope turns at the kink itself.
        ({"slope": falls_on}, True),
        ({"slope": falls_on, "of_data": True}, False),
        ({"of_data": True}, True),
    ],
)
def test_runs_on_either_side_of_what_is_asked_for(changed: dict[str, Any], is_told: bool) -> None:
    assert (told(**changed) is not None) == is_told


def test_steps_that_were_not_recorded_are_asked_for() -> None:
    with pytest.raises(CannotCheck, match="successive steps recorded at the end"):
        told(steps=2 * np.arange(100))
