"""Real browsers, in which pages are opened as a reader opens them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

# Without these, it looks for updates, for its makers' hosts and for a graphics card.
ALONE = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--disable-quic", "--no-first-run")  # fmt: skip


@contextmanager
def chromium() -> Iterator[Any]:
    """Chromium, as the system has it installed."""
    program = _installed("chromium", "chromium-browser", "google-chrome")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ALONE))
        yield browser
        browser.close()


def firefox() -> str:
    """The program of Firefox, as the system has it installed."""
    return _installed("firefox-esr", "firefox")


def _installed(*names: str) -> str:
    """The first of these programs that there is; a test without any is skipped, and on CI fails."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is not None:
        return found
    missing = f"{names[0]} is not installed (apt-get install {names[0]})"
    if os.environ.get("CI"):
        pytest.fail(f"{missing}, and with CI set the pages have to be tried in it")
    pytest.skip(missing)


class WatchedPage:
    """A page, and all that it asks of the network or complains of."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self._heard(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: str) -> None:
        # What the driver of the graphics says of its own speed is not the page's.
        if "GL Driver Message" not in message:
            self.complaints.append(message)

    def check(self) -> None:
        """It must have asked for nothing but itself, and complained of nothing."""
        assert [url for url in self.requests if not url.startswith(("file:", "about:", "blob:", "data:"))] == []
        assert self.complaints == [], self.complaints


class Opened(WatchedPage):
    """A page opened from a file, in which time passes when a test says so."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        super().__init__(browser.new_page(**options))
        self.page.clock.install(time=0)
        self.page.goto(path.as_uri())
        self.page.clock.pause_at(3_600_000)

    def close(self) -> None:
        """Close and check it."""
        self.page.close()
        self.check()
