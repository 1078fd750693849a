"""Where two runs part, and by what: each cause made on purpose."""

from __future__ import annotations

import dataclasses
import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.optimizers.rules import RULES

import fallline
from fallline import FalllineError, Optimizer, Parting, Perturbation, Trajectory, differ, minimize
from fallline.diagnosis import parting as parting_file

ROSENBROCK = "100*(y - x**2)**2 + (1 - x)**2"


def run(rule: Any = None, **settings: Any) -> Trajectory:
    objective, start = settings.pop("objective", ROSENBROCK), settings.pop("x0", [-1.2, 1.0])
    rule = fallline.Adam(0.01) if rule is None else rule
    return minimize(objective, start, rule, **{"max_steps": 200, **settings})


def assert_distances_are_those_of(found: Parting, a: Trajectory, b: Trajectory) -> None:
    assert np.array_equal(found.distance, np.linalg.norm(a.x - b.x, axis=1))


def test_epsilon_of_keras_and_torch_is_found_with_its_line() -> None:
    race = fallline.compare("x**2", 3.0, ["adam@keras", "adam@torch"], max_steps=500)
    found = race.differ()
    assert (found.step, found.by) == (1, "rule")
    assert found.facts["keras"] == "epsilon is added to the root of v before its correction"
    # "as the paper" is told as what the paper does.
    assert found.facts["torch"] == "epsilon is added to the root of the corrected v"
    assert found.facts["settings"] == "epsilon 1e-07 and 1e-08"
    # Keras has no use for the corrected v.
    assert found.lines == {
        "v_hat": ("-", "v/(1 - beta2**t)"),
        "change": ("m_hat*rate*sqrt(1 - beta2**t)/(epsilon + sqrt(v))", "m_hat*rate/(epsilon + sqrt(v_hat))"),
    }
    assert_distances_are_those_of(found, *race)
    # At the first step m̂ is g and the root of v is √0.001 |g|: x differs by η ε / √0.001 / |g| less the torch part.
    expected = 0.001 * (1e-7 / np.sqrt(0.001) - 1e-8) / 6
    # The difference of two numbers near 3 is known to their last place.
    assert np.isclose(found.distance[1], expected, atol=4 * np.spacing(3.0))
    assert str(found).startswith("adam@keras and adam@torch part at step 1, by the rule\n")


def test_identical_runs_do_not_differ() -> None:
    found = differ(run(), run())
    assert (found.step, found.by) == (None, "nothing")
    assert not found
    assert not found.distance.any()
    assert not differ(run(fallline.Adam(0.01, convention="torch")), run(fallline.Adam(0.01, convention="optax")))


@settings(max_examples=20, deadline=None)
@given(beta=st.floats(0, 0.98), other=st.floats(0, 0.98), rate=st.floats(1e-4, 1e-2))
def test_another_momentum_parts_at_the_second_step(beta: float, other: float, rate: float) -> None:
    assume(abs(beta - other) > 1e-6)
    rules = fallline.Momentum(rate, momentum=beta), fallline.Momentum(rate, momentum=other)
    a, b = (run(rule, objective="x**2", x0=3.0, max_steps=4) for rule in rules)
    found = differ(a, b)
    assert (found.step, found.by) == (2, "rule")
    assert found.facts["settings"].startswith("momentum ")
    assert found.distance[2] == abs(a.x[2, 0] - b.x[2, 0])


def test_a_difference_that_is_rounding_at_first_is_told_where_it_shows() -> None:
    # With any β₂ the first step of Adam is that of the sign.
    found = differ(run(fallline.Adam(0.01)), run(fallline.Adam(0.01, beta2=0.99)))
    assert (found.step, found.by) == (2, "rule")
    assert found.facts["settings"] == "beta2 0.999 and 0.99"
    both = differ(run(fallline.Adam(0.01)), run(fallline.Adam(0.01, beta1=0.8, beta2=0.99)))
    assert both.facts["settings"] == "beta1 0.9 and 0.8; beta2 0.999 and 0.99"


@pytest.mark.parametrize(
    ("one", "other", "step", "told"),
    [
        (fallline.Adam(0.01), fallline.Adam(0.02), 1, "0.01 and 0.02"),
        (
            fallline.Adam(0.01),
            fallline.Adam(fallline.StepDecay(0.01, factor=0.5, every=100)),
            101,
            "0.005 of StepDecay",
        ),
        (fallline.SignDescent(0.01), fallline.SignDescent(fallline.Cosine(0.01, 50)), 2, "of Cosine"),
        (
            fallline.GradientDescent(fallline.Backtracking()),
            fallline.GradientDescent(fallline.StrongWolfe()),
            1,
            "of Backtracking",
        ),
    ],
)
@pytest.mark.parametrize("record", ["all", "ends", 9])
def test_rates_schedules_and_line_searches(one: Any, other: Any, step: int, told: str, record: Any) -> None:
    found = differ(run(one, record=record), run(other, record=record))
    assert (found.step, found.by) == (step, "rate")
    assert told in found.facts["rate"]


