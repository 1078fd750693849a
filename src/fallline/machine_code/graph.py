"""What a run computes at each step, as a graph of single operations on float64 numbers."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Container, Iterable, Mapping
from typing import Any, TypeAlias

# Levels: a node's number is the same throughout a call, differs from step to step, or also from run to run.
SETTING, STEP, LANE = range(3)

# Operation: a result that the C library recomputes where it is doubtful; see `elementary.one_by_one`.
ONE_BY_ONE = "one_by_one"
# Operation: a quotient whose divisor is the same in all runs.
QUOTIENT = "quotient"
# Operation: the boolean that is true at the start of a run only; it takes no inputs and is the same for all runs.
START = "start"
# Operation: a mask, true where all inputs are finite; takes any number of inputs.
FINITE = "finite"
# Operation: the third input where the second is true, which is rare; the first input elsewhere.
RARELY = "rarely"
# Operations over all coordinates, each of which has a number: one number for all of them.
SUM, LARGEST, ANY, ALL = OVER_COORDINATES = "sum", "largest", "any", "all"
# Operations: the two parts of the power of the first input by the second, the number of the step; see `elementary`.
POWERS = "power_high", "power_low"

Number: TypeAlias = "Node | float"


class Node:
    """One number, or one boolean, per run: an operation on other nodes, a constant, or a leaf.

    The operators make new nodes, so a formula or a rule that is called with nodes records what it computes.

    Attributes:
        operation: what is done; "constant" and "leaf" take no inputs.
        inputs: the operands.
        detail: the constant, the leaf's name, or the operation's own parameter.
        level: SETTING, STEP or LANE.
        is_mask: whether it is a boolean.
    """

    __slots__ = ("detail", "graph", "index", "inputs", "is_mask", "level", "operation")

    def __init__(self, graph: Graph, operation: str, inputs: tuple[Node, ...], detail: Any, level: int) -> None:
        self.graph = graph
        self.index = len(graph.nodes)
        self.operation = operation
        self.inputs = inputs
        self.detail = detail
        self.level = level
        self.is_mask = operation in MASKS

    def make(self, operation: str, *inputs: Any, detail: Any = None) -> Node:
        """The node of an operation on these nodes and numbers."""
        return self.graph.node(operation, *map(self.graph.of, inputs), detail=detail)

    def __add__(self, other: Number) -> Node:
        return self.make("fadd", self, other)

    def __radd__(self, other: Number) -> Node:
        return self.make("fadd", other, self)

    def __sub__(self, other: Number) -> Node:
        return self.make("fsub", self, other)

    def __rsub__(self, other: Number) -> Node:
        return self.make("fsub", other, self)

    def __mul__(self, other: Number) -> Node:
        return self.make("fmul", self, other)

    def __rmul__(self, other: Number) -> Node:
        return self.make("fmul", other, self)

    def __truediv__(self, other: Number) -> Node:
        divisor = self.graph.of(other)
        if not self.graph.of_many or self.level < LANE or divisor.level == LANE:
            return self.make("fdiv", self, divisor)
        # All runs have the same divisor: multiply by its reciprocal where that is sure to give the same quotient.
        usual = (abs(divisor) >= 2.0**-60) & (abs(divisor) <= 2.0**60)
        usual = usual & divisor.make("mantissa", abs(divisor)).differs(1 - 2.0**-53)
        return self.make(QUOTIENT, self, divisor, where(usual, 1.0 / divisor, math.nan))

    def __rtruediv__(self, other: Number) -> Node:
        return self.make("fdiv", other, self)

    def __neg__(self) -> Node:
        return self.make("fneg", self)

    def __abs__(self) -> Node:
        return self.make("fabs", self)

    def __lt__(self, other: Number) -> Node:
        return self.make("olt", self, other)

    def __le__(self, other: Number) -> Node:
        return self.make("ole", self, other)

    def __gt__(self, other: Number) -> Node:
        return self.make("ogt", self, other)

    def __ge__(self, other: Number) -> Node:
        return self.make("oge", self, other)

    def equals(self, other: Number) -> Node:
        """The mask of equal numbers; `==` itself compares the identity of nodes."""
        return self.make("oeq", self, other)

    def differs(self, other: Number) -> Node:
        """The mask of unequal numbers; NaN is unequal to everything."""
        return self.make("une", self, other)

    def __and__(self, other: Node) -> Node:
        return self.make("and", self, other)

    def __or__(self, other: Node) -> Node:
        return self.make("or", self, other)

    def __invert__(self) -> Node:
        return self.make("not", self)

    def __bool__(self) -> bool:
        raise TypeError("which way an if goes would differ from run to run")

    def __repr__(self) -> str:
        return f"<{self.operation} {self.detail}>" if self.detail is not None else f"<{self.operation}>"


MASKS = {FINITE, START, ANY, ALL, "olt", "ole", "ogt", "oge", "oeq", "une", "ugt", "ult", "and", "or", "not", "bit"}
_NUMBERS_FROM_NUMBERS = {"fadd": operator.add, "fsub": operator.sub, "fmul": operator.mul}


class Graph:
    """All nodes, in topological order; equal nodes are stored once.

    Arguments:
        of_many: whether many runs are computed side by side.
    """

    def __init__(self, of_many: bool) -> None:
        self.of_many = of_many
        self.nodes: list[Node] = []
        self._known: dict[Any, Node] = {}

    def leaf(self, name: str, level: int) -> Node:
        """An input of the graph."""
        return self._made("leaf", (), name, level)

    def of(self, part: Any) -> Node:
        """The node itself, or the node of a constant."""
        if isinstance(part, Node):
            return part
        number = float(part)
        # As text -0.0 differs from 0.0, and NaN equals itself.
        return self._made("constant", (), number.hex(), SETTING)

    def node(self, operation: str, *inputs: Node, detail: Any = None) -> Node:
        """The node of an operation. Sums and products of constants are computed at once."""
        if all(part.is_mask for part in inputs):
            # As in NumPy: booleans have no difference, and their sums and products are booleans.
            if operation in ("fsub", "fneg"):
                raise TypeError("booleans have no difference")
            operation = {"fadd": "or", "fmul": "and"}.get(operation, operation)
        if operation == "and" and all(part.operation == FINITE for part in inputs):
            operation, inputs = FINITE, tuple(dict.fromkeys(number for part in inputs for number in part.inputs))
        if operation in ("and", "or", "not") and not all(part.is_mask for part in inputs):
            raise TypeError("a number is not a boolean")
        if operation in ARITHMETIC:
            inputs = tuple(as_number(part) for part in inputs)
        if operation in _NUMBERS_FROM_NUMBERS and all(part.operation == "constant" for part in inputs):
            left, right = (float.fromhex(part.detail) for part in inputs)
            return self.of(
                left + right if operation == "fadd" else left - right if operation == "fsub" else left * right
            )
        level = max((part.level for part in inputs), default=SETTING)
        return self._made(operation, inputs, detail, min(level, STEP) if operation in OVER_COORDINATES else level)

    def _made(self, operation: str, inputs: tuple[Node, ...], detail: Any, level: int) -> Node:
        key = (operation, detail, *(part.index for part in inputs))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = Node(self, operation, inputs, detail, level)
            self.nodes.append(known)
        return known

    @property
    def start(self) -> Node:
        """The mask that is true at the start of a run only."""
        return self._made(START, (), None, STEP)

    @property
    def step(self) -> Node:
        """The number of the step, counted from 1, the same for all runs."""
        return self.leaf("step", STEP)

    def of_boolean(self, boolean: bool) -> Node:
        """A constant mask."""
        return self.of(float(boolean)).differs(0.0)

    def rewritten(self, outputs: Iterable[Node], instead: Mapping[Node, Node]) -> list[Node]:
        """The outputs, with some of the nodes they depend on replaced."""
        outputs, made = list(outputs), dict(instead)
        for node in self.needed(outputs, given=instead):
            if node not in made:
                parts = [made[part] for part in node.inputs]
                made[node] = self.node(node.operation, *parts, detail=node.detail) if parts else node
        return [made[node] for node in outputs]

    def needed(self, outputs: Iterable[Node], given: Container[Node] = ()) -> list[Node]:
        """The outputs and all nodes they depend on, in order; the inputs of given nodes are not followed."""
        found: set[int] = set()
        waiting = list(outputs)
        while waiting:
            node = waiting.pop()
            if node.index not in found:
                found.add(node.index)
                waiting += () if node in given else node.inputs
        return [self.nodes[index] for index in sorted(found)]


ARITHMETIC = {
    "fadd", "fsub", "fmul", "fdiv", "fneg", "fabs", "sqrt", "floor", "fma", FINITE, "remainder", "two_to",
    "olt", "ole", "ogt", "oge", "oeq", "une", "ugt", "ult",
}  # fmt: skip


def as_number(node: Node) -> Node:
    """The node itself; of a boolean, 1 where it is true and 0 where it is false."""
    return node.make("number", node) if node.is_mask else node


def where(mask: Any, chosen: Any, other: Any) -> Any:
    """`chosen` where the mask is true, `other` elsewhere."""
    if not isinstance(mask, Node):
        return chosen if mask else other
    if not mask.is_mask:
        mask = mask.differs(0.0)
    chosen, other = mask.graph.of(chosen), mask.graph.of(other)
    if chosen.is_mask and other.is_mask:
        return (mask & chosen) | (~mask & other)
    chosen, other = as_number(chosen), as_number(other)
    return mask.make("select", mask, chosen, other)


def unless(usual: Any, sure: Any, exact: Any) -> Any:
    """`usual` where the mask `sure` is true, and `exact` elsewhere, which is computed only if it is needed."""
    return usual.make(RARELY, usual, ~sure, exact)


def finite(x: Any) -> Any:
    """The mask of numbers that are neither infinite nor NaN."""
    return x.make(FINITE, x)


def fma(left: Node, right: Number, added: Number) -> Node:
    """left · right + added, rounded once."""
    return left.make("fma", left, right, added)


def maximum(left: Any, right: Any) -> Any:
    """The larger number; NaN if one of them is."""
    return _extreme("ogt", left, right)


def minimum(left: Any, right: Any) -> Any:
    """The smaller number; NaN if one of them is."""
    return _extreme("olt", left, right)


def total(numbers: Iterable[Any]) -> Any:
    """The sum, added in NumPy's order along the last axis, so that every bit is the same.

    Fewer than 8 numbers one after another; up to 128 in eight partial sums; more in two halves (NumPy's
    `pairwise_sum`).
    """
    numbers = list(numbers)
    count = len(numbers)
    if count > 128:
        half = count // 2 - count // 2 % 8
        return total(numbers[:half]) + total(numbers[half:])
    whole = count - count % 8
    if not whole:
        return functools.reduce(operator.add, numbers)
    r = [functools.reduce(operator.add, numbers[i:whole:8]) for i in range(8)]
    together = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
    return functools.reduce(operator.add, numbers[whole:], together)


def largest(numbers: Iterable[Any]) -> Any:
    """The largest of the numbers; NaN if one of them is."""
    return functools.reduce(maximum, numbers)


def smallest(numbers: Iterable[Any]) -> Any:
    """The smallest of the numbers; NaN if one of them is."""
    return functools.reduce(minimum, numbers)


def _extreme(order: str, left: Any, right: Any) -> Any:
    some = left if isinstance(left, Node) else right
    left, right = some.graph.of(left), some.graph.of(right)
    if right.operation == "constant" and not math.isnan(float.fromhex(right.detail)):
        # An unordered comparison is true also where the left number is NaN.
        return where(some.make(order.replace("o", "u", 1), left, right), left, right)
    # Of two zeros, or where the right one is NaN, take the right one, as NumPy does.
    return where(left.differs(left), left, where(some.make(order, left, right), left, right))


def sign(x: Any) -> Any:
    """1, 0 or -1; NaN for NaN."""
    return where(x > 0, 1.0, where(x < 0, -1.0, where(x.equals(0.0), 0.0, x)))
