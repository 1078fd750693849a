"""A rule written by a user: it works like any other, and what is wrong with it is said plainly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
from tests.runs import same

from fallline import Adam, FalllineError, Optimizer, Record, StepDecay, compare, minimize
from fallline.hyperparameters import hyperparameter


@dataclass(frozen=True)
class Friction(Optimizer[Any]):
    """Ten lines, as in the documentation."""

    learning_rate: Any = 0.1
    friction: float = hyperparameter(0.5, about="what is lost of the speed", symbol="f", at_least=0, at_most=1)

    def init(self, x: Any) -> Any:
        return (0 * x,)

    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
        speed = (1 - self.friction) * state[0] + rate * gradient
        return speed, (speed,)


def test_it_works_wherever_a_rule_does() -> None:
    run = minimize("x**2", 1.0, Friction(0.25), max_steps=2, record=Record(state=True))
    # 1, then 0.5, then 0.5 - (0.25 + 0.25).
    np.testing.assert_array_equal(run.x.ravel(), [1.0, 0.5, 0.0])
    np.testing.assert_array_equal(run.states["0"].ravel(), [0.0, 0.5, 0.5])
    assert run.optimizer == "Friction, learning_rate 0.25"
    runs = compare("x**2", [[1.0], [2.0]], [Friction(StepDecay(0.1)), Adam()], max_steps=9)
    assert same(runs[1], minimize("x**2", [2.0], Friction(StepDecay(0.1)), max_steps=9))


def test_its_hyperparameters_are_checked_like_any_others() -> None:
    with pytest.raises(
        FalllineError, match=r"^Friction: friction is 1.5; it must be a number at least 0 and at most 1$"
    ):
        Friction(friction=1.5)
    with pytest.raises(FalllineError, match=r"^Friction: convention is 'torch'; Allowed: paper$"):
        Friction(convention="torch")


def test_states_of_any_nest_are_kept() -> None:
    class Speeds(NamedTuple):
        old: Any
        count: Any

    @dataclass(frozen=True)
    class Nested(Optimizer[Any]):
        learning_rate: Any = 0.25

        def init(self, x: Any) -> Any:
            return (Speeds((x, 0 * x), 0), None)

        def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
            speeds, nothing = state
            return rate * gradient, (Speeds((speeds.old[1], rate * gradient), speeds.count + 1), nothing)

    starts = [[1.0, 8.0], [3.0, 0.0]]
    runs = compare("x**2 + y**2", starts, Nested(), max_steps=5, record=Record(state=True))
    assert sorted(runs[0].states) == ["0.count", "0.old.0", "0.old.1"]
    np.testing.assert_array_equal(runs[1].states["0.count"], [[k, k] for k in range(6)])
    for run, start in zip(runs, starts, strict=True):
        assert same(run, minimize("x**2 + y**2", start, Nested(), max_steps=5, record=Record(state=True)))


def rule_that(update: Any, init: Any = lambda x: None) -> Optimizer[Any]:
    @dataclass(frozen=True)
    class Mine(Optimizer[Any]):
        learning_rate: Any = 0.1

        def init(self, x: Any) -> Any:
            return init(x)

        def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
            return update(gradient, state)

    return Mine()


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (rule_that(lambda g, state: (g[0], state)),
         r"update returned a change of shape \(2,\) for x of shape \(1, 2\); the two must be equal$"),
        (rule_that(lambda g, state: (0.1, state)), r"update returned a change of shape \(\) for x of shape \(1, 2\)"),
        (rule_that(lambda g, state: g), r"update returned array\(.*\); it must return a tuple of two, the change and "
                                        "the state$"),
        (rule_that(lambda g, state: (g, state, 1)), "update returned .*; it must return a tuple of two"),
        (rule_that(lambda g, state: None), "update returned None; it must return a tuple of two"),
        (rule_that(lambda g, state: (g, (g, *state)), lambda x: (0 * x,)),
         r"init returned a state of the parts \['0'\], update one of \['0', '1'\]; the two must be equal$"),
        (rule_that(lambda g, state: (g, g)), r"init returned a state of the parts \[\], update one of \['state'\]"),
        (rule_that(lambda g, state: (g, state), lambda x: {"m": x}),
         r"init returned a state with the dict \{'m': .*\} in it; it must be numbers and arrays, in tuples or named"),
        (rule_that(lambda g, state: (g, state), lambda x: ([x],)), r"init returned a state with the list \["),
    ],
)  # fmt: skip
def test_what_it_returns_must_fit(rule: Optimizer[Any], said: str) -> None:
    with pytest.raises(FalllineError, match=f"^optimizer Mine: {said}") as caught:
        minimize("x**2 + y**2", [1.0, 2.0], rule)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("settings", [{}, {"learning_rate": 0.1}, {"friction": 0.2}])
def test_a_forgotten_decorator_is_said(settings: dict[str, Any]) -> None:
    class Forgotten(Optimizer[Any]):
        learning_rate: Any = 0.1
        friction: float = 0.5

        def init(self, x: Any) -> Any:
            return None

        def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
            return rate * gradient, state

    with pytest.raises(
        FalllineError, match=r"^Forgotten is no dataclass; write @dataclass\(frozen=True\) above its class line$"
    ):
        Forgotten(**settings)


def test_a_mistake_inside_it_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        minimize("x**2", 1.0, rule_that(lambda g, state: 1 / 0))
