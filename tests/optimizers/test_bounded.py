"""L-BFGS within bounds, held to SciPy's L-BFGS-B: the same minimum, in about as many steps, and never out of bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.optimize
from scipy.optimize import rosen, rosen_der

import fallline
from fallline import LBFGS, Ball, Box, FalllineError, GradientNorm, ProjectedLBFGS, Simplex, minimize, rerun
from fallline.arrays import FloatArray
from fallline.bridges.scipy import method

RANDOM = np.random.default_rng(0)
INF = np.inf


class Bounded(NamedTuple):
    value: Callable[[FloatArray], Any]
    gradient: Callable[[FloatArray], FloatArray]
    start: FloatArray
    low: FloatArray
    high: FloatArray


def bounded(
    value: Callable[[FloatArray], Any], gradient: Callable[[FloatArray], FloatArray], start: Any, low: Any, high: Any
) -> Bounded:
    start = np.array(start, float)
    return Bounded(value, gradient, start, np.broadcast_to(low, start.shape), np.broadcast_to(high, start.shape))


def quadratic(hessian: FloatArray, slope: FloatArray, start: Any, low: Any, high: Any) -> Bounded:
    return bounded(lambda x: 0.5 * x @ hessian @ x - slope @ x, lambda x: hessian @ x - slope, start, low, high)


def _beale(x: FloatArray) -> Any:
    return sum((number - x[0] * (1 - x[1] ** power)) ** 2 for power, number in ((1, 1.5), (2, 2.25), (3, 2.625)))


def _beale_gradient(x: FloatArray) -> FloatArray:
    rest = [(power, number - x[0] * (1 - x[1] ** power)) for power, number in ((1, 1.5), (2, 2.25), (3, 2.625))]
    return np.array(
        [
            sum(-2 * left * (1 - x[1] ** power) for power, left in rest),
            sum(2 * left * x[0] * power * x[1] ** (power - 1) for power, left in rest),
        ]
    )


A, B = RANDOM.normal(size=(30, 20)), 5 * RANDOM.normal(size=30)
WIDE = RANDOM.normal(size=(100, 100))
X = RANDOM.normal(size=(200, 8))
SIGNS = np.where(RANDOM.random(200) < 1 / (1 + np.exp(-2 * X @ RANDOM.normal(size=8))), 1.0, -1.0)
STEEP = 10.0 ** np.arange(6)
# A string over an obstacle, in 50 points.
STRING = 50 * (2 * np.eye(50) - np.eye(50, k=1) - np.eye(50, k=-1))

PROBLEMS: dict[str, Bounded] = {
    "least squares without negative numbers": quadratic(A.T @ A, A.T @ B, np.ones(20), 0.0, INF),
    "rosenbrock, the minimum outside": bounded(rosen, rosen_der, [-1.2, 0.0], [-1.5, -INF], [0.5, 0.2]),
    "rosenbrock, half of it free": bounded(
        rosen, rosen_der, np.full(10, 0.3), [-0.5] * 5 + [-INF] * 5, [0.8] * 5 + [INF] * 5
    ),
    "rosenbrock, two coordinates fixed": bounded(
        rosen, rosen_der, [0.5, 0.7, 0.3, 0.2], [0.5, -INF, 0.3, 0.0], [0.5, INF, 0.3, 1.0]
    ),
    "rosenbrock, the minimum inside": bounded(rosen, rosen_der, [-1.2, 1.0], -2.0, 2.0),
    "rosenbrock, without bounds": bounded(rosen, rosen_der, [-1.2, 1.0, 0.0], -INF, INF),
    "quadratic of condition 1e5": quadratic(np.diag(STEEP), STEEP * RANDOM.normal(size=6), np.zeros(6), -0.5, 0.5),
    "quadratic of 100 coordinates": quadratic(
        WIDE @ WIDE.T / 100 + 0.01 * np.eye(100), RANDOM.normal(size=100), np.zeros(100), -1.0, 1.0
    ),
    "logistic regression, weights from 0 to 1": bounded(
        lambda w: np.sum(np.logaddexp(0, -SIGNS * (X @ w))),
        lambda w: -X.T @ (SIGNS / (1 + np.exp(SIGNS * (X @ w)))),
        np.zeros(8),
        0.0,
        1.0,
    ),
    "exponentials, bounds of every kind": bounded(
        lambda x: np.sum(np.exp(x) - 3 * x),
        lambda x: np.exp(x) - 3,
        [0.0, 2.5, 0.0, 0.0, 0.0],
        [-INF, 2.0, -INF, 0.0, -1.0],
        [0.5, INF, INF, 0.0, 3.0],
    ),
    "small units": bounded(
        lambda x: 1e-8 * np.sum((x - np.arange(4)) ** 2), lambda x: 2e-8 * (x - np.arange(4)), np.full(4, 0.5), 0.0, 2.0
    ),
    "beale": bounded(_beale, _beale_gradient, [1.0, 1.0], [0.0, -1.0], [2.5, 10.0]),
    "a string over an obstacle": quadratic(STRING, np.full(50, -0.2), np.zeros(50), -0.3, INF),
    "waves": bounded(
        lambda x: np.sum(np.cos(3 * x) + 0.1 * x**2),
        lambda x: -3 * np.sin(3 * x) + 0.2 * x,
        [0.1, 2.0, -0.3, 1.5],
        [-0.5, 1.9, -3.0, -INF],
        [2.0, 3.0, -0.2, 1.6],
    ),
}


def residual(problem: Bounded, x: FloatArray) -> float:
    """How far x is from meeting the conditions of Karush, Kuhn and Tucker: 0 at a minimum within bounds."""
    return float(np.abs(x - np.clip(x - problem.gradient(x), problem.low, problem.high)).max())


def peer(problem: Bounded) -> Any:
    return scipy.optimize.minimize(
        problem.value,
        problem.start,
        jac=problem.gradient,
        bounds=scipy.optimize.Bounds(problem.low, problem.high),
        method="L-BFGS-B",
        options={"ftol": 0, "gtol": 1e-9, "maxiter": 3000},
    )


@pytest.mark.parametrize("name", PROBLEMS)
def test_it_finds_what_scipys_l_bfgs_b_finds(name: str) -> None:
    problem = PROBLEMS[name]
    scipys = peer(problem)
    scale = residual(problem, problem.start)
    run = minimize(
        problem.value,
        problem.start,
        ProjectedLBFGS(onto=Box(tuple(problem.low), tuple(problem.high))),
        gradient=problem.gradient,
        stop=GradientNorm(1e-6 * max(scale, 1e-6)),
        max_steps=200,
    )
    assert run.stop.converged
    # Where the value's rounding hides the rest, which depends on the processor, SciPy ends no nearer.
    assert residual(problem, run.final.x) <= max(1e-6 * max(scale, 1e-6), residual(problem, scipys.x))
    np.testing.assert_allclose(run.fun, scipys.fun, rtol=1e-9, atol=1e-9 * abs(problem.value(problem.start)))
    # The Hessian's smallest eigenvalue, 0.01 in one case, divides the residual.
    np.testing.assert_allclose(run.final.x, scipys.x, atol=1e-3)
    assert run.step_count <= 1.5 * scipys.nit + 5
    assert ((run.x >= problem.low) & (run.x <= problem.high)).all()


@pytest.mark.parametrize("name", PROBLEMS)
def test_lbfgs_as_a_method_of_scipy_takes_bounds(name: str) -> None:
    problem = PROBLEMS[name]
    seen: list[FloatArray] = []

    def watched(x: FloatArray) -> Any:
        seen.append(x.copy())
        return problem.value(x)

    result = scipy.optimize.minimize(
        watched,
        # SciPy's own method moves such a start to the nearest point within bounds, too.
        problem.start + 5.0,
        jac=problem.gradient,
        bounds=scipy.optimize.Bounds(problem.low, problem.high),
        method=method(LBFGS()),
        tol=1e-5 * max(residual(problem, problem.start), 1e-6),
    )
    assert result.success
    assert residual(problem, result.x) <= 1e-5 * max(residual(problem, problem.start), 1e-6)
    assert all(((x >= problem.low) & (x <= problem.high)).all() for x in seen)


def test_a_coordinate_with_equal_bounds_stays_there() -> None:
    problem = PROBLEMS["rosenbrock, two coordinates fixed"]
    rule = ProjectedLBFGS(onto=Box(tuple(problem.low), tuple(problem.high)))
    run = minimize(problem.value, problem.start, rule, gradient=problem.gradient, max_steps=20)
    assert (run.x[:, 0] == 0.5).all()
    assert (run.x[:, 2] == 0.3).all()


@pytest.mark.parametrize(("start", "nearest"), [([3.0, 1.0], r"\[2\.0, 1\.0\]"), ([-1.0, 9.0], r"\[0\.0, 2\.0\]")])
def test_a_start_outside_is_refused_with_the_nearest_point(start: list[float], nearest: str) -> None:
    with pytest.raises(FalllineError, match=rf"^x0 is .*, outside of Box\(low=0, .*the nearest point is {nearest}$"):
        minimize("x**2 + y**2", start, ProjectedLBFGS(onto=Box(0, 2)))


def test_a_run_along_a_straight_slope_reaches_the_far_bound() -> None:
    run = minimize("x - 2*y", [1e6, 0.0], ProjectedLBFGS(onto=Box((-1e6, -INF), (1e6, 1e9))), max_steps=40)
    assert run.final.x.tolist() == [-1e6, 1e9]
    assert run.stop.converged


def test_other_sets_are_kept_to_as_well() -> None:
    f = "(x - 1)**2 + 3*(y + 0.5)**2 + (z - 0.2)**2"
    on_simplex = minimize(f, [1 / 3] * 3, ProjectedLBFGS(onto=Simplex()), stop=GradientNorm(1e-8))
    # With y = 0 at its bound, x and z differ by 0.8 and add up to 1.
    np.testing.assert_allclose(on_simplex.final.x, [0.9, 0.0, 0.1], atol=1e-8)
    in_ball = minimize(f, [0.0] * 3, ProjectedLBFGS(onto=Ball(0.5)), stop=GradientNorm(1e-7))
    assert in_ball.success
    found = scipy.optimize.minimize(
        lambda x: (x[0] - 1) ** 2 + 3 * (x[1] + 0.5) ** 2 + (x[2] - 0.2) ** 2,
        [0.1] * 3,
        constraints={"type": "ineq", "fun": lambda x: 0.25 - x @ x},
        method="SLSQP",
        tol=1e-12,
    )
    np.testing.assert_allclose(in_ball.final.x, found.x, atol=1e-6)


def test_without_bounds_it_does_what_lbfgs_does() -> None:
    start = [-1.2, 1.0]
    free = minimize(rosen, start, LBFGS(), gradient=rosen_der, stop=GradientNorm(1e-8))
    bound = minimize(rosen, start, ProjectedLBFGS(), gradient=rosen_der, stop=GradientNorm(1e-8))
    np.testing.assert_allclose(bound.final.x, free.final.x, atol=1e-8)
    assert abs(bound.step_count - free.step_count) <= 15


def test_many_starts_run_as_one_by_one_and_a_recipe_runs_it_again() -> None:
    rule = ProjectedLBFGS(onto=Box((-1.0, 0.0), (0.5, INF)))
    starts = RANDOM.uniform((-1.0, 0.0), (0.5, 2.0), (6, 2))
    together = fallline.compare("rosenbrock", starts, rule, max_steps=30)
    for run, start in zip(together, starts, strict=True):
        alone = minimize("rosenbrock", start, rule, max_steps=30)
        np.testing.assert_array_equal(run.x, alone.x)
    assert rerun(alone.recipe) == alone


def test_what_is_no_set_is_refused() -> None:
    with pytest.raises(FalllineError, match=r"onto is 3; it must be a Box, a Ball or a Simplex"):
        ProjectedLBFGS(onto=3)  # type: ignore[arg-type]
    with pytest.raises(FalllineError, match=r"onto is Box\(.*\); it must be a set of 3 coordinates, as x0 has"):
        minimize("x + y + z", [0.0] * 3, ProjectedLBFGS(onto=Box((0.0, 0.0), (1.0, 1.0))))


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_it_takes_a_rate_without_a_search_too_and_stays_in_the_set(engine: Any) -> None:
    box = Box(-2.0, 0.5)
    run = minimize("x**2 + 2*y**2 - 3*x", [-1.0, 0.4], ProjectedLBFGS(5.0, onto=box, memory=3), engine=engine)
    np.testing.assert_allclose(run.final.x, [0.5, 0.0], atol=1e-8)
    assert ((run.x >= -2) & (run.x <= 0.5)).all()


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_a_projected_rule_has_converged_where_the_slope_leads_out_of_the_set(engine: Any) -> None:
    rule = fallline.Projected(fallline.GradientDescent(0.1), Box(2.0, 5.0))
    run = minimize("x**2 + (y - 3)**2", [3.0, 4.0], rule, stop=GradientNorm(1e-6), engine=engine)
    assert run.stop.reason == "small gradient"
    np.testing.assert_allclose(run.final.x, [2.0, 3.0], atol=1e-6)
    # The gradient itself is not small there.
    assert run.final.gradient_norm == pytest.approx(4.0)
