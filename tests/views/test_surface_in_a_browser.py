"""The page of a surface as its readers use it: turned by the mouse, by a finger and by keys."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.views.browser import Opened
from tests.views.runs import halving, on_bowl, two_on_bowl

import fallline
from fallline import FalllineError, GradientDescent
from fallline.pictures.paths import Runs
from fallline.views import animate

Open = Callable[..., Any]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
# The pixels of the surface's canvas, as many colours of them as are told apart.
COLOURS = """() => {
  const sheet = document.createElement("canvas"), drawn = document.querySelector(".surface");
  [sheet.width, sheet.height] = [100, 75];
  const pen = sheet.getContext("2d", {willReadFrequently: true});
  pen.drawImage(drawn, 0, 0, 100, 75);
  return new Set(new Uint32Array(pen.getImageData(0, 0, 100, 75).data.buffer)).size;
}"""
VIEW = "() => fallline.figure.surface.view"
DRAWN = "() => fallline.figure.surface.picture.toDataURL()"


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open the page of runs on a surface; at the end it must have asked for nothing and complained of nothing."""
    pages: list[Opened] = []

    def open_page(runs: Any, film: dict[str, Any] | None = None, **options: Any) -> Any:
        path = tmp_path / f"{len(pages)}.html"
        runs.plot(path, **{"kind": "surface", "resolution": 32} | (film or {}))
        pages.append(Opened(browser, path, **options))
        return pages[-1].page

    yield open_page
    for page in pages:
        # What a driver says of the test's own reading of pixels.
        page.complaints = [told for told in page.complaints if "GPU stall due to ReadPixels" not in told]
        page.close()


@pytest.mark.parametrize("kind", ["surface", "contour_3d"])
@pytest.mark.parametrize("style", ["light", "dark"])
def test_a_surface_is_drawn(opened: Open, kind: str, style: str) -> None:
    page = opened(two_on_bowl(), {"kind": kind, "style": style})
    assert page.evaluate(COLOURS) > 50
    assert page.evaluate("() => fallline.figure.surface.gl.getError()") == 0


def test_the_mouse_turns_it_and_the_wheel_comes_nearer(opened: Open) -> None:
    page = opened(on_bowl())
    before, shown = page.evaluate(VIEW), page.evaluate(DRAWN)
    page.mouse.move(400, 300)
    page.mouse.down()
    page.mouse.move(500, 250, steps=4)
    page.mouse.up()
    azimuth, elevation, distance = page.evaluate(VIEW)
    # What is in front goes with the mouse: to the right, and up.
    assert azimuth < before[0]
    assert elevation < before[1]
    assert distance == before[2]
    assert page.evaluate(DRAWN) != shown
    page.mouse.move(600, 300)
    assert page.evaluate(VIEW) == [azimuth, elevation, distance]
    page.mouse.wheel(0, -200)
    page.wait_for_function("distance => fallline.figure.surface.view[2] < distance", arg=distance)


def test_keys_turn_it_where_it_has_the_focus_and_step_elsewhere(opened: Open) -> None:
    page = opened(on_bowl(steps=30))
    before = page.evaluate(VIEW)
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(VIEW) == before
    assert page.locator("output").inner_text() == "step 29"
    page.locator(".surface").focus()
    for key in ("ArrowLeft", "ArrowDown", "+"):
        page.keyboard.press(key)
    after = page.evaluate(VIEW)
    assert after[0] > before[0]
    assert after[1] > before[1]
    assert after[2] < before[2]
    assert page.locator("output").inner_text() == "step 29"


def test_a_finger_turns_it_and_two_come_nearer(opened: Open) -> None:
    page = opened(on_bowl(), **PHONE)
    touches = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        given = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": given})

    before = page.evaluate(VIEW)
    touch("touchStart", (150, 200))
    touch("touchMove", (200, 240))
    touch("touchEnd")
    turned = page.evaluate(VIEW)
    assert turned[0] < before[0]
    assert turned[1] > before[1]
    # The page has not been moved instead.
    assert page.evaluate("() => scrollY") == 0
    touch("touchStart", (150, 200), (200, 200))
    touch("touchMove", (100, 200), (250, 200))
    touch("touchEnd")
    near = page.evaluate(VIEW)
    assert near[:2] == pytest.approx(turned[:2])
    assert near[2] < turned[2]


