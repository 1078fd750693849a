"""Formulas as objectives: values and gradients against arithmetic that shares nothing with them."""

from __future__ import annotations

import copy
import math
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fallline import Evaluations, GradientDescent, minimize
from fallline.errors import FalllineError
from fallline.objectives import as_objective
from fallline.objectives.formula import FormulaObjective
from fallline.objectives.grammar import parse
from fallline.objectives.straight_line import StraightLine
from fallline.objectives.symbolic import FUNCTIONS

objective = FormulaObjective.from_text


def both(text: str, *point: float) -> tuple[float, list[float]]:
    value, gradient = objective(text).value_and_gradient(np.array([point], dtype=float))
    return float(value[0]), list(gradient[0])


# Closed forms ----------------------------------------------------------------------------------------------


def test_rosenbrock_equals_hand_written_floats() -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform(-2, 2, (200, 2))
    value, gradient = objective("(1-x)**2+100*(y-x**2)**2").value_and_gradient(points)
    for row, (x, y) in enumerate(points.tolist()):
        # To the last bit, but that Python's ** may round otherwise than a product.
        assert value[row] == (1 - x) * (1 - x) + 100 * ((y - x * x) * (y - x * x))
        # -2*(1-x) and -400*x*(y-x**2) may cancel; each is right to a few roundings.
        size = abs(2 * (1 - x)) + abs(400 * x * (y - x**2))
        assert gradient[row, 0] == pytest.approx(-2 * (1 - x) - 400 * x * (y - x**2), abs=1e-15 * size)
        assert gradient[row, 1] == pytest.approx(200 * (y - x**2), rel=1e-15)


def test_the_chain_rule_goes_through_the_steps() -> None:
    # dy/dx = 3*(4*x - 1)
    assert both("u = 2*x**2 - x - 2; y = 3*u + 1", 2.0) == (13.0, [21.0])
    # dy/da = 2*(6*a - 2), dy/db = 4*b, dy/dc = 1
    assert both("u = 3*a**2-2*a+b**2+1; y = 2*u+c", 1.0, 1.0, 1.0) == (7.0, [8.0, 4.0, 1.0])


def test_a_step_used_twice_and_steps_that_are_only_names() -> None:
    assert both("u = x; v = u; u*v + u", 3.0) == (12.0, [7.0])
    assert both("u = x*y; v = x*y; u*v", 2.0, 3.0) == (
        36.0,
        [36.0, 24.0],
    )
    assert both("y = x", 5.0) == (5.0, [1.0])


def test_constant_steps() -> None:
    assert both("a = 2; b = sin(a)*0 + a/4; (x - a)**2*b", 5.0) == (4.5, [3.0])
    assert both("a = 2; x*(a**3)*(6/a)*exp(a - 2)", 1.0) == (24.0, [24.0])
    assert both("a = 2; 1/x/a + max(a, 1)", 1.0) == (2.5, [-0.5])


@pytest.mark.parametrize("text", ["3 + 0*x", "x**0 + 2", "sign(x)*0 + 3"])
def test_constant_derivatives_take_the_shape_of_the_batch(text: str) -> None:
    points = np.ones((4, 3, 1))
    value, gradient = objective(text).value_and_gradient(points)
    assert value.tolist() == [[3.0] * 3] * 4
    assert gradient.tolist() == [[[0.0]] * 3] * 4


