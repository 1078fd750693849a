"""Compares a rule's conventions line by line: the formulas, made from its source, and the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy
from sympy.printing.str import StrPrinter

from fallline.hyperparameters import hyperparameters
from fallline.optimizers import WRAPPERS, Optimizer, optimizer_from_name
from fallline.optimizers.latex import assignments, symbolic, with_short_memory


@dataclass(frozen=True)
class Convention:
    """A rule as one library implements it.

    Attributes:
        name: the convention.
        about: a short description of the difference.
        formula: the new value of each quantity after a step, by the quantity's name, in order; x comes last.
        defaults: the default of each hyperparameter.
    """

    name: str
    about: str
    formula: Mapping[str, str]
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
        for convention in known:
            text = convention.formula.get(quantity, "-")
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
    run = symbolic(with_short_memory(rule))
    place, lines = assignments(run, _named)
    words = {symbol: sympy.Symbol(name.split(".")[-1]) for name, symbol in run.hyperparameters.items()}
    words |= {run.rate: sympy.Symbol("rate"), run.step: sympy.Symbol("t")}
    texts: dict[str, str] = {}
    if place != _named("x", "t-1"):
        texts["g"] = f"slope at {_text(place.xreplace(words))}"
    for symbol, expression in lines[:-1]:
        texts[symbol.name] = _text(expression.xreplace(words))
    change = lines[-1][1].xreplace(words)
    negative = change.could_extract_minus_sign()
    shown = _text(-change if negative else change)
    shown = f"({shown})" if change.is_Add else shown
    texts["x"] = f"x_old {'+' if negative else '-'} {shown}"
    return texts


def _rule(name: str) -> Optimizer[Any]:
    """The rule with this name; a wrapper is put around gradient descent."""
    around = name.partition("@")[0] in WRAPPERS
    return optimizer_from_name(f"{name}:gradient_descent" if around else name)


def _named(name: str, index: str) -> sympy.Symbol:
    """The symbol of a part of the state, as plain text names it."""
    words = name.split(".")
    letter = ["s", *(word for word in words if not word.isdecimal())][-1]
    place = "".join(f"[{word}]" for word in words if word.isdecimal())
    old = "_old" if index == "t-1" else ""
    return sympy.Symbol(f"{letter}{old}{place}")


class _Printer(StrPrinter):  # type: ignore[misc]
    """SymPy's printer, with NumPy's names of functions."""

    def _called(self, name: str, expression: Any) -> str:
        return f"{name}({', '.join(map(self._print, expression.args))})"

    def _print_Where(self, expression: Any) -> str:
        return self._called("where", expression)

    def _print_Max(self, expression: Any) -> str:
        return self._called("max", expression)

    def _print_Min(self, expression: Any) -> str:
        return self._called("min", expression)

    def _print_Abs(self, expression: Any) -> str:
        return self._called("abs", expression)

    def _print_Norm(self, expression: Any) -> str:
        return self._called("norm", expression)

    def _print_Total(self, expression: Any) -> str:
        return self._called("sum", expression)

    def _print_StandardNormal(self, expression: Any) -> str:
        return "noise"

    def _print_Equality(self, expression: Any) -> str:
        return f"{self._print(expression.lhs)} == {self._print(expression.rhs)}"


def _text(expression: sympy.Expr) -> str:
    text: str = _Printer().doprint(expression)
    return text
