"""A step explained: the formula shown computes the numbers shown, and these are the run's own."""

from __future__ import annotations

import cProfile
import dataclasses
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.optimizers.rules import RULES

import fallline
from fallline import Explanation, FalllineError, Optimizer, Record, Trajectory, explain, minimize

BOWL = "(x - 1)**2 + 10*y**2 + x*y + z**2"
START = [1.5, 2.0, -3.0]
ROSENBROCK = "100*(y - x**2)**2 + (1 - x)**2"
# The printed formulas, read as Python: the functions in them, by these names.
FUNCTIONS: dict[str, Any] = {
    "where": np.where,
    "max": lambda *parts: np.maximum(*parts) if len(parts) > 1 else np.max(parts[0], keepdims=True),
    "min": np.minimum,
    "abs": np.abs,
    "sqrt": np.sqrt,
    "sign": np.sign,
    "exp": np.exp,
    "tanh": np.tanh,
    "Mod": np.mod,
    "norm": lambda x: np.sqrt(np.sum(np.square(x), keepdims=True)),
    "sum": lambda x: np.sum(np.broadcast_to(x, len(START)), keepdims=True),
}


def computed(formula: str, numbers: dict[str, Any]) -> Any:
    """The value of a printed formula, by the names in it."""
    named = {**numbers, **{name: value for name, value in FUNCTIONS.items() if f"{name}(" in formula}}
    # Parts of tuples and primed names are no names of Python's.
    longest_first = sorted((name for name in named if not name.isidentifier()), key=len, reverse=True)
    for place, name in enumerate(longest_first):
        formula = formula.replace(name, f"name{place}")
        named[f"name{place}"] = named[name]
    code = compile(formula, "formula", "eval")
    with np.errstate(all="ignore"):
        return types.FunctionType(code, named)()


def old(name: str) -> str:
    """The name of a part of the state before the step, as formulas have it."""
    words = name.split(".")
    letter = ["s", *(word for word in words if not word.isdecimal())][-1]
    return f"{letter}_old" + "".join(f"[{word}]" for word in words if word.isdecimal())


@pytest.mark.parametrize("name", RULES)
def test_every_line_computes_its_number_and_the_last_is_the_runs_next_point(name: str) -> None:
    run = minimize(BOWL, START, RULES[name], max_steps=5)
    for step in (1, 4):
        one = explain(run, step)
        x = one.step.x - one.change
        assert np.abs(x - run.x[step]).max() <= 1e-12 * np.abs(run.x[step]).max()
        numbers: dict[str, Any] = {"x_old": run.x[step - 1], "g": run.gradient[step - 1], "t": step, "x": x}
        numbers |= {"rate": run.rate[step - 1], **one.settings}
        numbers |= {old(part): value for part, value in one.before.items()}
        for quantity in one.quantities:
            # The noise has no formula, and few lines of L-BFGS are too long to be read.
            if quantity.formula is not None and "noise" not in quantity.formula:
                value = computed(quantity.formula, numbers)
                known = np.broadcast_to(quantity.value, len(START))
                # A difference of two numbers is known to the last place of these.
                assert np.allclose(np.broadcast_to(value, len(START)), known, rtol=1e-9, atol=1e-12), quantity
            numbers[quantity.name] = quantity.value


@pytest.mark.parametrize("name", RULES)
def test_every_rule_is_written_as_text_latex_and_well_formed_mathml(name: str) -> None:
    one = minimize(BOWL, START, RULES[name], max_steps=3).explain(2)
    for coordinate in "xyz":
        assert f"\n{coordinate}, by " in one.text
    assert one.latex.count("{") == one.latex.count("}")
    assert one.latex.count(r"\left") == one.latex.count(r"\right")
    math = ElementTree.fromstring(one.mathml)
    assert math.tag.endswith("math")
    assert len(list(math.iter("{http://www.w3.org/1998/Math/MathML}mtr"))) >= 2
    ElementTree.fromstring(one._repr_html_())
    assert one._repr_latex_() == f"$${one.latex}$$"


