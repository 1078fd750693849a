"""Runs that show themselves in the pages of notebooks, each rebuilt as its source has it, in a real browser."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.views.notebooks import Pages, colab, github, jupyter, untrusted, vscode
from tests.views.runs import halving, on_bowl, two_on_bowl

import fallline
from fallline import GradientDescent
from fallline.views.player import HEIGHT, WIDTH

pytestmark = pytest.mark.long

Host = Callable[[list[str], str], Pages]
PLAYING: tuple[Host, ...] = (jupyter, vscode, colab)


# An output is the same in every notebook, and takes longer to make than to show.
@functools.cache
def output_of(make: Callable[[], Any]) -> str:
    return str(make()._repr_html_())


def race() -> Any:
    # The legend of eight runs alone is very high.
    many = {f"rate {rate}": GradientDescent(rate) for rate in (0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08)}
    return fallline.compare("x**2 + 3*y**2", (2, 1), many, max_steps=10)


def thirty_steps() -> Any:
    return on_bowl(steps=30)


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a notebook with outputs; the network has nothing but its own pages, and nothing may be complained of."""
    pages, complaints = [], []

    def open_notebook(host: Host, outputs: list[str], theme: str = "light", **options: Any) -> Any:
        site = host(outputs, theme)
        page = browser.new_page(**options)
        pages.append(page)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))

        def answer(route: Any) -> None:
            url = route.request.url
            if url in site:
                route.fulfill(body=site[url], content_type="text/html; charset=utf-8")
            elif url.endswith("/favicon.ico"):
                route.fulfill(status=204)
            else:
                complaints.append(f"asked for {url}")
                route.abort()

        page.route("**/*", answer)
        page.goto(next(iter(site)))
        return page

    yield open_notebook
    for page in pages:
        page.close()
    assert complaints == []


# Each has the height that it asked for; that comes in a message, a moment later than the player.
READY = "() => document.querySelector('.inside')?.offsetHeight === innerHeight"
FILLED = "() => document.documentElement?.scrollHeight === innerHeight"


def look_at(frame: Any) -> None:
    """Scroll until a frame is in sight."""
    while frame.parent_frame:
        frame.frame_element().evaluate("element => element.scrollIntoView({block: 'center'})")
        frame = frame.parent_frame


def settled(player: Any) -> bool:
    """Whether a player that is looked at has the height that it asked for, and so has the output frame around it."""
    # Chromium tells a frame of another process its new size only when the frame is in sight.
    look_at(player)
    around = player.parent_frame
    return bool(player.evaluate(READY) and ("outputframe" not in around.url or around.evaluate(FILLED)))


def players(page: Any, count: int) -> list[Any]:
    """The frames of so many players, each as high as it asked to be."""
    found: list[Any] = []
    # In a minute, on a busy machine.
    for _ in range(1200):
        found = [frame for frame in page.frames if frame.url == "about:srcdoc"]
        if len(found) == count and all(settled(frame) for frame in found):
            return found
        page.wait_for_timeout(50)
    raise AssertionError(f"{len(found)} of {count} players have come")


@pytest.mark.parametrize("width", [1200, 400])
@pytest.mark.parametrize("host", PLAYING)
def test_players_play_and_each_has_the_room_it_needs(opened: Callable[..., Any], host: Host, width: int) -> None:
    outputs = [output_of(make) for make in (halving, thirty_steps, race)]
    page = opened(host, outputs, viewport={"width": width, "height": 900})
    found = players(page, 3)
    for player, last in zip(found, (4, 30, 10), strict=True):
        # Neither a bar to scroll, nor more than a pixel of rounding below.
        height, room = player.evaluate("() => [document.querySelector('#fallline').offsetHeight, innerHeight]")
        assert room == height
        assert player.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        assert player.locator("output").inner_text() == f"step {last}"
    found[1].get_by_role("slider", name="Step").fill("7")
    assert [player.locator("output").inner_text() for player in found] == ["step 4", "step 7", "step 10"]
    # The still picture has gone.
    assert [frame.locator("img").count() for frame in page.frames] == [0] * len(page.frames)
    # If the notebook puts each output into a frame, the frame is not higher than the player in it.
    for frame in page.frames:
        if "outputframe" in frame.url:
            assert frame.evaluate("() => document.documentElement.scrollHeight === innerHeight")


@pytest.mark.parametrize("host", PLAYING)
def test_players_far_below_have_their_room_when_they_are_looked_at(opened: Callable[..., Any], host: Host) -> None:
    def far_below(outputs: list[str], theme: str) -> Pages:
        first, *others = host(outputs, theme).items()
        return {first[0]: first[1].replace("margin: 0;", "margin: 9000px 0 0;", 1)} | dict(others)

    assert len(players(opened(far_below, [output_of(halving), output_of(race)]), 2)) == 2


def test_a_player_without_a_width_asks_for_no_height(opened: Callable[..., Any]) -> None:
    # Where it has no width, words below one another make it some 1,700 pixels high; out of sight that would stay.
    narrow = f'<div id="narrow" style="margin-top: 9000px; width: 0">{output_of(race)}</div>'
    page = opened(jupyter, [narrow], viewport={"width": 1200, "height": 900})
    # The player has spoken.
    page.locator("img").wait_for(state="detached")
    assert page.locator("iframe").evaluate("frame => frame.clientHeight") == HEIGHT
    page.evaluate("() => { document.getElementById('narrow').style.width = '' }")
    (player,) = players(page, 1)
    assert player.evaluate("() => innerWidth") == WIDTH


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("host", PLAYING)
def test_a_player_is_as_dark_as_its_notebook_whatever_the_system_is(
    opened: Callable[..., Any], host: Host, theme: str
) -> None:
    system = "dark" if theme == "light" else "light"
    (player,) = players(opened(host, [output_of(halving)], theme, color_scheme=system), 1)
    ground = {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 28)"}[theme]
    assert player.evaluate("() => getComputedStyle(document.body).backgroundColor") == ground


@pytest.mark.parametrize("host", [untrusted, github])
def test_where_no_script_may_run_a_picture_stays(opened: Callable[..., Any], host: Host) -> None:
    outputs = [output_of(make) for make in (halving, two_on_bowl)]
    page = opened(host, outputs)
    pictures = page.locator("img")
    assert pictures.count() == 2
    for number in range(2):
        assert pictures.nth(number).is_visible()
        assert pictures.nth(number).evaluate("image => image.complete && image.naturalWidth") >= 800
    assert page.locator("iframe").count() == 0
