"""The example of each finding is a run that has it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import the

import fallline
from fallline.diagnosis.finding import Check
from fallline.diagnosis.findings import all_checks


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.name)
def test_it_is_told_as_the_cause_or_as_what_follows_from_it(check: Check) -> None:
    names: dict[str, Any] = {"np": np} | {name: getattr(fallline, name) for name in fallline.__all__}
    exec(check.example, names)  # noqa: S102 - a text of the library
    diagnosis = names["run"].diagnose(proof=False)
    if check.name not in [finding.name for finding in diagnosis]:
        led_to = {title for finding in diagnosis for title in finding.led_to}
        assert the(check.name, names["run"]).title in led_to
