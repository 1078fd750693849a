"""The page of the demonstration, as a visitor's browser shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fallline import views
from fallline.examples.results import Results


@pytest.fixture
def page(tmp_path: Path) -> Path:
    results = Results(tmp_path, lambda text: None)
    results.text("What is shown.")
    for number in range(3):
        results.heading(f"{'ABC'[number]}. A part, with a long heading that goes on and on")
        results.heading("a_case_with_a_very_long_name_that_has_no_spaces_in_it_at_all", 3)
        results.text("A few words.")
        results.block("a_line_of_code(" + "argument, " * 30 + ")")
        results.table(["figure"] * 12, [["0.123456789012"] * 12])
        views.plot("x**2", tmp_path / f"{number}.png")
        results.pictures([(f"{number}.png", "a curve")] * 2)
    return results.write_page("The demonstration")


@pytest.mark.long
@pytest.mark.parametrize(("width", "columns"), [(390, 1), (1366, 2)])
def test_the_page_fits_a_phone_and_a_screen(browser: Any, page: Path, width: int, columns: int) -> None:
    tab = browser.new_page(viewport={"width": width, "height": 844})
    tab.goto(page.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    figures = tab.locator("section figure")
    boxes = [figures.nth(number).bounding_box() for number in range(2)]
    assert (boxes[0]["y"] == boxes[1]["y"]) == (columns == 2)
    # Large: nearly all that a column can have.
    assert boxes[0]["width"] >= 0.85 * width / columns - 40
    tab.close()


def test_tables_are_folded_away_until_they_are_asked_for(browser: Any, page: Path) -> None:
    tab = browser.new_page()
    tab.goto(page.as_uri())
    table = tab.locator("table").first
    assert not table.is_visible()
    tab.locator("summary").first.click()
    assert table.is_visible()
    # What is wide scrolls in its own place.
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab.close()


def test_nothing_moves_when_a_picture_comes(browser: Any, page: Path) -> None:
    tab = browser.new_page()
    tab.goto(page.as_uri())
    height = tab.evaluate("document.documentElement.scrollHeight")
    tab.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    tab.wait_for_function("[...document.images].every(image => image.complete && image.naturalWidth)")
    assert tab.evaluate("document.documentElement.scrollHeight") == height
    tab.close()


def test_the_links_lead_to_the_parts(browser: Any, page: Path) -> None:
    tab = browser.new_page(viewport={"width": 1000, "height": 700}, reduced_motion="reduce")
    tab.goto(page.as_uri())
    tab.locator("nav a").nth(2).click()
    place = tab.locator("h2").nth(2).bounding_box()
    assert 0 <= place["y"] < 700
    tab.close()
