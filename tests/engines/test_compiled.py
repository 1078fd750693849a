"""The compiled engine against the reference engine, which the other tests hold to papers and libraries."""

from __future__ import annotations

import cProfile
import dataclasses
import functools
import os
import random
import secrets
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.cases import few
from tests.engines import problems
from tests.engines.problems import problem
from tests.optimizers.rules import RULES

import fallline
from fallline import (
    LAMB,
    LARS,
    Adam,
    ClipNorm,
    DoG,
    FalllineError,
    GradientDescent,
    Momentum,
    Nesterov,
    Record,
    Trajectory,
    minimize,
)
from fallline.engines import Problem, compiled, ends, execute, reference
from fallline.engines.compiled.program import program_for
from fallline.engines.compiled.recorded import Columns
from fallline.machine_code import machine
from fallline.objectives.landscapes import LANDSCAPES
from fallline.optimizers import Optimizer, WeightDecay
from fallline.schedules import SCHEDULES, Schedule
from fallline.stopping import (
    Diverging,
    Evaluations,
    GradientNorm,
    Seconds,
    StepSize,
    StoppingCondition,
    Target,
    ValueChange,
)

# Well-conditioned: curvatures between 2 and 6.
BOWL = "x**2 + 3*y**2 + x*y/2"
VALLEY = "rosenbrock"
# NumPy has vectorised powers and cosines of its own for arrays, whose last digits may differ from the C library's.
# All else the two engines compute alike, to the last bit.
OTHER_LAST_DIGITS = ("ftrl", "madgrad", "gradient_noise", "schedule_free_sgd@optax", "schedule_free_adamw@optax")


def assert_same(one: Trajectory, other: Trajectory, tolerance: float = 0.0) -> None:
    """Whether two runs are equal in all but the time they took and the engine, coordinates to a relative tolerance."""
    if tolerance:
        assert one.steps.tolist() == other.steps.tolist()
        scale = np.abs(one.x).max(initial=1.0)
        np.testing.assert_allclose(other.x, one.x, rtol=tolerance, atol=tolerance * scale)
        return
    assert dataclasses.replace(one, seconds=0.0, engine="") == dataclasses.replace(other, seconds=0.0, engine="")


def both(given: Problem) -> tuple[Trajectory, Trajectory]:
    (one,), (other,) = reference.run(given), compiled.run(given)
    assert (one.engine, other.engine) == ("reference", "compiled")
    return one, other


@pytest.mark.parametrize("name", RULES)
def test_every_rule_goes_the_same_way(name: str) -> None:
    # 1e-10 over 1,000 steps is the promise for well-conditioned problems; most rules keep it to the last bit.
    exact = not name.startswith(OTHER_LAST_DIGITS)
    given = problem(BOWL, [1.0, -0.7], RULES[name], max_steps=1000, record=Record(every=7, state=exact))
    assert_same(*both(given), tolerance=0.0 if exact else 1e-10)


@pytest.mark.parametrize("name", [name for name in RULES if not name.startswith(OTHER_LAST_DIGITS)])
def test_ill_conditioned_or_chaotic_runs_are_the_same_to_the_last_bit(name: str) -> None:
    # In Rosenbrock's valley, and thrown out of it, rounding errors grow: only equal bits stay equal.
    assert_same(*both(problem(VALLEY, [-1.2, 1.0], RULES[name], max_steps=500)))


@pytest.mark.parametrize("name", few(LANDSCAPES, 6))
def test_every_landscape(name: str) -> None:
    start = [low + 0.4 * (high - low) for low, high in LANDSCAPES[name].bounds]
    one, other = both(problem(name, start, Adam(0.01), max_steps=200))
    # Sines and exponentials of the two differ by a unit in the last place, and Adam divides small slopes by
    # themselves; without them there is no difference at all.
    assert_same(one, other, tolerance=1e-10 if any(word in one.title for word in ("sin", "cos", "exp")) else 0.0)


@pytest.mark.parametrize(
    "formula",
    [
        "abs(x - 1) + max(x, y, 0) + min(x*y, 3)",
        "sqrt(x**2 + y**2 + 1) + x**3/(1 + y**2)",
        "u = x - 2*y; v = u**2 + x; v**2 + u/7",
        "sign(x)*x**2 + y**12",
    ],
)
def test_formulas_of_the_whole_language_without_transcendentals(formula: str) -> None:
    assert_same(*both(problem(formula, [1.3, -0.4], GradientDescent(0.01))))


