"""The player as its readers use it: in a browser, with a mouse and with keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from tests.cases import few
from tests.views.browser import Opened
from tests.views.runs import bowl, halving, on_bowl, two_on_bowl

import fallline
from fallline import GradientDescent
from fallline.pictures.paths import Runs
from fallline.views import animate

Open = Callable[..., Any]


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open the player of runs, which plays for ten seconds; at the end it must have complained of nothing."""
    pages: list[Opened] = []

    def open_page(runs: Runs, film: dict[str, Any] | None = None, **options: Any) -> Any:
        path = tmp_path / f"{len(pages)}.html"
        chosen: dict[str, Any] = {"resolution": 32, "spacing": "time"} | (film or {})
        animate(runs, path, frames=20, frames_per_second=2, **chosen)
        pages.append(Opened(browser, path, **options))
        return pages[-1].page

    yield open_page
    for page in pages:
        page.close()


def step(page: Any) -> int:
    """The number of the step that the page shows."""
    return int(page.locator("output").inner_text().removeprefix("step "))


def test_it_plays_pauses_and_ends(opened: Open) -> None:
    page = opened(on_bowl(steps=100))
    assert step(page) == 100
    play = page.get_by_role("button", name="Play")
    play.click()
    page.clock.run_for(2000)
    # It begins anew: 101 points in ten seconds, give or take the frame at which it began.
    assert 18 <= step(page) <= 21
    page.get_by_role("button", name="Pause").click()
    paused = step(page)
    page.clock.run_for(2000)
    assert step(page) == paused
    play.click()
    page.clock.run_for(12_000)
    assert step(page) == 100
    assert play.is_visible()


@pytest.mark.long
def test_speed(opened: Open) -> None:
    page = opened(on_bowl(steps=100))
    page.get_by_role("combobox", name="Speed").select_option("4")
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(1000)
    # Four times ten points a second, give or take the frame at which it began.
    assert 38 <= step(page) <= 41


@pytest.mark.long
def test_by_length_it_stays_with_the_long_first_steps(opened: Open) -> None:
    page = opened(on_bowl(steps=100), {"spacing": "length"})
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(5000)
    # No step takes more than a fifteenth of the film, of which half has passed; by time this were step 50.
    assert 7 <= step(page) <= 12
    page.clock.run_for(6000)
    assert step(page) == 100


def test_how_runs_end_is_told_at_their_end(opened: Open) -> None:
    page = opened(two_on_bowl())
    told = page.get_by_text("step limit after 20 steps")
    assert [each.is_visible() for each in told.all()] == [True, True]
    page.get_by_role("slider", name="Step").fill("3")
    assert [each.is_visible() for each in told.all()] == [False, False]


def test_it_goes_step_by_step_and_to_the_ends_with_buttons_and_keys(opened: Open) -> None:
    page = opened(on_bowl(steps=30))
    back, on = page.get_by_role("button", name="One step back"), page.get_by_role("button", name="One step on")
    shown = []
    for act in (back.click, back.click, on.click, on.click, on.click):
        act()
        shown.append(step(page))
    # It does not leave the run.
    assert shown == [29, 28, 29, 30, 30]
    shown = []
    # A button has the focus now.
    for key in ("ArrowLeft", "ArrowLeft", "ArrowRight", "Home", "ArrowLeft", "ArrowRight", "End"):
        page.keyboard.press(key)
        shown.append(step(page))
    assert shown == [29, 28, 29, 0, 0, 1, 30]
    page.locator("body").click(position={"x": 1, "y": 1})
    page.keyboard.press("Space")
    page.clock.run_for(1000)
    assert 0 < step(page) < 30
    page.keyboard.press("Space")
    assert page.get_by_role("button", name="Play").is_visible()


def test_the_slider_goes_to_a_time_and_says_it(opened: Open) -> None:
    run = on_bowl(steps=30)
    page = opened(run)
    slider = page.get_by_role("slider", name="Step")
    slider.fill("12")
    assert step(page) == 12
    assert slider.get_attribute("aria-valuetext") == "step 12"
    assert page.locator("#now").inner_text().endswith(f"step 12: f = {float(f'{run.value[12]:.5g}')}")
    slider.press("ArrowRight")
    assert step(page) == 13


