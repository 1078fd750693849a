"""The formula language: what it reads, how it refuses, and that it stays harmless whatever it is given."""

from __future__ import annotations

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

from fallline.errors import FalllineError
from fallline.objectives.formula import FormulaObjective
from fallline.objectives.grammar import FUNCTIONS, MAX_CHARACTERS, Formula, from_sympy, parse
from fallline.objectives.grammar.reading import _read

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
    difference = (parse(text).expression - expected).subs({x: sympy.Rational(37, 53), y: sympy.Rational(71, 29)})
    # Both sides are the same number; 1e-12 leaves room for the constants that were folded in floats.
    assert abs(float(difference)) < 1e-12


def test_sigmoid_is_the_logistic_function() -> None:
    s = parse("sigmoid(x)").expression
    logistic = 1 / (1 + sympy.exp(-x))
    for at in (-2, 0, 3):
        slope = s.diff(x).subs(x, at)
        value = float(slope.replace(FUNCTIONS["sigmoid"], lambda t: 1 / (1 + sympy.exp(-t))))
        assert value == pytest.approx(float(logistic.diff(x).subs(x, at)), rel=1e-14)  # a few roundings


def test_steps_are_kept_and_not_substituted() -> None:
    formula = parse("u = 2*x**2 - x - 2; y = 3*u + 1")
    assert [symbol.name for symbol, _ in formula.steps] == ["u"]
    assert formula.variables == (x,)
    assert formula.name == "y"
    assert formula.expression.free_symbols == {u}
    assert formula.expression.doit() == 3 * u + 1
    assert sympy.expand(formula.substituted) == 6 * x**2 - 3 * x - 5


def test_steps_may_stand_on_lines_of_their_own_and_the_text_becomes_one_line() -> None:
    formula = parse("\n  u = 3*a^2 - 2*a\r\n  v = (u +\n      b)\r  2*u + v\n\n")
    assert formula.text == "u = 3*a^2 - 2*a; v = (u + b); 2*u + v"
    assert parse(formula.text) == formula
    assert formula.name == "f"


def test_variables_come_in_natural_order_and_are_real() -> None:
    formula = parse("x10 + x2 + b*x1 + a")
    assert [symbol.name for symbol in formula.variables] == ["a", "b", "x1", "x2", "x10"]
    assert all(symbol.is_real for symbol in formula.variables)


def test_a_variable_named_f_does_not_take_the_name_of_the_formula() -> None:
    assert parse("f**2").name not in {"f", ""}
    assert parse("f**2 + f_").name not in {"f", "f_"}


def test_nothing_is_simplified() -> None:
    assert parse("x/x").expression != 1  # not so at 0
    assert parse("sqrt(x**2)").expression.has(sympy.Abs) is False
    assert parse("0*log(x)").expression != 0


def test_greek_letters_are_names() -> None:
    assert [symbol.name for symbol in parse("α*x + β_1").variables] == ["x", "α", "β_1"]


def test_long_sums_and_products_are_read() -> None:
    names = [f"x{i}" for i in range(500)]
    assert len(parse(" + ".join(f"{name}**2" for name in names)).variables) == 500
    assert len(parse("*".join(names)).expression.args) == 500


def test_latex_shows_steps_as_written() -> None:
    assert parse("u = x/2 - 1; y = sigmoid(u)^2").latex() == (r"u = \frac{x}{2} - 1,\quad y = \sigma^{2}\left(u\right)")
    assert parse("sigmoid(b) + a").latex() == r"f = \sigma\left(b\right) + a"


