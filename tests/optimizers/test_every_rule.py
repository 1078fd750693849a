"""What holds for every registered rule under every convention."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from tests.optimizers.rules import RULES, START, UNUSUAL, gradients

from fallline import Optimizer, minimize
from fallline.arrays import FloatArray
from fallline.hyperparameters import hyperparameters
from fallline.optimizers.base import layers
from fallline.state import named_leaves

ALL = {**RULES, **UNUSUAL}


@pytest.mark.parametrize("name", RULES)
def test_zero_gradient_from_the_first_step_on_gives_no_nan(name: str) -> None:
    rule = RULES[name]
    x = np.array([[1.0, -2.0, 0.0]])
    state = rule.init(x)
    for step in range(1, 101):
        change, state = rule.update(0 * x, state, rule.rate(step), step)
        x = x - change
        assert np.isfinite(x).all()
        assert all(np.isfinite(leaf).all() for _, leaf in named_leaves(state))


def test_steps_are_counted_from_1() -> None:
    seen = []

    @dataclasses.dataclass(frozen=True)
    class Counting(Optimizer[None]):
        learning_rate: float = 0.1

        def init(self, x: Any) -> None:
            return None

        def update(self, gradient: Any, state: None, rate: Any, step: Any) -> tuple[Any, None]:
            seen.append(int(step))
            return rate * gradient, state

    minimize("x**2", 1.0, Counting(), max_steps=3)
    assert seen == [1, 2, 3]


@pytest.mark.parametrize("name", [name for name in RULES if ":" not in name])
def test_arrays_of_hyperparameters_and_starts_give_the_same_bits_as_one_by_one(name: str) -> None:
    settings: dict[str, Any] = {}
    for known, what in hyperparameters(RULES[name]).items():
        value = getattr(RULES[name], known)
        # What is 0 stays 0: under some conventions it must.
        if value and not what.range.whole:
            settings[known] = np.array([[value], [np.nextafter(value, np.inf)]])
    both = dataclasses.replace(RULES[name], **settings)
    # Arrays of one entry, not plain numbers: NumPy raises a number to a power by another routine than an array,
    # and the two may differ in the last place.
    rules = [
        dataclasses.replace(
            RULES[name], **dict[str, Any]((known, pair[row : row + 1]) for known, pair in settings.items())
        )
        for row in range(2)
    ]
    x = np.array([[1.0, -2.0, 0.5], [0.3, 0.0, -4.0]])
    together = both.init(x)
    alone = [rule.init(x[row : row + 1]) for row, rule in enumerate(rules)]
    for step, gradient in enumerate(gradients(60), start=1):
        slopes = np.array([gradient, gradient[::-1]])
        change, together = both.update(slopes, together, both.rate(step), step)
        for row, rule in enumerate(rules):
            single, alone[row] = rule.update(slopes[row : row + 1], alone[row], rule.rate(step), step)
            assert np.array_equal(change[row : row + 1], single)


def steps_of(rule: Optimizer[Any], start: FloatArray, given: FloatArray, rate: float = 0.05) -> FloatArray:
    """What the rule subtracts from x, step by step, of gradients of the shape (steps, runs, n)."""
    state = rule.init(start)
    made = []
    for step, gradient in enumerate(given, start=1):
        change, state = rule.update(gradient, state, rate, step)
        made.append(change)
    return np.array(made)


def points_in(state: Any) -> list[Any]:
    """The copies of x in a state."""
    return [leaf for path, leaf in named_leaves(state) if path.rpartition(".")[2] == "x"]


@pytest.mark.parametrize("name", [name for name, rule in ALL.items() if points_in(rule.init(START))])
def test_the_point_that_a_rule_keeps_is_the_one_after_its_step(name: str) -> None:
    x, state = START, ALL[name].init(START)
    for step, gradient in enumerate(gradients(20), start=1):
        change, state = ALL[name].update(gradient, state, 0.05, step)
        x = x - change
        for point in points_in(state):
            # A wrapper takes its own difference.
            np.testing.assert_allclose(point, x, rtol=1e-15, atol=0)


@pytest.mark.parametrize("name", ALL)
def test_runs_side_by_side_have_the_bits_of_each_alone(name: str) -> None:
    starts = np.array([START, START[::-1], -2 * START])
    given = np.stack([gradients(20, seed) for seed in range(3)], axis=1)
    for rate in (0.05, 1.0):
        together = steps_of(ALL[name], starts, given, rate)
        for run in range(3):
            alone = steps_of(ALL[name], starts[run : run + 1], given[:, run : run + 1], rate)
            assert np.array_equal(together[:, run], alone[:, 0])


@pytest.mark.parametrize("name", [name for name, rule in ALL.items() if rule.elementwise])
def test_a_coordinate_of_an_elementwise_rule_moves_as_it_does_alone(name: str) -> None:
    given = gradients(20)
    together = steps_of(ALL[name], START, given)
    for place in range(len(START)):
        alone = steps_of(ALL[name], START[place : place + 1], given[:, place : place + 1])
        assert np.array_equal(together[:, place], alone[:, 0])


def looks_at_x(rule: Optimizer[Any]) -> bool:
    """Whether the steps depend on where x is: on its norm, a set or a penalty, or a decay of x."""
    return any(
        one.name in ("lars", "lamb", "dog", "projected", "proximal", "fista", "ftrl")
        or any(getattr(one, setting, 0) for setting in ("decay", "weight_decay", "l1", "l2", "shrinkage"))
        for one in layers(rule)
    )


@pytest.mark.parametrize("name", [name for name, rule in ALL.items() if not looks_at_x(rule)])
def test_from_elsewhere_the_same_gradients_give_the_same_steps(name: str) -> None:
    given = gradients(20)
    for away in (np.array([16.0, -1.0, 256.0]), np.array([-16.0, 1.0, -1024.0])):
        # x is known to its last place, here and there.
        there = steps_of(ALL[name], START + away, given)
        np.testing.assert_allclose(there, steps_of(ALL[name], START, given), rtol=1e-9, atol=1e-12)
