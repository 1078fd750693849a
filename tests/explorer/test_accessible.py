"""The page serves everyone: judged by axe-core, by the keyboard alone, in any script, without motion, on paper."""

from __future__ import annotations

import http.server
import itertools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from tests.cases import few
from tests.explorer.opened import Opened

import fallline

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
LOOKS: dict[str, dict[str, Any]] = {"light": {}, "dark": {"color_scheme": "dark"}, "phone": PHONE}
# What the page shows in each of its states, as links.
STATES = {
    "at first": "",
    "with basins and a step": "f=x**4-x**2%2By**2&start=1,1&at=5&active=1,0&basins=yes",
    "with a rate map": "panel=rates",
    "with a run's numbers": "panel=numbers&at=3",
    "with conditions": "stop=GradientNorm&stop=Evaluations,limit=99",
    "as a surface": "view=surface",
    "of one variable": "f=x**4-3*x**2%2Bx&start=2&at=3",
    "of many variables": "f=sum(i*x[i]**2,i=1..6)",
    "with rules that part": "rule=adam@paper&rule=adam@keras&rule=adam@torch,rate=schedule:cosine@paper",
    "with what was not taken": "f=x**2&nonsense=1&start=a",
}
# In reading order, what the keyboard reaches.
CONTROLS = """() => [...document.querySelectorAll("button, select, input, summary, textarea, [tabindex]")]
  .filter(one => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({visibilityProperty: true}))"""
# How an element that has the keyboard shows it.
FOCUS = """() => {
  const one = document.activeElement, look = getComputedStyle(one), at = one.getBoundingClientRect();
  // The sides of the ring that no part around the element cuts off.
  const reach = parseFloat(look.outlineOffset) + parseFloat(look.outlineWidth);
  const sides = [at.left - reach, at.top - reach, -at.right - reach, -at.bottom - reach];
  const cut = new Set();
  for (let up = one.parentElement; up; up = up.parentElement) {
    if (getComputedStyle(up).overflowX === "visible") continue;
    const frame = up.getBoundingClientRect();
    [frame.left, frame.top, -frame.right, -frame.bottom].forEach((edge, k) => sides[k] < edge - 0.5 && cut.add(k));
  }
  const top = document.elementFromPoint(at.x + at.width / 2, at.y + at.height / 2);
  return {
    place: controls.indexOf(one),
    name: one.getAttribute("aria-label") ?? one.textContent,
    ringed: look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2 && cut.size <= 2,
    seen: look.opacity !== "0" && top !== null && (one.contains(top) || top.contains(one)),
  };
}"""


def faults(page: Any) -> list[str]:
    """What axe-core calls a serious or critical fault."""
    found = Axe().run(page).response["violations"]
    grave = [fault for fault in found if fault["impact"] in ("serious", "critical")]
    return [f"{fault['id']}: {node['html'][:160]} {node['any'][:1]}" for fault in grave for node in fault["nodes"]]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.long
def test_axe_finds_no_serious_fault_in_any_state(browser: Any, plain: Path, look: str) -> None:
    with Opened(browser, plain, **LOOKS[look]) as opened:
        page = opened.page
        for state, link in STATES.items():
            page.evaluate("link => fallline.open(link)", link)
            opened.settled()
            assert faults(page) == [], state
        page.click("[aria-label='Save and share']")
        assert faults(page) == [], "with the menu open"
        page.keyboard.press("Escape")
        page.fill("input.formula", "x**2 + foo(y) + [z")
        opened.settled()
        assert page.inner_text("#formula-problem") != ""
        assert faults(page) == [], "with an error under the field"
        field = page.locator(".card.active .number").first
        field.fill("-1")
        field.press("Enter")
        assert faults(page) == [], "with an error under a slider"


@pytest.mark.long
@pytest.mark.parametrize("state", few(STATES, 2))
def test_the_keyboard_goes_through_all_controls_in_their_order_and_is_seen(
    browser: Any, plain: Path, state: str
) -> None:
    with Opened(browser, plain, STATES[state]) as opened:
        page = opened.page
        opened.settled()
        count = page.evaluate(f"globalThis.controls = ({CONTROLS})(), controls.length")
        assert count > 30
        reached = []
        for place in range(count):
            page.keyboard.press("Tab")
            focus = page.evaluate(FOCUS)
            reached.append(focus["place"])
            assert focus["ringed"], focus
            assert focus["seen"], focus
            assert focus["name"], place
        assert reached == list(range(count))
        # It is no trap: the next is outside of the page, and the way back is open.
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS)["place"] in (-1, 0)
        page.evaluate("controls.at(-1).focus()")
        page.keyboard.press("Shift+Tab")
        assert page.evaluate(FOCUS)["place"] == count - 2


