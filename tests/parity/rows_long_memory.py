"""ADOPT and AdEMAMix compared with optax's."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import optax
from tests.parity.row import Row

from fallline import ADOPT, AdEMAMix


def grown(rule: Any) -> dict[str, Any]:
    """Alpha and beta3 as optax takes them: numbers, or schedules of a count from 0, written after the paper."""
    if rule.warm_up == 0:
        return {"alpha": rule.alpha, "b3": rule.beta3}
    low, high = math.log(rule.beta1), math.log(rule.beta3)

    def share(count: Any) -> Any:
        return jnp.minimum((count.astype(float) + 1) / rule.warm_up, 1)

    def b3(count: Any) -> Any:
        return jnp.exp(low * high / ((1 - share(count)) * high + share(count) * low))

    return {"alpha": lambda count: rule.alpha * share(count), "b3": b3}


ROWS = (
    Row(
        rule=ADOPT,
        convention="optax",
        library="optax",
        peer=optax.contrib.adopt,
        arguments=lambda rule: {
            "learning_rate": rule.learning_rate,
            "b1": rule.beta1,
            "b2": rule.beta2,
            "eps": rule.epsilon,
            "clip_value_fn": lambda count: count**rule.clip_power,
        },
        rate=0.001,
        grid=({}, {"beta1": 0.5}, {"beta2": 0.99}, {"epsilon": 0.1}, {"clip_power": 0.5}, {"learning_rate": 0.01}),
    ),
    Row(
        rule=AdEMAMix,
        convention="optax",
        library="optax",
        peer=optax.contrib.ademamix,
        arguments=lambda rule: {
            "learning_rate": rule.learning_rate,
            "b1": rule.beta1,
            "b2": rule.beta2,
            "eps": rule.epsilon,
            "weight_decay": rule.weight_decay,
            **grown(rule),
        },
        rate=0.005,
        grid=(
            {},
            {"beta1": 0.5},
            {"beta2": 0.99},
            {"beta3": 0.99},
            {"alpha": 2.0},
            {"epsilon": 0.1},
            {"weight_decay": 0.1},
            {"warm_up": 200},
        ),
    ),
)
