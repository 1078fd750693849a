"""The page in Firefox: its story, which js/test/page_in_firefox.mjs tells, and the runs of its rules."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.explorer.node import JS, built
from tests.explorer.runs import apart, case, in_firefox
from tests.views.browser import firefox

import fallline
from fallline.line_search import LineSearch
from fallline.optimizers import OPTIMIZERS


@pytest.mark.long
def test_the_page_does_in_firefox_what_a_person_asks(plain: Path, tmp_path: Path) -> None:
    rules: list[fallline.Optimizer[Any]] = [fallline.Adam(0.1, convention="keras"), fallline.Momentum(0.0005)]
    race = fallline.compare("rosenbrock", [-1.2, 1.0], rules, max_steps=40)
    race.explore().save(tmp_path / "race.html")
    pages = {"FALLLINE_PAGE": str(plain), "FALLLINE_RACE": str(tmp_path / "race.html")}
    done = subprocess.run(
        ["node", "--test", str(JS / "test" / "page_in_firefox.mjs")],
        env={**os.environ, **pages, "FALLLINE_FIREFOX": firefox()},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stdout[-8000:]


@pytest.mark.long
def test_rules_make_the_same_runs_in_firefox(tmp_path: Path) -> None:
    # Its exponentials and powers are others than those of Chromium and Node.
    rules = [
        kind(convention=convention, **({"memory": 10} if name == "lbfgs" else {}))
        for name, kind in OPTIMIZERS.items()
        for convention in kind.conventions
    ]
    cases = [
        case(formula, x0, rule, max_steps=300, stop=fallline.Evaluations(10**9))
        for formula, x0 in (
            ("100*(y - x**2)**2 + (1 - x)**2", (-1.2, 1.0)),
            ("exp(x/3) + log(1 + y**2) - sin(x*y)/9 + x**2", (1.0, 2.0)),
        )
        for rule in rules
    ]
    for one, made in zip(cases, in_firefox(built(tmp_path), cases), strict=True):
        run = one.in_python()
        assert made.end["reason"] == run.stop.reason, one.name
        errors = apart(made.x, run.x)
        # At the end, a line search compares values that differ by their rounding alone; x is then told to its root.
        with np.errstate(all="ignore"):
            end = np.abs(run.value - run.value[-1]) <= 2.0**-50 * np.maximum(1, np.abs(run.value))
        rounded = end & isinstance(one.rule.learning_rate, LineSearch)
        # In 300 steps, the rounding of one grows by no more than this.
        assert errors[~rounded].max(initial=0) <= 1e-12, one.name
        assert errors.max() <= 1e-7, one.name
