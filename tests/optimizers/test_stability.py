"""Stability limits against runs of the real rules on quadratics, and against closed forms."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.optimizers.rules import RULES

from fallline import (
    AdaGrad,
    Adam,
    AdamW,
    ClipValue,
    Cosine,
    GradientDescent,
    Lookahead,
    Momentum,
    Nesterov,
    Optimizer,
    QuasiHyperbolicMomentum,
    RMSProp,
    ScheduleFreeSGD,
    StrongWolfe,
    WeightDecay,
)
from fallline.arrays import BoolArray, FloatArray
from fallline.optimizers.adam import AdamState
from fallline.optimizers.settings import has_setting, with_settings
from fallline.optimizers.stability import best_fixed, stability_limit
from fallline.state import map_state, named_leaves

# The decay of the second moments where it is not beta2, and the names of these moments where they are not v.
DECAYS = {"rmsprop": "beta", "adan": "beta3", "adadelta": "rho"}
MOMENTS = {
    "adagrad": ("total",),
    "rmsprop": ("mean_square",),
    "adadelta": ("mean_square", "mean_square_change"),
    "ftrl": ("n",),
    "adamax": ("u",),
    "amsgrad": ("v", "largest"),
    "adabelief": ("s",),
    "adan": ("n",),
}
# So late that every correction for starting at zero is over, the products of momenta are 0, and the weights' sum is
# as large as it gets.
LATE = 10**15
COUNTED = {"product": 0.0, "total": LATE * 0.05**2, "largest": 0.05}
# Parts of the state that begin where x does.
POINTS = {"x", "z", "slow", "start", "average"}
# Rules whose steps do not shrink with the gradient.
SIGNS = {"sign_descent", "signum", "rprop", "lion"}
ELEMENTWISE = {
    name: rule for name, rule in RULES.items() if rule.elementwise and name.partition("@")[0] not in SIGNS
} | {
    # Without noise, which a run of this size would drown in; and with a mean that settles within a run.
    "gradient_noise@paper:momentum": with_settings(RULES["gradient_noise@paper:momentum"], {"variance": 0.0}),
    **{name: with_settings(rule, {"beta3": 0.99}) for name, rule in RULES.items() if name.startswith("ademamix")},
}
# The start of a run on a quadratic: second moments of 1 do not feel it.
TINY = 1e-9


def frozen(rule: Optimizer[Any]) -> Optimizer[Any]:
    """The rule with second moments that do not change in a run."""
    decay = DECAYS.get(rule.name, "beta2")
    return with_settings(rule, {decay: 1 - 1e-12}) if has_setting(rule, decay) else rule


def with_unit_moments(rule: Optimizer[Any], x: FloatArray) -> Any:
    """The state at x with second moments of 1, long after the start."""
    state = rule.init(0 * x)
    named = {} if "momentum" in rule.name else dict.fromkeys(MOMENTS.get(rule.name, ("v",)), 1.0)
    parts = []
    for name, leaf in named_leaves(state):
        last = name.rpartition(".")[2]
        parts.append({**COUNTED, **named}.get(last, leaf) + x * (last in POINTS))
    remaining = iter(parts)
    return map_state(lambda _: next(remaining), state)


def grows(rule: Optimizer[Any], curvatures: FloatArray, steps: int = 1500) -> BoolArray:
    """Whether a run of the rule on λ x² / 2 grows in the end, for each λ."""
    x = np.full(curvatures.shape, TINY)
    state = with_unit_moments(rule, x)
    early, late = np.zeros(curvatures.shape), np.zeros(curvatures.shape)
    rate = rule.rate(LATE)
    with np.errstate(all="ignore"):
        for step in range(steps):
            place = rule.lookahead(x, state)
            largest = early if step < steps // 2 else late
            np.fmax(largest, np.where(np.isnan(place), np.inf, np.abs(place)), out=largest)
            change, state = rule.update(curvatures * place, state, rate, LATE + step)
            x = x - change
    # A mean of all points stays as it is; second moments end a growth in time; momentum carries a stable run to some
    # hundred times its start.
    return np.asarray((late > 1.5 * early) | (early > 1e4 * TINY) | ~np.isfinite(late))


def bisected(rule: Optimizer[Any]) -> float:
    """The smallest curvature at which a run of the rule grows, to half a per cent."""
    curvatures = np.geomspace(1e-6, 1e12, 900)
    for _ in range(2):
        first = int(np.flatnonzero(grows(rule, curvatures))[0])
        curvatures = np.geomspace(curvatures[first - 1], curvatures[first], 10)
    return float(curvatures[5])


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_limit_is_where_real_runs_begin_to_grow(name: str) -> None:
    rule = ELEMENTWISE[name]
    expected = bisected(frozen(rule))
    for one in (rule, frozen(rule)):
        found = stability_limit(one, with_unit_moments(one, np.zeros(1)), step=LATE)
        assert found.reason is None
        assert found.curvature[0] == pytest.approx(expected, rel=0.02)
        assert found.limit == pytest.approx(float(rule.rate(LATE)) * expected, rel=0.02)


@given(beta=st.floats(0, 0.99), rate=st.floats(1e-4, 10))
@example(beta=1e-220, rate=1.5)
@settings(max_examples=10)
def test_limits_are_those_of_the_closed_forms(beta: float, rate: float) -> None:
    """Polyak's limit, Nesterov's as torch writes it (Cohen et al., 2021), and Adam's (Cohen et al., 2022)."""
    adam = AdamState(np.zeros(3), np.array([1.0, 4.0, 1e-8]))
    expected: dict[Optimizer[Any], float] = {
        Momentum(rate, momentum=beta): 2 * (1 + beta),
        Momentum(rate, momentum=beta, convention="torch"): 2 * (1 + beta),
        Nesterov(rate, momentum=beta, convention="torch"): 2 * (1 + beta) / (1 + 2 * beta),
        # At z = -1 the mean answers with (1 - β) / (1 + β).
        QuasiHyperbolicMomentum(rate, momentum=beta): 2 / (0.3 + 0.7 * (1 - beta) / (1 + beta)),
    }
    for rule, limit in expected.items():
        # A disturbance that grows by 1e-7 in a step is taken for rounding.
        assert stability_limit(rule).limit == pytest.approx(limit, rel=1e-4)
    # Of the mean of all points, the next one moves 1 / t.
    free = ScheduleFreeSGD(rate, beta=beta)
    found = stability_limit(free, free.init(np.zeros(1)), step=10**8)
    assert found.limit == pytest.approx(2 / (1 - beta), rel=1e-4)
    found = stability_limit(Adam(rate, beta1=beta, epsilon=0.0), adam, step=10**6)
    limit = 2 * (1 + beta) / (1 - beta)
    np.testing.assert_allclose(rate * found.curvature, limit * np.array([1.0, 2.0, 1e-4]), rtol=1e-5)


