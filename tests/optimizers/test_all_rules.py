"""What every registered rule must do, built-in or user-defined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.optimizers.rules import RULES, SETTINGS
from tests.runs import same

from fallline import FalllineError, minimize, rerun
from fallline.optimizers import OPTIMIZERS, Adam, optimizer_from_name


@pytest.mark.parametrize("start", [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
@pytest.mark.parametrize("name", RULES)
def test_a_slope_of_zero_from_the_first_step_on_gives_no_nan(name: str, start: list[float]) -> None:
    # The slope along x is exactly zero on the y axis, and the other way round.
    run = minimize("x**2 + y**2", start, name, max_steps=25)
    assert np.isfinite(run.x).all()
    assert run.stop.reason in ("small step", "step limit")


@pytest.mark.parametrize("name", RULES)
def test_its_recipe_runs_it_again(name: str) -> None:
    run = minimize("x**2 + 3*y**2 - x*y", [1.0, -2.0], RULES[name], max_steps=15)
    assert same(rerun(run.recipe), run)


@pytest.mark.parametrize("name", RULES)
def test_it_is_what_its_name_stands_for(name: str) -> None:
    settings = SETTINGS.get(name.partition("@")[0], {})
    assert optimizer_from_name(name, learning_rate=0.05, **settings) == RULES[name]


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("zzz", {}, "optimizer is 'zzz'; Allowed: gradient_descent, momentum, "),
        ("momentm", {}, r"optimizer is 'momentm'; did you mean 'momentum'\?"),
        ("adam@", {}, "Adam: convention is ''; Allowed: "),
        ("adam@torhc", {}, r"Adam: convention is 'torhc'; did you mean 'torch'\?|Adam: convention is 'torhc'; Allowed"),
        ("adam", {"beta": 0.9}, r"beta is not a hyperparameter of Adam; did you mean 'beta[12]'\? Allowed: "),
        ("adam", {"name": "x"}, r"name is not a hyperparameter of Adam; .*Allowed: learning_rate, "),
        ("adam", {"conventions": {}}, "conventions is not a hyperparameter of Adam; "),
        ("cautious", {}, "optimizer is 'cautious'; name the rule inside it too, such as cautious:adam$"),
        ("cautius:adam", {}, r"optimizer is 'cautius:adam'; did you mean 'cautious'\?"),
        ("cautious:adm", {}, r"optimizer is 'adm'; did you mean 'adam'\?"),
        ("cautious@keras:adam", {}, "Cautious: convention is 'keras'; Allowed: "),
        ("adam", {"beta1": 1}, "Adam: beta1 is 1; it must be a number at least 0 and below 1$"),
        ("rmsprop", {"epsilon": -1e-8}, "RMSProp: epsilon is -1e-08; it must be a number at least 0$"),
    ],
)
def test_a_name_or_setting_that_does_not_exist_is_said(name: str, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(FalllineError, match=f"^{said}") as caught:
        optimizer_from_name(name, **settings)
    assert "\n" not in str(caught.value)


def test_the_name_of_a_rule_is_the_one_it_is_registered_by() -> None:
    assert all(rule.name == name for name, rule in OPTIMIZERS.items())
    assert optimizer_from_name("adam", learning_rate=0.5) == Adam(0.5)