def test_another_start_and_another_objective() -> None:
    found = differ(run(), run(x0=[-1.2, 1.5]))
    assert (found.step, found.by) == (0, "start")
    assert found.distance[0] == 0.5
    assert "start at different points" in found.text
    found = differ(run(), run(objective="99*(y - x**2)**2 + (1 - x)**2"))
    assert (found.step, found.by) == (1, "objective")


def test_another_gradient() -> None:
    exact, forward = (
        run(fallline.GradientDescent(1e-4)),
        run(fallline.GradientDescent(1e-4), gradient=Perturbation(0.01)),
    )
    found = differ(exact, forward)
    assert (found.step, found.by) == (1, "gradient")
    assert found.facts["kind"] == "symbolic and forward differences"
    parted = np.linalg.norm(exact.gradient[0] - forward.gradient[0]) / np.linalg.norm(exact.gradient[0])
    assert found.facts["apart"] == f"{parted:.3g} of the gradient's length"


def test_another_seed_of_batches() -> None:
    loss = fallline.Linear(np.linspace(-1, 1, 20), np.linspace(0, 3, 20)).batches(5)
    a, b = (minimize(loss, [0.0, 0.0], fallline.GradientDescent(0.1), max_steps=20, seed=seed) for seed in (0, 1))
    found = differ(a, b)
    assert (found.step, found.by) == (1, "batches")
    assert found.facts["seed"] == "0 and 1"


def test_another_engine_differs_by_rounding_only_and_chaos_is_told() -> None:
    one, other = (run(fallline.Adam(0.01), engine=engine) for engine in ("jax", "reference"))
    calm = differ(one, other)
    assert calm.by == ("nothing" if np.array_equal(one.x, other.x) else "rounding")
    assert np.max(calm.distance) < 1e-12
    # The logistic map at its chaotic end, x ← 4 x (1 − x): x − (4x² − 3x), which doubles a difference in each step.
    chaotic = run(fallline.GradientDescent(1.0), objective="4*x**3/3 - 3*x**2/2", x0=0.3, max_steps=100)
    wild = differ(_rounded_otherwise(chaotic), chaotic)
    assert wild.by == "rounding"
    assert "each step multiplies" in wild.facts["size"]


def _rounded_otherwise(chaotic: Trajectory) -> Trajectory:
    """The same run by an engine that rounds the first step up."""
    x = chaotic.x.copy()
    x[1] = np.nextafter(x[1], 1.0)
    for row in range(1, len(x) - 1):
        x[row + 1] = 4 * x[row] * (1 - x[row])
    return dataclasses.replace(chaotic, x=x, gradient=4 * x**2 - 3 * x, engine="another")


def test_the_state_of_an_earlier_run() -> None:
    before = run(max_steps=10)
    resumed = run(x0=before.final.x, max_steps=10, resume=before)
    assert differ(resumed, run(x0=before.final.x, max_steps=10)).by == "state"
    assert differ(resumed, run(x0=before.final.x, max_steps=10, resume=before)).by == "nothing"


def test_the_point_of_the_gradient_is_a_line_too() -> None:
    found = differ(run(fallline.Momentum(1e-4)), run(fallline.Nesterov(1e-4)))
    # The velocity is 0 at first.
    assert (found.step, found.by) == (2, "rule")
    assert found.lines == {"g": ("-", "slope at -momentum*velocity_old + x_old")}


def test_flags_and_rules_inside_are_settings() -> None:
    found = differ(run(fallline.FISTA(1e-3)), run(fallline.FISTA(1e-3, restart=False)))
    assert found.facts["settings"] == "restart True and False"
    # The rate is told of the step itself.
    faster = fallline.FISTA(2e-3, restart=False)
    assert differ(run(fallline.FISTA(1e-3)), run(faster)).facts["settings"] == "restart True and False"
    inside = [fallline.ClipNorm(fallline.Adam(0.01, beta1=beta)) for beta in (0.9, 0.8)]
    assert differ(run(inside[0]), run(inside[1])).facts["settings"] == "beta1 0.9 and 0.8"
    other = fallline.ClipNorm(fallline.Momentum(0.01))
    assert differ(run(inside[0]), run(other)).facts["settings"] == "rule adam and momentum"


@dataclass(frozen=True)
class Steady(Optimizer[None]):
    """A user's rule."""

    learning_rate: float = 0.01

    def init(self, x: Any) -> None:
        return None

    def update(self, gradient: Any, state: None, rate: Any, step: Any) -> Any:
        return rate * np.tanh(gradient), state


@dataclass(frozen=True)
class Halting(Steady):
    """Another, with a branch, so that its lines are those of the code."""

    def update(self, gradient: Any, state: None, rate: Any, step: Any) -> Any:
        if step > 5:
            return rate * np.tanh(gradient) / 2, state
        return rate * np.tanh(gradient), state


