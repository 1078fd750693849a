"""Formulas as text, and the lines on which the conventions of a rule differ."""

from __future__ import annotations

import pytest

import fallline
from fallline.optimizers import OPTIMIZERS, WRAPPERS
from fallline.optimizers.conventions import conventions, differences, formula


def test_adams_formula_is_the_papers_algorithm() -> None:
    # Kingma and Ba (2015), algorithm 1.
    assert formula(fallline.Adam()) == {
        "m": "beta1*m_old + g*(1 - beta1)",
        "v": "beta2*v_old + g**2*(1 - beta2)",
        "x": "x_old - m*rate/((1 - beta1**t)*(epsilon + sqrt(v/(1 - beta2**t))))",
    }


def test_adams_conventions_differ_in_where_epsilon_stands() -> None:
    found = differences(conventions("adam"))
    assert list(found) == ["x"]
    assert {names: text for text, names in found["x"].items()} == {
        ("paper", "torch", "optax"): "x_old - m*rate/((1 - beta1**t)*(epsilon + sqrt(v/(1 - beta2**t))))",
        ("keras",): "x_old - m*rate*sqrt(1 - beta2**t)/((1 - beta1**t)*(epsilon + sqrt(v)))",
        ("tutorial",): "x_old - m*(epsilon + rate/sqrt(v/(1 - beta2**t)))/(1 - beta1**t)",
    }


def test_the_defaults_are_those_a_rule_is_made_with() -> None:
    for name in OPTIMIZERS:
        for convention in conventions(name):
            rule = fallline.optimizers.optimizer_from_name(f"{name}@{convention.name}")
            assert {setting: getattr(rule, setting) for setting in convention.defaults} == dict(convention.defaults)


@pytest.mark.parametrize("name", [*OPTIMIZERS, *WRAPPERS])
def test_every_rule_has_a_formula_that_ends_with_x(name: str) -> None:
    for convention in conventions(name):
        assert list(convention.formula)[-1] == "x"
        text = " ".join(convention.formula.values())
        # Neither raw LaTeX nor SymPy's own names remain.
        assert "\\" not in text
        assert "Piecewise" not in text
        assert "Max(" not in text


def test_a_users_rule_has_a_formula_too() -> None:
    from dataclasses import dataclass
    from typing import Any

    @dataclass(frozen=True)
    class Halving(fallline.Optimizer[None]):
        learning_rate: float = 0.1

        def init(self, x: Any) -> None:
            return None

        def update(self, gradient: Any, state: None, rate: Any, step: Any) -> tuple[Any, None]:
            return rate * gradient / step, state

    assert formula(Halving()) == {"x": "x_old - g*rate/t"}
