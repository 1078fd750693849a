"""From expressions to a graph, and from it to straight-line code: a formula's value and its gradient.

SymPy gives the derivative of each function; the chain rule multiplies them from the result back to the
variables (reverse accumulation), through the named steps and without expanding any expression. So the length of the
code is proportional to that of the formula, whatever the number of variables; equal subexpressions are computed once.

Source: Griewank and Walther, Evaluating Derivatives (2008), chapter 3, for reverse accumulation.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import sympy

from fallline.machine_code import python
from fallline.machine_code.graph import SETTING, Graph, Node
from fallline.objectives.derivatives import slope_of
from fallline.objectives.grammar import FUNCTIONS, ON_NUMBERS, Formula

_NAMES: Mapping[Any, str] = {function: name for name, function in FUNCTIONS.items()}
# Up to this exponent, products are faster than a power and as exact; beyond it their rounding errors add up.
_MAX_PRODUCTS = 8
# Constant factors up to this size are carried through the products of a gradient; larger ones could overflow there.
_KEEP = 1e6


class _Scaled(NamedTuple):
    """The multiple `factor * node`, or the constant `factor` if node is None."""

    factor: float
    node: Node | None = None


_ONE = _Scaled(1.0)


class StraightLine:
    """The graph of a formula and of its gradient, each operation in it once."""

    def __init__(self, formula: Formula) -> None:
        self.graph = Graph(of_many=False)
        self.steps = dict(formula.steps)
        self.variables = formula.variables
        self.inputs = tuple(f"x{i}" for i in range(len(formula.variables)))
        # Each expression's term in the graph, operands before operations.
        self.known: dict[Any, _Scaled] = {
            variable: _Scaled(1.0, self.graph.leaf(name, SETTING))
            for variable, name in zip(self.variables, self.inputs, strict=True)
        }
        for symbol, expression in formula.steps:
            self.known[symbol] = self.value(expression, self.known)
        self.last = formula.expression
        self.result = self.node(self.value(self.last, self.known))

    def source(self, outputs: list[Node]) -> str:
        """The source of a function that returns these outputs, with only the lines they need."""
        body, (names,) = python.lines(self.graph, outputs)
        returned = f"return {', '.join(names[node] for node in outputs)},"
        return "\n    ".join([f"def f({', '.join(self.inputs)}):", *body, returned, ""])

    def call(self, name: str, *parts: _Scaled) -> _Scaled:
        """A function of the formula language."""
        return _Scaled(1.0, self.graph.node(python.CALL, *map(self.node, parts), detail=name))

    def node(self, term: _Scaled) -> Node:
        """The node of a constant, or of a multiple of a node."""
        if term.node is None:
            return self.graph.of(term.factor)
        if term.factor == 1:
            return term.node
        return -term.node if term.factor == -1 else term.factor * term.node

    def plain(self, term: _Scaled, keep: float) -> _Scaled:
        """The term with its factor multiplied in, unless that is ±1 or between 1/keep and keep in size."""
        if term.node is None or abs(term.factor) == 1 or 1 / keep < abs(term.factor) < keep:
            return term
        return _Scaled(1.0, self.node(term))

    def times(self, left: _Scaled, right: _Scaled, keep: float = 1.0) -> _Scaled:
        left, right = self.plain(left, keep), self.plain(right, keep)
        factor = left.factor * right.factor
        if left.node is None or right.node is None:
            return _Scaled(factor, right.node if left.node is None else left.node)
        first, second = sorted((left.node, right.node), key=lambda node: node.index)
        return _Scaled(factor, first * second)

    def over(self, left: _Scaled, right: _Scaled, keep: float = 1.0) -> _Scaled:
        left, right = self.plain(left, keep), self.plain(right, keep)
        if right.node is None:
            if left.node is None:
                return _Scaled(left.factor / right.factor)
            return _Scaled(left.factor, left.node / right.factor)
        if left.node is None:
            return _Scaled(1.0, (left.factor / right.factor) / right.node)
        return _Scaled(left.factor / right.factor, left.node / right.node)

    def plus(self, terms: Iterable[_Scaled]) -> _Scaled:
        """The sum from left to right."""
        first, *rest = terms
        while first.node is None and rest and rest[0].node is None:
            first = _Scaled(first.factor + rest.pop(0).factor)
        for factor, node in rest:
            size = self.node(_Scaled(abs(factor), node))
            total = self.node(first)
            first = _Scaled(1.0, total - size if factor < 0 else total + size)
        return first

    def power(self, base: _Scaled, exponent: _Scaled) -> _Scaled:
        if exponent.node is not None:
            return self.call("power", base, exponent)
        n = exponent.factor
        if base.node is None:
            return _Scaled(float(base.factor**n))
        if n == -0.5 or (n < 0 and n.is_integer() and n >= -_MAX_PRODUCTS):
            return self.over(_ONE, self.power(base, _Scaled(-n)))
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

    def value(self, expression: Any, known: dict[Any, _Scaled]) -> _Scaled:
        """The value of an expression; `known` caches the values of its parts."""
        if expression not in known:
            parts = [self.value(part, known) for part in expression.args]
            known[expression] = self.operation(expression, parts, known)
        return known[expression]

    def operation(self, expression: Any, parts: list[_Scaled], known: Mapping[Any, _Scaled]) -> _Scaled:
        function = expression.func
        if not parts:
            rational = expression.is_Rational
            return _Scaled(int(expression.p) / int(expression.q) if rational else float(expression))
        if function is sympy.Add:
            return self.plus(parts)
        if function is sympy.Mul:
            return self.partial_products(expression, known)[-1]
        if function is sympy.Pow:
            return self.power(*parts)
        name = _NAMES[function]
        if all(part.node is None for part in parts):
            return _Scaled(float(ON_NUMBERS[name](*(part.factor for part in parts))))
        if function not in (sympy.Min, sympy.Max):
            return self.call(name, parts[0])
        return functools.reduce(lambda left, right: self.call(name, left, right), parts)

    def partial_products(self, product: Any, known: Mapping[Any, _Scaled]) -> list[_Scaled]:
        """The partial products: of no factor, the first, the first two, ..., all."""
        partial = [_ONE]
        for factor in product.args:
            divisor = _divisor(factor)
            if divisor is None:
                partial.append(self.times(partial[-1], known[factor]))
            else:
                partial.append(self.over(partial[-1], known[divisor]))
        return partial

    # Reverse: the gradient ---------------------------------------------------------------------------------

    def gradient(self) -> list[Node]:
        """The derivative of the last line with respect to each variable."""
        shares: dict[Any, list[_Scaled]] = {self.last: [_ONE]}
        variables = frozenset(self.variables)
        for expression in reversed(list(self.known)):
            if expression not in shares or self.known[expression].node is None:
                continue
            adjoint = self.plus(shares.pop(expression))
            if expression in variables:
                shares[expression] = [adjoint]
            elif expression in self.steps:
                shares.setdefault(self.steps[expression], []).append(adjoint)
            else:
                for part, share in self.backward(expression, adjoint):
                    shares.setdefault(part, []).append(share)
        return [self.node(*shares.get(variable, [_Scaled(0.0)])) for variable in self.variables]

    def backward(self, expression: Any, adjoint: _Scaled) -> Iterator[tuple[Any, _Scaled]]:
        """What an expression contributes to the adjoint of each of its parts, given its own adjoint."""
        parts, function, known = expression.args, expression.func, self.known
        if function is sympy.Add:
            yield from ((part, adjoint) for part in parts)
        elif function is sympy.Mul:
            yield from self.backward_product(expression, adjoint)
        elif function is sympy.Pow:
            yield from self.backward_power(expression, adjoint)
        elif function in (sympy.Min, sympy.Max):
            ties = [self.call("equal", known[part], known[expression]) for part in parts]
            count = self.plus(ties)
            for part, tie in zip(parts, ties, strict=True):
                yield part, self.times(adjoint, self.over(tie, count), _KEEP)
        else:
            symbol, slope = slope_of(function)
            factor, slope = slope.as_coeff_Mul()
            inner = {symbol: _Scaled(1.0, self.node(known[parts[0]]))}
            adjoint = self.times(_Scaled(float(factor)), adjoint, _KEEP)
            if slope.is_Pow and slope.exp.is_negative:
                yield parts[0], self.over(adjoint, self.value(1 / slope, inner), _KEEP)
            elif factor != 0:
                yield parts[0], self.times(adjoint, self.value(slope, inner), _KEEP)

    def backward_product(self, product: Any, adjoint: _Scaled) -> Iterator[tuple[Any, _Scaled]]:
        partial = self.partial_products(product, self.known)
        for index in range(len(product.args) - 1, -1, -1):
            factor = product.args[index]
            divisor = _divisor(factor)
            if divisor is None:
                yield factor, self.times(adjoint, partial[index], _KEEP)
                adjoint = self.times(adjoint, self.known[factor], _KEEP)
            else:
                adjoint = self.over(adjoint, self.known[divisor], _KEEP)
                yield divisor, self.times(_Scaled(-adjoint.factor, adjoint.node), partial[index + 1], _KEEP)

    def backward_power(self, power: Any, adjoint: _Scaled) -> Iterator[tuple[Any, _Scaled]]:
        base, exponent = (self.known[part] for part in power.args)
        if base.node is not None:
            lower = self.plus([exponent, _Scaled(-1.0)])
            scaled = self.times(adjoint, exponent, _KEEP)
            if lower.node is None and lower.factor < 0:
                yield power.base, self.over(scaled, self.power(base, _Scaled(-lower.factor)), _KEEP)
            else:
                yield power.base, self.times(scaled, self.power(base, lower), _KEEP)
        if exponent.node is not None:
            value = self.known[power]
            if base.node is None and base.factor > 0:
                slope = self.times(_Scaled(math.log(base.factor)), value)
            else:
                slope = self.call("times_log", value, base)
            yield power.exp, self.times(adjoint, slope, _KEEP)


def _divisor(factor: Any) -> Any:
    """The divisor of a factor of the form 1/divisor."""
    return factor.base if factor.is_Pow and factor.exp == -1 else None
