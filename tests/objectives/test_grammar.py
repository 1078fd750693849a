"""The formula language: what it reads, how it refuses, and that it stays harmless whatever it is given."""

from __future__ import annotations

import inspect
import math
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy.core.cache import clear_cache
from tests.costs import calls, peak_bytes
from tests.refusals import refusal

from fallline.errors import FalllineError
from fallline.objectives.formula import FormulaObjective
from fallline.objectives.grammar import FUNCTIONS, MAX_CHARACTERS, Formula, parse, terms
from fallline.objectives.grammar.conversion import from_sympy
from fallline.objectives.grammar.faults import ALLOWED
from fallline.objectives.grammar.juxtaposition import takes_one
from fallline.objectives.grammar.reading import _read
from fallline.objectives.grammar.words import CALLED
from fallline.objectives.symbolic import Symbolic

x, y, u = sympy.symbols("x y u", real=True)


def nested(wrap: Callable[[str], str], times: int, text: str = "x") -> str:
    for _ in range(times):
        text = wrap(text)
    return text


# Reading ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(x-10)**2", (x - 10) ** 2),
        ("x**2+8*sin(x)", x**2 + 8 * sympy.sin(x)),
        ("x^2+5*x+6", x**2 + 5 * x + 6),
        ("2*x^3^2", 2 * x**9),
        ("-x^2", -(x**2)),
        ("x^-1", 1 / x),
        ("-(-x)", x),
        ("-(2*x)", -2 * x),
        ("-(x+y)", -x - y),
        ("+x - -y", x + y),
        ("x - y - 3", x - y - 3),
        ("x/y/2*3", sympy.Rational(3, 2) * x / y),
        ("1/x", 1 / x),
        ("1*x", x),
        ("6/4*x", sympy.Rational(3, 2) * x),
        ("2*pi*x + e", 2 * sympy.pi * x + sympy.E),
        ("e**x", sympy.exp(x)),
        ("sqrt(x) + abs(y)", sympy.sqrt(x) + sympy.Abs(y)),
        ("max(x, y, 3) - min(x, y)", sympy.Max(x, y, 3) - sympy.Min(x, y)),
        ("sign(x)*tanh(y)", sympy.sign(x) * sympy.tanh(y)),
        ("1.5e1*x + .5 + 2.", 15 * x + 2.5),
        ("  \u00a0x\t*  y ;", x * y),
        ("sin(\n  x +\n y\n)", sympy.sin(x + y)),
        ("x*e - e*x", 0),
        ("pi**2*x + (2*e)**y", sympy.pi**2 * x + (2 * sympy.E) ** y),
        ("x*(10**-400) + y", y),
        ("2**0.5*x", math.sqrt(2) * x),
    ],
)
def test_reads_what_mathematics_means(text: str, expected: sympy.Expr) -> None:
    difference = (Symbolic(parse(text)).expression - expected).subs(
        {x: sympy.Rational(37, 53), y: sympy.Rational(71, 29)}
    )
    # Both sides are the same number; 1e-12 leaves room for the constants that were folded in floats.
    assert abs(float(difference)) < 1e-12


def test_sigmoid_is_the_logistic_function() -> None:
    logistic = 1 / (1 + sympy.exp(-x))
    for at in (-2.0, 0.0, 3.0):
        value, slope = FormulaObjective.from_text("sigmoid(x)").value_and_gradient(np.array([at]))
        assert value == pytest.approx(float(logistic.subs(x, at)), rel=1e-14)  # a few roundings
        assert slope == pytest.approx(float(logistic.diff(x).subs(x, at)), rel=1e-14)


def test_steps_are_kept_and_not_substituted() -> None:
    formula = parse("u = 2*x**2 - x - 2; y = 3*u + 1")
    assert [name for name, _ in formula.steps] == ["u"]
    assert formula.variables == ("x",)
    assert formula.name == "y"
    assert Symbolic(formula).expression.free_symbols == {u}
    assert Symbolic(formula).expression.doit() == 3 * u + 1
    assert sympy.expand(Symbolic(formula).substituted) == 6 * x**2 - 3 * x - 5


def test_steps_may_stand_on_lines_of_their_own_and_the_text_becomes_one_line() -> None:
    formula = parse("\n  u = 3*a^2 - 2*a\r\n  v = (u +\n      b)\r  2*u + v\n\n")
    assert formula.text == "u = 3*a^2 - 2*a; v = (u + b); 2*u + v"
    assert parse(formula.text) == formula
    assert formula.name == "f"


def test_variables_come_in_natural_order_and_are_real() -> None:
    formula = parse("x10 + x2 + b*x1 + a + x0*x + ab2c*ab10c")
    assert formula.variables == ("a", "ab2c", "ab10c", "b", "x", "x0", "x1", "x2", "x10")
    assert all(symbol.is_real for symbol in Symbolic(formula).variables)


def test_a_variable_named_f_does_not_take_the_name_of_the_formula() -> None:
    assert parse("f**2").name not in {"f", ""}
    assert parse("f**2 + f_").name not in {"f", "f_"}
    assert parse("f = 2*x; f + f_").name not in {"f", "f_"}


def test_nothing_is_simplified() -> None:
    def value(text: str, *at: float) -> float:
        return float(FormulaObjective.from_text(text).value(np.array(at)))

    assert math.isnan(value("x/x", 0.0))
    assert math.isnan(value("0*log(x)", -1.0))
    assert math.isnan(value("sqrt(x)**2", -4.0))
    # Real arithmetic has no power of a negative number but a whole one.
    assert math.isnan(value("abs(x**y)", -0.8, 1.8))
    assert math.isnan(value("abs(sqrt(x))", -1.0))
    assert math.isnan(value("sqrt(x*y)/sqrt(x)", -2.0, -3.0))
    assert value("x/5e-324", 1.0) == math.inf


def test_greek_letters_are_names() -> None:
    assert parse("α*x + β_1").variables == ("x", "α", "β_1")


def test_long_sums_and_products_are_read() -> None:
    names = [f"x{i}" for i in range(500)]
    assert len(parse(" + ".join(f"{name}**2" for name in names)).variables) == 500
    assert len(parse("*".join(names)).expression.parts) == 500


def test_latex_shows_steps_as_written() -> None:
    assert Symbolic(parse("u = x/2 - 1; y = sigmoid(u)^2")).latex() == (
        r"u = \frac{x}{2} - 1,\quad y = \sigma^{2}\left(u\right)"
    )
    assert Symbolic(parse("sigmoid(b) + a")).latex() == r"f = \sigma\left(b\right) + a"