def test_a_step_is_told_with_all_its_digits(opened: Open) -> None:
    page = opened(replace(on_bowl(steps=1), steps=np.array([0, 1234567])))
    assert step(page) == 1234567
    assert "step 1234567: " in page.locator("#now").inner_text()


def test_the_pointer_finds_the_numbers_of_the_run(opened: Open) -> None:
    run = on_bowl(rate=0.1, steps=10)
    page = opened(run)
    # Where the page has drawn the point of step 2.
    x, y = page.evaluate("() => fallline.figure.spot(fallline.runs[0], 2)")
    page.locator("canvas.figure").hover(position={"x": x, "y": y})
    # From (2, 1), x shrinks by 0.8 a step and y by 0.4: f = x² + 3y², its gradient (2x, 6y).
    place = (2 * 0.8**2, 0.4**2)
    numbers = {
        "x": place[0],
        "y": place[1],
        "f": place[0] ** 2 + 3 * place[1] ** 2,
        "|gradient|": ((2 * place[0]) ** 2 + (6 * place[1]) ** 2) ** 0.5,
        "rate": 0.1,
    }
    told = [f"{name} = {float(f'{number:.5g}')}" for name, number in numbers.items()]
    tip = page.get_by_role("tooltip")
    assert tip.inner_text().splitlines() == ["gradient descent, η = 0.1", "step 2", *told]
    page.get_by_role("heading").hover()
    assert not tip.is_visible()


@pytest.mark.long
def test_beside_the_path_the_pointer_finds_the_landscape(opened: Open) -> None:
    page = opened(on_bowl(), {"bounds": ((-4, 4), (-2, 2)), "resolution": 129})
    x, y = page.evaluate("() => fallline.figure.spot({x: [-3, -1.5]}, 0)")
    page.locator("canvas.figure").hover(position={"x": x, "y": y})
    *place, height = (float(line.split(" = ")[1].replace("−", "-")) for line in tip_of(page).splitlines())
    # A pixel is a hundredth of the width, and the page has the function at 129 points along each side.
    assert place == pytest.approx([-3, -1.5], abs=0.02)
    assert height == pytest.approx(place[0] ** 2 + 3 * place[1] ** 2, rel=0.01)


def tip_of(page: Any) -> str:
    return str(page.get_by_role("tooltip").inner_text())


def test_several_runs_are_told_apart_and_each_tells_its_value(opened: Open) -> None:
    runs = two_on_bowl()
    page = opened(runs)
    page.get_by_role("slider", name="Step").fill("3")
    entries = page.get_by_role("listitem")
    assert entries.count() == 2
    for number, run in enumerate(runs):
        assert runs.labels[number] in entries.nth(number).inner_text()
        assert f"f = {float(f'{run.value[3]:.5g}')}" in entries.nth(number).inner_text()
    forms, colours = [
        {page.evaluate(script, number) for number in range(2)}
        for script in (
            "number => document.querySelectorAll('.marker')[number].textContent",
            "number => getComputedStyle(document.querySelectorAll('.marker')[number]).color",
        )
    ]
    assert len(forms) == len(colours) == 2


def test_a_run_of_the_legend_is_hidden_and_shown_again(opened: Open) -> None:
    page = opened(two_on_bowl())
    # The last point of the slow run, away from the other's.
    x, y = page.evaluate("() => fallline.figure.spot(fallline.runs[0], 3)")
    place = {"x": x, "y": y}
    picture, button = page.locator("canvas.figure"), page.get_by_role("button", name="slow")
    picture.hover(position=place)
    assert tip_of(page).splitlines()[0] == "slow"
    before = page.evaluate(PICTURE)
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert page.evaluate(PICTURE) != before
    picture.hover(position=place)
    assert tip_of(page).splitlines()[0] != "slow"
    button.click()
    assert page.evaluate(PICTURE) == before


@pytest.mark.long
def test_a_click_on_a_history_goes_to_its_step(opened: Open) -> None:
    page = opened(on_bowl(steps=30))
    history = page.get_by_role("img", name="Gradient norm")
    box = history.bounding_box()
    history.click(position={"x": box["width"] / 2, "y": 40})
    # The numbers of the axis take some of the left.
    assert 8 <= step(page) <= 15


PICTURE = "() => document.querySelector('.figure').toDataURL()"
# The red in the upper right corner of the picture.
CORNER = """() => {
  const canvas = document.querySelector(".figure");
  return canvas.getContext("2d").getImageData(canvas.width - 10, 10, 1, 1).data[0];
}"""
GROUND = "() => getComputedStyle(document.body).backgroundColor"


