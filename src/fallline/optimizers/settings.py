"""Access to a rule's settings by name, including those of an inner rule or a schedule."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from fallline.errors import FalllineError, nearest
from fallline.hyperparameters import Hyperparameter, hyperparameters
from fallline.line_search import LineSearch
from fallline.optimizers.base import LearningRate, Optimizer, layers
from fallline.schedules import Schedule


def with_settings(rule: Optimizer[Any], settings: Mapping[str, Any]) -> Optimizer[Any]:
    """The rule with other hyperparameters: its own, or those of the rule or the schedule inside it.

    Raises:
        FalllineError: when there is no setting of a name, or a value is out of range.

    >>> from fallline import Adam, Cautious, Cosine
    >>> with_settings(Cautious(Adam(Cosine(0.1, 50))), {"learning_rate": 0.3, "beta1": 0.8}).label
    "cautious, of adam, Cosine(initial=0.3, steps=50, final=0.0, convention='paper'), beta1 0.8"
    """
    for name, value in settings.items():
        rule = _replaced(rule, _known_path(rule, name), value)
    return rule


def with_learning_rate(rule: Optimizer[Any], rate: LearningRate) -> Optimizer[Any]:
    """The rule, or the one inside its wrappers, with another number, schedule or line search in place of its rate.

    >>> from fallline import Adam, Cautious, Cosine
    >>> with_learning_rate(Cautious(Adam(0.1)), Cosine(0.1, 50)).rule.learning_rate == Cosine(0.1, 50)
    True
    """
    *wrappers, inner = layers(rule)
    found = dataclasses.replace(inner, learning_rate=rate)
    for wrapper in reversed(wrappers):
        found = dataclasses.replace(wrapper, rule=found)
    return found


def setting_of(rule: Optimizer[Any], name: str) -> tuple[Any, Hyperparameter | None]:
    """A setting of the rule, or of a rule or schedule inside it, with its `Hyperparameter` if it is one.

    Raises:
        FalllineError: when the rule has none of that name.
    """
    *inside, last = _known_path(rule, name)
    owner: Any = rule
    for part in inside:
        owner = getattr(owner, part)
    return getattr(owner, last), hyperparameters(owner).get(last)


def has_setting(rule: Optimizer[Any], name: str) -> bool:
    """Whether the rule, or a rule or schedule inside it, has a setting of that name."""
    return _path(rule, name) is not None


def _known_path(rule: Optimizer[Any], name: str) -> tuple[str, ...]:
    path = _path(rule, name)
    if path is None:
        label = rule.label.partition(",")[0]
        raise FalllineError(
            name, problem=f"is no hyperparameter of {label}", allowed=nearest(str(name), _settings(rule))
        )
    return path


def _path(settings: Any, name: str) -> tuple[str, ...] | None:
    """The path of fields to a hyperparameter; None if there is none of that name."""
    own = [field.name for field in dataclasses.fields(settings) if field.init]
    if name in own:
        return (name, *_first_rate(getattr(settings, name)))
    for part in own:
        inner = getattr(settings, part)
        if dataclasses.is_dataclass(inner):
            rest = _path(inner, name)
            if rest is not None:
                return (part, *rest)
    return None


def _first_rate(rate: Any) -> tuple[str, ...]:
    """The path of fields from a schedule or a line search to its initial rate; empty for a number."""
    if isinstance(rate, LineSearch):
        return ("initial",)
    if isinstance(rate, Schedule):
        first = dataclasses.fields(rate)[0].name
        return (first, *_first_rate(getattr(rate, first)))
    return ()


def _replaced(settings: Any, path: tuple[str, ...], value: Any) -> Any:
    first, *rest = path
    return dataclasses.replace(
        settings, **{first: _replaced(getattr(settings, first), tuple(rest), value) if rest else value}
    )


def _settings(settings: Any) -> list[str]:
    """The names of all settings of a rule and of the rules and schedules inside it."""
    names = []
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if field.init:
            names += _settings(value) if dataclasses.is_dataclass(value) else [field.name]
    return names
