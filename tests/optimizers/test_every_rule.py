"""What holds for every registered rule under every convention."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from tests.optimizers.rules import RULES, gradients

from fallline import Optimizer, minimize
from fallline.hyperparameters import hyperparameters
from fallline.state import named_leaves


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
