"""The base class of schedules, and their registry."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeGuard

from fallline.arrays import Quantity
from fallline.hyperparameters import check_convention, check_hyperparameters
from fallline.registry import Registry
from fallline.slips import CalledInOurWords

SCHEDULES: Registry[Schedule] = Registry("fallline.schedules")


@dataclass(frozen=True)
class Schedule(metaclass=CalledInOurWords):
    """A learning rate that changes with the step. Steps are counted from 1: `rate(1)` is the rate of the first step.

    The first setting of every schedule is the rate that it scales: doubling it doubles the rate of every step. All
    other rates are given as fractions of it.

    Attributes:
        name: the schedule's name on the command line.
        called: what titles call it; empty if that is its name in words.
        conventions: what libraries disagree on: the name of each convention, with a short description.
        needs_value: whether the rate depends on the objective's values during the run; see `watched`.
    """

    name: ClassVar[str]
    called: ClassVar[str] = ""
    conventions: ClassVar[Mapping[str, str]] = {"paper": ""}
    needs_value: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        SCHEDULES.enter(vars(cls).get("name", ""), cls)

    def __post_init__(self) -> None:
        if "convention" in self.__dataclass_fields__:
            check_convention(self, self.conventions)
        check_hyperparameters(self)

    @property
    def spelling(self) -> str:
        """The schedule's name in words."""
        return self.called or str(getattr(self, "name", type(self).__name__)).replace("_", " ")

    @abstractmethod
    def rate(self, step: Quantity) -> Quantity:
        """The rate of a step, or of each step of an array."""

    def watched(self, memory: Any, value: Quantity) -> Any:
        """The schedule's memory after the value at a point.

        If `needs_value` is true, engines call it at every point of a run, the start included.

        Arguments:
            memory: what the previous call returned, quantities in named tuples; None at the start.
            value: the objective at the point; for k runs at once an array of shape (k, 1).
        """
        return None

    def rate_after(self, memory: Any, step: Quantity) -> Quantity:
        """The rate of a step, given what `watched` returned at the point before it."""
        return self.rate(step)


def watches_values(rate: object) -> TypeGuard[Schedule]:
    """Whether a learning rate is a schedule that depends on the objective's values."""
    return isinstance(rate, Schedule) and rate.needs_value


def straight(start: Quantity, end: Quantity, part: Quantity) -> Quantity:
    """The rate on the line from the start to the end after this part of the way."""
    return start + (end - start) * part
