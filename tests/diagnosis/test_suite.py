"""The labelled suite: each case is what its label says, and the diagnosis tells it."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.diagnosis.suite.case import HEALTHY
from tests.diagnosis.suite.cases import LABELS, all_cases
from tests.diagnosis.suite.judging import false_alarms, judged, page, scores

from fallline.diagnosis.findings import all_checks


def test_the_checks_are_those_that_have_cases() -> None:
    assert {check.name for check in all_checks()} <= {*LABELS}


# Each of the two makes all cases, which takes minutes.


@pytest.mark.long
def test_there_are_enough_cases_and_they_show_what_they_were_made_for() -> None:
    cases = all_cases()
    assert len({case.name for case in cases}) == len(cases)
    for half in (False, True):
        labels = Counter(case.label for case in cases if case.held_back == half)
        assert labels[HEALTHY] >= 100
        assert all(labels[name] >= 10 for name in LABELS)
    for case in cases:
        assert {case.label, *case.also} <= {*LABELS, HEALTHY}, case.name
    assert [case.name for case in cases if not case.holds(case.make())] == []


@pytest.mark.long
def test_each_finding_is_told_and_right_and_healthy_runs_give_no_alarm() -> None:
    verdicts = judged(all_cases())
    there = {check.name for check in all_checks()}
    short = [
        f"{score.name}: recall {score.recall:.2f}, precision {score.precision:.2f}"
        for score in scores(verdicts)
        if score.name in there and min(score.recall, score.precision) < 0.95
    ]
    assert short == []
    alarms, runs = false_alarms(verdicts)
    assert len(alarms) <= 0.02 * runs, [(verdict.case.name, verdict.told) for verdict in alarms]
    text = page(verdicts)
    assert all(f"| {name} |" in text for name in LABELS)
