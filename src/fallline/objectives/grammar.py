"""The formula language: text to SymPy expressions, through a whitelist and never by evaluating the text.

Arithmetic (`+ - * /`, and `**` or `^` for powers), the functions of `FUNCTIONS`, the constants `pi` and `e`,
and named steps before the last line: `u = 2*x**2 - x - 2; y = 3*u + 1`. Every other name is a variable.

The expressions keep the shape of the text: nothing is reordered, cancelled or simplified, because `x/x` is
not 1 everywhere and because SymPy's simplifications know no bound on time or memory.
"""

from __future__ import annotations

import ast
import difflib
import functools
import itertools
import keyword
import math
import operator
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import sympy
from sympy.printing.str import StrPrinter

from fallline.errors import FalllineError, nearest, shortened

MAX_CHARACTERS = 10_000
MAX_DEPTH = 60
# What is written out for a reader (substituted, differentiated) stays of a size that a reader can take in.
MAX_SHOWN = 200
MAX_SHOWN_POWER = 1_000


class sigmoid(sympy.Function):  # type: ignore[misc]
    """1 / (1 + exp(-x)), as a SymPy function.

    >>> sigmoid(sympy.Symbol("x")).diff()
    sigmoid(-x)*sigmoid(x)
    """

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """The derivative; 1 - sigmoid(x) is written sigmoid(-x), which keeps its digits for large x."""
        return sigmoid(self.args[0]) * sigmoid(-self.args[0])

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\sigma{power}\left({printer.doprint(self.args[0])}\right)"


def _sqrt(x: sympy.Expr, evaluate: bool) -> sympy.Expr:
    return sympy.Pow(x, sympy.S.Half, evaluate=evaluate)


FUNCTIONS: Mapping[str, Any] = {
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "asin": sympy.asin,
    "acos": sympy.acos,
    "atan": sympy.atan,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
    "exp": sympy.exp,
    "log": sympy.log,
    "sqrt": _sqrt,
    "abs": sympy.Abs,
    "sign": sympy.sign,
    "min": sympy.Min,
    "max": sympy.Max,
    "sigmoid": sigmoid,
}
CONSTANTS: Mapping[str, Any] = {"pi": sympy.pi, "e": sympy.E}
_TWO_OR_MORE = ("min", "max")


def _sigmoid(x: float) -> float:
    z = math.exp(-abs(x))
    return (1.0 if x >= 0 else z) / (1.0 + z)


# The same functions on numbers, for constants.
ON_NUMBERS: Mapping[str, Callable[..., float]] = {
    **{name: getattr(math, name) for name in FUNCTIONS if hasattr(math, name)},
    "abs": abs,
    "sign": lambda x: float((x > 0) - (x < 0)),
    "min": min,
    "max": max,
    "sigmoid": _sigmoid,
}

# What people write in other languages, and what it is here.
_ELSEWHERE = {
    "ln": "log(x)",
    "log10": "log(x)/log(10)",
    "log2": "log(x)/log(2)",
    "log1p": "log(1 + x)",
    "expm1": "exp(x) - 1",
    "arcsin": "asin(x)",
    "arccos": "acos(x)",
    "arctan": "atan(x)",
    "tg": "tan(x)",
    "cot": "1/tan(x)",
    "sec": "1/cos(x)",
    "csc": "1/sin(x)",
    "pow": "x**y",
    "power": "x**y",
    "square": "x**2",
    "cbrt": "x**(1/3)",
    "fabs": "abs(x)",
    "absolute": "abs(x)",
    "sgn": "sign(x)",
    "relu": "max(x, 0)",
    "maximum": "max(x, y)",
    "minimum": "min(x, y)",
    "expit": "sigmoid(x)",
    "logistic": "sigmoid(x)",
}
_CHARACTERS = {
    "|": "write abs(x)",
    "√": "write sqrt(x)",
    "π": "write pi",
    "∞": "a formula has finite numbers only",
    "[": "use round brackets; variables are written x1, x2, ...",
    "{": "use round brackets",
    "'": "a formula has no quotes",
    '"': "a formula has no quotes",
    "#": "a formula has no comments",
    "<": "a formula has no comparisons",
    ">": "a formula has no comparisons",
    "!": "a formula has no factorials or comparisons",
    ":": "a formula has no lambda and no slices",
    "\\": "a formula is not LaTeX; write, for example, sqrt(x)/2",
    **dict.fromkeys("×·⋅∙∗", "write *"),
    **dict.fromkeys("−–—", "write -"),
    **dict.fromkeys("÷∕⁄", "write /"),
    **{power: f"write **{digit}" for digit, power in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    **{index: f"write {digit} on the line, as in x{digit}" for digit, index in enumerate("₀₁₂₃₄₅₆₇₈₉")},
}
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[^\W\d]\w*)"
    r"|(?P<mark>\*\*|//|==|[-+*/^(),;=.\n])|(?P<space>[^\S\n]+)"
)
_ALLOWED = "Allowed: numbers, variables, + - * / **, ( ), pi, e and " + ", ".join(FUNCTIONS)