@pytest.mark.parametrize(
    "formula",
    [
        "sin(x)*cos(y) + tan(x/3)",
        "exp(-x**2) + log(1 + y**2) + x**2.5 + 2**y",
        "tanh(x)*sigmoid(y) + sinh(x/2) + cosh(y)",
        "asin(x/3) + acos(y/3) + atan(x*y) + x**y",
    ],
)
def test_formulas_of_the_whole_language_with_transcendentals(formula: str) -> None:
    # A hundred short steps on a smooth function: the last digits of its functions stay last digits.
    assert_same(*both(problem(formula, [0.7, 0.4], GradientDescent(0.001))), tolerance=1e-13)


@pytest.mark.parametrize("formula", ["1/max(x, 0) + y**2", "1/min(0, x) + y**2", "1/max(x, y)", "1/min(y, x)"])
@pytest.mark.parametrize("start", [[-0.0, 0.0], [0.0, -0.0]])
def test_of_two_zeros_the_one_that_numpy_takes(formula: str, start: list[float]) -> None:
    assert_same(*both(problem(formula, start, GradientDescent(0.1), max_steps=1)))


def test_a_formula_of_one_coordinate_and_of_many() -> None:
    assert_same(*both(problem("(x - 3)**2", [10.0], Momentum(0.1))))
    names = [f"x{i}" for i in range(20)]
    text = " + ".join(f"{i + 1}*{name}**2" for i, name in enumerate(names))
    for rule in (Adam(0.1), fallline.ClipNorm(GradientDescent(0.01))):
        assert_same(*both(problem(text, np.linspace(-1, 2, 20), rule)))


STOPS: dict[str, tuple[StoppingCondition, Any]] = {
    "small step": (StepSize(1e-4), GradientDescent(0.1)),
    "small step at a flat point": (StepSize(), GradientDescent(0.25)),
    "small gradient": (GradientNorm(1e-3), Adam(0.1)),
    "zero gradient": (GradientNorm(0.0), GradientDescent(0.1)),
    "small change": (ValueChange(1e-6), Nesterov(0.05)),
    "target reached": (Target(0.01), Momentum(0.05)),
    "evaluations used up": (Evaluations(37), GradientDescent(0.01)),
    "evaluations of a rule that looks ahead": (Evaluations(38), Nesterov(0.01)),
    "diverging": (Diverging(1e3), GradientDescent(2.0)),
    "not finite": (Target(-1.0), GradientDescent(9.0)),
    "several": (Target(0.5) | StepSize(1e-3) | GradientNorm(1e-2), GradientDescent(0.05)),
    "at the start": (Target(1e9), GradientDescent(0.05)),
    "step limit": (Target(-1.0), GradientDescent(0.01)),
}


@pytest.mark.parametrize("name", STOPS)
@pytest.mark.parametrize("record", ["all", 4, "ends"])
def test_runs_end_at_the_same_step_for_the_same_reason(name: str, record: Any) -> None:
    stop, rule = STOPS[name]
    # The whole trajectory is compared: rows, best point, message, counts of evaluations.
    assert_same(*both(problem("x**2 + y**2", [1.0, -2.0], rule, max_steps=200, stop=stop, record=record)))


def test_rows_may_be_farther_apart_than_any_run_is_long() -> None:
    for every in (2**62, 2**63, 2**64 + 5, 10**30):
        assert_same(*both(problem(BOWL, [1.0, 1.0], GradientDescent(0.1), max_steps=20, record=every)))


