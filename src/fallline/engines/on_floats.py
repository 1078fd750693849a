"""A step of an elementwise rule as straight-line code on floats: for one point quicker than arrays, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.objectives.floats import ON_FLOATS
from fallline.optimizers import Optimizer
from fallline.proxy import Library, Proxy
from fallline.state import map_state, named_leaves

# What NumPy's operators and functions are in the code. Those that ON_FLOATS has give up (ArithmeticError), as a
# division by zero does, where the arrays' answer takes more than a line.
_OPERATORS = {
    "add": "{} + {}",
    "subtract": "{} - {}",
    "multiply": "{} * {}",
    "divide": "{} / {}",
    "negative": "-{}",
    "absolute": "abs({})",
    "less": "{} < {}",
    "less_equal": "{} <= {}",
    "greater": "{} > {}",
    "greater_equal": "{} >= {}",
    "equal": "{} == {}",
    "not_equal": "{} != {}",
}
_FUNCTIONS = {
    "sqrt": "sqrt({})",
    "sign": "sign({})",
    "minimum": "min({}, {})",
    "maximum": "max({}, {})",
    "where": "{1} if {0} else {2}",
}


class NotOnFloats(Exception):
    """The rule does what has no such code."""


class _Term(NamedTuple):
    """A number in the code; `wide` if each coordinate has its own, so that on arrays it would be one of an array."""

    text: str
    wide: bool


class _Code:
    """The lines of a step, equal lines shared."""

    def __init__(self) -> None:
        self.lines: dict[str, str] = {}
        self.library: Library = {
            "power": self._power,
            **{name: self._as(form) for name, form in _OPERATORS.items()},
            **{name: self._as(form, exact=False) for name, form in _FUNCTIONS.items()},
        }

    def term(self, text: str, wide: bool) -> Proxy:
        return Proxy(_Term(text, wide), self.library)

    def _as(self, form: str, exact: bool = True) -> Callable[..., _Term]:
        return lambda *parts: self.line(form, parts, exact)

    def line(self, form: str, parts: Iterable[Any], exact: bool = True) -> _Term:
        """A line for an operation; `exact` if whole numbers stay whole in it where no coordinate has a part."""
        parts = tuple(parts)
        wide = any(isinstance(part, _Term) and part.wide for part in parts)
        right = form.format(*(text(part, exact and not wide) for part in parts))
        return _Term(self.lines.setdefault(right, f"t{len(self.lines)}"), wide)

    def _power(self, base: Any, exponent: Any) -> _Term:
        if not any(isinstance(part, _Term) and part.wide for part in (base, exponent)):
            return self.line("{} ** {}", (base, exponent))
        if exponent == 2:  # which NumPy computes as a product; it has other ways with other powers
            return self.line("{} * {}", (base, base))
        raise NotOnFloats


def text(part: Any, exact: bool = False) -> str:
    """A term, or a number, in the code."""
    if isinstance(part, _Term):
        return part.text
    if not isinstance(part, int | float):
        raise NotOnFloats
    return f"({part!r})" if exact else f"({float(part)!r})"


class OnFloats:
    """The steps of a rule from one point.

    Arguments:
        optimizer: the rule, one of Fallline's own.
        x: the point, shape (1, n).
        state: the rule's state there.

    Attributes:
        looks_ahead: whether the rule wants its gradient at another place than x.

    Raises:
        NotOnFloats: when the rule does what has no such code.
    """

    def __init__(self, optimizer: Optimizer[Any], x: FloatArray, state: Any) -> None:
        n = x.shape[1]
        self._form = state
        self._wide = [np.shape(leaf) == (1, n) for _, leaf in named_leaves(state)]
        for wide, (_, leaf) in zip(self._wide, named_leaves(state), strict=True):
            if not (optimizer.elementwise and (wide or isinstance(leaf, int | float))):
                raise NotOnFloats
        code = _Code()
        try:
            parts = [self._coordinate(optimizer, code, i) for i in range(n)]
        except (FalllineError, TypeError, ValueError):  # what stands in for a number is none
            raise NotOnFloats from None
        changes, points, places, states = zip(*parts, strict=True)
        self.looks_ahead = places[0] is not None
        leaves = []
        for wide, of_each in zip(self._wide, zip(*states, strict=True), strict=True):
            if not wide and (len(set(of_each)) > 1 or of_each[0].wide):
                raise NotOnFloats
            leaves.append(_row(of_each) if wide else of_each[0].text)
        taken = [_names(f"s{j}_", n) if wide else f"s{j}" for j, wide in enumerate(self._wide)]
        source = [
            "def step(x, gradient, state, rate, step):",
            f"{_names('x', n)} = x",
            f"{_names('g', n)} = gradient",
            *([f"{', '.join(taken)}, = state"] if taken else []),
            *(f"{name} = {right}" for right, name in code.lines.items()),
            f"return {_row(changes)}, {_row(points)}, {_row(places) if self.looks_ahead else None}, "
            f"({''.join(f'{leaf}, ' for leaf in leaves)})",
        ]
        names: dict[str, Any] = {**ON_FLOATS, "inf": np.inf, "nan": np.nan}
        # The code is made of the names above, of numbers and of the operators: nothing of the user's gets into it.
        exec(compile("\n    ".join(source), f"<{type(optimizer).__name__}>", "exec"), names)  # noqa: S102
        self.step: Callable[..., tuple[Any, Any, Any, Any]] = names["step"]

    def _coordinate(self, optimizer: Optimizer[Any], code: _Code, i: int) -> tuple[Any, Any, Any, list[Any]]:
        """Write down the step of one coordinate: the change, the next point, the place of the gradient, the state."""
        parts = iter([code.term(f"s{j}_{i}" if wide else f"s{j}", wide) for j, wide in enumerate(self._wide)])
        state = map_state(lambda _: next(parts), self._form)
        scalars = (code.term("rate", wide=False), code.term("step", wide=False))
        change, state = optimizer.update(code.term(f"g{i}", wide=True), state, *scalars)
        x = Proxy(code.line("{} - {}", (_Term(f"x{i}", True), _value(change))), code.library)
        place = optimizer.lookahead(x, state)
        after = [_value(leaf) for _, leaf in named_leaves(state)]
        return _value(change), x.value, None if place is x else _value(place), after

    def leaves(self, state: Any) -> list[Any]:
        """The state as `step` takes it."""
        return [
            leaf.tolist()[0] if wide else leaf for wide, (_, leaf) in zip(self._wide, named_leaves(state), strict=True)
        ]

    def state(self, leaves: Sequence[Any]) -> Any:
        """The state that `step` returned, as the rule has it."""
        parts = iter([np.array([leaf]) if wide else leaf for wide, leaf in zip(self._wide, leaves, strict=True)])
        return map_state(lambda _: next(parts), self._form)


def _value(part: Any) -> _Term:
    """The term that a rule returned, or a number as one."""
    value = part.value if isinstance(part, Proxy) else part
    return value if isinstance(value, _Term) else _Term(text(value, exact=True), False)


def _row(terms: Iterable[_Term]) -> str:
    return f"({''.join(f'{term.text}, ' for term in terms)})"


def _names(stem: str, n: int) -> str:
    return f"({''.join(f'{stem}{i}, ' for i in range(n))})"
