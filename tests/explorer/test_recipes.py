"""What is on the page as a recipe file: the command line runs it to the same numbers, and the page shows it again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cases import few
from tests.explorer.friction import Friction
from tests.explorer.opened import Opened

import fallline

CASES: dict[str, dict[str, Any]] = {
    "the first page": {},
    "conventions, a schedule, a search": {
        "objective": "x**2 + 10*y**2 + sin(x)",
        "x0": [4.0, 1.0],
        "optimizers": [
            fallline.AdamW(0.05, convention="optax"),
            fallline.Momentum(fallline.WarmUp(0.01, steps=5)),
            fallline.Nesterov(fallline.Cosine(0.02, steps=40)),
            fallline.LBFGS(),
        ],
        "max_steps": 60,
    },
    "two starts, conditions, a target": {
        "objective": "himmelblau",
        "x0": [[0.5, 1.0], [-1.0, 2.0]],
        "optimizers": [fallline.Adam(0.1), fallline.Adam(0.2), fallline.RMSProp(0.05, convention="keras")],
        "max_steps": 150,
        "target": 1e-3,
        "stop": fallline.GradientNorm(0.01) | fallline.Evaluations(250),
        "box": [(-6, 6), (-5.5, 5)],
    },
    "one variable, differences": {
        "objective": "x**4 - 3*x**2 + x",
        "x0": 2.0,
        "optimizers": fallline.Momentum(0.01, momentum=0.8),
        "max_steps": 40,
        "gradient": fallline.Perturbation(0.01, "central"),
        "stop": fallline.NotFinite(),
    },
    "three variables, noise": {
        "objective": "x**2 + y**2 + 3*z**2 + x*y*z",
        "x0": [1.0, 0.5, -1.0],
        "optimizers": [
            fallline.GradientNoise(fallline.GradientDescent(0.02), 0.25, 0.0, 7),
            fallline.GradientNoise(fallline.ProximalDescent(0.02, penalty=fallline.L1(0.1)), 0.25, 0.0, 7),
        ],
        "coordinates": ("z", "x"),
        "box": [(-2, 2), (-1.5, 1.5)],
        "max_steps": 30,
    },
}


def exported(opened: Opened, path: Path) -> Path:
    opened.page.click("[aria-label='Save and share']")
    with opened.page.expect_download() as download:
        opened.page.click(".menu >> text=Recipe as TOML")
    assert download.value.suggested_filename == "fallline.toml"
    download.value.save_as(path)
    return path


@pytest.mark.parametrize("case", few(CASES, 1))
def test_a_recipe_runs_to_the_same_numbers_and_shows_the_same_page(browser: Any, tmp_path: Path, case: str) -> None:
    fallline.explore(**CASES[case]).save(tmp_path / "page.html")
    with Opened(browser, tmp_path / "page.html") as opened:
        state, runs = opened.state, opened.runs()
        recipe = exported(opened, tmp_path / "fallline.toml")
    command = [sys.executable, "-m", "fallline", "run", str(recipe), "--json"]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    results = told.get("runs", [told])
    assert len(results) == len(runs)
    for run, result in zip(runs, results, strict=True):
        assert result["stopped"] == run["reason"]
        assert result["value"] == pytest.approx(run["value"][-1], rel=1e-9, abs=1e-12)
    ours: Any = fallline.Recipe.load(recipe).run()
    for run, result in zip(runs, [ours] if isinstance(ours, fallline.Trajectory) else ours, strict=True):
        np.testing.assert_allclose(np.reshape(run["x"], result.x.shape), result.x, rtol=1e-9, atol=1e-12)
    again = tmp_path / "again.html"
    subprocess.run([sys.executable, "-m", "fallline", "explore", str(recipe), "--out", str(again)], check=True)
    with Opened(browser, again) as opened:
        assert opened.page.inner_text(".notice") == ""
        shown = opened.state
    # Of one variable only the first two numbers of the box are shown.
    for box in (shown, state):
        del box["box"][2 * len(state["starts"][0]) :]
    for key in ("formula", "starts", "axes", "steps", "gradient", "noise", "seed", "target", "stop", "box", "view"):
        assert shown[key] == state[key], key
    for one, other in zip(shown["entries"], state["entries"], strict=True):
        assert (one["rule"], one["convention"], one["rate"]) == (other["rule"], other["convention"], other["rate"])
        assert {**one["values"], **other["values"]} == one["values"]


@pytest.mark.long
def test_the_principal_plane_is_written_as_the_pictures_have_it(browser: Any, tmp_path: Path) -> None:
    page = fallline.explore("x**2 + y**2 + 3*z**2 + x*y*z", [1.0, 0.5, -1.0], fallline.Adam(0.1), max_steps=30)
    page.save(tmp_path / "page.html")
    with Opened(browser, tmp_path / "page.html") as opened:
        opened.page.click("text=Principal plane")
        opened.settled()
        state = opened.state
        recipe = fallline.Recipe.load(exported(opened, tmp_path / "fallline.toml"))
    [view] = recipe.views
    assert view["coordinates"] == "pca"
    np.testing.assert_allclose(np.ravel(view["bounds"]), state["box"], rtol=1e-12)
    fallline.explore(recipe).save(tmp_path / "again.html")
    with Opened(browser, tmp_path / "again.html") as opened:
        assert opened.page.evaluate("fallline.plane !== null")
        assert opened.state["box"] == state["box"]


def test_rules_of_the_users_own_are_not_written(browser: Any, tmp_path: Path) -> None:
    fallline.explore("x**2", 1.0, [Friction(0.05), fallline.Adam(0.1)]).save(tmp_path / "page.html")
    with Opened(browser, tmp_path / "page.html") as opened:
        opened.page.click("[aria-label='Save and share']")
        opened.page.click(".menu >> text=Recipe as TOML")
        assert "leave out Friction" in opened.page.inner_text(".menu output")


def test_what_is_typed_is_written_so_that_nothing_breaks_out(browser: Any, plain: Path, tmp_path: Path) -> None:
    formula = "u = x**2 + 1\ny**2 + u"
    with Opened(browser, plain) as opened:
        opened.page.evaluate("formula => fallline.read(formula)", formula)
        recipe = fallline.Recipe.load(exported(opened, tmp_path / "fallline.toml"))
    assert recipe.objective == formula
