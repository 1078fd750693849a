"""Turns a graph into JavaScript on arrays of coordinates: one loop over them for each round of sums that it needs."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from fallline.machine_code.elementary import OF_NUMPY, short_power
from fallline.machine_code.graph import (
    ALL,
    ANY,
    FINITE,
    LANE,
    LARGEST,
    OVER_COORDINATES,
    SETTING,
    SUM,
    Graph,
    Node,
    as_number,
    where,
)
from fallline.proxy import Library

# Operations: a call of a function by its name, and the running sum over the coordinates.
CALL, RUNNING_SUM = "call", "running_sum"
# The functions of JavaScript's `Math` that the code calls. Besides, `pow` is C's, `stepPower` the same where the
# exponent is the step, and `remainder` is Python's `%`.
OF_MATH = ("abs", "cbrt", "cos", "exp", "expm1", "floor", "log", "log1p", "max", "min", "sign", "sin", "sqrt", "tanh")
# A number of each coordinate that takes more operations than this is stored, if a later loop needs it again.
_CHEAP = 6
# How tightly operators bind, and what does not need brackets at all.
_CHOICE, _OR, _AND, _EQUAL, _ORDER, _SUM, _PRODUCT, _SIGN, _TIGHT = range(9)
_BINARY = {
    "fadd": ("+", _SUM), "fsub": ("-", _SUM), "fmul": ("*", _PRODUCT), "fdiv": ("/", _PRODUCT),
    "remainder": ("%", _PRODUCT), "olt": ("<", _ORDER), "ole": ("<=", _ORDER), "ogt": (">", _ORDER),
    "oge": (">=", _ORDER), "oeq": ("===", _EQUAL), "une": ("!==", _EQUAL), "and": ("&&", _AND), "or": ("||", _OR),
}  # fmt: skip
# What a loop over the coordinates does with each number: the first value, and how the next one is taken in.
_ROUNDS = {
    SUM: ("0", "{0}+={1}"),
    LARGEST: ("-1/0", "{0}=max({0},{1})"),
    ANY: ("false", "{0}||={1}"),
    ALL: ("true", "{0}&&={1}"),
}


class Store(NamedTuple):
    """Where a number is stored.

    Attributes:
        target: the place, as JavaScript; of each coordinate, with the index i.
        node: the number.
        wide: whether there is one for each coordinate.
    """

    target: str
    node: Node
    wide: bool


class Code(NamedTuple):
    """The statements of a function's body, and how many numbers for each coordinate it stores on the way."""

    text: str
    scratch: int


def code(
    graph: Graph,
    stores: Sequence[Store],
    *,
    scratch: Callable[[int], str] = "w[{}*n+i]".format,
    result: Node | None = None,
) -> Code:
    """The statements that compute numbers from a graph and store them, all after the last look at what they replace.

    The leaves' names are JavaScript: those of level LANE with the index i, of n coordinates.

    Arguments:
        graph: the graph.
        stores: what is computed, and where it is stored.
        scratch: the place of the numbers that a later loop needs again, by their count.
        result: what is returned.

    >>> from fallline.machine_code.graph import STEP
    >>> graph = Graph(of_many=False)
    >>> g, rate = graph.leaf("g[i]", LANE), graph.leaf("rate", STEP)
    >>> code(graph, [Store("out[i]", rate * g, wide=True)]).text
    'for(let i=0;i<n;i++){out[i]=rate*g[i];}'
    """
    return _Writer(graph, stores, result).code(scratch)


class _Text(NamedTuple):
    """An expression, how tightly it binds, and the leaves that it reads."""

    text: str
    binds: int
    reads: frozenset[str] = frozenset()


