"""Rules with a rate for each coordinate compared with the libraries'."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import madgrad
import optax
import torch
from tests.parity.row import Row

from fallline import FTRL, MADGRAD, Adadelta, AdaGrad, RMSProp

OPTAX_ADADELTA = inspect.signature(optax.adadelta).parameters


def adadelta_downhill(
    learning_rate: float,
    rho: float = OPTAX_ADADELTA["rho"].default,
    eps: float = OPTAX_ADADELTA["eps"].default,
) -> Any:
    """optax's, which needs to be told a rate: left without one it climbs."""
    return optax.adadelta(learning_rate, rho, eps)


# Gentle settings: with a shorter memory or longer steps these rules jump to and fro across the valley of
# Rosenbrock's function, and rounding errors grow without end.
RMSPROP: tuple[dict[str, Any], ...] = (
    {"beta": 0.99},
    {"beta": 0.999},
    {"beta": 0.99, "epsilon": 0.1},
    {"beta": 0.99, "momentum": 0.5},
    {"beta": 0.99, "centered": True, "epsilon": 0.1},
    {"beta": 0.99, "centered": True, "epsilon": 0.1, "momentum": 0.5},
)
ADADELTA: tuple[dict[str, Any], ...] = (
    {"rho": 0.95},
    {"rho": 0.99},
    {"epsilon": 1e-8},
    {"learning_rate": 0.05},
)

ROWS = (
    Row(
        rule=AdaGrad,
        convention="torch",
        library="torch",
        peer=torch.optim.Adagrad,
        arguments=lambda rule: {
            "lr": rule.learning_rate,
            "eps": rule.epsilon,
            "initial_accumulator_value": rule.initial,
        },
        rate=0.05,
        grid=({}, {"epsilon": 0.1}, {"initial": 0.5}, {"learning_rate": 0.2}),
    ),
    Row(
        rule=AdaGrad,
        convention="keras",
        library="keras",
        peer=keras.optimizers.Adagrad,
        arguments=lambda rule: {
            "learning_rate": rule.learning_rate,
            "epsilon": rule.epsilon,
            "initial_accumulator_value": rule.initial,
        },
        rate=0.05,
        grid=({}, {"epsilon": 0.1}, {"initial": 0.5}),
    ),
    Row(
        rule=AdaGrad,
        convention="optax",
        library="optax",
        peer=optax.adagrad,
        arguments=lambda rule: {
            "learning_rate": rule.learning_rate,
            "eps": rule.epsilon,
            "initial_accumulator_value": rule.initial,
        },
        rate=0.05,
        grid=({}, {"epsilon": 0.1}, {"initial": 0.5}, {"initial": 0.0, "epsilon": 0.0}),
    ),
    Row(
        rule=RMSProp,
        convention="torch",
        library="torch",
        peer=torch.optim.RMSprop,
        arguments=lambda rule: {
            "lr": rule.learning_rate,
            "alpha": rule.beta,
            "eps": rule.epsilon,
            "momentum": rule.momentum,
            "centered": rule.centered,
        },
        rate=0.001,
        grid=RMSPROP,
    ),
    Row(
        rule=RMSProp,
        convention="keras",
        library="keras",
        peer=keras.optimizers.RMSprop,
        arguments=lambda rule: {
            "learning_rate": rule.learning_rate,
            "rho": rule.beta,
            "epsilon": rule.epsilon,
            "momentum": rule.momentum,
            "centered": rule.centered,
        },
        rate=0.001,
        grid=RMSPROP,
    ),
    Row(
        rule=RMSProp,
        convention="optax",
        library="optax",
        peer=optax.rmsprop,
        arguments=lambda rule: {
            "learning_rate": rule.learning_rate,
            "decay": rule.beta,
            "eps": rule.epsilon,
            "momentum": rule.momentum,
            "centered": rule.centered,
        },
        rate=0.001,
        grid=RMSPROP,
    ),
    # TensorFlow 1 itself no longer installs; optax has its start as an option.
    Row(
        rule=RMSProp,
        convention="tf1",
        library="optax",
        peer=optax.rmsprop,
        arguments=lambda rule: {
            "learning_rate": rule.learning_rate,
            "decay": rule.beta,
            "eps": rule.epsilon,
            "initial_scale": 1.0,
            "momentum": rule.momentum,
            "centered": rule.centered,
        },
        rate=0.001,
        grid=RMSPROP,
        defaults=False,
    ),
    Row(
        rule=Adadelta,
        convention="torch",
        library="torch",
        peer=torch.optim.Adadelta,
        arguments=lambda rule: {"lr": rule.learning_rate, "rho": rule.rho, "eps": rule.epsilon},
        rate=0.1,
        grid=ADADELTA,
    ),
    Row(
        rule=Adadelta,
        convention="keras",
        library="keras",
        peer=keras.optimizers.Adadelta,
        arguments=lambda rule: {"learning_rate": rule.learning_rate, "rho": rule.rho, "epsilon": rule.epsilon},
        rate=0.1,
        grid=ADADELTA,
    ),
    Row(
        rule=Adadelta,
        convention="optax",
        library="optax",
        peer=adadelta_downhill,
        arguments=lambda rule: {"learning_rate": rule.learning_rate, "rho": rule.rho, "eps": rule.epsilon},
        rate=0.1,
        grid=ADADELTA,
    ),
    Row(
        rule=FTRL,
        convention="keras",
        library="keras",
        peer=keras.optimizers.Ftrl,
        arguments=lambda rule: {
            "learning_rate": rule.learning_rate,
            "learning_rate_power": -rule.power,
            "initial_accumulator_value": rule.initial,
            "l1_regularization_strength": rule.l1,
            "l2_regularization_strength": rule.l2,
            "l2_shrinkage_regularization_strength": rule.shrinkage,
            "beta": rule.beta,
        },
        rate=0.05,
        grid=(
            {},
            {"power": 0.75},
            {"initial": 0.5},
            {"l1": 0.1},
            {"l2": 0.1},
            {"shrinkage": 0.1},
            {"beta": 1.0},
        ),
    ),
    Row(
        rule=MADGRAD,
        convention="optax",
        library="optax",
        peer=optax.contrib.madgrad,
        arguments=lambda rule: {
            "learning_rate": rule.learning_rate,
            "momentum": rule.momentum,
            "eps": rule.epsilon,
        },
        rate=0.0003,
        grid=({}, {"momentum": 0.5}, {"momentum": 0.0}, {"epsilon": 1e-3}),
        bound=1e-6,
        why="optax takes the root of its whole-numbered count, √t, in float32",
    ),
    Row(
        rule=MADGRAD,
        convention="optax",
        library="madgrad",
        peer=madgrad.MADGRAD,
        arguments=lambda rule: {
            "lr": rule.learning_rate,
            "momentum": rule.momentum,
            "eps": rule.epsilon,
        },
        rate=0.0003,
        grid=({}, {"momentum": 0.5}, {"momentum": 0.0}, {"epsilon": 1e-3}),
    ),
)
