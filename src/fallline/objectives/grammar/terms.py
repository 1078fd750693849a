"""From a syntax tree to expressions, with constants folded.

The expressions keep the shape of the text: nothing is reordered, cancelled or simplified. Constants are computed in
floats and small fractions: exact numbers could grow without limit.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from fallline.errors import FalllineError
from fallline.objectives.expression import Expression, Pool
from fallline.objectives.grammar import faults
from fallline.objectives.grammar.cursor import Tree
from fallline.objectives.grammar.syntax import syntax
from fallline.objectives.grammar.tokens import Text
from fallline.objectives.grammar.words import (
    COMPARISONS,
    CONDITIONS,
    CONSTANTS,
    FUNCTIONS,
    OVER_PARTS,
    WRITTEN,
)

# The most parts that the sums over an index are written out to.
MAX_PARTS = 20_000
_HALF = Fraction(1, 2)


class NoValueError(Exception):
    """A part of the formula cannot have a value; the text says why."""


class Term(NamedTuple):
    """A part of a formula; `number` is its value if it is constant."""

    expression: Expression
    number: float | None = None
    literal: bool = False  # constant without naming a step, so that it may be folded into one number
    is_condition: bool = False  # 1 where it holds, 0 elsewhere

    @property
    def is_number(self) -> bool:
        """Whether it is a single number, which pi is not."""
        return self.expression.is_number


class Terms:
    """Makes the terms of a formula.

    Arguments:
        text: the text, which remembers faults.
        pool: makes the expressions.

    Attributes:
        known: what the steps and constants stand for.
        variables: what every other name stands for.
    """

    def __init__(self, text: Text, pool: Pool) -> None:
        self.text = text
        self.pool = pool
        self.known = {name: Term(pool.make("constant", detail=name), value, True) for name, value in CONSTANTS.items()}
        self.variables: dict[str, Term] = {}
        # Inside a function that is written as a formula: what its arguments stand for.
        self.arguments: Mapping[str, Term] | None = None
        self.indices: dict[str, int] = {}
        self.indices_used: set[str] = set()
        self.made = 0

    def of(self, tree: Tree) -> Term:
        """The term of a tree; what has no value is remembered as a fault."""
        try:
            return self._made(tree)
        except NoValueError as error:
            if self.arguments is not None:
                raise
            self.text.fault(self.text.between(tree.start, tree.end), str(error))
            return Term(self.pool.name("?"))

    def _made(self, tree: Tree) -> Term:
        self.made += 1
        if self.made > MAX_PARTS:
            raise FalllineError(
                "objective",
                self.text.written.strip(),
                faults.WRITE_PYTHON,
                problem=faults.TOO_MANY_PARTS.format(MAX_PARTS),
            )
        match tree.kind:
            case "number":
                whole = tree.text.isdecimal() or "/" in tree.text
                return self.number(Fraction(tree.text) if whole else float(tree.text))
            case "name":
                return self.name(tree.text)
            case "index":
                return self.variable(f"{tree.text}{self.whole(tree.parts[0])}")
            case "negative":
                return self.negative(self.of(tree.parts[0]))
            case "sum":
                addends = ((minus, self.of(part)) for minus, part in tree.signed)
                return self.total(self.negative(addend) if minus else addend for minus, addend in addends)
            case "product":
                return self.product((divides, self.of(part)) for divides, part in tree.signed)
            case "power":
                return self.power(*map(self.of, tree.parts))
            case "call":
                return self.call(tree)
            case "compare":
                return self.condition(COMPARISONS[tree.text], *map(self.of, tree.parts))
            case "and" | "or":
                name = "both" if tree.kind == "and" else "either"
                parts = [self.held(self.of(part)) for part in tree.parts]
                return functools.reduce(lambda left, right: self.condition(name, left, right), parts)
            case "not":
                return self.condition("negation", self.held(self.of(tree.parts[0])))
        return Term(self.pool.name("?"))

    # Names -----------------------------------------------------------------------------------------------------

    def name(self, name: str) -> Term:
        """A constant, an argument, an index, a step or a variable."""
        if self.arguments is not None and name in self.arguments:
            return self.arguments[name]
        stem, _, last = name.rpartition("_")
        if name in self.indices:
            self.indices_used.add(name)
            return self.number(Fraction(self.indices[name]))
        if name in self.known:
            return self.known[name]
        if stem and last in self.indices:
            self.indices_used.add(last)
            return self.variable(f"{stem}_{self.indices[last]}")
        return self.variable(name)

    def variable(self, name: str) -> Term:
        """The variable, or the step, of this name."""
        return self.known.get(name) or self.variables.setdefault(name, Term(self.pool.name(name)))

    def whole(self, tree: Tree) -> int:
        """A whole number that is known before the formula runs."""
        number = self.of(tree).number
        if number is None or not float(number).is_integer() or not 0 <= number < 1e15:
            raise NoValueError(faults.WHOLE_INDEX)
        return int(number)

    # Arithmetic ------------------------------------------------------------------------------------------------

    def number(self, value: Fraction | float) -> Term:
        """A number: a fraction where it is small, otherwise a float."""
        as_float = _finite(float, value)
        if isinstance(value, Fraction) and max(abs(value.numerator), value.denominator) <= 2**64:
            return Term(self.pool.number(value), as_float, True)
        return Term(self.pool.number(as_float), as_float, True)

    def negative(self, term: Term) -> Term:
        """-a."""
        if term.is_number:
            return self.number(-term.expression.detail)
        value, minus_one = term.expression, self.pool.number(Fraction(-1))
        factors = [minus_one, value]
        if value.operation == "*" and value.parts[0].is_number:
            # -(2*x) is (-2)*x, and -(-x) is x, without rounding.
            head, *factors = value.parts
            if head is not minus_one:
                factors = [self.pool.number(-head.detail), *factors]
        expression = factors[0] if len(factors) == 1 else self.pool.make("*", *factors)
        return Term(expression, None if term.number is None else -term.number, term.literal)

    def total(self, terms: Iterable[Term]) -> Term:
        """a + b + c."""
        addends: list[Term] = []
        for addend in terms:
            if len(addends) == 1 and addends[0].is_number and addend.is_number:
                addends = [self.number(addends[0].expression.detail + addend.expression.detail)]
            else:
                addends.append(addend)
        if len(addends) == 1:
            return addends[0]
        return self.folded("+", addends, lambda *numbers: sum(numbers), single=False)

    def product(self, terms: Iterable[tuple[bool, Term]]) -> Term:
        """a * b / c; each part comes with True if it divides."""
        result = one = self.number(Fraction(1))
        factors: list[Expression] = []
        for divides, factor in terms:
            if divides and factor.number == 0:
                raise NoValueError(faults.DIVIDES_BY_ZERO)
            operation: Callable[..., Any] = operator.truediv if divides else operator.mul
            if not factors and result.is_number and factor.is_number:
                result = self.number(_finite(operation, result.expression.detail, factor.expression.detail))
                continue
            if not factors and result.expression is not one.expression:
                factors.append(result.expression)
            divisor = self.pool.make("**", factor.expression, self.pool.number(Fraction(-1)))
            factors.append(divisor if divides else factor.expression)
            number = None
            if result.number is not None and factor.number is not None:
                number = float(_finite(operation, result.number, factor.number))
            result = Term(factors[0], number, result.literal and factor.literal)
        if not factors:
            return result
        return result._replace(expression=factors[0] if len(factors) == 1 else self.pool.make("*", *factors))

    def power(self, base: Term, exponent: Term) -> Term:
        """a ** b; a power of e is the function exp."""
        if base.is_number and exponent.is_number:
            return self.number(_finite(_power, base.expression.detail, exponent.expression.detail))
        if base.expression.operation == "constant" and base.expression.detail == "e":
            return self.folded("exp", [exponent], math.exp)
        return self.folded("**", [base, exponent], _power)

    def folded(self, operation: str, parts: list[Term], function: Callable[..., Any], single: bool = True) -> Term:
        """An operation on terms; of constants its value, as a single number if none of them is a step."""
        numbers = [part.number for part in parts]
        value = None if any(number is None for number in numbers) else float(_finite(function, *numbers))
        literal = value is not None and all(part.literal for part in parts)
        if single and literal and value is not None:
            return self.number(value)
        return Term(self.pool.make(operation, *(part.expression for part in parts)), value, literal)

    # Conditions and functions ----------------------------------------------------------------------------------

    def condition(self, name: str, *parts: Term) -> Term:
        """A comparison, or conditions joined."""
        return self.folded(name, list(parts), CONDITIONS[name])._replace(is_condition=True)

    def held(self, term: Term) -> Term:
        """The term, which must be a condition."""
        if not term.is_condition:
            raise NoValueError(faults.NOT_A_CONDITION)
        return term

    def call(self, tree: Tree) -> Term:
        """A function of its arguments."""
        name = tree.text
        clauses = [part for part in tree.parts if part.kind == "clause"]
        arguments = [part for part in tree.parts if part.kind != "clause"]
        if not arguments and (clauses or name in OVER_PARTS):
            raise NoValueError(faults.AT_LEAST_ONE.format(name))
        if name in OVER_PARTS and len(tree.parts) == 1:
            raise NoValueError(faults.SEVERAL_PARTS.format(name))
        self.indices_used -= {clause.text for clause in clauses}
        parts = [self.of(argument) for _ in self.over(clauses) for argument in arguments]
        for clause in clauses:
            if clause.text not in self.indices_used:
                raise NoValueError(faults.INDEX_UNUSED.format(clause.text))
        if name == "log" and len(parts) == 2:
            return self.product([(False, self.function("log", parts[:1])), (True, self.function("log", parts[1:]))])
        if name == "prod":
            return self.product((False, part) for part in parts)
        if name == "sum":
            return self.total(parts)
        if name == "norm":
            total = self.total(self.power(part, self.number(Fraction(2))) for part in parts)
            return self.power(total, self.number(_HALF))
        if clauses and len(parts) == 1:
            return parts[0]
        if name not in WRITTEN:
            return self.function(name, parts)
        formula, letters = _written(name)
        _check_count(name, len(parts), len(letters), len(letters))
        outer, self.arguments = self.arguments, dict(zip(letters, parts, strict=True))
        try:
            return self.of(formula)
        finally:
            self.arguments = outer

    def over(self, clauses: list[Tree]) -> Iterator[None]:
        """Give the indices each of their values in turn."""
        if not clauses:
            yield
            return
        clause, *rest = clauses
        low, high = map(self.whole, clause.parts)
        if low > high:
            raise NoValueError(faults.EMPTY_RANGE.format(low, high))
        outer = self.indices
        for value in range(low, high + 1):
            self.indices = {**outer, clause.text: value}
            yield from self.over(rest)
        self.indices = outer

    def function(self, name: str, parts: list[Term]) -> Term:
        """A function of the formula language."""
        function = FUNCTIONS[name]
        _check_count(name, len(parts), function.fewest, function.most)
        if name == "where":
            self.held(parts[0])
            if parts[0].number is not None:
                return parts[1] if parts[0].number else parts[2]
        if name == "sqrt":
            folded = self.folded("sqrt", parts, math.sqrt)
            return folded if folded.is_number else self.folded("**", [*parts, self.number(_HALF)], _power)
        return self.folded(name, parts, function.on_numbers)


def _check_count(name: str, count: int, fewest: int, most: int | None) -> None:
    if count < fewest or (most is not None and count > most):
        told = {None: faults.MANY_ARGUMENTS, 1: faults.ONE_ARGUMENT, 2: faults.TWO_ARGUMENTS, 3: faults.THREE_ARGUMENTS}
        raise NoValueError(faults.TAKES.format(name, told[most], count))


@functools.cache
def _written(name: str) -> tuple[Tree, tuple[str, ...]]:
    """The tree of a function that is written as a formula, and its arguments."""
    text = Text(WRITTEN[name])
    tokens = text.tokens()
    tree = syntax(text, tokens, frozenset("abc"))
    assert tree is not None, name
    return tree, tuple(letter for letter in "abc" if any(token.text == letter for token in tokens))


def _finite(function: Callable[..., Any], *numbers: Any) -> Any:
    """A constant operation's value, refused unless it is a finite real number."""
    try:
        value = function(*numbers)
        problem = faults.NOT_REAL if isinstance(value, complex) else None
        if problem is None and not math.isfinite(value):
            problem = faults.INFINITE if math.isinf(value) else faults.NOT_A_NUMBER
    except OverflowError:
        problem = faults.INFINITE
    except ZeroDivisionError:
        problem = faults.A_DIVISION_BY_ZERO
    except ValueError:
        problem = faults.NOT_FINITE_REAL
    if problem:
        raise NoValueError(faults.CONSTANT_IS.format(problem))
    return value


def _power(base: Any, exponent: Any) -> Any:
    small = isinstance(exponent, Fraction) and exponent.denominator == 1 and abs(exponent) <= 64
    if isinstance(base, Fraction) and small:
        return base**exponent
    return float(base) ** float(exponent)
