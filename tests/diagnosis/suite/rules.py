"""Cases of a rule whose own part, such as its clipping, decay or epsilon, keeps the run from learning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tests.diagnosis.suite.case import Draw, Labelled
from tests.diagnosis.suite.material import (
    Data,
    blobs,
    classifier,
    curved,
    late,
    least_squares,
    numbers,
    quadratic,
    regressor,
    two_classes,
)

from fallline import (
    AdaGrad,
    Adam,
    AdamW,
    AMSGrad,
    ClipNorm,
    ClipValue,
    Cosine,
    CoupledWeightDecay,
    Exponential,
    GradientDescent,
    InverseTime,
    Linear,
    Logistic,
    Momentum,
    MultiStep,
    NAdam,
    PiecewiseConstant,
    ReduceOnPlateau,
    RMSProp,
    SignDescent,
    StepDecay,
    Trajectory,
    WeightDecay,
    Yogi,
    minimize,
)
from fallline.arrays import FloatArray
from fallline.models import Loss

SLOW = frozenset({"too_slow", "update_size", "plateau", "constant_predictor"})


def problem(draw: Draw) -> tuple[Loss, FloatArray]:
    """A model of a kind that changes with the draw, and its start."""
    data = numbers(draw)
    match draw.kind % 5:
        case 0:
            return Linear(data.X, data.y), np.zeros(5)
        case 1:
            network = classifier(blobs(draw), (8,))
            return network, network.initial(draw.seed)
        case 2:
            labelled = two_classes(draw)
            return Logistic(labelled.X, labelled.y), np.zeros(4)
        case 3:
            network = regressor(curved(draw), (8,))
            return network, network.initial(draw.seed)
        case _:
            return Linear(data.X, data.y, l2=0.01), np.zeros(5)


def clipping_always(draw: Draw) -> Labelled:
    """A limit of the gradient far below its norm in nearly every step."""
    loss, start = problem(draw)
    if draw.kind < 5:
        limit = draw.between(1e-6, 1e-3)
        rule = draw.one_of(GradientDescent(0.1), Momentum(0.05), GradientDescent(0.2))
        clipped: ClipNorm | ClipValue = ClipNorm(rule, limit=limit)
    else:
        limit = draw.between(1e-3, 1e-2)
        clipped = draw.one_of(ClipNorm, ClipNorm, ClipValue, stride=3)(GradientDescent(0.1), limit=limit)
    batches = loss.batches(16) if draw.kind % 3 == 2 else loss
    return draw.case(
        f"{clipped.label} on {batches.title}",
        lambda: minimize(batches, start, clipped, max_steps=250),
        lambda run: np.mean(np.abs(run.gradient).max(axis=1) > limit) > 0.9 and run.fun > 0.5 * run.value[0],
        SLOW,
    )


def decay_dominates(draw: Draw) -> Labelled:
    """A decay that pulls the weights to nearly nothing, whatever the data ask for."""
    loss, start = problem(draw)
    strong = draw.between(5, 20)
    start = start + 0.5 * draw.random.normal(size=len(start))
    rule = (
        WeightDecay(GradientDescent(0.05), decay=strong, convention="torch"),
        AdamW(0.01, weight_decay=strong, convention="torch"),
        CoupledWeightDecay(GradientDescent(0.05), decay=strong),
        AdamW(0.01, weight_decay=0.02 * strong),
        WeightDecay(Momentum(0.01), decay=3 * strong, convention="keras"),
        CoupledWeightDecay(Momentum(0.005), decay=strong),
        WeightDecay(Adam(0.01), decay=0.02 * strong),
        AdamW(0.01, weight_decay=strong, convention="keras"),
        WeightDecay(GradientDescent(0.05), decay=0.01 * strong),
        WeightDecay(RMSProp(0.01), decay=strong, convention="optax"),
    )[draw.kind]
    free = Adam(0.05)
    return draw.case(
        f"{rule.label} on {loss.title}",
        lambda: minimize(loss, start, rule, max_steps=250),
        lambda run: (
            np.linalg.norm(run.final.x) < 0.5 * np.linalg.norm(minimize(loss, start, free, max_steps=250).final.x)
            and run.fun > 1.3 * minimize(loss, start, free, max_steps=250).fun
        ),
        # Without weights a network is at a saddle of the loss on the data.
        SLOW | {"dead_units", "vanishing_gradients", "symmetric_start", "saddle"},
    )


def rate_decayed(draw: Draw) -> Labelled:
    """The rate, or what AdaGrad makes of it, falls to nothing while the slope is as steep as ever."""
    kind = draw.kind
    if kind < 3:
        # A steep way down from the top of a hill, where the first slopes are small.
        height = draw.between(20, 60)
        text = (f"x**4/4 - {height:.6g}*x**2", f"x**4/4 - {height:.6g}*x**2 + (y - 1)**2", f"{height:.6g}*cos(x)")[kind]
        start = [1e-3, 1e-3, 1e-3][: 1 + (kind == 1)]
        small = AdaGrad(draw.between(0.005, 0.01))
        return draw.case(
            f"{small.label} from the top of a hill",
            lambda: minimize(text, start, small, max_steps=250),
            lambda run: (
                _effective(run) < 0.01
                and run.gradient_norm[-1] > 0.05 * run.gradient_norm.max()
                and run.value[0] - run.fun < 0.2 * height
            ),
            SLOW | {"saddle"},
        )
    if kind < 5:
        # One slope ten thousand times too large, at the second step, stays in the sum for ever.
        q = quadratic(draw, 3 + kind, 5, draw.between(0.5, 5), distance=3)
        blow = Blow(q.gradient, at=3, factor=draw.between(1e3, 1e4))
        ada = AdaGrad(draw.between(0.1, 0.3))
        return draw.case(
            f"{ada.label} after one slope far too large",
            lambda: minimize(q.value, q.start, ada, max_steps=250, gradient=blow.fresh()),
            lambda run: _effective(run) < 0.01 and run.fun > 0.1 * run.value[0],
            SLOW | {"wrong_gradient", "loss_spike", "exploding_gradients", "random_loss"},
        )
    loss, origin = problem(draw)
    first = 0.1 if isinstance(loss, Linear) else 0.3
    schedule = draw.one_of(
        Exponential(first, decay=draw.between(0.85, 0.9)),
        InverseTime(first, decay=draw.between(1, 3)),
        StepDecay(first, factor=0.3, every=5),
        MultiStep(first, factor=0.02, milestones=(3, 6)),
        Cosine(first, steps=12),
    )
    return draw.case(
        f"descent with {schedule} on {loss.title}",
        lambda: minimize(loss, origin, GradientDescent(schedule), max_steps=250),
        lambda run: run.rate[-2] < 0.01 * run.rate[0] and run.gradient_norm[-1] > 0.03 * run.gradient_norm[0],
        SLOW | {"vanishing_gradients"},
    )


def _effective(run: Trajectory) -> float:
    """The least of η/√G over its start."""
    total = np.cumsum(run.gradient**2, axis=0)
    return float((np.sqrt(total[0]) / np.sqrt(total[-1])).min())


class Blow:
    """A gradient that is far too large in one call."""

    def __init__(self, gradient: Callable[[FloatArray], FloatArray], at: int, factor: float) -> None:
        self.gradient, self.at, self.factor, self.calls = gradient, at, factor, 0

    def fresh(self) -> Blow:
        """The same, with no call made yet."""
        return Blow(self.gradient, self.at, self.factor)

    def __call__(self, x: FloatArray) -> FloatArray:
        self.calls += 1
        return self.gradient(x) * (self.factor if self.calls == self.at else 1.0)


def epsilon_dominates(draw: Draw) -> Labelled:
    """An epsilon a hundred times larger than the slopes, so that an adaptive rule is slow descent."""
    loss, start = problem(draw)
    large = draw.between(100, 1000) * float(np.linalg.norm(loss.gradient(start)))
    rate = draw.between(0.001, 0.01)
    rule = draw.one_of(
        Adam(rate, epsilon=large),
        RMSProp(rate, epsilon=large),
        AdamW(rate, epsilon=large, weight_decay=0.0),
        AMSGrad(rate, epsilon=large),
        NAdam(rate, epsilon=large),
        Yogi(rate, epsilon=large),
        Adam(rate, epsilon=large, convention="torch"),
    )
    batches = loss.batches(16) if draw.kind % 3 == 2 else loss
    return draw.case(
        f"{rule.label} on {batches.title}",
        lambda: minimize(batches, start, rule, max_steps=250),
        lambda run: np.abs(run.gradient).max() < 0.1 * large and 0.9 * run.value[0] < run.fun,
        SLOW,
    )


def schedule_idle(draw: Draw) -> Labelled:
    """A schedule that would act only after the run's end, while the run stands on a floor that a drop would leave."""
    also = frozenset({"noise_floor", "sign_dither", "two_cycle", "rate_too_large", "plateau", "zigzag"})

    def stands(run: Trajectory) -> bool:
        before = run.value[len(run) // 2 : -len(run) // 4]
        return bool(
            np.ptp(run.rate[:-1]) <= 1e-3 * run.rate[0]
            and np.mean(late(run)) > 0.8 * np.mean(before)
            and np.mean(before) < 0.7 * run.value[0]
        )

    def idle(rate: float) -> Any:
        return draw.one_of(
            StepDecay(rate, every=10_000),
            MultiStep(rate, milestones=(5_000, 8_000)),
            ReduceOnPlateau(rate, patience=2_000),
            PiecewiseConstant(rate, milestones=(4_000,), parts=(0.1,)),
        )

    if draw.kind < 5:
        data: Data = numbers(draw, noise=draw.between(0.5, 1))
        line = Linear(data.X, data.y)
        rule = GradientDescent(idle(draw.between(0.08, 0.12)))
        size = 1
        return draw.case(
            f"{rule.label} with batches of {size}",
            lambda: minimize(line.batches(size), np.zeros(5), rule, max_steps=600),
            lambda run: stands(run) and np.mean(late(run)) > 1.1 * least_squares(line)[1],
            also,
        )
    if draw.kind < 8:
        q = quadratic(draw, 1 + draw.kind % 3, 3, 1.0, distance=2)
        sign = SignDescent(idle(draw.between(0.05, 0.2)))
        return draw.case(
            f"{sign.label} on a quadratic", lambda: minimize(q.text, q.start, sign, max_steps=400), stands, also
        )
    place = draw.random.uniform(-2, 2)
    over = GradientDescent(idle(draw.between(2.5, 3.5)))
    return draw.case(
        f"{over.label} on a function with bounded slopes",
        lambda: minimize(f"sqrt(1 + (x - {place:.6g})**2)", [place + 4], over, max_steps=400),
        stands,
        also,
    )


ALL = (clipping_always, decay_dominates, rate_decayed, epsilon_dominates, schedule_idle)
