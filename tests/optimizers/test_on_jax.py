"""A rule's own methods on JAX arrays give what they give on NumPy's."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from jax import numpy as jnp
from tests.optimizers.rules import START, gradients

from fallline import Adam, Cautious, Exponential, Momentum, Nesterov, Optimizer, Projected
from fallline.optimizers.on_jax import OnJax, with_settings_replaced
from fallline.penalties import Box
from fallline.state import named_leaves


def is_array(value: Any) -> bool:
    return isinstance(value, jax.Array)


@pytest.mark.parametrize(
    "rule",
    [
        Adam(Exponential(0.1, 0.5), beta1=0.8),
        Cautious(Nesterov(0.05, momentum=0.75)),
        Projected(Momentum(0.25), Box(-1.0, 2.0)),
    ],
    ids=lambda rule: rule.label,
)
def test_every_method_of_a_rule(rule: Optimizer[Any]) -> None:
    with jax.enable_x64(True):
        # Every number among the settings, also of the rule and of the schedule inside, as an array of JAX.
        arrays = with_settings_replaced(rule, lambda value: isinstance(value, float), jnp.float64)
        theirs = OnJax(arrays, is_array)
        x, state, state_there = START, rule.init(START), theirs.init(jnp.array(START))
        for step, gradient in enumerate(gradients(5), start=1):
            rate = theirs.rate(step)
            place = theirs.lookahead(jnp.array(x), state_there)
            assert is_array(rate)
            assert float(rate) == pytest.approx(rule.rate(step), rel=1e-15)
            np.testing.assert_allclose(place, rule.lookahead(x, state), rtol=1e-14)
            slope = theirs.projected_gradient(jnp.array(x), jnp.array(gradient))
            np.testing.assert_allclose(slope, rule.projected_gradient(x, gradient), rtol=1e-14)
            change_there, state_there = theirs.update(jnp.array(gradient), state_there, rate, step)
            change, state = rule.update(gradient, state, rule.rate(step), step)
            assert is_array(change_there)
            # XLA may contract a product and a sum.
            np.testing.assert_allclose(change_there, change, rtol=1e-12, atol=1e-14)
            x = x - change
            for (_, there), (_, here) in zip(named_leaves(state_there), named_leaves(state), strict=True):
                assert is_array(there)
                np.testing.assert_allclose(there, here, rtol=1e-12, atol=1e-14)


def test_settings_are_replaced_in_a_copy_without_being_checked() -> None:
    rule = Cautious(Adam(Exponential(0.1, 0.5), beta1=0.8))
    replaced: Any = with_settings_replaced(rule, lambda value: value in (0.1, 0.8), lambda value: [value])
    assert (replaced.rule.beta1, replaced.rule.learning_rate.initial) == ([0.8], [0.1])
    assert (replaced.rule.beta2, replaced.rule.learning_rate.decay) == (0.999, 0.5)
    assert type(replaced) is Cautious
    assert rule == Cautious(Adam(Exponential(0.1, 0.5), beta1=0.8))
