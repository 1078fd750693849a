"""The page's rules, rates, conditions and line searches make the runs that Fallline makes."""

from __future__ import annotations

import dataclasses
import functools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
import pytest
from tests.explorer.friction import Friction, Speed
from tests.explorer.node import built
from tests.explorer.runs import Made, RunCase, apart, case, in_browser, in_node

import fallline
from fallline import GradientDescent, Momentum, Perturbation, StepSize
from fallline.experiments.tune import Interval
from fallline.explorer.generating import FILE, generated
from fallline.explorer.own_rules import own_rules
from fallline.explorer.settings import settings_offered, slider
from fallline.explorer.tracing import changed, trace_rule
from fallline.line_search import LINE_SEARCHES, LineSearch
from fallline.optimizers import OPTIMIZERS
from fallline.optimizers.settings import with_learning_rate
from fallline.schedules import SCHEDULES

FORMULAS = {
    "rosenbrock": ("100*(y - x**2)**2 + (1 - x)**2", (-1.2, 1.0)),
    "himmelblau": ("(x**2 + y - 11)**2 + (x + y**2 - 7)**2", (-4.0, 1.0)),
    "ackley": ("20 + e - 20*exp(-0.2*sqrt((x**2 + y**2)/2)) - exp((cos(2*pi*x) + cos(2*pi*y))/2)", (-4.0, 1.0)),
}
# On Ackley's function these go wherever the last bit of an exponential or a cosine sends them.
CHAOTIC = {
    ("ackley", name)
    for name in (
    "qhm", "adadelta", "madgrad", "madgrad@optax", "nadam", "nadam@torch", "lars", "lars@optax", "lamb", "lamb@keras",
    "lamb@optax", "schedule_free_sgd", "schedule_free_sgd@optax", "prodigy@optax", "lbfgs@torch",
    )
}  # fmt: skip
# Ackley's function with other roundings.
ACKLEY_OTHERWISE = "e + 20 - 20*exp(-sqrt(0.02*(x**2 + y**2))) - exp(cos(2*pi*x)/2 + cos(2*pi*y)/2)"
# Makes the page's runs of cases.
Make: TypeAlias = Callable[[Sequence[RunCase]], list[Made]]
# No condition is ever met.
NEVER = fallline.Evaluations(10**9)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("programs"))


@pytest.fixture(scope="module", params=["node", "chromium"])
def make(request: pytest.FixtureRequest, programs: Path) -> Iterator[Make]:
    """What makes the page's runs, in Node and in a browser."""
    if request.param == "node":
        yield functools.partial(in_node, programs)
        return
    page = request.getfixturevalue("browser").new_page()
    page.add_script_tag(path=programs / "runs_in_browser.mjs", type="module")
    page.wait_for_function("() => Boolean(globalThis.outcomes)")
    yield functools.partial(in_browser, page)
    page.close()


def rules() -> list[Any]:
    """Every rule in every convention."""
    kinds: list[Any] = list(OPTIMIZERS.values())
    return [kind(convention=convention) for kind in kinds for convention in kind.conventions]


def name_of(rule: Any) -> str:
    return str(rule.label.partition(",")[0])


def assert_same(cases: Sequence[RunCase], made: Sequence[Made], tolerance: float = 1e-12) -> None:
    """That the page's runs are those of the reference engine."""
    for one, page in zip(cases, made, strict=True):
        run = one.in_python()
        assert (page.end["reason"], page.end["converged"]) == (run.stop.reason, run.stop.converged), one.name
        assert len(page.x) == len(run.x), one.name
        assert page.end["evaluations"] == sum(run.evaluations), one.name
        for column in ("x", "value", "gradient", "rate"):
            assert apart(getattr(page, column), getattr(run, column)).max() <= tolerance, f"{column}: {one.name}"


def test_what_the_page_takes_from_the_library_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == generated(), "run: python -m fallline.explorer.generating"


def first_above(errors: Any, tolerance: float) -> int:
    """The first row with a larger error; the number of rows where there is none."""
    return int(np.argmax(np.append(errors, np.inf) > tolerance))


