"""Rules in the form that files keep."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from tests.optimizers.rules import RULES

from fallline import Adam, Cautious, Cosine, FalllineError, GradientDescent, Momentum, ProjectedLBFGS, StrongWolfe
from fallline.optimizers.recipes import kept, rebuilt, unkept
from fallline.penalties import Ball


@dataclasses.dataclass(frozen=True)
class Mine(Momentum):
    """A rule of a user's own."""


@pytest.mark.parametrize(
    "rule",
    [*RULES.values(), Adam(Cosine(0.1, 50)), GradientDescent(StrongWolfe()), ProjectedLBFGS(onto=Ball(2.0))],
    ids=lambda rule: rule.label,
)
def test_a_rule_comes_back_from_json(rule: Any) -> None:
    told = json.loads(json.dumps(kept(rule)))
    assert rebuilt(told) == unkept(told) == rule
    # What is in that form already is left as it is.
    assert kept(told) is told


def test_a_users_rule_is_kept_as_it_was_written_also_inside_another() -> None:
    for rule in (Mine(0.1), Cautious(Mine(0.1))):
        told = json.loads(json.dumps(kept(rule)))
        assert unkept(told) is told
        with pytest.raises(FalllineError, match=r"names the type .*Mine.*, which is not known here"):
            rebuilt(told)
    listed = [1.0, [kept(Mine(0.1))]]
    assert unkept(listed) is listed


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"type": "Adamm"}, "'Adamm'"),
        ([{"type": "Adamm"}], "'Adamm'"),
        ({"type": "Adam", "beta": {"type": "zzz"}}, "'zzz'"),
        ({}, "None"),
    ],
)
def test_what_is_no_recipe_is_told(wrong: Any, named: str) -> None:
    with pytest.raises(FalllineError, match=f"^recipe names the type {named}, which is not known here"):
        unkept(wrong)


def test_what_is_no_rule_is_itself() -> None:
    assert unkept(0.5) == rebuilt(0.5) == kept(0.5) == 0.5
    assert unkept("adam") == "adam"
