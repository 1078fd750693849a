"""Cases of networks whose start, depth or units keep the gradient from doing its work."""

from __future__ import annotations

import numpy as np
from tests.diagnosis.suite.case import Draw, Labelled
from tests.diagnosis.suite.material import (
    blobs,
    bottom_to_top,
    classifier,
    constant_loss,
    curved,
    dead_share,
    layer_slopes,
    regressor,
    rings,
    standardized,
    with_biases,
)

from fallline import (
    Adam,
    GradientDescent,
    Linear,
    Logistic,
    Momentum,
    Nesterov,
    Network,
    NotFinite,
    RMSProp,
    Softmax,
    Trajectory,
    minimize,
)
from fallline.arrays import FloatArray
from fallline.models import Loss

STUCK = frozenset({"plateau", "constant_predictor", "too_slow", "vanishing_gradients"})


def constant_predictor(draw: Draw) -> Labelled:
    """Models that answer the same for every row, whose loss stays at the targets' entropy or variance."""
    kind = draw.kind
    end = NotFinite()
    rng = draw.random
    data = rings(draw)
    loss: Loss
    also = frozenset[str]()
    match kind:
        case 0 | 1:
            # No line tells a ring from what is within it.
            loss = Logistic(data.X, data.y)
            start = 0.3 * rng.normal(size=3)
        case 2:
            x = np.linspace(-1, 1, 121)
            X = standardized(x[:, None])
            loss = Linear(X, X[:, 0] ** 2)
            start = 0.5 * rng.normal(size=2)
        case 3:
            signs = rng.choice([-1.0, 1.0], (160, 3))
            signs = np.concatenate([signs, -signs])
            loss = Softmax(signs, ((signs[:, 0] * signs[:, 1] > 0) * 1).astype(int))
            start = 0.2 * rng.normal(size=loss.dimension)
        case 4 | 5:
            network = classifier(blobs(draw), (6,), "relu")
            loss, start = network, with_biases(network, network.initial(draw.seed), 0, -100.0)
            also = STUCK | {"dead_units"}
        case 6 | 7:
            network = regressor(curved(draw), (8,) * 5, "sigmoid")
            loss, start = network, network.initial(draw.seed)
            also = STUCK | {"saddle"}
        case 8:
            network = Network(data.X, data.y.astype(int), hidden=())
            loss, start = network, 0.2 * network.initial(draw.seed)
        case _:
            network = classifier(data, (6,), "tanh")
            loss, start = network, 0 * network.initial(draw.seed)
            start[-2:] = 0.1
            also = STUCK | {"symmetric_start", "saddle"}
    rule = draw.one_of(GradientDescent(0.3), Adam(0.05), Momentum(0.05), Nesterov(0.1))
    if kind in (6, 7):
        rule = draw.one_of(GradientDescent(0.2), Momentum(0.02))
    objective = loss.batches(60) if kind == 1 else loss
    chance = constant_loss(loss)
    return draw.case(
        f"{rule.label} on {objective.title}",
        lambda: minimize(objective, start, rule, max_steps=320, stop=end),
        lambda run: np.all(np.abs(run.value[-64:] / chance - 1) < 0.01),
        also,
    )