def assert_rules_are_the_same(make: Make, formula: str, max_steps: int) -> None:
    text, x0 = FORMULAS[formula]
    cases = [case(text, x0, rule, max_steps=max_steps, stop=NEVER) for rule in rules()]
    for one, page in zip(cases, make(cases), strict=True):
        run = one.in_python()
        assert page.end["reason"] == run.stop.reason, one.name
        assert len(page.x) == len(run.x), one.name
        errors = apart(page.x, run.x)
        if errors.max() <= 1e-12:
            continue
        assert (formula, name_of(one.rule)) in CHAOTIC, f"{one.name}: {errors.max()}"
        # One rounding grows no faster than another one of Fallline's own.
        others = apart(dataclasses.replace(one, formula=ACKLEY_OTHERWISE).in_python().x, run.x)
        page_takes, they_take = (first_above(some, 1e-12) - first_above(some, 1e-15) for some in (errors, others))
        assert page_takes >= they_take / 2, one.name


@pytest.mark.parametrize("formula", FORMULAS)
def test_every_rule_in_every_convention_makes_the_first_steps_of_the_reference_engine(make: Make, formula: str) -> None:
    assert_rules_are_the_same(make, formula, 100)


@pytest.mark.long
@pytest.mark.parametrize("formula", FORMULAS)
def test_every_rule_in_every_convention_makes_the_run_of_the_reference_engine(make: Make, formula: str) -> None:
    assert_rules_are_the_same(make, formula, 1000)


# No scheme of numbers is of the same kind in one and in many coordinates.
WIDE = [
    ("x**4 + x", (1.5,)),
    ("u**2 + 2*v**2 + 3*w**2 + u*v*w + z**4 - z", (1.0, -0.5, 0.8, 1.3)),
    (" + ".join(f"{k}*x{k}**2 + x{k}" for k in range(1, 13)), tuple(1 / k for k in range(1, 13))),
]


@pytest.mark.long
@pytest.mark.parametrize("wide", WIDE, ids=lambda wide: str(len(wide[1])))
def test_rules_take_any_number_of_coordinates(programs: Path, wide: tuple[str, tuple[float, ...]]) -> None:
    cases = [case(*wide, rule, max_steps=10, stop=NEVER) for rule in rules()]
    # NumPy adds a dozen coordinates in another order.
    assert_same(cases, in_node(programs, cases), 1e-12 if len(wide[1]) < 8 else 1e-10)


def drawn(random_numbers: random.Random, interval: Interval) -> float:
    """A number between the ends of a slider."""
    if interval.whole:
        return float(random_numbers.randint(int(interval.low), int(interval.high)))
    if not interval.log:
        return random_numbers.uniform(interval.low, interval.high)
    near, far = sorted((abs(interval.low - interval.origin), abs(interval.high - interval.origin)))
    distance: float = near * (far / near) ** random_numbers.random()
    return interval.origin + distance if interval.low > interval.origin else interval.origin - distance


def with_drawn_settings(random_numbers: random.Random, rule: Any) -> Any:
    """A rule with other settings: from the sliders, and of those that the page has code for."""
    for setting in settings_offered(rule, trace_rule, lambda *_: True):
        if setting.path == "dampening" and rule.convention != "torch":
            continue
        if setting.offered is not None:
            some = [value for value in setting.offered if value != 100]
            rule = changed(rule, setting.path, random_numbers.choice(some))
        else:
            rule = changed(
                rule, setting.path, drawn(random_numbers, slider(setting.path, setting.known, setting.value, ()))
            )
    return rule


def assert_steps_with_other_settings_are_the_same(programs: Path, seed: int, times: int) -> None:
    random_numbers = random.Random(seed)
    some = [with_drawn_settings(random_numbers, rule) for rule in rules() for _ in range(times)]
    cases = [case("x**2 + 3*y**2 + x*y", (2.0, -1.0), rule, max_steps=15, stop=NEVER) for rule in some]
    for one, page in zip(cases, in_node(programs, cases), strict=True):
        run = one.in_python()
        assert page.x is not None, f"{one.name}, seed {seed}: {page.end}"
        # Where a run goes to infinity, roundings do, too.
        steady = min(len(page.x), len(run.x), int(np.argmax(np.append(np.abs(run.x).max(axis=1) > 1e3, True))))
        assert apart(page.x[:steady], run.x[:steady]).max() <= 1e-12, f"{one.name}, seed {seed}"


def test_rules_with_other_settings_make_the_same_steps(programs: Path) -> None:
    assert_steps_with_other_settings_are_the_same(programs, 0, 1)


