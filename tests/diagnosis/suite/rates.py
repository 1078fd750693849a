"""Cases of a learning rate that does not suit the curvature, and of steps that show it."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.diagnosis.suite.case import Draw, Labelled
from tests.diagnosis.suite.material import (
    blobs,
    classifier,
    curved,
    failed,
    late,
    learnt,
    least_squares,
    logistic_best,
    numbers,
    quadratic,
    regressor,
    slow,
    two_classes,
)

from fallline import (
    AdaGrad,
    Adam,
    GradientDescent,
    Linear,
    Lion,
    Logistic,
    Momentum,
    Nesterov,
    Optimizer,
    RMSProp,
    SignDescent,
    Signum,
    Softmax,
    Trajectory,
    WarmUp,
    fit,
    minimize,
)
from fallline.arrays import FloatArray

# What a run over its limit shows besides.
DIVERGED = frozenset(
    {"not_finite", "zigzag", "two_cycle", "loss_spike", "update_size", "exploding_gradients", "momentum_overshoot"}
)
STUCK = frozenset({"plateau", "constant_predictor", "dead_units", "vanishing_gradients"})


def rate_too_large(draw: Draw) -> Labelled:
    """The rate is 1.1 to 3 times the limit that is known in closed form; or of a size that no network bears."""
    factor = draw.between(1.1, 2.5)
    match draw.kind:
        case 0:
            q = quadratic(draw, 2 + draw.seed % 2, 10, draw.between(0.1, 100))
            rule = GradientDescent(factor * 2 / q.top)
            return draw.case(
                f"descent at {factor:.2f} times the limit of a quadratic",
                lambda: minimize(q.text, q.start, rule, max_steps=60),
                failed,
                DIVERGED,
            )
        case 1:
            beta = float(draw.random.choice([0.5, 0.9, 0.95]))
            q = quadratic(draw, 3, 20, draw.between(0.1, 10))
            ball = Momentum(factor * 2 * (1 + beta) / q.top, momentum=beta)
            return draw.case(
                f"heavy ball of {beta} at {factor:.2f} times its limit",
                lambda: minimize(q.text, q.start, ball, max_steps=60),
                failed,
                DIVERGED,
            )
        case 2:
            q = quadratic(draw, 4, 15, draw.between(0.1, 10))
            # 2 (1 + β) / (1 + 2β) at β = 0.9.
            nesterov = Nesterov(factor * 1.357 / q.top, momentum=0.9)
            return draw.case(
                f"Nesterov momentum at {factor:.2f} times its limit",
                lambda: minimize(q.text, q.start, nesterov, max_steps=60),
                failed,
                DIVERGED,
            )
        case 3:
            data = numbers(draw)
            line = Linear(data.X, data.y)
            steep = GradientDescent(factor * 2 / line.smoothness())
            return draw.case(
                f"least squares at {factor:.2f} times the limit",
                lambda: minimize(line, np.zeros(5), steep, max_steps=80),
                failed,
                DIVERGED,
            )
        case 4:
            data = two_classes(draw)
            logistic = Logistic(data.X, data.y)
            _, lowest, curvature = logistic_best(logistic)
            wide = GradientDescent(3 * factor * 2 / curvature)
            return draw.case(
                f"logistic regression at {3 * factor:.1f} times the limit at its minimum",
                lambda: minimize(logistic, np.zeros(4), wide, max_steps=150),
                lambda run: np.median(late(run)) > 1.3 * lowest,
                DIVERGED,
            )
        case 5:
            network = classifier(blobs(draw, apart=1.5), (8,), "tanh")
            jump = GradientDescent(draw.between(20, 60))
            return draw.case(
                f"descent at {jump.learning_rate:.0f} on a network",
                lambda: minimize(network, network.initial(draw.seed), jump, max_steps=150),
                failed,
                DIVERGED | STUCK,
            )
        case 6:
            network = regressor(curved(draw), (12,), "tanh")
            adam, start = Adam(draw.between(1, 4)), network.initial(draw.seed)
            return draw.case(
                f"Adam at {adam.learning_rate:.1f} on a network",
                lambda: minimize(network, start, adam, max_steps=150),
                lambda run: run.fun > 3 * minimize(network, start, Adam(0.05), max_steps=150).fun,
                DIVERGED | STUCK,
            )
        case 7:
            data = numbers(draw)
            line = Linear(data.X, data.y)
            steep = GradientDescent(factor * 2 / line.smoothness())
            batches = line.batches(int(draw.random.choice([16, 32])))
            return draw.case(
                f"batches of {batches.size} at {factor:.2f} times the limit",
                lambda: minimize(batches, np.zeros(5), steep, max_steps=80),
                failed,
                DIVERGED | {"noise_floor"},
            )
        case 8:
            # The curvatures at the four minima are 82.3, 105.7, 133.8 and 80.4: this is the least.
            steep = GradientDescent(1.2 * factor * 2 / 80.4)
            place = [3 + 0.2 * draw.random.normal(), 2 + 0.2 * draw.random.normal()]
            return draw.case(
                f"Himmelblau's function at {1.2 * factor:.2f} times the limit at its flattest minimum",
                lambda: minimize("himmelblau", place, steep, max_steps=150),
                lambda run: not run.fun < 1.0,
                DIVERGED,
            )
        case _:
            q = quadratic(draw, 2, 5, 1.0)
            far = RMSProp(draw.between(2, 4))
            return draw.case(
                f"RMSProp with steps of {far.learning_rate:.1f} around a minimum at distance 1",
                lambda: minimize(q.text, q.start, far, max_steps=150),
                failed,
                DIVERGED | {"sign_dither"},
            )


def too_slow(draw: Draw) -> Labelled:
    """The rate is a thousandth of a good one, or the run ends after a few steps."""
    also = frozenset({"update_size", "plateau", "constant_predictor"})
    match draw.kind:
        case 0:
            q = quadratic(draw, 2 + draw.seed % 2, 5, draw.between(0.1, 100))
            rule = GradientDescent(draw.between(2e-4, 1e-3) / q.top)
            return draw.case(
                "descent at a thousandth of the limit",
                lambda: minimize(q.text, q.start, rule, max_steps=300),
                lambda run: slow(run, 0.0),
                also,
            )
        case 1:
            data = two_classes(draw)
            columns = {f"f{i}": data.X[:, i] for i in range(3)} | {"label": data.y}
            lowest = logistic_best(Logistic(data.X, data.y))[1]
            few = GradientDescent(draw.between(0.03, 0.08))
            return draw.case(
                "a fit of 25 steps",
                lambda: fit(columns, "label", optimizer=few, max_steps=25),
                lambda fitted: slow(fitted.trajectory, lowest),
                also,
            )
        case 2:
            network = classifier(blobs(draw), (8,))
            adam = Adam(draw.between(3e-7, 3e-6))
            return draw.case(
                f"Adam at {adam.learning_rate:.1e} on a network",
                lambda: minimize(network, network.initial(draw.seed), adam, max_steps=300),
                lambda run: slow(run, 0.2, 0.1),
                also,
            )
        case 3:
            data = numbers(draw)
            line = Linear(data.X, data.y)
            rule = GradientDescent(draw.between(3e-4, 1e-3) / line.smoothness())
            return draw.case(
                "least squares at a thousandth of 1/L",
                lambda: minimize(line, np.zeros(5), rule, max_steps=300),
                lambda run: slow(run, least_squares(line)[1]),
                also,
            )
        case 4:
            q = quadratic(draw, 3, 5, draw.between(0.1, 100), distance=5)
            adam = Adam(draw.between(1e-4, 1e-3))
            return draw.case(
                "Adam with steps of 1/1000 at a distance of 5",
                lambda: minimize(q.text, q.start, adam, max_steps=300),
                lambda run: slow(run, 0.0, 0.3),
                also,
            )
        case 5:
            data = numbers(draw)
            line = Linear(data.X, data.y)
            rule = GradientDescent(draw.between(1e-4, 5e-4))
            return draw.case(
                "3 epochs of batches at a small rate",
                lambda: minimize(line.batches(4), np.zeros(5), rule, max_steps=90),
                lambda run: slow(run, least_squares(line)[1]),
                also,
            )
        case 6:
            q = quadratic(draw, 4, 5, draw.between(0.1, 10))
            ball = Momentum(draw.between(2e-5, 1e-4) / q.top)
            return draw.case(
                "heavy ball at a ten-thousandth of its limit",
                lambda: minimize(q.text, q.start, ball, max_steps=300),
                lambda run: slow(run, 0.0),
                also,
            )
        case 7:
            data = blobs(draw, apart=3)
            softmax = Softmax(data.X, data.y.astype(int))
            few = GradientDescent(draw.between(0.01, 0.03))
            return draw.case(
                "softmax regression for 30 steps",
                lambda: minimize(softmax, np.zeros(softmax.dimension), few, max_steps=30),
                lambda run: slow(run, 0.3),
                also,
            )
        case 8:
            network = regressor(curved(draw), (10,))
            rule = GradientDescent(draw.between(1e-6, 1e-4))
            return draw.case(
                f"descent at {rule.learning_rate:.1e} on a network",
                lambda: minimize(network, network.initial(draw.seed), rule, max_steps=300),
                lambda run: slow(run, 0.0, 0.2),
                also,
            )
        case _:
            q = quadratic(draw, 10, 10, draw.between(0.1, 100))
            rule = GradientDescent(draw.between(2e-4, 1e-3) / q.top)
            return draw.case(
                "a function of 10 numbers at a thousandth of the limit",
                lambda: minimize(q.value, q.start, rule, max_steps=200, gradient=q.gradient),
                lambda run: slow(run, 0.0),
                also,
            )


def two_cycle(draw: Draw) -> Labelled:
    """Functions between whose slopes a run at this rate jumps to and fro for ever."""
    also = frozenset({"rate_too_large", "zigzag"})
    size = draw.between(0.5, 3)

    def cycles(run: Trajectory) -> bool:
        x = run.x
        return bool(np.linalg.norm(x[-1] - x[-3]) < 0.05 * np.linalg.norm(x[-1] - x[-2]))

    place = draw.random.uniform(-2, 2)
    away = place + draw.between(0.5, 3)
    match draw.kind:
        case 0:
            text, start, rule = f"abs(x - {place:.17g})**1.5", [away], GradientDescent(size / 2)
        case 1:
            text, start, rule = f"sqrt(1 + (x - {place:.17g})**2)", [away], GradientDescent(2 + size / 2)
        case 2:
            text, start, rule = f"log(cosh(x - {place:.17g}))", [away], GradientDescent(2 + size / 2)
        case 3:
            # The curvature of the wells at ±0.7071 is 4.
            text, start, rule = "x**4 - x**2", [0.7 + 0.02 * size], GradientDescent(0.53 + 0.02 * size)
        case 4:
            q = quadratic(draw, 1, 1, size)
            text, start, rule = f"{q.text} + {0.2 * size:.17g}*y**2", [*q.start, 1.0], GradientDescent(2 / size)
        case 5:
            # The curvature at (1, 1) is 4, the least of all minima.
            text, start, rule = "(x*y - 1)**2", [1.1, 1.1], GradientDescent(0.51 + 0.02 * size)
        case 6:
            data = two_classes(draw, features=1)
            logistic = Logistic(data.X, data.y)
            _, _, curvature = logistic_best(logistic)
            over = GradientDescent(draw.between(1.1, 1.4) * 2 / curvature)
            return draw.case(
                "logistic regression just over its limit",
                lambda: minimize(logistic, [0.0, 0.0], over, max_steps=400),
                cycles,
                also,
            )
        case 7:
            rows = np.linspace(-1, 1, 41)
            wide = 2 + size / 2

            def cost(x: FloatArray) -> float:
                return float(np.sqrt(1 + (x[0] - place) ** 2) + 0.1 * (x[1] - rows.mean()) ** 2)

            def slope(x: FloatArray) -> FloatArray:
                return np.array([(x[0] - place) / np.sqrt(1 + (x[0] - place) ** 2), 0.2 * (x[1] - rows.mean())])

            return draw.case(
                "a function of two numbers",
                lambda: minimize(cost, [away, 1.0], GradientDescent(wide), max_steps=200, gradient=slope),
                cycles,
                also,
            )
        case 8:
            text, start = f"sqrt(1 + (x - {place:.17g})**2) + 0.05*(y - 1)**2", [away, 0.0]
            ball = Momentum(2 * 1.3 + 0.8 * size, momentum=0.3)
            return draw.case(
                "heavy ball over its limit on a function with bounded slopes",
                lambda: minimize(text, start, ball, max_steps=300),
                cycles,
                also,
            )
        case _:
            text = f"log(cosh(x - {place:.17g})) + log(cosh(2*y)) / 4 + 0.1*z**2"
            start, rule = [away, 1.0, 1.0], GradientDescent(2.1 + 0.2 * size)
    return draw.case(
        f"descent at {rule.learning_rate:.3g} on {text.split('- ')[0]}...",
        lambda: minimize(text, start, rule, max_steps=300),
        cycles,
        also,
    )


def cosines(run: Trajectory) -> FloatArray:
    """The cosines of successive gradients."""
    unit = run.gradient / np.linalg.norm(run.gradient, axis=1, keepdims=True)
    return np.asarray((unit[1:] * unit[:-1]).sum(axis=1))


def zigzag(draw: Draw) -> Labelled:
    """Descent just below its limit across a narrow valley: the steep part turns its sign with each step."""
    also = frozenset({"too_slow", "unscaled"})
    condition, part = draw.between(100, 1000), draw.random.uniform(1.9, 1.95)

    def turns(run: Trajectory) -> bool:
        return bool(np.mean(cosines(run) < -0.5) > 0.6 and run.fun < 0.5 * run.value[0])

    if draw.kind < 5:
        q = quadratic(draw, 2 + draw.kind % 4, condition, draw.between(0.1, 100))
        rule = GradientDescent(part / q.top)
        return draw.case(
            f"a quadratic of {len(q.m)} coordinates and condition {condition:.0f}",
            lambda: minimize(q.text, q.start, rule, max_steps=45),
            turns,
            also,
        )
    if draw.kind < 7:
        q = quadratic(draw, 8, condition, draw.between(0.1, 100))
        rule = GradientDescent(part / q.top)
        return draw.case(
            f"a function of 8 numbers and condition {condition:.0f}",
            lambda: minimize(q.value, q.start, rule, max_steps=45, gradient=q.gradient),
            turns,
            also,
        )
    # Columns that are nearly the same, each of deviation 1.
    data = numbers(draw, noise=0.0)
    X = data.X.copy()
    X[:, 1:] = X[:, :1] + 0.05 * X[:, 1:]
    X /= X.std(axis=0)
    best = np.array([2.0, -1.0, 1.0, -1.0, 0.0])
    line = Linear(X, X @ best[:-1])
    top = np.linalg.eigh(X.T @ X)[1][:, -1]
    start = best + np.array([*top, 0.0]) * draw.between(1, 3) + 0.3 * draw.random.normal(size=5)
    steep = GradientDescent(part / line.smoothness())
    return draw.case("nearly equal columns", lambda: minimize(line, start, steep, max_steps=45), turns, also)


def momentum_overshoot(draw: Draw) -> Labelled:
    """Momentum that hardly loses speed: the run swings past the minimum again and again."""
    beta = float(draw.random.choice([0.99, 0.993, 0.995]))
    q = quadratic(draw, 1 + draw.kind % 4, 4, draw.between(0.1, 10))

    def swings(run: Trajectory) -> bool:
        rises = np.diff(run.value) > 0
        starts = np.count_nonzero(rises[1:] & ~rises[:-1])
        return bool(starts >= 3 and late(run, 0.3).max() > 0.05 * run.value[0])

    rate = draw.between(0.01, 0.05)
    if draw.kind < 5:
        rule = draw.one_of(
            Momentum(rate / q.top, momentum=beta),
            Momentum(rate / q.top, momentum=beta, convention="torch"),
            Momentum(rate / q.top / (1 - beta), momentum=beta, convention="averaged"),
        )
        return draw.case(f"{rule.label} on a quadratic", lambda: minimize(q.text, q.start, rule, max_steps=150), swings)
    if draw.kind < 7:
        data = numbers(draw)
        line = Linear(data.X, data.y)
        ball = Momentum(rate / line.smoothness(), momentum=beta)
        return draw.case(
            f"least squares with momentum {beta}",
            lambda: minimize(line, np.zeros(5), ball, max_steps=150),
            swings,
        )
    if draw.kind < 9:
        big = quadratic(draw, 8, 4, draw.between(0.1, 10))
        ball = Momentum(rate / big.top, momentum=beta)
        return draw.case(
            f"a function of 8 numbers with momentum {beta}",
            lambda: minimize(big.value, big.start, ball, max_steps=150, gradient=big.gradient),
            swings,
        )
    well = f"log(cosh(x)) + {draw.between(0.3, 1):.3g}*y**2"
    ball = Momentum(rate, momentum=beta)
    return draw.case(f"log cosh with momentum {beta}", lambda: minimize(well, [2.0, 1.0], ball, max_steps=200), swings)


def sign_dither(draw: Draw) -> Labelled:
    """Steps whose length does not depend on the slope, around a minimum that they cannot come nearer to."""
    # Rules with momentum swing about the minimum besides.
    also = frozenset(
        {"two_cycle", "zigzag", "momentum_overshoot"} if draw.kind % 5 not in (0, 3) else {"two_cycle", "zigzag"}
    )
    rate = draw.between(0.05, 0.2)
    rule = draw.one_of(
        SignDescent(rate), Lion(rate, beta2=0.9), Signum(rate), SignDescent(rate), Signum(rate, beta=0.5)
    )

    def dithers(run: Trajectory) -> bool:
        end, before = late(run), run.value[-len(run) // 2 : -len(run) // 4]
        return bool(np.mean(end) > 0.7 * np.mean(before) and run.value.min() < 0.3 * run.value[0])

    if draw.kind < 5:
        q = quadratic(draw, 1 + draw.kind % 4, 3, draw.between(0.5, 5), distance=2)
        return draw.case(
            f"{rule.label} on a quadratic of {len(q.m)}",
            lambda: minimize(q.text, q.start, rule, max_steps=250),
            dithers,
            also,
        )
    if draw.kind < 8:
        data = numbers(draw, features=2 + draw.kind % 3, noise=0.01)
        line = Linear(data.X, data.y)
        return draw.case(
            f"{rule.label} on least squares",
            lambda: minimize(line, np.zeros(line.dimension), rule, max_steps=250),
            dithers,
            also,
        )
    big = quadratic(draw, 8, 3, draw.between(0.5, 5), distance=2)
    return draw.case(
        f"{rule.label} on a function of 8 numbers",
        lambda: minimize(big.value, big.start, rule, max_steps=250, gradient=big.gradient),
        dithers,
        also,
    )


def no_warm_up(draw: Draw) -> Labelled:
    """Adaptive rules whose first steps are far longer than the rate, and whose loss jumps there; a warm-up mends it."""
    also = frozenset({"rate_too_large", "loss_spike", "update_size", "momentum_overshoot", "zigzag"})
    data, labelled = numbers(draw, noise=0.3), two_classes(draw)
    objective, start, near = draw.one_of(
        (lambda q: (q.text, q.start, 1.0))(quadratic(draw, 2, 3, draw.between(0.5, 5))),
        (lambda q: (q.text, q.start, 1.0))(quadratic(draw, 4, 3, draw.between(0.5, 5))),
        (Linear(data.X, data.y), np.zeros(5), 1.0),
        (Logistic(labelled.X, labelled.y, l2=0.05), np.zeros(4), 1.5),
        (Linear(data.X, data.y, l2=0.05), np.zeros(5), 1.0),
    )

    def rule(size: float, warm: bool) -> Optimizer[Any]:
        rate = WarmUp(size, steps=150, start=0.01) if warm else size
        # The first steps of this RMSProp are 1 / √(1 − β) = 31.6 times the rate.
        return RMSProp(rate, beta=0.999) if draw.kind < 5 else AdaGrad(rate)

    def mended_by_warm_up(run: Trajectory, size: float) -> bool:
        other = minimize(objective, start, rule(size, warm=True), max_steps=400)
        first = int(np.argmax(run.value))
        return bool(
            0 < first <= 20
            and run.value.max() > 1.5 * run.value[0]
            and other.value.max() < 1.3 * run.value[0]
            and learnt(run, min(run.value.min(), other.value.min()), 0.3)
        )

    def jumps(size: float) -> Trajectory:
        return minimize(objective, start, rule(size, warm=False), max_steps=400)

    sizes = near * draw.random.permutation(np.geomspace(0.1, 0.4, 10) if draw.kind < 5 else np.geomspace(3, 8, 10))
    size = next(float(size) for size in sizes if mended_by_warm_up(jumps(size), size))
    plain = rule(size, warm=False)
    return draw.case(
        f"{plain.label} on {'a formula' if isinstance(objective, str) else objective.title}",
        lambda: jumps(size),
        lambda run: mended_by_warm_up(run, size),
        also,
    )


def update_size(draw: Draw) -> Labelled:
    """Weights that change by less than a hundred-thousandth of themselves a step, or by as much as they are."""
    kind = draw.kind
    network = (
        classifier(blobs(draw), (8,), draw.one_of("relu", "tanh"))
        if kind % 2
        else regressor(curved(draw), (10,), draw.one_of("tanh", "relu", stride=2))
    )
    if kind < 5:
        rate = draw.between(1e-8, 5e-7)
        small = draw.one_of(Adam(rate), GradientDescent(10 * rate), Signum(rate))
        return draw.case(
            f"{small.label} on a network",
            lambda: minimize(network, network.initial(draw.seed), small, max_steps=250),
            lambda run: np.median(_ratios(run)) < 1e-5,
            frozenset({"too_slow", "plateau", "constant_predictor"}),
        )
    rate = draw.between(0.3, 1)
    large = draw.one_of(SignDescent(rate), Signum(rate, beta=0.5), SignDescent(0.5 * rate))
    return draw.case(
        f"{large.label} on a network",
        lambda: minimize(network, network.initial(draw.seed), large, max_steps=40),
        lambda run: np.median(_ratios(run)) > 0.12,
        DIVERGED | STUCK | {"rate_too_large", "sign_dither", "no_warm_up"},
    )


def _ratios(run: Trajectory) -> FloatArray:
    return np.asarray(np.linalg.norm(np.diff(run.x, axis=0), axis=1) / np.linalg.norm(run.x[:-1], axis=1))


ALL = (
    rate_too_large,
    too_slow,
    two_cycle,
    zigzag,
    momentum_overshoot,
    sign_dither,
    no_warm_up,
    update_size,
)
