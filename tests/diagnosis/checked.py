"""One check on one run, for the tests of the findings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from tests.diagnosis.looks import well_told

from fallline import Fit, Trajectory
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Finding
from fallline.diagnosis.findings import all_checks

# Runs by name, each made when it is asked for.
Runs: TypeAlias = dict[str, Callable[[], Any]]


def found(name: str, result: Trajectory | Fit) -> Finding | None:
    """What the check of this name finds, None for nothing."""
    finding = next(check for check in all_checks() if check.name == name).find(Case.of(result))
    return None if finding is None else well_told(finding, name)


def missing(name: str, result: Trajectory | Fit) -> str:
    """What the check of this name says it needs."""
    try:
        finding = found(name, result)
    except CannotCheck as reason:
        return str(reason)
    raise AssertionError(f"{name} could be checked: {finding}")
