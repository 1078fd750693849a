"""The lines in which two rules differ."""

from __future__ import annotations

from typing import Any

import pytest
from tests.optimizers.rules import RULES

from fallline import Adam, AdamW, AMSGrad, GradientDescent, Lookahead, Momentum, Nesterov, Optimizer, WeightDecay
from fallline.optimizers.comparing import different_lines
from fallline.optimizers.lines import lines_of


@pytest.mark.parametrize("name", RULES)
def test_a_rule_differs_from_itself_in_no_line(name: str) -> None:
    assert different_lines(RULES[name], RULES[name]) == {}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        # Sutskever et al. (2013): Nesterov's momentum is Polyak's with the gradient taken ahead.
        (Momentum(), Nesterov(), {"g": ("-", "slope at -momentum*velocity_old + x_old")}),
        (GradientDescent(), Momentum(), {"velocity": ("-", "g*rate + momentum*velocity_old"),
                                         "x": ("x_old - g*rate", "x_old - velocity")}),
        (
            Momentum(),
            WeightDecay(Momentum()),
            {"change": ("-", "decay*x_old + velocity"), "x": ("x_old - velocity", "x_old - change")},
        ),
    ],
)  # fmt: skip
def test_the_lines_are_those_of_the_formulas(
    one: Optimizer[None], other: Optimizer[None], expected: dict[str, tuple[str, str]]
) -> None:
    assert different_lines(one, other) == expected
    assert different_lines(other, one) == {name: (b, a) for name, (a, b) in expected.items()}


@pytest.mark.parametrize("one", [GradientDescent(), Momentum(), Adam(), AMSGrad(), WeightDecay(AdamW())])
@pytest.mark.parametrize("other", [Nesterov(), AdamW(), AMSGrad(convention="optax"), Lookahead(Momentum())])
def test_the_lines_are_in_the_order_of_computation_of_both(one: Optimizer[Any], other: Optimizer[Any]) -> None:
    found = different_lines(one, other)
    for rule, place in ((one, 0), (other, 1)):
        step = lines_of(rule, all_names=True)
        names = ["g", *(step.letters[line.symbol].text for line in (*step.lines, step.change))]
        own = [name for name, pair in found.items() if pair[place] != "-"]
        assert own == [name for name in names if name in own]
