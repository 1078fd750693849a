"""The explorer's page, opened from a file as a reader opens it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.views.browser import WatchedPage


class Opened(WatchedPage):
    """A page in a browser. When it is closed, it must have asked for nothing but itself, and complained of nothing."""

    def __init__(self, browser: Any, path: Path, link: str = "", **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | options)
        super().__init__(self.context.new_page())
        self.page.goto(path.as_uri() + (f"#{link}" if link else ""))
        self.page.wait_for_selector(".transport")

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.context.close()
        if error is None:
            self.check()

    @property
    def state(self) -> Any:
        """What is shown."""
        return self.page.evaluate("fallline.store.now")

    @cached_property
    def _session(self) -> Any:
        session = self.context.new_cdp_session(self.page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        return session

    def spent(self) -> float:
        """The seconds that the page's own thread has worked, whatever else the machine did."""
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))

    def as_python(self) -> str:
        """What "Copy as Python" puts on the clipboard; the page needs the permissions to read and write it."""
        self.page.click("[aria-label='Save and share']")
        self.page.click("text=Copy as Python")
        self.page.wait_for_selector(".menu output:not(:empty)")
        return str(self.page.evaluate("navigator.clipboard.readText()"))

    def runs(self) -> Any:
        """The runs shown: of each its values and its points."""
        self.page.evaluate("fallline.draw()")
        return self.page.evaluate(
            "fallline.race.runs.map(({run, entry, start}) => ({entry, start, count: run.count, reason: run.reason,"
            " value: [...run.value], x: [...run.x]}))"
        )

    def settled(self) -> None:
        """Wait until what was changed is drawn."""
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def link(self) -> str:
        """The fragment of the address, once it is written."""
        self.page.wait_for_function("location.hash.slice(1) === fallline.fragment")
        return str(self.page.evaluate("location.hash.slice(1)"))
