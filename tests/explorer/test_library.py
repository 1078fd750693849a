"""What the page knows of rules, settings, formulas and landscapes is what the library says of them."""

from __future__ import annotations

import dataclasses
import math
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.explorer.node import built
from tests.explorer.runs import run_program

from fallline.explorer.tracing import settings_of
from fallline.hyperparameters import hyperparameters
from fallline.line_search import LINE_SEARCHES, LineSearch
from fallline.objectives import LANDSCAPES, as_objective
from fallline.optimizers import OPTIMIZERS, optimizer_from_name
from fallline.optimizers.latex import with_short_memory
from fallline.optimizers.lines import lines_of
from fallline.optimizers.mathml import as_mathml, table
from fallline.schedules import SCHEDULES
from fallline.stopping import CONDITIONS
from fallline.views.theme import DARK, LIGHT

RULES = [(name, convention) for name, kind in OPTIMIZERS.items() for convention in kind.conventions]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page knows."""
    found: dict[str, Any] = run_program(built(tmp_path_factory.mktemp("programs")), "library", None)
    return found


def number(told: Any) -> float:
    return float(told) if told is not None else math.nan


def assert_allowed(setting: dict[str, Any], of: Any) -> None:
    """That a setting's limits and its slider are those of the library's hyperparameter."""
    *inside, name = setting["name"].split(".")
    for part in inside:
        of = getattr(of, part)
    facts = hyperparameters(of).get(name)
    if facts is None:
        return
    allowed = facts.range
    ends = (number(setting["least"]), number(setting["most"]))
    assert ends == (allowed.low, allowed.high)
    assert (setting["leastOpen"], setting["mostOpen"]) == (allowed.low_open, allowed.high_open)
    assert (setting["whole"], setting["about"], setting["allowed"]) == (allowed.whole, facts.about, str(allowed))
    assert allowed.allows(setting["low"])
    assert allowed.allows(setting["high"])
    assert setting["low"] < setting["high"]
    if setting["log"]:
        assert not setting["low"] <= setting["origin"] <= setting["high"]


def test_every_rule_is_there_with_its_settings_and_defaults(known: dict[str, Any]) -> None:
    assert [(rule["name"], rule["convention"]) for rule in known["rules"]] == RULES
    for told in known["rules"]:
        rule = optimizer_from_name(f"{told['name']}@{told['convention']}")
        assert told["elementwise"] == rule.elementwise
        values = dict(settings_of(rule))
        for setting in told["hyperparameters"]:
            assert_allowed(setting, rule)
            assert setting["default"] == values[setting["name"]], (told["name"], setting["name"])
        rate = rule.learning_rate
        if isinstance(rate, LineSearch):
            assert told["search"] == {"lineSearch": rate.name, "values": dict(settings_of(rate))}
        else:
            assert told["rate"]["default"] == rate


def test_a_setting_without_effect_in_a_convention_is_not_offered(known: dict[str, Any]) -> None:
    offered = {
        (rule["name"], rule["convention"]): [setting["name"] for setting in rule["hyperparameters"]]
        for rule in known["rules"]
    }
    assert "dampening" in offered["momentum", "torch"]
    assert "dampening" not in offered["momentum", "paper"]
    assert "momentum_decay" in offered["nadam", "keras"]
    assert "momentum_decay" not in offered["nadam", "optax"]


@pytest.mark.parametrize(("name", "convention"), RULES)
def test_the_formula_of_a_rule_is_the_librarys_with_each_setting_marked(
    known: dict[str, Any], name: str, convention: str
) -> None:
    (told,) = (rule for rule in known["rules"] if (rule["name"], rule["convention"]) == (name, convention))
    step = lines_of(with_short_memory(optimizer_from_name(f"{name}@{convention}")), all_names=True)

    def written(expression: Any, **taken: Any) -> str:
        return as_mathml(expression, step.letters, marked=True, **taken)

    x_before, slope = (step.symbols[part] for part in (step.recorded.x, step.recorded.gradient))
    place = f"<mrow><mo>∇</mo><mi>f</mi><mo>(</mo>{written(step.place)}<mo>)</mo></mrow>"
    rows = [(written(slope), place)]
    rows += [
        (written(line.symbol), "<mo>…</mo>" if line.expression is None else written(line.expression))
        for line in step.lines
    ]
    rows.append((written(step.change.symbol), written(step.change.expression, taken_from=x_before)))
    assert told["mathml"] == table(rows)
    marked = {part.get("data-setting") for part in ElementTree.fromstring(told["mathml"]).iter()} - {None}
    shown = set().union(
        *(line.expression.free_symbols for line in (*step.lines, step.change) if line.expression is not None)
    )
    settings = {letter.setting for symbol, letter in step.letters.items() if letter.setting and symbol in shown}
    assert settings <= marked
    assert marked <= {setting["name"] for setting in told["hyperparameters"]} | {"learning_rate"}


def test_every_schedule_condition_and_line_search_is_there(known: dict[str, Any]) -> None:
    for name, kind in SCHEDULES.items():
        of_kind = [told for told in known["schedules"] if told["name"] == name]
        assert [told["convention"] for told in of_kind] == list(kind.conventions)
        for told in of_kind:
            assert (told["watches"], told["holds"]) == (kind.needs_value, "after" in kind.__dataclass_fields__)
            own = {field.name for field in dataclasses.fields(kind)} - {"after", "convention"}
            assert {setting["name"] for setting in told["hyperparameters"]} == own
            for setting in told["hyperparameters"]:
                facts = hyperparameters(kind)[setting["name"]]
                needed = facts.default is dataclasses.MISSING
                assert setting["default"] == (None if needed else _as_json(facts.default))
    assert {told["name"] for told in known["lineSearches"]} == set(LINE_SEARCHES)
    for told in known["lineSearches"]:
        values = dict(settings_of(LINE_SEARCHES[told["name"]]()))
        assert {setting["name"]: setting["default"] for setting in told["hyperparameters"]} == values
    told_of = {told["name"]: told for told in known["stoppingConditions"]}
    assert set(told_of) == set(CONDITIONS) - {"AnyOf", "SmallEpoch"}
    for name, told in told_of.items():
        assert (told["reason"], told["converged"]) == (CONDITIONS[name].reason, CONDITIONS[name].converged)


def _as_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def test_landscapes_are_those_of_the_library_and_runs_start_within_their_bounds(known: dict[str, Any]) -> None:
    assert [told["name"] for told in known["landscapes"]] == list(LANDSCAPES)
    for told in known["landscapes"]:
        objective = as_objective(told["name"])
        low, high = np.array(told["bounds"]).T
        start = np.array(told["start"])
        assert told["formula"] == LANDSCAPES[told["name"]].formula
        assert tuple(told["names"]) == objective.names
        assert (low < start).all()
        assert (start < high).all()
        for minimum in told["minima"]:
            assert objective.value(np.array(minimum)) == pytest.approx(told["lowest"], abs=1e-9)
        assert objective.value(start) > told["lowest"]


def test_runs_have_the_colours_of_the_librarys_pictures() -> None:
    source = (Path(__file__).parents[2] / "js" / "src" / "palette.ts").read_text(encoding="utf-8")
    told = [tuple(re.findall('"(#[0-9a-f]{6})"', line)) for line in re.findall(r"  runs: \[(.*)\]", source)]
    assert told == [tuple(colour.lower() for colour in theme.runs) for theme in (LIGHT, DARK)]
