"""The functions of compiled code, held to numbers of 50 digits."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cases import few
from tests.engines.problems import problem

from fallline import GradientDescent, Optimizer
from fallline.engines import compiled, ends
from fallline.stopping import Evaluations

DRAW = np.random.default_rng(0)


def compiled_values(formula: str, *arguments: Any) -> Any:
    """A formula's value at each point, as compiled code computes it on many numbers at once."""
    starts = np.stack(np.broadcast_arrays(*arguments), axis=-1).astype(float)
    # The start is all that is visited.
    given = problem(formula, starts, GradientDescent(1.0), stop=Evaluations(1))
    return ends(given, "compiled").value


def ulps(found: Any, exact: list[Any]) -> float:
    """The largest error, in units in the last place of the exact number."""
    errors = [
        abs(mpmath.mpf(float(number)) - right) / mpmath.mpf(float(np.spacing(abs(float(right)))))
        for number, right in zip(found, exact, strict=True)
    ]
    return float(max(errors))


def spread_over(low: float, high: float, count: int = 1500) -> Any:
    """Numbers of all sizes between two, and of both signs if the range has both."""
    even = DRAW.uniform(low, high, count)
    sizes = np.exp(DRAW.uniform(np.log(1e-12), np.log(max(abs(low), abs(high))), count))
    signed = sizes * np.where(DRAW.random(count) < 0.5, -1, 1)
    return np.concatenate([even, signed[(signed >= low) & (signed <= high)]])


# Multiples of π/2 and their neighbours, where a sine or cosine is smallest and its reduction hardest.
CORNERS = np.array([np.nextafter(k * np.pi / 2, side) for k in range(1, 400) for side in (-np.inf, 0, np.inf)])
FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "exp(x)": (mpmath.exp, spread_over(-708, 709)),
    "log(x)": (
        mpmath.log,
        np.concatenate([spread_over(1e-300, 2), 1 + spread_over(-0.5, 1), np.exp(spread_over(-700, 700))]),
    ),
    "sin(x)": (mpmath.sin, np.concatenate([spread_over(-1e5, 1e5), spread_over(-10, 10), CORNERS, 1e3 * CORNERS])),
    "cos(x)": (mpmath.cos, np.concatenate([spread_over(-1e5, 1e5), spread_over(-10, 10), CORNERS, 1e3 * CORNERS])),
    "tanh(x)": (mpmath.tanh, spread_over(-20, 20)),
    # The last is where one rounding adds to another.
    "sigmoid(x)": (lambda x: 1 / (1 + mpmath.exp(-x)), np.append(spread_over(-700, 40), -2.7145971174682284)),
    "sqrt(x)": (mpmath.sqrt, spread_over(0, 1e10)),
    "tan(x)": (mpmath.tan, spread_over(-100, 100)),
    "asin(x)": (mpmath.asin, spread_over(-1, 1)),
    "acos(x)": (mpmath.acos, spread_over(-1, 1)),
    "atan(x)": (mpmath.atan, spread_over(-100, 100)),
    "sinh(x)": (mpmath.sinh, spread_over(-700, 700)),
    "cosh(x)": (mpmath.cosh, spread_over(-700, 700)),
}  # fmt: skip


@pytest.mark.parametrize("formula", few(FUNCTIONS, 6))
def test_within_two_units_in_the_last_place(formula: str) -> None:
    exact, x = FUNCTIONS[formula]
    with mpmath.workdps(50):
        assert ulps(compiled_values(formula, x), [exact(mpmath.mpf(float(number))) for number in x]) <= 2


def test_huge_angles() -> None:
    x = np.concatenate([DRAW.uniform(1e5, 1e9, 300), 10 ** DRAW.uniform(9, 300, 300), [2.0**25, 1e22, 1.7e308]])
    x = np.concatenate([x, -x])
    with mpmath.workdps(400):
        for formula, exact in (("sin(x)", mpmath.sin), ("cos(x)", mpmath.cos)):
            assert ulps(compiled_values(formula, x), [exact(mpmath.mpf(float(number))) for number in x]) <= 2


def test_powers_are_those_of_python() -> None:
    x = np.concatenate([np.exp(spread_over(-30, 30)), 1 + spread_over(-0.1, 0.1), DRAW.integers(1, 50, 300)])
    y = np.concatenate([DRAW.uniform(-20, 20, len(x) - 300), DRAW.integers(-20, 20, 300)])
    expected = [base**exponent for base, exponent in zip(x.tolist(), y.tolist(), strict=True)]
    assert compiled_values("x**y", x, y).tolist() == expected
    for exponent in (1 / 3, 2.5, -0.75, 17.0):
        assert compiled_values(f"x**{exponent!r}", x).tolist() == [base**exponent for base in x.tolist()]


