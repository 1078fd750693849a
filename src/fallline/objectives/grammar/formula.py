"""A parsed formula."""

from __future__ import annotations

from dataclasses import dataclass, field

from fallline.objectives.expression import Expression


@dataclass(frozen=True)
class Formula:
    """A parsed formula: its text and the names of its variables determine the rest.

    Attributes:
        text: what was written, on one line.
        reading: the same with every sign written: how it was understood.
        variables: the names of its variables, in natural order (x2 before x10).
        steps: the named steps, in order; each in terms of variables and of earlier steps.
        expression: the last line, in terms of variables and steps.
        name: the name of the last line; "f" if it has none.
    """

    text: str
    reading: str = field(compare=False)
    variables: tuple[str, ...]
    steps: tuple[tuple[str, Expression], ...] = field(compare=False)
    expression: Expression = field(compare=False)
    name: str

    @property
    def lines(self) -> tuple[tuple[str, Expression], ...]:
        """The steps, and the last line with its name."""
        return (*self.steps, (self.name, self.expression))