@dataclass(frozen=True)
class Formula:
    """A formula that was read.

    Its expressions keep the order of the text: compare `expression.doit()` with SymPy's own.

    Attributes:
        text: what was written, on one line.
        variables: its variables, real symbols in natural order (x2 before x10).
        steps: the named steps, in order; each in terms of variables and of earlier steps.
        expression: the last line, in terms of variables and steps.
        name: what the last line is called; "f" where it has no name.
    """

    text: str
    variables: tuple[sympy.Symbol, ...]
    steps: tuple[tuple[sympy.Symbol, sympy.Expr], ...]
    expression: sympy.Expr
    name: str

    @functools.cached_property
    def substituted(self) -> sympy.Expr:
        """The last line in terms of the variables alone, for showing.

        Raises:
            FalllineError: when it would be too large to show.

        >>> parse("u = x - 2; y = 3*u + 1").substituted
        3*(x - 2) + 1
        """
        extents: dict[Any, tuple[int, float]] = {}
        for symbol, step in self.steps:
            extents[symbol] = _extent(step, extents)
        size, power = _extent(self.expression, extents)
        if size > MAX_SHOWN or power > MAX_SHOWN_POWER:
            raise FalllineError(
                f"objective is {shortened(self.text)}, too large to be written out without its steps: at most "
                f"{MAX_SHOWN} parts and powers up to {MAX_SHOWN_POWER}"
            )
        written: dict[Any, Any] = {}
        for symbol, step in self.steps:
            written[symbol] = _written_out(step, written)
        return _written_out(self.expression, written)

    def latex(self) -> str:
        """The steps and the last line in LaTeX, as written.

        Raises:
            FalllineError: for powers so high that SymPy could not print them in bounded time.

        >>> print(parse("u = x/2 - 1; y = u^2").latex())
        u = \\frac{x}{2} - 1,\\quad y = u^{2}
        """
        lines = (*self.steps, (sympy.Symbol(self.name, real=True), self.expression))
        if any(_extent(expression, {})[1] > MAX_SHOWN_POWER for _, expression in lines):
            raise FalllineError(
                f"objective is {shortened(self.text)}, too large for LaTeX: powers up to {MAX_SHOWN_POWER}"
            )
        return r",\quad ".join(
            f"{sympy.latex(symbol)} = {sympy.latex(expression, order='none')}" for symbol, expression in lines
        )


def _extent(expression: Any, steps: Mapping[Any, tuple[int, float]]) -> tuple[int, float]:
    """How many parts an expression has with its steps written out, and the highest power in it."""
    if expression in steps:
        return steps[expression]
    parts = [_extent(part, steps) for part in expression.args]
    power = max((power for _, power in parts), default=1.0)
    if isinstance(expression, sympy.Pow) and expression.exp.is_Number:
        power *= max(1.0, abs(float(expression.exp)))
    return 1 + sum(size for size, _ in parts), power


def _written_out(expression: Any, steps: Mapping[Any, Any]) -> Any:
    if expression in steps:
        return steps[expression]
    if not expression.args:
        return expression
    return expression.func(*(_written_out(part, steps) for part in expression.args), evaluate=False)


# Reading takes a thousand times as long as looking up.
@functools.lru_cache(maxsize=16)
def _read(text: str) -> Formula:
    return _Reader(text).read()


