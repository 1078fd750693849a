"""What a hyperparameter may be is said once, and everything else is refused in one line."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline import Adam, FalllineError, GradientDescent, Momentum, RMSProp, StepDecay, WindowedMomentum
from fallline.hyperparameters import Range, check_convention, check_hyperparameters, hyperparameter, hyperparameters


@dataclass(frozen=True)
class Settings:
    """Made up: one hyperparameter of each kind."""

    size: float = hyperparameter(1.0, about="size", symbol="s", above=0, at_most=2)
    share: float = hyperparameter(0.5, about="share", symbol="q", at_least=0, below=1)
    count: int = hyperparameter(3, about="count", at_least=1, whole=True)
    tail: float = hyperparameter(0.9, about="tail", symbol="t", defaults={"library": 0.5})
    convention: str = "paper"
    remark: str = ""

    def __post_init__(self) -> None:
        check_convention(self, {"paper": "", "library": ""})
        check_hyperparameters(self)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("size", 0),
        ("size", -1.5),
        ("size", 2.0000000000000004),
        ("size", math.nan),
        ("size", math.inf),
        ("size", "0.1"),
        ("size", True),
        ("size", 1j),
        ("size", None),
        ("size", [0.5, [1.0]]),
        ("size", np.array([0.5, 0.0])),
        ("size", GradientDescent()),
        ("share", 1),
        ("share", -1e-300),
        ("count", 0),
        ("count", 2.5),
        ("count", np.array([[1], [2]])),
        ("tail", -math.inf),
    ],
)
def test_what_is_out_of_range_is_refused_by_name_value_and_range(setting: str, value: Any) -> None:
    said = {
        "size": "a number above 0 and at most 2",
        "share": "a number at least 0 and below 1",
        "count": "a whole number at least 1",
        "tail": "a number",
    }[setting]
    with pytest.raises(FalllineError, match=rf"^Settings: {setting} is .*; it must be {said}$") as caught:
        Settings(**{setting: value})
    assert len(str(caught.value).splitlines()) == 1


def test_a_long_array_does_not_flood_the_error() -> None:
    with pytest.raises(FalllineError) as caught:
        Settings(size=np.zeros((1000, 1)))  # type: ignore[arg-type]
    assert len(str(caught.value)) < 150
    assert "\n" not in str(caught.value)


@given(value=st.floats(min_value=0, max_value=2, exclude_min=True))
def test_every_number_in_range_is_taken_as_it_is(value: float) -> None:
    assert Settings(size=value).size == value


@pytest.mark.parametrize("number", [2, np.float64(2), np.float32(2), np.int8(2), np.array(2.0)])
def test_any_kind_of_number_becomes_a_plain_one(number: Any) -> None:
    made = Settings(size=number, count=number)
    assert (type(made.size), type(made.count)) == (float, int)
    assert repr(made).startswith("Settings(size=2.0, share=0.5, count=2, ")


def test_a_whole_number_written_with_a_point_counts() -> None:
    assert WindowedMomentum(window=10.0) == WindowedMomentum(window=10)  # type: ignore[arg-type]


def test_arrays_may_enter_a_formula_but_not_shape_a_rule() -> None:
    rates = np.array([[0.1], [0.2]])
    assert Adam(rates).learning_rate is rates  # type: ignore[arg-type, comparison-overlap]
    with pytest.raises(FalllineError, match=r"WindowedMomentum: window is .* a whole number at least 1$"):
        WindowedMomentum(window=np.array([[5], [6]]))  # type: ignore[arg-type]


def test_a_default_may_depend_on_the_convention() -> None:
    assert Settings().tail == 0.9
    assert Settings(convention="library").tail == 0.5
    assert Settings(0.25, convention="library", tail=0.1).tail == 0.1
    # Replacing one setting keeps the others, as for any dataclass.
    assert dataclasses.replace(Settings(), convention="library").tail == 0.9


def test_the_signature_shows_both_defaults() -> None:
    assert repr(hyperparameters(Settings)["tail"].default) == "0.9"
    assert "0.9 ('library': 0.5)".replace("'", "") in repr(Settings.__dataclass_fields__["tail"].default)


@pytest.mark.parametrize("wrong", ["libary", "", "PAPER", None, ["paper"]])
def test_an_unknown_convention_is_refused_with_the_known_ones(wrong: Any) -> None:
    with pytest.raises(FalllineError, match=r"^Settings: convention is .*Allowed: paper, library$"):
        Settings(convention=wrong)
    with pytest.raises(FalllineError, match=r"did you mean 'library'"):
        Settings(convention="libary")


def test_what_is_known_is_there_for_sliders_and_documentation() -> None:
    known = hyperparameters(Momentum(0.1))
    assert known["momentum"].range == Range(low=0, high=1, high_open=True)
    assert (known["momentum"].symbol, known["momentum"].default) == (r"\gamma", 0.9)
    assert list(hyperparameters(Settings())) == ["size", "share", "count", "tail"]
    assert hyperparameters(RMSProp).keys() >= {"learning_rate", "beta", "epsilon"}


@pytest.mark.parametrize(
    ("allowed", "text"),
    [
        (Range(), "a number"),
        (Range(low=0), "a number at least 0"),
        (Range(high=1, high_open=True), "a number below 1"),
        (Range(low=0, low_open=True, high=0.5), "a number above 0 and at most 0.5"),
        (Range(low=1, whole=True), "a whole number at least 1"),
    ],
)
def test_ranges_read_as_words(allowed: Range, text: str) -> None:
    assert str(allowed) == text


def test_only_the_learning_rate_may_be_a_schedule() -> None:
    schedule = StepDecay(0.1)
    assert Adam(schedule).learning_rate is schedule
    with pytest.raises(FalllineError, match=r"Adam: beta1 is StepDecay.*at least 0 and below 1"):
        Adam(beta1=schedule)  # type: ignore[arg-type]
    with pytest.raises(FalllineError, match=r"Adam: learning_rate is <class .*StepDecay'>; it must be a number"):
        Adam(StepDecay)  # type: ignore[arg-type]


def test_other_fields_are_nobodys_business() -> None:
    @dataclass(frozen=True)
    class Mixed:
        size: float = hyperparameter(1.0, about="size", symbol="s")
        table: dict[str, float] = field(default_factory=dict)

    mixed = Mixed(table={"a": 1.0})
    check_hyperparameters(mixed)
    assert mixed.table == {"a": 1.0}
    assert re.fullmatch(r"\['size'\]", str(list(hyperparameters(mixed))))
