"""Exponentials, logarithms and trigonometric functions as branch-free arithmetic, which LLVM can vectorise.

Their results are within 2 units in the last place. For the rare arguments outside the range of a method, the C
library's function is called.

Sources: Cody and Waite, Software manual for the elementary functions (1980), for the reductions; the polynomials of
the trigonometric functions and of the logarithm are those of fdlibm (Sun Microsystems, 1993), the rational function
of the hyperbolic tangent that of Cephes (Moshier, 1989).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fallline.machine_code.graph import (
    ONE_BY_ONE,
    POWERS,
    SETTING,
    Node,
    as_number,
    finite,
    fma,
    maximum,
    minimum,
    sign,
    where,
)

# Adding this to a number below 2**51 rounds it to an integer, which is left in the lowest bits.
MAGIC = 1.5 * 2**52
# ln 2 in two parts; the first times an integer below 2**20 is exact.
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
# The largest angle for which three parts of π/2 give the remainder precisely enough.
LARGEST_ANGLE = 2.0**25
# The powers by the step are carried as multiples of this, so that none that is a float has parts too small for one.
POWER_SCALE = 2.0**600


def exp(x: Any) -> Any:
    """e to the power x: 2ⁿ eʳ, with n an integer and r at most ln 2 / 2."""
    x = where(x > 800.0, 800.0, where(x < -800.0, -800.0, x))
    n = (fma(x, 1 / math.log(2), MAGIC)) - MAGIC
    r = fma(n, -0.6931471805599453, x)
    r = fma(n, -2.3190468138462996e-17, r)
    series = polynomial(r, [1 / math.factorial(k) for k in range(2, 14)])
    result = fma(r * r, series, r) + 1.0
    # In two steps, because 2ⁿ may overflow or underflow where the product does not.
    half = (n * 0.5 + MAGIC) - MAGIC
    return result * half.make("two_to", half) * half.make("two_to", n - half)


def log(x: Any) -> Any:
    """The natural logarithm: k ln 2 + ln m, with k an integer and m between √½ and √2."""
    tiny = x < 2.2250738585072014e-308
    scaled = where(tiny, x * 2.0**54, x)
    # The exponent k of scaled / √½, and scaled / 2ᵏ.
    k = scaled.make("exponent", scaled)
    m = scaled.make("mantissa", scaled)
    k = where(tiny, k - 54.0, k)
    f = m - 1.0
    s = f / (f + 2.0)
    z = s * s
    series = z * polynomial(
        z,
        [
            6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
            1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01,
        ],
    )  # fmt: skip
    half = 0.5 * f * f
    result = k * LN2_HIGH - ((half - (s * (half + series) + k * LN2_LOW)) - f)
    result = where(x.equals(0.0), -math.inf, where(x < 0.0, math.nan, result))
    # Infinity and NaN are returned as they are.
    return where(x < math.inf, result, x)


def log1p(x: Any) -> Any:
    """log(1 + x), corrected for the rounding error of the sum (Kahan, as in Hewlett-Packard's calculators)."""
    u = x + 1.0
    result = log(u) + (x - (u - 1.0)) / u
    # No correction where log(u) is not finite.
    return where((u > 0.0) & (u < math.inf), result, log(u))


def _quarters(x: Any) -> tuple[Any, Any]:
    """The nearest multiple of π/2, as an integer in the lowest bits of a float, and the remainder of x."""
    shifted = fma(x, 2 / math.pi, MAGIC)
    n = shifted - MAGIC
    r = fma(n, -1.5707963267948966, x)
    r = fma(n, -6.123233995736766e-17, r)
    return shifted, fma(n, 1.4973849048591833e-33, r)


def _sine(r: Any) -> Any:
    z = r * r
    series = polynomial(
        z,
        [
            -1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04,
            2.75573137070700676789e-06, -2.50507602534068634195e-08, 1.58969099521155010221e-10,
        ],
    )  # fmt: skip
    return fma(z * r, series, r)


def _cosine(r: Any) -> Any:
    z = r * r
    series = polynomial(
        z,
        [
            4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05,
            -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11,
        ],
    )  # fmt: skip
    half = 0.5 * z
    nearly = 1.0 - half
    return nearly + fma(z * z, series, (1.0 - nearly) - half)


def sin(x: Any) -> Any:
    """The sine: plus or minus the sine or the cosine of the remainder after the nearest multiple of π/2."""
    n, r = _quarters(x)
    result = where(n.make("bit", n, detail=0), _cosine(r), _sine(r))
    result = result.make("flip", result, n, detail=0)
    return one_by_one("sin", where(x.equals(0.0), x, result), abs(x) > LARGEST_ANGLE, x)


def cos(x: Any) -> Any:
    """The cosine, as the sine."""
    n, r = _quarters(x)
    result = where(n.make("bit", n, detail=0), _sine(r), _cosine(r))
    result = result.make("flip", result, n, detail=1)
    return one_by_one("cos", result, abs(x) > LARGEST_ANGLE, x)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent: a rational function near 0, computed from the exponential elsewhere."""
    z = x * x
    upper = polynomial(z, [-1.61468768441708447952e3, -9.92877231001918586564e1, -9.64399179425052238628e-1])
    lower = polynomial(z, [4.84406305325125486048e3, 2.23548839060100448583e3, 1.12811678491632931402e2, 1.0])
    near = fma(x * z, upper / lower, x)
    far = 1.0 - 2.0 / (exp(2.0 * abs(x)) + 1.0)
    far = where(x < 0.0, -far, far)
    return where(abs(x) < 0.625, where(x.equals(0.0), x, near), far)


def sigmoid(x: Any) -> Any:
    """1 / (1 + e⁻ˣ), with the exponential of a negative number only, so that nothing overflows."""
    right = x >= 0.0
    z = exp(where(right, -x, x))
    share = where(right, 1.0, z)
    total, total_low = _sorted_sum(z.graph.of(1.0), z)
    reciprocal = 1.0 / total
    nearly = share * reciprocal
    # Correct the rounding errors of the sum and the quotient: the exponential's own error may be one unit already.
    return fma(fma(-nearly, total, share) - nearly * total_low, reciprocal, nearly)


def power(base: Any, exponent: Any) -> Any:
    """`base ** exponent`, with the same bits as the C library's and therefore Python's power.

    It is e to the power exponent · log(base), computed with about ten bits more than a float has. Where these do not
    decide the rounding, about once in ten times, the C library is called.
    Powers that NumPy computes as products or roots are computed so here too.
    """
    if (short := short_power(base, exponent)) is not None:
        return short
    some = base if isinstance(base, Node) else exponent
    base, exponent = some.graph.of(base), some.graph.of(exponent)
    if base.level == SETTING and exponent is exponent.graph.step:
        return _power_by_step(base, exponent)
    high, low = _exact_log(base)
    # exponent · log(base), in two parts, and how far it is from n ln 2.
    high, low = exponent * high, fma(exponent, high, -(exponent * high)) + exponent * low
    n = fma(high, 1 / math.log(2), MAGIC) - MAGIC
    beyond = fma(n, -LN2_LOW, low)
    high_part = fma(n, -LN2_HIGH, high)
    r, r_low = _sorted_sum(high_part, beyond)
    square, square_low = _product(r, r)
    series = square * r * polynomial(r, [1 / math.factorial(i) for i in range(3, 15)])
    linear, linear_low = _sorted_sum(base.graph.of(1.0), r)
    quadratic, quadratic_low = _sorted_sum(linear, 0.5 * square)
    rest = series + fma(r_low, r, r_low) + 0.5 * square_low + linear_low + quadratic_low
    result, error = _sorted_sum(quadratic, rest)
    # Whether it would round to another number if it were larger or smaller by 1/40 of a unit in the last place; more
    # for large exponents, which amplify the error of the logarithm.
    doubt = result * fma(abs(high), 2.0**-64, 1.25 * 2.0**-58)
    settled = (result + (error + doubt)).equals(result + (error - doubt))
    usual = (base >= 2.2250738585072014e-308) & (base < math.inf)
    over, under = high > 710.0, high < -746.0
    quick = where(over, math.inf, where(under, 0.0, result * n.make("two_to", n)))
    certain = usual & (over | under | (settled & (abs(high) < 700.0)))
    return one_by_one("pow", quick, ~certain, base, exponent)


def short_power(base: Any, exponent: Any) -> Any:
    """A power that NumPy computes as a product or a root, computed so too; None for any other."""
    if isinstance(exponent, Node):
        return None
    match float(exponent):
        case 0.0:
            return base.graph.of(1.0)
        case 0.5:
            return sqrt(base)
        case 1.0:
            return base
        case 2.0:
            return base * base
        case -1.0:
            return 1.0 / base
    return None


def _power_by_step(base: Any, step: Any) -> Any:
    """The same of one number by the number of the step, rounded from a product that is carried from step to step."""
    high, low = (base.make(part, base, step) for part in POWERS)
    # The C library's own error, at most; where the result is no normal float, so much that its rounding is never at
    # the border of two roundings.
    error = fma(abs(step * log(base)), 2.0**-67, 1.25 * 2.0**-58)
    doubt = high * where(high < 2.0**-1000 * POWER_SCALE, 2.0**-50, error)
    more, less = ((high + rest) * (1 / POWER_SCALE) for rest in (low + doubt, low - doubt))
    certain = (base > 0.0) & (high < 2.0**400 * POWER_SCALE) & more.equals(less)
    return one_by_one("pow", more, ~certain, base, step)


def _product(left: Any, right: Any) -> tuple[Any, Any]:
    """The product as an unevaluated sum of two floats, which is exact."""
    product = left * right
    return product, fma(left, right, -product)


def _sorted_sum(larger: Any, smaller: Any) -> tuple[Any, Any]:
    """The sum as an unevaluated sum of two floats, which is exact."""
    total = larger + smaller
    return total, (larger - total) + smaller


def _exact_log(x: Any) -> tuple[Any, Any]:
    """The logarithm of a number above 0 in two parts, good to about 65 bits: k ln 2 + 2 artanh((m - 1) / (m + 1))."""
    k = x.make("exponent", x)
    m = x.make("mantissa", x)
    lower, lower_low = _sorted_sum(m.graph.of(1.0), m)
    s = (m - 1.0) / lower
    s_low = fma(-s, lower_low, fma(-s, lower, m - 1.0)) / lower
    z, z_low = _product(s, s)
    z_low = fma(2.0 * s, s_low, z_low)
    tail = polynomial(z, [1 / (2 * i + 5) for i in range(12)])
    # w = 1/3 + z tail, p = z w, u = s p.
    w, w_low = _sorted_sum(m.graph.of(1 / 3), fma(z, tail, z_low * tail))
    w_low = w_low + 1.850371707708594e-17
    p, p_low = _product(z, w)
    p_low = p_low + z * w_low + z_low * w
    u, u_low = _product(s, p)
    u_low = u_low + s * p_low + s_low * p
    log_m, log_m_low = _sorted_sum(s, u)
    log_m, log_m_low = 2.0 * log_m, 2.0 * (log_m_low + (s_low + u_low))
    whole = k * LN2_HIGH
    total = whole + log_m
    of_m = total - whole
    error = (whole - (total - of_m)) + (log_m - of_m)
    return _sorted_sum(total, error + fma(k, LN2_LOW, log_m_low))


def sqrt(x: Any) -> Any:
    """The square root, correctly rounded."""
    return x.make("sqrt", x)


def floor(x: Any) -> Any:
    """The largest integer not above x."""
    return x.make("floor", x)


def remainder(x: Any, divisor: Any) -> Any:
    """The remainder of a division, with the divisor's sign also where it is 0, as Python's `%`."""
    some = x if isinstance(x, Node) else divisor
    left = some.make("remainder", x, divisor)
    other_side = where(left < 0.0, divisor, -divisor) > 0.0
    return where(left.equals(0.0), abs(left) / divisor, where(other_side, left + divisor, left))


def polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    """c₀ + c₁ x + c₂ x² + ..., as a short chain: in pairs, pairs of pairs, and so on (Estrin, 1960)."""
    terms: list[Any] = list(coefficients)
    while len(terms) > 1:
        pairs = [fma(x, right, left) for left, right in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[len(terms) - len(terms) % 2 :]
        x = x * x
    return terms[0]


def one_by_one(name: str, quick: Any, doubtful: Any, *arguments: Any) -> Any:
    """`quick`; where the mask `doubtful` is true, the result of the C library's function."""
    return quick.make(ONE_BY_ONE, quick, doubtful, *arguments, detail=name)


def from_library(name: str) -> Callable[..., Any]:
    """A function of the C library, called for each number in turn."""
    return lambda *parts: _some(*parts).make("library", *parts, detail=name)


def _some(*parts: Any) -> Node:
    """One of the parts that is a node."""
    return next(part for part in parts if isinstance(part, Node))


def _compared(operation: str) -> Callable[[Any, Any], Any]:
    """A comparison with the value 1 where it holds and 0 elsewhere."""
    return lambda left, right: as_number(_some(left, right).make(operation, left, right))


def _chained(adjoint: Any, slope: Any) -> Any:
    """The product, in which a 0 wins against what is infinite or NaN."""
    adjoint, slope = map(_some(adjoint, slope).graph.of, (adjoint, slope))
    wins = adjoint.equals(0.0) | (slope.equals(0.0) & ~finite(adjoint))
    return where(wins, 0.0, adjoint * slope)


def _chained_quotient(adjoint: Any, divisor: Any) -> Any:
    """The quotient, and 0 where the adjoint is 0."""
    adjoint, divisor = map(_some(adjoint, divisor).graph.of, (adjoint, divisor))
    return where(adjoint.equals(0.0), 0.0, adjoint / divisor)


def times_log(value: Any, base: Any) -> Any:
    """value · log(base), and 0 where the value is 0."""
    some = value if isinstance(value, Node) else base
    value, base = some.graph.of(value), some.graph.of(base)
    return where(value.equals(0.0), 0.0, value * log(base))


# The functions of the formula language, by the names that generated code uses.
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "sin": sin,
    "cos": cos,
    "exp": exp,
    "log": log,
    "tanh": tanh,
    "sqrt": sqrt,
    "abs": abs,
    "sign": sign,
    "min": minimum,
    "max": maximum,
    "sigmoid": sigmoid,
    "power": power,
    "whole_power": power,
    "times_log": times_log,
    **{
        name: _compared(operation)
        for name, operation in {
            "equal": "oeq",
            "not_equal": "une",
            "less": "olt",
            "less_equal": "ole",
            "greater": "ogt",
            "greater_equal": "oge",
        }.items()
    },
    "both": lambda left, right: left * right,
    "either": maximum,
    "negation": lambda condition: 1.0 - condition,
    "where": where,
    "floor": floor,
    "mod": remainder,
    "log1p": log1p,
    "chained": _chained,
    "chained_quotient": _chained_quotient,
    **{name: from_library(name) for name in ("tan", "asin", "acos", "atan", "sinh", "cosh", "erf", "cbrt")},
    "atan2": from_library("atan2"),
}


