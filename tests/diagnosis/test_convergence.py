"""The convergence report against closed forms on quadratics, powers and logistic losses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.cases import few

from fallline import (
    LBFGS,
    Adam,
    ConjugateGradient,
    GradientDescent,
    Logistic,
    Momentum,
    Nesterov,
    Optimizer,
    Record,
    minimize,
)
from fallline.errors import FalllineError
from fallline.gradients.hessian import hessian
from fallline.results.trajectory import Trajectory

VALLEY = "x**2 + 10*y**2"


@pytest.mark.parametrize(
    ("rule", "factor"),
    few(
        [
            (GradientDescent(0.05), 0.9),
            (GradientDescent(0.099), 0.98),
            # Complex eigenvalues: the root of the momentum.
            (Momentum(0.05), math.sqrt(0.9)),
            (Momentum(0.05, convention="torch"), math.sqrt(0.9)),
            # The root of the largest momentum times (1 - ηλ), at λ = 2.
            (Nesterov(0.02), math.sqrt(0.9 * (1 - 0.04))),
        ],
        2,
    ),
)
def test_measured_and_theoretical_factor_on_a_quadratic(rule: Optimizer[Any], factor: float) -> None:
    found = minimize(VALLEY, [1.0, 1.0], rule, max_steps=600).convergence()
    assert found.kind == "linear"
    assert found.title == f"{rule.label} on {VALLEY}"
    assert (found.lowest, found.highest, found.condition) == pytest.approx((2, 20, 10))
    assert found.theory == pytest.approx(factor, abs=1e-6)
    # The envelope of an oscillation has steps as long as half a period.
    assert found.factor == pytest.approx(factor, abs=2e-3)
    descent, heavy = found.best[:2]
    assert {type(best.rule) for best in found.best} == {GradientDescent, Momentum, type(rule)}
    assert (descent.rule.learning_rate, descent.factor) == pytest.approx((2 / 22, 9 / 11), rel=1e-5)
    root = math.sqrt(10)
    assert heavy.factor == pytest.approx((root - 1) / (root + 1), abs=1e-5)


@pytest.mark.long
def test_the_steps_left_are_those_it_takes() -> None:
    short = minimize(VALLEY, [1.0, 1.0], GradientDescent(0.05), max_steps=60)
    for target in (1e-6, 1e-8):
        # The value falls as 0.81^step.
        expected = math.ceil(math.log(target) / math.log(0.81)) - 60
        assert short.convergence(target).left == pytest.approx(expected, abs=1)
    # The end is known no better than the values of the last steps are rounded.
    assert "cannot be told" in short.convergence(1e-25).unknown["left"]
    assert short.convergence(1.0).left == 0
    assert short.convergence(-1.0).left == math.inf
    assert "it tends to a value above -1" in repr(short.convergence(-1.0))
    to_rounding = short.convergence()
    assert to_rounding.left == pytest.approx(math.log(11 * 2.0**-52) / math.log(0.81) - 60, abs=2)


def test_a_power_of_the_step_is_told_as_such() -> None:
    # x' = -4 x³ has the solution x = (8 t)^(-1/2), its gradient falls as t^(-3/2), its value as t^(-2).
    run = minimize("x**4", 1.0, GradientDescent(0.05), max_steps=5000)
    found = run.convergence(5e-8)
    assert found.kind == "sublinear"
    assert found.power == pytest.approx(1.5, abs=0.01)
    assert found.left == pytest.approx(1 / (8 * 0.05 * 5e-8**0.5) - 5000, rel=0.02)
    assert not found.best
    # A target nearer to the end than the end is known.
    assert "cannot be told" in run.convergence(1e-13).unknown["left"]
    # A logistic loss of separable data falls as 1 / t, its gradient as t^(-1): Soudry et al. (2018).
    separable = Logistic(np.array([[-1.0], [1.0]]), np.array([0, 1]))
    found = minimize(separable, np.zeros(separable.dimension), GradientDescent(1.0), max_steps=4000).convergence()
    assert found.kind == "sublinear"
    assert found.power == pytest.approx(1, abs=0.05)


def test_a_logistic_loss() -> None:
    random = np.random.default_rng(0)
    table = random.standard_normal((200, 4)) * [1, 1, 2, 3]
    labels = (table @ random.standard_normal(4) + 2 * random.standard_normal(200) > 0).astype(int)
    loss = Logistic(table, labels)
    run = minimize(loss, np.zeros(loss.dimension), GradientDescent(1.0), max_steps=2000)
    curvatures = np.linalg.eigvalsh(hessian(loss, run.final.x))
    found = run.convergence()
    assert (found.lowest, found.highest) == pytest.approx((curvatures[0], curvatures[-1]), rel=1e-6)
    factor = max(abs(1 - curvatures[0]), abs(1 - curvatures[-1]))
    assert found.theory == pytest.approx(factor, rel=1e-6)
    assert found.factor == pytest.approx(factor, rel=1e-3)
    # The best rate is better: it converges as it says.
    best = minimize(loss, np.zeros(loss.dimension), found.best[0].rule, max_steps=2000).convergence()
    assert best.factor == pytest.approx(found.best[0].factor, rel=1e-3)


def test_an_adaptive_rule_at_its_own_state() -> None:
    run = minimize(VALLEY, [1.0, 1.0], Adam(0.01), max_steps=600, engine="reference")
    found = run.convergence()
    # With both curvatures far from the limit its motion is that of its momentum.
    assert found.theory == pytest.approx(math.sqrt(0.9), abs=1e-3)
    assert found.factor == pytest.approx(math.sqrt(0.9), abs=5e-3)
    assert len(found.best) == 2


@pytest.mark.parametrize(
    ("run", "name", "words"),
    few(
        [
            (lambda: minimize(VALLEY, [1.0, 1.0], LBFGS()), "theory", "line search chooses its rate"),
            (lambda: minimize(VALLEY, [1.0, 1.0], ConjugateGradient(0.01)), "theory", "depends on the others"),
            (
                lambda: minimize(VALLEY, [1.0, 1.0], GradientDescent(0.05), record="ends"),
                "measured",
                "needs 8 recorded",
            ),
            (lambda: minimize(VALLEY, [1.0, 1.0], GradientDescent(0.05), max_steps=1), "measured", "needs 8 recorded"),
            (lambda: minimize("x**2 - y**2", [1.0, 0.0], GradientDescent(0.1)), "theory", "curves downwards"),
            (lambda: minimize("x**2 + 0*y", [1.0, 0.0], GradientDescent(0.1)), "theory", "lowest curvature is 0"),
            (lambda: minimize(VALLEY, [1.0, 1.0], GradientDescent(1.0)), "curvature", "no finite point"),
            (lambda: minimize("sqrt(x)", 0.25, GradientDescent(0.25), max_steps=1), "curvature", "has no finite value"),
            (lambda: minimize(VALLEY, [1.0, 1.0], Adam(0.1), engine="compiled"), "theory", "state of the rule"),
        ],
        2,
    ),
)
def test_what_is_not_known_is_said(run: Any, name: str, words: str) -> None:
    found = run().convergence()
    assert words in found.unknown[name]
    assert words in repr(found)


def test_other_runs() -> None:
    diverging = minimize(VALLEY, [1.0, 1.0], GradientDescent(0.11), max_steps=100).convergence()
    assert (diverging.kind, diverging.factor) == ("none", pytest.approx(1.2, rel=1e-6))
    assert diverging.theory == pytest.approx(1.2, rel=1e-6)
    loss = Logistic(np.array([[1.0], [-1.0], [0.5], [-2.0]]), np.array([0, 1, 1, 0]))
    batches = minimize(loss.batches(2), np.zeros(loss.dimension), GradientDescent(0.1), max_steps=50).convergence()
    assert "mini-batches" in batches.unknown["measured"]
    sparse = minimize(VALLEY, [1.0, 1.0], GradientDescent(0.05), max_steps=200, record=Record(every=10)).convergence()
    assert sparse.factor == pytest.approx(0.9, rel=1e-6)
    with pytest.raises(FalllineError, match="target is 'low'; it must be a number"):
        minimize(VALLEY, [1.0, 1.0], GradientDescent(0.05)).convergence("low")  # type: ignore[arg-type]


def test_from_a_file(tmp_path: Any) -> None:
    run = minimize(VALLEY, [1.0, 1.0], GradientDescent(0.05), max_steps=100)
    run.save(tmp_path / "run.npz")
    found = Trajectory.load(tmp_path / "run.npz").convergence()
    assert found.factor == pytest.approx(0.9, rel=1e-6)
    assert found.theory == pytest.approx(0.9, rel=1e-6)
    frame = found.to_frame()
    assert frame["steps_per_digit"][0] == pytest.approx(-1 / math.log10(9 / 11), rel=1e-5)
    assert "a digit every" in found._repr_html_()