@pytest.mark.long
@pytest.mark.parametrize(
    "rate", [0.3, fallline.WarmUp(0.3, 5), fallline.ReduceOnPlateau(0.3), fallline.StepDecay(0.3)], ids=str
)
def test_every_rule_makes_the_same_steps_at_another_rate(programs: Path, rate: Any) -> None:
    some = [with_learning_rate(rule, rate) for rule in rules()]
    cases = [case("x**2 + 3*y**2 + x*y", (2.0, -1.0), rule, max_steps=15, stop=NEVER) for rule in some]
    assert_same(cases, in_node(programs, cases), 1e-10)


@pytest.mark.long
def test_rules_with_any_settings_make_the_same_steps(programs: Path) -> None:
    seed = random.randrange(10**6)
    assert_steps_with_other_settings_are_the_same(programs, seed, 20)


def schedules() -> list[Any]:
    """Every schedule in every convention, with other settings too, alone and inside one another."""
    made = []
    for kind in SCHEDULES.values():
        for convention in kind.conventions:
            named = {} if convention == "paper" else {"convention": convention}
            made.append(kind(0.1, **named))  # type: ignore[call-arg]
    paced = fallline.StepDecay(0.2, 0.5, 7, convention="tutorial")
    return [
        *made,
        paced,
        fallline.MultiStep(0.1, 0.5, (3,)),
        fallline.MultiStep(0.1, 0.9, (2, 4, 8, 16, 32, 64, 65, 66)),
        fallline.PiecewiseConstant(0.1, (5, 9, 30), (0.5, 2.0, 0.1)),
        fallline.PiecewiseConstant(0.1, (5,), (0.5,), convention="keras"),
        *(fallline.CosineRestarts(0.1, 7, growth, 0.1) for growth in (1, 3)),
        *(
            fallline.OneCycle(0.3, 50, part, convention=name)
            for part in (0.1, 0.5)
            for name in fallline.OneCycle.conventions
        ),
        fallline.Cyclic(0.1, 7, 0.3, 0.5, 0.99),
        fallline.Polynomial(0.1, 60, 2.5, 0.01),
        fallline.WarmUp(fallline.Cosine(0.1, 50), 13, 0.1),
        fallline.WarmUp(fallline.WarmUp(paced, 9), 5),
        fallline.WarmUpStableDecay(0.1, 20, 30, 40, 0.2, 0.1),
        *(
            fallline.ReduceOnPlateau(inner, 0.5, 3, 1e-3, cooldown, 1e-3, convention=name)
            for inner in (0.3, paced)
            for cooldown in (0, 4)
            for name in fallline.ReduceOnPlateau.conventions
        ),
    ]


def test_every_schedule_gives_the_rates_of_the_reference_engine(make: Make) -> None:
    # The value stands still, falls and rises, so that rates that watch it are reduced.
    formulas = [("abs(x) + y**2", (0.5, 1.0)), ("cos(2*x) + y**2 - 2", (0.5, 1.0))]
    rates = schedules()
    cases = [case(*given, GradientDescent(rate), max_steps=150, stop=NEVER) for given in formulas for rate in rates]
    assert_same(cases, make(cases))


@pytest.mark.long
def test_every_schedule_gives_the_rates_of_a_thousand_steps(make: Make) -> None:
    cases = [
        case("x**2/9 + y**4", (0.5, 1.0), GradientDescent(rate), max_steps=1000, stop=NEVER) for rate in schedules()
    ]
    assert_same(cases, make(cases))