READ_AS = [
    ("2x", "2*x"),
    ("2(x+1)", "2*(x + 1)"),
    ("(x+1)(x-1)", "(x + 1)*(x - 1)"),
    ("x(x+1)", "x*(x + 1)"),
    ("rate*x + rate(x+1)", "rate*x + rate*(x + 1)"),
    ("sin(x)cos(x)", "sin(x)*cos(x)"),
    ("3sin(x)", "3*sin(x)"),
    ("2 x^2 y - 3 x y^2", "2*x**2*y - 3*x*y**2"),
    ("2xy", "2*xy"),
    ("e(x)", "e*x"),
    ("2πx", "2*pi*x"),
    ("2e + x", "2*e + x"),
    ("-2x^2", "-2*x**2"),
    ("2x/3", "2*x/3"),
    ("sin x", "sin(x)"),
    ("sin 2x + 1", "sin(2*x) + 1"),
    ("sin 2 pi x", "sin(2*pi*x)"),
    ("sin x cos x", "sin(x)*cos(x)"),
    ("sin^2(x)", "sin(x)**2"),
    ("sin^2 x + cos²x", "sin(x)**2 + cos(x)**2"),
    ("ln(x)", "ln(x)"),
    ("np.sin(x)", "sin(x)"),
    ("math.log(x)", "log(x)"),
    ("np.linalg.norm(x - 1, y)", "norm(x - 1, y)"),
    ("np.maximum(x, 0)", "maximum(x, 0)"),
    ("math.pi*x", "pi*x"),
    ("x[0]", "x[0]"),
    ("|x|", "abs(x)"),
    ("|x - |y||", "abs(x - abs(y))"),
    ("2|x|", "2*abs(x)"),
    ("x²y³", "x**2*y**3"),
    ("x⁻¹", "x**-1"),
    ("x₁ + x₂", "x1 + x2"),
    ("√x + √(x+1)", "sqrt(x) + sqrt(x + 1)"),
    ("3√2 - x", "3*sqrt(2) - x"),
    ("2*π*x", "2*pi*x"),
    ("x − 1", "x - 1"),
    ("x·y×z", "x*y*z"),
    ("x÷2", "x/2"),
    ("𝑥**2", "x**2"),
    ("f(x) = x**2", "f = x**2"),
    ("f(x, y) = x² + y²", "f = x**2 + y**2"),
    ("x if x > 0 else -x", "where(x > 0, x, -x)"),
    ("x(2) + x", "x*2 + x"),
    ("||x| - y|", "abs(abs(x) - y)"),
    ("|x||y|", "abs(x)*abs(y)"),
    ("max(|x|, y)|x|", "max(abs(x), y)*abs(x)"),
    ("(x)(y)(z)", "x*y*z"),
    ("2x3 + x3y", "2*x3 + x3y"),
    ("abcx + x", "abcx + x"),
    ("sin x sin y", "sin(x)*sin(y)"),
    ("sin x[1]", "sin(x[1])"),
    ("sin √x - ln|x|", "sin(sqrt(x)) - ln(abs(x))"),
    ("x²^2", "(x**2)**2"),
    ("xⁿ + n", "x**n + n"),
    ("rateₐ + xᵢ", "rate_a + x_i"),
    ("e²ˣ", "e**(2*x)"),
    ("√√x", "sqrt(sqrt(x))"),
    ("y := x**2", "y = x**2"),
    ("1e+x", "1*e + x"),
    (".5x", ".5*x"),
    ("f(x,) = x", "f = x"),
    ("a/b*c d", "a/b*c*d"),
    ("x - (y - 1) - (z + 2)*-3", "x - (y - 1) - (z + 2)*-3"),
    ("x/(y/z)*(x/y)", "x/(y/z)*(x/y)"),
    ("-(x + y)**-(2*z)", "-(x + y)**(-2*z)"),
    ("x*-(2*z) - -(x*y)**-(-(x/y))", "x*(-2*z) - -(x*y)**(--x/y)"),
    ("2**(x**y)**2", "2**(x**y)**2"),
    (
        "where((x > y or x < 1) and not (y >= x and x != 2), ½x, (x > 0)**2)",
        "where((x > y or x < 1) and not (y >= x and x != 2), (1/2)*x, (x > 0)**2)",
    ),
]


@pytest.mark.parametrize(("text", "reading"), READ_AS)
def test_what_mathematics_leaves_out_is_read_and_shown_back(text: str, reading: str) -> None:
    formula = parse(text)
    assert formula.reading == reading
    assert Symbolic(parse(reading)).lines == Symbolic(formula).lines


def test_the_text_is_kept_as_written_and_read_the_same_again() -> None:
    formula = parse("u = 2x²\n√u + 3(u - 1)")
    assert formula.text == "u = 2x²; √u + 3(u - 1)"
    assert parse(formula.text) == formula


# The text, a point by name, and the value by hand.
MEANINGS: list[tuple[str, dict[str, float], float]] = [
    ("where(x > 0, x**2, -x)", {"x": -3.0}, 3.0),
    ("where(x > 0 and x < 2 or x == 5, 1, 0) + 0*x", {"x": 5.0}, 1.0),
    ("where(0 < x <= 1, x, 7)", {"x": 2.0}, 7.0),
    ("where(not x >= 1, 1, 2)*x", {"x": 0.5}, 0.5),
    ("(x > 0)*x**2 + (x <= 0)", {"x": -2.0}, 1.0),
    ("1 if x != 2 else x", {"x": 2.0}, 2.0),
    ("sum(x[i]^2, i=1..3)", {"x1": 1.0, "x2": 2.0, "x3": 3.0}, 14.0),
    ("sum(i*x_i, i=1..3)", {"x_1": 1.0, "x_2": 2.0, "x_3": 3.0}, 14.0),
    ("sum((x[i+1] - x[i])^2, i=0..1)", {"x0": 1.0, "x1": 4.0, "x2": 8.0}, 25.0),
    ("n = 3; prod(x[i], i=1..n)", {"x1": 2.0, "x2": 3.0, "x3": 4.0}, 24.0),
    ("sum(x[i]*y[j], i=1..2, j=1..2)", {"x1": 1.0, "x2": 2.0, "y1": 3.0, "y2": 4.0}, 21.0),
    ("sum(sum(x[i], i=1..j), j=1..2)", {"x1": 1.0, "x2": 2.0}, 4.0),
    ("max(x[i], i=1..3) - min(x[i], i=1..3)", {"x1": 1.0, "x2": 5.0, "x3": 3.0}, 4.0),
    ("norm(x[i], i=1..2)", {"x1": 3.0, "x2": 4.0}, 5.0),
    ("max(x[i], i=1..1) + norm(y[i], i=2..2)", {"x1": -3.0, "y2": -4.0}, 1.0),
    ("where(1 < 2, x, y) - where(2 < 1 or not 1 != 2, x, 2*y)", {"x": 3.0, "y": 5.0}, -7.0),
    ("norm(x, y, 2)", {"x": 2.0, "y": 1.0}, 3.0),
    ("floor(x) + ceil(x) + mod(x, 2)", {"x": -2.5}, -3.5),
    ("log(x, 10) + log10(x) + log2(y)", {"x": 1000.0, "y": 8.0}, 9.0),
    ("atan2(y, x)", {"x": -1.0, "y": 1.0}, 3 * math.pi / 4),
    ("erf(x) + erfc(x)", {"x": 0.3}, 1.0),
    ("cbrt(x)", {"x": -8.0}, -2.0),
    ("expm1(x)", {"x": 1e-12}, math.expm1(1e-12)),
    ("expm1(x)", {"x": -1e-12}, math.expm1(-1e-12)),
    ("expm1(x)", {"x": -1.5}, math.expm1(-1.5)),
    ("expm1(-x**2)", {"x": 40.0}, math.expm1(-1600)),
    ("log1p(x)", {"x": 1e-12}, math.log1p(1e-12)),
    (
        "asinh(x) + acosh(y) + atanh(z)",
        {"x": -1e-9, "y": 2.0, "z": 0.5},
        math.asinh(-1e-9) + math.acosh(2) + math.atanh(0.5),
    ),
    ("cot(x)*tan(x) + sec(x)*cos(x) + csc(x)*sin(x)", {"x": 0.7}, 3.0),
    ("softplus(x) - relu(x)", {"x": -800.0}, 0.0),
    ("hypot(x, y) + pow(x, 2) + square(y)", {"x": 3.0, "y": 4.0}, 30.0),
    ("heaviside(x, 0.5)", {"x": 0.0}, 0.5),
]


