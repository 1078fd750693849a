"""Wrappers of a rule compared with the libraries' counterparts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import keras
import numpy as np
import optax
import torch
from lion_pytorch.cautious_lion import Lion as CautiousLion
from tests.parity.objectives import Course
from tests.parity.row import Row

from fallline import (
    Adam,
    Cautious,
    ClipNorm,
    ClipValue,
    CoupledWeightDecay,
    GradientDescent,
    Lion,
    Lookahead,
    Momentum,
    WeightDecay,
)
from fallline.arrays import FloatArray

RATE = 0.0002
MOMENTUM = 0.9


class Clipped:
    """torch.optim.SGD, its gradients clipped before each step as a training script does it."""

    def __init__(self, parameters: Any, clip: Callable[..., Any], limit: float) -> None:
        self.parameters, self.clip, self.limit = parameters, clip, limit
        self.inside = torch.optim.SGD(parameters, lr=RATE)

    def step(self) -> None:
        self.clip(self.parameters, self.limit)
        self.inside.step()


def keras_clipped(option: str, limit: float) -> Any:
    return keras.optimizers.SGD(RATE, **{option: limit})


def optax_clipped(clip: Callable[..., Any], limit: float) -> Any:
    return optax.chain(clip(limit), optax.sgd(RATE))


def optax_decay(decay: float) -> Any:
    return optax.chain(optax.trace(MOMENTUM), optax.add_decayed_weights(decay), optax.scale_by_learning_rate(RATE))


def optax_coupled_decay(decay: float) -> Any:
    return optax.chain(optax.add_decayed_weights(decay), optax.sgd(RATE, momentum=MOMENTUM))


def optax_lookahead(period: int, pull: float) -> Any:
    return optax.lookahead(optax.sgd(RATE, momentum=MOMENTUM), sync_period=period, slow_step_size=pull)


def fast_and_slow(build: Callable[..., Any], course: Course, steps: int) -> FloatArray:
    """optax.lookahead, whose parameters are pairs; the fast ones."""
    transformation = build()
    pair = optax.LookaheadParams.init_synced(np.array(course.start))
    state = transformation.init(pair)

    def advanced(gradient: Any, state: Any, pair: Any) -> Any:
        updates, state = transformation.update(gradient, state, pair)
        return optax.apply_updates(pair, updates), state

    advance = jax.jit(advanced)
    points = np.empty((steps, len(course.start)))
    for step in range(1, steps + 1):
        pair, state = advance(course.gradient(np.asarray(pair.fast), step), state, pair)
        points[step - 1] = pair.fast
    return points


ROWS = (
    *(
        Row(
            rule=partial(rule, GradientDescent(RATE)),
            convention="torch",
            library="torch",
            peer=partial(Clipped, clip=clip),
            arguments=lambda rule: {"limit": rule.limit},
            rate=None,
            grid=({}, {"limit": 0.1}, {"limit": 50.0}),
        )
        for rule, clip in (
            (ClipValue, torch.nn.utils.clip_grad_value_),
            (ClipNorm, torch.nn.utils.clip_grad_norm_),
        )
    ),
    *(
        Row(
            rule=partial(rule, GradientDescent(RATE)),
            convention="keras",
            library="keras",
            peer=partial(keras_clipped, option),
            arguments=lambda rule: {"limit": rule.limit},
            rate=None,
            grid=({}, {"limit": 0.1}, {"limit": 50.0}),
        )
        for rule, option in (
            (ClipValue, "clipvalue"),
            (ClipNorm, "clipnorm"),
            (ClipNorm, "global_clipnorm"),
        )
    ),
    *(
        Row(
            rule=partial(rule, GradientDescent(RATE)),
            convention="optax",
            library="optax",
            peer=partial(optax_clipped, clip),
            arguments=lambda rule: {"limit": rule.limit},
            rate=None,
            grid=({}, {"limit": 0.1}, {"limit": 50.0}),
        )
        for rule, clip in ((ClipValue, optax.clip), (ClipNorm, optax.clip_by_global_norm))
    ),
    Row(
        rule=partial(WeightDecay, Adam(0.01, convention="torch")),
        convention="torch",
        library="torch",
        peer=partial(torch.optim.AdamW, lr=0.01),
        arguments=lambda rule: {"weight_decay": rule.decay},
        rate=None,
        grid=({}, {"decay": 0.2}),
    ),
    Row(
        rule=partial(WeightDecay, Momentum(RATE, convention="keras")),
        convention="keras",
        library="keras",
        peer=lambda weight_decay: keras.optimizers.SGD(RATE, momentum=MOMENTUM, weight_decay=weight_decay),
        arguments=lambda rule: {"weight_decay": rule.decay},
        rate=None,
        grid=({}, {"decay": 0.2}),
    ),
    Row(
        rule=partial(WeightDecay, Momentum(RATE, convention="optax")),
        convention="optax",
        library="optax",
        peer=optax_decay,
        arguments=lambda rule: {"decay": rule.decay},
        rate=None,
        grid=({}, {"decay": 0.2}),
    ),
    Row(
        rule=partial(CoupledWeightDecay, Momentum(RATE, convention="torch")),
        convention="torch",
        library="torch",
        peer=lambda parameters, weight_decay: torch.optim.SGD(
            parameters, lr=RATE, momentum=MOMENTUM, weight_decay=weight_decay
        ),
        arguments=lambda rule: {"weight_decay": rule.decay},
        rate=None,
        grid=({}, {"decay": 0.2}),
    ),
    Row(
        rule=partial(CoupledWeightDecay, Momentum(RATE, convention="optax")),
        convention="optax",
        library="optax",
        peer=optax_coupled_decay,
        arguments=lambda rule: {"decay": rule.decay},
        rate=None,
        grid=({}, {"decay": 0.2}),
    ),
    Row(
        rule=partial(Cautious, Lion(0.01)),
        convention="authors",
        library="lion-pytorch",
        peer=partial(CautiousLion, lr=0.01),
        arguments=lambda rule: {},
        rate=None,
        # That package's own floor; it cannot be set there.
        grid=({"floor": 1e-5},),
        defaults=False,
    ),
    Row(
        rule=partial(Lookahead, Momentum(RATE, convention="optax")),
        convention="optax",
        library="optax",
        peer=optax_lookahead,
        arguments=lambda rule: {"period": rule.period, "pull": rule.pull},
        rate=None,
        grid=({}, {"period": 7}, {"pull": 0.8}),
        drive=fast_and_slow,
    ),
)
