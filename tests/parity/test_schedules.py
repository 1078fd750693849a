"""Every schedule compared with the libraries', step by step."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jax
import keras
import numpy as np
import optax
import optax.contrib
import pytest
import torch
from tests.parity import drivers  # noqa: F401 - sets Keras to float64
from torch.optim import lr_scheduler

import fallline
from fallline.arrays import FloatArray
from fallline.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    CosineRestarts,
    Cyclic,
    Exponential,
    InverseTime,
    MultiStep,
    OneCycle,
    PiecewiseConstant,
    Polynomial,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
    WarmUp,
    WarmUpStableDecay,
)

RATE = 0.3
STEPS = 240


def torch_rates(make: Callable[[Any], Any], steps: int = STEPS) -> FloatArray:
    """The rates of a scheduler of torch: `make(optimizer)`, then `step()` behind each of the optimizer's."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    scheduler = make(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        scheduler.step()
    return np.array(rates)


def counted_rates(schedule: Callable[[Any], Any], steps: int = STEPS) -> FloatArray:
    """The rates of a schedule of optax or Keras, which count steps from 0.

    Not compiled: XLA turns the division into a product with the reciprocal, and the power of a polynomial's
    last step is then one of a number just below 0.
    """
    return np.array([float(schedule(np.int64(count))) for count in range(steps)])


def our_rates(schedule: Schedule, steps: int = STEPS) -> FloatArray:
    return np.array([float(schedule.rate(step)) for step in range(1, steps + 1)])


keras_schedules = keras.optimizers.schedules

TORCH: list[tuple[Schedule, Callable[[Any], Any]]] = [
    (Constant(RATE), lambda o: lr_scheduler.ConstantLR(o, factor=1.0)),
    (StepDecay(RATE, 0.5, 30), lambda o: lr_scheduler.StepLR(o, 30, 0.5)),
    (MultiStep(RATE, 0.2, (10, 50, 51)), lambda o: lr_scheduler.MultiStepLR(o, [10, 50, 51], 0.2)),
    (MultiStep(RATE), lambda o: lr_scheduler.MultiStepLR(o, [30, 80])),
    (Exponential(RATE, 0.97), lambda o: lr_scheduler.ExponentialLR(o, 0.97)),
    (Polynomial(RATE, 100, 1.0), lambda o: lr_scheduler.PolynomialLR(o, 100, 1.0)),
    (Polynomial(RATE, 100, 2.5), lambda o: lr_scheduler.PolynomialLR(o, 100, 2.5)),
    (Polynomial(RATE, 80, 1.0, 0.2), lambda o: lr_scheduler.LinearLR(o, 1.0, 0.2, 80)),
    (InverseTime(RATE, 0.1), lambda o: lr_scheduler.LambdaLR(o, lambda count: 1 / (1 + 0.1 * count))),
    (Cosine(RATE, 50, convention="torch"), lambda o: lr_scheduler.CosineAnnealingLR(o, 50)),
    (Cosine(RATE, 33, 0.1, convention="torch"), lambda o: lr_scheduler.CosineAnnealingLR(o, 33, 0.1 * RATE)),
    (CosineRestarts(RATE, 30), lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 30)),
    (
        CosineRestarts(RATE, 7, 3, 0.1),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 7, 3, 0.1 * RATE),
    ),
    (
        OneCycle(RATE, STEPS, convention="torch"),
        lambda o: lr_scheduler.OneCycleLR(o, RATE, STEPS, cycle_momentum=False),
    ),
    (
        OneCycle(RATE, STEPS, 0.41, 0.1, 0.001, convention="torch"),
        lambda o: lr_scheduler.OneCycleLR(
            o, RATE, STEPS, pct_start=0.41, div_factor=10.0, final_div_factor=100.0, cycle_momentum=False
        ),
    ),
    (
        OneCycle(RATE, STEPS, 0.37),
        lambda o: lr_scheduler.OneCycleLR(
            o, RATE, STEPS, pct_start=0.37, three_phase=True, anneal_strategy="linear", cycle_momentum=False
        ),
    ),
    (Cyclic(RATE, 20), lambda o: lr_scheduler.CyclicLR(o, RATE / 4, RATE, 20, cycle_momentum=False)),
    (
        Cyclic(RATE, 20, 0.1, shrink=0.5),
        lambda o: lr_scheduler.CyclicLR(o, RATE / 10, RATE, 20, mode="triangular2", cycle_momentum=False),
    ),
    (
        Cyclic(RATE, 20, 0.1, decay=0.99),
        lambda o: lr_scheduler.CyclicLR(o, RATE / 10, RATE, 20, mode="exp_range", gamma=0.99, cycle_momentum=False),
    ),
    (WarmUp(RATE, 5), lambda o: lr_scheduler.LinearLR(o)),
    (
        WarmUp(Exponential(RATE, 0.9), 20, 0.2),
        lambda o: lr_scheduler.SequentialLR(
            o, [lr_scheduler.LinearLR(o, 0.2, 1.0, 20), lr_scheduler.ExponentialLR(o, 0.9)], [20]
        ),
    ),
]