# Refusing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("2x", "write 2*x"),
        ("2(x+1)", "write 2*(x+1)"),
        ("x(y+1)", "write x*(y+1)"),
        ("rate*x + rate(x+1)", "write rate*(x+1)"),
        ("(x+1)(x-1)", "write (x+1)*(x-1)"),
        ("sin(x)cos(x)", "write sin(x)*cos(x)"),
        ("3sin(x)", "write 3*sin(x)"),
        ("x y", "write x*y"),
        ("e(x)", "write e*(x)"),
        ("2(" + "x+" * 40 + "1)", "write * between factors"),
        ("1.2.3*x", "one point in a number"),
        ("sin x", "write sin(x)"),
        ("sin*x", "write sin(x)"),
        ("x + sin", "write sin(x)"),
        ("sin^2(x)", "write the power last, as in sin(x)**2"),
        ("ln(x)", "write log(x)"),
        ("arctan(x)", "write atan(x)"),
        ("np.sin(x)", "write sin(x)"),
        ("math.log(x)", "write log(x)"),
        ("np.maximum(x, 0)", "write max(x, y)"),
        ("np.max(x, 0)", "write max(x, y)"),
        ("math.pi*x", "write pi"),
        ("x.real", "no dots"),
        ("x.", "no dots"),
        (".x", "no dots"),
        ("sinn(x)", "did you mean sin?"),
        ("foo(x)", "Allowed: "),
        ("x[0]", "round brackets"),
        ("lambda x: x", "a word of Python"),
        ("x < 1", "no comparisons"),
        ("x == 1", "no comparisons"),
        ("'x'", "no quotes"),
        ("x # bowl", "no comments"),
        ("|x|", "write abs(x)"),
        ("x²", "write **2"),
        ("x₁", "as in x1"),
        ("√x", "write sqrt(x)"),
        ("2*π", "write pi"),
        ("Pi*x", "write pi"),
        ("x − 1", "write -"),
        ("x·y", "write *"),
        ("x//2", "write /"),
        ("x % 2", "'%'"),
        ("inf*x", "finite numbers"),
        ("𝑥**2", "write x"),
        ("sin(x, y)", "sin takes one argument, not 2"),
        ("x + sin()", "sin takes one argument, not 0"),
        ("max(x)", "max takes two or more arguments, not 1"),
        ("log(x, 10)", "write log(x)/log(10)"),
        ("sin(x=2)", "="),
        ("max(*x)", "'*x'"),
        ("max(**x)", "Allowed: "),
        ("x, y", "'x, y'"),
        ("x +", "nothing follows the +"),
        ("x***2", "Allowed: "),
        ("(x", "never closed"),
        ("(x; y)", "never closed"),
        ("x)", "without its ("),
        ("x+1)(x", "without its ("),
        ("f(x) = x**2", "write f = ..."),
        ("f(x", "'f(x'"),
        ("x = y = 3", "only follows the name"),
        ("2 = x", "only follows the name"),
        ("y =", "nothing after the ="),
        ("pi = x", "pi is the constant"),
        ("sin = x", "sin is the function"),
        ("u = x; u = 2*u; u", "u has a value already"),
        ("y = 3*u; u = 2*x; y + u", "u is used before"),
        ("x = x**2", "x is used before"),
        ("u = x; 3*x", "u is never used"),
        ("x**2\n+ y**2", "only the last line"),
        ("2 + 3", "no variable"),
        ("a = 2; a**2", "no variable"),
        ("x + 1/0", "divides by zero"),
        ("x/(2 - 2)", "divides by zero"),
        ("a = 0; x/a", "divides by zero"),
        ("x + 0**-1", "division by zero"),
        ("x*log(-1)", "not a finite real number"),
        ("x*sqrt(-1)", "not a finite real number"),
        ("a = -1; x*sqrt(a)", "not a finite real number"),
        ("x*(-8)**(1/3)", "not a real number"),
        ("x*exp(1000)", "infinite"),
        ("x*1e999", "infinite"),
        ("x + 1e308*10", "infinite"),
        ("x**10**400", "infinite"),
        ("9**9**9**9 + x", "infinite"),
        ("10**10**10*x", "infinite"),
        ("", "empty formula"),
        (" ;\n; ", "empty formula"),
        ("007*x", "'007*x'"),
    ],
)
def test_refuses_in_one_line_that_says_what_to_write(text: str, advice: str) -> None:
    with pytest.raises(FalllineError) as error:
        parse(text)
    message = str(error.value)
    assert message.startswith("objective is ")
    assert advice in message
    assert "\n" not in message


@pytest.mark.parametrize(("thing", "kind"), [(None, "a NoneType"), (3, "an int"), (["x"], "a list"), (b"x", "a bytes")])
def test_what_is_not_text_is_named(thing: object, kind: str) -> None:
    with pytest.raises(FalllineError, match=f"objective is {kind}"):
        parse(thing)  # type: ignore[arg-type]


