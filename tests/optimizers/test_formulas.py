"""The formula of every rule, as plain text, LaTeX and MathML: read back, it computes what the rule computes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.optimizers.reading import computed, of_latex, of_mathml
from tests.optimizers.rules import RULES, START, UNUSUAL, gradients

from fallline.optimizers import Optimizer
from fallline.optimizers.conventions import formula
from fallline.optimizers.latex import tex, with_short_memory
from fallline.optimizers.lines import lines_of
from fallline.optimizers.mathml import as_mathml
from fallline.optimizers.noise import standard_normal
from fallline.optimizers.placeholders import formula_settings, observed
from fallline.state import named_leaves

ALL = {**RULES, **UNUSUAL}
# Every coordinate begins with a slope: the guards against 0 / 0 are left out of formulas.
GIVEN = np.array([[1.0, -1e-4, 1e3], *gradients(4)])


def spoken(path: str, *, old: bool) -> tuple[str, tuple[int, ...]]:
    """The name that a part of the state has in a formula, and its number if it is one of several."""
    words = path.split(".")
    name = [word for word in ["s", *words] if not word.isdecimal()][-1]
    return name + "_old" * old, tuple(int(word) for word in words if word.isdecimal())


def assert_near(found: Any, expected: Any) -> None:
    # The same operations in another order; x is known to the last place of its start.
    np.testing.assert_allclose(
        np.broadcast_to(found, np.shape(expected)), expected, rtol=1e-10, atol=4 * float(np.spacing(START.max()))
    )


@pytest.mark.parametrize("name", ALL)
def test_a_formula_in_plain_text_computes_a_step_of_the_rule(name: str) -> None:
    rule: Optimizer[Any] = with_short_memory(ALL[name])
    texts = formula(rule)
    settings = {path.rpartition(".")[2]: value for path, value in formula_settings(rule).items()}
    x, state = START, rule.init(START)
    for step, gradient in enumerate(GIVEN, start=1):
        known: dict[str, Any] = {**settings, "g": gradient, "t": step, "rate": 0.05, "x_old": x}
        for path, value in named_leaves(state):
            called, place = spoken(path, old=True)
            if place:
                known.setdefault(called, {})[place[0]] = value
            elif called != "x_old":
                known[called] = value
        known["noise"] = standard_normal(0, step, np.arange(1.0, len(START) + 1))
        known["sum"] = lambda inside: np.sum(np.broadcast_to(inside, START.shape))
        if "g" in texts:
            assert_near(computed(texts["g"].removeprefix("slope at "), known), rule.lookahead(x, state))
        change, state = rule.update(gradient, state, 0.05, step)
        # A mean of the points may stand before the line of x.
        x = known["x"] = x - change
        after = {spoken(path, old=False): value for path, value in named_leaves(state)} | {("x", ()): x}
        for called, text in texts.items():
            if called == "g":
                continue
            whole, _, number = called.partition("[")
            place = (int(number.rstrip("]")),) if number else ()
            assert_near(computed(text, known), after[whole, place])
            if place:
                known.setdefault(whole, {})[place[0]] = after[whole, place]
            else:
                known[whole] = after[whole, place]


@pytest.mark.parametrize("name", ALL)
def test_the_lines_in_latex_and_mathml_compute_a_step_of_the_rule(name: str) -> None:
    rule = with_short_memory(ALL[name])
    lines = lines_of(rule, all_names=True, most_operations=math.inf)
    run, settings = lines.recorded, formula_settings(rule)
    after_x, state = START, rule.init(START)
    for step, gradient in enumerate(GIVEN, start=1):
        x, before = after_x, dict(named_leaves(state))
        (change, state), local = observed(rule.update, gradient, state, 0.05, step)
        after, after_x = {**dict(named_leaves(state)), **local, "change": change}, x - change
    values: dict[Any, Any] = {run.x: x, run.gradient: gradient, run.rate: 0.05, run.step: step}
    values |= {part: before[path] for path, part in run.before.items()}
    values |= {part: settings[path] for path, part in run.hyperparameters.items()}
    values |= {line.part: after[line.found] for line in lines.lines}
    values |= {part: after_x for part, symbol in lines.symbols.items() if symbol == lines.change.symbol}
    names = {symbol: f"_{number}_" for number, symbol in enumerate(lines.letters)}
    known: dict[str, Any] = {names[symbol]: values[part] for part, symbol in lines.symbols.items() if part in values}
    noise = standard_normal(0, step, np.arange(1.0, len(START) + 1))
    known |= {"sum": lambda inside: np.sum(np.broadcast_to(inside, START.shape)), "noise": noise, "n": len(START)}
    in_latex = {r"\xi_{t}": "noise", **{tex(symbol): each for symbol, each in names.items()}}
    in_mathml = {"<msub><mi>ξ</mi><mi>t</mi></msub>": "noise"}
    in_mathml |= {as_mathml(symbol, lines.letters): each for symbol, each in names.items()}
    # No two quantities look the same.
    assert len(in_latex) == len(in_mathml) == len(names) + 1
    for line in (*lines.lines, lines.change):
        for text in (
            of_latex(tex(line.expression), in_latex),
            of_mathml(as_mathml(line.expression, lines.letters), in_mathml),
        ):
            assert_near(computed(text, known), after[line.found])
