"""Rules with a rate for each coordinate beside the libraries'."""

from __future__ import annotations

import keras
import madgrad
import optax
import torch
from tests.parity.row import Row

from fallline import FTRL, MADGRAD, Adadelta, AdaGrad, RMSProp

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
        rate=0.005,
        grid=(
            {},
            {"beta": 0.9},
            {"epsilon": 0.1},
            {"momentum": 0.5},
            {"centered": True, "epsilon": 0.1},
            {"centered": True, "epsilon": 0.1, "momentum": 0.5},
        ),
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
        rate=0.005,
        grid=(
            {},
            {"beta": 0.99},
            {"epsilon": 0.1},
            {"momentum": 0.5},
            {"centered": True, "epsilon": 0.1},
            {"centered": True, "epsilon": 0.1, "momentum": 0.5},
        ),
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
        rate=0.005,
        grid=(
            {},
            {"beta": 0.99},
            {"epsilon": 0.1},
            {"momentum": 0.5},
            {"centered": True, "epsilon": 0.1},
            {"centered": True, "epsilon": 0.1, "momentum": 0.5},
        ),
    ),
    Row(
        rule=Adadelta,
        convention="torch",
        library="torch",
        peer=torch.optim.Adadelta,
        arguments=lambda rule: {"lr": rule.learning_rate, "rho": rule.rho, "eps": rule.epsilon},
        rate=1.0,
        grid=({}, {"rho": 0.5}, {"epsilon": 1e-4}, {"learning_rate": 0.5}),
    ),
    Row(
        rule=Adadelta,
        convention="keras",
        library="keras",
        peer=keras.optimizers.Adadelta,
        arguments=lambda rule: {"learning_rate": rule.learning_rate, "rho": rule.rho, "epsilon": rule.epsilon},
        rate=1.0,
        grid=({}, {"rho": 0.5}, {"epsilon": 1e-4}),
    ),
    Row(
        rule=Adadelta,
        convention="optax",
        library="optax",
        peer=optax.adadelta,
        arguments=lambda rule: {"learning_rate": rule.learning_rate, "rho": rule.rho, "eps": rule.epsilon},
        rate=1.0,
        grid=({}, {"rho": 0.5}, {"epsilon": 1e-4}),
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
        rate=0.01,
        grid=({}, {"momentum": 0.5}, {"momentum": 0.0}, {"epsilon": 1e-3}),
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
        rate=0.01,
        grid=({}, {"momentum": 0.5}, {"momentum": 0.0}, {"epsilon": 1e-3}),
    ),
)