DESCENT = GradientDescent(0.1)
# Runs for every reason there is.
ENDS = {
    "small step": case("x**2 + 3*y**2", (1.0, 1.0), DESCENT, max_steps=500),
    "small step of a size": case("x**2", (1.0,), DESCENT, stop=StepSize(1e-4)),
    "small step on a slope": case("exp(-x)", (1.0,), GradientDescent(1e-3), stop=StepSize(1e-3)),
    "small step in the middle": case("x**2", (1.0,), Momentum(0.3, 0.9), stop=StepSize(1e-2)),
    "rate too small": case("x**2", (1.0,), GradientDescent(fallline.Exponential(0.1, 0.5)), max_steps=500),
    "weight decay": case("x**2 - x", (1.0,), fallline.AdamW(0.1, weight_decay=0.3), max_steps=3000),
    "penalty": case("(x - 3)**2 + y**2", (0.0, 1.0), fallline.ProximalDescent(0.2, penalty=fallline.L1(2.0))),
    "penalty of both": case("(x - 3)**2 + y**2", (0.0, 1.0), fallline.FISTA(0.2, penalty=fallline.L1(7.0))),
    "small gradient": case("x**2 + y**4", (1.0, 1.0), DESCENT, stop=fallline.GradientNorm(0.02)),
    "small gradient of large slopes": case(
        "1e200*x**2", (1e-3,), GradientDescent(4e-201), stop=fallline.GradientNorm(1e190)
    ),
    "small gradient at a saddle": case("x**2 - y**2", (1.0, 0.0), DESCENT, stop=fallline.GradientNorm(1e-6)),
    "small change": case("x**2 + 5", (1.0,), DESCENT, stop=fallline.ValueChange(1e-9)),
    "small change on a slope": case("x**4", (1.0,), GradientDescent(1e-5), stop=fallline.ValueChange(1e-4)),
    "target reached": case("x**2", (1.0,), DESCENT, target=0.01),
    "target at the start": case("x**2", (1.0,), DESCENT, stop=fallline.Target(2.0)),
    "evaluations used up": case("x**2", (1.0,), DESCENT, stop=fallline.Evaluations(31)),
    "evaluations used up at the minimum": case("x**2", (1.0,), GradientDescent(0.4), stop=fallline.Evaluations(150)),
    "not finite": case("x**4", (3.0,), GradientDescent(1.0)),
    "not finite at the start": case("log(x)", (-1.0,), DESCENT),
    "not finite beyond the domain": case("sqrt(x)", (0.3,), DESCENT),
    "no gradient": case("sqrt(x**2)", (0.0,), DESCENT),
    "no gradient at the edge": case("sqrt(x)", (0.0,), DESCENT),
    "diverging": case("x**2", (1.0,), GradientDescent(1.1), stop=fallline.Diverging(100.0)),
    "step limit": case("x**2", (1.0,), DESCENT, max_steps=7),
    "step limit at the minimum": case("x**2", (1.0,), GradientDescent(0.5), max_steps=1),
    "saddle": case("x**2 - y**2", (1.0, 0.0), DESCENT, max_steps=500),
    "saddle of three": case("x**2 - y**2 + z**2 + x*z", (1.0, 0.0, 1.0), DESCENT, max_steps=1500),
    "maximum": case("-x**2 - y**2 - x*y", (0.0, 0.0), DESCENT),
    "flat start": case("(x - 1)**2", (1.0,), DESCENT),
    "kink": case("abs(x)", (0.5,), GradientDescent(0.5)),
    "two conditions": case("x**2", (1.0,), DESCENT, stop=fallline.Target(0.1) | fallline.GradientNorm(0.5)),
    "conditions of one step": case("x**2", (1.0,), DESCENT, stop=fallline.GradientNorm(0.5) | fallline.Target(0.1)),
    "no lower value": case("x**2 + y", (1.0, 0.0), GradientDescent(fallline.PolyakStep(1.0, lowest=5.0))),
    "no slope to search along": case("-x**2", (0.0,), GradientDescent(fallline.Backtracking(1e3))),
    "to rounding": case(FORMULAS["rosenbrock"][0], (-1.2, 1.0), fallline.ConjugateGradient(), stop=NEVER),
    "no way down": case("abs(x) + abs(y)", (1.0, 0.0), GradientDescent(fallline.Backtracking(1.0))),
}


def test_runs_end_where_and_why_they_end_in_python(make: Make) -> None:
    cases = list(ENDS.values())
    made = make(cases)
    assert_same(cases, made)
    reasons = {page.end["reason"] for page in made}
    said = {"small step", "rate too small", "small gradient", "small change", "target reached", "evaluations used up",
            "not finite", "no gradient", "diverging", "step limit", "saddle", "maximum", "to rounding",
            "no lower value"}  # fmt: skip
    assert said <= reasons


def test_a_run_ends_when_its_time_is_used_up(programs: Path) -> None:
    hasty = case("x**2", (1.0,), DESCENT, stop=fallline.Seconds(1e-9))
    slow = case("x**2", (1.0,), GradientDescent(1e-9), max_steps=10**9, stop=fallline.Seconds(0.05))
    at_once, later = in_node(programs, [hasty, slow])
    assert_same([hasty], [at_once])
    assert later.end["reason"] == "time used up"
    assert 0 < later.end["count"] < 10**9


