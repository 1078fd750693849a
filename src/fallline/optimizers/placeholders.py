"""Runs one step of a rule on placeholders, which record what the rule computes and what it calls it."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from fallline.hyperparameters import hyperparameters
from fallline.optimizers.base import Optimizer
from fallline.optimizers.noise import standard_normal
from fallline.proxy import OPERATORS, Library, Proxy, carried
from fallline.state import map_state, named_leaves

_NUMBERS = itertools.count()
# The operation of several numbers that stand in the rule's settings, one for each coordinate.
CONSTANT = "constant"
# The other functions that rules call, by NumPy's names.
FUNCTIONS = [
    "sqrt",
    "cbrt",
    "sign",
    "exp",
    "expm1",
    "log",
    "log1p",
    "sin",
    "cos",
    "tanh",
    "maximum",
    "minimum",
    "clip",
    "where",
    "sum",
    "cumsum",
    "norm",
    "max",
    "zeros_like",
    "ones_like",
]


class Placeholder:
    """A quantity of a step: given, or an operation on others.

    Attributes:
        operation: NumPy's name of what is done; "" for a quantity that is given.
        inputs: what it is done to: placeholders and numbers.
        settings: the keywords of the operation.
        number: later ones have higher numbers.
    """

    __slots__ = ("inputs", "number", "operation", "settings")

    def __init__(self, operation: str = "", inputs: tuple[Any, ...] = (), settings: Mapping[str, Any] | None = None):
        self.operation, self.inputs, self.settings = operation, inputs, settings or {}
        self.number = next(_NUMBERS)


def _recorded(name: str) -> Callable[..., Placeholder]:
    return lambda *inputs, **settings: Placeholder(name, tuple(map(_input, inputs)), settings)


def _input(part: Any) -> Any:
    """What an operation is done to; several numbers, such as the bounds of a box, are a placeholder of their own."""
    return Placeholder(CONSTANT, settings={"numbers": part}) if np.ndim(part) else part


RECORDED: Library = {name: _recorded(name) for name in (*FUNCTIONS, standard_normal.__name__, *OPERATORS)}


@dataclass(frozen=True)
class RecordedStep:
    """One step of a rule on placeholders.

    Attributes:
        x: the point before the step.
        place: where the gradient is taken.
        gradient, rate, step: the gradient there, the learning rate and the number of the step.
        before: each part of the state before the step, by its name.
        after: the part after it.
        change: what is subtracted from x.
        hyperparameters: each setting that is a number of the formula, by its name; of a rule inside as "rule.beta1".
        named: what the code of `update` calls a name, by the places that `observed` gives.
    """

    x: Placeholder
    place: Any
    gradient: Placeholder
    rate: Placeholder
    step: Placeholder
    before: dict[str, Placeholder]
    after: dict[str, Any]
    change: Any
    hyperparameters: dict[str, Placeholder]
    named: dict[tuple[int, str], Any]


def recorded_step(rule: Optimizer[Any], coordinates: int | None = None) -> RecordedStep:
    """Run the rule's own `init`, `lookahead` and `update` on placeholders.

    Arguments:
        rule: the rule.
        coordinates: how many x has, for code that asks for its shape; None if any number is meant.

    Raises:
        FalllineError: when its code needs a number to go on, as `if` does.

    >>> from fallline import Momentum
    >>> run = recorded_step(Momentum())
    >>> run.change.operation, run.change is run.after["velocity"]
    ('add', True)
    """
    settings = {path: Placeholder() for path in formula_settings(rule)}
    kind = Proxy if coordinates is None else _of_shape(1, coordinates)
    stand_in = _with_placeholders(rule, settings, kind)
    x, gradient, rate, step = (Placeholder() for _ in range(4))
    template = carried(stand_in.init, RECORDED, kind)(x)
    before = {name: Placeholder() for name, _ in named_leaves(template)}
    names = iter(before.values())
    state = map_state(lambda leaf: next(names), template)
    place = carried(stand_in.lookahead, RECORDED, kind)(x, state)
    named: dict[tuple[int, str], Any] = {}

    def update(*arguments: Any) -> Any:
        made, seen = observed(stand_in.update, *arguments)
        # An array of numbers stands for itself, which no formula does.
        named.update({where: part.value for where, part in seen.items() if isinstance(part, Proxy)})
        return made

    change, after = carried(update, RECORDED, kind)(gradient, state, rate, step)
    return RecordedStep(x, place, gradient, rate, step, before, dict(named_leaves(after)), change, settings, named)


def formula_settings(rule: Optimizer[Any], prefix: str = "") -> dict[str, Any]:
    """The settings that are numbers of the formula, with their values, by name; of a rule inside as "rule.beta1"."""
    known = hyperparameters(rule)
    found: dict[str, Any] = {
        f"{prefix}{name}": getattr(rule, name)
        for name, about in known.items()
        if about.symbol is not None and name != "learning_rate"
    }
    for field in dataclasses.fields(rule):
        value = getattr(rule, field.name)
        # Settings of a user's rule may be plain fields.
        if isinstance(value, float) and field.name != "learning_rate" and field.name not in known:
            found[f"{prefix}{field.name}"] = value
        if isinstance(value, Optimizer):
            found |= formula_settings(value, f"{prefix}{field.name}.")
    return found


def _of_shape(*shape: int) -> type[Proxy]:
    """The kind of proxies that say they are of this shape."""
    return type("Shaped", (Proxy,), {"__slots__": (), "shape": shape})


def _with_placeholders(
    rule: Optimizer[Any], settings: Mapping[str, Placeholder], kind: type[Proxy], prefix: str = ""
) -> Optimizer[Any]:
    """The rule, and any rule inside it, with placeholders for these settings."""
    stand_in = copy.copy(rule)
    for field in dataclasses.fields(rule):
        path, value = f"{prefix}{field.name}", getattr(rule, field.name)
        if path in settings:
            object.__setattr__(stand_in, field.name, kind(settings[path], RECORDED))
        if isinstance(value, Optimizer):
            object.__setattr__(stand_in, field.name, _with_placeholders(value, settings, kind, f"{path}."))
    return stand_in


def observed(update: Callable[..., Any], *arguments: Any) -> tuple[Any, dict[tuple[int, str], Any]]:
    """Call a rule's `update`, and see what its code calls by name.

    Returns:
        What it returned; and each quantity that was the value of a local name when a call of `update` ended, of this
        rule or of one inside it, by the number of the call, in the order in which they ended, and the name. Arguments
        are left out unless their names got other values. Of a tuple the parts are named "name.0", "name.1".
    """
    seen: dict[tuple[int, str], Any] = {}
    calls = itertools.count()
    begun: dict[Any, dict[str, Any]] = {}

    def watch(frame: Any, event: str, _: Any) -> None:
        code = frame.f_code
        if code.co_name != "update" or not code.co_argcount:
            return
        names = dict(frame.f_locals)
        if event == "call" and isinstance(names.get(code.co_varnames[0]), Optimizer):
            begun[frame] = names
        elif event == "return" and frame in begun:
            given, call = begun.pop(frame), next(calls)
            for name in code.co_varnames:
                if name in names and names[name] is not given.get(name, seen):
                    leaves = named_leaves(names[name], name)
                    seen.update({(call, path): part for path, part in leaves if not isinstance(part, list | str)})

    def watched() -> Any:
        sys.setprofile(watch)
        try:
            with np.errstate(all="ignore"):
                return update(*arguments)
        finally:
            sys.setprofile(None)

    # In a thread of its own, so that a profiler at work in this one keeps its place.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(watched).result(), seen


def needed_for(wanted: Iterable[Any], known: Mapping[Placeholder, Any]) -> Iterator[Placeholder]:
    """The placeholders from which the wanted ones are computed, and these, in the order of computation.

    What the known ones are computed from is left out.
    """
    found: set[Placeholder] = set()
    left = [part for part in wanted if isinstance(part, Placeholder)]
    while left:
        part = left.pop()
        if part not in found and part not in known:
            found.add(part)
            left += [inside for inside in part.inputs if isinstance(inside, Placeholder)]
    return iter(sorted(found, key=lambda part: part.number))


def evaluated(wanted: Any, library: Library, known: Mapping[Placeholder, Any]) -> Any:
    """What a placeholder stands for in a library, given what some of those that it is computed from stand for.

    >>> from fallline import GradientDescent
    >>> run = recorded_step(GradientDescent())
    >>> evaluated(run.change, {}, {run.gradient: 3.0, run.rate: 0.5})
    1.5
    """
    values: dict[Any, Any] = dict(known)

    def value(part: Any) -> Any:
        return values[part] if isinstance(part, Placeholder) else part

    for part in needed_for([wanted], known):
        function = library.get(part.operation) or OPERATORS[part.operation]
        values[part] = function(*map(value, part.inputs), **part.settings)
    return value(wanted)