def parse(text: str) -> Formula:
    """Read a formula. The text is never evaluated.

    Args:
        text: the formula; steps are separated by `;` or by lines, and the last one is the objective.

    Raises:
        FalllineError: saying what cannot be read and what to write instead.

    >>> formula = parse("u = 2*x^2 - x - 2; y = 3*u + 1")
    >>> formula.variables, formula.steps, formula.expression, formula.name
    ((x,), ((u, 2*x**2 - x - 2),), 3*u + 1, 'y')
    >>> parse("2x")
    Traceback (most recent call last):
        ...
    fallline.errors.FalllineError: objective is '2x', which cannot be read at '2x': write 2*x
    """
    if not isinstance(text, str):
        raise FalllineError(f"objective is {_article(type(text).__name__)}; a formula is a text such as 'x**2 + y**2'")
    if len(text) > MAX_CHARACTERS:
        raise FalllineError(
            f"objective is {shortened(text[:100])}, a formula of {len(text)} characters; at most {MAX_CHARACTERS}"
        )
    try:
        return _read(text)
    except (RecursionError, MemoryError):
        raise FalllineError(f"objective is {shortened(text)}, which is too long or nested too deeply") from None


def from_sympy(expression: sympy.Expr) -> Formula:
    """Read a SymPy expression as if it had been written in the formula language; its symbols become real.

    Raises:
        FalllineError: naming what the formula language does not have.

    >>> x = sympy.Symbol("x")
    >>> from_sympy(sympy.exp(x) * sympy.Abs(x)).text
    'exp(x)*abs(x)'
    """
    if not isinstance(expression, sympy.Expr):
        raise FalllineError(f"objective is {_article(type(expression).__name__)}, not a SymPy expression")
    functions = [value for name, value in FUNCTIONS.items() if name != "sqrt"]
    allowed = (sympy.Add, sympy.Mul, sympy.Pow, sympy.Symbol, sympy.Rational, sympy.Float, *functions)
    symbols: dict[str, sympy.Symbol] = {}
    try:
        parts = itertools.islice(sympy.preorder_traversal(expression), MAX_CHARACTERS + 1)
        for count, part in enumerate(parts):
            if count == MAX_CHARACTERS:
                raise FalllineError(f"objective is a SymPy expression of more than {MAX_CHARACTERS} parts")
            if not isinstance(part, allowed) and part not in CONSTANTS.values():
                name = str(part) if part.is_Atom else type(part).__name__
                raise FalllineError(
                    f"objective is a SymPy expression with {shortened(name)}, which a formula does not have; "
                    + nearest(name, [*FUNCTIONS, *CONSTANTS])
                )
            if isinstance(part, sympy.Symbol) and symbols.setdefault(part.name, part) != part:
                raise FalllineError(f"objective is a SymPy expression with two different symbols named {part.name!r}")
        for name in symbols:
            _check_name(name, f"a SymPy expression with the symbol {shortened(name)}")
        return parse(_FormulaPrinter().doprint(expression))
    except RecursionError:
        raise FalllineError("objective is a SymPy expression that is nested too deeply") from None


class _FormulaPrinter(StrPrinter):  # type: ignore[misc]
    """SymPy's own text, in the words of the formula language."""

    def _print_Symbol(self, expr: Any) -> str:
        return str(expr.name)

    _print_Dummy = _print_Symbol

    def _print_Float(self, expr: Any) -> str:
        return repr(float(expr))

    def _print_Exp1(self, expr: Any) -> str:
        return "e"

    def _print_Function(self, expr: Any) -> str:
        return f"{expr.func.__name__.lower()}({self.stringify(expr.args, ', ')})"

    _print_Max = _print_Min = _print_Abs = _print_Function


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"


def _check_name(name: str, where: str) -> None:
    """Refuse a name that cannot be a variable or a step."""
    if name in FUNCTIONS or name in CONSTANTS:
        kind = "function" if name in FUNCTIONS else "constant"
        problem = f"{name} is the {kind}; use another name"
    elif not name.isidentifier() or keyword.iskeyword(name):
        problem = "a name is letters, digits and _, and not a word of Python such as lambda"
    elif name.lower() in ("pi", "inf", "nan", "oo", "infinity"):
        problem = "write pi" if name.lower() == "pi" else "a formula has finite numbers only"
    elif (plain := unicodedata.normalize("NFKC", name)) != name:
        problem = f"write {plain}"
    else:
        return
    raise FalllineError(f"objective is {where}: {problem}")


class _Token(NamedTuple):
    kind: str  # "number", "name", "mark"
    text: str
    start: int
    end: int


class _Term(NamedTuple):
    """A part of a formula that was read; `number` is its value where it is constant."""

    expression: Any
    number: float | None = None
    literal: bool = False  # constant without naming a step, so that it may be folded into one number


