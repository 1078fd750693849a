"""A run's numbers as a table: read, scrolled, copied."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.explorer.opened import Opened

import fallline

ROWS = ".rows tbody tr:not(.gap)"


def test_thousands_of_rows_are_scrolled_and_copied(browser: Any, tmp_path: Path) -> None:
    rule, start = fallline.Momentum(1e-4), [-1.2, 1.0]
    fallline.explore("rosenbrock", start, rule, max_steps=5000).save(tmp_path / "page.html")
    ours = fallline.minimize("rosenbrock", start, rule, max_steps=5000)
    with Opened(browser, tmp_path / "page.html", permissions=["clipboard-read", "clipboard-write"]) as opened:
        page = opened.page
        page.click("button:text-is('Numbers')")
        opened.settled()
        assert page.locator(ROWS).count() < 100
        assert page.get_attribute(".rows table", "aria-rowcount") == str(len(ours.value) + 1)
        page.focus(".rows")
        page.keyboard.press("End")
        page.wait_for_function(f"document.querySelector('.rows tbody').innerText.includes('{ours.steps[-1]}')")
        last = page.locator(ROWS).last
        last.click()
        assert opened.state["at"] in (ours.steps[-1], None)
        page.click("text=Copy the table")
        page.wait_for_selector(".numbers-table output:not(:empty)")
        text = page.evaluate("navigator.clipboard.readText()")
        page.evaluate("fallline.store.change({at: 2345})")
        opened.settled()
        active = page.locator(".rows tr.active").inner_text().split()
    head, *rows = csv.reader(io.StringIO(text), delimiter="\t")
    assert head == ["step", "x", "y", "value", "gradient_norm", "rate"]
    assert rows[-1][-1] == ""
    table = np.array([[float(cell or "nan") for cell in row] for row in rows])
    np.testing.assert_array_equal(table[:, 0], ours.steps)
    np.testing.assert_allclose(table[:, 1:3], ours.x, rtol=1e-11)
    np.testing.assert_allclose(table[:, 3], ours.value, rtol=1e-9)
    np.testing.assert_allclose(table[:, 4], np.linalg.norm(ours.gradient, axis=1), rtol=1e-9)
    assert active[0] == "2345"
    assert float(active[3].replace("−", "-")) == float(f"{ours.value[2345]:.5g}")


@pytest.mark.long
def test_where_the_clipboard_is_kept_from_the_page_the_text_is_shown(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        opened.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
        opened.page.click("button:text-is('Numbers')")
        opened.page.click("text=Copy the table")
        text = opened.page.locator("[aria-label='Text to copy']").input_value()
        assert text.startswith("step\tx\ty\tvalue\tgradient_norm\trate\n0\t-0.5\t-1\t")
        assert len(text.splitlines()) == 2 + opened.runs()[1]["count"]