OPTAX: list[tuple[Schedule, Callable[[Any], Any]]] = [
    (Constant(RATE), optax.constant_schedule(RATE)),
    (StepDecay(RATE, 0.5, 30), optax.exponential_decay(RATE, 30, 0.5, staircase=True)),
    (MultiStep(RATE, 0.2, (10, 50)), optax.piecewise_constant_schedule(RATE, {10: 0.2, 50: 0.2})),
    (
        PiecewiseConstant(RATE, (10, 50, 51), (0.5, 1.5, 0.15)),
        optax.piecewise_constant_schedule(RATE, {10: 0.5, 50: 3.0, 51: 0.1}),
    ),
    (Exponential(RATE, 0.97), optax.exponential_decay(RATE, 1, 0.97)),
    (Polynomial(RATE, 100, 2.5, 0.1), optax.polynomial_schedule(RATE, 0.1 * RATE, 2.5, 100)),
    (Cosine(RATE, 100), optax.cosine_decay_schedule(RATE, 100)),
    (Cosine(RATE, 100, 0.3), optax.cosine_decay_schedule(RATE, 100, 0.3)),
    (OneCycle(RATE, 200, convention="optax"), optax.cosine_onecycle_schedule(200, RATE)),
    (
        OneCycle(RATE, 99, 0.25, 0.2, 0.02, convention="optax"),
        optax.cosine_onecycle_schedule(99, RATE, 0.25, 5.0, 10.0),
    ),
    (WarmUp(RATE, 40, 0.1), optax.warmup_constant_schedule(0.1 * RATE, RATE, 40)),
    (
        WarmUp(Cosine(RATE, 100, 0.5), 40, 0.1),
        optax.warmup_cosine_decay_schedule(0.1 * RATE, RATE, 40, 140, 0.5 * RATE),
    ),
    (
        WarmUpStableDecay(RATE, 20, 100, 50, 0.1, 0.01),
        optax.join_schedules(
            [
                optax.linear_schedule(0.1 * RATE, RATE, 20),
                optax.constant_schedule(RATE),
                optax.linear_schedule(RATE, 0.01 * RATE, 50),
            ],
            [20, 120],
        ),
    ),
]

KERAS: list[tuple[Schedule, Callable[[Any], Any]]] = [
    (StepDecay(RATE, 0.5, 30), keras_schedules.ExponentialDecay(RATE, 30, 0.5, staircase=True)),
    (Exponential(RATE, 0.97), keras_schedules.ExponentialDecay(RATE, 1, 0.97)),
    (Polynomial(RATE, 100, 2.5, 0.1), keras_schedules.PolynomialDecay(RATE, 100, 0.1 * RATE, 2.5)),
    (
        PiecewiseConstant(RATE, (10, 50, 51), (0.5, 1.5, 0.15), convention="keras"),
        keras_schedules.PiecewiseConstantDecay([10, 50, 51], [RATE, 0.5 * RATE, 1.5 * RATE, 0.15 * RATE]),
    ),
    (
        PiecewiseConstant(RATE, 0, 0.1, convention="keras"),  # type: ignore[arg-type]
        keras_schedules.PiecewiseConstantDecay([0], [RATE, 0.1 * RATE]),
    ),
    (InverseTime(RATE, 0.1), keras_schedules.InverseTimeDecay(RATE, 1, 0.1)),
]
KERAS_COSINES: list[tuple[Schedule, Callable[[Any], Any]]] = [
    (Cosine(RATE, 100, 0.3), keras_schedules.CosineDecay(RATE, 100, 0.3)),
    (WarmUp(Cosine(RATE, 100), 40, 0.1), keras_schedules.CosineDecay(0.1 * RATE, 100, 0.0, "", RATE, 40)),
    (CosineRestarts(RATE, 7, 3, 0.1), keras_schedules.CosineDecayRestarts(RATE, 7, t_mul=3.0, alpha=0.1)),
]


def assert_same(ours: FloatArray, theirs: FloatArray | list[float]) -> None:
    # Closed forms in float64 on both sides, but for torch's that multiply on from step to step: 240 roundings
    # add up to less. Where a rate has fallen to nothing, the rounding of the cosine is one of the first rate.
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("ours", "make"), TORCH, ids=[str(pair[0]) for pair in TORCH])
def test_schedule_equals_torchs(ours: Schedule, make: Callable[[Any], Any]) -> None:
    assert_same(our_rates(ours), torch_rates(make))


def test_cosine_equals_torchs_until_its_end() -> None:
    # Behind its end torch's climbs again, as in the convention "torch"; ours stays, as optax's and Keras's do.
    theirs = torch_rates(lambda o: lr_scheduler.CosineAnnealingLR(o, 100, 0.1 * RATE), 101)
    assert_same(our_rates(Cosine(RATE, 100, 0.1), 101), theirs)


@pytest.mark.parametrize(("ours", "theirs"), OPTAX, ids=[str(pair[0]) for pair in OPTAX])
def test_schedule_equals_optaxs(ours: Schedule, theirs: Callable[[Any], Any]) -> None:
    assert_same(our_rates(ours), counted_rates(theirs))


