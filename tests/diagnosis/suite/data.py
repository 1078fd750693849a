"""Cases whose fault is in the data: their scale, their order, their number, or targets out of reach."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.diagnosis.suite.case import Draw, Labelled
from tests.diagnosis.suite.material import (
    blobs,
    classifier,
    curved,
    late,
    least_squares,
    logistic_best,
    numbers,
    regressor,
    two_classes,
)

from fallline import (
    Adam,
    Fit,
    GradientDescent,
    Linear,
    Logistic,
    Momentum,
    Nesterov,
    Network,
    Softmax,
    Trajectory,
    fit,
    minimize,
)
from fallline.arrays import FloatArray
from fallline.models import Batches, LinearFamily, Loss


class TanhNeuron(LinearFamily):
    """tanh(w·x + b) under the squared loss, as a user writes it who forgets what tanh can reach."""

    model = "squared loss of a tanh neuron"

    def check_targets(self) -> None:
        pass

    def response(self, z: FloatArray) -> FloatArray:
        return np.tanh(z)

    def pointwise(self, z: FloatArray, y: FloatArray) -> FloatArray:
        half_square: FloatArray = 0.5 * (self.response(z) - y) ** 2
        return half_square

    def slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        slope: FloatArray = (np.tanh(z) - y) * (1 - np.tanh(z) ** 2)
        return slope


class LogisticNeuron(TanhNeuron):
    """1 / (1 + exp(−w·x − b)) under the squared loss, for any targets."""

    model = "squared loss of a logistic neuron"

    def response(self, z: FloatArray) -> FloatArray:
        return 0.5 * (1 + np.tanh(z / 2))

    def slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        p = self.response(z)
        slope: FloatArray = (p - y) * p * (1 - p)
        return slope


class RectifiedNeuron(TanhNeuron):
    """max(0, w·x + b) under the squared loss."""

    model = "squared loss of a rectified neuron"

    def response(self, z: FloatArray) -> FloatArray:
        return np.maximum(z, 0)

    def slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        slope: FloatArray = (self.response(z) - y) * (z > 0)
        return slope


def output_mismatch(draw: Draw) -> Labelled:
    """Targets that the output cannot reach, or a softmax where there is nothing to choose from."""
    also = frozenset(
        {"plateau", "constant_predictor", "too_slow", "dead_units", "unscaled", "vanishing_gradients", "saddle"}
    )
    kind = draw.kind
    data = numbers(draw, noise=0.05)
    rule = draw.one_of(GradientDescent(0.1), Adam(0.02), Momentum(0.05))
    rows = len(data.y)
    loss: Any
    match kind:
        case 0:
            loss = TanhNeuron(data.X, draw.between(5, 50) * data.y)
        case 1:
            loss = LogisticNeuron(data.X, data.y)
        case 2:
            loss = LogisticNeuron(data.X, 10 + draw.between(5, 50) * np.abs(data.y))
        case 3:
            loss = RectifiedNeuron(data.X, -1 - np.abs(data.y))
        case 4:
            loss = RectifiedNeuron(data.X, data.y - data.y.mean())
        case 5:
            # A softmax over a single class, the only one that the rows have.
            loss = Network(data.X, np.zeros(rows, dtype=int), hidden=(6,), classes=("0", "1"))
        case 6:
            # A number to be predicted, taken for a class: every row its own.
            loss = Network(data.X, np.arange(rows)[np.argsort(np.argsort(data.y))], hidden=())
        case 7:
            loss = LogisticNeuron(data.X, np.where(data.y > 0, 1.0, -1.0))
        case 8:
            loss = TanhNeuron(data.X, np.digitize(data.y, np.quantile(data.y, [0.25, 0.5, 0.75])).astype(float))
        case _:
            loss = LogisticNeuron(data.X, np.digitize(data.y, np.quantile(data.y, [0.33, 0.67])).astype(float))
    start = loss.initial(draw.seed) if isinstance(loss, Network) else 0.1 * draw.random.normal(size=loss.dimension)

    def misses(run: Trajectory) -> bool:
        if kind == 5:
            return bool(np.ptp(loss.y) == 0)
        if kind == 6:
            return len(np.unique(loss.y)) == rows
        reach = loss.response(np.array([-1e3, 1e3]))
        return bool(np.mean((loss.y < reach.min()) | (loss.y > reach.max())) > 0.15 and run.fun > 0.02)

    return draw.case(
        f"{loss.title} for targets from {loss.y.min():.3g} to {loss.y.max():.3g}",
        lambda: minimize(loss, start, rule, max_steps=250),
        misses,
        also,
    )


def unscaled(draw: Draw) -> Labelled:
    """Columns a thousand times larger than others, or far from zero: descent is unstable or crawls."""
    kind, rng = draw.kind, draw.random
    slow = frozenset({"too_slow", "zigzag"})
    broken = slow | {"rate_too_large", "not_finite", "loss_spike", "dead_units", "constant_predictor", "plateau"}
    broken |= {"exploding_gradients", "two_cycle", "update_size", "vanishing_gradients", "saddle", "no_warm_up"}
    size = draw.between(1e3, 1e4)
    scale = np.array([1.0, size, 1.0, 10.0])
    if kind < 4:
        data = numbers(draw)
        X = data.X * scale if kind % 2 == 0 else data.X + np.array([0.0, size, size / 3, 0.0])
        line = Linear(X, data.y)
        rule = draw.one_of(GradientDescent, Nesterov, stride=2)(1 / line.smoothness())
        lowest = least_squares(line)[1]
        return draw.case(
            f"least squares on columns {'of unlike sizes' if kind % 2 == 0 else 'far from zero'}, {rule.label}",
            lambda: minimize(line, np.zeros(5), rule, max_steps=300),
            lambda run: run.fun - lowest > 0.05 * (run.value[0] - lowest),
            slow,
        )
    if kind < 6:
        labelled = two_classes(draw, features=4)
        columns = {f"f{i}": labelled.X[:, i] * scale[i] for i in range(4)} | {"label": labelled.y}
        lowest = logistic_best(Logistic(labelled.X, labelled.y))[1]
        rate = 1 / Logistic(labelled.X * scale, labelled.y).smoothness() if kind == 4 else 0.1
        return draw.case(
            f"a fit without standardisation, rate {rate:.2g}",
            lambda: fit(columns, "label", optimizer=GradientDescent(rate), standardize=False, max_steps=300),
            lambda fitted: fitted.trajectory.fun > 1.05 * lowest,
            broken,
        )
    if kind < 8:
        clouds = blobs(draw, features=4, apart=3)
        pixels = np.clip(128 + 50 * clouds.X, 0, 255)
        network = Network(pixels, clouds.y.astype(int), hidden=(8,), activation=draw.one_of("relu", "tanh"))
        scaled = Network(clouds.X, clouds.y.astype(int), hidden=(8,), activation=network.activation)
        steps = draw.one_of(GradientDescent(0.1), GradientDescent(0.3))
        return draw.case(
            f"features from 0 to 255 in a network of {network.activation} units",
            lambda: minimize(network, network.initial(draw.seed), steps, max_steps=200),
            lambda run: (
                not np.median(late(run)) < 2 * minimize(scaled, scaled.initial(draw.seed), steps, max_steps=200).fun
            ),
            broken,
        )
    if kind == 8:
        softmax = blobs(draw, features=4)
        multinomial = Softmax(softmax.X * scale, softmax.y.astype(int))
        slowly = GradientDescent(1 / multinomial.smoothness())
        return draw.case(
            "softmax regression on columns of unlike sizes",
            lambda: minimize(multinomial, np.zeros(multinomial.dimension), slowly, max_steps=300),
            lambda run: run.fun > 1.2 * minimize(Softmax(softmax.X, softmax.y.astype(int)), run.x[0] * 0, "lbfgs").fun,
            broken,
        )
    bent = curved(draw)
    prices = 20_000 + 5_000 * bent.y
    far = Network(bent.X, prices, hidden=(8,), activation="tanh", loss="squared")
    adam = Adam(float(rng.choice([0.001, 0.01])))
    return draw.case(
        f"targets in the ten thousands, {adam.label}",
        lambda: minimize(far, far.initial(draw.seed), adam, max_steps=300),
        lambda run: run.fun > 0.5 * run.value[0],
        broken,
    )


def overfitting(draw: Draw) -> Labelled:
    """A network with more parameters than rows, fitted on and on to noisy data; held-out rows tell."""
    kind = draw.kind
    rows = 120 + 4 * kind
    settings: dict[str, Any]
    if kind % 2:
        data = two_classes(draw, rows=rows, features=6, steepness=1.2)
        settings = {"loss": "cross_entropy"}
        y = np.where(data.y > 0, "yes", "no")
    else:
        data = curved(draw, rows=rows, features=6, noise=1.0)
        settings = {"loss": "squared"}
        y = data.y
    columns = {f"f{i}": data.X[:, i] for i in range(6)} | {"y": y}
    rule = draw.one_of(Adam(0.02), Adam(0.05), Momentum(0.05), stride=2)
    units = draw.one_of(20, 30, 25)
    activation = draw.one_of("tanh", "relu", stride=3)
    size = 10 if kind in (4, 5) else None

    def overfits(fitted: Fit) -> bool:
        curve = fitted.learning_curve()
        assert curve.held_out is not None
        assert fitted.held_out is not None
        lowest = int(np.argmin(curve.held_out))
        best, last = fitted.trajectory.x[np.searchsorted(fitted.trajectory.steps, curve.steps[lowest])], fitted.fitted.x
        rises = [
            fitted.model.errors(fitted.model.forward(last[None], rows.X), rows.y)
            - fitted.model.errors(fitted.model.forward(best[None], rows.X), rows.y)
            for rows in fitted.held_out.blocks()
        ]
        rise = np.concatenate(rises, axis=-1).ravel()
        return bool(
            lowest < 0.6 * len(curve.held_out)
            and curve.held_out[-1] > 1.3 * curve.held_out[lowest]
            and curve.loss[-1] < 0.7 * curve.loss[lowest]
            and rise.mean() > 2.5 * rise.std(ddof=1) / np.sqrt(len(rise))
        )

    def fitted(split: int) -> Fit:
        return fit(
            columns,
            "y",
            model="network",
            hidden=(units,),
            activation=activation,
            optimizer=rule,
            holdout=0.5,
            max_steps=400,
            batch_size=size,
            seed=split,
            **settings,
        )

    # Of a few ways to part the rows, the first that shows it beyond the noise of the rows held out.
    split = next(split for split in range(draw.seed, 1000) if overfits(fitted(split)))
    return draw.case(
        f"{units} {activation} units on {rows} rows, {rule.label}",
        lambda: fitted(split),
        overfits,
        frozenset({"loss_spike"}) if size else frozenset(),
    )


def sorted_batches(draw: Draw) -> Labelled:
    """Rows sorted by their target and taken in their own order: each batch knows one class only."""
    kind = draw.kind
    also = frozenset({"noise_floor", "loss_spike", "constant_predictor", "rate_too_large", "dead_units", "two_cycle"})
    size = int(draw.random.choice([5, 8, 10]))
    loss: Loss
    if kind % 3 == 0:
        data = two_classes(draw, rows=240)
        order = np.argsort(data.y, kind="stable")
        loss, start = Logistic(data.X[order], data.y[order]), np.zeros(4)
        rule = draw.one_of(GradientDescent(1.5), Momentum(0.4), stride=3)
    elif kind % 3 == 1:
        data = blobs(draw, rows=240, apart=1.5)
        order = np.argsort(data.y, kind="stable")
        loss = classifier(data._replace(X=data.X[order], y=data.y[order]), (8,), draw.one_of("relu", "tanh", stride=3))
        start = loss.initial(draw.seed)
        rule = draw.one_of(GradientDescent(1.5), GradientDescent(1.0), stride=3)
    else:
        data = blobs(draw, rows=240, apart=1.5, classes=4, features=4)
        order = np.argsort(data.y, kind="stable")
        loss = Softmax(data.X[order], data.y[order].astype(int))
        start = np.zeros(loss.dimension)
        rule = draw.one_of(GradientDescent(1.5), Adam(0.5), stride=3)
    batches = loss.batches(size, order="sequential")

    def forgets(run: Trajectory) -> bool:
        shuffled = minimize(loss.batches(size), start, rule, max_steps=300)
        return bool(np.mean(late(run)) > 1.15 * np.mean(late(shuffled)))

    return draw.case(
        f"sorted rows in {batches.title}, {rule.label}",
        lambda: minimize(batches, start, rule, max_steps=300),
        forgets,
        also,
    )


def noise_floor(draw: Draw) -> Labelled:
    """Small batches at a constant rate: the loss over all rows stays well above its lowest value."""
    kind = draw.kind
    noise = draw.between(0.5, 1.5)
    batches: Batches
    if kind < 5:
        data = numbers(draw, noise=noise, features=4)
        line = Linear(data.X, data.y)
        batches, lowest = line.batches(1), least_squares(line)[1]
        rule = draw.one_of(GradientDescent(0.08), Momentum(0.008), GradientDescent(0.1))
        start = np.zeros(5)
    elif kind < 8:
        labelled = two_classes(draw, steepness=1.5)
        logistic = Logistic(labelled.X, labelled.y)
        batches, lowest = logistic.batches(1), logistic_best(logistic)[1]
        rule = draw.one_of(GradientDescent(0.5), GradientDescent(0.35), Adam(0.2))
        start = np.zeros(4)
    else:
        rough = regressor(curved(draw, noise=0.8 + noise), (6,))
        batches, start = rough.batches(1), rough.initial(draw.seed)
        lowest = float(minimize(rough, start, "lbfgs", max_steps=200).fun)
        rule = GradientDescent(0.1)

    def floats(run: Trajectory) -> bool:
        third = run.value[len(run) // 2 : -len(run) // 4]
        end = float(np.mean(late(run)))
        return bool(end > 0.75 * np.mean(third) and 1.1 * lowest < end < 0.97 * run.value[0] > 0.6 * run.value.max())

    def run(seed: int) -> Trajectory:
        return minimize(batches, start, rule, max_steps=600, seed=seed)

    seed = next(seed for seed in range(1000) if floats(run(seed)))
    return draw.case(f"{rule.label} on {batches.title}", lambda: run(seed), floats, frozenset({"loss_spike"}))


ALL = (output_mismatch, unscaled, overfitting, sorted_batches, noise_floor)
