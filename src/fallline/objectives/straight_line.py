"""From expressions to a graph, and from it to straight-line code: a formula's value and its gradient.

The chain rule multiplies the derivatives of the functions from the result back to the variables (reverse
accumulation), through the named steps and without expanding any expression. So the length of the code is proportional
to that of the formula, whatever the number of variables; equal subexpressions are computed once.

The slope of a root, and of any power below 1, is infinite at 0. A factor 0 wins against it: before the root, unless it
comes from the root itself, as in cos(sqrt(x)), whose slope has a limit that is not found so; and behind it, where what
stands in the root is least, so that sqrt(x**2 + y**2) has the slope 0 at its kink, as abs has. It wins, too, against
what a condition leaves out.

Source: Griewank and Walther, Evaluating Derivatives (2008), chapter 3, for reverse accumulation.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from fallline.machine_code import python
from fallline.machine_code.graph import SETTING, Graph, Node
from fallline.objectives.expression import Expression
from fallline.objectives.grammar.formula import Formula
from fallline.objectives.grammar.words import CONDITIONS, CONSTANTS, FUNCTIONS
from fallline.objectives.slopes import slopes_of

_ON_NUMBERS = {name: function.on_numbers for name, function in FUNCTIONS.items()} | dict(CONDITIONS)
# Up to this exponent, products are faster than a power and as exact; beyond it their rounding errors add up.
_MAX_PRODUCTS = 8
# Constant factors up to this size are carried through the products of a gradient; larger ones could overflow there.
_KEEP = 1e6


class Scaled(NamedTuple):
    """The multiple `factor * node`, or the constant `factor` if node is None."""

    factor: float
    node: Node | None = None


_ONE = Scaled(1.0)


class _Adjoint(NamedTuple):
    """The derivative of the result by an expression.

    Attributes:
        term: its value.
        zero_wins: whether a factor 0, of it or beside it, wins against one that is infinite or NaN.
    """

    term: Scaled
    zero_wins: bool = False


class StraightLine:
    """The graph of a formula and of its gradient, each operation in it once."""

    def __init__(self, formula: Formula) -> None:
        self.graph = Graph(of_many=False)
        self.inputs = tuple(f"x{i}" for i in range(len(formula.variables)))
        self.of_name: dict[str, Scaled] = {
            variable: Scaled(1.0, self.graph.leaf(name, SETTING))
            for variable, name in zip(formula.variables, self.inputs, strict=True)
        }
        self.variables = formula.variables
        self.steps = dict(formula.steps)
        # Of each node of the graph, what stands in the roots it depends on, as the bits of these.
        self.roots: list[int] = []
        self.bases: dict[Node, int] = {}
        # Each expression's term in the graph, operands before operations.
        self.known: dict[Expression, Scaled] = {}
        for name, expression in formula.steps:
            self.of_name[name] = self.value(expression, self.known, self.of_name)
        self.last = formula.expression
        self.result = self.node(self.value(self.last, self.known, self.of_name))

    def source(self, outputs: list[Node]) -> str:
        """The source of a function that returns these outputs, with only the lines they need."""
        body, (names,) = python.lines(self.graph, outputs)
        returned = f"return {', '.join(names[node] for node in outputs)},"
        return "\n    ".join([f"def f({', '.join(self.inputs)}):", *body, returned, ""])

    def call(self, name: str, *parts: Scaled) -> Scaled:
        """A function of the formula language."""
        return Scaled(1.0, self.graph.node(python.CALL, *map(self.node, parts), detail=name))

    def node(self, term: Scaled) -> Node:
        """The node of a constant, or of a multiple of a node."""
        if term.node is None:
            return self.graph.of(term.factor)
        if term.factor == 1:
            return term.node
        return -term.node if term.factor == -1 else term.factor * term.node

    def plain(self, term: Scaled, keep: float) -> Scaled:
        """The term with its factor multiplied in, unless that is ±1 or between 1/keep and keep in size."""
        if term.node is None or abs(term.factor) == 1 or 1 / keep < abs(term.factor) < keep:
            return term
        return Scaled(1.0, self.node(term))

    def times(self, left: Scaled, right: Scaled, keep: float = 1.0) -> Scaled:
        left, right = self.plain(left, keep), self.plain(right, keep)
        factor = left.factor * right.factor
        if left.node is None or right.node is None:
            return Scaled(factor, right.node if left.node is None else left.node)
        first, second = sorted((left.node, right.node), key=lambda node: node.index)
        return Scaled(factor, first * second)

    def over(self, left: Scaled, right: Scaled, keep: float = 1.0) -> Scaled:
        left, right = self.plain(left, keep), self.plain(right, keep)
        if right.node is None:
            if left.node is None:
                return Scaled(_quotient(left.factor, right.factor))
            return Scaled(left.factor, left.node / right.factor)
        if left.node is None:
            return Scaled(1.0, _quotient(left.factor, right.factor) / right.node)
        return Scaled(_quotient(left.factor, right.factor), left.node / right.node)

    def plus(self, terms: Iterable[Scaled]) -> Scaled:
        """The sum from left to right."""
        first, *rest = terms
        while first.node is None and rest and rest[0].node is None:
            first = Scaled(first.factor + rest.pop(0).factor)
        for factor, node in rest:
            size = self.node(Scaled(abs(factor), node))
            total = self.node(first)
            first = Scaled(1.0, total - size if factor < 0 else total + size)
        return first

    def power(self, base: Scaled, exponent: Scaled) -> Scaled:
        if exponent.node is not None:
            return self.call("power", base, exponent)
        n = exponent.factor
        if base.node is None:
            return Scaled(_folded(operator.pow, base.factor, n))
        if n == -0.5 or (n < 0 and n.is_integer() and n >= -_MAX_PRODUCTS):
            return self.over(_ONE, self.power(base, Scaled(-n)))
        if n == 0.5:
            return self.call("sqrt", base)
        if not n.is_integer():
            return self.call("power", base, exponent)
        if abs(n) > _MAX_PRODUCTS:
            return self.call("whole_power", base, exponent)
        result, square, left = _ONE, base, int(n)
        while left:
            result = self.times(result, square) if left % 2 else result
            left //= 2
            square = self.times(square, square) if left else square
        return result

    # Forward: the value ------------------------------------------------------------------------------------

    def value(self, expression: Expression, known: dict[Expression, Scaled], names: Mapping[str, Scaled]) -> Scaled:
        """The value of an expression; `known` keeps the values of its parts, `names` has those of names."""
        for part in expression.walk():
            if part not in known:
                known[part] = self.operation(part, [known[operand] for operand in part.parts], known, names)
        return known[expression]

    def operation(
        self,
        expression: Expression,
        parts: list[Scaled],
        known: Mapping[Expression, Scaled],
        names: Mapping[str, Scaled],
    ) -> Scaled:
        match expression.operation:
            case "number":
                return Scaled(float(expression.detail))
            case "constant":
                return Scaled(CONSTANTS[expression.detail])
            case "name":
                return names[expression.detail]
            case "+":
                return self.plus(parts)
            case "*":
                return self.partial_products(expression, known)[-1]
            case "**":
                return self.power(*parts)
        name = expression.operation
        if all(part.node is None for part in parts):
            return Scaled(_folded(_ON_NUMBERS[name], *(part.factor for part in parts)))
        if name not in ("min", "max"):
            return self.call(name, *parts)
        return functools.reduce(lambda left, right: self.call(name, left, right), parts)

    def partial_products(self, product: Expression, known: Mapping[Expression, Scaled]) -> list[Scaled]:
        """The partial products: of no factor, the first, the first two, ..., all."""
        partial = [_ONE]
        for factor in product.parts:
            divisor = factor.divisor
            if divisor is None:
                partial.append(self.times(partial[-1], known[factor]))
            else:
                partial.append(self.over(partial[-1], known[divisor]))
        return partial

    # Reverse: the gradient ---------------------------------------------------------------------------------

    def gradient(self) -> list[Node]:
        """The derivative of the last line with respect to each variable."""
        shares: dict[Expression, list[_Adjoint]] = {self.last: [_Adjoint(_ONE)]}
        found: dict[str, Scaled] = {}
        for expression in reversed(list(self.known)):
            if expression not in shares or self.known[expression].node is None:
                continue
            given = shares.pop(expression)
            adjoint = _Adjoint(self.plus(share.term for share in given), any(share.zero_wins for share in given))
            if expression.operation != "name":
                for part, share in self.backward(expression, adjoint):
                    shares.setdefault(part, []).append(share)
            elif expression.detail in self.steps:
                shares.setdefault(self.steps[expression.detail], []).append(adjoint)
            else:
                found[expression.detail] = adjoint.term
        return [self.node(found.get(variable, Scaled(0.0))) for variable in self.variables]

    def backward(self, expression: Expression, adjoint: _Adjoint) -> Iterator[tuple[Expression, _Adjoint]]:
        """What an expression contributes to the adjoint of each of its parts, given its own adjoint."""
        parts, name, known = expression.parts, expression.operation, self.known
        match name:
            case "+":
                yield from ((part, adjoint) for part in parts)
            case "*":
                yield from self.backward_product(expression, adjoint)
            case "**":
                yield from self.backward_power(expression, adjoint)
            case "min" | "max":
                ties = [self.call("equal", known[part], known[expression]) for part in parts]
                count = self.plus(ties)
                for part, tie in zip(parts, ties, strict=True):
                    yield part, self.met(adjoint, self.over(tie, count))
            case "where":
                condition, zero = known[parts[0]], Scaled(0.0)
                for part, sides in zip(parts[1:], ((adjoint.term, zero), (zero, adjoint.term)), strict=True):
                    yield part, _Adjoint(self.call("where", condition, *sides), zero_wins=True)
            case _ if name in FUNCTIONS:
                names = dict(zip("ab", (Scaled(1.0, self.node(known[part])) for part in parts), strict=False))
                for part, slope in zip(parts, slopes_of(name), strict=True):
                    if slope.number != 0:
                        yield part, self.through(name, adjoint, slope.expression, names)

    def met(self, adjoint: _Adjoint, slope: Scaled) -> _Adjoint:
        """The adjoint times a slope."""
        if not adjoint.zero_wins or adjoint.term.node is None or slope.node is None:
            return adjoint._replace(term=self.times(adjoint.term, slope, _KEEP))
        left, right = self.plain(adjoint.term, _KEEP), self.plain(slope, _KEEP)
        product = self.graph.node(
            python.CALL, *(self.node(Scaled(1.0, term.node)) for term in (left, right)), detail="chained"
        )
        return adjoint._replace(term=Scaled(left.factor * right.factor, product))

    def divided(self, adjoint: _Adjoint, divisor: Scaled) -> _Adjoint:
        """The adjoint divided by what a slope has as its divisor."""
        if not adjoint.zero_wins or adjoint.term.node is None or divisor.node is None:
            return adjoint._replace(term=self.over(adjoint.term, divisor, _KEEP))
        left, right = self.plain(adjoint.term, _KEEP), self.plain(divisor, _KEEP)
        quotient = self.graph.node(
            python.CALL, *(self.node(Scaled(1.0, term.node)) for term in (left, right)), detail="chained_quotient"
        )
        return adjoint._replace(term=Scaled(_quotient(left.factor, right.factor), quotient))

    def through(self, name: str, adjoint: _Adjoint, slope: Expression, names: Mapping[str, Scaled]) -> _Adjoint:
        """The adjoint times a function's slope, factor by factor."""
        known: dict[Expression, Scaled] = {}
        before = adjoint.zero_wins
        if name in SINGULAR:
            adjoint = self.before_root(adjoint, names["a"])
        for factor in slope.parts if slope.operation == "*" else (slope,):
            divisor = factor.divisor
            if divisor is None:
                adjoint = self.met(adjoint, self.value(factor, known, names))
            else:
                adjoint = self.divided(adjoint, self.value(divisor, known, names))
        # What stands in asin or acos is at its end there; in the others 0 is nothing special.
        return adjoint._replace(zero_wins=before or name in ("asin", "acos"))

    def before_root(self, adjoint: _Adjoint, base: Scaled) -> _Adjoint:
        """The adjoint of a root: a 0 of it wins, unless it comes from a root of the same base."""
        if adjoint.zero_wins or adjoint.term.node is None:
            return adjoint
        own = base.node is not None and self.roots_beneath(adjoint.term.node) & self.bit_of(base.node)
        return adjoint._replace(zero_wins=not own)

    def roots_beneath(self, node: Node) -> int:
        """The roots that a node depends on: the bits of what stands in them."""
        for each in self.graph.nodes[len(self.roots) : node.index + 1]:
            bits = functools.reduce(operator.or_, (self.roots[part.index] for part in each.inputs), 0)
            if each.operation == python.CALL and each.detail in ("sqrt", "power", *SINGULAR):
                bits |= self.bit_of(each.inputs[0])
            self.roots.append(bits)
        return self.roots[node.index]

    def bit_of(self, base: Node) -> int:
        """A bit of what stands in a root."""
        return 1 << self.bases.setdefault(base, len(self.bases))

    def backward_product(self, product: Expression, adjoint: _Adjoint) -> Iterator[tuple[Expression, _Adjoint]]:
        partial = self.partial_products(product, self.known)
        for index in range(len(product.parts) - 1, -1, -1):
            factor = product.parts[index]
            divisor = factor.divisor
            if divisor is None:
                yield factor, self.met(adjoint, partial[index])
                adjoint = self.met(adjoint, self.known[factor])
            else:
                adjoint = self.divided(adjoint, self.known[divisor])
                share = self.met(adjoint, partial[index + 1])
                yield divisor, share._replace(term=share.term._replace(factor=-share.term.factor))

    def backward_power(self, power: Expression, adjoint: _Adjoint) -> Iterator[tuple[Expression, _Adjoint]]:
        part = power.parts[0]
        base, exponent = (self.known[operand] for operand in power.parts)
        by_exponent = adjoint
        if exponent.node is None and _combines(part, exponent.factor):
            # The power of a root is one power of what stands in it, whose slope may be finite where the root's is not.
            exponent = Scaled(exponent.factor * self.known[part.parts[1]].factor)
            part = part.parts[0]
            base = self.known[part]
        if base.node is not None:
            lower = self.plus([exponent, Scaled(-1.0)])
            below_one = lower.node is not None or not (lower.factor.is_integer() or lower.factor > 0)
            if below_one:
                adjoint = self.before_root(adjoint, base)
            scaled = self.met(adjoint, exponent)
            if lower.node is None and lower.factor < 0:
                share = self.divided(scaled, self.power(base, Scaled(-lower.factor)))
            else:
                share = self.met(scaled, self.power(base, lower))
            yield part, share._replace(zero_wins=share.zero_wins or below_one)
        if exponent.node is not None:
            value = self.known[power]
            if base.node is None and base.factor > 0:
                slope = self.times(Scaled(math.log(base.factor)), value)
            else:
                slope = self.call("times_log", value, base)
            yield power.parts[1], self.met(by_exponent, slope)


