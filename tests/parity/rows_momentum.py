"""Gradient descent, momentum and averages compared with the libraries'."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import keras
import optax
import torch
from qhoptim.pyt import QHM
from tests.parity.drivers import torch_style
from tests.parity.objectives import Course
from tests.parity.row import Row

from fallline import AveragedDescent, GradientDescent, Momentum, Nesterov, QuasiHyperbolicMomentum
from fallline.arrays import FloatArray

TORCH_RATE: float = inspect.signature(torch.optim.SGD).parameters["lr"].default
KERAS_RATE: float = inspect.signature(keras.optimizers.SGD).parameters["learning_rate"].default


# The libraries' momentum is 0 by default and has to be set.
def torch_momentum(parameters: Any, momentum: float, lr: float = TORCH_RATE, **settings: Any) -> Any:
    return torch.optim.SGD(parameters, lr=lr, momentum=momentum, **settings)


def keras_momentum(momentum: float, learning_rate: float = KERAS_RATE, nesterov: bool = False) -> Any:
    return keras.optimizers.SGD(learning_rate, momentum=momentum, nesterov=nesterov)


def optax_momentum(learning_rate: float, momentum: float, nesterov: bool = False) -> Any:
    return optax.sgd(learning_rate, momentum=momentum, nesterov=nesterov)


# It has no defaults at all, and says so in a way of its own.
def qhm(parameters: Any, lr: float, momentum: float, nu: float) -> Any:
    return QHM(parameters, lr=lr, momentum=momentum, nu=nu)


def optax_mean(learning_rate: float, decay: float) -> Any:
    return optax.chain(optax.ema(decay, debias=False), optax.scale_by_learning_rate(learning_rate))


def in_double(build: Callable[..., Any], course: Course, steps: int) -> FloatArray:
    """Torch with its own numbers, such as the rate of ASGD, in float64 too."""
    torch.set_default_dtype(torch.float64)
    try:
        return torch_style(build, course, steps)
    finally:
        torch.set_default_dtype(torch.float32)


def quietly(build: Callable[..., Any], course: Course, steps: int) -> FloatArray:
    """A package of 2019 calls torch in a way that torch now warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch_style(build, course, steps)


ROWS = (
    Row(
        rule=GradientDescent,
        convention="torch",
        library="torch",
        peer=torch.optim.SGD,
        arguments=lambda rule: {"lr": rule.learning_rate},
        rate=0.0005,
        grid=({}, {"learning_rate": 0.0001}),
    ),
    Row(
        rule=GradientDescent,
        convention="keras",
        library="keras",
        peer=keras.optimizers.SGD,
        arguments=lambda rule: {"learning_rate": rule.learning_rate},
        rate=0.0005,
        grid=({},),
    ),
    Row(
        rule=GradientDescent,
        convention="optax",
        library="optax",
        peer=optax.sgd,
        arguments=lambda rule: {"learning_rate": rule.learning_rate},
        rate=0.0005,
        grid=({},),
    ),
    Row(
        rule=Momentum,
        convention="torch",
        library="torch",
        peer=torch_momentum,
        arguments=lambda rule: {
            "lr": rule.learning_rate,
            "momentum": rule.momentum,
            "dampening": rule.dampening,
        },
        rate=0.0002,
        grid=({}, {"momentum": 0.5}, {"dampening": 0.3}, {"learning_rate": 0.0001}),
    ),
    Row(
        rule=Momentum,
        convention="keras",
        library="keras",
        peer=keras_momentum,
        arguments=lambda rule: {"learning_rate": rule.learning_rate, "momentum": rule.momentum},
        rate=0.0002,
        grid=({}, {"momentum": 0.5}),
    ),
    Row(
        rule=Momentum,
        convention="optax",
        library="optax",
        peer=optax_momentum,
        arguments=lambda rule: {"learning_rate": rule.learning_rate, "momentum": rule.momentum},
        rate=0.0002,
        grid=({}, {"momentum": 0.5}),
    ),
    Row(
        rule=Momentum,
        convention="averaged",
        library="optax",
        peer=optax_mean,
        arguments=lambda rule: {"learning_rate": rule.learning_rate, "decay": rule.momentum},
        rate=0.001,
        grid=({}, {"momentum": 0.5}),
        defaults=False,
    ),
    Row(
        rule=Nesterov,
        convention="torch",
        library="torch",
        peer=torch_momentum,
        arguments=lambda rule: {"lr": rule.learning_rate, "momentum": rule.momentum},
        rate=0.0002,
        grid=({}, {"momentum": 0.5}),
        fixed={"nesterov": True},
    ),
    Row(
        rule=Nesterov,
        convention="keras",
        library="keras",
        peer=keras_momentum,
        arguments=lambda rule: {"learning_rate": rule.learning_rate, "momentum": rule.momentum},
        rate=0.0002,
        grid=({}, {"momentum": 0.5}),
        fixed={"nesterov": True},
    ),
    Row(
        rule=Nesterov,
        convention="optax",
        library="optax",
        peer=optax_momentum,
        arguments=lambda rule: {"learning_rate": rule.learning_rate, "momentum": rule.momentum},
        rate=0.0002,
        grid=({}, {"momentum": 0.5}),
        fixed={"nesterov": True},
    ),
    Row(
        rule=Nesterov,
        convention="paper",
        library="torch",
        peer=torch_momentum,
        arguments=lambda rule: {"lr": rule.learning_rate, "momentum": rule.momentum},
        rate=0.0002,
        grid=({}, {"momentum": 0.5}),
        fixed={"nesterov": True},
        at_lookahead=True,
        defaults=False,
    ),
    Row(
        rule=QuasiHyperbolicMomentum,
        convention="paper",
        library="qhoptim",
        peer=qhm,
        arguments=lambda rule: {"lr": rule.learning_rate, "momentum": rule.momentum, "nu": rule.discount},
        rate=0.001,
        grid=({}, {"momentum": 0.5}, {"discount": 0.2}),
        drive=quietly,
    ),
    Row(
        rule=AveragedDescent,
        convention="torch",
        library="torch",
        peer=torch.optim.ASGD,
        arguments=lambda rule: {
            "lr": rule.learning_rate,
            "lambd": rule.decay,
            "alpha": rule.power,
            "t0": rule.begin,
        },
        rate=0.0005,
        grid=({}, {"decay": 10.0}, {"decay": 10.0, "power": 0.5}, {"begin": 10}),
        drive=in_double,
    ),
)
