from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from tests.optimizers.rules import gradients, walked

import fallline
from fallline import (
    Adam,
    Cautious,
    ClipNorm,
    ClipValue,
    CoupledWeightDecay,
    FalllineError,
    GradientDescent,
    GradientNoise,
    Lion,
    Lookahead,
    Momentum,
    Nesterov,
    Optimizer,
    Record,
    WeightDecay,
    minimize,
)
from fallline.arrays import FloatArray
from fallline.optimizers import WRAPPERS, optimizer_from_name

FORMULA = "x**2 + x*y + y**2"


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrapper_takes_its_rate_and_look_ahead_from_the_rule_inside(name: str) -> None:
    schedule = fallline.Exponential(0.5, decay=0.5)
    rule = WRAPPERS[name](Nesterov(schedule, momentum=0.5))
    assert rule.rate(3) == 0.125
    x = np.array([[1.0, 2.0]])
    change, state = rule.update(x, rule.init(x), 0.1, 1)
    assert not np.array_equal(rule.lookahead(x - change, state), x - change)


@pytest.mark.parametrize("name", WRAPPERS)
@pytest.mark.parametrize("inside", [Adam(0.1), Lion(0.01, decay=0.1), Nesterov(0.1)], ids=lambda rule: rule.name)
def test_batch_equals_its_runs_one_by_one_to_the_bit(name: str, inside: Optimizer[Any]) -> None:
    rule = WRAPPERS[name](inside)
    starts = [[1.0, -2.0], [3.0, 0.5], [0.0, 0.0]]
    together = fallline.compare(FORMULA, starts, rule, max_steps=60)
    for start, run in zip(starts, together, strict=True):
        assert np.array_equal(run.x, minimize(FORMULA, start, rule, max_steps=60).x)


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrapped_run_is_done_again_from_its_recipe(name: str) -> None:
    run = minimize(FORMULA, [1.0, -2.0], WRAPPERS[name](Adam(0.1, beta1=0.8)), max_steps=20)
    assert np.array_equal(fallline.rerun(run.recipe).x, run.x)


def test_wrapper_is_named_before_the_rule_inside() -> None:
    rule = optimizer_from_name("clip_norm@torch:momentum@keras", limit=2.0, momentum=0.5, learning_rate=0.1)
    assert rule == ClipNorm(Momentum(0.1, momentum=0.5, convention="keras"), limit=2.0, convention="torch")
    assert rule.label == "clip_norm@torch, limit 2, of momentum@keras, learning_rate 0.1, momentum 0.5"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cautious", "name the rule inside it too, such as cautious:adam"),
        ("cautios:adam", "did you mean 'cautious'"),
        ("cautious:adm", "did you mean 'adam'"),
    ],
)
def test_wrong_name_of_a_wrapped_rule_is_refused(name: str, message: str) -> None:
    with pytest.raises(FalllineError, match=message):
        optimizer_from_name(name)


def test_wrapper_of_anything_but_a_rule_is_refused() -> None:
    with pytest.raises(FalllineError, match="Cautious: rule is 'adam'; it must be a rule such as Adam"):
        Cautious("adam")  # type: ignore[arg-type]


def test_clipped_gradient_keeps_its_direction_by_norm_and_its_small_slopes_by_value() -> None:
    given = np.array([[30.0, 40.0]])
    assert walked(ClipNorm(GradientDescent(1.0), limit=5.0), given, [0.0, 0.0]).tolist() == [[-3.0, -4.0]]
    assert walked(ClipValue(GradientDescent(1.0), limit=35.0), given, [0.0, 0.0]).tolist() == [[-30.0, -35.0]]


def test_norm_within_the_limit_is_left_alone_to_the_bit() -> None:
    given = gradients(50)[:, :2]
    plain = walked(GradientDescent(0.1), given, [1.0, 1.0])
    assert np.array_equal(walked(ClipNorm(GradientDescent(0.1), limit=1e4), given, [1.0, 1.0]), plain)