@pytest.mark.long
def test_the_order_of_the_keyboard_is_the_order_of_reading(browser: Any, plain: Path) -> None:
    parts = ("header", ".stage", ".histories", ".side")
    for width in (360, 1000, 1600):
        with Opened(browser, plain, viewport={"width": width, "height": 900}) as opened:
            frames = [opened.page.locator(part).bounding_box() for part in parts]
        # Each begins below the last, or beside it.
        for before, after in itertools.pairwise(frames):
            assert after["y"] >= before["y"] + before["height"] - 1 or after["x"] >= before["x"] + before["width"] - 1


def test_the_figure_is_moved_zoomed_and_given_starts_by_keys(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        page = opened.page
        page.focus("canvas.figure:not(.surface)")
        left, right, bottom, top = opened.state["box"]
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowUp")
        moved = opened.state["box"]
        assert moved[0] > left
        assert moved[2] > bottom
        assert moved[1] - moved[0] == pytest.approx(right - left)
        page.keyboard.press("+")
        opened.settled()
        nearer = opened.state["box"]
        assert nearer[3] - nearer[2] < top - bottom
        assert sum(nearer[:2]) == pytest.approx(sum(moved[:2]), abs=1e-9)
        page.keyboard.press("-")
        opened.settled()
        assert opened.state["box"] == pytest.approx(moved)
        page.keyboard.press("Enter")
        opened.settled()
        assert opened.state["starts"][1] == pytest.approx([sum(moved[:2]) / 2, sum(moved[2:]) / 2], abs=0.02)


@pytest.mark.long
def test_what_happens_is_told_to_readers_of_the_screen(browser: Any, plain: Path) -> None:
    told = "document.querySelector('[role=status]').textContent"
    with Opened(browser, plain, "f=(x-1)**2%2By**2&start=3,2") as opened:
        page = opened.page
        page.wait_for_function(f"{told}.startsWith('Start at x 3, y 2. Lowest: ')")
        page.focus(".start")
        page.keyboard.press("Shift+ArrowRight")
        x = opened.state["starts"][0][0]
        page.wait_for_function(f"{told}.startsWith('Start at x {x:.3g}, y 2. Lowest: ')")
        page.click("[aria-label='To the start']")
        page.wait_for_function(f"{told}.endsWith('Step 0.')")
        page.fill("input.formula", "x**2 + y**")
        assert page.get_attribute("#formula-problem", "role") == "alert"
        assert page.get_attribute("input.formula", "aria-describedby") == "formula-problem"
        # The name of the start says where it is, and what keys do.
        assert page.get_attribute(".start", "aria-label").startswith(f"Start 1 at x {x:.3g}, y 2. Arrow keys")


@pytest.mark.long
@pytest.mark.parametrize("names", few(["אבג דה", "β Ж", "温度 湿度", "क ख", "س ص"], 2))
def test_names_of_any_script_are_read_and_shown(browser: Any, tmp_path: Path, names: str) -> None:
    first, second = names.split()
    page = fallline.explore(f"({first} - 1)**2 + {first}*{second} + 2*{second}**2", [2.0, 1.0], box=[(-2, 3), (-2, 2)])
    page.save(tmp_path / "page.html")
    with Opened(browser, tmp_path / "page.html") as opened:
        assert opened.page.inner_text(".notice") == ""
        assert len(opened.runs()) == 4
        opened.page.evaluate("fallline.store.change({at: 3})")
        opened.settled()
        label = opened.page.get_attribute(".start", "aria-label")
        assert first in label
        assert second in label
        assert opened.page.locator(".numbers thead th").all_inner_texts() == [first, second]
        opened.page.hover("canvas.figure", position={"x": 200, "y": 200})
        shown = opened.page.inner_text(".readout")
        if first in ("אבג", "س"):
            # Without isolation, the number behind such a name would be drawn before it.
            assert f"\u2068{first}\u2069 " in shown
            assert f"\u2068{first}\u2069 " in label
        link, state = opened.link(), opened.state
    with Opened(browser, tmp_path / "page.html", link) as again:
        assert again.state == state


@pytest.mark.long
@pytest.mark.parametrize("width", [360, 1280])
def test_from_right_to_left_all_fits_and_numbers_keep_their_direction(browser: Any, plain: Path, width: int) -> None:
    text = plain.read_text(encoding="utf-8")
    turned = plain.with_name("turned.html")
    turned.write_text(text.replace('<html lang="en">', '<html lang="he" dir="rtl">'), encoding="utf-8")
    with Opened(browser, turned, "at=4", viewport={"width": width, "height": 800}) as opened:
        page = opened.page
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        turned_around = page.evaluate(
            "[...document.querySelectorAll('canvas, .number, .formula, .numbers td, .step, math')]"
            ".filter(one => getComputedStyle(one).direction !== 'ltr').map(one => one.outerHTML.slice(0, 80))"
        )
        assert turned_around == []
        box = page.locator(".start").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        before = opened.state["starts"][0][0]
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 50, y, steps=4)
        page.mouse.up()
        opened.settled()
        assert opened.state["starts"][0][0] > before
        after = page.locator(".start").bounding_box()
        assert after["x"] + after["width"] / 2 == pytest.approx(x + 50, abs=1)
        # The columns are mirrored: what comes first stands right.
        if width > 1200:
            places = [page.locator(part).bounding_box()["x"] for part in (".stage", ".histories", ".side")]
            assert places == sorted(places, reverse=True)


