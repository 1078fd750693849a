"""The proof of remedies: what is proved wins again, and what does not help is not shown."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cases import few

from fallline import (
    Adam,
    Fit,
    GradientDescent,
    Momentum,
    Perturbation,
    SignDescent,
    Trajectory,
    fit,
    minimize,
    models,
)
from fallline.diagnosis.again import Ended, RunAgain, again, start_near
from fallline.diagnosis.finding import Finding, Remedy
from fallline.diagnosis.remedy import CHANCE, TRIES, level_won, proved
from fallline.schedules import Cosine

VALLEY = "x**2 + 100*y**2"


def remedy(**settings: Any) -> Remedy:
    return Remedy(", ".join(settings), settings)


def finding(*remedies: Remedy, measure: str = "value") -> Finding:
    return Finding("made_up", "Something", "Evidence.", "Cause.", remedies, measure=measure)


def tried(result: Any, *remedies: Remedy, measure: str = "value", seconds: float = 60.0, first: int = 1) -> Finding:
    """A finding with these remedies, after its proof."""
    (found,) = proved([finding(*remedies, measure=measure)], result, seconds, first)
    return found


def rows(count: int = 120) -> dict[str, Any]:
    """Two classes that a line parts, in columns of very different sizes."""
    draw = np.random.default_rng(3)
    X = draw.normal(size=(count, 2)) * [1.0, 1000.0]
    y = np.where(X @ [1.0, 0.001] + 0.3 * draw.normal(size=count) > 0, "yes", "no")
    return {"a": X[:, 0], "b": X[:, 1], "y": y}


def unscaled() -> Fit:
    return fit(rows(), "y", standardize=False, optimizer=GradientDescent(1.0), max_steps=200)


def in_batches() -> Fit:
    return fit(rows(), "y", optimizer=GradientDescent(1e-3), batch_size=10, epochs=5)


def network() -> models.Network:
    draw = np.random.default_rng(0)
    X = draw.normal(size=(80, 3))
    return models.Network(X, (X[:, 0] * X[:, 1] > 0).astype(int), hidden=(8,))


# Runs that fail in various ways, and a remedy that mends each.
MENDED: dict[str, Any] = {
    "diverging": lambda: (minimize("x**2", 3.0, GradientDescent(1.1)), remedy(optimizer=GradientDescent(0.4))),
    "to infinity": lambda: (minimize("x**4", 3.0, GradientDescent(1.0)), remedy(optimizer=GradientDescent(0.01))),
    "out of the domain": lambda: (
        minimize("log(x) + 1/x", 0.5, GradientDescent(10.0)),
        remedy(optimizer=GradientDescent(0.5)),
    ),
    "too slow": lambda: (minimize(VALLEY, [1.0, 1.0], GradientDescent(1e-4)), remedy(optimizer=GradientDescent(5e-3))),
    "zigzag": lambda: (
        minimize("rosenbrock", [-1.2, 1.0], GradientDescent(1e-3)),
        remedy(optimizer=Momentum(1e-3, momentum=0.9)),
    ),
    "dithering": lambda: (
        minimize("(x - 1)**2 + y**2", [3.0, 2.0], SignDescent(0.3), max_steps=300),
        remedy(optimizer=SignDescent(Cosine(0.3, 300))),
    ),
    "on a ridge": lambda: (
        minimize("x**2 - y**2 + y**4", [1.0, 0.0], GradientDescent(0.1)),
        remedy(x0=[1.0, 0.01]),
    ),
    "stopped early": lambda: (
        minimize(VALLEY, [1.0, 1.0], GradientDescent(1e-3), max_steps=20),
        remedy(max_steps=2000),
    ),
    "wrong gradient": lambda: (
        minimize(lambda x: np.sum(x**2), [1.0, 2.0], GradientDescent(0.1), gradient=lambda x: -2 * x, max_steps=40),
        remedy(gradient=Perturbation(scheme="central")),
    ),
    "unscaled fit": lambda: (unscaled(), remedy(standardize=True)),
    "fit in batches": lambda: (in_batches(), remedy(optimizer=GradientDescent(0.5))),
    "more epochs": lambda: (in_batches(), remedy(epochs=100)),
    "one batch": lambda: (
        minimize(network().batches(8), network().initial(0), GradientDescent(1e-3), max_steps=400),
        remedy(optimizer=Adam(0.02)),
    ),
    "all alike": lambda: (
        minimize(network(), np.zeros(network().dimension), GradientDescent(0.5), max_steps=400),
        remedy(x0=network().initial(1)),
    ),
}


@pytest.mark.parametrize("name", few(MENDED, 4))
def test_what_is_proved_wins_again_on_other_starts_or_seeds(name: str) -> None:
    result, cure = MENDED[name]()
    found = tried(result, cure)
    assert found.grade == "proved", found.proof
    assert found.remedies == (cure,)
    assert re.match(r"Proved: 5 of 5 (starts|seeds) reach .*; unchanged, .*, [01] of [15]\.$", found.proof)
    for first in (101, 1001):
        assert tried(result, *found.remedies, first=first).grade == "proved"


def test_the_level_is_reached_by_runs_that_anyone_can_repeat() -> None:
    run = minimize(VALLEY, [1.0, 1.0], GradientDescent(1e-4))
    found = tried(run, remedy(optimizer=GradientDescent(5e-3)))
    told = re.search(r"reach a value of (\S+);", found.proof)
    assert told is not None
    level = float(told[1])
    for start in ([1.05, 0.95], [0.9, 1.1], [1.1, 1.02]):
        assert minimize(VALLEY, start, GradientDescent(5e-3)).final.value <= level
        assert minimize(VALLEY, start, GradientDescent(1e-4)).final.value > level


@pytest.mark.parametrize(
    ("result", "cure"),
    [
        (lambda: minimize("x**2", 3.0, GradientDescent(0.1)), {"optimizer": GradientDescent(0.4)}),  # nothing to mend
        (lambda: minimize("x**2", 3.0, GradientDescent(1.1)), {"optimizer": GradientDescent(1.05)}),
        (lambda: minimize(VALLEY, [1.0, 1.0], GradientDescent(1e-4)), {"optimizer": GradientDescent(1e-5)}),
        (lambda: minimize(VALLEY, [1.0, 1.0], GradientDescent(1e-4)), {"optimizer": GradientDescent(1.02e-4)}),
        (lambda: minimize("x**2", 3.0, GradientDescent(1.1)), {"no_such_setting": 1}),
        (unscaled, {"optimizer": GradientDescent(2.0)}),
        (in_batches, {"optimizer": GradientDescent(1e-4)}),
    ],
)
def test_a_remedy_that_does_not_help_is_not_shown(result: Any, cure: dict[str, Any]) -> None:
    advice = Remedy("look at the data")
    found = tried(result(), remedy(**cure), advice)
    assert found.grade == "likely"
    assert found.remedies == (advice,)
    assert found.proof == "The remedy tried did not help."
    assert found.evidence == "Evidence."


def test_the_first_that_wins_is_shown_alone() -> None:
    run = minimize("x**2", 3.0, GradientDescent(1.1))
    found = tried(run, *(remedy(optimizer=GradientDescent(rate)) for rate in (1.2, 0.3, 0.4)))
    assert [one.settings["optimizer"] for one in found.remedies] == [GradientDescent(0.3)]


def test_at_equal_evaluations_a_costly_remedy_does_not_win() -> None:
    # Ten times the rate, but the gradient of 40 coordinates by differences costs 41 evaluations instead of one.
    def bowl(x: Any) -> Any:
        return np.sum(x**2)

    run = minimize(bowl, np.ones(40), GradientDescent(1e-3), gradient=lambda x: 2 * x, max_steps=100)
    faster = {"optimizer": GradientDescent(1e-2)}
    assert tried(run, remedy(**faster)).grade == "proved"
    assert tried(run, remedy(**faster, gradient=Perturbation())).grade == "likely"


def test_one_fixed_measure_judges_what_changes_the_loss() -> None:
    # A strong penalty on the weights lowers no error, whatever it makes of the loss with the penalty.
    found = tried(fit(rows(), "y", l2=0.1, max_steps=50), remedy(l2=0.0), remedy(l2=100.0))
    assert [one.settings for one in found.remedies] == [{"l2": 0.0}]
    # The sum of the errors is larger than their mean, and no worse.
    assert tried(in_batches(), remedy(reduction="sum")).proof.endswith("of 5.")
    # The hinge loss is another measure than the cross-entropy: the accuracy is common to both.
    slow = fit(rows(), "y", standardize=False, optimizer=GradientDescent(1e-6), max_steps=20)
    found = tried(slow, remedy(model="hinge", standardize=True, optimizer="gradient_descent"))
    assert "starts reach accuracy 0." in found.proof


def test_a_finding_of_held_out_rows_is_judged_by_them() -> None:
    draw = np.random.default_rng(1)
    X = draw.normal(size=(60, 30))
    data = {f"x{i}": X[:, i] for i in range(30)} | {"y": np.where(X[:, 0] + draw.normal(size=60) > 0, "yes", "no")}
    overfitted = fit(data, "y", holdout=0.4, optimizer=GradientDescent(2.0), max_steps=400)
    assert tried(overfitted, remedy(l2=0.3)).grade == "likely"
    found = tried(overfitted, remedy(l2=0.3), measure="held_out")
    assert found.grade == "proved"
    assert "5 of 5 seeds reach a held-out loss of 0." in found.proof


@pytest.mark.parametrize("seconds", [1e-6, 1e-3])
def test_without_time_a_remedy_stays_likely_and_says_so(seconds: float) -> None:
    cure = remedy(optimizer=GradientDescent(0.4))
    found = tried(minimize(lambda x: np.sum(x**2), np.full(3, 3.0), GradientDescent(1.1)), cure, seconds=seconds)
    assert found.grade == "likely"
    assert found.remedies == (cure,)
    assert found.proof == f"Not proved: that takes longer than the {seconds:g} s allowed."


def test_a_slow_remedy_leaves_time_to_the_next() -> None:
    run = minimize(lambda x: np.sum(x**2), np.full(3, 3.0), GradientDescent(1e-4), max_steps=50)
    found = tried(run, remedy(max_steps=10**7), remedy(optimizer=GradientDescent(0.4)), seconds=20.0)
    assert found.grade == "proved"
    assert found.remedies[0].text == "optimizer"


def test_a_function_that_raises_elsewhere_leaves_the_findings() -> None:
    later: list[bool] = []

    def bowl(x: float) -> float:
        if later:
            raise RuntimeError("no more")
        return x * x

    run = minimize(bowl, 1.0, GradientDescent(1.1), gradient=lambda x: 2 * x, max_steps=20)
    later.append(True)
    found = tried(run, remedy(optimizer=GradientDescent(0.4)))
    assert found.grade == "likely"
    assert found.proof == "Not proved: a run from elsewhere raised RuntimeError: no more."


def test_remarks_and_sentences_are_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("a run")

    monkeypatch.setattr(RunAgain, "ended", never)
    run = minimize("x**2", 3.0, GradientDescent(0.1))
    remark = dataclasses.replace(finding(remedy(max_steps=5)), remark=True)
    sentence = finding(Remedy("look at the data"))
    assert proved([remark, sentence], run, 60.0) == (remark, sentence)


def test_the_proof_is_the_same_each_time() -> None:
    def once() -> Finding:
        return tried(*MENDED["dithering"]())

    assert once() == once()


def test_ctrl_c_keeps_the_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(RunAgain, "ended", interrupted)
    cure = remedy(optimizer=GradientDescent(0.4))
    found = tried(minimize("x**2", 3.0, GradientDescent(1.1)), cure)
    assert (found.grade, found.remedies, found.proof) == ("likely", (cure,), "Not proved: interrupted.")


def test_a_loaded_run_of_a_formula_is_proved_and_a_loaded_fit_is_not(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    minimize("x**2", 3.0, GradientDescent(1.1)).save(path)
    assert tried(Trajectory.load(path), remedy(optimizer=GradientDescent(0.4))).grade == "proved"
    unscaled().save(path)
    found = tried(Fit.load(path), remedy(standardize=True))
    assert found.proof == "Not proved: the fit was loaded from a file, which holds no rows."
    minimize(lambda x: np.sum(x**2), [3.0, 1.0], GradientDescent(1.1), max_steps=5).save(path)
    found = tried(Trajectory.load(path), remedy(optimizer=GradientDescent(0.4)))
    assert found.proof == "Not proved: the objective of the run is not at hand."


def test_a_run_that_went_on_from_another_is_not_repeated() -> None:
    first = minimize("x**2", 3.0, Momentum(0.1), max_steps=5, engine="reference")
    run = minimize("x**2", first.final.x, Momentum(0.1), max_steps=5, resume=first)
    found = tried(run, remedy(optimizer=GradientDescent(0.4)))
    assert found.proof == "Not proved: the run went on with the state of another."


@pytest.mark.parametrize("formula", ["x**2 + y**2", "log(x) + y**2", "rosenbrock", "1e6*x**2 + 1e-6*y**2"])
def test_other_starts_are_near_finite_and_different(formula: str) -> None:
    run = minimize(formula, [0.5, -1.5], GradientDescent(1e-3), max_steps=30)
    assert run.objective is not None
    starts = np.array([start_near(run, run.start.x, number) for number in range(1, 11)])
    assert len(np.unique(starts, axis=0)) == 10
    assert np.isfinite(run.objective.value(starts)).all()
    assert np.array_equal(start_near(run, run.start.x, 0), run.start.x)
    assert np.array_equal(start_near(run, run.start.x, 3), starts[2])
    assert (np.abs(starts - run.start.x) <= 1.0).all()


def ends(values: list[float], start: float = 10.0) -> list[Ended]:
    return [Ended(start, value, 1.0, 0.0, "step limit") for value in values]


VALUES = st.lists(st.floats(-20, 20) | st.just(np.nan) | st.just(np.inf), min_size=TRIES, max_size=TRIES)


@given(VALUES, VALUES, st.booleans())
def test_a_level_parts_the_runs(changed: list[float], unchanged: list[float], exact: bool) -> None:
    level = level_won(ends(changed), ends(unchanged), exact=exact)
    if level is not None:
        assert all(value <= level for value in changed)
        assert all(value < 10.0 for value in changed)
        assert sum(value <= level for value in unchanged) <= CHANCE


@pytest.mark.parametrize(
    ("changed", "unchanged", "won"),
    [
        ([0.1] * 5, [np.nan] * 5, True),
        ([0.1] * 5, [1e50] * 5, True),
        ([0.1] * 4 + [np.nan], [np.nan] * 5, False),  # one of the remedied runs diverges too
        ([11.0] * 5, [np.nan] * 5, False),  # finite, but above the start
        ([0.1] * 5, [0.1] * 5, False),
        ([0.1] * 5, [0.1] + [5.0] * 4, True),  # one unchanged run may be lucky
        ([0.1] * 5, [0.1] * 2 + [5.0] * 3, False),
        ([0.1] * 4 + [6.0], [5.0] * 5, False),
        ([4.9, 4.8, 4.8, 4.8, 4.8], [5.0] * 5, False),  # no clear win
    ],
)
def test_a_win_is_clear(changed: list[float], unchanged: list[float], won: bool) -> None:
    for exact in (False, True):
        assert (level_won(ends(changed), ends(unchanged), exact=exact) is not None) == won


def test_the_steps_of_a_run_ended_by_hand_are_those_it_made() -> None:
    def enough(point: Any) -> None:
        if point.step == 7:
            raise StopIteration

    run = minimize("x**2", 3.0, GradientDescent(0.1), max_steps=500, callback=enough)
    assert again(run).steps == 7
