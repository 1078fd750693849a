"""The parts of a formula as SymPy expressions, with constants folded.

The expressions keep the shape of the text: nothing is reordered, cancelled or simplified. Constants are computed in
floats and small fractions, never by SymPy, whose exact numbers can grow without limit.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any, NamedTuple

import sympy

from fallline.objectives.grammar.words import FUNCTIONS, ON_NUMBERS, TWO_OR_MORE


class NoValueError(Exception):
    """A part of the formula cannot have a value; the text says why."""


class Term(NamedTuple):
    """A part of a formula; `number` is its value if it is constant."""

    expression: Any
    number: float | None = None
    literal: bool = False  # constant without naming a step, so that it may be folded into one number

    @property
    def is_number(self) -> bool:
        """Whether it is a SymPy number, which pi is not."""
        return isinstance(self.expression, sympy.Number)

    @property
    def exact(self) -> Any:
        """A number as a fraction or a float."""
        expression = self.expression
        return Fraction(int(expression.p), int(expression.q)) if expression.is_Rational else float(expression)


def number(value: Fraction | float) -> Term:
    """A number: rational where its fraction is small, otherwise a float."""
    as_float = _finite(float, value)
    if isinstance(value, Fraction) and max(abs(value.numerator), value.denominator) <= 2**64:
        return Term(sympy.Rational(value.numerator, value.denominator), as_float, True)
    return Term(sympy.Float(as_float), as_float, True)


def negative(term: Term) -> Term:
    """-a."""
    if term.is_number:
        return number(-term.exact)
    head, *rest = term.expression.args if isinstance(term.expression, sympy.Mul) else (None, term.expression)
    if isinstance(head, sympy.Number):
        # -(2*x) is (-2)*x, and -(-x) is x, without rounding.
        factors = rest if head == -1 else [-head, *rest]
    else:
        factors = [sympy.S.NegativeOne, term.expression]
    expression = factors[0] if len(factors) == 1 else sympy.Mul(*factors, evaluate=False)
    return Term(expression, None if term.number is None else -term.number, term.literal)


def total(terms: Iterable[Term]) -> Term:
    """a + b + c."""
    addends: list[Term] = []
    for addend in terms:
        if len(addends) == 1 and addends[0].is_number and addend.is_number:
            addends = [number(addends[0].exact + addend.exact)]
        else:
            addends.append(addend)
    if len(addends) == 1:
        return addends[0]
    folded = _folded(addends, lambda *numbers: sum(numbers))
    return folded._replace(expression=sympy.Add(*(addend.expression for addend in addends), evaluate=False))


def product(terms: Iterable[tuple[bool, Term]]) -> Term:
    """a * b / c; each part comes with True if it divides."""
    result = Term(sympy.S.One, 1.0, True)
    factors: list[Any] = []
    for divides, factor in terms:
        if divides and factor.number == 0:
            raise NoValueError("it divides by zero")
        operation: Callable[..., Any] = operator.truediv if divides else operator.mul
        if not factors and result.is_number and factor.is_number:
            result = number(_finite(operation, result.exact, factor.exact))
            continue
        if not factors and result.expression != 1:
            factors.append(result.expression)
        result = _folded([result, factor], operation)
        factors.append(sympy.Pow(factor.expression, -1, evaluate=False) if divides else factor.expression)
    if not factors:
        return result
    return result._replace(expression=sympy.Mul(*factors, evaluate=False))


def power(base: Term, exponent: Term) -> Term:
    """a ** b; a power of e is the function exp."""
    if base.is_number and exponent.is_number:
        return number(_finite(_power, base.exact, exponent.exact))
    if base.expression is sympy.E:
        return call("exp", [exponent])
    folded = _folded([base, exponent], _power)
    if folded.literal:
        return folded
    return folded._replace(expression=sympy.Pow(base.expression, exponent.expression, evaluate=False))


def call(name: str, arguments: list[Term]) -> Term:
    """A call of a function of the formula language."""
    if name == "log" and len(arguments) == 2:
        raise NoValueError("log takes one argument; write log(x)/log(10)")
    few = 2 if name in TWO_OR_MORE else 1
    if len(arguments) < few or (len(arguments) > few and name not in TWO_OR_MORE):
        wanted = "two or more arguments" if name in TWO_OR_MORE else "one argument"
        raise NoValueError(f"{name} takes {wanted}, not {len(arguments)}")
    folded = _folded(arguments, ON_NUMBERS[name])
    if folded.literal:
        return folded
    expressions = (argument.expression for argument in arguments)
    return folded._replace(expression=FUNCTIONS[name](*expressions, evaluate=False))


def _folded(parts: list[Term], function: Callable[..., Any]) -> Term:
    """The value of an operation on constant parts; a single number if none of them is a step."""
    numbers = [part.number for part in parts]
    if any(number is None for number in numbers):
        return Term(None)
    value = _finite(function, *numbers)
    if all(part.literal for part in parts):
        return number(float(value))
    return Term(None, value)


def _finite(function: Callable[..., Any], *numbers: Any) -> Any:
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
        raise NoValueError(f"the constant is {problem}")
    return value


def _power(base: Any, exponent: Any) -> Any:
    small = isinstance(exponent, Fraction) and exponent.denominator == 1 and abs(exponent) <= 64
    if isinstance(base, Fraction) and small:
        return base**exponent
    return float(base) ** float(exponent)
