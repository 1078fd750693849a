"""The graph of a formula's Hessian product: the derivative of its gradient along a vector.

The gradient's graph, which reverse accumulation makes, is differentiated once more, forward along the vector: each
operation's derivative follows from those of its operands. So a product is exact to rounding and costs a few gradients,
whatever the number of variables, and no matrix is formed.

Source: Griewank and Walther, Evaluating Derivatives (2008), chapter 5, for second-order derivatives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fallline.machine_code.graph import SETTING, Node
from fallline.objectives.grammar.formula import Formula
from fallline.objectives.grammar.words import CONDITIONS
from fallline.objectives.slopes import slopes_of
from fallline.objectives.straight_line import Scaled, StraightLine

_ZERO = Scaled(0.0)


class HessianProduct(StraightLine):
    """The graph of a formula, of its gradient, and of the gradient's derivative along a vector (v0, v1, ...)."""

    def __init__(self, formula: Formula) -> None:
        super().__init__(formula)
        along = tuple(f"v{i}" for i in range(len(self.variables)))
        # The derivative along the vector of each node.
        self.along: dict[Node, Scaled] = {
            self.graph.leaf(x, SETTING): Scaled(1.0, self.graph.leaf(v, SETTING))
            for x, v in zip(self.inputs, along, strict=True)
        }
        self.inputs += along

    def product(self) -> list[Node]:
        """The product's entries, one for each variable."""
        slopes = self.gradient()
        for node in self.graph.needed(slopes):
            if node not in self.along:
                dots = [self.along[part] for part in node.inputs]
                moves = any(dot != _ZERO for dot in dots)
                self.along[node] = (
                    self.derivative(node, [_term(part) for part in node.inputs], dots) if moves else _ZERO
                )
        return [self.node(self.along[slope]) for slope in slopes]

    def derivative(self, node: Node, parts: Sequence[Scaled], dots: Sequence[Scaled]) -> Scaled:
        """The derivative of an operation, from its operands and their derivatives."""
        match node.operation:
            case "fadd":
                return self.total(dots)
            case "fsub":
                return self.total([dots[0], _minus(dots[1])])
            case "fneg":
                return _minus(dots[0])
            case "fmul":
                return self.total([self.times(dots[0], parts[1]), self.times(parts[0], dots[1])])
            case "fdiv":
                return self.over(self.total([dots[0], _minus(self.times(_term(node), dots[1]))]), parts[1])
        return self.derivative_of_call(node, parts, dots)

    def derivative_of_call(self, node: Node, parts: Sequence[Scaled], dots: Sequence[Scaled]) -> Scaled:
        """The derivative of a function of the formula language, or of one that a gradient is made of."""
        name, value = node.detail, _term(node)
        match name:
            case _ if name in CONDITIONS:
                return _ZERO
            case "where":
                return self.call("where", parts[0], *dots[1:])
            case "min" | "max":
                above, below = (
                    self.call("less" if name == "min" else "greater", *pair) for pair in (parts, parts[::-1])
                )
                tie = self.times(Scaled(0.5), self.total(dots))
                return self.call("where", above, dots[0], self.call("where", below, dots[1], tie))
            case "sqrt":
                return self.over(self.times(Scaled(0.5), dots[0]), value)
            case "power" | "whole_power":
                base, exponent = parts
                slope = self.times(exponent, self.power(base, self.plus([exponent, Scaled(-1.0)])))
                by_exponent = self.times(self.call("times_log", value, base), dots[1]) if dots[1] != _ZERO else _ZERO
                return self.total([self.times(slope, dots[0]), by_exponent])
            case "times_log":
                moved = self.call("chained_quotient", self.times(parts[0], dots[1]), parts[1])
                return self.total([self.call("times_log", dots[0], parts[1]), moved])
            case "chained":
                return self.total([self.call("chained", dots[0], parts[1]), self.call("chained", parts[0], dots[1])])
            case "chained_quotient":
                change = self.total([dots[0], _minus(self.times(value, dots[1]))])
                return self.call("chained_quotient", change, parts[1])
        names = dict(zip("ab", parts, strict=False))
        slopes = [self.value(slope.expression, {}, names) for slope in slopes_of(name)]
        return self.total(self.times(slope, dot) for slope, dot in zip(slopes, dots, strict=True))

    def times(self, left: Scaled, right: Scaled, keep: float = 1.0) -> Scaled:
        return _ZERO if _ZERO in (left, right) else super().times(left, right, keep)

    def total(self, terms: Iterable[Scaled]) -> Scaled:
        """The sum of those that are not zero."""
        return self.plus([term for term in terms if term != _ZERO] or [_ZERO])


def _term(node: Node) -> Scaled:
    """The node as a term: a constant by its number."""
    return Scaled(float.fromhex(node.detail)) if node.operation == "constant" else Scaled(1.0, node)


def _minus(term: Scaled) -> Scaled:
    return term if term == _ZERO else term._replace(factor=-term.factor)
