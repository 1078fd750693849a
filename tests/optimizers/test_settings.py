"""Settings of a rule by name, also those of a rule, a schedule or a line search inside it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from fallline import (
    Adam,
    Cautious,
    ClipNorm,
    Cosine,
    FalllineError,
    GradientDescent,
    Lookahead,
    Momentum,
    Optimizer,
    StepDecay,
    StrongWolfe,
    WarmUp,
)
from fallline.hyperparameters import hyperparameters
from fallline.optimizers.settings import has_setting, setting_of, with_learning_rate, with_settings

COSINE = Cosine(0.1, 50)
SEARCHED = GradientDescent(StrongWolfe(initial=2.0))
WARMED = GradientDescent(WarmUp(after=Cosine(0.1, 50), steps=5))
NESTED = Lookahead(Cautious(Adam(COSINE)), period=3)


def replaced(settings: Any, path: str, value: Any) -> Any:
    """The same dataclass with another value at a path of fields such as "rule.beta1"."""
    first, _, rest = path.partition(".")
    return dataclasses.replace(settings, **{first: replaced(getattr(settings, first), rest, value) if rest else value})


@pytest.mark.parametrize(
    ("rule", "name", "path", "old", "new"),
    [
        (Adam(0.1), "learning_rate", "learning_rate", 0.1, 0.3),
        (Adam(0.1), "beta1", "beta1", 0.9, 0.8),
        (Adam(0.1), "convention", "convention", "paper", "optax"),
        # The rate of a schedule or of a line search is its first.
        (Adam(COSINE), "learning_rate", "learning_rate.initial", 0.1, 0.3),
        (Adam(COSINE), "steps", "learning_rate.steps", 50, 70),
        (SEARCHED, "learning_rate", "learning_rate.initial", 2.0, 3.0),
        (SEARCHED, "curvature", "learning_rate.curvature", 0.9, 0.5),
        (WARMED, "learning_rate", "learning_rate.after.initial", 0.1, 0.3),
        (WARMED, "steps", "learning_rate.steps", 5, 6),
        (NESTED, "learning_rate", "rule.rule.learning_rate.initial", 0.1, 0.3),
        (NESTED, "beta2", "rule.rule.beta2", 0.999, 0.99),
        (NESTED, "final", "rule.rule.learning_rate.final", 0.0, 0.01),
        (NESTED, "floor", "rule.floor", 1e-3, 0.5),
        (NESTED, "period", "period", 3, 4),
        # The outermost of a name is meant.
        (NESTED, "convention", "convention", "paper", "optax"),
        (ClipNorm(ClipNorm(Momentum(0.1), limit=2.0), limit=3.0), "limit", "limit", 3.0, 5.0),
    ],
)
def test_a_setting_is_found_and_replaced_wherever_it_is(
    rule: Optimizer[Any], name: str, path: str, old: Any, new: Any
) -> None:
    assert has_setting(rule, name)
    value, facts = setting_of(rule, name)
    assert value == old
    owner: Any = rule
    for part in path.split(".")[:-1]:
        owner = getattr(owner, part)
    assert facts is hyperparameters(owner).get(path.rpartition(".")[2])
    assert with_settings(rule, {name: new}) == replaced(rule, path, new)
    assert setting_of(rule, name)[0] == old


def test_several_are_replaced_at_once() -> None:
    assert with_settings(Adam(0.1), {"beta1": 0.5, "epsilon": 0.0}) == Adam(0.1, beta1=0.5, epsilon=0.0)
    assert with_settings(Adam(0.1), {}) == Adam(0.1)


@pytest.mark.parametrize("rate", [0.5, StepDecay(0.1), StrongWolfe()])
def test_the_rate_of_the_innermost_rule_is_replaced(rate: Any) -> None:
    assert with_learning_rate(NESTED, rate) == Lookahead(Cautious(Adam(rate)), period=3)


@pytest.mark.parametrize("call", [setting_of, lambda rule, name: with_settings(rule, {name: 1})])
def test_an_unknown_setting_is_said_with_the_nearest_and_all_there_are(call: Any) -> None:
    # What a rule derives from another, such as a wrapper's rate, cannot be set by itself.
    assert not has_setting(NESTED, "beta")
    assert not has_setting(NESTED, "name")
    with pytest.raises(FalllineError, match=r"^final_ is no hyperparameter of lookahead; did you mean 'final'") as told:
        call(NESTED, "final_")
    assert told.value.parameter == "final_"
    with pytest.raises(FalllineError, match=r"is no hyperparameter of lookahead; .*Allowed: ") as told:
        call(NESTED, "zzz")
    allowed = str(told.value).partition("Allowed: ")[2].split(", ")
    # Those of the wrappers, the rule and the schedule, and nothing that holds others.
    for name in ("period", "pull", "floor", "beta1", "beta2", "epsilon", "initial", "steps", "final"):
        assert name in allowed
    assert not {"rule", "learning_rate", "table", "elementwise"} & set(allowed)
