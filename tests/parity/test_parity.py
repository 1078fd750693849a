"""Every rule of the parity table walks where its library's optimizer walks."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from tests.optimizers.library_steps import FILE
from tests.parity.measure import measured, measured_by_default
from tests.parity.objectives import COURSES, Course
from tests.parity.recording import recorded
from tests.parity.row import Row
from tests.parity.table import TABLE

from fallline.hyperparameters import hyperparameters
from fallline.optimizers import OPTIMIZERS, WRAPPERS

LIBRARIES = ("torch", "keras", "optax")
# A chaotic run that is cut shorter than this would show nothing.
FEWEST_STEPS = 20


def _words(settings: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in settings.items()) or "as it is"


@pytest.mark.parametrize(
    ("row", "settings", "course"),
    [
        pytest.param(row, settings, course, id=f"{row.name} - {_words(settings)} - {course.name}")
        for row in TABLE
        for settings in row.grid
        for course in row.courses
    ],
)
def test_rule_equals_the_librarys_over_a_thousand_steps(row: Row, settings: Mapping[str, Any], course: Course) -> None:
    found = measured(row, settings, course)
    assert found.difference <= row.bound, f"{found.difference:.2g} apart within {found.steps} steps"
    assert found.steps >= FEWEST_STEPS


@pytest.mark.parametrize("place", range(len(TABLE)), ids=lambda place: TABLE[place].name)
def test_the_recorded_steps_are_the_librarys(place: int) -> None:
    row = TABLE[place]
    kept, found = json.loads(FILE.read_text(encoding="utf-8"))[place], recorded(row)
    assert kept["rule"] == found["rule"], "python -m tests.parity.recording"
    np.testing.assert_allclose(kept["points"], found["points"], rtol=row.bound, atol=row.bound)


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in TABLE if row.defaults])
def test_rule_left_at_its_defaults_equals_the_librarys_left_at_its_own(row: Row) -> None:
    # The gentlest course: on the others the default rate of some rules is too large.
    found = measured_by_default(row, COURSES[2])
    assert found.difference <= row.bound, f"{found.difference:.2g} apart within {found.steps} steps"


@pytest.mark.parametrize(
    ("name", "convention"),
    [
        (name, convention)
        for name, kind in {**OPTIMIZERS, **WRAPPERS}.items()
        for convention in kind.conventions
        if convention in LIBRARIES
    ],
)
def test_a_convention_named_after_a_library_is_held_to_it(name: str, convention: str) -> None:
    rows = [row for row in TABLE if type(row.ours()) is {**OPTIMIZERS, **WRAPPERS}[name]]
    assert any(row.convention == convention == row.library for row in rows)


@pytest.mark.parametrize("rule", sorted({type(row.ours()).__name__ for row in TABLE}))
def test_every_hyperparameter_is_moved(rule: str) -> None:
    rows = [row for row in TABLE if type(row.ours()).__name__ == rule]
    kind = type(rows[0].ours())
    settable = {field.name for field in dataclasses.fields(kind) if field.init} & set(hyperparameters(kind))
    moved = {"learning_rate"}.union(*(settings for row in rows for settings in row.grid))
    assert settable <= moved, f"never moved: {', '.join(sorted(settable - moved))}"