class _Writer:
    """Writes the loops one after another, and before each what all coordinates share."""

    def __init__(self, graph: Graph, stores: Sequence[Store], result: Node | None) -> None:
        self.stores, self.result = stores, result
        self.needed = graph.needed([*(store.node for store in stores), *([] if result is None else [result])])
        # After how many loops over the coordinates a number can be computed.
        self.stage: dict[Node, int] = {}
        for node in self.needed:
            later = node.operation in OVER_COORDINATES
            self.stage[node] = max((self.stage[part] for part in node.inputs), default=0) + later
        self.last = max(self.stage.values(), default=0)
        self.dear = self._dear()
        self.loops = self._loops()
        self.saved = [node for node in self.needed if node in self.dear and len(self.loops[node]) > 1]
        self.shared = self._shared_by_name()
        self.names: dict[Node, str] = {}
        self.count = 0

    def code(self, scratch: Callable[[int], str]) -> Code:
        """The statements."""
        self.rows = {node: scratch(row) for row, node in enumerate(self.saved)}
        parts = [part for number in range(self.last + 1) for part in (self._constants(number), self._loop(number))]
        parts += self._stored({}, wide=False)
        if self.result is not None:
            parts.append(f"return {self._text(self.result, {}).text};")
        return Code("".join(parts), len(self.saved))

    def _dear(self) -> set[Node]:
        """The numbers of each coordinate that are rather stored than computed again."""
        costs: dict[Node, int] = {}
        for node in self.needed:
            own = 0 if not node.inputs else 10 * _CHEAP if node.operation in (CALL, RUNNING_SUM) else 1
            costs[node] = own + sum(costs[part] for part in node.inputs if part.level == LANE)
        return {node for node in self.needed if node.level == LANE and costs[node] > _CHEAP}

    def _loops(self) -> dict[Node, set[int]]:
        """The loops in which each number of a coordinate is used."""
        loops: dict[Node, set[int]] = defaultdict(set)
        for store in self.stores:
            if store.wide:
                loops[store.node].add(self.last)
        for node in reversed(self.needed):
            if node.operation in OVER_COORDINATES:
                loops[node.inputs[0]].add(self.stage[node] - 1)
            elif node.level == LANE:
                # What is stored for later loops is computed in the first.
                for part in node.inputs:
                    loops[part] |= {min(loops[node])} if node in self.dear else loops[node]
        return loops

    def _shared_by_name(self) -> set[Node]:
        """What all coordinates share and has a name: what is read, used twice, or used in a loop."""
        uses = Counter(part for node in self.needed for part in node.inputs)
        uses.update([store.node for store in self.stores])
        in_loops = {part for node in self.needed if node.level == LANE for part in node.inputs}
        in_loops |= {store.node for store in self.stores if store.wide}
        return {
            node
            for node in self.needed
            if node.level < LANE
            and (_is_read(node) if not node.inputs else uses[node] > 1 or node in in_loops)
            and node.operation not in OVER_COORDINATES
        }

    def _name(self, node: Node | None = None) -> str:
        name = f"a{self.count}"
        self.count += 1
        if node is not None:
            self.names[node] = name
        return name

    def _constants(self, number: int) -> str:
        """What all coordinates share and is known before a loop."""
        own = [node for node in self.needed if node in self.shared and self.stage[node] == number]
        texts = [(self._text(node, {}).text, self._name(node)) for node in own]
        return f"const {','.join(f'{name}={text}' for text, name in texts)};" if texts else ""

    def _loop(self, number: int) -> str:
        """A loop over the coordinates; nothing if there is nothing to do in it."""
        rounds = [n for n in self.needed if n.operation in OVER_COORDINATES and self.stage[n] == number + 1]
        stores = [store for store in self.stores if store.wide and number == self.last]
        inside = [node for node in self.needed if node.level == LANE and number in self.loops[node]]
        if not rounds and not stores:
            return ""
        stored = {node for node in inside if node in self.rows and min(self.loops[node]) < number}
        uses = Counter(part for node in inside if node not in stored for part in node.inputs)
        uses.update([*(node.inputs[0] for node in rounds), *(store.node for store in stores)])
        begun = [f"{self._name(node)}={_ROUNDS[node.operation][0]}" for node in rounds]
        local = {node: self.rows[node] for node in stored}
        lines = []
        for node in inside:
            if node in stored:
                continue
            if node.operation == RUNNING_SUM:
                name = self._name()
                begun.append(f"{name}=0")
                lines.append(f"{name}+={self._text(node.inputs[0], local).text};")
                local[node] = name
            elif node in self.rows or (uses[node] > 1 and (node.inputs or _is_read(node))):
                text, local[node] = self._text(node, local).text, self._name()
                lines.append(f"const {local[node]}={text};")
            if node in self.rows:
                lines.append(f"{self.rows[node]}={local[node]};")
        for node in rounds:
            text = self._text(node.inputs[0], local).text
            lines.append(f"{_ROUNDS[node.operation][1].format(self.names[node], text)};")
        if stores:
            lines += self._stored(local, wide=True)
        declared = f"let {','.join(begun)};" if begun else ""
        return f"{declared}for(let i=0;i<n;i++){{{''.join(lines)}}}"

    def _stored(self, local: Mapping[Node, str], *, wide: bool) -> list[str]:
        """The stores, in such an order that none overwrites what a later one reads."""
        texts = [(store.target, self._text(store.node, local)) for store in self.stores if store.wide == wide]
        left = [(target, text) for target, text in texts if text.text != target]
        lines = []
        while left:
            for place, (target, text) in enumerate(left):
                if not any(target in other.reads for _, other in left[:place] + left[place + 1 :]):
                    lines.append(f"{target}={text.text};")
                    del left[place]
                    break
            else:
                target, text = left[0]
                left[0] = target, _Text(self._name(), _TIGHT)
                lines.append(f"const {left[0][1].text}={text.text};")
        return lines

    def _text(self, node: Node, local: Mapping[Node, str]) -> _Text:
        """A node, in which those that have a name are written by it."""
        name = local.get(node) or self.names.get(node)
        if name is not None:
            return _Text(name, _TIGHT)
        parts = [self._text(part, local) for part in node.inputs]
        text, binds = _expression(node, [part[:2] for part in parts])
        own = [text] if node.operation == "leaf" else []
        return _Text(text, binds, frozenset(own).union(*(part.reads for part in parts)))


