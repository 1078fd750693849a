"""A rule on floats makes the very steps that it makes on arrays."""

from __future__ import annotations

import numpy as np
import pytest
from tests.optimizers.rules import RULES, START, gradients

from fallline import LAMB, Adam
from fallline.engines.on_floats import NotOnFloats, OnFloats
from fallline.state import named_leaves

# At 0 some rules divide 0 by 0, which only arrays do: these gradients have no zeros.
GIVEN = gradients(60) + 1e-7


@pytest.mark.parametrize(
    "name", ["gradient_descent@paper", "momentum@torch", "nesterov@paper", "adam@paper", "adam@keras", "adamw@torch",
             "rmsprop@paper", "adagrad@optax", "adadelta@paper", "lion@paper", "adabelief@paper", "nadam@paper"]
)  # fmt: skip
def test_steps_are_the_same_to_the_last_bit(name: str) -> None:
    rule = RULES[name]
    x = START[None, :]
    state = rule.init(x)
    on_floats = OnFloats(rule, x.shape[1])
    here, leaves = x.tolist()[0], on_floats.leaves(state)
    for step, gradient in enumerate(GIVEN[:, None, :], start=1):
        change, state = rule.update(gradient, state, 0.05, step)
        x = x - change
        made, here, place, leaves = on_floats.step(here, gradient.tolist()[0], leaves, 0.05, step)
        assert (np.array([made]) == change).all()
        assert (np.array([here]) == x).all()
        assert on_floats.looks_ahead == (place is not None)
        if place is not None:
            assert (np.array([place]) == rule.lookahead(x, state)).all()
        for (_, one), (_, other) in zip(named_leaves(on_floats.state(leaves)), named_leaves(state), strict=True):
            assert np.array_equal(one, other)


def test_division_by_zero_is_left_to_arrays() -> None:
    bare, x = Adam(0.1, epsilon=0.0), np.zeros((1, 1))
    on_floats = OnFloats(bare, 1)
    with pytest.raises(ArithmeticError):
        on_floats.step([0.0], [0.0], on_floats.leaves(bare.init(x)), 0.1, 1)


def test_a_rule_over_all_coordinates_stays_on_arrays() -> None:
    with pytest.raises(NotOnFloats):
        OnFloats(LAMB(0.1), 2)
