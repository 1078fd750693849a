"""The labelled suite: each case is what its label says, and the diagnosis tells it."""

from __future__ import annotations

import functools
from collections import Counter

import pytest
from tests.diagnosis.suite.case import HEALTHY, Labelled
from tests.diagnosis.suite.cases import LABELS, all_cases, sample
from tests.diagnosis.suite.judging import Verdict, false_alarms, judged, page, scores

from fallline.diagnosis.findings import all_checks


@pytest.mark.long
def test_there_are_enough_cases_of_each_finding_in_both_halves() -> None:
    cases = all_cases()
    assert len({case.name for case in cases}) == len(cases)
    for half in (False, True):
        labels = Counter(case.label for case in cases if case.held_back == half)
        assert labels[HEALTHY] >= 100
        assert all(labels[name] >= 10 for name in LABELS)


@pytest.mark.long
def test_what_is_right_is_the_name_of_a_finding() -> None:
    for case in all_cases():
        assert {case.label, *case.also} <= {*LABELS, HEALTHY}, case.name


def test_the_checks_are_those_that_have_cases() -> None:
    assert {check.name for check in all_checks()} <= {*LABELS}


def unlike_their_labels(cases: tuple[Labelled, ...]) -> list[str]:
    return [case.name for case in cases if not case.holds(case.make())]


@pytest.mark.long
def test_cases_show_what_they_were_made_for() -> None:
    assert unlike_their_labels(sample()) == []


@pytest.mark.long
def test_all_cases_show_what_they_were_made_for() -> None:
    assert unlike_their_labels(all_cases()) == []


@functools.cache
def sample_judged() -> list[Verdict]:
    return judged(sample())


@functools.cache
def all_judged() -> list[Verdict]:
    return judged(all_cases())


def test_findings_are_told_and_right_in_a_sample() -> None:
    there = {check.name for check in all_checks()}
    of_these = [score for score in scores(sample_judged()) if score.name in there]
    assert sum(score.named for score in of_these) >= 0.95 * sum(score.cases for score in of_these)
    assert sum(score.right for score in of_these) >= 0.95 * sum(score.told for score in of_these)


def test_healthy_runs_give_no_alarm_in_a_sample() -> None:
    alarms, runs = false_alarms(sample_judged())
    # One of 48 is 2 %.
    assert len(alarms) <= 0.021 * runs, [(verdict.case.name, verdict.told) for verdict in alarms]


@pytest.mark.long
def test_each_finding_is_told_and_right() -> None:
    there = {check.name for check in all_checks()}
    short = [
        f"{score.name}: recall {score.recall:.2f}, precision {score.precision:.2f}"
        for score in scores(all_judged())
        if score.name in there and min(score.recall, score.precision) < 0.95
    ]
    assert short == []


@pytest.mark.long
def test_healthy_runs_give_no_alarm() -> None:
    alarms, runs = false_alarms(all_judged())
    assert len(alarms) <= 0.02 * runs, [(verdict.case.name, verdict.told) for verdict in alarms]


def test_the_page_has_a_row_for_each_finding() -> None:
    text = page(sample_judged())
    assert all(f"| {name} |" in text for name in LABELS)
