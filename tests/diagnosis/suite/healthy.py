"""Healthy runs of the kinds at which a diagnosis may cry wolf. Each has learnt what there was to learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tests.diagnosis.suite.case import Draw, Labelled
from tests.diagnosis.suite.material import (
    blobs,
    classifier,
    curved,
    learnt,
    least_squares,
    logistic_best,
    numbers,
    quadratic,
    regressor,
    rings,
    two_classes,
)

from fallline import (
    FISTA,
    LBFGS,
    AdaGrad,
    Adam,
    AdamW,
    AMSGrad,
    Backtracking,
    BarzilaiBorwein,
    ClipNorm,
    Comparison,
    ConjugateGradient,
    Cosine,
    Exponential,
    Fit,
    GradientDescent,
    GradientNorm,
    Huber,
    InverseTime,
    Linear,
    Lion,
    Logistic,
    Lookahead,
    Momentum,
    NAdam,
    Nesterov,
    Network,
    OneCycle,
    Optimizer,
    Poisson,
    Polynomial,
    ReduceOnPlateau,
    RMSProp,
    Rprop,
    ScheduleFreeSGD,
    SignDescent,
    Softmax,
    StepDecay,
    StrongWolfe,
    Trajectory,
    WarmUp,
    WarmUpStableDecay,
    WeightDecay,
    compare,
    fit,
    minimize,
)
from fallline.arrays import FloatArray

# Of each kind.
COUNT = 8


def well(run: Trajectory, lowest: float, left: float = 0.02) -> bool:
    """Whether nearly all of the fall was made, and hardly any of it in the last tenth of the steps."""
    fall = run.value[0] - lowest
    before = run.value[-max(1, len(run) // 10) :].max()
    return learnt(run, lowest, left) and bool(before - run.fun < left * fall)


def trained(run: Trajectory, share: float = 0.5) -> bool:
    """The same of a network whose lowest loss nobody knows: it fell below this share of the start, and rests."""
    before = run.value[-max(2, len(run) // 10) :]
    return bool(run.fun < share * run.value[0] and np.ptp(before) < 0.03 * (run.value[0] - run.fun))


def full_batch(draw: Draw) -> Labelled:
    """Plain descent on scaled data at a good rate."""
    rate = draw.random.uniform(0.5, 1.0)
    if draw.kind % 2:
        labelled = two_classes(draw)
        logistic = Logistic(labelled.X, labelled.y, l2=0.01 * (draw.kind // 2))
        _, lowest, curvature = logistic_best(logistic)
        rule = GradientDescent(rate / curvature)
        return draw.case(
            "logistic regression",
            lambda: minimize(logistic, np.zeros(4), rule, max_steps=400),
            lambda run: well(run, lowest),
        )
    data = numbers(draw, noise=draw.random.uniform(0.05, 0.5))
    line = Linear(data.X, data.y)
    plain = GradientDescent(rate / line.smoothness())
    return draw.case(
        "least squares",
        lambda: minimize(line, np.zeros(5), plain, max_steps=300),
        lambda run: well(run, least_squares(line)[1]),
    )


def formulas(draw: Draw) -> Labelled:
    """Landscapes and quadratics, from near a minimum and by a rule that suits them."""
    name, start, rule, lowest = draw.one_of(
        ("booth", [0.0, 0.0], GradientDescent(0.05), 0.0),
        ("himmelblau", [2.5, 1.5], GradientDescent(0.01), 0.0),
        ("mccormick", [0.0, -1.0], Momentum(0.1, momentum=0.5), -1.9132),
        ("matyas", [2.0, -1.0], Nesterov(0.5), 0.0),
    )
    place = np.array(start) + draw.random.uniform(-0.4, 0.4, 2)
    return draw.case(
        f"{name}, {rule.label}",
        lambda: minimize(name, place, rule, max_steps=400),
        lambda run: well(run, lowest),
    )


def momentum_ripples(draw: Draw) -> Labelled:
    """Momentum of 0.9 that swings a few times on its way, and comes to rest."""
    q = quadratic(draw, 2 + draw.kind, draw.between(2, 10), draw.between(0.1, 100))
    rule = draw.one_of(
        Momentum(0.1 / q.top), Momentum(0.2 / q.top, convention="torch"), Nesterov(0.3 / q.top), Momentum(0.5 / q.top)
    )
    return draw.case(
        f"{rule.label} on a quadratic of {len(q.m)}",
        lambda: minimize(q.text, q.start, rule, max_steps=250),
        lambda run: well(run, 0.0, 1e-3) and bool((np.diff(run.value) > 0).any()),
    )


def edge_of_stability(draw: Draw) -> Labelled:
    """Rates just below the limit, or of a network whose curvature rises to it: the loss falls, though unevenly."""
    if draw.kind < 2:
        q = quadratic(draw, 2 + draw.kind, 3, draw.between(0.1, 100))
        rule = GradientDescent(draw.random.uniform(1.6, 1.8) / q.top)
        return draw.case(
            "nine tenths of the limit on a round bowl",
            lambda: minimize(q.text, q.start, rule, max_steps=150),
            lambda run: well(run, 0.0, 1e-6),
        )
    if draw.kind == 2:
        # The minima lie on xy = 1, and the flattest has the curvature 4; this start is beside a steep one.
        x = draw.random.uniform(2.5, 3.0)
        rate = 2 / (2 * (x**2 + 1 / x**2)) * draw.random.uniform(1.0, 1.03)
        return draw.case(
            "a slide from a steep minimum to a flatter one",
            lambda: minimize("(x*y - 1)**2", [x, 1 / x + 0.15], GradientDescent(rate), max_steps=500),
            lambda run: well(run, 0.0, 1e-3),
        )
    network = regressor(curved(draw, rows=60), (8,), "tanh")
    start = network.initial(draw.seed)

    def sharpness(x: FloatArray) -> float:
        step = 1e-5 * np.eye(network.dimension)
        return float(np.linalg.eigvalsh((network.gradient(x + step) - network.gradient(x - step)) / 2e-5)[-1])

    rates = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    runs = [(rate, minimize(network, start, GradientDescent(rate), max_steps=500)) for rate in rates]
    edge = next(
        (rate for rate, run in runs if trained(run, 0.3) and 1.7 < rate * sharpness(run.final.x) < 2.3), rates[2]
    )
    return draw.case(
        f"a network at {edge}",
        lambda: minimize(network, start, GradientDescent(edge), max_steps=500),
        lambda run: trained(run, 0.3),
    )


def noisy_batches(draw: Draw) -> Labelled:
    """Small batches on nearly linear data: the loss is uneven, and ends close to its lowest."""
    data = numbers(draw, noise=draw.random.uniform(0.1, 0.3))
    line = Linear(data.X, data.y)
    rule = draw.one_of(
        GradientDescent(0.05), Momentum(0.004), Adam(0.03), GradientDescent(InverseTime(0.1, decay=0.02))
    )
    batches = line.batches(int(draw.random.choice([8, 16])))
    return draw.case(
        f"{rule.label} on {batches.title}",
        lambda: minimize(batches, np.zeros(5), rule, max_steps=500),
        lambda run: well(run, least_squares(line)[1]),
    )


def network_batches(draw: Draw) -> Labelled:
    """Networks that learn from shuffled batches."""
    network = (
        classifier(blobs(draw, apart=3), (8,), draw.one_of("relu", "tanh"))
        if draw.kind % 2
        else regressor(curved(draw, noise=0.2), (10,))
    )
    rule = draw.one_of(Adam(0.01), Adam(0.01), GradientDescent(Cosine(0.3, steps=500)), Momentum(0.02))
    return draw.case(
        f"{rule.label} on {network.title}",
        lambda: minimize(network.batches(16), network.initial(draw.seed), rule, max_steps=500),
        trained,
    )


def networks(draw: Draw) -> Labelled:
    """Networks on all rows in every step."""
    data = rings(draw) if draw.kind % 2 else curved(draw, noise=0.2)
    network = (
        classifier(data, (10,), draw.one_of("tanh", "relu", stride=2))
        if draw.kind % 2
        else regressor(data, (10,), "tanh")
    )
    rule = draw.one_of(Adam(0.03), Adam(0.03), Nesterov(0.05), Adam(0.03))
    return draw.case(
        f"{rule.label} on {network.title}",
        lambda: minimize(network, network.initial(draw.seed), rule, max_steps=500),
        trained,
    )


def label_noise(draw: Draw) -> Labelled:
    """A fifth to a third of the labels are wrong, so that the lowest loss is not far below the entropy of chance."""
    data = two_classes(draw, rows=200, steepness=4)
    wrong = draw.random.uniform(size=200) < draw.random.uniform(0.2, 0.3)
    y = np.where(wrong, 1 - data.y, data.y)
    logistic = Logistic(data.X, y)
    objective = logistic.batches(25) if draw.kind == 3 else logistic
    rule = draw.one_of(GradientDescent(1.0), Adam(0.05), Momentum(0.1), GradientDescent(0.2))
    return draw.case(
        f"{rule.label} on {objective.title}",
        lambda: minimize(objective, np.zeros(4), rule, max_steps=300),
        lambda run: well(run, logistic_best(logistic)[1], 0.05),
    )


def warm_ups(draw: Draw) -> Labelled:
    """A rate that rises first: the slow first steps are meant."""
    data = numbers(draw)
    line = Linear(data.X, data.y)
    network = regressor(curved(draw, noise=0.2), (10,))
    if draw.kind < 2:
        rule: Optimizer[Any] = draw.one_of(
            GradientDescent(WarmUp(0.3, steps=80, start=0.001)), Adam(WarmUp(0.05, steps=100, start=0.001))
        )
        return draw.case(
            f"{rule.label} on least squares",
            lambda: minimize(line, np.zeros(5), rule, max_steps=400),
            lambda run: well(run, least_squares(line)[1]),
        )
    rule = draw.one_of(
        Adam(WarmUp(Cosine(0.05, steps=400), steps=100, start=0.001)),
        Adam(WarmUpStableDecay(0.04, warm_up=100, stable=300, decay=100, start=0.01)),
    )
    return draw.case(
        f"{rule.label} on a network",
        lambda: minimize(network, network.initial(draw.seed), rule, max_steps=500),
        trained,
    )


def slow_valleys(draw: Draw) -> Labelled:
    """Narrow valleys, by rules that get through them."""
    match draw.kind:
        case 0:
            start = [-1.2 + 0.3 * draw.random.normal(), 1.0]
            return draw.case(
                "Rosenbrock's valley by L-BFGS",
                lambda: minimize("rosenbrock", start, "lbfgs", max_steps=200),
                lambda run: well(run, 0.0, 1e-4),
            )
        case 1:
            start = [draw.random.uniform(-0.5, 0.5), 0.5]
            return draw.case(
                "Rosenbrock's valley by Adam",
                lambda: minimize("rosenbrock", start, Adam(0.05), max_steps=2000),
                lambda run: well(run, 0.0, 1e-2),
            )
        case 2:
            q = quadratic(draw, 4, 200, draw.between(0.1, 10))
            best = Nesterov(1 / q.top, momentum=0.87)
            return draw.case(
                "a quadratic of condition 200 by Nesterov momentum",
                lambda: minimize(q.text, q.start, best, max_steps=500),
                lambda run: well(run, 0.0, 1e-3),
            )
        case _:
            q = quadratic(draw, 8, 100, draw.between(0.1, 10))
            root = np.sqrt(100)
            ball = Momentum(4 / q.top / (1 + 1 / root) ** 2, momentum=((root - 1) / (root + 1)) ** 2)
            return draw.case(
                "a function of 8 numbers and condition 100 by the best heavy ball",
                lambda: minimize(q.value, q.start, ball, max_steps=300, gradient=q.gradient),
                lambda run: well(run, 0.0, 1e-3),
            )


def plateaus_that_end(draw: Draw) -> Labelled:
    """Flat ground first, which the run leaves by itself, and then the minimum."""
    far = draw.random.uniform(1.5, 1.9)
    texts = (
        (f"1 - exp(-(x - {far:.6g})**2)", [0.0], GradientDescent(0.3), 0.0),
        ("x**2/(1 + x**2) + 0.5*y**2", [2.5 * far, 1.0], Adam(0.1), 0.0),
        (f"tanh(x - {far:.6g})**2 + 0.1*y**2", [-0.3, 1.0], Momentum(0.1), 0.0),
    )
    if draw.kind < 3:
        text, start, rule, lowest = texts[draw.kind]
        return draw.case(
            f"{text}, {rule.label}",
            lambda: minimize(text, start, rule, max_steps=500),
            lambda run: well(run, lowest, 1e-2),
        )
    network = classifier(rings(draw), (8,), "tanh")
    small = 0.3 * network.initial(draw.seed)
    return draw.case(
        "a network that starts with small weights",
        lambda: minimize(network, small, Adam(0.03), max_steps=500),
        trained,
    )


def adaptive_on_unscaled(draw: Draw) -> Labelled:
    """Columns of unlike sizes, by a rule that scales each coordinate for itself."""
    data = numbers(draw)
    X = data.X * draw.random.permutation([1.0, 20.0, 5.0, 0.5])
    line = Linear(X, data.y)
    rule = draw.one_of(Adam(0.03), AdaGrad(0.1), AMSGrad(0.03), RMSProp(Cosine(0.02, steps=600)))
    return draw.case(
        f"{rule.label} on columns of sizes from 0.5 to 20",
        lambda: minimize(line, np.zeros(5), rule, max_steps=600),
        lambda run: well(run, least_squares(line)[1]) and bool(run.value.max() < 1.5 * run.value[0]),
    )


def decaying_rates(draw: Draw) -> Labelled:
    """Schedules that decay as they should: the run rests at its end because it is done."""
    data = numbers(draw, noise=0.3)
    line = Linear(data.X, data.y)
    schedule = draw.one_of(
        Cosine(0.2, steps=400),
        Exponential(0.2, decay=0.99),
        StepDecay(0.2, factor=0.3, every=100),
        Polynomial(0.2, steps=400),
    )
    rule = (
        draw.one_of(GradientDescent(schedule), Adam(schedule), stride=2) if draw.seed % 2 else GradientDescent(schedule)
    )
    objective = line.batches(8) if draw.kind % 2 else line
    return draw.case(
        f"{rule.label} on {objective.title}",
        lambda: minimize(objective, np.zeros(5), rule, max_steps=400),
        lambda run: well(run, least_squares(line)[1]),
    )


def targets_reached(draw: Draw) -> Labelled:
    """Runs that end early, at the value that was asked for, while the loss still falls."""
    q = quadratic(draw, 3, 5, draw.between(0.1, 10))
    first = q.value(q.start)
    network = regressor(curved(draw, noise=0.1), (10,))
    if draw.kind < 2:
        rule = draw.one_of(GradientDescent(0.5 / q.top), Adam(0.05))
        return draw.case(
            f"{rule.label} on a quadratic",
            lambda: minimize(q.text, q.start, rule, target=0.01 * first, max_steps=1000),
            lambda run: run.stop.reason == "target reached",
        )
    objective = network.batches(32) if draw.kind == 3 else network
    return draw.case(
        f"{objective.title} to 0.1",
        lambda: minimize(objective, network.initial(draw.seed), Adam(0.02), target=0.1, max_steps=1000),
        lambda run: run.stop.reason == "target reached",
    )


def one_hot(draw: Draw) -> Labelled:
    """Features that are 0 but in a few rows, and rare categories."""
    rows = 160
    kinds = draw.random.choice(6, size=rows, p=[0.3, 0.25, 0.2, 0.1, 0.1, 0.05])
    kinds[:6] = range(6)
    X = np.eye(6)[kinds]
    w = draw.random.normal(size=6)
    if draw.kind % 2:
        y = (draw.random.uniform(size=rows) < 1 / (1 + np.exp(-w[kinds]))).astype(float)
        y[:12] = np.arange(12) // 6
        logistic = Logistic(X, y, l2=0.01)
        return draw.case(
            "logistic regression on categories",
            lambda: minimize(logistic, np.zeros(7), draw.one_of(Adam(0.1), LBFGS(), stride=2), max_steps=400),
            lambda run: well(run, logistic_best(logistic)[1]),
        )
    line = Linear(X, w[kinds] + 0.2 * draw.random.normal(size=rows))
    objective = line.batches(16) if draw.kind == 2 else line
    rule = draw.one_of(GradientDescent(0.5), Adam(0.05), stride=2)
    return draw.case(
        f"least squares on categories, {rule.label}",
        lambda: minimize(objective, np.zeros(7), rule, max_steps=600),
        lambda run: well(run, least_squares(line)[1], 0.05),
    )


def embeddings(draw: Draw) -> Labelled:
    """A first layer of which each row moves only when its word is in the batch."""
    rows, words = 200, 15
    word = np.arange(rows) % words
    X = np.eye(words)[word]
    meaning = draw.random.normal(size=words)
    if draw.kind % 2:
        network = Network(X, (meaning[word] > np.median(meaning)).astype(int), hidden=(4,), activation="tanh")
    else:
        network = Network(X, meaning[word], hidden=(4,), activation="tanh", loss="squared")
    objective = network.batches(20) if draw.kind >= 2 else network
    return draw.case(
        f"{objective.title}",
        lambda: minimize(objective, network.initial(draw.seed), Adam(0.05), max_steps=400),
        trained,
    )


def line_searches(draw: Draw) -> Labelled:
    """Rules that choose their own step."""
    rule = draw.one_of(
        GradientDescent(Backtracking(1.0)),
        LBFGS(StrongWolfe()),
        ConjugateGradient(StrongWolfe()),
        BarzilaiBorwein(0.01),
    )
    if draw.seed % 2:
        data = numbers(draw)
        line = Linear(data.X, data.y)
        return draw.case(
            f"{rule.label} on least squares",
            lambda: minimize(line, np.zeros(5), rule, max_steps=200),
            lambda run: well(run, least_squares(line)[1]),
        )
    q = quadratic(draw, 4, 10, draw.between(0.5, 5))
    return draw.case(
        f"{rule.label} on a quadratic",
        lambda: minimize(q.text, q.start, rule, max_steps=200),
        lambda run: well(run, 0.0),
    )


def default_fits(draw: Draw) -> Labelled:
    """Fits as `fit` makes them unasked, on columns in units of their own, with rows held out."""
    data = numbers(draw, noise=0.3) if draw.kind % 2 else two_classes(draw, rows=160)
    sizes = draw.random.permutation([1.0, 50.0, 2000.0, 0.01])
    columns = {f"f{i}": data.X[:, i] * sizes[i] + sizes[i] for i in range(data.X.shape[1])} | {"y": data.y}
    model = "linear" if draw.kind % 2 else "logistic"
    batches: dict[str, Any] = {"batch_size": 20, "epochs": 30} if draw.kind == 2 else {}
    return draw.case(
        f"{model} {'in batches' if batches else ''}",
        lambda: fit(columns, "y", model=model, holdout=0.25, seed=draw.seed, **batches),
        lambda fitted: fitted.score() > (0.8 if model == "linear" else 0.6),
    )


def network_fits(draw: Draw) -> Labelled:
    """Small networks on many rows, whose held-out loss does not rise."""
    data = curved(draw, rows=300, features=2, noise=0.3) if draw.kind % 2 else blobs(draw, rows=300, apart=2.5)
    columns: dict[str, Any] = {f"f{i}": data.X[:, i] for i in range(data.X.shape[1])}
    columns["y"] = data.y if draw.kind % 2 else np.array(["one", "two", "three"])[data.y.astype(int)]
    loss = "squared" if draw.kind % 2 else "cross_entropy"

    def fine(fitted: Fit) -> bool:
        held_out = fitted.learning_curve().held_out
        assert held_out is not None
        return trained(fitted.trajectory, 0.7) and bool(held_out[-1] < 1.05 * held_out.min())

    return draw.case(
        f"a network with {loss} on 300 rows",
        lambda: fit(
            columns,
            "y",
            model="network",
            hidden=(5,),
            activation="tanh",
            loss=loss,
            l2=0.01,
            holdout=0.3,
            optimizer=Adam(0.03),
            max_steps=400,
            seed=draw.seed,
        ),
        fine,
    )


def modest_decay(draw: Draw) -> Labelled:
    """Weight decay of the usual size."""
    network = classifier(blobs(draw, apart=2.5), (8,), draw.one_of("relu", "tanh"))
    rule = draw.one_of(
        AdamW(0.02, weight_decay=0.01, convention="torch"),
        WeightDecay(Momentum(0.05), decay=1e-4, convention="torch"),
        AdamW(0.02, convention="keras"),
        WeightDecay(GradientDescent(0.3), decay=1e-3, convention="torch"),
    )
    return draw.case(
        rule.label,
        lambda: minimize(network, network.initial(draw.seed), rule, max_steps=500),
        trained,
    )


def rare_clipping(draw: Draw) -> Labelled:
    """A limit that shortens only the first steps."""
    data = numbers(draw)
    line = Linear(data.X, data.y)
    network = classifier(blobs(draw, apart=3), (8,), "tanh")
    if draw.kind % 2:
        rule = ClipNorm(draw.one_of(Adam(0.02), Momentum(0.05), stride=2), limit=1.0)
        return draw.case(
            f"{rule.label} on a network",
            lambda: minimize(network, network.initial(draw.seed), rule, max_steps=400),
            trained,
        )
    plain = ClipNorm(GradientDescent(0.3), limit=1.0)
    return draw.case(
        f"{plain.label} on least squares",
        lambda: minimize(line.batches(30) if draw.kind else line, np.zeros(5), plain, max_steps=300),
        lambda run: well(run, least_squares(line)[1]) and bool(run.gradient_norm[0] > 1),
    )


def zero_heads(draw: Draw) -> Labelled:
    """Random hidden layers under a last layer that starts at zero."""
    network = (
        classifier(blobs(draw, apart=2.5), (8,), draw.one_of("relu", "tanh"))
        if draw.kind % 2
        else regressor(curved(draw, noise=0.2), (10,))
    )
    *hidden, head = network.layers(network.initial(draw.seed))
    start = network.flat([*hidden, (0 * head.W, head.b)])
    return draw.case(
        network.title,
        lambda: minimize(network, start, Adam(0.03), max_steps=500),
        trained,
    )


def other_rules(draw: Draw) -> Labelled:
    """Rules that most people do not know, on least squares."""
    data = numbers(draw, noise=0.3)
    line = Linear(data.X, data.y)
    rules = (
        NAdam(0.05), Lookahead(GradientDescent(0.3)), ScheduleFreeSGD(0.5), Rprop(0.1),
        Lookahead(Adam(0.05)), SignDescent(Exponential(0.1, decay=0.98)), Lion(Cosine(0.05, steps=400)),
        Adam(0.1, beta1=0.5),
    )  # fmt: skip
    rule = rules[draw.seed]
    return draw.case(
        f"{rule.label}",
        lambda: minimize(line, np.zeros(5), rule, max_steps=500),
        lambda run: well(run, least_squares(line)[1]),
    )


def sparse_models(draw: Draw) -> Labelled:
    """The lasso by proximal rules."""
    data = numbers(draw, features=6, noise=0.3)
    line = Linear(data.X, data.y - 0.9 * data.X[:, 0] * data.w[0])
    penalty = line.l1_penalty(draw.between(0.02, 0.2))
    rule = FISTA(1 / line.smoothness(), penalty)
    return draw.case(
        rule.label,
        lambda: minimize(line, np.zeros(7), rule, max_steps=300),
        lambda run: np.linalg.norm(run.x[-1] - run.x[-20]) < 1e-3,
    )


def users_functions(draw: Draw) -> Labelled:
    """Functions in plain NumPy, with their right gradient or none."""
    q = quadratic(draw, 5, 5, draw.between(0.5, 5))
    data = numbers(draw)

    def loss(w: FloatArray) -> Any:
        rest = data.X @ w[:4] + w[4] - data.y
        return np.mean(np.sqrt(1 + rest**2))

    def bowl(x: FloatArray) -> Any:
        return np.sum((x - q.m) ** 2) + 0.1 * np.sum((x - q.m) ** 4)

    cases: tuple[tuple[Callable[..., Any], FloatArray, Any, float], ...] = (
        (q.value, q.start, q.gradient, 1 / q.top),
        (loss, np.zeros(5), "auto", 0.7),
        (bowl, q.start, "auto", 0.05),
        (lambda x, y: (x - 1) ** 2 + 3 * (y + x) ** 2, np.array([3.0, 1.0]), "auto", 0.1),
    )
    function, start, way, rate = draw.one_of(*cases)

    def rests(run: Trajectory) -> bool:
        return bool(run.gradient_norm[-1] < 1e-3 * run.gradient_norm[0])

    return draw.case(
        f"{getattr(function, '__name__', '')} at {rate:.3g}",
        lambda: minimize(function, start, GradientDescent(rate), max_steps=200, gradient=way),
        rests,
    )


def plateau_schedules(draw: Draw) -> Labelled:
    """A schedule that lowers the rate where the loss stands, and so ends the noise."""
    data = numbers(draw, noise=0.4)
    line = Linear(data.X, data.y)
    rule = GradientDescent(ReduceOnPlateau(0.1, factor=0.3, patience=draw.one_of(20, 30, 40, 25)))
    return draw.case(
        rule.label,
        lambda: minimize(line.batches(8), np.zeros(5), rule, max_steps=600),
        lambda run: well(run, least_squares(line)[1]) and bool(run.rate[-2] < run.rate[0]),
    )


def other_losses(draw: Draw) -> Labelled:
    """Huber's loss with outliers, counts, several classes, a deep narrow network that learns."""
    data = numbers(draw)
    match draw.kind:
        case 0:
            y = np.where(draw.random.uniform(size=120) < 0.05, data.y + 8, data.y)
            huber = Huber(data.X, y)
            return draw.case(
                "Huber's loss",
                lambda: minimize(huber, np.zeros(5), GradientDescent(0.5 / huber.smoothness()), max_steps=400),
                lambda run: run.gradient_norm[-1] < 1e-3 * run.gradient_norm[0],
            )
        case 1:
            counts = draw.random.poisson(np.exp(0.4 * data.y)).astype(float)
            poisson = Poisson(data.X, counts)
            return draw.case(
                "counts by L-BFGS",
                lambda: minimize(poisson, np.zeros(5), "lbfgs", max_steps=100),
                lambda run: run.gradient_norm[-1] < 1e-3 * run.gradient_norm[0],
            )
        case 2:
            clouds = blobs(draw, apart=2)
            softmax = Softmax(clouds.X, clouds.y.astype(int), l2=0.01)
            return draw.case(
                "softmax regression",
                lambda: minimize(softmax, np.zeros(softmax.dimension), GradientDescent(0.5), max_steps=400),
                lambda run: run.gradient_norm[-1] < 1e-2 * run.gradient_norm[0],
            )
        case _:
            deep = classifier(blobs(draw, apart=3), (6, 6, 6), "tanh")
            return draw.case(
                "a network of four layers",
                lambda: minimize(deep, deep.initial(draw.seed), Adam(0.02), max_steps=300),
                trained,
            )


