"""Faulty programs as people post them, rewritten with our models: the fault is a line that somebody wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tests.diagnosis.suite.case import Draw, Labelled
from tests.diagnosis.suite.data import LogisticNeuron, RectifiedNeuron
from tests.diagnosis.suite.material import (
    blobs,
    bottom_to_top,
    classifier,
    curved,
    dead_share,
    filled,
    late,
    numbers,
    regressor,
    slow,
    two_classes,
)
from tests.diagnosis.suite.rates import DIVERGED, STUCK

from fallline import (
    Adam,
    Fit,
    GradientDescent,
    Linear,
    Momentum,
    Network,
    NotFinite,
    Optimizer,
    RMSProp,
    Trajectory,
    fit,
    minimize,
)
from fallline.arrays import FloatArray
from fallline.models import Loss

# Of each program: four drawings of its one or two forms.
COUNT = 4
BROKEN = DIVERGED | STUCK | {"too_slow", "sign_dither", "no_warm_up", "noise_floor", "saddle"}


def regression_with_a_bounded_output(draw: Draw) -> Labelled:
    """A softmax, a sigmoid or a rectifier as the last layer of a network that shall predict a number."""
    data = numbers(draw)
    prices = np.round(10 * (data.y - data.y.min()))
    loss: Loss = (
        Network(data.X, prices.astype(int), hidden=(8,))
        if draw.kind == 0
        else draw.one_of(LogisticNeuron(data.X, prices), RectifiedNeuron(data.X, -prices - 1))
        if draw.seed % 2
        else LogisticNeuron(data.X, prices / 5 - 3)
    )
    start = loss.initial(draw.seed) if isinstance(loss, Network) else 0.1 * draw.random.normal(size=loss.dimension)
    return draw.case(
        loss.title,
        lambda: minimize(loss, start, Adam(0.01), max_steps=300),
        lambda _: len(np.unique(loss.y)) > 15,
        BROKEN | {"unscaled"},
        label="output_mismatch",
    )


def rate_of_a_tutorial(draw: Draw) -> Labelled:
    """Adam at 0.5 or descent at 5, on a network that asks for a hundredth of it."""
    network = (
        classifier(blobs(draw, apart=2, features=4), (12, 8), "relu")
        if draw.kind
        else regressor(curved(draw), (12, 8), "relu")
    )
    start = network.initial(draw.seed)
    rule: Optimizer[Any] = Adam(draw.between(0.5, 1)) if draw.seed % 2 else GradientDescent(draw.between(2, 10))

    def worse(run: Trajectory) -> bool:
        reference = minimize(network, start, Adam(0.01), max_steps=200)
        return not np.median(late(run)) < 2 * reference.fun

    return draw.case(
        f"{rule.label} on {network.title}",
        lambda: minimize(network, start, rule, max_steps=200),
        worse,
        BROKEN,
        label="rate_too_large",
    )


def raw_columns(draw: Draw) -> Labelled:
    """Pixels from 0 to 255, or areas and prices in their own units."""
    clouds = blobs(draw, features=4, apart=2)
    if draw.kind == 0:
        network = classifier(clouds._replace(X=np.clip(128 + 50 * clouds.X, 0, 255)), (8,), "relu")
        rule = GradientDescent(draw.between(0.01, 0.1))
        return draw.case(
            f"pixels, {rule.label}",
            lambda: minimize(network.batches(20), network.initial(draw.seed), rule, max_steps=200),
            lambda run: not np.median(late(run)) < 0.6,
            BROKEN | {"rate_too_large"},
            label="unscaled",
        )
    data = numbers(draw)
    area = np.column_stack([1500 + 400 * data.X[:, 0], 3 + data.X[:, 1], 10_000 + 4000 * data.X[:, 2]])
    line = Linear(area, 200_000 + 50_000 * data.y)
    # A rate that a reader of a tutorial takes, or the largest one that does not diverge.
    plain = GradientDescent(0.01 if draw.seed % 2 else 1 / line.smoothness())
    return draw.case(
        f"areas and prices, {plain.label}",
        lambda: minimize(line, np.zeros(4), plain, max_steps=300),
        lambda run: not np.isfinite(run.fun) or run.fun > 0.01 * run.value[0],
        BROKEN | {"rate_too_large", "zigzag"},
        label="unscaled",
    )


def ended_too_soon(draw: Draw) -> Labelled:
    """One epoch, or a rate of 1e-6."""
    network = classifier(blobs(draw, apart=3), (8,), "tanh")
    start = network.initial(draw.seed)
    if draw.kind:
        rule: Optimizer[Any] = Adam(1e-6) if draw.seed % 2 else GradientDescent(1e-5)
        return draw.case(
            f"{rule.label} on a network",
            lambda: minimize(network.batches(20), start, rule, max_steps=200),
            lambda run: slow(run, 0.2, 0.1),
            STUCK | {"update_size"},
            label="too_slow",
        )
    few = Adam(0.002) if draw.seed % 2 else GradientDescent(0.02)
    return draw.case(
        f"three epochs of {few.label}",
        lambda: minimize(network.batches(10), start, few, max_steps=36),
        lambda run: slow(run, 0.1, 0.6),
        STUCK | {"update_size"},
        label="too_slow",
    )


def not_shuffled(draw: Draw) -> Labelled:
    """A file sorted by class, read from its beginning in every epoch."""
    data = blobs(draw, rows=250, classes=5, features=5, apart=2.5)
    order = np.argsort(data.y, kind="stable")
    network = classifier(data._replace(X=data.X[order], y=data.y[order]), (10,), draw.one_of("relu", "tanh"))
    start = network.initial(draw.seed)
    rule: Optimizer[Any] = GradientDescent(1.5 if draw.seed % 2 else 0.8)

    def forgets(run: Trajectory) -> bool:
        shuffled = minimize(network.batches(10), start, rule, max_steps=250)
        return not np.mean(late(run)) < 1.3 * np.mean(late(shuffled))

    return draw.case(
        f"{network.title}, {rule.label}",
        lambda: minimize(network.batches(10, order="sequential"), start, rule, max_steps=250),
        forgets,
        BROKEN | {"rate_too_large"},
        label="sorted_batches",
    )


def constant_initial_weights(draw: Draw) -> Labelled:
    """All weights at zero, or at 0.1 or 1."""
    network = (
        classifier(blobs(draw, apart=2.5), (8,), "relu") if draw.kind else regressor(curved(draw), (8, 8), "sigmoid")
    )
    same = float(draw.random.choice([0.1, 0.5, 1.0])) if draw.seed % 2 else 0.0
    start = filled(network, same)
    return draw.case(
        f"all weights {same:g} in {network.title}",
        lambda: minimize(network, start, Adam(0.01), max_steps=250),
        lambda _: all(np.ptp(layer.W, axis=0).max() == 0 for layer in network.layers(start)),
        STUCK | {"saddle", "plateau"},
        label="symmetric_start",
    )


def dying_rectifiers(draw: Draw) -> Labelled:
    """A bias of −10 in every unit, or a first step that throws them all below zero."""
    network = classifier(blobs(draw, apart=2), (10,), "relu")
    start = network.initial(draw.seed)
    if draw.kind:
        biases = [(layer.W, layer.b - (20.0 if i == 0 else 0)) for i, layer in enumerate(network.layers(start))]
        start = network.flat(biases)
    rule = Momentum(0.02) if draw.kind else GradientDescent(draw.between(60, 120))
    return draw.case(
        f"{network.title}, {rule.label}",
        lambda: minimize(network, start, rule, max_steps=250, stop=NotFinite()),
        lambda run: dead_share(network, run.final.x) > 0.5,
        BROKEN | {"rate_too_large"},
        label="dead_units",
    )


def deep_sigmoids(draw: Draw) -> Labelled:
    """Ten layers of sigmoids, because ten are more than two."""
    network = (
        classifier(blobs(draw, rows=80), (5,) * 9, "sigmoid")
        if draw.kind
        else regressor(curved(draw, rows=80), (5,) * 9, "sigmoid")
    )
    start = network.initial(draw.seed)
    rule: Optimizer[Any] = GradientDescent(0.1) if draw.seed % 2 else RMSProp(0.001)
    return draw.case(
        f"{network.title}, {rule.label}",
        lambda: minimize(network, start, rule, max_steps=200),
        lambda _: bottom_to_top(network, start) < 1e-3,
        STUCK | {"too_slow", "saddle", "update_size", "symmetric_start"},
        label="vanishing_gradients",
    )


def normal_initial_weights(draw: Draw) -> Labelled:
    """Weights from a normal distribution of deviation 10 or 30, in a deep network."""
    network = regressor(curved(draw, rows=80), (8,) * (3 + draw.kind), "relu")
    rng = np.random.default_rng(draw.seed)
    start = draw.between(10, 30) * rng.normal(size=network.dimension) * network.are_weights
    return draw.case(
        network.title,
        lambda: minimize(network, start, GradientDescent(0.01), max_steps=100),
        lambda _: float(np.linalg.norm(network.gradient(start))) > 1e5,
        BROKEN | {"rate_too_large", "unscaled", "not_finite"},
        label="exploding_gradients",
    )


def careless_numerics(draw: Draw) -> Labelled:
    """log(0), a quotient by zero, the root of a negative number."""
    data = two_classes(draw, rows=60)
    X = 40 * data.X
    if draw.kind:
        text = "sqrt(1 - x) + x**2/4 + y**2" if draw.seed % 2 else "log(1 - x*x) * -1 + (y - 1)**2 - 3*x"
        start = [0.9, 1.0] if draw.seed % 2 else [0.5, 0.0]
        rate = 0.3 if draw.seed % 2 else 0.5
        return draw.case(
            text,
            lambda: minimize(text, start, GradientDescent(rate), max_steps=100),
            lambda run: not (np.isfinite(run.fun) and np.isfinite(run.gradient_norm[-1])),
            frozenset({"rate_too_large", "exploding_gradients", "unbounded"}),
            label="not_finite",
        )

    def loss(w: FloatArray) -> float:
        with np.errstate(all="ignore"):
            p = 1 / (1 + np.exp(-X @ w))
            return float(-np.sum(data.y * np.log(p) + (1 - data.y) * np.log(1 - p)))

    def slope(w: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return np.asarray(X.T @ (1 / (1 + np.exp(-X @ w)) - data.y))

    return draw.case(
        "a cross-entropy with log(0)",
        lambda: minimize(loss, np.zeros(3), GradientDescent(0.1), max_steps=100, gradient=slope),
        lambda run: not np.isfinite(run.fun),
        frozenset({"rate_too_large", "exploding_gradients", "unscaled"}),
        label="not_finite",
    )


def derived_by_hand(draw: Draw) -> Labelled:
    """A logistic regression whose gradient was derived on paper, with a mistake."""
    data = two_classes(draw)
    n = len(data.y)

    def loss(w: FloatArray) -> float:
        z = data.X @ w[:3] + w[3]
        return float(np.mean(np.logaddexp(0, z) - data.y * z) + 0.05 * w[:3] @ w[:3])

    def slope(w: FloatArray, sign: float = 1.0, penalty: float = 0.1, bias: float = 1.0) -> FloatArray:
        rest = 1 / (1 + np.exp(-(data.X @ w[:3] + w[3]))) - data.y
        return np.append(sign * data.X.T @ rest / n + penalty * w[:3], bias * rest.mean())

    mistakes: tuple[Callable[[FloatArray], FloatArray], ...] = (
        lambda w: slope(w, sign=-1.0),
        lambda w: slope(w, penalty=0.0),
        lambda w: slope(w, bias=0.0),
        lambda w: 2 * slope(w),
    )
    wrong = mistakes[draw.seed]
    about = ("a sign", "the penalty forgotten", "the bias forgotten", "a factor of 2")[draw.seed]
    x = np.ones(4)
    return draw.case(
        about,
        lambda: minimize(loss, np.full(4, 0.1), GradientDescent(0.5), max_steps=200, gradient=wrong),
        lambda _: np.linalg.norm(wrong(x) - slope(x)) > 0.02 * np.linalg.norm(slope(x)),
        BROKEN | {"rate_too_large", "saddle", "kink"},
        label="wrong_gradient",
    )


def drop_out_left_on(draw: Draw) -> Labelled:
    """A loss that drops other inputs in each call, or adds noise to them."""
    data = numbers(draw)
    rng = np.random.default_rng(draw.seed)

    def loss(w: FloatArray) -> float:
        X = (
            data.X * (rng.uniform(size=data.X.shape) < 0.7)
            if draw.kind
            else data.X + 0.5 * rng.normal(size=data.X.shape)
        )
        return float(np.mean((X @ w[:4] + w[4] - data.y) ** 2))

    def slope(w: FloatArray) -> FloatArray:
        rest = 2 * (data.X @ w[:4] + w[4] - data.y) / len(data.y)
        return np.append(data.X.T @ rest, rest.sum())

    return draw.case(
        "drop-out" if draw.kind else "noise on the inputs",
        lambda: minimize(loss, np.zeros(5), GradientDescent(0.05), max_steps=120, gradient=slope),
        lambda run: loss(run.final.x) != loss(run.final.x),
        BROKEN | {"wrong_gradient", "kink", "rate_too_large"},
        label="random_loss",
    )


def too_many_features(draw: Draw) -> Labelled:
    """More columns than rows, fitted until nothing is left."""
    rows, columns = 40, 22
    X = draw.random.normal(size=(rows, columns))
    signal = X[:, 0] - X[:, 1]
    noisy = signal + draw.random.normal(size=rows)
    data = {f"f{i}": X[:, i] for i in range(columns)} | {"y": noisy if draw.kind else np.where(noisy > 0, "yes", "no")}
    model = "linear" if draw.kind else "logistic"

    def overfits(fitted: Fit) -> bool:
        curve = fitted.learning_curve()
        assert curve.held_out is not None
        return bool(curve.held_out[-1] > 1.3 * curve.held_out.min() and curve.loss[-1] < 0.5 * curve.loss[0])

    return draw.case(
        f"a {model} model of {columns} columns on {rows} rows",
        lambda: fit(
            data,
            "y",
            model=model,
            optimizer=GradientDescent(0.3 if draw.kind else 3.0),
            holdout=0.4,
            max_steps=400,
            seed=draw.seed,
        ),
        overfits,
        frozenset({"too_slow"}),
        label="overfitting",
    )


ALL = (
    regression_with_a_bounded_output, rate_of_a_tutorial, raw_columns, ended_too_soon, not_shuffled,
    constant_initial_weights, dying_rectifiers, deep_sigmoids, normal_initial_weights, careless_numerics,
    derived_by_hand, drop_out_left_on, too_many_features,
)  # fmt: skip