def searches() -> list[LineSearch]:
    return [kind() for kind in LINE_SEARCHES.values()] + [
        fallline.Backtracking(10.0, 0.3, 0.2),
        fallline.StrongWolfe(0.01, 1e-3, 0.1),
        fallline.StrongWolfe(5.0, 0.3, 0.4, most_tries=3),
        fallline.ExactQuadratic(0.1),
        fallline.PolyakStep(0.5, -1.0),
    ]


def test_line_searches_find_the_rates_that_python_finds(make: Make) -> None:
    # On Ackley's function a rounding decides where a search begins anew.
    formulas = [
        FORMULAS["rosenbrock"],
        FORMULAS["himmelblau"],
        ("x**2 + 4*y**2", (4.0, 1.0)),
        ("log(x) + 1/x + y**2", (3.0, 1.0)),
    ]
    found: list[Any] = [
        GradientDescent(), Momentum(convention="torch"), fallline.ConjugateGradient(formula="hager_zhang"),
        fallline.LBFGS(memory=3), fallline.Adam(),
    ]  # fmt: skip
    cases = [
        case(*given, with_learning_rate(rule, search), max_steps=15)
        for given in formulas
        for search in searches()
        for rule in found
    ]
    assert_same(cases, make(cases), 1e-9)


def test_gradients_by_perturbation_are_those_of_python(programs: Path) -> None:
    some = [GradientDescent(1e-3), fallline.Nesterov(1e-3), fallline.Adam(0.1), fallline.LBFGS()]
    ways = [Perturbation(step, scheme) for scheme in ("forward", "backward", "central") for step in (None, 0.01)]
    cases = [
        case(*FORMULAS["rosenbrock"], rule, max_steps=20, gradient=way, stop=stop)
        for rule in some
        for way in ways
        for stop in (NEVER, fallline.Evaluations(60))
    ]
    # A difference divides a rounding of the value by the step.
    assert_same(cases, in_node(programs, cases), 1e-7)


@pytest.mark.parametrize("step", [None, 0.5])
def test_runs_on_perturbed_gradients_end_as_in_python(programs: Path, step: float | None) -> None:
    ways = [Perturbation(step, scheme) for scheme in ("forward", "backward", "central")]
    formulas = [("x**2 + 3*y**2", (1.0, 1.0)), ("x**2 - y**2", (1.0, 0.0)), ("x**4 + y**2", (1.0, 1.0))]
    cases = [case(*given, GradientDescent(0.1), max_steps=300, gradient=way) for given in formulas for way in ways]
    assert_same(cases, in_node(programs, cases), 1e-6)


def test_noise_is_that_of_the_wrapper(programs: Path) -> None:
    inner: list[Any] = [GradientDescent(0.1), fallline.Adam(0.05), fallline.Nesterov(0.01), fallline.LBFGS(0.1)]
    noisy = [fallline.GradientNoise(rule, variance=0.25, power=0.0, seed=seed) for rule in inner for seed in (0, 2**40)]
    cases = [case("x**2 + 3*y**2", (1.0, 2.0), rule, max_steps=60, stop=NEVER) for rule in noisy]
    assert_same(cases, in_node(programs, cases))


def test_what_python_refuses_the_page_refuses(programs: Path) -> None:
    search = fallline.Backtracking()
    refused = [
        case("x**2", (1.0,), fallline.Nesterov(search)),
        case("x**2", (1.0,), Momentum(search)),
        case("x**2", (1.0,), fallline.RMSProp(search)),
        case("x**2", (1.0,), fallline.SignDescent(search)),
        case("x**2", (1.0,), fallline.DoG(search)),
    ]
    taken = []
    for one, page in zip(refused, in_node(programs, refused), strict=True):
        if page.x is not None:
            taken.append(one.rule)
            assert apart(page.x, one.in_python().x).max() <= 1e-12
            continue
        assert page.end["parameter"] == "rate", one.name
        with pytest.raises(fallline.FalllineError, match="learning_rate"):
            one.in_python()
    assert len(taken) < len(refused)


@dataclass(frozen=True)
class Branching(Friction):
    """Its code asks how large a setting is."""

    def update(self, gradient: Any, state: Speed, rate: Any, step: Any) -> tuple[Any, Speed]:
        return (rate * gradient if self.friction > 0.3 else 2 * rate * gradient), state


@dataclass(frozen=True)
class Normed(Friction):
    """Coordinates depend on one another, and on the largest."""

    def update(self, gradient: Any, state: Speed, rate: Any, step: Any) -> tuple[Any, Speed]:
        longest = np.max(abs(gradient), axis=-1, keepdims=True)
        speed = self.friction * state.speed + gradient / np.linalg.norm(gradient / longest + 1, axis=-1, keepdims=True)
        return rate * np.exp(-step / 50) * speed, Speed(speed)