def test_users_rules_differ_by_lines_of_formula_or_code() -> None:
    found = differ(run(Steady()), run(fallline.GradientDescent(0.01), objective=ROSENBROCK))
    assert found.lines == {"x": ("x_old - rate*tanh(g)", "x_old - g*rate")}
    found = differ(run(Steady()), run(Halting()))
    assert found.step == 6
    assert found.lines == {"code": ("return rate * np.tanh(gradient), state", "if step > 5:")}


def test_code_with_a_line_more_at_its_end_and_code_that_is_not_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    short = "def update():\n    go()"
    sources = {Steady.update: short, Halting.update: f"{short}\n    halt()"}
    monkeypatch.setattr(inspect, "getsource", sources.__getitem__)
    assert parting_file._source_lines(Steady(), Halting()) == {"code": ("-", "halt()")}
    assert parting_file._source_lines(Halting(), Steady()) == {"code": ("halt()", "-")}
    assert parting_file._source_lines(Steady(), Steady()) == {}

    def missing(_: Any) -> str:
        raise OSError

    monkeypatch.setattr(inspect, "getsource", missing)
    assert parting_file._source_lines(Steady(), Halting()) == {}


@pytest.mark.parametrize("name", [name for name in RULES if "@paper" not in name and ":" not in name])
def test_every_convention_is_held_against_the_paper(name: str) -> None:
    rule = RULES[name]
    paper = RULES[f"{name.partition('@')[0]}@paper"]
    one, other = (run(each, objective="x**2 + 10*y**2 + x*y", max_steps=30) for each in (paper, rule))
    found = differ(one, other)
    distance, size = np.linalg.norm(one.x - other.x, axis=1), np.linalg.norm(one.x, axis=1)
    # Up to 64 roundings are no more than rounding.
    apart, beyond = (np.flatnonzero(distance > part * size) for part in (0, 64 * np.finfo(float).eps))
    by = "rule" if beyond.size else "rounding" if apart.size else "nothing"
    assert (found.step, found.by) == (next(iter([*beyond, *apart]), None), by)
    # What differs is named.
    assert bool(found.lines or "settings" in found.facts) == (by != "nothing")


def test_labels_of_a_comparison_and_saved_ones(tmp_path: Path) -> None:
    rules: dict[str, Any] = {"calm": fallline.Adam(0.01), "hasty": fallline.Adam(0.1), "other": fallline.Lion(0.01)}
    race = fallline.compare(ROSENBROCK, [-1.2, 1.0], rules, max_steps=20)
    race.save(tmp_path / "race.npz")
    for kept in (race, fallline.Comparison.load(tmp_path / "race.npz")):
        assert kept.differ("calm", "hasty").text.startswith("calm and hasty part at step 1, by the rate\n")
        assert kept.differ(2, 0).labels == ("other", "calm")
    with pytest.raises(FalllineError, match="label is 'none'"):
        race.differ("none")


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (0, 2, "b is 2; it must be a label, or a whole number from -2 to 1"),
        (-3, 0, "a is -3; "),
        (None, 1, "a is None; "),
        (0, 0.5, "b is 0.5; "),
        (True, 1, "a is True; "),
        (0, slice(2), "b is slice"),
        ("none", 1, "label is 'none'; "),
    ],
)
def test_runs_that_a_comparison_does_not_have_are_refused(a: Any, b: Any, said: str) -> None:
    race = fallline.compare("x**2", 1.0, ["adam", "momentum"], max_steps=3)
    with pytest.raises(FalllineError, match=f"^{re.escape(said)}"):
        race.differ(a, b)
    assert race.differ(-2, -1).labels == race.differ().labels


def test_a_comparison_of_one_run_has_no_second() -> None:
    with pytest.raises(FalllineError, match=r"^b is 1; it must be a label, or a whole number from -1 to 0$"):
        fallline.compare("x**2", 1.0, ["adam"], max_steps=3).differ()


def test_what_cannot_be_compared_is_refused() -> None:
    for pair, name in (((run(), "adam"), "b"), (("adam", run()), "a")):
        with pytest.raises(FalllineError, match=f"^{name} is 'adam'; it must be what minimize returns$"):
            differ(*pair)
    with pytest.raises(
        FalllineError, match=r"^b is \('x',\), in its coordinates; it must be of the coordinates \('x', 'y'\)$"
    ):
        differ(run(), run(objective="x**2", x0=1.0))


def test_a_gradient_of_zero_is_no_trouble() -> None:
    found = differ(run(objective="x**2", x0=0.0, max_steps=3), run(objective="(x - 1)**2", x0=0.0, max_steps=3))
    assert (found.step, found.by) == (1, "objective")
    assert found.facts["apart"] == "inf of the gradient's length"