@pytest.mark.long
def test_nothing_moves_by_itself_and_nothing_slides_where_motion_is_unwanted(browser: Any, plain: Path) -> None:
    with Opened(browser, plain, reduced_motion="reduce") as opened:
        before = opened.state
        seen = opened.page.evaluate("fallline.picture()")
        opened.page.hover(".start")
        opened.page.focus(".start")
        assert opened.page.evaluate("document.getAnimations().length") == 0
        opened.page.wait_for_timeout(700)
        assert opened.state == before
        assert opened.page.evaluate("fallline.picture()") == seen
        # What is asked for runs all the same.
        opened.page.click("[aria-label='Play']")
        opened.page.wait_for_function("fallline.store.now.at > 2")


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_paper_it_is_light_and_without_controls(browser: Any, plain: Path, scheme: str, tmp_path: Path) -> None:
    with Opened(browser, plain, "at=5", color_scheme=scheme) as opened:
        page = opened.page
        page.emulate_media(media="print")
        opened.settled()
        assert page.evaluate("getComputedStyle(document.getElementById('fallline')).backgroundColor") in (
            "rgb(255, 255, 255)",
            "rgba(0, 0, 0, 0)",
        )
        for control in (".tools", ".views", ".transport", ".add", "select.landscape", ".card input[type=range]"):
            assert not page.locator(control).first.is_visible(), control
        # The map is drawn in the colours of paper, too.
        light = page.evaluate(
            "(() => { const ink = document.querySelector('canvas.figure').getContext('2d');"
            " const {data} = ink.getImageData(0, 0, ink.canvas.width, ink.canvas.height);"
            " return data.reduce((sum, part) => sum + part, 0) / data.length; })()"
        )
        assert light > 128
        assert page.pdf(path=tmp_path / "page.pdf").startswith(b"%PDF")


class Counted(http.server.BaseHTTPRequestHandler):
    """Answers everything, and remembers what was asked for."""

    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture
def listening() -> Iterator[str]:
    """A server on this machine that would hear of whatever leaves the page; its address."""
    Counted.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Counted) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


# Ways in which code in a page, or in a worker of it, could send something away.
SENDING = """async (to) => {
  const tried = [
    () => fetch(to + "/fetch"),
    () => fetch(to + "/blind", { mode: "no-cors", method: "POST", body: "x" }),
    () => navigator.sendBeacon(to + "/beacon", "x"),
    () => new Promise((loaded, failed) => Object.assign(new Image(), { onload: loaded, onerror: failed, src: to + "/image" })),
    () => { const request = new XMLHttpRequest(); request.open("GET", to + "/request"); request.send(); },
    () => new WebSocket(to.replace("http", "ws") + "/socket"),
    () => new EventSource(to + "/events"),
    () => import(to + "/module.js"),
    () => new Worker(to + "/worker.js"),
    () => document.body.append(Object.assign(document.createElement("iframe"), { src: to + "/frame" })),
    () => document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: to + "/style" })),
    () => document.head.append(Object.assign(document.createElement("link"), { rel: "prefetch", href: to + "/prefetch" })),
    () => document.body.append(Object.assign(document.createElement("video"), { src: to + "/video" })),
    () => new FontFace("f", `url(${to}/font)`).load(),
    () => { document.body.style.backgroundImage = `url(${to}/background)`; },
    () => { const form = Object.assign(document.createElement("form"), { action: to + "/form", method: "post" });
            document.body.append(form); form.submit(); },
    () => new Worker(URL.createObjectURL(new Blob([`fetch("${to}/inside"); importScripts("${to}/import.js")`]))),
  ];
  for (const send of tried) try { await Promise.race([send(), new Promise(r => setTimeout(r, 300))]); } catch {}
}"""  # noqa: E501


def test_the_policy_of_the_page_lets_nothing_out(browser: Any, plain: Path, listening: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(plain.as_uri())
    page.wait_for_selector(".start")
    page.evaluate(SENDING, listening)
    page.wait_for_timeout(500)
    assert Counted.asked == []
    # The server does hear.
    page.goto(listening + "/heard")
    assert Counted.asked[0] == "/heard"
    context.close()
