"""Fingers on a phone: they drag starts and the view, zoom with two, turn the surface, and scroll past the figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.explorer.opened import Opened

pytestmark = pytest.mark.long

Point = tuple[float, float]
STEPS = 8


class Fingers:
    """Fingers on the screen of a page."""

    def __init__(self, opened: Opened) -> None:
        self.page = opened.page
        self.session = opened.context.new_cdp_session(opened.page)

    def draw(self, *ways: Sequence[Point]) -> None:
        """Put down a finger for each way, from its first point to its last, and lift them."""
        self._touch("touchStart", [first for first, _ in ways])
        for step in range(1, STEPS + 1):
            share = step / STEPS
            self._touch("touchMove", [(a + share * (c - a), b + share * (d - b)) for (a, b), (c, d) in ways])
            self.page.wait_for_timeout(16)
        self._touch("touchEnd", [])
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def _touch(self, kind: str, points: Sequence[Point]) -> None:
        touches = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


@pytest.fixture
def phone(browser: Any, plain: Path) -> Iterator[Opened]:
    with Opened(browser, plain, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True) as opened:
        yield opened


def middle(opened: Opened, selector: str) -> Point:
    box = opened.page.locator(selector).first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_finger_drags_the_start(phone: Opened) -> None:
    x, y = middle(phone, ".start")
    phone_scrolled = phone.page.evaluate("scrollY")
    # Downwards, too, where a page would scroll.
    Fingers(phone).draw([(x, y), (x + 40, y + 60)])
    assert middle(phone, ".start") == pytest.approx((x + 40, y + 60), abs=1.5)
    assert phone.page.evaluate("scrollY") == phone_scrolled
    assert len(phone.state["starts"]) == 1
    phone.page.click("[aria-label='Undo']")
    assert middle(phone, ".start") == pytest.approx((x, y), abs=1)


def test_a_finger_moves_the_view_across_and_scrolls_past_it(phone: Opened) -> None:
    before = phone.state["box"]
    x, y = middle(phone, "canvas.figure")
    Fingers(phone).draw([(x, y), (x - 80, y + 4)])
    after = phone.state["box"]
    assert after[0] > before[0]
    assert after[1] - after[0] == pytest.approx(before[1] - before[0])
    assert len(phone.state["starts"]) == 1
    Fingers(phone).draw([(x, y), (x, y - 150)])
    assert phone.page.evaluate("scrollY") > 50


@pytest.mark.parametrize("way", [(60.0, 0.0), (0.0, 60.0), (40.0, 40.0)])
def test_two_fingers_zoom_about_their_middle(phone: Opened, way: Point) -> None:
    across, down = way
    left, right, bottom, top = phone.state["box"]
    x, y = middle(phone, "canvas.figure")
    frame = phone.page.locator("canvas.figure").first.bounding_box()
    held = left + (x - frame["x"]) / frame["width"] * (right - left)
    near, far = (x - across / 2, y - down / 2), (x + across / 2, y + down / 2)
    wide = ((x - 1.5 * across, y - 1.5 * down), (x + 1.5 * across, y + 1.5 * down))
    Fingers(phone).draw([near, wide[0]], [far, wide[1]])
    box = phone.state["box"]
    # The fingers end three times as far apart; a few pixels pass before it counts as a move.
    assert (right - left) / (box[1] - box[0]) == pytest.approx(3, rel=0.2)
    assert (top - bottom) / (box[3] - box[2]) == pytest.approx(3, rel=0.2)
    now = box[0] + (x - frame["x"]) / frame["width"] * (box[1] - box[0])
    assert now == pytest.approx(held, abs=0.03 * (right - left))
    assert len(phone.state["starts"]) == 1
    # The page itself is not zoomed.
    assert phone.page.evaluate("visualViewport.scale") == 1
    Fingers(phone).draw([wide[0], near], [wide[1], far])
    assert phone.state["box"][1] - phone.state["box"][0] == pytest.approx(right - left, rel=0.3)


def test_a_finger_turns_the_surface_and_two_come_nearer(phone: Opened) -> None:
    phone.page.click("text=Surface")
    phone.settled()
    x, y = middle(phone, "canvas.surface")
    look = "document.querySelector('canvas.surface').toDataURL()"
    pictures = [phone.page.evaluate(look)]
    Fingers(phone).draw([(x, y), (x + 80, y)])
    pictures.append(phone.page.evaluate(look))
    Fingers(phone).draw([(x - 30, y), (x - 90, y)], [(x + 30, y), (x + 90, y)])
    pictures.append(phone.page.evaluate(look))
    assert len(set(pictures)) == 3


def test_a_finger_moves_a_slider_and_scrubs_a_history(phone: Opened) -> None:
    slider = phone.page.locator(".card.active [data-name='learning_rate'] input[type=range]")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    before = phone.state["entries"][1]["rate"]
    phone.page.touchscreen.tap(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)
    phone.settled()
    assert phone.state["entries"][1]["rate"] > before
    chart = phone.page.locator("canvas.chart").first
    chart.scroll_into_view_if_needed()
    x, y = middle(phone, "canvas.chart")
    Fingers(phone).draw([(x, y), (x + 40, y)])
    assert 40 < phone.state["at"] < 90