def _equal(left: Any, right: Any) -> Any:
    return left.equals(right) if isinstance(left, Node) else right.equals(left)


def _different(left: Any, right: Any) -> Any:
    return left.differs(right) if isinstance(left, Node) else right.differs(left)


def _whole_quotient(x: Any, divisor: Any) -> Any:
    return floor((x - remainder(x, divisor)) / divisor + 0.5)


def _clip(x: Any, low: Any, high: Any) -> Any:
    return minimum(maximum(x, low), high)


# NumPy's functions by their names.
OF_NUMPY: Mapping[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "negative": operator.neg,
    "positive": lambda x: x,
    "absolute": abs,
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1.0 / x,
    "power": power,
    "sqrt": sqrt,
    "exp": exp,
    "log": log,
    "log1p": log1p,
    "real": lambda x: x,
    "sin": sin,
    "cos": cos,
    "tanh": tanh,
    "cbrt": FUNCTIONS["cbrt"],
    "floor": floor,
    "remainder": remainder,
    "floor_divide": _whole_quotient,
    "sign": sign,
    "maximum": maximum,
    "minimum": minimum,
    "clip": _clip,
    "where": where,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": _equal,
    "not_equal": _different,
    "logical_and": operator.and_,
    "logical_or": operator.or_,
    "logical_not": operator.invert,
    "bitwise_and": operator.and_,
    "bitwise_or": operator.or_,
    "invert": operator.invert,
    "isfinite": finite,
    "isinf": lambda x: abs(x).equals(math.inf),
    "isnan": lambda x: x.differs(x),
}