def test_torchs_clipped_norm_comes_out_a_little_short() -> None:
    found = walked(ClipNorm(GradientDescent(1.0), limit=1.0, convention="torch"), np.array([[3.0, 4.0]]), [0.0, 0.0])
    np.testing.assert_allclose(np.linalg.norm(found), 5 / (5 + 1e-6), rtol=1e-14)


def test_coupled_and_decoupled_decay_are_one_in_gradient_descent_and_two_in_adam() -> None:
    given = gradients(50)
    start = [1.0, -2.0, 3.0]

    def both(rule: Optimizer[Any]) -> list[FloatArray]:
        decoupled = WeightDecay(rule, decay=0.1, convention="torch")
        return [walked(decayed, given, start) for decayed in (CoupledWeightDecay(rule, decay=0.1), decoupled)]

    coupled, decoupled = both(GradientDescent(0.01))
    np.testing.assert_allclose(coupled, decoupled, rtol=1e-12)
    coupled, decoupled = both(Adam(0.01))
    assert np.abs(coupled - decoupled).max() > 0.01


def test_the_papers_decay_does_not_shrink_with_the_rate() -> None:
    still = np.zeros((3, 1))
    assert walked(WeightDecay(GradientDescent(1e-3), decay=0.5), still, [8.0]).ravel().tolist() == [4, 2, 1]


def test_decay_inside_a_penalty_is_taken_at_the_look_ahead_point() -> None:
    # ½ x² as a penalty of weight 1 on a flat objective is ½ x² as the objective.
    rule = Nesterov(0.1, momentum=0.9)
    flat = minimize("0*x", 1.0, CoupledWeightDecay(rule, decay=1.0), max_steps=30)
    np.testing.assert_allclose(flat.x, minimize("x**2/2", 1.0, rule, max_steps=30).x, rtol=1e-12)


@pytest.mark.parametrize(
    "around",
    [
        lambda rule: WeightDecay(rule, decay=0.01),
        lambda rule: Cautious(rule),
        lambda rule: Lookahead(rule, period=3),
        lambda rule: Cautious(Lookahead(rule, period=3)),
    ],
)
def test_rule_inside_that_keeps_its_point_is_told_where_it_is(around: Any) -> None:
    rule = around(Lion(0.01, decay=0.5))
    x = np.array([[1.0, -2.0, 3.0]])
    state = rule.init(x)
    for step, gradient in enumerate(gradients(20), start=1):
        change, state = rule.update(gradient[None], state, 0.01, step)
        x = x - change
        inside = state
        while hasattr(inside, "inner"):
            assert np.array_equal(inside.x, x)
            inside = inside.inner
        assert np.array_equal(inside.x, x)


@pytest.mark.parametrize("convention", ["paper", "authors"])
def test_cautious_is_the_papers_algorithm(convention: str) -> None:
    given = gradients(100)
    theta, velocity, expected = [1.0, -2.0, 3.0], [0.0] * 3, []
    for g in given.tolist():
        velocity = [0.9 * v + 0.1 * g_i for v, g_i in zip(velocity, g, strict=True)]
        phi = [1.0 if u * g_i > 0 else 0.0 for u, g_i in zip(velocity, g, strict=True)]
        alpha = 3 / (sum(phi) + 1) if convention == "paper" else 1 / max(sum(phi) / 3, 1e-3)
        theta = [t - alpha * keep * u for t, keep, u in zip(theta, phi, velocity, strict=True)]
        expected.append(theta)
    found = walked(Cautious(Momentum(0.1), convention=convention), given, [1.0, -2.0, 3.0])
    # 0.1 g here and g 0.1 there, and another order of three factors.
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_cautious_momentum_never_climbs() -> None:
    # With steps this short the value falls whenever no part of the step goes up the slope.
    rule = Cautious(Momentum(0.001))
    value = minimize("x**2 + 10*y**2", [1.0, 1.0], rule, max_steps=500).value
    plain = minimize("x**2 + 10*y**2", [1.0, 1.0], Momentum(0.001), max_steps=500).value
    assert (np.diff(value) <= 0).all()
    assert (np.diff(plain) > 0).any()