@pytest.mark.parametrize(("text", "at", "value"), MEANINGS)
def test_functions_conditions_and_sums_have_their_values(text: str, at: dict[str, float], value: float) -> None:
    objective = FormulaObjective.from_text(text)
    assert objective.names == tuple(at)
    # A few roundings.
    assert objective.value(np.array(list(at.values()))) == pytest.approx(value, rel=4e-15, abs=1e-15)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # In floats, 1/49*49 is a little less than 1, and ten tenths are too.
        ("1/49*49*x", 1.0),
        ("49*(1/49)*x", 1.0),
        ("-(1/49)*49*x", -1.0),
        ("-(-(1/49))*49*x", 1.0),
        ("(1/49)**2*49**2*x", 1.0),
        ("(1/49)**-1/49*x", 1.0),
        ("(" + " + ".join(["1/10"] * 10) + ")*x", 1.0),
        ("(1 - " + " - ".join(["1/10"] * 10) + " + 1)*x", 1.0),
        ("(7/3 - 1/3)*x", 2.0),
        ("x**(1/3 + 1/3 + 1/3)", 1.0),
        # In floats, 2**64 is no larger than the number before it.
        ("(18446744073709551616 - 18446744073709551615)*x", 1.0),
    ],
)
def test_small_fractions_are_exact(text: str, value: float) -> None:
    assert float(FormulaObjective.from_text(text).value(np.array([1.0]))) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("sqrt(0.25)", 0.5),
        ("sqrt(1/4)", 0.5),
        ("-cos(3)", -math.cos(3)),
        ("exp(0.5) + 0.1", math.exp(0.5) + 0.1),
        ("sin(10**30)*2", math.sin(1e30) * 2),
        ("2**0.5", math.sqrt(2)),
        ("sin(-pi/2)", -1),
        ("cos(pi + 1)", math.cos(math.pi + 1)),
        ("log(pi**e)", math.e * math.log(math.pi)),
        ("max(0.1, 0.2, log(2))", math.log(2)),
        ("sqrt(2)", math.sqrt(2)),
    ],
)
def test_a_constant_is_one_number_unless_it_names_one(text: str, value: float) -> None:
    base, exponent = parse(f"x**({text})").expression.parts
    assert base.operation == "name"
    assert exponent.is_number
    assert float(exponent.detail) == pytest.approx(value, rel=1e-15)
    for named in (f"a = 2; x**(a + {text})", f"x**(pi + {text})"):
        assert not parse(named).expression.parts[1].is_number


@pytest.mark.parametrize("name", [name for name in sorted(CALLED) if takes_one(name)])
def test_of_a_number_a_function_is_what_it_is_of_a_variable_there(name: str) -> None:
    for number in (-0.3, 0.3, 0.9, 1.7):
        expected = FormulaObjective.from_text(f"{name}(x)").value(np.array([number]))
        if np.isfinite(expected):
            found = FormulaObjective.from_text(f"{name}({number})*x").value(np.array([1.0]))
            # A few roundings, in Python's own functions and in NumPy's.
            assert found == pytest.approx(expected, rel=2e-15)