def dead_units(draw: Draw) -> Labelled:
    """Rectifiers below zero for every row, or sigmoids far out on their flat ends."""
    kind, rng = draw.kind, draw.random
    also = STUCK | {"saddle"}
    data = blobs(draw) if kind % 2 else curved(draw)
    make = classifier if kind % 2 else regressor
    if kind < 4:
        network = make(data, (8,) if kind < 2 else (8, 6), "relu")
        start = with_biases(network, network.initial(draw.seed), kind // 2, -draw.between(20, 200))
        rule = draw.one_of(Adam(0.01), GradientDescent(0.05))
        return draw.case(
            f"biases of rectifiers far below zero, {rule.label}",
            lambda: minimize(network, start, rule, max_steps=250, stop=NotFinite()),
            lambda run: dead_share(network, run.final.x) > 0.5,
            also,
        )
    if kind < 7:
        # The first step throws the biases far below zero.
        network = classifier(blobs(draw), (8,), "relu")
        start = network.initial(draw.seed)
        huge = GradientDescent(draw.between(80, 200))
        return draw.case(
            f"rectifiers after first steps at {huge.learning_rate:.0f}",
            lambda: minimize(network, start, huge, max_steps=250, stop=NotFinite()),
            lambda run: dead_share(network, run.final.x) > 0.5,
            also | {"rate_too_large", "not_finite", "update_size", "exploding_gradients", "loss_spike", "no_warm_up"},
        )
    network = make(data, (8,), draw.one_of("sigmoid", "tanh"))
    start = network.initial(draw.seed)
    start[network.filters()[0].start : network.filters()[7].stop] *= draw.between(300, 1000)
    start = with_biases(network, start, 0, 0.0)
    layers = network.layers(start)
    far = [(layers[0].W, 400 * rng.choice([-1.0, 1.0], 8)), *[(layer.W, layer.b) for layer in layers[1:]]]
    saturated = network.flat(far) if kind != 8 else network.flat([(layers[0].W * 0.01, 60 + 0 * layers[0].b), *far[1:]])
    slowly = GradientDescent(0.05)
    return draw.case(
        f"{network.activation} units far out on their ends",
        lambda: minimize(network, saturated, slowly, max_steps=250, stop=NotFinite()),
        lambda run: dead_share(network, run.final.x) > 0.5,
        # A step is nothing beside weights of some hundreds.
        also | {"update_size"},
    )


def vanishing_gradients(draw: Draw) -> Labelled:
    """Deep networks of sigmoids, or with small weights, whose first layers have hardly any gradient."""
    kind = draw.kind
    data = blobs(draw, rows=90) if kind % 2 and kind < 6 else curved(draw, rows=90)
    make = classifier if kind % 2 and kind < 6 else regressor
    depth = 8 + kind % 3
    if kind < 6:
        network = make(data, (4,) * depth, "sigmoid")
        start = network.initial(draw.seed)
        about = f"{depth} layers of sigmoids"
    else:
        network = make(data._replace(y=data.y + 1), (4,) * depth, draw.one_of("tanh", "leaky_relu"))
        start = network.initial(draw.seed) * draw.between(0.02, 0.1)
        about = f"{depth} layers of {network.activation} units with small weights"
    rule = draw.one_of(GradientDescent(0.1), Momentum(0.02), GradientDescent(0.05))

    return draw.case(
        f"{about}, {rule.label}",
        lambda: minimize(network, start, rule, max_steps=250),
        lambda _: bottom_to_top(network, start) < 1e-3 and layer_slopes(network, start)[0] < 1e-4,
        frozenset({"plateau", "constant_predictor", "too_slow", "saddle", "update_size"}),
    )


def exploding_gradients(draw: Draw) -> Labelled:
    """Networks whose weights are so large that the gradient grows from layer to layer on the way back."""
    kind = draw.kind
    data = blobs(draw, rows=90) if kind % 2 else curved(draw, rows=90)
    make = classifier if kind % 2 else regressor
    depth = 3 + kind % 3
    network = make(data, (6,) * depth, "relu" if kind < 6 else "leaky_relu")
    factor = draw.between(20, 40)

    def explosive(seed: int) -> FloatArray:
        # Wᵀ ∂ℓ/∂W is the same for all layers of rectifiers: the gradient is largest where the weights are smallest.
        first, *others = network.layers(network.initial(seed) * factor)
        return network.flat([(first.W / (factor**2 if kind < 7 else 1), first.b), *others])

    def explodes(seed: int) -> bool:
        steep = np.linalg.norm(network.gradient(explosive(seed)))
        usual = np.linalg.norm(network.gradient(network.initial(seed)))
        return bool(steep > 30 * usual and (kind >= 7 or bottom_to_top(network, explosive(seed)) > 70))

    start = explosive(next(seed for seed in range(draw.seed, 1000) if explodes(seed)))
    rule = draw.one_of(GradientDescent(0.01), Adam(0.001), GradientDescent(0.1), Momentum(0.01))
    return draw.case(
        f"{depth} layers with large weights, {rule.label}",
        lambda: minimize(network, start, rule, max_steps=100),
        lambda _: np.linalg.norm(network.gradient(start)) > 30,
        frozenset(
            {"not_finite", "rate_too_large", "loss_spike", "dead_units", "constant_predictor", "plateau"}
            | {"update_size", "no_warm_up", "too_slow", "zigzag", "two_cycle", "momentum_overshoot"}
        ),
    )


def symmetric_start(draw: Draw) -> Labelled:
    """All units of a layer start alike, and so stay alike."""
    kind = draw.kind
    data = blobs(draw) if kind % 2 else curved(draw)
    make = classifier if kind % 2 else regressor
    hidden = ((8,), (5,), (6, 6), (4, 4), (10,))[kind % 5]
    network = make(data, hidden, draw.one_of("tanh", "relu", "sigmoid", stride=3))
    # Rectifiers with all weights and biases at zero would be dead besides.
    same = 0.0 if kind in (0, 3, 7) and network.activation != "relu" else draw.between(0.05, 0.5)
    start = np.where(network.are_weights, same, 0.1 if kind % 4 == 1 else 0.0)
    rule = draw.one_of(GradientDescent(0.1), Adam(0.01), Momentum(0.02), RMSProp(0.005))
    objective = network.batches(32) if kind in (4, 9) else network

    def alike(run: Trajectory) -> bool:
        # Rounding, which rules that divide by the slope's size make large, may part them in the end.
        soon = run.x[min(20, len(run) - 1)]
        return all(bool(np.ptp(layer.W, axis=0).max() < 1e-6) for layer in network.layers(soon)[:-1])

    return draw.case(
        f"all weights {same:.2g} in {objective.title}, {rule.label}",
        lambda: minimize(objective, start, rule, max_steps=250),
        alike,
        STUCK | {"saddle", "dead_units"},
    )


ALL = (constant_predictor, dead_units, vanishing_gradients, exploding_gradients, symmetric_start)
