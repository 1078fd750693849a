"""The methods of a rule are its only implementation: they run unmodified on Numba scalars and SymPy symbols."""

from __future__ import annotations

import dataclasses
import operator
import re
import types
from collections import namedtuple
from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
import pytest
import sympy
from matplotlib.mathtext import MathTextParser
from tests.optimizers.rules import RULES, START, changes, gradients

from fallline import minimize
from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.optimizers import Optimizer, ProjectedLBFGS
from fallline.optimizers.noise import standard_normal
from fallline.optimizers.placeholders import evaluated, recorded_step
from fallline.optimizers.symbols import SYMPY
from fallline.optimizers.wrappers import Wrapper
from fallline.state import map_state

# Other libraries may compute a power or a root one unit in the last place away; 200 steps add up to far less.
# That is relative to the largest change so far of the coordinate: one may be a small difference of large numbers.
TOLERANCE = 1e-12
# RAdam's ρ is 1999 less a number near it that is divided by 1 − β₂ᵗ, which is 0.005 where the rule first adapts and ρ
# is about 5: a last place of β₂ᵗ is worth 2000 / 0.005 / 5 of them in ρ, and in the change.
TOLERANCES = {"radam": 2000 / 0.005 / 5 * np.finfo(float).eps}


def assert_near(found: FloatArray, expected: FloatArray, tolerance: float = TOLERANCE) -> None:
    largest = np.maximum.accumulate(np.abs(expected), axis=0)
    # A difference of two points, such as x - z, is known no better than their last place.
    assert np.all(np.abs(found - expected) <= tolerance * largest + np.spacing(np.abs(START)))


# What the formulas call by a name of their own.
OVER_COORDINATES = {
    "Norm": lambda x: np.linalg.norm(x, axis=-1, keepdims=True),
    "Total": lambda x: np.sum(np.broadcast_to(x, START.shape), axis=-1, keepdims=True),
    "StandardNormal": standard_normal,
    "Where": np.where,
}

# Numba's np.where takes arrays only.
scalar_numpy = types.ModuleType("scalar_numpy")
vars(scalar_numpy).update(vars(np))
scalar_numpy.where = numba.njit(lambda condition, yes, no: yes if condition else no)  # type: ignore[attr-defined]