# Refusing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("x(y+1)", "write x*(y+1)"),
        ("1/2x", "write 1/(2*x) or (1/2)*x"),
        ("x/2(x+1)", "write x/(2*(x+1)) or (x/2)*(x+1)"),
        ("x^2y + y", "write x^(2*y) or x^2*y"),
        ("2^3x", "write 2^(3*x) or 2^3*x"),
        ("sin x^2", "write sin(x**2) or sin(x)**2"),
        ("sin x²", "write sin(x**2) or sin(x)**2"),
        ("sin x/2", "write sin(x/2) or sin(x)/2"),
        ("sin 2x*y", "write sin(2x*y) or sin(2x)*y"),
        ("sin^-1(x)", "write asin(x) or 1/sin(x)"),
        ("sin^n(x)", "write the power last, as in sin(x)**2"),
        ("sin^2.5(x)", "write the power last, as in sin(x)**2"),
        ("sin⁻¹(x)", "write asin(x) or 1/sin(x)"),
        ("√2x", "write √(2*x) or √(2)*x"),
        ("√2sin(x)y", "write √(2*sin(x)) or √(2)*sin(x)"),
        ("√2x[1]y", "write √(2*x[1]) or √(2)*x[1]"),
        ("1/2(" + "x+" * 40 + "1)", "write * between factors"),
        ("minimise x", "write minimise*x"),
        ("w" * 81 + " x", f"write {'w' * 81}*x"),
        ("w" * 82 + " x", "write * between factors"),
        ("|x|y", "write |x|*y"),
        ("x 2", "write x*2"),
        ("1.2.3*x", "one point in a number"),
        ("2 000x", "begin with 0"),
        ("sin*x", "write sin(x)"),
        ("x + sin", "write sin(x)"),
        ("x.real", "no dots"),
        ("x.", "no dots"),
        (".x", "no dots"),
        ("sinn(x)", "did you mean sin?"),
        ("foo(x)", "Allowed: "),
        ("x[y]", "an index is a whole number"),
        ("x[1, 2]", "one index"),
        ("[x]", "round brackets"),
        ("sum(x[i], i=1..n)*n", "an index is a whole number"),
        ("sum(x[i], i=3..1)", "the range 3..1 is empty"),
        ("sum(x[i], i=1)", "write the range of i as i=1..3"),
        (
            " sum(x[i], i=1..100000) ",
            "is 'sum(x[i], i=1..100000)', which has more than 20000 parts when its sums are written",
        ),
        ("sum(x[i], i=1..100000)", "written out; use a Python function"),
        ("sum(i=1..3)*x", "at least one argument"),
        ("∑x", "write sum("),
        ("lambda x: x", "a word of Python"),
        ("x < 1", "write where(condition, a, b)"),
        ("x == 1", "write where(condition, a, b)"),
        ("where(x, 1, 2)", "a condition is a comparison"),
        ("where(x > 0, 1)", "where takes three arguments, not 2"),
        ("x if x > 0", "write a if condition else b"),
        ("'x'", "no quotes"),
        ("x # bowl", "no comments"),
        ("|x", "a | is never closed"),
        ("Pi*x", "write pi"),
        ("x//2", "write floor(x/2)"),
        ("x % 2", "write mod(a, b)"),
        ("x mod 3", "write mod(x, 3)"),
        ("x mod 3 + y", "write mod(x, 3)"),
        ("min x^2", "min takes its arguments in brackets"),
        ("Π x_i", "write prod("),
        ("sum(xi^2, i=1..2)", "i does not occur in it; write x_i or x[i]"),
        ("sum(x[i]^2, i in 1..3)", "write the range as i=1..3"),
        ("x!", "no factorials"),
        ("inf*x", "finite numbers"),
        ("nan*x", "finite numbers"),
        ("oo*x", "finite numbers"),
        ("x + Infinity", "finite numbers"),
        ("sin(x, y)", "sin takes one argument, not 2"),
        ("x + sin()", "sin takes one argument, not 0"),
        ("atan2(x)", "atan2 takes two arguments, not 1"),
        ("max(x)", "max takes two or more arguments, not 1"),
        ("pow(x)", "pow takes two arguments, not 1"),
        ("sin(x=2)", "to compare write =="),
        ("max(*x)", "Allowed: "),
        ("max(**x)", "Allowed: "),
        ("x, y", "a comma stands between the arguments"),
        ("3,5*x", "a decimal has a point"),
        ("x +", "nothing follows the +"),
        ("x***2", "Allowed: "),
        ("(x", "never closed"),
        ("(x; y)", "never closed"),
        ("x)", "without its ("),
        ("x+1)(x", "without its ("),
        ("x[1)", "without its ("),
        ("f(x, y) = x**2", "y is not used; write f = ..."),
        ("f(x, y) = xyz + x", "y is not used; write * between the factors of xyz"),
        ("f(x", "'f(x'"),
        ("x = y = 3", "only follows the name"),
        ("2 = x", "only follows the name"),
        ("y =", "nothing after the ="),
        ("pi = x", "pi is the constant"),
        ("sin = x", "sin is the function"),
        ("norm = x", "norm is the function"),
        ("u = x; u = 2*u; u", "u has a value already"),
        ("y = 3*u; u = 2*x; y + u", "u is used before"),
        ("x = x**2", "x is used before"),
        ("u = x; 3*x", "u is never used"),
        ("x**2\n+ y**2", "only the last line"),
        (" 2 + 3 ", "is '2 + 3', which has no variable; write, for example, 'x**2'"),
        ("a = 2; a**2", "no variable"),
        ("x + 1/0", "divides by zero"),
        ("x/(2 - 2)", "divides by zero"),
        ("a = 0; x/a", "divides by zero"),
        ("x + 0**-1", "division by zero"),
        ("x*log(-1)", "not a finite real number"),
        ("x*ln(-1)", "not a finite real number"),
        ("x*sqrt(-1)", "not a finite real number"),
        ("a = -1; x*sqrt(a)", "not a finite real number"),
        ("x*(-8)**(1/3)", "not a real number"),
        ("x*exp(1000)", "infinite"),
        ("x*1e999", "infinite"),
        ("x + 1e308*10", "infinite"),
        ("x + 1/sin(1e-310)", "infinite"),
        ("x**10**400", "infinite"),
        ("9**9**9**9 + x", "infinite"),
        ("10**10**10*x", "infinite"),
        ("", "is '', an empty formula; write, for example, 'x**2 + y**2'"),
        (" ;\n; ", "empty formula"),
        ("007*x", "'007'"),
        ("f() = x", "at 'f() = x': = only follows"),
        ("(x) = 2*x", "at '(x) = 2*x': = only follows"),
        ("f(x)g = 2", "at 'f(x)g = 2': = only follows"),
        ("f(x y) = x*y", "at 'f(x y) = x*y': = only follows"),
        ("f(2) = x", "at 'f(2) = x': = only follows"),
        ("u = ; 2*x", "at 'u =': there is nothing after the ="),
        ("x or", "at 'x or': nothing follows the or"),
        ("x if y else", "at 'x if y else': nothing follows the else"),
        ("else x", "at 'else x': write a if condition else b"),
        ("x > 1 and y", "a condition is a comparison"),
        ("where(not x, 1, 2)", "a condition is a comparison"),
        ("x[-1]", "at 'x[-1]': an index is a whole number"),
        ("x[0.5]", "at 'x[0.5]': an index is a whole number"),
        ("x[1e15]", "at 'x[1e15]': an index is a whole number"),
        ("|x[1|]|", "at '|x[1|': nothing follows the 1"),
        ("sin(x,)", "at 'sin(x,)': nothing follows the ,"),
        ("sin(,x)", "at 'sin(,': nothing follows the ("),
        ("max(x,,y)", "at 'max(x,,': nothing follows the ,"),
        ("x..y", "at '..y': it does not fit"),
        ("x² ²", "at '²': it does not fit"),
        ("x², y", "a comma stands between the arguments"),
        ("(x), y", "at '(x),': it does not fit"),
        ("x[1], y", "at 'x[1],': it does not fit"),
        ("2|x|3", "at '|x|3': write |x|*3"),
        ("|x + |y|", "at '|x + |y|': a | is never closed"),
        ("x(2)", "at 'x(2)': write x*(2) or x[2]"),
        ("x(2.5)", "at 'x(2.5)': write x*(2.5)"),
        ("x_(2)", "at 'x_(2)': write x[2]"),
        ("0x", "at '0x': write a number in its digits alone"),
        ("2_x", "at '2_x': write a number in its digits alone"),
        ("a/b c*d", "at 'a/b c': write a/(b*c) or (a/b)*c"),
        ("sin^1(x)", "at 'sin^1': write the power last, as in sin(x)**2"),
        ("log^-1(x)", "at 'log^-1': write the power last, as in log(x)**2"),
        ("cos^-1 x", "at 'cos^-1': write acos(x) or 1/cos(x)"),
        ("sin -x", "at 'sin': write sin(-x)"),
        ("x + sin -2", "at 'sin': write sin(-2)"),
        ("x + sin -(2)", "at 'sin': write sin(x)"),
        ("x[]", "at 'x[]': nothing follows the ["),
        ("sin x[1] y", "at 'sin x[1] y': write sin(x[1]*y) or sin(x[1])*y"),
        ("ln |x| y", "at 'ln |x| y': write ln(|x|*y) or ln(|x|)*y"),
        ("3 mod x", "at 'mod x': write mod(3, x)"),
        ("mod x 3", "at 'mod x': mod takes its arguments in brackets, as in mod(x, y)"),
        ("sum = 3", "at 'sum =': sum is the function"),
        ("sum(x)", "at 'sum(x)': sum takes several parts"),
        ("prod()", "at 'prod()': prod takes at least one argument"),
        ("min(x[i], i=1..2, j=1..2)", "j does not occur in it; write x_j or x[j]"),
        ("x⁻", "at '⁻': write the exponent as x**2"),
        ("xᵃᵇ", "at 'ᵃᵇ': write the exponent as x**2"),
        ("√", "at '√': nothing follows the √"),
        ("f(x;y)", "at 'f(x;': a ( is never closed"),
        ("x*[y;z]", "at 'x*[y;': a [ is never closed"),
        ("xsin(y)", "at 'xsin(y)': write x*sin(y)"),
        ("xsin(y) + y 2", "at 'xsin(y)': write x*sin(y); at 'y 2': write y*2"),
        ("xsin(" + "y+" * 25 + "y)", "write * between factors"),
        ("xsin(" + "y" * 37 + ")", f"write x*sin({'y' * 37})"),
        ("xsin(" + "y" * 38 + ")", "write * between factors"),
        ("sinabc(x)", "did you mean sin?"),
        ("f(x)", "there is no function f"),
        ("g(x)", "there is no function g"),
        ("h(x)", "there is no function h"),
        ("log_2(x)", "write log2(x)"),
        ("sinx", "write sin(x), or use another name"),
        ("xsin2x", "write x*sin(2*x), or use another name"),
        ("xe + x", "write x*e, or use another name"),
        ("xy + x + y", "write x*y, or use another name"),
        ("0." + "3" * 399 + "*x", "the number is too long"),
    ],
)
def test_refuses_in_one_line_that_says_what_to_write(text: str, advice: str) -> None:
    message = refusal(parse, text)
    assert message.startswith("objective is ")
    assert advice in message


