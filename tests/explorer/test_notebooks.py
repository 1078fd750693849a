"""A function of Python dragged in real notebooks: JupyterLab and marimo, started here."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.explorer.notebook_servers import PATIENCE, jupyterlab, marimo, notebook_of
from tests.views.notebooks import github, untrusted

pytestmark = pytest.mark.long

EXPLORED = """\
import fallline

def bowl(x, y):
    return x**2 + 3 * y**2

page = fallline.explore(bowl, [1.0, 2.0], [fallline.GradientDescent(0.1)], max_steps=20)
"""
STILL = "img[class^=fallline-]"
SHOWN_LINK = "print('link', page.link)"
SET_LINK = "page.link = page.link.replace('steps=20', 'steps=12')"


def page_in(page: Any) -> Any:
    """The frame with the explorer, once Python has told of its runs."""
    element = page.locator("iframe[title=Fallline]").element_handle(timeout=PATIENCE * 1000)
    frame = element.content_frame()
    frame.wait_for_function("globalThis.fallline?.race.runs.length === 1", timeout=PATIENCE * 1000)
    return frame


def drag_start(page: Any, frame: Any) -> tuple[float, float]:
    """Drag the start some way to the left and down, in many small steps; where it then is."""
    start = page.frame_locator("iframe[title=Fallline]").locator(".start")
    start.scroll_into_view_if_needed()
    box = start.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 120, y + 90, steps=15)
    page.mouse.up()
    frame.wait_for_function("fallline.store.now.starts[0][0] < 0.9")
    return tuple(frame.evaluate("fallline.store.now.starts[0]"))


def check_run(frame: Any, start: tuple[float, float], steps: int) -> None:
    """The run shown is gradient descent on the bowl at a rate of 0.1, of which the closed form is known."""
    known = f"fallline.race.runs[0].run.x[0] === {start[0]!r} && fallline.race.runs[0].run.count === {steps}"
    frame.wait_for_function(known, timeout=PATIENCE * 1000)
    path = np.reshape(frame.evaluate("[...fallline.race.runs[0].run.x]"), (-1, 2))
    expected = [[0.8**k * start[0], 0.4**k * start[1]] for k in range(steps + 1)]
    # Each of 20 steps rounds.
    np.testing.assert_allclose(path, expected, rtol=1e-13)


class Lab:
    """A notebook in JupyterLab."""

    def __init__(self, browser: Any, address: str, name: str) -> None:
        self.page = browser.new_page(viewport={"width": 1300, "height": 1000})
        self.page.set_default_timeout(PATIENCE * 1000)
        # A workspace of its own, in which nothing is open.
        self.page.goto(f"{address}/lab/workspaces/{Path(name).stem}/tree/{name}?reset")
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for()

    def run(self, cell: int) -> Any:
        """Run a cell, and wait until that is done; the cell."""
        self.page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        place = self.page.locator(".jp-Cell").nth(cell)
        place.locator(".jp-InputPrompt").click()
        self.page.keyboard.press("Shift+Enter")
        place.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).wait_for()
        return place

    def save(self) -> None:
        self.page.locator(".jp-Cell .jp-InputPrompt").last.click()
        self.page.keyboard.press("Control+s")
        self.page.locator(".jp-mod-dirty").wait_for(state="detached")


def seen_in(lab: Lab, frame: Any) -> str:
    """The picture of what is shown, once Python has it, and put it into the notebook."""
    for _ in range(PATIENCE):
        seen = str(frame.evaluate("fallline.picture()"))
        if lab.page.locator(STILL).get_attribute("src") == seen:
            return seen
        # Values of the function may still come, which draw the picture anew.
        lab.page.wait_for_timeout(1000)
    raise AssertionError("Python was not told what was seen")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebooks")
    text = notebook_of([EXPLORED + "page", SHOWN_LINK, SET_LINK, SHOWN_LINK])
    (folder / "explored.ipynb").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with jupyterlab(folder) as address:
        yield address


@pytest.fixture(scope="module")
def lab(browser: Any, address: str) -> Iterator[Lab]:
    lab = Lab(browser, address, "explored.ipynb")
    lab.run(0)
    yield lab
    lab.page.close()


def test_a_python_function_is_dragged_in_jupyterlab(lab: Lab) -> None:
    frame = page_in(lab.page)
    check_run(frame, (1.0, 2.0), 20)
    start = drag_start(lab.page, frame)
    check_run(frame, start, 20)


def test_keys_do_not_reach_jupyterlab(lab: Lab) -> None:
    frame = page_in(lab.page)
    assert lab.page.locator("[data-lm-suppress-shortcuts=true] iframe[title=Fallline]").count() == 1
    before = frame.evaluate("fallline.store.now.starts[0][0]")
    frame.locator(".start").focus()
    # Outside, these move between cells, cut, add and delete them.
    for key in ("ArrowRight", "a", "b", "x", "d", "d"):
        lab.page.keyboard.press(key)
    frame.wait_for_function(f"fallline.store.now.starts[0][0] > {before!r}")
    assert lab.page.locator(".jp-Cell").count() == 4


def test_python_reads_and_sets_what_is_shown(lab: Lab) -> None:
    frame = page_in(lab.page)
    start = frame.evaluate("fallline.store.now.starts[0]")
    seen_in(lab, frame)
    said = lab.run(1).locator(".jp-OutputArea-output", has_text="link ").inner_text()
    assert f"start={start[0]!r},{start[1]!r}".replace("e-0", "e-") in said
    lab.run(2)
    check_run(frame, start, 12)


def test_a_saved_notebook_shows_what_was_last_seen_without_a_kernel(
    browser: Any, lab: Lab, address: str, folder: Path
) -> None:
    frame = page_in(lab.page)
    seen = seen_in(lab, frame)
    still = lab.page.locator(STILL)
    # While the widget is there, it is enough.
    assert not still.is_visible()
    lab.save()
    saved = json.loads((folder / "explored.ipynb").read_text(encoding="utf-8"))
    outputs = ["".join(output["data"].get("text/html", "")) for output in saved["cells"][0]["outputs"]]
    assert seen in outputs[-1]
    # A notebook in a language for which there is no kernel here.
    saved["metadata"] = {"kernelspec": {"name": "elsewhere", "display_name": "Elsewhere", "language": "elsewhere"}}
    (folder / "read.ipynb").write_text(json.dumps(saved), encoding="utf-8")
    reader = Lab(browser, address, "read.ipynb")
    reader.page.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click()
    reader.page.locator(".jp-Dialog").wait_for(state="detached")
    picture = reader.page.locator(STILL)
    picture.wait_for()
    assert picture.get_attribute("src") == seen
    assert picture.evaluate("image => image.complete && image.naturalWidth") >= 300
    with urllib.request.urlopen(f"{address}/api/sessions") as sessions:
        assert [session["path"] for session in json.load(sessions)] == ["explored.ipynb"]
    reader.page.close()
    for host in (untrusted, github):
        page = browser.new_page()
        page.set_content(next(iter(host([outputs[-1]], "light").values())))
        page.locator("img").wait_for()
        assert page.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") >= 300
        page.close()


def test_a_python_function_is_dragged_in_marimo(browser: Any, tmp_path: Path) -> None:
    cell = "\n".join(f"    {line}" if line else "" for line in EXPLORED.splitlines())
    notebook = tmp_path / "explored.py"
    notebook.write_text(
        f"import marimo\n\napp = marimo.App()\n\n\n@app.cell\ndef _():\n{cell}\n    page\n    return (page,)\n\n\n"
        'if __name__ == "__main__":\n    app.run()\n',
        encoding="utf-8",
    )
    with marimo(notebook) as address:
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        page.goto(address)
        frame = page_in(page)
        check_run(frame, (1.0, 2.0), 20)
        start = drag_start(page, frame)
        check_run(frame, start, 20)
        page.close()
