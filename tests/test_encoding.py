"""Settings survive JSON, and nothing but what is known is ever built from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline import Adam, Exponential, FalllineError, GradientDescent, StepDecay, StepSize, Target
from fallline.encoding import decode, encode
from fallline.optimizers import OPTIMIZERS
from fallline.schedules import SCHEDULES
from fallline.stopping import CONDITIONS

KNOWN: dict[str, type] = {kind.__name__: kind for kind in (*OPTIMIZERS.values(), *SCHEDULES.values())} | {**CONDITIONS}


def through_json(value: Any) -> Any:
    return decode(json.loads(json.dumps(encode(value))), KNOWN)


@given(
    rate=st.floats(min_value=1e-300, max_value=1e300),
    beta=st.floats(min_value=0, max_value=1, exclude_max=True),
    every=st.integers(min_value=1, max_value=10**12),
)
def test_numbers_come_back_to_the_last_bit(rate: float, beta: float, every: int) -> None:
    schedule = StepDecay(rate, factor=0.3, every=every, convention="tutorial")
    for rule in (Adam(rate, beta1=beta), Adam(schedule, beta2=beta, convention="tutorial")):
        assert through_json(rule) == rule


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 0.1, "text", StepSize(1e-5) | Target(-3.0), GradientDescent(Exponential(0.1, decay=0.5))],
)
def test_what_a_recipe_holds_comes_back(value: Any) -> None:
    assert through_json(value) == value


def test_arrays_become_nested_tuples() -> None:
    assert through_json(np.array([[1.0, 2.0], [3.0, 4.0]])) == ((1.0, 2.0), (3.0, 4.0))
    assert through_json([np.float32(0.5), np.int64(7), np.True_]) == (0.5, 7, True)


def test_a_function_leaves_its_type_and_no_more() -> None:
    assert json.loads(json.dumps(encode({"a": len}))) == {"type": "builtins.dict"}
    with pytest.raises(FalllineError, match=r"^recipe names the type 'builtins.*', which is not known here"):
        through_json(len)


def test_a_users_class_is_not_mistaken_for_the_one_of_that_name() -> None:
    @dataclass(frozen=True)
    class Adam:
        learning_rate: float = 0.1

    with pytest.raises(FalllineError, match=r"recipe names the type 'tests\..*, which is not known here"):
        through_json(Adam())


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"type": "Adm"}, "recipe names the type 'Adm', which is not known here; did you mean 'Adam'"),
        ({}, "recipe names the type None, which is not known here"),
        ({"type": ["Adam"]}, r"recipe names the type \['Adam'\], which is not known here"),
        ({"type": "os.system", "command": "true"}, "recipe names the type 'os.system', which is not known"),
        ({"type": "Adam", "speed": 1}, "speed is not a hyperparameter of Adam; Allowed: learning_rate, "),
        ({"type": "Adam", "learning_rate": -1.0}, "Adam: learning_rate is -1.0; it must be a number above 0"),
        ({"type": "Adam", "learning_rate": "1"}, "Adam: learning_rate is '1'; it must be a number above 0"),
        ({"type": "AnyOf", "conditions": [{"type": "Never"}]}, "recipe names the type 'Never'"),
    ],
)
def test_a_recipe_that_was_tampered_with_is_one_line(recipe: Any, said: str) -> None:
    with pytest.raises(FalllineError, match=f"^{said}") as caught:
        decode(recipe, KNOWN)
    assert "\n" not in str(caught.value)
