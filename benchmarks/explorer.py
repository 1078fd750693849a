"""The explorer's page in Chromium, opened from a file: `python -m benchmarks.explorer`."""

from __future__ import annotations

import functools
import gzip
import shutil
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from benchmarks.measure import Row, measured, show, spread

import fallline

TITLE = "The explorer"
ABOUT = """\
The page that `fallline explore` writes, in Chromium without a graphics card, opened from its file. *Redrawn* is from a
pointer's move to the drawn map: 4 rules make 300 steps each from the new start, and the map's pixels are read back, so
that drawing them is counted. *Seen* is from a press on Basins to the end of the frame that shows the map; the page
computes it in its workers. *First useful picture* is from the start of loading to the frame that shows the map with
its runs. There is no peer; the aim is what feels immediate."""

# The page in the state that is measured, and how often.
RULES = ["gradient_descent", "momentum", "adam", "rmsprop"]
STEPS, MOVES, OPENINGS, MAPS = 300, 200, 15, 7

# Moves the start along a circle, as a pointer would; the milliseconds of each move.
DRAG = """async (moves) => {
  const start = document.querySelector(".start"), canvas = document.querySelector("canvas.figure");
  const ink = canvas.getContext("2d"), frame = start.getBoundingClientRect();
  const [x, y] = [frame.x + frame.width / 2, frame.y + frame.height / 2];
  const send = (kind, angle) => start.dispatchEvent(new PointerEvent(kind, {
    pointerId: 1, isPrimary: true, bubbles: true, buttons: 1,
    clientX: x + 90 * Math.cos(angle) - 90, clientY: y + 90 * Math.sin(angle),
  }));
  start.setPointerCapture = () => {};
  send("pointerdown", 0);
  const taken = [];
  for (let k = 1; k <= moves; k++) {
    await new Promise(requestAnimationFrame);
    const begun = performance.now();
    send("pointermove", (k * 2 * Math.PI) / moves);
    fallline.draw();
    ink.getImageData(0, 0, 1, 1);
    taken.push(performance.now() - begun);
  }
  send("pointerup", 0);
  return taken;
}"""
# Presses Basins; the milliseconds until a map was seen, and until the whole.
BASINS = """async () => {
  const button = [...document.querySelectorAll("button")].find(one => one.textContent === "Basins");
  const begun = performance.now();
  button.click();
  let first = null;
  for (;;) {
    await new Promise(requestAnimationFrame);
    await new Promise(done => setTimeout(done));
    if (!fallline.shownBasins) continue;
    first ??= performance.now() - begun;
    if (fallline.shownBasins.side === 256) return [first, performance.now() - begun];
  }
}"""
# Remembers when the map with its runs was in a frame.
USEFUL = """() => {
  const look = () => {
    if (!document.querySelector(".start")) return requestAnimationFrame(look);
    requestAnimationFrame(() => setTimeout(() => { window.useful = performance.now(); }));
  };
  requestAnimationFrame(look);
}"""


def rows(moves: int = MOVES, openings: int = OPENINGS) -> Iterator[Row]:
    """Sizes, opening, dragging, basins."""
    return measured(sizes, functools.partial(in_chromium, moves, openings))


def sizes() -> Iterator[Row]:
    """The page as a file, and its script as a server would send it."""
    page = len(fallline.explore().html.encode())
    script = len(gzip.compress(files("fallline.explorer").joinpath("bundle/explorer.js").read_bytes(), 9))
    for claim, size, most in (("the page, a file", page, 250_000), ("its script, by gzip", script, 80_000)):
        yield Row(claim, ours=f"{size / 1000:.1f} kB", aim=f"≤ {most // 1000} kB", reached=size <= most)


def in_chromium(moves: int, openings: int) -> Iterator[Row]:
    """What the browser shows, and when."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "page.html"
        fallline.explore("himmelblau", [-0.5, -1.0], RULES, max_steps=STEPS).save(path)
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield within("first useful picture", [opening(browser, path) for _ in range(openings)], 0.3)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(path.as_uri())
        page.wait_for_selector(".start")
        page.evaluate(DRAG, 30)
        taken = [milliseconds / 1000 for milliseconds in page.evaluate(DRAG, moves)]
        claim = f"redrawn while dragging, {len(RULES)} rules × {STEPS} steps"
        yield within(claim, taken, 0.008)
        late = statistics.quantiles(taken, n=20)[-1]
        told = f"{1000 * late:.3g} ms"
        yield Row(f"{claim}: 95th percentile", ours=told, aim="≤ 16 ms", reached=late <= 0.016)
        maps = [basins(browser, path) for _ in range(MAPS)]
        yield within(f"basin map × {STEPS} steps, first seen", [first for first, _ in maps], 0.05)
        yield within(f"basin map, 256² × {STEPS} steps", [whole for _, whole in maps], 0.5)
        browser.close()


def opening(browser: Any, path: Path) -> float:
    """Seconds until the map is seen, in a context without anything kept."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(f"({USEFUL})()")
    page.goto(path.as_uri())
    page.wait_for_function("window.useful")
    taken = page.evaluate("window.useful") / 1000
    context.close()
    return float(taken)


def basins(browser: Any, path: Path) -> tuple[float, float]:
    """Seconds from the press until a map of basins is seen, and the whole."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(path.as_uri())
    page.wait_for_selector(".start")
    # What the page does after opening is not the map's.
    page.wait_for_timeout(300)
    first, whole = page.evaluate(BASINS)
    page.close()
    return first / 1000, whole / 1000


def within(claim: str, taken: Sequence[float], most: float) -> Row:
    """The row of times whose median should be at most so many seconds."""
    reached = statistics.median(taken) <= most
    return Row(claim, ours=spread(list(taken)), aim=f"≤ {1000 * most:.3g} ms", reached=reached)


if __name__ == "__main__":
    show(rows)
