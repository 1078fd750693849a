"""The formula of every rule, as plain text, LaTeX and MathML: read back, it computes what the rule computes."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from tests.optimizers.reading import computed, of_latex, of_mathml
from tests.optimizers.rules import RULES, START, UNUSUAL, gradients

from fallline.errors import FalllineError
from fallline.optimizers import Optimizer
from fallline.optimizers.conventions import formula
from fallline.optimizers.latex import moved, tex, with_short_memory
from fallline.optimizers.lines import X_BEFORE, lines_of
from fallline.optimizers.mathml import as_mathml
from fallline.optimizers.noise import standard_normal
from fallline.optimizers.placeholders import formula_settings, observed
from fallline.optimizers.plain_text import in_words, moved_text, plain_text
from fallline.state import named_leaves


@dataclasses.dataclass(frozen=True)
class Levelled(Optimizer[None]):
    """A rule of a user's own, over the largest slope and the norm, each of all coordinates."""

    learning_rate: float = 0.1
    elementwise = False

    def init(self, x: Any) -> None:
        return None

    def update(self, gradient: Any, state: None, rate: Any, step: Any) -> tuple[Any, None]:
        largest = np.max(abs(gradient), axis=-1, keepdims=True)
        size = np.linalg.norm(gradient, axis=-1, keepdims=True)
        return rate * gradient / np.where(step != 3, largest + size, 1.0), state


ALL = {**RULES, **UNUSUAL, "levelled": Levelled()}
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
        after_x = x - change
    after: dict[Any, Any] = {**dict[Any, Any](named_leaves(state)), **local, "change": change}
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


@pytest.mark.parametrize("name", ["adam@keras", "nesterov@paper", "qhm@paper"])
def test_with_numbers_for_its_symbols_a_formula_has_the_same_value(name: str) -> None:
    lines = lines_of(ALL[name], all_names=True)
    values = {symbol: {"g": -0.75, "t": 3.0}.get(letter.name, 0.5) for symbol, letter in lines.letters.items()}
    numbers = {symbol: repr(value) for symbol, value in values.items()}
    for line in (*lines.lines, lines.change):
        for text in (
            plain_text(line.expression, numbers),
            of_latex(
                tex(line.expression, {**numbers, **{s: r"\left(-0.75\right)" for s in values if values[s] < 0}}), {}
            ),
            of_mathml(as_mathml(line.expression, lines.letters, numbers), {}),
        ):
            # Other orders of the same operations.
            assert computed(text, {}) == pytest.approx(float(line.expression.xreplace(values)), rel=1e-12)
    change = lines.change.expression
    expected = values[X_BEFORE] - float(change.xreplace(values))
    assert computed(of_latex(moved(change, numbers), {}), {}) == pytest.approx(expected, rel=1e-12)
    words = in_words(lines)
    told = {words[symbol]: text for symbol, text in numbers.items()}
    assert computed(moved_text(change.xreplace(words), told), {}) == pytest.approx(expected, rel=1e-12)


@dataclasses.dataclass(frozen=True)
class Named(Optimizer[Any]):
    """A rule of a user's own, with names for its parts: one that is not used, one for a setting, and a tuple."""

    learning_rate: float = 0.1
    friction: float = 0.25

    def init(self, x: Any) -> Any:
        return (0 * x, 1 + 0 * x)

    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
        unused = gradient * 7  # noqa: F841
        kept = self.friction
        speed, largest = state
        pair = (kept * speed + gradient, np.maximum(largest, abs(gradient)))
        force_hat = pair[0] / pair[1]
        return rate * force_hat, pair


def test_the_lines_of_a_users_rule_are_what_its_code_names_and_uses() -> None:
    lines = lines_of(Named(), all_names=True)
    words = in_words(lines)
    assert {lines.letters[line.symbol].text: plain_text(line.expression.xreplace(words)) for line in lines.lines} == {
        "s[0]": "friction*s_old[0] + g",
        "s[1]": "max(s_old[1], abs(g))",
        "force_hat": "s[0]/s[1]",
    }
    assert moved_text(lines.change.expression.xreplace(words)) == "x_old - force_hat*rate"
    assert [lines.letters[line.symbol].latex for line in (*lines.lines, lines.change)] == [
        "s^{(0)}_{t}", "s^{(1)}_{t}", r"\hat{\mathrm{force}}_{t}", "x_{t}"
    ]  # fmt: skip
    assert as_mathml(lines.lines[2].symbol, lines.letters) == (
        "<msub><mover><mi>force</mi><mo>^</mo></mover><mi>t</mi></msub>"
    )
    assert as_mathml(lines.symbols[lines.recorded.before["1"]], lines.letters) == (
        "<msubsup><mi>s</mi><mrow><mi>t</mi><mo>-</mo><mn>1</mn></mrow><mi>(1)</mi></msubsup>"
    )
    # Formulas of more operations than these are left out.
    assert [line.expression is None for line in lines_of(Named(), all_names=True, most_operations=1).lines] == [
        True, True, False
    ]  # fmt: skip


def test_what_is_subtracted_from_x_is_in_brackets_where_it_is_a_sum() -> None:
    x = "<msub><mi>x</mi><mrow><mi>t</mi><mo>-</mo><mn>1</mn></mrow></msub>"
    lines = lines_of(ALL["momentum@paper"])
    before = lines.symbols[lines.recorded.x]
    one = as_mathml(lines.change.expression, lines.letters, taken_from=before)
    assert one.startswith(f"<mrow>{x}<mo>-</mo>")
    assert "<mo>(</mo>" not in one
    (velocity,) = lines.lines
    summed = as_mathml(velocity.expression, lines.letters, taken_from=before)
    assert summed.startswith(f"<mrow>{x}<mo>-</mo><mrow><mo>(</mo>")
    assert summed.endswith("<mo>)</mo></mrow></mrow>")


@dataclasses.dataclass(frozen=True)
class Scaled(Optimizer[None]):
    """A rule of a user's own that asks how many coordinates there are."""

    learning_rate: float = 0.1

    def init(self, x: Any) -> None:
        return None

    def update(self, gradient: Any, state: None, rate: Any, step: Any) -> tuple[Any, None]:
        return rate * gradient / gradient.shape[-1], state


def test_a_rule_that_asks_for_the_shape_has_a_formula_for_so_many_coordinates() -> None:
    assert str(lines_of(Scaled(), coordinates=4).change.expression) == r"\eta*g_{t}/4"
    with pytest.raises(FalllineError, match=r"\.shape cannot be carried over"):
        lines_of(Scaled())