def on_scalars(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same code, compiled with `np` standing for NumPy on scalars."""
    # The rules compiled here have no x in their state, unless they are the outermost.
    names = {**function.__globals__, "np": scalar_numpy, "with_x": numba.njit(lambda state, x: state)}
    compiled: Callable[..., Any] = numba.njit(types.FunctionType(function.__code__, names))
    return compiled


class CompiledRule(NamedTuple):
    """The compiled methods of a rule inside another."""

    update: Callable[..., Any]
    lookahead: Callable[..., Any]


def compiled_settings(rule: Optimizer[Any]) -> Any:
    """Replaces `self` in compiled code; a nested rule has its compiled methods."""
    settings = {f.name: getattr(rule, f.name) for f in dataclasses.fields(rule)}
    if isinstance(rule, Wrapper):
        inside = compiled_settings(rule.rule)
        update, lookahead = on_scalars(type(rule.rule).update), on_scalars(type(rule.rule).lookahead)
        settings["rule"] = CompiledRule(
            numba.njit(lambda gradient, state, rate, step: update(inside, gradient, state, rate, step)),
            numba.njit(lambda x, state: lookahead(inside, x, state)),
        )
    return namedtuple("compiled_self", settings)(**settings)


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.elementwise])
def test_rule_compiled_by_numba_on_scalars_equals_numpy(name: str) -> None:
    rule = RULES[name]
    given = gradients(200)
    compiled_self = compiled_settings(rule)
    update = on_scalars(type(rule).update)
    found = np.empty_like(given)
    for coordinate in range(given.shape[1]):
        state = rule.init(float(START[coordinate]))
        for row, gradient in enumerate(given[:, coordinate]):
            found[row, coordinate], state = update(compiled_self, gradient, state, 0.05, row + 1)
    assert_near(found, changes(rule, given), TOLERANCES.get(rule.name, TOLERANCE))


@pytest.mark.parametrize("name", RULES)
def test_rule_on_symbols_evaluates_to_the_same_numbers(name: str) -> None:
    rule = RULES[name]
    given = gradients(20)
    # The formula leaves out the guard against 0 / 0, so every coordinate begins with a slope.
    given[0] = [1.0, -1e-4, 1e3]
    run = recorded_step(rule)
    inputs = [run.gradient, run.rate, run.step, *run.hyperparameters.values(), *run.before.values()]
    symbols = {part: sympy.Symbol(f"s{number}", real=True) for number, part in enumerate(inputs)}
    outputs = [evaluated(part, SYMPY, symbols) for part in (run.change, *run.after.values())]
    numeric = sympy.lambdify(list(symbols.values()), outputs, [OVER_COORDINATES, "numpy"])
    constants = [operator.attrgetter(setting)(rule) for setting in run.hyperparameters]
    state = leaves(rule.init(START))
    found = []
    # Both branches of a choice are evaluated, and the one not taken may be NaN.
    with np.errstate(divide="ignore", invalid="ignore"):
        for step, gradient in enumerate(given, start=1):
            change, *state = numeric(gradient, 0.05, step, *constants, *state)
            found.append(change)
    assert_near(np.array(found), changes(rule, given))


def test_latex_of_adam_is_the_papers_algorithm() -> None:
    lines = RULES["adam@paper"].latex().split("\n")
    assert lines == [
        r"\begin{aligned}",
        r"g_{t} &= \nabla f\left(x_{t-1}\right) \\",
        r"m_{t} &= \beta_1 m_{t-1} + g_{t} \left(1 - \beta_1\right) \\",
        r"v_{t} &= \beta_2 v_{t-1} + g_{t}^{2} \left(1 - \beta_2\right) \\",
        r"\hat{m}_{t} &= \frac{m_{t}}{1 - \beta_1^{t}} \\",
        r"\hat{v}_{t} &= \frac{v_{t}}{1 - \beta_2^{t}} \\",
        r"x_{t} &= x_{t-1} - \frac{\eta \hat{m}_{t}}{\epsilon + \sqrt{\hat{v}_{t}}}",
        r"\end{aligned}",
    ]


def test_latex_of_nesterov_shows_where_the_gradient_is_taken() -> None:
    assert r"\nabla f\left(x_{t-1} - \gamma \, \mathrm{velocity}_{t-1}\right)" in RULES["nesterov@paper"].latex()


@dataclasses.dataclass(frozen=True)
class Damped(Optimizer[Any]):
    """A rule of a user's own, with settings of every kind of name; those of η, t and c are taken."""

    learning_rate: float = 0.1
    damping: float = 0.5
    push_back: float = 0.25
    lambda_: float = 0.5
    k: float = 2.0
    eta: float = 3.0

    def init(self, x: Any) -> Any:
        return (0 * x,)

    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
        force = np.tanh(self.k * gradient) - self.damping * self.push_back * state[0]
        return rate * self.lambda_ * self.eta * force, (force,)


def test_latex_of_a_users_rule_needs_no_registering() -> None:
    lines = Damped().latex_lines()
    assert lines[1].endswith(
        r"\tanh{\left(g_{t} k \right)} - \mathrm{damping} \cdot \mathrm{push\ back} \cdot s^{(0)}_{t-1}"
    )
    assert lines[2] == r"x_{t} = x_{t-1} - \eta \eta^{\prime} \lambda s^{(0)}_{t}"


def test_mathml_of_a_users_rule_has_its_names_whole() -> None:
    written = minimize("x**2", 1.0, Damped(), max_steps=1).explain(1).mathml
    assert "<mi>push back</mi>" in written
    assert "<msup><mi>η</mi><mi>′</mi></msup>" in written


@pytest.mark.parametrize("name", [*RULES, "projected_lbfgs", "damped"])
def test_every_line_is_drawn_by_matplotlib_and_is_one_of_the_block(name: str) -> None:
    rule = {"projected_lbfgs": ProjectedLBFGS(), "damped": Damped()}.get(name) or RULES[name]
    lines = rule.latex_lines()
    for line in lines:
        assert MathTextParser("path").parse(f"${line}$").width > 0
        # A line of a slide holds no more.
        assert len(re.sub(r"\\[a-z]+|[{}_^\\ ]", "", line)) < 120
    block = rule.latex()
    assert rule._repr_latex_() == f"$${block}$$"
    assert block.startswith("\\begin{aligned}\n")
    assert [line.partition(" = ")[0] for line in lines] == re.findall(r"^(\S.*?) &= ", block, re.MULTILINE)


def test_a_sum_of_products_is_a_scalar_product_and_a_sum_of_ones_the_number_of_coordinates() -> None:
    lines = RULES["lbfgs@paper"].latex_lines()
    assert r"\mathrm{curved}_{t} = \left\langle s_{t}, y_{t} \right\rangle > 0" in lines
    assert r"\mathrm{newton}_{t} = H_{t} g_{t}" in lines
    assert r"\mathrm{coordinates}_{t} = n" in RULES["cautious@paper:momentum"].latex_lines()


@pytest.mark.parametrize("name", RULES)
def test_update_changes_neither_gradient_nor_state(name: str) -> None:
    rule = RULES[name]
    x = np.array([1.0, -2.0, 3.0])
    gradient = np.array([0.5, 0.0, -1e3])
    state = rule.update(gradient, rule.init(x), 0.05, 1)[1]
    kept = map_state(np.copy, state)
    gradient_kept = gradient.copy()
    rule.update(gradient, state, 0.05, 2)
    assert np.array_equal(gradient, gradient_kept)
    map_state_pairs: list[tuple[Any, Any]] = list(zip(leaves(state), leaves(kept), strict=True))
    assert all(np.array_equal(now, then) for now, then in map_state_pairs)


def leaves(state: Any) -> list[Any]:
    found: list[Any] = []
    map_state(found.append, state)
    return found


def test_a_python_branch_in_a_users_rule_is_told_of_and_not_half_rendered() -> None:
    @dataclasses.dataclass(frozen=True)
    class Branching(Optimizer[Any]):
        learning_rate: float = 0.1

        def init(self, x: Any) -> Any:
            return (np.zeros_like(x),)

        def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
            mean = gradient if step == 1 else 0.9 * state[0] + 0.1 * gradient
            return rate * mean, (mean,)

    with pytest.raises(FalllineError, match=r"choose with np\.where instead of if"):
        Branching().latex()
    with pytest.raises(FalllineError, match=r"choose with np\.where instead of if"):
        Branching().latex_lines()
    assert Branching()._repr_latex_() is None
