"""Checking a gradient against the slope of the values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.errors import FalllineError
from fallline.gradients import Perturbation
from fallline.gradients.check import SHRINKING, CheckedSlope, GradientCheck, _extrapolated, check_gradient


def test_a_wrong_factor_of_the_chain_rule_is_caught() -> None:
    # y = 3u + 1, u = 2x² - x - 2: taking du/dx for 2x - 1 makes dy/dx 6x - 3 instead of 12x - 3.
    check = check_gradient("u = 2*x**2 - x - 2; y = 3*u + 1", 2.0, gradient=lambda x: 6 * x - 3)
    assert not check
    (slope,) = check.wrong
    assert (slope.name, slope.found) == ("x", 9.0)
    assert slope.expected == pytest.approx(21, abs=1e-9)  # the slope is extrapolated from values
    assert slope.factor == pytest.approx(9 / 21, abs=1e-9)
    assert "found 9, expected 21, 0.428571 times what it should be: wrong" in str(check.slopes[0])


def test_the_wrong_coordinate_is_named_and_the_right_ones_are_not() -> None:
    check = check_gradient(
        lambda x, y: x**2 * y, [[1.0, 2.0], [0.5, -1.0]], gradient=lambda x, y: (2 * x * y, 2 * x**2)
    )
    assert [(slope.name, slope.verdict) for slope in check.slopes] == [("x", "right"), ("y", "wrong")] * 2
    assert [slope.factor for slope in check.wrong] == pytest.approx([2, 2], rel=1e-9)


@pytest.mark.parametrize(
    ("text", "point"),
    [("exp(x)*sin(y)", [1.0, 2.0]), ("x**6 - 5*x", [30.0]), ("log(x) + sqrt(y)", [1e-2, 40.0])],
)
def test_a_symbolic_gradient_is_right(text: str, point: list[float]) -> None:
    assert [slope.verdict for slope in check_gradient(text, point).slopes] == ["right"] * len(point)


def test_rounding_of_a_forward_difference_is_no_wrong_derivative() -> None:
    assert check_gradient("sin(x)", 1.0, gradient=Perturbation())


def test_a_coarse_difference_is_wrong() -> None:
    assert not check_gradient("sin(x)", 1.0, gradient=Perturbation(0.1))


def test_a_kink_is_neither_right_nor_wrong() -> None:
    check = check_gradient("abs(x) + y**2", [0.0, 1.0])
    assert [slope.verdict for slope in check.slopes] == ["kink", "right"]
    assert check


def test_where_the_values_are_not_finite_nothing_can_be_told() -> None:
    assert [slope.verdict for slope in check_gradient("log(x)", -1.0).slopes] == ["unclear"]


@given(st.floats(-5, 5), st.floats(-1.5, 1.5).filter(lambda factor: abs(factor - 1) > 1e-3))
def test_any_wrong_multiple_is_caught(point: float, factor: float) -> None:
    def slope(x: Any) -> Any:
        return factor * (3 * np.cos(3 * x) + 4)

    check = check_gradient(lambda x: np.sin(3 * x) + 4 * x, point, gradient=slope)
    assert [found.verdict for found in check.slopes] == ["wrong"]
    assert check.slopes[0].factor == pytest.approx(factor, rel=1e-6, abs=1e-6)


def test_points_of_the_wrong_size_are_refused() -> None:
    with pytest.raises(FalllineError, match=r"x has 3 numbers; x\*y needs 2, for x, y"):
        check_gradient("x*y", [1.0, 2.0, 3.0])


def test_points_nearby_show_whether_the_factor_is_one_and_the_same() -> None:
    check = check_gradient("x**3", 2.0, gradient=lambda x: 6 * x**2, nearby=4)
    assert len(check.slopes) == 5
    assert len({float(slope.point[0]) for slope in check.slopes}) == 5
    assert all(abs(slope.point[0] - 2) <= 0.2 for slope in check.slopes)
    assert [slope.factor for slope in check.wrong] == pytest.approx([2] * 5, rel=1e-12)


def test_the_complex_step_says_what_is_expected_to_the_last_digits() -> None:
    (slope,) = check_gradient("exp(x)", 1.0).slopes
    assert slope.expected == pytest.approx(np.e, rel=1e-15)
    # Values in which differences lose ten digits.
    (slope,) = check_gradient("1e6 + exp(2*x)", 1.0).slopes
    assert slope.expected == pytest.approx(2 * np.exp(2), rel=1e-15)
    # A function that drops what is imaginary has no complex step.
    (slope,) = check_gradient(lambda x: np.exp(np.real(x)), 1.0, gradient=math.exp).slopes
    assert slope.verdict == "right"
    assert slope.expected == pytest.approx(np.e, rel=1e-9)


def bumpy(x: Any) -> Any:
    return np.sum(np.sin(x) * np.arange(1, x.size + 1) ** 0.1) + np.prod(np.cos(x[:3]))


def bumpy_gradient(x: Any) -> Any:
    slopes = np.cos(x) * np.arange(1, x.size + 1) ** 0.1
    slopes[:3] -= np.prod(np.cos(x[:3])) * np.tan(x[:3])
    return slopes


AT = np.random.default_rng(1).normal(size=3000)


def test_of_many_coordinates_a_few_directions_are_checked() -> None:
    values = []
    check = check_gradient(lambda x: values.append(1) or bumpy(x), AT, gradient=bumpy_gradient)  # type: ignore[func-returns-value]
    assert check
    assert not check.slopes
    assert [slope.verdict for slope in check.directions] == ["right"] * 3
    # Three directions, twelve values along each.
    assert 36 < len(values) < 60
    # The point is written once.
    text = repr(check)
    assert text.count("2994 more") == 1
    assert len(text.splitlines()) < 10
    assert "along direction 1 at" in repr(check.directions[0])


@pytest.mark.parametrize("wrong", [[2999], [0], [17, 1234, 1235], [5, 6, 7, 8, 9]])
@pytest.mark.parametrize("error", [1e-4, -3.0])
def test_the_wrong_ones_of_many_coordinates_are_found(wrong: list[int], error: float) -> None:
    values = []

    def gradient(x: Any) -> Any:
        slopes = bumpy_gradient(x)
        slopes[wrong] += error
        return slopes

    check = check_gradient(lambda x: values.append(1) or bumpy(x), AT, gradient=gradient)  # type: ignore[func-returns-value]
    assert not check
    found = [slope for slope in check.slopes if slope.verdict == "wrong"]
    assert sorted(slope.name for slope in found) == sorted(f"x{i}" for i in wrong)
    true = bumpy_gradient(AT)
    for slope in found:
        assert slope.expected == pytest.approx(true[int(slope.name[1:])], abs=1e-7)
    assert len(values) < 3000
    assert "wrong in x" in repr(check)


def test_a_wrong_factor_in_all_of_many_coordinates() -> None:
    check = check_gradient(bumpy, AT, gradient=lambda x: 2 * bumpy_gradient(x))
    assert not check
    assert [slope.factor for slope in check.wrong] == pytest.approx([2] * 8, rel=1e-5)
    # The worst that it names are among the steepest.
    steep = np.sort(np.abs(bumpy_gradient(AT)))[-300]
    assert max(abs(slope.expected) for slope in check.slopes) > steep


@pytest.mark.parametrize("lost", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_among_many_coordinates_is_found(lost: float) -> None:
    def gradient(x: Any) -> Any:
        slopes = bumpy_gradient(x)
        slopes[[3, 70]] = lost
        return slopes

    check = check_gradient(bumpy, AT, gradient=gradient)
    assert not check
    assert [slope.name for slope in check.slopes] == ["x3", "x70"]


def test_a_gradient_of_another_size_is_told_in_a_short_line() -> None:
    with pytest.raises(FalllineError, match=r"it must return 1000 numbers, one for each of x0, .* \(1000 in all\)$"):
        check_gradient(lambda x: np.sum(x**2), np.ones(1000), gradient=lambda x: x[:5])


def test_many_coordinates_at_several_points() -> None:
    def gradient(x: Any) -> Any:
        return bumpy_gradient(x) + (x[0] > 2)

    right, wrong = AT - AT[0], AT - AT[0] + 3
    check = check_gradient(bumpy, [right, wrong], gradient=gradient)
    assert [slope.verdict for slope in check.directions] == ["right"] * 3 + ["wrong"] * 3
    assert all(slope.point[0] == 3 for slope in check.slopes)
    assert len(check_gradient(bumpy, right, gradient=gradient, nearby=2).directions) == 9


def test_a_kink_among_many_coordinates_is_neither_right_nor_wrong() -> None:
    check = check_gradient(lambda x: np.sum(np.abs(x)), np.zeros(100), gradient=np.sign)
    assert {slope.verdict for slope in check.directions} == {"kink"}
    assert "not everything can be told: kink" in repr(check)


def test_what_no_coordinate_shows_is_unclear_along_a_direction() -> None:
    # Each is off by less than a slope is known to, all together by more.
    check = check_gradient(lambda x: x @ x / 2, np.zeros(400), gradient=lambda x: x + 5e-7)
    assert check
    assert not check.slopes
    assert "unclear" in {slope.verdict for slope in check.directions} <= {"unclear", "right"}


def test_where_every_direction_leaves_the_domain_no_coordinate_is_looked_for() -> None:
    calls = []

    def logarithms(x: Any) -> Any:
        calls.append(1)
        return np.sum(np.log(x))

    check = check_gradient(logarithms, np.full(100, 1e-9), gradient=lambda x: 1 / x)
    assert {slope.verdict for slope in check.directions} == {"unclear"}
    assert not check.slopes
    # Three directions with twelve values each, and as many once more.
    assert len(calls) < 80


def test_the_limit_of_each_is_fifty() -> None:
    for count, each in ((50, True), (51, False)):
        check = check_gradient(lambda x: np.sum(x**3), np.ones(count), gradient=lambda x: 3 * x**2)
        assert check
        assert (len(check.slopes), len(check.directions)) == ((count, 0) if each else (0, 3))


def test_coordinates_of_different_sizes() -> None:
    sizes = np.geomspace(1e-3, 1e5, 200)
    wrong = np.ones(200)
    wrong[42] = 1.01
    check = check_gradient(
        lambda x: np.sum((x / sizes) ** 4), 2 * sizes, gradient=lambda x: wrong * 4 * x**3 / sizes**4
    )
    assert [slope.name for slope in check.slopes if slope.verdict == "wrong"] == ["x42"]


@pytest.mark.parametrize(("order", "terms"), [(1, [3.0, -2.0, 0.5]), (2, [-1.0, 4.0, 7.0])])
def test_slopes_are_extrapolated_to_a_step_of_0(order: int, terms: list[float]) -> None:
    steps = 0.1 / SHRINKING ** np.arange(5)
    slopes = 5 + np.sum([term * steps ** (order * (k + 1)) for k, term in enumerate(terms)], axis=0)
    best, uncertainty = _extrapolated(slopes, order)
    assert best == pytest.approx(5, abs=1e-12)
    assert uncertainty < 1e-11
    # With as many steps as terms the last of all is exact.
    best, uncertainty = _extrapolated(slopes[:4], order)
    assert best == pytest.approx(5, abs=1e-12)
    assert 1e-8 < uncertainty < 0.1
    # Of slopes that do not settle the best is not better than they.
    rough = 5 + np.array([0.1, -0.2, 0.15, -0.1, 0.2, -0.15, 0.1, -0.2])
    best, uncertainty = _extrapolated(rough, order)
    assert abs(best - 5) < 1
    assert uncertainty > 0.05
    assert _extrapolated(np.array([3.0]), order) == (3.0, math.inf)


def test_the_error_of_an_extrapolated_slope_is_its_larger_distance_from_those_it_is_of() -> None:
    # Ridders' (Press et al., Numerical Recipes, 2007, §5.7): (2 · 1.4 - 1) / 0.4 = 4.5 is 2.5 from 2, and 3.5 from 1.
    assert _extrapolated(np.array([1.0, 2.0]), 1) == pytest.approx((4.5, 3.5))
    # (2 · 1.96 - 1) / 0.96 is 1 / 0.96 from 2, and 1.96 / 0.96 from 1.
    assert _extrapolated(np.array([1.0, 2.0]), 2) == pytest.approx((2.92 / 0.96, 1.96 / 0.96))


def test_an_entry_tells_what_was_found_and_expected() -> None:
    point = np.array([1.0, 2.0])
    slope = CheckedSlope(point, "y", 3.0, 2.0, 1e-9, "wrong")
    assert (slope.factor, repr(slope)) == (
        1.5, "d/dy at [1, 2]: found 3, expected 2, 1.5 times what it should be: wrong"
    )  # fmt: skip
    slope = CheckedSlope(point, "y", 3.0, 0.0, 1e-9, "wrong")
    assert (slope.factor, repr(slope)) == (math.inf, "d/dy at [1, 2]: found 3, expected 0: wrong")
    slope = CheckedSlope(point, "direction 2", 3.0, 3.0, 1e-9, "right")
    assert repr(slope) == "along direction 2 at [1, 2]: found 3, expected 3: right"


def test_the_table_has_the_wrong_ones_first_and_no_more_than_fit() -> None:
    right = [CheckedSlope(np.array([float(i)]), "x", 1.0, 1.0, 0.0, "right") for i in range(40)]
    wrong = CheckedSlope(np.array([50.0]), "x", 2.0, 1.0, 0.0, "wrong")
    lines = repr(GradientCheck((*right, wrong))).splitlines()
    assert lines[0] == "Gradient check: the gradient is wrong in x"
    assert lines[2].split() == ["at", "coordinate", "found", "expected", "factor", "verdict"]
    assert lines[3].split() == ["[50]", "x", "2", "1", "2", "wrong"]
    assert lines[4].split() == ["[0]", "x", "1", "1", "right"]
    assert "31 more" in lines[-1]
    assert repr(GradientCheck(tuple(right))).splitlines()[0] == "Gradient check: the gradient is right"
    along = [CheckedSlope(np.zeros(60), f"direction {i + 1}", 1.0, 1.0, 0.0, "right") for i in range(3)]
    lines = repr(GradientCheck((), tuple(along))).splitlines()
    assert lines[0] == "Gradient check: the gradient is right"
    assert "60, checked along random directions" in lines[1] + lines[2]
    assert any(line.split() == ["coordinate", "found", "expected", "factor", "verdict"] for line in lines)
    unclear = CheckedSlope(np.ones(60), "direction 1", 1.0, 1.0, 0.0, "unclear")
    lines = repr(GradientCheck((), (*along, unclear))).splitlines()
    assert lines[0] == "Gradient check: nothing is wrong, but not everything can be told: unclear"
    kink = CheckedSlope(np.ones(60), "direction 2", 1.0, 1.0, 0.0, "kink")
    assert repr(GradientCheck((), (*along, unclear, kink))).splitlines()[0].endswith(" told: kink, unclear")
    # At several points each line has its own.
    assert any(line.split() == ["at", "coordinate", "found", "expected", "factor", "verdict"] for line in lines)
    one = CheckedSlope(np.ones(60), "x7", 2.0, 1.0, 0.0, "wrong")
    assert "wrong in x7, and maybe in others" in repr(GradientCheck((one,), tuple(along)))


@pytest.mark.parametrize(("kind", "count"), [(np.float64, 24), (np.float32, 9)])
def test_a_coordinate_is_moved_by_at_most_a_tenth_of_its_size_and_by_no_less_than_rounding_allows(
    kind: Any, count: int
) -> None:
    at, points = np.array([-200.3, 0.7]), []

    def recorded(x: Any) -> Any:
        points.append(np.real(x) - at)
        return kind(np.real(x) @ np.real(x))

    assert check_gradient(recorded, at, gradient=lambda x: 2 * x)
    moves = np.array(points)
    for i, size in ((0, 200.3), (1, 1.0)):
        alone = np.unique(np.round(moves[(moves[:, i] != 0) & (moves[:, 1 - i] == 0), i], 12))
        steps = size * 0.1 / SHRINKING ** np.arange(count)
        np.testing.assert_allclose(alone, np.sort([*steps, *-steps]), rtol=1e-7)
    # Of values in float32 the next step would be shorter than the cube root of the rounding.
    assert kind is np.float64 or steps[-1] > 2 ** (-23 / 3) > steps[-1] / SHRINKING


def constant(number: float) -> Any:
    return lambda _: number


@pytest.mark.parametrize(
    ("function", "at", "slope"),
    [
        (lambda x: math.exp(3 * x), 1.0, 3 * math.exp(3)),
        (lambda x: math.sin(1000 * x), 0.3, 1000 * math.cos(300)),
        (lambda x: float(np.real(x)) ** 2, 1e6, 2e6),
        (lambda x: math.sqrt(x), 1e-3, 0.5 / math.sqrt(1e-3)),
        (lambda x: math.atan(50 * x), 0.0, 50.0),
        (lambda x: 1e-8 * math.sin(x), 1.0, 1e-8 * math.cos(1)),
    ],
)
def test_the_slope_of_values_alone_is_within_what_it_says(function: Any, at: float, slope: float) -> None:
    (found,) = check_gradient(function, at, gradient=lambda x: slope).slopes
    assert found.verdict == "right"
    assert found.found == slope
    assert abs(found.expected - slope) <= 10 * found.uncertainty + 1e-14 * max(1, abs(slope))
    assert found.uncertainty <= 1e-6 * max(1, abs(slope))
    for error in (-1e-4, 1e-4):
        wrong = slope + error * max(1, abs(slope))
        assert [it.verdict for it in check_gradient(function, at, gradient=constant(wrong)).slopes] == ["wrong"]


def test_a_steep_slope_is_compared_relative_to_its_size() -> None:
    for error, verdict in ((3e-7, "right"), (3e-6, "wrong")):
        (found,) = check_gradient(lambda x: x**2, 1e6, gradient=constant(2e6 * (1 + error))).slopes
        assert found.verdict == verdict


def test_an_exact_gradient_is_compared_with_values_of_the_function_itself() -> None:
    calls = []

    def counted(x: Any) -> Any:
        calls.append(1)
        return x[0] ** 3

    assert check_gradient(counted, [2.0], gradient="autodiff")
    assert len(calls) > 40


def test_a_check_outside_of_the_domain_warns_of_nothing() -> None:
    slopes = [
        check_gradient(np.log, at, gradient=lambda x: 1 / np.sqrt(x) ** 2).slopes[0].verdict for at in (-1.0, 0.0)
    ]
    assert slopes == ["unclear", "unclear"]


@pytest.mark.parametrize(("side", "verdict"), [(1e-3, "kink"), (1e-9, "right")])
def test_a_kink_is_one_if_the_sides_differ_by_more_than_their_errors(side: float, verdict: str) -> None:
    (found,) = check_gradient(lambda x: 3 * x + side * abs(x), 0.0, gradient=lambda x: 3.0).slopes
    assert found.verdict == verdict


def test_a_kink_of_a_curved_function_is_seen() -> None:
    (found,) = check_gradient(lambda x: 3 * x + 1e-3 * abs(x) + 50 * x**2, 0.0, gradient=lambda x: 3.0).slopes
    assert found.verdict == "kink"


def test_a_slope_that_rounding_may_hide_is_unclear() -> None:
    # Beside 1e9 a change of 1e-7 is lost, over a step of 1e-4 a slope of 1e-3.
    (found,) = check_gradient(lambda x: 1e9 + 0.5 + 0 * x, 1.0, gradient=lambda x: 1e-4).slopes
    assert found.verdict == "unclear"


def test_values_too_rough_for_a_slope_are_unclear() -> None:
    (found,) = check_gradient(lambda x: x + 0.1 * math.sin(1e7 * x), 1.0, gradient=lambda x: 1.0).slopes
    assert found.verdict == "unclear"


def test_points_nearby_are_within_a_tenth_of_the_size_and_always_the_same() -> None:
    points = [[100.0, 0.1], [3.0, 4.0]]
    first = check_gradient("x*y", points, nearby=5)
    second = check_gradient("x*y", points, nearby=5)
    at = np.array([slope.point for slope in first.slopes]).reshape(2, 6, 2, 2)[:, :, 0]
    np.testing.assert_array_equal([slope.point for slope in first.slopes], [slope.point for slope in second.slopes])
    np.testing.assert_array_equal(at[:, 0], points)
    away = np.abs(at[:, 1:] - at[:, :1]) / np.maximum(1, np.abs(at[:, :1]))
    assert 0.05 < away.max() <= 0.1
    # In every coordinate, whatever its size, the farthest of five.
    assert (away.max(axis=1) > 0.02).all()
    assert (away > 0).all()


@pytest.mark.parametrize("nearby", [-1, 1.5, "2", None])
def test_nearby_is_a_whole_number(nearby: Any) -> None:
    with pytest.raises(FalllineError, match=f"^nearby is {nearby!r}; it must be a whole number at least 0$"):
        check_gradient("x**2", 1.0, nearby=nearby)