# What is quoted of a text: the part to change, wherever it stands.
QUOTED = [
    ("x(y+1)", "x(y+1)"),
    ("2/x", None),
    ("1/2x", "1/2x"),
    ("x/2(x+1)*3", "x/2(x+1)"),
    ("y*x^2y", "x^2y"),
    ("5*sin x^2*y", "sin x^2"),
    ("cos x²", "cos x²"),
    ("sin x/2*y", "sin x/2"),
    ("sin^-1(x)", "sin^-1"),
    ("sin⁻¹(x)", "sin⁻¹"),
    ("sin^n(x)", "sin^n"),
    ("√2x*3", "√2x"),
    ("√-x", "√-x"),
    ("√x²", "√x²"),
    ("√x^3", "√x^"),
    ("|x|y", "|x|y"),
    ("y*x 2", "x 2"),
    ("1.2.3*x", "1.2.3"),
    ("2 000x", "000"),
    ("sin*x", "sin"),
    ("sinn(x - (y))*2", "sinn(x - (y))"),
    ("2*x[y]", "x[y]"),
    ("x[1, 2]", "x[1,"),
    ("Sin[x]", "Sin["),
    ("sum(x[i], i=1..n)*n", "sum(x[i], i=1..n)"),
    ("sum(x[i], i=3..1)", "sum(x[i], i=3..1)"),
    ("sum(x[i], i=1)", "i=1"),
    ("sum(i=1..3)*x", "sum(i=1..3)"),
    ("where(x, 1, 2)", "where(x, 1, 2)"),
    ("where(2 > 1 and not x, 1, 2)*x", "not x"),
    ("where(x or y > 0, 1, 2)", "x or y > 0"),
    ("where(x > 0 or x and y > 0, 1, 2)", "x and y > 0"),
    ("max(2, x if y else 3)", "x if y else 3"),
    ("where(x, (y - 1), 2)", "where(x, (y - 1), 2)"),
    ("Pi*x", "Pi"),
    ("x//2", "//"),
    ("x mod 3", "mod 3"),
    ("min x^2", "min x^2"),
    ("inf*x", "inf"),
    ("sin(x, y)*2", "sin(x, y)"),
    ("cos(x=2)", "x=2"),
    ("x.real", "x.real"),
    ("1/0", "1/0"),
    ("y*x/(2 - 2)", "y*x/(2 - 2)"),
    ("0**-1", "0**-1"),
    ("(-8)**(1/3)*x", "(-8)**(1/3)"),
    ("x**10**400", "10**400"),
    ("x⁺", "⁺"),
    ("1e999*x", "1e999"),
    ("(1e308 + 1e308)*x", "(1e308 + 1e308)"),
    ("√(-1)*x", "√(-1)"),
    ("exp^9(500)*x", "exp^9(500)"),
    ("(1e300)²*x", "(1e300)²"),
    ("1e300^2*x", "1e300^2"),
    ("log 0*x", "log 0*x"),
    ("log 0", "log 0"),
    ("x*|2 + log 0|", "log 0"),
    ("min(x[i], i=1.5..3)", "min(x[i], i=1.5..3)"),
    ("x*2 y(3)*4", "y(3)"),
    ("max(x, y < 1 and 3)", "y < 1 and 3"),
    ("007*x", "007"),
    ("e^x.y", "x.y"),
]
# Ten characters on both sides of one without a meaning, in whole words of up to forty; what stands before a bracket.
AROUND = [
    ("aa*bb*cc*dd*ee*ff % gg*hh*ii*jj*kk*ll", "cc*dd*ee*ff % gg*hh*ii"),
    ("(x) % 2", "(x) % 2"),
    ("x % " + 60 * "z", "x % " + 38 * "z"),
    ("x % " + 11 * "z" + "+y", "x % " + 11 * "z"),
    (7 * "x" + "+" + 11 * "z" + "% y", 11 * "z" + "% y"),
    ("w*w + x) - 3*w", "w*w + x)"),
    ("w*w*w*w + (x; y", "w*w*w*w + (x;"),
    ("aaaa*bbbb*cccc*dddd*eeee + x) - 3*w", "bb*cccc*dddd*eeee + x)"[-20:]),
    ("aaaa*bbbb*cccc*dddd*eeee + x +", "cccc*dddd*eeee + x +"),
    ("aaaa*bbbb*cccc*dddd*(eeee + x", "b*cccc*dddd*(eeee + x"[-20:]),
    ("x*y + [z] - wwww*vvvv", "[z] - wwww*"),
    ("w + x***2 - 3*wwww*vvvv*uuuu*tttt", "*2 - 3*wwww*vvvv*uuu"),
    ("aaaa*bbbb*cccc*dddd*eeee, ffff*gggg", "bbbb*cccc*dddd*eeee, ffff"),
    ("w + else xx*yy*zz*ww*vv", "else xx*yy*zz*"),
    ("(" * 61 + "x" + ")" * 61, "(" * 21),
    ("(x), y", "(x),"),
    ("x[1], y", "x[1],"),
    ("x[1 + y, 2]", "x[1 + y,"),
    ("w + .y*w", "+ .y"),
    (". x", ". x"),
    ("w*x . y z*w*w", "x . y"),
    ("xx*yy[2][3]*zz*ww*vv", "[3]*zz*ww*v"),
    ("xx*not y*z*w*v", "not y*z*w*v"),
    ("x = y = 3", "y = 3"),
    ("x ** = 3", "x ** = 3"),
    ("pi = x", "pi ="),
    ("sin = x; sin + w", "sin ="),
    ("u = x + y; v = u*u; u*3 + x", "v = "),
    ("f(x, y) = x**2", "f(x, y)"),
]


