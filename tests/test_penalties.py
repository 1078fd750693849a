"""Penalties and sets against the definition of what they compute."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, minimize
from tests.cases import few
from tests.runs import same

from fallline import ProximalDescent, rerun
from fallline import minimize as minimize_fallline
from fallline.errors import FalllineError
from fallline.penalties import L1, L2, Ball, Box, ConvexSet, ElasticNet, Penalty, Simplex

points = st.lists(st.floats(-5, 5), min_size=1, max_size=5).map(np.array)


@pytest.mark.parametrize("penalty", few([L1(0.7), L2(0.7), ElasticNet(0.4, 0.9)], 1), ids=lambda p: type(p).__name__)
@given(x=points, rate=st.floats(0.01, 3), other=st.integers(0, 2**32 - 1))
def test_proximal_step_is_the_minimum_of_its_definition(
    penalty: Penalty, x: np.ndarray, rate: float, other: int
) -> None:
    u = penalty.proximal(x, rate)

    def cost(v: np.ndarray) -> float:
        return float(rate * penalty.value(v) + 0.5 * np.sum((v - x) ** 2))

    nearby = u + np.random.default_rng(other).normal(size=(200, len(x))) * 0.3
    # A rounding of the cost at the minimum.
    assert cost(u) <= min(cost(v) for v in nearby) + 1e-12


@pytest.mark.parametrize("penalty", [L1(0.7), ElasticNet(0.7, 0.1)], ids=lambda p: type(p).__name__)
def test_small_coordinates_become_exactly_zero(penalty: Penalty) -> None:
    assert penalty.proximal(np.array([0.69, -0.69, 0.0]), 1.0).tolist() == [0.0, 0.0, 0.0]


def nearest(x: np.ndarray, constraints: list[LinearConstraint]) -> np.ndarray:
    """The nearest point of a polytope, by a general solver."""
    answer = minimize(
        lambda u: np.sum((u - x) ** 2),
        np.full(len(x), 1 / len(x)),
        jac=lambda u: 2 * (u - x),
        method="SLSQP",
        constraints=constraints,
        options={"ftol": 1e-14, "maxiter": 500},
    )
    found: np.ndarray = answer.x
    return found


@given(x=points)
def test_simplex_projection_is_the_nearest_point(x: np.ndarray) -> None:
    u = Simplex(1.5).projected(x)
    assert u.min() >= 0
    assert u.sum() == pytest.approx(1.5, rel=1e-14)
    n = len(x)
    constraints = [LinearConstraint(np.eye(n), 0), LinearConstraint(np.ones(n), 1.5, 1.5)]
    # SLSQP stops when the squared distance changes by less than 1e-14, so the point is good to about 1e-7.
    np.testing.assert_allclose(u, nearest(x, constraints), atol=1e-6)


@pytest.mark.parametrize("onto", [Box(-1.0, 2.0), Ball(1.5), Simplex()], ids=lambda s: type(s).__name__)
@given(x=points)
def test_projecting_twice_is_projecting_once(onto: ConvexSet, x: np.ndarray) -> None:
    once = onto.projected(x)
    np.testing.assert_allclose(onto.projected(once), once, atol=1e-15)  # one rounding of a number near 1


@pytest.mark.parametrize(
    "thing",
    [L1(0.7), ElasticNet(0.4, 0.9), Box(-1.0, 2.0), Ball(1.5), Simplex()],
    ids=lambda s: type(s).__name__,
)
def test_a_batch_gives_the_same_bits_as_each_point(thing: Penalty | ConvexSet) -> None:
    batch = np.random.default_rng(0).normal(size=(50, 7)) * 2
    apply = thing.projected if isinstance(thing, ConvexSet) else lambda x: thing.proximal(x, 0.3)
    assert np.array_equal(apply(batch), np.concatenate([apply(row[None, :]) for row in batch]))


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(FalllineError, match=r"L1: strength is -1; it must be a number at least 0"):
        L1(-1)
    with pytest.raises(FalllineError, match=r"Ball: radius is 0; it must be a number above 0"):
        Ball(0)
    with pytest.raises(FalllineError, match=r"Box: low is 2; it must be at most high, 1, everywhere"):
        Box(2, 1)


def test_projections_of_huge_points() -> None:
    np.testing.assert_allclose(Ball(1.0).projected(np.array([1e200, 1e200])), [0.5**0.5] * 2, rtol=1e-15)
    assert Simplex().projected(np.array([1e20, 1.0, 0.0])).tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("penalty", [L1, L2])
def test_free_coordinates_are_left_alone(penalty: type[L1 | L2]) -> None:
    x = np.array([[3.0, -2.0, 5.0], [1.0, 0.1, -4.0]])
    spared, all_but_the_last = penalty(0.7, free=(2,)), penalty(0.7)
    assert np.array_equal(spared.value(x), all_but_the_last.value(x[:, :2]))
    u = spared.proximal(x, 0.5)
    assert np.array_equal(u[:, 2], x[:, 2])
    assert np.array_equal(u[:, :2], all_but_the_last.proximal(x[:, :2], 0.5))
    both = ElasticNet(0.3, 0.4, free=(-1,)).proximal(x, 0.5)
    assert np.array_equal(both[:, 2], x[:, 2])
    assert np.array_equal(both[:, :2], ElasticNet(0.3, 0.4).proximal(x[:, :2], 0.5))


def test_a_free_coordinate_that_x_lacks_is_refused() -> None:
    with pytest.raises(FalllineError, match="L1: free has the place 2, but x has 2 coordinates"):
        L1(0.7, free=(2,)).proximal(np.array([1.0, 2.0]), 1.0)


def test_a_run_with_free_coordinates_can_be_done_again() -> None:
    run = minimize_fallline("x**2 + (y - 3)**2", [1.0, 0.0], ProximalDescent(0.3, L1(5.0, free=(1,))))
    assert run.final.x == pytest.approx([0.0, 3.0], abs=1e-10)
    assert same(rerun(run.recipe), run)