@settings(max_examples=25, deadline=None)
@given(rate=st.floats(1e-4, 1), beta1=st.floats(0, 0.99), beta2=st.floats(0, 0.999), start=st.floats(0.1, 100))
def test_first_step_of_adam_corrects_to_the_gradient_and_its_square(
    rate: float, beta1: float, beta2: float, start: float
) -> None:
    run = minimize("x**2", start, fallline.Adam(rate, beta1=beta1, beta2=beta2), max_steps=1)
    found = {one.name: one.value[0] for one in run.explain(1).quantities}
    assert np.isclose(found["m_hat"], 2 * start, rtol=1e-12)
    # 1 − β₂ loses the digits of a β₂ near 1 twice alike.
    assert np.isclose(found["v_hat"], 4 * start**2, rtol=1e-12)
    assert np.isclose(found["change"], rate * 2 * start / (2 * start + 1e-8), rtol=1e-12)


@pytest.mark.parametrize("record", ["ends", 7, Record(every=None, at=(3,)), Record(every=9, state=True)])
@pytest.mark.parametrize("optimizer", ["adam", "nesterov", "lookahead:momentum", "lbfgs", "dog"])
def test_what_was_not_recorded_is_computed_again(optimizer: str, record: Any) -> None:
    whole = minimize("x**2 + 10*y**4", [-1.2, 1.0], optimizer, max_steps=15)
    part = minimize("x**2 + 10*y**4", [-1.2, 1.0], optimizer, max_steps=15, record=record)
    for step in (1, 2, 9, 15):
        assert_same(part.explain(step), whole.explain(step))
    assert "numbers" in part.explain(6).remarks
    assert "numbers" not in whole.explain(6).remarks


def assert_same(one: Explanation, other: Explanation) -> None:
    assert np.array_equal(one.step.x, other.step.x)
    assert np.array_equal(one.change, other.change)
    assert one.text.split("\n\n", 1)[1] == other.text.split("\n\n", 1)[1]


@pytest.mark.parametrize("engine", ["compiled", "jax"])
@pytest.mark.parametrize("record", ["all", "ends"])
def test_runs_of_other_engines_are_explained(engine: Any, record: str) -> None:
    run = minimize(ROSENBROCK, [-1.2, 1.0], fallline.Adam(0.01), max_steps=300, engine=engine, record=record)
    whole = minimize(ROSENBROCK, [-1.2, 1.0], fallline.Adam(0.01), max_steps=300, engine=engine)
    one = run.explain(200)
    assert np.allclose(one.step.x - one.change, whole.x[200], rtol=1e-12, atol=0)
    assert "but" not in one.remarks


def test_a_run_of_an_engine_that_is_not_known_is_repeated_by_another() -> None:
    run = minimize(ROSENBROCK, [-1.2, 1.0], "adam", max_steps=10, record="ends")
    assert_same(dataclasses.replace(run, engine="elsewhere").explain(5), run.explain(5))


def test_saved_runs_members_of_comparisons_and_fits_are_explained(tmp_path: Path) -> None:
    race = fallline.compare(ROSENBROCK, [-1.2, 1.0], ["adam", "rmsprop"], max_steps=10)
    race.save(tmp_path / "race.npz")
    loaded = fallline.Comparison.load(tmp_path / "race.npz")
    assert_same(loaded["rmsprop"].explain(5), race["rmsprop"].explain(5))
    fit = fallline.fit(fallline.examples.challenger(), "distress", model="logistic", batch_size=4, epochs=3)
    assert fit.trajectory.explain(3).remarks["batch"].startswith("3 of 6 in epoch 1: rows [")


def test_batch_is_the_one_of_the_step() -> None:
    loss = fallline.Linear([1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 2.0, 5.0]).batches(2, order="sequential")
    run = minimize(loss, [0.0, 0.0], fallline.GradientDescent(0.1), max_steps=4)
    assert run.explain(4).remarks["batch"] == "2 of 2 in epoch 2: rows [2, 3]"
    # The slope of ½ r², the mean of the two rows.
    w, b = run.x[3]
    residuals = w * np.array([3.0, 4.0]) + b - np.array([2.0, 5.0])
    slope = [residuals @ np.array([3.0, 4.0]) / 2, residuals.mean()]
    assert np.allclose(run.explain(4).step.gradient, slope, rtol=1e-12)


def test_line_search_tells_the_trial_that_found_the_rate() -> None:
    # From 1 the rate 1 leads to -1, where x² is no lower, and the rate 1/2 to 0.
    run = minimize("x**2", 1.0, fallline.GradientDescent(fallline.Backtracking()), max_steps=1)
    assert run.explain(1).remarks["line search"] == "backtracking found 0.5 at trial 2 of 2: [1, 0.5]"
    # The first direction of Adam is the sign of the slope.
    run = minimize("x**2", 1.0, fallline.Adam(fallline.Backtracking()), max_steps=1)
    assert run.explain(1).remarks["line search"] == "backtracking found 1 at trial 1 of 1: [1]"
    run = minimize("x**2 + 4*y**2", [4.0, 1.0], fallline.GradientDescent(fallline.ExactQuadratic()), max_steps=1)
    assert run.explain(1).remarks["line search"] == "exact_quadratic found 0.2 from trials [1]"


