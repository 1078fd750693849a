"""What a diagnosis makes of findings: causes and consequences, runs of a comparison, texts of any length, errors."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import G, found, run
from tests.refusals import refusal

import fallline
from fallline import compare, diagnose, minimize
from fallline.diagnosis import Diagnosis, told
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Check, Finding, Remedy, raised
from fallline.diagnosis.operations import first_bad_operation
from fallline.objectives import as_objective
from fallline.tables import LONGEST, MOST_LINES


def checks(monkeypatch: pytest.MonkeyPatch, **found: Any) -> None:
    """Put in place of all checks those that find these, by name: (since, leads to, remark), or raise what is given."""

    def made(name: str, what: Any) -> Check:
        def find(_: Case) -> Finding | None:
            if isinstance(what, Exception):
                raise what
            return None if what is None else Finding(name, f"title of {name}", "", "", since=what[0])

        leads, remark = ((), False) if not isinstance(what, tuple) else (what[1], what[2])
        return Check(name, f"about {name}", find, leads, f"ignore {name}", f"source of {name}", remark, "held_out")

    every = tuple(made(name, what) for name, what in found.items())
    monkeypatch.setattr("fallline.diagnosis.diagnosing.all_checks", lambda _: every)


def names(diagnosis: Diagnosis) -> list[str]:
    return [finding.name for finding in diagnosis]


def test_findings_come_by_their_step_and_remarks_last(monkeypatch: pytest.MonkeyPatch) -> None:
    checks(monkeypatch, a=(5, (), False), b=(2, (), False), c=(0, (), True), d=(3, (), True), e=None)
    diagnosis = diagnose(run("x**2", 1.0, G(0.1), 5), proof=False)
    assert names(diagnosis) == ["b", "a", "c", "d"]
    assert diagnosis.passed == {"e": "about e"}
    first = diagnosis[0]
    assert (first.ignore, first.source, first.measure, first.remark) == ("ignore b", "source of b", "held_out", False)
    assert diagnosis[2].remark
    assert diagnosis.runs.keys() == {"a", "b", "c", "d"}
    assert diagnosis.title == "x**2, gradient_descent, learning_rate 0.1"


def test_consequences_are_hidden_and_told_with_their_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    # a leads to b, b to c; d leads to itself and to a name that was not found; e and f to each other.
    checks(
        monkeypatch,
        a=(9, ("b",), False),
        b=(1, ("c",), False),
        c=(0, (), False),
        d=(3, ("d", "nothing"), False),
        e=(4, ("f", "c"), False),
        f=(5, ("e",), False),
    )
    diagnosis = diagnose(run("x**2", 1.0, G(0.1), 5), proof=False)
    assert [(finding.name, finding.led_to) for finding in diagnosis] == [
        ("d", ()),
        ("e", ("title of c",)),
        ("f", ("title of c",)),
        ("a", ("title of b", "title of c")),
    ]


def test_what_could_not_be_checked_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    checks(monkeypatch, a=CannotCheck("this"), b=ValueError("no\nway"), c=CannotCheck("this"), d=KeyError())
    diagnosis = diagnose(run("x**2", 1.0, G(0.1), 5), proof=False)
    assert diagnosis.unchecked == {
        "a": "needs this",
        "b": "raised ValueError: no way",
        "c": "needs this",
        "d": "raised KeyError",
    }
    assert diagnosis.passed == {}
    assert "Could not check: a, c (needs this); b (raised ValueError: no way); d (raised KeyError)." in diagnosis.text


def test_an_error_is_told_in_one_line() -> None:
    assert raised(ValueError("a\nb")) == "raised ValueError: a b"
    assert raised(ValueError()) == "raised ValueError"
    assert raised(ValueError("no X")) == "raised ValueError: no X"
    assert len(raised(ValueError("long " * 1000))) <= 2 * LONGEST


@pytest.mark.parametrize(
    ("setting", "value", "allowed"),
    [
        *(("proof", value, "allowed: True, False") for value in ("yes", 1)),
        *(("proof_seconds", value, "it must be a number at least 0") for value in (-1, [1.0], "x")),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(setting: str, value: Any, allowed: str) -> None:
    told = refusal(diagnose, run("x**2", 1.0, G(0.1), 5), **{setting: value})
    assert told.startswith(f"{setting} is {value!r}; ")
    assert allowed in told


def test_a_comparison_is_told_by_its_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(case: Case) -> Finding | None:
        rate = case.run.rate[0]
        return Finding("high", f"rate {rate:g}", "", "", since=int(100 * rate)) if rate > 0.15 else None

    def always(case: Case) -> Finding:
        return Finding("always", f"of {case.run.rate[0]:g}", "", "", since=3)

    def seldom(case: Case) -> None:
        if case.run.rate[0] > 0.25:
            raise CannotCheck("less")

    known = (
        Check("high", "it is high", find),
        Check("always", "it is always so", always, remark=True),
        Check("seldom", "it is seldom so", seldom),
        Check("never", "it is never so", lambda _: None),
    )
    monkeypatch.setattr("fallline.diagnosis.diagnosing.all_checks", lambda _: known)
    rules = {"low": G(0.1), "high": G(0.2), "higher": G(0.3)}
    diagnosis = compare("x**2", 1.0, rules, max_steps=4).diagnose(proof=False)
    assert [(finding.name, finding.title, finding.runs) for finding in diagnosis] == [
        ("high", "rate 0.2", ("high", "higher")),
        ("always", "of 0.1", ("low", "high", "higher")),
    ]
    assert diagnosis.runs["high"].rate[0] == 0.2
    assert diagnosis.runs["always"].rate[0] == 0.1
    assert diagnosis.passed == {"never": "it is never so"}
    assert diagnosis.unchecked == {"seldom": "needs less"}
    assert diagnosis.title == "3 runs on x**2"
    assert "In high; higher." in diagnosis.text
    only = compare("x**2", 1.0, {"low": G(0.1)}, max_steps=4).diagnose(proof=False)
    assert (only.title, only.passed.keys()) == ("1 run on x**2", {"high", "seldom", "never"})


def test_the_lowest_of_the_other_runs_is_what_was_seen_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[float, Any] = {}

    def look(case: Case) -> None:
        seen[float(case.run.rate[0])] = None if case.elsewhere is None else case.elsewhere.value

    monkeypatch.setattr("fallline.diagnosis.diagnosing.all_checks", lambda _: (Check("look", "it", look),))
    runs = compare("x**2", 1.0, [G(0.1), G(0.4), G(0.3)], max_steps=3)
    runs.diagnose(proof=False)
    best = [one.best.value for one in runs]
    assert seen == {0.1: best[1], 0.4: best[2], 0.3: best[1]}
    # A run without a value is not the lowest.
    with_none: dict[str, Any] = {"a": fallline.Adam(0.1), "b": G(0.2), "c": G(0.3)}
    runs = compare("sqrt(x) + 1", [[4.0], [-1.0], [9.0]], with_none, max_steps=1)
    runs.diagnose(proof=False)
    assert all(np.isfinite(value) for value in seen.values())
    compare("x**2", 1.0, [G(0.1)], max_steps=3).diagnose(proof=False)
    assert seen[0.1] is None


@pytest.mark.parametrize("count", [20, 21, 40])
def test_twenty_runs_of_a_comparison_are_diagnosed_first_and_last_among_them(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[float] = []
    monkeypatch.setattr(
        "fallline.diagnosis.diagnosing.all_checks",
        lambda _: (Check("a", "it", lambda case: starts.append(float(case.run.x[0, 0]))),),
    )
    diagnosis = compare("x**2", np.linspace(1, 2, count)[:, None], G(0.1), max_steps=2).diagnose(proof=False)
    assert len(starts) == 20
    assert (starts[0], starts[-1]) == (1, 2)
    assert np.diff(starts).max() <= 2.01 / (count - 1) * np.ceil(count / 20)
    assert diagnosis.title == f"{'20 of ' if count > 20 else ''}{count} runs on x**2"


# Texts


def finding(number: int, **settings: Any) -> Finding:
    return Finding(f"f{number}", f"title {number}", f"Evidence {number}.", f"Cause {number}.", **settings)


REMEDIES = (Remedy("one", {}, "--one"), Remedy("two"))


def test_the_whole_text_and_the_brief_one() -> None:
    first = finding(1, remedies=REMEDIES, proof="Proved.", led_to=("this.", "that"), ignore="never.", runs=("a", "b"))
    diagnosis = Diagnosis(
        "a run", (first, dataclasses.replace(first, name="f2", title="f of x"), finding(3, remark=True))
    )
    whole = [
        "   In a; b.",
        "   Evidence 1.",
        "   Cause 1.",
        "   → one  (--one)",
        "   → or two",
        "   Proved.",
        "   It led to: this; that.",
        "   When to ignore it: never.",
    ]
    remark = ["•  Title 3.", "   Evidence 3.", "   Cause 3."]
    assert told.text(diagnosis).splitlines() == [
        "Diagnosis of a run",
        "",
        "1. Title 1.",
        *whole,
        "",
        "2. f of x.",
        *whole,
        "",
        *remark,
    ]
    assert told.text(diagnosis, brief=True).splitlines() == [
        "Diagnosis of a run",
        "",
        "1. Title 1.",
        *whole,
        "",
        "2. f of x.",
        "   → one  (--one)",
        "   Proved.",
        "•  Title 3.",
    ]
    assert diagnosis.verdict().splitlines() == [
        "diagnosis: Title 1. In a; b. Evidence 1.",
        "→ one  (--one)",
        "also: f of x (a; b); title 3.",
    ]


@pytest.mark.parametrize(
    ("passed", "unchecked", "words"),
    [(0, 0, "0 checks."), (1, 0, "1 check."), (3, 2, "3 checks; 2 could not be made.")],
)
def test_the_sentence_for_no_alarm(passed: int, unchecked: int, words: str) -> None:
    diagnosis = Diagnosis(
        "a run", (), {f"p_{i}": "it" for i in range(passed)}, {f"u_{i}": "needs it" for i in range(unchecked)}
    )
    assert told.nothing_wrong(diagnosis) == f"Nothing wrong was found by {words}"
    lines = diagnosis.text.splitlines()
    assert lines[:3] == ["Diagnosis of a run", "", f"Nothing wrong was found by {words}"]
    assert ("Checked and passed: p 0, p 1, p 2." in lines) == (passed == 3)
    assert diagnosis.verdict() == f"diagnosis: Nothing wrong was found by {words}"


def test_of_a_long_diagnosis_the_first_finding_is_told_whole() -> None:
    many = tuple(finding(number, remedies=REMEDIES) for number in range(1, 7))
    diagnosis = Diagnosis("a run", many)
    assert len(diagnosis.text.splitlines()) > MOST_LINES
    shown = repr(diagnosis).splitlines()
    assert len(shown) <= MOST_LINES
    assert "   Evidence 1." in shown
    assert "   Evidence 2." not in shown
    assert "6. Title 6." in shown
    short = Diagnosis("a run", many[:2])
    assert repr(short) == short.text


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [((), ""), (("a",), "In a."), (("a", "b", "c"), "In a; b; c."), (("a", "b", "c", "d", "e"), "In a; b; c; 2 more.")],
)
def test_runs_are_named_up_to_three(runs: tuple[str, ...], sentence: str) -> None:
    assert told.whose(finding(1, runs=runs)) == sentence


def test_a_long_title_goes_on_below_its_first_word() -> None:
    lines = Diagnosis("a", (Finding("x", "word " * 40, "", ""),)).text.splitlines()
    assert lines[2].startswith("1. Word word")
    assert lines[3].startswith("   word")


def test_long_sentences_are_cut() -> None:
    assert len(told.bounded("word " * 1000)) <= 6 * LONGEST
    assert told.bounded("word " * 20).strip() == ("word " * 20).strip()
    long = Diagnosis("name " * 300, (finding(1), finding(2), Finding("x", "word " * 300, "word " * 300, "")))
    assert len(told.title(long)) <= 2 * LONGEST
    assert len(told.head(long)) <= len("Diagnosis of ") + LONGEST
    assert all(len(line) <= 2 * LONGEST for line in long.verdict().splitlines())
    assert len(long.verdict().splitlines()[-1]) > LONGEST
    first = dataclasses.replace(finding(1), evidence="word " * 300)
    assert LONGEST < len(Diagnosis("a", (first,)).verdict()) <= 2 * LONGEST


# The first operation without a number


@pytest.mark.parametrize(
    ("formula", "x", "told_as"),
    [
        ("1/x", [0.0], "a division by 0"),
        ("x + sqrt(x - 3)", [1.0], "sqrt(-2)"),
        ("(x - 3)**0.3", [1.0], "-2 to the power 0.3"),
        ("x + mod(x, y)", [5.0, 0.0], "mod(5, 0)"),
        ("log(x)*2", [-2.0], "log(-2)"),
        ("exp(x) + 1", [1000.0], "exp(1000)"),
        ("1e300*x*x", [1e10], "a product that is too large for a number: 1e+300 · 1e+10 · 1e+10"),
        ("x + 1e308 + y", [1.5e308, 1.0], "a sum that is too large for a number: 1.5e+308 + 1e+308 + 1"),
        ("x**2", [1e200], "1e+200 to the power 2"),
        ("x**2 + 1", [3.0], None),
    ],
)
def test_the_operation_of_a_formula(formula: str, x: list[float], told_as: str | None) -> None:
    assert first_bad_operation(as_objective(formula, len(x)), np.array(x)) == told_as


def divided(x: Any) -> Any:
    shifted = x - 1
    return (1 / shifted).sum()


def overflow(x: float, y: float) -> float:
    return float(np.exp(x) + y)


def rooted(x: float) -> float:
    import math

    return math.sqrt(x)


def other(x: float) -> float:
    raise KeyError(x)


@pytest.mark.parametrize(
    ("function", "x", "line"),
    [
        (divided, [1.0, 2.0], "return (1 / shifted).sum()"),
        (overflow, [1000.0, 1.0], "return float(np.exp(x) + y)"),
        (rooted, [-1.0], "return math.sqrt(x)"),
    ],
)
def test_the_line_of_a_function(function: Any, x: list[float], line: str) -> None:
    found = first_bad_operation(as_objective(function, len(x) if function is not rooted else None), np.array(x))
    assert found is not None
    assert found.endswith(f" in {function.__name__}: {line}")
    # As NumPy, and `math` in its versions, say it.
    assert re.match("divide by zero|overflow|math domain|expected a nonnegative", found)


def test_the_function_that_has_no_line_is_named() -> None:
    found = first_bad_operation(as_objective(np.log, None), np.array([-1.0]))
    assert found == "invalid value encountered in log in log"


def test_what_cannot_be_told_of_an_operation() -> None:
    for function in (other, lambda x: x * 0 + np.nan, lambda x: x):
        assert first_bad_operation(as_objective(function, None), np.array([2.0])) is None
    loss = fallline.Linear([1.0, 2.0], [1.0, 2.0])
    assert first_bad_operation(loss, np.array([1.0, np.inf])) is None


# What is known


def test_series_that_are_missing_are_named() -> None:
    case = Case.of(run("x**2", 1.0, G(0.1), 5))
    with pytest.raises(CannotCheck, match=r"^a held-out loss$"):
        case["held_out"]
    with pytest.raises(CannotCheck, match=r"^the series 'momentum'$"):
        case["momentum"]
    bare = Case(case.series)
    for name, words in (
        ("run", "the points of the run"),
        ("fit", "a fit"),
        ("data", "the points of the run"),
    ):
        with pytest.raises(CannotCheck, match=rf"^{words}$"):
            getattr(bare, name)
    loaded = Case.of(dataclasses.replace(case.run, objective=None, rule=None))
    with pytest.raises(CannotCheck, match=r"^the objective, which a file cannot hold$"):
        _ = loaded.objective
    with pytest.raises(CannotCheck, match=r"^the rule, which a file cannot hold$"):
        _ = loaded.rule
    for name, words in (("data", "a model with its data"), ("network", "a network")):
        with pytest.raises(CannotCheck, match=rf"^{words}$"):
            getattr(case, name)


def test_the_series_of_a_run() -> None:
    path = run("x**2 + y**2", [3.0, 4.0], G(0.1), 5)
    case = Case.of(path)
    assert np.array_equal(case["value"].values, path.value)
    assert np.array_equal(case["gradient_norm"].steps, path.steps)
    # The norm of x is 5 · 0.8^t, that of a step a fifth of it.
    assert case["step_length"].values[:5] == pytest.approx(0.8 ** np.arange(5.0))
    assert case["update_ratio"].values[:5] == pytest.approx(np.full(5, 0.2))
    assert np.array_equal(case["rate"].values[:-1], np.full(5, 0.1))


def test_what_is_inside_and_what_it_cost() -> None:
    X = np.arange(12.0)
    loss = fallline.Linear(X / 12, X)
    path = minimize(loss.batches(3), [0.0, 0.0], G(0.1), max_steps=8)
    case = Case.of(path)
    assert (case.loss, case.innermost) == (loss, loss)
    cost = path.evaluations
    assert case.rows_evaluated == cost.gradient * 3 + cost.value * 12
    whole = Case.of(minimize(loss, [0.0, 0.0], G(0.1), max_steps=8))
    assert whole.rows_evaluated == 12 * sum(whole.run.evaluations)
    given = Case.of(minimize(lambda x: x**2, 1.0, G(0.1), max_steps=3, gradient=lambda x: 2 * x))
    assert given.innermost.title == "a function"
    assert given.rows_evaluated == sum(given.run.evaluations)
    assert given.loss is given.objective


# A penalty that outweighs


@pytest.mark.parametrize(("l2", "outweighs"), [(30.0, True), (0.01, False), (0.0, False)])
def test_a_penalty_beside_the_data(l2: float, outweighs: bool) -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 2))
    y = X @ [2.0, -1.0]
    loss = fallline.Linear(X, y, l2=l2)
    path = minimize(loss, np.zeros(3), G(0.02), max_steps=300)
    finding = found("decay_dominates", path)
    assert (finding is not None) == outweighs
    if finding is not None:
        x = path.final.x
        pull, rest = l2 * x[:2], loss.gradient(x)[:2] - l2 * x[:2]
        assert finding.numbers["part"] == pytest.approx(np.linalg.norm(pull) / np.linalg.norm(rest), rel=1e-6)
        left = np.sum((y - X @ x[:2] - x[2]) ** 2) / np.sum((y - y.mean()) ** 2)
        assert finding.numbers["explained"] == pytest.approx(1 - left, abs=1e-9)
        assert finding.numbers["without"] == pytest.approx(1, abs=0.01)
        assert [one.text for one in finding.remedies] == ["l2=0.03", "l2=0.3"]
        assert finding.cause.startswith("l2=30 holds")
