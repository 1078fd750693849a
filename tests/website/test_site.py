"""The site is built from every page, with warnings as errors; it asks for nothing outside, and can be searched."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from tests.environments import without_coverage

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
# One page of each kind.
KINDS = [
    "index",
    "start",
    "lessons/index",
    "findings/rate_too_large",
    "reference/optimizers",
    "conventions",
    "pictures",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as `make site` builds it, which runs the code of every page: once for all processes of the tests."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    with (shared / "site").open("a+") as told:
        fcntl.flock(told, fcntl.LOCK_EX)
        told.seek(0)
        if not told.read():
            command = [sys.executable, "-m", "website"]
            done = subprocess.run(command, cwd=ROOT, env=without_coverage(), capture_output=True, text=True)
            told.write(done.stdout + done.stderr if done.returncode else "built")
        told.seek(0)
        assert told.read() == "built"
    return ROOT / "build" / "site"


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A browser's page that is refused all but files, and keeps what it asked for beside them."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.outside, page.errors = [], []
    page.on("request", lambda request: page.outside.append(request.url) if _is_outside(request.url) else None)
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    yield page
    context.close()


def _is_outside(address: str) -> bool:
    return urlsplit(address).scheme not in ("file", "data", "blob", "about")


class _Links(HTMLParser):
    """The addresses that a page names, and the places in it that can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value for name, value in attrs if value is not None}
        self.places |= {named[name] for name in ("id", "name") if name in named}
        if "href" in named:
            (self.links if tag == "a" else self.loaded).append(named["href"])
        if "src" in named:
            self.loaded.append(named["src"])


@pytest.fixture(scope="module")
def links(site: Path) -> dict[Path, _Links]:
    """Those of every page of the site."""
    return {path: _Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_every_page_of_the_docs_is_in_the_site(site: Path) -> None:
    written = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    built = {path.relative_to(site) for path in site.rglob("*.html")}
    assert written - built == {Path("findings.html")}


def test_every_link_leads_to_a_file_and_a_place_in_it(site: Path, links: dict[Path, _Links]) -> None:
    dead = []
    for path, named in links.items():
        # The page for wrong addresses stands anywhere, so its links are absolute; the explorer has its own fragments.
        if path.name in ("404.html", "explorer.html"):
            continue
        for link in (*named.links, *named.loaded):
            parts = urlsplit(link)
            if parts.scheme in ("http", "https", "data"):
                continue
            target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
            target = target / "index.html" if target.is_dir() else target
            place = unquote(parts.fragment)
            in_page = target in links and target.name != "explorer.html" and place
            if not target.is_file() or (in_page and place not in links[target].places):
                dead.append((path.relative_to(site).as_posix(), link))
    assert dead == []


def test_no_page_names_a_script_style_picture_or_font_from_outside(site: Path, links: dict[Path, _Links]) -> None:
    assert [(path.name, link) for path, named in links.items() for link in named.loaded if "//" in link] == []
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert styles
    assert not any("url(http" in style or "@import" in style for style in styles)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_read_from_a_file_without_faults(site: Path, page: Any, name: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto((site / f"{name}.html").as_uri())
    page.wait_for_timeout(500)
    found = Axe().run(page).response["violations"]
    serious = {
        rule["id"]: [node["html"][:200] for node in rule["nodes"]]
        for rule in found
        if rule["impact"] in ("serious", "critical")
    }
    assert serious == {}
    assert (page.outside, page.errors) == ([], [])


@pytest.mark.parametrize("name", KINDS)
def test_page_fits_on_a_phone(site: Path, page: Any, name: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto((site / f"{name}.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_search_finds_a_rule_by_what_it_is_called(site: Path, page: Any) -> None:
    page.goto((site / "start.html").as_uri())
    page.keyboard.press("Control+k")
    page.get_by_placeholder("Search").last.fill("heavy ball")
    page.get_by_text("The heavy ball").first.wait_for()
    assert (page.outside, page.errors) == ([], [])


def test_the_front_page_plays(site: Path, page: Any) -> None:
    page.goto((site / "index.html").as_uri())
    frame = page.frame_locator("iframe.explorer")
    frame.get_by_role("button", name="Surface").wait_for()
    box = page.locator("iframe.explorer").bounding_box()
    # It fills the first screen but for the bar at the top and a glance of what comes below.
    assert box["width"] >= 1265
    assert 0.7 * 800 <= box["height"] <= 760
