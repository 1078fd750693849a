"""Remarks: findings that are no fault."""

from __future__ import annotations

import pytest

from fallline import GradientDescent, diagnose, minimize
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import Finding, check


@check("there is something to remark", remark=True)
def remarked(_: Case) -> Finding | None:
    """Remark on every run."""
    return Finding("remarked", "something", "evidence", "cause")


@check("there is a late fault")
def faulty(_: Case) -> Finding | None:
    """Find a fault in every run."""
    return Finding("faulty", "fault", "evidence", "cause", since=5)


def test_a_remark_is_listed_after_the_faults_and_is_no_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fallline.diagnosis.diagnosing.all_checks", lambda _: (remarked, faulty))
    diagnosis = diagnose(minimize("x**2", 1.0, GradientDescent(0.1)), proof=False)
    assert [(finding.name, finding.remark) for finding in diagnosis] == [("faulty", False), ("remarked", True)]
    assert [finding.name for finding in diagnosis.alarms] == ["faulty"]