def comparisons(draw: Draw) -> Labelled:
    """Several rules or starts, all of which do well."""
    q = quadratic(draw, 3, 5, 1.0)
    rules: dict[str, Optimizer[Any] | str] = {"plain": GradientDescent(0.5), "ball": Momentum(0.1), "adam": Adam(0.1)}
    starts = [q.start, q.m + 1.0, q.m - 1.0]
    data = numbers(draw)
    line = Linear(data.X, data.y)

    def fine(runs: Comparison) -> bool:
        lowest = 0.0 if draw.kind < 3 else least_squares(line)[1]
        return all(well(run, lowest) for run in runs)

    if draw.kind == 3:
        return draw.case("three rules on least squares", lambda: compare(line, np.zeros(5), rules, max_steps=300), fine)
    if draw.kind == 2:
        return draw.case(
            "three starts on a quadratic", lambda: compare(q.text, starts, GradientDescent(0.5), max_steps=300), fine
        )
    return draw.case(
        "three rules on a quadratic", lambda: compare(q.text, q.start, rules, max_steps=[300, 250][draw.kind]), fine
    )


def small_gradients(draw: Draw) -> Labelled:
    """Runs that were asked to end at a small gradient, or started beside the minimum."""
    q = quadratic(draw, 2 + draw.kind, 5, draw.between(0.01, 1000), distance=draw.one_of(1.0, 1e-3, 100.0, 1.0))
    rule = draw.one_of(
        GradientDescent(0.7 / q.top), GradientDescent(1 / q.top), Nesterov(0.3 / q.top), Momentum(0.2 / q.top)
    )
    end = GradientNorm(1e-6 * float(np.linalg.norm(q.gradient(q.start))))
    return draw.case(
        f"{rule.label} until the slope is a millionth",
        lambda: minimize(q.text, q.start, rule, max_steps=500, stop=end),
        lambda run: run.stop.converged,
    )


def one_cycles(draw: Draw) -> Labelled:
    """A rate that goes up and down once, and batches."""
    network = (
        regressor(curved(draw, noise=0.2), (10,)) if draw.kind % 2 else classifier(blobs(draw, apart=3), (8,), "relu")
    )
    rule = draw.one_of(Adam(OneCycle(0.05, steps=400)), Momentum(OneCycle(0.05, steps=400)), stride=2)
    return draw.case(
        rule.label,
        lambda: minimize(network.batches(30), network.initial(draw.seed), rule, max_steps=400),
        trained,
    )


ALL = (
    full_batch, formulas, momentum_ripples, edge_of_stability, noisy_batches, network_batches, networks, label_noise,
    warm_ups, slow_valleys, plateaus_that_end, adaptive_on_unscaled, decaying_rates, targets_reached, one_hot,
    embeddings, line_searches, default_fits, network_fits, modest_decay, rare_clipping, zero_heads, other_rules,
    sparse_models, users_functions, plateau_schedules, other_losses, comparisons, small_gradients, one_cycles,
)  # fmt: skip