@pytest.mark.parametrize(("text", "quoted"), [*QUOTED, *AROUND])
def test_the_part_that_is_quoted_is_the_one_to_change(text: str, quoted: str | None) -> None:
    texts = [text] if (text, quoted) in AROUND else [text, f"w*w + {text}", f"w*w + {text} - 3*w", f"u = {text}; u + w"]
    for whole in texts:
        if quoted is None:
            parse(whole)
            continue
        assert f"cannot be read at {quoted!r}: " in refusal(parse, whole)


def test_all_that_cannot_be_read_is_told_at_once() -> None:
    message = refusal(parse, "u = foo(x) + 1/2y; v = x @ 2; w = sqrt(x, y); u + v*w + sin x^2")
    assert message.count("; at ") == 4
    for advice in ("no function foo", "1/(2*y) or (1/2)*y", "'@'", "sqrt takes one argument", "sin(x**2) or sin(x)**2"):
        assert advice in message
    with pytest.raises(FalllineError, match=r"; and 3 more\. Allowed: "):
        parse(" + ".join(f"f{i}o(x)" for i in range(8)))
    # What is allowed is told once, at the end.
    for text, last in (("sinn(x) + x @ 2", "did you mean sin? "), ("sinn(x) + fghij(y)", "no function fghij. ")):
        message = refusal(parse, text)
        assert message.endswith(last + ALLOWED)
        assert message.count("Allowed") == 1


@pytest.mark.parametrize(
    "text",
    ["x + sum(foo(y))", "x*foo(y)", "foo(x)y", "sin foo(x)", "@x", "x @ y", "x @ 2", "√@ 2 + x", "2 x @ y",
     "x + (y @ z)(x)", "u = foo(x); u*u + v", "u = x @ 2; v = u + 1; u*v", "max(foo(x)) + y",
     "x if foo(x) > 0 else y", "f(x, y) = foo(x)", "sin*x + y", "y sin + x", "max - x", "sum + x", "2 min x",
     "log^2 + x", "Pi*x", "x + 007", "x*inf", "|x[y]| + 2", "x/0 + 1", "where(x, 1, 2)*x", "sum(x)*x"],
)  # fmt: skip
def test_one_mistake_is_told_as_one(text: str) -> None:
    assert refusal(parse, text).count(" at '") == 1


@pytest.mark.parametrize(("thing", "kind"), [(None, "a NoneType"), (3, "an int"), (["x"], "a list"), (b"x", "a bytes")])
def test_what_is_not_text_is_named(thing: object, kind: str) -> None:
    with pytest.raises(FalllineError, match=f"^objective is {kind}; a formula is a text"):
        parse(thing)  # type: ignore[arg-type]


def test_the_mistake_in_a_long_formula_is_quoted_and_the_formula_shortened() -> None:
    message = refusal(parse, "+".join(f"x{i}" for i in range(300)) + "+y 2")
    assert "write y*2" in message
    assert len(message) < 200


def test_too_large_to_write_out_is_said() -> None:
    doubling = "; ".join(["a1 = x + sin(x)", *(f"a{i} = a{i - 1} + sin(a{i - 1})" for i in range(2, 30))])
    formula = parse(doubling + "; a29 + 1")
    with pytest.raises(FalllineError, match="too large to be written out"):
        _ = Symbolic(formula).substituted
    assert Symbolic(formula).latex().count(r"\quad") == 29
    for huge in ("(2*x)**10**9", "(2*x)**-10**9", nested(lambda s: f"({s}**9)", 20, "(2*x)")):
        with pytest.raises(FalllineError, match="too large to be written out"):
            _ = Symbolic(parse(huge)).substituted
        with pytest.raises(FalllineError, match="too large for LaTeX"):
            Symbolic(parse(huge)).latex()


# Hostile text ----------------------------------------------------------------------------------------------

HOSTILE = {
    "a megabyte of brackets": "(" * 10**6,
    "brackets": "(" * 4000 + "x" + ")" * 4000,
    "minus signs": "-" * 9999 + "x",
    "five hundred minus signs": "-" * 500 + "x",
    "a long sum": "+".join("x" * 4900),
    "a long product": "*".join("x" * 4900),
    "a product without signs": "x " * 4900,
    "a sum of products without signs": "2x+" * 3300 + "x",
    "names that differ in their last letter": " + ".join(f"x{i}y" for i in range(1600)),
    "a tower of powers": "**".join("x" * 3300),
    "a tower of numbers": "9**9**9**9*x",
    "another tower": "10**10**10 + x",
    "a huge power": "2**10000000*x",
    "a huge negative power": "2**-10**9*x",
    "a slow power": "1.0000001**10**9*x",
    "an exact slow power": "(1 + 1/10**9)**10**9*x",
    "a disguised slow power": "exp(10**9*log(1 + 10**-9))*x",
    "a huge literal": "9" * 9000 + "*x",
    "a literal of 300 digits": "9" * 300 + "*x",
    "a long fraction": "0." + "3" * 9000 + "*x",
    "growing fractions": "+".join(f"1/{i}" for i in range(1, 1300)) + "+x",
    "a root of a huge integer": "(10**300)**(1/3)*x",
    "another root": "sqrt(10**300 + 1)*x",
    "the sine of a huge integer": "sin(10**300)*x",
    "the sine of an infinite one": "sin(10**400)*x",
    "a huge power of a sum": "(x + 1)**10**9",
    "a huge power of a product": "(2*x)**10**9",
    "a huge inverse power": "(2*x)**-10**9",
    "nested powers": nested(lambda s: f"({s}**9)", 50, "(2*x)"),
    "nested roots": nested(lambda s: f"sqrt({s})", 50),
    "nested maxima": nested(lambda s: f"max({s}, y)", 50),
    "nested absolutes": nested(lambda s: f"abs(y - {s})", 29),
    "a continued fraction": nested(lambda s: f"1/(1 + {s})", 100),
    "doubling steps": "; ".join(["a1 = x", *(f"a{i} = a{i - 1} + sin(a{i - 1})" for i in range(2, 401))]) + "; a400",
    "squaring steps": "; ".join(["a1 = 2*x", *(f"a{i} = a{i - 1}**9" for i in range(2, 500))]) + "; a499",
    "thousands of steps": "; ".join(f"a{i} = a{i - 1}" for i in range(1, 9000)),
    "commas": "max(" + "," * 9000 + "x)",
    "equals": "x=" * 4000,
    "dots": "." * 9999,
    "quotes": "'" * 9999,
    "nulls": "\0" * 9999,
    "surrogates": "x\ud800" * 3000,
    "superscripts": "²" * 5000,
    "an exponent of ten thousand digits": "x" + "²" * 9999,
    "functions without brackets": "sin " * 2000 + "x",
    "roots without brackets": "√" * 9000 + "x",
    "line ends": "\r\n\u2028\x0c" * 1000,
    "digits of another script": "x + ٣",
    "a name of ten thousand letters": "x" * 9999,
    "an import": "__import__('os')",
    "a walk through classes": "().__class__.__bases__[0].__subclasses__()",
}