@pytest.mark.parametrize(
    "schedule",
    [
        fallline.Cosine(0.1, 50),
        fallline.StepDecay(0.1, factor=0.5, every=3),
        fallline.OneCycle(0.1, 50),
        fallline.WarmUp(fallline.Exponential(0.1, decay=0.9), steps=5),
        fallline.MultiStep(0.1, milestones=(2, 5), factor=0.5),
    ],
)
def test_schedule_shows_a_formula_that_gives_the_rate(schedule: Any) -> None:
    run = minimize(ROSENBROCK, [-1.2, 1.0], fallline.Adam(schedule), max_steps=9)
    formula, told = run.explain(7).remarks["schedule"].rsplit(" = ", 2)[0], run.explain(7).step.rate
    names: dict[str, Callable[..., Any]] = {"cos": np.cos, "floor": np.floor}
    assert np.isclose(computed(formula, {"t": 7, **names}), told, rtol=1e-12)
    assert told == schedule.rate(7)


@dataclass(frozen=True)
class Warming(Optimizer[Any]):
    """A user's rule, with a branch that no formula has."""

    learning_rate: float = 0.1
    beta: float = 0.5

    def init(self, x: Any) -> Any:
        return (0 * x,)

    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
        mean = gradient if step == 1 else self.beta * state[0] + (1 - self.beta) * gradient
        scaled = rate * mean
        return scaled, (mean,)


@dataclass(frozen=True)
class Tempered(Warming):
    """A user's rule that has a formula."""

    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
        force = np.tanh(gradient)
        speed = self.beta * state[0] + force
        return rate * speed, (speed,)


def test_a_users_rule_is_explained_by_its_own_names() -> None:
    run = minimize("x**2", 3.0, Tempered(), max_steps=3)
    one = run.explain(2)
    assert [quantity.name for quantity in one.quantities] == ["force", "s[0]"]
    assert one.quantities[0].formula == "tanh(g)"
    assert np.isclose(one.quantities[0].value[0], np.tanh(2 * run.x[1, 0]), rtol=1e-14)
    assert "beta*s_old[0] + force" in one.text


@dataclass(frozen=True)
class Halving(Optimizer[Any]):
    """A user's rule of one line, with a branch in it."""

    learning_rate: float = 0.1

    def init(self, x: Any) -> Any:
        return ()

    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
        return rate * gradient / (2 if step > 1 else 1), state


def test_a_rule_without_names_and_formula_shows_the_gradient_and_x() -> None:
    # From 3, where the slope is 6, to 2.4, where it is 4.8.
    text = minimize("x**2", 3.0, Halving(), max_steps=2).explain(2).text
    assert text.splitlines()[-2:] == ["  g  = 4.8", "  x  = 2.4 - 0.24 = 2.16"]


def test_a_users_rule_without_a_formula_shows_its_numbers_and_says_why(tmp_path: Path) -> None:
    run = minimize("x**2", 3.0, Warming(), max_steps=3)
    one = run.explain(2)
    # The first gradient is 6, the second 2 · (3 - 0.6), and the mean of both 5.4.
    assert {quantity.name: quantity.value.tolist() for quantity in one.quantities}["mean"] == [5.4]
    assert "np.where instead of if" in one.remarks["formula"]
    assert "scaled" in one.text
    assert one.written is None
    with pytest.raises(FalllineError, match=r"np\.where instead of if"):
        _ = one.latex
    ElementTree.fromstring(one._repr_html_())
    run.save(tmp_path / "run.npz")
    loaded = Trajectory.load(tmp_path / "run.npz")
    with pytest.raises(FalllineError, match=r"^optimizer is None: .* give optimizer=$"):
        loaded.explain(2)
    assert_same(loaded.explain(2, optimizer=Warming()), one)


