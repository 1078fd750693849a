"""The settings of rules, schedules and conditions as the page offers them: ranges, sliders, defaults, choices."""

from __future__ import annotations

import dataclasses
import itertools
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fallline.errors import FalllineError
from fallline.experiments.tune import Interval
from fallline.explorer.formulas import symbol_of
from fallline.explorer.literals import Code
from fallline.explorer.tracing import changed, open_settings, settings_of
from fallline.hyperparameters import Hyperparameter, Range, hyperparameters
from fallline.optimizers import Optimizer

# How many numbers a setting has room for that is a list.
MOST_NUMBERS = 8
# What is offered of a count by which the code is made, such as the length of a memory.
_COUNTS = (0, 1, 3, 10, 100)
# Stands for any number among the values that are offered of a setting.
ANY_NUMBER = "any"


@dataclass(frozen=True)
class Setting:
    """A setting of a rule, schedule or condition.

    Attributes:
        path: its name, with the names of the parts that it is in.
        known: its facts; None for one that has none, such as a boolean.
        value: what it is by default.
        place: its index in the array of settings.
        offered: the values for each of which there is code; None if the code takes it from the array.
        is_needed: whether it has no default, so that `value` is only a likely one.
    """

    path: str
    known: Hyperparameter | None
    value: Any
    place: int = 0
    offered: tuple[Any, ...] | None = None
    is_needed: bool = False

    def described(self, others: Sequence[Any] = ()) -> tuple[list[Any], dict[str, Any]]:
        """What the page is told of it, in order, and of the values allowed.

        Arguments:
            others: its defaults in other conventions.
        """
        known, value = self.known, self.value
        allowed = Range() if known is None else known.range
        choices = None if self.offered is None or ANY_NUMBER in self.offered else self.offered
        span = slider(self.path, known, value[0] if isinstance(value, tuple) else value, others)
        described = [
            self.path,
            symbol_of(self.path, None if known is None else known.symbol),
            "" if known is None else known.about,
            Code("null") if self.value is None or self.is_needed else self.value,
            span.low,
            span.high,
            int(span.log),
            span.origin,
            choices,
            MOST_NUMBERS if isinstance(value, tuple) else 1,
            int(self.offered is not None and ANY_NUMBER in self.offered),
        ]
        # What is as usual at the end is left out.
        usual: list[Any] = [0, 0, None, 1, 0]
        while usual and described[-1] == usual.pop():
            described.pop()
        limits = {
            "allowed": str(allowed),
            "least": allowed.low,
            "most": allowed.high,
            "leastOpen": allowed.low_open,
            "mostOpen": allowed.high_open,
            "whole": allowed.whole,
        }
        return described, limits


def settings_offered(
    thing: Any, trace: Callable[[Any, Mapping[str, int]], object], is_short: Callable[[Any, str, Any], bool]
) -> tuple[Setting, ...]:
    """The settings of a rule, schedule or condition, found out by tracing it.

    Arguments:
        thing: the rule, schedule or condition.
        trace: traces such a thing, given the indices of its open settings.
        is_short: whether the code of such a thing with another value of a setting is short enough for the page.
    """
    values = dict(settings_of(thing))
    bare = placed(Setting(path, None, value) for path, value in values.items())
    places = {setting.path: setting.place for setting in bare}
    numbers = [path for path, value in values.items() if isinstance(value, int | float | tuple)]
    numbers = [path for path in numbers if not isinstance(values[path], bool)]
    is_open = open_settings(numbers, lambda some: trace(thing, {path: places[path] for path in some}))
    settings = []
    for path, value in values.items():
        owner, name = _owner(thing, path)
        known = hyperparameters(owner).get(name)
        offered = None
        if path not in is_open:
            all_of_them = _offered(owner, name, known, value)
            short = tuple(choice for choice in all_of_them if is_short(thing, path, choice))
            offered = short or (value,)
        is_needed = not isinstance(thing, Optimizer) and known is not None and known.default is dataclasses.MISSING
        settings.append(Setting(path, known, value, places[path], offered, is_needed))
    return tuple(settings)


def placed(settings: Iterable[Setting]) -> tuple[Setting, ...]:
    """The settings one after another in the array of settings."""
    kept = tuple(settings)
    sizes = [MOST_NUMBERS if isinstance(setting.value, tuple) else 1 for setting in kept]
    places = itertools.accumulate(sizes, initial=0)
    return tuple(dataclasses.replace(setting, place=place) for setting, place in zip(kept, places, strict=False))


def _owner(thing: Any, path: str) -> tuple[Any, str]:
    *inside, name = path.split(".")
    return (operator.attrgetter(".".join(inside))(thing) if inside else thing), name


def _offered(owner: Any, name: str, known: Hyperparameter | None, value: Any) -> tuple[Any, ...]:
    """The values that are offered of a setting that the code is made for."""
    if isinstance(value, bool):
        return (False, True)
    if isinstance(value, str):
        return tuple(getattr(type(owner), f"{name.upper()}S", (value,)))
    if value is None:
        return (None, ANY_NUMBER)
    if isinstance(value, int) and known is not None:
        return tuple(sorted({count for count in (*_COUNTS, value) if known.range.allows(count)}))
    return (value,)


def variants(thing: Any, settings: Sequence[Setting]) -> Iterator[tuple[Any, dict[str, int]]]:
    """The thing with each combination of the values for which there is code, and the places of its open settings.

    The last setting changes fastest.
    """
    shaping = [setting for setting in settings if setting.offered is not None]
    for chosen in itertools.product(*(setting.offered or () for setting in shaping)):
        variant, places = thing, {setting.path: setting.place for setting in settings if setting.offered is None}
        for setting, value in zip(shaping, chosen, strict=True):
            if value == ANY_NUMBER:
                places[setting.path] = setting.place
            variant = changed(variant, setting.path, 1.0 if value == ANY_NUMBER else value)
        yield variant, places


def slider(path: str, known: Hyperparameter | None, value: Any, others: Sequence[Any]) -> Interval:
    """The numbers between the ends of a setting's slider.

    Arguments:
        path: the setting.
        known: its facts.
        value: its default.
        others: its defaults in other conventions, for where its own says too little.
    """
    for likely in (value, *sorted(others, reverse=True)):
        try:
            return Interval.of(path, known, likely)
        except FalllineError:
            continue
    allowed = Range() if known is None else known.range
    low = max(allowed.low, -1.0)
    return Interval(low, min(allowed.high, low + (10 if allowed.whole else 1)), whole=allowed.whole)