TINY = 5e-324
SPECIAL: dict[str, list[tuple[float, float]]] = {
    "exp(x)": [(0.0, 1.0), (-0.0, 1.0), (-1e308, 0.0), (-745.0, TINY), (1e-320, 1.0)],
    "log(x)": [
        (1.0, 0.0), (TINY, -744.4400719213812), (1e-310, -713.8013788281542), (1.7976931348623157e308, 709.782712893384)
    ],
    "sin(x)": [(0.0, 0.0), (-0.0, -0.0), (TINY, TINY), (-1e-310, -1e-310)],
    "cos(x)": [(0.0, 1.0), (-0.0, 1.0), (TINY, 1.0)],
    "tanh(x)": [(0.0, 0.0), (-0.0, -0.0), (1e300, 1.0), (-1e300, -1.0), (TINY, TINY)],
    "sigmoid(x)": [(0.0, 0.5), (1e300, 1.0), (-1e300, 0.0)],
    "abs(x)": [(-0.0, 0.0), (-3.0, 3.0)],
    "sign(x)": [(0.0, 0.0), (-TINY, -1.0), (1e308, 1.0)],
    "mod(x, 0.5)": [(-1.0, 0.0), (-0.0, 0.0), (-0.75, 0.25)],
    "mod(x, -0.5)": [(1.0, -0.0), (0.0, -0.0), (0.75, -0.25)],
    "mod(x, -3e-200)": [(1e-200, 1e-200 % -3e-200)],
    "x**2.5": [(0.0, 0.0), (1e-200, 0.0), (1.0, 1.0), (4.0, 32.0)],
    "x**9": [(-2.0, -512.0), (0.0, 0.0), (-0.0, -0.0)],
}  # fmt: skip


@pytest.mark.parametrize("formula", SPECIAL)
def test_special_arguments(formula: str) -> None:
    arguments, expected = np.array(SPECIAL[formula]).T
    # Beside usual ones, which must not suffer from their neighbours.
    found = compiled_values(formula, np.concatenate([arguments, np.full(16, 0.5)]))
    usual = compiled_values(formula, np.full(16, 0.5))
    assert found[len(arguments) :].tolist() == usual.tolist()
    assert found[: len(arguments)].tolist() == expected.tolist()
    assert np.signbit(found[: len(arguments)]).tolist() == np.signbit(expected).tolist()


@pytest.mark.parametrize(
    ("formula", "x", "expected"),
    few(
        [
            ("exp(1e300*x)", 1e9, np.inf),
            ("exp(-1e300*x)", 1e9, 0.0),
            ("log(x)", -1.0, np.nan),
            ("log(x)", 0.0, -np.inf),
            ("log(1e300*x)", 1e9, np.inf),
            ("sin(1e300*x)", 1e9, np.nan),
            ("cos(-1e300*x)", 1e9, np.nan),
            ("tanh(1e300*x)", 1e9, 1.0),
            ("sqrt(x)", -1.0, np.nan),
            ("exp(log(x))", -1.0, np.nan),
            ("sin(log(x))", -1.0, np.nan),
            ("tanh(log(x))", -1.0, np.nan),
            ("max(log(x), 1)", -1.0, np.nan),
            ("min(1, log(x))", -1.0, np.nan),
            ("sign(log(x))", -1.0, np.nan),
            ("x**0.3", -1.0, np.nan),
            ("x**(-0.5)", 0.0, np.inf),
            ("(1e300*x)**1.5", 1e9, np.inf),
        ],
        8,
    ),
)
def test_infinities_and_what_is_no_number(formula: str, x: float, expected: float) -> None:
    np.testing.assert_equal(compiled_values(formula, np.array([x] * 3))[1], expected)
    # One number at a time gives the same.
    (run,) = compiled.run(problem(formula, [x], GradientDescent(1.0), stop=Evaluations(1)))
    np.testing.assert_equal(run.final.value, expected)


@dataclasses.dataclass(frozen=True)
class Divided(Optimizer[None]):
    """A rule whose first step from x = 0 on x·y + y goes to the quotient of y and a number that all runs share."""

    learning_rate: float = 1.0
    divisor: float = 1.0

    def init(self, x: Any) -> None:
        return None

    def update(self, gradient: Any, state: None, rate: Any, step: Any) -> Any:
        return -gradient / self.divisor, None


def quotients(dividends: Any, divisor: float) -> Any:
    """The quotients, as compiled code computes them of many numbers at once."""
    # The slope along y is 1: a 0 there would send all to the division itself.
    starts = np.stack([np.zeros(len(dividends)), dividends], axis=-1)
    given = problem("x*y + y", starts, Divided(divisor=divisor), max_steps=1, stop=Evaluations(10**6))
    return ends(given, "compiled").x[:, 0]


def hardest_dividends(divisor: float) -> list[float]:
    """Those whose quotient is as near to the middle between two floats as it can be.

    With the divisor's digits as an odd number c, and m an odd one of 54 bits: y = (c m + d) / 2⁵⁴ for a small d.
    """
    c = int(math.frexp(divisor)[0] * 2**53)
    while c % 2 == 0:
        c //= 2
    found = []
    for d in range(-31, 32, 2):
        m = -d * pow(c, -1, 2**54) % 2**54
        y = (c * m + d) >> 54
        if m >= 2**53 and y and y == int(float(y)):
            found.append(float(y))
    return found


@pytest.mark.parametrize("beta", [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999])
def test_quotients_by_what_all_runs_share_are_those_of_a_division(beta: float) -> None:
    special = [0.0, -0.0, 5e-324, 2.3e-308, 1.7e308, 2.0**-767, 2.0**257, 1e-290, 1e290]
    for step in (1, 2, 3, 7, 50, 400, 3000):
        divisor = 1 - beta**step
        drawn = np.exp(DRAW.uniform(-700, 700, 500)) * DRAW.choice([-1, 1], 500)
        dividends = np.concatenate([special, drawn, DRAW.uniform(-1, 1, 500), hardest_dividends(divisor)])
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(quotients(dividends, divisor), dividends / divisor)


@settings(max_examples=50)
@given(st.floats(), st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_quotients_of_any_numbers(divisor: float, dividends: list[float]) -> None:
    with np.errstate(all="ignore"):
        expected = np.array(dividends) / divisor
        np.testing.assert_array_equal(quotients(dividends, divisor), expected)