def test_corrections_for_starting_at_zero_count() -> None:
    found = stability_limit(Adam(0.1, epsilon=0.0), AdamState(np.zeros(1), np.ones(1)), step=5)
    # The mean is multiplied by 1 / (1 - β₁⁵), the root of the mean square by that of 1 / (1 - β₂⁵).
    assert found.limit == pytest.approx(38 * (1 - 0.9**5) / math.sqrt(1 - 0.999**5), rel=1e-6)


def test_weight_decay_lowers_the_limit() -> None:
    # x ← (1 - d - ηλ) x
    assert stability_limit(WeightDecay(GradientDescent(0.1), decay=0.3)).limit == pytest.approx(1.7, rel=1e-6)
    # The decay by the rate is 0.2 of x, which takes 0.2 off the 2 (1 + β₁) / (1 - β₁) only by its share in the motion.
    decayed = stability_limit(AdamW(0.1, weight_decay=2.0, convention="torch", beta1=0.0))
    assert decayed.limit == pytest.approx(1.8, rel=1e-4)


def test_a_rule_that_steps_back_is_taken_over_its_period() -> None:
    # Two steps of descent and half of the way back: (1 + (1 - q)²) / 2 leaves the circle at q = 2.
    assert stability_limit(Lookahead(GradientDescent(0.1), period=2)).limit == pytest.approx(2, rel=1e-6)
    # Three: (1 + (1 - q)³) / 2 = -1 at q = 1 + ∛3.
    three = stability_limit(ClipValue(Lookahead(GradientDescent(0.1), period=3)))
    assert three.limit == pytest.approx(1 + 3 ** (1 / 3), rel=1e-6)


class LastState(NamedTuple):
    """The last gradient, and how many there were."""

    before: Any
    count: Any


@dataclasses.dataclass(frozen=True)
class Optimistic(Optimizer[LastState]):
    """x ← x - η (2 g - g₋₁): Popov (1980), A modification of the Arrow-Hurwicz method."""

    learning_rate: float = 0.1

    def init(self, x: Any) -> LastState:
        return LastState(0 * x, np.zeros(()))

    def update(self, gradient: Any, state: LastState, rate: Any, step: Any) -> tuple[Any, LastState]:
        return rate * (2 * gradient - state.before), LastState(gradient, state.count + 1)


