"""A comparison is a sequence of runs, found by number and by label."""

from __future__ import annotations

from typing import Any

import pytest

from fallline import Adam, Comparison, FalllineError, GradientDescent, Momentum, Optimizer, compare


@pytest.fixture(scope="module")
def race() -> Comparison:
    rules: dict[str, Optimizer[Any]] = {"plain": GradientDescent(0.1), "adam": Adam(0.1), "heavy": Momentum(0.1)}
    return compare("x**2", 1.0, rules, max_steps=5)


def test_a_run_is_found_by_its_label_and_by_its_number(race: Comparison) -> None:
    assert race["adam"] == race[1] == race[-2]
    assert race["adam"].optimizer == "adam, learning_rate 0.1"
    with pytest.raises(FalllineError, match=r"^label is 'Adm'; did you mean 'adam'\? Allowed: plain, adam, heavy$"):
        race["Adm"]


def test_a_slice_is_a_comparison_of_these_runs(race: Comparison) -> None:
    part = race[1:]
    assert isinstance(part, Comparison)
    assert part.labels == ("adam", "heavy")
    assert list(part) == [race[1], race[2]]
    assert race[:] == race
    assert part != race


def test_a_run_is_found_by_the_name_of_its_rule_where_only_one_has_it() -> None:
    runs = compare("x**2", 1.0, [Adam(0.1), Momentum(0.1), Momentum(0.2)], max_steps=5)
    assert runs["adam"] == runs[0]
    with pytest.raises(FalllineError, match=r"^label is 'momentum'"):
        runs["momentum"]
