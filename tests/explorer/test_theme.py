"""Light, dark or as the system: chosen on the page, kept where the browser allows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.explorer.opened import Opened

GROUND = "getComputedStyle(document.getElementById('fallline')).backgroundColor"
WHITE, BLACK = "rgb(255, 255, 255)", "rgb(18, 22, 28)"


@pytest.mark.long
@pytest.mark.parametrize(("system", "own"), [("light", WHITE), ("dark", BLACK)])
def test_the_theme_is_chosen_by_the_keyboard_and_kept(browser: Any, plain: Path, system: str, own: str) -> None:
    with Opened(browser, plain, color_scheme=system) as opened:
        page = opened.page
        assert page.evaluate(GROUND) == own
        page.focus("[aria-label='Colours: as the system']")
        page.keyboard.press("Enter")
        assert page.evaluate(GROUND) == WHITE
        page.keyboard.press("Enter")
        assert page.evaluate(GROUND) == BLACK
        assert page.evaluate("fallline.theme.palette.dark") is True
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Colours: dark"
        page.reload()
        page.wait_for_selector(".start")
        assert page.evaluate(GROUND) == BLACK
        page.emulate_media(media="print")
        assert page.evaluate(GROUND) == WHITE
        page.emulate_media(media="screen")
        page.click("[aria-label='Colours: dark']")
        assert page.evaluate(GROUND) == own


def test_without_storage_the_theme_lasts_as_long_as_the_page(browser: Any, plain: Path, tmp_path: Path) -> None:
    # A frame without an origin of its own is refused the storage.
    frame = f'<iframe sandbox="allow-scripts" style="width: 90vw; height: 90vh" src="{plain.as_uri()}"></iframe>'
    (tmp_path / "around.html").write_text(f"<!doctype html><title>Around</title>{frame}", encoding="utf-8")
    complaints: list[str] = []
    page = browser.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((tmp_path / "around.html").as_uri())
    inside = page.frame_locator("iframe")
    inside.locator("[aria-label='Colours: as the system']").click()
    inside.locator("[aria-label='Colours: light']").click()
    inside.locator("[aria-label='Colours: dark']").wait_for()
    page.close()
    assert complaints == []
