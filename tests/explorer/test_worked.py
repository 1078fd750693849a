"""A step explained: the rule's formula with this step's numbers in it, coordinate by coordinate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.explorer.opened import Opened

import fallline

ROWS = """[...document.querySelectorAll(".worked mtr")].map(row => [
  row.className,
  row.children[0].textContent.replaceAll("\\u2212", "-"),
  row.children[1].textContent.replaceAll("\\u2212", "-"),
])"""


def results(rows: list[list[str]], symbol: str) -> list[float]:
    """What a line of the formula comes to in each coordinate."""
    at = next(k for k, (kind, left, _) in enumerate(rows) if kind != "put-in" and left == symbol)
    found = []
    for kind, _, text in rows[at + 1 :]:
        if kind != "put-in":
            break
        found.append(float(text.rpartition("=")[2].replace("·10", "e")))
    return found


@pytest.mark.parametrize("step", [1, 8])
def test_adam_is_worked_out_as_python_makes_the_step(browser: Any, tmp_path: Path, step: int) -> None:
    rule, formula, start = fallline.Adam(0.3, beta1=0.8), "x**2 + 10*y**2 + sin(x)", [4.0, 1.0]
    page = fallline.explore(formula, start, rule, max_steps=20)
    page.link += f"&at={step - 1}"
    page.save(tmp_path / "page.html")
    run = fallline.minimize(formula, start, rule, max_steps=20, record=fallline.Record(state=True))
    with Opened(browser, tmp_path / "page.html") as opened:
        opened.settled()
        rows = opened.page.evaluate(ROWS)
    m, v = run.states["m"][step], run.states["v"][step]
    wanted = {
        "gt": run.gradient[step - 1],
        "mt": m,
        "vt": v,
        "m^t": m / (1 - 0.8**step),
        "v^t": v / (1 - 0.999**step),
        "xt": run.x[step],
    }
    for symbol, numbers in wanted.items():
        assert results(rows, symbol) == pytest.approx(numbers, rel=1e-3), symbol
    put_in = [text for kind, _, text in rows if kind == "put-in"]
    assert any(f"0.8·{run.states['m'][step - 1][0]:.4g}" in text.replace("(", "") for text in put_in)


@pytest.mark.long
def test_noise_is_in_the_gradient_that_is_explained(browser: Any, tmp_path: Path) -> None:
    rule = fallline.GradientNoise(fallline.GradientDescent(0.1), 0.25, 0.0, 3)
    page = fallline.explore("x**2 + y**2", [4.0, 1.0], rule, max_steps=5)
    page.link += "&at=2"
    page.save(tmp_path / "page.html")
    run = fallline.minimize("x**2 + y**2", [4.0, 1.0], rule, max_steps=5)
    with Opened(browser, tmp_path / "page.html") as opened:
        opened.settled()
        rows = opened.page.evaluate(ROWS)
    assert results(rows, "gt") == pytest.approx((run.x[2] - run.x[3]) / 0.1, rel=1e-3)


@pytest.mark.long
def test_names_of_a_function_cannot_break_out_of_the_formula(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        opened.page.evaluate("fallline.store.change({formula: 'α**2 + длина**2', starts: [[1, 2]], at: 1})")
        opened.settled()
        names = {left for kind, left, _ in opened.page.evaluate(ROWS) if kind == "put-in"}
    assert names == {"α:", "длина:"}
