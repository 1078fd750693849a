"""Stopping conditions on the explorer's page: chosen, changed, removed, undone, linked, told as Python tells them."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cases import few
from tests.explorer.opened import Opened

import fallline

ADD = "[aria-label='Add a condition']"
CONDITIONS: list[fallline.StoppingCondition] = [
    fallline.StepSize(),
    fallline.StepSize(1e-3),
    fallline.GradientNorm(0.05),
    fallline.ValueChange(1e-4),
    fallline.Evaluations(31),
    fallline.Diverging(10.0),
    fallline.NotFinite(),
    fallline.Target(0.25),
    fallline.GradientNorm(1e-3) | fallline.Evaluations(40),
    fallline.Target(0.25) | fallline.Target(0.5),
    fallline.Target(0.5) | fallline.ValueChange(1e-6) | fallline.StepSize(1e-9),
]
FORMULA, START = "x**2 + 10*y**2 + sin(x)", [4.0, 1.0]
RULES: list[fallline.Optimizer[Any]] = [
    fallline.GradientDescent(0.05),
    fallline.Momentum(0.03),
    fallline.GradientDescent(0.11),
]


def name_of(condition: fallline.StoppingCondition) -> str:
    return "|".join(map(repr, condition.parts))


@pytest.mark.parametrize("stop", few(CONDITIONS, 1), ids=name_of)
def test_runs_end_where_and_why_they_end_in_python(
    browser: Any, tmp_path: Path, stop: fallline.StoppingCondition
) -> None:
    fallline.explore(FORMULA, START, RULES, max_steps=200, stop=stop).save(tmp_path / "page.html")
    with Opened(browser, tmp_path / "page.html") as opened:
        assert opened.page.inner_text(".notice") == ""
        runs = opened.runs()
        told = opened.page.locator(".race td.reason").all_inner_texts()
    ours = [fallline.minimize(FORMULA, START, rule, max_steps=200, stop=stop) for rule in RULES]
    assert [run["reason"] for run in runs] == [run.stop.reason for run in ours]
    assert told == [run.stop.reason for run in ours]
    assert [run["count"] for run in runs] == [run.steps[-1] for run in ours]


@pytest.mark.long
def test_every_condition_is_added_changed_removed_and_undone(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        page = opened.page
        assert opened.state["stop"] == [{"condition": "StepSize", "values": {}}]
        for name in ("GradientNorm", "ValueChange", "Evaluations", "Seconds", "Diverging"):
            page.select_option(ADD, name)
            opened.settled()
            assert opened.state["stop"][-1]["condition"] == name
        assert [option for option in page.locator(f"{ADD} option").all_inner_texts() if ":" in option] == []
        field = page.locator("[aria-label='gradient norm, typed']")
        field.fill("2.5")
        field.press("Enter")
        opened.settled()
        assert opened.state["stop"][1]["values"] == {"tolerance": 2.5}
        assert {run["reason"] for run in opened.runs()} & {"small gradient"}
        field = page.locator("[aria-label='evaluations, typed']")
        field.fill("1.5")
        field.press("Enter")
        assert "a whole number at least 1" in page.inner_text(".stopping")
        page.click("[aria-label='Remove gradient norm']")
        opened.settled()
        assert "GradientNorm" not in [one["condition"] for one in opened.state["stop"]]
        page.click("[aria-label='Undo']")
        assert opened.state["stop"][1]["values"] == {"tolerance": 2.5}
        field = page.locator("[aria-label='step size, typed']")
        for text, values in (("0.001", {"tolerance": 0.001}), ("", {"tolerance": None})):
            field.fill(text)
            field.press("Enter")
            opened.settled()
            assert opened.state["stop"][0]["values"] == values


@pytest.mark.long
def test_a_link_keeps_the_conditions(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        for stop in (
            [],
            [{"condition": "Evaluations", "values": {"limit": 77}}],
            [{"condition": "StepSize", "values": {"tolerance": 1e-5}}, {"condition": "Diverging", "values": {}}],
        ):
            opened.page.evaluate("stop => fallline.store.change({stop})", stop)
            opened.settled()
            link = opened.link()
            opened.page.evaluate("fallline.store.change({stop: [{condition: 'Seconds', values: {limit: 3}}]})")
            opened.page.evaluate("link => fallline.open(link)", link)
            assert opened.state["stop"] == stop


@pytest.mark.parametrize(
    "said",
    few(
        [
            "Nothing",
            "GradientNorm,tolerance=-1",
            "GradientNorm,tolerance=small",
            "Evaluations",
            "Evaluations,limit=1.5",
            "StepSize,length=1",
            "toString",
            "constructor,__proto__=1",
            "NotFinite",
        ],
        3,
    ),
)
def test_a_link_with_a_wrong_condition_says_so(browser: Any, plain: Path, said: str) -> None:
    with Opened(browser, plain, f"stop={said}&stop=ValueChange,tolerance=0.5") as opened:
        assert f"stop={said}"[:50] in opened.page.inner_text(".notice")
        assert opened.state["stop"] == [{"condition": "ValueChange", "values": {"tolerance": 0.5}}]


@pytest.mark.long
@pytest.mark.parametrize("stop", few([fallline.NotFinite(), *CONDITIONS[2:5], CONDITIONS[-2]], 1), ids=name_of)
def test_as_python_ends_alike(browser: Any, tmp_path: Path, stop: fallline.StoppingCondition) -> None:
    fallline.explore(FORMULA, START, RULES, max_steps=200, stop=stop).save(tmp_path / "page.html")
    with Opened(browser, tmp_path / "page.html", permissions=["clipboard-read", "clipboard-write"]) as opened:
        code, runs = opened.as_python(), opened.runs()
    (tmp_path / "copied.py").write_text(code, encoding="utf-8")
    race = runpy.run_path(str(tmp_path / "copied.py"))["race"]
    assert [run["reason"] for run in runs] == [run.stop.reason for run in race]
    for run, ours in zip(runs, race, strict=True):
        np.testing.assert_allclose(np.reshape(run["x"], (-1, 2)), ours.x, rtol=1e-12, atol=1e-12)


def test_a_condition_of_the_users_own_is_refused_in_one_line() -> None:
    class Left(fallline.StoppingCondition):
        reason = "left of the line"

        def met(self, progress: Any) -> Any:
            return progress.x[:, 0] < 0

        def message(self, progress: Any, run: int) -> str:
            return "left"

    with pytest.raises(fallline.FalllineError, match=r"stop is .*; the page has the library's own conditions"):
        fallline.explore("x**2", 1.0, "adam", stop=Left())
