"""SciPy: a rule as a method of minimize, and a trajectory as its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import scipy.optimize

import fallline
from fallline.bridges.scipy import method, to_scipy
from fallline.errors import FalllineError

MINIMUM = np.array([3.0, -1.0])


def bowl(x: Any, scale: float = 1.0) -> Any:
    return scale * ((x[0] - 3) ** 2 + 4 * (x[1] + 1) ** 2)


def slope(x: Any, scale: float = 1.0) -> Any:
    return scale * np.array([2 * (x[0] - 3), 8 * (x[1] + 1)])


def test_a_rule_takes_the_steps_that_minimize_takes() -> None:
    rule = fallline.Adam(0.1)
    result = scipy.optimize.minimize(bowl, [0.0, 0.0], jac=slope, method=method(rule), options={"maxiter": 50})
    run = fallline.minimize(bowl, [0.0, 0.0], rule, gradient=slope, max_steps=50)
    assert np.array_equal(result.trajectory.x, run.x)
    assert (result.nit, result.status, result.success) == (50, 1, False)
    assert "50 steps" in result.message
    assert (result.fun, *result.jac) == (run.final.value, *run.final.gradient)


def test_the_minimum_is_found_with_args_and_with_both_at_once() -> None:
    by_rule = method(fallline.GradientDescent(0.05))
    with_args = scipy.optimize.minimize(bowl, [0, 0], args=(2.0,), jac=slope, method=by_rule)
    both = scipy.optimize.minimize(lambda x: (bowl(x), slope(x)), [0, 0], jac=True, method=by_rule)
    for result in (with_args, both):
        assert result.success
        # The run ends at steps below 1e-12, which leaves ten times that at these rates.
        assert result.x == pytest.approx(MINIMUM, abs=1e-11)


def test_without_jac_the_gradient_is_found() -> None:
    result = scipy.optimize.minimize(
        bowl, [0.0, 0.0], method=method(fallline.LBFGS(), gradient=fallline.Perturbation())
    )
    # Forward differences are right to about 1e-8.
    assert result.x == pytest.approx(MINIMUM, abs=1e-6)


@pytest.mark.parametrize("bounds", [[(None, 2), (0, None)], scipy.optimize.Bounds([-np.inf, 0], [2, np.inf])])
def test_bounds_are_kept(bounds: Any) -> None:
    seen: list[Any] = []

    def watched(x: Any) -> Any:
        seen.append(x.copy())
        return bowl(x)

    result = scipy.optimize.minimize(
        watched,
        [5.0, -4.0],
        jac=slope,
        bounds=bounds,
        method=method(fallline.GradientDescent(0.05)),
    )
    # For a separable bowl, the minimum in the box is the point of the box nearest to the minimum.
    assert result.x.tolist() == [2.0, 0.0]
    assert all(x[0] <= 2 and x[1] >= 0 for x in seen)


def test_tol_is_the_gradient_norm() -> None:
    result = scipy.optimize.minimize(
        bowl, [0.0, 0.0], jac=slope, tol=1e-3, method=method(fallline.GradientDescent(0.1))
    )
    assert result.success
    assert np.linalg.norm(result.jac) <= 1e-3 < np.linalg.norm(result.trajectory.gradient[-2])


def test_callbacks_of_both_forms_are_called_after_each_step_and_can_stop() -> None:
    points: list[Any] = []
    results: list[Any] = []

    def stopping(intermediate_result: Any) -> None:
        results.append(intermediate_result)
        if intermediate_result.nit == 3:
            raise StopIteration

    by_rule = method(fallline.GradientDescent(0.1))
    scipy.optimize.minimize(bowl, [0, 0], jac=slope, method=by_rule, callback=points.append, options={"maxiter": 5})
    stopped = scipy.optimize.minimize(bowl, [0, 0], jac=slope, method=by_rule, callback=stopping)
    assert len(points) == 5
    assert (stopped.nit, stopped.status) == (3, 99)
    assert [result.x.tolist() for result in results] == [point.tolist() for point in points[:3]]
    assert results[0].fun == bowl(results[0].x)


def test_a_rule_of_ones_own_is_a_method_too() -> None:
    @dataclass(frozen=True)
    class Halving(fallline.Optimizer[None]):
        learning_rate: float = 0.5

        def init(self, x: Any) -> None:
            return None

        def update(self, gradient: Any, state: None, rate: Any, step: Any) -> tuple[Any, None]:
            return rate * gradient, state

    result = scipy.optimize.minimize(lambda x: x @ x, [3.0, 4.0], jac=lambda x: 2 * x, method=method(Halving()))
    assert result.x.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"constraints": {"type": "eq", "fun": bowl}}, "constraints is .* an update rule takes none"),
        ({"hess": lambda x: np.eye(2)}, "hess is .* an update rule takes none"),
        ({"options": {"maxitr": 5}}, "options has 'maxitr'; did you mean 'maxiter'"),
        ({"bounds": [(0, 1)]}, "bounds is .* it must be 2 pairs"),
        ({"bounds": scipy.optimize.Bounds([0, 0, 0], [1, 1, 1])}, "bounds is .* x0 has 2 numbers"),
        ({"bounds": 3}, "bounds is 3; it must be"),
    ],
)
def test_what_a_rule_cannot_obey_is_refused_by_name(given: dict[str, Any], message: str) -> None:
    with pytest.raises(FalllineError, match=message):
        scipy.optimize.minimize(bowl, [0.0, 0.0], jac=slope, method=method(fallline.Adam()), **given)


def test_a_rule_by_name_is_refused() -> None:
    with pytest.raises(FalllineError, match=r"rule is 'adam'; it must be an update rule"):
        method("adam")  # type: ignore[arg-type]


def test_disp_prints_why_the_run_ended(capsys: pytest.CaptureFixture[str]) -> None:
    by_rule = method(fallline.Adam())
    scipy.optimize.minimize(bowl, [0, 0], jac=slope, method=by_rule, options={"disp": True, "maxiter": 2})
    assert "2 steps" in capsys.readouterr().out


def test_a_run_that_is_no_longer_finite_says_so() -> None:
    result = to_scipy(fallline.minimize("x**4", 10.0, fallline.GradientDescent(1.0)))
    assert (result.success, result.status) == (False, 3)


@pytest.mark.parametrize("jac", [None, scipy.optimize.rosen_der], ids=["without jac", "with jac"])
@pytest.mark.parametrize("rule", [fallline.LBFGS(), fallline.ConjugateGradient()], ids=lambda rule: rule.name)
def test_a_line_search_at_the_minimum_of_rosenbrock_is_a_success(rule: Any, jac: Any) -> None:
    result = scipy.optimize.minimize(scipy.optimize.rosen, [-1.2, 1.0], jac=jac, method=method(rule))
    assert (result.success, result.status) == (True, 0)
    # Central differences are right to 1e-10 of the value, at a curvature of 0.4 along the valley.
    assert result.x == pytest.approx([1, 1], abs=1e-6)


@pytest.mark.parametrize("gradient", ["auto", fallline.Perturbation(scheme="central")], ids=str)
def test_a_least_squares_fit_of_500_values_is_a_success(gradient: Any) -> None:
    rng = np.random.default_rng(0)
    t = rng.uniform(0, 4, 500)
    y = 2 * np.exp(-1.3 * t) + 0.1 * rng.normal(size=500)

    def residuals(p: Any) -> Any:
        return p[0] * np.exp(-p[1] * t) - y

    def squares(p: Any) -> Any:
        return np.sum((p[0] * np.exp(-p[1] * t) - y) ** 2)

    by_rule = method(fallline.LBFGS(), gradient=gradient)
    result = scipy.optimize.minimize(squares, [1.0, 1.0], method=by_rule)
    expected = scipy.optimize.least_squares(residuals, [1.0, 1.0], xtol=1e-15, ftol=1e-15, gtol=1e-15)
    assert result.success
    # The value is right to its rounding, so the place to the root of that.
    assert result.x == pytest.approx(expected.x, rel=1e-6)


def test_a_rate_that_is_too_small_and_a_saddle_are_no_success() -> None:
    for objective, start, rate in ((bowl, [1.0, 1.0], 1e-14), (lambda x: x[0] ** 2 - x[1] ** 2, [1.0, 0.0], 0.1)):
        result = scipy.optimize.minimize(objective, start, method=method(fallline.GradientDescent(rate)))
        assert (result.success, result.status) == (False, 2)


def test_a_minimum_on_the_bounds_is_a_success() -> None:
    by_rule = method(fallline.GradientDescent(0.1))
    result = scipy.optimize.minimize(bowl, [0.0, 0.0], jac=slope, method=by_rule, bounds=[(0, 1), (0, 1)])
    known = scipy.optimize.minimize(bowl, [0.0, 0.0], jac=slope, method="L-BFGS-B", bounds=[(0, 1), (0, 1)])
    assert result.success
    assert result.x == pytest.approx(known.x, abs=1e-8)
