"""A constant rate, which also stands for a number given where a schedule may hold another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from fallline.arrays import Quantity
from fallline.errors import FalllineError
from fallline.hyperparameters import hyperparameter
from fallline.schedules.base import Schedule


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate at every step.

    Attributes:
        initial: the rate.

    >>> Constant(0.1).rate(1000)
    0.1
    """

    name: ClassVar[str] = "constant"

    initial: float = hyperparameter(about="rate of the first step", symbol=r"\eta_0", above=0)

    def rate(self, step: Quantity) -> Quantity:
        return self.initial


def make_schedule(schedule: Any) -> None:
    """Replace a number given for the schedule that this one holds, `after`, by a constant schedule."""
    after = schedule.after if isinstance(schedule.after, Schedule) else Constant(schedule.after)
    if after.needs_value:
        raise FalllineError(
            "after",
            problem=f"is a {type(after).__name__}, which no other schedule may hold",
            of=type(schedule).__name__,
        )
    object.__setattr__(schedule, "after", after)
