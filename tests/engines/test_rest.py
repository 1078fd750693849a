"""A run is said to have converged where the slope is gone, at a minimum, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize
from tests.engines.problems import problem

from fallline import (
    L1,
    LBFGS,
    AdaGrad,
    Adam,
    Backtracking,
    Box,
    ConjugateGradient,
    Cosine,
    Exponential,
    FalllineError,
    GradientDescent,
    GradientNorm,
    Momentum,
    Perturbation,
    Projected,
    ProximalDescent,
    StepDecay,
    StepSize,
    StoppingCondition,
    ValueChange,
    WeightDecay,
    compare,
    minimize,
)
from fallline.engines import ends
from fallline.objectives import as_objective
from fallline.optimizers import optimizer_from_name
from fallline.stopping import Progress

ENGINES = ("reference", "compiled")
ROSENBROCK = "(1-x)**2 + 100*(y-x**2)**2"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("start", "rule"),
    [
        (1.0, GradientDescent(StepDecay(0.01))),
        (1.0, GradientDescent(1e-13)),
        (1.0, GradientDescent(Exponential(0.1, decay=0.5))),
        (1e12, AdaGrad(0.01)),
        (1.0, Adam(1e-14)),
        (-2.0, Momentum(Exponential(0.01, decay=0.7))),
        (1.0, GradientDescent(Cosine(0.01, 50, final=1e-15))),
    ],
    ids=lambda part: getattr(part, "label", ""),
)
def test_a_rate_that_became_too_small_is_named_and_is_no_convergence(engine: str, start: float, rule: Any) -> None:
    run = minimize("x**2", start, rule, engine=engine)
    assert (run.stop.reason, run.stop.converged) == ("rate too small", False)
    # The slope of x**2 is 2x.
    assert f"the gradient's norm is {2 * abs(run.final.x[0]):.6g}" in run.stop.message
    assert abs(run.final.x[0]) > 0.1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("formula", "start", "rate", "minimum"),
    [
        # The curvature is 2e24, so that each step shortens the distance by a fifth.
        ("(x*1e12-3)**2", 1e-12, 1e-25, 3e-12),
        ("(x*1e12-3)**2", 0.0, 1e-25, 3e-12),
        ("(x*1e12-3)**2", 1.0, 1e-25, 3e-12),
        ("cosh(x*1e9-2)", 0.0, 1e-19, 2e-9),
        ("1e-30*(x-3)**2", 0.0, 1e29, 3.0),
        ("1e20*(x+7)**2", 0.0, 1e-21, -7.0),
        ("(x-3e9)**2", 1.0, 0.1, 3e9),
        ("x**2", 1e-8, 0.1, 0.0),
        ("x**2", 1e8, 0.1, 0.0),
    ],
)
def test_the_units_do_not_matter(engine: str, formula: str, start: float, rate: float, minimum: float) -> None:
    run = minimize(formula, start, GradientDescent(rate), engine=engine, max_steps=2000)
    assert (run.stop.reason, run.stop.converged) == ("small step", True)
    # Steps of 5e-13 of x that shrink by a fifth or a tenth each add up to ten times as much; those that end at zero
    # end at 1e-12 of the start, or of 1.
    assert run.final.x[0] == pytest.approx(minimum, rel=5e-12, abs=1e-12 * min(abs(start), 1.0))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("formula", "start", "reason"),
    [
        ("x**2 - y**2", [1.0, 0.0], "saddle"),
        ("cos(x)", [0.0], "maximum"),
        ("x*y", [0.0, 0.0], "saddle"),
        ("x**3/3 - x + y**2", [-1.0, 1.0], "saddle"),
        ("exp(-x**2 - y**2)", [0.0, 0.0], "maximum"),
        ("a**2 + b**2 - c**2 + c**4", [1.0, 2.0, 0.0], "saddle"),
    ],
)
@pytest.mark.parametrize("stop", [None, GradientNorm(1e-9), ValueChange(1e-15)], ids=str)
def test_saddles_and_maxima_are_named(engine: str, formula: str, start: Any, reason: str, stop: Any) -> None:
    run = minimize(formula, start, GradientDescent(0.1), engine=engine, stop=stop)
    assert (run.stop.reason, run.stop.converged) == (reason, False)
    assert reason in run.stop.message


def test_a_saddle_of_a_python_function_is_named_whatever_its_gradient() -> None:
    for gradient in ("auto", Perturbation(scheme="central"), lambda x: [2 * x[0], -2 * x[1]]):
        run = minimize(lambda x: x[0] ** 2 - x[1] ** 2, [1.0, 0.0], GradientDescent(0.1), gradient=gradient, stop=SMALL)
        assert (run.stop.reason, run.stop.converged) == ("saddle", False)


SMALL = GradientNorm(1e-5)


@pytest.mark.parametrize(
    ("formula", "start", "rate"),
    [
        ("x**2 + 1e-4*y**2", [1.0, 1.0], 0.4),
        ("(x - y)**2", [1.0, 2.0], 0.1),
        ("x**4", [0.0], 0.1),
        ("(x - 1e6)**2 + (y - 1)**2", [0.0, 0.0], 0.4),
        ("himmelblau", [1.0, 1.0], 0.01),
        ("1 - exp(-x**2)", [50.0], 0.1),
    ],
)
def test_flat_valleys_and_ill_conditioned_bowls_are_minima(formula: str, start: Any, rate: float) -> None:
    run = minimize(formula, start, GradientDescent(rate), max_steps=10**6)
    assert run.stop.converged


@pytest.mark.parametrize(
    "rule",
    [LBFGS(), ConjugateGradient(), GradientDescent(Backtracking()), LBFGS(Backtracking())],
    ids=lambda rule: rule.label,
)
@pytest.mark.parametrize("gradient", ["auto", Perturbation(), Perturbation(scheme="central")], ids=str)
def test_a_line_search_that_finds_nothing_lower_at_the_minimum_has_converged(rule: Any, gradient: Any) -> None:
    run = minimize("exp(x) - 2*x + (x - y)**2 + 3", [3.0, -1.0], rule, gradient=gradient)
    assert run.stop.converged
    # By hand: the minimum is at y = x = ln 2; forward differences are off by half a step of 1.5e-8 times the curvature.
    assert run.final.x == pytest.approx([np.log(2)] * 2, abs=1e-7)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_that_is_at_the_minimum_when_its_steps_are_used_up_has_converged(engine: str) -> None:
    # The first step at the rate 1/2 leads to the minimum; at 0.05 the hundredth leaves 20 · 0.9^100 = 5e-4.
    there, on_its_way = (
        minimize("(x-10)**2", 30.0, GradientDescent(rate), max_steps=steps, engine=engine)
        for rate, steps in ((0.5, 1), (0.05, 100))
    )
    assert (there.stop.reason, there.stop.converged) == ("step limit", True)
    assert (on_its_way.stop.reason, on_its_way.stop.converged) == ("step limit", False)


@pytest.mark.parametrize(
    ("stop", "rate", "converged"),
    [
        # A step of 0.1 times what is left, one of 1e-7 times 2.
        (StepSize(1e-5), 0.05, True),
        (StepSize(1e-5), 1e-7, False),
        (ValueChange(1e-6), 0.05, True),
        (ValueChange(1e-6), 1e-9, False),
        (GradientNorm(1e-3), 0.05, True),
    ],
    ids=str,
)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_given_tolerance_ends_the_run_and_the_slope_decides(
    engine: str, stop: StoppingCondition, rate: float, converged: bool
) -> None:
    run = minimize("x**2", 1.0, GradientDescent(rate), stop=stop, engine=engine)
    assert (run.stop.reason, run.stop.converged) == (stop.reason, converged)


def test_what_a_set_or_a_penalty_holds_is_no_slope() -> None:
    box = Box(-2.0, 2.0)
    cases: list[tuple[str, Any, float]] = [
        ("(x-3)**2", Projected(GradientDescent(0.3), box), 2.0),
        ("-x**2", Projected(GradientDescent(0.3), box), 2.0),
        # Where the slope 2(x - 3) is -1; and where -4 < 2(x - 1) < 4, at zero.
        ("(x-3)**2", ProximalDescent(0.3, penalty=L1(1.0)), 2.5),
        ("(x-1)**2", ProximalDescent(0.3, penalty=L1(4.0)), 0.0),
    ]
    for formula, rule, place in cases:
        run = minimize(formula, 1.0, rule, max_steps=200)
        assert run.stop.converged
        assert run.final.x[0] == pytest.approx(place, abs=1e-11)
    run = minimize("(x-3)**2", 1.0, Projected(GradientDescent(1e-14), box))
    assert (run.stop.reason, run.stop.converged) == ("rate too small", False)


def test_weight_decay_is_said_to_balance_the_slope() -> None:
    run = minimize("(x-3)**2", 1.0, WeightDecay(GradientDescent(0.3), decay=0.1))
    assert not run.stop.converged
    assert "weight decay" in run.stop.message


def cone(x: Any, y: Any) -> Any:
    return np.sqrt(x**2 + y**2)


def slope_of_the_cone(x: float, y: float) -> Any:
    length = np.sqrt(x**2 + y**2)
    return (x / length, y / length) if length else (np.nan, np.nan)


def test_a_point_with_a_value_and_no_gradient_is_named_as_that() -> None:
    run = minimize(cone, [0.0, 0.0], GradientDescent(0.5), gradient=slope_of_the_cone)
    assert (run.stop.reason, run.stop.converged) == ("no gradient", False)
    assert "kink" in run.stop.message
    run = minimize(lambda x: np.sqrt(x), 0.0, GradientDescent(0.1), gradient=lambda x: np.inf)
    assert run.stop.reason == "no gradient"
    # Where the value is not a number either, that is what is said.
    run = minimize(lambda x: np.log(x), 0.0, GradientDescent(0.1), gradient=lambda x: np.inf)
    assert run.stop.reason == "not finite"


def test_a_users_own_condition_keeps_its_word() -> None:
    class Enough(StoppingCondition):
        reason = "small step"
        converged = True

        def met(self, progress: Progress) -> Any:
            return progress.x[:, 0] < 0.5

        def message(self, progress: Progress, run: int) -> str:
            return "enough"

    run = minimize("x**2", 1.0, GradientDescent(0.1), stop=Enough())
    assert (run.stop.message, run.stop.converged) == ("enough", True)


def test_the_evaluations_of_the_verdict_are_counted() -> None:
    calls = {"value": 0, "gradient": 0}

    def value(x: Any) -> Any:
        calls["value"] += 1
        return float(x @ x)

    def gradient(x: Any) -> Any:
        calls["gradient"] += 1
        return 2 * x

    run = minimize(value, [1.0, -2.0], GradientDescent(0.25), gradient=gradient)
    assert run.stop.converged
    assert run.evaluations == (calls["value"], calls["gradient"])
    # One at each point, and at the last one more, with two for each coordinate.
    assert calls == {"value": run.step_count + 1, "gradient": run.step_count + 1 + 5}


def test_a_function_that_fails_beside_the_run_does_no_harm() -> None:
    slopes = iter([2.0, 1.0, 0.0])
    run = minimize(lambda x: x, 1.0, GradientDescent(0.1), gradient=lambda x: next(slopes), max_steps=2)
    assert (run.stop.reason, run.step_count) == ("step limit", 2)


@pytest.mark.parametrize("engine", ENGINES)
def test_many_runs_end_as_each_would_alone(engine: str) -> None:
    starts = np.array([[-2.0, 0.3], [0.0, 1.0], [0.0, 0.0], [0.5, 1e-3], [3.0, -2.0], [1.0, 0.0]])
    for rule in (GradientDescent(0.05), GradientDescent(StepDecay(1e-3)), GradientDescent(0.12)):
        given = problem("(x**2 - 1)**2 + y**2", starts, rule, max_steps=300)
        found = ends(given, engine)
        alone = [minimize("(x**2 - 1)**2 + y**2", start, rule, max_steps=300, engine=engine) for start in starts]
        assert [found.reasons[i] for i in found.stop] == [run.stop.reason for run in alone]
        assert found.converged.tolist() == [run.stop.converged for run in alone]


def test_each_of_ten_thousand_runs_ends_as_it_would_alone() -> None:
    # Two minima and a maximum between them; a run from the maximum stays there, one just beside it is on its way.
    starts = np.random.default_rng(0).uniform(-2, 2, (10_000, 2))
    starts[[0, 4095, 4096, 9999]] = [[0.0, 0.0], [0.0, 1.0], [1e-9, 0.0], [0.0, 0.0]]
    given = problem("(x**2 - 1)**2 - y**2*exp(-y**2)", starts, GradientDescent(0.05), max_steps=300)
    whole = ends(given, "compiled")
    for i in (0, 1, 2, 4094, 4095, 4096, 4097, 8191, 8192, 9998, 9999):
        alone = minimize("(x**2 - 1)**2 - y**2*exp(-y**2)", starts[i], GradientDescent(0.05), max_steps=300)
        assert whole.reasons[whole.stop[i]] == alone.stop.reason
        assert bool(whole.converged[i]) == alone.stop.converged
    # The curvatures at zero are -4 and -2.
    assert whole.reasons[whole.stop[0]] == "maximum"
    assert 0.5 < whole.converged.mean() < 1


def test_a_comparison_of_many_starts_says_the_same_of_each() -> None:
    starts = np.random.default_rng(0).uniform(-2, 2, (300, 1))
    starts[0] = 0.0
    runs = compare("x**4 - 2*x**2", starts, GradientDescent(0.05), record="ends", engine="compiled")
    assert runs.reasons[0] == "maximum" == runs[0].stop.reason
    assert runs.ends.converged.tolist() == [False] + [True] * 299


# A campaign over random runs ---------------------------------------------------------------------------------

# Formulas without kinks, and the unit of each of their coordinates.
FORMULAS = {
    "x**2": [1.0],
    "(x-10)**2": [1.0],
    "x**4": [1.0],
    "(x*1e12-3)**2": [1e-12],
    "1e-20*(x-3)**2": [1.0],
    "1e20*(x-3)**2 + 1": [1.0],
    "cos(x)": [1.0],
    "x**4 - 2*x**2": [1.0],
    "exp(x) - x": [1.0],
    "log(1 + exp(x)) + x**2/10": [1.0],
    "sqrt(1 + x**2)": [1.0],
    "x**2 + 10*y**2": [1.0, 1.0],
    "x**2 - y**2 + y**4": [1.0, 1.0],
    ROSENBROCK: [1.0, 1.0],
    "himmelblau": [1.0, 1.0],
    "booth": [1.0, 1.0],
    "sin(x)*cos(y) + (x**2 + y**2)/10": [1.0, 1.0],
    "x**2 + 1e-4*y**2 + 5": [1.0, 1.0],
    "(x-1e6)**2 + (y-1)**2": [1.0, 1.0],
    "(x*1e9)**2 + y**2": [1e-9, 1.0],
    "exp(-x**2 - y**2)": [1.0, 1.0],
    "x**3/3 - x + y**2": [1.0, 1.0],
    "(x-y)**2": [1.0, 1.0],
    "a**2 + 2*b**2 + 3*c**2 + a*b + c": [1.0, 1.0, 1.0],
}
RULES = ["gradient_descent", "momentum", "nesterov", "adam", "adagrad", "rmsprop", "lbfgs", "conjugate_gradient",
         "sign_descent", "rprop", "barzilai_borwein"]  # fmt: skip
RUNS = 2000
# A fall of less than this part of the value, or of the first value if that is more, though of 1 at most, is rounding.
# The lower bound is half of what the verdict takes, the upper one leaves room for directions that SciPy finds better.
LEAST_FALL, MOST_FALL = 32 * np.finfo(float).eps, 1e-12


def random_run(rng: np.random.Generator) -> Any:
    """A formula, the units of its coordinates, and a run of a random rule from a random start; None where a rule
    takes no such rate."""
    formula = list(FORMULAS)[rng.integers(len(FORMULAS))]
    unit = np.array(FORMULAS[formula])
    rate = 10 ** (rng.uniform(-4, 0) if rng.random() < 0.6 else rng.uniform(-14, 0.3)) * float(unit.min() ** 2)
    rate *= {"1e-20*(x-3)**2": 1e20, "1e20*(x-3)**2 + 1": 1e-20}.get(formula, 1.0)
    schedules = [rate, StepDecay(rate), Exponential(rate, decay=float(rng.choice([0.5, 0.05, 0.001]))),
                 Cosine(rate, int(rng.integers(10, 2000))), Backtracking()]  # fmt: skip
    schedule = schedules[rng.integers(len(schedules))]
    normal = rng.normal(size=len(unit))
    start = [3 * normal * unit, 0 * unit, np.round(2 * normal) * unit, unit * np.eye(len(unit))[0]][rng.integers(4)]
    settings: dict[str, Any] = {"max_steps": int(10 ** rng.uniform(1, 3.5)), "record": "ends"}
    try:
        rule = optimizer_from_name(RULES[rng.integers(len(RULES))], learning_rate=schedule)
        return formula, unit, minimize(formula, start, rule, **settings)
    except FalllineError:
        return None


def lowest_by_scipy(formula: str, x: Any, unit: Any, value: float, scale: float, rng: Any, within: float) -> float:
    """The lowest value that SciPy finds from a point, and from just beside it, as a multiple of the scale.

    Arguments:
        within: how far it may go, in units: what lies in another valley does not count against a minimum.
    """
    objective = as_objective(formula)
    size = np.maximum(unit, np.abs(x))

    def both(z: Any) -> Any:
        found, slope = objective.value_and_gradient(x + size * z)
        return float(found) / scale, slope * size / scale

    lowest = value / scale
    for begin in (np.zeros(len(x)), 1e-3 * rng.normal(size=len(x))):
        for method, options in (("BFGS", {"gtol": 1e-15}), ("L-BFGS-B", {"ftol": 0, "gtol": 0})):
            found = scipy.optimize.minimize(both, begin, jac=True, method=method, options=options)
            if np.isfinite(found.fun) and (np.abs(found.x) < within).all():
                lowest = min(lowest, found.fun)
    return lowest


def scaled_slope(formula: str, x: Any, unit: Any, scale: float) -> tuple[float, float, float]:
    """The slope's length, the curvature along it, and what a rounding of x makes of the slope, in sizes of x."""
    objective = as_objective(formula)
    size = np.maximum(unit, np.abs(x))
    slope = objective.gradient(x) * size / scale
    length = float(np.linalg.norm(slope))
    move = 1e-4 * size * slope / length if length else 1e-4 * size
    turned = (objective.gradient(x + move) - objective.gradient(x - move)) * size / scale
    bend = float(np.linalg.norm(turned)) / 2e-4
    return length, bend, 16 * np.finfo(float).eps * bend