class _Reader:
    """Reads one text."""

    def __init__(self, text: str) -> None:
        self.text = re.sub(r"\r\n?", "\n", text)
        self.terms: dict[str, _Term] = {name: _Term(value, float(value), True) for name, value in CONSTANTS.items()}
        self.source = ""

    def error(self, part: str, problem: str) -> FalllineError:
        shown = f"{shortened(self.text.strip())}, which cannot be read at {shortened(part)}"
        return FalllineError(f"objective is {shown}: {problem}")

    # From characters to lines ------------------------------------------------------------------------------

    def read(self) -> Formula:
        tokens = list(self.tokens())
        if not tokens or all(token.text in ";\n" for token in tokens):
            raise FalllineError(
                f"objective is {shortened(self.text)}, an empty formula; write, for example, 'x**2 + y**2'"
            )
        self.check_neighbours(tokens)
        lines = [self.named(line) for line in self.lines(tokens)]
        names = [name for name, _ in lines[:-1]]
        last, _ = lines[-1]
        used: set[str] = set()
        for index, (name, line) in enumerate(lines):
            if name in names[:index]:
                raise self.error(f"{name} = ", f"{name} has a value already; use another name")
            here = {token.text for token in line if token.kind == "name"} - {*FUNCTIONS, *CONSTANTS}
            for later in [*names[index:], *([last] if last else [])]:
                if later in here:
                    raise self.error(self.written(line), f"{later} is used before its own step is complete")
            if name is None and index < len(names):
                raise self.error(
                    self.written(line), "only the last line is the objective; name this one, as in u = ..."
                )
            used |= here
        variables = tuple(sympy.Symbol(name, real=True) for name in sorted(used - set(names), key=_natural))
        for unused in (name for name in names if name not in used):
            raise self.error(f"{unused} = ", f"{unused} is never used")
        if not variables:
            raise FalllineError(
                f"objective is {shortened(self.text.strip())}, which has no variable; write, for example, 'x**2'"
            )
        self.terms |= {symbol.name: _Term(symbol) for symbol in variables}
        steps = []
        for name, line in lines[:-1]:
            term = self.expression(line)
            symbol = sympy.Symbol(name, real=True)
            steps.append((symbol, term.expression))
            self.terms[str(name)] = _Term(symbol, term.number)
        objective = self.expression(lines[-1][1]).expression
        text = "; ".join((f"{name} = " if name else "") + self.written(line) for name, line in lines)
        while last is None or (last in used and lines[-1][0] is None):
            last = "f" if last is None else last + "_"
        return Formula(text, variables, tuple(steps), objective, last)

    def tokens(self) -> Iterator[_Token]:
        position = 0
        while position < len(self.text):
            match = _TOKEN.match(self.text, position)
            found = match.group() if match else self.text[position]
            for character in found:
                if character in _CHARACTERS:
                    around = self.text[max(0, position - 5) : position + len(found) + 5].strip()
                    raise self.error(around, _CHARACTERS[character])
            if match is None:
                raise self.error(found, f"the character {found!r} has no meaning in a formula. {_ALLOWED}")
            if match.lastgroup == "name":
                _check_word(self, found)
            if match.lastgroup == "number" and len(found) > 400:
                raise self.error(found, "the number is too long")
            if match.lastgroup != "space":
                yield _Token(str(match.lastgroup), found, position, match.end())
            position = match.end()

    def check_neighbours(self, tokens: list[_Token]) -> None:
        """Refuse what ordinary notation allows and the formula language does not: `2x`, `x(y+1)`, `sin x`."""
        plain = {
            token.text
            for token, following in itertools.zip_longest(tokens, tokens[1:])
            if token.kind == "name" and not (following and following.text in "(.")
        }
        depth = 0
        for index, token in enumerate(tokens):
            following = tokens[index + 1] if index + 1 < len(tokens) else None
            depth += (token.text == "(") - (token.text == ")")
            if depth < 0:
                raise self.error(self.text[: token.end][-20:], "there is a ) without its (")
            if depth > MAX_DEPTH:
                raise self.error(self.text[: token.end][-20:], f"brackets are nested more than {MAX_DEPTH} deep")
            if token.text == "//":
                raise self.error("//", "write / to divide")
            if token.text == "==":
                raise self.error("==", "a formula has no comparisons")
            if token.text == "." or (following and token.kind == "name" and following.text == "."):
                raise self.attribute(tokens, index)
            if token.text in FUNCTIONS and (following is None or following.text != "("):
                raise self.bare_function(token, following)
            starts_value = following is not None and (following.kind != "mark" or following.text == "(")
            if (token.kind != "mark" or token.text == ")") and starts_value and token.text not in FUNCTIONS:
                raise self.juxtaposed(tokens, index, plain)
        if depth:
            raise self.error(self.text[-20:], "a ( is never closed")

    def attribute(self, tokens: list[_Token], index: int) -> FalllineError:
        following = tokens[index + 2 : index + 3]
        name = following[0].text if following else ""
        part = self.text[tokens[index].start : following[0].end if following else tokens[index].end]
        if name in FUNCTIONS:
            return self.error(part, f"write {name}(x)" if name not in _TWO_OR_MORE else f"write {name}(x, y)")
        if name in CONSTANTS or name in _ELSEWHERE:
            return self.error(part, f"write {_ELSEWHERE.get(name, name)}")
        return self.error(part, "a formula has no dots but in numbers")

    def bare_function(self, token: _Token, following: _Token | None) -> FalllineError:
        name = token.text
        if following and following.text == "=":
            return self.error(f"{name} =", f"{name} is the function; use another name")
        if following and following.text in ("**", "^"):
            return self.error(f"{name}{following.text}", f"write the power last, as in {name}(x)**2")
        argument = following.text if following and following.kind != "mark" else "x"
        return self.error(name, f"write {name}({argument})")

    def juxtaposed(self, tokens: list[_Token], index: int, plain: set[str]) -> FalllineError:
        token, following = tokens[index], tokens[index + 1]
        left, right = self.group_before(tokens, index), self.group_after(tokens, index + 1)
        part = self.text[left:right]
        product = f"write {self.text[left : token.end]}*{self.text[following.start : right]}"
        product = " ".join(product.split()) if len(product) < 60 else "write * between factors"
        if token.kind == "number" and following.kind == "number":
            return self.error(part, "write * between factors, and one point in a number")
        if token.kind != "name" or following.text != "(":
            return self.error(part, product)
        name = token.text
        if self.defines_a_function(tokens, index):
            return self.error(part, f"write {name} = ...")
        if name in _ELSEWHERE:
            return self.error(name, f"write {_ELSEWHERE[name]}")
        if name in CONSTANTS or name in plain or (len(name.rstrip("0123456789_")) <= 1 and name != "f"):
            return self.error(part, product)
        close = difflib.get_close_matches(name.lower(), FUNCTIONS, n=1)
        return self.error(
            part,
            f"there is no function {name}" + (f"; did you mean {close[0]}? " if close else ". ") + _ALLOWED,
        )

    def defines_a_function(self, tokens: list[_Token], index: int) -> bool:
        closing = self.group_after(tokens, index + 1)
        return any(
            token.text == "=" and previous.end == closing for previous, token in itertools.pairwise(tokens[index:])
        )

    def group_after(self, tokens: list[_Token], index: int) -> int:
        """Where the factor that starts at a token ends: with its brackets."""
        if tokens[index].kind == "name" and tokens[index + 1 : index + 2] and tokens[index + 1].text == "(":
            index += 1
        depth = 0
        for token in tokens[index:]:
            depth += (token.text == "(") - (token.text == ")")
            if depth <= 0:
                return token.end
        return tokens[-1].end

    def group_before(self, tokens: list[_Token], index: int) -> int:
        """Where the factor that ends at a token starts: with its brackets and the function before them."""
        depth = int(tokens[index].text == ")")
        while depth:
            index -= 1
            depth += (tokens[index].text == ")") - (tokens[index].text == "(")
        if tokens[index].text == "(" and index and tokens[index - 1].kind == "name":
            index -= 1
        return tokens[index].start

    def lines(self, tokens: list[_Token]) -> Iterator[list[_Token]]:
        """The tokens of each line; inside brackets a line goes on."""
        line: list[_Token] = []
        depth = 0
        for token in tokens:
            depth += (token.text == "(") - (token.text == ")")
            if token.text == ";" and depth:
                raise self.error(self.text[: token.end][-20:], "a ( is never closed")
            if token.text in (";", "\n"):
                if line and not depth:
                    yield line
                    line = []
            else:
                line.append(token)
        if line:
            yield line

    def named(self, line: list[_Token]) -> tuple[str | None, list[_Token]]:
        """A line's name, if it has one, and the tokens of its expression."""
        equals = [index for index, token in enumerate(line) if token.text == "="]
        if not equals:
            return None, line
        if equals != [1] or line[0].kind != "name":
            raise self.error(self.written(line), "= only follows the name at the start of a line, as in y = x**2")
        if line[0].text in CONSTANTS:
            raise self.error(f"{line[0].text} =", f"{line[0].text} is the constant; use another name")
        if len(line) == 2:
            raise self.error(self.written(line), "there is nothing after the =")
        return line[0].text, line[2:]

    def written(self, line: list[_Token]) -> str:
        return " ".join(self.text[line[0].start : line[-1].end].split())

    # From a line to an expression --------------------------------------------------------------------------

    def expression(self, line: list[_Token]) -> _Term:
        if line[-1].kind == "mark" and line[-1].text != ")":
            raise self.error(self.written(line)[-20:], f"nothing follows the {line[-1].text}")
        # Replaced in the text, so that ^ binds as a power does.
        self.source = self.written(line).replace("^", "**")
        try:
            tree = ast.parse(self.source, mode="eval")
        except SyntaxError as error:
            part = self.source[max(0, (error.offset or 1) - 1) :][:20]
            raise self.error(part or self.source[-20:], f"it does not fit there. {_ALLOWED}") from None
        return self.term(tree.body, 0)

    def segment(self, node: ast.expr) -> str:
        # The tree counts in bytes.
        return self.source.encode()[node.col_offset : node.end_col_offset].decode()

    def term(self, node: ast.expr, depth: int) -> _Term:
        if depth > MAX_DEPTH:
            raise self.error(self.segment(node), f"operations are nested more than {MAX_DEPTH} deep")
        match node:
            case ast.Constant(value=int() | float() as value):
                return self.number(node, Fraction(value) if isinstance(value, int) else value)
            case ast.Name(id=name):
                return self.terms[name]
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.term(operand, depth + 1)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.negative(self.term(operand, depth + 1), node)
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return self.sum(node, depth)
            case ast.BinOp(op=ast.Mult() | ast.Div()):
                return self.product(node, depth)
            case ast.BinOp(op=ast.Pow(), left=base, right=exponent):
                return self.power(self.term(base, depth + 1), self.term(exponent, depth + 1), node)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self.call(name, [self.term(argument, depth + 1) for argument in arguments], node)
        raise self.error(self.segment(node), f"it has no meaning in a formula. {_ALLOWED}")

    def spine(self, node: ast.expr, *operators: type[ast.operator]) -> list[tuple[bool, ast.expr]]:
        """The operands of a chain such as a - b + c, without recursion; True after the second operator."""
        operands = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, operators):
            operands.append((isinstance(node.op, operators[1]), node.right))
            node = node.left
        return [(False, node), *reversed(operands)]

    def sum(self, node: ast.expr, depth: int) -> _Term:
        addends: list[_Term] = []
        for minus, operand in self.spine(node, ast.Add, ast.Sub):
            addend = self.term(operand, depth + 1)
            addend = self.negative(addend, operand) if minus else addend
            if len(addends) == 1 and _is_number(addends[0]) and _is_number(addend):
                addends = [self.number(node, _value(addends[0]) + _value(addend))]
            else:
                addends.append(addend)
        if len(addends) == 1:
            return addends[0]
        total = self.constant(node, addends, lambda *numbers: sum(numbers))
        return total._replace(expression=sympy.Add(*(addend.expression for addend in addends), evaluate=False))

    def product(self, node: ast.expr, depth: int) -> _Term:
        result = _Term(sympy.S.One, 1.0, True)
        factors: list[Any] = []
        for divided, operand in self.spine(node, ast.Mult, ast.Div):
            factor = self.term(operand, depth + 1)
            if divided and factor.number == 0:
                raise self.error(self.segment(node), "it divides by zero")
            operation: Callable[..., Any] = operator.truediv if divided else operator.mul
            if not factors and _is_number(result) and _is_number(factor):
                result = self.number(node, self.finite(node, operation, _value(result), _value(factor)))
                continue
            if not factors and result.expression != 1:
                factors.append(result.expression)
            result = self.constant(node, [result, factor], operation)
            factors.append(sympy.Pow(factor.expression, -1, evaluate=False) if divided else factor.expression)
        if not factors:
            return result
        return result._replace(expression=sympy.Mul(*factors, evaluate=False))

    def negative(self, term: _Term, node: ast.expr) -> _Term:
        if _is_number(term):
            return self.number(node, -_value(term))
        head, *rest = term.expression.args if isinstance(term.expression, sympy.Mul) else (None, term.expression)
        if isinstance(head, sympy.Number):
            # -(2*x) is (-2)*x, and -(-x) is x, without a rounding.
            factors = rest if head == -1 else [-head, *rest]
        else:
            factors = [sympy.S.NegativeOne, term.expression]
        expression = factors[0] if len(factors) == 1 else sympy.Mul(*factors, evaluate=False)
        return _Term(expression, None if term.number is None else -term.number, term.literal)

    def power(self, base: _Term, exponent: _Term, node: ast.expr) -> _Term:
        if _is_number(base) and _is_number(exponent):
            return self.number(node, self.finite(node, _power, _value(base), _value(exponent)))
        if base.expression is sympy.E:
            return self.call("exp", [exponent], node)
        folded = self.constant(node, [base, exponent], _power)
        if folded.literal:
            return folded
        return folded._replace(expression=sympy.Pow(base.expression, exponent.expression, evaluate=False))

    def call(self, name: str, arguments: list[_Term], node: ast.expr) -> _Term:
        if name == "log" and len(arguments) == 2:
            raise self.error(self.segment(node), "log takes one argument; write log(x)/log(10)")
        few = 2 if name in _TWO_OR_MORE else 1
        if len(arguments) < few or (len(arguments) > few and name not in _TWO_OR_MORE):
            wanted = "two or more arguments" if name in _TWO_OR_MORE else "one argument"
            raise self.error(self.segment(node), f"{name} takes {wanted}, not {len(arguments)}")
        folded = self.constant(node, arguments, ON_NUMBERS[name])
        if folded.literal:
            return folded
        expressions = (argument.expression for argument in arguments)
        return folded._replace(expression=FUNCTIONS[name](*expressions, evaluate=False))

    # Constants: worked out in floats and small fractions, never by SymPy, which has no limits -------

    def constant(self, node: ast.expr, parts: list[_Term], function: Callable[..., Any]) -> _Term:
        """The value of an operation if its parts are constant; one number if none of them is a step."""
        numbers = [part.number for part in parts]
        if any(number is None for number in numbers):
            return _Term(None)
        value = self.finite(node, function, *numbers)
        if all(part.literal for part in parts):
            return self.number(node, float(value))
        return _Term(None, value)

    def finite(self, node: ast.expr, function: Callable[..., Any], *numbers: Any) -> Any:
        """A constant operation's value, refused unless it is a finite real number."""
        try:
            value = function(*numbers)
            problem = "not a real number" if isinstance(value, complex) else None
            if problem is None and not math.isfinite(value):
                problem = "infinite" if math.isinf(value) else "not a number"
        except OverflowError:
            problem = "infinite"
        except ZeroDivisionError:
            problem = "a division by zero"
        except ValueError:
            problem = "not a finite real number"
        if problem:
            raise self.error(self.segment(node), f"the constant is {problem}")
        return value

    def number(self, node: ast.expr, value: Fraction | float) -> _Term:
        number = self.finite(node, float, value)
        if isinstance(value, Fraction) and max(abs(value.numerator), value.denominator) <= 2**64:
            return _Term(sympy.Rational(value.numerator, value.denominator), number, True)
        return _Term(sympy.Float(number), number, True)


def _check_word(reader: _Reader, name: str) -> None:
    if keyword.iskeyword(name):
        raise reader.error(name, f"it is a word of Python, not of a formula. {_ALLOWED}")
    if name not in FUNCTIONS and name not in CONSTANTS:
        _check_name(name, f"{shortened(reader.text.strip())}, which cannot be read at {shortened(name)}")


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts x2 before x10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", name)]


def _is_number(term: _Term) -> bool:
    return isinstance(term.expression, sympy.Number)


def _value(term: _Term) -> Any:
    """A number as a fraction or a float."""
    expression = term.expression
    return Fraction(int(expression.p), int(expression.q)) if expression.is_Rational else float(expression)


def _power(base: Any, exponent: Any) -> Any:
    if (
        isinstance(base, Fraction)
        and isinstance(exponent, Fraction)
        and exponent.denominator == 1
        and abs(exponent) <= 64
    ):
        return base**exponent
    return float(base) ** float(exponent)
