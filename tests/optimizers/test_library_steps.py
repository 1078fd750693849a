"""Every convention of a library takes the library's own steps, as recorded."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from tests.optimizers.library_steps import FILE, GIVEN, START

from fallline.optimizers.recipes import rebuilt

RECORDED: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("known", RECORDED, ids=lambda known: known["name"])
def test_a_convention_takes_the_recorded_steps_of_its_library(known: dict[str, Any]) -> None:
    rule = rebuilt(known["rule"])
    x = np.array(START)
    state = rule.init(x)
    for step, (gradient, expected) in enumerate(zip(GIVEN, known["points"], strict=True), start=1):
        change, state = rule.update(gradient, state, rule.rate(step), step)
        x = x - change
        place = rule.lookahead(x, state) if known["at_lookahead"] else x
        # The bound of the parity table, relative to the largest number on the way.
        np.testing.assert_allclose(place, expected, rtol=known["bound"], atol=known["bound"] * max(map(abs, START)))
