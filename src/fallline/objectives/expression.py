"""A formula's expressions: numbers, names, and operations on them; equal ones are stored once."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any


class Expression:
    """A number, a name, or an operation on other expressions. Made by a `Pool`, so that equal ones are identical.

    Attributes:
        operation: "number", "constant" (pi, e), "name", "+", "*", "**", or a function of the formula language.
        parts: the operands, in the order of the text; a quotient is a product with a power -1.
        detail: the number (a small fraction, else a float), or the name.
    """

    __slots__ = ("detail", "operation", "parts")

    def __init__(self, operation: str, parts: tuple[Expression, ...], detail: Any) -> None:
        self.operation = operation
        self.parts = parts
        self.detail = detail

    @property
    def is_number(self) -> bool:
        """Whether it is a number, which pi is not."""
        return self.operation == "number"

    @property
    def divisor(self) -> Expression | None:
        """What a factor divides by: the base of a power -1."""
        if self.operation == "**" and self.parts[1].detail == -1 and self.parts[1].is_number:
            return self.parts[0]
        return None

    def walk(self) -> Iterator[Expression]:
        """Every expression in this one, once, operands before operations."""
        seen: set[Expression] = set()
        waiting = [(self, False)]
        while waiting:
            expression, ready = waiting.pop()
            if ready:
                yield expression
            elif expression not in seen:
                seen.add(expression)
                waiting.append((expression, True))
                waiting += ((part, False) for part in reversed(expression.parts))


class Pool:
    """Makes expressions, each only once."""

    def __init__(self) -> None:
        self._made: dict[Any, Expression] = {}

    def make(self, operation: str, *parts: Expression, detail: Any = None) -> Expression:
        """The expression of an operation on these parts."""
        # As text 0.0 differs from -0.0, and a float from a fraction of the same size.
        key = (operation, detail.hex() if isinstance(detail, float) else detail, *map(id, parts))
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = Expression(operation, parts, detail)
        return made

    def name(self, name: str) -> Expression:
        """A variable or a step."""
        return self.make("name", detail=name)

    def number(self, value: Fraction | float) -> Expression:
        """A number."""
        return self.make("number", detail=value)
