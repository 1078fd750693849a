"""Sign-based rules compared with the libraries'."""

from __future__ import annotations

import keras
import optax
import torch
from lion_pytorch import Lion as LionPytorch
from tests.parity.row import Row

from fallline import Lion, Rprop, SignDescent, Signum

ROWS = (
    Row(
        rule=SignDescent,
        convention="optax",
        library="optax",
        peer=optax.sign_sgd,
        arguments=lambda rule: {"learning_rate": rule.learning_rate},
        rate=0.01,
        grid=({}, {"learning_rate": 0.003}),
    ),
    Row(
        rule=Signum,
        convention="optax",
        library="optax",
        peer=optax.signum,
        arguments=lambda rule: {"learning_rate": rule.learning_rate, "beta": rule.beta},
        rate=0.01,
        grid=({}, {"beta": 0.5}),
    ),
    Row(
        rule=Rprop,
        convention="torch",
        library="torch",
        peer=torch.optim.Rprop,
        arguments=lambda rule: {
            "lr": rule.learning_rate,
            "etas": (rule.shrink, rule.grow),
            "step_sizes": (rule.smallest, rule.largest),
        },
        rate=0.01,
        # A first step outside the bounds shows when it is held between them.
        grid=(
            {},
            {"shrink": 0.7},
            {"grow": 1.5},
            {"smallest": 0.001},
            {"largest": 0.05},
            {"largest": 0.005},
            {"smallest": 0.02},
        ),
    ),
    Row(
        rule=Rprop,
        convention="optax",
        library="optax",
        peer=optax.rprop,
        arguments=lambda rule: {
            "learning_rate": rule.learning_rate,
            "eta_minus": rule.shrink,
            "eta_plus": rule.grow,
            "min_step_size": rule.smallest,
            "max_step_size": rule.largest,
        },
        rate=0.01,
        grid=(
            {},
            {"shrink": 0.7},
            {"grow": 1.5},
            {"smallest": 0.001},
            {"largest": 0.05},
            {"largest": 0.005},
            {"smallest": 0.02},
        ),
    ),
    Row(
        rule=Lion,
        convention="keras",
        library="keras",
        peer=keras.optimizers.Lion,
        arguments=lambda rule: {
            "learning_rate": rule.learning_rate,
            "beta_1": rule.beta1,
            "beta_2": rule.beta2,
            "weight_decay": rule.decay or None,
        },
        rate=0.01,
        grid=({}, {"beta1": 0.5}, {"beta2": 0.8}, {"decay": 0.1}, {"learning_rate": 0.003}),
    ),
    Row(
        rule=Lion,
        convention="optax",
        library="optax",
        peer=optax.lion,
        arguments=lambda rule: {
            "learning_rate": rule.learning_rate,
            "b1": rule.beta1,
            "b2": rule.beta2,
            "weight_decay": rule.decay,
        },
        rate=0.01,
        grid=({}, {"beta1": 0.5}, {"beta2": 0.8}, {"decay": 0.1}),
    ),
    Row(
        rule=Lion,
        convention="paper",
        library="lion-pytorch",
        peer=LionPytorch,
        arguments=lambda rule: {
            "lr": rule.learning_rate,
            "betas": (rule.beta1, rule.beta2),
            "weight_decay": rule.decay,
        },
        rate=0.01,
        grid=({}, {"beta1": 0.5}, {"beta2": 0.8}, {"decay": 0.1}),
    ),
)