@pytest.mark.parametrize(("ours", "theirs"), KERAS, ids=[str(pair[0]) for pair in KERAS])
def test_schedule_equals_keras(ours: Schedule, theirs: Callable[[Any], Any]) -> None:
    assert_same(our_rates(ours), counted_rates(theirs))


@pytest.mark.parametrize(("ours", "theirs"), KERAS_COSINES, ids=[str(pair[0]) for pair in KERAS_COSINES])
def test_cosine_equals_that_of_keras_as_exactly_as_it_computes(ours: Schedule, theirs: Callable[[Any], Any]) -> None:
    # Keras takes every cosine in float32, whatever it is told: 1 + cos has an error of up to some 2**-23.
    np.testing.assert_allclose(our_rates(ours), counted_rates(jax.jit(theirs)), rtol=0, atol=2**-22 * RATE)


# Values that fall, stall, jump down within and beyond the threshold, and are negative from the middle on.
random = np.random.default_rng(3)
VALUES = np.concatenate(
    [
        np.geomspace(5, 1, 20),
        1 + 0.01 * random.random(60),
        0.5 - 2e-5 * np.arange(40),
        -1 + 1e-5 * np.arange(120),
    ]
)
PLATEAUS = [
    {},
    {"factor": 0.5, "patience": 3},
    {"patience": 4, "cooldown": 6},
    {"patience": 5, "threshold": 0.01, "factor": 0.7},
    {"patience": 2, "least": 0.01, "cooldown": 1},
]


def plateau_rates(schedule: ReduceOnPlateau) -> FloatArray:
    memory, rates = None, []
    for step, value in enumerate(VALUES, start=1):
        memory = schedule.watched(memory, value)
        rates.append(float(schedule.rate_after(memory, step)))
    return np.array(rates)


@pytest.mark.parametrize("settings", PLATEAUS, ids=str)
def test_reduce_on_plateau_equals_torchs(settings: dict[str, Any]) -> None:
    named = {("min_lr" if name == "least" else name): value for name, value in settings.items()}
    if "min_lr" in named:
        named["min_lr"] *= RATE
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    # Torch leaves out drops that are smaller than `eps`.
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, eps=0.0, **named)
    theirs = []
    for value in VALUES:
        scheduler.step(value)
        theirs.append(optimizer.param_groups[0]["lr"])
    assert_same(plateau_rates(ReduceOnPlateau(RATE, **settings, convention="torch")), theirs)


@pytest.mark.parametrize("settings", PLATEAUS, ids=str)
def test_reduce_on_plateau_equals_optaxs(settings: dict[str, Any]) -> None:
    names = {"least": "min_scale", "threshold": "rtol"}
    named = {names.get(name, name): value for name, value in settings.items()}
    transformation = optax.contrib.reduce_on_plateau(**named)
    gradient = np.array([RATE])
    state = transformation.init(gradient)
    advance = jax.jit(transformation.update)
    theirs = []
    for value in VALUES:
        update, state = advance(gradient, state, value=value)
        theirs.append(float(update[0]))
    assert_same(plateau_rates(ReduceOnPlateau(RATE, **settings, convention="optax")), theirs)


@pytest.mark.parametrize("settings", PLATEAUS, ids=str)
def test_reduce_on_plateau_equals_keras(settings: dict[str, Any]) -> None:
    names = {"least": "min_lr", "threshold": "min_delta"}
    named = {names.get(name, name): value for name, value in settings.items()}
    if "min_lr" in named:
        named["min_lr"] *= RATE
    callback = keras.callbacks.ReduceLROnPlateau(monitor="loss", mode="min", **named)
    optimizer = SimpleNamespace(learning_rate=np.float64(RATE))
    callback.set_model(SimpleNamespace(optimizer=optimizer))
    callback.on_train_begin()
    theirs = []
    for epoch, value in enumerate(VALUES):
        callback.on_epoch_end(epoch, {"loss": value})
        theirs.append(float(optimizer.learning_rate))
    ours = ReduceOnPlateau(RATE, **settings, convention="keras")
    assert_same(plateau_rates(ours), theirs)


def test_a_whole_run_on_a_plateau_equals_torchs() -> None:
    schedule = ReduceOnPlateau(0.6, factor=0.5, patience=2, convention="torch")
    run = fallline.minimize("abs(x) + 1", 10.0, fallline.GradientDescent(schedule), max_steps=60)
    x = torch.nn.Parameter(torch.tensor(10.0, dtype=torch.float64))
    optimizer = torch.optim.SGD([x], lr=0.6)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=2)
    points = [10.0]
    for _ in range(60):
        optimizer.zero_grad()
        value = torch.abs(x) + 1
        value.backward()
        scheduler.step(value.item())
        optimizer.step()
        points.append(x.item())
    assert len(set(run.rate[:-1].tolist())) > 3
    # The same additions in the same order.
    np.testing.assert_array_equal(run.x[:, 0], points)


def test_every_schedule_is_held_to_some_library() -> None:
    held = {type(schedule) for schedule, _ in (*TORCH, *OPTAX, *KERAS)} | {ReduceOnPlateau}
    assert held == set(SCHEDULES.values())
