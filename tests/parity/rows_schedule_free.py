"""The schedule-free rules compared with the libraries' and the authors'. All keep y, where the gradient is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import optax
import schedulefree
from tests.parity.drivers import torch_style
from tests.parity.objectives import Course
from tests.parity.row import Row

from fallline import ScheduleFreeAdamW, ScheduleFreeSGD, WarmUp
from fallline.arrays import FloatArray


def in_training(build: Callable[..., Any], course: Course, steps: int) -> FloatArray:
    """Torch's way, the optimizer told before its first step that it is trained."""

    def built(parameters: Any) -> Any:
        optimizer = build(parameters)
        optimizer.train()
        return optimizer

    return torch_style(built, course, steps)


def authors_rate(rule: Any) -> dict[str, Any]:
    """The rate as `schedulefree` takes it, which has a warm-up of its own: η t / T until t = T."""
    if isinstance(rule.learning_rate, WarmUp):
        steps = rule.learning_rate.steps + 1
        return {"lr": float(rule.rate(steps)), "warmup_steps": steps}
    return {"lr": rule.learning_rate}


def warmed_up(rate: float, steps: int) -> WarmUp:
    return WarmUp(rate, steps=steps - 1, start=1 / steps)


ROWS = (
    Row(
        rule=ScheduleFreeSGD,
        convention="optax",
        library="optax",
        peer=optax.contrib.schedule_free_sgd,
        arguments=lambda rule: {
            "learning_rate": rule.learning_rate,
            "b1": rule.beta,
            "weight_decay": rule.weight_decay,
            "weight_lr_power": rule.rate_power,
        },
        rate=0.0007,
        grid=({}, {"beta": 0.5}, {"weight_decay": 0.1}, {"learning_rate": 0.0005}),
        at_lookahead=True,
    ),
    Row(
        rule=ScheduleFreeSGD,
        convention="optax",
        library="schedulefree",
        peer=schedulefree.SGDScheduleFree,
        arguments=lambda rule: {
            **authors_rate(rule),
            "momentum": rule.beta,
            "weight_decay": rule.weight_decay,
            "weight_lr_power": rule.rate_power,
        },
        rate=0.0007,
        grid=(
            {},
            {"beta": 0.5},
            {"weight_decay": 0.1},
            {"learning_rate": warmed_up(0.0007, 100)},
            {"learning_rate": warmed_up(0.0007, 100), "rate_power": 1.0},
        ),
        drive=in_training,
        at_lookahead=True,
    ),
    Row(
        rule=ScheduleFreeAdamW,
        convention="keras",
        library="keras",
        peer=keras.optimizers.ScheduleFreeAdamW,
        arguments=lambda rule: {
            "learning_rate": rule.learning_rate,
            "beta_1": rule.beta1,
            "beta_2": rule.beta2,
            "epsilon": rule.epsilon,
            "weight_decay": rule.weight_decay,
        },
        rate=0.01,
        grid=({}, {"beta1": 0.5}, {"beta2": 0.99}, {"epsilon": 0.1}, {"weight_decay": 0.1}),
        at_lookahead=True,
    ),
    Row(
        rule=ScheduleFreeAdamW,
        convention="optax",
        library="optax",
        peer=optax.contrib.schedule_free_adamw,
        arguments=lambda rule: {
            "learning_rate": rule.learning_rate,
            "b1": rule.beta1,
            "b2": rule.beta2,
            "eps": rule.epsilon,
            "weight_decay": rule.weight_decay,
            "weight_lr_power": rule.rate_power,
        },
        rate=0.01,
        grid=({}, {"beta1": 0.5}, {"beta2": 0.99}, {"epsilon": 0.1}, {"weight_decay": 0.1}),
        at_lookahead=True,
    ),
    Row(
        rule=ScheduleFreeAdamW,
        convention="optax",
        library="schedulefree",
        peer=schedulefree.AdamWScheduleFree,
        arguments=lambda rule: {
            **authors_rate(rule),
            "betas": (rule.beta1, rule.beta2),
            "eps": rule.epsilon,
            "weight_decay": rule.weight_decay,
            "weight_lr_power": rule.rate_power,
        },
        rate=0.01,
        grid=(
            {},
            {"beta1": 0.5},
            {"beta2": 0.99},
            {"epsilon": 0.1},
            {"weight_decay": 0.1},
            {"learning_rate": warmed_up(0.01, 100)},
            {"learning_rate": warmed_up(0.01, 100), "rate_power": 1.0},
        ),
        drive=in_training,
        at_lookahead=True,
    ),
    Row(
        rule=ScheduleFreeAdamW,
        convention="paper",
        library="schedulefree",
        peer=schedulefree.AdamWScheduleFreePaper,
        arguments=lambda rule: {
            **authors_rate(rule),
            "betas": (rule.beta1, rule.beta2),
            "eps": rule.epsilon,
            "weight_decay": rule.weight_decay,
        },
        rate=0.01,
        grid=(
            {},
            {"beta1": 0.5},
            {"beta2": 0.99},
            {"epsilon": 0.1},
            {"weight_decay": 0.1},
            {"learning_rate": warmed_up(0.01, 100)},
        ),
        drive=in_training,
        at_lookahead=True,
    ),
)