@pytest.mark.long
@pytest.mark.parametrize("system", ["light", "dark"])
def test_light_and_dark_follow_the_system_and_the_button(opened: Open, system: str) -> None:
    page = opened(on_bowl(), color_scheme=system)
    grounds = {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 28)"}
    other = "dark" if system == "light" else "light"
    assert page.evaluate(GROUND) == grounds[system]
    page.get_by_role("button", name=f"Change to {other} colours").click()
    assert page.evaluate(GROUND) == grounds[other]
    # The picture has changed with the page: the highest of the landscape is nearly the ground.
    corner = page.evaluate(CORNER)
    assert (corner > 128) == (other == "light")
    page.get_by_role("button", name=f"Change to {system} colours").click()
    page.emulate_media(color_scheme=other)
    page.get_by_role("button", name=f"Change to {system} colours").wait_for()
    assert page.evaluate(GROUND) == grounds[other]


def test_a_dark_film_is_dark_wherever_it_is_shown(opened: Open) -> None:
    page = opened(halving(), {"style": "dark"}, color_scheme="light")
    assert page.evaluate(GROUND) == "rgb(18, 22, 28)"


@pytest.mark.long
@pytest.mark.parametrize("size", [(1280, 720), (390, 844)], ids=["slide", "phone"])
@pytest.mark.parametrize("runs", [halving(), two_on_bowl()], ids=["curve", "race"])
def test_it_fits_the_window(opened: Open, runs: Runs, size: tuple[int, int]) -> None:
    width, height = size
    page = opened(runs, viewport={"width": width, "height": height})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    box = page.locator(".transport").bounding_box()
    assert box["y"] + box["height"] <= height
    # The picture is as large as leaves room for the rest.
    assert page.locator("canvas.figure").bounding_box()["width"] > 0.5 * min(width, height)


@pytest.mark.long
def test_four_paths_of_a_thousand_steps(opened: Open) -> None:
    rules = {f"rate {rate}": GradientDescent(rate) for rate in (1e-3, 2e-3, 3e-3, 4e-3)}
    slope = lambda x, y: (2 * x, 6 * y)  # noqa: E731
    page = opened(fallline.compare(bowl, (2, 1), rules, gradient=slope, max_steps=1000), {"resolution": 200})
    page.get_by_role("slider", name="Step").fill("500")
    assert step(page) == 500


@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize("runs", few([halving(), two_on_bowl()], 1), ids=["curve", "race"])
def test_axe_finds_no_fault(opened: Open, runs: Runs, system: str) -> None:
    page = opened(runs, color_scheme=system, viewport={"width": 390, "height": 844})
    page.get_by_role("slider", name="Step").fill("2")
    # It waits for what it has begun.
    page.clock.resume()
    assert Axe().run(page).response["violations"] == []


@pytest.mark.long
def test_in_a_notebook_a_run_plays_and_touches_nothing_else(browser: Any, tmp_path: Path) -> None:
    """Two outputs of a notebook, as nbconvert, Jupyter, VS Code and Colab put them into their pages."""
    path = tmp_path / "notebook.html"
    outputs = [runs._repr_html_() for runs in (on_bowl(steps=30), two_on_bowl())]
    cells = "".join(f'<div class="jp-RenderedHTMLCommon">{output}</div>' for output in outputs)
    path.write_text(f"<!DOCTYPE html><title>mine</title><body style='margin: 40px'>{cells}</body>", encoding="utf-8")
    opened = Opened(browser, path)
    page = opened.page
    first, second = page.frames[1:]
    first.get_by_role("slider", name="Step").fill("7")
    assert step(first) == 7
    # A browser may leave a frame alone until it is in sight.
    page.locator("iframe").nth(1).scroll_into_view_if_needed()
    second.get_by_text("step 20").first.wait_for()
    assert step(second) == 20
    # It fits its frame, which has no room to scroll.
    assert first.evaluate("() => document.documentElement.scrollHeight <= innerHeight")
    reach = "() => { try { return parent.document.title } catch (error) { return error.name } }"
    assert first.evaluate(reach) == "SecurityError"
    assert page.evaluate("() => typeof fallline") == "undefined"
    opened.close()