class Pair(NamedTuple):
    """The state of the rule below: one part of every coordinate after another, and two that they share."""

    old: Any
    new: Any
    length: Any
    before: Any


@dataclass(frozen=True)
class Swapping(fallline.Optimizer[Pair]):
    """Its parts change places in each step."""

    learning_rate: Any = 0.1

    def init(self, x: Any) -> Pair:
        return Pair(0 * x, 0 * x + 1, 1.0, np.sum(x * x, axis=-1, keepdims=True))

    def update(self, gradient: Any, state: Pair, rate: Any, step: Any) -> tuple[Any, Pair]:
        length = state.before + np.sum(gradient * state.new, axis=-1, keepdims=True) / 100
        change = rate * (gradient + state.old / 9 - state.new / 7) / (1 + abs(state.length))
        return change, Pair(state.new, state.old + change, length, state.length)


@pytest.mark.long
def test_rules_of_the_users_own_make_the_same_steps(programs: Path) -> None:
    own: list[Any] = [
        Friction(0.05),
        Friction(0.05, friction=0.0),
        Branching(0.02),
        Branching(0.02, friction=0.1),
        Normed(0.3),
        Swapping(0.2),
        fallline.Cautious(Friction(0.1)),
        fallline.Lookahead(fallline.Adam(0.1), period=3),
        fallline.WeightDecay(fallline.AMSGrad(0.1), decay=0.01),
        fallline.ClipNorm(fallline.Nesterov(0.05), limit=0.7),
        fallline.Projected(fallline.Momentum(0.02), fallline.Ball(0.8)),
        fallline.Projected(fallline.Adam(0.1), fallline.Box(-0.5, 0.75)),
        fallline.GradientNoise(fallline.Adam(0.1), seed=5),
    ]
    for rule in own:
        cases = [case("x**2 + 2*y**4 + x*y", (1.0, 0.7), rule, max_steps=200)]
        assert_same(cases, in_node(programs, cases, own_rules([rule])))


class Drawing(Friction):
    """It draws a number in each step."""

    def update(self, gradient: Any, state: Speed, rate: Any, step: Any) -> tuple[Any, Speed]:
        return rate * gradient * random.random(), state


class Counting(Friction):
    """It counts its steps outside of its state."""

    counted: ClassVar[list[int]] = [0]

    def update(self, gradient: Any, state: Speed, rate: Any, step: Any) -> tuple[Any, Speed]:
        self.counted[0] += 1
        return (rate if self.counted[0] < 5 else 2 * rate) * gradient, state


class Typed(Friction):
    """It does something else on arrays."""

    def update(self, gradient: Any, state: Speed, rate: Any, step: Any) -> tuple[Any, Speed]:
        return (2 * rate if isinstance(gradient, np.ndarray) else rate) * gradient, state


class Asking(Friction):
    """It asks what kind of a number its setting is."""

    def update(self, gradient: Any, state: Speed, rate: Any, step: Any) -> tuple[Any, Speed]:
        return (2 * rate if isinstance(self.friction, float) else rate) * gradient, state


class Sorting(Friction):
    """It does what is no arithmetic on coordinates."""

    def update(self, gradient: Any, state: Speed, rate: Any, step: Any) -> tuple[Any, Speed]:
        return rate * np.sort(gradient, axis=-1), state


@pytest.mark.parametrize("kind", [Drawing, Counting, Typed, Asking, Sorting])
def test_a_rule_whose_code_does_more_than_its_graph_is_refused_by_name(kind: type[Friction]) -> None:
    made = dataclass(frozen=True)(kind)
    with pytest.raises(fallline.FalllineError, match=rf"{kind.__name__}.*the page cannot compute with"):
        own_rules([made(0.1)])


def test_a_rule_that_the_page_has_no_code_for_is_refused_by_name() -> None:
    with pytest.raises(fallline.FalllineError, match=r"projected:adam.*sort"):
        own_rules([fallline.Projected(fallline.Adam(), fallline.Simplex())])


def test_text_of_the_users_ends_no_script() -> None:
    rule: Any = dataclass(frozen=True)(type("Closing", (Friction,), {"__doc__": "</script><script>alert(1)</script>"}))
    assert "</script" not in own_rules([rule(0.1)])
