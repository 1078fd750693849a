"""Cases that formulas and functions show: NaN, saddles, kinks, no lower bound, other minima; and converged runs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from tests.diagnosis.suite.case import Draw, Labelled
from tests.diagnosis.suite.material import late, least_squares, logistic_best, numbers, quadratic, two_classes

from fallline import (
    Adam,
    Comparison,
    GradientDescent,
    Linear,
    Logistic,
    Momentum,
    Nesterov,
    NotFinite,
    Optimizer,
    Trajectory,
    compare,
    minimize,
)
from fallline.arrays import FloatArray
from fallline.objectives import LANDSCAPES


def not_finite(draw: Draw) -> Labelled:
    """Formulas and functions whose domain the run leaves: log, root, quotient, exp."""
    also = frozenset({"rate_too_large", "unbounded", "exploding_gradients", "momentum_overshoot", "loss_spike", "kink"})
    a = draw.random.uniform(0.5, 2)
    end = 150
    text: str
    rule: Optimizer[Any]

    def broken(run: Trajectory) -> bool:
        return not (np.isfinite(run.fun) and np.isfinite(run.final.x).all() and np.isfinite(run.final.gradient).all())

    match draw.kind:
        case 0:
            # The minimum of the smooth part lies where the logarithm does not.
            text, start, rule = f"(x + {a:.6g})**2 - 0.01*log(x)**2", [1.0], GradientDescent(0.1)
        case 1:
            text, start, rule = f"x + {a:.6g}*sqrt(x) + (y - 1)**2", [2.0, 0.0], GradientDescent(0.1)
        case 2:
            text, start, rule = f"{a:.6g}*x + sqrt(x - 1) + y**2", [3.0, -1.0], GradientDescent(0.8)
        case 3:
            text, start, rule = f"exp({5 * a:.6g}*x**2)", [3 + a], GradientDescent(0.1)
        case 4:
            text, start, rule = f"x**1.5 + {a:.6g}*x + y**2", [1.0, 1.0], Momentum(0.1)
        case 5:

            def entropy(p: FloatArray) -> float:
                return float(a * p[0] * np.log(p[0]) + (p[0] + 1) ** 2 + p[1] ** 2)

            return draw.case(
                "p log p with a step below zero",
                lambda: minimize(entropy, [0.5, 1.0], GradientDescent(0.3), max_steps=end, gradient="autodiff"),
                broken,
                also,
            )
        case 6:
            data = two_classes(draw)

            def cross_entropy(w: FloatArray) -> float:
                # Written without care: the probability rounds to 0 or 1.
                p = 1 / (1 + np.exp(-60 * a * (data.X @ w)))
                return float(-np.mean(data.y * np.log(p) + (1 - data.y) * np.log(1 - p)))

            def slope(w: FloatArray) -> FloatArray:
                p = 1 / (1 + np.exp(-60 * a * (data.X @ w)))
                return np.asarray(60 * a * data.X.T @ (p - data.y) / len(p))

            return draw.case(
                "a cross-entropy that takes log(0)",
                lambda: minimize(
                    np.errstate(all="ignore")(cross_entropy),
                    np.ones(3) * 0.1,
                    GradientDescent(0.1),
                    max_steps=end,
                    gradient=np.errstate(all="ignore")(slope),
                ),
                broken,
                also,
            )
        case 7:

            def ratio(x: float, y: float) -> float:
                return float(np.sqrt(x - a) * a + (x - a) + y**2) if x >= a else math.nan

            return draw.case(
                "a function that is NaN beyond a border",
                lambda: minimize(
                    ratio,
                    [a + 1.0, 1.0],
                    GradientDescent(0.2),
                    max_steps=end,
                    gradient=lambda x: np.array([1 + 0.5 * a / np.sqrt(abs(x[0] - a)), 2 * x[1]]),
                ),
                broken,
                also,
            )
        case 8:
            text, start, rule = f"log(x) + {a:.6g}*(y - 1)**2", [2.0, 0.0], GradientDescent(0.2)
        case _:
            text, start, rule = f"acos(x)**2 + {a:.6g}*y**2", [0.0, 1.0], GradientDescent(0.5)
    return draw.case(text, lambda: minimize(text, start, rule, max_steps=end), broken, also)


def saddle(draw: Draw) -> Labelled:
    """Starts on a line of symmetry, from which the slope leads to a saddle; or on a hilltop."""
    a, b = draw.random.uniform(0.5, 2), draw.random.uniform(0.5, 2)
    also = frozenset({"plateau"})
    fixed = {
        0: (f"{a:.6g}*(x**2 - 1)**2 + {b:.6g}*y**2", [0.0, b]),
        1: (f"{a:.6g}*x**2 + {b:.6g}*(y**4/4 - y**2/2)", [b, 0.0]),
        2: (f"{a:.6g}*cos(x) + {b:.6g}*y**2", [0.0, 1.0]),
        3: (f"(x*y - {a:.6g})**2", [b, -b]),
        4: (f"{a:.6g}*(x**2 + y**2 - 1)**2 + {b:.6g}*z**2", [0.0, 0.0, 1.0]),
        5: (f"-{a:.6g}*exp(-(x - 2)**2 - y**2) - {a:.6g}*exp(-(x + 2)**2 - y**2)", [0.0, 0.8]),
        6: (f"x**4/4 - {a:.6g}*x**2/2", [0.0]),
        7: (f"{a:.6g}*cos(x) + {b:.6g}*cos(y)", [0.0, 0.0]),
    }
    if draw.kind in fixed:
        text, start = fixed[draw.kind]
        rule = draw.one_of(GradientDescent(0.05), Momentum(0.02), GradientDescent(0.1), Adam(0.02))
        steep = np.linalg.eigvalsh
        return draw.case(
            f"{text.split('*')[-1]} from {start}, {rule.label}",
            lambda: minimize(text, start, rule, max_steps=400),
            lambda run: steep(_hessian(run))[0] < -0.05 and run.gradient_norm[-1] < 0.02,
            also,
        )
    size = 6
    wells = draw.random.uniform(0.5, 2, size)

    def double(x: FloatArray) -> float:
        return float(np.sum(wells * (x**4 / 4 - x**2 / 2)))

    def slope(x: FloatArray) -> FloatArray:
        return np.asarray(wells * (x**3 - x))

    ridge = np.where(np.arange(size) == draw.kind % size, 0.0, draw.random.uniform(0.3, 1.5, size))
    plain = GradientDescent(0.2)
    return draw.case(
        "double wells of which one coordinate stands on the ridge",
        lambda: minimize(double, ridge, plain, max_steps=300, gradient=slope),
        lambda run: run.gradient_norm[-1] < 0.01 and abs(run.final.x[draw.kind % size]) < 1e-9,
        also,
    )


def _hessian(run: Trajectory) -> FloatArray:
    """The Hessian at the end, by differences of the gradient."""
    assert run.objective is not None
    x, step = run.final.x, 1e-5
    rows = [
        (run.objective.gradient(x + step * e) - run.objective.gradient(x - step * e)) / (2 * step)
        for e in np.eye(len(x))
    ]
    return np.asarray(rows)


def kink(draw: Draw) -> Labelled:
    """Minima at which the slope jumps, so that a constant rate cannot settle."""
    also = frozenset({"two_cycle", "sign_dither", "zigzag", "rate_too_large"})
    a, b = draw.random.uniform(0.5, 2), draw.random.uniform(-1, 1)
    rate = draw.between(0.02, 0.1)
    data = numbers(draw, rows=41, features=2, noise=0.0)
    rule = draw.one_of(GradientDescent(rate), GradientDescent(rate), Momentum(rate / 2, momentum=0.5))
    texts = (
        f"{a:.6g}*abs(x - {b:.6g})",
        f"abs(x) + {a:.6g}*abs(y - {b:.6g})",
        f"max(x - {b:.6g}, -{a:.6g}*(x - {b:.6g}))",
        f"{a:.6g}*abs(x - {b:.6g}) + (y - 1)**2",
        f"max(x**2 + y, {a:.6g}*(2 - x - y), -y)",
    )
    if draw.kind < 5:
        text = texts[draw.kind]
        start = [b + 2.0] if "y" not in text else [b + 2.0, 1.5]
        return draw.case(f"{text}, {rule.label}", lambda: minimize(text, start, rule, max_steps=250), _jumps, also)
    function: Callable[[Any], float]
    match draw.kind:
        case 5:

            def deviation(w: FloatArray) -> float:
                return float(np.mean(np.abs(data.X @ w[:2] + w[2] - data.y)))

            about, function, origin = "the mean absolute deviation", deviation, np.zeros(3)
        case 6:

            def distance(x: FloatArray) -> float:
                return float(np.abs(x - b).sum())

            about, function, origin = "a sum of distances", distance, np.full(4, b + 1.0)
        case 7:

            def largest(x: FloatArray) -> float:
                return float(np.max(np.abs(x - b)) + 0.1 * np.sum(np.abs(x - b)))

            about, function, origin = "the largest deviation", largest, b + np.array([1.0, -0.5, 0.3])
        case 8:

            def norm(x: FloatArray) -> float:
                return float(a * np.sqrt(np.sum((x - b) ** 2)))

            about, function, origin = "a distance", norm, b + np.array([1.0, 0.7])
        case _:

            def deviations(x: float) -> float:
                rest = data.y[:3] - x
                return float(np.mean(np.maximum(0.5 * rest, -0.5 * rest)))

            about, function, origin = "the deviation from three numbers", deviations, np.array([b + 2.0])
    place = origin if about != "the deviation from three numbers" else float(origin[0])
    faster = GradientDescent(10 * rate) if draw.kind == 9 else rule
    return draw.case(f"{about}, {rule.label}", lambda: minimize(function, place, faster, max_steps=250), _jumps, also)


def _jumps(run: Trajectory) -> bool:
    """Whether the slope is long, and jumps, although the run no longer comes lower."""
    before = run.value[len(run) // 2 : -len(run) // 4]
    jumps = np.linalg.norm(np.diff(run.gradient[-40:], axis=0), axis=1)
    return bool(
        np.median(run.gradient_norm[-40:]) > 0.05
        and jumps.max() > 0.05
        and before.min() - late(run).min() < 0.02 * (run.value[0] - run.value.min())
    )


def unbounded(draw: Draw) -> Labelled:
    """Objectives that fall for ever."""
    a, b = draw.random.uniform(0.5, 2), draw.random.uniform(0.5, 2)
    also = frozenset({"not_finite", "exploding_gradients", "saddle"})
    rule = draw.one_of(GradientDescent(0.05), Adam(0.05), Momentum(0.02))
    texts = (
        f"-{a:.6g}*x**2 + {b:.6g}*y**2",
        f"{a:.6g}*x**2 + {b:.6g}*y",
        f"{a:.6g}*x**3 + y**2",
        f"-log(x) + {b:.6g}*(y - 1)**2",
        f"{a:.6g}*x**2 - {b:.6g}*y + sin(z)",
        f"-{a:.6g}*exp(x) + y**2",
        f"{a:.6g}*x - {b:.6g}*sqrt(y) + z**2",
    )
    if draw.kind < 7:
        text = texts[draw.kind]
        names = [name for name in "xyz" if name in text.replace("exp", "").replace("sqrt", "")]
        start = [-0.5, 1.0] if draw.kind == 2 else [1.0] * len(names)
        return draw.case(
            f"{text}, {rule.label}",
            lambda: minimize(text, start, rule, max_steps=100),
            lambda run: not np.isfinite(run.fun) or run.fun < run.value[0],
            also,
        )
    data = numbers(draw)

    def flipped(w: FloatArray) -> float:
        return float(-np.mean((data.X @ w[:4] + w[4] - data.y) ** 2))

    def reward(x: FloatArray) -> float:
        return float(np.sum(x**2) * a - b * x[0] ** 4)

    def likelihood(x: FloatArray) -> float:
        # The sign of the logarithm of the scale was forgotten.
        return float(-(x[1] ** 2) * b + np.sum((data.y[:10] - x[0]) ** 2))

    function, origin, gentle = (
        (flipped, np.zeros(5), 0.05),
        (reward, np.array([1.5, 1.0]), 0.01),
        (likelihood, np.array([0.0, 1.0]), 0.01),
    )[draw.kind - 7]
    return draw.case(
        f"{function.__name__}, a function",
        lambda: minimize(function, origin, GradientDescent(gentle), max_steps=60, gradient="autodiff"),
        lambda run: not np.isfinite(run.fun) or run.fun < run.value[0],
        also | {"rate_too_large"},
    )


def lower_seen(draw: Draw) -> Labelled:
    """Runs that end higher than a point that they, or another run of the comparison, had reached."""
    a = draw.random.uniform(0.2, 0.4)
    if draw.kind < 6:
        shift = draw.random.uniform(-0.3, 0.3)
        objective, starts = draw.one_of(
            ("styblinski_tang", [[2.5 + shift, 2.5], [-2.5, -2.5 + shift]]),
            (f"(x**2 - 1)**2 + {a:.6g}*x", [[1.2 + shift], [-1.2 + shift]]),
            (f"(x**2 - 1)**2 + {a:.6g}*x + (y**2 - 1)**2 - {a:.6g}*y", [[1.2, -1.2 + shift], [-1.2 + shift, 1.2]]),
        )
        rule = draw.one_of(GradientDescent(0.01), Adam(0.05), stride=3)

        def apart(runs: Comparison) -> bool:
            ends = [run.fun for run in runs]
            return max(ends) - min(ends) > 0.1

        return draw.case(
            f"two starts on {objective}, {rule.label}",
            lambda: compare(objective, starts, rule, max_steps=400),
            apart,
            frozenset({"converged"}),
        )
    # Fast through a narrow deep well, and to rest in a wide shallow one.
    width = draw.random.uniform(0.3, 0.4)
    text = f"0.05*(x - 4)**2 - exp(-(x/{width:.6g})**2)" + (" + y**2" if draw.kind % 2 else "")
    start = [-3.0 + a, 0.5][: 1 + draw.kind % 2]

    def passes(run: Trajectory) -> bool:
        return bool(run.value.min() < run.fun - 0.05)

    balls = [Momentum(rate, momentum=0.9) for rate in np.geomspace(0.02, 0.3, 40) * draw.random.uniform(0.9, 1.1)]
    ball = next(ball for ball in balls if passes(minimize(text, start, ball, max_steps=400)))
    return draw.case(
        f"through a narrow well with {ball.label}",
        lambda: minimize(text, start, ball, max_steps=400),
        passes,
        frozenset({"converged", "momentum_overshoot", "rate_too_large", "loss_spike"}),
    )


def converged(draw: Draw) -> Labelled:
    """Runs that reached a minimum, whose slope there is rounding."""
    kind = draw.kind
    if kind < 4:
        q = quadratic(draw, 1 + kind, 4, draw.between(0.1, 100))
        rule = draw.one_of(
            GradientDescent(1 / q.top), Momentum(0.2 / q.top), Nesterov(0.5 / q.top), GradientDescent(0.8 / q.top)
        )
        return draw.case(
            f"{rule.label} on a quadratic of {kind + 1}",
            lambda: minimize(q.text, q.start, rule, max_steps=800),
            lambda run: run.stop.converged and run.fun < 1e-9 * run.value[0],
        )
    if kind == 4:
        data = numbers(draw)
        line = Linear(data.X, data.y)
        plain = GradientDescent(1 / line.smoothness())
        return draw.case(
            "least squares",
            lambda: minimize(line, np.zeros(5), plain, max_steps=800),
            lambda run: run.stop.converged and run.fun - least_squares(line)[1] < 1e-9,
        )
    if kind == 5:
        labelled = two_classes(draw, steepness=1.0)
        logistic = Logistic(labelled.X, labelled.y)
        return draw.case(
            "logistic regression by L-BFGS",
            lambda: minimize(logistic, np.zeros(4), "lbfgs", max_steps=100),
            lambda run: run.fun - logistic_best(logistic)[1] < 1e-9,
        )
    name = ("booth", "himmelblau", "styblinski_tang", "mccormick")[kind - 6]
    landscape = LANDSCAPES[name]
    start = np.array(landscape.minima[0]) + draw.random.uniform(-0.5, 0.5, 2)
    small = GradientDescent({"booth": 0.05, "himmelblau": 0.01, "styblinski_tang": 0.02, "mccormick": 0.2}[name])
    return draw.case(
        f"descent on {name}",
        lambda: minimize(name, start, small, max_steps=800),
        lambda run: run.stop.converged and run.fun - landscape.lowest < 1e-9,
    )


def wasted_steps(draw: Draw) -> Labelled:
    """Runs that go on long after their value has come to rest."""
    kind = draw.kind
    still = NotFinite()

    def rested(run: Trajectory) -> bool:
        return bool(np.ptp(run.value[len(run) // 2 :]) <= 1e-12 * max(abs(run.value[0]), 1) and run.fun < run.value[0])

    rule = draw.one_of(GradientDescent(1.0), Momentum(0.3, momentum=0.5), Nesterov(0.5, momentum=0.5))
    also = frozenset({"converged"})
    if kind < 5:
        q = quadratic(draw, 1 + kind % 4, 2, 1.0)
        return draw.case(
            f"{rule.label} on a quadratic, 600 steps",
            lambda: minimize(q.text, q.start, rule, max_steps=600, stop=still),
            rested,
            also,
        )
    if kind < 8:
        data = numbers(draw)
        line = Linear(data.X, data.y)
        plain = GradientDescent(1 / line.smoothness())
        return draw.case(
            "least squares, 600 steps",
            lambda: minimize(line, np.zeros(5), plain, max_steps=600, stop=still),
            rested,
            also,
        )
    big = quadratic(draw, 8, 2, 1.0)
    return draw.case(
        "a function of 8 numbers, 600 steps",
        lambda: minimize(big.value, big.start, rule, max_steps=600, stop=still, gradient=big.gradient),
        rested,
        also,
    )


def plateau(draw: Draw) -> Labelled:
    """Starts where the objective is all but flat, far from any minimum."""
    kind = draw.kind
    far = draw.random.uniform(3.5, 4.5)
    also = frozenset({"too_slow", "update_size"})
    rule = draw.one_of(GradientDescent(0.5), Momentum(0.05), Nesterov(0.05))
    texts = (
        (f"1 - exp(-(x - {far:.6g})**2)", [0.0], 0.0),
        (f"1 - exp(-(x - {far:.6g})**2 - y**2)", [0.0, 0.5], 0.0),
        ("x**2/(1 + x**2) + 0.5*y**2", [30 * far, 1.0], 0.0),
        (f"tanh(x - {far:.6g})**2", [-far], 0.0),
        (f"1/(1 + exp(-{far:.6g}*x**2))", [far], 0.5),
        ("1 - exp(-x**2 - y**2 - z**2)", [far, 0.3, 0.2], 0.0),
    )
    if kind < 6:
        text, start, lowest = texts[kind]
        return draw.case(
            f"{text}, {rule.label}",
            lambda: minimize(text, start, rule, max_steps=300),
            lambda run: run.fun > lowest + 0.3 and run.gradient_norm[-1] < 1e-2,
            also,
        )
    if kind < 8:

        def well(x: FloatArray) -> float:
            return float(1 - np.exp(-np.sum((x - far / 2) ** 2)))

        def slope(x: FloatArray) -> FloatArray:
            return np.asarray(2 * (x - far / 2) * np.exp(-np.sum((x - far / 2) ** 2)))

        return draw.case(
            "a well of six numbers seen from afar",
            lambda: minimize(well, np.zeros(6), rule, max_steps=300, gradient=slope),
            lambda run: run.fun > 0.9,
            also,
        )

    data = two_classes(draw)

    def errors(w: FloatArray) -> float:
        # The squared error of a sigmoid whose weights start on the wrong side.
        return float(np.mean((1 / (1 + np.exp(-(data.X @ w))) - data.y) ** 2))

    def downhill(w: FloatArray) -> FloatArray:
        p = 1 / (1 + np.exp(-(data.X @ w)))
        return np.asarray(2 * data.X.T @ ((p - data.y) * p * (1 - p)) / len(p))

    wrong = -300 * far * data.w[:3]
    return draw.case(
        "a sigmoid that starts far on the wrong side",
        lambda: minimize(errors, wrong, rule, max_steps=300, gradient=downhill),
        lambda run: np.mean(late(run)) > 0.9 * run.value[0],
        also | {"dead_units", "vanishing_gradients"},
    )


ALL = (not_finite, saddle, kink, unbounded, lower_seen, converged, wasted_steps, plateau)
