"""Runs diagnosed for one finding."""

from __future__ import annotations

from typing import Any

from tests.diagnosis.looks import well_told

from fallline.diagnosis import Finding, diagnose


def found(result: Any, name: str) -> Finding | None:
    """The finding of this name about a run; None without it."""
    return next((well_told(one, name) for one in diagnose(result, proof=False) if one.name == name), None)


def alarms(result: Any) -> list[str]:
    """The names of all findings about a run, without remarks."""
    return [finding.name for finding in diagnose(result, proof=False) if not finding.remark]
