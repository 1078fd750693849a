"""LARS and LAMB compared with the libraries'."""

from __future__ import annotations

import keras
import optax
from tests.parity.row import Row

from fallline import LAMB, LARS

ROWS = (
    Row(
        rule=LARS,
        convention="optax",
        library="optax",
        peer=optax.lars,
        arguments=lambda rule: {
            "learning_rate": rule.learning_rate,
            "momentum": rule.momentum,
            "weight_decay": rule.weight_decay,
            "trust_coefficient": rule.trust,
            "eps": rule.epsilon,
        },
        rate=1.0,
        grid=(
            {},
            {"momentum": 0.5},
            {"weight_decay": 0.1},
            {"trust": 0.0005},
            {"epsilon": 0.1},
            {"learning_rate": 0.3},
        ),
    ),
    Row(
        rule=LAMB,
        convention="keras",
        library="keras",
        peer=keras.optimizers.Lamb,
        arguments=lambda rule: {
            "learning_rate": rule.learning_rate,
            "beta_1": rule.beta1,
            "beta_2": rule.beta2,
            "epsilon": rule.epsilon,
            "weight_decay": rule.weight_decay,
        },
        rate=0.001,
        grid=({}, {"beta1": 0.5}, {"beta2": 0.99}, {"epsilon": 0.1}, {"weight_decay": 0.1}),
    ),
    *(
        Row(
            rule=LAMB,
            convention=convention,
            library="optax",
            peer=optax.lamb,
            arguments=lambda rule: {
                "learning_rate": rule.learning_rate,
                "b1": rule.beta1,
                "b2": rule.beta2,
                "eps": rule.epsilon,
                "weight_decay": rule.weight_decay,
            },
            rate=0.001,
            grid=({}, {"beta1": 0.5}, {"beta2": 0.99}, {"epsilon": 0.1}, {"weight_decay": 0.1}),
            # Away from 0 the two agree; the paper's decay is another.
            defaults=convention == "optax",
        )
        for convention in ("optax", "paper")
    ),
)