def test_a_loaded_run_of_a_function_needs_it_only_where_it_must_be_repeated(tmp_path: Path) -> None:
    def bowl(x: Any) -> Any:
        return (x**2).sum()

    for record in ("all", "ends"):
        minimize(bowl, [3.0, 1.0], "adam", max_steps=5, record=record).save(tmp_path / f"{record}.npz")
    whole, ends = (Trajectory.load(tmp_path / f"{record}.npz") for record in ("all", "ends"))
    assert whole.explain(3).step.number == 3
    with pytest.raises(FalllineError, match="step 3 was not recorded; give objective="):
        ends.explain(3)
    assert_same(ends.explain(3, objective=fallline.as_objective(bowl, 2)), whole.explain(3))


def test_gradient_elsewhere_is_told() -> None:
    run = minimize("x**2", 1.0, fallline.Nesterov(0.25, momentum=0.5), max_steps=2)
    # After the first step x is 1/2 and the velocity 1/2: the slope is taken at 1/4.
    assert run.explain(2).remarks["slope at"] == "x = 0.25"
    assert " = slope at -momentum*velocity_old + x_old\n" in run.explain(2).text
    assert r"\nabla f\left(x_{t-1} - \gamma \, \mathrm{velocity}_{t-1}\right)" in run.explain(2).latex
    assert run.explain(2).step.gradient.tolist() == [0.5]


def test_a_resumed_run_needs_its_states() -> None:
    before = minimize(ROSENBROCK, [-1.2, 1.0], "adam", max_steps=10)
    whole = minimize(ROSENBROCK, [-1.2, 1.0], "adam", max_steps=20)
    after = minimize(ROSENBROCK, before.final.x, "adam", max_steps=10, resume=before)
    with pytest.raises(FalllineError, match="of a run that went on from another"):
        after.explain(13)
    after = minimize(ROSENBROCK, before.final.x, "adam", max_steps=10, resume=before, record=Record(state=True))
    assert_same(after.explain(13), whole.explain(13))


def test_a_run_that_overflows_is_explained_to_its_end() -> None:
    run = minimize(ROSENBROCK, [-1.2, 1.0], fallline.GradientDescent(1.0), max_steps=20)
    assert not np.isfinite(run.final.value)
    assert "before, inf after" in run.explain(run.step_count).text


def test_rules_of_sets_and_penalties_are_explained() -> None:
    rule = fallline.Projected(fallline.GradientDescent(0.5), fallline.Box((0.0, 0.0), (1.0, 2.0)))
    one = minimize("x + y**2", [0.25, 1.0], rule, max_steps=1).explain(1)
    assert (one.step.x - one.change).tolist() == [0.0, 0.0]
    assert "min(c', max(c," in str(one.quantities[-1].formula)
    one = minimize("(x - 3)**2", 0.0, fallline.ProximalDescent(0.5, fallline.L1(2.0)), max_steps=1).explain(1)
    # From 0 the step leads to 3, and the penalty takes off 0.5 · 2.
    assert (one.step.x - one.change).tolist() == [2.0]


def test_rule_of_a_lasso_is_explained() -> None:
    fit = fallline.fit(fallline.examples.challenger(), "distress", model="logistic", l1=0.01)
    one = fit.trajectory.explain(1)
    # The penalty is on the weight only: η λ is taken off it, and nothing off the intercept.
    step = np.abs(one.step.rate * one.step.gradient) - one.step.rate * np.array([0.01, 0.0])
    assert np.allclose(np.abs(one.change), step, rtol=1e-12)
    assert "max(0.0, " in one.text


def test_projected_lbfgs_is_explained() -> None:
    run = minimize(ROSENBROCK, [-1.2, 1.0], fallline.ProjectedLBFGS(), max_steps=6)
    one = run.explain(5)
    assert np.array_equal(one.step.x - one.change, run.x[5])
    assert one.remarks["line search"].startswith("strong_wolfe found")


def test_what_keeps_a_quotient_finite_is_shown_where_it_does() -> None:
    rule = fallline.AdaGrad(0.1, convention="tutorial")
    at_rest, moving = (minimize("x**2 + y**2", start, rule, max_steps=1).explain(1) for start in ([0, 1], [2, 1]))
    assert "max(" in at_rest.text
    assert "max(" not in moving.text
    assert at_rest.change[0] == 0


def test_a_profiler_at_work_is_not_disturbed() -> None:
    profiler = cProfile.Profile()
    profiler.enable()
    run = minimize("x**2", 3.0, "adam", max_steps=3)
    assert [quantity.name for quantity in run.explain(2).quantities] == ["m", "v", "m_hat", "v_hat", "change"]
    again = run.explain(3)
    profiler.disable()
    assert again.step.number == 3
    assert any("explanation.py" in str(entry.code) for entry in profiler.getstats())