@pytest.mark.parametrize("stop", [Target(-1.0), Evaluations(7000)])
def test_long_records_grow(stop: StoppingCondition, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fallline.engines.compiled.recorded._FIRST_NUMBERS", 1000)
    given = problem(BOWL, [1.0, 1.0], Adam(1e-4), max_steps=5000, stop=stop, record=Record(every=3, state=True))
    assert_same(*both(given))


@pytest.mark.parametrize("name", [name for name, kind in SCHEDULES.items() if not kind.needs_value])
def test_every_schedule(name: str) -> None:
    schedule = fallline.schedules.parse_schedule(name, 0.05)
    one, other = both(problem(BOWL, [1.0, 1.0], Momentum(schedule), max_steps=300))
    # The cosine of some schedules is NumPy's, which may round otherwise.
    np.testing.assert_allclose(other.rate[:-1], one.rate[:-1], rtol=1e-15)
    assert_same(one, other, tolerance=1e-13)


@dataclasses.dataclass(frozen=True)
class Staircase(Schedule):
    """A schedule that asks what step it is, which no graph can."""

    name = "staircase"
    initial: float = 0.1

    def rate(self, step: Any) -> Any:
        return self.initial if step < 20 else self.initial / step


def test_a_schedule_that_python_must_ask() -> None:
    assert_same(*both(problem(BOWL, [1.0, 1.0], GradientDescent(Staircase()))))
    assert_same(*both(problem(BOWL, [1.0, 1.0], WeightDecay(Adam(Staircase())))))


@dataclasses.dataclass(frozen=True)
class Own(Optimizer[Any]):
    """A rule of a user's, with everything that may stand in one."""

    learning_rate: Any = 0.05
    decay: float = 0.5
    power: float = 0.3
    scale: Any = dataclasses.field(default_factory=lambda: np.array([1.0, 2.0]), compare=False)

    def init(self, x: Any) -> Any:
        return (0 * x, (1.0, None))

    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
        mean, (count, none) = state
        if self.decay > 0.2:  # of its own numbers it may ask
            mean = self.decay * mean + gradient
        size = np.sqrt(np.sum(mean**2, axis=-1, keepdims=True)) + np.maximum(np.abs(mean), 1.0)
        change = rate * np.where(np.sign(mean) == np.sign(gradient), mean, 0.5 * gradient) * self.scale / size
        return np.clip(change, -0.3, 0.3) / step**self.power, (mean, (count + 1, none))


def test_a_rule_of_the_users() -> None:
    assert_same(*both(problem(BOWL, [1.0, -3.0], Own(), record=Record(state=True))))


CALLED: list[int] = []
FACTOR = [1.0]


def _counted(gradient: Any, _: Any) -> Any:
    CALLED.append(1)
    return gradient / len(CALLED)


def _by_the_kind_of_number(gradient: Any, step: Any) -> Any:
    return gradient / (step if isinstance(step, int) else 1)


def _caught(gradient: Any, step: Any) -> Any:
    try:
        return gradient / int(step)
    except TypeError:
        return gradient


class Hidden:
    """A direction that hides its count of calls."""

    def __init__(self) -> None:
        self._calls = 0

    def __call__(self, gradient: Any, _: Any) -> Any:
        self._calls += 1
        return gradient * (1.0 if self._calls < 10_000 else 0.5)


class OfTheClass:
    """A direction whose class counts its calls."""

    calls = 0

    def __call__(self, gradient: Any, _: Any) -> Any:
        OfTheClass.calls += 1
        return gradient * (1.0 if OfTheClass.calls < 10_000 else 0.5)


DRAWN = np.random.default_rng(0)


def _counting_later(gradient: Any, _: Any) -> Any:
    CALLED.append(1)
    return gradient * (1.0 if len(CALLED) < 10_000 else 0.5)


def _counting_on_itself(gradient: Any, _: Any) -> Any:
    vars(_counting_on_itself)["calls"] = vars(_counting_on_itself).get("calls", 0) + 1
    return gradient * (1.0 if vars(_counting_on_itself)["calls"] < 10_000 else 0.5)


def _chance_later(gradient: Any, step: Any) -> Any:
    return gradient * np.where(step > 15, DRAWN.random(), 1.0)


def _counting_in_another_module(gradient: Any, _: Any) -> Any:
    problems.asked += 1
    return gradient * (1.0 if problems.asked < 10_000 else 0.5)


def _counting_in_a_module_it_imports(gradient: Any, _: Any) -> Any:
    from tests.engines import problems as elsewhere

    elsewhere.asked += 1
    return gradient * (1.0 if elsewhere.asked < 10_000 else 0.5)


def _printing(gradient: Any, _: Any) -> Any:
    print(end="")  # noqa: T201
    return gradient


# Directions whose traced graph computes something else than their Python code.
OTHERWISE: dict[str, Callable[[Any, Any], Any]] = {
    "counting": _counted,
    "chance": lambda gradient, step: gradient * np.random.default_rng().random(),
    "kind of number": _by_the_kind_of_number,
    "caught": _caught,
    "counting, for later": _counting_later,
    "counting in hiding": Hidden(),
    "drawing, for later": lambda gradient, step: gradient * (1.0 if DRAWN.random() < 0.999999999 else 0.5),
    "chance, later": _chance_later,
    "counting in the class": OfTheClass(),
    "counting on the function": _counting_on_itself,
    "drawing from NumPy, for later": lambda gradient, _: gradient * (0.5 if np.random.random() < 1e-9 else 1.0),  # noqa: NPY002
    "drawing from Python, for later": lambda gradient, _: gradient * (0.5 if random.random() < 1e-9 else 1.0),
    "counting in another module": _counting_in_another_module,
    "counting in a module that it imports": _counting_in_a_module_it_imports,
    "looking at the clock": lambda gradient, _: gradient * (0.5 if time.time() > 1e18 else 1.0),
    "looking at the calendar": lambda gradient, _: gradient * (0.5 if datetime.now().year > 9000 else 1.0),
    "asking the machine": lambda gradient, _: gradient * (0.5 if os.urandom(9) == b"seventeen" else 1.0),
    "asking for a secret": lambda gradient, _: gradient * (0.5 if secrets.randbelow(10**9) == 7 else 1.0),
    "printing": _printing,
}


@dataclasses.dataclass(frozen=True)
class Directed(Optimizer[None]):
    """A rule that goes where it is told."""

    learning_rate: Any = 0.1
    direction: Any = None

    def init(self, x: Any) -> None:
        return None

    def update(self, gradient: Any, state: None, rate: Any, step: Any) -> Any:
        return rate * self.direction(gradient, step), state


@pytest.mark.parametrize("name", OTHERWISE)
@pytest.mark.parametrize("execute_by", [execute, ends])
def test_a_rule_that_is_not_what_its_graph_says_is_left_to_python(name: str, execute_by: Any) -> None:
    given = problem(BOWL, [1.0, -3.0], Directed(direction=OTHERWISE[name]), max_steps=20)
    with pytest.raises(FalllineError, match="does in Python what its graph does not"):
        execute_by(given, "compiled")


class Halved:
    """A direction that computes its factor when it is first asked."""

    @functools.cached_property
    def factor(self) -> float:
        return 0.5

    def __call__(self, gradient: Any, _: Any) -> Any:
        return self.factor * gradient


def test_a_rule_of_the_users_under_a_profiler() -> None:
    profiler = cProfile.Profile()
    given = problem(BOWL, [1.0, 1.0], Own(), max_steps=20, stop=Target(-1))
    profiler.enable()
    (run,) = compiled.run(given)
    sorted([2, 1])
    profiler.disable()
    assert run.step_count == 20
    # Before it is watched, and after.
    called = {str(entry.code) for entry in profiler.getstats()}
    assert any("rehearse" in name for name in called)
    assert any("sorted" in name for name in called)


def test_what_a_rule_keeps_from_its_first_step_is_no_memory() -> None:
    assert_same(*both(problem(BOWL, [1.0, -3.0], Directed(direction=Halved()), max_steps=20)))


# The norm along a single coordinate is its size; a state of one coordinate is a number.
@pytest.mark.parametrize("rule", [LAMB(0.1), LARS(0.1), ClipNorm(Adam(0.1), 0.5), DoG(), LAMB(0.1, convention="keras")])
def test_lengths_in_one_dimension(rule: Optimizer[Any]) -> None:
    for start in (-2.0, 3.0):
        assert_same(*both(problem("x**2 + x", [start], rule, max_steps=50)))


@pytest.mark.filterwarnings("error")
def test_no_warning_of_a_start_whose_length_is_too_large() -> None:
    starts = np.full((3, 2), 1e300)
    assert ends(problem("x**2 + y**2", starts, DoG(), max_steps=5), "compiled").ended_by("not finite").all()


def test_a_rule_of_the_users_is_read_anew_in_every_run() -> None:
    rule = Directed(direction=lambda gradient, step: gradient * FACTOR[0])
    for factor in (1.0, 0.5):
        FACTOR[0] = factor
        (run,) = execute(problem(BOWL, [1.0, -3.0], rule, max_steps=1), "compiled")
        # The bowl's slope at the start is 2x + y/2, 6y + x/2, by hand; a rounding or two of float64.
        slope = np.array([0.5, -17.5])
        np.testing.assert_allclose(run.final.x, [1.0, -3.0] - 0.1 * factor * slope, rtol=1e-15)


def test_a_change_of_the_wrong_shape_is_refused_as_ever() -> None:
    given = problem(BOWL, [1.0, -3.0], Directed(direction=lambda gradient, step: 1.0), max_steps=5)
    with pytest.raises(FalllineError, match="returned a change of shape"):
        execute(given, "compiled")


@dataclasses.dataclass(frozen=True)
class Square(Optimizer[Any]):
    """A rule whose state has a number for each pair of coordinates, of which it makes no use."""

    learning_rate: Any = 0.05

    def init(self, x: Any) -> Any:
        return np.zeros((len(x), 2, 2))

    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
        return rate * gradient, 0.9 * state + 1


@pytest.mark.parametrize("execute_by", [execute, ends])
def test_a_state_that_is_not_of_coordinates_is_left_to_the_reference_engine(execute_by: Any) -> None:
    with pytest.raises(FalllineError, match="state has the shape"):
        execute_by(problem(BOWL, [1.0, -3.0], Square(), max_steps=5), "compiled")


@dataclasses.dataclass(frozen=True)
class Booleans(Optimizer[Any]):
    """A rule that computes with booleans, and keeps them in its state."""

    learning_rate: Any = 0.05

    def init(self, x: Any) -> Any:
        return x > 0

    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
        up, large = gradient > 0, np.abs(gradient) > 1
        both = 1.0 * (up + large) + (up * large)  # a sum of boolean arrays is boolean
        return rate * gradient * np.where(state, 1.0, 0.5) * both, up


def test_booleans_are_computed_with_as_numpy_does() -> None:
    assert_same(*both(problem(BOWL, [1.0, -3.0], Booleans(), max_steps=40, record=Record(state=True))))


@dataclasses.dataclass(frozen=True)
class Listed(Schedule):
    """A schedule of so many rates, and no more."""

    name = "listed"
    initial: float = 0.1
    count: int = 40

    def rate(self, step: Any) -> Any:
        return ([self.initial] * self.count)[step - 1]


def test_rates_are_asked_for_no_further_than_the_steps_go() -> None:
    assert_same(*both(problem(BOWL, [1.0, 1.0], GradientDescent(Listed(count=40)), max_steps=40)))


def test_rates_that_end_before_the_steps_may_are_left_to_the_reference_engine() -> None:
    rule = GradientDescent(Listed(count=600))
    with pytest.raises(FalllineError, match="the learning rate fails at step 601"):
        minimize("x**2", 1.0, rule, max_steps=50_000, engine="compiled")
    run = minimize("x**2", 1.0, rule, max_steps=50_000)
    assert (run.engine, run.stop.reason) == ("reference", "small step")


@dataclasses.dataclass(frozen=True)
class Asking(Optimizer[None]):
    """A rule that asks for the size of a slope, which differs from run to run."""

    learning_rate: Any = 0.1

    def init(self, x: Any) -> None:
        return None

    def update(self, gradient: Any, state: None, rate: Any, step: Any) -> Any:
        return (rate * gradient, state) if np.all(gradient > 0) else (gradient * 0.01, state)


class Quiet(StoppingCondition):
    """A condition that asks for the size of a slope."""

    reason = "quiet"

    def met(self, progress: Any) -> Any:
        return progress.value < 0 if np.all(progress.gradient > 0) else np.zeros(len(progress.x), bool)

    def message(self, progress: Any, run: int) -> str:
        return "never"


NOT_COMPILABLE: dict[str, tuple[dict[str, Any], str]] = {
    "function": ({"objective": lambda x: x**2, "x0": 1.0}, "is no formula"),
    "gradient": ({"gradient": fallline.Perturbation()}, "its gradient is"),
    "line search": ({"optimizer": GradientDescent(fallline.Backtracking())}, "line search"),
    "plateau": ({"optimizer": Adam(fallline.ReduceOnPlateau(0.1))}, "looks at the values"),
    "rule": ({"optimizer": Asking()}, "Asking"),
    "condition": ({"stop": Quiet()}, "Quiet"),
    "seconds": ({"stop": Seconds(60)}, "Seconds"),
    "callback": ({"callback": lambda point: False}, "callback"),
    "size": ({"objective": "+".join(f"x{i}**2" for i in range(1000)), "x0": np.ones(1000)}, "operations"),
}


@pytest.mark.parametrize("name", NOT_COMPILABLE)
def test_what_cannot_be_compiled_is_said_in_one_line_and_left_to_the_reference_engine(name: str) -> None:
    changed, reason = NOT_COMPILABLE[name]
    asked: dict[str, Any] = {"objective": "x**2", "x0": 1.0, "optimizer": GradientDescent(0.1)} | changed
    with pytest.raises(FalllineError, match=rf'^engine is "compiled", which cannot run this: .*{reason}.*use "auto"$'):
        minimize(**asked, max_steps=3, engine="compiled")
    if name != "size":
        assert minimize(**asked, max_steps=20_000, engine="auto").engine == "reference"


def test_auto_chooses_by_the_work() -> None:
    short, long = (minimize(BOWL, [1.0, 1.0], Adam(0.01), max_steps=steps) for steps in (1000, 100_000))
    assert (short.engine, long.engine) == ("reference", "compiled")
    # Whether they were compiled before or not makes no difference.
    assert minimize(BOWL, [1.0, 1.0], Adam(0.01), max_steps=1000).engine == "reference"
    few, many = (ends(problem(BOWL, np.ones((k, 2)), Adam(0.01)), "auto") for k in (10, 20_000))
    assert (few.engine, many.engine) == ("reference", "compiled")
    # The reference engine takes several times as long for a step on arrays: of a rule over all coordinates, or the
    # user's.
    for rule, engine in ((Adam(0.01), "reference"), (LAMB(0.01), "compiled"), (Own(), "compiled")):
        assert minimize(BOWL, [1.0, 1.0], rule, max_steps=5000, stop=Target(0.1)).engine == engine
    # Coordinates make a step as much longer as the compiling, and thousands of runs take long to begin and to end.
    wide = " + ".join(f"x{i}**2" for i in range(50))
    for formula, shape, steps, engine in (
        (wide, (1, 50), 60_000, "compiled"),
        (wide, (1, 50), 5000, "reference"),
        (wide, (1000, 50), 500, "compiled"),
        (BOWL, (4096, 2), 20, "compiled"),
        (BOWL, (100, 2), 20, "reference"),
    ):
        given = problem(formula, np.full(shape, 1e-9), Adam(0.01), max_steps=steps, stop=Target(0.1))
        assert ends(given, "auto").engine == engine
    # Powers of a setting that differs from run to run are taken run by run.
    decay: Any = np.linspace(0.1, 0.9, 961)[:, None]
    for rule, engine in ((Adam(0.01), "reference"), (Adam(0.01, beta1=decay), "compiled")):
        assert ends(problem(BOWL, np.full((961, 2), 1e-9), rule, max_steps=20), "auto").engine == engine


def test_without_llvm_auto_is_reference_and_compiled_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    for name in ("_llvm", "_target", "lanes"):
        getattr(machine, name).cache_clear()
    compiled.program._remembered.cache_clear()
    assert minimize(BOWL, [1.0, 1.0], Adam(0.01), max_steps=100_000, stop=Target(0.1)).engine == "reference"
    with pytest.raises(FalllineError, match=r'^engine is "compiled", .*pip install "fallline\[fast\]"$'):
        minimize(BOWL, [1.0, 1.0], Adam(0.01), engine="compiled")


# Batches ---------------------------------------------------------------------------------------------------


def assert_same_ends(one: Any, other: Any) -> None:
    np.testing.assert_array_equal(one.x, other.x)
    np.testing.assert_array_equal(one.value, other.value)
    np.testing.assert_array_equal(one.lowest, other.lowest)
    np.testing.assert_array_equal(one.steps, other.steps)
    np.testing.assert_array_equal(one.converged, other.converged)
    assert [one.reasons[i] for i in one.stop] == [other.reasons[i] for i in other.stop]


@pytest.mark.parametrize("count", [1, 15, 16, 17, 700])
def test_the_ends_of_a_batch_are_those_of_the_reference_engine(count: int) -> None:
    starts = np.random.default_rng(count).uniform(-5, 5, (count, 2))
    # They end at different steps for different reasons, so lanes are freed and closed up.
    stop = GradientNorm(1e-2) | Diverging(1e4) | Target(1e-5)
    given = problem("himmelblau", starts, Momentum(0.015), max_steps=150, stop=stop, lowest=True)
    found = ends(given, "compiled")
    assert_same_ends(ends(given, "reference"), found)
    if count == 700:
        assert {found.reasons[i] for i in found.stop} == {
            "small gradient", "diverging", "target reached", "step limit",
        }  # fmt: skip
        assert found.ended_by("diverging").sum() == (found.stop == 2).sum() > 0


@given(
    starts=arrays(float, (37, 2), elements=st.floats(-1e3, 1e3)),
    rate=st.sampled_from([1e-5, 1e-3, 0.1]),
    steps=st.integers(1, 200),
)
@settings(max_examples=30)
def test_a_run_ends_alike_alone_and_in_a_batch(starts: Any, rate: float, steps: int) -> None:
    given = problem("x**2*cos(y) + exp(-x**2) + y**2/9", starts, Adam(rate), max_steps=steps)
    found = ends(given, "compiled")
    for i in (0, 17, 36):
        (alone,) = compiled.run(dataclasses.replace(given, starts=starts[i : i + 1]))
        np.testing.assert_array_equal(alone.final.x, found.x[i])
        np.testing.assert_array_equal(alone.final.value, found.value[i])
        assert (alone.step_count, alone.stop.reason) == (found.steps[i], found.reasons[found.stop[i]])


def test_a_run_ends_alike_alone_and_in_a_batch_where_the_library_is_asked_for_one_of_its_functions() -> None:
    # x is too large for the polynomials of sine and cosine, y is not: the library's sine of y has another last digit.
    starts = np.random.default_rng(0).uniform([4e8, -2e5], [6e8, 2e5], (64, 2))
    given = problem("sin(x)*cos(y)", starts, GradientDescent(1e5), max_steps=1, record="ends")
    alone = np.array([run.final.x for run in compiled.run(given)])
    assert ends(given, "compiled").x.tolist() == alone.tolist()


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_the_values_at_marks_are_those_of_runs_that_end_there(engine: str) -> None:
    starts = np.random.default_rng(3).uniform(-2, 2, (300, 2))
    given = problem("x**2*cos(y) + sin(x)**2 + y**2/9", starts, Momentum(0.01), max_steps=200, stop=Target(1e-5))
    marks = (1, 2, 17, 90, 199)
    found = ends(dataclasses.replace(given, record=Record(every=None, at=marks)), engine)
    assert_same_ends(ends(given, engine), found)
    for mark, values in zip(marks, found.marks.T, strict=True):
        shorter = ends(dataclasses.replace(given, max_steps=mark), engine)
        came_there = shorter.steps == mark
        np.testing.assert_array_equal(values, np.where(came_there, shorter.value, np.nan))
    assert 0 < np.isnan(found.marks[:, -1]).sum() < 300


def test_one_slow_run_in_a_batch() -> None:
    starts = np.full((3000, 2), 1e-3)
    starts[1234] = [-1.2, 1.0]
    given = problem("sphere", starts, GradientDescent(1e-4), max_steps=60_000, stop=Target(1e-6))
    found = ends(given, "compiled")
    (slow,) = compiled.run(dataclasses.replace(given, starts=starts[1234:1235], record=Record(every=None)))
    assert found.steps[1234] == slow.step_count > 30_000
    assert (np.delete(found.steps, 1234) == found.steps[0]).all()


def test_settings_of_each_run() -> None:
    k = 50
    draw = np.random.default_rng(0)
    rates: Any = draw.uniform(0.001, 0.5, (k, 1))
    betas: Any = draw.uniform(0.5, 0.999, (k, 1))
    starts = draw.uniform(-2, 2, (k, 2))
    rule = Adam(rates, beta1=betas, beta2=np.sqrt(betas))
    stop = Target(0.3)
    found = ends(problem(VALLEY, starts, rule, max_steps=300, stop=stop), "compiled")
    assert_same_ends(ends(problem(VALLEY, starts, rule, max_steps=300, stop=stop), "reference"), found)
    schedule = fallline.Exponential(rates, decay=betas)
    given = problem(VALLEY, starts / 10, Momentum(schedule, momentum=0.5 * betas), max_steps=50)
    assert_same_ends(ends(given, "reference"), ends(given, "compiled"))


def test_batches_with_other_settings_of_each_run_share_their_code() -> None:
    draw = np.random.default_rng(1)
    programs = set()
    for k in (30, 17):
        rates: Any = draw.uniform(0.01, 0.1, (k, 1))
        momenta: Any = draw.random((k, 1))
        rule = Momentum(fallline.Exponential(rates, decay=0.9), momentum=momenta)
        given = problem(VALLEY, draw.uniform(-1, 1, (k, 2)), rule, max_steps=40)
        assert_same_ends(ends(given, "reference"), ends(given, "compiled"))
        programs.add(program_for(given, rule, 8))
    assert len(programs) == 1
    assert program_for(given, dataclasses.replace(rule, momentum=0.9), 8) not in programs


@pytest.mark.parametrize("name", ["adam@paper", "adam@keras", "amsgrad@torch", "nadam@paper", "adadelta@paper"])
def test_quotients_at_the_ends_of_the_range_of_floats(name: str) -> None:
    # Zeros, squares that vanish or overflow, and digits that are all ones: a reciprocal alone would round otherwise.
    sizes = np.array([0.0, 5e-324, 1e-310, 1e-200, 1e-160, 1e-150, 1e-9, 1.0, 1 - 2.0**-53, 1e9, 1e150, 1e155, 1e300])
    starts = np.stack(np.meshgrid(sizes, -sizes), axis=-1).reshape(-1, 2)
    for rule in (RULES[name], dataclasses.replace(RULES[name], learning_rate=1e3)):
        given = problem("x**2 + 3*y**2", starts, rule, max_steps=60, stop=Target(-1.0))
        assert_same_ends(ends(given, "reference"), ends(given, "compiled"))


def test_trajectories_of_several_starts() -> None:
    starts = np.random.default_rng(1).uniform(-2, 2, (5, 2))
    given = problem(VALLEY, starts, Adam(0.05), max_steps=60)
    for one, other in zip(execute(given, "reference"), execute(given, "compiled"), strict=True):
        assert_same(one, other)


# Ctrl-C ----------------------------------------------------------------------------------------------------


def interrupt_after(made: int) -> Any:
    """Report like a user who presses Ctrl-C once so many steps are made."""

    def report(done: int) -> None:
        if done >= made:
            os.kill(os.getpid(), signal.SIGINT)

    return report


def test_ctrl_c_keeps_the_run_so_far() -> None:
    given = problem(BOWL, [1.0, 1.0], Adam(1e-6), max_steps=10**9, report=interrupt_after(2000))
    (run,) = compiled.run(given)
    assert run.stop.reason == "interrupted"
    assert run.stop.message == f"interrupted at step {run.step_count}"
    assert 2000 <= run.step_count < 10**6
    # As far as it went it is the same run.
    (whole,) = compiled.run(problem(BOWL, [1.0, 1.0], Adam(1e-6), max_steps=run.step_count, stop=Target(-1)))
    np.testing.assert_array_equal(whole.x, run.x)
    assert len(run.steps) == len(run.x)
    assert run.evaluations == whole.evaluations


def test_ctrl_c_at_a_mark_ends_a_batch() -> None:
    def report(_: int) -> None:
        time.sleep(0.05)  # so that the threads are on their way among the marks
        os.kill(os.getpid(), signal.SIGINT)

    starts = np.random.default_rng(2).uniform(-2, 2, (100, 2))
    given = problem(BOWL, starts, Adam(1e-9), max_steps=10**8, report=report)
    found = ends(dataclasses.replace(given, record=Record(every=None, at=tuple(range(1, 100_000)))), "compiled")
    assert {found.reasons[i] for i in found.stop} == {"interrupted"}


def test_ctrl_c_leaves_the_runs_of_a_batch_where_they_are() -> None:
    starts = np.random.default_rng(2).uniform(-2, 2, (5000, 2))
    given = problem(BOWL, starts, Adam(1e-9), max_steps=10**8, report=interrupt_after(0))
    found = ends(given, "compiled")
    assert {found.reasons[i] for i in found.stop} == {"interrupted"}
    assert not found.converged.any()
    # Adam moves by its rate a step.
    assert (np.abs(found.x - starts).max(axis=1) <= 1.01e-9 * found.steps + 1e-15).all()


def test_a_record_that_fits_into_no_memory_is_refused_in_one_line() -> None:
    with pytest.raises(FalllineError, match=r"^record takes \d+ rows, which do not fit into memory"):
        Columns((1, 1, 1, 1), 2**60)


@dataclasses.dataclass(frozen=True)
class Powers(Optimizer[Any]):
    """A rule that keeps the power of a number by the step."""

    learning_rate: Any = 0.0
    base: float = 0.9

    def init(self, x: Any) -> Any:
        return 0 * x

    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
        return rate * gradient, gradient * self.base**step


@pytest.mark.parametrize(
    ("base", "steps"),
    [
        # The second and the third go down through all sizes of floats, the subnormal ones too, to zero.
        *((0.9, 10_000), (0.99, 80_000), (0.5, 2000), (0.999, 200_000), (1 - 2.0**-53, 100_000), (1.0, 300)),
        *((0.0, 100), (-0.0, 100), (-0.9, 9000), (1e-30, 100), (5e-324, 20), (1.01, 80_000), (-3.0, 1000)),
    ],
)
def test_powers_by_the_step_are_pythons(base: float, steps: int) -> None:
    # The gradient is 1.
    given = problem("x", [1.0], Powers(base=base), max_steps=steps, record=Record(state=True), stop=Evaluations(10**9))
    (run,) = compiled.run(given)

    def power(step: int) -> float:
        try:
            return float(base**step)
        except OverflowError:
            return np.inf if base > 0 or step % 2 == 0 else -np.inf

    expected = [0.0, *(power(step) for step in range(1, steps + 1))]
    (found,) = run.states.values()
    assert found[:, 0].tolist() == expected
    assert np.signbit(found[:, 0]).tolist() == np.signbit(expected).tolist()
