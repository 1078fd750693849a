"""Hyperparameters of rules, schedules and conditions: default, allowed range and symbol, stated once."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from fallline.errors import FalllineError, nearest
from fallline.fields import fields_of


@dataclass(frozen=True)
class Range:
    """The values a hyperparameter may take: an interval, open or closed at each end, of whole numbers or floats."""

    low: float = -np.inf
    high: float = np.inf
    low_open: bool = False
    high_open: bool = False
    whole: bool = False

    def allows(self, value: Any) -> bool:
        """Whether the number, or every number of the array, lies in the range."""
        # The usual case without NumPy, which takes ten times as long.
        if type(value) is float and not self.whole and self.low < value < self.high:
            return True
        try:
            numbers = np.asarray(value)
        except (TypeError, ValueError):
            return False
        # Strings, booleans and complex numbers could be converted, but are taken for mistakes.
        if numbers.dtype.kind not in "iuf":
            return False
        above = numbers > self.low if self.low_open else numbers >= self.low
        below = numbers < self.high if self.high_open else numbers <= self.high
        whole = numbers == np.floor(numbers) if self.whole else True
        return bool(np.all(above & below & whole & np.isfinite(numbers)))

    def __str__(self) -> str:
        ends = []
        if self.low > -np.inf:
            ends.append(f"{'above' if self.low_open else 'at least'} {self.low:g}")
        if self.high < np.inf:
            ends.append(f"{'below' if self.high_open else 'at most'} {self.high:g}")
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} {' and '.join(ends)}".strip()


@dataclass(frozen=True)
class Hyperparameter:
    """The facts about one hyperparameter, from which checks, sliders, LaTeX and documentation are made.

    Attributes:
        range: the values allowed.
        symbol: its LaTeX symbol; None for a setting that selects a variant of the rule and is not in its formula.
        about: a short description.
        defaults: the default of each convention that differs from the paper's.
    """

    range: Range
    symbol: str | None
    about: str
    default: Any
    defaults: Mapping[str, float] = dataclasses.field(default_factory=dict)


class _ByConvention:
    """The placeholder for a field's default until the convention is known."""

    def __init__(self, known: Hyperparameter) -> None:
        self.known = known

    def __repr__(self) -> str:
        others = ", ".join(f"{name}: {value!r}" for name, value in self.known.defaults.items())
        return f"{self.known.default!r} ({others})"


def hyperparameter(
    default: Any = dataclasses.MISSING,
    *,
    about: str,
    symbol: str | None = None,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    whole: bool = False,
    defaults: Mapping[str, float] | None = None,
) -> Any:
    """A dataclass field with its allowed range; without a default it must be given.

    >>> @dataclass(frozen=True)
    ... class Rule:
    ...     beta: float = hyperparameter(0.9, about="decay", symbol=r"\\beta", at_least=0, below=1)
    ...     def __post_init__(self): check_hyperparameters(self)
    >>> Rule(beta=1)
    Traceback (most recent call last):
    fallline.errors.FalllineError: Rule: beta is 1; it must be a number at least 0 and below 1
    """
    low, low_open = (above, True) if above is not None else (at_least, False)
    high, high_open = (below, True) if below is not None else (at_most, False)
    allowed = Range(-np.inf if low is None else low, np.inf if high is None else high, low_open, high_open, whole)
    known = Hyperparameter(allowed, symbol, about, default, dict(defaults or {}))
    return dataclasses.field(default=_ByConvention(known) if defaults else default, metadata={"hyperparameter": known})


def hyperparameters(thing: Any) -> Mapping[str, Hyperparameter]:
    """The hyperparameters of a dataclass or an instance of one, by name."""
    return _of_class(thing if isinstance(thing, type) else type(thing))


@functools.lru_cache(maxsize=1024)
def _of_class(kind: type) -> Mapping[str, Hyperparameter]:
    known = {field.name: field.metadata.get("hyperparameter") for field in fields_of(kind)}
    return MappingProxyType({name: facts for name, facts in known.items() if facts})


def check_hyperparameters(thing: Any, checked: Mapping[str, tuple[type, ...]] | None = None) -> None:
    """Fill in the convention's defaults, refuse values out of range, and convert the rest to Python numbers.

    Arguments:
        thing: an instance of a dataclass with hyperparameters.
        checked: for some of them, types whose values are accepted as they are, such as a schedule.

    Raises:
        FalllineError: naming the class, the hyperparameter, its value and its range.
    """
    for name, known in hyperparameters(thing).items():
        value = getattr(thing, name)
        if isinstance(value, _ByConvention):
            value = known.defaults.get(thing.convention, known.default)
            object.__setattr__(thing, name, value)
        if checked and isinstance(value, checked.get(name, ())):
            continue
        # A number of the formula that JAX traces has no value yet.
        if known.symbol is not None and is_traced(value):
            continue
        allowed = known.range.allows(value)
        if allowed and np.ndim(value) == 0:
            # So 10.0 is accepted for 10, and powers of 2 and of 2.0 give the same results.
            object.__setattr__(thing, name, int(value) if known.range.whole else float(value))
        # Arrays, one number per run, are possible only for hyperparameters in the formula.
        elif not allowed or known.symbol is None:
            raise FalllineError(name, value, known.range, of=type(thing).__name__)


def is_traced(value: Any) -> bool:
    """Whether this is a number inside a function that JAX traces, such as a rate that optax injects."""
    jax: Any = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.core.Tracer) and np.shape(value) == ()


def check_convention(thing: Any, conventions: Mapping[str, str]) -> None:
    """Refuse a convention that the class does not have.

    Raises:
        FalllineError: naming the class, the convention and the ones it has.
    """
    if thing.convention not in tuple(conventions):
        raise FalllineError(
            "convention", thing.convention, nearest(str(thing.convention), conventions), of=type(thing).__name__
        )