# Every operation, once: the text and the same function for mpmath.
OPERATIONS: dict[str, Callable[..., Any]] = {
    "sin(x)": mpmath.sin,
    "cos(x)": mpmath.cos,
    "tan(x)": mpmath.tan,
    "asin(x)": mpmath.asin,
    "acos(x)": mpmath.acos,
    "atan(x)": mpmath.atan,
    "sinh(x)": mpmath.sinh,
    "cosh(x)": mpmath.cosh,
    "tanh(x)": mpmath.tanh,
    "exp(x)": mpmath.exp,
    "log(x)": mpmath.log,
    "sqrt(x)": mpmath.sqrt,
    "abs(x)": abs,
    "sigmoid(x)": lambda x: 1 / (1 + mpmath.exp(-x)),
    "1/x": lambda x: 1 / x,
    "3/x": lambda x: 3 / x,
    "x/3": lambda x: x / 3,
    "-x/7": lambda x: -x / 7,
    "-2*x": lambda x: -2 * x,
    "x - 3*x**2": lambda x: x - 3 * x**2,
    "x**3": lambda x: x**3,
    "x**7": lambda x: x**7,
    "x**8": lambda x: x**8,
    "x**9": lambda x: x**9,
    "x**30": lambda x: x**30,
    "x**-1": lambda x: 1 / x,
    "x**-3": lambda x: x**-3,
    "x**-12": lambda x: x**-12,
    "x**0.5": mpmath.sqrt,
    "x**-0.5": lambda x: 1 / mpmath.sqrt(x),
    "x**1.5": lambda x: x * mpmath.sqrt(x),
    "x**(1/3)": lambda x: x ** (mpmath.mpf(1 / 3)),
    "x**-2.5": lambda x: x ** mpmath.mpf(-2.5),
    "2**x": lambda x: mpmath.mpf(2) ** x,
    "e**x": mpmath.exp,
    "x**x": lambda x: x**x,
    "x**(x/2)": lambda x: x ** (x / 2),
    "(-x)**2": lambda x: x**2,
    "(-x)**3": lambda x: -(x**3),
}


@pytest.mark.parametrize("text", OPERATIONS)
def test_each_operation_is_right_to_the_last_digits(text: str) -> None:
    truth = OPERATIONS[text]
    with mpmath.workdps(50):
        for at in (0.03, 0.25, 0.5, 0.7321, 0.96):
            value, (slope,) = both(text, at)
            exact, derivative = truth(mpmath.mpf(at)), mpmath.diff(truth, mpmath.mpf(at))
            # A few roundings of each operation (1.1e-16), and x - 3*x**2 cancels by a factor below 20.
            room = 1e-15 if "-" not in text or "*" not in text else 2e-14
            assert value == pytest.approx(float(exact), rel=room)
            assert slope == pytest.approx(float(derivative), rel=4 * room)


@pytest.mark.parametrize("at", [-800.0, -40.0, -20.0, 20.0, 40.0, 300.0, 800.0])
def test_flat_tails_keep_their_digits(at: float) -> None:
    with mpmath.workdps(800):
        _, (of_tanh,) = both("tanh(x)", at)
        value, (of_sigmoid,) = both("sigmoid(x)", at)
        z = mpmath.exp(-abs(mpmath.mpf(at)))
        # Between the smallest normal float and zero a float has fewer digits: 1e-307 absolute.
        assert of_tanh == pytest.approx(float(mpmath.sech(at) ** 2), rel=1e-15, abs=1e-307)
        assert value == pytest.approx(float(1 / (1 + mpmath.exp(-mpmath.mpf(at)))), rel=1e-15, abs=1e-307)
        assert of_sigmoid == pytest.approx(float(z / (1 + z) ** 2), rel=1e-15, abs=1e-307)


def test_asin_keeps_its_digits_near_one() -> None:
    at = 1 - 2**-40
    with mpmath.workdps(50):
        exact = float(1 / mpmath.sqrt(1 - mpmath.mpf(at) ** 2))
    assert both("asin(x)", at)[1] == [pytest.approx(exact, rel=1e-15)]
    assert both("acos(x)", at)[1] == [pytest.approx(-exact, rel=1e-15)]


# Kinks, domains, overflow ----------------------------------------------------------------------------------


def test_at_kinks_the_gradient_is_the_symmetric_one() -> None:
    assert both("abs(x)", 0.0) == (0.0, [0.0])
    assert both("sign(x)*x", 0.0) == (0.0, [0.0])
    assert both("sign(x)", -2.0) == (-1.0, [0.0])
    assert both("sign(x)", 2.0) == (1.0, [0.0])
    assert both("max(x, y)", 1.0, 1.0) == (1.0, [0.5, 0.5])
    assert both("min(x, 1)", 1.0) == (1.0, [0.5])
    assert both("3*max(x, y, z)", 2.0, 2.0, 2.0) == (6.0, [1.0, 1.0, 1.0])
    assert both("max(x, x)", 2.0) == (2.0, [1.0])


