"""Cases of functions that a user wrote: wrong gradients, random numbers, single precision, spikes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tests.diagnosis.suite.case import Draw, Labelled
from tests.diagnosis.suite.material import curved, least_squares, numbers, quadratic, regressor
from tests.diagnosis.suite.rules import Blow

from fallline import (
    Adam,
    GradientDescent,
    Linear,
    Momentum,
    Perturbation,
    PiecewiseConstant,
    Trajectory,
    minimize,
)
from fallline.arrays import FloatArray
from fallline.models.batches import Order

Slope = Callable[[FloatArray], FloatArray]


def wrong_gradient(draw: Draw) -> Labelled:
    """Gradients given by the user that are not those of the function."""
    also = frozenset(
        {
            "not_finite",
            "rate_too_large",
            "too_slow",
            "plateau",
            "zigzag",
            "two_cycle",
            "loss_spike",
            "momentum_overshoot",
        }
        | {"exploding_gradients", "sign_dither", "kink", "saddle", "update_size"}
    )
    q = quadratic(draw, 2 + draw.kind % 5, 6, draw.between(0.5, 5))
    data = numbers(draw)
    n = len(data.y)

    def loss(w: FloatArray) -> float:
        return float(np.mean((data.X @ w[:4] + w[4] - data.y) ** 2))

    def slope(w: FloatArray) -> FloatArray:
        rest = 2 * (data.X @ w[:4] + w[4] - data.y) / n
        return np.append(data.X.T @ rest, rest.sum())

    def without(i: int, right: Slope) -> Slope:
        return lambda x: right(x) * (np.arange(len(x)) != i)

    own = (q.value, q.start, q.gradient)
    fit = (loss, np.zeros(5), slope)
    value, start, right = own if draw.kind % 2 == 0 else fit
    faults: tuple[tuple[str, Slope], ...] = (
        ("its sign flipped", lambda x: -right(x)),
        ("twice too large", lambda x: 2 * right(x)),
        ("one coordinate forgotten", without(0, right)),
        ("the bias forgotten", without(4, right)),
        ("half of it", lambda x: 0.5 * right(x)),
        ("summed, not averaged", lambda x: n * right(x) / 10),
        ("two coordinates exchanged", lambda x: right(x)[[1, 0, *range(2, len(x))]]),
        ("the bias's sign flipped", lambda x: right(x) * np.where(np.arange(len(x)) == 4, -1, 1)),
        ("the slope of another point", lambda x: right(x + 0.3)),
        ("a penalty forgotten", lambda x: right(x) - 0.5 * x),
    )
    fault, wrong = faults[draw.kind]
    rule = draw.one_of(GradientDescent(0.05), Adam(0.02), Momentum(0.01))
    return draw.case(
        f"{fault}, {rule.label}",
        lambda: minimize(value, start, rule, max_steps=150, gradient=wrong),
        lambda _: np.linalg.norm(wrong(start + 1) - right(start + 1)) > 0.05 * np.linalg.norm(right(start + 1)),
        also,
    )


def random_loss(draw: Draw) -> Labelled:
    """Functions that draw random numbers: noise on the data, drop-out, sampled rows, a random initial state."""
    also = frozenset({"wrong_gradient", "noise_floor", "loss_spike", "kink", "plateau", "rate_too_large", "zigzag"})
    also |= {"sign_dither", "too_slow", "momentum_overshoot", "two_cycle", "saddle", "not_finite"}
    rng = np.random.default_rng(draw.seed)
    data = numbers(draw, rows=80)
    q = quadratic(draw, 3, 4, 1.0)
    size = draw.between(0.05, 0.5)

    def noisy(x: FloatArray) -> float:
        return q.value(x) + size * float(rng.normal())

    def jittered(x: FloatArray) -> float:
        return q.value(x + size * rng.normal(size=3))

    def dropped(w: FloatArray) -> float:
        keep = rng.uniform(size=data.X.shape) < 0.8
        return float(np.mean((data.X * keep @ w[:4] + w[4] - data.y) ** 2))

    def sampled(w: FloatArray) -> float:
        rows = rng.integers(len(data.y), size=10)
        return float(np.mean((data.X[rows] @ w[:4] + w[4] - data.y[rows]) ** 2))

    def augmented(w: FloatArray) -> float:
        X = data.X + 0.3 * rng.normal(size=data.X.shape)
        return float(np.mean((X @ w[:4] + w[4] - data.y) ** 2))

    function, start = draw.one_of(
        (noisy, q.start), (jittered, q.start), (dropped, np.zeros(5)), (sampled, np.zeros(5)), (augmented, np.zeros(5))
    )
    if draw.kind < 5:
        way: Perturbation | Slope = Perturbation(draw.one_of(1e-3, 0.3), "central")
    elif len(start) == 3:
        way = q.gradient
    else:

        def slope(w: FloatArray) -> FloatArray:
            rest = 2 * (data.X @ w[:4] + w[4] - data.y) / len(data.y)
            return np.append(data.X.T @ rest, rest.sum())

        way = slope
    rule = draw.one_of(GradientDescent(0.02), Adam(0.02))
    return draw.case(
        f"{function.__name__}, {rule.label}",
        lambda: minimize(function, start, rule, max_steps=100, gradient=way),
        lambda _: function(start + 1) != function(start + 1),
        also,
    )


def float32(draw: Draw) -> Labelled:
    """Functions that compute in single precision, whose values and differences hold seven digits."""
    also = frozenset(
        {"wrong_gradient", "plateau", "zigzag", "kink", "rate_too_large", "too_slow", "noise_floor", "two_cycle"}
    )
    also |= {"sign_dither", "loss_spike", "saddle", "momentum_overshoot"}
    data = numbers(draw, rows=60)
    X, y = data.X.astype(np.float32), data.y.astype(np.float32)
    q = quadratic(draw, 3, 4, draw.between(0.5, 5))
    H, m = q.H.astype(np.float32), q.m.astype(np.float32)

    def half(x: FloatArray) -> float:
        rest = x.astype(np.float32) - m
        return float(np.float32(0.5) * rest @ H @ rest)

    def errors(w: FloatArray) -> float:
        w = w.astype(np.float32)
        return float(np.mean((X @ w[:4] + w[4] - y) ** 2))

    def absolute(w: FloatArray) -> float:
        w = w.astype(np.float32)
        return float(np.mean(np.sqrt(np.float32(0.01) + (X @ w[:4] + w[4] - y) ** 2)))

    def shifted(x: FloatArray) -> float:
        return float(np.float32(100.0) + np.float32(q.value(x)))

    def losses(w: FloatArray) -> float:
        w = w.astype(np.float32)
        return float(np.mean(np.log(np.float32(1) + np.exp(-(X @ w[:4] + w[4])))) + np.float32(0.05) * w @ w)

    function, start = draw.one_of(
        (half, q.start), (errors, np.zeros(5)), (absolute, np.zeros(5)), (shifted, q.start), (losses, np.ones(5))
    )
    way: Any = "auto" if draw.kind < 3 else Perturbation(draw.one_of(1e-3, 1e-2), "central")
    if draw.kind >= 5 and len(start) == 3:
        way = q.gradient
    rule = draw.one_of(GradientDescent(0.05), Momentum(0.02), Adam(0.02))
    return draw.case(
        f"{function.__name__}, {rule.label}",
        lambda: minimize(function, start, rule, max_steps=120, gradient=way),
        # A change that double precision sees 10,000 times over.
        lambda _: len({function(start + 1e-12 * k) for k in range(20)}) == 1,
        also,
    )


def loss_spike(draw: Draw) -> Labelled:
    """One step far too long, or one batch that is not like the others, in a run that is otherwise well."""
    kind = draw.kind
    also = frozenset({"rate_too_large", "noise_floor"})

    def spikes(run: Trajectory) -> bool:
        peak = len(run) // 5 + int(np.argmax(run.value[len(run) // 5 :]))
        before = run.value[peak - 28 : peak - 8]
        return bool(run.value[peak] > 4 * np.max(before) and run.value[peak] > 0.05 * run.value[0])

    at = int(draw.random.integers(80, 150))
    data = numbers(draw, noise=0.5)
    if kind < 3:
        line = Linear(data.X, data.y)
        burst = PiecewiseConstant(0.3 / line.smoothness(), milestones=(at, at + 2), parts=(draw.between(25, 60), 1.0))
        rule = draw.one_of(GradientDescent(burst), GradientDescent(burst), Momentum(burst, momentum=0.5))
        start = least_squares(line)[0] + 2.0 * draw.random.normal(size=5)
        batches = line.batches(20)
        return draw.case(
            f"two steps at a rate far too large from step {at}, {rule.label}",
            lambda: minimize(batches, start, rule, max_steps=300),
            spikes,
            also,
        )
    if kind < 6:
        q = quadratic(draw, 3 + kind, 30, 1.0, distance=3)
        blow = Blow(q.gradient, at=at, factor=draw.between(800, 3000))
        plain = draw.one_of(GradientDescent(0.3), Momentum(0.1, momentum=0.5), GradientDescent(0.2))
        return draw.case(
            f"one slope far too large at step {at}, {plain.label}",
            lambda: minimize(q.value, q.start, plain, max_steps=300, gradient=blow.fresh()),
            spikes,
            also | {"wrong_gradient", "exploding_gradients", "random_loss"},
        )
    if kind < 8:
        # Descent at this rate is unstable on the batch of this row alone.
        small = GradientDescent(draw.between(0.04, 0.06))
        order: Order = draw.one_of("shuffled", "sequential")
        rest = 0.5 * draw.random.normal(size=len(data.X))

        def with_row(factor: float) -> Trajectory:
            X = data.X * np.where(np.arange(len(data.X)) == 7, factor, 1.0)[:, None]
            line = Linear(X, X @ data.w[:4] + data.w[4] + rest)
            return minimize(line.batches(4, order=order), np.zeros(5), small, max_steps=300)

        factor = next(float(factor) for factor in np.geomspace(8, 40, 30) if spikes(with_row(factor)))
        return draw.case(
            f"one row {factor:.3g} times as far out in small {order} batches",
            lambda: with_row(factor),
            spikes,
            also | {"unscaled", "no_warm_up"},
        )
    network = regressor(curved(draw, noise=0.3), (8,))
    burst = PiecewiseConstant(0.1, milestones=(at, at + 2), parts=(draw.between(60, 150), 1.0))
    bumpy = draw.one_of(GradientDescent(burst), Momentum(burst, momentum=0.2))
    return draw.case(
        f"a network in batches with {bumpy.label}",
        lambda: minimize(network.batches(16), network.initial(draw.seed), bumpy, max_steps=300),
        spikes,
        also | {"dead_units"},
    )


ALL = (wrong_gradient, random_loss, float32, loss_spike)