# The number of functions, which take about a second.
MANY_CALLS = 1_000_000


def forget() -> None:
    """Have all that was read before read anew."""
    _read.cache_clear()
    clear_cache()


@pytest.mark.parametrize("function", ["sin ", "√", "sin(", "("])
def test_functions_nest_as_deep_with_brackets_as_without(function: str) -> None:
    def text(depth: int) -> str:
        return function * depth + "x" + ")" * depth * ("(" in function)

    assert parse(text(59)).variables == ("x",)
    with pytest.raises(FalllineError, match="nested more than 60 deep"):
        parse(text(61))


@pytest.mark.parametrize(
    "part",
    ["(x)", "√x", "sin x", "ln |x|", "x**2", "x**-x", "|x|", "x[1]", "max(x, 2)", "(x if x > 1 else 2)",
     "where(not x > 1, x, 2)", "sin^2 x", "sum(x, 2)"],
)  # fmt: skip
def test_parts_side_by_side_are_not_nested(part: str) -> None:
    assert len(parse(" + ".join([part] * 61)).variables) == 1


def test_a_text_beyond_pythons_recursion_is_refused() -> None:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 100)
    try:
        with pytest.raises(FalllineError, match=r"^objective is '\(+x\)+', which is too long or nested too deeply$"):
            parse(nested("({})".format, 20))
    finally:
        sys.setrecursionlimit(before)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_answered_after_few_calls_and_in_little_memory(text: str) -> None:
    def read() -> None:
        forget()
        try:
            formula = parse(text)
            assert len(formula.variables) >= 1
            hash(formula)
        except FalllineError as error:
            assert "\n" not in str(error)  # noqa: PT017
            assert len(str(error)) < 1000  # noqa: PT017

    assert calls(read) < MANY_CALLS
    # Ten thousand characters become at most as many expressions, of a kilobyte each with what SymPy keeps of them.
    assert peak_bytes(read) < 10e6