def _is_read(node: Node) -> bool:
    """Whether it is a leaf that is read from an array or an object."""
    return node.operation == "leaf" and ("[" in node.detail or "." in node.detail)


def _expression(node: Node, parts: Sequence[tuple[str, int]]) -> tuple[str, int]:
    """A node as JavaScript, given its inputs, and how tightly that binds."""

    def part(place: int, binds: int) -> str:
        text, own = parts[place]
        return text if own >= binds else f"({text})"

    operation, texts = node.operation, [text for text, _ in parts]
    if operation == "leaf":
        return node.detail, _TIGHT
    if operation == "constant":
        return _number(float.fromhex(node.detail))
    if operation in _BINARY:
        sign, binds = _BINARY[operation]
        right = part(1, binds + 1)
        return f"{part(0, binds)}{sign}{f'({right})' if right.startswith(sign) else right}", binds
    if operation in ("fneg", "not"):
        inside = part(0, _SIGN)
        sign = "!" if operation == "not" else "-"
        return f"{sign}({inside})" if inside.startswith("-") else f"{sign}{inside}", _SIGN
    if operation == "select":
        return f"{part(0, _OR)}?{part(1, _CHOICE)}:{part(2, _CHOICE)}", _CHOICE
    if operation == "number":
        return f"{part(0, _OR)}?1:0", _CHOICE
    if operation == FINITE:
        return "&&".join(f"isFinite({text})" for text in texts), _AND if len(texts) > 1 else _TIGHT
    name = {"fabs": "abs", CALL: node.detail, "sqrt": "sqrt", "floor": "floor"}[operation]
    return f"{name}({','.join(texts)})", _TIGHT


def _number(number: float) -> tuple[str, int]:
    if math.isnan(number):
        return "NaN", _TIGHT
    if math.isinf(number):
        return ("1/0" if number > 0 else "-1/0"), _PRODUCT
    text = repr(number).removesuffix(".0").replace("e-0", "e-").replace("e+", "e")
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    return f"{sign}{digits.removeprefix('0') if digits.startswith('0.') else digits}", _SIGN if sign else _TIGHT


def _call(name: str) -> Callable[..., Node]:
    return lambda *parts: next(part for part in parts if isinstance(part, Node)).make(CALL, *parts, detail=name)


def _power(base: Any, exponent: Any) -> Any:
    if (short := short_power(base, exponent)) is not None:
        return short
    some = base if isinstance(base, Node) else exponent
    base, exponent = some.graph.of(base), some.graph.of(exponent)
    by_step = base.level == SETTING and exponent is exponent.graph.step
    return _call("stepPower" if by_step else "pow")(base, exponent)


def _whole_quotient(x: Any, divisor: Any) -> Any:
    quotient = (x - _call("remainder")(x, divisor)) / divisor + 0.5
    return quotient.make("floor", quotient)


def _over(operation: str) -> Callable[..., Any]:
    """A reduction over the coordinates, which are the last axis; what they share is its own."""

    def reduced(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        if axis != -1 or not keepdims:
            raise TypeError("over the coordinates it takes axis=-1, keepdims=True")
        return over_coordinates(operation, x)

    return reduced


def over_coordinates(operation: str, x: Node) -> Node:
    """A sum, or the like, over the coordinates; what all of them share is its own."""
    x = as_number(x) if operation in (SUM, LARGEST) else x
    return x.make(operation, x) if x.level == LANE else x


def _norm(x: Node, axis: int | None = None, keepdims: bool = False) -> Any:
    squares = _over(SUM)(x * x, axis, keepdims)
    return squares.make("sqrt", squares)


def _running_sum(x: Node, axis: int | None = None) -> Any:
    if axis != -1:
        raise TypeError("over the coordinates it takes axis=-1")
    return x.make(RUNNING_SUM, x)


# NumPy's functions on nodes: those that JavaScript has are called.
LIBRARY: Library = {
    **OF_NUMPY,
    **{name: _call(name) for name in ("cos", "exp", "expm1", "log", "log1p", "sign", "sin", "tanh", "cbrt")},
    "maximum": _call("max"),
    "minimum": _call("min"),
    "clip": lambda x, low, high: _call("min")(_call("max")(x, low), high),
    "power": _power,
    "remainder": _call("remainder"),
    "floor_divide": _whole_quotient,
    "where": where,
    "sum": _over(SUM),
    "max": _over(LARGEST),
    "norm": _norm,
    "cumsum": _running_sum,
    "zeros_like": lambda x: x.graph.of(0.0),
    # One for each coordinate: their sum is the number of coordinates.
    "ones_like": lambda x: x.graph.leaf("1", x.level),
}
