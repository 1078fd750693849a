"""A formula in SymPy, to be shown: in LaTeX, written out without its steps, and differentiated."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanFunction

from fallline.errors import FalllineError
from fallline.objectives.expression import Expression
from fallline.objectives.grammar.formula import Formula
from fallline.objectives.grammar.words import COMPARISONS, CONDITIONS
from fallline.objectives.slopes import slopes_of

# The most parts of an expression that is written out for a reader (substituted, differentiated).
MAX_SHOWN = 200
MAX_SHOWN_POWER = 1_000


class _Shown(sympy.Function):  # type: ignore[misc]
    """A function of the formula language that SymPy lacks; `form` is its LaTeX, with places for its arguments."""

    form = ""

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return self.form.format(*map(printer.doprint, self.args), power=power)


class sigmoid(_Shown):
    """1 / (1 + exp(-x))."""

    nargs, form = 1, r"\sigma{power}\left({0}\right)"


class log1p(_Shown):
    """log(1 + x)."""

    nargs, form = 1, r"\log{power}{{\left(1 + {0}\right)}}"


class cbrt(_Shown):
    """The real cube root."""

    nargs, form = 1, r"\sqrt[3]{{{0}}}{power}"


class where(_Shown):
    """The second argument where the condition holds, the third elsewhere."""

    nargs = 3
    form = r"\left(\begin{{cases}} {1} & \text{{if}}\: {0} \\ {2} & \text{{otherwise}} \end{{cases}}\right){power}"

    @classmethod
    def eval(cls, condition: Any, chosen: Any, other: Any) -> Any:
        """One of the two where the condition is known."""
        return {sympy.true: chosen, sympy.false: other}.get(condition)


_RELATIONS = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge, "==": sympy.Eq, "!=": sympy.Ne}
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "+": sympy.Add,
    "*": sympy.Mul,
    "**": sympy.Pow,
    **{
        name: getattr(sympy, name)
        for name in ["sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh"]
    },
    **{name: getattr(sympy, name) for name in ["exp", "log", "floor", "erf", "sign"]},
    "abs": sympy.Abs,
    "mod": sympy.Mod,
    "min": sympy.Min,
    "max": sympy.Max,
    "sigmoid": sigmoid,
    "log1p": log1p,
    "cbrt": cbrt,
    "where": where,
    **{COMPARISONS[sign]: relation for sign, relation in _RELATIONS.items()},
    "both": sympy.And,
    "either": sympy.Or,
    "negation": sympy.Not,
}
_NAMES = {function: name for name, function in FUNCTIONS.items()}
_CONSTANTS = {"pi": sympy.pi, "e": sympy.E}


class Symbolic:
    """A formula in SymPy. Its expressions keep the shape of the text: compare `expression.doit()` with SymPy's own.

    Attributes:
        variables: real symbols.
        lines: the steps and the last line, each a symbol and an expression.
        expression: the last line.
    """

    def __init__(self, formula: Formula) -> None:
        self.formula = formula
        self.variables = tuple(map(_symbol, formula.variables))
        self.lines = tuple((_symbol(name), in_sympy(expression)) for name, expression in formula.lines)
        self.expression = self.lines[-1][1]

    @functools.cached_property
    def substituted(self) -> Any:
        """The last line in terms of the variables alone.

        Raises:
            FalllineError: when it would be too large to show.

        >>> from fallline.objectives.grammar import parse
        >>> Symbolic(parse("u = x - 2; y = 3*u + 1")).substituted
        3*(x - 2) + 1
        """
        extents: dict[str, _Extent] = {}
        for name, expression in self.formula.lines:
            extents[name] = _extent(expression, extents)
        whole = extents[self.formula.name]
        if whole.parts > MAX_SHOWN or whole.power > MAX_SHOWN_POWER:
            raise FalllineError(
                "objective",
                self.formula.text,
                problem=f"too large to be written out without its steps: at most {MAX_SHOWN} parts and powers up to "
                f"{MAX_SHOWN_POWER}",
            )
        written: dict[str, Any] = {}
        for name, expression in self.formula.lines:
            written[name] = in_sympy(expression, written)
        return written[self.formula.name]

    def latex(self) -> str:
        """The steps and the last line in LaTeX, as written.

        Raises:
            FalllineError: for powers so high that SymPy could not print them in bounded time.

        >>> from fallline.objectives.grammar import parse
        >>> print(Symbolic(parse("u = x/2 - 1; y = u^2")).latex())
        u = \\frac{x}{2} - 1,\\quad y = u^{2}
        """
        if any(_extent(expression, {}).power > MAX_SHOWN_POWER for _, expression in self.formula.lines):
            problem = f"too large for LaTeX: powers up to {MAX_SHOWN_POWER}"
            raise FalllineError("objective", self.formula.text, problem=problem)
        return r",\quad ".join(
            f"{sympy.latex(symbol)} = {sympy.latex(expression, order='none')}" for symbol, expression in self.lines
        )

    def derivatives(self) -> tuple[Any, ...]:
        """The partial derivatives in terms of the variables, simplified by SymPy.

        Raises:
            FalllineError: when the formula is too large to be written out.

        >>> from fallline.objectives.grammar import parse
        >>> Symbolic(parse("u = 2*x**2 - x - 2; y = 3*u + 1")).derivatives()
        (12*x - 3,)
        """
        return tuple(partial(self.substituted, variable) for variable in self.variables)


def _symbol(name: str) -> Any:
    return sympy.Symbol(name, real=True)


def in_sympy(expression: Expression, names: Mapping[str, Any] | None = None) -> Any:
    """An expression in SymPy, unevaluated.

    Arguments:
        expression: the expression.
        names: what stands for a name; a symbol for those that are not in it.
    """
    made: dict[Expression, Any] = {}
    for part in expression.walk():
        if part.operation == "name" and names and part.detail in names:
            made[part] = names[part.detail]
        else:
            made[part] = _made(part, [made[operand] for operand in part.parts])
    return made[expression]


def _made(expression: Expression, parts: list[Any]) -> Any:
    match expression.operation:
        case "name":
            return _symbol(expression.detail)
        case "constant":
            return _CONSTANTS[expression.detail]
        case "number":
            number = expression.detail
            if isinstance(number, Fraction):
                return sympy.Rational(number.numerator, number.denominator)
            return sympy.Float(number)
    if expression.operation not in CONDITIONS:
        # A condition among numbers is 1 where it holds; the first argument of where is no number.
        numbers = range(int(expression.operation == "where"), len(parts))
        for i in numbers:
            if isinstance(parts[i], (Relational, BooleanFunction)):
                parts[i] = where(parts[i], 1, 0, evaluate=False)
    return FUNCTIONS[expression.operation](*parts, evaluate=False)


def partial(expression: Any, variable: Any) -> Any:
    """The derivative as an expression. SymPy's `diff` would give distributions for sign, and re() and im() for abs."""
    if not expression.has(variable):
        return sympy.S.Zero
    if expression == variable:
        return sympy.S.One
    parts = expression.args
    if isinstance(expression, where):
        return where(parts[0], partial(parts[1], variable), partial(parts[2], variable))
    inner = [partial(part, variable) for part in parts]
    if isinstance(expression, sympy.Add):
        return sympy.Add(*inner)
    if isinstance(expression, sympy.Mul):
        return sympy.Add(
            *(sympy.Mul(*parts[:i], inner[i], *parts[i + 1 :]) for i in range(len(parts)) if inner[i] != 0)
        )
    if isinstance(expression, sympy.Pow):
        base, exponent = parts
        by_base = exponent * sympy.Pow(base, exponent - 1) * inner[0]
        return by_base + (expression * sympy.log(base) * inner[1] if inner[1] != 0 else 0)
    if isinstance(expression, (sympy.Min, sympy.Max)):
        side = 1 if isinstance(expression, sympy.Max) else -1
        shares = []
        for part in parts:
            others = [other for other in parts if other is not part]
            rest = others[0] if len(others) == 1 else expression.func(*others, evaluate=False)
            lead = side * (part - rest)
            # Only numbers are evaluated: SymPy may take arbitrarily long to compare expressions.
            shares.append(sympy.Heaviside(lead, evaluate=bool(lead.is_number)))
        return sympy.Add(*(share * slope for share, slope in zip(shares, inner, strict=True)))
    arguments = dict(zip(map(_symbol, "ab"), parts, strict=False))
    slopes = _shown_slopes(_NAMES[expression.func])
    return sympy.Add(*(slope.xreplace(arguments) * rate for slope, rate in zip(slopes, inner, strict=True)))


@functools.cache
def _shown_slopes(name: str) -> tuple[Any, ...]:
    """The derivatives of a function by its arguments a and b."""
    return tuple(in_sympy(slope.expression).doit() for slope in slopes_of(name))


class _Extent(NamedTuple):
    """How large an expression is when it is written out: its parts, and the highest power in it."""

    parts: int
    power: float


def _extent(expression: Expression, steps: Mapping[str, _Extent]) -> _Extent:
    """The extent of an expression with its steps substituted."""
    known: dict[Expression, _Extent] = {}
    for part in expression.walk():
        inner = [known[operand] for operand in part.parts]
        power = max((extent.power for extent in inner), default=1.0)
        if part.operation == "**" and part.parts[1].is_number:
            power *= max(1.0, abs(float(part.parts[1].detail)))
        known[part] = _Extent(1 + sum(extent.parts for extent in inner), power)
        if part.operation == "name":
            known[part] = steps.get(part.detail, known[part])
    return known[expression]