def test_a_rule_of_ones_own_has_its_limit() -> None:
    # z² - (1 - 2 q) z - q = 0 has the root -1 at q = 2 / 3.
    assert stability_limit(Optimistic()).limit == pytest.approx(2 / 3, rel=1e-6)
    assert stability_limit(WeightDecay(Optimistic(), decay=0.0)).limit == pytest.approx(2 / 3, rel=1e-6)


@dataclasses.dataclass(frozen=True)
class Implicit(Optimizer[None]):
    """Steps that shrink as fast as the curvature grows: no curvature makes them unstable."""

    learning_rate: float = 0.1

    def init(self, x: Any) -> None:
        return None

    def update(self, gradient: Any, state: None, rate: Any, step: Any) -> tuple[Any, None]:
        return 0 * gradient, state


@pytest.mark.parametrize("name", sorted(set(RULES) - set(ELEMENTWISE)))
def test_a_rule_without_a_limit_says_why(name: str) -> None:
    found = stability_limit(RULES[name])
    assert np.isnan(found.limit)
    signs = name.partition("@")[0] in SIGNS
    assert found.reason is not None
    assert ("does not shrink with the gradient" if signs else "depends on the others") in found.reason
    assert np.isnan(found.factor(0.1, 1.0))


def test_other_rules_without_a_limit() -> None:
    assert "line search" in str(stability_limit(GradientDescent(StrongWolfe())).reason)
    assert "rate is 0 at step 60" in str(stability_limit(GradientDescent(Cosine(0.1, 50)), step=60).reason)
    still = stability_limit(Implicit())
    assert (still.limit, still.reason) == (math.inf, "a small gradient does not move it")


def test_a_coordinate_that_never_had_a_gradient_bears_anything() -> None:
    state = AdaGrad(convention="tutorial").init(np.zeros(2))._replace(total=np.array([0.0, 4.0]))
    found = stability_limit(AdaGrad(0.1, convention="tutorial", epsilon=0.0), state)
    np.testing.assert_allclose(found.curvature, [np.inf, 2 * 2 / 0.1], rtol=1e-6)


def test_each_of_many_coordinates_has_its_limit() -> None:
    random = np.random.default_rng(0)
    v = random.uniform(0.1, 10, 100_000)
    found = stability_limit(RMSProp(0.1, epsilon=0.0), RMSProp().init(v)._replace(mean_square=v))
    np.testing.assert_allclose(found.curvature, 2 * np.sqrt(v) / 0.1, rtol=1e-5)


@pytest.mark.long
@given(lowest=st.floats(1e-3, 1e3), condition=st.floats(1.5, 1e4))
@settings(max_examples=3, deadline=None)
def test_the_best_rate_and_momentum_are_polyaks(lowest: float, condition: float) -> None:
    highest = lowest * condition
    rule, factor = best_fixed(GradientDescent(), lowest, highest)
    assert rule.learning_rate == pytest.approx(2 / (lowest + highest), rel=1e-5)
    assert factor == pytest.approx((condition - 1) / (condition + 1), abs=1e-6)
    root = math.sqrt(condition)
    for convention in ("paper", "torch"):
        heavy, factor = best_fixed(Momentum(convention=convention), lowest, highest)
        # Near the best settings the factor moves by the root of their change: two eigenvalues meet there.
        assert factor == pytest.approx((root - 1) / (root + 1), abs=1e-4)
        assert isinstance(heavy, Momentum)
        assert heavy.momentum == pytest.approx(((root - 1) / (root + 1)) ** 2, abs=1e-3)
        assert heavy.learning_rate == pytest.approx(4 / (math.sqrt(lowest) + math.sqrt(highest)) ** 2, rel=1e-3)


def test_the_best_nesterov_is_that_of_lessard_recht_and_packard() -> None:
    """Lessard, Recht and Packard (2016), Analysis and design of optimization algorithms, table 1."""
    rule, factor = best_fixed(Nesterov(convention="torch"), 1.0, 100.0)
    root = math.sqrt(3 * 100 + 1)
    assert factor == pytest.approx(1 - 2 / root, abs=1e-5)
    assert isinstance(rule, Nesterov)
    assert rule.learning_rate == pytest.approx(4 / 301, rel=1e-3)
    assert rule.momentum == pytest.approx((root - 2) / (root + 2), rel=1e-3)


def test_the_factor_is_that_of_the_slowest_curvature() -> None:
    found = stability_limit(Momentum(0.02, momentum=0.5))
    # Each curvature's factor is the larger root of z² - (1 + β - ηλ) z + β.
    roots = [max(abs(np.roots([1, -(1.5 - 0.02 * curvature), 0.5]))) for curvature in np.geomspace(1, 100, 50)]
    assert found.factor(*np.array([1, 100]) / found.curvature[0]) == pytest.approx(max(roots), rel=1e-6)