def test_the_mistake_in_a_long_formula_is_quoted_and_the_formula_shortened() -> None:
    with pytest.raises(FalllineError) as error:
        parse("+".join(f"x{i}" for i in range(300)) + "+2y")
    assert "write 2*y" in str(error.value)
    assert len(str(error.value)) < 200


def test_too_large_to_write_out_is_said() -> None:
    doubling = "; ".join(["a1 = x + sin(x)", *(f"a{i} = a{i - 1} + sin(a{i - 1})" for i in range(2, 30))])
    formula = parse(doubling + "; a29 + 1")
    with pytest.raises(FalllineError, match="too large to be written out"):
        _ = formula.substituted
    assert formula.latex().count(r"\quad") == 29
    for huge in ("(2*x)**10**9", "(2*x)**-10**9", nested(lambda s: f"({s}**9)", 20, "(2*x)")):
        with pytest.raises(FalllineError, match="too large to be written out"):
            _ = parse(huge).substituted
        with pytest.raises(FalllineError, match="too large for LaTeX"):
            parse(huge).latex()


# Hostile text ----------------------------------------------------------------------------------------------

HOSTILE = {
    "a megabyte of brackets": "(" * 10**6,
    "brackets": "(" * 4000 + "x" + ")" * 4000,
    "minus signs": "-" * 9999 + "x",
    "five hundred minus signs": "-" * 500 + "x",
    "a long sum": "+".join("x" * 4900),
    "a long product": "*".join("x" * 4900),
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
read()  # what SymPy imports when it is first used
seen = []
sys.addaudithook(lambda event, arguments: seen.append((event, arguments)))
read(" ")  # other texts, because one that was read is not read again
watched = ("exec", "import", "open", "os.system", "subprocess.Popen", "code.__new__", "builtins.breakpoint")
bad = [event for event in seen if event[0] in watched]
compiled = [event for event in seen if event[0] == "compile"]
assert compiled, "the hook hears the parser"
assert not bad, bad
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
    assert parse("x".ljust(MAX_CHARACTERS)).variables == (x,)
    with pytest.raises(FalllineError, match=f"at most {MAX_CHARACTERS}"):
        parse("x".ljust(MAX_CHARACTERS + 1))


# SymPy expressions ---------------------------------------------------------------------------------------


def test_a_sympy_expression_is_read_with_real_symbols() -> None:
    a, b = sympy.symbols("a b")
    expression = sympy.Max(a, b, 1) + sympy.Abs(a) * sympy.exp(-b / 3) - sympy.sqrt(a) / b**2 + sympy.E + 0.1 * sympy.pi
    formula = from_sympy(expression)
    assert all(symbol.is_real for symbol in formula.variables)
    at = {"a": 1.7, "b": 0.9}
    mine = formula.expression.subs({symbol: at[symbol.name] for symbol in formula.variables})
    # Rounding in the two orders of adding, nothing else.
    assert float(mine) == pytest.approx(float(expression.subs({a: 1.7, b: 0.9})), rel=1e-14)
    assert parse(formula.text) == formula


def test_a_float_keeps_all_its_digits() -> None:
    assert from_sympy(sympy.Float(0.1 + 0.2) * x).text == "0.30000000000000004*x"
    assert from_sympy(sympy.Float(-1e-7) * x + sympy.Dummy("y")).variables == (x, y)


@pytest.mark.parametrize(
    ("expression", "advice"),
    [
        (sympy.gamma(x), "'gamma'"),
        (sympy.Piecewise((x, x > 0), (0, True)), "'Piecewise'"),
        (sympy.I * x, "'I'"),
        (sympy.oo * x + sympy.oo, "'oo'"),
        (sympy.Symbol("e") * x, "e is the constant"),
        (sympy.Symbol("lambda") * x, "a name is letters"),
        (sympy.Symbol("x; y"), "a name is letters"),
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
    with pytest.raises(FalllineError) as error:
        from_sympy(expression)
    assert advice in str(error.value)
    assert "\n" not in str(error.value)


def test_a_sympy_expression_nested_beyond_recursion_is_refused() -> None:
    deep = x
    for _ in range(3000):
        deep = sympy.sin(deep, evaluate=False)
    with pytest.raises(FalllineError, match="nested too deeply"):
        from_sympy(deep)


@pytest.mark.parametrize(("join", "most"), [(",", 4800), ("/", 2400), ("+", 2400), ("*", 2400)])
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
