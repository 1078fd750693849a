"""The Adam family compared with the libraries'."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import adabelief_pytorch
import adabound
import keras
import optax
import torch
from tests.parity.drivers import torch_style
from tests.parity.objectives import Course
from tests.parity.row import Row

from fallline import AdaBelief, AdaBound, Adam, AdaMax, AdamW, Adan, AMSGrad, NAdam, RAdam, Yogi
from fallline.arrays import FloatArray


def torch_arguments(rule: Any) -> dict[str, Any]:
    return {"lr": rule.learning_rate, "betas": (rule.beta1, rule.beta2), "eps": rule.epsilon}


def keras_arguments(rule: Any) -> dict[str, Any]:
    return {
        "learning_rate": rule.learning_rate,
        "beta_1": rule.beta1,
        "beta_2": rule.beta2,
        "epsilon": rule.epsilon,
    }


def optax_arguments(rule: Any) -> dict[str, Any]:
    return {"learning_rate": rule.learning_rate, "b1": rule.beta1, "b2": rule.beta2, "eps": rule.epsilon}


def all_in_float64(build: Callable[..., Any], course: Course, steps: int) -> FloatArray:
    """Torch keeps NAdam's product of momenta in its default precision, whatever that of the parameters."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        return torch_style(build, course, steps)
    finally:
        torch.set_default_dtype(before)


def in_its_old_torch(build: Callable[..., Any], course: Course, steps: int) -> FloatArray:
    """The package calls torch in a way that torch warns of today."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="This overload of add", category=UserWarning)
        return torch_style(build, course, steps)


# What every rule of the family is tried with.
GRID: tuple[dict[str, Any], ...] = (
    {},
    {"beta1": 0.5},
    {"beta2": 0.99},
    {"epsilon": 0.1},
    {"learning_rate": 0.0005},
)
# With a shorter memory AdaMax jumps to and fro across Rosenbrock's valley, and rounding errors grow without end.
ADAMAX: tuple[dict[str, Any], ...] = ({}, {"beta1": 0.5}, {"beta2": 0.9999}, {"epsilon": 0.1})

ROWS = (
    Row(Adam, "torch", "torch", torch.optim.Adam, torch_arguments, 0.01, GRID),
    Row(Adam, "keras", "keras", keras.optimizers.Adam, keras_arguments, 0.01, GRID),
    Row(Adam, "optax", "optax", optax.adam, optax_arguments, 0.01, GRID),
    Row(
        rule=AdamW,
        convention="torch",
        library="torch",
        peer=torch.optim.AdamW,
        arguments=lambda rule: {**torch_arguments(rule), "weight_decay": rule.weight_decay},
        rate=0.01,
        grid=(*GRID, {"weight_decay": 0.1}),
    ),
    Row(
        rule=AdamW,
        convention="keras",
        library="keras",
        peer=keras.optimizers.AdamW,
        arguments=lambda rule: {**keras_arguments(rule), "weight_decay": rule.weight_decay},
        rate=0.01,
        grid=(*GRID, {"weight_decay": 0.1}),
    ),
    Row(
        rule=AdamW,
        convention="optax",
        library="optax",
        peer=optax.adamw,
        arguments=lambda rule: {**optax_arguments(rule), "weight_decay": rule.weight_decay},
        rate=0.01,
        grid=(*GRID, {"weight_decay": 0.1}),
    ),
    Row(AdaMax, "torch", "torch", torch.optim.Adamax, torch_arguments, 0.003, ADAMAX),
    Row(AdaMax, "keras", "keras", keras.optimizers.Adamax, keras_arguments, 0.003, ADAMAX),
    Row(AdaMax, "optax", "optax", optax.adamax, optax_arguments, 0.003, ADAMAX),
    Row(
        rule=AMSGrad,
        convention="torch",
        library="torch",
        peer=torch.optim.Adam,
        arguments=torch_arguments,
        rate=0.01,
        grid=GRID,
        fixed={"amsgrad": True},
    ),
    Row(
        rule=AMSGrad,
        convention="keras",
        library="keras",
        peer=keras.optimizers.Adam,
        arguments=keras_arguments,
        rate=0.01,
        grid=GRID,
        fixed={"amsgrad": True},
    ),
    Row(AMSGrad, "optax", "optax", optax.amsgrad, optax_arguments, 0.01, GRID),
    Row(
        rule=NAdam,
        convention="torch",
        library="torch",
        peer=torch.optim.NAdam,
        arguments=lambda rule: {**torch_arguments(rule), "momentum_decay": rule.momentum_decay},
        rate=0.002,
        grid=(*GRID, {"momentum_decay": 0.1}),
        drive=all_in_float64,
    ),
    Row(NAdam, "keras", "keras", keras.optimizers.Nadam, keras_arguments, 0.002, GRID),
    Row(NAdam, "optax", "optax", optax.nadam, optax_arguments, 0.002, GRID),
    Row(RAdam, "torch", "torch", torch.optim.RAdam, torch_arguments, 0.0003, GRID),
    Row(
        rule=RAdam,
        convention="optax",
        library="optax",
        peer=optax.radam,
        arguments=lambda rule: {**optax_arguments(rule), "threshold": rule.threshold},
        rate=0.0003,
        grid=(*GRID, {"threshold": 8.0}),
    ),
    Row(
        rule=AdaBelief,
        convention="optax",
        library="optax",
        peer=optax.adabelief,
        arguments=lambda rule: {**optax_arguments(rule), "eps_root": rule.epsilon},
        rate=0.01,
        grid=GRID,
    ),
    Row(
        rule=AdaBelief,
        convention="optax",
        library="adabelief-pytorch",
        peer=functools.partial(adabelief_pytorch.AdaBelief, print_change_log=False),
        arguments=torch_arguments,
        rate=0.01,
        grid=GRID,
        fixed={"rectify": False},
    ),
    Row(
        rule=Yogi,
        convention="optax",
        library="optax",
        peer=optax.yogi,
        arguments=optax_arguments,
        rate=0.01,
        grid=GRID,
    ),
    Row(
        rule=Yogi,
        convention="optax",
        library="optax",
        # The only place where optax lets the start of the means be chosen.
        peer=lambda learning_rate, initial, **settings: optax.chain(
            optax.scale_by_yogi(initial_accumulator_value=initial, **settings),
            optax.scale_by_learning_rate(learning_rate),
        ),
        arguments=lambda rule: {**optax_arguments(rule), "initial": rule.initial},
        rate=0.01,
        grid=({"initial": 0.1},),
    ),
    Row(
        rule=Adan,
        convention="optax",
        library="optax",
        peer=optax.adan,
        arguments=lambda rule: {
            **optax_arguments(rule),
            "b3": rule.beta3,
            "eps_root": rule.epsilon_root,
            "weight_decay": rule.weight_decay,
        },
        rate=0.003,
        grid=(*GRID, {"beta3": 0.9}, {"epsilon_root": 1e-3}, {"weight_decay": 0.1}),
    ),
    Row(
        rule=AdaBound,
        convention="authors",
        library="adabound",
        peer=adabound.AdaBound,
        arguments=lambda rule: {
            **torch_arguments(rule),
            "final_lr": rule.final_rate,
            "gamma": rule.gamma,
        },
        rate=0.0005,
        # The default of the final rate, that of gradient descent in the end, is too large for the quadratic.
        grid=[{"final_rate": 3e-4, **settings} for settings in (*GRID, {"final_rate": 1e-4}, {"gamma": 0.01})],
        drive=in_its_old_torch,
    ),
)