def test_lookahead_is_algorithm_1_of_the_paper() -> None:
    slow = fast = 5.0
    expected = [fast]
    for _ in range(6):
        for _ in range(4):
            fast = fast - 0.1 * 2 * fast
            expected.append(fast)
        slow = slow + 0.25 * (fast - slow)
        fast = expected[-1] = slow
    run = minimize("x**2", 5.0, Lookahead(GradientDescent(0.1), period=4, pull=0.25), max_steps=24)
    # x moves by a difference to the slow weights here, and is set to them there.
    np.testing.assert_allclose(run.x.ravel(), expected, rtol=1e-14)


def test_slow_weights_are_recorded() -> None:
    rule = Lookahead(GradientDescent(0.1), period=4)
    run = minimize("x**2", 5.0, rule, max_steps=8, record=Record(state=True))
    np.testing.assert_allclose(run.states["slow"][4:8], np.broadcast_to(run.x[4], (4, 1)), rtol=1e-15)


def noises(rule: GradientNoise, steps: int, coordinates: int) -> FloatArray:
    """What the noise makes of gradients that are zero."""
    x = np.zeros((1, coordinates))
    state = rule.init(x)
    made = []
    for step in range(1, steps + 1):
        change, state = rule.update(0 * x, state, 1.0, step)
        made.append(change[0])
    return np.array(made)


def test_noise_fades_as_the_paper_has_it() -> None:
    found = noises(GradientNoise(GradientDescent(1.0), variance=0.3, power=0.55), 100, 5000)
    # σ² = 0.3 / (1 + t)^0.55, t from 0; 5,000 draws know a deviation to 1 %, four of which are allowed.
    expected = np.sqrt(0.3 / (1 + np.arange(100)) ** 0.55)
    np.testing.assert_allclose(found.std(axis=1), expected, rtol=0.04)
    assert (np.abs(found.mean(axis=1)) < 4 * expected / np.sqrt(5000)).all()


def test_noise_depends_on_the_seed_and_on_nothing_else() -> None:
    rule = GradientNoise(GradientDescent(0.1), seed=1)
    starts = [[1.0, 2.0], [1.0, 2.0], [3.0, 4.0]]
    first, second, third = fallline.compare("x + y", starts, rule, max_steps=10)
    assert np.array_equal(first.x, second.x)
    # A constant slope: the same steps from anywhere, but for rounding.
    np.testing.assert_allclose(np.diff(third.x, axis=0), np.diff(first.x, axis=0), rtol=1e-12)
    other = minimize("x + y", [1.0, 2.0], dataclasses.replace(rule, seed=2), max_steps=10)
    assert not np.isclose(other.x[1:], first.x[1:]).any()


@pytest.mark.parametrize("name", sorted(set(WRAPPERS) - {"projected"}))
def test_the_set_of_the_rule_inside_is_that_of_the_whole(name: str) -> None:
    box = fallline.Box((0.0, -5.0), (5.0, 5.0))
    inside = fallline.Projected(GradientDescent(0.1), box)
    rule = WRAPPERS[name](inside)
    x, gradient, near = np.array([[0.0, 1.0]]), np.array([[2.0, 4.0]]), np.array([[0.5]])
    # On the bound, what leads out of the set is balanced by it.
    assert rule.unbalanced(x, gradient, near).tolist() == [[0.0, 4.0]]
    assert rule.projected_gradient(x, gradient).tolist() == (x - box.projected(x - gradient)).tolist()
    assert rule.rule is inside
    if not rule.changes_step:
        with pytest.raises(FalllineError, match="the nearest point is"):
            WRAPPERS[name](fallline.ProjectedLBFGS(1.0, onto=box)).check_starts(np.array([[-1.0, 0.0]]))


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_wrapper_is_elementwise_where_it_and_the_rule_inside_are(name: str) -> None:
    rule = WRAPPERS[name](fallline.LAMB(0.1))
    assert not rule.elementwise
    assert WRAPPERS[name](Momentum(0.1)).elementwise == WRAPPERS[name].elementwise
    assert rule.learning_rate == 0.1
