"""Compares a rule's conventions line by line: the formulas, made from its source, and the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fallline.hyperparameters import hyperparameters
from fallline.optimizers import WRAPPERS, Optimizer, optimizer_from_name
from fallline.optimizers.latex import with_short_memory
from fallline.optimizers.lines import X_BEFORE, X, lines_of
from fallline.optimizers.plain_text import in_words, moved_text, plain_text


@dataclass(frozen=True)
class Convention:
    """A rule as one library implements it.

    Attributes:
        name: the convention.
        about: a short description of the difference.
        formula: the new value of each quantity after a step, by the quantity's name, in order; x comes last.
        computed: for each of them a number, which is the same where it is computed in the same way.
        defaults: the default of each hyperparameter.
    """

    name: str
    about: str
    formula: Mapping[str, str]
    computed: Mapping[str, int]
    defaults: Mapping[str, Any]


def conventions(rule: str) -> tuple[Convention, ...]:
    """Every convention of the rule with this name, the paper's first.

    Raises:
        FalllineError: when there is no such rule.

    >>> paper, *_, tutorial = conventions("adagrad")
    >>> paper.formula["x"], tutorial.formula["x"]
    ('x_old - g*rate/(epsilon + sqrt(total))', 'x_old - g*(epsilon + rate/sqrt(total))')
    """
    kind = type(_rule(rule))
    return tuple(
        Convention(
            name=name,
            about=about,
            formula=formula(_rule(f"{rule}@{name}")),
            computed=computed(_rule(f"{rule}@{name}")),
            defaults={
                setting: known.defaults.get(name, known.default) for setting, known in hyperparameters(kind).items()
            },
        )
        for name, about in kind.conventions.items()
    )


def differences(known: tuple[Convention, ...]) -> dict[str, dict[str, tuple[str, ...]]]:
    """The lines of the formula on which the conventions differ.

    Returns:
        For each quantity, the different lines with the conventions that use them; "-" stands for no line.

    >>> list(differences(conventions("adagrad")))
    ['x']
    """
    quantities = dict.fromkeys(quantity for convention in known for quantity in convention.formula)
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for quantity in quantities:
        texts: dict[str, tuple[str, ...]] = {}
        written: dict[int | None, str] = {}
        for convention in known:
            # The same computation may be written with other names for its parts.
            text = convention.formula.get(quantity, "-")
            text = written.setdefault(convention.computed.get(quantity), text)
            texts[text] = (*texts.get(text, ()), convention.name)
        if len(texts) > 1:
            found[quantity] = texts
    return found


def formula(rule: Optimizer[Any]) -> dict[str, str]:
    """The new value of each quantity after a step of the rule, as plain text: by its name, x last.

    `g` is the gradient, `t` the step counted from 1, and "_old" marks a quantity's value before the step.

    >>> import fallline
    >>> formula(fallline.Momentum())
    {'velocity': 'g*rate + momentum*velocity_old', 'x': 'x_old - velocity'}
    >>> formula(fallline.Nesterov())["g"]
    'slope at -momentum*velocity_old + x_old'
    """
    step = lines_of(with_short_memory(rule))
    words = in_words(step)
    texts: dict[str, str] = {}
    if step.place != X_BEFORE:
        texts["g"] = f"slope at {plain_text(step.place.xreplace(words))}"
    for line in step.lines:
        texts[step.letters[line.symbol].text] = plain_text(line.expression.xreplace(words))
    texts[X] = moved_text(step.change.expression.xreplace(words))
    return texts


def computed(rule: Optimizer[Any]) -> dict[str, int]:
    """For each quantity of `formula` a number, which is the same where it is computed in the same way."""
    step = lines_of(with_short_memory(rule))
    return {step.letters[line.symbol].text: line.computed for line in step.lines} | {X: step.change.computed}


def _rule(name: str) -> Optimizer[Any]:
    """The rule with this name; a wrapper is put around gradient descent."""
    around = name.partition("@")[0] in WRAPPERS
    return optimizer_from_name(f"{name}:gradient_descent" if around else name)