def test_away_from_kinks_one_side_counts() -> None:
    assert both("max(x, 2*y, 3)", 1.0, 2.0) == (4.0, [0.0, 2.0])
    assert both("min(x**2, y)", 3.0, 10.0) == (9.0, [6.0, 0.0])
    assert both("abs(x)", -3.0) == (3.0, [-1.0])


@pytest.mark.parametrize(
    ("text", "point", "value", "gradient"),
    [
        ("log(x)", 0.0, -math.inf, math.inf),
        ("log(x)", -1.0, math.nan, -1.0),
        ("sqrt(x)", 0.0, 0.0, math.inf),
        ("sqrt(x)", -1.0, math.nan, math.nan),
        ("x**0.3", -1.0, math.nan, math.nan),
        ("x**0.3", 0.0, 0.0, math.inf),
        ("asin(x)", 2.0, math.nan, math.nan),
        ("asin(x)", 1.0, math.pi / 2, math.inf),
        ("1/x", 0.0, math.inf, -math.inf),
        ("exp(x)", 1000.0, math.inf, math.inf),
        ("exp(x)", -1000.0, 0.0, 0.0),
        ("sinh(x)", 1000.0, math.inf, math.inf),
        ("x**9", 1e200, math.inf, math.inf),
        ("x**9", 0.0, 0.0, 0.0),
        ("x**2", 1e200, math.inf, 2e200),
        ("sin(x)", math.inf, math.nan, math.nan),
        ("2*x", math.nan, math.nan, 2.0),
        ("max(x, 1)", math.nan, math.nan, math.nan),
        ("0**x", 2.0, 0.0, 0.0),
        ("(-2)**x", 2.0, 4.0, math.nan),
    ],
)
def test_outside_the_domain_nothing_warns(text: str, point: float, value: float, gradient: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for points in (np.array([[point]]), np.array([[point], [0.5], [point]])):
            values, gradients = objective(text).value_and_gradient(points)
            np.testing.assert_array_equal(values[[0, -1]], [value, value])
            np.testing.assert_array_equal(gradients[[0, -1]], [[gradient], [gradient]])
            np.testing.assert_array_equal(objective(text).value(points), values)
            np.testing.assert_array_equal(objective(text).gradient(points), gradients)


def test_a_power_of_zero_has_a_gradient() -> None:
    assert both("x**y", 0.0, 2.0) == (0.0, [0.0, 0.0])


@pytest.mark.parametrize(
    ("text", "point", "value", "gradient"),
    [
        # By hand: r² = x² + y² has the slope 2x at 0, and (x - 1)² the slope -2.
        ("sqrt(x^2+y^2)^2+(x-1)^2", (0, 0), 1, (-2, 0)),
        ("sqrt(x**4)", (0,), 0, (0,)),
        ("sqrt(x**2)**3", (0,), 0, (0,)),
        ("(x**2)**0.75", (0,), 0, (0,)),
        ("abs(x)**1.5", (0,), 0, (0,)),
        ("x*sqrt(abs(x))", (0,), 0, (0,)),
        ("(x^2 + y^2)^(3/2)", (0, 0), 0, (0, 0)),
        ("norm(x - 1, y)^2 + x", (1, 0), 1, (1, 0)),
        ("sqrt(x)**2", (0,), 0, (1,)),
        ("sqrt(x)**4 + 3*x", (0,), 0, (3,)),
        # At a kink the slopes of both sides are as large, and the mean of them is 0.
        ("sqrt(x**2 + y**2)", (0, 0), 0, (0, 0)),
        ("norm(x, y, z)", (0, 0, 0), 0, (0, 0, 0)),
        ("sqrt(abs(x))", (0,), 0, (0,)),
        ("20 - 20*exp(-0.2*sqrt((x**2 + y**2)/2))", (0, 0), 0, (0, 0)),
        ("asin(1 - x**2)", (0,), math.pi / 2, (0,)),
        # What a condition leaves out has no say.
        ("where(x > 0, sqrt(x), -x)", (-4,), 4, (-1,)),
        ("where(x > 0, x*log(x), x**2)", (0,), 0, (0,)),
        ("where(y == 0, x, x*sin(y)/y)", (3, 0), 3, (1, 0)),
        ("max(x, 0)*where(x <= 0, 1, 1/x)", (0,), 0, (0.5,)),
        ("where(x > 0, cos(sqrt(x)), x)", (-3,), -3, (1,)),
        # A 0 that does not come from the root: x^1.5, and 0 for every x.
        ("x*sqrt(x)", (0,), 0, (0,)),
        ("sqrt(x)*y + y", (0, 0), 0, (0, 1)),
        ("x*cbrt(x)", (0,), 0, (0,)),
        ("(x**3)**(1/3) + x", (0,), 0, (2,)),
        ("r = sqrt(x^2 + y^2); r*r + x", (0, 0), 0, (1, 0)),
        ("atan2(y, x)*(x^2 + y^2) + 1", (0, 0), 1, (0, 0)),
    ],
)
def test_a_finite_point_of_a_root_has_a_slope(
    text: str, point: tuple[float, ...], value: float, gradient: tuple[float, ...]
) -> None:
    found, slope = both(text, *point)
    assert found == value
    assert slope == pytest.approx(list(gradient), rel=1e-15)
    # In a batch, where the points are computed on arrays, and in compiled code.
    values, gradients = objective(text).value_and_gradient(np.array([point, point], float))
    np.testing.assert_array_equal(values, [value, value])
    np.testing.assert_allclose(gradients, [gradient, gradient], rtol=1e-15)
    for engine in ("reference", "compiled"):
        run = minimize(text, point, GradientDescent(0.25), max_steps=1, engine=engine, stop=Evaluations(10**9))
        np.testing.assert_allclose(run.x[0] - run.x[-1], 0.25 * np.array(gradient), rtol=1e-15)


@pytest.mark.parametrize(
    ("text", "at", "kink"),
    [
        # The slopes are -1/2, 1, -2, 1, 1/2 and 2: limits that are not found by multiplying, so none is claimed.
        ("cos(sqrt(x))", 0.0, "sqrt at 0"),
        ("cbrt((x - 1)^3)", 1.0, "cbrt at 0"),
        ("cbrt(x)^3", 0.0, "cbrt at 0"),
        ("sqrt(1 - x^2)*sqrt(1 - x^2)", 1.0, "sqrt at 0"),
        ("cos(acos(x))", 1.0, "acos at 1"),
        ("acos(x)^2 + 2.5*x", 1.0, "acos at 1"),
        ("acosh(x)^2", 1.0, "sqrt at 0"),
    ],
)
def test_a_slope_that_has_another_limit_is_not_claimed_to_be_0(text: str, at: float, kink: str) -> None:
    value, (slope,) = both(text, at)
    assert math.isfinite(value)
    assert math.isnan(slope)
    assert f"kink in {kink}" in minimize(text, at, GradientDescent(0.1)).stop.message


def test_a_slope_that_is_infinite_stays_so_and_the_kink_is_named() -> None:
    assert both("1 - sqrt(x)", 0.0) == (1.0, [-math.inf])
    assert objective("y + (x - 1)**0.3").kink(np.array([1.0, 2.0])) == "kink in the power 0.3 at 0"
    assert objective("y + (x - 1)**0.3").kink(np.array([1.5, 2.0])) is None


@pytest.mark.parametrize("text", ["x**2 + y", "3*x - y", "exp(x)*y", "abs(x) + y"])
def test_a_formula_without_a_root_has_no_such_kink(text: str) -> None:
    assert objective(text).kink(np.array([0.0, 0.0])) is None


def test_huge_and_tiny_constants_do_not_overflow_on_the_way() -> None:
    # d/dx = 2e-300*x*y**2: the product x*y**2 alone would be infinite.
    value, gradient = both("1e-300*x**2*y**2", 1e150, 1e75)
    assert value == pytest.approx(1e150, rel=1e-15)
    assert gradient == pytest.approx([2.0, 2e75], rel=1e-15)


# Random formulas -----------------------------------------------------------------------------------------

Tree = Any

UNARY: dict[str, Callable[[Any], Any]] = {
    name: getattr(mpmath, name)
    for name in ("sin", "cos", "tan", "atan", "asin", "acos", "sinh", "cosh", "tanh", "exp", "log", "sqrt")
} | {
    "abs": lambda x: abs(x),
    "sign": mpmath.sign,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "-": lambda x: -x,
    "square": lambda x: x**2,
    "cube": lambda x: x**3,
    "whole": lambda x: x**-11,
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "max": lambda a, b: max(a, b),
    "min": lambda a, b: min(a, b),
}
POWERS = {"square": "**2", "cube": "**3", "whole": "**-11"}

trees = st.recursive(
    st.sampled_from(["x", "y", "z"]) | st.floats(0.1, 3).map(lambda number: round(number, 2)),
    lambda inner: (
        st.tuples(st.sampled_from(sorted(UNARY)), inner) | st.tuples(st.sampled_from(sorted(BINARY)), inner, inner)
    ),
    max_leaves=8,
)
points = st.tuples(*[st.floats(0.2, 1.9)] * 3)


def written(tree: Tree) -> str:
    match tree:
        case (name, inner) if name in POWERS:
            return f"({written(inner)}){POWERS[name]}"
        case (name, inner):
            return f"{name}({written(inner)})"
        case ("max" | "min" as name, left, right):
            return f"{name}({written(left)}, {written(right)})"
        case (name, left, right):
            return f"(({written(left)}) {name} ({written(right)}))"
    return str(tree)


class OutOfRange(Exception):
    """The point is outside the domain, at a kink, or where rounding is amplified."""


def exact(tree: Tree, at: dict[str, Any]) -> Any:
    """The tree's value in mpmath, which shares nothing with the code that is tested."""
    match tree:
        case (name, inner):
            argument = exact(inner, at)
            if name in ("abs", "sign") and abs(argument) < 1e-2:
                raise OutOfRange
            if name in ("asin", "acos") and abs(argument) > 0.99:
                raise OutOfRange
            value = UNARY[name](argument)
        case (name, left, right):
            a, b = exact(left, at), exact(right, at)
            if (name in ("max", "min") and abs(a - b) < 1e-2) or (name == "/" and b == 0) or (name == "**" and a <= 0):
                raise OutOfRange
            value = BINARY[name](a, b)
        case str():
            value = at[tree]
        case _:
            value = mpmath.mpf(tree)
    if not isinstance(value, mpmath.mpf) or not 1e-2 < abs(value) < 1e2:
        raise OutOfRange
    return value


def exact_gradient(tree: Tree, names: tuple[str, ...], at: dict[str, Any]) -> list[Any]:
    """The gradient by differences in 60 digits, good to 25."""
    step = mpmath.mpf(10) ** -20

    def moved(name: str, by: Any) -> Any:
        return exact(tree, {**at, name: at[name] + by})

    return [(moved(name, step) - moved(name, -step)) / (2 * step) for name in names]


@settings(max_examples=400)
@given(trees, points)
@pytest.mark.long
def test_random_formulas_agree_with_mpmath(tree: Tree, point: tuple[float, ...]) -> None:
    text = written(tree)
    try:
        formula = parse(text)
    except FalllineError:  # no variable, or a constant outside a domain
        assume(False)
    function = FormulaObjective(formula)
    at = dict(zip("xyz", map(mpmath.mpf, point), strict=True))
    with mpmath.workdps(60):
        try:
            value = exact(tree, at)
            gradient = exact_gradient(tree, function.names, at)
        except (OutOfRange, ValueError, ZeroDivisionError):
            assume(False)
        here = np.array([[float(at[name]) for name in function.names]])
        assert function.value(here)[0] == pytest.approx(float(value), rel=1e-9, abs=1e-9)
        found = function.gradient(here)[0]
        # Every part is between 0.01 and 100, so each of the at most 16 operations amplifies a rounding of
        # 1e-16 by at most 1e4 and a few of them by 1e7 in all.
        room = 1e-8 * (1 + max((abs(float(part)) for part in gradient), default=0.0))
        assert found.tolist() == pytest.approx([float(part) for part in gradient], rel=1e-8, abs=room)


@settings(max_examples=150)
@given(trees, st.integers(2, 40), st.integers(0, 2**32 - 1))
def test_a_point_gets_the_same_bits_alone_and_in_a_batch(tree: Tree, count: int, seed: int) -> None:
    try:
        function = objective(written(tree))
    except FalllineError:
        assume(False)
    batch = np.random.default_rng(seed).normal(0, 2, (count, function.dimension))
    batch[:: max(1, count // 3)] = np.round(batch[:: max(1, count // 3)])  # some ties and zeros
    values, gradients = function.value_and_gradient(batch)
    assert bits(function.value(batch)) == bits(values)
    assert bits(function.gradient(batch)) == bits(gradients)
    for row in range(count):
        alone = batch[row : row + 1]
        value, gradient = function.value_and_gradient(alone)
        assert bits(value) == bits(values[row : row + 1])
        assert bits(gradient) == bits(gradients[row : row + 1])
        assert bits(function.value(alone)) == bits(value)
        assert bits(function.gradient(alone)) == bits(gradient)


@pytest.mark.parametrize("text", ["0.52**x", "y**x", "x**y", "(x + 2)**(y/2)"])
def test_powers_that_numpy_treats_apart_have_the_same_bits_alone(text: str) -> None:
    function = objective(text)
    batch = np.array([[-1.0, 1.7], [0.5, 1.9], [2.0, 0.3], [0.0, 1.1], [1.0, 2.0], [1.7, -1.0]])
    batch = batch[:, : function.dimension]
    values, gradients = function.value_and_gradient(batch)
    for row in range(len(batch)):
        value, gradient = function.value_and_gradient(batch[row : row + 1])
        assert bits(value) == bits(values[row : row + 1])
        assert bits(gradient) == bits(gradients[row : row + 1])


def bits(array: npt.NDArray[np.float64]) -> Any:
    # The sign of a NaN does not matter; 0.0 and -0.0 are distinguished.
    return np.where(np.isnan(array), np.nan, array).view(np.int64).tolist()


@settings(max_examples=60)
@given(trees, points)
def test_shown_derivatives_are_the_ones_computed(tree: Tree, point: tuple[float, ...]) -> None:
    try:
        function = objective(written(tree))
    except FalllineError:
        assume(False)
    here = np.array([[dict(zip("xyz", point, strict=True))[name] for name in function.names]])
    with mpmath.workdps(30):
        at = dict(zip("xyz", map(mpmath.mpf, point), strict=True))
        try:
            exact(tree, at)
        except (OutOfRange, ValueError, ZeroDivisionError):
            assume(False)
    substituted = [
        partial.subs(dict(zip(function.symbolic.variables, here[0].tolist(), strict=True)))
        for partial in function.derivatives()
    ]
    shown = [float(part.replace(FUNCTIONS["sigmoid"], lambda t: 1 / (1 + sympy.exp(-t)))) for part in substituted]
    # The same roundings as in the test against mpmath, in another order.
    assert function.gradient(here)[0].tolist() == pytest.approx(shown, rel=1e-8, abs=1e-8 * (1 + max(map(abs, shown))))


@pytest.mark.parametrize(
    "text",
    [
        "u = 2*x**2 - x - 2; y = 3*u + 1",
        "(1-x)^2 + 100*(y-x^2)^2",
        "20 + x**2 - 10*cos(2*pi*x) + y**2 - 10*cos(2*pi*y)",
        "u = x*y; v = sin(u)/x; u**3*exp(-v) + log(u + 2)*v**u",
        "a = 3; (x - a)**4/(1 + y**2)",
    ],
)
def test_gradients_agree_with_sympy(text: str) -> None:
    function = objective(text)
    variables = function.symbolic.variables
    point = dict(zip(variables, [0.7, 1.3], strict=False))
    expected = [float(sympy.diff(function.symbolic.substituted, variable).subs(point)) for variable in variables]
    found = function.gradient(np.array([list(point.values())]))[0]
    # SymPy's own rounding in 15 digits, summed in another order.
    assert found.tolist() == pytest.approx(expected, rel=1e-12)
    assert [float(part.subs(point)) for part in function.derivatives()] == pytest.approx(expected, rel=1e-12)


# Size, shape, kind ---------------------------------------------------------------------------------------


def test_the_code_stays_as_long_as_the_formula() -> None:
    text = "; ".join(["a1 = x + sin(x)", *(f"a{i} = a{i - 1} + sin(a{i - 1})" for i in range(2, 300)), "a299"])
    code = StraightLine(parse(text))
    code.gradient()
    # Each step has a sine and a sum; its derivative a cosine, a product and a sum.
    assert sum(bool(node.inputs) for node in code.graph.nodes) <= 5 * 299
    value, (slope,) = both(text, 0.01)
    x, expected = 0.01, 1.0
    for _ in range(299):
        x, expected = x + math.sin(x), expected * (1 + math.cos(x))
    assert value == pytest.approx(x, rel=1e-12)  # 300 steps of a few roundings each
    assert slope == pytest.approx(expected, rel=1e-12, abs=1e-300)


def test_hundreds_of_variables() -> None:
    n = 400
    text = "; ".join(
        [" p = " + "*".join(f"cos(x{i})" for i in range(n)), "p + " + "+".join(f"x{i}**2" for i in range(n))]
    )
    point = np.linspace(-0.1, 0.1, n)
    value, gradient = objective(text).value_and_gradient(point[None])
    product = math.prod(map(math.cos, point))
    assert value[0] == pytest.approx(product + math.fsum(point**2), rel=1e-13)  # 800 roundings
    np.testing.assert_allclose(gradient[0], 2 * point - product * np.tan(point), rtol=1e-12)  # likewise


def test_any_leading_axes_and_any_layout() -> None:
    function = objective("x*sin(y) + y**2")
    points = np.random.default_rng(0).normal(size=(2, 3, 5, 2))
    value, gradient = function.value_and_gradient(points)
    assert value.shape == (2, 3, 5)
    assert gradient.shape == (2, 3, 5, 2)
    np.testing.assert_array_equal(value[1, 2, 3], function.value(points[1, 2, 3]))
    np.testing.assert_array_equal(function.gradient(np.asfortranarray(points)), gradient)
    np.testing.assert_array_equal(function.value(points[::-1, ::2]), value[::-1, ::2])
    assert function.value(np.empty((0, 2))).shape == (0,)
    assert function.value(np.array([3, 2])) == function.value(np.array([3.0, 2.0]))


def test_many_points_are_cut_into_blocks_without_a_seam() -> None:
    function = objective("exp(-x**2)*sin(3*x)")
    points = np.linspace(-3, 3, 40_000)[:, None]
    value, gradient = function.value_and_gradient(points)
    for at in (0, 8191, 8192, 16_384, 39_999):
        alone, slope = function.value_and_gradient(points[at : at + 1])
        assert (value[at], gradient[at, 0]) == (alone[0], slope[0, 0])


def test_the_results_are_the_callers_own() -> None:
    function = objective("x + y")
    points = np.ones((1, 2))
    value, gradient = function.value_and_gradient(points)
    value[:], gradient[:] = 7.0, 7.0
    assert function.value(points).tolist() == [2.0]
    assert points.tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize("shape", [(3,), (1, 3), (5, 1), ()])
def test_the_wrong_number_of_coordinates_is_said(shape: tuple[int, ...]) -> None:
    with pytest.raises(FalllineError, match="2 coordinates"):
        objective("x + y").value(np.zeros(shape))


@pytest.mark.parametrize(
    "text",
    [
        "x**2",
        "x**9 + x**-11 + x**150",
        "x**2.5/sigmoid(x)",
        "exp(sin(x))*sqrt(x) + log(x)",
        "x**x",
        "tanh(x)/x",
    ],
)
def test_complex_steps_give_the_gradient(text: str) -> None:
    function = objective(text)
    points: Any = np.array([[0.3], [0.8], [1.1]])
    value = function.value(points + 1e-30j)
    np.testing.assert_allclose(value.real, function.value(points), rtol=1e-13)
    # Complex powers and roots take a few dozen roundings.
    np.testing.assert_allclose(value.imag / 1e-30, function.gradient(points)[:, 0], rtol=1e-13)


def test_complex_steps_through_negative_bases_and_large_powers() -> None:
    points: Any = np.array([[-0.9], [-1.1]])
    function = objective("x**101 + x**-13 + sigmoid(20*x)")
    # 101 multiplications.
    np.testing.assert_allclose(
        function.value(points + 1e-30j).imag / 1e-30, function.gradient(points)[:, 0], rtol=1e-12
    )


def test_what_it_says_about_itself() -> None:
    function = objective(" u = x10 + x2 ;\n u^2 ")
    assert function.title == "u = x10 + x2; u^2"
    assert function.names == ("x2", "x10")
    assert function.dimension == 2
    assert function.gradient_kind == "symbolic"
    assert function.bounds is None
    assert function.minima == ()
    assert function.recipe() == {"formula": "u = x10 + x2; u^2"}
    assert function.latex() == r"u = x_{10} + x_{2},\quad f = u^{2}"


def test_copies_and_pickles_are_the_same_objective() -> None:
    function = FormulaObjective.from_sympy(sympy.exp(sympy.Symbol("x")) / 3 + sympy.Float(0.1 + 0.2))
    points = np.linspace(-1, 1, 7)[:, None]
    for twin in (pickle.loads(pickle.dumps(function)), copy.copy(function), copy.deepcopy(function)):
        assert twin.recipe() == function.recipe()
        np.testing.assert_array_equal(twin.value(points), function.value(points))
    np.testing.assert_array_equal(objective(function.recipe()["formula"]).value(points), function.value(points))


@pytest.mark.parametrize("name", ["rosenbrock", "himmelblau", "ackley"])
def test_copies_and_pickles_of_a_landscape_know_its_bounds_and_minima(name: str) -> None:
    landscape = as_objective(name)
    for twin in (pickle.loads(pickle.dumps(landscape)), copy.copy(landscape), copy.deepcopy(landscape)):
        assert twin.bounds == landscape.bounds is not None
        assert twin.minima == landscape.minima != ()


def test_shown_derivatives_of_kinks() -> None:
    x, y = sympy.symbols("x y", real=True)
    assert objective("abs(x)*sign(y)").derivatives() == (sympy.sign(x) * sympy.sign(y), 0)
    assert objective("max(x, x + 1)").derivatives() == (1,)
    by_x, by_y = objective("min(x, y) + max(x, 2*y, 3)").derivatives()
    assert [float(part.subs({x: 1, y: 5})) for part in (by_x, by_y)] == [1.0, 2.0]
    assert [float(part.subs({x: 2, y: 2})) for part in (by_x, by_y)] == [0.5, 2.5]


def test_a_text_is_read_once_but_objectives_share_nothing_that_changes() -> None:
    one, other = (FormulaObjective.from_text("x**2 + y**4") for _ in range(2))
    assert one.formula is other.formula
    one.bounds = ((0.0, 1.0), (0.0, 1.0))
    assert other.bounds is None