@pytest.mark.long
@pytest.mark.parametrize("seed", range(8))
def test_converged_is_said_where_scipy_finds_nothing_lower_and_nowhere_else(seed: int) -> None:
    """Of every run that ends at a finite point: those that have converged end where SciPy finds no lower value; all
    others, those whose steps were used up included, where it finds one; but for the rounding of the value."""
    rng = np.random.default_rng(seed)
    made = 0
    while made < RUNS // 8:
        case = random_run(rng)
        if case is None:
            continue
        made += 1
        formula, unit, run = case
        x, value = run.final.x, run.final.value
        if not (np.isfinite(x).all() and abs(value) < 1e100):
            continue
        scale = max(abs(value), min(abs(run.value[0]), 1.0)) or 1.0
        within = 0.5 if run.stop.converged else np.inf
        with np.errstate(all="ignore"):
            fall = value / scale - lowest_by_scipy(formula, x, unit, value, scale, rng, within)
        told = f"seed {seed}, {formula} from {run.start.x} by {run.optimizer}: {run.stop}, at {x}: {fall}"
        if run.stop.converged:
            slope, bend, noise = scaled_slope(formula, x, unit, scale)
            # A slope g at a curvature c promises a fall of g²/2c; below its noise it says nothing.
            assert fall <= max(MOST_FALL, noise**2 / (2 * bend) if bend else 0), told
            assert slope <= (2 * MOST_FALL * bend) ** 0.5 + noise, told
        else:
            assert fall > LEAST_FALL, told