def test_nothing_is_executed_imported_or_opened(tmp_path: object) -> None:
    """An audit hook sees every exec, import and open that happens while hostile text is read."""
    program = f"""
import sys
from fallline.errors import FalllineError
from fallline.objectives.grammar import parse
texts = [
    "open('{tmp_path}/x', 'w')",
    "__import__('os').system('touch {tmp_path}/x')",
    "exec(compile(x, y, z))",
    "eval(x)",
    "import os",
    "(lambda: 0)()",
    "[c for c in ().__class__.__base__.__subclasses__()]",
    "x if __import__ else y",
    "print(x)",
    "__import__(x) + 1",
    "breakpoint()",
    "x.__class__",
    "f = x; f(x)",
    "u = 2*x; y = 3*u + 1",
]
def read(end=""):
    for text in texts:
        try:
            parse(text + end)
        except FalllineError:
            pass
read()
seen = []
sys.addaudithook(lambda event, arguments: seen.append((event, arguments)))
read(" ")  # other texts, because one that was read is not read again
watched = ("exec", "compile", "import", "open", "os.system", "subprocess.Popen", "code.__new__", "builtins.breakpoint")
bad = [event for event in seen if event[0] in watched]
assert not bad, bad
compile("1", "here", "eval")
assert "compile" in [event[0] for event in seen], "the hook hears"
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=600)


VALID = [
    "u = 2*x**2 - x - 2; y = 3*u + 1",
    "(1-x)^2 + 100*(y-x^2)^2",
    "-20*exp(-0.2*sqrt(0.5*(x**2 + y**2))) + e + 20",
    "max(x, y, 0) + abs(x)/sigmoid(y) - sign(x)*pi\n",
]


def check_reads_or_refuses(text: str) -> None:
    def read() -> None:
        try:
            formula = parse(text)
        except FalllineError as error:
            assert "\n" not in str(error)  # noqa: PT017
        else:
            assert isinstance(formula, Formula)
            assert parse(formula.text) == formula

    assert calls(read) < MANY_CALLS


fuzzing = settings(max_examples=300)


@fuzzing
@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    check_reads_or_refuses(text)


@fuzzing
@given(st.text(alphabet=" \n;=().,+-*/^_0123456789exyuπ²|['", max_size=60))
def test_any_text_of_formula_characters_is_read_or_refused(text: str) -> None:
    check_reads_or_refuses(text)


WORDS = [
    *FUNCTIONS,
    "x",
    "y",
    "2",
    "0.5",
    "1e300",
    "pi",
    "e",
    "+",
    "-",
    "*",
    "/",
    "**",
    "^",
    "(",
    ")",
    ",",
    ";",
    "=",
]


@fuzzing
@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join))
def test_any_order_of_words_is_read_or_refused(text: str) -> None:
    check_reads_or_refuses(text)


@fuzzing
@given(
    st.sampled_from(VALID),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 3), st.text(max_size=3)), max_size=4),
)
def test_a_mutated_formula_is_read_or_refused(text: str, edits: list[tuple[int, int, str]]) -> None:
    for position, removed, inserted in edits:
        text = text[:position] + inserted + text[position + removed :]
    check_reads_or_refuses(text)


def test_the_limit_on_length_is_exact() -> None:
    assert parse("x".ljust(MAX_CHARACTERS)).variables == ("x",)
    told = f"^objective is '{'x' * 100}', a formula of {MAX_CHARACTERS + 1} characters; at most {MAX_CHARACTERS}$"
    with pytest.raises(FalllineError, match=told):
        parse("x" * (MAX_CHARACTERS + 1))


def test_the_limit_on_parts_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terms, "MAX_PARTS", 10)
    # The sum, its two ends, and the parts.
    assert len(parse("sum(part_i, i=1..7)").variables) == 7
    with pytest.raises(FalllineError, match="more than 10 parts"):
        parse("sum(part_i, i=1..8)")


# SymPy expressions ---------------------------------------------------------------------------------------


def test_a_sympy_expression_is_read_with_real_symbols() -> None:
    a, b = sympy.symbols("a b")
    expression = sympy.Max(a, b, 1) + sympy.Abs(a) * sympy.exp(-b / 3) - sympy.sqrt(a) / b**2 + sympy.E + 0.1 * sympy.pi
    formula = from_sympy(expression)
    at = {"a": 1.7, "b": 0.9}
    mine = FormulaObjective(formula).value(np.array([at[name] for name in formula.variables]))
    # Rounding in the two orders of adding, nothing else.
    assert float(mine) == pytest.approx(float(expression.subs({a: 1.7, b: 0.9})), rel=1e-14)
    assert parse(formula.text) == formula


def test_sympy_sums_and_cases_are_read() -> None:
    i = sympy.Symbol("i", integer=True)
    indexed = sympy.IndexedBase("x")
    assert from_sympy(sympy.Sum(indexed[i] ** 2, (i, 1, 3))).variables == ("x1", "x2", "x3")
    assert from_sympy(sympy.Product(x + i, (i, 1, 2))).text == "prod(i + x, i=1..2)"
    cases = sympy.Piecewise((x**2, (x > 0) & (x < 1)), (-x, sympy.Ne(x, 2)), (y, True))
    objective = FormulaObjective.from_sympy(cases)
    for at in ((0.5, 3.0), (-1.0, 3.0), (2.0, 3.0)):
        assert objective.value(np.array(at)) == float(cases.subs(dict(zip((x, y), at, strict=True))))
    others = sympy.floor(x) + sympy.erf(y) + sympy.cot(x) + sympy.atan2(y, x) + sympy.Mod(x, y) + sympy.cbrt(x)
    # A few roundings.
    expected = pytest.approx(float(others.subs({x: 1.7, y: 0.9})), rel=1e-14)
    assert FormulaObjective.from_sympy(others).value(np.array([1.7, 0.9])) == expected


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (sympy.Piecewise((x, (x > 1) | (y <= 2)), (y, True)), "where((y <= 2) or (x > 1), x, y)"),
        (sympy.Piecewise((x, (x >= 1) & (y < 2)), (y, sympy.Eq(x, 3)), (2, True)),
         "where((x >= 1) and (y < 2), x, where(x == 3, y, 2))"),
        (sympy.Piecewise((x, sympy.Not(sympy.Ne(x, y), evaluate=False)), (y, True)), "where(not (x != y), x, y)"),
        (sympy.Max(x, y) - sympy.Min(x, 2), "max(x, y) - min(2, x)"),
        (sympy.Mod(x, 3) + sympy.Heaviside(y), "heaviside(y, 1/2) + mod(x, 3)"),
        (sympy.ceiling(x) * sympy.E + 2.5 * sympy.pi, "e*ceil(x) + 2.5*pi"),
        (sympy.Sum(x**sympy.Symbol("i") + sympy.Symbol("j"), (sympy.Symbol("i"), 0, 2), (sympy.Symbol("j"), 1, 3)),
         "sum(j + x**i, j=1..3, i=0..2)"),
        (sympy.IndexedBase("x")[1] * 2, "2*x[1]"),
    ],
)  # fmt: skip
def test_a_sympy_expression_is_written_as_a_formula(expression: sympy.Expr, text: str) -> None:
    assert from_sympy(expression).text == text


def test_a_float_keeps_all_its_digits() -> None:
    assert from_sympy(sympy.Float(0.1 + 0.2) * x).text == "0.30000000000000004*x"
    assert from_sympy(sympy.Float(-1e-7) * x + sympy.Dummy("y")).variables == ("x", "y")


@pytest.mark.parametrize(
    ("expression", "advice"),
    [
        (sympy.gamma(x), "'gamma'"),
        (sympy.sinc(x), "'sinc', which a formula does not have; did you mean 'sin'? Allowed: "),
        (sympy.Piecewise((x, x > 0)), "a Piecewise without a last part"),
        (sympy.Sum(x**2, (x, 1, sympy.oo)), "'oo'"),
        (sympy.I * x, "'I'"),
        (sympy.oo * x + sympy.oo, "'oo'"),
        (sympy.Symbol("e") * x, "e is the constant"),
        (sympy.Symbol("lambda") * x, "a name is letters"),
        (sympy.Symbol("x; y"), "a name is letters"),
        (sympy.IndexedBase("x")[1] + sympy.Symbol("x1"), "both x1 and an indexed x"),
        (sympy.Symbol("x") + x, "two different symbols named 'x'"),
        (sympy.Integer(3), "no variable"),
        (sympy.Integer(10) ** 400 * x, "too long"),
        (sympy.Integer(10) ** 350 * x, "infinite"),
        (sympy.Add(*sympy.symbols("a_long_name:800")), "at most"),
        (sympy.Add(*sympy.symbols("z:10001")), "more than 10000 parts"),
        (x > 0, "not a SymPy expression"),
        ("x", "not a SymPy expression"),
    ],
)
def test_a_sympy_expression_beyond_the_language_is_refused(expression: sympy.Expr, advice: str) -> None:
    message = refusal(from_sympy, expression)
    assert message.startswith("objective is ")
    assert advice in message


def test_a_sympy_expression_nested_beyond_recursion_is_refused() -> None:
    deep = x
    for _ in range(3000):
        deep = sympy.sin(deep, evaluate=False)
    with pytest.raises(FalllineError, match=r"^objective is a SymPy expression that is nested too deeply$"):
        from_sympy(deep)


@pytest.mark.parametrize(("join", "most"), [(",", 4800), ("/", 2400), ("+", 2400), ("*", 2400)])
@pytest.mark.long
def test_many_variables_cost_in_proportion(join: str, most: int) -> None:
    letters = [chr(code) for code in range(0x4E00, 0x9FFF) if chr(code).isidentifier()]

    def cost(count: int) -> int:
        text = join.join(letters[:count])

        def take() -> None:
            objective = FormulaObjective.from_text(f"max({text})" if join == "," else text)
            objective.value_and_gradient(np.full((1, count), 0.7))

        forget()
        return calls(take)

    # Four times as many cost about four times as much; to look at every pair would cost sixteen times as much.
    assert cost(most) < 5 * cost(most // 4)