@pytest.mark.long
@pytest.mark.parametrize("options", [{}, PHONE], ids=["screen", "phone"])
def test_it_fits_the_window_and_the_box_is_inside(opened: Open, options: dict[str, Any]) -> None:
    page = opened(two_on_bowl(), **options)
    size = page.viewport_size
    assert page.evaluate("() => document.documentElement.scrollWidth") <= size["width"]
    box = page.locator(".transport").bounding_box()
    assert box["y"] + box["height"] <= size["height"]
    corners = page.evaluate("""() => {
      const surface = fallline.figure.surface, canvas = surface.picture;
      return [-1, 1].flatMap(x => [-1, 1].flatMap(y => [-0.6, 1].map(z =>
        surface.project([x, y, z])))).map(([u, v]) => [u / canvas.clientWidth, v / canvas.clientHeight]);
    }""")
    assert all(0 < u < 1 and 0 < v < 1 for u, v in corners)


def test_the_pointer_finds_the_numbers_of_the_run(opened: Open) -> None:
    run = on_bowl(rate=0.1, steps=10)
    page = opened(run)
    x, y = page.evaluate("() => fallline.figure.spot(fallline.runs[0], 2)")
    page.locator(".surface").hover(position={"x": x, "y": y})
    # From (2, 1), x shrinks by 0.8 a step and y by 0.4.
    told = page.get_by_role("tooltip").inner_text().splitlines()
    assert told[1:4] == ["step 2", "x = 1.28", "y = 0.16"]


def test_heights_are_those_of_the_picture(opened: Open) -> None:
    run = fallline.minimize("rosenbrock", (-1.2, 1.0), GradientDescent(0.001), max_steps=200)
    page = opened(run, {"bounds": ((-2, 2), (-1, 3))})
    name, ticks = page.evaluate("() => [fallline.given.solid.name, fallline.given.solid.ticks]")
    assert name.startswith("f (log scale, clipped at ")
    (low, first), *_, (high, last) = ticks
    assert 0 <= low < high <= 1
    # Decades are evenly spaced.
    assert [words for _, words in ticks] == [f"{10**k}" for k in range(len(first) - 1, len(last))]
    gaps = [after[0] - before[0] for before, after in itertools.pairwise(ticks)]
    assert gaps == pytest.approx([gaps[0]] * len(gaps))


def test_a_film_of_a_surface_plays(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "film.html"
    animate(on_bowl(steps=100), path, kind="surface", spacing="time", frames=20, frames_per_second=2, resolution=16)
    film = Opened(browser, path)
    film.page.get_by_role("button", name="Play").click()
    film.page.clock.run_for(2000)
    assert 18 <= int(film.page.locator("output").inner_text().removeprefix("step ")) <= 21
    film.close()


def test_a_browser_without_webgl_shows_it_flat_and_says_so(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "surface.html"
    on_bowl().plot(path, kind="surface", resolution=16)
    page = browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.add_init_script("""const own = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
        return kind === "webgl2" ? null : own.call(this, kind, ...rest);
      };""")
    page.goto(path.as_uri())
    assert page.get_by_text("no WebGL2").is_visible()
    assert page.locator(".surface").count() == 0
    assert page.locator("canvas.figure").is_visible()
    assert complaints == []
    page.close()


@pytest.mark.parametrize("runs", [halving(), two_on_bowl()], ids=["curve", "contour"])
def test_flat_pictures_have_pages_too(runs: Runs, tmp_path: Path) -> None:
    path = tmp_path / "flat.html"
    runs.plot(path)  # type: ignore[union-attr]
    assert '"solid"' not in path.read_text(encoding="utf-8").partition('id="data"')[2].partition("</script>")[0]
    with pytest.raises(FalllineError, match="but no page shows histories; runs have one as curve, contour, contour_3d"):
        runs.plot(tmp_path / "no.html", kind="histories")  # type: ignore[union-attr]
    assert not (tmp_path / "no.html").exists()
