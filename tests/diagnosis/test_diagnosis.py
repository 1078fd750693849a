"""What `diagnose` takes and returns: a run, a comparison, a fit; as text, HTML, JSON and a frame."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from fallline import (
    Comparison,
    FalllineError,
    Fit,
    GradientDescent,
    Trajectory,
    compare,
    diagnose,
    fit,
    minimize,
    sweep,
)
from fallline.diagnosis import Diagnosis
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Check, Finding, Remedy, check
from fallline.pictures.evidence import MARKS, POINTS, evidence_data
from fallline.tables import LONGEST, MOST_LINES

ROWS = {"hours": [1, 2, 3, 4, 5, 6], "passed": ["no", "no", "yes", "no", "yes", "yes"]}


@check("the value rose", leads_to=("ended_high",), ignore="it falls again.", source="nobody (2000)")
def rose(case: Case) -> Finding | None:
    """The value of some step is above that of the step before."""
    value = case["value"]
    steps = value.steps[1:][np.diff(value.values) > 0]
    if not steps.size:
        return None
    rate = Remedy("GradientDescent(0.4)", {"optimizer": GradientDescent(0.4)}, "--learning-rate 0.4")
    evidence = f"It rose in {len(steps)} steps, from {value.values[0]:g} on."
    return Finding(
        "rose", "the value rose", evidence, "The rate is too large.", (rate,), int(steps[0]), {}, tuple(steps)
    )


@check("the value ended above its start")
def ended_high(case: Case) -> Finding | None:
    """The last value is above the first."""
    value = case["value"].values
    return Finding("ended_high", "It ended high", "", "") if value[-1] > value[0] else None


@check("many steps were made", remark=True)
def long(case: Case) -> Finding | None:
    """There are more than ten steps."""
    return Finding("long", "Many steps", f"{case.run.step_count} steps.", "") if case.run.step_count > 10 else None


@check("no rows are held out")
def held(case: Case) -> Finding | None:
    """The last loss on rows held out is NaN."""
    return Finding("held", "None", "", "") if np.isnan(case["held_out"].values[-1]) else None


@check("the steps are uneven")
def even(case: Case) -> Finding | None:
    """Every step must be there."""
    if case.interval != 1:
        raise CannotCheck("every step recorded")
    return None


@pytest.fixture(autouse=True)
def checks(monkeypatch: pytest.MonkeyPatch) -> list[Check]:
    known = [rose, ended_high, long, held, even]
    monkeypatch.setattr("fallline.diagnosis.diagnosing.all_checks", lambda _: tuple(known))
    return known


def diverging(**settings: Any) -> Trajectory:
    return minimize("x**2", 3.0, GradientDescent(1.1), **{"max_steps": 30} | settings)


def test_the_first_cause_comes_first_with_what_it_led_to() -> None:
    diagnosis = diagnose(diverging(), proof=False)
    assert [finding.name for finding in diagnosis] == ["rose", "long"]
    assert diagnosis[0].led_to == ("It ended high",)
    assert (diagnosis[0].ignore, diagnosis[0].source) == ("it falls again.", "nobody (2000)")
    assert diagnosis[0].link == "docs/findings.md#rose"
    assert diagnosis.passed == {"even": "the steps are uneven"}
    assert diagnosis.unchecked == {"held": "needs a held-out loss"}
    assert diagnosis.alarms == diagnosis.findings[:1]
    assert diagnosis.remarks == diagnosis.findings[1:]


def test_what_is_no_fault_is_not_passed_where_it_was_not_found() -> None:
    assert "long" not in diagnose(diverging(max_steps=5), proof=False).passed


def test_long_names_leave_room_for_the_findings() -> None:
    run = minimize("+".join(["0*x"] * 2000) + "+x**2", 3.0, GradientDescent(1.1), max_steps=30)
    diagnosis = diagnose(run, proof=False)
    lines = repr(diagnosis).splitlines()
    assert "1. The value rose." in lines[:6]
    assert max(map(len, lines)) <= LONGEST
    assert len(diagnosis._repr_html_()) < 10_000


def test_it_prints_the_findings_what_passed_and_what_could_not_be_checked() -> None:
    assert diagnose(diverging()).text.splitlines() == [
        "Diagnosis of x**2, gradient_descent, learning_rate 1.1",
        "",
        "1. The value rose.",
        "   It rose in 30 steps, from 9 on.",
        "   The rate is too large.",
        "   → GradientDescent(0.4)  (--learning-rate 0.4)",
        "   Proved: 5 of 5 starts reach a value of 0.01; unchanged, on other starts, 0 of 5.",
        "   It led to: It ended high.",
        "   When to ignore it: it falls again.",
        "",
        "•  Many steps.",
        "   30 steps.",
        "",
        "Checked and passed: even.",
        "Could not check: held (needs a held-out loss).",
    ]


def test_without_a_fault_it_says_by_how_many_checks() -> None:
    diagnosis = diagnose(minimize("x**2", 3.0, GradientDescent(0.1), max_steps=5))
    assert "Nothing wrong was found by 3 checks; 1 could not be made." in repr(diagnosis)
    assert diagnosis.verdict() == "diagnosis: Nothing wrong was found by 3 checks; 1 could not be made."


@pytest.mark.parametrize("count", [1, 3, 6, 12, 40])
def test_it_prints_at_most_thirty_lines_and_has_the_rest_in_its_text(count: int) -> None:
    words = "word " * 60
    findings = tuple(
        Finding(f"number_{i}", f"Title {i}", words, words, (Remedy(f"remedy {i}"),), ignore=words) for i in range(count)
    )
    names = {f"check_{i}": "it is so" for i in range(60)}
    diagnosis = Diagnosis("a run " * 30, findings, names, dict.fromkeys(names, "needs rows"))
    whole, shown = diagnosis.text, repr(diagnosis)
    assert len(shown.splitlines()) <= MOST_LINES
    assert max(map(len, shown.splitlines())) <= LONGEST
    assert all(f"Title {i}." in whole for i in range(count))
    assert whole.splitlines()[1].startswith(("a ", "run"))
    if count <= 6:
        assert all(f"Title {i}." in shown for i in range(count))


def test_a_long_remedy_goes_on_below_its_text() -> None:
    text = Diagnosis("run", (Finding("x", "t", "", "", (Remedy("write it " * 30),)),)).text
    first, *rest = [line for line in text.splitlines() if "write" in line]
    assert first.startswith("   → write it")
    assert len(rest) > 1
    assert all(line.startswith(("     write", "     it write")) for line in rest)


def test_a_verdict_is_two_or_three_short_lines() -> None:
    lines = diagnose(diverging(), proof=False).verdict().splitlines()
    assert lines == [
        "diagnosis: The value rose. It rose in 30 steps, from 9 on.",
        "→ GradientDescent(0.4)  (--learning-rate 0.4)",
        "also: Many steps.",
    ]
    long_words = Finding("x", "Title", "word " * 200, "", (Remedy("remedy"),))
    assert max(map(len, Diagnosis("run", (long_words,) * 9).verdict().splitlines())) <= 2 * LONGEST
    # No number is cut in the middle.
    numbers = Finding("x", "Title", "0.0333 " * 200, "")
    assert Diagnosis("run", (numbers,)).verdict().endswith(" 0.0333 …")


def test_json_and_a_frame_hold_the_same() -> None:
    diagnosis = diagnose(diverging())
    told = json.loads(diagnosis.to_json())
    assert told.keys() == {"title", "findings", "passed", "unchecked"}
    first = told["findings"][0]
    assert (first["name"], first["since"], first["grade"]) == ("rose", 1, "proved")
    assert first["remedies"] == [{"text": "GradientDescent(0.4)", "command": "--learning-rate 0.4"}]
    assert first["steps"] == list(range(1, 31))
    frame = diagnosis.to_frame()
    assert frame["name"].tolist() == ["rose", "long"]
    assert frame["remedy"].tolist() == ["GradientDescent(0.4)", ""]


def test_the_page_shows_the_run_of_each_finding() -> None:
    page = diagnose(diverging(), proof=False)._repr_html_()
    pictures = re.findall(r"<svg.*?</svg>", page)
    assert len(pictures) == 2
    root = ElementTree.fromstring(pictures[0])
    mark = "{http://www.w3.org/2000/svg}circle"
    assert len(root.findall(f".//{mark}")) == 30
    assert "stroke-dasharray" in pictures[0]
    assert "GradientDescent(0.4)" in page
    assert "Could not check" in page
    for colour in ("color:", "background", "#"):
        assert colour not in page


def test_the_page_is_escaped() -> None:
    page = Diagnosis("<b>", (Finding("x", "<i>", "a & b", "<s>", (Remedy("<u>"),)),), {"y": "<q>"})._repr_html_()
    assert not re.search("<(b|i|s|u|q)>", page)
    assert "a &amp; b" in page
    # What a finding does not have leaves no empty line.
    assert "<small></small>" not in page


@pytest.mark.parametrize(
    "run",
    [
        lambda: minimize("x**2", 3.0, GradientDescent(1.1), max_steps=3000),
        lambda: minimize("log(x)", -1.0, GradientDescent(0.1)),
        lambda: minimize("5 + 0*x", 1.0, GradientDescent(0.1), max_steps=3),
        lambda: minimize("x**2", 1.0, GradientDescent(0.1), max_steps=1, record="ends"),
        lambda: fit(ROWS, "passed", batch_size=2, epochs=30).trajectory,
    ],
)
def test_every_run_of_a_step_or_more_has_a_picture(run: Any) -> None:
    trajectory = run()
    data = evidence_data(trajectory, 2, trajectory.steps.tolist())
    assert len(data.times) == len(data.values) <= POINTS
    assert len(data.marked_times) <= MARKS
    assert np.isfinite(data.values).all()
    page = Diagnosis("run", (Finding("x", "t", "", "", since=2),), runs={"x": trajectory})._repr_html_()
    pictures = re.findall(r"<svg.*?</svg>", page)
    # Of a run without a step there is nothing to see.
    assert len(pictures) == (len(trajectory) > 1)
    for picture in pictures:
        ElementTree.fromstring(picture)
        assert "nan" not in picture


def test_nothing_is_found_in_a_comparison_of_no_runs() -> None:
    diagnosis = diagnose(Comparison([], []))
    assert (diagnosis.title, diagnosis.findings) == ("a comparison of no runs", ())


def test_names_with_hyphens_and_capitals_stay_whole() -> None:
    finding = Finding("x", "It is about X.", "well-known " * 40, "Y-axis " * 40)
    other = Finding("y", "Also about XX.", "", "")
    diagnosis = Diagnosis("run", (finding, other))
    assert "-\n" not in diagnosis.text
    assert "1. It is about X.\n" in diagnosis.text
    assert diagnosis.verdict().endswith("also: Also about XX.")
    assert (
        "It led to: About X; about XX."
        in Diagnosis("run", (Finding("z", "t", "", "", led_to=("About X.", "about XX.")),)).text
    )


def test_findings_that_runs_of_a_comparison_share_are_told_once() -> None:
    rules = {"fine": GradientDescent(0.1), "bad": GradientDescent(1.1), "worse": GradientDescent(1.5)}
    diagnosis = compare("x**2", 3.0, rules, max_steps=30).diagnose()
    assert [(finding.name, finding.runs) for finding in diagnosis] == [
        ("rose", ("bad", "worse")),
        ("long", ("fine", "bad", "worse")),
    ]
    assert diagnosis[0].grade == "proved"
    assert "In bad; worse." in diagnosis.text
    assert diagnosis.runs["rose"].optimizer == "gradient_descent, learning_rate 1.1"
    assert diagnosis.title == "3 runs on x**2"


def test_of_many_runs_some_of_every_rule_are_diagnosed() -> None:
    starts = np.linspace(1, 2, 50)[:, None]
    runs = compare("x**2", starts, [GradientDescent(0.1), GradientDescent(1.1)], max_steps=5)
    rising = next(finding for finding in runs.diagnose(proof=False) if finding.name == "rose")
    assert len(rising.runs) == 10
    assert all("1.1" in label for label in rising.runs)


def test_of_many_runs_a_few_are_named() -> None:
    starts = np.linspace(1, 2, 50)[:, None]
    diagnosis = compare("x**2", starts, GradientDescent(0.1), max_steps=20, record="ends").diagnose()
    assert diagnosis.title == "20 of 50 runs on x**2"
    assert len(diagnosis[0].runs) == 20
    assert "; 17 more." in diagnosis.text
    assert diagnosis.unchecked["even"] == "needs every step recorded"


def test_a_fit_is_diagnosed_with_its_rows_held_out() -> None:
    assert "held" in diagnose(fit(ROWS, "passed", max_steps=5)).unchecked
    assert "held" in diagnose(fit(ROWS, "passed", holdout=0.4, max_steps=5, seed=2)).passed


def test_loaded_results_are_diagnosed(tmp_path: Path) -> None:
    path = tmp_path / "result.npz"
    results: dict[Any, Any] = {
        Trajectory: diverging(),
        Comparison: compare("x**2", 3.0, [GradientDescent(1.1), GradientDescent(1.2)], max_steps=30),
        Fit: fit(ROWS, "passed", holdout=0.4, max_steps=40, seed=2),
    }
    for kind, result in results.items():
        result.save(path)
        assert diagnose(kind.load(path), proof=False).contents() == diagnose(result, proof=False).contents()


@pytest.mark.parametrize(
    ("thing", "told"),
    [
        ("run.npz", "result is 'run.npz'; it must be a run (Trajectory), a Comparison or a Fit"),
        (None, "result is None; it must be a run (Trajectory), a Comparison or a Fit"),
        ([1.0], "result is [1.0]; it must be a run (Trajectory), a Comparison or a Fit"),
    ],
)
def test_something_else_is_refused(thing: Any, told: str) -> None:
    with pytest.raises(FalllineError) as error:
        diagnose(thing)
    assert str(error.value) == told


def test_a_sweep_is_refused_with_what_to_do() -> None:
    with pytest.raises(FalllineError, match="Sweep, which keeps no paths; minimize with its settings"):
        diagnose(sweep("x**2", 1.0, ["adam"], {"learning_rate": [0.1]}, max_steps=5))  # type: ignore[arg-type]