# Functions whose slope is infinite, or has no value, at a finite place: the ends of asin and acos, and 0.
SINGULAR = ("asin", "acos", "cbrt", "atan2")


def _combines(base: Expression, outer: float) -> bool:
    """Whether a power of this base is one power of the base's own: where both have a value only from 0 on."""
    if base.operation != "**" or not base.parts[1].is_number:
        return False
    inner = float(base.parts[1].detail)
    return not inner.is_integer() or (inner > 0 and inner % 2 == 1 and not outer.is_integer())


def is_root(expression: Expression) -> bool:
    """Whether it is a power that is not whole: its slope may be infinite at 0."""
    if expression.operation != "**":
        return False
    exponent = expression.parts[1]
    return exponent.is_number and not float(exponent.detail).is_integer()


def _folded(function: Callable[..., float], *numbers: float) -> float:
    """A function of constants, as on arrays: infinite on overflow, NaN outside its domain."""
    try:
        value = function(*numbers)
    except OverflowError:
        return math.inf
    except (ValueError, ZeroDivisionError):
        return math.nan
    return math.nan if isinstance(value, complex) else float(value)


def _quotient(above: float, below: float) -> float:
    """The quotient, as on arrays: infinite, or NaN, where the divisor is 0."""
    if below != 0:
        return above / below
    return math.nan if above == 0 else math.copysign(math.inf, above) * math.copysign(1.0, below)
